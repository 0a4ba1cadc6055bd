# SPDX-License-Identifier: GPL-2.0-only
"""What mapping a page for a device costs: strict, lazy and without translation.

The kernel's own dma_map_benchmark measures, on the test machine, with a device that
nobody uses.
"""
import re

from . import core, qemu, rows_iommu, zones
from .core import ROOT, Failure

PATH = ROOT / "kunit/MAPPING.md"
KINDS = {"1": "tables in main memory", "0": "copies of them in the unit"}
MODES = {"identity": "passthrough", "DMA": "strict", "DMA-FQ": "lazy"}
THREADS = 1, 2, 4, 8
SECONDS = 3

HEAD = """\
# What mapping for a device costs

Written by `make map-figures`, linux {base}: dma_map_benchmark with pages of 16 KiB, from the
device, {seconds} seconds each, on the test machine with TCG and two CPUs. Times tell something
only when compared with each other: an emulated access to a register costs far less than a
real one, and no hypervisor is in between. Counts are what a board has, too.

A flush is asked for by each map, since nobody knows whether the unit remembers what was
not there, and by each unmap (strict) or for many (lazy). One flush serves all who asked
before it began; each is two commands.

| revision | mode | threads | map, us | unmap, us | flushes asked for | done |
|---|---|---|---|---|---|---|
"""


def found_in(lines):
    """[(type, threads, map, unmap, asked, done)] of what init has measured."""
    pattern = re.compile(r"init: benchmark \S+ (\S+) (\d+) \d+ ok map (\d+) unmap (\d+) "
                         r"asked (\d+) done (\d+)")
    return [match.groups() for line in lines if (match := pattern.search(line))]


def row(revision, figures):
    kind, threads, mapping, unmapping, asked, done = figures
    times = (f"{int(text) / 10:.1f}" for text in (mapping, unmapping))
    cells = f"{revision}: {KINDS[revision]}", MODES[kind], threads, *times, asked, done
    return f"| {' | '.join(cells)} |\n"


def run(tree, revision):
    """All figures of a unit of this revision."""
    device, function = rows_iommu.edu(0x10)
    also = [f"benchmark {function} {kind} {threads} {SECONDS}"
            for kind in MODES for threads in THREADS]
    outcome = rows_iommu.run_unit(tree, f"mapping-{revision}", lambda counters: "", "",
                                  devices=[device], also=also, revision=revision)
    if not outcome.ok:
        raise Failure(f"revision {revision}: {outcome.reason}")
    return found_in(outcome.lines)


def measure(tree, path=PATH):
    if not qemu.is_test_machine():
        raise Failure("the boots do not use the test machine", repeat="make qemu map-figures")
    lines = []
    with zones.flavoured("benchmark"):
        zones.build_test_image(tree, "root")
        for revision in KINDS:
            with core.phase(f"Mapping, unit of revision {revision}") as state:
                figures = run(tree, revision)
                state.note = f"{len(figures)} figures"
            lines += [row(revision, each) for each in figures]
    path.write_text(HEAD.format(base=tree.name, seconds=SECONDS) + "".join(lines))
    return path
