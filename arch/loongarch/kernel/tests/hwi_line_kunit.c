// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the helper that drives a CPU interrupt line
 *
 * They pass on any kernel: it is the helper that is under test, with the line
 * masked. What the kernel makes of the line is for the users of the helper.
 */
#include <kunit/test.h>
#include <linux/delay.h>

#include <asm/loongarch.h>

#include "hwi_line.h"

static const struct {
	const char *name;
	unsigned int hwirq;
} pins[] = {
	{ "HWI2", INT_HWI2 },
	{ "HWI3", INT_HWI3 },
};

KUNIT_ARRAY_PARAM_DESC(pin, pins, name);

static unsigned int pin_hwirq(struct kunit *test)
{
	return ((const typeof(pins[0]) *)test->param_value)->hwirq;
}

static void reopen_pin(void *hwirq)
{
	set_csr_ecfg(BIT((unsigned long)hwirq));
}

/* The kernel opens some pins at boot. Nobody handles them here. */
static struct hwi_line *get_masked_line(struct kunit *test)
{
	unsigned long hwirq = pin_hwirq(test);
	struct hwi_line *line = hwi_line_get(test, hwirq);

	if (read_csr_ecfg() & BIT(hwirq)) {
		clear_csr_ecfg(BIT(hwirq));
		kunit_add_action(test, reopen_pin, (void *)hwirq);
	}

	return line;
}

static void line_raises_and_acks(struct kunit *test)
{
	struct hwi_line *line = get_masked_line(test);

	hwi_line_arm_rescue(line, 1000);

	hwi_line_raise(line);
	KUNIT_EXPECT_TRUE(test, hwi_line_is_high(line));

	hwi_line_ack(line);
	KUNIT_EXPECT_FALSE(test, hwi_line_is_high(line));
	KUNIT_EXPECT_FALSE(test, hwi_line_was_rescued(line));
}

static void line_stays_high(struct kunit *test)
{
	struct hwi_line *line = get_masked_line(test);

	hwi_line_arm_rescue(line, 1000);
	hwi_line_raise(line);
	msleep(50);

	KUNIT_EXPECT_TRUE(test, hwi_line_is_high(line));
	hwi_line_ack(line);
	KUNIT_EXPECT_FALSE(test, hwi_line_was_rescued(line));
}

static void rescue_fires(struct kunit *test)
{
	struct hwi_line *line = get_masked_line(test);

	hwi_line_arm_rescue(line, 20);
	hwi_line_raise(line);
	msleep(100);

	KUNIT_EXPECT_FALSE(test, hwi_line_is_high(line));
	KUNIT_EXPECT_TRUE(test, hwi_line_was_rescued(line));
}

static struct kunit_case hwi_line_cases[] = {
	KUNIT_CASE_PARAM(line_raises_and_acks, pin_gen_params),
	KUNIT_CASE_PARAM(line_stays_high, pin_gen_params),
	KUNIT_CASE_PARAM(rescue_fires, pin_gen_params),
	{}
};

static struct kunit_suite hwi_line_suite = {
	.name = "loongarch_hwi_line",
	.test_cases = hwi_line_cases,
};

kunit_test_suite(hwi_line_suite);
