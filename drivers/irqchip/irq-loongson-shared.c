// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt controllers that a hypervisor partitions
 */
#include <linux/bitmap.h>
#include <linux/irq.h>
#include <linux/irqchip.h>
#include <linux/of.h>
#include <linux/printk.h>

#include "irq-loongson.h"

#ifdef CONFIG_LOONGARCH
#include <asm/hvisor.h>
#else
static inline bool hvisor_is_nonroot(void)
{
	return false;
}
#endif

/**
 * loongson_available_interrupts() - Which interrupts of a controller are ours?
 * @node: the controller's device tree node, NULL without one
 * @map: has a bit for each interrupt, which is set if it is ours
 * @count: number of interrupts
 *
 * See Documentation/devicetree/bindings/interrupt-controller/loongson,available-ranges.yaml.
 * A nonroot zone of hvisor has those that somebody says it has.
 *
 * Context: any.
 * Return: 0 if all are; 1 if others have the rest, and the controller is
 * configured; -EINVAL if the property is wrong.
 */
int loongson_available_interrupts(const struct device_node *node, unsigned long *map,
				  unsigned int count)
{
	const char *name = "loongson,available-ranges";
	u32 first = 0, number = 0;
	int i, cells;

	if (!of_property_present(node, name)) {
		if (hvisor_is_nonroot()) {
			pr_warn("%pOF: no %s, none is available\n", node, name);
			bitmap_zero(map, count);
			return 1;
		}
		bitmap_fill(map, count);
		return 0;
	}

	bitmap_zero(map, count);
	cells = of_property_count_u32_elems(node, name);
	if (cells <= 0 || cells % 2) {
		pr_err("%pOF: %s isn't a list of pairs\n", node, name);
		return -EINVAL;
	}

	for (i = 0; i < cells; i += 2) {
		of_property_read_u32_index(node, name, i, &first);
		of_property_read_u32_index(node, name, i + 1, &number);
		if (!number || first >= count || number > count - first) {
			pr_err("%pOF: %s: %u from %u on aren't in 0 to %u\n", node, name,
			       number, first, count - 1);
			return -EINVAL;
		}
		bitmap_set(map, first, number);
	}

	return 1;
}

/**
 * loongson_check_type() - Is an interrupt triggered as is asked for?
 * @hwirq: number of the interrupt
 * @type: what is asked for, IRQ_TYPE_*
 * @edge: the controller takes its edges, not its levels
 * @low: it is active when it is low, or falls
 *
 * Many interrupts have their types in one register, which two systems can't
 * change at the same time.
 *
 * Context: any.
 * Return: 0, or -EPERM if another system would have to change the type.
 */
int loongson_check_type(unsigned long hwirq, unsigned int type, bool edge, bool low)
{
	unsigned int is;

	if (edge)
		is = low ? IRQ_TYPE_EDGE_FALLING : IRQ_TYPE_EDGE_RISING;
	else
		is = low ? IRQ_TYPE_LEVEL_LOW : IRQ_TYPE_LEVEL_HIGH;
	if (type == is)
		return 0;

	pr_err("Interrupt %lu of a shared controller has type %u, not %u\n", hwirq, is, type);
	return -EPERM;
}
