# SPDX-License-Identifier: GPL-2.0-only
"""End to end on the test machine: an IOMMU that ACPI's IOVT or IVRS describes.

The root kernel is started by UEFI, as on a board without a hypervisor. The table is in
the initrd, so that it can be any: the kernel installs it beside those of the firmware,
which has its own in one row.
"""
from . import acpi, boot, core, guest, rows, rows_iommu
from .acpi import (ALL, END, FIRST, LAST, PCI, PXM, SELECT, SINGLE, START, WHOLE_SEGMENT, entry,
                   iovt, ivrs, ivrs_block, ivrs_entry, unit)
from .core import LOGS
from .rows import row
from .rows_iommu import TRANSLATED
from .zones import CONSOLE, HERE

UNIT = 0xd0                     # 00:1a.0
NOBODY = 0xe0
NVME = "01:00.0"
# What init finds with a device tree only; UEFI adds a word to the command line
NOT_ACPI = "cmdline", "model", "clock"
# ACPI tells of the console when devices are there
EARLYCON = "earlycon=uart8250,mmio,0x1fe001e0,115200"
INSTALLED = "Table Upgrade: install [IOVT"


def whole(rid=UNIT, flags=PCI | WHOLE_SEGMENT | acpi.MSI_BYPASS, **fields):
    return unit(rid, flags=flags, **fields)


def command_line(words=""):
    return f"{CONSOLE} {TRANSLATED} {words}".strip().replace("earlycon", EARLYCON)


def run_table(tree, name, table, inspect, said=(), domains=(), revision=1, words="", how=None):
    """Boot with @table, bytes, or None for the machine's own, and a unit of @revision.

    @inspect judges what the unit counted; @said are lines that the kernel prints, and
    @domains is what the devices are to have, (function, type). @words are added to the
    command line, and @how is what else boot.run_checks() takes.
    """
    args, disks, checks = boot.root_parts(virtio=",disable-legacy=on,iommu_platform=on")
    checks = [check for check in checks if check.split()[0] not in NOT_ACPI]
    checks += [rows_iommu.domain_of(f"0000:{function}", kind) for function, kind in domains]
    machine, programs = ",iovt=on", {}
    if table is not None:
        HERE.mkdir(parents=True, exist_ok=True)
        stored = HERE / "iovt.aml"
        stored.write_bytes(table)
        machine, programs = "", {f"{guest.ACPI_TABLES}/iovt.aml": (stored, 0o644)}
    outcome = boot.run_checks(
        tree, "root",
        ([*args, "-device", f"loongarch-iommu,id=iommu,addr=1a.0,revision={revision}{machine}"],
         disks, checks),
        LOGS / rows.how.log.format(name), inspect=lambda monitor: inspect(monitor.counters()),
        programs=programs, firmware=True, append=command_line(words), **(how or {}))
    missing = [line for line in said if not any(line in have for have in outcome.lines)]
    if outcome.ok and missing:
        return outcome._replace(ok=False, reason=f"the kernel does not say {missing[0]!r}")
    return outcome


def translated(functions=rows_iommu.FUNCTIONS):
    return [(function, "DMA") for function in functions]


@row("iovt", "a unit that has the whole segment: NVMe, igb and virtio translated", zone="root")
def segment(tree):
    return run_table(tree, "iovt", iovt(whole()), rows_iommu.translates,
                     [INSTALLED], translated())


@row("iovt-machine", "the same with the machine's own table", zone="root")
def machine_table(tree):
    return run_table(tree, "iovt-machine", None, rows_iommu.translates, domains=translated())


@row("iommu-nosnoop", "a unit that does not see what is in caches: it gets copies of the tables",
     zone="root")
def no_snoop(tree):
    return run_table(tree, "iommu-nosnoop", None, rows_iommu.translates,
                     ["does not snoop: has its tables in 32 MiB of uncached memory"],
                     translated(), words="loongarch_iommu=nosnoop")


@row("iovt-list", "a unit that has NVMe alone in its list", zone="root")
def listed(tree):
    entries = [entry(START, 0x100), entry(END, 0x107)]
    return run_table(tree, "iovt-list", iovt(unit(UNIT, entries, PCI | acpi.MSI_BYPASS)),
                     rows_iommu.translates, domains=translated([NVME]))


@row("iovt-nobody", "a unit that is not there: devices do not wait for it", zone="root")
def nobody(tree):
    return run_table(tree, "iovt-nobody", iovt(whole(NOBODY)), rows_iommu.passes_through,
                     ["ACPI: IOMMU 0000:00:1c.0 has no driver or is not there"])


@row("iovt-old", "a unit of revision 0, by an IOVT", zone="root")
def old(tree):
    return run_table(tree, "iovt-old", iovt(whole()), rows_iommu.translates_and_flushes_all,
                     [INSTALLED], translated(), revision=0)


@row("ivrs", "the same by an IVRS, as firmware known so far has it", zone="root")
def ivrs_segment(tree):
    return run_table(tree, "ivrs", ivrs(ivrs_block(UNIT, ivrs_entry(ALL))),
                     rows_iommu.translates_and_flushes_all, ["Table Upgrade: install [IVRS"],
                     translated(), revision=0)


@row("ivrs-list", "an IVRS that has NVMe alone in its list", zone="root")
def ivrs_listed(tree):
    entries = [ivrs_entry(FIRST, 0x100), ivrs_entry(LAST, 0x107), ivrs_entry(SELECT, UNIT)]
    return run_table(tree, "ivrs-list", ivrs(ivrs_block(UNIT, *entries)),
                     rows_iommu.translates_and_flushes_all, domains=translated([NVME]), revision=0)


@row("iovt-narrow", "a unit whose addresses are too short for a page table", zone="root")
def narrow(tree):
    return run_table(tree, "iovt-narrow", iovt(whole(virt_width=36)),
                     rows_iommu.passes_through, ["36 bits of address are too few"])


# ------------------------------------------------------------ tables with mistakes

def listed_unit(*entries, **fields):
    return iovt(unit(UNIT, entries, **fields))


def platform(**fields):
    return iovt(whole(0, flags=WHOLE_SEGMENT, **fields))


# (what is wrong, the table, what the kernel says of it); it boots with each of them.
TABLES = [
    ("cut in its header", iovt(cut=47), "not used: it is too short"),
    ("longer than its file", iovt(whole(), length=113), "File length does not match"),
    ("revision 0", iovt(whole(), revision=0), "not used: it has revision 0"),
    ("revision 2", iovt(whole(), revision=2), "revision 2 is read as 1"),
    ("wrong checksum", iovt(whole(), checksum=0x55), "Bad table checksum"),
    ("no unit", iovt(), "IOVT: has no IOMMU"),
    ("first unit in the header", iovt(whole(), at=47), "the first IOMMU is in its header"),
    ("first unit not whole", iovt(whole(), at=49), "the first IOMMU is behind its end"),
    ("a unit too many", iovt(whole(), count=2), "IOMMU 1 does not fit"),
    ("far too many units", iovt(whole(), count=0xffff), "IOMMU 1 does not fit"),
    ("unit of length 0", iovt(whole(length=0)), "IOMMU 0 does not fit"),
    ("unit beyond the end", iovt(whole(length=65)), "IOMMU 0 does not fit"),
    ("unknown type", iovt(whole(type=1)), "IOMMU 0 is of unknown type 1"),
    ("list in the unit's head", listed_unit(entry(SINGLE, 0x100), entries_at=63),
     "its list of devices is not inside of it"),
    ("list too long", listed_unit(entry(SINGLE, 0x100), entries=2),
     "its list of devices is not inside of it"),
    ("4 Gi entries", listed_unit(entry(SINGLE, 0x100), entries=0xffffffff),
     "its list of devices is not inside of it"),
    ("entry of length 0", listed_unit(entry(SINGLE, 0x100, length=0)), "entry 0 has length 0"),
    ("entry of unknown type", listed_unit(entry(3, 0x100)), "1 entries are of no known type"),
    ("end without start", listed_unit(entry(END, 0x100)), "1 entries are of no known type"),
    ("start as last", listed_unit(entry(START, 0x100)), "1 entries are of no known type"),
    ("start after start", listed_unit(entry(START, 0x100), entry(START, 0x100),
                                      entry(END, 0x107)), "1 entries are of no known type"),
    ("end before start", listed_unit(entry(START, 0x107), entry(END, 0x100)),
     "1 entries are of no known type"),
    ("entries twice", listed_unit(entry(SINGLE, 0x100), entry(SINGLE, 0x100)), ""),
    ("two units with a device", iovt(unit(UNIT, [entry(SINGLE, 0x100)]),
                                     unit(NOBODY, [entry(SINGLE, 0x100)])),
     "IOMMU 1 has devices of an earlier one"),
    ("own id of 17 bits", iovt(whole(0x10000)), "its own device id has more than 16 bits"),
    ("the same function twice", iovt(whole(), whole()), "an earlier one is the same function"),
    ("a unit behind itself", listed_unit(entry(SINGLE, UNIT), entry(SINGLE, 0x100)), ""),
    ("a list and the whole segment", listed_unit(entry(SINGLE, 0x100),
                                                 flags=PCI | WHOLE_SEGMENT), ""),
    ("no device", listed_unit(), "IOMMU 0 has no devices"),
    ("31 bits of address", iovt(whole(virt_width=31)), "have not 32 to 64 bits"),
    ("65 bits of address", iovt(whole(phy_width=65)), "have not 32 to 64 bits"),
    ("pages of 4 KiB", iovt(whole(page_size=1 << 12)), "it has no pages of 16 KiB"),
    ("two levels", iovt(whole(levels=2)), "its page tables have not 3 levels"),
    ("nothing but ids", iovt(whole(virt_width=0, phy_width=0, page_size=0, levels=0,
                                   devices=0)), ""),
    ("unknown node", iovt(whole(flags=PCI | PXM | WHOLE_SEGMENT, pxm=99)), ""),
    ("no PCI function, no registers", platform(), "it has no room for registers"),
    ("no PCI function", platform(base=0xe0045969c00), "IOMMU 0 is no PCI function"),
    ("all flags", iovt(whole(flags=0xffffffff)), ""),
    ("IVRS, revision 0", ivrs(ivrs_block(UNIT, ivrs_entry(ALL)), revision=0),
     "not used: it has revision 0"),
    ("IVRS, no block", ivrs(), "IVRS: has no IOMMU"),
    ("IVRS, block of length 0", ivrs(ivrs_block(UNIT, ivrs_entry(ALL), length=0)),
     "block 0 does not fit"),
    ("IVRS, block beyond the end", ivrs(ivrs_block(UNIT, ivrs_entry(ALL), length=29)),
     "block 0 does not fit"),
    ("IVRS, entry of no known length", ivrs(ivrs_block(UNIT, ivrs_entry(0x80))),
     "block 0: entry 0 of type 0x80 does not fit"),
    ("IVRS, end without start", ivrs(ivrs_block(UNIT, ivrs_entry(LAST, 0x100))),
     "block 0: 1 entries are not a range"),
    ("IVRS, the same function twice", ivrs(*[ivrs_block(UNIT, ivrs_entry(ALL))] * 2),
     "block 1 is not used"),
]


def check_tables(tree):
    """Boot with each of TABLES: a result for each."""
    for name, table, said in TABLES:
        with core.phase(f"Table: {name}") as state:
            outcome = run_table(tree, "iovt-table", table, rows_iommu.complaint,
                                [said] if said else [])
            state.note = outcome.note
        if outcome.ok:
            core.results.passed("iovt-tables", name, seconds=outcome.seconds)
        else:
            core.results.failed("iovt-tables", name, outcome.reason)
