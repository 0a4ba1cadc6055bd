// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the search for a hypervisor's signature
 *
 * CPUCFG traps to a hypervisor, so what counts is how often it is executed. A
 * kprobe on the instruction counts that. CPUs without a hypervisor are told
 * for a moment that they have one; this one then finds no signature.
 */
#include <kunit/test.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kvm_para.h>

#include <asm/cpu.h>
#include <asm/cpu-features.h>
#include <asm/cpu-info.h>
#include <asm/inst.h>

/* cpucfg rd, rj */
#define CPUCFG_MASK	GENMASK(31, 10)
#define CPUCFG_OPCODE	0x00006c00

static atomic_t cpucfg_count;

static int count_cpucfg(struct kprobe *p, struct pt_regs *regs)
{
	atomic_inc(&cpucfg_count);

	return 0;
}

/* The only CPUCFG of kvm_para_available() */
static u32 *find_cpucfg(struct kunit *test)
{
	u32 *insn = (u32 *)kvm_para_available, *end, *found = NULL;
	unsigned long size, offset;

	KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset((unsigned long)insn, &size, &offset));

	for (end = insn + size / sizeof(*insn); insn < end; insn++) {
		if ((*insn & CPUCFG_MASK) != CPUCFG_OPCODE)
			continue;
		KUNIT_ASSERT_NULL_MSG(test, found, "more than one place to look at");
		found = insn;
	}
	KUNIT_ASSERT_NOT_NULL(test, found);

	return found;
}

/* How often do @calls calls trap, where the CPU says there is a hypervisor? */
static int count_traps(struct kunit *test, int calls)
{
	unsigned long long saved = cpu_data[0].options;
	struct kprobe probe = {
		.addr = (kprobe_opcode_t *)find_cpucfg(test),
		.pre_handler = count_cpucfg,
	};

	atomic_set(&cpucfg_count, 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe), 0);

	cpu_data[0].options |= LOONGARCH_CPU_HYPERVISOR;
	while (calls--)
		kvm_para_available();
	cpu_data[0].options = saved;

	unregister_kprobe(&probe);

	return atomic_read(&cpucfg_count);
}

static void looks_for_the_signature_once(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, count_traps(test, 10), 1);
	KUNIT_EXPECT_EQ(test, count_traps(test, 10), 0);
}

static void does_not_look_without_hypervisor(struct kunit *test)
{
	if (cpu_has_hypervisor)
		kunit_skip(test, "there is a hypervisor");

	KUNIT_EXPECT_FALSE(test, kvm_para_available());
}

static struct kunit_case paravirt_cases[] = {
	KUNIT_CASE(looks_for_the_signature_once),
	KUNIT_CASE(does_not_look_without_hypervisor),
	{}
};

static struct kunit_suite paravirt_suite = {
	.name = "loongarch_paravirt",
	.test_cases = paravirt_cases,
};

kunit_test_suite(paravirt_suite);
