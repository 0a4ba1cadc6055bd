// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the comparison of counter and real-time clock
 *
 * counter_check.c includes them.
 */
#include <kunit/device.h>
#include <kunit/test.h>

/* Both intervals: seconds of the clock, and what the counter has of its rate */
static const struct rate_case {
	const char *name;
	int seconds[2];
	int percent[2];
	bool reported;
} rate_cases[] = {
	{ "right", { 32, 32 }, { 100, 100 }, false },
	{ "a second more and less", { 31, 33 }, { 103, 97 }, false },
	{ "half", { 64, 64 }, { 50, 50 }, true },
	{ "slow with idle, slower without", { 36, 64 }, { 88, 50 }, true },
	{ "twice as fast", { 16, 16 }, { 200, 200 }, true },
	{ "slow for once", { 64, 32 }, { 50, 100 }, false },
	{ "fast for once", { 32, 16 }, { 100, 200 }, false },
	{ "clock set forth by a minute", { 92, 32 }, { 34, 100 }, false },
	{ "clock set forth and back", { 92, 12 }, { 34, 266 }, false },
	{ "clock set back", { -3600, 32 }, { 100, 100 }, false },
	{ "clock set forth by years and minutes", { 100000000, 92 }, { 0, 34 }, false },
	{ "clock stands still", { 0, 0 }, { 100, 100 }, false },
};

KUNIT_ARRAY_PARAM_DESC(rate, rate_cases, name);

static void wrong_rate_is_reported(struct kunit *test)
{
	const struct rate_case *param = test->param_value;
	struct reading readings[3] = { { .counter = 12345, .clock = 1795560000 } };
	int i;

	for (i = 0; i < 2; i++) {
		int seconds = param->seconds[i] > 0 ? param->seconds[i] : INTERVAL_S;

		readings[i + 1].clock = readings[i].clock + param->seconds[i];
		readings[i + 1].counter = readings[i].counter +
			div_u64(const_clock_freq * seconds * param->percent[i], 100);
	}

	KUNIT_EXPECT_EQ(test, report_rate(readings), param->reported);
}

static int read_time(struct device *dev, struct rtc_time *tm)
{
	rtc_time64_to_tm(1795560000, tm);

	return 0;
}

static int read_no_time(struct device *dev, struct rtc_time *tm)
{
	return -EINVAL;
}

static const struct rtc_class_ops good_clock = { .read_time = read_time };
static const struct rtc_class_ops bad_clock = { .read_time = read_no_time };

static void clock_is_read(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "counter_check");
	struct reading reading = {};
	struct rtc_device *rtc;
	u64 before = get_cycles64();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	rtc = devm_rtc_allocate_device(dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rtc);
	rtc->ops = &good_clock;

	KUNIT_EXPECT_EQ(test, read_both(rtc, &reading), 0);
	KUNIT_EXPECT_EQ(test, reading.clock, 1795560000);
	KUNIT_EXPECT_GE(test, reading.counter, before);
	KUNIT_EXPECT_LE(test, reading.counter, get_cycles64());

	rtc->ops = &bad_clock;
	KUNIT_EXPECT_EQ(test, read_both(rtc, &reading), -EINVAL);
}

static struct kunit_case counter_check_cases[] = {
	KUNIT_CASE_PARAM(wrong_rate_is_reported, rate_gen_params),
	KUNIT_CASE(clock_is_read),
	{}
};

static struct kunit_suite counter_check_suite = {
	.name = "loongarch_counter_check",
	.test_cases = counter_check_cases,
};

kunit_test_suite(counter_check_suite);
