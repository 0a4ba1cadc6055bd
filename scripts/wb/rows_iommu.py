# SPDX-License-Identifier: GPL-2.0-only
"""End to end on the test machine: the root zone's devices behind an IOMMU.

Each row boots the root kernel with NVMe, igb and virtio behind the model of the unit,
and looks at what the unit counted. Its init reads and writes the disks.
"""
from . import boot, guest, rows, zones
from .core import LOGS
from .machine import hypervisor
from .rows import row
from .zones import CONSOLE

TRANSLATED = "iommu.passthrough=0 iommu.strict=1"
LAZY = "iommu.passthrough=0 iommu.strict=0"
# NVMe, igb and virtio's disk
FUNCTIONS = "01:00.0", "02:00.0", "03:01.0"
IGB_FUNCTION = f"0000:{FUNCTIONS[1]}"


def domain_of(function, kind):
    """That this function has such a domain, as a check."""
    return f"file /sys/bus/pci/devices/{function}/iommu_group/type {kind}"


def domains(kind):
    return [domain_of(f"0000:{function}", kind) for function in FUNCTIONS]


def run_unit(tree, name, inspect, words, domain=None, node="", devices=(), also=(), more=(),
             more_disks=(), how=None, **properties):
    """Boot the root zone with an IOMMU; @words are added to its command line.

    @domain is what type of domain the devices have, and @node is merged over the unit's.
    @devices are more of QEMU's, @more arguments and @more_disks too, @also more checks, and
    @how what else boot.run_checks() takes.
    """
    # Which is off by default in a kernel that can do it
    debug = "iommu.debug_pagealloc=on" if zones.how.flavour == "debug" else ""
    append = " ".join(f"{CONSOLE} {words} {debug}".split())
    # virtio through the DMA API, as other devices do
    args, disks, checks = boot.root_parts(append=append,
                                          virtio=",disable-legacy=on,iommu_platform=on")
    options = [f"{key.replace('_', '-')}={value}" for key, value in properties.items()]
    unit = ["-device", ",".join(["loongarch-iommu,id=iommu,addr=1a.0", *options])]
    args = [*args, *hypervisor(zone=0), *more, *unit,
            *(word for device in devices for word in ("-device", device))]
    checks = [*checks, *(domains(domain) if domain else []), *also]
    return boot.run_checks(tree, "root", (args, [*disks, *more_disks], checks),
                           LOGS / rows.how.log.format(name),
                           inspect=lambda monitor: inspect(monitor.counters()),
                           edits=zones.hypervisor(2) + node, devices=unit, append=append,
                           **(how or {}))


def virtio_disk(name, bus):
    """A further disk: which of two NVMe comes first is not certain."""
    return guest.Disk("root", name, "virtio",
                      f"virtio-blk-pci,bus={bus},disable-legacy=on,iommu_platform=on")


def complaint(counters, *others):
    """What no boot may have, and @others: (is it wrong?, what), as one text or ""."""
    found = [(counters["wrong"], "the driver did what it may not"),
             (counters["faults"], "accesses that were not mapped"), *others]
    wrong = [what for is_wrong, what in found if is_wrong]
    said = " ".join(f"{name} {count}" for name, count in counters.items())
    return f"{', '.join(wrong)}: {said}" if wrong else ""


def passes_through(counters):
    return complaint(counters, (counters["walks"], "devices were translated"),
                     (not counters["identities"], "no device accessed memory"))


def translates(counters):
    return complaint(counters, (not counters["walks"], "no device was translated"),
                     (not counters["flushes-domain"], "nothing was flushed"))


def translates_lazily(counters):
    return complaint(counters, (not counters["walks"], "no device was translated"))


@row("iommu-passthrough", "an IOMMU that is there, and nothing that asks for it", zone="root")
def passthrough(tree):
    return run_unit(tree, "iommu-passthrough", passes_through, "", "identity")


@row("iommu-strict", "NVMe, igb and virtio translated: the disks have what was written",
     zone="root")
def strict(tree):
    return run_unit(tree, "iommu-strict", translates, TRANSLATED, "DMA")


@row("iommu-lazy", "the same with flushes that are put off", zone="root")
def lazy(tree):
    return run_unit(tree, "iommu-lazy", translates_lazily, LAZY, "DMA-FQ")


@row("iommu-commit", "entries that count with the command, and long flushes", zone="root")
def commit(tree):
    return run_unit(tree, "iommu-commit", translates, TRANSLATED, "DMA", commit="cmd",
                    busy_polls=100)


@row("iommu-msi", "MSIs that are translated as all other writes, which no property denies",
     zone="root")
def msi(tree):
    return run_unit(tree, "iommu-msi", translates, TRANSLATED, "DMA", msi_bypass="off")


@row("iommu-3c6000", "the unit of a 3C6000 CPU, that flushes both TLBs and has small pages",
     zone="root")
def server(tree):
    return run_unit(tree, "iommu-3c6000", translates, TRANSLATED, "DMA",
                    device_id="0x3c0f", revision=0, strict_channels="off", huge="off",
                    neg_cache="off")


@row("iommu-nosnoop-zone", "a unit that does not see what is in caches, under a hypervisor: it is "
                           "refused", zone="root")
def no_snoop_zone(tree):
    node = zones.iommu_edits("dma-noncoherent;")
    outcome = run_unit(tree, "iommu-nosnoop-zone", passes_through, TRANSLATED, node=node)
    return rows.has_said(outcome, "does not snoop, and a hypervisor lets no memory be uncached")


LEFT_IS_SEEN = "translates already: devices without a driver are stopped"


@row("iommu-left", "a unit that an earlier kernel let translate: it is emptied, and all devices "
                   "work", zone="root")
def left(tree):
    outcome = run_unit(tree, "iommu-left", passes_through, "", "identity", left="on")
    return rows.has_said(outcome, LEFT_IS_SEEN)


# ---------------------------------------------- a unit with tables of its own

def translates_and_flushes_all(counters):
    """Nobody knows of a flush of a domain."""
    return complaint(counters, (not counters["walks"], "no device was translated"),
                     (not counters["flushes-all"], "nothing was flushed"),
                     (counters["flushes-domain"], "a domain was flushed"))


def with_port(function, port):
    """That a function has its port in its group, as a check."""
    return f"file /sys/bus/pci/devices/{function}/iommu_group/devices/{port}/vendor 0x1b36"


@row("iommu-old", "a bridge of revision 0, whose unit has tables of its own: the disks have what "
                  "was written", zone="root")
def old(tree):
    ports = [with_port(f"0000:{function}", f"0000:00:0{slot}.0")
             for slot, function in enumerate(FUNCTIONS, 1)]
    return run_unit(tree, "iommu-old", translates_and_flushes_all, TRANSLATED, "DMA", also=ports,
                    revision=0)


@row("iommu-old-lazy", "the same with flushes that are put off, and ports that have the number of "
                       "the bus behind them", zone="root")
def old_lazy(tree):
    return run_unit(tree, "iommu-old-lazy", translates_lazily, LAZY, "DMA-FQ", revision=0,
                    port_bus="on")


@row("iommu-old-commit", "entries and flushes that count with the command, and an id without the "
                         "bus", zone="root")
def old_commit(tree):
    node = zones.iommu_edits("/delete-property/ loongson,msi-bypass;")
    return run_unit(tree, "iommu-old-commit", translates_and_flushes_all, TRANSLATED, "DMA", node,
                    revision=0, commit="cmd", busy_polls=100, rid_mask="0x00ff")


@row("iommu-old-switch", "two disks behind a switch, which are one to a unit of revision 0",
     zone="root")
def old_switch(tree):
    disks = [virtio_disk("vdb", "down1"), virtio_disk("vdc", "down2")]
    devices = ["pcie-root-port,id=rp2,chassis=3", "x3130-upstream,id=up,bus=rp2",
               *(f"xio3130-downstream,id=down{n},bus=up,chassis={n + 3}" for n in (1, 2))]
    port, first, second = "0000:00:06.0", "0000:06:00.0", "0000:07:00.0"
    return run_unit(tree, "iommu-old-switch", translates_and_flushes_all, TRANSLATED, "DMA",
                    devices=devices, more_disks=disks, revision=0,
                    also=[with_port(first, port), with_port(second, port)])


@row("iommu-old-left", "a unit of revision 0 that an earlier kernel let translate: it is emptied, "
                       "and all devices work", zone="root")
def old_left(tree):
    outcome = run_unit(tree, "iommu-old-left", passes_through, "", "identity", left="on",
                       revision=0)
    return rows.has_said(outcome, LEFT_IS_SEEN)


def translates_some(counters):
    return translates(counters) or complaint(
        counters, (not counters["identities"], "all devices were translated"))


@row("iommu-types", "a disk that is translated and one that is not, after a change at run time, there "
                    "and back", zone="root")
def types(tree):
    second = virtio_disk("vdb", "rp2")
    here, there = "0000:01:00.0", "0000:04:00.0"
    return run_unit(tree, "iommu-types", translates_some, "", "identity",
                    devices=["pcie-root-port,id=rp2,chassis=3"], more_disks=[second],
                    also=[f"retype {here} DMA", domain_of(here, "DMA"),
                          f"retype {there} DMA DMA-FQ identity", domain_of(there, "identity")])


# ------------------------------------------------ devices that are given away

# Interrupts are not what is tested, and the machine's controllers can't tell devices apart.
GIVEN = "iommufd.allow_unsafe_interrupts=1"
# given.c has the device copy three times what is not mapped for it: 256 bytes, 4 at a time
DENIED = 3 * 256 // 4
# How many devices find an entry where default domains have all that they may have
LEFT = 3


def edu(slot):
    """QEMU's device that copies memory, and the function that it is."""
    return f"edu,addr={slot:#x}", f"0000:00:{slot:02x}.0"


def keeps_out(counters):
    """A program's device accessed what was mapped for it, and nothing else."""
    said = complaint({**counters, "faults": 0}, (not counters["walks"], "no device was translated"))
    denied = counters["faults"]
    return said or (f"{denied} accesses were denied, not {DENIED}" if denied != DENIED else "")


INTERRUPTED = "interrupted loongarch-iommu"
LOOKED = "busy 2"               # the driver looks once a second


def run_given(tree, name, told=INTERRUPTED, **properties):
    """@told is what has to happen until the driver tells of an access."""
    device, function = edu(0x10)
    outcome = run_unit(tree, name, keeps_out, GIVEN, "identity", devices=[device],
                       also=[f"given {function}", told], **properties)
    return rows.has_said(outcome, f"{function.partition(':')[2]} may not access 0x")


@row("iommu-given", "a device of a program accesses what is mapped for it, as it is mapped, "
                    "and nothing else", zone="root")
def given(tree):
    return run_given(tree, "iommu-given")


@row("iommu-given-commit", "the same with entries that count with the command, TLBs that remember "
                           "nothing, and no interrupt", zone="root")
def given_commit(tree):
    return run_given(tree, "iommu-given-commit", LOOKED, intx="off", commit="cmd", busy_polls=100,
                     neg_cache="off")


@row("iommu-old-given", "the same with a unit of revision 0", zone="root")
def given_old(tree):
    return run_given(tree, "iommu-old-given", revision=0)


# A test copies in an area of 1 GiB, all of which it maps.
SELFTEST_MEMORY = 2560
# What of each program is for IOMMUFD alone, and how many tests that is
SELFTESTS = {"vfio_iommufd_setup_test": (6, ""),
             "vfio_dma_mapping_test": (1, "-v iommufd_anonymous"),
             "vfio_pci_device_test": (5, ""),
             "vfio_pci_driver_test": (7, "-v iommufd")}


def maps_and_denies(counters):
    """The tests let the device access a page that is not mapped, too."""
    return complaint({**counters, "faults": 0}, (not counters["faults"], "nothing was denied"))


@row("iommu-selftests", "the kernel's own programs for VFIO pass with igb, which copies for them",
     zone="root")
def selftests(tree):
    programs = guest.vfio_selftests(tree, zones.out_dir(tree, "root"), SELFTESTS)
    also = [f"selftest {IGB_FUNCTION} {count} {name} {words}".strip()
            for name, (count, words) in SELFTESTS.items()]
    return run_unit(tree, "iommu-selftests", maps_and_denies, GIVEN, "identity", also=also,
                    how=dict(programs=programs, memory=SELFTEST_MEMORY))


@row("iommu-full", "more devices than the unit has entries: some are not translated, and who can't "
                   "be given away is refused", zone="root")
def full(tree):
    devices, functions = zip(*(edu(slot) for slot in range(6, 22)))
    return run_unit(tree, "iommu-full", complaint, f"{TRANSLATED} {GIVEN}", devices=devices,
                    also=[domain_of(functions[0], "DMA"), domain_of(functions[-1], "identity"),
                          f"exhaust {LEFT} {' '.join(functions[-6:])}"])


# ------------------------------------- a zone whose memory is not where it seems to be

# Where devices find it; a page of the unit's tables covers so much
MOVED_TO, HUGE = 0x400000000, 1 << 25
# Config space of the unit, and where its BARs are while the hypervisor uses them
UNIT, REGS, TABLES = 0x20000000 + (0x1a << 15), 0x7c000000, 0x78000000
# What a table's entry has, and that of a page of 32 MiB; devices of the root ports
TABLE_ENTRY, PAGE_ENTRY, PORTS = 0xd, 0xf, (1, 2)


def words_of(address, value):
    """64 bits as two words."""
    return [(address, value & 0xffffffff), (address + 4, value >> 32)]


def zone_map():
    """What hvisor writes to let the unit of revision 0 map the zone's memory: domain 1."""
    root, directory = TABLES, TABLES + 0x4000
    words = [(UNIT + 0x10, REGS), (UNIT + 0x14, 0), (UNIT + 0x18, TABLES), (UNIT + 0x1c, 0),
             (UNIT + 4, 2), *words_of(root, directory - TABLES | TABLE_ENTRY)]
    for at in range(0, zones.WINDOW_SIZE, HUGE):
        words += words_of(directory + 8 * ((zones.WINDOW + at) // HUGE),
                          MOVED_TO + at | PAGE_ENTRY)
    words += [(REGS + 0xa4, 0x2e4b66ce), (REGS + 0x2c, 0), (REGS + 0x28, 0)]
    for index, slot in enumerate(PORTS):
        words += [(REGS + 0x18, 1 << 31 | index << 24 | 1 << 20 | 1 << 16 | slot << 3),
                  (REGS + 0x1c, 0)]
    # The zone has its BARs elsewhere, or nowhere
    return [*words, (UNIT + 4, 0)]


COMPLETION_IS_LOST = "Identify Controller failed (-4)"


def unit_elsewhere():
    """A unit of revision 0 on whose bus the zone's memory is at MOVED_TO."""
    return ["-device", f"loongarch-iommu,id=iommu,addr=1a.0,revision=0,zone-at={MOVED_TO},"
                       f"zone-memory={zones.WINDOW},zone-size={zones.WINDOW_SIZE}"]


@row("moved", "devices find the zone's memory elsewhere than its CPU does, and the hypervisor "
              "lets the IOMMU map it: NVMe works")
def moved(tree):
    args, disks, checks = boot.nonroot_parts()
    return rows.run_zone(tree, "moved", ([*args, *hypervisor(), *unit_elsewhere()], disks, checks),
                         words=zone_map())


@row("moved-lost", "the same without that: NVMe's completions are not seen")
def moved_lost(tree):
    args, [disk], _ = boot.nonroot_parts()
    disk.make()
    args = [*args, *hypervisor(), *unit_elsewhere(), *disk.arguments()]
    outcome = rows.run_zone(tree, "moved-lost", (args, [], ["cpus 1", f"pci {boot.NVME_ID}"]),
                            variant="zone-impatient")
    return rows.has_said(outcome, COMPLETION_IS_LOST)
