// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changes the machine while it runs: sleep, devices that come and go, and a
 * kernel that follows
 *
 * The host does its part when it reads "init: waiting" and what for.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/kexec.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "init.h"

#define NEXT_KERNEL	"/next-kernel"
#define NEXT_INITRD	"/next-initrd"

#define FRAMES		20

/* As in linux/if.h, which needs a C library */
#define AF_PACKET	17
#define SOCK_RAW	3
#define IFF_UP		1

struct ifreq {
	char name[16];
	union {
		short flags;
		int index;
		char room[24];
	};
};

/* Whether a file has @text, or with NULL is gone, within some seconds */
static int comes_to(const char *path, const char *text)
{
	for (int tries = 0; tries < 200; tries++) {
		char *have = slurp(path);

		if (text ? have && !strcmp(have, text) : !have)
			return 1;
		usleep(100000);
	}
	return 0;
}

/* sleep LEVEL: to this level of /sys/power/pm_test, from which the kernel wakes by itself */
void check_sleep(char **arg)
{
	if (write_file("/sys/power/pm_test", arg[0]))
		return fail("%s is not a level: errno %d", arg[0], errno);
	if (write_file("/sys/power/state", "freeze"))
		return fail("errno %d", errno);
	ok("awake");
}

/* Reads from a disk that has only just come */
static int reads(const char *disk)
{
	char path[64];
	int fd, got;

	snprintf(path, sizeof(path), "/dev/%s", disk);
	for (int tries = 0; (fd = open(path, O_RDONLY | O_DIRECT)) < 0 && tries < 100; tries++)
		usleep(100000);
	if (fd < 0)
		return 0;
	got = read_some(fd);
	close(fd);
	return !got;
}

/* plug TIMES FUNCTION TYPE DISK: that often a disk comes, has this type of domain, and goes */
void check_plug(char **arg)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", arg[1]);
	for (int i = 1; i <= atoi(arg[0]); i++) {
		say("init: waiting for plug %d", i);
		if (!comes_to(path, arg[2]))
			return fail("time %d: it has no domain of this type", i);
		if (!reads(arg[3]))
			return fail("time %d: %s cannot be read, errno %d", i, arg[3], errno);
		say("init: waiting for unplug %d", i);
		if (!comes_to(path, NULL))
			return fail("time %d: it does not go", i);
	}
	ok("came and went");
}

static int bring_up(int fd, const char *name)
{
	struct ifreq request = { 0 };

	strlcpy(request.name, name, sizeof(request.name));
	request.flags = IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

/* How many frames that were handed to the device it says it has read */
static int sends(int fd, const char *name)
{
	static unsigned char frame[60] = { [0 ... 5] = 0xff, [12] = 0x88, [13] = 0xb5 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	struct ifreq request = { 0 };
	char path[128], *count;

	strlcpy(request.name, name, sizeof(request.name));
	if (ioctl(fd, SIOCGIFINDEX, &request))
		return -1;
	to.sll_ifindex = request.index;
	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/tx_packets", name);
	for (int tries = 0; tries < 200; tries++) {
		/* What comes before the link is up is lost */
		syscall(__NR_sendto, fd, frame, sizeof(frame), 0, &to, sizeof(to));
		usleep(50000);
		count = slurp(path);
		if (count && atoi(count) >= FRAMES)
			return atoi(count);
	}
	return count ? atoi(count) : -1;
}

/* Its interface, or NULL */
static const char *interface_of(const char *function)
{
	static char name[NAME];
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/net", function);
	for (int tries = 0; tries < 50; tries++) {
		if (any_entry(path, remember, name))
			return name;
		usleep(100000);
	}
	return NULL;
}

/* vfs FUNCTION TYPE VF...: it gets these virtual functions, whose frames are sent */
void check_vfs(char **arg)
{
	int fd = syscall(__NR_socket, AF_PACKET, SOCK_RAW, 0), count = 0;
	const char *name = interface_of(arg[0]), *type = arg[1];
	char path[128], text[16];

	if (fd < 0 || !name || bring_up(fd, name))
		return fail("the function does not work: errno %d", errno);
	while (arg[2 + count])
		count++;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", arg[0]);
	snprintf(text, sizeof(text), "%d", count);
	if (write_file(path, text))
		return fail("it has no %d of them: errno %d", count, errno);
	for (arg += 2; *arg; arg++) {
		int sent;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", *arg);
		if (!comes_to(path, type))
			return fail("%s has no domain of this type", *arg);
		name = interface_of(*arg);
		if (!name || bring_up(fd, name))
			return fail("%s does not work: errno %d", *arg, errno);
		sent = sends(fd, name);
		if (sent < FRAMES)
			return fail("%s sent %d frames", *arg, sent);
	}
	close(fd);
	ok("%d of them sent their frames", count);
}

static int load(unsigned long flags, const char *append)
{
	int kernel = open(NEXT_KERNEL, O_RDONLY), initrd = open(NEXT_INITRD, O_RDONLY);
	int wrong;

	if (kernel < 0 || initrd < 0)
		return -1;
	wrong = syscall(__NR_kexec_file_load, kernel, initrd, strlen(append) + 1, append, flags);
	close(kernel);
	close(initrd);
	return wrong;
}

/* kexec APPEND...: devices stop in good order, and the next kernel starts */
void check_kexec(char **arg)
{
	if (load(0, words(arg)))
		return fail("cannot be loaded: errno %d", errno);
	say("init: waiting for the next kernel");
	sleep(1);
	reboot(LINUX_REBOOT_CMD_KEXEC);
	fail("errno %d", errno);
}

/* Reads for ever */
static void keep_busy(const char *disk)
{
	if (fork())
		return;
	for (;;)
		reads(disk);
}

/* crash DISKS APPEND...: with accesses of DISKS, joined by ",", on their way */
void check_crash(char **arg)
{
	char *disk, *next;

	if (load(KEXEC_FILE_ON_CRASH, words(arg + 1)))
		return fail("cannot be loaded: errno %d", errno);
	for (disk = arg[0]; disk; disk = next) {
		next = strchr(disk, ',');
		if (next)
			*next++ = '\0';
		keep_busy(disk);
	}
	say("init: waiting for the next kernel");
	sleep(1);
	write_file("/proc/sysrq-trigger", "c");
	fail("it goes on: errno %d", errno);
}
