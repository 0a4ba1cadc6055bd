// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of how the I/O Virtualization Table is read
 *
 * A table that is right is made wrong in one place at a time. It lies at the end of
 * its memory, so that KASAN finds whoever reads on.
 */
#include <linux/acpi.h>
#include <linux/prandom.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <kunit/test.h>

#include "../iovt.h"
#include "units.h"

#define PCI		BIT(0)
#define PXM		BIT(1)
#define WHOLE		BIT(2)
#define MSI_BYPASS	BIT(4)

#define SINGLE(id)	{ .type = ACPI_IOVT_DEVICE_ENTRY_SINGLE, .length = 8, .device_id = (id) }
#define START(id)	{ .type = ACPI_IOVT_DEVICE_ENTRY_START, .length = 8, .device_id = (id) }
#define END(id)		{ .type = ACPI_IOVT_DEVICE_ENTRY_END, .length = 8, .device_id = (id) }

/* Two units in segment 0, as a 3C6000 has them, and one in segment 1 */
struct sample {
	struct acpi_table_iovt table;
	struct acpi_iovt_iommu a;
	struct acpi_iovt_device_entry list[4];
	struct acpi_iovt_iommu b;
	struct acpi_iovt_iommu c;
} __packed;

static const struct sample sample __initconst = {
	.table = {
		.header = {
			.signature = ACPI_SIG_IOVT,
			.length = sizeof(struct sample),
			.revision = 1,
		},
		.iommu_count = 3,
		.iommu_offset = offsetof(struct sample, a),
	},
	.a = {
		.header.length = offsetof(struct sample, b) - offsetof(struct sample, a),
		.flags = PCI | PXM,
		.phy_width = 48,
		.virt_width = 47,
		.max_page_level = 3,
		.page_size = BIT(14) | BIT(25),
		.device_id = 0x00e8,
		.proximity_domain = 1,
		.max_device_num = 16,
		.device_entry_num = 4,
		.device_entry_offset = sizeof(struct acpi_iovt_iommu),
	},
	.list = { SINGLE(0x10), START(0x100), END(0x1ff), SINGLE(0x20) },
	.b = {
		.header.length = sizeof(struct acpi_iovt_iommu),
		.flags = PCI | WHOLE | MSI_BYPASS,
		.device_id = 0x0c20,
	},
	.c = {
		.header.length = sizeof(struct acpi_iovt_iommu),
		.flags = PCI | WHOLE,
		.segment = 1,
		.device_id = 0x00d0,
	},
};

#define A	"0:00e8 10 20 100-1ff; "
#define B	"0:0c20 *; "
#define C	"1:00d0 *; "

#define SET(member, bits, val)	{ offsetof(struct sample, member), (bits) / 8, (val) }

static const struct sample_case {
	const char *name;
	struct change changes[4];
	bool keep_checksum;
	/* Which units there are, and their devices; NULL if the table isn't used */
	const char *want;
} cases[] = {
	{ .name = "nothing is wrong", .want = A B C },

	/* The table */
	{ "shorter than its header", { SET(table.header.length, 32, 47) } },
	{ "no length", { SET(table.header.length, 32, 0) } },
	{ "longer than its memory", { SET(table.header.length, 32, sizeof(sample) + 1) } },
	{ "as long as can be", { SET(table.header.length, 32, U32_MAX) } },
	{ "revision 0", { SET(table.header.revision, 8, 0) } },
	{ "revision 2", { SET(table.header.revision, 8, 2) }, .want = A B C },
	{ "wrong checksum", { SET(table.reserved, 64, 1) }, .keep_checksum = true },
	{ "no IOMMU", { SET(table.iommu_count, 16, 0), SET(table.iommu_offset, 16, 0) },
	  .want = "" },
	{ "first IOMMU in the header", { SET(table.iommu_offset, 16, 47) } },
	{ "first IOMMU at 0", { SET(table.iommu_offset, 16, 0) } },
	{ "first IOMMU not whole", { SET(table.iommu_offset, 16, sizeof(sample) - 63) } },
	{ "first IOMMU behind the end", { SET(table.iommu_offset, 16, U16_MAX) } },
	{ "last IOMMU is the first", { SET(table.iommu_count, 16, 1),
	  SET(table.iommu_offset, 16, offsetof(struct sample, c)) }, .want = C },

	/* Structures */
	{ "one IOMMU too many", { SET(table.iommu_count, 16, 4) }, .want = A B C },
	{ "far too many IOMMUs", { SET(table.iommu_count, 16, U16_MAX) }, .want = A B C },
	{ "less IOMMUs than there are", { SET(table.iommu_count, 16, 1) }, .want = A },
	{ "structure of length 0", { SET(b.header.length, 16, 0) }, .want = A },
	{ "short structure", { SET(b.header.length, 16, 63) }, .want = A },
	{ "first structure short", { SET(a.header.length, 16, 63) }, .want = "" },
	{ "structure beyond the end", { SET(b.header.length, 16, 129) }, .want = A },
	{ "structure far beyond the end", { SET(b.header.length, 16, U16_MAX) }, .want = A },
	{ "structure up to the end", { SET(b.header.length, 16, 128) }, .want = A B },
	{ "unknown type", { SET(b.header.type, 16, 1) }, .want = A C },
	{ "unknown type of length 0", { SET(b.header.type, 16, 1), SET(b.header.length, 16, 0) },
	  .want = A },
	{ "last of a short unknown type", { SET(c.header.type, 16, U16_MAX),
	  SET(c.header.length, 16, 4) }, .want = A B },

	/* Units */
	{ "own id of 17 bits", { SET(a.device_id, 32, 0x10000) }, .want = B C },
	{ "the same function twice", { SET(b.device_id, 32, 0x00e8) }, .want = A C },
	{ "the same id in another segment", { SET(c.device_id, 32, 0x00e8) },
	  .want = A B "1:00e8 *; " },
	{ "no PCI function, no address", { SET(a.flags, 32, 0),
	  SET(a.address_space_size, 32, 0x400) }, .want = B C },
	{ "no PCI function, few registers", { SET(a.flags, 32, 0), SET(a.base_address, 64, 0x1000),
	  SET(a.address_space_size, 32, 0x13f) }, .want = B C },
	{ "no PCI function", { SET(a.flags, 32, 0), SET(a.base_address, 64, 0x1000),
	  SET(a.address_space_size, 32, 0x140) }, .want = "0:none 10 20 100-1ff; " B C },
	{ "31 bits of physical address", { SET(a.phy_width, 16, 31) }, .want = B C },
	{ "32 bits of physical address", { SET(a.phy_width, 16, 32) }, .want = A B C },
	{ "65 bits of physical address", { SET(a.phy_width, 16, 65) }, .want = B C },
	{ "31 bits of virtual address", { SET(a.virt_width, 16, 31) }, .want = B C },
	{ "64 bits of virtual address", { SET(a.virt_width, 16, 64) }, .want = A B C },
	{ "65 bits of virtual address", { SET(a.virt_width, 16, U16_MAX) }, .want = B C },
	{ "no widths", { SET(a.phy_width, 16, 0), SET(a.virt_width, 16, 0) }, .want = A B C },
	{ "pages of 4 KiB only", { SET(a.page_size, 64, BIT(12)) }, .want = B C },
	{ "no page sizes", { SET(a.page_size, 64, 0) }, .want = A B C },
	{ "one level", { SET(a.max_page_level, 16, 1) }, .want = B C },
	{ "two levels", { SET(a.max_page_level, 16, 2) }, .want = B C },
	{ "four levels", { SET(a.max_page_level, 16, 4) }, .want = B C },
	{ "no levels", { SET(a.max_page_level, 16, 0) }, .want = A B C },
	{ "no number of devices", { SET(a.max_device_num, 32, 0) }, .want = A B C },
	{ "unknown flags", { SET(a.flags, 32, ~(u32)WHOLE) }, .want = A B C },

	/* Lists */
	{ "list in the structure's head", { SET(a.device_entry_offset, 32, 63) }, .want = B C },
	{ "list one byte beyond the structure", { SET(a.device_entry_offset, 32, 65) },
	  .want = B C },
	{ "list one entry beyond the structure", { SET(a.device_entry_num, 32, 5) }, .want = B C },
	{ "list far beyond the structure", { SET(a.device_entry_offset, 32, U32_MAX) },
	  .want = B C },
	{ "4 Gi entries", { SET(a.device_entry_num, 32, U32_MAX) }, .want = B C },
	{ "512 Mi entries, of which 32 bits see none", { SET(a.device_entry_num, 32, BIT(29)) },
	  .want = B C },
	{ "no list", { SET(a.device_entry_num, 32, 0) }, .want = "0:00e8; " B C },
	{ "no list, at no place", { SET(a.device_entry_num, 32, 0),
	  SET(a.device_entry_offset, 32, U32_MAX) }, .want = "0:00e8; " B C },
	{ "list and the whole segment", { SET(a.flags, 32, PCI | WHOLE) },
	  .want = "0:00e8 *; " B C },
	{ "bad list and the whole segment", { SET(b.device_entry_num, 32, U32_MAX) },
	  .want = A B C },
	{ "entry of length 0", { SET(list[1].length, 8, 0) }, .want = B C },
	{ "entry of length 4", { SET(list[0].length, 8, 4) }, .want = B C },
	{ "entry of length 255", { SET(list[3].length, 8, 255) }, .want = B C },
	{ "entry of unknown type", { SET(list[0].type, 8, 3) },
	  .want = "0:00e8 20 100-1ff; " B C },
	{ "unknown type inside of a range", { SET(list[0].type, 8, 1), SET(list[1].type, 8, 255) },
	  .want = "0:00e8 10-1ff; " B C },
	{ "end without start", { SET(list[1].type, 8, 2) }, .want = "0:00e8 10 20; " B C },
	{ "start after start", { SET(list[0].type, 8, 1) },
	  .want = "0:00e8 20 100-1ff; " B C },
	{ "start before single", { SET(list[2].type, 8, 1) }, .want = "0:00e8 10 20; " B C },
	{ "start as last", { SET(list[3].type, 8, 1) }, .want = "0:00e8 10 100-1ff; " B C },
	{ "end before start", { SET(list[2].device_id, 16, 0xff) }, .want = "0:00e8 10 20; " B C },
	{ "range of one", { SET(list[2].device_id, 16, 0x100) },
	  .want = "0:00e8 10 20 100; " B C },
	{ "all ids", { SET(list[1].device_id, 16, 0), SET(list[2].device_id, 16, U16_MAX) },
	  .want = "0:00e8 0-ffff; " B C },
	{ "the same twice", { SET(list[0].device_id, 16, 0x20) },
	  .want = "0:00e8 20 100-1ff; " B C },
	{ "inside of a range", { SET(list[3].device_id, 16, 0x1ff) },
	  .want = "0:00e8 10 100-1ff; " B C },
};

KUNIT_ARRAY_PARAM_DESC(iovt, cases, name);

/* Parsing is over, but for a list of units */
void __init free_units(struct list_head *units)
{
	struct iovt_unit *unit, *next;

	list_for_each_entry_safe(unit, next, units, node) {
		list_del(&unit->node);
		kfree(unit);
	}
}

/* Its segment and place, and its devices; * is the whole segment */
static void __init print_unit(struct seq_buf *text, const struct iovt_unit *unit)
{
	seq_buf_printf(text, "%x:", unit->segment);
	if (unit->is_pci)
		seq_buf_printf(text, "%04x", unit->rid);
	else
		seq_buf_puts(text, "none");

	if (unit->whole_segment)
		seq_buf_puts(text, " *");
	for (int i = 0; i < unit->nr_ranges; i++) {
		const struct iovt_range *range = &unit->ranges[i];

		seq_buf_printf(text, " %x", range->first);
		if (range->last != range->first)
			seq_buf_printf(text, "-%x", range->last);
	}
	seq_buf_puts(text, "; ");
}

/* Of as much as there is of @table, which says itself how long it is */
void __init add_checksum(void *table, size_t size)
{
	struct acpi_table_header *header = table;
	u8 sum = 0;

	size = min_t(size_t, header->length, size);
	header->checksum = 0;
	for (size_t i = 0; i < size; i++)
		sum += ((u8 *)table)[i];
	header->checksum = -sum;
}

/* Let a table be wrong */
void __init change_table(void *table, const struct change *changes, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		memcpy(table + changes[i].at, &changes[i].value, changes[i].size);
}

/* Parse @size bytes of @table, which end where their memory ends */
int __init parse_copy(struct kunit *test, iovt_parser parser, const void *table, size_t size,
		      bool odd, struct list_head *units)
{
	void *memory = kunit_kmalloc(test, size + odd, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memcpy(memory + odd, table, size);
	ret = parser(memory + odd, size, units);
	kunit_kfree(test, memory);

	return ret;
}

/* At any address, and all of them; @want is NULL if the table isn't used */
void __init expect_units(struct kunit *test, iovt_parser parser, const void *table, size_t size,
			 const char *want)
{
	char text[256];

	for (int odd = 0; odd < 2; odd++) {
		struct seq_buf result;
		struct iovt_unit *unit;
		LIST_HEAD(units);
		int ret;

		seq_buf_init(&result, text, sizeof(text));
		ret = parse_copy(test, parser, table, size, odd, &units);
		list_for_each_entry(unit, &units, node)
			print_unit(&result, unit);
		free_units(&units);

		KUNIT_EXPECT_EQ(test, ret, want ? 0 : -EINVAL);
		KUNIT_EXPECT_STREQ(test, seq_buf_str(&result), want ?: "");
	}
}

static int __init parse(struct kunit *test, const void *table, size_t size, bool odd,
			struct list_head *units)
{
	return parse_copy(test, iovt_parse, table, size, odd, units);
}

static void __init only_what_is_wrong_is_refused(struct kunit *test)
{
	const struct sample_case *this = test->param_value;
	struct sample table = sample;

	change_table(&table, this->changes, ARRAY_SIZE(this->changes));
	if (!this->keep_checksum)
		add_checksum(&table, sizeof(table));
	expect_units(test, iovt_parse, &table, sizeof(table), this->want);
}

static void __init table_cut_anywhere_is_refused(struct kunit *test)
{
	struct sample table = sample;
	LIST_HEAD(units);

	add_checksum(&table, sizeof(table));
	for (size_t size = 0; size < sizeof(table); size += 3)
		KUNIT_EXPECT_EQ(test, parse(test, &table, size, false, &units), -EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&units));
}

static void __init driver_is_told_what_firmware_says(struct kunit *test)
{
	struct sample table = sample;
	struct iovt_unit *a, *b;
	LIST_HEAD(units);

	add_checksum(&table, sizeof(table));
	KUNIT_ASSERT_EQ(test, parse(test, &table, sizeof(table), false, &units), 0);
	a = iovt_find_self(&units, 0, 0x00e8);
	b = iovt_find_self(&units, 0, 0x0c20);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);

	KUNIT_EXPECT_EQ(test, a->info.ias, 47);
	KUNIT_EXPECT_EQ(test, a->info.oas, 48);
	KUNIT_EXPECT_EQ(test, a->info.max_devices, 16);
	KUNIT_EXPECT_FALSE(test, a->info.msi_bypass);
	KUNIT_EXPECT_TRUE(test, a->has_pxm);
	KUNIT_EXPECT_EQ(test, a->pxm, 1);

	KUNIT_EXPECT_EQ(test, b->info.ias, 0);
	KUNIT_EXPECT_EQ(test, b->info.oas, 0);
	KUNIT_EXPECT_EQ(test, b->info.max_devices, 0);
	KUNIT_EXPECT_TRUE(test, b->info.msi_bypass);
	KUNIT_EXPECT_FALSE(test, b->has_pxm);

	free_units(&units);
}

struct long_sample {
	struct acpi_table_iovt table;
	struct acpi_iovt_iommu iommu;
	struct acpi_iovt_device_entry list[];
} __packed;

/* A structure's length has 16 bits */
static void __init longest_list_fits(struct kunit *test)
{
	const unsigned int nr = (U16_MAX - sizeof(struct acpi_iovt_iommu)) / 8;
	struct long_sample *table;
	size_t size = sizeof(*table) + nr * 8;
	struct iovt_unit *unit;
	LIST_HEAD(units);
	u8 sum = 0;

	table = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	table->table = sample.table;
	table->table.header.length = size;
	table->table.iommu_count = 1;
	table->iommu = sample.a;
	table->iommu.header.length = sizeof(table->iommu) + nr * 8;
	table->iommu.device_entry_num = nr;
	for (int i = 0; i < nr; i++)
		table->list[i] = (struct acpi_iovt_device_entry)SINGLE(2 * (nr - i));
	for (size_t i = 0; i < size; i++)
		sum += ((u8 *)table)[i];
	table->table.header.checksum = -sum;

	KUNIT_ASSERT_EQ(test, parse(test, table, size, false, &units), 0);
	unit = iovt_find_self(&units, 0, 0x00e8);
	KUNIT_ASSERT_NOT_NULL(test, unit);
	KUNIT_ASSERT_EQ(test, unit->nr_ranges, nr);
	for (int i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, unit->ranges[i].first, 2 * (i + 1));
		KUNIT_ASSERT_EQ(test, unit->ranges[i].last, 2 * (i + 1));
	}
	free_units(&units);
}

/* Whatever is in it, a list is in order, without overlap, and not longer than the table */
static void __init check_lists(struct kunit *test, struct list_head *units)
{
	struct iovt_unit *unit;

	list_for_each_entry(unit, units, node) {
		KUNIT_ASSERT_LE(test, unit->nr_ranges, sizeof(struct sample) / 8);
		for (int i = 0; i < unit->nr_ranges; i++) {
			KUNIT_ASSERT_LE(test, unit->ranges[i].first, unit->ranges[i].last);
			if (i)
				KUNIT_ASSERT_GT(test, unit->ranges[i].first,
						unit->ranges[i - 1].last);
		}
	}
}

static void __init random_bytes_do_no_harm(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int used = 0;

	prandom_seed_state(&rnd, 1);
	/* Each has a message or two, and more than the log holds would push out results */
	for (int i = 0; i < 100; i++) {
		struct sample table = sample;
		u8 *bytes = (u8 *)&table;
		LIST_HEAD(units);

		for (u32 n = prandom_u32_state(&rnd) % 8; n; n--)
			bytes[prandom_u32_state(&rnd) % sizeof(table)] =
				prandom_u32_state(&rnd);
		add_checksum(&table, sizeof(table));

		parse(test, &table, sizeof(table), false, &units);
		used += !list_empty(&units);
		check_lists(test, &units);
		free_units(&units);
	}
	/* Or it would not have seen much */
	KUNIT_EXPECT_GT(test, used, 50);
}

/* --- who is behind what */

static const struct {
	u16 segment;
	u16 rid;
	/* The unit's own segment and id; 0 if the device is behind none */
	u32 want;
} devices[] = {
	{ 0, 0x0010, 0x000e8 },		/* In the first unit's list */
	{ 0, 0x0100, 0x000e8 },
	{ 0, 0x0180, 0x000e8 },
	{ 0, 0x01ff, 0x000e8 },
	{ 0, 0x0020, 0x000e8 },
	{ 0, 0x0000, 0x00c20 },		/* Not in it */
	{ 0, 0x000f, 0x00c20 },
	{ 0, 0x0011, 0x00c20 },
	{ 0, 0x00ff, 0x00c20 },
	{ 0, 0x0200, 0x00c20 },
	{ 0, 0xffff, 0x00c20 },
	{ 0, 0x00e8, 0 },		/* Units themselves */
	{ 0, 0x0c20, 0 },
	{ 1, 0x00d0, 0 },
	{ 1, 0x0010, 0x100d0 },		/* What is something else in segment 0 */
	{ 1, 0x00e8, 0x100d0 },
	{ 0, 0x00d0, 0x00c20 },
	{ 2, 0x0010, 0 },		/* A segment without a unit */
};

static void __init expect_behind(struct kunit *test, struct list_head *units, u16 segment,
				 u16 rid, u32 want)
{
	struct iovt_unit *unit = iovt_find(units, segment, rid);

	KUNIT_EXPECT_EQ_MSG(test, unit ? unit->segment << 16 | unit->rid : 0, want,
			    "%x:%04x", segment, rid);
}

static void __init list_comes_before_segment(struct kunit *test)
{
	struct sample table = sample;
	LIST_HEAD(units);

	add_checksum(&table, sizeof(table));
	KUNIT_ASSERT_EQ(test, parse(test, &table, sizeof(table), false, &units), 0);
	for (int i = 0; i < ARRAY_SIZE(devices); i++)
		expect_behind(test, &units, devices[i].segment, devices[i].rid, devices[i].want);
	free_units(&units);
}

static void __init unit_is_behind_no_unit(struct kunit *test)
{
	struct sample table = sample;
	LIST_HEAD(units);

	/* It lists itself and the other one, which has all of the segment */
	table.list[0].device_id = table.a.device_id;
	table.list[3].device_id = table.b.device_id;
	add_checksum(&table, sizeof(table));
	KUNIT_ASSERT_EQ(test, parse(test, &table, sizeof(table), false, &units), 0);
	expect_behind(test, &units, 0, table.a.device_id, 0);
	expect_behind(test, &units, 0, table.b.device_id, 0);
	expect_behind(test, &units, 0, 0x0100, 0x000e8);
	free_units(&units);
}

static void __init first_of_two_has_the_device(struct kunit *test)
{
	struct sample table = sample;
	LIST_HEAD(units);

	/* Two units with all of the segment */
	table.a.flags |= WHOLE;
	add_checksum(&table, sizeof(table));
	KUNIT_ASSERT_EQ(test, parse(test, &table, sizeof(table), false, &units), 0);
	expect_behind(test, &units, 0, 0x0100, 0x000e8);
	free_units(&units);

	/* Two units with the same list: the second one's is what was the third unit */
	table.a.flags &= ~WHOLE;
	table.b.flags &= ~WHOLE;
	table.b.header.length = 2 * sizeof(table.b);
	table.b.device_entry_num = 2;
	table.b.device_entry_offset = sizeof(table.b);
	((struct acpi_iovt_device_entry *)&table.c)[0] =
		(struct acpi_iovt_device_entry)SINGLE(0x0180);
	((struct acpi_iovt_device_entry *)&table.c)[1] =
		(struct acpi_iovt_device_entry)SINGLE(0x0300);
	table.table.iommu_count = 2;
	add_checksum(&table, sizeof(table));
	KUNIT_ASSERT_EQ(test, parse(test, &table, sizeof(table), false, &units), 0);
	expect_behind(test, &units, 0, 0x0180, 0x000e8);
	expect_behind(test, &units, 0, 0x0300, 0x00c20);
	free_units(&units);
}

static struct kunit_case __refdata iovt_cases[] = {
	KUNIT_CASE_PARAM(only_what_is_wrong_is_refused, iovt_gen_params),
	KUNIT_CASE(table_cut_anywhere_is_refused),
	KUNIT_CASE(driver_is_told_what_firmware_says),
	KUNIT_CASE(longest_list_fits),
	KUNIT_CASE(random_bytes_do_no_harm),
	KUNIT_CASE(list_comes_before_segment),
	KUNIT_CASE(unit_is_behind_no_unit),
	KUNIT_CASE(first_of_two_has_the_device),
	{ }
};

static struct kunit_suite iovt_suite = {
	.name = "acpi_iovt",
	.test_cases = iovt_cases,
};
kunit_test_init_section_suite(iovt_suite);

MODULE_DESCRIPTION("KUnit tests of the I/O Virtualization Table");
MODULE_LICENSE("GPL");
