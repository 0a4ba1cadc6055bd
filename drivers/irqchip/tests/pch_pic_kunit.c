// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the PCH interrupt controller
 *
 * The driver includes them. Its registers are memory, and its parent takes any
 * vector.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/string.h>

#include "fake_node.h"

#define FAKE_SIZE	0x400
#define FAKE_VECTORS	256
#define FAKE_BASE	64

/* What no register is ever written to */
#define NOT_WRITTEN	0x5a5a5a5a

struct fake_pch_pic {
	void __iomem *regs;
	struct fake_node *node;
	struct fwnode_handle *parent_node;
	struct irq_domain *parent;
	struct pch_pic *pic;
	int real_pics;
};

static int take_vector(struct irq_domain *domain, unsigned int virq, unsigned int nr_irqs,
		       void *arg)
{
	struct irq_fwspec *fwspec = arg;

	irq_domain_set_info(domain, virq, fwspec->param[0], &dummy_irq_chip, NULL,
			    handle_simple_irq, NULL, NULL);

	return 0;
}

static const struct irq_domain_ops any_vector = {
	.alloc	= take_vector,
	.free	= irq_domain_free_irqs_top,
};

static void __iomem *map_fake(phys_addr_t addr, unsigned long size)
{
	struct fake_pch_pic *fake = kunit_get_current_test()->priv;

	return fake->regs;
}

static int try_controller(struct fake_pch_pic *fake)
{
	return pch_pic_init(0, FAKE_SIZE, FAKE_BASE, fake->parent, &fake->node->np.fwnode, 0);
}

static struct pch_pic *init_controller(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;

	KUNIT_ASSERT_EQ(test, try_controller(fake), 0);
	fake->pic = pch_pic_priv[nr_pics - 1];

	return fake->pic;
}

static unsigned int map_line(struct fake_pch_pic *fake, u32 line)
{
	struct irq_fwspec fwspec = {
		.fwnode = &fake->node->np.fwnode,
		.param_count = 2,
		.param = { line, IRQ_TYPE_LEVEL_HIGH },
	};

	return irq_create_fwspec_mapping(&fwspec);
}

static void line_that_is_not_there_is_refused(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;

	init_controller(test);
	KUNIT_EXPECT_EQ(test, map_line(fake, PIC_COUNT), 0);
	KUNIT_EXPECT_EQ(test, map_line(fake, 256 + 5), 0);
	KUNIT_EXPECT_EQ(test, map_line(fake, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, fake->pic->inuse, 0);
}

/* All lines' vectors, and what follows */
static void expect_no_vector(struct kunit *test, int but)
{
	struct fake_pch_pic *fake = test->priv;
	int line;

	for (line = 0; line < 256; line++) {
		if (line != but)
			KUNIT_EXPECT_EQ(test, readb(fake->regs + PCH_INT_HTVEC(line)),
					NOT_WRITTEN & 0xff);
	}
}

static void unused_line_has_no_vector(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;
	unsigned int irq;

	init_controller(test);
	expect_no_vector(test, -1);

	irq = map_line(fake, 5);
	KUNIT_ASSERT_NE(test, irq, 0);
	KUNIT_EXPECT_EQ(test, readb(fake->regs + PCH_INT_HTVEC(5)), FAKE_BASE);
	expect_no_vector(test, 5);

	writeb(NOT_WRITTEN & 0xff, fake->regs + PCH_INT_HTVEC(5));
	pch_pic_reset(fake->pic);
	KUNIT_EXPECT_EQ(test, readb(fake->regs + PCH_INT_HTVEC(5)), FAKE_BASE);
	expect_no_vector(test, 5);
	irq_dispose_mapping(irq);
}

/* Lines 3 to 5 are ours. What no register is ever written to makes them what they are. */
static void share(struct kunit *test)
{
	static const u32 ranges[] = { 3, 3 };
	struct fake_pch_pic *fake = test->priv;

	fake_node_set_u32s(test, fake->node, "loongson,available-ranges", ranges,
			   ARRAY_SIZE(ranges));
}

#define HIGH_LINE	5
#define FALLING_LINE	3

/* @clear and @mask are of the lines 0 to 31 */
static void expect_only(struct kunit *test, u32 clear, u32 mask)
{
	struct fake_pch_pic *fake = test->priv;
	int offset;

	for (offset = 0; offset < FAKE_SIZE; offset += sizeof(u32)) {
		u32 value = offset == PCH_PIC_CLR ? clear : offset == PCH_PIC_MASK ? mask :
			    NOT_WRITTEN;

		KUNIT_EXPECT_EQ_MSG(test, readl(fake->regs + offset), value, "at 0x%x", offset);
	}
}

#define OURS	(BIT(3) | BIT(4) | BIT(5))

static void shared_boot_masks_only_ours(struct kunit *test)
{
	share(test);
	init_controller(test);
	expect_only(test, NOT_WRITTEN, NOT_WRITTEN | OURS);
}

static irqreturn_t nothing(int irq, void *data)
{
	return IRQ_NONE;
}

static void shared_line_keeps_its_vector_and_type(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;
	unsigned int right, wrong;

	share(test);
	init_controller(test);
	right = map_line(fake, HIGH_LINE);
	KUNIT_ASSERT_NE(test, right, 0);
	KUNIT_EXPECT_EQ(test, irq_get_irq_data(right)->parent_data->hwirq, NOT_WRITTEN & 0xff);
	KUNIT_ASSERT_EQ(test, request_irq(right, nothing, 0, "kunit", fake), 0);
	expect_only(test, BIT(HIGH_LINE), (NOT_WRITTEN | OURS) & ~BIT(HIGH_LINE));
	free_irq(right, fake);
	expect_only(test, BIT(HIGH_LINE), NOT_WRITTEN | OURS);
	irq_dispose_mapping(right);

	wrong = map_line(fake, FALLING_LINE);
	KUNIT_ASSERT_NE(test, wrong, 0);
	KUNIT_EXPECT_NE(test, request_irq(wrong, nothing, 0, "kunit", fake), 0);
	irq_dispose_mapping(wrong);
}

/* All lines have the vector that isn't written */
static void vector_of_another_line_is_refused(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;
	unsigned int irq;

	share(test);
	init_controller(test);
	irq = map_line(fake, HIGH_LINE);
	KUNIT_ASSERT_NE(test, irq, 0);
	KUNIT_EXPECT_EQ(test, map_line(fake, FALLING_LINE), 0);
	irq_dispose_mapping(irq);
}

static void line_of_others_is_refused(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;

	share(test);
	init_controller(test);
	KUNIT_EXPECT_EQ(test, map_line(fake, 2), 0);
	KUNIT_EXPECT_EQ(test, map_line(fake, 6), 0);
	KUNIT_EXPECT_EQ(test, fake->pic->inuse, 0);
}

static void shared_resume_restores_only_our_masks(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;
	struct pch_pic *real = pch_pic_priv[0];

	share(test);
	init_controller(test);
	writel(BIT(4), fake->regs + PCH_PIC_MASK);

	/* The real one must not be reset now */
	pch_pic_priv[0] = fake->pic;
	nr_pics = 1;
	pch_pic_suspend(NULL);
	writel(0xe8, fake->regs + PCH_PIC_MASK);
	pch_pic_resume(NULL);
	pch_pic_priv[0] = real;

	expect_only(test, NOT_WRITTEN, 0xc0 | BIT(4));
}

static void bad_ranges_are_refused(struct kunit *test)
{
	static const u32 ranges[] = { 60, 5 };
	struct fake_pch_pic *fake = test->priv;

	fake_node_set_u32s(test, fake->node, "loongson,available-ranges", ranges,
			   ARRAY_SIZE(ranges));
	KUNIT_EXPECT_EQ(test, try_controller(fake), -EINVAL);
	expect_only(test, NOT_WRITTEN, NOT_WRITTEN);
}

static void one_controller_too_many_is_refused(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;

	nr_pics = MAX_IO_PICS;
	KUNIT_EXPECT_EQ(test, try_controller(fake), -ENOSPC);
}

static struct kunit_case pch_pic_cases[] = {
	KUNIT_CASE(line_that_is_not_there_is_refused),
	KUNIT_CASE(unused_line_has_no_vector),
	KUNIT_CASE(shared_boot_masks_only_ours),
	KUNIT_CASE(shared_line_keeps_its_vector_and_type),
	KUNIT_CASE(vector_of_another_line_is_refused),
	KUNIT_CASE(line_of_others_is_refused),
	KUNIT_CASE(shared_resume_restores_only_our_masks),
	KUNIT_CASE(bad_ranges_are_refused),
	KUNIT_CASE(one_controller_too_many_is_refused),
	{}
};

static int pch_pic_test_init(struct kunit *test)
{
	struct fake_pch_pic *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	u32 *memory = kunit_kzalloc(test, FAKE_SIZE, GFP_KERNEL);

	/* The first would be registered for suspend and resume */
	if (nr_pics < 1 || nr_pics >= MAX_IO_PICS)
		kunit_skip(test, "needs a controller, and room for another one");

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset32(memory, NOT_WRITTEN, FAKE_SIZE / sizeof(u32));
	fake->regs = (void __iomem *)memory;
	fake->node = fake_node(test, "pch-pic");
	fake->real_pics = nr_pics;
	test->priv = fake;
	kunit_activate_static_stub(test, pch_pic_map, map_fake);

	fake->parent_node = irq_domain_alloc_named_fwnode("vectors");
	KUNIT_ASSERT_NOT_NULL(test, fake->parent_node);
	fake->parent = irq_domain_create_linear(fake->parent_node, FAKE_VECTORS, &any_vector, NULL);
	KUNIT_ASSERT_NOT_NULL(test, fake->parent);

	return 0;
}

static void pch_pic_test_exit(struct kunit *test)
{
	struct fake_pch_pic *fake = test->priv;

	if (!fake)
		return;
	nr_pics = fake->real_pics;
	if (fake->pic) {
		pch_pic_priv[nr_pics] = NULL;
		pch_pic_handle[nr_pics] = NULL;
		irq_domain_remove(fake->pic->pic_domain);
		kfree(fake->pic);
	}
	if (fake->parent)
		irq_domain_remove(fake->parent);
	irq_domain_free_fwnode(fake->parent_node);
}

static struct kunit_suite pch_pic_suite = {
	.name = "loongson_pch_pic",
	.init = pch_pic_test_init,
	.exit = pch_pic_test_exit,
	.test_cases = pch_pic_cases,
};

kunit_test_suite(pch_pic_suite);
