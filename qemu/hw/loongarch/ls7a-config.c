/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Config space of the LoongArch "virt" board's PCI bus, as a Loongson 7A bridge has it
 *
 * Two windows, with bus 0 at their start. CFG0 has the standard registers, of 32
 * bits, and the other buses from 16 MiB on. CFG1 has the extended ones as well:
 * bits 8 to 11 of a register's offset are bits 24 to 27 of the address, and the
 * other buses are from 256 MiB on (hvisor.md, 6.1 and 6.2). The devices are those
 * that the board's own host bridge has.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/loongarch/virt.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_host.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"

#define TYPE_LS7A_CONFIG "ls7a-config"
OBJECT_DECLARE_SIMPLE_TYPE(Ls7aConfigState, LS7A_CONFIG)

#define CFG0_BASE               0x1a000000
#define CFG0_SIZE               0x02000000
#define CFG0_OTHER_BUSES        BIT(24)
#define CFG1_BASE               0xfe00000000
#define CFG1_SIZE               0x20000000
#define CFG1_OTHER_BUSES        BIT(28)
#define GHOST_ID                0x00000200
#define GHOST_ROM               0x7ff

struct Ls7aConfigState {
    DeviceState parent_obj;

    char *view;
    int32_t hide;               /* devfn on bus 0, -1 for none */
    PCIBus *bus;
    MemoryRegion cfg0, cfg1;
};

static uint32_t offset_of(hwaddr address)
{
    return extract64(address, 0, 8) | extract64(address, 24, 4) << 8;
}

static PCIDevice *device_at(Ls7aConfigState *s, hwaddr address)
{
    unsigned int bus = address & CFG1_OTHER_BUSES ? extract64(address, 16, 8) : 0;
    unsigned int devfn = extract64(address, 8, 8);

    return bus == 0 && devfn == s->hide ? NULL : pci_find_device(s->bus, bus, devfn);
}

/* Where nobody decodes the window, each slot reads the same */
static uint32_t ghost(hwaddr address)
{
    switch (offset_of(address) & ~3) {
    case PCI_VENDOR_ID:
        return GHOST_ID >> 8 * (address & 3);
    case PCI_ROM_ADDRESS:
        return GHOST_ROM >> 8 * (address & 3);
    default:
        return 0;
    }
}

static uint64_t config_read(void *opaque, hwaddr address, unsigned int size)
{
    Ls7aConfigState *s = opaque;
    PCIDevice *dev = device_at(s, address);
    uint32_t limit = dev ? pci_config_size(dev) : 0;

    if (!strcmp(s->view, "ghosts")) {
        return ghost(address);
    }
    /* A zone's empty slots read 0 */
    if (!dev) {
        return !strcmp(s->view, "zone") ? 0 : ~0;
    }
    return pci_host_config_read_common(dev, offset_of(address), limit, size);
}

static void config_write(void *opaque, hwaddr address, uint64_t data, unsigned int size)
{
    Ls7aConfigState *s = opaque;
    PCIDevice *dev = device_at(s, address);

    if (dev && strcmp(s->view, "ghosts")) {
        pci_host_config_write_common(dev, offset_of(address), pci_config_size(dev),
                                     data, size);
    }
}

/* Where CFG1 has what is at @address of CFG0 */
static hwaddr in_cfg1(hwaddr address)
{
    return extract64(address, 0, 24) |
           (address & CFG0_OTHER_BUSES ? CFG1_OTHER_BUSES : 0);
}

static uint64_t cfg0_read(void *opaque, hwaddr address, unsigned int size)
{
    return config_read(opaque, in_cfg1(address), size);
}

static void cfg0_write(void *opaque, hwaddr address, uint64_t data, unsigned int size)
{
    config_write(opaque, in_cfg1(address), data, size);
}

static const MemoryRegionOps cfg0_ops = {
    .read = cfg0_read,
    .write = cfg0_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static const MemoryRegionOps cfg1_ops = {
    .read = config_read,
    .write = config_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

static void ls7a_config_realize(DeviceState *dev, Error **errp)
{
    Ls7aConfigState *s = LS7A_CONFIG(dev);
    Object *board = object_dynamic_cast(qdev_get_machine(), TYPE_LOONGARCH_VIRT_MACHINE);

    if (!board) {
        error_setg(errp, "ls7a-config needs the LoongArch machine \"virt\"");
        return;
    }
    if (strcmp(s->view, "board") && strcmp(s->view, "zone") &&
        strcmp(s->view, "ghosts")) {
        error_setg(errp, "view '%s' is none of board, zone, ghosts", s->view);
        return;
    }
    s->bus = LOONGARCH_VIRT_MACHINE(board)->pci_bus;
    memory_region_init_io(&s->cfg0, OBJECT(s), &cfg0_ops, s, "ls7a-cfg0", CFG0_SIZE);
    memory_region_init_io(&s->cfg1, OBJECT(s), &cfg1_ops, s, "ls7a-cfg1", CFG1_SIZE);
    memory_region_add_subregion(get_system_memory(), CFG0_BASE, &s->cfg0);
    memory_region_add_subregion(get_system_memory(), CFG1_BASE, &s->cfg1);
}

static void ls7a_config_init(Object *obj)
{
    LS7A_CONFIG(obj)->view = g_strdup("board");
}

static const Property ls7a_config_properties[] = {
    DEFINE_PROP_STRING("view", Ls7aConfigState, view),
    DEFINE_PROP_PCI_DEVFN("hide", Ls7aConfigState, hide, -1),
};

static void ls7a_config_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Config space as a Loongson 7A bridge has it";
    dc->realize = ls7a_config_realize;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    device_class_set_props(dc, ls7a_config_properties);
    set_bit(DEVICE_CATEGORY_BRIDGE, dc->categories);
}

static const TypeInfo ls7a_config_info = {
    .name = TYPE_LS7A_CONFIG,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(Ls7aConfigState),
    .instance_init = ls7a_config_init,
    .class_init = ls7a_config_class_init,
};

static void ls7a_config_register(void)
{
    type_register_static(&ls7a_config_info);
}

type_init(ls7a_config_register)
