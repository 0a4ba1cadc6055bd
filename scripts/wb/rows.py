# SPDX-License-Identifier: GPL-2.0-only
"""End to end on the test machine: what a zone's kernel makes of its hypervisor.

Each row boots a zone's kernel as it is, with a hypervisor of some kind (qemu/README.md)
around it. Where it names a defect, the kernel without the series fails it: make
zones-table runs both and keeps what they said in kunit/ZONES.md.
"""
import collections
import fnmatch
import importlib
import itertools
import pathlib
import types

from . import boot, core, machine, prefixes, qemu, series, zones
from .core import LOGS, Failure
from .machine import hypervisor
from .zones import CONSOLE

TABLE = core.ROOT / "kunit/ZONES.md"
# What make zones-table has found so far
CELLS = core.BUILD / "check"
# How long each line row works, longer for the table, and where boots keep their console.
how = types.SimpleNamespace(load=10, log="zone-{}.log")
LONG_LOAD = 60

# .run is a function of the kernel tree that returns a boot's Outcome.
Row = collections.namedtuple("Row", "name zone text run")
ROWS = []


def row(name, text, zone="nonroot"):
    def register(function):
        ROWS.append(Row(name, zone, text, function))
        return function
    return register


def load_all():
    """The rows of all modules of that kind."""
    for path in sorted(pathlib.Path(__file__).parent.glob("rows_*.py")):
        importlib.import_module(f"wb.{path.stem}")


def run_zone(tree, name, parts, zone="nonroot", inspect=None, look=None, **entry):
    """Boot a zone's kernel with (arguments, disks, checks); see seen.

    In the end @inspect is given what was accessed, and @look QEMU's monitor.
    """
    def look_at_all(monitor):
        accesses = monitor.accesses()
        seen[name] = totals(accesses)
        return "; ".join(filter(None, [trespasses(accesses), inspect and inspect(accesses),
                                       look and look(monitor)]))
    if zone == "nonroot":
        # Nothing at physical 0: a row has one defect.
        entry = {"variant": "zone", "junk": bytes(4096), **entry}
    return boot.run_checks(tree, zone, parts, LOGS / how.log.format(name),
                           inspect=look_at_all, **entry)


# What trapped in each row that came to its end: {row: {space: accesses}}
seen = {}


def totals(accesses):
    """{space: reads and writes}, of what the hypervisor stands in front of."""
    total = collections.Counter()
    for (space, _), (reads, writes, _) in accesses.items():
        if space not in ("csr", "sent"):
            total[space] += reads + writes
    return total


# What no zone may do: it takes all zones' lines away, and what stops the zone
CLEAR_INJECT, IOCSR_LIMIT = 20, 0x3000


def trespasses(accesses):
    """Calls that are not the zone's to make or that nobody knows, IOCSRs that are not; or ""."""
    wrong = [f"{space} {address:#x}" for (space, address), (_, _, refused)
             in sorted(accesses.items())
             if space == "call" and (refused or address == CLEAR_INJECT)
             or space == "iocsr" and refused and address >= IOCSR_LIMIT]
    return f"accesses that the hypervisor does not take: {', '.join(wrong)}" if wrong else ""


@row("command-line", "junk at physical 0, where a firmware would leave a command line")
def command_line(tree):
    return run_zone(tree, "command-line", (hypervisor(), [], ["cpus 1", f"cmdline {CONSOLE}"]),
                    junk=boot.JUNK)


# -------------------------------------------------- virtio on lines of the CPU

def line_parts(load=None, **properties):
    """Console on HWI2, disk on HWI3, as in a zone of a board, both under load at once."""
    args, disks, checks = boot.line_parts(**properties)
    return args, disks, ["cpus 1", *checks, f"load {load or how.load} vda hvc0"]


@row("line-rev-b", "virtio disk and console at once with PREEMPT_RT, lines that fall at the "
                   "acknowledge")
def line_rev_b(tree):
    return run_zone(tree, "line-rev-b", line_parts(revision="b"), echo=True)


# An interrupt that revision A takes away is lost to any kernel, and its device waits for ever.
@row("line-rev-a", "disk and console in turn, lines that all fall when a status is read")
def line_rev_a(tree):
    args, disks, checks = boot.line_parts(revision="a", hide_cpuid="on")
    checks = ["cpus 1", *checks, *(f"load {how.load // 2} {name}" for name in ("vda", "hvc0"))]
    return run_zone(tree, "line-rev-a", (args, disks, checks), variant="zone-rev-a", echo=True)


@row("line-keep", "both at once, each line falls when its status is read")
def line_keep(tree):
    return run_zone(tree, "line-keep", line_parts(revision="a", keep_lines="on"),
                    variant="zone-rev-a", echo=True)


@row("line-late", "both at once, lines that fall 0.1 ms after the acknowledge")
def line_late(tree):
    return run_zone(tree, "line-late", line_parts(revision="b", late=100), echo=True)


# --------------------------------------------------------- what others share

# Functions, what raises MSIs and writes other cores' registers, the LIOINTC, and the
# EIOINTC's nodemap, lines, enables, bounce and routes; the root zone's
SHARED = [(0x420, 0x428), (0x1140, 0x1160), (0x1400, 0x1440), (0x14a0, 0x14c8),
          (0x1600, 0x1620), (0x1680, 0x16a0), (0x1c00, 0x1d00)]


def nothing_shared_is_written(accesses):
    """What the zone wrote into registers of all, or ""."""
    def is_shared(space, address):
        return space == "pch-pic" or space in ("iocsr", "sent") and any(
            start <= address < end for start, end in SHARED)
    written = [f"{space} {address:#x}" for (space, address), (_, writes, _)
               in sorted(accesses.items()) if writes and is_shared(space, address)]
    return f"{len(written)} shared registers were written, first {written[0]}" if written else ""


@row("registers", "no SMP, on core 2, NVMe and igb by MSI: nothing that others share is written")
def registers(tree):
    args, disks, checks = boot.nonroot_parts()
    return run_zone(tree, "registers", (args + hypervisor(cpu=2), disks, checks),
                    inspect=nothing_shared_is_written, smp=3, cpu=2)


# What others made of the LIOINTC: lines of theirs that are enabled, and where all go. The
# zone's goes to HWI0 of its core.
OTHERS_LINES, ROUTES = 1 << 3 | 1 << 19, {3: 0x12, 19: 0x24, zones.UART_LINE: 0x11}
LIOINTC_ENABLED, LIOINTC_ENABLE = zones.LIOINTC + 0x24, zones.LIOINTC + 0x28


def liointc_is_shared(monitor):
    """What the zone changed of others' lines, or that its own is not what it should be."""
    own = 1 << zones.UART_LINE
    enabled = monitor.memory(LIOINTC_ENABLED)
    routes = {line: monitor.memory(zones.LIOINTC + line, 1) for line in ROUTES}
    if enabled & ~own != OTHERS_LINES:
        return f"lines {enabled:#x} are enabled, those of others were {OTHERS_LINES:#x}"
    if routes != ROUTES:
        return f"lines go to {routes}, not to {ROUTES}"
    return "" if enabled & own else "the zone's own line is not enabled"


@row("liointc", "UART0 on a line of the LIOINTC: lines of others stay enabled and where they go")
def liointc(tree):
    words = [*((zones.LIOINTC + line, route, 1) for line, route in ROUTES.items()),
             (LIOINTC_ENABLE, OTHERS_LINES)]
    return run_zone(tree, "liointc", (hypervisor(), [], ["cpus 1", "tty ttyS0"]),
                    look=liointc_is_shared, variant="zone-liointc", words=words)


@row("ls7a", "NVMe and igb behind a 7A bridge's windows, where empty slots read 0")
def ls7a(tree):
    args, disks, checks = boot.nonroot_parts()
    args = [*args, *hypervisor(), "-device", "ls7a-config,view=zone"]
    return run_zone(tree, "ls7a", (args, disks, checks), variant="zone-ls7a")


@row("cfg0", "the same by the standard window alone")
def cfg0(tree):
    args, disks, checks = boot.nonroot_parts()
    args = [*args, *hypervisor(), "-device", "ls7a-config,view=zone"]
    return run_zone(tree, "cfg0", (args, disks, checks), variant="zone-cfg0")


def nothing_is_accessed(monitor):
    """What the zone did with a unit that is another one's, or ""."""
    counters = monitor.counters()
    touched = [name for name, count in counters.items() if count and name != "identities"]
    return f"the unit counted {', '.join(touched)}" if touched else ""


@row("iommu-unseen", "the root zone's IOMMU on the same bus: the zone neither sees nor uses it")
def unseen(tree):
    args, disks, checks = boot.nonroot_parts()
    args = [*args, *hypervisor(), "-device", "ls7a-config,view=zone,hide=1a.0",
            "-device", "loongarch-iommu,id=iommu,addr=1a.0"]
    return run_zone(tree, "iommu-unseen", (args, disks, [*checks, "nopci 0014:7a1f"]),
                    variant="zone-ls7a", look=nothing_is_accessed)


GHOSTS_ARE_SEEN = "nobody decodes config space"


@row("ghosts", "config space that nobody decodes: no device appears, and the driver says why")
def ghosts(tree):
    args = [*hypervisor(), "-device", "ls7a-config,view=ghosts"]
    outcome = run_zone(tree, "ghosts", (args, [], ["cpus 1", "pcicount 0"]), variant="zone-ls7a")
    return has_said(outcome, GHOSTS_ARE_SEEN)


def has_said(outcome, text):
    """The outcome, which is good only if the console has @text."""
    if not outcome.ok or any(text in line for line in outcome.lines):
        return outcome
    return outcome._replace(ok=False, reason=f'nobody said "{text}"')


# ------------------------------------------------------------------- time

def nothing_idles(accesses):
    """The idle instruction does not wait, and each is an interrupt: there shall be none."""
    count = sum(writes for (space, _), (_, writes, _) in accesses.items() if space == "idle")
    return f"{count} idle instructions" if count else ""


@row("timer", "the timer interrupts 5000 times a second: ticks keep time; and at each idle "
              "instruction: there are none")
def timer(tree):
    args = hypervisor(timer_on_idle="on", timer_noise=5000)
    return run_zone(tree, "timer", (args, [], ["cpus 1", "clock 100 2", "ticks 100 2"]),
                    variant="zone-periodic", inspect=nothing_idles)


# -------------------------------------------------------------- hypercalls

def sysfs(abi, configuration, features="0x0", zone=1):
    files = {"type": "hvisor", "zone": zone, "abi": abi, "configuration": configuration,
             "features": features}
    return [f"file /sys/hypervisor/{name} {text}" for name, text in files.items()]


@row("calls-rev-a", "revision A answers hypercalls, and gets none that it does not have")
def calls_rev_a(tree):
    return run_zone(tree, "calls-rev-a", (hypervisor(revision="a"), [], sysfs(1, 5)),
                    variant="zone-rev-a")


@row("calls-rev-b", "the same, revision B")
def calls_rev_b(tree):
    return run_zone(tree, "calls-rev-b", (hypervisor(revision="b"), [], sysfs(2, 6)))


SERVICES = 0x7f
CALLS = {0x101: "IRQ_EOI", 0x103: "WAIT", 0x104: "ZONE_CTRL", 0x105: "DEBUG_PUTC",
         0x107: "TIME_INFO"}


def services_are_used(accesses):
    unused = [name for code, name in CALLS.items() if ("call", code) not in accesses]
    return f"{', '.join(unused)}: no call was made" if unused else ""


@row("services", "all proposed services: they are used; the zone prints and stops by them")
def services(tree):
    args, disks, checks = line_parts(load=2, services=SERVICES, console="said")
    checks = [*checks, *sysfs(3, 6, f"{SERVICES:#x}"), "idle 5 3", "file /sys/hypervisor/stolen 0"]
    return run_zone(tree, "services", (args, disks, checks), variant="zone-services", echo=True,
                    inspect=services_are_used, serial=["-chardev", "stdio,id=said"])


@row("lost-ipis", "with SMP, IPIs that a CPU sends to itself are lost", zone="root")
def lost_ipis(tree):
    args, disks, checks = boot.root_parts(cpus=1)
    args = [*args, *hypervisor(zone=0, revision="a", lose_ipis="on")]
    return run_zone(tree, "lost-ipis", (args, disks, checks), "root", smp=1,
                    edits=zones.hypervisor(1))


# ------------------------------------------------------- as KVM's guests see it

# IOCSR 0x8 of the machine, and that it is virtual; CPUCFG as KVM has it, without a feature
VIRTUAL = 0x81c
KVM = dict(zone=0, signature="KVM", iocsr_features=VIRTUAL, iocsr_limit=0, idle_returns="off")


@row("virtual-eiointc", "SMP and a virtual EIOINTC, whose routes are numbers of CPUs",
     zone="root")
def virtual_eiointc(tree):
    args, disks, checks = boot.root_parts(cpus=4)
    args = [*args, "-machine", "v-eiointc=on", *hypervisor(**KVM)]
    return run_zone(tree, "virtual-eiointc", (args, disks, checks), "root", smp=4)


@row("virtual-eiointc-up", "the same without SMP, on core 2")
def virtual_eiointc_up(tree):
    args, disks, checks = boot.nonroot_parts()
    args = [*args, "-machine", "v-eiointc=on", *hypervisor(cpu=2, **KVM)]
    return run_zone(tree, "virtual-eiointc-up", (args, disks, checks), variant="", smp=3, cpu=2)


@row("several-lines", "an EIOINTC that may take four lines of the CPU leaves virtio's alone")
def several_lines(tree):
    args, disks, checks = line_parts(iocsr_features=VIRTUAL)
    return run_zone(tree, "several-lines", (args, disks, checks), echo=True)


# ---------------------------------------------------------------------- run

def run(tree, which):
    """One row's Outcome; Failure if that is none of the kernel's."""
    zones.configure(tree, which.zone)
    outcome = which.run(tree)
    if outcome.reason.startswith(qemu.BROKE_OFF):
        raise Failure(f"{which.name}: {outcome.reason}", LOGS / how.log.format(which.name))
    return outcome


def run_or_failed(tree, which):
    try:
        return run(tree, which)
    except Failure as failure:
        return qemu.Outcome(False, failure.what, 0, [])


def chosen(pattern):
    """Rows whose names match one of the globs in @pattern."""
    found = [row for row in ROWS
             if any(fnmatch.fnmatch(row.name, glob) for glob in pattern.split())]
    if not found:
        raise Failure(f"ROW={pattern}: no row has such a name; there are "
                      + " ".join(row.name for row in ROWS))
    return found


def check(tree, pattern="*", times=1, group="zones"):
    """The rows that are chosen, so many times: green with the whole series."""
    if not qemu.is_test_machine():
        core.results.skipped(group, "rows", "the boots do not use the test machine (make qemu)")
        return
    for turn, each in itertools.product(range(1, times + 1), chosen(pattern)):
        name = f"{each.name} {turn}" if times > 1 else each.name
        with core.phase(f"Zone {name}") as state:
            outcome = run_or_failed(tree, each)
            state.note = outcome.note
        if outcome.ok:
            core.results.passed(group, name, seconds=outcome.seconds)
        else:
            core.results.failed(group, name, outcome.reason)


# Where an IOMMU's driver has most to do. Not the kernel's own programs: each of their tests
# has 30 seconds, in which such a kernel does not map 1 GiB. Not iommu-plug: lockdep finds
# reset_lock and pci_rescan_remove_lock in either order in pciehp, whatever is plugged in.
DEBUG_ROWS = ("iommu-strict iommu-lazy iommu-given iommu-full iommu-types iommu-sleep iommu-vfs "
              "iommu-nosnoop iommu-old iommu-old-lazy iommu-old-given iovt")


def check_debug(tree, pattern=DEBUG_ROWS, times=1):
    """Rows whose kernel watches itself."""
    chosen(pattern)
    with zones.flavoured("debug"):
        zones.build_test_image(tree, "root")
        check(tree, pattern, times, "debug")


def table(tree):
    """kunit/ZONES.md: all rows with the series, which have to pass, and without it."""
    how.load = LONG_LOAD
    with_series = column(tree, "with", keep=passes)
    failed = [name for name, said in with_series.items() if not passes(said)]
    if failed:
        raise Failure(f"with the series, these fail: {', '.join(failed)}")
    with prefixes.borrowed(tree):
        series.checkout(tree, series.BASE)
        without = column(tree, "without")
    lines = [HEAD.format(base=tree.name, patches=len(series.patches()), load=LONG_LOAD), *(
        f"| {each.name} | {each.text} | {without[each.name]} | {with_series[each.name]} |"
        for each in ROWS)]
    TABLE.write_text("\n".join(lines) + "\n")
    return TABLE


PASSES = "passes"


def passes(said):
    return said.startswith(PASSES)


def column(tree, what, keep=bool):
    """{row: cell} for the kernel that is checked out.

    A run that was broken off goes on where it was, if all is still as it was then; only
    cells of which @keep is true are taken from it.
    """
    path, key = CELLS / f"zones-{what}.json", column_key(tree)
    kept = core.read_json(path)
    cells = kept["cells"] if kept.get("key") == key else {}
    how.log = f"zone-{{}}-{what}.log"
    for each in ROWS:
        with core.phase(f"Zone {each.name} {what} the series") as state:
            if keep(cells.get(each.name, "")):
                state.note = "up to date"
                continue
            outcome = run(tree, each)
            state.note = outcome.note
        cells[each.name] = cell(each.name, outcome)
        core.write_json(path, {"key": key, "cells": cells})
    return cells


def column_key(tree):
    """What a column depends on: kernels, machine and rows."""
    return core.digest([zones.build_key(tree, zone) for zone in ("root", "nonroot")],
                       machine.build_key(), core.ROOT / "scripts/wb", core.ROOT / "scripts/init")


def cell(name, outcome):
    verdict = PASSES if outcome.ok else "fails: " + in_a_cell(outcome.reason)
    traps = ", ".join(f"{space} {count}" for space, count in sorted(seen.pop(name, {}).items()))
    return verdict + (f" ({traps})" if traps else "")


def in_a_cell(reason, limit=120):
    """What is wrong first, as a cell of a table takes it."""
    text = reason.split("; ")[0].split("\n")[0]
    text = "".join(c for c in text if c.isascii() and c.isprintable() and c != "|")
    return " ".join(text.split())[:limit]


HEAD = """# A zone's kernel on the test machine, with the series and without it

`make zones-table` wrote this: linux {base} and {patches} patches, QEMU's model of a zone
([`qemu/`](../qemu/README.md)). Nothing here was run on a board or under hvisor itself.
In brackets is how often the hypervisor was in the way of a boot that came to its end:
accesses to IOCSRs, to virtio's registers and the PCH PIC, hypercalls and idle
instructions. The line rows work for {load} seconds, as fast as they can.

| row | what | without the series | with it |
|---|---|---|---|"""
