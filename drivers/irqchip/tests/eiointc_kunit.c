// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the extended I/O interrupt controller
 *
 * The driver includes them. Its registers are fake: each node has a bank of its
 * own, as in the hardware. CPU 0 is any core, and the other CPUs are those that
 * follow. An access to anything else than the known registers is a failure.
 */
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/string.h>

#include <asm/hvisor.h>

#include "fake_node.h"

#define FAKE_NODES	16
#define FAKE_WORDS	((EIOINTC_REG_ROUTE + VEC_COUNT) / sizeof(u32))

/* What no register is ever written to */
#define NOT_WRITTEN	0x5a5a5a5a

struct fake_eiointc {
	struct eiointc_priv priv;
	struct eiointc_priv *real;
	int real_pics;
	struct fake_node *node;
	struct eiointc_fake system;
	struct irq_domain domain;
	struct irq_common_data common;
	unsigned int first_core;
	unsigned int cpu;
	unsigned int sends;
	unsigned int accesses;
	unsigned int boot_accesses;
	int moving;
	u32 bank[FAKE_NODES][FAKE_WORDS];
	u32 nowhere;
};

static struct fake_eiointc *the_fake(void)
{
	return kunit_get_current_test()->priv;
}

static bool is_in(u32 reg, u32 start, u32 size)
{
	return reg >= start && reg < start + size;
}

static u32 *fake_reg(unsigned int node, u32 reg)
{
	struct fake_eiointc *fake = the_fake();

	if (node < FAKE_NODES && IS_ALIGNED(reg, sizeof(u32)) &&
	    (is_in(reg, EIOINTC_REG_NODEMAP, VEC_COUNT / 8) ||
	     is_in(reg, EIOINTC_REG_IPMAP, VEC_COUNT / 32) ||
	     is_in(reg, EIOINTC_REG_ENABLE, VEC_COUNT / 8) ||
	     is_in(reg, EIOINTC_REG_BOUNCE, VEC_COUNT / 8) ||
	     is_in(reg, EIOINTC_REG_ROUTE, VEC_COUNT)))
		return &fake->bank[node][reg / sizeof(u32)];

	KUNIT_FAIL(kunit_get_current_test(), "register 0x%x of node %u", reg, node);
	return &fake->nowhere;
}

static void fake_enable(void)
{
	the_fake()->accesses++;
}

static void fake_open_lines(u32 lines)
{
}

static bool fake_first_of_eio_node(unsigned int cpu)
{
	return true;
}

static unsigned int fake_core(unsigned int cpu)
{
	return the_fake()->first_core + cpu;
}

/* Of the CPU that runs. A virtual machine with numbers of CPUs has one node. */
static int fake_cpu_to_eio_node(int cpu)
{
	return the_fake()->priv.flags & EIOINTC_USE_CPU_ENCODE ?
	       0 : fake_core(cpu) / CORES_PER_EIO_NODE;
}

static unsigned int own_node(void)
{
	return fake_cpu_to_eio_node(the_fake()->cpu);
}

static void note_access(u32 reg)
{
	struct fake_eiointc *fake = the_fake();
	int vector = fake->moving;

	fake->accesses++;
	/* An interrupt that comes now would be lost between two cores */
	if (vector >= 0 && is_in(reg, EIOINTC_REG_ROUTE, VEC_COUNT))
		KUNIT_EXPECT_FALSE(kunit_get_current_test(), BIT(vector % 32) &
				   *fake_reg(fake->priv.node, EIOINTC_REG_ENABLE_VEC(vector)));
}

static u32 fake_read(u32 reg)
{
	note_access(reg);

	return *fake_reg(own_node(), reg);
}

static void fake_write(u32 val, u32 reg)
{
	note_access(reg);
	*fake_reg(own_node(), reg) = val;
}

static void fake_send(u32 reg, u32 val, u32 keep, unsigned int core)
{
	u32 *word = fake_reg(core / CORES_PER_EIO_NODE, reg);
	int byte;

	note_access(reg);
	the_fake()->sends++;
	for (byte = 0; byte < 4; byte++) {
		u32 mask = 0xff << (byte * 8);

		if (!(keep & BIT(byte)))
			*word = (*word & ~mask) | (val & mask);
	}
}

static const struct eiointc_fake fake_system = {
	.read			= fake_read,
	.write			= fake_write,
	.send			= fake_send,
	.open_lines		= fake_open_lines,
	.enable			= fake_enable,
	.core			= fake_core,
	.node			= fake_cpu_to_eio_node,
	.is_first_of_node	= fake_first_of_eio_node,
};

/* Firmware, or somebody else, made each type of route one node */
static void set_up_other_nodes(unsigned int own)
{
	int node, type;

	for (node = 0; node < FAKE_NODES; node++)
		for (type = 0; node != own && type < FAKE_NODES; type += 2)
			*fake_reg(node, EIOINTC_REG_NODEMAP + type * 2) =
				BIT(type) | BIT(type + 1) << 16;
}

static u8 route_byte(unsigned int node, unsigned int vector)
{
	return *fake_reg(node, EIOINTC_REG_ROUTE + (vector & ~3)) >> ((vector & 3) * 8);
}

/* The node that a router passes a vector to, negative if that isn't clear */
static int passed_to(unsigned int node, u8 route)
{
	unsigned int type = route >> 4;
	u16 nodes = *fake_reg(node, EIOINTC_REG_NODEMAP + type / 2 * 4) >> (type % 2 * 16);

	return hweight16(nodes) == 1 ? __ffs(nodes) : -ENXIO;
}

/* The core that takes a vector, negative if it isn't one core */
static int delivered_to(unsigned int vector)
{
	struct eiointc_priv *priv = &the_fake()->priv;
	u8 route = route_byte(priv->node, vector);
	int node;

	if (priv->flags & EIOINTC_USE_CPU_ENCODE)
		return route;

	node = passed_to(priv->node, route);
	if (node >= 0 && node != priv->node) {
		route = route_byte(node, vector);
		if (passed_to(node, route) != node)
			return -ELOOP;
	}

	return node >= 0 && hweight8(route & 0xf) == 1 ?
	       node * CORES_PER_EIO_NODE + __ffs(route) : -ENXIO;
}

/* A system whose interrupts come to @node, and that has @first_core and more */
static struct fake_eiointc *boot_on(struct kunit *test, unsigned int node,
				    unsigned int first_core, int flags)
{
	struct fake_eiointc *fake = the_fake();

	fake->first_core = first_core;
	fake->cpu = 0;
	fake->moving = -1;
	memset(&fake->priv, 0, sizeof(fake->priv));
	fake->priv.node = node;
	fake->priv.flags = flags;
	fake->priv.vec_count = VEC_COUNT;
	fake->priv.parent_hwirq = INT_HWI1;
	fake->priv.domain_handle = fake->node ? &fake->node->np.fwnode : NULL;
	memset32(&fake->bank[0][0], NOT_WRITTEN, FAKE_NODES * FAKE_WORDS);
	set_up_other_nodes(cpu_to_eio_node(0));
	nr_pics = 0;
	KUNIT_ASSERT_EQ(test, eiointc_init_priv(&fake->priv, 0), 0);
	nr_pics = 1;

	KUNIT_ASSERT_EQ(test, eiointc_router_init(0), 0);
	fake->boot_accesses = fake->accesses;
	fake->accesses = 0;

	return fake;
}

#ifdef CONFIG_SMP
static void start_cpu(struct kunit *test, unsigned int cpu)
{
	struct fake_eiointc *fake = the_fake();

	fake->cpu = cpu;
	KUNIT_ASSERT_EQ(test, eiointc_router_init(cpu), 0);
	fake->cpu = 0;
	fake->accesses = 0;
}
#endif

static void boot_writes_each_register(struct kunit *test)
{
	int i;

	boot_on(test, 0, 0, 0);

	for (i = 0; i < VEC_COUNT / 32; i++) {
		KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_NODEMAP + i * 4),
				BIT(2 * i) | BIT(2 * i + 1) << 16);
		KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_ENABLE + i * 4), U32_MAX);
		KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_BOUNCE + i * 4), U32_MAX);
	}
	for (i = 0; i < VEC_COUNT / 128; i++)
		KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_IPMAP + i * 4), 0x02020202);
	for (i = 0; i < VEC_COUNT / 4; i++)
		KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_ROUTE + i * 4), 0x01010101);
}

static void boot_touches_no_other_node(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, boot_on(test, 1, 4, 0)->sends, 0);
}

static void all_vectors_go_to(struct kunit *test, unsigned int core)
{
	int vector;

	for (vector = 0; vector < VEC_COUNT; vector++)
		KUNIT_ASSERT_EQ(test, delivered_to(vector), core);
}

static void boot_routes_to_the_boot_core(struct kunit *test)
{
	int core;

	for (core = 0; core < FAKE_NODES * CORES_PER_EIO_NODE; core++) {
		boot_on(test, core / CORES_PER_EIO_NODE, core, 0);
		all_vectors_go_to(test, core);
	}
}

static void virtual_boot_routes_to_the_boot_core(struct kunit *test)
{
	int core;

	for (core = 0; core < 256; core++) {
		boot_on(test, 0, core, EIOINTC_USE_CPU_ENCODE);
		all_vectors_go_to(test, core);
	}
}

static int activate(struct fake_eiointc *fake, unsigned int vector)
{
	struct irq_data d = { .hwirq = vector };

	return eiointc_domain_ops.activate ?
	       eiointc_domain_ops.activate(&fake->domain, &d, false) : 0;
}

/*
 * The node that interrupts come to has none of our CPUs: only what we use there
 * is ours.
 */
static void active_vector_comes_from_a_foreign_node(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 6, 0);

	KUNIT_EXPECT_NULL(test, memchr_inv(fake_reg(0, EIOINTC_REG_ROUTE), NOT_WRITTEN & 0xff,
					   VEC_COUNT));
	KUNIT_ASSERT_EQ(test, activate(fake, 77), 0);

	KUNIT_EXPECT_EQ(test, delivered_to(77), 6);
	KUNIT_EXPECT_EQ(test, route_byte(0, 76), NOT_WRITTEN & 0xff);
	KUNIT_EXPECT_EQ(test, route_byte(0, 78), NOT_WRITTEN & 0xff);
	KUNIT_EXPECT_EQ(test, fake->accesses, 1);
}

static void active_vector_needs_no_access_at_home(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 2, 0);

	KUNIT_ASSERT_EQ(test, activate(fake, 77), 0);
	KUNIT_EXPECT_EQ(test, fake->accesses, 0);
}

static void vector_that_is_not_there_is_refused(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 0, 0);
	struct irq_fwspec fwspec = { .param_count = 1, .param = { VEC_COUNT } };

	/* Nobody has this interrupt number, so that nothing is changed if it isn't */
	KUNIT_EXPECT_EQ(test, eiointc_domain_alloc(&fake->domain, BIT(30), 1, &fwspec), -EINVAL);
}

/* A controller that has these vectors for us */
static void share(struct kunit *test, const u32 *ranges, int count)
{
	struct fake_eiointc *fake = the_fake();

	fake->node = fake_node(test, "eiointc");
	fake_node_set_u32s(test, fake->node, "loongson,available-ranges", ranges, count);
}

static void expect_untouched(struct kunit *test)
{
	struct fake_eiointc *fake = the_fake();

	KUNIT_EXPECT_EQ(test, fake->boot_accesses, 0);
	KUNIT_EXPECT_EQ(test, fake->accesses, 0);
}

static const u32 shared_ranges[] = { 112, 48, 255, 1 };

/* Boot and resume are the same */
static void shared_boot_touches_nothing(struct kunit *test)
{
	int core;

	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	for (core = 0; core < 8; core++) {
		boot_on(test, 0, core, 0);
		expect_untouched(test);
		boot_on(test, 0, core, EIOINTC_USE_CPU_ENCODE);
		expect_untouched(test);
	}
}

static irqreturn_t nothing(int irq, void *data)
{
	return IRQ_NONE;
}

static unsigned int map_vector(struct fake_eiointc *fake, u32 vector)
{
	struct irq_fwspec fwspec = {
		.fwnode = fake->priv.domain_handle,
		.param_count = 1,
		.param = { vector },
	};

	return irq_create_fwspec_mapping(&fwspec);
}

static void remove_domain(void *domain)
{
	irq_domain_remove(domain);
}

static struct fake_eiointc *boot_with_domain(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 2, 0);
	struct irq_domain *domain;

	domain = irq_domain_create_linear(fake->priv.domain_handle, VEC_COUNT, &eiointc_domain_ops,
					  &fake->priv);
	KUNIT_ASSERT_NOT_NULL(test, domain);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, remove_domain, domain));

	return fake;
}

static void shared_vector_stays_where_it_is(struct kunit *test)
{
	struct fake_eiointc *fake;
	unsigned int irq;

	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	fake = boot_with_domain(test);
	irq = map_vector(fake, 112);
	KUNIT_ASSERT_NE(test, irq, 0);
	KUNIT_EXPECT_EQ(test, request_irq(irq, nothing, 0, "kunit", fake), 0);
	KUNIT_EXPECT_NE(test, irq_set_affinity(irq, cpumask_of(0)), 0);
	KUNIT_EXPECT_FALSE(test, irqd_can_balance(irq_get_irq_data(irq)));
#ifdef CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK
	KUNIT_EXPECT_TRUE(test, cpumask_equal(irq_get_effective_affinity_mask(irq),
					      cpu_possible_mask));
#endif
	disable_irq(irq);
	enable_irq(irq);
	free_irq(irq, fake);
	irq_dispose_mapping(irq);
	expect_untouched(test);
}

static void vector_of_others_is_refused(struct kunit *test)
{
	static const struct {
		u32 vector;
		bool ours;
	} cases[] = {
		{ 0, false }, { 63, false }, { 111, false }, { 112, true }, { 113, true },
		{ 159, true }, { 160, false }, { 254, false }, { 255, true },
	};
	struct fake_eiointc *fake;
	unsigned int irq;
	int i;

	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	fake = boot_with_domain(test);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		irq = map_vector(fake, cases[i].vector);
		KUNIT_EXPECT_EQ(test, irq != 0, cases[i].ours);
		irq_dispose_mapping(irq);
	}
	expect_untouched(test);
}

static struct hvisor_fake zone;

static void nonroot_zone_has_what_it_is_given(struct kunit *test)
{
	struct fake_eiointc *fake = the_fake();

	if (!IS_ENABLED(CONFIG_HVISOR_GUEST))
		kunit_skip(test, "this kernel can't be in a zone");

	zone = (struct hvisor_fake){ .test = test, .is_nonroot = true };
	hvisor_set_fake(&zone);
	fake->node = fake_node(test, "eiointc");
	boot_with_domain(test);
	KUNIT_EXPECT_EQ(test, map_vector(fake, 112), 0);
	expect_untouched(test);
}

static struct {
	unsigned int calls;
	unsigned int code;
	u64 vector;
	u64 core;
	long result;
} hypervisor;

static long fake_hypercall(unsigned int code, u64 arg0, u64 arg1)
{
	hypervisor.calls++;
	hypervisor.code = code;
	hypervisor.vector = arg0;
	hypervisor.core = arg1;

	return hypervisor.result;
}

static void hypervisor_routes_a_shared_vector(struct kunit *test)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);
	struct fake_eiointc *fake;
	struct irq_data *d;
	unsigned int irq;

	if (!IS_ENABLED(CONFIG_HVISOR_GUEST))
		kunit_skip(test, "this kernel can't be in a zone");

	memset(&hypervisor, 0, sizeof(hypervisor));
	zone = (struct hvisor_fake){
		.test = test,
		.call = fake_hypercall,
		.features = HVISOR_FEATURE_IRQ_ROUTE,
	};
	hvisor_set_fake(&zone);
	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	fake = boot_with_domain(test);
	irq = map_vector(fake, 112);
	KUNIT_ASSERT_NE(test, irq, 0);
	d = irq_get_irq_data(irq);
	KUNIT_EXPECT_TRUE(test, irqd_can_balance(d));
	KUNIT_EXPECT_EQ(test, hypervisor.calls, 0);

	KUNIT_ASSERT_NOT_NULL(test, d->chip->irq_set_affinity);
	KUNIT_EXPECT_EQ(test, d->chip->irq_set_affinity(d, cpumask_of(cpu), false),
			IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, hypervisor.calls, 1);
	KUNIT_EXPECT_EQ(test, hypervisor.code, HVISOR_CALL_IRQ_ROUTE);
	KUNIT_EXPECT_EQ(test, hypervisor.vector, 112);
	KUNIT_EXPECT_EQ(test, hypervisor.core, cpu_logical_map(cpu));
#ifdef CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK
	KUNIT_EXPECT_TRUE(test, cpumask_equal(irq_data_get_effective_affinity_mask(d),
					      cpumask_of(cpu)));
#endif

	hypervisor.result = -EPERM;
	KUNIT_EXPECT_EQ(test, d->chip->irq_set_affinity(d, cpumask_of(0), false), -EPERM);
#ifdef CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK
	KUNIT_EXPECT_TRUE(test, cpumask_equal(irq_data_get_effective_affinity_mask(d),
					      cpumask_of(cpu)));
#endif
	KUNIT_EXPECT_EQ(test, d->chip->irq_set_affinity(d, cpu_none_mask, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, hypervisor.calls, 2);

	irq_dispose_mapping(irq);
	expect_untouched(test);
}

static void bad_ranges_are_refused(struct kunit *test)
{
	static const u32 bad[][4] = {
		{ 0, 0 }, { 256, 1 }, { 200, 57 }, { U32_MAX, 2 }, { 1, U32_MAX }, { 0, 1, 255, 2 },
	};
	struct fake_eiointc *fake = the_fake();
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		share(test, bad[i], bad[i][2] ? 4 : 2);
		fake->priv.vec_count = VEC_COUNT;
		fake->priv.domain_handle = &fake->node->np.fwnode;
		KUNIT_EXPECT_EQ(test, eiointc_init_priv(&fake->priv, 0), -EINVAL);
	}

	for (i = 0; i < 4; i += 3) {
		share(test, bad[5], i);
		fake->priv.domain_handle = &fake->node->np.fwnode;
		KUNIT_EXPECT_EQ(test, eiointc_init_priv(&fake->priv, 0), -EINVAL);
	}
}

static void node_without_a_bit_is_refused(struct kunit *test)
{
	struct fake_eiointc *fake = the_fake();

	fake->priv.node = MAX_EIO_NODES;
	KUNIT_EXPECT_EQ(test, eiointc_init_priv(&fake->priv, 0), -EINVAL);

	fake->priv.node = MAX_EIO_NODES - 1;
	KUNIT_EXPECT_EQ(test, eiointc_init_priv(&fake->priv, 0), 0);
}

#ifdef CONFIG_SMP
static void first_cpu_of_a_node_initializes_it(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 2, 0);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	fake->system.is_first_of_node = NULL;
	KUNIT_ASSERT_EQ(test, eiointc_router_init(0), 0);
	KUNIT_EXPECT_EQ(test, fake->accesses, 0);

	/* Now CPU 1 is in the next node */
	fake = boot_on(test, 0, 3, 0);
	KUNIT_ASSERT_EQ(test, eiointc_router_init(0), 0);
	KUNIT_EXPECT_GT(test, fake->accesses, 0);
}

static int move(struct fake_eiointc *fake, unsigned int vector, unsigned int cpu)
{
	struct irq_data d = {
		.hwirq = vector,
		.domain = &fake->domain,
		.common = &fake->common,
	};
	int ret;

	fake->moving = vector;
	ret = eiointc_set_irq_affinity(&d, cpumask_of(cpu), false);
	fake->moving = -1;

	return ret;
}

/* Over all vectors; each has its own bits in words that it shares with others */
static void move_each(struct kunit *test, struct fake_eiointc *fake)
{
	unsigned int vector, cpu = 1, target = fake_core(cpu);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	for (vector = 0; vector < VEC_COUNT; vector++) {
		KUNIT_ASSERT_EQ(test, move(fake, vector, cpu), IRQ_SET_MASK_OK);

		KUNIT_EXPECT_EQ(test, delivered_to(vector), target);
		KUNIT_EXPECT_TRUE(test, cpumask_equal(fake->common.effective_affinity,
						      cpumask_of(cpu)));
		KUNIT_EXPECT_EQ(test, *fake_reg(fake->priv.node, EIOINTC_REG_ENABLE_VEC(vector)),
				U32_MAX);
		if (vector + 1 < VEC_COUNT)
			KUNIT_EXPECT_EQ(test, delivered_to(vector + 1), fake->first_core);
	}
}

static void vector_moves_alone(struct kunit *test)
{
	move_each(test, boot_on(test, 0, 0, 0));
}

static void vector_moves_within_a_node(struct kunit *test)
{
	move_each(test, boot_on(test, 1, 4, 0));
}

static void virtual_vector_moves_alone(struct kunit *test)
{
	move_each(test, boot_on(test, 0, 7, EIOINTC_USE_CPU_ENCODE));
}

static void no_cpu_is_refused(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 0, 0);
	struct irq_data d = { .hwirq = 77, .domain = &fake->domain, .common = &fake->common };

	KUNIT_EXPECT_EQ(test, eiointc_set_irq_affinity(&d, cpu_none_mask, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->accesses, 0);
}

/* CPU 1 is in a node that CPU 0 isn't in */
static void vector_moves_to_another_node(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 3, 0);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	start_cpu(test, 1);
	KUNIT_ASSERT_EQ(test, move(fake, 77, 1), IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, delivered_to(77), 4);

	/* A node that nothing is passed to passes nothing on */
	KUNIT_ASSERT_EQ(test, move(fake, 77, 0), IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, delivered_to(77), 3);
	KUNIT_EXPECT_EQ(test, passed_to(1, route_byte(1, 77)), 1);
}

static void vector_moves_on_a_foreign_node(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 4, 0);

	KUNIT_ASSERT_EQ(test, move(fake, 77, 0), IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, delivered_to(77), 4);
}

/* Mask, route, unmask: each access is one exit of a virtual machine */
static void move_takes_three_accesses(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 0, 0);

	KUNIT_ASSERT_EQ(test, move(fake, 77, 0), IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, fake->accesses, 3);
}

static void virtual_move_takes_three_accesses(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 0, EIOINTC_USE_CPU_ENCODE);

	KUNIT_ASSERT_EQ(test, move(fake, 77, 0), IRQ_SET_MASK_OK);
	KUNIT_EXPECT_EQ(test, fake->accesses, 3);
}

static void returning_node_keeps_routes(struct kunit *test)
{
	struct fake_eiointc *fake = boot_on(test, 0, 0, 0);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	KUNIT_ASSERT_EQ(test, move(fake, 77, 1), IRQ_SET_MASK_OK);
	memset32(&fake->bank[0][0], 0, FAKE_NODES * FAKE_WORDS);
	start_cpu(test, 0);

	KUNIT_EXPECT_EQ(test, delivered_to(77), 1);
	KUNIT_EXPECT_EQ(test, delivered_to(76), 0);
	KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_ENABLE_VEC(77)), U32_MAX);
}
#endif

static struct kunit_case eiointc_cases[] = {
	KUNIT_CASE(boot_writes_each_register),
	KUNIT_CASE(boot_touches_no_other_node),
	KUNIT_CASE(boot_routes_to_the_boot_core),
	KUNIT_CASE(virtual_boot_routes_to_the_boot_core),
	KUNIT_CASE(active_vector_comes_from_a_foreign_node),
	KUNIT_CASE(active_vector_needs_no_access_at_home),
	KUNIT_CASE(vector_that_is_not_there_is_refused),
	KUNIT_CASE(shared_boot_touches_nothing),
	KUNIT_CASE(shared_vector_stays_where_it_is),
	KUNIT_CASE(vector_of_others_is_refused),
	KUNIT_CASE(nonroot_zone_has_what_it_is_given),
	KUNIT_CASE(hypervisor_routes_a_shared_vector),
	KUNIT_CASE(bad_ranges_are_refused),
	KUNIT_CASE(node_without_a_bit_is_refused),
#ifdef CONFIG_SMP
	KUNIT_CASE(first_cpu_of_a_node_initializes_it),
	KUNIT_CASE(vector_moves_alone),
	KUNIT_CASE(vector_moves_within_a_node),
	KUNIT_CASE(vector_moves_to_another_node),
	KUNIT_CASE(vector_moves_on_a_foreign_node),
	KUNIT_CASE(virtual_vector_moves_alone),
	KUNIT_CASE(no_cpu_is_refused),
	KUNIT_CASE(move_takes_three_accesses),
	KUNIT_CASE(virtual_move_takes_three_accesses),
	KUNIT_CASE(returning_node_keeps_routes),
#endif
	{}
};

#ifdef CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK
static void free_effective_affinity(void *mask)
{
	free_cpumask_var(*(cpumask_var_t *)mask);
}
#endif

static int eiointc_test_init(struct kunit *test)
{
	struct fake_eiointc *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake->domain.host_data = &fake->priv;
	fake->real = eiointc_priv[0];
	fake->real_pics = nr_pics;
#ifdef CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK
	KUNIT_ASSERT_TRUE(test, zalloc_cpumask_var(&fake->common.effective_affinity, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_effective_affinity,
							   &fake->common.effective_affinity));
#endif

	fake->system = fake_system;
	fake->system.test = test;
	eiointc_fake_of_test = &fake->system;
	eiointc_priv[0] = &fake->priv;

	return 0;
}

static void eiointc_test_exit(struct kunit *test)
{
	struct fake_eiointc *fake = test->priv;

	hvisor_set_fake(NULL);
	eiointc_fake_of_test = NULL;
	if (!fake)
		return;
	eiointc_priv[0] = fake->real;
	nr_pics = fake->real_pics;
}

static struct kunit_suite eiointc_suite = {
	.name = "loongson_eiointc",
	.init = eiointc_test_init,
	.exit = eiointc_test_exit,
	.test_cases = eiointc_cases,
};

kunit_test_suite(eiointc_suite);

static struct irq_domain * __init cpu_lines(void)
{
	return irq_find_matching_fwnode(cpuintc_handle, DOMAIN_BUS_ANY);
}

static void __init remove_controller(struct eiointc_priv *priv)
{
	unsigned int irq = irq_find_mapping(cpu_lines(), priv->parent_hwirq);

	irq_set_chained_handler_and_data(irq, NULL, NULL);
	irq_dispose_mapping(irq);
	irq_domain_remove(priv->eiointc_domain);
	if (is_fwnode_irqchip(priv->domain_handle))
		irq_domain_free_fwnode(priv->domain_handle);
	kfree(priv);
}

/* Its tables are those of ACPI: without ACPI none is found */
static void __init controller_stays_if_its_cascade_fails(struct kunit *test)
{
	struct acpi_madt_eio_pic entry = { .cascade = INT_HWI7, .node = 1 };

	if (!acpi_disabled || MAX_IO_PICS < 2)
		kunit_skip(test, "needs a system without ACPI, and room for two");

	boot_on(test, 0, 0, 0);
	KUNIT_ASSERT_EQ(test, eiointc_acpi_init(cpu_lines(), &entry), -ENODEV);
	KUNIT_ASSERT_EQ(test, nr_pics, 2);
	KUNIT_EXPECT_PTR_EQ(test, eiointc_priv[1]->eiointc_domain->host_data, eiointc_priv[1]);

	remove_controller(eiointc_priv[1]);
	eiointc_priv[1] = NULL;
}

static void __init parent_that_is_no_device_line_is_refused(struct kunit *test)
{
	struct acpi_madt_eio_pic entry = { .cascade = INT_SWI1, .node = 1 };

	boot_on(test, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, eiointc_acpi_init(cpu_lines(), &entry), -EINVAL);
	KUNIT_EXPECT_EQ(test, nr_pics, 1);
}

static void __init one_controller_too_many_is_refused(struct kunit *test)
{
	struct acpi_madt_eio_pic entry = { .cascade = INT_HWI7, .node = 1 };

	nr_pics = MAX_IO_PICS;
	KUNIT_EXPECT_EQ(test, eiointc_acpi_init(cpu_lines(), &entry), -ENOSPC);
}

static void no_interrupt(struct irq_desc *desc)
{
}

static void __init vectors_have_four_lines_if_all_are_free(struct kunit *test)
{
	struct eiointc_priv *priv = &the_fake()->priv;
	int irq = get_percpu_irq(INT_HWI7);

	eiointc_spread(priv, INT_HWI4);
	KUNIT_EXPECT_EQ(test, priv->flags, EIOINTC_ROUTE_MULT_IP);
	KUNIT_EXPECT_EQ(test, priv->parent_hwirq, INT_HWI4);

	priv->flags = 0;
	priv->parent_hwirq = INT_HWI1;
	irq_set_chained_handler_and_data(irq, no_interrupt, NULL);
	eiointc_spread(priv, INT_HWI4);
	irq_set_chained_handler_and_data(irq, NULL, NULL);
	irq_dispose_mapping(irq);
	KUNIT_EXPECT_EQ(test, priv->flags, 0);
	KUNIT_EXPECT_EQ(test, priv->parent_hwirq, INT_HWI1);
}

static void __init shared_vectors_stay_on_their_line(struct kunit *test)
{
	struct eiointc_priv *priv = &the_fake()->priv;

	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	boot_on(test, 0, 0, 0);
	eiointc_spread(priv, INT_HWI4);
	KUNIT_EXPECT_EQ(test, priv->flags, 0);
	KUNIT_EXPECT_EQ(test, priv->parent_hwirq, INT_HWI1);
}

/* QEMU's has the controller, and nothing else on a line of the CPUs */
static void __init line_in_the_device_tree_is_taken(struct kunit *test)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "loongson,ls2k2000-eiointc");

	if (!node || !of_machine_is_compatible("linux,dummy-loongson3"))
		kunit_skip(test, "needs QEMU's device tree");

	KUNIT_EXPECT_EQ(test, eiointc_line_in_dt(NULL, INT_HWI0, INT_HWI7), INT_HWI1);
	KUNIT_EXPECT_LT(test, eiointc_line_in_dt(node, INT_HWI0, INT_HWI7), 0);
	KUNIT_EXPECT_LT(test, eiointc_line_in_dt(NULL, INT_HWI2, INT_HWI7), 0);
	of_node_put(node);
}

/* The real controller has one of HWI0 to HWI3 at least */
static void __init taken_lines_are_left_alone(struct kunit *test)
{
	struct acpi_madt_eio_pic entry = { .cascade = INT_HWI7, .node = 1 };
	struct fake_eiointc *fake = the_fake();
	struct eiointc_priv *added;

	if (!acpi_disabled || !fake->real_pics)
		kunit_skip(test, "needs a system without ACPI, and another controller");

	boot_on(test, 0, 0, 0);
	fake->system.has_hypervisor = true;
	nr_pics = 0;
	unregister_syscore(&eiointc_syscore);

	eiointc_acpi_init(cpu_lines(), &entry);
	if (nr_pics != 1) {
		register_syscore(&eiointc_syscore);
		KUNIT_FAIL_AND_ABORT(test, "not added");
	}
	added = eiointc_priv[0];
	KUNIT_EXPECT_EQ(test, added->flags & EIOINTC_ROUTE_MULT_IP, 0);
	KUNIT_EXPECT_EQ(test, added->parent_hwirq, INT_HWI7);
	KUNIT_EXPECT_EQ(test, *fake_reg(0, EIOINTC_REG_IPMAP), 0x80808080);
	remove_controller(added);
}

static void __init shared_controller_is_only_read_by_its_interrupts(struct kunit *test)
{
	struct fake_eiointc *fake = the_fake();
	struct eiointc_priv *priv = kzalloc_obj(*priv);

	KUNIT_ASSERT_NOT_NULL(test, priv);
	share(test, shared_ranges, ARRAY_SIZE(shared_ranges));
	boot_on(test, 0, 0, 0);
	fake->system.has_virt_extension = true;
	priv->vec_count = VEC_COUNT;
	priv->parent_hwirq = INT_HWI7;
	priv->domain_handle = &fake->node->np.fwnode;

	KUNIT_ASSERT_EQ(test, eiointc_init(priv, get_percpu_irq(INT_HWI7), 0), 0);
	expect_untouched(test);
	eiointc_priv[1] = NULL;
	remove_controller(priv);
}

static struct kunit_case __refdata eiointc_init_cases[] = {
	KUNIT_CASE(controller_stays_if_its_cascade_fails),
	KUNIT_CASE(parent_that_is_no_device_line_is_refused),
	KUNIT_CASE(one_controller_too_many_is_refused),
	KUNIT_CASE(vectors_have_four_lines_if_all_are_free),
	KUNIT_CASE(shared_vectors_stay_on_their_line),
	KUNIT_CASE(line_in_the_device_tree_is_taken),
	KUNIT_CASE(taken_lines_are_left_alone),
	KUNIT_CASE(shared_controller_is_only_read_by_its_interrupts),
	{}
};

static struct kunit_suite eiointc_init_suite = {
	.name = "loongson_eiointc_init",
	.init = eiointc_test_init,
	.exit = eiointc_test_exit,
	.test_cases = eiointc_init_cases,
};

kunit_test_init_section_suite(eiointc_init_suite);
