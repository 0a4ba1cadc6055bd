# SPDX-License-Identifier: GPL-2.0-only
"""What an interrupt of a zone's device costs, before and after, in one run.

The kernel with the whole series is built once for each combination of the
changes below: with a change, or with its file as it was before. The suite is
the same in all of them. A KUnit test that measures says "figures: " and, with
commas between them, names and numbers.
"""
import collections
import itertools
import re

from . import core, prefixes, series, suites
from .core import ROOT, Failure

PATH = ROOT / "kunit/FIGURES.md"
TEST = "loongarch_virtio_line.interrupt_costs_one_call"

Change = collections.namedtuple("Change", "name path subject")
CHANGES = (
    Change("level", "drivers/irqchip/irq-loongarch-cpu.c",
           "irqchip/loongarch-cpu: Treat devices' lines as level interrupts"),
    Change("acknowledge", "drivers/virtio/virtio_mmio.c",
           "virtio-mmio: Acknowledge at once with forced threading"),
)
KERNELS = (("base", ()), ("base", ("threadirqs",)), ("rt", ()))

HEAD = """\
# What an interrupt of a virtio-mmio device on a CPU line costs

Written by `make figures`, linux {base}: QEMU with TCG, one CPU online, so that times
tell something only when compared with each other.

- level: with "{level}"
- acknowledge: with "{acknowledge}"

The test raises a hundred interrupts, and gives up at the first one that only its
rescue timer ends, after five seconds. Calls are those of the primary handler, accesses
those to the device's registers, for each interrupt. The latency is the time from
the line's going high to the queue's callback.

| kernel | with | interrupts | calls | accesses | median latency |
|---|---|---|---|---|---|
"""


def found_in(text):
    """The last line of figures in a console's text: {name: number}."""
    lines = re.findall(r"figures: (.*)", text)[-1:]
    return {name: int(number) for name, number in re.findall(r"([a-z]+) (-?\d+)", "".join(lines))}


def row(kernel, changes, figures):
    count = figures["interrupts"]
    cells = (kernel, " and ".join(changes) or "neither", str(count),
             f"{figures['calls'] / count:.0f}",
             f"{(figures['reads'] + figures['writes']) / count:.0f}",
             f"{figures['median'] / 1000:.1f} us")
    return f"| {' | '.join(cells)} |\n"


def variant(git, commits, changes):
    """A commit of the whole series with only @changes of CHANGES in it."""
    listing = git.listing(series.SERIES)
    for change in CHANGES:
        if change not in changes:
            listing[change.path] = git.listing(f"{commits[change.subject]}^")[change.path]
    return git("commit-tree", git.tree_of(listing), "-p", series.SERIES, "-m", "figures")


def subjects(git):
    """{subject: commit} of the changes in the series."""
    lines = git.lines("log", "--format=%H %s", f"{series.BASE}..{series.SERIES}")
    commits = {subject: commit for commit, _, subject in (line.partition(" ") for line in lines)}
    if missing := [c.subject for c in CHANGES if c.subject not in commits]:
        raise Failure("no patch has the subject " + ", ".join(map(repr, missing)))
    return commits


def measure(tree, path=PATH):
    """Build, run and write down every combination; returns where that is."""
    git = series.repository(tree)
    commits = subjects(git)
    chosen = [c for n in range(len(CHANGES) + 1) for c in itertools.combinations(CHANGES, n)]
    core.Progress.also(len(chosen) * len(KERNELS))
    rows = {}
    with prefixes.borrowed(tree):
        # Kernels of one lane in a row: they differ in two files.
        for (lane, arguments), changes in itertools.product(KERNELS, chosen):
            kernel, names = " ".join((lane, *arguments)), [change.name for change in changes]
            with core.phase(f"Figures, {kernel}, {' and '.join(names) or 'neither'}") as state:
                series.checkout(tree, variant(git, commits, changes))
                figures = run(tree, lane, arguments, must_pass=changes == CHANGES)
                rows[kernel, changes] = row(kernel, names, figures)
                state.note = rows[kernel, changes].strip()
    text = HEAD.format(base=tree.name, **{c.name: c.subject for c in CHANGES})
    path.write_text(text + "".join(rows.values()))
    return path


def run(tree, lane, arguments, must_pass):
    """Figures of the tree as it is checked out."""
    suites.build(tree, lane)
    log = core.LOGS / "figures.log"
    log.with_suffix(".console").unlink(missing_ok=True)
    rows = suites.run(tree, lane, TEST, arguments, log)
    figures = found_in(suites.console_text(log.stem))
    if not figures or must_pass and any(row.status != "passed" for row in rows):
        raise Failure(f"{TEST} {'does not pass' if figures else 'gives no figures'}: "
                      + "; ".join(f"{row.test} {row.status}" for row in rows), log)
    return figures
