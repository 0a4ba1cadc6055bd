// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local I/O interrupt controller
 *
 * The driver includes them. Its registers are memory.
 */
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/string.h>

#include "fake_node.h"

#define FAKE_SIZE	0x100

/* What no register is ever written to */
#define NOT_WRITTEN	0x5a5a5a5a

struct fake_liointc {
	void __iomem *regs;
	struct fwnode_handle *real;
	int real_irq[LIOINTC_NUM_PARENT];
	u32 real_map[LIOINTC_NUM_PARENT];
};

static void core_is_one_of_the_node(struct kunit *test)
{
	unsigned int core;

	for (core = 0; core < 64; core++) {
		KUNIT_EXPECT_EQ(test, hweight8(liointc_core(core)), 1);
		KUNIT_EXPECT_EQ(test, __ffs(liointc_core(core)), core & 3);
	}
}

static void remove_controller(void *fwnode)
{
	struct irq_domain *domain = irq_find_matching_fwnode(fwnode, DOMAIN_BUS_ANY);
	struct irq_chip_generic *gc = irq_get_domain_generic_chip(domain, 0);
	struct liointc_priv *priv = gc->private;

	irq_domain_remove_generic_chips(domain);
	irq_domain_remove(domain);
	kfree(priv);
}

static void __iomem *map_fake(phys_addr_t addr, unsigned long size)
{
	struct fake_liointc *fake = kunit_get_current_test()->priv;

	return fake->regs;
}

static int init_controller(struct kunit *test, struct fake_node *node, int revision)
{
	int ret;

	ret = liointc_init(0, FAKE_SIZE, revision, &node->np.fwnode, &node->np);
	if (!ret)
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, remove_controller,
								   &node->np.fwnode));

	return ret;
}

/* @count of three registers are described: the controller, and those of two cores */
static struct fake_node *node_with(struct kunit *test, int count)
{
	static const char names[] = "main\0isr0\0isr1";
	struct fake_node *node = fake_node(test, "liointc");
	const u32 reg[] = {
		0, 0x1fe01400, 0, 0x40,
		0, 0x1fe01440, 0, 0x8,
		0, 0x1fe01448, 0, 0x8,
	};

	fake_node_set(test, node, "reg-names", names, sizeof(names));
	fake_node_set_u32s(test, node, "reg", reg, count * 4);

	return node;
}

static void core_without_its_register_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, init_controller(test, node_with(test, 2), 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, init_controller(test, node_with(test, 1), 2), -EINVAL);
}

static void cores_with_their_registers_are_accepted(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, init_controller(test, node_with(test, 3), 2), 0);
}

/* Are the registers what they would be after these writes, and nothing else? */
struct written {
	u32 offset;
	u32 value;
};

static void expect_written(struct kunit *test, const struct written *writes, int count)
{
	struct fake_liointc *fake = test->priv;
	int offset, i;

	for (offset = 0; offset < FAKE_SIZE; offset += sizeof(u32)) {
		u32 value = NOT_WRITTEN;

		for (i = 0; i < count; i++) {
			if (writes[i].offset == offset)
				value = writes[i].value;
		}
		KUNIT_EXPECT_EQ_MSG(test, readl(fake->regs + offset), value, "at 0x%x", offset);
	}
}

static void boot_initializes_the_controller(struct kunit *test)
{
	/* Interrupts 0 to 23 on the first line, 24 to 31 on the second */
	static const struct written boot[] = {
		{ 0x00, 0x11111111 }, { 0x04, 0x11111111 }, { 0x08, 0x11111111 },
		{ 0x0c, 0x11111111 }, { 0x10, 0x11111111 }, { 0x14, 0x11111111 },
		{ 0x18, 0x21212121 }, { 0x1c, 0x21212121 },
		{ LIOINTC_REG_INTC_DISABLE, U32_MAX }, { LIOINTC_REG_INTC_EDGE, 0 },
	};

	if (liointc_core(loongson_sysconf.boot_cpu_id) != BIT(0))
		kunit_skip(test, "needs a boot CPU that is the first of its node");

	KUNIT_ASSERT_EQ(test, init_controller(test, fake_node(test, "liointc"), 1), 0);
	expect_written(test, boot, ARRAY_SIZE(boot));
}

/* Interrupts 10 and 11 are ours */
static struct fake_node *shared_node(struct kunit *test)
{
	static const u32 ranges[] = { 10, 2 };
	struct fake_node *node = fake_node(test, "liointc");

	fake_node_set_u32s(test, node, "loongson,available-ranges", ranges, ARRAY_SIZE(ranges));

	return node;
}

static void shared_boot_disables_only_ours(struct kunit *test)
{
	static const struct written boot[] = {
		{ LIOINTC_REG_INTC_DISABLE, BIT(10) | BIT(11) },
	};

	KUNIT_ASSERT_EQ(test, init_controller(test, shared_node(test), 1), 0);
	expect_written(test, boot, ARRAY_SIZE(boot));
}

static struct irq_chip_generic *chip_of(struct fake_node *node)
{
	return irq_get_domain_generic_chip(irq_find_matching_fwnode(&node->np.fwnode,
								    DOMAIN_BUS_ANY), 0);
}

static void shared_resume_enables_only_ours(struct kunit *test)
{
	static const struct written resume[] = {
		{ LIOINTC_REG_INTC_DISABLE, BIT(10) | BIT(11) },
		{ LIOINTC_REG_INTC_ENABLE, BIT(11) },
	};
	struct fake_node *node = shared_node(test);
	struct irq_chip_generic *gc;

	KUNIT_ASSERT_EQ(test, init_controller(test, node, 1), 0);
	gc = chip_of(node);
	gc->mask_cache = BIT(11);
	liointc_suspend(gc);
	liointc_resume(gc);
	expect_written(test, resume, ARRAY_SIZE(resume));
}

static unsigned int map_interrupt(struct fake_node *node, u32 hwirq, u32 type)
{
	struct irq_fwspec fwspec = {
		.fwnode = &node->np.fwnode,
		.param_count = 2,
		.param = { hwirq, type },
	};

	return irq_create_fwspec_mapping(&fwspec);
}

static irqreturn_t nothing(int irq, void *data)
{
	return IRQ_NONE;
}

/* What no register is ever written to says: falling edge for 11, high level for 10 */
static void shared_interrupt_keeps_its_type(struct kunit *test)
{
	static const struct written ours[] = {
		{ LIOINTC_REG_INTC_DISABLE, BIT(11) }, { LIOINTC_REG_INTC_ENABLE, BIT(11) },
	};
	struct fake_node *node = shared_node(test);
	unsigned int wrong, right;

	KUNIT_ASSERT_EQ(test, init_controller(test, node, 1), 0);
	wrong = map_interrupt(node, 10, IRQ_TYPE_EDGE_FALLING);
	right = map_interrupt(node, 11, IRQ_TYPE_EDGE_FALLING);

	KUNIT_EXPECT_NE(test, request_irq(wrong, nothing, 0, "kunit", node), 0);
	KUNIT_ASSERT_EQ(test, request_irq(right, nothing, 0, "kunit", node), 0);
	free_irq(right, node);
	irq_dispose_mapping(right);
	irq_dispose_mapping(wrong);
	expect_written(test, ours, ARRAY_SIZE(ours));
}

static void interrupt_of_others_is_refused(struct kunit *test)
{
	struct fake_node *node = shared_node(test);

	KUNIT_ASSERT_EQ(test, init_controller(test, node, 1), 0);
	KUNIT_EXPECT_EQ(test, map_interrupt(node, 9, IRQ_TYPE_LEVEL_HIGH), 0);
	KUNIT_EXPECT_EQ(test, map_interrupt(node, 12, IRQ_TYPE_LEVEL_HIGH), 0);
}

/* The driver has had enough then */
#define FOREIGN_IN_A_ROW	1000

static int masks;

static void count_mask(struct irq_data *d)
{
	masks++;
}

static void count_unmask(struct irq_data *d)
{
	masks--;
}

static struct irq_chip parent_chip = {
	.irq_mask	= count_mask,
	.irq_unmask	= count_unmask,
};

static void set_status(struct kunit *test, u32 status)
{
	struct fake_liointc *fake = test->priv;
	int core;

	for (core = 0; core < LIOINTC_NUM_CORES; core++)
		writel(status, fake->regs + LIOINTC_REG_INTC_STATUS(core));
}

/* Interrupt 3 comes to our CPU, and interrupt 11 now and then, or no more */
static void foreign_interrupt_ends_in_time(struct kunit *test)
{
	struct fake_node *node = shared_node(test);
	struct liointc_priv *priv;
	struct irq_desc *desc;
	int irq, i;

	KUNIT_ASSERT_EQ(test, init_controller(test, node, 1), 0);
	priv = chip_of(node)->private;
	priv->handler[0].priv = priv;
	irq = irq_alloc_desc(0);
	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip(irq, &parent_chip);
	irq_set_handler_data(irq, &priv->handler[0]);
	desc = irq_to_desc(irq);

	masks = 0;
	for (i = 0; i < 3 * FOREIGN_IN_A_ROW; i++) {
		set_status(test, BIT(3) | (i % 100 ? 0 : BIT(11)));
		liointc_chained_handle_irq(desc);
	}
	KUNIT_EXPECT_EQ(test, masks, 0);

	set_status(test, BIT(3));
	for (i = 0; i <= FOREIGN_IN_A_ROW && !masks; i++)
		liointc_chained_handle_irq(desc);
	KUNIT_EXPECT_EQ(test, masks, 1);
	irq_free_desc(irq);
}

static void bad_ranges_are_refused(struct kunit *test)
{
	static const u32 ranges[] = { 31, 2 };
	struct fake_node *node = fake_node(test, "liointc");

	fake_node_set_u32s(test, node, "loongson,available-ranges", ranges, ARRAY_SIZE(ranges));
	KUNIT_EXPECT_EQ(test, init_controller(test, node, 1), -EINVAL);
	expect_written(test, NULL, 0);
}

static struct kunit_case liointc_cases[] = {
	KUNIT_CASE(core_is_one_of_the_node),
	KUNIT_CASE(core_without_its_register_is_refused),
	KUNIT_CASE(cores_with_their_registers_are_accepted),
	KUNIT_CASE(boot_initializes_the_controller),
	KUNIT_CASE(shared_boot_disables_only_ours),
	KUNIT_CASE(shared_resume_enables_only_ours),
	KUNIT_CASE(shared_interrupt_keeps_its_type),
	KUNIT_CASE(interrupt_of_others_is_refused),
	KUNIT_CASE(foreign_interrupt_ends_in_time),
	KUNIT_CASE(bad_ranges_are_refused),
	{}
};

static const u32 fake_map[LIOINTC_NUM_PARENT] = { 0x00ffffff, 0xff000000 };

static int liointc_test_init(struct kunit *test)
{
	struct fake_liointc *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	u32 *memory = kunit_kzalloc(test, FAKE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset32(memory, NOT_WRITTEN, FAKE_SIZE / sizeof(u32));
	fake->regs = (void __iomem *)memory;
	fake->real = liointc_handle;
	memcpy(fake->real_irq, parent_irq, sizeof(parent_irq));
	memset(parent_irq, 0, sizeof(parent_irq));
	memcpy(fake->real_map, parent_int_map, sizeof(parent_int_map));
	memcpy(parent_int_map, fake_map, sizeof(parent_int_map));
	test->priv = fake;
	kunit_activate_static_stub(test, liointc_map, map_fake);

	return 0;
}

static void liointc_test_exit(struct kunit *test)
{
	struct fake_liointc *fake = test->priv;

	if (!fake)
		return;
	memcpy(parent_irq, fake->real_irq, sizeof(parent_irq));
	memcpy(parent_int_map, fake->real_map, sizeof(parent_int_map));
	liointc_handle = fake->real;
}

static struct kunit_suite liointc_suite = {
	.name = "loongson_liointc",
	.init = liointc_test_init,
	.exit = liointc_test_exit,
	.test_cases = liointc_cases,
};

kunit_test_suite(liointc_suite);
