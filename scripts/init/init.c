// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of a zone under test
 *
 * Reads the file /checks of its initramfs, one check and its arguments a
 * line, runs them in order, says "init: <check> ok" or "init: <check> FAIL"
 * about each and switches the machine off. The closing line carries the
 * nonce that this boot was given, so that no other text can pass for it.
 *
 * Built with the kernel's own nolibc; it needs no other file.
 */
#include <linux/fs.h>
#include <linux/rtc.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "init.h"

#define CHUNK	(64 * 1024)		/* of a disk access */
#define PATTERN	(1024 * 1024)		/* bytes written to and read from a disk */
#define MAX_ARGS	16			/* of a check */

static const char *check;		/* the line that is being checked */
static int failures;
static int console = STDOUT_FILENO;

/*
 * A line for the kernel's log: unlike the tty it keeps the order, does not
 * mix with the kernel's own lines, and needs no interrupt of the UART.
 */
__attribute__((format(printf, 1, 0)))
static void vsay(const char *format, va_list args)
{
	char line[768];
	int len = vsnprintf(line, sizeof(line) - 1, format, args);

	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	write(console, line, len);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

static void tell(const char *verdict, const char *format, va_list args)
{
	char detail[512];

	vsnprintf(detail, sizeof(detail), format, args);
	say("init: %s %s %s", check, verdict, detail);
}

void ok(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell("ok", format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	va_list args;

	failures++;
	va_start(args, format);
	tell("FAIL", format, args);
	va_end(args);
}

/* ------------------------------------------------------------------ files */

/* The file's content without trailing white space, or NULL */
char *slurp(const char *path)
{
	static char text[4][16384];
	static unsigned int turn;
	char *buf = text[turn++ % 4];
	int fd = open(path, O_RDONLY);
	int len = 0, got;

	if (fd < 0)
		return NULL;
	while ((got = read(fd, buf + len, sizeof(text[0]) - 1 - len)) > 0)
		len += got;
	close(fd);
	while (len && (buf[len - 1] == '\0' || isspace(buf[len - 1])))
		len--;
	buf[len] = '\0';
	return buf;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int written;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	close(fd);
	return written == (int)strlen(text) ? 0 : -1;
}

/* Calls @visit with each entry of @path until one is said to match */
int any_entry(const char *path, int (*visit)(const char *entry, const void *arg),
	      const void *arg)
{
	struct dirent entry, *next;
	DIR *dir = opendir(path);
	int found = 0;

	if (!dir)
		return 0;
	while (!found && !readdir_r(dir, &entry, &next) && next)
		if (entry.d_name[0] != '.')
			found = visit(entry.d_name, arg);
	closedir(dir);
	return found;
}

/* ------------------------------------------------------------- interrupts */

/*
 * Interrupts of all /proc/interrupts lines that contain @name, of one CPU or,
 * with @cpu -1, of all. -1 if there is no such line.
 */
static long interrupts(const char *name, int cpu)
{
	char *line = slurp("/proc/interrupts"), *next, *at;
	long total = -1;

	for (; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		at = strchr(line, ':');
		if (!at || !strstr(at, name))
			continue;
		if (total < 0)
			total = 0;
		at++;
		for (int column = 0; ; column++) {
			char *end;
			long count = strtol(at, &end, 10);

			/* An interrupt's name can start with a digit: 1-0008 */
			if (end == at || (*end && !isspace(*end)))
				break;
			if (cpu < 0 || cpu == column)
				total += count;
			at = end;
		}
	}
	return total;
}

/* Number of the first interrupt whose line contains @name, -1 if there is none */
static int interrupt_number(const char *name)
{
	char *text = slurp("/proc/interrupts"), *at = text ? strstr(text, name) : NULL;

	if (!at)
		return -1;
	while (at > text && at[-1] != '\n')
		at--;
	return strtol(at, NULL, 10);
}

static int online_cpus(void)
{
	char *at = slurp("/proc/cpuinfo");
	int count = 0;

	for (; at && (at = strstr(at, "processor\t")); at++)
		count++;
	return count;
}

static long long now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

/* ----------------------------------------------------------------- checks */

/* cpus N: N processors are online and each of them takes timer interrupts */
static void check_cpus(char **arg)
{
	int cpus = online_cpus();

	if (cpus != atoi(arg[0]))
		return fail("%d are online", cpus);
	for (int cpu = 0; cpu < cpus; cpu++) {
		unsigned long mask = 1ul << cpu;
		long before;
		long long end;

		if (syscall(__NR_sched_setaffinity, 0, sizeof(mask), &mask))
			return fail("cannot run on CPU %d: errno %d", cpu, errno);
		before = interrupts("timer", cpu);
		end = now_us(CLOCK_MONOTONIC) + 200000;
		while (now_us(CLOCK_MONOTONIC) < end)
			;
		if (interrupts("timer", cpu) <= before)
			return fail("CPU %d took no timer interrupt in 200 ms (%ld)", cpu, before);
	}
	ok("timer interrupts %ld", interrupts("timer", -1));
}

/* Seconds of the day by the RTC, read when they change; -1 without one */
static int rtc_edge(int fd, long long *us)
{
	struct rtc_time first, now;

	if (ioctl(fd, RTC_RD_TIME, &first))
		return -1;
	do {
		usleep(1000);
		*us = now_us(CLOCK_MONOTONIC);
		if (ioctl(fd, RTC_RD_TIME, &now))
			return -1;
	} while (now.tm_sec == first.tm_sec);
	return now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec;
}

/* clock PERMILLE SECONDS: the monotonic clock and the RTC agree that well for so long */
static void check_clock(char **arg)
{
	/* An RTC that was never set, as QEMU's, does not run */
	struct rtc_time some = { .tm_year = 126, .tm_mday = 1 };
	int fd = open("/dev/rtc0", O_RDONLY);
	int tolerance = atoi(arg[0]);
	int begin, end, seconds, rate = 0;
	long long t0, t1;

	if (fd < 0)
		return fail("no /dev/rtc0");
	if (ioctl(fd, RTC_RD_TIME, &(struct rtc_time){ 0 }) && ioctl(fd, RTC_SET_TIME, &some))
		return fail("the RTC cannot be set: errno %d", errno);
	/* A busy host can delay the guest right at the edge: try again */
	for (int attempt = 0; attempt < 3; attempt++) {
		begin = rtc_edge(fd, &t0);
		sleep(atoi(arg[1]));
		end = rtc_edge(fd, &t1);
		if (begin < 0 || end < 0)
			return fail("the RTC cannot be read: errno %d", errno);
		seconds = (end - begin + 86400) % 86400;
		rate = (t1 - t0) / 1000 / (seconds ? seconds : 1);
		if (seconds && rate >= 1000 - tolerance && rate <= 1000 + tolerance) {
			close(fd);
			return ok("%d per mille of the RTC's rate over %d s", rate, seconds);
		}
	}
	close(fd);
	fail("%d per mille of the RTC's rate over %d s", rate, seconds);
}

/*
 * ticks PERMILLE SECONDS: jiffies, which times() shows, keep time with the clock; the
 * CPU is idle meanwhile
 */
static void check_ticks(char **arg)
{
	int tolerance = atoi(arg[0]), seconds = atoi(arg[1]), rate;
	long long start = now_us(CLOCK_MONOTONIC);
	long ticks = -syscall(__NR_times, NULL);

	while (now_us(CLOCK_MONOTONIC) < start + seconds * 1000000ll)
		usleep(1000);
	ticks += syscall(__NR_times, NULL);
	/* USER_HZ is 100 */
	rate = ticks * 10 / seconds;
	if (rate < 1000 - tolerance || rate > 1000 + tolerance)
		return fail("%d per mille of the clock's rate", rate);
	ok("%d per mille of the clock's rate", rate);
}

/* idle SECONDS RATE: a CPU that sleeps takes no more timer interrupts a second than RATE */
static void check_idle(char **arg)
{
	int seconds = atoi(arg[0]), rate = atoi(arg[1]);
	unsigned long mask = 1;
	long count = 0;

	if (syscall(__NR_sched_setaffinity, 0, sizeof(mask), &mask))
		return fail("cannot run on CPU 0: errno %d", errno);
	/* The kernel may have something to do, right after boot */
	for (int attempt = 0; attempt < 3; attempt++) {
		count = -interrupts("timer", 0);
		sleep(seconds);
		count += interrupts("timer", 0);
		if (count && count <= rate * seconds)
			return ok("%ld timer interrupts in %d s", count, seconds);
	}
	fail("%ld timer interrupts in %d s", count, seconds);
}

/* busy SECONDS: nothing sleeps for so long, by the kernel's clock */
static void check_busy(char **arg)
{
	long long end = now_us(CLOCK_MONOTONIC) + atoi(arg[0]) * 1000000ll;

	while (now_us(CLOCK_MONOTONIC) < end)
		;
	ok("done");
}

/* Print each line of a text, which is changed */
static void say_lines(char *text)
{
	for (char *next; text; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		if (*text)
			say("  %s", text);
	}
}

/*
 * The last line that a program prints. If it fails, all that it printed last goes to the
 * console, and NULL is returned. It runs with its own libraries.
 */
static char *last_line_of(char **argv)
{
	static char text[4096];
	char *line, *next;
	int fds[2], len = 0, got, status;
	pid_t pid;

	if (pipe(fds))
		return NULL;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execve(argv[0], argv, (char *[]){ NULL });
		exit(127);
	}
	close(fds[1]);
	while (pid > 0 && (got = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0) {
		len += got;
		if (len < (int)sizeof(text) - 1)
			continue;
		/* Only the end matters */
		len /= 2;
		memmove(text, text + len, len);
	}
	close(fds[0]);
	text[len] = '\0';
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		say_lines(text);
		return NULL;
	}
	for (line = text; (next = strchr(line, '\n')) && next[1]; line = next + 1)
		;
	if (next)
		*next = '\0';
	return line;
}

/* cyclictest LOOPS: so many sleeps of 1 ms come to an end */
static void check_cyclictest(char **arg)
{
	char *argv[] = { "/bin/ld-linux-loongarch-lp64d.so.1", "--library-path", "/bin",
			 "/bin/cyclictest", "-q", "-m", "-p", "80", "-i", "1000", "-l", arg[0], NULL };
	char *line = last_line_of(argv);
	const char *count;

	if (!line)
		return fail("does not run");
	count = strstr(line, "C:");
	for (count = count ? count + 2 : ""; *count == ' '; count++)
		;
	if (atoi(count) != atoi(arg[0]))
		return fail("%s", line);
	ok("%s", line);
}

/*
 * selftest FUNCTION COUNT PROGRAM ARGUMENTS...: so many tests of the kernel's program
 * for devices of VFIO pass, and none does anything else
 */
static void check_selftest(char **arg)
{
	char path[64], want[64];
	char *argv[MAX_ARGS + 2] = { path };
	int count = 1;
	char *line;
	int file = give_to_vfio(arg[0]);

	if (file < 0)
		return fail("VFIO has no file for %s: errno %d", arg[0], errno);
	close(file);
	snprintf(path, sizeof(path), "/bin/%s", arg[2]);
	for (char **more = arg + 3; *more; more++)
		argv[count++] = *more;
	argv[count] = arg[0];

	line = last_line_of(argv);
	if (!line)
		return fail("%s fails", arg[2]);
	snprintf(want, sizeof(want), "# Totals: pass:%s fail:0 xfail:0 xpass:0 skip:0 error:0", arg[1]);
	if (strcmp(line, want))
		return fail("%s", line);
	ok("%s", line);
}

/* The words from @arg on, as one text */
const char *words(char **arg)
{
	static char text[1024];

	text[0] = '\0';
	for (; *arg; arg++) {
		if (*text)
			strlcat(text, " ", sizeof(text));
		strlcat(text, *arg, sizeof(text));
	}
	return text;
}

/* cmdline WORDS...: the kernel's command line is that, neither less nor more */
static void check_cmdline(char **arg)
{
	char *have = slurp("/proc/cmdline");

	if (!have || strcmp(have, words(arg)))
		return fail("is \"%s\"", have ? have : "unreadable");
	ok("as given");
}

/* file PATH WORD: the file has that word, and nothing else */
static void check_file(char **arg)
{
	char *have = slurp(arg[0]);

	if (!have || strcmp(have, arg[1]))
		return fail("has \"%s\"", have ? have : "no content");
	ok("as given");
}

/* model WORDS...: the device tree in use is the one that was meant */
static void check_model(char **arg)
{
	char *have = slurp("/proc/device-tree/model"), *at = have;

	for (; have && *arg; arg++) {
		at = strstr(at, *arg);
		if (!at)
			break;
	}
	if (!have || *arg)
		return fail("the model is %s", have ? have : "not given");
	ok("%s", have);
}

static int is_pci_device(const char *entry, const void *id)
{
	char path[256], *vendor, *device;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", entry);
	vendor = slurp(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", entry);
	device = slurp(path);
	if (!vendor || !device)
		return 0;
	snprintf(path, sizeof(path), "%s:%s", vendor + 2, device + 2);
	return !strcmp(path, id);
}

/* pci VENDOR:DEVICE...: each of them was enumerated */
static void check_pci(char **arg)
{
	for (; *arg; arg++)
		if (!any_entry("/sys/bus/pci/devices", is_pci_device, *arg))
			return fail("no device %s", *arg);
	ok("all present");
}

/* nopci VENDOR:DEVICE: it was not */
static void check_nopci(char **arg)
{
	if (any_entry("/sys/bus/pci/devices", is_pci_device, arg[0]))
		return fail("it is there");
	ok("it is not there");
}

static int count_entry(const char *entry, const void *count)
{
	++*(int *)count;
	return 0;
}

/* pcicount N: so many devices were enumerated */
static void check_pcicount(char **arg)
{
	int count = 0;

	if (access("/sys/bus/pci/devices", F_OK))
		return fail("there is no PCI: errno %d", errno);
	any_entry("/sys/bus/pci/devices", count_entry, &count);
	if (count != atoi(arg[0]))
		return fail("there are %d", count);
	ok("as many");
}

static int has_driver(const char *entry, const void *driver)
{
	char path[256], text[256], *line;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/uevent", entry);
	line = slurp(path);
	snprintf(text, sizeof(text), "DRIVER=%s\n", (const char *)driver);
	return line && strstr(line, text);
}

/* netdev DRIVER: a network interface is bound to it */
static void check_netdev(char **arg)
{
	if (!any_entry("/sys/class/net", has_driver, arg[0]))
		return fail("no interface with driver %s", arg[0]);
	ok("bound");
}

/* ------------------------------------------------------------------ disks */

/* Word @at of the stream that belongs to @seed; the host has the same */
static uint64_t pattern(uint64_t seed, uint64_t at)
{
	uint64_t word = (seed + at) * 0x9e3779b97f4a7c15ull;

	return word ^ (word >> 29);
}

int read_some(int fd)
{
	static char buf[CHUNK] __attribute__((aligned(4096)));

	for (int i = 0; i < 4; i++)
		if (lseek(fd, i * CHUNK, SEEK_SET) < 0 || read(fd, buf, CHUNK) != CHUNK)
			return -1;
	return 0;
}

static int write_pattern(int fd, uint64_t seed)
{
	static uint64_t buf[CHUNK / 8] __attribute__((aligned(4096)));
	uint64_t at = 0;

	for (int done = 0; done < PATTERN; done += CHUNK) {
		for (int i = 0; i < CHUNK / 8; i++)
			buf[i] = pattern(seed, at++);
		if (write(fd, buf, CHUNK) != CHUNK)
			return -1;
	}
	return fsync(fd);
}

static int same_pattern(int fd, uint64_t seed)
{
	static uint64_t buf[CHUNK / 8] __attribute__((aligned(4096)));
	uint64_t at = 0;

	for (int done = 0; done < PATTERN; done += CHUNK) {
		if (read(fd, buf, CHUNK) != CHUNK)
			return 0;
		for (int i = 0; i < CHUNK / 8; i++)
			if (buf[i] != pattern(seed, at++))
				return 0;
	}
	return 1;
}

/* A file of /dev, or -1 after fail() */
static int open_device(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, flags);
	if (fd < 0)
		fail("cannot open %s: errno %d", path, errno);
	return fd;
}

/* Has the interrupt come since there were @before of it? */
static void has_interrupted(const char *name, long before)
{
	long now = interrupts(name, -1);

	if (now <= before)
		fail("no interrupt of %s (%ld)", name, before);
	else
		ok("interrupts %ld to %ld", before, now);
}

/*
 * disk NAME INTERRUPT SEED: the host has put the stream of SEED into the
 * second MiB; the stream of SEED + 1 goes to the first, by way of the device
 * and not of the page cache, and the interrupt counts up meanwhile.
 */
static void check_disk(char **arg)
{
	uint64_t seed = strtoull(arg[2], NULL, 10);
	long before = interrupts(arg[1], -1);
	int fd = open_device(arg[0], O_RDWR | O_DIRECT);

	if (fd < 0)
		return;
	if (lseek(fd, PATTERN, SEEK_SET) != PATTERN || !same_pattern(fd, seed))
		fail("does not hold what the host wrote");
	else if (lseek(fd, 0, SEEK_SET) || write_pattern(fd, seed + 1))
		fail("cannot be written: errno %d", errno);
	else if (ioctl(fd, BLKFLSBUF, 0) || lseek(fd, 0, SEEK_SET) ||
		 !same_pattern(fd, seed + 1))
		fail("does not hold what was written");
	else
		has_interrupted(arg[1], before);
	close(fd);
}

/* Sends the interrupt to @cpu and makes the disk raise it: it has to come there alone */
static int moves_to(int cpu, const char *name, int fd)
{
	int number = interrupt_number(name);
	char path[64], mask[32], *effective;
	long here, all;

	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity", number);
	snprintf(mask, sizeof(mask), "%x", 1 << cpu);
	if (write_file(path, mask)) {
		fail("cannot write %s: errno %d", path, errno);
		return 0;
	}
	/* What was on its way may still come to another CPU */
	if (read_some(fd)) {
		fail("cannot read: errno %d", errno);
		return 0;
	}
	here = -interrupts(name, cpu);
	all = -interrupts(name, -1);
	if (read_some(fd)) {
		fail("cannot read: errno %d", errno);
		return 0;
	}
	here += interrupts(name, cpu);
	all += interrupts(name, -1);
	snprintf(path, sizeof(path), "/proc/irq/%d/effective_affinity", number);
	effective = slurp(path);
	if (here > 0 && here == all && effective && !strcmp(effective, mask))
		return 1;
	fail("CPU %d got %ld of %ld, effective %s", cpu, here, all, effective ? effective : "-");
	return 0;
}

/* interrupted NAME: it has */
static void check_interrupted(char **arg)
{
	has_interrupted(arg[0], 0);
}

/* tty NAME: what is written to a serial line makes it interrupt */
static void check_tty(char **arg)
{
	long before = interrupts(arg[0], -1);
	int fd = open_device(arg[0], O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	for (int i = 0; i < 10; i++) {
		write(fd, "init: by interrupt\r\n", 20);
		msleep(20);
	}
	has_interrupted(arg[0], before);
	close(fd);
}

/* affinity INTERRUPT DISK: it comes to the CPU that it is sent to, to each and back */
static void check_affinity(char **arg)
{
	int fd = open_device(arg[1], O_RDONLY | O_DIRECT);
	int cpus = online_cpus(), i;

	if (fd < 0)
		return;
	for (i = 0; i <= cpus && moves_to(i % cpus, arg[0], fd); i++)
		;
	close(fd);
	if (i > cpus)
		ok("on %d CPUs", cpus);
}

/* keyboard INTERRUPT: a USB keyboard was found, by interrupts of its controller */
static void check_keyboard(char **arg)
{
	for (int tries = 0; tries < 100; tries++) {
		char *devices = slurp("/proc/bus/input/devices");

		if (devices && strstr(devices, "USB Keyboard")) {
			long count = interrupts(arg[0], -1);

			if (count <= 0)
				return fail("no interrupt of %s", arg[0]);
			return ok("interrupts %ld", count);
		}
		usleep(100000);
	}
	fail("not found in 10 s");
}

/* ---------------------------------------------------------------- consoles */

/* A terminal that passes on what it gets, and nothing else; -1 if there is none */
static int open_raw(const char *name)
{
	struct termios raw;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TCGETS, &raw)) {
		fail("cannot open %s: errno %d", path, errno);
		return -1;
	}
	raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
	raw.c_cc[VMIN] = 1;
	ioctl(fd, TCSETS, &raw);
	return fd;
}

/* Writes @text and reads the same back, as the host is to send it, in @ms */
static int comes_back(int fd, const char *text, int ms)
{
	int len = strlen(text), sent = 0, got = 0;
	long long end = now_us(CLOCK_MONOTONIC) + ms * 1000ll;
	char back[256];

	while (got < len && now_us(CLOCK_MONOTONIC) < end) {
		struct pollfd wait = { .fd = fd, .events = POLLIN | (sent < len ? POLLOUT : 0) };
		int some;

		if (poll(&wait, 1, 100) <= 0)
			continue;
		if (wait.revents & POLLOUT && (some = write(fd, text + sent, len - sent)) > 0)
			sent += some;
		if (wait.revents & POLLIN && (some = read(fd, back + got, len - got)) > 0)
			got += some;
	}
	return got == len && !memcmp(back, text, len);
}

#define ECHO_MS		5000

/* echo TTY LINES: the host sends back what is written, line by line */
static void check_echo(char **arg)
{
	int lines = atoi(arg[1]), fd = open_raw(arg[0]);
	char text[128];

	for (int i = 0; fd >= 0 && i < lines; i++) {
		snprintf(text, sizeof(text), "line %d of %d, 0123456789abcdef\n", i, lines);
		if (comes_back(fd, text, ECHO_MS))
			continue;
		close(fd);
		return fail("line %d did not come back in %d ms", i, ECHO_MS);
	}
	if (fd < 0)
		return;
	close(fd);
	ok("%d lines", lines);
}

#define ROUND_MS	2000

static int open_for_load(const char *name, int is_tty)
{
	return is_tty ? open_raw(name) : open_device(name, O_RDWR | O_DIRECT);
}

/* What is wrong with it, or NULL */
static const char *disk_round(int disk, int round)
{
	if (lseek(disk, 2 * PATTERN, SEEK_SET) < 0 || write_pattern(disk, round))
		return "cannot be written";
	if (lseek(disk, 2 * PATTERN, SEEK_SET) < 0 || !same_pattern(disk, round))
		return "does not hold what was written";
	return NULL;
}

static const char *tty_round(int tty, int round)
{
	char text[64];

	snprintf(text, sizeof(text), "round %d\n", round);
	return comes_back(tty, text, ECHO_MS) ? NULL : "does not send back what it gets";
}

/* Reading and writing, or talking, until @end */
static void work(const char *name, long long end)
{
	int is_tty = !strncmp(name, "hvc", 3), fd = open_for_load(name, is_tty), round;
	long long begin, took, longest = 0;
	const char *wrong;

	for (round = 0; fd >= 0 && (begin = now_us(CLOCK_MONOTONIC)) < end; round++) {
		wrong = is_tty ? tty_round(fd, round) : disk_round(fd, round);
		took = (now_us(CLOCK_MONOTONIC) - begin) / 1000;
		if (wrong)
			return fail("%s %s in round %d, after %lld ms", name, wrong, round, took);
		if (took > ROUND_MS)
			return fail("round %d of %s took %lld ms", round, name, took);
		if (took > longest)
			longest = took;
	}
	if (fd >= 0)
		ok("%d rounds of %s, the longest %lld ms", round, name, longest);
}

/* load SECONDS NAME...: all these disks and terminals work at once for so long */
static void check_load(char **arg)
{
	long long end = now_us(CLOCK_MONOTONIC) + atoi(*arg) * 1000000ll;
	int children = 0, status;

	while (*++arg) {
		pid_t pid = fork();

		if (pid == 0) {
			failures = 0;
			work(*arg, end);
			exit(failures);
		}
		if (pid < 0)
			fail("cannot fork: errno %d", errno);
		else
			children++;
	}
	/* They have said why */
	for (; children; children--)
		if (waitpid(-1, &status, 0) < 0 || status)
			failures++;
}

/* ------------------------------------------------------------------- main */

static const struct {
	const char *name;
	int args;		/* at least that many */
	void (*run)(char **arg);
} checks[] = {
	{ "cpus",	1, check_cpus },
	{ "clock",	2, check_clock },
	{ "ticks",	2, check_ticks },
	{ "idle",	2, check_idle },
	{ "busy",	1, check_busy },
	{ "cyclictest",	1, check_cyclictest },
	{ "cmdline",	1, check_cmdline },
	{ "file",	2, check_file },
	{ "model",	1, check_model },
	{ "pci",	1, check_pci },
	{ "pcicount",	1, check_pcicount },
	{ "netdev",	1, check_netdev },
	{ "disk",	3, check_disk },
	{ "tty",	1, check_tty },
	{ "interrupted", 1, check_interrupted },
	{ "affinity",	2, check_affinity },
	{ "keyboard",	1, check_keyboard },
	{ "echo",	2, check_echo },
	{ "load",	2, check_load },
	{ "given",	1, check_given },
	{ "retype",	2, check_retype },
	{ "selftest",	3, check_selftest },
	{ "exhaust",	2, check_exhaust },
	{ "nopci",	1, check_nopci },
	{ "sleep",	1, check_sleep },
	{ "plug",	4, check_plug },
	{ "vfs",	4, check_vfs },
	{ "benchmark",	4, check_benchmark },
	{ "kexec",	1, check_kexec },
	{ "crash",	1, check_crash },
};

static void run_check(char *line)
{
	char *arg[MAX_ARGS + 1] = { 0 };
	char name[256];
	int args = 0;

	strlcpy(name, line, sizeof(name));
	check = name;
	for (char *at = line; args < MAX_ARGS; ) {
		arg[args++] = at;
		at = strchr(at, ' ');
		if (!at)
			break;
		*at++ = '\0';
	}
	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(arg[0], checks[i].name))
			continue;
		if (args - 1 < checks[i].args)
			return fail("lacks an argument");
		return checks[i].run(arg + 1);
	}
	fail("is not known");
}

static void run_checks(char *text)
{
	const char *nonce = "";
	int done = 0;
	char *next;

	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!strncmp(line, "nonce ", 6)) {
			nonce = line + 6;
			continue;
		}
		run_check(line);
		done++;
	}
	if (done && !failures)
		say("init: all checks passed %s", nonce);
	else
		say("init: %d of %d checks failed", failures, done);
}

static void setup(void)
{
	int kmsg;

	check = "mount";
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL))
		fail("errno %d", errno);
	/* Without a limit to the rate of lines */
	if (write_file("/proc/sys/kernel/printk_devkmsg", "on\n") && errno != ENOENT)
		fail("the rate of lines is limited: errno %d", errno);
	kmsg = open("/dev/kmsg", O_WRONLY);
	if (kmsg >= 0)
		console = kmsg;
}

int main(void)
{
	static char text[16384];
	char *file;

	setup();
	file = slurp("/checks");
	strlcpy(text, file ? file : "", sizeof(text));
	run_checks(text);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	say("init: power-off FAIL errno %d", errno);
	for (;;)
		sleep(1);
}
