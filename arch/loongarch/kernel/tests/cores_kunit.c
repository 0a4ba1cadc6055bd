// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of which core a CPU is
 *
 * On most systems both have the same numbers. It takes a kernel that was started
 * on another core than 0 to see a mistake.
 */
#include <kunit/test.h>
#include <linux/acpi.h>
#include <linux/cpumask.h>
#include <linux/limits.h>
#include <linux/of.h>
#include <linux/smp.h>

#include <asm/bootinfo.h>
#include <asm/loongarch.h>

static void read_core(void *core)
{
	*(u64 *)core = read_csr_cpuid() & CSR_CPUID_COREID;
}

static u64 core_of(struct kunit *test, unsigned int cpu)
{
	u64 core;

	KUNIT_ASSERT_EQ(test, smp_call_function_single(cpu, read_core, &core, 1), 0);

	return core;
}

static void map_has_the_cores(struct kunit *test)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, cpu_logical_map(cpu), core_of(test, cpu));
}

static void device_tree_has_the_cores(struct kunit *test)
{
	struct device_node *node;
	unsigned int cpu;

	if (!of_have_populated_dt())
		kunit_skip(test, "needs a device tree");

	for_each_online_cpu(cpu) {
		node = of_get_cpu_node(cpu, NULL);
		KUNIT_EXPECT_EQ(test, of_get_cpu_hwid(node, 0), cpu_logical_map(cpu));
		of_node_put(node);
	}
}

#ifdef CONFIG_SMP
struct cores {
	int cpus[NR_CORE_IDS];
	struct cpumask taken;
};

/* The boot CPU is core @boot_core */
static struct cores *boot_cores(struct kunit *test, unsigned int boot_core)
{
	struct cores *cores = kunit_kzalloc(test, sizeof(*cores), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, cores);
	for (i = 0; i < NR_CORE_IDS; i++)
		cores->cpus[i] = -1;
	cores->cpus[boot_core] = 0;
	cpumask_set_cpu(0, &cores->taken);

	return cores;
}

static void cores_become_cpus_in_turn(struct kunit *test)
{
	struct cores *cores = boot_cores(test, 2);
	unsigned int cpu, core;

	for (cpu = 1; cpu < min(ARRAY_SIZE(__cpu_logical_map), 64); cpu++) {
		core = NR_CORE_IDS - cpu;
		KUNIT_EXPECT_EQ(test, cpu,
				loongson_cpu_for_core(core, cores->cpus, &cores->taken));
		cores->cpus[core] = cpu;
		set_bit(cpu, cpumask_bits(&cores->taken));
	}
}

static void last_cpu_is_the_last(struct kunit *test)
{
	struct cores *cores = boot_cores(test, 2);

	bitmap_fill(cpumask_bits(&cores->taken), ARRAY_SIZE(__cpu_logical_map));
	KUNIT_EXPECT_EQ(test, -ENOSPC, loongson_cpu_for_core(7, cores->cpus, &cores->taken));

	clear_bit(ARRAY_SIZE(__cpu_logical_map) - 1, cpumask_bits(&cores->taken));
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(__cpu_logical_map) - 1,
			loongson_cpu_for_core(7, cores->cpus, &cores->taken));
}

static void every_core_can_become_a_cpu(struct kunit *test)
{
	struct cores *cores = boot_cores(test, 0);
	unsigned int core;

	for (core = 1; core < NR_CORE_IDS; core++)
		KUNIT_EXPECT_EQ(test, 1,
				loongson_cpu_for_core(core, cores->cpus, &cores->taken));
}

static void core_becomes_one_cpu(struct kunit *test)
{
	struct cores *cores = boot_cores(test, 2);

	KUNIT_EXPECT_EQ(test, -EEXIST, loongson_cpu_for_core(2, cores->cpus, &cores->taken));
}

static void impossible_core_is_ignored(struct kunit *test)
{
	/* The last but one looks like 2 in 32 bits, the last is "no reg property" */
	static const u64 cores_of_nobody[] = {
		NR_CORE_IDS, U32_MAX, BIT_ULL(32) | 2, U64_MAX
	};
	struct cores *cores = boot_cores(test, 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(cores_of_nobody); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL, loongson_cpu_for_core(cores_of_nobody[i],
								     cores->cpus, &cores->taken));
}
#endif

static struct kunit_case cores_cases[] = {
	KUNIT_CASE(map_has_the_cores),
	KUNIT_CASE(device_tree_has_the_cores),
#ifdef CONFIG_SMP
	KUNIT_CASE(cores_become_cpus_in_turn),
	KUNIT_CASE(last_cpu_is_the_last),
	KUNIT_CASE(every_core_can_become_a_cpu),
	KUNIT_CASE(core_becomes_one_cpu),
	KUNIT_CASE(impossible_core_is_ignored),
#endif
	{}
};

static struct kunit_suite cores_suite = {
	.name = "loongarch_cores",
	.test_cases = cores_cases,
};

kunit_test_suite(cores_suite);
