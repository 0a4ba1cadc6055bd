// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the LoongArch IOMMU behind the IOMMU core
 *
 * A device on the platform bus is behind a fake unit; what is tested comes
 * through the functions that other drivers call.
 */
#include <linux/acpi.h>
#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/unaligned.h>
#include <kunit/platform_device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "../../iommu-priv.h"
#include "core_test.h"
#include "fake_unit.h"
#include "others.h"

#define RID	0x0250

static void remove_fwnode(void *fwnode)
{
	fwnode_remove_software_node(fwnode);
}

static void unregister_unit(void *iommu)
{
	la_iommu_unregister(iommu);
}

/* A device with this requester id, which the core gives to the unit's driver */
static struct device *add_device(struct kunit *test, const char *name, u32 rid)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;
	struct platform_device *pdev;

	pdev = kunit_platform_device_alloc(test, name, PLATFORM_DEVID_NONE);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	scoped_guard(mutex, &iommu_probe_device_lock)
		KUNIT_ASSERT_EQ(test, iommu_fwspec_init(&pdev->dev, the(test)->fwnode), 0);
	KUNIT_ASSERT_EQ(test, iommu_fwspec_add_ids(&pdev->dev, &rid, 1), 0);
	/* In a full unit it isn't translated, whatever the kernel's default is */
	iommu->nr_slots = 0;
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	iommu->nr_slots = LA_MAX_SLOTS;

	return &pdev->dev;
}

static struct device *add_unit(struct kunit *test, const char *name)
{
	struct platform_device *pdev;

	pdev = kunit_platform_device_alloc(test, name, PLATFORM_DEVID_NONE);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	platform_device_set_fwnode(pdev, the(test)->fwnode);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);

	return &pdev->dev;
}

/* What describes the next unit */
static void add_fwnode(struct kunit *test)
{
	struct fwnode_handle *fwnode = fwnode_create_software_node(NULL, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fwnode);
	kunit_add_action_or_reset(test, remove_fwnode, fwnode);
	the(test)->fwnode = fwnode;
}

/* A unit without tables of its own, and a device that is not translated */
int core_test_init(struct kunit *test)
{
	struct core_test *core = kunit_kzalloc(test, sizeof(*core), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, core);
	test->priv = core;
	add_fwnode(test);
	core->fake = fake_unit(test, add_unit(test, "loongarch-unit"));
	core->fake->iommu.ias = 47;
	core->fake->iommu.oas = 48;
	core->fake->iommu.pgsizes = SZ_16K | SZ_32M;
	KUNIT_ASSERT_EQ(test, la_iommu_register(&core->fake->iommu), 0);
	kunit_add_action_or_reset(test, unregister_unit, &core->fake->iommu);
	/* From work that isn't the test's, accesses would not go to the fake unit */
	la_fault_exit(&core->fake->iommu);

	core->dev = add_device(test, "loongarch-endpoint", RID);

	return 0;
}

static void free_domain(void *domain)
{
	iommu_domain_free(domain);
}

/* That no device is attached to */
struct iommu_domain *new_domain(struct kunit *test)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(the(test)->dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	kunit_add_action_or_reset(test, free_domain, domain);

	return domain;
}

/* That of the device, after which nothing was written or read */
struct iommu_domain *attached_domain(struct kunit *test)
{
	struct iommu_domain *domain = new_domain(test);

	KUNIT_ASSERT_EQ(test, iommu_attach_device(domain, the(test)->dev), 0);
	fake_unit_forget_log(the(test)->fake);

	return domain;
}

/* What the device has in the unit's table; 0 if it isn't there */
static u32 entry_of(struct kunit *test, u16 rid)
{
	struct fake_unit *fake = the(test)->fake;

	for (int i = 0; i < LA_MAX_SLOTS; i++) {
		u32 entry = fake->table[i];

		if (entry & LA_EIVDB_VALID && FIELD_GET(LA_EIVDB_RID, entry) == rid)
			return entry;
	}

	return 0;
}

static u64 *table_at(u64 entry)
{
	return phys_to_virt(entry & GENMASK_ULL(47, 14));
}

#define TOP_IOVA	0x7fffffffc000ULL

/* --- tables */

static const struct {
	const char *name;
	int prot;
	u64 bits;
} prots[] = {
	{ "read and write", IOMMU_READ | IOMMU_WRITE, 0xd },
	{ "read", IOMMU_READ, 0x5 },
	{ "write", IOMMU_WRITE, 0x9 },
	{ "no other bits", IOMMU_READ | IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO |
			   IOMMU_CACHE, 0xd },
};

KUNIT_ARRAY_PARAM_DESC(prot, prots, name);

static void page_is_as_the_unit_reads_it(struct kunit *test)
{
	const typeof(prots[0]) *prot = test->param_value;
	struct iommu_domain *domain = attached_domain(test);
	struct device *dev = the(test)->dev;
	u64 *pgd = table_at(fake_unit_pgd(the(test)->fake, 1));

	KUNIT_ASSERT_EQ(test, iommu_map(domain, TOP_IOVA, 0x90004000, SZ_16K, prot->prot,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, pgd[2047] & ~GENMASK_ULL(47, 14), 0xd);
	KUNIT_EXPECT_EQ(test, table_at(pgd[2047])[2047] & ~GENMASK_ULL(47, 14), 0xd);
	KUNIT_EXPECT_EQ(test, table_at(table_at(pgd[2047])[2047])[2047],
			0x90004000 | prot->bits);
	KUNIT_EXPECT_EQ(test, iommu_iova_to_phys(domain, TOP_IOVA + 8), 0x90004008);

	KUNIT_EXPECT_EQ(test, iommu_unmap(domain, TOP_IOVA, SZ_16K), SZ_16K);
	KUNIT_EXPECT_EQ(test, iommu_iova_to_phys(domain, TOP_IOVA), 0);
	iommu_detach_device(domain, dev);
}

static void large_page_needs_the_unit_s_consent(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct iommu_domain *domain = attached_domain(test);
	u64 *pmd;

	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92000000, SZ_32M,
					IOMMU_READ | IOMMU_WRITE, GFP_KERNEL), 0);
	pmd = table_at(table_at(fake_unit_pgd(fake, 1))[0]);
	KUNIT_EXPECT_EQ(test, pmd[0], 0x9200000f);
	iommu_detach_device(domain, the(test)->dev);

	fake->iommu.pgsizes = SZ_16K;
	domain = attached_domain(test);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x92000000, SZ_32M,
					IOMMU_READ | IOMMU_WRITE, GFP_KERNEL), 0);
	pmd = table_at(table_at(fake_unit_pgd(fake, 2))[0]);
	KUNIT_EXPECT_EQ(test, pmd[0] & ~GENMASK_ULL(47, 14), 0xd);
	KUNIT_EXPECT_EQ(test, table_at(pmd[0])[2047], 0x93ffc00d);
	iommu_detach_device(domain, the(test)->dev);
}

/* --- what it costs */

static void unmap_is_one_flush(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct iommu_domain *domain = attached_domain(test);

	iommu_map(domain, 0, 0x90000000, SZ_1M, IOMMU_READ, GFP_KERNEL);
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, iommu_unmap(domain, 0, SZ_1M), SZ_1M);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 2);
	KUNIT_EXPECT_EQ(test, fake->log[0].val & 0x1f, LA_VBTC_CMD_FLUSH_DOMAIN);
	iommu_detach_device(domain, the(test)->dev);
}

static void map_is_no_access_unless_the_unit_remembers(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct iommu_domain *domain = attached_domain(test);

	iommu_map(domain, 0, 0x90000000, SZ_1M, IOMMU_READ, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, fake->nr_log + fake->reads, 0);

	fake->iommu.flush_on_map = true;
	iommu_map(domain, SZ_1M, 0x90100000, SZ_1M, IOMMU_READ, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 2);
	iommu_detach_device(domain, the(test)->dev);
}

static void attach_is_twelve_writes_at_most(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct iommu_domain *domain = new_domain(test);

	fake_unit_forget_log(fake);
	KUNIT_ASSERT_EQ(test, iommu_attach_device(domain, the(test)->dev), 0);
	KUNIT_EXPECT_LE(test, fake->nr_log, 12);
	iommu_detach_device(domain, the(test)->dev);
}

/* --- what it costs others */

static const struct {
	const char *name;
	u64 size;
	unsigned int times;
} loads[] = {
	{ "64 pages one by one", SZ_16K, 64 },
	{ "64 pages at once", SZ_1M, 1 },
	{ "1 GiB at once", SZ_1G, 1 },
};

KUNIT_ARRAY_PARAM_DESC(load, loads, name);

#define LOAD_PA	0x90000000ULL

/* What a load takes: accesses of registers, and time for the log alone */
struct cost {
	unsigned int map, unmap;
	u64 map_ns, unmap_ns;
};

static unsigned int accesses(struct fake_unit *fake)
{
	return fake->nr_log + fake->reads;
}

/* By whom a load is mapped; a table is a domain, or a vendor_table */
struct way {
	int (*map)(void *table, u64 iova, u64 pa, u64 size);
	int (*unmap)(void *table, u64 iova, u64 size);
};

static int core_map(void *table, u64 iova, u64 pa, u64 size)
{
	return iommu_map(table, iova, pa, size, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
}

static int core_unmap(void *table, u64 iova, u64 size)
{
	return iommu_unmap(table, iova, size) == size ? 0 : -EIO;
}

static const struct way core_way = { .map = core_map, .unmap = core_unmap };
static const struct way vendor_way = { .map = vendor_map, .unmap = vendor_unmap };

static struct cost cost_of(struct kunit *test, const struct way *way, void *table)
{
	const typeof(loads[0]) *load = test->param_value;
	struct fake_unit *fake = the(test)->fake;
	struct cost cost;

	fake_unit_forget_log(fake);
	cost.map_ns = -ktime_get_ns();
	for (u64 at = 0; at < load->times * load->size; at += load->size)
		KUNIT_ASSERT_EQ(test, way->map(table, at, LOAD_PA + at, load->size), 0);
	cost.map_ns += ktime_get_ns();
	cost.map = accesses(fake);

	fake_unit_forget_log(fake);
	cost.unmap_ns = -ktime_get_ns();
	for (u64 at = 0; at < load->times * load->size; at += load->size)
		KUNIT_ASSERT_EQ(test, way->unmap(table, at, load->size), 0);
	cost.unmap_ns += ktime_get_ns();
	cost.unmap = accesses(fake);

	return cost;
}

static void say_cost(struct kunit *test, const char *whose, struct cost cost,
		     unsigned int flushes)
{
	const typeof(loads[0]) *load = test->param_value;

	kunit_info(test, "%s, %s: %u accesses and %llu ns to map, %u and %llu to unmap, %u flushes\n",
		   load->name, whose, cost.map, cost.map_ns, cost.unmap, cost.unmap_ns,
		   flushes);
}

/*
 * A command of a fake unit is 4 accesses: its write and 3 reads until it has
 * ended. A flush of a domain is two of them and a read before, and of all TLBs
 * by the vendor's driver one, a read before and 6 more to enable the unit.
 */
static void mapping_costs_less_than_the_vendor_s_driver(struct kunit *test)
{
	const typeof(loads[0]) *load = test->param_value;
	struct fake_unit *fake = the(test)->fake;
	struct vendor_table *table = vendor_table(test, &fake->iommu);
	struct iommu_domain *domain = attached_domain(test);
	struct cost ours, theirs;
	unsigned int flushes = fake->flushes[1];

	ours = cost_of(test, &core_way, domain);
	flushes = fake->flushes[1] - flushes;
	say_cost(test, "this driver", ours, flushes);
	KUNIT_EXPECT_EQ(test, flushes, load->times);
	KUNIT_EXPECT_EQ(test, ours.map, 0);
	KUNIT_EXPECT_EQ(test, ours.unmap, 9 * load->times);

	/* If the unit remembers what wasn't there */
	fake->iommu.flush_on_map = true;
	ours = cost_of(test, &core_way, domain);
	KUNIT_EXPECT_EQ(test, ours.map, 9 * load->times);

	theirs = cost_of(test, &vendor_way, table);
	say_cost(test, "the vendor's", theirs, table->flushes);
	KUNIT_EXPECT_EQ(test, table->flushes, 2 * load->times);
	KUNIT_EXPECT_EQ(test, theirs.map, 11 * load->times);
	KUNIT_EXPECT_EQ(test, theirs.unmap, 11 * load->times);
	iommu_detach_device(domain, the(test)->dev);
}

#if IS_BUILTIN(CONFIG_IOMMU_PT_X86_64)
static void mapping_flushes_as_often_as_on_x86(struct kunit *test)
{
	const typeof(loads[0]) *load = test->param_value;
	struct x86_table *table = x86_table(test);
	struct cost cost = cost_of(test, &core_way, &table->domain);

	say_cost(test, "x86", cost, table->flushes);
	KUNIT_EXPECT_EQ(test, table->flushes, load->times);
}
#endif

/* --- domains */

static void device_without_a_domain_is_not_translated(struct kunit *test)
{
	struct iommu_domain *domain;

	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0);
	domain = attached_domain(test);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0x00110250);
	iommu_detach_device(domain, the(test)->dev);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0);
}

static void device_with_a_new_owner_is_blocked(struct kunit *test)
{
	struct device *dev = the(test)->dev;
	struct fake_unit *fake = the(test)->fake;
	struct iommu_group *group = iommu_group_get(dev);

	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_ASSERT_EQ(test, iommu_group_claim_dma_owner(group, test), 0);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0x00100250);
	KUNIT_EXPECT_EQ(test, fake_unit_pgd(fake, 0), virt_to_phys(fake->iommu.empty));
	iommu_group_release_dma_owner(group);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0);
	iommu_group_put(group);
}

/* A device never stays untranslated in silence */
static void domain_without_a_number_is_refused(struct kunit *test)
{
	struct device *dev = the(test)->dev;
	struct iommu_domain *domain;

	/* They keep theirs, so that coming back can't fail */
	for (int i = 1; i < LA_MAX_IDS; i++) {
		domain = attached_domain(test);
		iommu_detach_device(domain, dev);
	}
	KUNIT_EXPECT_EQ(test, iommu_attach_device(new_domain(test), dev), -ENOSPC);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), 0);
	iommu_detach_device(domain, dev);
}

static void domain_of_a_larger_unit_is_refused(struct kunit *test)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;
	struct iommu_domain *domain = new_domain(test);
	struct device *dev = the(test)->dev;

	iommu->ias = 40;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), -EINVAL);
	iommu->ias = 47;
	iommu->oas = 40;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), -EINVAL);
	iommu->oas = 48;
	iommu->pgsizes = SZ_16K;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), -EINVAL);
	KUNIT_EXPECT_EQ(test, la_hw_free_ids(iommu), LA_MAX_IDS - 1);
}

static void domain_is_as_large_as_the_unit(struct kunit *test)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;
	struct iommu_domain *domain;

	iommu->ias = 40;
	iommu->oas = 36;
	domain = attached_domain(test);
	KUNIT_EXPECT_EQ(test, domain->geometry.aperture_end, GENMASK_ULL(39, 0));
	KUNIT_EXPECT_NE(test, iommu_map(domain, BIT_ULL(40), 0x90000000, SZ_16K, IOMMU_READ,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_NE(test, iommu_map(domain, 0, BIT_ULL(36), SZ_16K, IOMMU_READ,
					GFP_KERNEL), 0);
	iommu_detach_device(domain, the(test)->dev);
}

/* --- devices */

static void bad_requester_id_is_refused(struct kunit *test)
{
	struct device *dev = add_device(test, "loongarch-bad", 0x10000);

	KUNIT_EXPECT_FALSE(test, device_iommu_mapped(dev));
}

static void bad_reference_is_refused(struct kunit *test)
{
	const struct iommu_ops *ops = dev_iommu_ops(the(test)->dev);
	struct of_phandle_args args = { .args_count = 2 };

	KUNIT_EXPECT_EQ(test, ops->of_xlate(the(test)->dev, &args), -EINVAL);
}

static void full_unit_translates_no_device_by_default(struct kunit *test)
{
	const struct iommu_ops *ops = dev_iommu_ops(the(test)->dev);
	struct la_iommu *iommu = &the(test)->fake->iommu;
	struct device *dev = the(test)->dev;

	KUNIT_EXPECT_EQ(test, ops->def_domain_type(dev), 0);
	iommu->broken = true;
	KUNIT_EXPECT_EQ(test, ops->def_domain_type(dev), IOMMU_DOMAIN_IDENTITY);
	iommu->broken = false;
	iommu->nr_slots = 0;
	KUNIT_EXPECT_EQ(test, ops->def_domain_type(dev), IOMMU_DOMAIN_IDENTITY);
	iommu->nr_slots = LA_MAX_SLOTS;
	while (la_hw_free_ids(iommu) > 5)
		la_hw_alloc_id(iommu, SZ_1M);
	KUNIT_EXPECT_EQ(test, ops->def_domain_type(dev), 0);
	la_hw_alloc_id(iommu, SZ_1M);
	KUNIT_EXPECT_EQ(test, ops->def_domain_type(dev), IOMMU_DOMAIN_IDENTITY);
}

static void expect_region(struct kunit *test, u64 start, u64 size, enum iommu_resv_type type)
{
	struct iommu_resv_region *region;
	unsigned int found = 0;
	LIST_HEAD(regions);

	iommu_get_resv_regions(the(test)->dev, &regions);
	list_for_each_entry(region, &regions, list) {
		if (region->start != start)
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, region->length, size);
		KUNIT_EXPECT_EQ(test, region->type, type);
	}
	KUNIT_EXPECT_EQ(test, found, 1);
	iommu_put_resv_regions(the(test)->dev, &regions);
}

static void interrupts_have_an_address(struct kunit *test)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;

	iommu->msi[0] = (struct range){ 0x2fe00000, 0x2fffffff };
	iommu->nr_msi = 1;
	expect_region(test, 0x2fe00000, SZ_2M, IOMMU_RESV_DIRECT);
	iommu->msi_bypass = true;
	expect_region(test, 0x2fe00000, SZ_2M, IOMMU_RESV_MSI);
}

static void addresses_that_do_not_reach_it_are_reserved(struct kunit *test)
{
	the(test)->fake->iommu.unseen = (struct range){ 0x10000000, 0x8fffffff };
	expect_region(test, 0x10000000, SZ_2G, IOMMU_RESV_RESERVED);
}

static void unregister_iommu_device(void *iommu)
{
	iommu_device_unregister(iommu);
}

/* add_device() would fail if the core told the device to wait */
static void nobody_waits_for_a_refused_unit(struct kunit *test)
{
	struct la_iommu *iommu = kunit_kzalloc(test, sizeof(*iommu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, iommu);
	add_fwnode(test);
	iommu->dev = add_unit(test, "loongarch-refused");
	KUNIT_ASSERT_EQ(test, la_iommu_refuse(iommu), 0);
	kunit_add_action_or_reset(test, unregister_iommu_device, &iommu->iommu);

	KUNIT_EXPECT_FALSE(test, device_iommu_mapped(add_device(test, "loongarch-alone", RID)));
}

#ifdef CONFIG_ACPI
#define MSI	ACPI_MADT_TYPE_MSI_PIC

static const struct {
	const char *name;
	unsigned int windows;
	unsigned int size;
	struct {
		u8 type;
		u8 length;
		u32 address;
	} entries[2];
} madts[] = {
	{ "one controller", 1, 19, { { MSI, 19, 0x2ff00000 } } },
	{ "two controllers", 2, 38, { { MSI, 19, 0x3ff00000 }, { MSI, 19, 0x2ff00000 } } },
	{ "another entry before", 1, 25, { { 1, 6 }, { MSI, 19, 0x2ff00000 } } },
	{ "nothing", 0, 0 },
	{ "half a header", 0, 1, { { MSI, 19 } } },
	{ "no length", 0, 19, { { MSI, 0, 0x2ff00000 } } },
	{ "too short", 0, 19, { { MSI, 18, 0x2ff00000 } } },
	{ "longer than the table", 0, 18, { { MSI, 19, 0x2ff00000 } } },
	{ "an address without room below", 0, 19, { { MSI, 19, 0x00080000 } } },
};

KUNIT_ARRAY_PARAM_DESC(madt, madts, name);

/* The entries as they are in memory, and nothing behind them */
static u8 *new_madt(struct kunit *test, const typeof(madts[0]) *madt)
{
	u8 *exact = kunit_kmalloc(test, madt->size, GFP_KERNEL);
	u8 all[64] = { };
	u8 *at = all;

	KUNIT_ASSERT_NOT_NULL(test, exact);
	for (int i = 0; i < ARRAY_SIZE(madt->entries); i++) {
		if (!madt->entries[i].type)
			break;
		at[0] = madt->entries[i].type;
		at[1] = madt->entries[i].length;
		if (at[0] == MSI)
			put_unaligned_le64(madt->entries[i].address, at + 3);
		at += at[1];
	}

	return memcpy(exact, all, madt->size);
}

static void interrupt_controllers_are_in_the_madt(struct kunit *test)
{
	const typeof(madts[0]) *madt = test->param_value;
	struct la_iommu *iommu = &the(test)->fake->iommu;
	u8 *exact = new_madt(test, madt);

	la_iommu_read_madt(iommu, exact, exact + madt->size);
	KUNIT_ASSERT_EQ(test, iommu->nr_msi, madt->windows);
	if (!madt->windows)
		return;
	KUNIT_EXPECT_EQ(test, iommu->msi[madt->windows - 1].start, 0x2fe00000);
	KUNIT_EXPECT_EQ(test, iommu->msi[madt->windows - 1].end, 0x2fffffff);
}
#endif

static void unit_that_hangs_refuses_devices(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct device *dev = the(test)->dev;

	fake->stuck = true;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(new_domain(test), dev), -EIO);
	KUNIT_EXPECT_EQ(test, entry_of(test, RID), 0);
	KUNIT_EXPECT_FALSE(test, device_iommu_mapped(add_device(test, "loongarch-late", 0x300)));
	fake->stuck = false;
}

/* --- accesses that fail */

struct blame {
	struct device *dev;
	unsigned long iova;
	unsigned int times;
};

static int note_blame(struct iommu_domain *domain, struct device *dev, unsigned long iova,
		      int flags, void *token)
{
	struct blame *blame = token;

	*blame = (struct blame){ dev, iova, blame->times + 1 };

	return 0;
}

/* A domain that tells of accesses that failed, with a page at @iova */
static struct iommu_domain *blamed_domain(struct kunit *test, struct device *dev, u64 iova,
					  struct blame *blame)
{
	struct iommu_domain *domain = new_domain(test);

	iommu_set_fault_handler(domain, note_blame, blame);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, iova, 0x90000000, SZ_16K,
					IOMMU_READ | IOMMU_WRITE, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, iommu_attach_device(domain, dev), 0);

	return domain;
}

/* Is it reported? */
static bool fail_and_look(struct kunit *test, u64 iova)
{
	struct fake_unit *fake = the(test)->fake;

	fake_unit_fail(fake, iova);
	fake_unit_forget_log(fake);

	return la_fault_look(&fake->iommu);
}

static void access_that_fails_is_reported(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct device *dev = the(test)->dev;
	struct blame blame = { };
	struct iommu_domain *domain = blamed_domain(test, dev, 0, &blame);

	KUNIT_EXPECT_TRUE(test, fail_and_look(test, TOP_IOVA + 8));
	KUNIT_EXPECT_EQ(test, fake->reads, 6);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 2);
	KUNIT_EXPECT_EQ(test, blame.times, 1);
	KUNIT_EXPECT_EQ(test, blame.iova, TOP_IOVA + 8);
	KUNIT_EXPECT_PTR_EQ(test, blame.dev, dev);
	KUNIT_EXPECT_EQ(test, fake_unit_fault(fake), 0);

	/* The same once more, and then nothing new */
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, TOP_IOVA + 8));
	KUNIT_EXPECT_EQ(test, blame.times, 2);
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_FALSE(test, la_fault_look(&fake->iommu));
	KUNIT_EXPECT_EQ(test, fake->reads, 3);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
	iommu_detach_device(domain, dev);
}

static void address_that_stays_is_reported_once(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct iommu_domain *domain = attached_domain(test);

	fake->keeps_fault = true;
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, 0x4000));
	KUNIT_EXPECT_FALSE(test, fail_and_look(test, 0x4000));
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, 0x8000));
	iommu_detach_device(domain, the(test)->dev);
}

/* Who has a page there, of 0x4000 and 0x8000, has not failed to access it */
static void who_may_access_it_is_not_blamed(struct kunit *test)
{
	struct device *dev = the(test)->dev, *other = add_device(test, "loongarch-other", 0x300);
	struct blame blame = { }, other_blame = { };
	struct iommu_domain *domain = blamed_domain(test, dev, 0x4000, &blame);
	struct iommu_domain *other_domain = blamed_domain(test, other, 0x8000, &other_blame);

	fail_and_look(test, 0x4000);
	KUNIT_EXPECT_EQ(test, blame.times, 0);
	KUNIT_EXPECT_EQ(test, other_blame.times, 1);
	fail_and_look(test, 0x8000);
	KUNIT_EXPECT_EQ(test, blame.times, 1);

	/* Both, or none, can't be told apart */
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, 0xc000));
	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0x8000, 0x90000000, SZ_16K, IOMMU_READ,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, 0x8000));
	KUNIT_EXPECT_EQ(test, blame.times + other_blame.times, 2);
	iommu_detach_device(domain, dev);
	iommu_detach_device(other_domain, other);
}

static void device_with_two_ids_is_one_suspect(struct kunit *test)
{
	struct device *dev = the(test)->dev;
	struct la_dev *second = kunit_kzalloc(test, struct_size(second, rids, 1), GFP_KERNEL);
	struct blame blame = { };
	struct iommu_domain *domain = blamed_domain(test, dev, 0x4000, &blame);

	KUNIT_ASSERT_NOT_NULL(test, second);
	second->dev = dev;
	second->iommu = &the(test)->fake->iommu;
	second->nr_rids = 1;
	second->rids[0] = (struct la_rid){ 0x300, -1 };
	KUNIT_ASSERT_EQ(test, la_hw_bind(second, 1), 0);

	fail_and_look(test, 0x8000);
	KUNIT_EXPECT_EQ(test, blame.times, 1);
	KUNIT_EXPECT_PTR_EQ(test, blame.dev, dev);
	la_hw_unbind(second);
	iommu_detach_device(domain, dev);
}

static void blocked_device_is_blamed_without_a_domain(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, iommu_device_claim_dma_owner(the(test)->dev, test), 0);
	KUNIT_EXPECT_TRUE(test, fail_and_look(test, 0x4000));
	iommu_device_release_dma_owner(the(test)->dev);
}

static void address_is_whole(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct blame blame = { };
	struct iommu_domain *domain = blamed_domain(test, the(test)->dev, 0, &blame);

	fake->next_fault = TOP_IOVA;
	fail_and_look(test, 0x4000);
	KUNIT_EXPECT_EQ(test, blame.iova, TOP_IOVA);
	iommu_detach_device(domain, the(test)->dev);
}

static void unit_that_is_gone_reports_nothing(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;

	fake->gone = true;
	KUNIT_EXPECT_FALSE(test, la_fault_look(&fake->iommu));
	fake->gone = false;
}

static unsigned int times_muted;

static void note_mute(struct la_iommu *iommu)
{
	times_muted++;
}

/* Nobody switches it off any more */
static void forget_intx(void *iommu)
{
	((struct la_iommu *)iommu)->faults.intx = false;
}

/* A unit with an interrupt */
static struct la_iommu *unit_with_intx(struct kunit *test)
{
	struct la_iommu *iommu = &the(test)->fake->iommu;

	iommu->faults.intx = true;
	times_muted = 0;
	kunit_activate_static_stub(test, la_iommu_mute, note_mute);
	kunit_add_action(test, forget_intx, iommu);

	return iommu;
}

static void interrupt_reports_an_access_that_fails(struct kunit *test)
{
	struct la_iommu *iommu = unit_with_intx(test);
	struct fake_unit *fake = the(test)->fake;
	struct device *dev = the(test)->dev;
	struct blame blame = { };
	struct iommu_domain *domain = blamed_domain(test, dev, 0, &blame);

	fake_unit_fail(fake, TOP_IOVA);
	KUNIT_EXPECT_EQ(test, la_fault_interrupt(1, iommu), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, blame.times, 1);
	KUNIT_EXPECT_PTR_EQ(test, blame.dev, dev);

	/* Somebody else's has a cost of three reads */
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_fault_interrupt(1, iommu), IRQ_NONE);
	KUNIT_EXPECT_EQ(test, fake->reads, 3);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
	KUNIT_EXPECT_EQ(test, times_muted, 0);
	iommu_detach_device(domain, dev);
}

static void interrupts_without_end_are_not_heard(struct kunit *test)
{
	struct la_iommu *iommu = unit_with_intx(test);

	for (int i = 0; i < 1000; i++)
		la_fault_interrupt(1, iommu);
	KUNIT_EXPECT_EQ(test, times_muted, 1);

	/* Others with the same line pay nothing for it any more */
	fake_unit_forget_log(the(test)->fake);
	KUNIT_EXPECT_EQ(test, la_fault_interrupt(1, iommu), IRQ_NONE);
	KUNIT_EXPECT_EQ(test, the(test)->fake->reads, 0);
	KUNIT_EXPECT_FALSE(test, iommu->faults.intx);
}

static void interrupts_of_a_device_that_goes_astray_end(struct kunit *test)
{
	struct la_iommu *iommu = unit_with_intx(test);
	struct iommu_domain *domain = attached_domain(test);

	for (int i = 0; i < 1000; i++) {
		fake_unit_fail(the(test)->fake, 0x4000 + i);
		la_fault_interrupt(1, iommu);
	}
	KUNIT_EXPECT_EQ(test, times_muted, 1);
	iommu_detach_device(domain, the(test)->dev);
}

static void interrupts_now_and_then_go_on(struct kunit *test)
{
	struct la_iommu *iommu = unit_with_intx(test);

	for (int i = 0; i < 1000; i++) {
		/* 50 in a second */
		if (i % 50 == 0)
			iommu->faults.irqs.begin -= HZ + 1;
		la_fault_interrupt(1, iommu);
	}
	KUNIT_EXPECT_EQ(test, times_muted, 0);
	KUNIT_EXPECT_TRUE(test, iommu->faults.intx);
}

#ifdef CONFIG_IOMMU_DEBUGFS
/* --- debugfs */

static void shows(struct kunit *test, int (*show)(struct seq_file *file, void *unused),
		  const char *text)
{
	struct seq_file file = {
		.private = &the(test)->fake->iommu,
		.buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL),
		.size = SZ_4K,
	};

	KUNIT_ASSERT_NOT_NULL(test, file.buf);
	KUNIT_EXPECT_EQ(test, show(&file, NULL), 0);
	file.buf[min(file.count, SZ_4K - 1)] = '\0';
	KUNIT_EXPECT_STREQ(test, file.buf, text);
}

static void debugfs_shows_what_there_is(struct kunit *test)
{
	struct fake_unit *fake = the(test)->fake;
	struct device *dev = the(test)->dev;
	struct iommu_domain *domain = attached_domain(test);
	char domains[256];

	KUNIT_ASSERT_EQ(test, iommu_map(domain, 0, 0x90000000, SZ_16K, IOMMU_READ, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, iommu_unmap(domain, 0, SZ_16K), SZ_16K);
	fail_and_look(test, 0x4008);

	shows(test, la_devices_show, "slot rid     domain devices\n"
				     "0    02:0a.0 1      1\n");
	snprintf(domains, sizeof(domains), "domain root           wanted     flushes\n"
		 "0      0x%012llx 0          0\n1      0x%012llx 1          1\n",
		 fake_unit_pgd(fake, 0), fake_unit_pgd(fake, 1));
	shows(test, la_domains_show, domains);
	shows(test, la_unit_show, "answers: yes\ninterrupt: off\nfaults: 1, last 0x4008\n");
	iommu_detach_device(domain, dev);
	shows(test, la_devices_show, "slot rid     domain devices\n");
}
#endif

static struct kunit_case core_cases[] = {
	KUNIT_CASE_PARAM(page_is_as_the_unit_reads_it, prot_gen_params),
	KUNIT_CASE(large_page_needs_the_unit_s_consent),
	KUNIT_CASE(unmap_is_one_flush),
	KUNIT_CASE(map_is_no_access_unless_the_unit_remembers),
	KUNIT_CASE(attach_is_twelve_writes_at_most),
	KUNIT_CASE_PARAM(mapping_costs_less_than_the_vendor_s_driver, load_gen_params),
#if IS_BUILTIN(CONFIG_IOMMU_PT_X86_64)
	KUNIT_CASE_PARAM(mapping_flushes_as_often_as_on_x86, load_gen_params),
#endif
	KUNIT_CASE(device_without_a_domain_is_not_translated),
	KUNIT_CASE(device_with_a_new_owner_is_blocked),
	KUNIT_CASE(domain_without_a_number_is_refused),
	KUNIT_CASE(domain_of_a_larger_unit_is_refused),
	KUNIT_CASE(domain_is_as_large_as_the_unit),
	KUNIT_CASE(bad_requester_id_is_refused),
	KUNIT_CASE(bad_reference_is_refused),
	KUNIT_CASE(full_unit_translates_no_device_by_default),
	KUNIT_CASE(interrupts_have_an_address),
	KUNIT_CASE(addresses_that_do_not_reach_it_are_reserved),
	KUNIT_CASE(nobody_waits_for_a_refused_unit),
#ifdef CONFIG_ACPI
	KUNIT_CASE_PARAM(interrupt_controllers_are_in_the_madt, madt_gen_params),
#endif
	KUNIT_CASE(access_that_fails_is_reported),
	KUNIT_CASE(address_that_stays_is_reported_once),
	KUNIT_CASE(who_may_access_it_is_not_blamed),
	KUNIT_CASE(device_with_two_ids_is_one_suspect),
	KUNIT_CASE(blocked_device_is_blamed_without_a_domain),
	KUNIT_CASE(address_is_whole),
	KUNIT_CASE(unit_that_is_gone_reports_nothing),
	KUNIT_CASE(interrupt_reports_an_access_that_fails),
	KUNIT_CASE(interrupts_without_end_are_not_heard),
	KUNIT_CASE(interrupts_of_a_device_that_goes_astray_end),
	KUNIT_CASE(interrupts_now_and_then_go_on),
	KUNIT_CASE(unit_that_hangs_refuses_devices),
#ifdef CONFIG_IOMMU_DEBUGFS
	KUNIT_CASE(debugfs_shows_what_there_is),
#endif
	{}
};

static struct kunit_suite core_suite = {
	.name = "loongarch_iommu",
	.init = core_test_init,
	.test_cases = core_cases,
};

kunit_test_suite(core_suite);
