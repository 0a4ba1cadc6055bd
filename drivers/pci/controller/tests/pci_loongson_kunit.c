// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the Loongson PCI host
 *
 * The driver includes them. A host comes from a node that is added to the
 * device tree, and its configuration space is memory, laid out as in the
 * windows CFG0 and CFG1. Each page without functions is the same page of ones,
 * as if nobody answered there, and must not be written to. There is nothing
 * behind a window's end.
 *
 * The devices are memory, too, without any effect but that of BARs. Addresses of
 * the windows are those of no machine that the tests run on.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/dma-direct.h>
#include <linux/irqdomain.h>
#include <linux/jhash.h>
#include <linux/logic_pio.h>
#include <linux/of_device.h>
#include <linux/of_platform.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wordpart.h>

#include <trace/events/rwmmio.h>

#define FAKE_CFG0	0x7200000000
#define FAKE_CFG1	0x7300000000
#define FAKE_IO		0x7400000000
#define FAKE_MEM	0x7500000000
#define FAKE_PREF	0x7600000000

/* Of cards, and nobody else's */
#define FAKE_VENDOR	0x7ffd

#define FAKE_CFG0_SIZE	0x02000000
/* The window of buses 0 to 0x1f: there isn't always room for that of all */
#define FAKE_CFG1_SIZE	0x1f200000
#define FAKE_LAST_BUS	0x1f

struct fake_window {
	phys_addr_t start;
	resource_size_t size;
	/* Of type 1 accesses, and how far bits 11:8 of a register are moved */
	unsigned long type1;
	int ext_shift;

	struct page **pages;
	unsigned int count;
	void *base;
};

struct fake_bar {
	__le32 *reg;
	u32 writable;
	u32 type;
};

struct fake_pci {
	struct of_changeset changeset;
	struct device_node *np;
	struct platform_device *pdev;
	struct pci_host_bridge *bridge;
	bool applied;

	struct page *absent;
	struct fake_window cfg0;
	struct fake_window cfg1;
	struct fake_bar bars[8];
	int num_bars;

	/* What was accessed, and how often something was written that is not there */
	unsigned int accesses;
	unsigned int stray_writes;
	u32 checksum;
	u32 widths;
};

/* ------------------------------------------------ configuration space */

static struct fake_window *window_of(struct fake_pci *fake, const volatile void __iomem *addr)
{
	const volatile void *at = (const volatile void __force *)addr;
	struct fake_window *windows[] = { &fake->cfg0, &fake->cfg1 };

	for (int i = 0; i < ARRAY_SIZE(windows); i++) {
		struct fake_window *window = windows[i];

		if (window->base && at >= window->base &&
		    at < window->base + window->count * PAGE_SIZE)
			return window;
	}

	return NULL;
}

/* What is accessed at @addr; NULL if that is not in a window */
static __le32 *note_access(struct fake_pci *fake, const volatile void __iomem *addr, u8 width,
			   bool write)
{
	struct fake_window *window = window_of(fake, addr);
	unsigned long offset;

	if (!window)
		return NULL;
	offset = (const volatile void __force *)addr - window->base;
	fake->accesses++;
	fake->widths |= width;
	fake->checksum = jhash_3words(offset, width, write, fake->checksum);
	fake->stray_writes += write && window->pages[offset / PAGE_SIZE] == fake->absent;

	return page_address(window->pages[offset / PAGE_SIZE]) + offset_in_page(offset);
}

static void before_read(void *fake, unsigned long caller, unsigned long caller0, u8 width,
			const volatile void __iomem *addr)
{
	note_access(fake, addr, width, false);
}

static void after_write(void *data, unsigned long caller, unsigned long caller0, u64 val,
			u8 width, volatile void __iomem *addr)
{
	struct fake_pci *fake = data;
	__le32 *reg = note_access(fake, addr, width, true);

	for (int i = 0; i < fake->num_bars; i++) {
		struct fake_bar *bar = &fake->bars[i];

		if (bar->reg == reg)
			*reg = cpu_to_le32((val & bar->writable) | bar->type);
	}
}

/* The bus with number 0 is the root bus here */
static unsigned long window_offset(const struct fake_window *window, u8 bus, u8 devfn, int where)
{
	return (bus ? window->type1 | bus << 16 : 0) | devfn << 8 | (where & 0xff) |
	       (unsigned long)(where & 0xf00) << window->ext_shift;
}

/* A register, in a page that is not the one of ones */
static __le32 *fake_reg(struct kunit *test, struct fake_window *window, u8 bus, u8 devfn, int where)
{
	struct fake_pci *fake = test->priv;
	unsigned long offset = window_offset(window, bus, devfn, where);
	struct page **page = &window->pages[offset / PAGE_SIZE];

	KUNIT_ASSERT_LT(test, offset / PAGE_SIZE, window->count);
	if (*page == fake->absent) {
		*page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, *page);
		memset(page_address(*page), 0xff, PAGE_SIZE);
	}

	return page_address(*page) + offset_in_page(offset);
}

static void set_reg(struct kunit *test, struct fake_window *window, u8 bus, u8 devfn, int where,
		    u32 value)
{
	*fake_reg(test, window, bus, devfn, where) = cpu_to_le32(value);
}

/* A function that is there, with an empty header of 256 bytes */
static void add_function(struct kunit *test, struct fake_window *window, u8 bus, u8 devfn,
			 u32 id, u32 class, u8 header)
{
	for (int where = 0; where < PCI_CFG_SPACE_SIZE; where += 4)
		set_reg(test, window, bus, devfn, where, 0);
	set_reg(test, window, bus, devfn, PCI_VENDOR_ID, id);
	set_reg(test, window, bus, devfn, PCI_CLASS_REVISION, class << 8);
	set_reg(test, window, bus, devfn, PCI_CACHE_LINE_SIZE, header << 16);
}

static void add_bar(struct kunit *test, struct fake_window *window, u8 bus, u8 devfn, int bar,
		    u32 writable, u32 type)
{
	struct fake_pci *fake = test->priv;

	KUNIT_ASSERT_LT(test, fake->num_bars, ARRAY_SIZE(fake->bars));
	set_reg(test, window, bus, devfn, PCI_BASE_ADDRESS_0 + 4 * bar, type);
	fake->bars[fake->num_bars++] = (struct fake_bar) {
		.reg = fake_reg(test, window, bus, devfn, PCI_BASE_ADDRESS_0 + 4 * bar),
		.writable = writable,
		.type = type,
	};
}

static void add_window(struct kunit *test, struct fake_window *window, phys_addr_t start,
		       resource_size_t size)
{
	struct fake_pci *fake = test->priv;

	window->start = start;
	window->size = size;
	window->type1 = window == &fake->cfg1 ? BIT(28) : BIT(24);
	window->ext_shift = window == &fake->cfg1 ? 16 : 0;
	window->count = DIV_ROUND_UP(size, PAGE_SIZE);
	/* What vmap() takes, for the same page again and again */
	if (window->count > totalram_pages())
		kunit_skip(test, "needs as much memory as there is in a window");
	window->pages = kvcalloc(window->count, sizeof(*window->pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, window->pages);
	for (unsigned int i = 0; i < window->count; i++)
		window->pages[i] = fake->absent;
}

static void remove_window(struct fake_pci *fake, struct fake_window *window)
{
	vunmap(window->base);
	for (unsigned int i = 0; window->pages && i < window->count; i++)
		if (window->pages[i] && window->pages[i] != fake->absent)
			__free_page(window->pages[i]);
	kvfree(window->pages);
	memset(window, 0, sizeof(*window));
}

/* What devm_pci_remap_cfg_resource() does, but with memory of ours */
static void __iomem *map_fake_window(struct device *dev, struct resource *res)
{
	struct fake_pci *fake = kunit_get_current_test()->priv;
	struct fake_window *window = res->start == FAKE_CFG0 ? &fake->cfg0 : &fake->cfg1;

	if (!devm_request_mem_region(dev, res->start, resource_size(res), dev_name(dev)))
		return IOMEM_ERR_PTR(-EBUSY);
	if (!window->pages)
		return IOMEM_ERR_PTR(-ENOMEM);
	if (!window->base)
		window->base = vmap(window->pages, window->count, VM_MAP, PAGE_KERNEL);

	return window->base ? (void __iomem __force *)window->base : IOMEM_ERR_PTR(-ENXIO);
}

/* --------------------------------------------------------------- hosts */

static void add_cells(struct kunit *test, const char *name, const u32 *cells, size_t count)
{
	struct fake_pci *fake = test->priv;

	KUNIT_ASSERT_EQ(test, of_changeset_add_prop_u32_array(&fake->changeset, fake->np, name,
							      cells, count), 0);
}

#define set_cells(test, name, ...) do {					\
	const u32 _cells[] = { __VA_ARGS__ };				\
									\
	add_cells(test, name, _cells, ARRAY_SIZE(_cells));		\
} while (0)

#define HI(value)	upper_32_bits(value)
#define LO(value)	lower_32_bits(value)

static void new_host(struct kunit *test, const char *compatible)
{
	struct fake_pci *fake = test->priv;

	KUNIT_ASSERT_EQ(test, of_changeset_add_prop_string(&fake->changeset, fake->np, "compatible",
							   compatible), 0);
	KUNIT_ASSERT_EQ(test, of_changeset_add_prop_string(&fake->changeset, fake->np,
							   "device_type", "pci"), 0);
	set_cells(test, "#address-cells", 3);
	set_cells(test, "#size-cells", 2);
}

static void set_ranges(struct kunit *test)
{
	set_cells(test, "ranges",
		  0x01000000, 0, 0x10000, HI(FAKE_IO), LO(FAKE_IO), 0, SZ_64K,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000);
}

/* A host with CFG0 alone */
static void new_cfg0_host(struct kunit *test, const char *compatible, resource_size_t size)
{
	struct fake_pci *fake = test->priv;

	add_window(test, &fake->cfg0, FAKE_CFG0, size);
	new_host(test, compatible);
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(size), LO(size));
	set_ranges(test);
}

/* The host of a 7A bridge, with CFG1 */
static void new_ls7a_host(struct kunit *test, u32 last_bus)
{
	struct fake_pci *fake = test->priv;

	add_window(test, &fake->cfg1, FAKE_CFG1, FAKE_CFG1_SIZE);
	new_host(test, "loongson,ls7a-pci");
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(FAKE_CFG0_SIZE), LO(FAKE_CFG0_SIZE),
		  HI(FAKE_CFG1), LO(FAKE_CFG1), HI(FAKE_CFG1_SIZE), LO(FAKE_CFG1_SIZE));
	set_cells(test, "bus-range", 0, last_bus);
}

/* Add the node: the driver probes at once */
static bool start_host(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	struct device *bridge;

	KUNIT_ASSERT_EQ(test, of_changeset_apply(&fake->changeset), 0);
	fake->applied = true;
	fake->pdev = of_find_device_by_node(fake->np);
	KUNIT_ASSERT_NOT_NULL(test, fake->pdev);
	bridge = device_find_any_child(&fake->pdev->dev);
	if (bridge)
		fake->bridge = to_pci_host_bridge(bridge);
	put_device(bridge);
	kunit_info(test, "%u accesses with checksum %08x\n", fake->accesses, fake->checksum);

	return fake->pdev->dev.driver;
}

static struct pci_dev *device_at(struct kunit *test, u8 bus, u8 devfn)
{
	struct fake_pci *fake = test->priv;
	struct pci_dev *dev;

	if (!fake->bridge)
		return NULL;
	dev = pci_get_domain_bus_and_slot(pci_domain_nr(fake->bridge->bus), bus, devfn);
	pci_dev_put(dev);

	return dev;
}

static int count_devices(struct pci_bus *bus)
{
	struct pci_dev *dev;
	int count = 0;

	list_for_each_entry(dev, &bus->devices, bus_list)
		count += 1 + (dev->subordinate ? count_devices(dev->subordinate) : 0);

	return count;
}

/* The host's window of a type that has @start as its bus address; NULL if there is none */
static struct resource *host_window(struct kunit *test, unsigned long type, u64 start)
{
	struct fake_pci *fake = test->priv;
	struct resource_entry *entry;

	resource_list_for_each_entry(entry, &fake->bridge->windows) {
		if (resource_type(entry->res) == type && entry->res->start - entry->offset == start)
			return entry->res;
	}

	return NULL;
}

static int loongson_pci_test_init(struct kunit *test)
{
	struct fake_pci *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	if (!acpi_disabled)
		kunit_skip(test, "needs a system without ACPI");
	if (of_n_addr_cells(of_root) != 2 || of_n_size_cells(of_root) != 2)
		kunit_skip(test, "needs a device tree with addresses of two cells");

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->absent = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->absent);
	memset(page_address(fake->absent), 0xff, PAGE_SIZE);
	of_changeset_init(&fake->changeset);
	test->priv = fake;

	fake->np = of_changeset_create_node(&fake->changeset, of_root, "pcie-kunit");
	KUNIT_ASSERT_NOT_NULL(test, fake->np);
	KUNIT_ASSERT_EQ(test, register_trace_rwmmio_read(before_read, fake), 0);
	KUNIT_ASSERT_EQ(test, register_trace_rwmmio_post_write(after_write, fake), 0);
	kunit_activate_static_stub(test, loongson_pci_map, map_fake_window);

	return 0;
}

static void stop_host(struct fake_pci *fake)
{
	if (fake->pdev)
		put_device(&fake->pdev->dev);
	if (fake->applied)
		of_changeset_revert(&fake->changeset);
	of_changeset_destroy(&fake->changeset);
}

/* Nobody else takes a host's ports away */
static void free_ports(struct device_node *np)
{
	struct logic_pio_hwaddr *ports = find_io_range_by_fwnode(of_fwnode_handle(np));

	if (ports)
		logic_pio_unregister_range(ports);
	kfree(ports);
}

static void loongson_pci_test_exit(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	if (!fake)
		return;

	stop_host(fake);
	unregister_trace_rwmmio_read(before_read, fake);
	unregister_trace_rwmmio_post_write(after_write, fake);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, fake->stray_writes, 0);

	if (fake->np)
		free_ports(fake->np);
	of_node_put(fake->np);
	remove_window(fake, &fake->cfg0);
	remove_window(fake, &fake->cfg1);
	__free_page(fake->absent);
}

/* --------------------------------------------------------------- boards */

struct fake_function {
	u8 bus;
	u8 slot;
	u8 function;
	u16 device;
	u32 class;
	u8 header;
};

#define MULTI	BIT(7)

/* A class that no driver takes */
#define OTHER		0xff0000

/* The slots of a 7A2000 bridge with three cards, none of which has a driver */
static const struct fake_function board_7a[] = {
	{ 0, 0, 0, 0x7a00, 0x060000, MULTI },
	{ 0, 0, 1, 0x7a10, 0x060000, MULTI },
	{ 0, 0, 2, 0x7f02, OTHER, MULTI },
	{ 0, 0, 3, 0x7f03, OTHER, MULTI },
	{ 0, 4, 0, 0x7f40, OTHER, MULTI },
	{ 0, 4, 1, 0x7f41, OTHER, MULTI },
	{ 0, 5, 0, 0x7f50, OTHER, MULTI },
	{ 0, 5, 1, 0x7f51, OTHER, MULTI },
	{ 0, 6, 1, 0x7f61, OTHER, MULTI },
	{ 0, 7, 0, 0x7f70, OTHER, 0 },
	{ 0, 8, 0, 0x7f80, OTHER, 0 },
	{ 0, 9, 0, 0x7a49, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 10, 0, 0x7a39, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 11, 0, 0x7a39, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 13, 0, 0x7a49, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 15, 0, 0x7a59, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 16, 0, 0x7a59, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 19, 0, 0x7a59, 0x060400, PCI_HEADER_TYPE_BRIDGE },
	{ 0, 22, 0, 0x7ff6, OTHER, 0 },
	{ 0, 25, 0, 0x7ff9, OTHER, 0 },
	{ 2, 0, 0, 0x7f20, OTHER, 0 },
	{ 5, 0, 0, 0x7f50, OTHER, 0 },
	{ 6, 0, 0, 0x7f60, OTHER, 0 },
};

static void add_board(struct kunit *test, struct fake_window *window, u16 vendor)
{
	for (int i = 0; i < ARRAY_SIZE(board_7a); i++) {
		const struct fake_function *f = &board_7a[i];

		add_function(test, window, f->bus, PCI_DEVFN(f->slot, f->function),
			     f->device << 16 | (f->bus ? FAKE_VENDOR : vendor),
			     f->class, f->header);
	}
}

static void expect_board(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	for (int i = 0; i < ARRAY_SIZE(board_7a); i++) {
		const struct fake_function *f = &board_7a[i];
		u8 devfn = PCI_DEVFN(f->slot, f->function);

		KUNIT_EXPECT_NOT_NULL_MSG(test, device_at(test, f->bus, devfn),
					  "%02x:%02x.%x is missing", f->bus, f->slot, f->function);
	}
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), ARRAY_SIZE(board_7a));
}

/* All that is there is found, with accesses of each width */
static void board_is_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
	KUNIT_EXPECT_EQ(test, fake->widths, 8 | 16 | 32);
}

/* RS780E takes accesses of 32 bits only */
static void rs780e_has_32_bit_accesses(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,rs780e-pci", FAKE_CFG0_SIZE);
	add_board(test, &fake->cfg0, PCI_VENDOR_ID_ATI);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
	KUNIT_EXPECT_EQ(test, fake->widths, 32);
}

/* Slots of other zones read as one of these, and some are ours */
static void sparse_bus_is_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	for (int slot = 0; slot < 32; slot++)
		add_function(test, &fake->cfg1, 0, PCI_DEVFN(slot, 0),
			     slot % 2 ? 0x00000000 : 0x0000ffff, 0, 0);
	for (int slot = 3; slot < 32; slot += 9)
		add_function(test, &fake->cfg1, 0, PCI_DEVFN(slot, 0), FAKE_VENDOR | 1 << 16,
			     OTHER, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 4);
	KUNIT_EXPECT_NOT_NULL(test, device_at(test, 0, PCI_DEVFN(12, 0)));
}

static void empty_bus_is_a_bus(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 0);
}

/* On the root bus slots 9 to 20 have one function, and bridges there one device */
static void aliases_are_hidden(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(9, 0), 0x7a390014, 0x060400,
		     PCI_HEADER_TYPE_BRIDGE | MULTI);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(9, 1), 0x7a390014, 0x060400, MULTI);
	add_function(test, &fake->cfg1, 2, PCI_DEVFN(1, 0), FAKE_VENDOR | 1 << 16, OTHER, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
}

static void large_bars_have_their_windows(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	struct pci_dev *dev;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x01000000, 0, 0x10000, HI(FAKE_IO), LO(FAKE_IO), 0, SZ_64K,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000,
		  0x43000000, HI(0x8000000000), LO(0x8000000000), HI(FAKE_PREF), LO(FAKE_PREF),
		  HI(SZ_8G), LO(SZ_8G));
	add_function(test, &fake->cfg1, 0, 0, 0x7a000014, 0x060000, 0);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(6, 0), 0x7f600014, OTHER, 0);
	/* I/O of 256 bytes, memory of 64 KiB, prefetchable memory of 4 GiB */
	add_bar(test, &fake->cfg1, 0, PCI_DEVFN(6, 0), 0, 0xffffff00,
		PCI_BASE_ADDRESS_SPACE_IO);
	add_bar(test, &fake->cfg1, 0, PCI_DEVFN(6, 0), 1, 0xffff0000, 0);
	add_bar(test, &fake->cfg1, 0, PCI_DEVFN(6, 0), 2, 0,
		PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	add_bar(test, &fake->cfg1, 0, PCI_DEVFN(6, 0), 3, 0xffffffff, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	dev = device_at(test, 0, PCI_DEVFN(6, 0));
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 0), 256);
	KUNIT_EXPECT_EQ(test, pci_bus_address(dev, 0) & ~0xffffULL, 0x10000);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 1), SZ_64K);
	KUNIT_EXPECT_EQ(test, pci_resource_start(dev, 1) & ~0xfffffffULL, FAKE_MEM);
	KUNIT_EXPECT_EQ(test, pci_bus_address(dev, 1) & ~0xfffffffULL, 0x40000000);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 2), SZ_4G);
	KUNIT_EXPECT_EQ(test, pci_resource_start(dev, 2) & ~(SZ_8G - 1), FAKE_PREF);
	KUNIT_EXPECT_EQ(test, pci_bus_address(dev, 2) & ~(SZ_8G - 1), 0x8000000000);
}

/* Where devices see memory at another address than CPUs do */
static void dma_has_its_offset(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	struct pci_dev *dev;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	set_cells(test, "dma-ranges",
		  0x02000000, 0, 0xc0000000, HI(0x20000000), LO(0x20000000),
		  HI(SZ_512M), LO(SZ_512M));
	add_function(test, &fake->cfg1, 0, 0, 0x7a000014, 0x060000, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	dev = device_at(test, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	/* As before a driver probes */
	KUNIT_ASSERT_EQ(test, of_dma_configure(&dev->dev, fake->np, true), 0);
	KUNIT_EXPECT_EQ(test, phys_to_dma(&dev->dev, 0x20001000), 0xc0001000);
	KUNIT_EXPECT_EQ(test, dma_to_phys(&dev->dev, 0xdffff000), 0x3ffff000);
	KUNIT_EXPECT_FALSE(test, dma_capable(&dev->dev, phys_to_dma(&dev->dev, 0x40000000), 4,
					     true, 0));
}

static void unbound_host_has_no_bus(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	int domain;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);
	KUNIT_ASSERT_TRUE(test, start_host(test));
	domain = pci_domain_nr(fake->bridge->bus);
	KUNIT_ASSERT_NOT_NULL(test, pci_find_bus(domain, 0));

	device_release_driver(&fake->pdev->dev);
	KUNIT_EXPECT_NULL(test, pci_find_bus(domain, 0));
	KUNIT_EXPECT_NULL(test, pci_find_bus(domain, 1));
}

/* Of all ranges, those that are an address range become windows */
static void ranges_that_end_nowhere_are_ignored(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x01000000, 0, 0xffff8000, HI(FAKE_IO), LO(FAKE_IO), 0, SZ_64K,
		  0x02000000, 0, 0x60000000, HI(FAKE_MEM + SZ_1G), LO(FAKE_MEM + SZ_1G), 0, 0,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000,
		  0x43000000, HI(-SZ_1M), LO(-SZ_1M), HI(FAKE_PREF), LO(FAKE_PREF), 0, SZ_2M);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, 0x60000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, -SZ_1M));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_IO, 0xffff8000));
}

/* Devices in it would answer for memory, or for devices of another window */
static void overlapping_windows_are_ignored(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	u64 ram = virt_to_phys(page_address(fake->absent));

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x02000000, 0, 0x60000000, HI(ram), LO(ram), 0, PAGE_SIZE,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000,
		  0x02000000, 0, 0x50000000,
		  HI(FAKE_MEM + 0xff00000), LO(FAKE_MEM + 0xff00000), 0, SZ_2M);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, 0x50000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, 0x60000000));
	expect_board(test);
}

/* What is mapped instead are ports below, which nobody asked for */
static void ports_inside_of_a_page_are_ignored(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x01000000, 0, 0x10000,
		  HI(FAKE_IO + PAGE_SIZE / 2), LO(FAKE_IO + PAGE_SIZE / 2), 0, SZ_64K,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_IO, 0x10000));
}

static void parts_of_a_page_are_ignored(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x01000000, 0, 0x10000, HI(FAKE_IO), LO(FAKE_IO), 0, PAGE_SIZE / 2,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_IO, 0x10000));
}

static void host_without_window_is_refused(struct kunit *test)
{
	new_host(test, "loongson,ls7a-pci");
	set_ranges(test);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void rs780e_without_window_is_refused(struct kunit *test)
{
	new_host(test, "loongson,rs780e-pci");
	set_ranges(test);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void window_that_cannot_be_mapped_is_refused(struct kunit *test)
{
	new_host(test, "loongson,ls2k-pci");
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(FAKE_CFG0_SIZE), LO(FAKE_CFG0_SIZE),
		  HI(FAKE_CFG1), LO(FAKE_CFG1), HI(FAKE_CFG1_SIZE), LO(FAKE_CFG1_SIZE));
	set_ranges(test);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void empty_window_is_refused(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	add_window(test, &fake->cfg1, FAKE_CFG1, SZ_64K);
	new_host(test, "loongson,ls7a-pci");
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(FAKE_CFG0_SIZE), LO(FAKE_CFG0_SIZE),
		  HI(FAKE_CFG1), LO(FAKE_CFG1), 0, 0);
	set_ranges(test);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void window_in_memory_is_refused(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	phys_addr_t ram = virt_to_phys(page_address(fake->absent));

	add_window(test, &fake->cfg1, ram, FAKE_CFG1_SIZE);
	new_host(test, "loongson,ls7a-pci");
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(FAKE_CFG0_SIZE), LO(FAKE_CFG0_SIZE),
		  HI(ram), LO(ram), HI(FAKE_CFG1_SIZE), LO(FAKE_CFG1_SIZE));
	set_ranges(test);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

/* The bus of an ACPI host, whose window is mapped from @base on */
static void new_acpi_bus(struct kunit *test, struct pci_bus *bus, u8 first, void *base)
{
	struct fake_pci *fake = test->priv;
	struct pci_config_window *cfg = kunit_kzalloc(test, sizeof(*cfg), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cfg);
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	KUNIT_ASSERT_TRUE(test, start_host(test));

	cfg->parent = &fake->pdev->dev;
	cfg->res = DEFINE_RES_MEM(FAKE_CFG1, FAKE_CFG1_SIZE);
	cfg->busr.start = first;
	cfg->busr.end = FAKE_LAST_BUS;
	cfg->win = (void __iomem __force *)base;
	KUNIT_ASSERT_EQ(test, loongson_pci_ecam_ops.init(cfg), 0);
	bus->number = first;
	/* What the driver looks for with a device tree */
	bus->sysdata = cfg->priv;
}

/* Accesses to the root bus do not have its number */
static void acpi_root_bus_is_at_the_base(struct kunit *test)
{
	void *base = (void *)SZ_1G;
	struct pci_bus *bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bus);
	new_acpi_bus(test, bus, 16, base);
	KUNIT_EXPECT_PTR_EQ(test, (void __force *)pci_loongson_map_bus(bus, PCI_DEVFN(1, 0), 4),
			    base + 0x804);
}

static int config_size(struct kunit *test, u8 bus, u8 devfn)
{
	struct pci_dev *dev = device_at(test, bus, devfn);

	return dev ? dev->cfg_size : 0;
}

static void new_small_host(struct kunit *test, resource_size_t size, u32 first, u32 last)
{
	struct fake_pci *fake = test->priv;

	add_window(test, &fake->cfg1, FAKE_CFG1, size);
	new_host(test, "loongson,ls7a-pci");
	set_cells(test, "reg", HI(FAKE_CFG0), LO(FAKE_CFG0), HI(FAKE_CFG0_SIZE), LO(FAKE_CFG0_SIZE),
		  HI(FAKE_CFG1), LO(FAKE_CFG1), HI(size), LO(size));
	set_cells(test, "bus-range", first, last);
	set_ranges(test);
}

/* Of 32 buses there is room for 8, and none for registers from 0x100 on */
static void small_window_has_fewer_buses(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_small_host(test, 0x10080000, 0, FAKE_LAST_BUS);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->bridge->bus->busn_res.end, 7);
	KUNIT_EXPECT_EQ(test, config_size(test, 0, 0), PCI_CFG_SPACE_SIZE);
	expect_board(test);
}

static void tiny_window_has_the_root_bus(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_small_host(test, SZ_64K, 0, FAKE_LAST_BUS);
	add_function(test, &fake->cfg1, 0, 0, 0x7a000014, 0x060000, 0);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(31, 0), 0x7a000014, 0x060000, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->bridge->bus->busn_res.end, 0);
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 2);
}

static void window_for_less_than_a_bus_is_refused(struct kunit *test)
{
	new_small_host(test, SZ_32K, 0, FAKE_LAST_BUS);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void bus_range_without_bus_is_refused(struct kunit *test)
{
	new_small_host(test, SZ_64K, 8, 7);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

/* A large window is that of extended registers, too */
static void extended_registers_are_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	add_function(test, &fake->cfg1, 0, 0, 0x7a000014, 0x060000, 0);
	set_reg(test, &fake->cfg1, 0, 0, PCI_CFG_SPACE_SIZE, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, config_size(test, 0, 0), PCI_CFG_SPACE_EXP_SIZE);
}

static const int boundaries[] = {
	INT_MIN, -4, -1, 0, 1, 4, 0xfc, 0xff, 0x100, 0x104, 0x1fc, 0xf00, 0xffc, 0xfff, 0x1000,
	0x10000, INT_MAX,
};

/* How many addresses are outside of a window, or not that of the register */
static unsigned int wrong_addresses(const struct fake_window *window, struct pci_bus *bus,
				    unsigned int devfn, bool reachable, int where)
{
	void *addr = (void __force *)bus->ops->map_bus(bus, devfn, where);

	if (!addr)
		return reachable;
	return addr < window->base || addr >= window->base + window->size ||
	       addr != window->base + window_offset(window, bus->parent ? bus->number : 0, devfn,
						     where);
}

/*
 * What can be reached is what the window has room for, on each of the buses that
 * the host has; nothing else has an address, on whatever bus.
 */
static void expect_addresses_in_window(struct kunit *test, u8 last, int space)
{
	struct fake_pci *fake = test->priv;
	struct fake_window *window = fake->cfg1.base ? &fake->cfg1 : &fake->cfg0;
	struct pci_bus *parent = fake->bridge->bus;
	struct pci_bus *bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);
	unsigned int wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, bus);
	bus->ops = parent->ops;
	bus->sysdata = parent->sysdata;
	for (int number = 0; number < 256; number++) {
		bus->number = number;
		bus->parent = number ? parent : NULL;
		for (unsigned int devfn = 0; devfn < 256; devfn++) {
			bool hidden = !number && PCI_FUNC(devfn) && PCI_SLOT(devfn) >= 9 &&
				      PCI_SLOT(devfn) <= 20;

			for (int i = 0; i < ARRAY_SIZE(boundaries); i++) {
				int where = boundaries[i];

				wrong += wrong_addresses(window, bus, devfn, number <= last &&
							 !hidden && where >= 0 && where < space,
							 where);
			}
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static const struct window_case {
	const char *name;
	u32 size;
	u8 wanted;
	u8 last_bus;
	int space;
} windows[] = {
	{ "half of a bus more than the root bus", 0x00018000, 0xff, 0, PCI_CFG_SPACE_SIZE },
	{ "nearly extended registers of the root bus", 0x0f00c000, 0xff, 0, PCI_CFG_SPACE_SIZE },
	{ "extended registers of the root bus", 0x0f010000, 0xff, 0, PCI_CFG_SPACE_EXP_SIZE },
	{ "nearly bus 1", 0x1001c000, 0xff, 0, PCI_CFG_SPACE_EXP_SIZE },
	{ "bus 1", 0x10020000, 0xff, 1, PCI_CFG_SPACE_SIZE },
	{ "bus 0x1f", 0x10200000, 0xff, 0x1f, PCI_CFG_SPACE_SIZE },
	{ "a register less than bus 0x20", 0x1020fffc, 0xff, 0x1f, PCI_CFG_SPACE_SIZE },
	{ "all buses", 0x11000000, 0xff, 0xff, PCI_CFG_SPACE_SIZE },
	{ "bus 1, but the root bus is wanted", 0x10020000, 0, 0, PCI_CFG_SPACE_EXP_SIZE },
	{ "nearly extended registers of 0x1f", 0x1f1fc000, 0x1f, 0x1f, PCI_CFG_SPACE_SIZE },
	{ "extended registers of bus 0x1f", 0x1f200000, 0x1f, 0x1f, PCI_CFG_SPACE_EXP_SIZE },
};

KUNIT_ARRAY_PARAM_DESC(window, windows, name);

static void addresses_are_in_the_window(struct kunit *test)
{
	const struct window_case *window = test->param_value;
	struct fake_pci *fake = test->priv;

	new_small_host(test, window->size, 0, window->wanted);
	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->bridge->bus->busn_res.end, window->last_bus);
	expect_addresses_in_window(test, window->last_bus, window->space);
}

static void addresses_are_in_an_acpi_window(struct kunit *test)
{
	struct pci_bus *bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);
	struct pci_bus *root = kunit_kzalloc(test, sizeof(*root), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bus);
	KUNIT_ASSERT_NOT_NULL(test, root);
	new_acpi_bus(test, bus, 0, (void *)SZ_1G);
	bus->parent = root;
	bus->number = FAKE_LAST_BUS;
	KUNIT_EXPECT_NOT_NULL(test, (void __force *)pci_loongson_map_bus(bus, 0xff, 0xffc));
	bus->number = FAKE_LAST_BUS + 1;
	KUNIT_EXPECT_NULL(test, (void __force *)pci_loongson_map_bus(bus, 0xff, 0xffc));
}

/* A fixup for the GPU reads the display controller, which is the next function */
static void gpu_has_32_bit_accesses(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,rs780e-pci", FAKE_CFG0_SIZE);
	add_function(test, &fake->cfg0, 0, PCI_DEVFN(6, 0), 0x7a250014, OTHER, MULTI);
	/* None that the fixup has anything to do for */
	add_function(test, &fake->cfg0, 0, PCI_DEVFN(6, 1), 0x7f610014, OTHER, MULTI);
	set_reg(test, &fake->cfg0, 0, PCI_DEVFN(6, 1), PCI_BASE_ADDRESS_1, FAKE_PREF >> 32);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, device_at(test, 0, PCI_DEVFN(6, 0)));
	KUNIT_EXPECT_EQ(test, fake->widths, 32);
}

/* The one reg that the binding asks for is enough, for accesses that it takes */
static void cfg0_alone_has_32_bit_accesses(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,ls7a-pci", FAKE_CFG0_SIZE);
	add_board(test, &fake->cfg0, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
	KUNIT_EXPECT_EQ(test, fake->widths, 32);
	KUNIT_EXPECT_EQ(test, config_size(test, 0, 0), PCI_CFG_SPACE_SIZE);
	expect_addresses_in_window(test, 0xff, PCI_CFG_SPACE_SIZE);
}

static void small_cfg0_has_fewer_buses(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,ls2k-pci", 0x01080000);
	add_board(test, &fake->cfg0, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->bridge->bus->busn_res.end, 7);
	expect_addresses_in_window(test, 7, PCI_CFG_SPACE_SIZE);
}

/* It would be read as CFG0, where other registers are */
static void cfg1_alone_is_refused(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,ls7a-pci", FAKE_CFG1_SIZE);

	KUNIT_EXPECT_FALSE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->accesses, 0);
}

/* What would be devices' memory is the config space then */
static void window_over_config_space_is_ignored(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x02000000, 0, 0x60000000,
		  HI(FAKE_CFG1 + SZ_16M), LO(FAKE_CFG1 + SZ_16M), 0, SZ_1M,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, 0x60000000));
}

/* Two devices would have the same address on the bus */
static void windows_with_the_same_bus_addresses_are_ignored(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "ranges",
		  0x01000000, 0, 0x10000, HI(FAKE_IO), LO(FAKE_IO), 0, SZ_64K,
		  0x02000000, 0, 0x40000000, HI(FAKE_MEM), LO(FAKE_MEM), 0, 0x10000000,
		  0x42000000, 0, 0x48000000, HI(FAKE_PREF), LO(FAKE_PREF), 0, 0x10000000,
		  0x02000000, 0, 0x10000, HI(FAKE_MEM + SZ_1G), LO(FAKE_MEM + SZ_1G), 0, SZ_64K);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_IO, 0x10000));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x10000));
	KUNIT_EXPECT_NOT_NULL(test, host_window(test, IORESOURCE_MEM, 0x40000000));
	KUNIT_EXPECT_NULL(test, host_window(test, IORESOURCE_MEM, 0x48000000));
}

/* Of the slots from @first on, all have this id and class */
static void new_ghosts(struct kunit *test, int first, u32 id, u32 class)
{
	struct fake_pci *fake = test->priv;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	for (int slot = first; slot < 32; slot++)
		add_function(test, &fake->cfg1, 0, PCI_DEVFN(slot, 0), id, class, 0);
}

static void ghosts_are_refused(struct kunit *test)
{
	new_ghosts(test, 0, 0x00000200, 0);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void half_a_bus_of_ghosts_is_refused(struct kunit *test)
{
	new_ghosts(test, 16, 0x00000200, 0);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

/* Every register of every slot */
static void constant_ghosts_are_refused(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ghosts(test, 0, 0x55555555, 0);
	for (int slot = 0; slot < 32; slot++)
		set_reg(test, &fake->cfg1, 0, PCI_DEVFN(slot, 0), PCI_CLASS_REVISION, 0x55555555);

	KUNIT_EXPECT_FALSE(test, start_host(test));
}

static void few_devices_without_a_class_are_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ghosts(test, 17, 0x43214321, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 15);
}

/* A bus full of functions of one kind, as a zone may have them */
static void many_devices_of_a_kind_are_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ghosts(test, 0, FAKE_VENDOR | 1 << 16, OTHER);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 32);
}

/* The devices of others, as the root zone sees them, beside a function of the bridge */
static void full_bus_of_a_bridge_is_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ghosts(test, 0, 0x4106fffd, 0);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(31, 0), 0x7f180014, OTHER, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 32);
}

static void devices_of_two_kinds_are_found(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_ghosts(test, 0, 0x43214321, 0);
	add_function(test, &fake->cfg1, 0, PCI_DEVFN(31, 0), 0x43224321, 0, 0);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, count_devices(fake->bridge->bus), 32);
}

static void ghosts_in_cfg0_are_refused(struct kunit *test)
{
	struct fake_pci *fake = test->priv;

	new_cfg0_host(test, "loongson,ls7a-pci", FAKE_CFG0_SIZE);
	for (int slot = 0; slot < 32; slot++)
		add_function(test, &fake->cfg0, 0, PCI_DEVFN(slot, 0), 0x00000200, 0, 0);

	KUNIT_EXPECT_FALSE(test, start_host(test));
	KUNIT_EXPECT_EQ(test, fake->widths, 32);
}

/* What firmware left in the register is no interrupt without an i8259 */
static void interrupt_line_is_no_interrupt(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	struct pci_dev *dev;

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_ranges(test);
	add_function(test, &fake->cfg1, 0, 0, 0x7a000014, 0x060000, 0);
	set_reg(test, &fake->cfg1, 0, 0, PCI_INTERRUPT_LINE, 1 << 8 | 5);

	KUNIT_ASSERT_TRUE(test, start_host(test));
	dev = device_at(test, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, loongson_map_irq(dev, 0, 1), 0);
}

/* The host of another driver, which has neither ACPI nor private data */
static void hosts_of_others_keep_their_node(struct kunit *test)
{
	struct fake_pci *fake = test->priv;
	struct pci_bus *bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);
	struct pci_host_bridge *bridge = pci_alloc_host_bridge(0);

	KUNIT_ASSERT_NOT_NULL(test, bus);
	KUNIT_ASSERT_NOT_NULL(test, bridge);
	bridge->bus = bus;
	device_set_node(&bridge->dev, of_fwnode_handle(fake->np));

	KUNIT_EXPECT_EQ(test, pcibios_root_bridge_prepare(bridge), 0);
	KUNIT_EXPECT_PTR_EQ(test, dev_fwnode(&bridge->dev), of_fwnode_handle(fake->np));
	pci_free_host_bridge(bridge);
}

/* A phandle that no other node has */
#define FAKE_MSI_PHANDLE	0x7fff0014

struct fake_msi {
	struct of_changeset changeset;
	struct device_node *np;
	struct irq_domain *domain;
	bool applied;
};

static void fake_msi_stop(void *data)
{
	struct fake_msi *msi = data;

	if (msi->domain)
		irq_domain_remove(msi->domain);
	if (msi->applied)
		of_changeset_revert(&msi->changeset);
	of_changeset_destroy(&msi->changeset);
	of_node_put(msi->np);
}

/* An MSI controller that is not the system's; its node is disabled, as nothing drives it */
static struct irq_domain *new_msi_controller(struct kunit *test)
{
	struct fake_msi *msi = kunit_kzalloc(test, sizeof(*msi), GFP_KERNEL);
	struct irq_domain_info info = {
		.bus_token	= DOMAIN_BUS_PCI_MSI,
		.ops		= &irq_domain_simple_ops,
	};

	KUNIT_ASSERT_NOT_NULL(test, msi);
	of_changeset_init(&msi->changeset);
	msi->np = of_changeset_create_node(&msi->changeset, of_root, "msi-kunit");
	KUNIT_ASSERT_NOT_NULL(test, msi->np);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, fake_msi_stop, msi), 0);
	KUNIT_ASSERT_EQ(test, of_changeset_add_prop_string(&msi->changeset, msi->np, "status",
							   "disabled"), 0);
	KUNIT_ASSERT_EQ(test, of_changeset_apply(&msi->changeset), 0);
	msi->applied = true;
	msi->np->phandle = FAKE_MSI_PHANDLE;

	info.fwnode = of_fwnode_handle(msi->np);
	msi->domain = irq_domain_instantiate(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(msi->domain));

	return msi->domain;
}

static void expect_msi_domain(struct kunit *test, struct irq_domain *domain)
{
	struct fake_pci *fake = test->priv;

	set_ranges(test);
	add_board(test, &fake->cfg1, PCI_VENDOR_ID_LOONGSON);
	KUNIT_ASSERT_TRUE(test, start_host(test));
	expect_board(test);
	KUNIT_EXPECT_PTR_EQ(test, dev_get_msi_domain(&device_at(test, 0, 0)->dev), domain);
	KUNIT_EXPECT_PTR_EQ(test, dev_get_msi_domain(&device_at(test, 5, 0)->dev), domain);
}

static void msi_parent_is_followed(struct kunit *test)
{
	struct irq_domain *domain = new_msi_controller(test);

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "msi-parent", FAKE_MSI_PHANDLE);
	expect_msi_domain(test, domain);
}

static void msi_map_is_followed(struct kunit *test)
{
	struct irq_domain *domain = new_msi_controller(test);

	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "msi-map", 0, FAKE_MSI_PHANDLE, 0, 0x10000);
	expect_msi_domain(test, domain);
}

/* Old device trees name no controller: it is the system's */
static void host_without_msi_property_has_a_controller(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	expect_msi_domain(test, irq_find_matching_fwnode(get_pch_msi_handle(0),
							 DOMAIN_BUS_PCI_MSI));
}

/* It has no driver, or none yet */
static void host_with_absent_msi_parent_has_a_controller(struct kunit *test)
{
	new_ls7a_host(test, FAKE_LAST_BUS);
	set_cells(test, "msi-parent", FAKE_MSI_PHANDLE);
	expect_msi_domain(test, irq_find_matching_fwnode(get_pch_msi_handle(0),
							 DOMAIN_BUS_PCI_MSI));
}

static struct kunit_case loongson_pci_cases[] = {
	KUNIT_CASE(board_is_found),
	KUNIT_CASE(rs780e_has_32_bit_accesses),
	KUNIT_CASE(sparse_bus_is_found),
	KUNIT_CASE(empty_bus_is_a_bus),
	KUNIT_CASE(aliases_are_hidden),
	KUNIT_CASE(large_bars_have_their_windows),
	KUNIT_CASE(dma_has_its_offset),
	KUNIT_CASE(unbound_host_has_no_bus),
	KUNIT_CASE(ranges_that_end_nowhere_are_ignored),
	KUNIT_CASE(overlapping_windows_are_ignored),
	KUNIT_CASE(ports_inside_of_a_page_are_ignored),
	KUNIT_CASE(parts_of_a_page_are_ignored),
	KUNIT_CASE(host_without_window_is_refused),
	KUNIT_CASE(rs780e_without_window_is_refused),
	KUNIT_CASE(window_that_cannot_be_mapped_is_refused),
	KUNIT_CASE(empty_window_is_refused),
	KUNIT_CASE(window_in_memory_is_refused),
	KUNIT_CASE(acpi_root_bus_is_at_the_base),
	KUNIT_CASE(small_window_has_fewer_buses),
	KUNIT_CASE(tiny_window_has_the_root_bus),
	KUNIT_CASE(window_for_less_than_a_bus_is_refused),
	KUNIT_CASE(bus_range_without_bus_is_refused),
	KUNIT_CASE(extended_registers_are_found),
	KUNIT_CASE_PARAM(addresses_are_in_the_window, window_gen_params),
	KUNIT_CASE(addresses_are_in_an_acpi_window),
	KUNIT_CASE(gpu_has_32_bit_accesses),
	KUNIT_CASE(cfg0_alone_has_32_bit_accesses),
	KUNIT_CASE(small_cfg0_has_fewer_buses),
	KUNIT_CASE(cfg1_alone_is_refused),
	KUNIT_CASE(window_over_config_space_is_ignored),
	KUNIT_CASE(windows_with_the_same_bus_addresses_are_ignored),
	KUNIT_CASE(ghosts_are_refused),
	KUNIT_CASE(half_a_bus_of_ghosts_is_refused),
	KUNIT_CASE(constant_ghosts_are_refused),
	KUNIT_CASE(few_devices_without_a_class_are_found),
	KUNIT_CASE(many_devices_of_a_kind_are_found),
	KUNIT_CASE(full_bus_of_a_bridge_is_found),
	KUNIT_CASE(devices_of_two_kinds_are_found),
	KUNIT_CASE(ghosts_in_cfg0_are_refused),
	KUNIT_CASE(interrupt_line_is_no_interrupt),
	KUNIT_CASE(hosts_of_others_keep_their_node),
	KUNIT_CASE(msi_parent_is_followed),
	KUNIT_CASE(msi_map_is_followed),
	KUNIT_CASE(host_without_msi_property_has_a_controller),
	KUNIT_CASE(host_with_absent_msi_parent_has_a_controller),
	{}
};

static struct kunit_suite loongson_pci_suite = {
	.name = "loongson_pci",
	.init = loongson_pci_test_init,
	.exit = loongson_pci_test_exit,
	.test_cases = loongson_pci_cases,
};

kunit_test_suite(loongson_pci_suite);
