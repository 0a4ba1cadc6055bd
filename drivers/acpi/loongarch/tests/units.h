/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of tables that are made wrong in one place at a time have in common
 */
#ifndef _ACPI_LOONGARCH_TESTS_UNITS_H
#define _ACPI_LOONGARCH_TESTS_UNITS_H

#include <linux/list.h>
#include <linux/types.h>
#include <kunit/test.h>

#include "../iovt.h"

/* What is written where into a table, before its checksum is right again */
struct change {
	unsigned int at;
	unsigned int size;
	u64 value;
};

typedef int (*iovt_parser)(const void *table, size_t size, struct list_head *units);

void add_checksum(void *table, size_t size);
void change_table(void *table, const struct change *changes, unsigned int nr);
int parse_copy(struct kunit *test, iovt_parser parser, const void *table, size_t size, bool odd,
	       struct list_head *units);
void expect_units(struct kunit *test, iovt_parser parser, const void *table, size_t size,
		  const char *want);
void free_units(struct list_head *units);

#endif
