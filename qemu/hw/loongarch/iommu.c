/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU of Loongson's 7A2000 bridge and 3C6000 CPUs
 *
 * There is no public manual. This is what its known drivers rely on (iommu.md), and
 * a property for each thing that nobody knows. It has TLBs that do not follow the
 * tables by themselves, so that a driver that forgets to flush is found out.
 *
 * All accesses of devices come with the big lock held: no I/O threads.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "qemu/range.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/acpi/aml-build.h"
#include "hw/loongarch/iommu.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/qdev-properties.h"
#include "system/device_tree.h"

#define TYPE_LOONGARCH_IOMMU "loongarch-iommu"
OBJECT_DECLARE_SIMPLE_TYPE(LoongArchIommu, LOONGARCH_IOMMU)
#define TYPE_LOONGARCH_IOMMU_REGION "loongarch-iommu-region"

#define VENDOR_LOONGSON         0x0014
#define DEVICE_7A2000           0x7a1f
#define DEVICE_3C6000           0x3c0f
#define CLASS_IOMMU             0x0806

#define REGS_SIZE               0x400
#define TABLES_SIZE             (64 * MiB)

#define NR_DOMAINS              16
#define NR_ENTRIES              16

/* iommu.md, 4.1 */
#define IOVT_SIZE               48
#define IOVT_UNIT_SIZE          64

/* iommu.md, 2 */
#define REG_VBTC                0x014
#define  VBTC_CMD               0x1f
#define  VBTC_FLUSH_DOMAIN      4
#define  VBTC_FLUSH_ALL         5
#define  VBTC_READS             BIT(8)
#define  VBTC_BUSY              BIT(16)
#define  VBTC_UNKNOWN           (~(VBTC_CMD | VBTC_READS | VBTC_BUSY))
#define REG_EIVDB               0x018
#define  EIVDB_VALID            BIT(20)
#define  EIVDB_ENABLE           BIT(31)         /* revision 0 */
#define REG_CMD                 0x01c
#define REG_PGD_LO(d)           (0x020 + 8 * (d))
#define REG_PGD_HI(d)           (0x024 + 8 * (d))
#define REG_DIR_CTRL(d)         (0x0a0 + 4 * (d))
#define REG_EX_ADDR_LO          0x0e8
#define REG_EX_ADDR_HI          0x0ec
#define REG_CTRL                0x100
#define  CTRL_MAIN_MEMORY       BIT(29)
#define  CTRL_TRANSLATE         BIT(31)
#define REG_END                 0x140

/* iommu.md, 3 */
#define PAGE_BITS               14
#define LEVELS                  3
#define PTE_PRESENT             BIT_ULL(0)
#define PTE_HUGE                BIT_ULL(1)
#define PTE_READ                BIT_ULL(2)
#define PTE_WRITE               BIT_ULL(3)
#define PTE_ADDRESS             MAKE_64BIT_MASK(14, 34)

/* Whom an earlier kernel has left bound to a table that is nowhere: 01:00.0 */
#define LEFT_ENTRY              5
#define LEFT_DOMAIN             3
#define LEFT_RID                0x0100

#define MSI_PAGE                0x2ff00000      /* the board's doorbell */

/* What a TLB may have at most; the oldest is forgotten */
#define TLB_SIZE                1024

enum { WRITES, READS, CHANNELS };

typedef struct Translation {
    uint64_t key;               /* domain and page */
    uint64_t pte;               /* of 16 KiB, 0 if there is none */
} Translation;

/* What a function of the bus sees as memory */
typedef struct Space {
    IOMMUMemoryRegion region;
    AddressSpace as;
    LoongArchIommu *s;
    PCIBus *bus;
    int devfn;
} Space;

struct LoongArchIommu {
    PCIDevice parent_obj;

    /* properties */
    uint8_t revision;
    uint16_t device_id;
    char *commit;
    bool strict_channels;
    uint32_t busy_polls;
    bool neg_cache;
    uint16_t rid_mask;
    bool port_bus;
    bool huge;
    bool check_perm;
    bool msi_bypass;
    uint32_t vbtc_noise;
    uint64_t zone_memory, zone_size, zone_at;
    bool iovt;
    bool left;
    bool intx;

    MemoryRegion bus_view, rest, foreign, moved;
    AddressSpace bus_as;
    AddressSpace *bus;          /* what devices find without translation */
    MemoryRegion regs_region, tables;
    uint32_t regs[REG_END / 4];
    uint32_t entries[NR_ENTRIES];
    uint32_t staged;            /* a command that waits for CMD */
    unsigned int busy;
    GHashTable *tlb[CHANNELS];
    GQueue *order[CHANNELS];
    GPtrArray *spaces;

    uint64_t walks, hits, identities, faults, flushes_domain, flushes_all;
    uint64_t reads, writes, wrong;
};

static uint32_t *reg(LoongArchIommu *s, unsigned int offset)
{
    return &s->regs[offset / 4];
}

static bool is_old(LoongArchIommu *s)
{
    return s->revision == 0 && s->device_id == DEVICE_7A2000;
}

/* Something that no driver may do */
static void wrong(LoongArchIommu *s, const char *what, hwaddr offset, uint64_t value)
{
    s->wrong++;
    qemu_log_mask(LOG_GUEST_ERROR, "loongarch-iommu: %s: 0x%" PRIx64 " 0x%" PRIx64 "\n",
                  what, offset, value);
}

static void set_irq(LoongArchIommu *s, int level)
{
    if (s->intx) {
        pci_set_irq(PCI_DEVICE(s), level);
    }
}

/* ------------------------------------------------------------------ TLBs */

static uint64_t tlb_key(unsigned int domain, hwaddr iova)
{
    return (uint64_t)domain << 60 | iova >> PAGE_BITS;
}

static void tlb_drop(LoongArchIommu *s, int channel, int domain)
{
    GList *link = s->order[channel]->head;

    while (link) {
        GList *next = link->next;
        Translation *translation = link->data;

        if (domain < 0 || translation->key >> 60 == domain) {
            g_queue_delete_link(s->order[channel], link);
            g_hash_table_remove(s->tlb[channel], &translation->key);
        }
        link = next;
    }
}

static void tlb_add(LoongArchIommu *s, int channel, uint64_t key, uint64_t pte)
{
    Translation *translation = g_new(Translation, 1);

    if (g_queue_get_length(s->order[channel]) == TLB_SIZE) {
        Translation *oldest = g_queue_pop_head(s->order[channel]);

        g_hash_table_remove(s->tlb[channel], &oldest->key);
    }
    *translation = (Translation) { .key = key, .pte = pte };
    g_hash_table_insert(s->tlb[channel], &translation->key, translation);
    g_queue_push_tail(s->order[channel], translation);
}

static void command(LoongArchIommu *s, uint32_t value)
{
    int channel = value & VBTC_READS ? READS : WRITES;

    switch (value & VBTC_CMD) {
    case VBTC_FLUSH_DOMAIN:
        s->flushes_domain++;
        /* No driver of the old ones was ever seen to use it */
        if (!is_old(s)) {
            tlb_drop(s, channel, extract32(*reg(s, REG_EIVDB), 16, 4));
        }
        break;
    case VBTC_FLUSH_ALL:
        s->flushes_all++;
        tlb_drop(s, channel, -1);
        if (!s->strict_channels) {
            tlb_drop(s, !channel, -1);
        }
        break;
    default:
        wrong(s, "unknown command", REG_VBTC, value);
    }
    s->busy = s->busy_polls;
}

/* -------------------------------------------------------------- registers */

static void take_entry(LoongArchIommu *s, uint32_t entry)
{
    s->entries[extract32(entry, 24, 4)] = entry;
}

static void write_vbtc(LoongArchIommu *s, uint32_t value)
{
    if (s->busy) {
        wrong(s, "a command runs", REG_VBTC, value);
        return;
    }
    if ((value ^ s->vbtc_noise) & VBTC_UNKNOWN) {
        wrong(s, "unknown bits changed", REG_VBTC, value);
    }
    *reg(s, REG_VBTC) = value & ~VBTC_BUSY;
    /* Drivers of the old ones commit it as they do entries */
    if (is_old(s) && s->commit[0] == 'c') {
        s->staged = value;
    } else {
        command(s, value);
    }
}

static void write_cmd(LoongArchIommu *s, uint32_t value)
{
    if (s->commit[0] != 'c' || value & 3) {
        return;
    }
    take_entry(s, *reg(s, REG_EIVDB));
    if (s->staged) {
        command(s, s->staged);
        s->staged = 0;
    }
}

static void write_known(LoongArchIommu *s, hwaddr offset, uint32_t value)
{
    *reg(s, offset) = value;
    switch (offset) {
    case REG_EIVDB:
        if (s->commit[0] == 'w') {
            take_entry(s, value);
        }
        break;
    case REG_CMD:
        write_cmd(s, value);
        break;
    case REG_EX_ADDR_LO:
        if (!value) {
            *reg(s, REG_EX_ADDR_HI) = 0;
            set_irq(s, 0);
        }
        break;
    }
}

static void regs_write(void *opaque, hwaddr offset, uint64_t value, unsigned int size)
{
    LoongArchIommu *s = opaque;

    s->writes++;
    if (offset >= REG_END) {
        wrong(s, "unknown register written", offset, value);
    } else if (offset == REG_VBTC) {
        write_vbtc(s, value);
    } else {
        write_known(s, offset, value);
    }
}

static uint64_t regs_read(void *opaque, hwaddr offset, unsigned int size)
{
    LoongArchIommu *s = opaque;
    uint32_t value;

    s->reads++;
    if (offset >= REG_END) {
        wrong(s, "unknown register read", offset, 0);
        return 0;
    }
    value = *reg(s, offset);
    if (offset == REG_VBTC && s->busy) {
        s->busy--;
        value |= VBTC_BUSY;
    }

    return value;
}

static const MemoryRegionOps regs_ops = {
    .read = regs_read,
    .write = regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ------------------------------------------------------------ translation */

static bool read_table(LoongArchIommu *s, uint64_t table, unsigned int index,
                       uint64_t *pte)
{
    MemTxResult result = MEMTX_OK;
    hwaddr at = table + 8 * index;

    if (is_old(s)) {
        at &= TABLES_SIZE - 1;
        *pte = ldq_le_p(memory_region_get_ram_ptr(&s->tables) + at);
        return true;
    }
    *pte = address_space_ldq_le(s->bus, at, MEMTXATTRS_UNSPECIFIED, &result);

    return result == MEMTX_OK && *reg(s, REG_CTRL) & CTRL_MAIN_MEMORY;
}

/* Bits of an address; a driver may have written any place and width */
static uint64_t bits_of(hwaddr iova, unsigned int shift, unsigned int width)
{
    return iova >> shift & (BIT_ULL(width) - 1);
}

/* The entry of the page of 16 KiB that @iova is in, 0 if there is none */
static uint64_t walk(LoongArchIommu *s, unsigned int domain, hwaddr iova)
{
    uint32_t geometry = *reg(s, REG_DIR_CTRL(domain));
    uint64_t pte = deposit64(*reg(s, REG_PGD_LO(domain)), 32, 32,
                             *reg(s, REG_PGD_HI(domain)));
    int level;

    s->walks++;
    if (iova >> MIN(63, extract32(geometry, 20, 6) + extract32(geometry, 26, 4))) {
        return 0;
    }
    for (level = LEVELS - 1; level >= 0; level--) {
        unsigned int shift = extract32(geometry, 10 * level, 6);
        unsigned int width = extract32(geometry, 10 * level + 6, 4);
        uint64_t table = is_old(s) ? pte & ~MAKE_64BIT_MASK(0, 14) : pte & PTE_ADDRESS;

        if (!read_table(s, table, bits_of(iova, shift, width), &pte) ||
            !(pte & PTE_PRESENT)) {
            return 0;
        }
        if (!(pte & PTE_HUGE)) {
            continue;
        }
        if (level != 1 || !s->huge) {
            return 0;
        }
        return pte + (bits_of(iova, 0, shift) & PTE_ADDRESS);
    }

    return pte;
}

static uint64_t look_up(LoongArchIommu *s, unsigned int domain, hwaddr iova, int channel)
{
    uint64_t key = tlb_key(domain, iova);
    Translation *translation = g_hash_table_lookup(s->tlb[channel], &key);
    uint64_t pte;

    if (translation) {
        s->hits++;
        return translation->pte;
    }
    pte = walk(s, domain, iova);
    if (pte || s->neg_cache) {
        tlb_add(s, channel, key, pte);
    }

    return pte;
}

/* The requester id that the unit sees: of old ones, that of who is on the root bus */
static uint16_t rid_of(Space *space)
{
    PCIBus *bus = space->bus;
    int devfn = space->devfn;
    int number = pci_bus_num(bus);

    while (is_old(space->s) && !pci_bus_is_root(bus)) {
        devfn = bus->parent_dev->devfn;
        number = pci_bus_num(bus);
        bus = pci_get_bus(bus->parent_dev);
        if (!space->s->port_bus) {
            number = pci_bus_num(bus);
        }
    }

    return PCI_BUILD_BDF(number, devfn);
}

static bool is_enabled(LoongArchIommu *s)
{
    return is_old(s) ? *reg(s, REG_EIVDB) & EIVDB_ENABLE :
                       *reg(s, REG_CTRL) & CTRL_TRANSLATE;
}

/* The domain of the function, or -1: then it is not translated */
static int domain_of(Space *space)
{
    LoongArchIommu *s = space->s;
    uint16_t rid = rid_of(space);
    int i;

    for (i = 0; is_enabled(s) && i < NR_ENTRIES; i++) {
        uint32_t entry = s->entries[i];

        if (entry & EIVDB_VALID && !((entry ^ rid) & s->rid_mask)) {
            return extract32(entry, 16, 4);
        }
    }

    return -1;
}

static void fault(LoongArchIommu *s, hwaddr iova)
{
    s->faults++;
    if (*reg(s, REG_EX_ADDR_LO) || *reg(s, REG_EX_ADDR_HI)) {
        return;
    }
    *reg(s, REG_EX_ADDR_LO) = iova;
    *reg(s, REG_EX_ADDR_HI) = iova >> 32;
    set_irq(s, 1);
}

static IOMMUTLBEntry translate(IOMMUMemoryRegion *region, hwaddr iova,
                               IOMMUAccessFlags flag, int index)
{
    Space *space = container_of(region, Space, region);
    LoongArchIommu *s = space->s;
    int domain = domain_of(space);
    IOMMUTLBEntry same = {
        .target_as = s->bus,
        .addr_mask = MAKE_64BIT_MASK(0, PAGE_BITS),
        .iova = iova & ~MAKE_64BIT_MASK(0, PAGE_BITS),
        .translated_addr = iova & ~MAKE_64BIT_MASK(0, PAGE_BITS),
        .perm = IOMMU_RW,
    };
    bool is_write = flag & IOMMU_WO;
    uint64_t pte;

    if (domain < 0) {
        s->identities++;
        return same;
    }
    if (s->msi_bypass && is_write && same.iova == MSI_PAGE) {
        return same;
    }

    pte = look_up(s, domain, iova, is_write ? WRITES : READS);
    same.translated_addr = pte & PTE_ADDRESS;
    same.perm = is_write ? IOMMU_WO : IOMMU_RO;
    if (!pte || (s->check_perm && !(pte & (is_write ? PTE_WRITE : PTE_READ)))) {
        fault(s, iova);
        same.perm = IOMMU_NONE;
    }

    return same;
}

/* Nobody may keep a translation: it is not told when one ends */
static int refuse_notifier(IOMMUMemoryRegion *region, IOMMUNotifierFlag old,
                           IOMMUNotifierFlag new, Error **errp)
{
    if (new == IOMMU_NOTIFIER_NONE) {
        return 0;
    }
    error_setg(errp, "loongarch-iommu does not work with vhost or vfio");

    return -EINVAL;
}

static AddressSpace *space_of(PCIBus *bus, void *opaque, int devfn)
{
    LoongArchIommu *s = opaque;
    g_autofree char *name = NULL;
    Space *space;
    int i;

    for (i = 0; i < s->spaces->len; i++) {
        space = g_ptr_array_index(s->spaces, i);
        if (space->bus == bus && space->devfn == devfn) {
            return &space->as;
        }
    }
    /* It reads its tables by itself, and is not behind itself */
    if (bus == pci_get_bus(PCI_DEVICE(s)) && devfn == PCI_DEVICE(s)->devfn) {
        return s->bus;
    }

    space = g_new0(Space, 1);
    *space = (Space) { .s = s, .bus = bus, .devfn = devfn };
    name = g_strdup_printf("loongarch-iommu-%02x.%x", PCI_SLOT(devfn), PCI_FUNC(devfn));
    memory_region_init_iommu(&space->region, sizeof(space->region),
                             TYPE_LOONGARCH_IOMMU_REGION, OBJECT(s), name, UINT64_MAX);
    address_space_init(&space->as, MEMORY_REGION(&space->region), name);
    g_ptr_array_add(s->spaces, space);

    return &space->as;
}

static const PCIIOMMUOps iommu_ops = {
    .get_address_space = space_of,
};

/* ------------------------------------------------------------------- ACPI */

/* iommu.md, 4.1: a unit that all other functions of the segment are behind */
static void append_unit(GArray *data, LoongArchIommu *s)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint32_t flags = BIT(0) | BIT(2) | (s->msi_bypass ? BIT(4) : 0);

    build_append_int_noprefix(data, 0, 2);              /* Type */
    build_append_int_noprefix(data, IOVT_UNIT_SIZE, 2); /* Length */
    build_append_int_noprefix(data, flags, 4);
    build_append_int_noprefix(data, 0, 2);              /* Segment */
    build_append_int_noprefix(data, 48, 2);             /* Width of what it puts out */
    build_append_int_noprefix(data, 47, 2);             /* Width of what it takes */
    build_append_int_noprefix(data, LEVELS, 2);
    build_append_int_noprefix(data, 16 * KiB | (s->huge ? 32 * MiB : 0), 8);
    build_append_int_noprefix(data, pci_get_bdf(dev), 4);
    build_append_int_noprefix(data, 0, 8);              /* Base: it is a PCI function */
    build_append_int_noprefix(data, 0, 4);              /* Size */
    build_append_int_noprefix(data, 0, 4);              /* Type of interrupt */
    build_append_int_noprefix(data, 0, 4);              /* GSI: it is a PCI function's */
    build_append_int_noprefix(data, 0, 4);              /* Proximity: not valid */
    build_append_int_noprefix(data, NR_ENTRIES, 4);
    build_append_int_noprefix(data, 0, 4);              /* Entries of its list */
    build_append_int_noprefix(data, IOVT_UNIT_SIZE, 4); /* where they would be */
}

void loongarch_iommu_build_iovt(GArray *offsets, GArray *data, BIOSLinker *linker,
                                const char *oem_id, const char *oem_table_id)
{
    AcpiTable table = { .sig = "IOVT", .rev = 1, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };
    Object *unit = object_resolve_path_type("", TYPE_LOONGARCH_IOMMU, NULL);

    if (!unit || !LOONGARCH_IOMMU(unit)->iovt) {
        return;
    }
    acpi_add_table(offsets, data);
    acpi_table_begin(&table, data);
    build_append_int_noprefix(data, 1, 2);              /* Units */
    build_append_int_noprefix(data, IOVT_SIZE, 2);      /* where the first is */
    build_append_int_noprefix(data, 0, 8);              /* Reserved */
    append_unit(data, LOONGARCH_IOMMU(unit));
    acpi_table_end(linker, &table);
}

/* ------------------------------------------------------------ device tree */

/* iommu.md, 4.6: the unit below its host bridge, with all others behind it */
void loongarch_iommu_fdt_add(void *fdt, const char *bridge)
{
    static const char compatible[] = "loongson,pci-iommu";
    Object *unit = object_resolve_path_type("", TYPE_LOONGARCH_IOMMU, NULL);
    g_autofree char *node = NULL, *kind = NULL;
    g_autoptr(GString) strings = NULL;
    uint32_t phandle, rid;
    LoongArchIommu *s;

    if (!unit) {
        return;
    }
    s = LOONGARCH_IOMMU(unit);
    rid = pci_get_bdf(PCI_DEVICE(s));
    phandle = qemu_fdt_alloc_phandle(fdt);
    node = g_strdup_printf("%s/iommu@%x,%x", bridge, PCI_SLOT(rid), PCI_FUNC(rid));
    kind = g_strdup_printf("pci%04x,%04x", VENDOR_LOONGSON, s->device_id);
    strings = g_string_new_len(kind, strlen(kind) + 1);
    g_string_append_len(strings, compatible, sizeof(compatible));

    qemu_fdt_add_subnode(fdt, node);
    qemu_fdt_setprop(fdt, node, "compatible", strings->str, strings->len);
    qemu_fdt_setprop_cells(fdt, node, "reg", rid << 8, 0, 0, 0, 0);
    qemu_fdt_setprop_cell(fdt, node, "#iommu-cells", 1);
    qemu_fdt_setprop_cell(fdt, node, "phandle", phandle);
    if (s->msi_bypass) {
        qemu_fdt_setprop(fdt, node, "loongson,msi-bypass", NULL, 0);
    }
    qemu_fdt_setprop_cells(fdt, bridge, "iommu-map", 0, phandle, 0, rid,
                           rid + 1, phandle, rid + 1, 0xffff - rid);
}

/* ----------------------------------------------------------------- device */

/* Nothing is known of what registers have at first, but that nothing is translated */
static void iommu_reset(DeviceState *dev)
{
    LoongArchIommu *s = LOONGARCH_IOMMU(dev);

    memset(s->regs, 0xa5, sizeof(s->regs));
    memset(s->entries, 0, sizeof(s->entries));
    *reg(s, REG_VBTC) = s->vbtc_noise & VBTC_UNKNOWN;
    *reg(s, REG_EIVDB) &= ~(EIVDB_ENABLE | EIVDB_VALID);
    *reg(s, REG_CTRL) &= ~(CTRL_TRANSLATE | CTRL_MAIN_MEMORY);
    *reg(s, REG_EX_ADDR_LO) = *reg(s, REG_EX_ADDR_HI) = 0;
    if (s->left) {
        if (is_old(s)) {
            *reg(s, REG_EIVDB) |= EIVDB_ENABLE;
        } else {
            *reg(s, REG_CTRL) |= CTRL_TRANSLATE | CTRL_MAIN_MEMORY;
        }
        s->entries[LEFT_ENTRY] = LEFT_ENTRY << 24 | EIVDB_VALID |
                                 LEFT_DOMAIN << 16 | LEFT_RID;
    }
    s->busy = s->staged = 0;
    tlb_drop(s, READS, -1);
    tlb_drop(s, WRITES, -1);
    set_irq(s, 0);
}

static bool is_forgetful(Object *obj, Error **errp)
{
    return false;
}

/* As without power for a moment, but for config space, which the kernel restores */
static void set_forget(Object *obj, bool value, Error **errp)
{
    LoongArchIommu *s = LOONGARCH_IOMMU(obj);

    if (value) {
        iommu_reset(DEVICE(s));
        memset(memory_region_get_ram_ptr(&s->tables), 0xa5, TABLES_SIZE);
    }
}

static bool check_properties(LoongArchIommu *s, Error **errp)
{
    if (s->device_id != DEVICE_7A2000 && s->device_id != DEVICE_3C6000) {
        error_setg(errp, "device-id must be 0x7a1f or 0x3c0f, not 0x%x", s->device_id);
    } else if (strcmp(s->commit, "write") && strcmp(s->commit, "cmd")) {
        error_setg(errp, "commit must be write or cmd, not %s", s->commit);
    } else if (s->busy_polls > 1000000) {
        error_setg(errp, "busy-polls must be 1000000 at most");
    } else {
        return true;
    }

    return false;
}

/* iommu.md, 4.6: where the zone's memory seems to be, devices find that of others */
static bool move_memory(LoongArchIommu *s, Error **errp)
{
    MemoryRegion *cpus = get_system_memory();

    if (!s->zone_size) {
        s->bus = &address_space_memory;
        return true;
    }
    if (s->zone_size > BIT_ULL(47) ||
        MAX(s->zone_memory, s->zone_at) > BIT_ULL(48) - s->zone_size ||
        ranges_overlap(s->zone_memory, s->zone_size, s->zone_at, s->zone_size)) {
        error_setg(errp, "zone-at must be clear of the zone's memory, both below 2^48");
        return false;
    }
    if (!memory_region_init_ram(&s->foreign, OBJECT(s), "loongarch-iommu-foreign",
                                s->zone_size, errp)) {
        return false;
    }
    memory_region_init(&s->bus_view, OBJECT(s), "loongarch-iommu-bus", UINT64_MAX);
    memory_region_init_alias(&s->rest, OBJECT(s), "loongarch-iommu-rest", cpus, 0,
                             UINT64_MAX);
    memory_region_init_alias(&s->moved, OBJECT(s), "loongarch-iommu-moved", cpus,
                             s->zone_memory, s->zone_size);
    memory_region_add_subregion(&s->bus_view, 0, &s->rest);
    memory_region_add_subregion_overlap(&s->bus_view, s->zone_memory, &s->foreign, 1);
    memory_region_add_subregion_overlap(&s->bus_view, s->zone_at, &s->moved, 1);
    address_space_init(&s->bus_as, &s->bus_view, "loongarch-iommu-bus");
    s->bus = &s->bus_as;

    return true;
}

static void iommu_realize(PCIDevice *dev, Error **errp)
{
    LoongArchIommu *s = LOONGARCH_IOMMU(dev);
    int i;

    if (!check_properties(s, errp)) {
        return;
    }
    if (pci_device_root_bus(dev)->iommu_ops) {
        error_setg(errp, "there is an IOMMU already");
        return;
    }
    if (!move_memory(s, errp)) {
        return;
    }
    pci_set_word(dev->config + PCI_DEVICE_ID, s->device_id);
    pci_set_byte(dev->config + PCI_REVISION_ID, s->revision);
    pci_set_byte(dev->config + PCI_INTERRUPT_PIN, s->intx);

    memory_region_init_io(&s->regs_region, OBJECT(s), &regs_ops, s,
                          "loongarch-iommu-regs", REGS_SIZE);
    if (!memory_region_init_ram(&s->tables, OBJECT(s), "loongarch-iommu-tables",
                                TABLES_SIZE, errp)) {
        return;
    }
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64, &s->regs_region);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_MEM_TYPE_64, &s->tables);

    for (i = 0; i < CHANNELS; i++) {
        s->tlb[i] = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
        s->order[i] = g_queue_new();
    }
    s->spaces = g_ptr_array_new();
    pci_setup_iommu(pci_device_root_bus(dev), &iommu_ops, s);
}

static char *get_counters(Object *obj, Error **errp)
{
    LoongArchIommu *s = LOONGARCH_IOMMU(obj);

    return g_strdup_printf("walks %" PRIu64 "\nhits %" PRIu64 "\nidentities %" PRIu64
                           "\nfaults %" PRIu64 "\nflushes-domain %" PRIu64
                           "\nflushes-all %" PRIu64 "\nreads %" PRIu64
                           "\nwrites %" PRIu64 "\nwrong %" PRIu64 "\n",
                           s->walks, s->hits, s->identities, s->faults,
                           s->flushes_domain, s->flushes_all, s->reads, s->writes,
                           s->wrong);
}

/* To count anew */
static void set_counters(Object *obj, const char *value, Error **errp)
{
    LoongArchIommu *s = LOONGARCH_IOMMU(obj);

    if (*value) {
        error_setg(errp, "counters can only be set to the empty string");
        return;
    }
    s->walks = s->hits = s->identities = s->faults = 0;
    s->flushes_domain = s->flushes_all = 0;
    s->reads = s->writes = s->wrong = 0;
}

static void iommu_init(Object *obj)
{
    LOONGARCH_IOMMU(obj)->commit = g_strdup("write");
    object_property_add_str(obj, "counters", get_counters, set_counters);
    object_property_add_bool(obj, "forget", is_forgetful, set_forget);
}

static const Property iommu_properties[] = {
    /* 1.2: 0 has its tables in BAR 2, and sees the devices of the root bus only */
    DEFINE_PROP_UINT8("revision", LoongArchIommu, revision, 1),
    DEFINE_PROP_UINT16("device-id", LoongArchIommu, device_id, DEVICE_7A2000),
    /* 2.3: when an entry counts */
    DEFINE_PROP_STRING("commit", LoongArchIommu, commit),
    /* 2.2: a flush of all is one of the channel that it names */
    DEFINE_PROP_BOOL("strict-channels", LoongArchIommu, strict_channels, true),
    DEFINE_PROP_UINT32("busy-polls", LoongArchIommu, busy_polls, 2),
    /* 3.7: a TLB remembers that a page was not there */
    DEFINE_PROP_BOOL("neg-cache", LoongArchIommu, neg_cache, true),
    /* 1.3 */
    DEFINE_PROP_UINT16("rid-mask", LoongArchIommu, rid_mask, 0xffff),
    /* 1.3: an old one sees a port with the number of the bus behind it */
    DEFINE_PROP_BOOL("port-bus", LoongArchIommu, port_bus, false),
    /* 3.3 */
    DEFINE_PROP_BOOL("huge", LoongArchIommu, huge, true),
    /* 3.2 */
    DEFINE_PROP_BOOL("check-perm", LoongArchIommu, check_perm, true),
    /* 4.1: what is written to the interrupt controller is not translated */
    DEFINE_PROP_BOOL("msi-bypass", LoongArchIommu, msi_bypass, true),
    /* 2.2: what unknown bits have, which a driver must not change */
    DEFINE_PROP_UINT32("vbtc-noise", LoongArchIommu, vbtc_noise, 0xa4a4a2e0),
    /* 4.6: devices find the zone's memory elsewhere than its CPU does */
    DEFINE_PROP_UINT64("zone-memory", LoongArchIommu, zone_memory, 0),
    DEFINE_PROP_SIZE("zone-size", LoongArchIommu, zone_size, 0),
    DEFINE_PROP_UINT64("zone-at", LoongArchIommu, zone_at, 0),
    /* 6.9: it translates when the machine starts, by tables that are gone */
    DEFINE_PROP_BOOL("left", LoongArchIommu, left, false),
    /* 2.7: it interrupts when an access has failed */
    DEFINE_PROP_BOOL("intx", LoongArchIommu, intx, true),
    /* 4.1: ACPI has a table that says who is behind it */
    DEFINE_PROP_BOOL("iovt", LoongArchIommu, iovt, false),
};

static void iommu_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "IOMMU of Loongson bridges and CPUs";
    dc->user_creatable = true;
    dc->hotpluggable = false;
    device_class_set_legacy_reset(dc, iommu_reset);
    device_class_set_props(dc, iommu_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    k->realize = iommu_realize;
    k->vendor_id = VENDOR_LOONGSON;
    k->device_id = DEVICE_7A2000;
    k->class_id = CLASS_IOMMU;
}

static void region_class_init(ObjectClass *klass, void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(klass);

    imrc->translate = translate;
    imrc->notify_flag_changed = refuse_notifier;
}

static const TypeInfo iommu_types[] = {
    {
        .name = TYPE_LOONGARCH_IOMMU,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(LoongArchIommu),
        .instance_init = iommu_init,
        .class_init = iommu_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { },
        },
    },
    {
        .name = TYPE_LOONGARCH_IOMMU_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = region_class_init,
    },
};

DEFINE_TYPES(iommu_types)
