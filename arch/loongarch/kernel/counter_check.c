// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the stable counter run at its rate?
 *
 * All of the kernel's clocks go by it, so that none of them can tell. The
 * machine's real-time clock can, if only in seconds. Nothing is corrected
 * here: a counter that a hypervisor stops now and then has no rate.
 */
#define pr_fmt(fmt) "Constant timer: " fmt

#include <linux/array_size.h>
#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include <linux/rtc.h>
#include <linux/timex.h>
#include <linux/workqueue.h>

#include <asm/time.h>

/* Of the counter. A second more or less is to be less than half of TOLERANCE. */
#define INTERVAL_S	32
/* In percent */
#define TOLERANCE	10
/* The clock's driver may come late, and the clock may still have to be set */
#define ATTEMPTS	16

struct reading {
	u64 counter;
	time64_t clock;
};

/* In percent of what it should be, or negative if the clock can't tell */
static s64 counter_rate(const struct reading *from, const struct reading *to)
{
	time64_t seconds = to->clock - from->clock;

	/* Too short for its seconds, or somebody has set it */
	if (seconds < INTERVAL_S / 16 || seconds > INTERVAL_S * 64)
		return -1;

	return div64_u64((to->counter - from->counter) * 100, const_clock_freq * seconds);
}

static bool is_slow(s64 rate)
{
	return rate >= 0 && rate < 100 - TOLERANCE;
}

static bool is_fast(s64 rate)
{
	return rate > 100 + TOLERANCE;
}

/* One interval can be off because the clock was set in it, but not both */
static bool report_rate(const struct reading *readings)
{
	s64 first = counter_rate(&readings[0], &readings[1]);
	s64 second = counter_rate(&readings[1], &readings[2]);

	if (!(is_slow(first) && is_slow(second)) && !(is_fast(first) && is_fast(second)))
		return false;

	pr_warn("%llu counts in %lld s of the real-time clock, with %llu Hz: %lld%% of its rate\n",
		readings[2].counter - readings[0].counter,
		readings[2].clock - readings[0].clock, const_clock_freq,
		counter_rate(&readings[0], &readings[2]));

	return true;
}

static int read_both(struct rtc_device *rtc, struct reading *reading)
{
	struct rtc_time tm;
	int ret = rtc_read_time(rtc, &tm);

	if (ret)
		return ret;

	reading->counter = get_cycles64();
	reading->clock = rtc_tm_to_time64(&tm);

	return 0;
}

static void compare(struct work_struct *work);
static DECLARE_DELAYED_WORK(comparison, compare);

static void compare(struct work_struct *work)
{
	struct rtc_device *rtc __free(rtc_class_close) = rtc_class_open("rtc0");
	static unsigned int nr, attempts;
	static struct reading readings[3];

	if (rtc && !read_both(rtc, &readings[nr]) && ++nr == ARRAY_SIZE(readings))
		report_rate(readings);
	else if (++attempts < ATTEMPTS)
		schedule_delayed_work(&comparison, INTERVAL_S * HZ);
}

static int __init start_comparison(void)
{
	if (timer_is_checked)
		schedule_delayed_work(&comparison, 0);

	return 0;
}
late_initcall(start_comparison);

#if IS_ENABLED(CONFIG_LOONGARCH_COUNTER_CHECK_KUNIT_TEST)
#include "tests/counter_check_kunit.c"
#endif
