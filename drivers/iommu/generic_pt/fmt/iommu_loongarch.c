// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU page tables in the LoongArch IOMMU's format
 */
#define PT_FMT loongarch
#define PT_SUPPORTED_FEATURES \
	(BIT(PT_FEAT_FLUSH_RANGE) | BIT(PT_FEAT_FLUSH_RANGE_NO_GAPS))

#include "iommu_template.h"
