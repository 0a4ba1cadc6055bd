// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit test of the timer after a suspend
 *
 * The kernel suspends all that it has, and takes all CPUs but one offline. The
 * test is the platform then: it takes from the CPU what the CPU would not have
 * after a time without power.
 */
#include <kunit/test.h>
#include <linux/acpi.h>
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/timex.h>
#include <linux/workqueue.h>

#include <asm/loongarch.h>
#include <asm/time.h>

static int only_mem(suspend_state_t state)
{
	return state == PM_SUSPEND_MEM;
}

static int lose_timer(suspend_state_t state)
{
	save_counter();
	csr_write(0, LOONGARCH_CSR_TCFG);
	write_csr_tintclear(CSR_TINTCLR_TI);
	csr_write(0, LOONGARCH_CSR_CNTC);
	sync_counter();

	return 0;
}

static const struct platform_suspend_ops losing_ops = {
	.valid = only_mem,
	.enter = lose_timer,
};

struct timeout {
	struct delayed_work work;
	struct completion done;
};

static void end_timeout(struct work_struct *work)
{
	struct timeout *timeout = container_of(work, struct timeout, work.work);

	complete(&timeout->done);
}

static void __init expect_timers(struct kunit *test)
{
	struct timeout timeout;
	int cpu;

	for_each_online_cpu(cpu) {
		init_completion(&timeout.done);
		INIT_DELAYED_WORK_ONSTACK(&timeout.work, end_timeout);
		schedule_delayed_work_on(cpu, &timeout.work, 2);
		KUNIT_EXPECT_NE_MSG(test, wait_for_completion_timeout(&timeout.done, 5 * HZ), 0,
				    "CPU %d", cpu);
		cancel_delayed_work_sync(&timeout.work);
		destroy_delayed_work_on_stack(&timeout.work);
	}
}

static void let_init_freeze(void *init)
{
	((struct task_struct *)init)->flags &= ~PF_NOFREEZE;
}

/* If it is what runs the tests, it waits for this one, and can't be frozen */
static void __init keep_init_from_freezing(struct kunit *test)
{
	struct task_struct *init = init_pid_ns.child_reaper;

	if (init->mm)
		return;

	init->flags |= PF_NOFREEZE;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, let_init_freeze, init), 0);
}

static void __init timer_works_after_suspend(struct kunit *test)
{
	unsigned int cpus = num_online_cpus();
	u64 counter = get_cycles64();
	ktime_t clock = ktime_get_boottime();
	int i;

#ifdef CONFIG_ACPI
	if (!acpi_disabled && acpi_sleep_state_supported(ACPI_STATE_S3))
		kunit_skip(test, "this machine has a suspend of its own");
#endif

	keep_init_from_freezing(test);
	for (i = 0; i < 3; i++) {
		suspend_set_ops(&losing_ops);
		KUNIT_EXPECT_EQ(test, pm_suspend(PM_SUSPEND_MEM), 0);
		suspend_set_ops(NULL);

		KUNIT_EXPECT_GE(test, get_cycles64(), counter);
		KUNIT_EXPECT_GE(test, ktime_get_boottime(), clock);
		counter = get_cycles64();
		clock = ktime_get_boottime();

		KUNIT_EXPECT_EQ(test, num_online_cpus(), cpus);
		expect_timers(test);
	}
}

static struct kunit_case __refdata suspend_cases[] = {
	KUNIT_CASE(timer_works_after_suspend),
	{}
};

static struct kunit_suite suspend_suite = {
	.name = "loongarch_suspend",
	.test_cases = suspend_cases,
};

/* Not at any time: who asks for it then can't be frozen */
kunit_test_init_section_suite(suspend_suite);
