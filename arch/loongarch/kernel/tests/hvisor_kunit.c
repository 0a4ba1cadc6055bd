// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of hvisor's zones
 *
 * hvisor.c includes them. They are the hypervisor: without one, the instruction
 * is undefined, and the tests are told of it before anybody else.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kdebug.h>
#include <linux/libfdt.h>
#include <linux/notifier.h>
#include <linux/of_fdt.h>
#include <linux/prandom.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/string.h>

/* hvcl, with any immediate */
#define HVCL_MASK	0xffff8000
#define HVCL		0x002b8000

struct fake_hypervisor {
	struct notifier_block nb;
	/* What it offers: it says 0 to everything else, as hvisor does */
	u64 version;
	long info[4];
	/* Of any call, if it isn't 0 */
	long result;
	/* What was called for */
	unsigned int calls;
	u64 code;
	u64 arg[2];
};

static long fake_call(struct fake_hypervisor *fake, u64 code, u64 arg0, u64 arg1)
{
	fake->calls++;
	fake->code = code;
	fake->arg[0] = arg0;
	fake->arg[1] = arg1;

	if (fake->result)
		return fake->result;
	if (code == HVISOR_CALL_CONFIG_CHECK)
		*(u64 *)__va(arg0) = fake->version;
	if (code == HVISOR_CALL_GUEST_INFO && arg0 < ARRAY_SIZE(fake->info))
		return fake->info[arg0];

	return 0;
}

static int catch_hvcl(struct notifier_block *nb, unsigned long reason, void *data)
{
	struct fake_hypervisor *fake = container_of(nb, struct fake_hypervisor, nb);
	struct pt_regs *regs = ((struct die_args *)data)->regs;

	if (reason != DIE_RI || user_mode(regs) ||
	    (*(u32 *)regs->csr_era & HVCL_MASK) != HVCL)
		return NOTIFY_DONE;

	regs->regs[4] = fake_call(fake, regs->regs[4], regs->regs[5], regs->regs[6]);
	regs->csr_era += sizeof(u32);

	return NOTIFY_STOP;
}

static int hvisor_test_init(struct kunit *test)
{
	struct fake_hypervisor *fake;

	if (hvisor_guest())
		kunit_skip(test, "this is a zone");

	fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->nb.notifier_call = catch_hvcl;
	fake->version = 6;
	KUNIT_ASSERT_EQ(test, register_die_notifier(&fake->nb), 0);
	test->priv = fake;

	return 0;
}

static void hvisor_test_exit(struct kunit *test)
{
	struct fake_hypervisor *fake = test->priv;

	hvisor_set_fake(NULL);
	if (fake)
		unregister_die_notifier(&fake->nb);
}

static void no_zone_makes_no_call(struct kunit *test)
{
	struct fake_hypervisor *fake = test->priv;

	KUNIT_EXPECT_EQ(test, hvisor_call(HVISOR_CALL_CONFIG_CHECK, 0, 0), -ENODEV);
	KUNIT_EXPECT_EQ(test, hvisor_call(HVISOR_CALL_VIRTIO_INJECT, 0, 0), -ENODEV);
	KUNIT_EXPECT_FALSE(test, hvisor_has_feature(ALL_FEATURES));
	KUNIT_EXPECT_FALSE(test, hvisor_is_nonroot());
	KUNIT_EXPECT_EQ(test, fake->calls, 0);
}

/* For callers of the functions that others use */
static struct hvisor_fake stand_in;

static void stand_in_for(struct kunit *test, long (*call)(unsigned int, u64, u64), u32 features)
{
	stand_in = (struct hvisor_fake){ .test = test, .call = call, .features = features };
	hvisor_set_fake(&stand_in);
}

static long add_up(unsigned int code, u64 arg0, u64 arg1)
{
	return code + arg0 + arg1;
}

static void test_stands_in(struct kunit *test)
{
	stand_in_for(test, add_up, HVISOR_FEATURE_WAIT);
	KUNIT_EXPECT_EQ(test, hvisor_call(100, 20, 3), 123);
	KUNIT_EXPECT_TRUE(test, hvisor_has_feature(HVISOR_FEATURE_WAIT));
	KUNIT_EXPECT_FALSE(test, hvisor_has_feature(HVISOR_FEATURE_IRQ_EOI));
	KUNIT_EXPECT_FALSE(test, hvisor_is_nonroot());
	stand_in.is_nonroot = true;
	KUNIT_EXPECT_TRUE(test, hvisor_is_nonroot());

	hvisor_set_fake(NULL);
	KUNIT_EXPECT_EQ(test, hvisor_call(100, 20, 3), -ENODEV);
}

static void call_has_arguments_and_a_result(struct kunit *test)
{
	const struct hvisor_zone zone = { .abi = 1, .id = 1 };
	struct fake_hypervisor *fake = test->priv;

	fake->result = 0x123456789;
	KUNIT_EXPECT_EQ(test, zone_call(&zone, HVISOR_CALL_ZONE_LIST, 1ULL << 63, 17),
			0x123456789);
	KUNIT_EXPECT_EQ(test, fake->calls, 1);
	KUNIT_EXPECT_EQ(test, fake->code, HVISOR_CALL_ZONE_LIST);
	KUNIT_EXPECT_EQ(test, fake->arg[0], 1ULL << 63);
	KUNIT_EXPECT_EQ(test, fake->arg[1], 17);
}

static const struct {
	long result;
	long expected;
} result_cases[] = {
	{ 1, 1 },
	{ LONG_MAX, LONG_MAX },
	{ -EPERM, -EPERM },
	{ -EINVAL, -EINVAL },
	{ -MAX_ERRNO, -MAX_ERRNO },
	{ -MAX_ERRNO - 1, -EIO },
	{ LONG_MIN, -EIO },
};

static void errors_are_those_of_linux(struct kunit *test)
{
	const struct hvisor_zone zone = { .abi = 1, .id = 1 };
	struct fake_hypervisor *fake = test->priv;

	for (int i = 0; i < ARRAY_SIZE(result_cases); i++) {
		fake->result = result_cases[i].result;
		KUNIT_EXPECT_EQ(test, zone_call(&zone, HVISOR_CALL_ZONE_LIST, 0, 0),
				result_cases[i].expected);
	}
}

/* What a call comes to in a zone with all features: 0 is that it is made */
struct permission {
	unsigned int first;
	unsigned int last;
	/* By ABI, in any zone and in the root zone */
	int any[LAST_ABI + 1];
	int root[LAST_ABI + 1];
};

#define NONE	-ENODEV
#define MISSING	-EOPNOTSUPP

static const struct permission permissions[] = {
	{ 0, 3, { NONE, -EPERM, -EPERM, -EPERM }, { NONE, 0, 0, 0 } },
	{ 4, 6, { NONE, 0, 0, 0 }, { NONE, 0, 0, 0 } },
	{ 7, 7, { NONE, -EINVAL, -EINVAL, -EINVAL }, { NONE, -EINVAL, -EINVAL, -EINVAL } },
	{ 8, 8, { NONE, MISSING, -EPERM, -EPERM }, { NONE, MISSING, 0, 0 } },
	{ 9, 10, { NONE, -EINVAL, -EINVAL, -EINVAL }, { NONE, -EINVAL, -EINVAL, -EINVAL } },
	{ 11, 11, { NONE, MISSING, -EPERM, -EPERM }, { NONE, MISSING, 0, 0 } },
	/* 20 ends the interrupts of all zones */
	{ 12, 0xff, { NONE, -EINVAL, -EINVAL, -EINVAL }, { NONE, -EINVAL, -EINVAL, -EINVAL } },
	{ 0x100, 0x100, { NONE, MISSING, MISSING, 0 }, { NONE, MISSING, MISSING, 0 } },
	{ 0x101, 0x107, { NONE, 0, 0, 0 }, { NONE, 0, 0, 0 } },
	{ 0x108, 0x200, { NONE, -EINVAL, -EINVAL, -EINVAL }, { NONE, -EINVAL, -EINVAL, -EINVAL } },
	{ -1U, -1U, { NONE, -EINVAL, -EINVAL, -EINVAL }, { NONE, -EINVAL, -EINVAL, -EINVAL } },
};

static void expect_permission(struct kunit *test, u32 id, u32 abi, unsigned int code, int expected)
{
	const struct hvisor_zone zone = { .abi = abi, .id = id, .features = ALL_FEATURES };
	struct fake_hypervisor *fake = test->priv;

	fake->calls = 0;
	fake->result = 1;
	KUNIT_EXPECT_EQ_MSG(test, zone_call(&zone, code, 0, 0), expected ?: 1,
			    "code %#x, zone %u, ABI %u", code, id, abi);
	KUNIT_EXPECT_EQ_MSG(test, fake->calls, !expected,
			    "code %#x, zone %u, ABI %u", code, id, abi);
}

static void only_calls_of_the_zone_are_made(struct kunit *test)
{
	const struct permission *p;

	for (p = permissions; p < permissions + ARRAY_SIZE(permissions); p++) {
		for (u64 code = p->first; code <= p->last; code++) {
			for (u32 abi = 0; abi <= LAST_ABI; abi++) {
				expect_permission(test, 0, abi, code, p->root[abi]);
				expect_permission(test, 1, abi, code, p->any[abi]);
				expect_permission(test, UNKNOWN_ZONE, abi, code, p->any[abi]);
			}
		}
	}
}

static void call_without_its_feature_is_refused(struct kunit *test)
{
	struct hvisor_zone zone = { .abi = 3, .id = 0 };
	struct fake_hypervisor *fake = test->priv;
	unsigned int code;

	for (code = HVISOR_CALL_IRQ_EOI; code <= HVISOR_CALL_TIME_INFO; code++) {
		zone.features = ALL_FEATURES & ~BIT(code - HVISOR_CALL_IRQ_EOI);
		KUNIT_EXPECT_EQ(test, zone_call(&zone, code, 0, 0), -EOPNOTSUPP);
	}
	KUNIT_EXPECT_EQ(test, fake->calls, 0);
}

#define ABSENT	-1

/* A node and a hypervisor, and what is made of them */
static const struct zone_case {
	const char *name;
	const char *compatible;
	const char *status;
	s64 abi;
	s64 id;
	s64 features;
	u64 version;
	long info[4];
	long result;

	bool found;
	u32 is_abi;
	u32 is_id;
	u32 is_features;
	unsigned int calls;
} zone_cases[] = {
	{ "no compatible", NULL, NULL, 1, 1, ABSENT, 5, {}, 0, false },
	{ "another hypervisor", "xen,xen", NULL, 1, 1, ABSENT, 5, {}, 0, false },
	{ "disabled", "syswonder,hvisor", "disabled", 1, 1, ABSENT, 5, {}, 0, false },
	{ "ABI 1", "syswonder,hvisor", NULL, 1, 1, ABSENT, 5, {}, 0, true, 1, 1, 0, 1 },
	{ "ABI 2", "syswonder,hvisor", "okay", 2, 0, ABSENT, 6, {}, 0, true, 2, 0, 0, 1 },
	{ "ABI 0", "syswonder,hvisor", NULL, 0, 1, ABSENT, 6, {}, 0, true, 0, 1, 0, 0 },
	{ "ABI 99", "syswonder,hvisor", NULL, 99, 1, ABSENT, 6, {}, 0, true, 0, 1, 0, 0 },
	{ "no ABI", "syswonder,hvisor", NULL, ABSENT, 1, ABSENT, 6, {}, 0, true, 0, 1, 0, 0 },
	{ "no zone", "syswonder,hvisor", NULL, 2, ABSENT, ABSENT, 6, {}, 0,
	  true, 2, UNKNOWN_ZONE, 0, 1 },
	{ "no answer", "syswonder,hvisor", NULL, 2, 1, ABSENT, 0, {}, 0, true, 0, 1, 0, 1 },
	{ "an error", "syswonder,hvisor", NULL, 2, 1, ABSENT, 6, {}, -EPERM, true, 0, 1, 0, 1 },
	{ "an error that is ours, too", "syswonder,hvisor", NULL, 2, 1, ABSENT, 6, {}, -ENODEV,
	  true, 0, 1, 0, 1 },
	{ "a result, no version", "syswonder,hvisor", NULL, 2, 1, ABSENT, 0, {}, 1,
	  true, 0, 1, 0, 1 },
	{ "ABI 3 without services", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6, {}, 0,
	  true, 3, 1, 0, 2 },
	{ "other services", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6, { 2, 0x7f, 2 }, 0,
	  true, 3, 1, 0, 2 },
	{ "features", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6, { 1, 0x2a, 2 }, 0,
	  true, 3, 1, 0x2a, 4 },
	{ "features nobody knows", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6,
	  { 1, 0x7fffffffffffff00, 2 }, 0, true, 3, 1, 0, 4 },
	{ "features that aren't allowed", "syswonder,hvisor", NULL, 3, 1, 0x0c, 6,
	  { 1, 0x7f, 2 }, 0, true, 3, 1, 0x0c, 4 },
	{ "features are an error", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6,
	  { 1, -EINVAL, 2 }, 0, true, 3, 1, 0, 4 },
	{ "zone isn't told", "syswonder,hvisor", NULL, 3, 1, ABSENT, 6, { 1, 4, 0 }, 0,
	  true, 3, 1, 4, 4 },
	{ "another zone", "syswonder,hvisor", NULL, 3, 0, ABSENT, 6, { 1, 4, 2 }, 0,
	  true, 3, UNKNOWN_ZONE, 4, 4 },
};

KUNIT_ARRAY_PARAM_DESC(zone, zone_cases, name);

#define BLOB_SIZE	1024

KUNIT_DEFINE_ACTION_WRAPPER(free_nodes, kfree, void *);

/* The tree of a zone, as it comes from a boot loader, up to the hypervisor's node */
static void *begin_blob(struct kunit *test)
{
	void *blob = kunit_kzalloc(test, BLOB_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, blob);
	KUNIT_ASSERT_EQ(test, fdt_create(blob, BLOB_SIZE), 0);
	KUNIT_ASSERT_EQ(test, fdt_finish_reservemap(blob), 0);
	KUNIT_ASSERT_EQ(test, fdt_begin_node(blob, ""), 0);
	KUNIT_ASSERT_EQ(test, fdt_begin_node(blob, "hypervisor"), 0);

	return blob;
}

static struct device_node *end_blob(struct kunit *test, void *blob)
{
	struct device_node *root;
	void *nodes;

	KUNIT_ASSERT_EQ(test, fdt_end_node(blob), 0);
	KUNIT_ASSERT_EQ(test, fdt_end_node(blob), 0);
	KUNIT_ASSERT_EQ(test, fdt_finish(blob), 0);

	nodes = of_fdt_unflatten_tree(blob, NULL, &root);
	KUNIT_ASSERT_NOT_NULL(test, nodes);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_nodes, nodes), 0);
	KUNIT_ASSERT_NOT_NULL(test, root->child);

	return root->child;
}

static void add(struct kunit *test, void *blob, const char *name, const void *value, int length)
{
	KUNIT_ASSERT_EQ(test, fdt_property(blob, name, value, length), 0);
}

static void add_string(struct kunit *test, void *blob, const char *name, const char *value)
{
	if (value)
		add(test, blob, name, value, strlen(value) + 1);
}

static void add_u32(struct kunit *test, void *blob, const char *name, s64 value)
{
	__be32 cell = cpu_to_be32(value);

	if (value != ABSENT)
		add(test, blob, name, &cell, sizeof(cell));
}

static struct device_node *new_node(struct kunit *test, const char *compatible,
				    const char *status, s64 abi, s64 id, s64 features)
{
	void *blob = begin_blob(test);

	add_string(test, blob, "compatible", compatible);
	add_string(test, blob, "status", status);
	add_u32(test, blob, "syswonder,hypercall-abi", abi);
	add_u32(test, blob, "syswonder,zone-id", id);
	add_u32(test, blob, "syswonder,features", features);

	return end_blob(test, blob);
}

static void zone_is_what_both_say(struct kunit *test)
{
	const struct zone_case *param = test->param_value;
	struct fake_hypervisor *fake = test->priv;
	struct hvisor_zone zone = {};
	struct device_node *np;

	np = new_node(test, param->compatible, param->status, param->abi, param->id,
		      param->features);
	fake->version = param->version;
	fake->result = param->result;
	memcpy(fake->info, param->info, sizeof(fake->info));

	KUNIT_EXPECT_EQ(test, find_zone(np, &zone), param->found);
	KUNIT_EXPECT_EQ(test, fake->calls, param->calls);
	if (!param->found)
		return;

	KUNIT_EXPECT_EQ(test, zone.abi, param->is_abi);
	KUNIT_EXPECT_EQ(test, zone.id, param->is_id);
	KUNIT_EXPECT_EQ(test, zone.features, param->is_features);
}

static void expect_signed_zone(struct kunit *test, long said, u32 id)
{
	struct fake_hypervisor *fake = test->priv;
	struct hvisor_zone zone = {};

	memcpy(fake->info, (long []){ 1, HVISOR_FEATURE_WAIT, said, 1 }, sizeof(fake->info));
	KUNIT_ASSERT_TRUE(test, find_zone(NULL, &zone));
	KUNIT_EXPECT_EQ(test, zone.abi, 3);
	KUNIT_EXPECT_EQ_MSG(test, zone.id, id, "from %ld", said);
	KUNIT_EXPECT_EQ(test, zone.features, HVISOR_FEATURE_WAIT);
}

static void zone_without_a_node_has_a_signature(struct kunit *test)
{
	struct fake_hypervisor *fake = test->priv;
	struct hvisor_zone zone = {};

	/* The real one, of the CPU */
	KUNIT_EXPECT_FALSE(test, find_zone(NULL, &zone));
	KUNIT_EXPECT_EQ(test, fake->calls, 0);

	stand_in_for(test, NULL, 0);
	stand_in.has_signature = true;
	expect_signed_zone(test, 1, 0);
	expect_signed_zone(test, 3, 2);
	expect_signed_zone(test, 0, UNKNOWN_ZONE);
	expect_signed_zone(test, -EINVAL, UNKNOWN_ZONE);
	expect_signed_zone(test, 1L << 32 | 1, UNKNOWN_ZONE);

	fake->version = 0;
	KUNIT_EXPECT_TRUE(test, find_zone(NULL, &zone));
	KUNIT_EXPECT_EQ(test, zone.abi, 0);
	KUNIT_EXPECT_EQ(test, zone.id, UNKNOWN_ZONE);
}

static void node_of_another_counts_more_than_a_signature(struct kunit *test)
{
	struct fake_hypervisor *fake = test->priv;
	struct hvisor_zone zone = {};

	stand_in_for(test, NULL, 0);
	stand_in.has_signature = true;
	KUNIT_EXPECT_FALSE(test, find_zone(new_node(test, "xen,xen", NULL, 3, 1, ABSENT), &zone));
	KUNIT_EXPECT_EQ(test, fake->calls, 0);
}

/* Properties that are shorter than a number */
static void short_properties_are_not_trusted(struct kunit *test)
{
	static const char zeroes[3];
	struct fake_hypervisor *fake = test->priv;
	struct hvisor_zone zone = {};
	void *blob = begin_blob(test);

	add_string(test, blob, "compatible", "syswonder,hvisor");
	add(test, blob, "syswonder,hypercall-abi", zeroes, 3);
	add(test, blob, "syswonder,zone-id", zeroes, 0);
	KUNIT_EXPECT_TRUE(test, find_zone(end_blob(test, blob), &zone));
	KUNIT_EXPECT_EQ(test, zone.abi, 0);
	KUNIT_EXPECT_EQ(test, zone.id, UNKNOWN_ZONE);
	KUNIT_EXPECT_EQ(test, fake->calls, 0);

	memcpy(fake->info, (long []){ 1, ALL_FEATURES, 1 + 1, 1 }, sizeof(fake->info));
	blob = begin_blob(test);
	add_string(test, blob, "compatible", "syswonder,hvisor");
	add_u32(test, blob, "syswonder,hypercall-abi", 3);
	add_u32(test, blob, "syswonder,zone-id", 1);
	add(test, blob, "syswonder,features", zeroes, 2);
	KUNIT_EXPECT_TRUE(test, find_zone(end_blob(test, blob), &zone));
	KUNIT_EXPECT_EQ(test, zone.id, 1);
	KUNIT_EXPECT_EQ(test, zone.features, 0);
}

/* Any bits, small numbers as well */
static u64 random_result(struct rnd_state *rnd)
{
	u64 bits = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

	return (s64)bits >> (prandom_u32_state(rnd) % 64);
}

static void results_are_not_trusted(struct kunit *test)
{
	struct device_node *np = new_node(test, "syswonder,hvisor", NULL, 3, 1, 0x5a);
	struct fake_hypervisor *fake = test->priv;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 20261126);
	for (int i = 0; i < 100; i++) {
		struct hvisor_zone zone;

		fake->calls = 0;
		fake->version = random_result(&rnd);
		fake->result = i % 4 ? 0 : random_result(&rnd);
		for (int j = 0; j < ARRAY_SIZE(fake->info); j++)
			fake->info[j] = random_result(&rnd);
		if (i % 2)
			fake->info[HVISOR_INFO_VERSION] = 1;

		KUNIT_EXPECT_TRUE(test, find_zone(np, &zone));
		KUNIT_EXPECT_LE(test, fake->calls, 4);
		KUNIT_EXPECT_TRUE(test, zone.abi == 0 || zone.abi == 3);
		KUNIT_EXPECT_TRUE(test, zone.id == 1 || zone.id == UNKNOWN_ZONE);
		KUNIT_EXPECT_EQ(test, zone.features & ~0x5a, 0);
		if (!zone.abi)
			KUNIT_EXPECT_EQ(test, zone.features, 0);
	}
}

static void idle_waits_in_the_hypervisor(struct kunit *test)
{
	struct fake_hypervisor *fake = test->priv;

	/* This CPU alone */
	cpu_idle_poll_ctrl(true);
	kick_all_cpus_sync();
	static_branch_enable(&hvisor_wait_key);
	local_irq_disable();
	arch_cpu_idle();
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	local_irq_enable();
	static_branch_disable(&hvisor_wait_key);
	cpu_idle_poll_ctrl(false);

	KUNIT_EXPECT_EQ(test, fake->calls, 1);
	KUNIT_EXPECT_EQ(test, fake->code, HVISOR_CALL_WAIT);
	KUNIT_EXPECT_EQ(test, fake->arg[0], 0);
}

#ifdef CONFIG_SERIAL_EARLYCON
static struct {
	unsigned int count;
	unsigned int wrong;
	char text[16];
} printed;

static long fake_putc(unsigned int code, u64 arg0, u64 arg1)
{
	if (code != HVISOR_CALL_DEBUG_PUTC || arg0 > U8_MAX || arg1 ||
	    printed.count == sizeof(printed.text))
		printed.wrong++;
	else
		printed.text[printed.count++] = arg0;

	return 0;
}

static void hypervisor_prints(struct kunit *test)
{
	static const char expected[] = "a\r\n\xff\r\n";

	memset(&printed, 0, sizeof(printed));
	stand_in_for(test, fake_putc, 0);
	earlycon_write(NULL, "a\n\xff\n, and no more", 4);
	hvisor_set_fake(NULL);

	KUNIT_EXPECT_EQ(test, printed.wrong, 0);
	KUNIT_ASSERT_EQ(test, printed.count, sizeof(expected) - 1);
	KUNIT_EXPECT_MEMEQ(test, printed.text, expected, sizeof(expected) - 1);
}
#endif

static void expect_end(struct kunit *test, struct hvisor_zone *zone, enum sys_off_mode mode,
		       unsigned int calls)
{
	struct sys_off_data data = { .mode = mode, .cb_data = zone };
	struct fake_hypervisor *fake = test->priv;

	fake->calls = 0;
	KUNIT_EXPECT_EQ(test, end_zone(&data), NOTIFY_DONE);
	KUNIT_EXPECT_EQ(test, fake->calls, calls);
}

static void zone_is_stopped_and_restarted(struct kunit *test)
{
	struct hvisor_zone zone = { .abi = 3, .id = 1, .features = HVISOR_FEATURE_ZONE_CTRL };
	struct fake_hypervisor *fake = test->priv;

	expect_end(test, &zone, SYS_OFF_MODE_POWER_OFF, 1);
	KUNIT_EXPECT_EQ(test, fake->code, HVISOR_CALL_ZONE_CTRL);
	KUNIT_EXPECT_EQ(test, fake->arg[0], HVISOR_ZONE_POWER_OFF);

	expect_end(test, &zone, SYS_OFF_MODE_RESTART, 1);
	KUNIT_EXPECT_EQ(test, fake->code, HVISOR_CALL_ZONE_CTRL);
	KUNIT_EXPECT_EQ(test, fake->arg[0], HVISOR_ZONE_RESTART);

	zone.features = 0;
	expect_end(test, &zone, SYS_OFF_MODE_POWER_OFF, 0);
	expect_end(test, &zone, SYS_OFF_MODE_RESTART, 0);
}

static struct {
	unsigned int calls;
	unsigned int code;
	u64 what;
} panic_call;

static long fake_panic_call(unsigned int code, u64 arg0, u64 arg1)
{
	panic_call.calls++;
	panic_call.code = code;
	panic_call.what = arg0;

	return -EINVAL;
}

static void hypervisor_is_told_of_a_panic(struct kunit *test)
{
	memset(&panic_call, 0, sizeof(panic_call));
	stand_in_for(test, fake_panic_call, 0);
	KUNIT_EXPECT_EQ(test, tell_of_panic(&panic_block, 0, "for a test"), NOTIFY_DONE);
	hvisor_set_fake(NULL);

	KUNIT_EXPECT_EQ(test, panic_call.calls, 1);
	KUNIT_EXPECT_EQ(test, panic_call.code, HVISOR_CALL_ZONE_CTRL);
	KUNIT_EXPECT_EQ(test, panic_call.what, HVISOR_ZONE_PANIC);
}

static struct {
	unsigned int calls;
	unsigned int code;
	u64 page;
	long result;
} time_call;

static long fake_time_call(unsigned int code, u64 arg0, u64 arg1)
{
	time_call.calls++;
	time_call.code = code;
	time_call.page = arg0;

	return time_call.result;
}

static void time_info_is_asked_for_and_ended(struct kunit *test)
{
	struct hvisor_time_info *info;

	memset(&time_call, 0, sizeof(time_call));
	stand_in_for(test, fake_time_call, 0);
	info = start_time_info();
	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_EXPECT_EQ(test, time_call.calls, 1);
	KUNIT_EXPECT_EQ(test, time_call.code, HVISOR_CALL_TIME_INFO);
	KUNIT_EXPECT_EQ(test, time_call.page, __pa(info));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(time_call.page, PAGE_SIZE));

	end_time_info(&end_time_info_block, 0, NULL);
	KUNIT_EXPECT_EQ(test, time_call.calls, 2);
	KUNIT_EXPECT_EQ(test, time_call.page, 0);
	free_page((unsigned long)info);

	time_call.result = -EINVAL;
	KUNIT_EXPECT_NULL(test, start_time_info());
}

static void time_info_that_changes_is_not_read(struct kunit *test)
{
	struct hvisor_time_info info = { .sequence = 2, .stolen = 12345 };
	u64 stolen = 0;

	KUNIT_EXPECT_EQ(test, read_stolen(&info, &stolen), 0);
	KUNIT_EXPECT_EQ(test, stolen, 12345);
	/* For ever, as a hypervisor may do that is broken */
	info.sequence = 3;
	KUNIT_EXPECT_EQ(test, read_stolen(&info, &stolen), -EAGAIN);
	info.sequence = U32_MAX - 1;
	KUNIT_EXPECT_EQ(test, read_stolen(&info, &stolen), 0);
}

#ifdef CONFIG_SMP
static struct smp_ops real_ops;
static int lost;

/* As ABI 1 does */
static void lose_own_ipi(int cpu, unsigned int action)
{
	if (cpu == raw_smp_processor_id())
		lost++;
	else
		real_ops.send_ipi_single(cpu, action);
}

static void end_lossy_ipi(void *unused)
{
	mp_ops = real_ops;
	/* What was sent is taken before nobody takes it any more */
	kick_all_cpus_sync();
	free_percpu_irq(get_percpu_irq(INT_SWI0), &irq_stat);
}

static void start_lossy_ipi(struct kunit *test)
{
	lost = 0;
	real_ops = mp_ops;
	native_ops.send_ipi_single = lose_own_ipi;
	loongson_init_swi_ipi();
	mp_ops.send_ipi_single = hvisor_send_ipi_single;
	mp_ops.send_ipi_mask = hvisor_send_ipi_mask;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_lossy_ipi, NULL), 0);
}

struct note {
	struct irq_work work;
	struct completion done;
};

static void take_note(struct irq_work *work)
{
	complete(&container_of(work, struct note, work)->done);
}

static void irq_work_runs_though_own_ipis_are_lost(struct kunit *test)
{
	struct note *note = kunit_kzalloc(test, sizeof(*note), GFP_KERNEL);
	int i;

	if (kvm_para_has_feature(KVM_FEATURE_IPI))
		kunit_skip(test, "SWI0 is in use");
	KUNIT_ASSERT_NOT_NULL(test, note);
	start_lossy_ipi(test);

	for (i = 0; i < 10; i++) {
		init_completion(&note->done);
		note->work = IRQ_WORK_INIT_HARD(take_note);
		KUNIT_ASSERT_TRUE(test, irq_work_queue(&note->work));
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&note->done, HZ), 0);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
}

static void ipi_comes_to_all_cpus(struct kunit *test)
{
	unsigned int *before = kunit_kcalloc(test, nr_cpu_ids, sizeof(*before), GFP_KERNEL);
	unsigned long end;
	int cpu;

	if (kvm_para_has_feature(KVM_FEATURE_IPI))
		kunit_skip(test, "SWI0 is in use");
	KUNIT_ASSERT_NOT_NULL(test, before);
	start_lossy_ipi(test);

	for_each_online_cpu(cpu)
		before[cpu] = READ_ONCE(per_cpu(irq_stat, cpu).ipi_irqs[IPI_RESCHEDULE]);
	mp_ops.send_ipi_mask(cpu_online_mask, ACTION_RESCHEDULE);

	end = jiffies + HZ;
	for_each_online_cpu(cpu) {
		while (READ_ONCE(per_cpu(irq_stat, cpu).ipi_irqs[IPI_RESCHEDULE]) == before[cpu] &&
		       time_before(jiffies, end))
			cpu_relax();
		KUNIT_EXPECT_NE_MSG(test, per_cpu(irq_stat, cpu).ipi_irqs[IPI_RESCHEDULE],
				    before[cpu], "CPU %d", cpu);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
}

static unsigned int native_sends;

static void count_native_send(int cpu, unsigned int action)
{
	native_sends++;
}

static struct {
	unsigned int calls;
	unsigned int code;
	u64 cores;
	u64 first;
	/* Of the CPUs that are called, those that would see it */
	unsigned int seen;
	long result;
} ipi_call;

static long fake_ipi_call(unsigned int code, u64 arg0, u64 arg1)
{
	ipi_call.calls++;
	ipi_call.code = code;
	ipi_call.cores = arg0;
	ipi_call.first = arg1;
	for (u64 left = arg0; left; left &= left - 1) {
		atomic_t *message = &per_cpu(irq_stat, cpu_number_map(__ffs64(left))).message;

		/* Nobody interrupts them */
		ipi_call.seen += !!(atomic_fetch_andnot(BIT(ACTION_RESCHEDULE), message) &
				    BIT(ACTION_RESCHEDULE));
	}

	return ipi_call.result;
}

static void end_counting(void *unused)
{
	native_ops = real_ops;
}

/* To all CPUs but this one; returns how many there are */
static unsigned int send_to_others(struct kunit *test, unsigned int action, long result,
				   struct cpumask *others)
{
	int this_cpu = get_cpu();

	cpumask_copy(others, cpu_online_mask);
	cpumask_clear_cpu(this_cpu, others);
	native_sends = 0;
	memset(&ipi_call, 0, sizeof(ipi_call));
	ipi_call.result = result;
	hvisor_send_ipi_mask(others, action);
	put_cpu();

	return cpumask_weight(others);
}

static void ipis_to_others_are_one_call(struct kunit *test)
{
	struct cpumask *others = kunit_kzalloc(test, cpumask_size(), GFP_KERNEL);
	unsigned int count;
	u64 cores = 0;
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, others);
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	real_ops = native_ops;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_counting, NULL), 0);
	native_ops.send_ipi_single = count_native_send;
	stand_in_for(test, fake_ipi_call, HVISOR_FEATURE_IPI_SEND);

	count = send_to_others(test, ACTION_RESCHEDULE, 0, others);
	for_each_cpu(cpu, others)
		cores |= BIT_ULL(cpu_logical_map(cpu));
	KUNIT_EXPECT_EQ(test, ipi_call.calls, 1);
	KUNIT_EXPECT_EQ(test, ipi_call.code, HVISOR_CALL_IPI_SEND);
	KUNIT_EXPECT_EQ(test, ipi_call.cores, cores);
	KUNIT_EXPECT_EQ(test, ipi_call.first, 0);
	KUNIT_EXPECT_EQ(test, ipi_call.seen, count);
	KUNIT_EXPECT_EQ(test, native_sends, 0);

	/* Nothing is lost if the hypervisor doesn't do it */
	count = send_to_others(test, ACTION_RESCHEDULE, -EINVAL, others);
	KUNIT_EXPECT_EQ(test, ipi_call.calls, 1);
	KUNIT_EXPECT_EQ(test, native_sends, count);

	/* A CPU that isn't online has no handler for SWI0 */
	count = send_to_others(test, ACTION_BOOT_CPU, 0, others);
	KUNIT_EXPECT_EQ(test, ipi_call.calls, 0);
	KUNIT_EXPECT_EQ(test, native_sends, count);
}
#endif /* CONFIG_SMP */

static struct kunit_case hvisor_cases[] = {
	KUNIT_CASE(no_zone_makes_no_call),
	KUNIT_CASE(test_stands_in),
	KUNIT_CASE(call_has_arguments_and_a_result),
	KUNIT_CASE(errors_are_those_of_linux),
	KUNIT_CASE(only_calls_of_the_zone_are_made),
	KUNIT_CASE(call_without_its_feature_is_refused),
	KUNIT_CASE_PARAM(zone_is_what_both_say, zone_gen_params),
	KUNIT_CASE(zone_without_a_node_has_a_signature),
	KUNIT_CASE(node_of_another_counts_more_than_a_signature),
	KUNIT_CASE(short_properties_are_not_trusted),
	KUNIT_CASE(results_are_not_trusted),
	KUNIT_CASE(idle_waits_in_the_hypervisor),
#ifdef CONFIG_SERIAL_EARLYCON
	KUNIT_CASE(hypervisor_prints),
#endif
	KUNIT_CASE(zone_is_stopped_and_restarted),
	KUNIT_CASE(hypervisor_is_told_of_a_panic),
	KUNIT_CASE(time_info_is_asked_for_and_ended),
	KUNIT_CASE(time_info_that_changes_is_not_read),
#ifdef CONFIG_SMP
	KUNIT_CASE(irq_work_runs_though_own_ipis_are_lost),
	KUNIT_CASE(ipi_comes_to_all_cpus),
	KUNIT_CASE(ipis_to_others_are_one_call),
#endif
	{}
};

static struct kunit_suite hvisor_suite = {
	.name = "loongarch_hvisor",
	.init = hvisor_test_init,
	.exit = hvisor_test_exit,
	.test_cases = hvisor_cases,
};

kunit_test_suite(hvisor_suite);
