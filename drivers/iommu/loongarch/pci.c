// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: the unit as a PCI function
 */
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/property.h>
#include <linux/sizes.h>

#include "iommu.h"
#include "regs.h"

#define PCI_DEVICE_ID_LOONGSON_7A2000_IOMMU	0x7a1f
#define PCI_DEVICE_ID_LOONGSON_3C6000_IOMMU	0x3c0f

/* Bits of addresses, unless firmware says that there are less */
#define LA_IAS	47
#define LA_OAS	48

/**
 * struct la_kind - what is known of a part, as no register tells
 * @min_revision: from which on its tables are in main memory
 * @flush_on_map: nobody has seen that its TLBs don't remember what wasn't there
 */
struct la_kind {
	u8 min_revision;
	bool flush_on_map;
};

static const struct la_kind la_7a2000 = {
	.min_revision = 1,
	.flush_on_map = true,
};

static const struct la_kind la_3c6000 = {
	.flush_on_map = true,
};

static int la_pci_map(struct pci_dev *pdev, struct la_iommu *iommu)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, 0) < LA_REGS_SIZE)
		return dev_err_probe(&pdev->dev, -ENODEV, "BAR 0 has no room for registers\n");

	iommu->regs = pcim_iomap_region(pdev, 0, pci_name(pdev));
	if (IS_ERR(iommu->regs))
		return PTR_ERR(iommu->regs);

	/* It reads the tables by itself */
	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(LA_OAS));
	if (ret)
		return ret;
	pci_set_master(pdev);

	return 0;
}

static int la_pci_start(struct pci_dev *pdev, const struct la_kind *kind,
			struct la_iommu *iommu)
{
	int ret;

	ret = la_pci_map(pdev, iommu);
	if (ret)
		return ret;

	iommu->nr_slots = LA_MAX_SLOTS;
	iommu->ias = LA_IAS;
	iommu->oas = LA_OAS;
	/* Larger pages are switched off in newer drivers, and nobody says why */
	iommu->pgsizes = SZ_16K;
	iommu->flush_on_map = kind->flush_on_map;
	iommu->msi_bypass = device_property_read_bool(&pdev->dev, "loongson,msi-bypass");
	la_iommu_find_msi(iommu);

	return la_iommu_register(iommu);
}

static int la_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct la_kind *kind = (const struct la_kind *)id->driver_data;
	struct device *dev = &pdev->dev;
	struct la_iommu *iommu;
	int ret;

	/* Only a device tree says who is behind it */
	if (!dev_of_node(dev))
		return -ENODEV;

	iommu = devm_kzalloc(dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;
	iommu->dev = dev;

	if (pdev->revision < kind->min_revision) {
		dev_info(dev, "not in use: revision %u has tables of its own\n", pdev->revision);
		return la_iommu_refuse(iommu);
	}

	ret = la_pci_start(pdev, kind, iommu);
	if (!ret || ret == -EPROBE_DEFER)
		return ret;
	dev_err(dev, "not in use: %pe\n", ERR_PTR(ret));

	return la_iommu_refuse(iommu);
}

/* The next kernel, and firmware, expect a unit that translates nothing */
static void la_pci_shutdown(struct pci_dev *pdev)
{
	struct la_iommu *iommu = pci_get_drvdata(pdev);

	if (iommu)
		la_hw_disable(iommu);
}

static const struct pci_device_id la_pci_ids[] = {
	{ PCI_DEVICE_DATA(LOONGSON, 7A2000_IOMMU, &la_7a2000) },
	{ PCI_DEVICE_DATA(LOONGSON, 3C6000_IOMMU, &la_3c6000) },
	{ }
};

static struct pci_driver la_pci_driver = {
	.name = "loongarch-iommu",
	.id_table = la_pci_ids,
	.probe = la_pci_probe,
	.shutdown = la_pci_shutdown,
	.driver = {
		.suppress_bind_attrs = true,
	},
};
builtin_pci_driver(la_pci_driver);
