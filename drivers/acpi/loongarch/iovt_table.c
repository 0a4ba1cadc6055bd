// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O Virtualization Table: from bytes to units
 *
 * Nothing is known of the bytes but how many there are. The smallest part that
 * holds a mistake is refused, and the message names it; devices of a part that
 * was refused are not translated. No ACPI and no PCI in here, so that a fuzzer
 * can have it on any machine.
 */
#define pr_fmt(fmt) "ACPI: IOVT: " fmt

#include <linux/acpi.h>
#include <linux/bits.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "iovt.h"

/* Flags of a unit; ACPICA has no names for them */
#define IOVT_PCI		BIT(0)
#define IOVT_HAS_PXM		BIT(1)
#define IOVT_WHOLE_SEGMENT	BIT(2)
#define IOVT_CAPABILITIES	BIT(3)
#define IOVT_MSI_BYPASS		BIT(4)
#define IOVT_FLAGS		GENMASK(4, 0)

/* Registers end here at the earliest */
#define IOVT_MIN_REGS		0x140

/* The only page table that is known has this many levels, of pages of 16 KiB */
#define IOVT_LEVELS		3

/* --- the devices of a unit */

static void __init iovt_list_add(struct iovt_list *list, u16 first, u16 last)
{
	list->ranges[list->nr++] = (struct iovt_range){ first, last };
}

/* A range that began and does not end is none */
static void __init iovt_list_drop(struct iovt_list *list)
{
	list->bad += list->open;
	list->open = false;
}

/**
 * iovt_list_single() - add a device to a list
 * @list: the list
 * @rid: requester id of the device
 */
void __init iovt_list_single(struct iovt_list *list, u16 rid)
{
	iovt_list_drop(list);
	iovt_list_add(list, rid, rid);
}

/**
 * iovt_list_start() - begin a range of a list
 * @list: the list
 * @first: its first requester id
 */
void __init iovt_list_start(struct iovt_list *list, u16 first)
{
	iovt_list_drop(list);
	list->open = true;
	list->first = first;
}

/**
 * iovt_list_end() - end a range of a list
 * @list: the list
 * @last: its last requester id
 */
void __init iovt_list_end(struct iovt_list *list, u16 last)
{
	if (list->open && list->first <= last)
		iovt_list_add(list, list->first, last);
	else
		list->bad++;
	list->open = false;
}

static void __init iovt_list_entry(struct iovt_list *list,
				   const struct acpi_iovt_device_entry *entry)
{
	switch (entry->type) {
	case ACPI_IOVT_DEVICE_ENTRY_SINGLE:
		iovt_list_single(list, entry->device_id);
		break;
	case ACPI_IOVT_DEVICE_ENTRY_START:
		iovt_list_start(list, entry->device_id);
		break;
	case ACPI_IOVT_DEVICE_ENTRY_END:
		iovt_list_end(list, entry->device_id);
		break;
	default:
		list->bad++;
		break;
	}
}

static int __init iovt_compare(const void *a, const void *b)
{
	const struct iovt_range *left = a, *right = b;

	return left->first - right->first;
}

/**
 * iovt_list_close() - end a list
 * @list: the list, which is in order then, and without overlap
 */
void __init iovt_list_close(struct iovt_list *list)
{
	unsigned int nr = 0;

	iovt_list_drop(list);
	sort(list->ranges, list->nr, sizeof(*list->ranges), iovt_compare, NULL);
	for (int i = 0; i < list->nr; i++) {
		struct iovt_range *next = &list->ranges[i];
		struct iovt_range *last = nr ? &list->ranges[nr - 1] : NULL;

		if (last && next->first <= last->last)
			last->last = max(last->last, next->last);
		else
			list->ranges[nr++] = *next;
	}
	list->nr = nr;
}

/* @list has room for @nr ranges */
static int __init iovt_read_list(const struct acpi_iovt_device_entry *entries, u32 nr,
				 struct iovt_list *list, unsigned int index)
{
	for (u32 i = 0; i < nr; i++) {
		if (entries[i].length != sizeof(entries[i])) {
			pr_err(FW_BUG "IOMMU %u: entry %u has length %u\n", index, i,
			       entries[i].length);
			return -EINVAL;
		}
		iovt_list_entry(list, &entries[i]);
	}
	iovt_list_close(list);

	if (list->bad)
		pr_warn(FW_BUG "IOMMU %u: %u entries are of no known type, or not a range\n",
			index, list->bad);

	return 0;
}

static bool __init iovt_list_fits(const struct acpi_iovt_iommu *iommu)
{
	if (!iommu->device_entry_num)
		return true;

	return iommu->device_entry_offset >= sizeof(*iommu) &&
	       iommu->device_entry_offset +
	       (u64)iommu->device_entry_num * sizeof(struct acpi_iovt_device_entry) <=
	       iommu->header.length;
}

/* --- a unit */

static bool __init iovt_width_ok(u16 width)
{
	return !width || (width >= 32 && width <= 64);
}

/* What is wrong with a unit, NULL if nothing is */
static const char * __init iovt_unit_problem(const struct acpi_iovt_iommu *iommu)
{
	if (iommu->flags & IOVT_PCI) {
		if (iommu->device_id > U16_MAX)
			return "its own device id has more than 16 bits";
	} else if (!iommu->base_address || iommu->address_space_size < IOVT_MIN_REGS) {
		return "it has no room for registers";
	}
	if (!iovt_width_ok(iommu->phy_width) || !iovt_width_ok(iommu->virt_width))
		return "its addresses have not 32 to 64 bits";
	if (iommu->page_size && !(iommu->page_size & SZ_16K))
		return "it has no pages of 16 KiB";
	if (iommu->max_page_level && iommu->max_page_level != IOVT_LEVELS)
		return "its page tables have not 3 levels";
	if (!(iommu->flags & IOVT_WHOLE_SEGMENT) && !iovt_list_fits(iommu))
		return "its list of devices is not inside of it";

	return NULL;
}

static struct iovt_unit * __init iovt_unit_create(const struct acpi_iovt_iommu *iommu,
						  unsigned int index)
{
	u32 nr = iommu->flags & IOVT_WHOLE_SEGMENT ? 0 : iommu->device_entry_num;
	struct iovt_list list = {};
	struct iovt_unit *unit;
	int ret;

	unit = kzalloc_flex(*unit, ranges, nr);
	if (!unit)
		return ERR_PTR(-ENOMEM);

	list.ranges = unit->ranges;
	ret = iovt_read_list((const void *)iommu + iommu->device_entry_offset, nr, &list, index);
	if (ret) {
		kfree(unit);
		return ERR_PTR(ret);
	}
	unit->nr_ranges = list.nr;

	unit->segment = iommu->segment;
	unit->is_pci = iommu->flags & IOVT_PCI;
	unit->rid = iommu->device_id;
	unit->whole_segment = iommu->flags & IOVT_WHOLE_SEGMENT;
	unit->has_pxm = iommu->flags & IOVT_HAS_PXM;
	unit->pxm = iommu->proximity_domain;
	unit->info.ias = iommu->virt_width;
	unit->info.oas = iommu->phy_width;
	unit->info.max_devices = iommu->max_device_num;
	unit->info.msi_bypass = iommu->flags & IOVT_MSI_BYPASS;

	return unit;
}

static bool __init iovt_overlaps(const struct iovt_unit *a, const struct iovt_unit *b)
{
	unsigned int i = 0, j = 0;

	while (i < a->nr_ranges && j < b->nr_ranges) {
		if (a->ranges[i].last < b->ranges[j].first)
			i++;
		else if (b->ranges[j].last < a->ranges[i].first)
			j++;
		else
			return true;
	}

	return false;
}

/**
 * iovt_is_listed_before() - does an earlier unit have a device of a later one?
 * @units: units that were found before
 * @unit: the later one
 *
 * The first unit that has a device in its list keeps it: iovt_find().
 *
 * Return: whether there is such a device.
 */
bool __init iovt_is_listed_before(struct list_head *units, const struct iovt_unit *unit)
{
	struct iovt_unit *earlier;

	list_for_each_entry(earlier, units, node) {
		if (earlier->segment == unit->segment && iovt_overlaps(earlier, unit))
			return true;
	}

	return false;
}

static int __init iovt_add_unit(const struct acpi_iovt_iommu *iommu, unsigned int index,
				struct list_head *units)
{
	const char *problem = iovt_unit_problem(iommu);
	struct iovt_unit *unit;

	if (!problem && iommu->flags & IOVT_PCI &&
	    iovt_find_self(units, iommu->segment, iommu->device_id))
		problem = "an earlier one is the same function";
	if (problem) {
		pr_err(FW_BUG "IOMMU %u is not used: %s\n", index, problem);
		return 0;
	}

	if (iommu->flags & ~IOVT_FLAGS)
		pr_debug("IOMMU %u has unknown flags 0x%x\n", index, iommu->flags);
	unit = iovt_unit_create(iommu, index);
	if (IS_ERR(unit))
		return PTR_ERR(unit) == -ENOMEM ? -ENOMEM : 0;

	if (!unit->is_pci)
		pr_info("IOMMU %u is no PCI function, its devices are not translated\n", index);
	if (!unit->whole_segment && !unit->nr_ranges)
		pr_info("IOMMU %u has no devices\n", index);
	if (iovt_is_listed_before(units, unit))
		pr_warn(FW_BUG "IOMMU %u has devices of an earlier one in its list\n", index);
	list_add_tail(&unit->node, units);

	return 0;
}

/* --- the table */

static u8 __init iovt_sum(const u8 *bytes, size_t size)
{
	u8 sum = 0;

	while (size--)
		sum += *bytes++;

	return sum;
}

/**
 * iovt_header_problem() - what is wrong with a table of ACPI?
 * @header: the table
 * @min: how long it is at least
 * @size: how many bytes may be read
 *
 * Return: what is wrong; NULL if nothing is.
 */
const char * __init iovt_header_problem(const struct acpi_table_header *header, size_t min,
					size_t size)
{
	if (size < min || header->length < min)
		return "it is too short";
	if (size < header->length)
		return "it is longer than the memory that it is in";
	if (!header->revision)
		return "it has revision 0";
	if (iovt_sum((const u8 *)header, header->length))
		return "its checksum is wrong";

	return NULL;
}

/* What is wrong with a table, NULL if nothing is */
static const char * __init iovt_table_problem(const struct acpi_table_iovt *table, size_t size)
{
	const char *problem = iovt_header_problem(&table->header, sizeof(*table), size);

	if (problem || !table->iommu_count)
		return problem;
	if (table->iommu_offset < sizeof(*table))
		return "the first IOMMU is in its header";
	if (table->iommu_offset + sizeof(struct acpi_iovt_iommu) > table->header.length)
		return "the first IOMMU is behind its end";

	return NULL;
}

/* Length of a structure that has @left bytes at most; 0 if it can't be right */
static u32 __init iovt_structure_length(const struct acpi_iovt_header *header, u32 left)
{
	u32 min = sizeof(*header);

	if (left < min)
		return 0;
	if (header->type == ACPI_IOVT_IOMMU_V1)
		min = sizeof(struct acpi_iovt_iommu);
	if (header->length < min || header->length > left)
		return 0;

	return header->length;
}

static int __init iovt_read_units(const struct acpi_table_iovt *table, struct list_head *units)
{
	const void *end = (const void *)table + table->header.length;
	const void *at = (const void *)table + table->iommu_offset;

	for (unsigned int i = 0; i < table->iommu_count; i++) {
		const struct acpi_iovt_header *header = at;
		u32 length = iovt_structure_length(header, end - at);

		if (!length) {
			pr_err(FW_BUG "IOMMU %u does not fit; it and later ones are not used\n",
			       i);
			return 0;
		}
		if (header->type == ACPI_IOVT_IOMMU_V1) {
			int ret = iovt_add_unit(at, i, units);

			if (ret)
				return ret;
		} else {
			pr_info("IOMMU %u is of unknown type %u\n", i, header->type);
		}
		at += length;
	}

	return 0;
}

/**
 * iovt_parse() - read a table
 * @table: the table, at any address
 * @size: how many bytes may be read
 * @units: what is found is added to this
 *
 * ACPI 6.6 reserves the signature; the layout is that of the "LoongArch I/O
 * Virtualization Table", version 0.1.
 *
 * Return: 0, also for a table of which only parts could be used; -EINVAL for one
 * that could not be used; -ENOMEM.
 */
int __init iovt_parse(const void *table, size_t size, struct list_head *units)
{
	const struct acpi_table_iovt *iovt = table;
	const char *problem = iovt_table_problem(iovt, size);

	if (problem) {
		pr_err(FW_BUG "not used: %s\n", problem);
		return -EINVAL;
	}
	if (iovt->header.revision > 1)
		pr_info("revision %u is read as 1\n", iovt->header.revision);
	if (!iovt->iommu_count)
		pr_info("has no IOMMU\n");

	return iovt_read_units(iovt, units);
}

/* --- who is behind what */

/**
 * iovt_find_self() - find a unit by its own requester id
 * @units: all units
 * @segment: PCI segment
 * @rid: bus, device and function
 *
 * Return: the unit; NULL if this is none.
 */
struct iovt_unit *iovt_find_self(struct list_head *units, u16 segment, u16 rid)
{
	struct iovt_unit *unit;

	list_for_each_entry(unit, units, node) {
		if (unit->is_pci && unit->segment == segment && unit->rid == rid)
			return unit;
	}

	return NULL;
}

static bool iovt_lists(const struct iovt_unit *unit, u16 rid)
{
	for (unsigned int i = 0; i < unit->nr_ranges; i++) {
		if (rid >= unit->ranges[i].first && rid <= unit->ranges[i].last)
			return true;
	}

	return false;
}

/**
 * iovt_find() - find the unit that a device is behind
 * @units: all units
 * @segment: PCI segment of the device
 * @rid: a requester id of the device
 *
 * A unit that has the device in its list comes before one that has the whole
 * segment, and an earlier one before a later one. Units are behind no unit,
 * whatever firmware says: two of them would wait for each other.
 *
 * Return: the unit; NULL if there is none.
 */
struct iovt_unit *iovt_find(struct list_head *units, u16 segment, u16 rid)
{
	struct iovt_unit *unit, *whole = NULL;

	if (iovt_find_self(units, segment, rid))
		return NULL;

	list_for_each_entry(unit, units, node) {
		if (unit->segment != segment)
			continue;
		if (iovt_lists(unit, rid))
			return unit;
		if (unit->whole_segment && !whole)
			whole = unit;
	}

	return whole;
}
