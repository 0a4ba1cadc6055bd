// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local I/O interrupt controller
 *
 * The driver includes them.
 */
#include <kunit/test.h>
#include <linux/bitops.h>

static void core_is_one_of_the_node(struct kunit *test)
{
	unsigned int core;

	for (core = 0; core < 64; core++) {
		KUNIT_EXPECT_EQ(test, hweight8(liointc_core(core)), 1);
		KUNIT_EXPECT_EQ(test, __ffs(liointc_core(core)), core & 3);
	}
}

static struct kunit_case liointc_cases[] = {
	KUNIT_CASE(core_is_one_of_the_node),
	{}
};

static struct kunit_suite liointc_suite = {
	.name = "loongson_liointc",
	.test_cases = liointc_cases,
};

kunit_test_suite(liointc_suite);
