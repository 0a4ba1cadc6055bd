/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LoongArch IOMMU: copies of page tables, for units that can't walk the core's
 */
#ifndef _LOONGARCH_IOMMU_MIRROR_H
#define _LOONGARCH_IOMMU_MIRROR_H

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct device;
struct la_mirror;

/* What 64 MiB have room for */
#define LA_MAX_TABLES	4096U

/* Why la_mirror_sync() is called */
enum la_sync_mode {
	LA_SYNC_MAP,		/* There may be new tables */
	LA_SYNC_UNMAP,		/* Tables may have gone */
	LA_SYNC_RESTORE,	/* Nothing that was written is there */
};

/**
 * struct la_pool - memory for the tables of a unit, of 16 KiB each
 * @base: where it is
 * @origin: where it is to the unit; 0 if it is the unit's own
 * @nr: how many tables there are
 * @lock: protects the tables and all below
 * @used: which ones are in use
 * @next_free: where to look for one that isn't
 * @children: where the entries of a root or a directory lead to, NULL for others
 * @next: of tables that are unlinked, the next one
 * @mirrors: all copies
 */
struct la_pool {
	void __iomem *base;
	phys_addr_t origin;
	unsigned int nr;
	spinlock_t lock;	/* Of the tables, and all below */
	DECLARE_BITMAP(used, LA_MAX_TABLES);
	unsigned int next_free;
	u16 *children[LA_MAX_TABLES];
	u16 next[LA_MAX_TABLES];
	struct list_head mirrors;
};

void la_pool_write(struct la_pool *pool, u16 table, unsigned int index, u64 entry);
u64 la_pool_read(struct la_pool *pool, u16 table, unsigned int index);
struct la_pool *la_pool_create(struct device *dev, void __iomem *base, size_t size,
			       phys_addr_t origin);
void la_pool_put(struct la_pool *pool, u16 unlinked);
void la_pool_restore(struct la_pool *pool);

struct la_mirror *la_mirror_create(struct la_pool *pool, const u64 *top);
void la_mirror_free(struct la_mirror *mirror);
phys_addr_t la_mirror_root(const struct la_mirror *mirror);
int la_mirror_sync(struct la_mirror *mirror, u64 first, u64 last, enum la_sync_mode mode,
		   u16 *unlinked);

/* nosnoop.c */
#ifdef CONFIG_LOONGARCH
bool la_is_nosnoop(struct device *dev);
void la_pool_write_back(void);
struct la_pool *la_pool_create_uncached(struct device *dev);
#else
static inline bool la_is_nosnoop(struct device *dev)
{
	return false;
}

static inline void la_pool_write_back(void)
{
}

static inline struct la_pool *la_pool_create_uncached(struct device *dev)
{
	return ERR_PTR(-EOPNOTSUPP);
}
#endif

#endif
