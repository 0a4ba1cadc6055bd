// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit test of a CPU that is offline
 *
 * It sleeps with its IPI open, since an IPI is what brings it back. Nothing
 * but that may come of an IPI: RCU does not watch the CPU any more.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kernel_stat.h>
#include <linux/smp.h>

#include <asm/irq.h>
#include <asm/loongarch.h>

#define CPU	1

static void offline_cpu_handles_no_interrupt(struct kunit *test)
{
	unsigned int irq = get_percpu_irq(INT_IPI), before, after;

	if (!cpu_online(CPU) || !get_cpu_device(CPU) || !cpu_is_hotpluggable(CPU))
		kunit_skip(test, "needs a second CPU that can go offline");

	KUNIT_ASSERT_EQ(test, remove_cpu(CPU), 0);
	before = kstat_irqs_cpu(irq, CPU);
	mp_ops.send_ipi_single(CPU, ACTION_RESCHEDULE);
	mdelay(20);
	after = kstat_irqs_cpu(irq, CPU);

	KUNIT_EXPECT_EQ(test, after, before);
	KUNIT_EXPECT_EQ_MSG(test, add_cpu(CPU), 0, "the IPI was its last one");
}

static struct kunit_case cpuhp_cases[] = {
	KUNIT_CASE(offline_cpu_handles_no_interrupt),
	{}
};

static struct kunit_suite cpuhp_suite = {
	.name = "loongarch_cpuhp",
	.test_cases = cpuhp_cases,
};

kunit_test_suite(cpuhp_suite);
