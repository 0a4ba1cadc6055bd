# SPDX-License-Identifier: GPL-2.0-only
"""End to end on the test machine: an IOMMU that ACPI's IOVT describes.

The root kernel is started by UEFI, as on a board without a hypervisor. The table is in
the initrd, so that it can be any: the kernel installs it beside those of the firmware.
"""
from . import acpi, boot, guest, rows, rows_iommu
from .core import LOGS
from .rows import row
from .rows_iommu import TRANSLATED
from .zones import CONSOLE, HERE

UNIT = 0xd0                     # 00:1a.0
NOBODY = 0xe0
NVME = "01:00.0"
INSTALLED = "Table Upgrade: install [IOVT"


def whole(rid=UNIT, flags=acpi.PCI | acpi.WHOLE_SEGMENT | acpi.MSI_BYPASS, **fields):
    return acpi.unit(rid, flags=flags, **fields)


def run_table(tree, name, table, inspect, said=(), domains=(), revision=1):
    """Boot with @table, bytes, and a unit of @revision.

    @inspect judges what the unit counted; @said are lines that the kernel prints, and
    @domains is what the devices are to have, (function, type).
    """
    # Without hvisor's device tree, and UEFI adds its own word to the command line
    append = f"{CONSOLE} {TRANSLATED}"
    args, disks, checks = boot.root_parts(virtio=",disable-legacy=on,iommu_platform=on")
    checks = [check for check in checks if check.split()[0] not in ("cmdline", "model")]
    checks += [f"file /sys/bus/pci/devices/0000:{function}/iommu_group/type {kind}"
               for function, kind in domains]
    HERE.mkdir(parents=True, exist_ok=True)
    stored = HERE / "iovt.aml"
    stored.write_bytes(table)
    outcome = boot.run_checks(
        tree, "root",
        ([*args, "-device", f"loongarch-iommu,id=iommu,addr=1a.0,revision={revision}"],
         disks, checks),
        LOGS / rows.how.log.format(name), inspect=lambda monitor: inspect(monitor.counters()),
        programs={f"{guest.ACPI_TABLES}/iovt.aml": (stored, 0o644)}, firmware=True,
        append=append)
    missing = [line for line in said if not any(line in have for have in outcome.lines)]
    if outcome.ok and missing:
        return outcome._replace(ok=False, reason=f"the kernel does not say {missing[0]!r}")
    return outcome


def translated(functions=rows_iommu.FUNCTIONS):
    return [(function, "DMA") for function in functions]


@row("iovt", "a unit that has the whole segment: NVMe, igb and virtio translated", zone="root")
def segment(tree):
    return run_table(tree, "iovt", acpi.iovt(whole()), rows_iommu.translates,
                     [INSTALLED], translated())


@row("iovt-list", "a unit that has NVMe alone in its list", zone="root")
def listed(tree):
    entries = [acpi.entry(acpi.START, 0x100), acpi.entry(acpi.END, 0x107)]
    return run_table(tree, "iovt-list",
                     acpi.iovt(acpi.unit(UNIT, entries, acpi.PCI | acpi.MSI_BYPASS)),
                     rows_iommu.translates, domains=translated([NVME]))


@row("iovt-nobody", "a unit that is not there: devices do not wait for it", zone="root")
def nobody(tree):
    return run_table(tree, "iovt-nobody", acpi.iovt(whole(NOBODY)), rows_iommu.passes_through,
                     ["IOVT: IOMMU 0000:00:1c.0 has no driver or is not there"])


@row("iovt-old", "a unit that has tables of its own: devices work without it", zone="root")
def old(tree):
    return run_table(tree, "iovt-old", acpi.iovt(whole()), rows_iommu.passes_through,
                     ["not in use: revision 0"], revision=0)


@row("iovt-narrow", "a unit whose addresses are too short for a page table", zone="root")
def narrow(tree):
    return run_table(tree, "iovt-narrow", acpi.iovt(whole(virt_width=36)),
                     rows_iommu.passes_through, ["36 bits of address are too few"])
