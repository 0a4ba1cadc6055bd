// SPDX-License-Identifier: GPL-2.0-only
/*
 * LoongArch IOMMU: domains and devices
 *
 * A unit has few domains and few entries for devices, so that a device without
 * a reason to be translated isn't: la_def_domain_type() decides.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/generic_pt/iommu.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "../dma-iommu.h"
#include "../iommu-pages.h"
#include "iommu.h"
#include "mirror.h"

/* The root and the tables of unused domains */
#define LA_TABLE_SIZE	SZ_16K

/* Domains that devices get by default leave so many to virtual machines */
#define LA_SPARE_IDS	4

/**
 * struct la_domain - a page table
 * @domain: for the IOMMU core
 * @pt: the table itself
 * @lock: held while @ctxs changes
 * @ctxs: units that use it; read under RCU
 */
struct la_domain {
	union {
		struct iommu_domain domain;
		struct pt_iommu_loongarch pt;
	};
	struct mutex lock;	/* Held while ctxs changes */
	struct list_head ctxs;
};

PT_IOMMU_CHECK_DOMAIN(struct la_domain, pt.iommu, domain);

/*
 * What a domain is to one unit, with a copy of the table if the unit needs one. It
 * stays until the domain is freed.
 */
struct la_ctx {
	struct list_head node;
	struct la_iommu *iommu;
	unsigned int id;
	struct la_mirror *mirror;
	struct rcu_head rcu;
};

static struct la_domain *to_la_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct la_domain, domain);
}

/* --- flushes */

/* Let a unit have the table as it is now, from @first to @last */
static int la_ctx_sync(struct la_ctx *ctx, u64 first, u64 last, bool map)
{
	struct la_iommu *iommu = ctx->iommu;
	int ret = 0, flushed = 0;
	u16 unlinked = 0;

	if (ctx->mirror)
		ret = la_mirror_sync(ctx->mirror, first, last,
				     map ? LA_SYNC_MAP : LA_SYNC_UNMAP, &unlinked);
	if (!map || iommu->flush_on_map || unlinked)
		flushed = la_hw_flush(iommu, ctx->id);
	/* A unit that does not answer may still walk them */
	if (unlinked && !flushed)
		la_pool_put(iommu->pool, unlinked);

	return ret ?: flushed;
}

static int la_domain_sync(struct la_domain *domain, u64 first, u64 last, bool map)
{
	struct la_ctx *ctx;
	int ret = 0;

	/*
	 * Tables were changed before; la_ctx_create() has the other half. A unit
	 * either is on the list, or starts with the tables as they are now.
	 */
	smp_mb();

	guard(rcu)();
	list_for_each_entry_rcu(ctx, &domain->ctxs, node)
		ret = la_ctx_sync(ctx, first, last, map) ?: ret;

	return ret;
}

static void la_flush_iotlb_all(struct iommu_domain *domain)
{
	la_domain_sync(to_la_domain(domain), 0, domain->geometry.aperture_end, false);
}

/* A unit that does not answer may still walk these tables: they stay allocated */
static void la_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	if (!la_domain_sync(to_la_domain(domain), gather->start, gather->end, false))
		iommu_put_pages_list(&gather->freelist);
}

static int la_iotlb_sync_map(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	return la_domain_sync(to_la_domain(domain), iova, iova + size - 1, true);
}

/* --- page tables */

static struct la_ctx *la_ctx_find(struct la_domain *domain, struct la_iommu *iommu)
{
	struct la_ctx *ctx;

	list_for_each_entry(ctx, &domain->ctxs, node) {
		if (ctx->iommu == iommu)
			return ctx;
	}

	return NULL;
}

/* The table's root, as the unit finds it; a copy has no entries yet */
static int la_ctx_root(struct la_ctx *ctx, struct la_domain *domain, phys_addr_t *root)
{
	struct pt_iommu_loongarch_hw_info info;

	pt_iommu_loongarch_hw_info(&domain->pt, &info);
	*root = info.pgd;
	if (!ctx->iommu->pool)
		return 0;

	ctx->mirror = la_mirror_create(ctx->iommu->pool, phys_to_virt(info.pgd));
	if (IS_ERR(ctx->mirror))
		return PTR_ERR(ctx->mirror);
	*root = la_mirror_root(ctx->mirror);

	return 0;
}

static struct la_ctx *la_ctx_create(struct la_domain *domain, struct la_iommu *iommu)
{
	struct la_ctx *ctx;
	phys_addr_t root;
	int ret;

	ctx = kzalloc_obj(*ctx);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	ctx->iommu = iommu;

	ret = la_ctx_root(ctx, domain, &root);
	if (ret)
		goto free_ctx;
	ret = la_hw_alloc_id(iommu, root);
	if (ret < 0)
		goto free_mirror;

	ctx->id = ret;
	scoped_guard(spinlock_irqsave, &iommu->lock)
		iommu->domains[ctx->id] = &domain->domain;
	list_add_rcu(&ctx->node, &domain->ctxs);
	/* Whoever changes tables from here on flushes this unit: la_domain_sync() */
	smp_mb();

	ret = ctx->mirror ? la_ctx_sync(ctx, 0, domain->domain.geometry.aperture_end, true) : 0;
	if (ret)
		goto unlist;

	return ctx;

unlist:
	list_del_rcu(&ctx->node);
	synchronize_rcu();
	la_hw_free_id(iommu, ctx->id);
free_mirror:
	la_mirror_free(ctx->mirror);
free_ctx:
	kfree(ctx);
	return ERR_PTR(ret);
}

static bool la_domain_fits(struct la_domain *domain, struct la_iommu *iommu)
{
	return domain->domain.geometry.aperture_end <= GENMASK_ULL(iommu->ias - 1, 0) &&
	       domain->pt.loongarchpt.common.max_oasz_lg2 <= iommu->oas &&
	       !(domain->domain.pgsize_bitmap & ~iommu->pgsizes);
}

/* The unit puts out what the CPU calls the address, as far as anyone knows */
static bool la_has_dma_offset(struct device *dev)
{
	const struct bus_dma_region *map = dev->dma_range_map;

	for (; map && map->size; map++) {
		if (map->cpu_start != map->dma_start)
			return true;
	}

	return false;
}

static int la_attach_paging(struct iommu_domain *domain, struct device *dev,
			    struct iommu_domain *old)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);
	struct la_domain *la = to_la_domain(domain);
	struct la_ctx *ctx;
	int ret;

	if (!la_domain_fits(la, ldev->iommu) || la_has_dma_offset(dev))
		return -EINVAL;
	if (!ldev->nr_rids)
		return 0;

	guard(mutex)(&la->lock);

	ctx = la_ctx_find(la, ldev->iommu) ?: la_ctx_create(la, ldev->iommu);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	ret = la_hw_bind(ldev, ctx->id);
	if (!ret)
		la_fault_watch(ldev->iommu);

	return ret;
}

static void la_domain_free(struct iommu_domain *domain)
{
	struct la_domain *la = to_la_domain(domain);
	struct la_ctx *ctx, *next;

	list_for_each_entry_safe(ctx, next, &la->ctxs, node) {
		list_del_rcu(&ctx->node);
		la_hw_free_id(ctx->iommu, ctx->id);
		la_mirror_free(ctx->mirror);
		kfree_rcu(ctx, rcu);
	}
	pt_iommu_deinit(&la->pt.iommu);
	mutex_destroy(&la->lock);
	kfree(la);
}

static const struct iommu_domain_ops la_paging_ops = {
	IOMMU_PT_DOMAIN_OPS(loongarch),
	.attach_dev = la_attach_paging,
	.flush_iotlb_all = la_flush_iotlb_all,
	.iotlb_sync = la_iotlb_sync,
	.iotlb_sync_map = la_iotlb_sync_map,
	.free = la_domain_free,
};

static struct iommu_domain *la_domain_alloc_paging(struct device *dev)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);
	struct la_iommu *iommu = ldev->iommu;
	struct pt_iommu_loongarch_cfg cfg = {
		/* What is copied isn't more than what has changed */
		.common.features = iommu->pool ? BIT(PT_FEAT_FLUSH_RANGE_NO_GAPS) :
						 BIT(PT_FEAT_FLUSH_RANGE),
		.common.hw_max_vasz_lg2 = iommu->ias,
		.common.hw_max_oasz_lg2 = iommu->oas,
	};
	struct la_domain *domain;
	int ret;

	domain = kzalloc_obj(*domain);
	if (!domain)
		return ERR_PTR(-ENOMEM);

	mutex_init(&domain->lock);
	INIT_LIST_HEAD(&domain->ctxs);
	domain->domain.ops = &la_paging_ops;
	domain->pt.iommu.nid = dev_to_node(iommu->dev);

	ret = pt_iommu_loongarch_init(&domain->pt, &cfg, GFP_KERNEL);
	if (ret) {
		la_domain_free(&domain->domain);
		return ERR_PTR(ret);
	}
	domain->domain.pgsize_bitmap &= iommu->pgsizes;

	return &domain->domain;
}

/* --- domains without a page table */

static int la_attach_identity(struct iommu_domain *domain, struct device *dev,
			      struct iommu_domain *old)
{
	la_hw_unbind(dev_iommu_priv_get(dev));

	return 0;
}

static struct iommu_domain la_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &(const struct iommu_domain_ops) {
		.attach_dev = la_attach_identity,
	},
};

static int la_attach_blocked(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);
	int ret;

	ret = la_hw_block(ldev);
	if (!ret)
		la_fault_watch(ldev->iommu);

	return ret;
}

static struct iommu_domain la_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &(const struct iommu_domain_ops) {
		.attach_dev = la_attach_blocked,
	},
};

/* --- devices */

static bool la_dev_has_rid(struct la_dev *ldev, u16 rid)
{
	for (int i = 0; i < ldev->nr_rids; i++) {
		if (ldev->rids[i].rid == rid)
			return true;
	}

	return false;
}

/* A bridge to PCI makes the accesses of those behind it its own; a port has none */
static bool la_is_port(struct device *dev)
{
	if (!dev_is_pci(dev) || !pci_is_pcie(to_pci_dev(dev)))
		return false;

	switch (pci_pcie_type(to_pci_dev(dev))) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return true;
	default:
		return false;
	}
}

/* The function of the root bus that a device is, or is behind */
static struct pci_dev *la_root_agent(struct pci_dev *pdev)
{
	struct pci_dev *agent = pdev;

	/* A bus that has virtual functions only has no bridge */
	for (struct pci_bus *bus = pdev->bus; bus->parent; bus = bus->parent)
		agent = bus->self ?: agent;

	return agent;
}

static void la_dev_add_rid(struct la_dev *ldev, u16 rid)
{
	if (la_dev_has_rid(ldev, rid))
		return;
	ldev->nr_rids++;
	ldev->rids[ldev->nr_rids - 1] = (struct la_rid){ rid, -1 };
}

/*
 * Nobody knows whether such a unit looks at the number of the bus, and at which
 * one: the root's, on which the port is, or the one below the port, which the
 * known drivers write. Both have an entry, and always the same domain.
 */
static void la_dev_add_agent(struct la_dev *ldev, struct pci_dev *agent)
{
	la_dev_add_rid(ldev, PCI_DEVID(0, agent->devfn));
	if (agent->subordinate)
		la_dev_add_rid(ldev, PCI_DEVID(agent->subordinate->number, agent->devfn));
}

/* Room for all, and two at least */
static struct la_dev *la_dev_alloc(unsigned int nr)
{
	struct la_dev *ldev = kzalloc_flex(*ldev, rids, max(nr, 2U));

	if (ldev)
		ldev->nr_rids = 0;

	return ldev;
}

static struct la_dev *la_dev_create(struct device *dev, struct la_iommu *iommu)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct pci_dev *agent = NULL;
	struct la_dev *ldev;

	ldev = la_dev_alloc(fwspec->num_ids);
	if (!ldev)
		return NULL;

	ldev->dev = dev;
	ldev->iommu = iommu;
	if (la_is_port(dev))
		return ldev;

	if (iommu->features & LA_ROOT_RIDS && dev_is_pci(dev))
		agent = la_root_agent(to_pci_dev(dev));
	if (agent && agent != to_pci_dev(dev)) {
		la_dev_add_agent(ldev, agent);
		return ldev;
	}
	for (int i = 0; i < fwspec->num_ids; i++)
		la_dev_add_rid(ldev, fwspec->ids[i]);

	return ldev;
}

/* The unit may be behind a bridge, which then can't wait for it */
static void la_dev_link(struct device *dev, struct la_iommu *iommu)
{
	if (dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev)))
		return;
	if (!device_link_add(dev, iommu->dev, DL_FLAG_PM_RUNTIME | DL_FLAG_AUTOREMOVE_SUPPLIER))
		dev_dbg(dev, "no link to %s\n", dev_name(iommu->dev));
}

static struct iommu_device *la_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct la_iommu *iommu;
	struct la_dev *ldev;

	if (!fwspec || !fwspec->iommu_fwnode->dev || !fwspec->num_ids)
		return ERR_PTR(-ENODEV);
	iommu = dev_get_drvdata(fwspec->iommu_fwnode->dev);
	if (!iommu || READ_ONCE(iommu->broken))
		return ERR_PTR(-ENODEV);
	for (int i = 0; i < fwspec->num_ids; i++) {
		if (fwspec->ids[i] > U16_MAX) {
			dev_err(dev, "0x%x is not a requester id\n", fwspec->ids[i]);
			return ERR_PTR(-EINVAL);
		}
	}

	ldev = la_dev_create(dev, iommu);
	if (!ldev)
		return ERR_PTR(-ENOMEM);
	dev_iommu_priv_set(dev, ldev);
	/* To flush all is to copy all */
	dev->iommu->shadow_on_flush = !!iommu->pool;
	la_dev_link(dev, iommu);

	return &iommu->iommu;
}

/* The core has attached release_domain before */
static void la_release_device(struct device *dev)
{
	kfree(dev_iommu_priv_get(dev));
}

static int la_take_group(struct pci_dev *pdev, void *group)
{
	*(struct iommu_group **)group = iommu_group_get(&pdev->dev);

	return !!*(struct iommu_group **)group;
}

/* Those behind a port are one to the unit, and the port is with them */
static struct iommu_group *la_agent_group(struct pci_dev *pdev)
{
	struct pci_dev *agent = la_root_agent(pdev);
	struct iommu_group *group = NULL;

	if (agent != pdev && !la_take_group(agent, &group) && agent->subordinate)
		pci_walk_bus(agent->subordinate, la_take_group, &group);

	return group ?: pci_device_group(&pdev->dev);
}

static struct iommu_group *la_device_group(struct device *dev)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);

	if (!dev_is_pci(dev))
		return generic_device_group(dev);
	if (ldev->iommu->features & LA_ROOT_RIDS)
		return la_agent_group(to_pci_dev(dev));

	return pci_device_group(dev);
}

static int la_of_xlate(struct device *dev, const struct of_phandle_args *args)
{
	if (args->args_count != 1)
		return -EINVAL;

	return iommu_fwspec_add_ids(dev, args->args, 1);
}

static bool la_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static bool la_has_room(struct la_dev *ldev)
{
	return !ldev->nr_rids ||
	       (la_hw_free_slots(ldev->iommu) >= ldev->nr_rids &&
		la_hw_free_ids(ldev->iommu) > LA_SPARE_IDS);
}

/* The first attach must not fail, so what can't be translated isn't */
static int la_def_domain_type(struct device *dev)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);

	if (la_has_dma_offset(dev) || READ_ONCE(ldev->iommu->broken))
		return IOMMU_DOMAIN_IDENTITY;
	if (!la_has_room(ldev)) {
		dev_info_once(ldev->iommu->dev, "full: %s and others are not translated\n",
			      dev_name(dev));
		return IOMMU_DOMAIN_IDENTITY;
	}

	return 0;
}

static void la_add_region(struct list_head *head, const struct range *range, int prot,
			  enum iommu_resv_type type)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(range->start, range_len(range), prot, type, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, head);
}

/*
 * A unit that translates what devices write to the interrupt controller needs
 * its address mapped. Such devices can't be given away: nothing would keep the
 * new owner from the controller, or the address from its other uses.
 */
static void la_get_resv_regions(struct device *dev, struct list_head *head)
{
	struct la_dev *ldev = dev_iommu_priv_get(dev);
	struct la_iommu *iommu = ldev->iommu;

	for (int i = 0; i < iommu->nr_msi; i++)
		la_add_region(head, &iommu->msi[i],
			      IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
			      iommu->msi_bypass ? IOMMU_RESV_MSI : IOMMU_RESV_DIRECT);
	if (iommu->unseen.end)
		la_add_region(head, &iommu->unseen, 0, IOMMU_RESV_RESERVED);

	iommu_dma_get_resv_regions(dev, head);
}

static const struct iommu_ops la_iommu_ops = {
	.capable = la_capable,
	.identity_domain = &la_identity_domain,
	.blocked_domain = &la_blocked_domain,
	.release_domain = &la_identity_domain,
	.domain_alloc_paging = la_domain_alloc_paging,
	.probe_device = la_probe_device,
	.release_device = la_release_device,
	.device_group = la_device_group,
	.get_resv_regions = la_get_resv_regions,
	.of_xlate = la_of_xlate,
	.def_domain_type = la_def_domain_type,
};

/**
 * la_iommu_register() - start a unit and make it known
 * @iommu: the unit; has dev and regs, and what it is capable of
 *
 * Context: may sleep.
 * Return: 0 or a negative error number; then it isn't known and translates
 * nothing.
 */
int la_iommu_register(struct la_iommu *iommu)
{
	int ret;

	if (!iommu->pool) {
		iommu->empty = iommu_alloc_pages_node_sz(dev_to_node(iommu->dev), GFP_KERNEL,
							 LA_TABLE_SIZE);
		if (!iommu->empty)
			return -ENOMEM;
	}

	/* If this fails, the unit may have the table for good */
	ret = la_hw_init(iommu);
	if (ret)
		return ret;

	la_fault_init(iommu);
	dev_set_drvdata(iommu->dev, iommu);
	ret = iommu_device_sysfs_add(&iommu->iommu, iommu->dev, NULL, "loongarch-iommu.%s",
				     dev_name(iommu->dev));
	if (ret)
		goto disable;
	ret = iommu_device_register(&iommu->iommu, &la_iommu_ops, iommu->dev);
	if (ret)
		goto remove_sysfs;
	la_debugfs_add(iommu);

	return 0;

remove_sysfs:
	iommu_device_sysfs_remove(&iommu->iommu);
disable:
	dev_set_drvdata(iommu->dev, NULL);
	la_fault_exit(iommu);
	la_hw_disable(iommu);
	iommu_free_pages(iommu->empty);
	return ret;
}

/**
 * la_iommu_refuse() - let devices do without a unit
 * @iommu: the unit; has dev
 *
 * Whoever is behind a unit that nobody has registered waits for it. With this, a
 * device finds that it has none.
 *
 * Context: may sleep.
 * Return: 0 or a negative error number.
 */
int la_iommu_refuse(struct la_iommu *iommu)
{
	return iommu_device_register(&iommu->iommu, &la_iommu_ops, iommu->dev);
}

/**
 * la_iommu_unregister() - the opposite of la_iommu_register()
 * @iommu: the unit
 *
 * Context: may sleep.
 */
void la_iommu_unregister(struct la_iommu *iommu)
{
	la_debugfs_remove(iommu);
	iommu_device_unregister(&iommu->iommu);
	iommu_device_sysfs_remove(&iommu->iommu);
	dev_set_drvdata(iommu->dev, NULL);
	la_fault_exit(iommu);
	la_hw_disable(iommu);
	iommu_free_pages(iommu->empty);
}

MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
