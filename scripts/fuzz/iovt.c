// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer against how the kernel reads ACPI's I/O Virtualization Table and IVRS
 *
 * The input is the table; only its checksum is corrected, as few inputs would get
 * beyond it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/acpi.h>

#include "iovt.h"

#define ID_STEP	0x11

static void correct_checksum(uint8_t *table, size_t size)
{
	struct acpi_table_header *header = (void *)table;
	uint8_t sum = 0;

	if (size < sizeof(*header) || header->length > size)
		return;
	for (uint32_t i = 0; i < header->length; i++)
		sum += table[i];
	header->checksum -= sum;
}

/* In order and without overlap, or iovt_find() would not find what is there */
static void check_list(const struct iovt_unit *unit, size_t size)
{
	if (unit->nr_ranges > size / 4)
		abort();
	for (unsigned int i = 0; i < unit->nr_ranges; i++) {
		if (unit->ranges[i].first > unit->ranges[i].last)
			abort();
		if (i && unit->ranges[i].first <= unit->ranges[i - 1].last)
			abort();
	}
}

static void parse(const uint8_t *table, size_t size, struct list_head *units)
{
	if (size >= 4 && !memcmp(table, ACPI_SIG_IVRS, 4))
		ivrs_parse(table, size, units);
	else
		iovt_parse(table, size, units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iovt_unit *unit, *next;
	LIST_HEAD(units);
	/* Misaligned, and not a byte longer than it is */
	uint8_t *memory = malloc(size + 1);

	if (!memory)
		abort();
	memcpy(memory + 1, data, size);
	correct_checksum(memory + 1, size);
	parse(memory + 1, size, &units);
	free(memory);

	list_for_each_entry_safe(unit, next, &units, node) {
		check_list(unit, size);
		if (unit->is_pci && iovt_find(&units, unit->segment, unit->rid))
			abort();
		for (uint32_t id = 0; id <= UINT16_MAX; id += ID_STEP)
			iovt_find(&units, unit->segment, id);
		list_del(&unit->node);
		free(unit);
	}

	return 0;
}
