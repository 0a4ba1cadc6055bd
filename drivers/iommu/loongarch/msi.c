// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: where devices write their interrupts to
 */
#include <linux/acpi.h>
#include <linux/align.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sizes.h>
#include <kunit/visibility.h>

#include "iommu.h"

/* What the 7A1000 and 7A2000 bridges have */
#define LA_MSI_DEFAULT	0x2ff00000

/* The controllers that put vector and CPU into the address have it below */
#define LA_MSI_BELOW	SZ_1M

static void la_add_msi(struct la_iommu *iommu, u64 start, u64 size)
{
	u64 end;

	if (!size || check_add_overflow(start, size - 1, &end))
		return;
	if (iommu->nr_msi == LA_MAX_MSI) {
		dev_warn(iommu->dev, "no room for the interrupt controller at 0x%llx\n", start);
		return;
	}

	iommu->msi[iommu->nr_msi++] = (struct range){
		.start = ALIGN_DOWN(start, SZ_16K),
		.end = end | (SZ_16K - 1),
	};
}

/* The doorbell, what is below, and as much above */
static void la_add_doorbell(struct la_iommu *iommu, u64 doorbell)
{
	if (doorbell >= LA_MSI_BELOW)
		la_add_msi(iommu, doorbell - LA_MSI_BELOW, 2 * LA_MSI_BELOW);
}

static void la_find_msi_in_dt(struct la_iommu *iommu)
{
	struct device_node *np;
	struct resource res;

	for_each_compatible_node(np, NULL, "loongson,pch-msi-1.0") {
		if (!of_address_to_resource(np, 0, &res))
			la_add_msi(iommu, res.start, resource_size(&res));
	}
}

#ifdef CONFIG_ACPI
/**
 * la_iommu_read_madt() - find the MSI controllers in ACPI's MADT
 * @iommu: the unit, whose msi this adds to
 * @at: the first entry
 * @end: behind the last one
 *
 * An entry that is not whole ends the search.
 */
void la_iommu_read_madt(struct la_iommu *iommu, const void *at, const void *end)
{
	while (end - at >= sizeof(struct acpi_subtable_header)) {
		const struct acpi_subtable_header *entry = at;
		const struct acpi_madt_msi_pic *pic = at;

		if (entry->length < sizeof(*entry) || entry->length > end - at)
			return;
		if (entry->type == ACPI_MADT_TYPE_MSI_PIC && entry->length >= sizeof(*pic))
			la_add_doorbell(iommu, pic->msg_address);
		at += entry->length;
	}
}
EXPORT_SYMBOL_IF_KUNIT(la_iommu_read_madt);

static void la_find_msi_in_acpi(struct la_iommu *iommu)
{
	struct acpi_table_header *table;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &table)))
		return;
	la_iommu_read_madt(iommu, (void *)table + sizeof(struct acpi_table_madt),
			   (void *)table + table->length);
	acpi_put_table(table);
}
#else
static void la_find_msi_in_acpi(struct la_iommu *iommu)
{
}
#endif

/**
 * la_iommu_find_msi() - find out where devices write their interrupts to
 * @iommu: the unit, whose msi this sets
 *
 * From the device tree or ACPI's MADT, whichever the system was started with.
 *
 * Context: may sleep.
 */
void la_iommu_find_msi(struct la_iommu *iommu)
{
	if (acpi_disabled)
		la_find_msi_in_dt(iommu);
	else
		la_find_msi_in_acpi(iommu);

	if (!iommu->nr_msi)
		la_add_doorbell(iommu, LA_MSI_DEFAULT);
}
