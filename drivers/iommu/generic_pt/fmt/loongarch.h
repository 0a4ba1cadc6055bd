/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LoongArch IOMMU page table
 *
 * Of the unit in the Loongson 7A2000 bridge and in server CPUs with PCIe on the
 * die. There is no public manual of it: this is what its known drivers have in
 * common.
 *
 * There are three levels of 2048 entries, with 16 KiB pages whatever the CPU's
 * pages are. Addresses are extended with zeros.
 *
 *   level  index bits  an entry covers
 *       2       46:36           64 GiB  tables only
 *       1       35:25           32 MiB  tables and pages
 *       0       24:14           16 KiB  pages only
 *
 * Nothing is known of bits 13:4 and 63:48, so they are 0: no software bits, no
 * access and dirty bits, no memory types.
 */
#ifndef __GENERIC_PT_FMT_LOONGARCH_H
#define __GENERIC_PT_FMT_LOONGARCH_H

#include "defs_loongarch.h"
#include "../pt_defs.h"

#include <linux/bitfield.h>
#include <linux/container_of.h>
#include <linux/log2.h>

enum {
	PT_MAX_OUTPUT_ADDRESS_LG2 = 48,
	PT_MAX_VA_ADDRESS_LG2 = 47,
	PT_ITEM_WORD_SIZE = sizeof(u64),
	PT_MAX_TOP_LEVEL = 2,
	PT_GRANULE_LG2SZ = 14,
	PT_TABLEMEM_LG2SZ = 14,

	PT_TOP_PHYS_MASK = GENMASK_ULL(47, 14),
};

enum {
	LOONGARCH_FMT_P = BIT(0),	/* Present */
	LOONGARCH_FMT_H = BIT(1),	/* A page at level 1 */
	LOONGARCH_FMT_R = BIT(2),	/* The device may read */
	LOONGARCH_FMT_W = BIT(3),	/* The device may write */
	LOONGARCH_FMT_OA = GENMASK_ULL(47, 14),
};

/* A table and a page have their address in the same bits */
static inline pt_oaddr_t loongarch_pt_table_pa(const struct pt_state *pts)
{
	return pts->entry & LOONGARCH_FMT_OA;
}

#define pt_table_pa loongarch_pt_table_pa

static inline pt_oaddr_t loongarch_pt_entry_oa(const struct pt_state *pts)
{
	return pts->entry & LOONGARCH_FMT_OA;
}

#define pt_entry_oa loongarch_pt_entry_oa

static inline bool loongarch_pt_can_have_leaf(const struct pt_state *pts)
{
	return pts->level <= 1;
}

#define pt_can_have_leaf loongarch_pt_can_have_leaf

static inline unsigned int loongarch_pt_num_items_lg2(const struct pt_state *pts)
{
	return PT_TABLEMEM_LG2SZ - ilog2(sizeof(u64));
}

#define pt_num_items_lg2 loongarch_pt_num_items_lg2

static inline enum pt_entry_type
loongarch_pt_load_entry_raw(struct pt_state *pts)
{
	const u64 *table = pt_cur_table(pts, u64);

	pts->entry = READ_ONCE(table[pts->index]);
	if (!(pts->entry & LOONGARCH_FMT_P))
		return PT_ENTRY_EMPTY;
	if (pts->level == 0 ||
	    (loongarch_pt_can_have_leaf(pts) && pts->entry & LOONGARCH_FMT_H))
		return PT_ENTRY_OA;
	return PT_ENTRY_TABLE;
}

#define pt_load_entry_raw loongarch_pt_load_entry_raw

static inline void
loongarch_pt_install_leaf_entry(struct pt_state *pts, pt_oaddr_t oa,
				unsigned int oasz_lg2,
				const struct pt_write_attrs *attrs)
{
	u64 *table = pt_cur_table(pts, u64);
	u64 entry;

	if (!pt_check_install_leaf_args(pts, oa, oasz_lg2))
		return;

	entry = LOONGARCH_FMT_P | (oa & LOONGARCH_FMT_OA) | attrs->descriptor_bits;
	if (pts->level > 0)
		entry |= LOONGARCH_FMT_H;

	WRITE_ONCE(table[pts->index], entry);
	pts->entry = entry;
}

#define pt_install_leaf_entry loongarch_pt_install_leaf_entry

/* The unit may check a table's permissions, too: the pages tell */
static inline bool
loongarch_pt_install_table(struct pt_state *pts, pt_oaddr_t table_pa,
			   const struct pt_write_attrs *attrs)
{
	return pt_table_install64(pts, LOONGARCH_FMT_P | LOONGARCH_FMT_R |
				       LOONGARCH_FMT_W |
				       (table_pa & LOONGARCH_FMT_OA));
}

#define pt_install_table loongarch_pt_install_table

static inline void loongarch_pt_attr_from_entry(const struct pt_state *pts,
						struct pt_write_attrs *attrs)
{
	attrs->descriptor_bits = pts->entry &
				 (LOONGARCH_FMT_R | LOONGARCH_FMT_W);
}

#define pt_attr_from_entry loongarch_pt_attr_from_entry

/* --- iommu */
#include <linux/generic_pt/iommu.h>
#include <linux/iommu.h>

#define pt_iommu_table pt_iommu_loongarch

static inline struct pt_common *common_from_iommu(struct pt_iommu *iommu_table)
{
	return &container_of(iommu_table, struct pt_iommu_table, iommu)
			->loongarchpt.common;
}

static inline struct pt_iommu *iommu_from_common(struct pt_common *common)
{
	return &container_of(common, struct pt_iommu_table, loongarchpt.common)
			->iommu;
}

static inline int loongarch_pt_iommu_set_prot(struct pt_common *common,
					      struct pt_write_attrs *attrs,
					      unsigned int iommu_prot)
{
	u64 bits = 0;

	if (iommu_prot & IOMMU_READ)
		bits |= LOONGARCH_FMT_R;
	if (iommu_prot & IOMMU_WRITE)
		bits |= LOONGARCH_FMT_W;

	attrs->descriptor_bits = bits;
	return 0;
}

#define pt_iommu_set_prot loongarch_pt_iommu_set_prot

static inline int
loongarch_pt_iommu_fmt_init(struct pt_iommu_loongarch *iommu_table,
			    const struct pt_iommu_loongarch_cfg *cfg)
{
	struct pt_loongarch *table = &iommu_table->loongarchpt;

	/* The unit always walks three levels: the top must have a use */
	if (cfg->common.hw_max_vasz_lg2 <= 36 ||
	    cfg->common.hw_max_vasz_lg2 > PT_MAX_VA_ADDRESS_LG2)
		return -EOPNOTSUPP;

	pt_top_set_level(&table->common, PT_MAX_TOP_LEVEL);
	table->common.max_oasz_lg2 = min(PT_MAX_OUTPUT_ADDRESS_LG2,
					 cfg->common.hw_max_oasz_lg2);
	return 0;
}

#define pt_iommu_fmt_init loongarch_pt_iommu_fmt_init

static inline void
loongarch_pt_iommu_fmt_hw_info(struct pt_iommu_loongarch *table,
			       const struct pt_range *top_range,
			       struct pt_iommu_loongarch_hw_info *info)
{
	info->pgd = virt_to_phys(top_range->top_table);
	PT_WARN_ON(info->pgd & ~PT_TOP_PHYS_MASK);
}

#define pt_iommu_fmt_hw_info loongarch_pt_iommu_fmt_hw_info

#if defined(GENERIC_PT_KUNIT)
static const struct pt_iommu_loongarch_cfg loongarch_kunit_fmt_cfgs[] = {
	[0] = { .common.hw_max_vasz_lg2 = 47, .common.hw_max_oasz_lg2 = 48 },
	[1] = { .common.hw_max_vasz_lg2 = 40, .common.hw_max_oasz_lg2 = 44 },
};

#define kunit_fmt_cfgs loongarch_kunit_fmt_cfgs
enum { KUNIT_FMT_FEATURES = 0 };
#endif
#endif
