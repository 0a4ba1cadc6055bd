/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LoongArch IOMMU: state of a unit, and what its parts have in common
 */
#ifndef _LOONGARCH_IOMMU_H
#define _LOONGARCH_IOMMU_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/irqreturn.h>
#include <linux/range.h>
#include <linux/ratelimit_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct dentry;
struct la_pool;
struct seq_file;

/* What the fields of the window to the device table have room for */
#define LA_MAX_SLOTS	16
#define LA_MAX_IDS	16

/* The domain that translates nothing: devices that are blocked, and unused ids */
#define LA_ID_BLOCKED	0

#define LA_MAX_MSI	4

/* What some units have, as &la_iommu.features */
#define LA_EIVDB_ENABLES	BIT(0)	/* EIVDB lets them translate, and not CTRL */
#define LA_CMD_AFTER_VBTC	BIT(1)	/* CMD commits flushes, too */
#define LA_FLUSH_ALL		BIT(2)	/* Nobody has seen them flush a single domain */
#define LA_ROOT_RIDS		BIT(3)	/* Who is behind a port has the port's requester id */

/**
 * struct la_slot - an entry of the unit's device table
 * @entry: what it holds, as it was last written into EIVDB
 * @rid: whom it is for
 * @dev: one of @users
 * @users: devices that have this requester id
 */
struct la_slot {
	u32 entry;
	u16 rid;
	struct device *dev;
	unsigned int users;
};

/**
 * struct la_flush - who waits for a flush of a domain
 * @wanted: flushes that were asked for
 * @done: how many of them were asked for before the last flush began
 * @commands: how many flushes it took
 */
struct la_flush {
	atomic64_t wanted;
	s64 done;
	u64 commands;
};

/**
 * struct la_faults - accesses that failed
 * @work: looks for one
 * @seen: the address in the unit's registers when somebody looked last
 * @intx: the unit's interrupt is on
 * @irqs: how often it may come
 * @count: how many there were
 * @last: the address of the last one
 */
struct la_faults {
	struct delayed_work work;
	u64 seen;
	bool intx;
	struct ratelimit_state irqs;
	u64 count;
	u64 last;
};

/**
 * struct la_iommu - a unit
 * @iommu: for the IOMMU core
 * @dev: the unit's own device
 * @regs: its registers
 * @features: LA_
 * @lock: protects the registers and all below
 * @ctrl: what LA_REG_CTRL holds; with LA_EIVDB_ENABLES, what each entry has beside
 * @eivdb: what LA_REG_EIVDB holds; always the true content of a slot
 * @slots: the device table
 * @nr_slots: how many of them there are
 * @ids: domain numbers in use
 * @pgds: what LA_REG_PGD_ hold, by domain number
 * @domains: whose page tables these are, NULL for none
 * @flushes: by domain number
 * @broken: a command never ended, or the unit is gone; never cleared
 * @faults: accesses that failed
 * @empty: a table without entries; NULL if the first one in @pool is
 * @pool: where it has copies of tables; NULL if it walks those of the core
 * @ias: bits of an address that a device uses
 * @oas: bits of an address that the unit puts out
 * @pgsizes: sizes of pages
 * @flush_on_map: the unit may remember that a page was not there
 * @msi_bypass: the unit does not translate what is written into @msi
 * @msi: where devices write their interrupts to
 * @nr_msi: how many windows @msi has
 * @unseen: addresses that don't reach the unit; none if its end is 0
 * @debugfs: its directory
 */
struct la_iommu {
	struct iommu_device iommu;
	struct device *dev;
	void __iomem *regs;
	unsigned int features;

	spinlock_t lock;	/* Of the registers, and all below */
	u32 ctrl;
	u32 eivdb;
	struct la_slot slots[LA_MAX_SLOTS];
	unsigned int nr_slots;
	DECLARE_BITMAP(ids, LA_MAX_IDS);
	phys_addr_t pgds[LA_MAX_IDS];
	struct iommu_domain *domains[LA_MAX_IDS];
	struct la_flush flushes[LA_MAX_IDS];
	bool broken;

	struct la_faults faults;

	void *empty;
	struct la_pool *pool;

	unsigned int ias;
	unsigned int oas;
	u64 pgsizes;
	bool flush_on_map;
	bool msi_bypass;
	struct range msi[LA_MAX_MSI];
	unsigned int nr_msi;
	struct range unseen;

	struct dentry *debugfs;
};

/**
 * struct la_rid - a requester id of a device
 * @rid: bus, device and function
 * @slot: its place in the device table, -1 for none
 */
struct la_rid {
	u16 rid;
	s8 slot;
};

/**
 * struct la_dev - a device behind a unit
 * @dev: the device
 * @iommu: the unit
 * @nr_rids: how many @rids there are
 * @rids: all ids that its accesses may have
 */
struct la_dev {
	struct device *dev;
	struct la_iommu *iommu;
	unsigned int nr_rids;
	struct la_rid rids[] __counted_by(nr_rids);
};

/* hw.c */
u32 la_iommu_read(struct la_iommu *iommu, u32 reg);
void la_iommu_write(struct la_iommu *iommu, u32 reg, u32 val);
int la_hw_init(struct la_iommu *iommu);
int la_hw_resume(struct la_iommu *iommu);
void la_hw_disable(struct la_iommu *iommu);
int la_hw_alloc_id(struct la_iommu *iommu, phys_addr_t pgd);
void la_hw_free_id(struct la_iommu *iommu, unsigned int id);
int la_hw_bind(struct la_dev *ldev, unsigned int id);
int la_hw_block(struct la_dev *ldev);
void la_hw_unbind(struct la_dev *ldev);
int la_hw_flush(struct la_iommu *iommu, unsigned int id);
unsigned int la_hw_free_slots(struct la_iommu *iommu);
unsigned int la_hw_free_ids(struct la_iommu *iommu);

/* fault.c */
void la_fault_init(struct la_iommu *iommu);
void la_fault_exit(struct la_iommu *iommu);
void la_fault_watch(struct la_iommu *iommu);
bool la_fault_look(struct la_iommu *iommu);
irqreturn_t la_fault_interrupt(int irq, void *data);

/* debugfs.c */
#ifdef CONFIG_IOMMU_DEBUGFS
void la_debugfs_add(struct la_iommu *iommu);
void la_debugfs_remove(struct la_iommu *iommu);
#else
static inline void la_debugfs_add(struct la_iommu *iommu)
{
}

static inline void la_debugfs_remove(struct la_iommu *iommu)
{
}
#endif

#if IS_ENABLED(CONFIG_KUNIT)
int la_devices_show(struct seq_file *file, void *unused);
int la_domains_show(struct seq_file *file, void *unused);
int la_unit_show(struct seq_file *file, void *unused);
#endif

/* pci.c */
void la_iommu_quiet(struct la_iommu *iommu);
void la_iommu_mute(struct la_iommu *iommu);

/* msi.c */
void la_iommu_find_msi(struct la_iommu *iommu);
void la_iommu_read_madt(struct la_iommu *iommu, const void *at, const void *end);

/* iommu.c */
int la_iommu_register(struct la_iommu *iommu);
int la_iommu_refuse(struct la_iommu *iommu);
void la_iommu_unregister(struct la_iommu *iommu);

#endif
