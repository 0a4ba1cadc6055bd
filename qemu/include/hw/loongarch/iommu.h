/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU of Loongson's 7A2000 bridge and 3C6000 CPUs
 */

#ifndef HW_LOONGARCH_IOMMU_H
#define HW_LOONGARCH_IOMMU_H

#include "hw/acpi/bios-linker-loader.h"

/*
 * Add ACPI's I/O Virtualization Table to @data, and to what @offsets lists, if
 * there is a unit with the property "iovt".
 */
void loongarch_iommu_build_iovt(GArray *offsets, GArray *data, BIOSLinker *linker,
                                const char *oem_id, const char *oem_table_id);

/*
 * Add the unit to the device tree @fdt, if there is one: below its host bridge, the
 * node @bridge, and with all other functions behind it.
 */
void loongarch_iommu_fdt_add(void *fdt, const char *bridge);

#endif
