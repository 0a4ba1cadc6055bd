/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is behind which IOMMU, by the I/O Virtualization Table of LoongArch
 */
#ifndef _LINUX_ACPI_IOVT_H
#define _LINUX_ACPI_IOVT_H

#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct pci_dev;

/**
 * struct iovt_iommu - what firmware says of an IOMMU
 * @ias: bits of an address that a device uses; 0 if firmware does not tell
 * @oas: bits of an address that the unit puts out; 0 if firmware does not tell
 * @max_devices: how many devices it manages; 0 if firmware does not tell
 * @msi_bypass: it does not translate what devices write to interrupt controllers
 */
struct iovt_iommu {
	u8 ias;
	u8 oas;
	u32 max_devices;
	bool msi_bypass;
};

#ifdef CONFIG_ACPI_IOVT
const struct iovt_iommu *iovt_claim(struct pci_dev *pdev);
int iovt_iommu_configure_id(struct device *dev, const u32 *id_in);
#else
static inline const struct iovt_iommu *iovt_claim(struct pci_dev *pdev)
{
	return NULL;
}

static inline int iovt_iommu_configure_id(struct device *dev, const u32 *id_in)
{
	return -ENODEV;
}
#endif

#endif
