// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: the state of a unit in debugfs
 *
 * What the driver knows: no register is read, since nobody knows which of them may
 * be while the unit works. Documentation/ABI/testing/debugfs-loongarch-iommu
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>
#include <kunit/visibility.h>

#include "iommu.h"
#include "mirror.h"
#include "regs.h"

VISIBLE_IF_KUNIT int la_devices_show(struct seq_file *file, void *unused)
{
	struct la_iommu *iommu = file->private;

	seq_puts(file, "slot rid     domain devices\n");

	guard(spinlock_irqsave)(&iommu->lock);

	for (int i = 0; i < iommu->nr_slots; i++) {
		struct la_slot *slot = &iommu->slots[i];

		if (slot->entry & LA_EIVDB_VALID)
			seq_printf(file, "%-4d %02x:%02x.%d %-6lu %u\n", i,
				   PCI_BUS_NUM(slot->rid), PCI_SLOT(slot->rid),
				   PCI_FUNC(slot->rid),
				   FIELD_GET(LA_EIVDB_DOMAIN, slot->entry), slot->users);
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(la_devices_show);
DEFINE_SHOW_ATTRIBUTE(la_devices);

VISIBLE_IF_KUNIT int la_domains_show(struct seq_file *file, void *unused)
{
	struct la_iommu *iommu = file->private;
	unsigned int id;

	seq_puts(file, "domain root           wanted     flushes\n");

	guard(spinlock_irqsave)(&iommu->lock);

	for_each_set_bit(id, iommu->ids, LA_MAX_IDS)
		seq_printf(file, "%-6u 0x%012llx %-10lld %llu\n", id, (u64)iommu->pgds[id],
			   (s64)atomic64_read(&iommu->flushes[id].wanted),
			   iommu->flushes[id].commands);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(la_domains_show);
DEFINE_SHOW_ATTRIBUTE(la_domains);

VISIBLE_IF_KUNIT int la_unit_show(struct seq_file *file, void *unused)
{
	struct la_iommu *iommu = file->private;

	scoped_guard(spinlock_irqsave, &iommu->lock) {
		seq_printf(file, "answers: %s\n", str_yes_no(!iommu->broken));
		seq_printf(file, "interrupt: %s\n", str_on_off(iommu->faults.intx));
		seq_printf(file, "faults: %llu, last 0x%llx\n", iommu->faults.count,
			   iommu->faults.last);
	}
	if (!iommu->pool)
		return 0;

	guard(spinlock_irqsave)(&iommu->pool->lock);

	seq_printf(file, "tables: %u of %u\n", bitmap_weight(iommu->pool->used, LA_MAX_TABLES),
		   iommu->pool->nr);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(la_unit_show);
DEFINE_SHOW_ATTRIBUTE(la_unit);

/**
 * la_debugfs_add() - show the state of a unit
 * @iommu: the unit, which is in use
 *
 * Context: may sleep; one unit at a time.
 */
void la_debugfs_add(struct la_iommu *iommu)
{
	static struct dentry *all;

	if (!all)
		all = debugfs_create_dir("loongarch", iommu_debugfs_dir);
	iommu->debugfs = debugfs_create_dir(dev_name(iommu->dev), all);
	debugfs_create_file("devices", 0400, iommu->debugfs, iommu, &la_devices_fops);
	debugfs_create_file("domains", 0400, iommu->debugfs, iommu, &la_domains_fops);
	debugfs_create_file("unit", 0400, iommu->debugfs, iommu, &la_unit_fops);
}

/**
 * la_debugfs_remove() - the opposite of la_debugfs_add()
 * @iommu: the unit
 *
 * Context: may sleep.
 */
void la_debugfs_remove(struct la_iommu *iommu)
{
	debugfs_remove(iommu->debugfs);
}
