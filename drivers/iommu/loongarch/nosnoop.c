// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: units that don't see what is in the CPUs' caches
 *
 * Known drivers differ on whether units of revision 1 do, and nobody has said why.
 * LoongArch can't write single lines back. So a unit which doesn't is given copies
 * of the tables, as one of revision 0 is: in main memory that is accessed without
 * caches, once they have been written back.
 */
#include <linux/cacheflush.h>
#include <linux/crash_dump.h>
#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/property.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/addrspace.h>
#include <asm/cpu-features.h>
#include <asm/hvisor.h>
#include <kunit/visibility.h>

#include "../iommu-pages.h"
#include "iommu.h"
#include "mirror.h"

/* Tables for 64 GiB in pages of 16 KiB, and for 2 GiB */
#define LA_POOL_MAX	SZ_32M
#define LA_POOL_MIN	SZ_1M

/* For all units */
static bool la_nosnoop;

static int __init la_setup(char *text)
{
	if (!text || strcmp(text, "nosnoop"))
		return -EINVAL;
	la_nosnoop = true;

	return 0;
}
early_param("loongarch_iommu", la_setup);

/**
 * la_is_nosnoop() - does a unit not see what is in the CPUs' caches?
 * @dev: the unit's device
 *
 * Return: what the user or the device tree says, or false.
 */
bool la_is_nosnoop(struct device *dev)
{
	return la_nosnoop || device_property_read_bool(dev, "dma-noncoherent");
}

static void la_write_back(void *unused)
{
	__flush_cache_all();
}

/**
 * la_pool_write_back() - let nothing be written over uncached memory
 *
 * All caches of all CPUs, as there is no way to write an address back.
 *
 * Context: may sleep.
 */
void la_pool_write_back(void)
{
	on_each_cpu(la_write_back, NULL, true);
}

static void *la_alloc_pool(struct device *dev, size_t *size)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	void *memory = NULL;

	for (*size = is_kdump_kernel() ? LA_POOL_MIN : LA_POOL_MAX; *size >= LA_POOL_MIN;
	     *size /= 2) {
		memory = iommu_alloc_pages_node_sz(dev_to_node(dev), gfp, *size);
		if (memory)
			break;
	}

	return memory;
}

/**
 * la_pool_create_uncached() - memory for the tables of a unit that does not snoop
 * @dev: the unit's device
 *
 * Takes 32 MiB, or as much of that as there is in one piece. As the unit has its
 * address from then on, it is never given back.
 *
 * Where a hypervisor decides which memory is cached, none can be uncached: neither
 * hvisor nor KVM lets a guest have it, or write caches back.
 *
 * Context: may sleep.
 * Return: the pool, or an error pointer: -EOPNOTSUPP under a hypervisor, -ENOMEM
 * without a piece of 1 MiB, or as la_pool_create().
 */
struct la_pool *la_pool_create_uncached(struct device *dev)
{
	struct la_pool *pool;
	phys_addr_t origin;
	void *memory;
	size_t size;

	if (cpu_has_hypervisor || hvisor_guest()) {
		dev_err(dev, "does not snoop, and a hypervisor lets no memory be uncached\n");
		return ERR_PTR(-EOPNOTSUPP);
	}
	memory = la_alloc_pool(dev, &size);
	if (!memory)
		return ERR_PTR(-ENOMEM);

	la_pool_write_back();
	origin = virt_to_phys(memory);
	pool = la_pool_create(dev, (void __iomem *)TO_UNCACHE(origin), size, origin);
	if (IS_ERR(pool)) {
		iommu_free_pages(memory);
		return pool;
	}
	dev_info(dev, "does not snoop: has its tables in %zu MiB of uncached memory\n",
		 size / SZ_1M);

	return pool;
}
EXPORT_SYMBOL_IF_KUNIT(la_pool_create_uncached);
