// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: copies of page tables, for units that can't walk the core's
 *
 * A unit of revision 0 walks tables in its BAR 2 and nowhere else, and another one
 * may not see what is in the CPUs' caches. The table that the IOMMU core changes
 * stays what it is, in main memory; this keeps a copy of it where the unit finds
 * it. To a unit of revision 0, offsets are the addresses of tables.
 *
 * Whoever copies an entry takes what the core's table has at that moment, under
 * the lock of the pool. So it does not matter who copies what others have changed
 * meanwhile, as long as each who changes the table copies what he changed
 * afterwards. A table of the core is freed only by someone who has done so: none
 * is walked here that isn't there any more.
 *
 * The CPU never reads a copy, each of which would take as long as many writes.
 * Who is the parent of whom is in main memory instead.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "mirror.h"

/* Entries of a table, and what one of each level covers */
#define LA_ENTRIES	2048
#define LA_PAGE_SHIFT	14
#define LA_DIR_SHIFT	25
#define LA_ROOT_SHIFT	36
#define LA_INDEX_MASK	(LA_ENTRIES - 1)

#define LA_ENTRY_P	BIT_ULL(0)	/* Present */
#define LA_ENTRY_H	BIT_ULL(1)	/* A page in a directory */
#define LA_ENTRY_TABLE	0xdULL		/* What an entry has beside the place of a table */
#define LA_ENTRY_OA	GENMASK_ULL(47, 14)

/* Table 0 has no entries, so that 0 is also "none" */
#define LA_NO_TABLE	0

/**
 * struct la_mirror - the copy of a domain's page table
 * @pool: where it is
 * @node: in the pool's list
 * @top: the root of the core's table
 * @root: the root of the copy
 */
struct la_mirror {
	struct la_pool *pool;
	struct list_head node;
	const u64 *top;
	u16 root;
};

/**
 * la_pool_write() - write an entry of a table of the unit
 * @pool: the unit's memory
 * @table: number of the table
 * @index: of the entry
 * @entry: its new value
 *
 * Not ordered with what else is written, but for what la_link() and
 * la_mirror_sync() do.
 */
void la_pool_write(struct la_pool *pool, u16 table, unsigned int index, u64 entry)
{
	KUNIT_STATIC_STUB_REDIRECT(la_pool_write, pool, table, index, entry);
	writeq_relaxed(entry, pool->base + table * SZ_16K + index * sizeof(entry));
}
EXPORT_SYMBOL_IF_KUNIT(la_pool_write);

/**
 * la_pool_read() - read an entry of a table of the unit
 * @pool: the unit's memory
 * @table: number of the table
 * @index: of the entry
 *
 * All that was written before is in the unit's memory when this returns.
 *
 * Return: the entry.
 */
u64 la_pool_read(struct la_pool *pool, u16 table, unsigned int index)
{
	KUNIT_STATIC_STUB_REDIRECT(la_pool_read, pool, table, index);
	return readq(pool->base + table * SZ_16K + index * sizeof(u64));
}
EXPORT_SYMBOL_IF_KUNIT(la_pool_read);

static void la_pool_clear(struct la_pool *pool, u16 table)
{
	for (int i = 0; i < LA_ENTRIES; i++)
		la_pool_write(pool, table, i, 0);
}

/* No allocation of memory: mapping may be atomic */
static u16 la_pool_get(struct la_pool *pool)
{
	unsigned int table = find_next_zero_bit(pool->used, pool->nr, pool->next_free);

	if (table == pool->nr)
		table = find_first_zero_bit(pool->used, pool->nr);
	if (table == pool->nr)
		return LA_NO_TABLE;
	__set_bit(table, pool->used);
	pool->next_free = table + 1;

	return table;
}

/* A directory, as which a table has room for what its entries lead to */
static u16 la_pool_get_dir(struct la_pool *pool)
{
	u16 *children = kcalloc(LA_ENTRIES, sizeof(*children), GFP_ATOMIC | __GFP_NOWARN);
	u16 table = children ? la_pool_get(pool) : LA_NO_TABLE;

	if (!table) {
		kfree(children);
		return LA_NO_TABLE;
	}
	pool->children[table] = children;
	la_pool_clear(pool, table);

	return table;
}

/* Nothing leads to @table any more, but the TLBs may remember it */
static void la_pool_unlink(struct la_pool *pool, u16 table, u16 *unlinked)
{
	u16 *children = pool->children[table];

	for (int i = 0; children && i < LA_ENTRIES; i++) {
		if (children[i])
			la_pool_unlink(pool, children[i], unlinked);
	}
	kfree(children);
	pool->children[table] = NULL;
	pool->next[table] = *unlinked;
	*unlinked = table;
}

/**
 * la_pool_put() - let tables be used again that the TLBs have forgotten
 * @pool: the unit's memory
 * @unlinked: what la_mirror_sync() has unlinked
 *
 * Context: as la_mirror_sync().
 */
void la_pool_put(struct la_pool *pool, u16 unlinked)
{
	guard(spinlock_irqsave)(&pool->lock);

	for (; unlinked; unlinked = pool->next[unlinked])
		__clear_bit(unlinked, pool->used);
}

static phys_addr_t la_table_addr(const struct la_pool *pool, u16 table)
{
	return pool->origin + table * (phys_addr_t)SZ_16K;
}

static u64 la_table_entry(const struct la_pool *pool, u16 table)
{
	return la_table_addr(pool, table) | LA_ENTRY_TABLE;
}

static bool la_is_table(u64 entry)
{
	return entry & LA_ENTRY_P && !(entry & LA_ENTRY_H);
}

static const u64 *la_table_of(u64 entry)
{
	return phys_to_virt(entry & LA_ENTRY_OA);
}

static unsigned int la_index(u64 iova, unsigned int shift)
{
	return iova >> shift & LA_INDEX_MASK;
}

static u64 la_last_in(u64 iova, unsigned int shift)
{
	return iova | (BIT_ULL(shift) - 1);
}

/* What one call of la_mirror_sync() is about */
struct la_sync {
	struct la_mirror *mirror;
	u64 last;
	enum la_sync_mode mode;
	u16 *unlinked;
};

/*
 * Let an entry of a copy lead to @table, or be what the core has, if that is a
 * page or nothing; what it led to before is unlinked then.
 */
static void la_link(struct la_sync *sync, u16 parent, unsigned int index, u16 table, u64 entry)
{
	struct la_pool *pool = sync->mirror->pool;
	u16 *child = &pool->children[parent][index];
	u16 old = *child;

	*child = table;
	/* The unit may walk @table at once: it is whole before */
	wmb();
	la_pool_write(pool, parent, index, table ? la_table_entry(pool, table) : entry);
	if (old && old != table)
		la_pool_unlink(pool, old, sync->unlinked);
}

/*
 * Copy pages from @iova to the last one in their table; a new copy is filled
 * before anything leads to it.
 */
static int la_copy_pages(struct la_sync *sync, u16 dir, u64 entry, u64 iova)
{
	struct la_pool *pool = sync->mirror->pool;
	u64 end = min(sync->last, la_last_in(iova, LA_DIR_SHIFT));
	unsigned int index = la_index(iova, LA_DIR_SHIFT);
	unsigned int first = la_index(iova, LA_PAGE_SHIFT), last = la_index(end, LA_PAGE_SHIFT);
	u16 old = pool->children[dir][index], table = old;
	const u64 *pages = la_table_of(entry);

	if (!table && sync->mode == LA_SYNC_MAP) {
		table = la_pool_get(pool);
		if (!table)
			return -ENOMEM;
		first = 0;
		last = LA_ENTRIES - 1;
	}

	for (unsigned int i = first; table && i <= last; i++)
		la_pool_write(pool, table, i, READ_ONCE(pages[i]));
	if (table != old || sync->mode == LA_SYNC_RESTORE)
		la_link(sync, dir, index, table, 0);

	return 0;
}

/* Where the entry of @iova in the root's copy leads to; LA_NO_TABLE if nowhere */
static int la_copy_dir(struct la_sync *sync, u64 entry, u64 iova)
{
	struct la_mirror *mirror = sync->mirror;
	unsigned int index = la_index(iova, LA_ROOT_SHIFT);
	u16 dir = mirror->pool->children[mirror->root][index];

	if (!la_is_table(entry)) {
		if (dir || sync->mode == LA_SYNC_RESTORE)
			la_link(sync, mirror->root, index, LA_NO_TABLE, 0);
		return LA_NO_TABLE;
	}

	if (!dir && sync->mode == LA_SYNC_MAP) {
		dir = la_pool_get_dir(mirror->pool);
		if (!dir)
			return -ENOMEM;
		la_link(sync, mirror->root, index, dir, 0);
	} else if (sync->mode == LA_SYNC_RESTORE) {
		la_link(sync, mirror->root, index, dir, 0);
	}

	return dir;
}

/* Copy what @iova is in, 32 MiB or, where there is nothing, 64 GiB; @iova is what is next */
static int la_copy(struct la_sync *sync, u64 *iova)
{
	struct la_mirror *mirror = sync->mirror;
	u64 entry, at = *iova;
	int dir;

	guard(spinlock_irqsave)(&mirror->pool->lock);

	entry = READ_ONCE(mirror->top[la_index(at, LA_ROOT_SHIFT)]);
	dir = la_copy_dir(sync, entry, at);
	if (dir < 0)
		return dir;
	if (!dir) {
		*iova = la_last_in(at, LA_ROOT_SHIFT) + 1;
		return 0;
	}

	*iova = la_last_in(at, LA_DIR_SHIFT) + 1;
	entry = READ_ONCE(la_table_of(entry)[la_index(at, LA_DIR_SHIFT)]);
	if (la_is_table(entry))
		return la_copy_pages(sync, dir, entry, at);
	la_link(sync, dir, la_index(at, LA_DIR_SHIFT), LA_NO_TABLE, entry);

	return 0;
}

/**
 * la_mirror_sync() - copy what has changed
 * @mirror: the copy
 * @first: first address that may have changed
 * @last: last one
 * @mode: LA_SYNC_
 * @unlinked: has what tables are not in use any more; la_pool_put() takes it when
 * the TLBs have forgotten them
 *
 * Takes a write for each page of 16 KiB and one for each 32 MiB that have no such
 * pages, 2048 for a table that was not there, and a read in the end, so that the
 * unit has it all.
 *
 * Context: any but hard interrupts of PREEMPT_RT. Takes the lock of the pool, for
 * 32 MiB at a time.
 * Return: 0 or, with LA_SYNC_MAP only, -ENOMEM if there are no tables left.
 */
int la_mirror_sync(struct la_mirror *mirror, u64 first, u64 last, enum la_sync_mode mode,
		   u16 *unlinked)
{
	struct la_sync sync = {
		.mirror = mirror, .last = last, .mode = mode, .unlinked = unlinked,
	};
	int ret = 0;

	while (first <= last && !ret)
		ret = la_copy(&sync, &first);
	/* What was written is on its way when this reads, and there when it has read */
	mb();
	la_pool_read(mirror->pool, mirror->root, 0);

	return ret;
}

/**
 * la_mirror_create() - make a copy without entries
 * @pool: where it is to be
 * @top: root of the table that it is a copy of
 *
 * Context: may sleep.
 * Return: the copy, or an error pointer: -ENOMEM.
 */
struct la_mirror *la_mirror_create(struct la_pool *pool, const u64 *top)
{
	struct la_mirror *mirror = kzalloc_obj(*mirror);

	if (!mirror)
		return ERR_PTR(-ENOMEM);

	guard(spinlock_irqsave)(&pool->lock);

	mirror->pool = pool;
	mirror->top = top;
	mirror->root = la_pool_get_dir(pool);
	if (!mirror->root) {
		kfree(mirror);
		return ERR_PTR(-ENOMEM);
	}
	list_add(&mirror->node, &pool->mirrors);

	return mirror;
}

/**
 * la_mirror_root() - where the unit finds a copy
 * @mirror: the copy
 *
 * Return: what is the address of its root to the unit.
 */
phys_addr_t la_mirror_root(const struct la_mirror *mirror)
{
	return la_table_addr(mirror->pool, mirror->root);
}

/**
 * la_mirror_free() - give up a copy
 * @mirror: the copy; neither the unit nor anybody else uses it, or it is NULL
 *
 * Context: any but hard interrupts of PREEMPT_RT.
 */
void la_mirror_free(struct la_mirror *mirror)
{
	u16 unlinked = LA_NO_TABLE;

	if (!mirror)
		return;

	scoped_guard(spinlock_irqsave, &mirror->pool->lock) {
		list_del(&mirror->node);
		la_pool_unlink(mirror->pool, mirror->root, &unlinked);
	}
	la_pool_put(mirror->pool, unlinked);
	kfree(mirror);
}

/**
 * la_pool_create() - use the memory that a unit has for tables
 * @dev: the unit's device, for which memory is managed
 * @base: where it is
 * @size: of it, in bytes
 * @origin: where it is to the unit
 *
 * Context: may sleep.
 * Return: the pool, with an empty table at its begin, or an error pointer: -ENOMEM,
 * or -EIO if what is written isn't there.
 */
struct la_pool *la_pool_create(struct device *dev, void __iomem *base, size_t size,
			       phys_addr_t origin)
{
	struct la_pool *pool = devm_kzalloc(dev, sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return ERR_PTR(-ENOMEM);

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->mirrors);
	pool->base = base;
	pool->origin = origin;
	pool->nr = min(size / SZ_16K, LA_MAX_TABLES);
	__set_bit(LA_NO_TABLE, pool->used);

	/* Of an entry that isn't present, the unit takes no notice */
	la_pool_write(pool, LA_NO_TABLE, 0, LA_ENTRY_OA);
	if (la_pool_read(pool, LA_NO_TABLE, 0) != LA_ENTRY_OA)
		return ERR_PTR(-EIO);
	la_pool_clear(pool, LA_NO_TABLE);

	return pool;
}

/**
 * la_pool_restore() - let the unit find all tables again
 * @pool: memory for tables; if it is the unit's, it may have lost them
 *
 * Context: may sleep, while no table changes.
 */
void la_pool_restore(struct la_pool *pool)
{
	struct la_mirror *mirror;
	u16 unlinked = LA_NO_TABLE;

	/* Main memory has what it had, but after hibernation not all is out of the caches */
	if (pool->origin) {
		la_pool_write_back();
		return;
	}

	la_pool_clear(pool, LA_NO_TABLE);
	list_for_each_entry(mirror, &pool->mirrors, node)
		la_mirror_sync(mirror, 0, BIT_ULL(47) - 1, LA_SYNC_RESTORE, &unlinked);
	la_pool_put(pool, unlinked);
}
