// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: accesses that failed
 *
 * Of these registers nothing is known but their names: the unit is believed to
 * keep the address of an access that failed. It doesn't say whose it was, so
 * that those are left out who can't have done it.
 *
 * Nobody knows how an address is acknowledged: zeros are written, and one that
 * stays all the same is reported once. Nor is it known whether the unit interrupts
 * at all, and whether the zeros end that. So an interrupt only lets the driver look
 * at once; it looks from time to time anyway, as long as there is a device that is
 * translated. An interrupt that comes too often is switched off.
 */
#include <linux/cleanup.h>
#include <linux/dev_printk.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>
#include <kunit/visibility.h>

#include "iommu.h"
#include "regs.h"

#define LA_FAULT_POLL_MS	1000

/* If a level never ends, or others with the same line are busy, there are far more */
#define LA_FAULT_MAX_IRQS	100	/* In a second */

/* The halves are of one address if the upper one stays as it is */
static u64 la_fault_read(struct la_iommu *iommu)
{
	u32 hi = la_iommu_read(iommu, LA_REG_EX_ADDR_HI);
	u32 lo = la_iommu_read(iommu, LA_REG_EX_ADDR_LO);
	u32 again = la_iommu_read(iommu, LA_REG_EX_ADDR_HI);

	if (again != hi)
		lo = la_iommu_read(iommu, LA_REG_EX_ADDR_LO);

	return (u64)again << 32 | lo;
}

/* An address that wasn't there before, or 0; all ones are no address */
static u64 la_fault_take(struct la_iommu *iommu)
{
	u64 iova = la_fault_read(iommu);

	if (iova == iommu->faults.seen)
		return 0;
	iommu->faults.seen = iova;
	if (!iova || iova == U64_MAX)
		return 0;

	la_iommu_write(iommu, LA_REG_EX_ADDR_HI, 0);
	la_iommu_write(iommu, LA_REG_EX_ADDR_LO, 0);
	/* If it is gone, it is a new one when it comes again */
	if (la_fault_read(iommu) != iova)
		iommu->faults.seen = 0;

	return iova;
}

static bool la_fault_may_be_of(struct la_iommu *iommu, struct la_slot *slot, u64 iova)
{
	struct iommu_domain *domain;

	if (!(slot->entry & LA_EIVDB_VALID))
		return false;
	domain = iommu->domains[FIELD_GET(LA_EIVDB_DOMAIN, slot->entry)];

	/* Tables aren't freed before a flush, which needs the lock that we hold */
	return !domain || !domain->ops->iova_to_phys(domain, iova);
}

/* The one who may have done it; NULL if there are several, or nobody */
static struct la_slot *la_fault_suspect(struct la_iommu *iommu, u64 iova)
{
	struct la_slot *suspect = NULL;

	for (int i = 0; i < iommu->nr_slots; i++) {
		struct la_slot *slot = &iommu->slots[i];

		if (!la_fault_may_be_of(iommu, slot, iova))
			continue;
		/* A device may have several entries */
		if (suspect && (!slot->dev || slot->dev != suspect->dev))
			return NULL;
		suspect = suspect ?: slot;
	}

	return suspect;
}

/* The domain's handler is called, and the trace event io_page_fault has it */
static void la_fault_report(struct la_iommu *iommu, u64 iova)
{
	struct la_slot *slot = la_fault_suspect(iommu, iova);
	struct iommu_domain *domain;

	iommu->faults.count++;
	iommu->faults.last = iova;
	if (!slot) {
		dev_err_ratelimited(iommu->dev, "somebody may not access 0x%llx\n", iova);
		return;
	}

	dev_err_ratelimited(iommu->dev, "%02x:%02x.%d may not access 0x%llx\n",
			    PCI_BUS_NUM(slot->rid), PCI_SLOT(slot->rid), PCI_FUNC(slot->rid),
			    iova);
	domain = iommu->domains[FIELD_GET(LA_EIVDB_DOMAIN, slot->entry)];
	if (domain && slot->dev)
		report_iommu_fault(domain, slot->dev, iova, 0);
}

/**
 * la_fault_look() - report an access that failed, if there was one
 * @iommu: the unit
 *
 * Takes three or four reads and, if there was one, two writes and as many reads
 * again.
 *
 * Context: any but hard interrupts of PREEMPT_RT. Takes @iommu->lock.
 * Return: whether there was one.
 */
bool la_fault_look(struct la_iommu *iommu)
{
	u64 iova;

	guard(spinlock_irqsave)(&iommu->lock);

	iova = la_fault_take(iommu);
	if (iova)
		la_fault_report(iommu, iova);

	return iova;
}
EXPORT_SYMBOL_IF_KUNIT(la_fault_look);

static void la_fault_mute(struct la_iommu *iommu)
{
	WRITE_ONCE(iommu->faults.intx, false);
	la_iommu_mute(iommu);
}

/**
 * la_fault_interrupt() - look whether an access has failed
 * @irq: the unit's interrupt, which others may share
 * @data: the unit
 *
 * Costs what la_fault_look() does, and nothing once the interrupt is off.
 *
 * Context: any but hard interrupts of PREEMPT_RT. Takes the unit's lock.
 * Return: IRQ_HANDLED if an access has failed, or IRQ_NONE.
 */
irqreturn_t la_fault_interrupt(int irq, void *data)
{
	struct la_iommu *iommu = data;
	bool found;

	if (!READ_ONCE(iommu->faults.intx))
		return IRQ_NONE;

	found = la_fault_look(iommu);
	/* All that the line brings, for the unit or for others */
	if (!__ratelimit(&iommu->faults.irqs)) {
		dev_warn(iommu->dev, "more than %d interrupts in a second: they are off\n",
			 LA_FAULT_MAX_IRQS);
		la_fault_mute(iommu);
	}

	return IRQ_RETVAL(found);
}
EXPORT_SYMBOL_IF_KUNIT(la_fault_interrupt);

static void la_fault_work(struct work_struct *work)
{
	struct la_iommu *iommu = container_of(work, struct la_iommu, faults.work.work);

	la_fault_look(iommu);
	la_fault_watch(iommu);
}

/**
 * la_fault_watch() - look for failed accesses as long as there may be some
 * @iommu: the unit
 *
 * To be called when a device is translated: it may be the first one.
 *
 * Context: may sleep.
 */
void la_fault_watch(struct la_iommu *iommu)
{
	if (!READ_ONCE(iommu->broken) && la_hw_free_slots(iommu) < iommu->nr_slots)
		schedule_delayed_work(&iommu->faults.work, msecs_to_jiffies(LA_FAULT_POLL_MS));
}

/**
 * la_fault_init() - before there are failed accesses
 * @iommu: the unit, which translates
 *
 * An address that is there already is nobody's any more.
 *
 * Context: may sleep.
 */
void la_fault_init(struct la_iommu *iommu)
{
	INIT_DEFERRABLE_WORK(&iommu->faults.work, la_fault_work);
	ratelimit_state_init(&iommu->faults.irqs, HZ, LA_FAULT_MAX_IRQS);
	ratelimit_set_flags(&iommu->faults.irqs, RATELIMIT_MSG_ON_RELEASE);
	la_fault_take(iommu);
}

/**
 * la_fault_exit() - no more reports
 * @iommu: the unit
 *
 * Context: may sleep.
 */
void la_fault_exit(struct la_iommu *iommu)
{
	if (READ_ONCE(iommu->faults.intx))
		la_fault_mute(iommu);
	disable_delayed_work_sync(&iommu->faults.work);
}
