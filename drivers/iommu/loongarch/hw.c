// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: register sequences
 *
 * A unit has a table of devices, which says the domain of a requester id, and
 * for each domain the root of its page table. Who isn't in the table of devices
 * isn't translated.
 *
 * Nobody knows whether the unit takes an entry when EIVDB is written or when CMD
 * is, and EIVDB also says which domain to flush. So everything that is written
 * into EIVDB is what some entry of the table holds, or is to hold from now on:
 * then it does not matter.
 *
 * The TLBs have nothing of a domain that no entry names: whoever takes the last
 * entry away flushes it.
 *
 * No PCI and no IOMMU core in here, so that each sequence can be replayed
 * against fake registers by tests/hw_kunit.c.
 */
#include <linux/cleanup.h>
#include <linux/dev_printk.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "iommu.h"
#include "mirror.h"
#include "regs.h"

/* A command is believed to take some microseconds: first without a pause */
#define LA_BUSY_READS		20
#define LA_BUSY_TIMEOUT_US	10000

/* Three levels of 2048 entries, with pages of 16 KiB */
#define LA_DIR_CTRL					\
	(FIELD_PREP(LA_DIR_CTRL_SHIFT0, 14) |		\
	 FIELD_PREP(LA_DIR_CTRL_WIDTH0, 11) |		\
	 FIELD_PREP(LA_DIR_CTRL_SHIFT1, 25) |		\
	 FIELD_PREP(LA_DIR_CTRL_WIDTH1, 11) |		\
	 FIELD_PREP(LA_DIR_CTRL_SHIFT2, 36) |		\
	 FIELD_PREP(LA_DIR_CTRL_WIDTH2, 11))

/**
 * la_iommu_read() - read a register
 * @iommu: the unit
 * @reg: LA_REG_
 *
 * This and la_iommu_write() are all that touches a unit; tests redirect them.
 *
 * Return: its value, all ones if the unit is gone.
 */
u32 la_iommu_read(struct la_iommu *iommu, u32 reg)
{
	KUNIT_STATIC_STUB_REDIRECT(la_iommu_read, iommu, reg);
	return readl(iommu->regs + reg);
}
EXPORT_SYMBOL_IF_KUNIT(la_iommu_read);

/**
 * la_iommu_write() - write a register
 * @iommu: the unit
 * @reg: LA_REG_
 * @val: its new value
 *
 * What was stored into tables before is visible to the unit first.
 */
void la_iommu_write(struct la_iommu *iommu, u32 reg, u32 val)
{
	KUNIT_STATIC_STUB_REDIRECT(la_iommu_write, iommu, reg, val);
	writel(val, iommu->regs + reg);
}
EXPORT_SYMBOL_IF_KUNIT(la_iommu_write);

/* There is no way back: what the unit translates by now isn't known any more */
static int la_hw_broken(struct la_iommu *iommu, const char *why)
{
	if (!iommu->broken)
		dev_err(iommu->dev, "%s: translates no further devices\n", why);
	WRITE_ONCE(iommu->broken, true);

	return -EIO;
}

static bool la_hw_ended(u32 vbtc)
{
	return vbtc == ~0U || !(vbtc & LA_VBTC_BUSY);
}

/* Wait until no command runs; @vbtc is what the register holds then */
static int la_hw_wait(struct la_iommu *iommu, u32 *vbtc)
{
	int i;

	for (i = 0; i < LA_BUSY_READS; i++) {
		*vbtc = la_iommu_read(iommu, LA_REG_VBTC);
		if (la_hw_ended(*vbtc))
			break;
		cpu_relax();
	}

	if (i == LA_BUSY_READS &&
	    read_poll_timeout_atomic(la_iommu_read, *vbtc, la_hw_ended(*vbtc), 1,
				     LA_BUSY_TIMEOUT_US, true, iommu, LA_REG_VBTC))
		return la_hw_broken(iommu, "a flush does not end");
	if (*vbtc == ~0U)
		return la_hw_broken(iommu, "registers read all ones");

	return 0;
}

static void la_hw_commit(struct la_iommu *iommu)
{
	u32 cmd = la_iommu_read(iommu, LA_REG_CMD);

	la_iommu_write(iommu, LA_REG_CMD, cmd & ~LA_CMD_OP);
}

static void la_hw_write_vbtc(struct la_iommu *iommu, u32 vbtc)
{
	la_iommu_write(iommu, LA_REG_VBTC, vbtc);
	if (iommu->features & LA_CMD_AFTER_VBTC)
		la_hw_commit(iommu);
}

/* Let both TLBs forget what @cmd says, the one for writes first */
static int la_hw_forget(struct la_iommu *iommu, u32 mask, u32 cmd)
{
	u32 vbtc;
	int ret;

	ret = la_hw_wait(iommu, &vbtc);
	if (ret)
		return ret;

	mask |= LA_VBTC_AR;
	la_hw_write_vbtc(iommu, (vbtc & ~mask) | cmd);
	ret = la_hw_wait(iommu, &vbtc);
	if (ret)
		return ret;

	la_hw_write_vbtc(iommu, (vbtc & ~mask) | LA_VBTC_AR | cmd);
	return la_hw_wait(iommu, &vbtc);
}

/* Bit 4 belongs to the command or is unknown: it is 0 from the first one on */
static int la_hw_forget_all(struct la_iommu *iommu)
{
	return la_hw_forget(iommu, LA_VBTC_CMD_HIGH | LA_VBTC_CMD,
			    LA_VBTC_CMD_FLUSH_ALL);
}

static int la_hw_forget_domain(struct la_iommu *iommu)
{
	return la_hw_forget(iommu, LA_VBTC_CMD, LA_VBTC_CMD_FLUSH_DOMAIN);
}

static unsigned int la_entry_id(u32 entry)
{
	return FIELD_GET(LA_EIVDB_DOMAIN, entry);
}

static u32 la_entry(unsigned int slot, u16 rid, unsigned int id)
{
	return FIELD_PREP(LA_EIVDB_INDEX, slot) | FIELD_PREP(LA_EIVDB_RID, rid) |
	       FIELD_PREP(LA_EIVDB_DOMAIN, id) | LA_EIVDB_VALID;
}

static bool la_hw_has_ctrl(struct la_iommu *iommu)
{
	return !(iommu->features & LA_EIVDB_ENABLES);
}

static void la_hw_write_eivdb(struct la_iommu *iommu, u32 entry)
{
	la_iommu_write(iommu, LA_REG_EIVDB,
		       la_hw_has_ctrl(iommu) ? entry : entry | iommu->ctrl);
	iommu->eivdb = entry;
}

static void la_hw_write_slot(struct la_iommu *iommu, unsigned int slot, u32 entry)
{
	iommu->slots[slot].entry = entry;
	la_hw_write_eivdb(iommu, entry);
	if (la_hw_has_ctrl(iommu))
		la_iommu_write(iommu, LA_REG_CTRL, iommu->ctrl);
	la_hw_commit(iommu);
}

/* Whether a unit translates is a bit of CTRL, or goes with each entry */
static void la_hw_read_ctrl(struct la_iommu *iommu)
{
	if (la_hw_has_ctrl(iommu))
		iommu->ctrl = la_iommu_read(iommu, LA_REG_CTRL);
	else
		iommu->ctrl = la_iommu_read(iommu, LA_REG_EIVDB) & LA_EIVDB_TRANSLATE;
}

static void la_hw_write_ctrl(struct la_iommu *iommu)
{
	if (la_hw_has_ctrl(iommu))
		la_iommu_write(iommu, LA_REG_CTRL, iommu->ctrl);
	else
		la_hw_write_eivdb(iommu, iommu->eivdb);
}

static bool la_hw_is_bound(struct la_iommu *iommu, unsigned int id)
{
	for (int i = 0; i < iommu->nr_slots; i++) {
		u32 entry = iommu->slots[i].entry;

		if (entry & LA_EIVDB_VALID && la_entry_id(entry) == id)
			return true;
	}

	return false;
}

/* Let EIVDB name a domain, by an entry that does: one that isn't valid will do */
static bool la_hw_name_domain(struct la_iommu *iommu, unsigned int id)
{
	if (la_entry_id(iommu->eivdb) == id)
		return true;

	for (int i = 0; i < iommu->nr_slots; i++) {
		if (la_entry_id(iommu->slots[i].entry) == id) {
			la_hw_write_eivdb(iommu, iommu->slots[i].entry);
			return true;
		}
	}

	return false;
}

static int la_hw_flush_locked(struct la_iommu *iommu, unsigned int id)
{
	if (iommu->broken)
		return -EIO;

	if (iommu->features & LA_FLUSH_ALL || !la_hw_name_domain(iommu, id))
		return la_hw_forget_all(iommu);

	return la_hw_forget_domain(iommu);
}

/**
 * la_hw_flush() - let the TLBs forget a domain
 * @iommu: the unit
 * @id: the domain's number
 *
 * What was stored into the domain's tables before is in force when this
 * returns. One flush serves all who asked for it before it began.
 *
 * Takes at most one write of EIVDB and two commands, each a write of VBTC and
 * the reads until it has ended, beside one more read. None of this if no device
 * is bound to the domain.
 *
 * Context: any but hard interrupts of PREEMPT_RT. Takes @iommu->lock.
 * Return: 0, or -EIO for a unit that does not answer.
 */
int la_hw_flush(struct la_iommu *iommu, unsigned int id)
{
	struct la_flush *flush = &iommu->flushes[id];
	s64 mine = atomic64_inc_return(&flush->wanted);
	s64 begun;
	int ret;

	guard(spinlock_irqsave)(&iommu->lock);

	if (flush->done >= mine || !la_hw_is_bound(iommu, id))
		return 0;

	begun = atomic64_read(&flush->wanted);
	ret = la_hw_flush_locked(iommu, id);
	if (ret)
		return ret;
	flush->done = begun;
	flush->commands++;

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_flush);

/* Memory for copies of tables has an empty one in the beginning */
static phys_addr_t la_hw_empty(struct la_iommu *iommu)
{
	return iommu->pool ? iommu->pool->origin : virt_to_phys(iommu->empty);
}

/* The low half is what the unit is believed to take the address at */
static void la_hw_set_pgd(struct la_iommu *iommu, unsigned int id, phys_addr_t pgd)
{
	la_iommu_write(iommu, LA_REG_DIR_CTRL(id), LA_DIR_CTRL);
	la_iommu_write(iommu, LA_REG_PGD_HI(id), upper_32_bits(pgd));
	la_iommu_write(iommu, LA_REG_PGD_LO(id), lower_32_bits(pgd));
	iommu->pgds[id] = pgd;
}

/* Nobody waits for a flush: whoever had the number before is gone */
static void la_hw_reset_flush(struct la_flush *flush)
{
	atomic64_set(&flush->wanted, 0);
	flush->done = 0;
	flush->commands = 0;
}

/**
 * la_hw_alloc_id() - give a page table the number of a domain
 * @iommu: the unit
 * @pgd: physical address of the table's root, or its offset in the unit's memory
 *
 * Context: as la_hw_flush().
 * Return: the number, -ENOSPC if there is none left, or -EIO for a unit that
 * does not answer.
 */
int la_hw_alloc_id(struct la_iommu *iommu, phys_addr_t pgd)
{
	unsigned int id;

	guard(spinlock_irqsave)(&iommu->lock);

	if (iommu->broken)
		return -EIO;
	id = find_first_zero_bit(iommu->ids, LA_MAX_IDS);
	if (id == LA_MAX_IDS)
		return -ENOSPC;

	__set_bit(id, iommu->ids);
	la_hw_reset_flush(&iommu->flushes[id]);
	la_hw_set_pgd(iommu, id, pgd);

	return id;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_alloc_id);

/**
 * la_hw_free_id() - take a number back
 * @iommu: the unit
 * @id: what la_hw_alloc_id() returned; no device is bound to it
 *
 * Context: as la_hw_flush().
 */
void la_hw_free_id(struct la_iommu *iommu, unsigned int id)
{
	guard(spinlock_irqsave)(&iommu->lock);

	la_hw_set_pgd(iommu, id, la_hw_empty(iommu));
	iommu->domains[id] = NULL;
	__clear_bit(id, iommu->ids);
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_free_id);

/* The slot that a requester id has or, if it has none, could have */
static int la_hw_find_slot(struct la_iommu *iommu, u16 rid)
{
	int unused = -ENOSPC;

	for (int i = 0; i < iommu->nr_slots; i++) {
		struct la_slot *slot = &iommu->slots[i];

		if (slot->users && slot->rid == rid)
			return i;
		if (!slot->users && unused < 0)
			unused = i;
	}

	return unused;
}

static void la_hw_put_slot(struct la_iommu *iommu, struct la_rid *rid)
{
	struct la_slot *slot = &iommu->slots[rid->slot];

	/* Who is left is somebody, but nobody knows who */
	slot->dev = NULL;
	slot->users--;
	rid->slot = -1;
}

static void la_hw_put_slots(struct la_dev *ldev, const unsigned long *added)
{
	int i;

	for_each_set_bit(i, added, LA_MAX_SLOTS)
		la_hw_put_slot(ldev->iommu, &ldev->rids[i]);
}

/* Slots for all ids, or none; @added has which ids had none before */
static int la_hw_get_slots(struct la_dev *ldev, unsigned long *added)
{
	struct la_iommu *iommu = ldev->iommu;

	if (ldev->nr_rids > iommu->nr_slots)
		return -ENOSPC;

	for (int i = 0; i < ldev->nr_rids; i++) {
		struct la_rid *rid = &ldev->rids[i];
		int slot;

		if (rid->slot >= 0)
			continue;
		slot = la_hw_find_slot(iommu, rid->rid);
		if (slot < 0) {
			la_hw_put_slots(ldev, added);
			return slot;
		}
		iommu->slots[slot].rid = rid->rid;
		iommu->slots[slot].dev = ldev->dev;
		iommu->slots[slot].users++;
		rid->slot = slot;
		__set_bit(i, added);
	}

	return 0;
}

/* Flush each domain that @left has; the first failure is what counts */
static int la_hw_flush_left(struct la_iommu *iommu, const unsigned long *left)
{
	int id, ret = 0;

	for_each_set_bit(id, left, LA_MAX_IDS)
		ret = ret ?: la_hw_flush_locked(iommu, id);

	return ret;
}

/* An entry goes from domain to domain by one write, never by being invalid */
static bool la_hw_set_slot(struct la_iommu *iommu, unsigned int slot, u32 entry,
			   unsigned long *left)
{
	u32 old = iommu->slots[slot].entry;

	if (entry == old)
		return false;
	la_hw_write_slot(iommu, slot, entry);
	if (old & LA_EIVDB_VALID)
		__set_bit(la_entry_id(old), left);

	return true;
}

static int la_hw_bind_slots(struct la_dev *ldev, unsigned int id)
{
	DECLARE_BITMAP(left, LA_MAX_IDS) = { };
	struct la_iommu *iommu = ldev->iommu;
	bool changed = false;
	int ret;

	for (int i = 0; i < ldev->nr_rids; i++) {
		struct la_rid *rid = &ldev->rids[i];

		changed |= la_hw_set_slot(iommu, rid->slot,
					  la_entry(rid->slot, rid->rid, id), left);
	}

	ret = changed ? la_hw_flush_locked(iommu, id) : 0;
	return la_hw_flush_left(iommu, left) ?: ret;
}

/* Back to what they were, in the same way; the unit is broken */
static void la_hw_restore(struct la_dev *ldev, const u32 *entries)
{
	for (int i = 0; i < ldev->nr_rids; i++) {
		unsigned int slot = ldev->rids[i].slot;

		if (ldev->iommu->slots[slot].entry != entries[slot])
			la_hw_write_slot(ldev->iommu, slot, entries[slot]);
	}
}

static void la_hw_save(struct la_iommu *iommu, u32 *entries)
{
	for (int i = 0; i < iommu->nr_slots; i++)
		entries[i] = iommu->slots[i].entry;
}

/**
 * la_hw_bind() - let a device use a page table
 * @ldev: the device
 * @id: number of the table's domain
 *
 * All requester ids of the device are bound, or it stays as it was. For a device
 * with one id this takes at most 8 writes.
 *
 * Context: as la_hw_flush().
 * Return: 0, -ENOSPC if the unit has no entries left for the device, or -EIO for
 * a unit that does not answer.
 */
int la_hw_bind(struct la_dev *ldev, unsigned int id)
{
	DECLARE_BITMAP(added, LA_MAX_SLOTS) = { };
	struct la_iommu *iommu = ldev->iommu;
	u32 entries[LA_MAX_SLOTS];
	int ret;

	guard(spinlock_irqsave)(&iommu->lock);

	if (iommu->broken)
		return -EIO;
	ret = la_hw_get_slots(ldev, added);
	if (ret)
		return ret;

	la_hw_save(iommu, entries);
	ret = la_hw_bind_slots(ldev, id);
	if (ret) {
		la_hw_restore(ldev, entries);
		la_hw_put_slots(ldev, added);
	}

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_bind);

/**
 * la_hw_block() - let a device reach nothing
 * @ldev: the device
 *
 * A unit that does not answer is told all the same: it may listen.
 *
 * Context: as la_hw_flush().
 * Return: 0, or -ENOSPC if the unit has no entries left for the device, which
 * can't be for one that is bound to a page table.
 */
int la_hw_block(struct la_dev *ldev)
{
	DECLARE_BITMAP(added, LA_MAX_SLOTS) = { };
	int ret;

	guard(spinlock_irqsave)(&ldev->iommu->lock);

	ret = la_hw_get_slots(ldev, added);
	if (!ret)
		la_hw_bind_slots(ldev, LA_ID_BLOCKED);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_block);

/**
 * la_hw_unbind() - let a device reach memory without translation
 * @ldev: the device
 *
 * A requester id that it shares with another device stays until that one is
 * unbound, too: their group has one domain.
 *
 * Context: as la_hw_flush().
 */
void la_hw_unbind(struct la_dev *ldev)
{
	DECLARE_BITMAP(left, LA_MAX_IDS) = { };
	struct la_iommu *iommu = ldev->iommu;

	guard(spinlock_irqsave)(&iommu->lock);

	for (int i = 0; i < ldev->nr_rids; i++) {
		int slot = ldev->rids[i].slot;

		if (slot < 0)
			continue;
		la_hw_put_slot(iommu, &ldev->rids[i]);
		if (!iommu->slots[slot].users)
			la_hw_set_slot(iommu, slot,
				       iommu->slots[slot].entry & ~LA_EIVDB_VALID, left);
	}
	la_hw_flush_left(iommu, left);
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_unbind);

/**
 * la_hw_free_slots() - how many requester ids could be bound yet?
 * @iommu: the unit
 *
 * Return: entries of the device table that nobody has.
 */
unsigned int la_hw_free_slots(struct la_iommu *iommu)
{
	unsigned int unused = 0;

	guard(spinlock_irqsave)(&iommu->lock);

	for (int i = 0; i < iommu->nr_slots; i++)
		unused += !iommu->slots[i].users;

	return unused;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_free_slots);

/**
 * la_hw_free_ids() - how many page tables could be used yet?
 * @iommu: the unit
 *
 * Return: domain numbers that nobody has.
 */
unsigned int la_hw_free_ids(struct la_iommu *iommu)
{
	guard(spinlock_irqsave)(&iommu->lock);

	return LA_MAX_IDS - bitmap_weight(iommu->ids, LA_MAX_IDS);
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_free_ids);

/* All devices that firmware or an earlier kernel had bound reach nothing now */
static int la_hw_park(struct la_iommu *iommu)
{
	for (int id = 0; id < LA_MAX_IDS; id++)
		la_hw_set_pgd(iommu, id, la_hw_empty(iommu));

	return la_hw_forget_all(iommu);
}

/* Its registers are unknown up to here, so nothing is taken to be 0 */
static int la_hw_clear_slots(struct la_iommu *iommu)
{
	for (int i = 0; i < iommu->nr_slots; i++)
		la_hw_write_slot(iommu, i, FIELD_PREP(LA_EIVDB_INDEX, i));

	return la_hw_forget_all(iommu);
}

static void la_hw_enable(struct la_iommu *iommu)
{
	if (la_hw_has_ctrl(iommu)) {
		iommu->ctrl |= LA_CTRL_MAIN_MEMORY;
		la_hw_write_ctrl(iommu);
	}
	iommu->ctrl |= LA_CTRL_TRANSLATE;
	la_hw_write_ctrl(iommu);
	la_hw_commit(iommu);
}

/* Whether it translates already is what this returns, or an error */
static int la_hw_cut_off(struct la_iommu *iommu)
{
	u32 vbtc;
	int ret;

	guard(spinlock_irqsave)(&iommu->lock);

	la_hw_read_ctrl(iommu);
	ret = la_hw_wait(iommu, &vbtc) ?: la_hw_park(iommu);

	return ret ?: !!(iommu->ctrl & LA_CTRL_TRANSLATE);
}

static int la_hw_start(struct la_iommu *iommu)
{
	int ret;

	guard(spinlock_irqsave)(&iommu->lock);

	ret = la_hw_clear_slots(iommu);
	if (ret)
		return ret;
	la_hw_enable(iommu);

	return 0;
}

/**
 * la_hw_init() - let a unit translate, for no device yet
 * @iommu: the unit; has dev, regs, features, empty or pool, and nr_slots
 *
 * If it translates already, those whom it translates are cut off first: what
 * they have are no physical addresses. They get no others before they are quiet.
 *
 * Context: may sleep, and nobody else uses the unit.
 * Return: 0, or -EIO for a unit that does not answer.
 */
int la_hw_init(struct la_iommu *iommu)
{
	int ret;

	spin_lock_init(&iommu->lock);
	__set_bit(LA_ID_BLOCKED, iommu->ids);

	ret = la_hw_cut_off(iommu);
	if (ret < 0)
		return ret;
	if (ret)
		la_iommu_quiet(iommu);

	return la_hw_start(iommu);
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_init);

/**
 * la_hw_resume() - give a unit back what it had before the system slept
 * @iommu: the unit
 *
 * If it was without power, it translates again when all is as it was, and not
 * before. If it was not, it never stops to.
 *
 * Context: as la_hw_flush(), while the devices behind it are quiet.
 * Return: 0, or -EIO for a unit that does not answer.
 */
int la_hw_resume(struct la_iommu *iommu)
{
	u32 vbtc;
	int ret;

	guard(spinlock_irqsave)(&iommu->lock);

	if (iommu->broken)
		return -EIO;
	la_hw_read_ctrl(iommu);
	ret = la_hw_wait(iommu, &vbtc);
	if (ret)
		return ret;

	for (int id = 0; id < LA_MAX_IDS; id++)
		la_hw_set_pgd(iommu, id, iommu->pgds[id]);
	for (int i = 0; i < iommu->nr_slots; i++)
		la_hw_write_slot(iommu, i, iommu->slots[i].entry);
	ret = la_hw_forget_all(iommu);
	if (ret)
		return ret;
	la_hw_enable(iommu);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_resume);

/**
 * la_hw_disable() - let a unit translate nothing any more
 * @iommu: the unit
 *
 * Everything behind it reaches all of memory then, as before la_hw_init(). Its
 * devices must be quiet.
 *
 * Context: as la_hw_flush().
 */
void la_hw_disable(struct la_iommu *iommu)
{
	guard(spinlock_irqsave)(&iommu->lock);

	iommu->ctrl &= ~LA_CTRL_TRANSLATE;
	la_hw_write_ctrl(iommu);
	la_hw_commit(iommu);
	if (!iommu->broken)
		la_hw_forget_all(iommu);
}
EXPORT_SYMBOL_IF_KUNIT(la_hw_disable);
