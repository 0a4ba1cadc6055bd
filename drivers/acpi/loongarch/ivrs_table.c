// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O Virtualization Reporting Structure: from bytes to units
 *
 * Firmware of Loongson machines that is older than the IOVT describes its IOMMUs
 * by this table of AMD. It is read like the IOVT, with which it has the rules in
 * common: the smallest part that holds a mistake is refused.
 *
 * A function may have several blocks, of which the one of the highest type counts.
 */
#define pr_fmt(fmt) "ACPI: IVRS: " fmt

#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "iovt.h"

/* Types below this say their length by their two upper bits */
#define IVRS_ENTRY_LONG		0x80

/* Where an entry that names a device by text has the length of the last text */
#define IVRS_HID_LENGTH		21

/* --- the devices of a unit */

/* Length of an entry that has @left bytes at most; 0 if it can't be right */
static u32 __init ivrs_entry_length(const u8 *entry, u32 left)
{
	u32 length = 0;

	if (entry[0] < IVRS_ENTRY_LONG)
		length = 4 << (entry[0] >> 6);
	else if (entry[0] == ACPI_IVRS_TYPE_HID && left > IVRS_HID_LENGTH)
		length = IVRS_HID_LENGTH + 1 + entry[IVRS_HID_LENGTH];

	return length <= left ? length : 0;
}

/* What has no place on the bus is not what devices are looked for by */
static void __init ivrs_read_entry(const struct acpi_ivrs_de_header *entry,
				   struct iovt_list *list, struct iovt_unit *unit)
{
	switch (entry->type) {
	case ACPI_IVRS_TYPE_ALL:
		unit->whole_segment = true;
		break;
	case ACPI_IVRS_TYPE_SELECT:
		iovt_list_single(list, entry->id);
		break;
	case ACPI_IVRS_TYPE_START:
		iovt_list_start(list, entry->id);
		break;
	case ACPI_IVRS_TYPE_END:
		iovt_list_end(list, entry->id);
		break;
	}
}

static int __init ivrs_read_list(const u8 *at, const u8 *end, struct iovt_unit *unit,
				 unsigned int index)
{
	struct iovt_list list = { .ranges = unit->ranges };
	u32 length;

	for (unsigned int i = 0; at < end; i++, at += length) {
		length = ivrs_entry_length(at, end - at);
		if (!length) {
			pr_err(FW_BUG "block %u: entry %u of type 0x%x does not fit\n", index, i,
			       *at);
			return -EINVAL;
		}
		ivrs_read_entry((const void *)at, &list, unit);
	}
	iovt_list_close(&list);
	unit->nr_ranges = unit->whole_segment ? 0 : list.nr;

	if (list.bad)
		pr_warn(FW_BUG "block %u: %u entries are not a range\n", index, list.bad);

	return 0;
}

/* --- blocks */

/* Length of what a block has before its entries; 0 if it is of another kind */
static u32 __init ivrs_head_length(u8 type)
{
	switch (type) {
	case ACPI_IVRS_TYPE_HARDWARE1:
		return sizeof(struct acpi_ivrs_hardware_10);
	case ACPI_IVRS_TYPE_HARDWARE2:
	case ACPI_IVRS_TYPE_HARDWARE3:
		return sizeof(struct acpi_ivrs_hardware_11);
	default:
		return 0;
	}
}

static struct iovt_unit * __init ivrs_unit_create(const struct acpi_ivrs_hardware_10 *block,
						  unsigned int index)
{
	const u8 *entries = (const u8 *)block + ivrs_head_length(block->header.type);
	const u8 *end = (const u8 *)block + block->header.length;
	u32 nr = (end - entries) / sizeof(struct acpi_ivrs_de_header);
	struct iovt_unit *unit;
	int ret;

	unit = kzalloc_flex(*unit, ranges, nr);
	if (!unit)
		return ERR_PTR(-ENOMEM);

	/* Room for each entry to be a range, until the list is closed */
	unit->nr_ranges = nr;
	ret = ivrs_read_list(entries, end, unit, index);
	if (ret) {
		kfree(unit);
		return ERR_PTR(ret);
	}

	unit->segment = block->pci_segment_group;
	unit->is_pci = true;
	unit->rid = block->header.device_id;
	unit->type = block->header.type;
	/* There is nowhere to say it, and such units are believed to do it */
	unit->info.msi_bypass = true;

	return unit;
}

static int __init ivrs_add_block(const struct acpi_ivrs_hardware_10 *block, unsigned int index,
				 struct list_head *units)
{
	struct iovt_unit *earlier = iovt_find_self(units, block->pci_segment_group,
						   block->header.device_id);
	struct iovt_unit *unit;

	if (earlier && earlier->type == block->header.type)
		pr_err(FW_BUG "block %u is not used: an earlier one is of the same function\n",
		       index);
	if (earlier && earlier->type >= block->header.type)
		return 0;

	unit = ivrs_unit_create(block, index);
	if (IS_ERR(unit))
		return PTR_ERR(unit) == -ENOMEM ? -ENOMEM : 0;

	if (earlier) {
		list_del(&earlier->node);
		kfree(earlier);
	}
	if (!unit->whole_segment && !unit->nr_ranges)
		pr_info("block %u has no devices\n", index);
	if (iovt_is_listed_before(units, unit))
		pr_warn(FW_BUG "block %u has devices of an earlier one in its list\n", index);
	list_add_tail(&unit->node, units);

	return 0;
}

/* Length of a block that has @left bytes at most; 0 if it can't be right */
static u32 __init ivrs_block_length(const struct acpi_ivrs_header *header, u32 left)
{
	u32 min = sizeof(*header);

	if (left < min)
		return 0;
	min = ivrs_head_length(header->type) ?: min;
	if (header->length < min || header->length > left)
		return 0;

	return header->length;
}

/**
 * ivrs_parse() - read an IVRS
 * @table: the table, at any address
 * @size: how many bytes may be read
 * @units: what is found is added to this
 *
 * The layout is that of AMD's I/O Virtualization Technology specification.
 *
 * Return: 0, also for a table of which only parts could be used; -EINVAL for one
 * that could not be used; -ENOMEM.
 */
int __init ivrs_parse(const void *table, size_t size, struct list_head *units)
{
	const struct acpi_table_ivrs *ivrs = table;
	const char *problem = iovt_header_problem(&ivrs->header, sizeof(*ivrs), size);
	const void *at = ivrs + 1, *end;
	u32 length;

	if (problem) {
		pr_err(FW_BUG "not used: %s\n", problem);
		return -EINVAL;
	}

	end = table + ivrs->header.length;
	for (unsigned int i = 0; at < end; i++, at += length) {
		const struct acpi_ivrs_header *header = at;
		int ret;

		length = ivrs_block_length(header, end - at);
		if (!length) {
			pr_err(FW_BUG "block %u does not fit; it and later ones are not used\n",
			       i);
			return 0;
		}
		ret = ivrs_head_length(header->type) ? ivrs_add_block(at, i, units) : 0;
		if (ret)
			return ret;
	}
	if (list_empty(units))
		pr_info("has no IOMMU\n");

	return 0;
}
