/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mapping costs others: the driver of the hardware's vendor, and the page
 * tables of x86
 */
#ifndef _LOONGARCH_IOMMU_OTHERS_H
#define _LOONGARCH_IOMMU_OTHERS_H

#include <kunit/test.h>
#include <linux/generic_pt/iommu.h>

#include "iommu.h"

/**
 * struct vendor_table - a page table as the vendor's driver has it
 * @iommu: the unit
 * @root: the table, NULL without memory
 * @flushes: commands to the TLBs
 */
struct vendor_table {
	struct la_iommu *iommu;
	u64 *root;
	unsigned int flushes;
};

/**
 * struct x86_table - a page table of x86
 * @domain: for the IOMMU core
 * @pt: the table itself
 * @flushes: how often the core asked for a flush
 */
struct x86_table {
	union {
		struct iommu_domain domain;
		struct pt_iommu_x86_64 pt;
	};
	unsigned int flushes;
};

struct vendor_table *vendor_table(struct kunit *test, struct la_iommu *iommu);
int vendor_map(void *table, u64 iova, u64 pa, u64 size);
int vendor_unmap(void *table, u64 iova, u64 size);

struct x86_table *x86_table(struct kunit *test);

#endif
