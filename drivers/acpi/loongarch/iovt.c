// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O Virtualization Table, or IVRS: which IOMMU a device waits for
 *
 * Firmware that has no IOVT may have AMD's table for the same. It is read before
 * PCI is enumerated, as ACS must be on by then. Each IOMMU's driver claims what the
 * table says of it; devices wait until then, but not longer than until drivers have
 * been initialized.
 */
#define pr_fmt(fmt) "ACPI: " fmt

#include <linux/acpi.h>
#include <linux/acpi_iovt.h>
#include <linux/cleanup.h>
#include <linux/fwnode.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/numa.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "iovt.h"

/* Complete before PCI is enumerated, and kept for good */
static LIST_HEAD(iovt_units);

/* Who has not claimed a unit by now never will */
static bool iovt_settled;

static struct fwnode_handle *iovt_pci_fwnode(struct pci_dev *pdev)
{
	struct fwnode_handle *fwnode = dev_fwnode(&pdev->dev);

	if (fwnode)
		return fwnode;

	/* Most functions have no device in ACPI's namespace */
	fwnode = acpi_alloc_fwnode_static();
	if (!fwnode)
		return NULL;
	set_primary_fwnode(&pdev->dev, fwnode);
	fwnode->dev = &pdev->dev;

	return fwnode;
}

/**
 * iovt_claim() - what firmware says of an IOMMU
 * @pdev: the IOMMU's own function
 *
 * From here on devices wait for the IOMMU to be registered, so that who calls
 * this registers one under all circumstances.
 *
 * Context: may sleep.
 * Return: what the table says; NULL if it says nothing, or without memory.
 */
const struct iovt_iommu *iovt_claim(struct pci_dev *pdev)
{
	struct fwnode_handle *fwnode;
	struct iovt_unit *unit;
	int node;

	unit = iovt_find_self(&iovt_units, pci_domain_nr(pdev->bus), pci_dev_id(pdev));
	if (!unit)
		return NULL;
	fwnode = iovt_pci_fwnode(pdev);
	if (!fwnode)
		return NULL;

	node = unit->has_pxm ? pxm_to_online_node(unit->pxm) : NUMA_NO_NODE;
	if (node != NUMA_NO_NODE)
		set_dev_node(&pdev->dev, node);
	WRITE_ONCE(unit->fwnode, fwnode);

	return &unit->info;
}

/* The ids of a device that are behind a unit; counted first, and then kept */
struct iovt_walk {
	struct iovt_unit *unit;
	unsigned int nr;
	u32 *ids;
};

static int iovt_visit(struct pci_dev *pdev, u16 rid, void *data)
{
	struct iovt_walk *walk = data;
	struct iovt_unit *unit;

	unit = iovt_find(&iovt_units, pci_domain_nr(pdev->bus), rid);
	if (!unit || !unit->is_pci)
		return 0;
	if (walk->unit && walk->unit != unit)
		return -EINVAL;

	walk->unit = unit;
	if (walk->ids)
		walk->ids[walk->nr] = rid;
	walk->nr++;

	return 0;
}

/* All ids or none */
static int iovt_add_ids(struct pci_dev *pdev, struct fwnode_handle *fwnode, unsigned int nr)
{
	u32 *ids __free(kfree) = kcalloc(nr, sizeof(*ids), GFP_KERNEL);
	struct iovt_walk walk = { .ids = ids };

	if (!ids)
		return -ENOMEM;
	pci_for_each_dma_alias(pdev, iovt_visit, &walk);

	return iommu_fwspec_init(&pdev->dev, fwnode) ?:
	       iommu_fwspec_add_ids(&pdev->dev, ids, nr);
}

/**
 * iovt_iommu_configure_id() - find the IOMMU that a device is behind
 * @dev: the device
 * @id_in: not used: the table knows requester ids of PCI only
 *
 * Context: may sleep; the caller holds iommu_probe_device_lock.
 * Return: 0; -EPROBE_DEFER if the device has to wait for its IOMMU; -ENODEV if
 * it has none; another negative error number.
 */
int iovt_iommu_configure_id(struct device *dev, const u32 *id_in)
{
	struct iovt_walk walk = {};
	struct fwnode_handle *fwnode;
	int ret;

	if (list_empty(&iovt_units) || !dev_is_pci(dev))
		return -ENODEV;

	ret = pci_for_each_dma_alias(to_pci_dev(dev), iovt_visit, &walk);
	if (ret) {
		dev_err(dev, FW_BUG "behind two IOMMUs, not translated\n");
		return ret;
	}
	if (!walk.unit)
		return -ENODEV;

	fwnode = READ_ONCE(walk.unit->fwnode);
	if (!fwnode)
		return READ_ONCE(iovt_settled) ? -ENODEV : -EPROBE_DEFER;

	return iovt_add_ids(to_pci_dev(dev), fwnode, walk.nr);
}

/* Whether there is such a table */
static bool __init iovt_read(char *signature, int (*parse)(const void *table, size_t size,
							   struct list_head *units))
{
	struct acpi_table_header *table;

	if (ACPI_FAILURE(acpi_get_table(signature, 0, &table)))
		return false;
	if (parse(table, table->length, &iovt_units) == -ENOMEM)
		pr_err("%s: no memory: devices of some IOMMUs are not translated\n", signature);
	acpi_put_table(table);

	return true;
}

static int __init iovt_init(void)
{
	if (acpi_disabled)
		return 0;
	/* On other machines, an IVRS is of other IOMMUs */
	if (!iovt_read(ACPI_SIG_IOVT, iovt_parse) && IS_ENABLED(CONFIG_LOONGARCH))
		iovt_read(ACPI_SIG_IVRS, ivrs_parse);

	if (!list_empty(&iovt_units))
		pci_request_acs();

	return 0;
}
arch_initcall(iovt_init);

static int __init iovt_settle(void)
{
	struct iovt_unit *unit;

	list_for_each_entry(unit, &iovt_units, node) {
		if (unit->is_pci && !unit->fwnode)
			pr_info("IOMMU %04x:%02x:%02x.%d has no driver or is not there, its devices are not translated\n",
				unit->segment, PCI_BUS_NUM(unit->rid),
				PCI_SLOT(unit->rid), PCI_FUNC(unit->rid));
	}
	WRITE_ONCE(iovt_settled, true);

	return 0;
}
late_initcall(iovt_settle);
