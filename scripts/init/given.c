// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that are given to a program, by VFIO and IOMMUFD
 *
 * The device is QEMU's "edu", which copies between its buffer and any address. It
 * has to see the pages that are mapped for it, as they are at that time, and
 * nothing else.
 */
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "init.h"

#define PAGE		16384
#define IOVA		0x1000000ul
#define MAX_GIVEN	16

/* QEMU's docs/specs/edu.rst */
#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define  EDU_START	1
#define  EDU_TO_MEMORY	2
#define EDU_BUFFER	0x40000ul

#define PCI_COMMAND	4
#define PCI_MEMORY_MASTER	6

#define COPY		256		/* bytes */
#define PATIENCE	200		/* times 20 ms; a copy begins after 100 ms */

struct given {
	int iommufd;
	int device;
	__u32 ioas;
	volatile unsigned char *regs;
};

/* For any_entry(): the first one, of NAME characters at most */
int remember(const char *entry, const void *name)
{
	strlcpy((char *)name, entry, NAME);
	return 1;
}

/* Which it may not have */
void take_driver(const char *function)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", function);
	write_file(path, function);
}

/* Lets that driver have the function, and no other */
int give_to(const char *function, const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", function);
	if (write_file(path, driver))
		return -1;
	take_driver(function);
	return write_file("/sys/bus/pci/drivers_probe", function);
}

/* retype FUNCTION TYPES...: its group has one type of domain after another, driver and all */
void check_retype(char **arg)
{
	char path[128];

	for (char **type = arg + 1; *type; type++) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", arg[0]);
		if (write_file(path, arg[0]))
			return fail("has no driver to take away: errno %d", errno);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", arg[0]);
		if (write_file(path, *type))
			return fail("%s is refused: errno %d", *type, errno);
		if (write_file("/sys/bus/pci/drivers_probe", arg[0]))
			return fail("no driver takes it with %s: errno %d", *type, errno);
	}
	ok("done");
}

/* Opens the function's file of VFIO, after its driver has become VFIO's; or -1 */
int give_to_vfio(const char *function)
{
	char path[128], name[NAME] = "";

	if (give_to(function, "vfio-pci"))
		return -1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", function);
	any_entry(path, remember, name);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);

	return open(path, O_RDWR);
}

/* Gives the function an address space of its own; returns what failed, errno tells why */
static const char *give(const char *function, struct given *given)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };

	given->device = give_to_vfio(function);
	if (given->device < 0)
		return "VFIO has no file";
	given->iommufd = open("/dev/iommu", O_RDWR);
	if (given->iommufd < 0)
		return "no /dev/iommu";
	bind.iommufd = given->iommufd;
	if (ioctl(given->device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return "bind";
	if (ioctl(given->iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return "address space";
	given->ioas = alloc.out_ioas_id;
	attach.pt_id = given->ioas;
	if (ioctl(given->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		return "attach";

	return NULL;
}

/* Maps its registers and lets it access memory */
static const char *start(struct given *given)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	unsigned short command = PCI_MEMORY_MASTER;

	if (ioctl(given->device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(given->device, VFIO_DEVICE_GET_REGION_INFO, &config))
		return "regions";
	if (syscall(__NR_pwrite64, given->device, &command, sizeof(command),
			config.offset + PCI_COMMAND) != sizeof(command))
		return "config space";
	given->regs = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, given->device,
			   bar.offset);

	return given->regs == MAP_FAILED ? "registers" : NULL;
}

static void write_reg(struct given *given, unsigned int reg, unsigned long value)
{
	*(volatile unsigned long *)(given->regs + reg) = value;
}

static const char *copy(struct given *given, unsigned long source, unsigned long target,
			unsigned int direction)
{
	write_reg(given, EDU_SOURCE, source);
	write_reg(given, EDU_TARGET, target);
	write_reg(given, EDU_COUNT, COPY);
	write_reg(given, EDU_COMMAND, EDU_START | direction);
	for (int i = 0; i < PATIENCE; i++) {
		if (!(*(volatile unsigned long *)(given->regs + EDU_COMMAND) & EDU_START))
			return NULL;
		usleep(20000);
	}

	return "the device does not end";
}

/* From the device into memory at @iova, and the reverse */
static const char *put(struct given *given, unsigned long iova)
{
	return copy(given, EDU_BUFFER, iova, EDU_TO_MEMORY);
}

static const char *get(struct given *given, unsigned long iova)
{
	return copy(given, iova, EDU_BUFFER, 0);
}

static const char *map(struct given *given, unsigned char *memory)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = given->ioas,
		.user_va = (unsigned long)memory,
		.length = PAGE,
		.iova = IOVA,
	};

	return ioctl(given->iommufd, IOMMU_IOAS_MAP, &map) ? "map" : NULL;
}

static const char *unmap(struct given *given)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = given->ioas,
		.iova = IOVA,
		.length = PAGE,
	};

	return ioctl(given->iommufd, IOMMU_IOAS_UNMAP, &unmap) ? "unmap" : NULL;
}

static void fill(unsigned char *memory, unsigned char start)
{
	for (int i = 0; i < PAGE; i++)
		memory[i] = start + i % 251;
}

/* Whether @count bytes are what fill() has written at @offset */
static int is_filled(const unsigned char *memory, unsigned char start, int count, int offset)
{
	for (int i = 0; i < count; i++)
		if (memory[i] != (unsigned char)(start + (i + offset) % 251))
			return 0;
	return 1;
}

#define TRY(step)	do { const char *_wrong = (step); if (_wrong) return _wrong; } while (0)
#define WANT(what, text)	do { if (!(what)) return (text); } while (0)

/*
 * Three copies are of pages that are not mapped: one before anything else, so that a
 * TLB may remember it, and one each way after the page has gone.
 */
static const char *use(struct given *given, unsigned char *first, unsigned char *second)
{
	fill(first, 1);
	fill(second, 100);

	/* Not mapped yet */
	TRY(get(given, IOVA));

	/* What the device got from the start of the page it puts into the middle */
	TRY(map(given, first));
	TRY(get(given, IOVA));
	TRY(put(given, IOVA + PAGE / 2));
	WANT(is_filled(first + PAGE / 2, 1, COPY, 0), "the device's copy is wrong");
	WANT(is_filled(first, 1, PAGE / 2, 0) &&
	     is_filled(first + PAGE / 2 + COPY, 1, PAGE / 2 - COPY, PAGE / 2 + COPY),
	     "the device has written what it was not to");

	/* The program still has the page, the device no longer */
	TRY(unmap(given));
	fill(first, 1);
	TRY(put(given, IOVA));
	TRY(get(given, IOVA));
	WANT(is_filled(first, 1, PAGE, 0), "the device has written into a page that was unmapped");

	/* The same address, other memory, in both directions */
	TRY(map(given, second));
	TRY(get(given, IOVA));
	TRY(put(given, IOVA + PAGE / 2));
	WANT(is_filled(second + PAGE / 2, 100, COPY, 0), "the device sees the page of before");
	WANT(is_filled(first, 1, PAGE, 0), "the device has written into the page of before");
	TRY(unmap(given));

	return NULL;
}

/* given FUNCTION: VFIO gives it to this program, and it accesses what is mapped for it */
void check_given(char **arg)
{
	unsigned char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct given given;
	const char *wrong;

	if (memory == MAP_FAILED)
		return fail("no memory");
	wrong = give(*arg, &given);
	if (!wrong)
		wrong = start(&given);
	if (!wrong)
		wrong = use(&given, memory, memory + PAGE);
	if (wrong)
		return fail("%s, errno %d", wrong, errno);
	close(given.device);
	close(given.iommufd);
	ok("it saw what was mapped");
}

/* exhaust COUNT FUNCTION...: so many get an address space of their own, the others ENOSPC */
void check_exhaust(char **arg)
{
	struct given given[MAX_GIVEN];
	int count = atoi(*arg), got = 0, refused = 0;

	while (*++arg && got + refused < MAX_GIVEN) {
		const char *wrong = give(*arg, &given[got + refused]);

		if (wrong && errno != ENOSPC)
			return fail("%s of %s, errno %d", wrong, *arg, errno);
		*(wrong ? &refused : &got) += 1;
	}
	if (got == count && refused)
		ok("%d have an address space, %d were refused", got, refused);
	else
		fail("%d have an address space, %d were refused", got, refused);
}
