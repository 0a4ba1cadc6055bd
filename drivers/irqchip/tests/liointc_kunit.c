// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local I/O interrupt controller
 *
 * The driver includes them.
 */
#include <kunit/test.h>
#include <linux/bitops.h>

/* Every node has a controller of its own, with numbers of its own for its cores */
static void route_is_one_core_of_the_node(struct kunit *test)
{
	unsigned int core;
	int line;

	for (core = 0; core < 64; core++) {
		for (line = 0; line < LIOINTC_NUM_PARENT; line++) {
			u8 route = liointc_route(BIT(line), core);

			KUNIT_ASSERT_EQ(test, route >> 4, BIT(line));
			KUNIT_ASSERT_EQ(test, hweight8(route & 0xf), 1);
			KUNIT_ASSERT_EQ(test, __ffs(route & 0xf), core & 3);
		}
	}
}

static struct kunit_case liointc_cases[] = {
	KUNIT_CASE(route_is_one_core_of_the_node),
	{}
};

static struct kunit_suite liointc_suite = {
	.name = "loongson_liointc",
	.test_cases = liointc_cases,
};

kunit_test_suite(liointc_suite);
