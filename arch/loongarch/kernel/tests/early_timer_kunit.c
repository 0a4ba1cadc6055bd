// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of a timer whose interrupt comes early
 *
 * The timer of this CPU is started behind the kernel's back, so that its
 * interrupt comes when nothing is due. In a zone of hvisor, what the kernel had
 * asked for is lost by that, too: versions of hvisor do both. Elsewhere nobody
 * would start a periodic timer again.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/of.h>
#include <linux/preempt.h>
#include <linux/timex.h>

#include <asm/hvisor.h>
#include <asm/hw_irq.h>
#include <asm/loongarch.h>
#include <asm/time.h>

#define INTERRUPTS	1000
/* Of these, what may come when something other than a tick is due */
#define NOT_EARLY	100

static const char * const zones[] = {
	"loongson,ls3a6000-hvisor-nonroot",
	"loongson,ls3a6000-hvisor-root",
	"loongson,ls3a5000-root",
	NULL
};

static bool is_zone(void)
{
	return hvisor_guest() || of_machine_compatible_match(zones);
}

static bool raise_timer_interrupt(void)
{
	unsigned long flags, config;
	bool raised;
	u64 end;

	local_irq_save(flags);
	config = csr_read(LOONGARCH_CSR_TCFG);
	csr_write(BIT(CSR_TCFG_VAL_SHIFT) | CSR_TCFG_EN, LOONGARCH_CSR_TCFG);
	end = get_cycles64() + div_u64(const_clock_freq, 10);
	do {
		raised = csr_read(LOONGARCH_CSR_ESTAT) & BIT(INT_TI);
	} while (!raised && get_cycles64() < end);
	if (!is_zone())
		csr_write(config, LOONGARCH_CSR_TCFG);
	local_irq_restore(flags);

	return raised;
}

struct wakeup {
	struct hrtimer timer;
	struct completion done;
	ktime_t late;
};

static enum hrtimer_restart wake_up_test(struct hrtimer *timer)
{
	struct wakeup *wakeup = container_of(timer, struct wakeup, timer);

	wakeup->late = ktime_sub(ktime_get(), hrtimer_get_expires(timer));
	complete(&wakeup->done);

	return HRTIMER_NORESTART;
}

/* Only a zone of hvisor asks the counter: it costs something */
static void early_interrupts_are_dropped_in_zones(struct kunit *test)
{
	int before = atomic_read(&irq_err_count), dropped, i;
	u64 start = get_cycles64(), ticks;

	for (i = 0; i < INTERRUPTS; i++)
		KUNIT_ASSERT_TRUE(test, raise_timer_interrupt());
	dropped = atomic_read(&irq_err_count) - before;
	/* Not by jiffies: those count early ticks as well if nobody drops them */
	ticks = div64_u64((get_cycles64() - start) * HZ, const_clock_freq);
	kunit_info(test, "%d of %d dropped\n", dropped, INTERRUPTS);

	if (is_zone())
		KUNIT_EXPECT_GE(test, dropped + ticks, INTERRUPTS - NOT_EARLY);
	else
		KUNIT_EXPECT_EQ(test, dropped, 0);
}

static void event_comes_in_spite_of_early_interrupts(struct kunit *test)
{
	struct wakeup wakeup = {};
	ktime_t end;

	init_completion(&wakeup.done);
	hrtimer_setup_on_stack(&wakeup.timer, wake_up_test, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);
	migrate_disable();
	hrtimer_start(&wakeup.timer, ms_to_ktime(50), HRTIMER_MODE_REL_PINNED_HARD);
	end = ktime_add_ms(ktime_get(), 40);
	while (ktime_before(ktime_get(), end))
		raise_timer_interrupt();
	migrate_enable();

	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&wakeup.done, 5 * HZ), 0);
	KUNIT_EXPECT_GE(test, ktime_to_ns(wakeup.late), 0);
	hrtimer_cancel(&wakeup.timer);
	destroy_hrtimer_on_stack(&wakeup.timer);
}

static struct kunit_case early_timer_cases[] = {
	KUNIT_CASE(early_interrupts_are_dropped_in_zones),
	KUNIT_CASE(event_comes_in_spite_of_early_interrupts),
	{}
};

static struct kunit_suite early_timer_suite = {
	.name = "loongarch_early_timer",
	.test_cases = early_timer_cases,
};

kunit_test_suite(early_timer_suite);
