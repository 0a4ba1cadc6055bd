// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit test of the sysrq key that dumps the TLBs
 *
 * The dump runs on the other CPUs in an IPI, where PREEMPT_RT must not sleep.
 * What is tested is that the kernel's own checkers have nothing to say, so it
 * needs them: CONFIG_DEBUG_ATOMIC_SLEEP and PREEMPT_RT, or CONFIG_PROVE_LOCKING.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/sysrq.h>
#include <linux/workqueue.h>

static void report_work(struct work_struct *work) { }
static void report_ipi(void *unused) { }

/*
 * The key's handler queues a work item that sends an IPI and waits for
 * neither. Follow it: through the queue of every CPU, then with an IPI of our
 * own. A waiting caller overtakes the others once, so do that twice.
 */
static void wait_for_dump(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, schedule_on_each_cpu(report_work), 0);
	msleep(200);
	on_each_cpu(report_ipi, NULL, 1);
	on_each_cpu(report_ipi, NULL, 1);
}

static void tlb_dump_is_clean_on_all_cpus(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs a second CPU");
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) &&
	    !(IS_ENABLED(CONFIG_PREEMPT_RT) && IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP)))
		kunit_skip(test, "nothing would complain");
	if (!debug_locks || test_taint(TAINT_WARN))
		kunit_skip(test, "something complained before, a second time it may not");

	handle_sysrq('x');
	wait_for_dump(test);

	KUNIT_EXPECT_TRUE_MSG(test, debug_locks, "lockdep found something");
	KUNIT_EXPECT_FALSE_MSG(test, test_taint(TAINT_WARN), "the kernel printed a warning");
}

static struct kunit_case sysrq_cases[] = {
	KUNIT_CASE_SLOW(tlb_dump_is_clean_on_all_cpus),
	{}
};

static struct kunit_suite sysrq_suite = {
	.name = "loongarch_sysrq",
	.test_cases = sysrq_cases,
};

kunit_test_suite(sysrq_suite);
