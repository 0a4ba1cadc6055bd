/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node of the device tree for the tests of one driver
 *
 * Nobody else finds it, but it is below the root: addresses are those of the
 * system, with two cells each.
 */
#ifndef _IRQCHIP_TESTS_FAKE_NODE_H
#define _IRQCHIP_TESTS_FAKE_NODE_H

#include <kunit/test.h>
#include <linux/acpi.h>
#include <linux/of.h>
#include <linux/of_address.h>

struct fake_node {
	struct device_node np;
	struct property properties[4];
	int count;
};

static inline struct fake_node *fake_node(struct kunit *test, const char *name)
{
	struct fake_node *node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);

	if (!acpi_disabled)
		kunit_skip(test, "needs a system without ACPI");
	KUNIT_ASSERT_NOT_NULL(test, node);
	node->np.full_name = name;
	node->np.parent = of_root;
	of_node_init(&node->np);
	if (of_n_addr_cells(&node->np) != 2 || of_n_size_cells(&node->np) != 2)
		kunit_skip(test, "needs a device tree with addresses of two cells");

	return node;
}

/* @value is kept, not copied */
static inline void fake_node_set(struct kunit *test, struct fake_node *node, const char *name,
				 const void *value, int length)
{
	struct property *property = &node->properties[node->count];

	KUNIT_ASSERT_LT(test, node->count, ARRAY_SIZE(node->properties));
	*property = (struct property) {
		.name = (char *)name,
		.value = (void *)value,
		.length = length,
		.next = node->np.properties,
	};
	node->np.properties = property;
	node->count++;
}

static inline void fake_node_set_u32s(struct kunit *test, struct fake_node *node, const char *name,
				      const u32 *values, int count)
{
	__be32 *cells = kunit_kcalloc(test, count, sizeof(*cells), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, cells);
	for (i = 0; i < count; i++)
		cells[i] = cpu_to_be32(values[i]);
	fake_node_set(test, node, name, cells, count * sizeof(*cells));
}

#endif /* _IRQCHIP_TESTS_FAKE_NODE_H */
