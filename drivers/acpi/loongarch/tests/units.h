/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of tables do with the units that were found
 */
#ifndef _ACPI_LOONGARCH_TESTS_UNITS_H
#define _ACPI_LOONGARCH_TESTS_UNITS_H

#include <linux/list.h>
#include <linux/seq_buf.h>

#include "../iovt.h"

void free_units(struct list_head *units);
void print_unit(struct seq_buf *text, const struct iovt_unit *unit);

#endif
