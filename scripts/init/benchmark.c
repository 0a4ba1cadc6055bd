// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapping for a device costs, by the kernel's own driver for that
 *
 * Any function will do that no driver needs: nothing is ever sent to it.
 */
#include <linux/map_benchmark.h>
#include <sys/ioctl.h>

#include "init.h"

#define DRIVER		"dma_map_benchmark"
#define DEBUGFS		"/sys/kernel/debug"
#define DOMAINS		DEBUGFS "/iommu/loongarch/0000:00:1a.0/domains"

/* How many flushes all domains have asked for, and how many there were */
static int flushes(long *asked, long *done)
{
	char *line = slurp(DOMAINS), *at;

	*asked = *done = 0;
	if (!line)
		return -1;
	while ((line = strchr(line, '\n'))) {
		/* Behind the number of the domain and its root */
		at = strstr(++line, "0x");
		at = at ? strchr(at, ' ') : NULL;
		if (!at)
			return -1;
		*asked += strtol(at, &at, 10);
		*done += strtol(at, &at, 10);
	}
	return 0;
}

/* The function with this type of domain, and the driver that measures */
static const char *prepare(const char *function, const char *type)
{
	char path[128];

	mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	take_driver(function);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", function);
	if (write_file(path, type))
		return "the type is refused";
	return give_to(function, DRIVER) ? "no driver takes it" : NULL;
}

/* benchmark FUNCTION TYPE THREADS SECONDS: so many map and unmap a page at once */
void check_benchmark(char **arg)
{
	struct map_benchmark map = {
		.threads = atoi(arg[2]), .seconds = atoi(arg[3]), .node = -1, .dma_bits = 48,
		.dma_dir = DMA_MAP_FROM_DEVICE, .granule = 1,
	};
	const char *wrong = prepare(arg[0], arg[1]);
	long asked, done, asked_before, done_before;
	int fd, result;

	if (wrong)
		return fail("%s: errno %d", wrong, errno);
	fd = open(DEBUGFS "/" DRIVER, O_RDWR);
	if (fd < 0)
		return fail("there is no driver: errno %d", errno);
	if (flushes(&asked_before, &done_before))
		return fail("the unit does not tell of flushes");
	result = ioctl(fd, DMA_MAP_BENCHMARK, &map);
	close(fd);
	if (result || flushes(&asked, &done))
		return fail("errno %d", errno);
	ok("map %llu unmap %llu asked %ld done %ld", map.avg_map_100ns, map.avg_unmap_100ns,
	   asked - asked_before, done - done_before);
}
