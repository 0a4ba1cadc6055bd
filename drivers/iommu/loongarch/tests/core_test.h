/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the LoongArch IOMMU behind the IOMMU core
 */
#ifndef _LOONGARCH_IOMMU_CORE_TEST_H
#define _LOONGARCH_IOMMU_CORE_TEST_H

#include <linux/iommu.h>
#include <kunit/test.h>

#include "fake_unit.h"

struct own_tables;

/**
 * struct core_test - a unit and a device behind it
 * @fake: the unit
 * @fwnode: what describes the unit
 * @dev: the device
 * @own: memory of the unit for tables, if it has any
 */
struct core_test {
	struct fake_unit *fake;
	struct fwnode_handle *fwnode;
	struct device *dev;
	struct own_tables *own;
};

static inline struct core_test *the(struct kunit *test)
{
	return test->priv;
}

int core_test_init(struct kunit *test);
struct iommu_domain *new_domain(struct kunit *test);
struct iommu_domain *attached_domain(struct kunit *test);

#endif
