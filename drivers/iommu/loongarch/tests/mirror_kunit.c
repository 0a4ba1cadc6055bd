// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the LoongArch IOMMU's copies of page tables
 *
 * A fake unit has memory of its own, in which a walker looks for the pages that
 * the IOMMU core has mapped: it knows the unit's tables from the description of
 * the hardware, and nothing of the driver.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "../../iommu-pages.h"
#include "core_test.h"
#include "fake_unit.h"
#include "mirror.h"

#define RW		(IOMMU_READ | IOMMU_WRITE)
#define TABLE_SIZE	0x4000
#define ENTRIES		2048
#define JUNK		0xa5a5a5a5a5a5a5a5ULL
#define ADDRESS		0x0000ffffffffc000ULL
#define DIR_SIZE	0x1000000000ULL
#define LAST_PAGE	0x7fffffffc000ULL

/**
 * struct own_tables - memory of a fake unit
 * @memory: all of it
 * @size: in bytes
 * @pool: what the driver has of it
 * @origin: where the unit finds it
 * @is_lost: nothing is in there, and the unit does not translate
 * @writes: entries that were written
 * @reads: entries that were read
 */
struct own_tables {
	u64 *memory;
	size_t size;
	struct la_pool *pool;
	u64 origin;
	bool is_lost;
	unsigned int writes;
	unsigned int reads;
};

/* Where in the unit's memory an entry, or the address of a root, leads to */
static u64 offset_of(struct kunit *test, struct own_tables *own, u64 entry)
{
	u64 offset = (entry & ADDRESS) - own->origin;

	KUNIT_ASSERT_LT(test, offset, own->size);

	return offset;
}

/* What leads to a table that isn't whole would let devices access anything */
static void expect_whole(struct kunit *test, struct own_tables *own, u64 entry)
{
	const u64 *table = own->memory + offset_of(test, own, entry) / sizeof(u64);

	KUNIT_EXPECT_NE(test, table[0], JUNK);
	KUNIT_EXPECT_NE(test, table[ENTRIES - 1], JUNK);
}

static void own_write(struct la_pool *pool, u16 table, unsigned int index, u64 entry)
{
	struct kunit *test = kunit_get_current_test();
	struct own_tables *own = the(test)->own;

	KUNIT_ASSERT_LT(test, table, own->size / TABLE_SIZE);
	KUNIT_ASSERT_LT(test, index, ENTRIES);
	if (!own->is_lost && pool->children[table] && (entry & 3) == 1)
		expect_whole(test, own, entry);
	own->writes++;
	WRITE_ONCE(own->memory[table * ENTRIES + index], entry);
}

static u64 own_read(struct la_pool *pool, u16 table, unsigned int index)
{
	struct own_tables *own = the(kunit_get_current_test())->own;

	own->reads++;

	return own->memory[table * ENTRIES + index];
}

static void free_memory(void *memory)
{
	kvfree(memory);
}

static struct la_pool *create_pool(struct kunit *test, struct own_tables *own)
{
	return la_pool_create(the(test)->fake->iommu.dev, (__force void __iomem *)own->memory,
			      own->size, own->origin);
}

/* Memory for so many tables, with junk in it as without power */
static void give_tables_at(struct kunit *test, unsigned int nr, u64 origin)
{
	struct own_tables *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, own);
	own->size = nr * TABLE_SIZE;
	own->origin = origin;
	own->memory = kvmalloc(own->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, own->memory);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_memory, own->memory), 0);
	memset64(own->memory, JUNK, own->size / sizeof(u64));

	the(test)->own = own;
	own->pool = create_pool(test, own);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, own->pool);
	the(test)->fake->iommu.pool = own->pool;
}

static void give_tables(struct kunit *test, unsigned int nr)
{
	give_tables_at(test, nr, 0);
}

static int mirror_test_init(struct kunit *test)
{
	int ret = core_test_init(test);

	if (ret)
		return ret;
	kunit_activate_static_stub(test, la_pool_write, own_write);
	kunit_activate_static_stub(test, la_pool_read, own_read);
	give_tables(test, 512);

	return 0;
}

static unsigned int tables_in_use(struct kunit *test)
{
	return bitmap_weight(the(test)->own->pool->used, LA_MAX_TABLES);
}

static void forget_accesses(struct kunit *test)
{
	fake_unit_forget_log(the(test)->fake);
	the(test)->own->writes = 0;
	the(test)->own->reads = 0;
}

/* --- the walker */

static u64 unit_entry(struct kunit *test, struct own_tables *own, u64 table, u64 iova, int shift)
{
	return READ_ONCE(own->memory[offset_of(test, own, table) / sizeof(u64) +
				     (iova >> shift) % ENTRIES]);
}

/* Where the unit finds @iova, with bit 0 for whoever may read and write; 0 for nowhere */
static u64 unit_walk(struct kunit *test, u64 root, u64 iova)
{
	struct own_tables *own = the(test)->own;
	u64 entry = root;

	for (int shift = 36; shift >= 14; shift -= 11) {
		entry = unit_entry(test, own, entry, iova, shift);
		KUNIT_EXPECT_NE(test, entry, JUNK);
		if (!(entry & 1))
			return 0;
		if (!(entry & 2))
			continue;
		KUNIT_EXPECT_EQ(test, shift, 25);
		return (entry & ADDRESS) + iova % SZ_32M + ((entry & 0xc) == 0xc);
	}

	return (entry & ADDRESS) + iova % SZ_16K + ((entry & 0xc) == 0xc);
}

static void expect_same_at(struct kunit *test, struct iommu_domain *domain, u64 root, u64 iova)
{
	u64 want = iommu_iova_to_phys(domain, iova);

	KUNIT_EXPECT_EQ_MSG(test, unit_walk(test, root, iova), want ? want + 1 : 0,
			    "at 0x%llx", iova);
}

/* The root of the domain that was attached as the @id-th one */
static u64 root_of(struct kunit *test, unsigned int id)
{
	return fake_unit_pgd(the(test)->fake, id);
}

/* Both ends and the middle, and what is around */
static void expect_same(struct kunit *test, struct iommu_domain *domain, u64 iova, u64 size)
{
	u64 root = root_of(test, 1);

	expect_same_at(test, domain, root, iova);
	expect_same_at(test, domain, root, iova + size / 2);
	expect_same_at(test, domain, root, iova + size - 8);
	if (iova)
		expect_same_at(test, domain, root, iova - SZ_16K);
	if (iova + size <= LAST_PAGE)
		expect_same_at(test, domain, root, iova + size);
}

/* --- copies */

static void what_was_mapped_before_is_copied(struct kunit *test)
{
	static const u64 iovas[] = { 0, SZ_32M - SZ_16K, DIR_SIZE, LAST_PAGE };
	struct iommu_domain *domain = new_domain(test);

	for (int i = 0; i < ARRAY_SIZE(iovas); i++)
		KUNIT_ASSERT_EQ(test, iommu_map(domain, iovas[i], 0x90000000 + i * SZ_16K, SZ_16K,
						RW, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, SZ_1G, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);

	KUNIT_ASSERT_EQ(test, iommu_attach_device(domain, the(test)->dev), 0);
	for (int i = 0; i < ARRAY_SIZE(iovas); i++)
		expect_same(test, domain, iovas[i], SZ_16K);
	expect_same(test, domain, SZ_1G, SZ_32M);
	KUNIT_EXPECT_EQ(test, unit_walk(test, root_of(test, 1), SZ_1G + 8), 0x92000009);
	iommu_detach_device(domain, the(test)->dev);
}

static void table_and_large_page_replace_each_other(struct kunit *test)
{
	struct iommu_domain *domain = attached_domain(test);
	unsigned int before = tables_in_use(test);

	/* The first time, there is a directory, too, which stays */
	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92004000, SZ_32M, RW, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before + 2);
	expect_same(test, domain, 0, SZ_32M);
	for (u64 at = 0; at < SZ_32M; at += SZ_16K)
		KUNIT_ASSERT_EQ(test, iommu_unmap(domain, at, SZ_16K), SZ_16K);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before + 2);

	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before + 1);
	expect_same(test, domain, 0, SZ_32M);
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, 0, SZ_32M), SZ_32M);
	expect_same(test, domain, 0, SZ_32M);

	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92004000, SZ_32M, RW, GFP_KERNEL), 0);
	expect_same(test, domain, 0, SZ_32M);
	iommu_detach_device(domain, the(test)->dev);
}

static void map_and_compare(struct kunit *test)
{
	struct iommu_domain *domain = attached_domain(test);

	KUNIT_EXPECT_GE(test, root_of(test, 1), the(test)->own->origin + TABLE_SIZE);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x90000000, SZ_64K, RW, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, SZ_1G, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);
	expect_same(test, domain, 0, SZ_64K);
	expect_same(test, domain, SZ_1G, SZ_32M);
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, SZ_16K, SZ_16K), SZ_16K);
	expect_same(test, domain, SZ_16K, SZ_16K);
	iommu_detach_device(domain, the(test)->dev);
}

static void copy_is_found_wherever_it_is(struct kunit *test)
{
	give_tables_at(test, 512, 0x7890000000);
	map_and_compare(test);
}

#ifdef CONFIG_LOONGARCH
static void free_pages_of(void *memory)
{
	iommu_free_pages(memory);
}

/* All accesses are uncached: what is in a cache of it may never have been in memory */
static void copy_is_in_uncached_memory(struct kunit *test)
{
	struct own_tables *own = the(test)->own;
	struct la_pool *pool;

	kunit_deactivate_static_stub(test, la_pool_write);
	kunit_deactivate_static_stub(test, la_pool_read);
	pool = la_pool_create_uncached(the(test)->fake->iommu.dev);
	if (pool == ERR_PTR(-EOPNOTSUPP))
		kunit_skip(test, "under a hypervisor");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	kunit_add_action(test, free_pages_of, phys_to_virt(pool->origin));
	KUNIT_EXPECT_EQ(test, pool->origin % TABLE_SIZE, 0);
	KUNIT_EXPECT_GE(test, pool->nr, SZ_1M / TABLE_SIZE);

	*own = (struct own_tables){
		.memory = (__force u64 *)pool->base,
		.size = pool->nr * TABLE_SIZE,
		.pool = pool,
		.origin = pool->origin,
	};
	KUNIT_EXPECT_NULL(test, memchr_inv(own->memory, 0, own->size));
	the(test)->fake->iommu.pool = pool;
	map_and_compare(test);
}
#endif

/* A domain is two tables for each copy of it, and none when it is gone */
static void each_domain_has_its_copy(struct kunit *test)
{
	unsigned int before = tables_in_use(test);
	struct iommu_domain *domains[3];

	for (int i = 0; i < ARRAY_SIZE(domains); i++) {
		domains[i] = iommu_paging_domain_alloc(the(test)->dev);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domains[i]);
		KUNIT_ASSERT_EQ(test, iommu_attach_device(domains[i], the(test)->dev), 0);
		iommu_detach_device(domains[i], the(test)->dev);
		KUNIT_ASSERT_EQ(test, iommu_map(domains[i], SZ_1G, SZ_1G + i * SZ_16K, SZ_16K, RW,
						GFP_KERNEL), 0);
	}
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before + 3 * ARRAY_SIZE(domains));
	for (int i = 0; i < ARRAY_SIZE(domains); i++)
		expect_same_at(test, domains[i], root_of(test, i + 1), SZ_1G);
	for (int i = 0; i < ARRAY_SIZE(domains); i++)
		iommu_domain_free(domains[i]);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before);
}

/* --- what it costs */

static void expect_accesses(struct kunit *test, unsigned int writes, unsigned int commands)
{
	KUNIT_EXPECT_EQ(test, the(test)->own->writes, writes);
	KUNIT_EXPECT_EQ(test, the(test)->own->reads, 1);
	KUNIT_EXPECT_EQ(test, the(test)->fake->nr_log, commands);
	forget_accesses(test);
}

static void page_is_one_write(struct kunit *test)
{
	struct iommu_domain *domain = attached_domain(test);

	/* A directory and a table, and what leads to each */
	forget_accesses(test);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x90000000, SZ_16K, RW, GFP_KERNEL), 0);
	expect_accesses(test, 2 * (ENTRIES + 1), 0);

	KUNIT_ASSERT_EQ(test, iommu_map(domain, SZ_1M, 0x90000000, SZ_16K, RW, GFP_KERNEL), 0);
	expect_accesses(test, 1, 0);
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, SZ_1M, SZ_16K), SZ_16K);
	expect_accesses(test, 1, 2);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, SZ_32M, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);
	expect_accesses(test, 1, 0);
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, SZ_32M, SZ_32M), SZ_32M);
	expect_accesses(test, 1, 2);
	iommu_detach_device(domain, the(test)->dev);
}

/* --- when something goes wrong */

static void table_is_not_used_again_without_a_flush(struct kunit *test)
{
	struct iommu_domain *domain = attached_domain(test);
	struct fake_unit *fake = the(test)->fake;
	unsigned int before;

	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92004000, SZ_64M, RW, GFP_KERNEL), 0);
	before = tables_in_use(test);
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, 0, SZ_32M), SZ_32M);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before - 1);

	fake->stuck = true;
	KUNIT_ASSERT_EQ(test, iommu_unmap(domain, SZ_32M, SZ_32M), SZ_32M);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before - 1);
	KUNIT_EXPECT_EQ(test, unit_walk(test, root_of(test, 1), SZ_32M), 0);
	iommu_detach_device(domain, the(test)->dev);
	fake->stuck = false;
}

/* One is empty, and a domain has a root and a directory */
static void page_without_a_table_is_refused(struct kunit *test)
{
	struct iommu_domain *domain;
	u64 iova;

	give_tables(test, 64);
	domain = attached_domain(test);
	for (iova = 0; iova < 61ULL * SZ_32M; iova += SZ_32M)
		KUNIT_ASSERT_EQ(test, iommu_map(domain, iova, SZ_1G + iova, SZ_16K, RW,
						GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), 64);

	/* Of two pages, the first one could be mapped */
	KUNIT_EXPECT_EQ(test, iommu_map(domain, iova - SZ_16K, SZ_1G, SZ_32K, RW, GFP_KERNEL),
			-ENOMEM);
	expect_same(test, domain, iova - SZ_16K, SZ_32K);
	KUNIT_EXPECT_EQ(test, iommu_map(domain, DIR_SIZE, SZ_1G, SZ_16K, RW, GFP_KERNEL), -ENOMEM);
	expect_same(test, domain, DIR_SIZE, SZ_16K);

	/* Those before are there, and a large page needs no table */
	for (iova = 0; iova < 61ULL * SZ_32M; iova += SZ_32M)
		expect_same(test, domain, iova, SZ_16K);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, iova, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);
	expect_same(test, domain, iova, SZ_32M);
	iommu_detach_device(domain, the(test)->dev);
}

/* Neither for its root, nor for what it has */
static void domain_without_tables_is_refused(struct kunit *test)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;
	struct iommu_domain *large = new_domain(test), *domain;
	unsigned int ids = la_hw_free_ids(iommu), before;

	give_tables(test, 64);
	before = tables_in_use(test);
	KUNIT_ASSERT_EQ(test, iommu_map(large, 0, SZ_1G + SZ_16K, 62ULL * SZ_32M, RW, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, iommu_attach_device(large, the(test)->dev), -ENOMEM);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before);
	KUNIT_EXPECT_EQ(test, la_hw_free_ids(iommu), ids);

	/* It fits as soon as a table less will do */
	KUNIT_ASSERT_EQ(test, iommu_unmap(large, 0, SZ_32M), SZ_32M);
	KUNIT_ASSERT_EQ(test, iommu_attach_device(large, the(test)->dev), 0);
	iommu_detach_device(large, the(test)->dev);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), 64);

	domain = new_domain(test);
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, the(test)->dev), -ENOMEM);
	KUNIT_EXPECT_EQ(test, la_hw_free_ids(iommu), ids - 1);
}

static u64 read_ones(struct la_pool *pool, u16 table, unsigned int index)
{
	return ~0ULL;
}

static void memory_that_keeps_nothing_is_refused(struct kunit *test)
{
	kunit_activate_static_stub(test, la_pool_read, read_ones);
	KUNIT_EXPECT_EQ(test, PTR_ERR(create_pool(test, the(test)->own)), -EIO);
}

static void sleep_without_power_is_survived(struct kunit *test)
{
	static const u64 iovas[] = { 0, SZ_1G, DIR_SIZE * 7, LAST_PAGE };
	struct iommu_domain *domain = attached_domain(test);
	struct own_tables *own = the(test)->own;
	unsigned int before;

	for (int i = 0; i < ARRAY_SIZE(iovas); i++)
		KUNIT_ASSERT_EQ(test, iommu_map(domain, iovas[i], 0x90000000 + i * SZ_16K, SZ_16K,
						RW, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, SZ_2G, 0x92000000, SZ_32M, RW, GFP_KERNEL), 0);
	before = tables_in_use(test);

	memset64(own->memory, JUNK, own->size / sizeof(u64));
	own->is_lost = true;
	la_pool_restore(own->pool);
	KUNIT_EXPECT_EQ(test, tables_in_use(test), before);
	for (int i = 0; i < ARRAY_SIZE(iovas); i++)
		expect_same(test, domain, iovas[i], SZ_16K);
	expect_same(test, domain, SZ_2G, SZ_32M);
	/* A directory that has nothing else, and a root's other entries */
	for (u64 iova = 0; iova < LAST_PAGE; iova += DIR_SIZE / 3)
		expect_same_at(test, domain, root_of(test, 1), iova & ADDRESS);
	KUNIT_EXPECT_EQ(test, unit_walk(test, 0, 0), 0);
	iommu_detach_device(domain, the(test)->dev);
}

/* --- whatever happens in whatever order */

#define WALK_STEPS	600
#define WALK_PLACES	6

/* Pages somewhere in a place, as large as may be */
struct walk_range {
	u64 place;
	u64 iova;
	u64 size;
};

static void walk_map(struct kunit *test, struct rnd_state *rnd, struct iommu_domain *domain,
		     struct walk_range *range)
{
	static const u64 units[] = { SZ_16K, SZ_256K, SZ_32M };
	u64 unit = units[prandom_u32_state(rnd) % ARRAY_SIZE(units)];
	u64 pa = SZ_4G + (prandom_u32_state(rnd) % 2 ? SZ_16K : 0);

	range->iova = range->place + prandom_u32_state(rnd) % 3 * unit;
	range->size = (1 + prandom_u32_state(rnd) % 2) * unit;
	KUNIT_ASSERT_EQ(test, iommu_map(domain, range->iova, pa, range->size, RW, GFP_KERNEL), 0);
}

/* As the DMA API does to put off flushes */
static void walk_unmap_lazily(struct kunit *test, struct iommu_domain *domain,
			      struct walk_range *range)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	gather.queued = true;
	KUNIT_ASSERT_EQ(test, iommu_unmap_fast(domain, range->iova, range->size, &gather),
			range->size);
	iommu_flush_iotlb_all(domain);
	iommu_put_pages_list(&gather.freelist);
}

static void any_order_is_right(struct kunit *test)
{
	static const u64 places[WALK_PLACES] = {
		0, SZ_1G, DIR_SIZE - SZ_64M, 5 * DIR_SIZE, 9 * DIR_SIZE - SZ_32M,
		LAST_PAGE + SZ_16K - 5ULL * SZ_32M,
	};
	struct walk_range ranges[WALK_PLACES] = { };
	struct iommu_domain *domain = attached_domain(test);
	struct rnd_state rnd;

	for (int i = 0; i < WALK_PLACES; i++)
		ranges[i].place = places[i];
	prandom_seed_state(&rnd, 20261130);
	for (int i = 0; i < WALK_STEPS; i++) {
		struct walk_range *range = &ranges[prandom_u32_state(&rnd) % WALK_PLACES];
		bool is_mapped = range->size;

		if (!is_mapped)
			walk_map(test, &rnd, domain, range);
		else if (prandom_u32_state(&rnd) % 2)
			walk_unmap_lazily(test, domain, range);
		else
			iommu_unmap(domain, range->iova, range->size);
		expect_same(test, domain, range->iova, range->size);
		if (is_mapped)
			range->size = 0;
	}
	iommu_detach_device(domain, the(test)->dev);
}

#define MAPPERS	4
#define MAPS	300

struct mapper {
	struct kunit *test;
	struct iommu_domain *domain;
	struct task_struct *task;
	u64 iova;
	unsigned int wrong;
};

static bool is_same(struct mapper *mapper, u64 want)
{
	return unit_walk(mapper->test, root_of(mapper->test, 1), mapper->iova) == want;
}

/* Map and unmap a page that all others have their pages around */
static int map_often(void *data)
{
	struct mapper *mapper = data;

	for (int i = 0; i < MAPS; i++) {
		u64 pa = SZ_1G + i * SZ_16K;

		mapper->wrong += !!iommu_map(mapper->domain, mapper->iova, pa, SZ_16K, RW,
					     GFP_KERNEL);
		mapper->wrong += !is_same(mapper, pa + 1);
		if (i % 8 == 0)
			iommu_flush_iotlb_all(mapper->domain);
		mapper->wrong += iommu_unmap(mapper->domain, mapper->iova, SZ_16K) != SZ_16K;
		mapper->wrong += !is_same(mapper, 0);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);

	return 0;
}

static void all_may_map_at_once(struct kunit *test)
{
	struct iommu_domain *domain = attached_domain(test);
	struct mapper mappers[MAPPERS] = { };

	for (int i = 0; i < MAPPERS; i++) {
		struct mapper *mapper = &mappers[i];

		*mapper = (struct mapper){ test, domain, NULL, i * SZ_16K };
		mapper->task = kthread_create(map_often, mapper, "mapper/%d", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapper->task);
		/* So that its accesses go to the fake unit, too */
		mapper->task->kunit_test = test;
		wake_up_process(mapper->task);
	}
	for (int i = 0; i < MAPPERS; i++) {
		kthread_stop(mappers[i].task);
		KUNIT_EXPECT_EQ(test, mappers[i].wrong, 0);
	}
	iommu_detach_device(domain, the(test)->dev);
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(what_was_mapped_before_is_copied),
	KUNIT_CASE(table_and_large_page_replace_each_other),
	KUNIT_CASE(copy_is_found_wherever_it_is),
#ifdef CONFIG_LOONGARCH
	KUNIT_CASE(copy_is_in_uncached_memory),
#endif
	KUNIT_CASE(each_domain_has_its_copy),
	KUNIT_CASE(page_is_one_write),
	KUNIT_CASE(table_is_not_used_again_without_a_flush),
	KUNIT_CASE(page_without_a_table_is_refused),
	KUNIT_CASE(domain_without_tables_is_refused),
	KUNIT_CASE(memory_that_keeps_nothing_is_refused),
	KUNIT_CASE(sleep_without_power_is_survived),
	KUNIT_CASE(any_order_is_right),
	KUNIT_CASE(all_may_map_at_once),
	{}
};

static struct kunit_suite mirror_suite = {
	.name = "loongarch_iommu_mirror",
	.init = mirror_test_init,
	.test_cases = mirror_cases,
};

kunit_test_suite(mirror_suite);
