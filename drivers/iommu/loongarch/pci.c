// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: the unit as a PCI function
 */
#include <linux/acpi.h>
#include <linux/acpi_iovt.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/property.h>
#include <linux/range.h>
#include <linux/sizes.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "iommu.h"
#include "mirror.h"
#include "regs.h"

#define PCI_DEVICE_ID_LOONGSON_7A2000_IOMMU	0x7a1f
#define PCI_DEVICE_ID_LOONGSON_3C6000_IOMMU	0x3c0f

/* Bits of addresses, unless firmware says that there are less */
#define LA_IAS	47
#define LA_OAS	48

/* With less, nothing would be left for the root of a page table */
#define LA_MIN_IAS	37

/* Less memory than this is not what a unit has for tables */
#define LA_MIN_TABLES	SZ_1M

/**
 * struct la_kind - what is known of a part, as no register tells
 * @revision_0: what is known of its revision 0, if that is another kind
 * @features: LA_
 * @own_tables: it has its tables in BAR 2
 * @pgsizes: sizes of pages
 * @flush_on_map: nobody has seen that its TLBs don't remember what wasn't there
 * @msi_bypass: it does not translate what is written to the interrupt controller
 * @unseen: addresses that don't reach it
 */
struct la_kind {
	const struct la_kind *revision_0;
	unsigned int features;
	bool own_tables;
	u64 pgsizes;
	bool flush_on_map;
	bool msi_bypass;
	struct range unseen;
};

/*
 * The bridge answers some addresses by itself. Its known drivers keep out of
 * more than it is said to, and nobody else can tell how much is right.
 */
static const struct la_kind la_7a2000_r0 = {
	.features = LA_EIVDB_ENABLES | LA_CMD_AFTER_VBTC | LA_FLUSH_ALL | LA_ROOT_RIDS,
	.own_tables = true,
	.pgsizes = SZ_16K | SZ_32M,
	.flush_on_map = true,
	.msi_bypass = true,
	.unseen = { 0x10000000, 0x8fffffff },
};

/* Larger pages are switched off in newer drivers, and nobody says why */
static const struct la_kind la_7a2000 = {
	.revision_0 = &la_7a2000_r0,
	.pgsizes = SZ_16K,
	.flush_on_map = true,
};

static const struct la_kind la_3c6000 = {
	.pgsizes = SZ_16K,
	.flush_on_map = true,
};

/* What devices had on their way arrives within a fraction of this */
#define LA_QUIET_US	1000

/* Without a driver, a device has what it does from an earlier kernel or firmware */
static bool la_pci_is_left(struct pci_dev *pdev, struct pci_dev *unit)
{
	return pci_domain_nr(pdev->bus) == pci_domain_nr(unit->bus) && pdev != unit &&
	       !pci_is_bridge(pdev) && !pdev->dev.driver;
}

/**
 * la_iommu_quiet() - let devices access memory no longer that nobody drives
 * @iommu: the unit that they are behind
 *
 * For a unit that translates when its driver starts, as in a kernel that was
 * started when another one crashed: then what devices have are addresses that
 * only that one's tables make sense of. Drivers let a device access memory again.
 *
 * Context: may sleep.
 */
void la_iommu_quiet(struct la_iommu *iommu)
{
	struct pci_dev *pdev = NULL;

	KUNIT_STATIC_STUB_REDIRECT(la_iommu_quiet, iommu);

	dev_info(iommu->dev, "translates already: devices without a driver are stopped\n");
	for_each_pci_dev(pdev) {
		if (la_pci_is_left(pdev, to_pci_dev(iommu->dev)))
			pci_clear_master(pdev);
	}
	fsleep(LA_QUIET_US);
}
EXPORT_SYMBOL_IF_KUNIT(la_iommu_quiet);

/**
 * la_iommu_mute() - switch a unit's interrupt off
 * @iommu: the unit
 *
 * In the unit's own function: others that have the same line keep it.
 *
 * Context: any.
 */
void la_iommu_mute(struct la_iommu *iommu)
{
	KUNIT_STATIC_STUB_REDIRECT(la_iommu_mute, iommu);
	pci_intx(to_pci_dev(iommu->dev), false);
}
EXPORT_SYMBOL_IF_KUNIT(la_iommu_mute);

/* With ACPI, pdev->irq may also be what firmware has left in a register */
static bool la_pci_has_irq(struct pci_dev *pdev)
{
	return pdev->irq && !pdev->broken_intx_masking && (acpi_disabled || pdev->irq_managed);
}

/* It is no failure if there is none, since the driver looks from time to time */
static void la_pci_listen(struct pci_dev *pdev, struct la_iommu *iommu)
{
	struct la_faults *faults = &iommu->faults;

	if (!la_pci_has_irq(pdev))
		return;

	WRITE_ONCE(faults->intx, true);
	if (devm_request_irq(&pdev->dev, pdev->irq, la_fault_interrupt, IRQF_SHARED,
			     "loongarch-iommu", iommu)) {
		WRITE_ONCE(faults->intx, false);
		return;
	}
	pcim_intx(pdev, true);
	/* Others with the same line may have been too busy already */
	if (!READ_ONCE(faults->intx))
		pcim_intx(pdev, false);
}

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

	/* Nobody listens yet, and others may share the line */
	return pcim_intx(pdev, false);
}

static int la_pci_map_tables(struct pci_dev *pdev, struct la_iommu *iommu)
{
	resource_size_t size = pci_resource_len(pdev, 2);
	void __iomem *base;

	if (!(pci_resource_flags(pdev, 2) & IORESOURCE_MEM) || size < LA_MIN_TABLES)
		return dev_err_probe(&pdev->dev, -ENODEV, "BAR 2 has no room for tables\n");
	base = pcim_iomap_region(pdev, 2, pci_name(pdev));
	if (IS_ERR(base))
		return PTR_ERR(base);

	iommu->pool = la_pool_create(&pdev->dev, base, size, 0);
	if (iommu->pool == ERR_PTR(-EIO))
		return dev_err_probe(&pdev->dev, -EIO, "BAR 2 does not keep what is written\n");

	return PTR_ERR_OR_ZERO(iommu->pool);
}

/* Memory for what the unit can't find, or not as it is, among the core's tables */
static int la_pci_add_pool(struct pci_dev *pdev, const struct la_kind *kind,
			   struct la_iommu *iommu)
{
	if (kind->own_tables)
		return la_pci_map_tables(pdev, iommu);
	if (!la_is_nosnoop(&pdev->dev))
		return 0;
	iommu->pool = la_pool_create_uncached(&pdev->dev);

	return PTR_ERR_OR_ZERO(iommu->pool);
}

static int la_pci_start(struct pci_dev *pdev, const struct la_kind *kind,
			const struct iovt_iommu *info, struct la_iommu *iommu)
{
	int ret;

	iommu->nr_slots = min_not_zero(info->max_devices, LA_MAX_SLOTS);
	iommu->ias = min_not_zero(info->ias, LA_IAS);
	iommu->oas = min_not_zero(info->oas, LA_OAS);
	if (iommu->ias < LA_MIN_IAS)
		return dev_err_probe(&pdev->dev, -EINVAL, "%u bits of address are too few\n",
				     iommu->ias);

	ret = la_pci_map(pdev, iommu) ?: la_pci_add_pool(pdev, kind, iommu);
	if (ret)
		return ret;

	iommu->features = kind->features;
	iommu->pgsizes = kind->pgsizes;
	iommu->unseen = kind->unseen;
	iommu->flush_on_map = kind->flush_on_map;
	iommu->msi_bypass = kind->msi_bypass || info->msi_bypass ||
			    device_property_read_bool(&pdev->dev, "loongson,msi-bypass");
	la_iommu_find_msi(iommu);

	ret = la_iommu_register(iommu);
	if (!ret)
		la_pci_listen(pdev, iommu);

	return ret;
}

/* What firmware says of a unit: a device tree has little to say */
static const struct iovt_iommu *la_pci_info(struct pci_dev *pdev)
{
	static const struct iovt_iommu nothing_special;

	return dev_of_node(&pdev->dev) ? &nothing_special : iovt_claim(pdev);
}

static const struct la_kind *la_pci_kind(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct la_kind *kind = (const struct la_kind *)id->driver_data;

	return !pdev->revision && kind->revision_0 ? kind->revision_0 : kind;
}

static int la_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct iovt_iommu *info = la_pci_info(pdev);
	struct device *dev = &pdev->dev;
	struct la_iommu *iommu;
	int ret;

	/* Nobody says who is behind it */
	if (!info)
		return -ENODEV;

	iommu = devm_kzalloc(dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;
	iommu->dev = dev;

	ret = la_pci_start(pdev, la_pci_kind(pdev, id), info, iommu);
	if (!ret || ret == -EPROBE_DEFER)
		return ret;
	dev_err(dev, "not in use: %pe\n", ERR_PTR(ret));

	return la_iommu_refuse(iommu);
}

/* The next kernel, and firmware, expect a unit that translates nothing */
static void la_pci_shutdown(struct pci_dev *pdev)
{
	struct la_iommu *iommu = pci_get_drvdata(pdev);

	if (!iommu)
		return;
	la_fault_exit(iommu);
	la_hw_disable(iommu);
}

/* Devices have a link to it, and wake up later */
static int la_pci_resume(struct device *dev)
{
	struct la_iommu *iommu = dev_get_drvdata(dev);

	if (!iommu)
		return 0;
	if (iommu->pool)
		la_pool_restore(iommu->pool);

	return la_hw_resume(iommu);
}

static const struct dev_pm_ops la_pci_pm = {
	NOIRQ_SYSTEM_SLEEP_PM_OPS(NULL, la_pci_resume)
};

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
		.pm = pm_sleep_ptr(&la_pci_pm),
		.suppress_bind_attrs = true,
	},
};
builtin_pci_driver(la_pci_driver);
