// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of "nohlt" and "hlt"
 *
 * They call what the two parameters call and look where an interrupt finds
 * the idle task: on its way out of the idle instruction, or in a loop.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <asm/hvisor.h>
#include <asm/idle.h>
#include <asm/inst.h>
#include <asm/irq_regs.h>

#define SAMPLE_US	500
#define SAMPLE_MS	50

static unsigned int asleep, polling;

/* The interrupt entry moves the return address behind the idle instruction */
static bool woken_up(struct pt_regs *regs)
{
	unsigned long start = (unsigned long)__arch_cpu_idle;

	return in_range(instruction_pointer(regs), start, 4 * LOONGARCH_INSN_SIZE);
}

static enum hrtimer_restart take_sample(struct hrtimer *timer)
{
	struct pt_regs *regs = get_irq_regs();

	if (regs && is_idle_task(current)) {
		if (woken_up(regs))
			asleep++;
		else
			polling++;
	}
	hrtimer_forward_now(timer, us_to_ktime(SAMPLE_US));

	return HRTIMER_RESTART;
}

/* Let this CPU go idle and see how */
static void sample_idle(void)
{
	struct hrtimer timer;

	asleep = 0;
	polling = 0;
	hrtimer_setup_on_stack(&timer, take_sample, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);
	migrate_disable();
	hrtimer_start(&timer, us_to_ktime(SAMPLE_US), HRTIMER_MODE_REL_PINNED_HARD);
	msleep(SAMPLE_MS);
	hrtimer_cancel(&timer);
	migrate_enable();
	destroy_hrtimer_on_stack(&timer);
}

/* A CPU that waits in the hypervisor looks as if it polled */
static int idle_test_init(struct kunit *test)
{
	if (hvisor_waits())
		kunit_skip(test, "the hypervisor waits");

	return 0;
}

/* Do what the kernel does when it finds @name on its command line */
static bool __init set_parameter(const char *name)
{
	const struct obs_kernel_param *p;

	for (p = __setup_start; p < __setup_end; p++) {
		if (!p->early && !strcmp(p->str, name))
			return p->setup_func("");
	}

	return false;
}

static void __init nohlt_polls(struct kunit *test)
{
	KUNIT_ASSERT_TRUE_MSG(test, set_parameter("nohlt"), "nohlt is not known");
	sample_idle();
	set_parameter("hlt");

	KUNIT_EXPECT_GT(test, polling, 0);
	KUNIT_EXPECT_EQ(test, asleep, 0);
}

static void __init hlt_sleeps(struct kunit *test)
{
	KUNIT_ASSERT_TRUE_MSG(test, set_parameter("hlt"), "hlt is not known");
	sample_idle();

	KUNIT_EXPECT_GT(test, asleep, 0);
}

static bool booted_polling __initdata;

/* There the idle instruction does not wait */
static void __init zone_polls(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, booted_polling || !hvisor_guest());
}

static int __init remember_idle(struct kunit_suite *suite)
{
	sample_idle();
	booted_polling = polling && !asleep && !hvisor_waits();

	return 0;
}

static void __init restore_idle(struct kunit_suite *suite)
{
	if (booted_polling)
		set_parameter("nohlt");
}

static struct kunit_case __refdata idle_cases[] = {
	KUNIT_CASE(nohlt_polls),
	KUNIT_CASE(hlt_sleeps),
	KUNIT_CASE(zone_polls),
	{}
};

static struct kunit_suite __refdata idle_suite = {
	.name = "loongarch_idle",
	.init = idle_test_init,
	.suite_init = remember_idle,
	.suite_exit = restore_idle,
	.test_cases = idle_cases,
};

kunit_test_init_section_suite(idle_suite);
