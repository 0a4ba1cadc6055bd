/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of the LoongArch IOMMU's page-table format
 */
#ifndef __GENERIC_PT_FMT_DEFS_LOONGARCH_H
#define __GENERIC_PT_FMT_DEFS_LOONGARCH_H

#include <linux/generic_pt/common.h>
#include <linux/types.h>

typedef u64 pt_vaddr_t;
typedef u64 pt_oaddr_t;

struct loongarch_pt_write_attrs {
	u64 descriptor_bits;
	gfp_t gfp;
};

#define pt_write_attrs loongarch_pt_write_attrs

#endif
