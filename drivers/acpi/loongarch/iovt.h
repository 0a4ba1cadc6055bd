/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O Virtualization Table: what is left of it when it was read
 */
#ifndef _ACPI_LOONGARCH_IOVT_H
#define _ACPI_LOONGARCH_IOVT_H

#include <linux/acpi_iovt.h>
#include <linux/list.h>
#include <linux/types.h>

struct acpi_table_header;
struct fwnode_handle;

/* Requester ids, both ends included */
struct iovt_range {
	u16 first;
	u16 last;
};

/**
 * struct iovt_unit - an IOMMU
 * @node: in the list of all
 * @info: for its driver
 * @segment: PCI segment of itself and of the devices
 * @is_pci: it is a PCI function itself
 * @rid: which one
 * @type: of the structure that says so, if there may be several
 * @whole_segment: all devices are behind it that no other unit has in its list
 * @has_pxm: @pxm is valid
 * @pxm: proximity domain
 * @fwnode: what devices wait for; set when a driver has claimed the unit
 * @nr_ranges: how many @ranges there are
 * @ranges: its list of devices, in order and without overlap
 */
struct iovt_unit {
	struct list_head node;
	struct iovt_iommu info;
	u16 segment;
	bool is_pci;
	u16 rid;
	u8 type;
	bool whole_segment;
	bool has_pxm;
	u32 pxm;
	struct fwnode_handle *fwnode;
	unsigned int nr_ranges;
	struct iovt_range ranges[] __counted_by(nr_ranges);
};

/**
 * struct iovt_list - devices that are listed, while they are read
 * @ranges: what is there so far; has room for as many as there are entries
 * @nr: how many that are
 * @open: a range has no end yet
 * @first: where it begins
 * @bad: how many entries could not be used
 */
struct iovt_list {
	struct iovt_range *ranges;
	unsigned int nr;
	bool open;
	u16 first;
	unsigned int bad;
};

void iovt_list_single(struct iovt_list *list, u16 rid);
void iovt_list_start(struct iovt_list *list, u16 first);
void iovt_list_end(struct iovt_list *list, u16 last);
void iovt_list_close(struct iovt_list *list);

const char *iovt_header_problem(const struct acpi_table_header *header, size_t min, size_t size);
bool iovt_is_listed_before(struct list_head *units, const struct iovt_unit *unit);

int ivrs_parse(const void *table, size_t size, struct list_head *units);
int iovt_parse(const void *table, size_t size, struct list_head *units);
struct iovt_unit *iovt_find_self(struct list_head *units, u16 segment, u16 rid);
struct iovt_unit *iovt_find(struct list_head *units, u16 segment, u16 rid);

#endif
