// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of a CPU that is offline, and that comes back
 *
 * It sleeps with its IPI open, since an IPI is what brings it back. Nothing
 * but that may come of an IPI: RCU does not watch the CPU any more.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel_stat.h>
#include <linux/ktime.h>
#include <linux/smp.h>
#include <linux/timex.h>

#include <asm/irq.h>
#include <asm/loongarch.h>

#define CPU	1

static void needs_cpu(struct kunit *test)
{
	if (!cpu_online(CPU) || !get_cpu_device(CPU) || !cpu_is_hotpluggable(CPU))
		kunit_skip(test, "needs a second CPU that can go offline");
}

static void offline_cpu_handles_no_interrupt(struct kunit *test)
{
	unsigned int irq = get_percpu_irq(INT_IPI), before, after;

	needs_cpu(test);
	KUNIT_ASSERT_EQ(test, remove_cpu(CPU), 0);
	before = kstat_irqs_cpu(irq, CPU);
	mp_ops.send_ipi_single(CPU, ACTION_RESCHEDULE);
	mdelay(20);
	after = kstat_irqs_cpu(irq, CPU);

	KUNIT_EXPECT_EQ(test, after, before);
	KUNIT_EXPECT_EQ_MSG(test, add_cpu(CPU), 0, "the IPI was its last one");
}

struct pinned_timer {
	struct hrtimer timer;
	struct completion expired;
	int cpu;
};

static enum hrtimer_restart note_cpu(struct hrtimer *timer)
{
	struct pinned_timer *pinned = container_of(timer, struct pinned_timer, timer);

	pinned->cpu = smp_processor_id();
	complete(&pinned->expired);

	return HRTIMER_NORESTART;
}

static void start_timer(void *info)
{
	struct pinned_timer *pinned = info;

	hrtimer_start(&pinned->timer, ms_to_ktime(1), HRTIMER_MODE_REL_PINNED_HARD);
}

static void cancel_timer(void *info)
{
	struct pinned_timer *pinned = info;

	hrtimer_cancel(&pinned->timer);
}

static void timer_works_when_a_cpu_is_back(struct kunit *test)
{
	struct pinned_timer *pinned;
	int i;

	needs_cpu(test);
	pinned = kunit_kzalloc(test, sizeof(*pinned), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pinned);
	hrtimer_setup(&pinned->timer, note_cpu, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, cancel_timer, pinned), 0);

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, remove_cpu(CPU), 0);
		KUNIT_ASSERT_EQ(test, add_cpu(CPU), 0);

		init_completion(&pinned->expired);
		pinned->cpu = -1;
		KUNIT_ASSERT_EQ(test, smp_call_function_single(CPU, start_timer, pinned, 1), 0);
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&pinned->expired, 5 * HZ), 0);
		KUNIT_EXPECT_EQ(test, pinned->cpu, CPU);
	}
}

static void read_counter(void *counter)
{
	*(u64 *)counter = get_cycles64();
}

static void counter_is_one_for_all_cpus(struct kunit *test)
{
	u64 before, there, after;
	unsigned int cpu;
	int i;

	needs_cpu(test);
	KUNIT_ASSERT_EQ(test, remove_cpu(CPU), 0);
	KUNIT_ASSERT_EQ(test, add_cpu(CPU), 0);

	for_each_online_cpu(cpu) {
		for (i = 0; i < 100; i++) {
			before = get_cycles64();
			KUNIT_ASSERT_EQ(test, smp_call_function_single(cpu, read_counter,
								       &there, 1), 0);
			after = get_cycles64();
			KUNIT_ASSERT_LE(test, before, there);
			KUNIT_ASSERT_LE(test, there, after);
		}
	}
}

static struct kunit_case cpuhp_cases[] = {
	KUNIT_CASE(offline_cpu_handles_no_interrupt),
	KUNIT_CASE(timer_works_when_a_cpu_is_back),
	KUNIT_CASE(counter_is_one_for_all_cpus),
	{}
};

static struct kunit_suite cpuhp_suite = {
	.name = "loongarch_cpuhp",
	.test_cases = cpuhp_cases,
};

kunit_test_suite(cpuhp_suite);
