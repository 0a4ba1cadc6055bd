// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapping costs with the page tables of x86
 */
#include <linux/generic_pt/iommu.h>
#include <linux/iommu.h>

#include "../../iommu-pages.h"
#include "others.h"

PT_IOMMU_CHECK_DOMAIN(struct x86_table, pt.iommu, domain);

static struct x86_table *to_x86_table(struct iommu_domain *domain)
{
	return container_of(domain, struct x86_table, domain);
}

static void x86_flush_all(struct iommu_domain *domain)
{
	to_x86_table(domain)->flushes++;
}

static void x86_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	to_x86_table(domain)->flushes++;
	iommu_put_pages_list(&gather->freelist);
}

static const struct iommu_domain_ops x86_ops = {
	IOMMU_PT_DOMAIN_OPS(x86_64),
	.flush_iotlb_all = x86_flush_all,
	.iotlb_sync = x86_sync,
};

static void deinit_x86_table(void *data)
{
	struct x86_table *table = data;

	pt_iommu_deinit(&table->pt.iommu);
}

struct x86_table *x86_table(struct kunit *test)
{
	struct pt_iommu_x86_64_cfg cfg = {
		.common.features = BIT(PT_FEAT_FLUSH_RANGE),
		.common.hw_max_vasz_lg2 = 47,
		.common.hw_max_oasz_lg2 = 48,
		.top_level = 3,
	};
	struct x86_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	table->pt.iommu.nid = NUMA_NO_NODE;
	KUNIT_ASSERT_EQ(test, pt_iommu_x86_64_init(&table->pt, &cfg, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, deinit_x86_table, table), 0);
	table->domain.type = IOMMU_DOMAIN_UNMANAGED;
	table->domain.ops = &x86_ops;

	return table;
}

MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
