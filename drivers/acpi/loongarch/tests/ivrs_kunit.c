// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of how an IVRS is read
 *
 * A table that is right is made wrong in one place at a time. It lies at the end of
 * its memory, so that KASAN finds whoever reads on.
 */
#include <linux/acpi.h>
#include <kunit/test.h>

#include "../iovt.h"
#include "units.h"

#define ALL		{ ACPI_IVRS_TYPE_ALL }
#define SELECT(rid)	{ ACPI_IVRS_TYPE_SELECT, (rid) }
#define START(rid)	{ ACPI_IVRS_TYPE_START, (rid) }
#define END(rid)	{ ACPI_IVRS_TYPE_END, (rid) }

/* A unit with a list, memory that nobody asks for, and a unit with a segment */
struct ivrs_sample {
	struct acpi_table_ivrs table;
	struct acpi_ivrs_hardware_10 a;
	struct acpi_ivrs_de_header list[6];
	struct acpi_ivrs_header memory;
	u8 rest[26];
	struct acpi_ivrs_hardware_11 b;
	struct acpi_ivrs_de_header all;
} __packed;

static const struct ivrs_sample ivrs_sample __initconst = {
	.table.header = {
		.signature = ACPI_SIG_IVRS,
		.length = sizeof(struct ivrs_sample),
		.revision = 2,
	},
	.a = {
		.header = {
			.type = ACPI_IVRS_TYPE_HARDWARE1,
			.length = offsetof(struct ivrs_sample, memory) -
				  offsetof(struct ivrs_sample, a),
			.device_id = 0x00d0,
		},
	},
	/* The last two are one of 8 bytes */
	.list = { SELECT(0x10), START(0x100), END(0x1ff), SELECT(0x20),
		  { ACPI_IVRS_TYPE_SPECIAL, 0x30 }, SELECT(0x40) },
	.memory = {
		.type = ACPI_IVRS_TYPE_MEMORY1,
		.length = sizeof(struct acpi_ivrs_header) + 26,
	},
	.b = {
		.header = {
			.type = ACPI_IVRS_TYPE_HARDWARE2,
			.length = sizeof(struct ivrs_sample) - offsetof(struct ivrs_sample, b),
			.device_id = 0x00d0,
		},
		.pci_segment_group = 1,
	},
	.all = ALL,
};

#define A	"0:00d0 10 20 100-1ff; "
#define B	"1:00d0 *; "

#define SET(member, bits, val)	{ offsetof(struct ivrs_sample, member), (bits) / 8, (val) }

static const struct ivrs_case {
	const char *name;
	struct change changes[3];
	bool keep_checksum;
	/* Which units there are, and their devices; NULL if the table isn't used */
	const char *want;
} ivrs_cases[] = {
	{ .name = "nothing is wrong", .want = A B },

	/* The table */
	{ "shorter than its header", { SET(table.header.length, 32, 47) } },
	{ "longer than its memory", { SET(table.header.length, 32, sizeof(ivrs_sample) + 1) } },
	{ "as long as can be", { SET(table.header.length, 32, U32_MAX) } },
	{ "revision 0", { SET(table.header.revision, 8, 0) } },
	{ "wrong checksum", { SET(table.reserved, 64, 1) }, .keep_checksum = true },
	{ "no block", { SET(table.header.length, 32, 48) }, .want = "" },
	{ "first block not whole", { SET(table.header.length, 32, 48 + 23) }, .want = "" },
	{ "five bytes of a block", { SET(table.header.length, 32, 48 + 5) }, .want = "" },

	/* Blocks */
	{ "block of length 0", { SET(a.header.length, 16, 0) }, .want = "" },
	{ "short block", { SET(a.header.length, 16, 23) }, .want = "" },
	{ "short block of the later kind", { SET(b.header.length, 16, 39) }, .want = A },
	{ "block beyond the end", { SET(b.header.length, 16, 45) }, .want = A },
	{ "block far beyond the end", { SET(a.header.length, 16, U16_MAX) }, .want = "" },
	{ "unknown block of length 0", { SET(memory.length, 16, 0) }, .want = A },
	{ "unknown block beyond the end", { SET(memory.length, 16, U16_MAX) }, .want = A },
	{ "unknown type", { SET(a.header.type, 8, 0xff) }, .want = B },
	{ "the latest type", { SET(b.header.type, 8, ACPI_IVRS_TYPE_HARDWARE3) }, .want = A B },
	{ "block without entries", { SET(b.header.length, 16, 40),
	  SET(table.header.length, 32, sizeof(ivrs_sample) - 4) }, .want = A "1:00d0; " },

	/* The same function twice */
	{ "of a higher type", { SET(b.pci_segment_group, 16, 0) }, .want = "0:00d0 *; " },
	{ "of a lower type", { SET(a.header.type, 8, ACPI_IVRS_TYPE_HARDWARE3),
	  SET(b.pci_segment_group, 16, 0) }, .want = "0:00d0; " },
	{ "of the same type", { SET(a.header.type, 8, ACPI_IVRS_TYPE_HARDWARE2),
	  SET(b.pci_segment_group, 16, 0) }, .want = "0:00d0; " },
	{ "of a higher type that is wrong", { SET(b.pci_segment_group, 16, 0),
	  SET(all.type, 8, 0x80) }, .want = A },

	/* Lists */
	{ "padding", { SET(list[0].type, 8, ACPI_IVRS_TYPE_PAD4) },
	  .want = "0:00d0 20 100-1ff; " B },
	{ "unknown type", { SET(list[0].type, 8, 5) }, .want = "0:00d0 20 100-1ff; " B },
	{ "type without a length", { SET(list[0].type, 8, 0x80) }, .want = B },
	{ "text that runs over", { SET(list[0].type, 8, ACPI_IVRS_TYPE_HID),
	  SET(list[5].id, 16, U16_MAX) }, .want = B },
	{ "text that fits", { SET(list[0].type, 8, ACPI_IVRS_TYPE_HID), SET(list[5].id, 16, 2) },
	  .want = "0:00d0; " B },
	{ "text without room for its length", { SET(list[1].type, 8, ACPI_IVRS_TYPE_HID) },
	  .want = B },
	{ "last entry not whole", { SET(list[5].type, 8, ACPI_IVRS_TYPE_SPECIAL),
	  SET(list[4].type, 8, ACPI_IVRS_TYPE_PAD4) }, .want = B },
	{ "end without start", { SET(list[1].type, 8, ACPI_IVRS_TYPE_END) },
	  .want = "0:00d0 10 20; " B },
	{ "start after start", { SET(list[0].type, 8, ACPI_IVRS_TYPE_START) },
	  .want = "0:00d0 20 100-1ff; " B },
	{ "start as last", { SET(list[3].type, 8, ACPI_IVRS_TYPE_START) },
	  .want = "0:00d0 10 100-1ff; " B },
	{ "end before start", { SET(list[2].id, 16, 0xff) }, .want = "0:00d0 10 20; " B },
	{ "the same twice", { SET(list[3].id, 16, 0x10) }, .want = "0:00d0 10 100-1ff; " B },
	{ "inside of a range", { SET(list[3].id, 16, 0x1ff) }, .want = "0:00d0 10 100-1ff; " B },
	{ "all ids", { SET(list[1].id, 16, 0), SET(list[2].id, 16, U16_MAX) },
	  .want = "0:00d0 0-ffff; " B },
	{ "all and a list", { SET(list[0].type, 8, ACPI_IVRS_TYPE_ALL) }, .want = "0:00d0 *; " B },
};

KUNIT_ARRAY_PARAM_DESC(ivrs, ivrs_cases, name);

static void __init only_what_is_wrong_is_refused(struct kunit *test)
{
	const struct ivrs_case *this = test->param_value;
	struct ivrs_sample table = ivrs_sample;

	change_table(&table, this->changes, ARRAY_SIZE(this->changes));
	if (!this->keep_checksum)
		add_checksum(&table, sizeof(table));
	expect_units(test, ivrs_parse, &table, sizeof(table), this->want);
}

static void __init table_cut_anywhere_is_refused(struct kunit *test)
{
	struct ivrs_sample table = ivrs_sample;
	LIST_HEAD(units);

	add_checksum(&table, sizeof(table));
	for (size_t size = 0; size < sizeof(table); size += 3)
		KUNIT_EXPECT_EQ(test, parse_copy(test, ivrs_parse, &table, size, false, &units),
				-EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&units));
}

static void __init driver_is_told_what_is_known(struct kunit *test)
{
	struct ivrs_sample table = ivrs_sample;
	struct iovt_unit *unit;
	LIST_HEAD(units);
	int ret;

	add_checksum(&table, sizeof(table));
	ret = parse_copy(test, ivrs_parse, &table, sizeof(table), false, &units);
	KUNIT_ASSERT_EQ(test, ret, 0);
	unit = iovt_find_self(&units, 0, 0x00d0);
	KUNIT_ASSERT_NOT_NULL(test, unit);
	KUNIT_EXPECT_EQ(test, unit->info.ias, 0);
	KUNIT_EXPECT_EQ(test, unit->info.oas, 0);
	KUNIT_EXPECT_EQ(test, unit->info.max_devices, 0);
	KUNIT_EXPECT_TRUE(test, unit->info.msi_bypass);
	free_units(&units);
}

static struct kunit_case __refdata ivrs_test_cases[] = {
	KUNIT_CASE_PARAM(only_what_is_wrong_is_refused, ivrs_gen_params),
	KUNIT_CASE(table_cut_anywhere_is_refused),
	KUNIT_CASE(driver_is_told_what_is_known),
	{}
};

static struct kunit_suite ivrs_suite = {
	.name = "acpi_ivrs",
	.test_cases = ivrs_test_cases,
};

kunit_test_init_section_suite(ivrs_suite);

MODULE_DESCRIPTION("KUnit tests of the IVRS of LoongArch machines");
MODULE_LICENSE("GPL");
