// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapping costs the hardware's vendor
 *
 * Its driver is written after a description of what it does: it walks
 * down anew from the root of the table, uses small pages only, and lets the
 * unit forget all of its TLBs after each map and unmap, whoever had something
 * in them. Then it enables the unit once more.
 */
#include <linux/io.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "others.h"
#include "regs.h"

#define ENTRY_TABLE	0xd
#define ENTRY_PAGE	0xd
#define ENTRY_ADDRESS	GENMASK_ULL(47, 14)
#define ENTRIES		2048

static unsigned int level_shift(int level)
{
	return 14 + 11 * level;
}

static u64 *next_table(u64 *entry, bool map)
{
	if (!*entry && map) {
		u64 *table = kzalloc(SZ_16K, GFP_KERNEL);

		if (!table)
			return NULL;
		*entry = virt_to_phys(table) | ENTRY_TABLE;
	}

	return *entry ? phys_to_virt(*entry & ENTRY_ADDRESS) : NULL;
}

/* One page at a time; @page is 0 to unmap */
static int set_page(u64 *table, int level, u64 iova, u64 page)
{
	u64 *entry = &table[iova >> level_shift(level) & (ENTRIES - 1)];

	if (!level) {
		*entry = page;
		return 0;
	}
	table = next_table(entry, page);
	if (!table)
		return page ? -ENOMEM : 0;

	return set_page(table, level - 1, iova, page);
}

static void free_table(u64 *table, int level)
{
	for (int i = 0; level && i < ENTRIES; i++) {
		if (table[i])
			free_table(phys_to_virt(table[i] & ENTRY_ADDRESS), level - 1);
	}
	kfree(table);
}

static void enable(struct la_iommu *iommu)
{
	u32 val = la_iommu_read(iommu, LA_REG_CTRL);

	la_iommu_write(iommu, LA_REG_CTRL, val | LA_CTRL_MAIN_MEMORY);
	val = la_iommu_read(iommu, LA_REG_CTRL);
	la_iommu_write(iommu, LA_REG_CTRL, val | LA_CTRL_TRANSLATE);
	val = la_iommu_read(iommu, LA_REG_CMD);
	la_iommu_write(iommu, LA_REG_CMD, val & ~LA_CMD_OP);
}

static void flush(struct vendor_table *table)
{
	u32 val = la_iommu_read(table->iommu, LA_REG_VBTC);
	int i;

	val &= ~(LA_VBTC_CMD_HIGH | LA_VBTC_CMD);
	la_iommu_write(table->iommu, LA_REG_VBTC, val | LA_VBTC_CMD_FLUSH_ALL);
	for (i = 0; i < 1000; i++) {
		if (!(la_iommu_read(table->iommu, LA_REG_VBTC) & LA_VBTC_BUSY))
			break;
	}
	enable(table->iommu);
	table->flushes++;
}

static int set_pages(struct vendor_table *table, u64 iova, u64 page, u64 size)
{
	int ret = 0;

	for (u64 at = 0; at < size && !ret; at += SZ_16K)
		ret = set_page(table->root, 2, iova + at, page ? page + at : 0);
	flush(table);

	return ret;
}

/* For reading and writing, whatever is asked for */
int vendor_map(void *table, u64 iova, u64 pa, u64 size)
{
	return set_pages(table, iova, pa | ENTRY_PAGE, size);
}

int vendor_unmap(void *table, u64 iova, u64 size)
{
	return set_pages(table, iova, 0, size);
}

static void free_vendor_table(void *data)
{
	struct vendor_table *table = data;

	free_table(table->root, 2);
}

struct vendor_table *vendor_table(struct kunit *test, struct la_iommu *iommu)
{
	struct vendor_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	table->iommu = iommu;
	table->root = kzalloc(SZ_16K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table->root);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_vendor_table, table), 0);

	return table;
}
