# SPDX-License-Identifier: GPL-2.0-only
"""The series as a row of prefixes, each of which must be a kernel that builds.

A prefix is checked out in the one kernel tree, so that only what differs from
the prefix before is compiled again; the whole series always comes back.

kunit/prefixes has a mark of each prefix that was built and booted, as all of them
take hours: make check-bisect leaves out what is there. A mark is of the kernel's
text, its configuration and the names of the tools; the configuration's name and the
last patch follow.
"""
import contextlib
import pathlib

from . import core, kernel, series, zones
from .core import ROOT, Failure

# A warning in any prefix is an error, and tests are code like any other. The
# device tree is QEMU's, for the boot.
ALWAYS = {"WERROR": "y", "KUNIT": "y", "KUNIT_ALL_TESTS": "y",
          "BUILTIN_DTB": "n", "BUILTIN_DTB_NAME": "n"}

# First what the zones run, then what they might.
CONFIGS = {
    "smp": (zones.fragments("root"), {}),
    "up-rt": (zones.fragments("nonroot"), {}),
    "smp-rt": (zones.fragments("root"), {"PREEMPT_RT": "y"}),
    "up": (zones.fragments("nonroot"), {"PREEMPT_RT": "n"}),
}


def number(patch):
    """The NNNN of a patch file's name."""
    return pathlib.Path(patch).name[:4]


@contextlib.contextmanager
def borrowed(tree):
    """For work on other commits: whatever happens, the series is back at the end."""
    try:
        yield
    finally:
        series.checkout(tree, series.SERIES)


def text(tree, rev):
    """A digest of the kernel at @rev: what was unpacked, and what @rev has different.

    Not the commit's own tree: that grows with every file that a later patch touches.
    """
    git = series.repository(tree)
    old, new = git.listing(series.BASE), git.listing(rev)
    unpacked = core.read_json(core.STAMPS / f"unpack-{tree.name}.json").get("key")
    return core.digest(tree.name, unpacked,
                       sorted((path, new.get(path, ("", "")))
                              for path in {*old, *new} if old.get(path) != new.get(path)))


# ------------------------------------------------------------------ bisect

DONE_HEAD = """\
# Which prefixes of the series are kernels that boot: written, and read, by make
# check-bisect. The format stands in scripts/wb/prefixes.py.
"""


def done(root=ROOT):
    """{mark: its line of kunit/prefixes}"""
    return core.read_marks(root / "kunit/prefixes")


def write_done(lines, root=ROOT):
    core.write_marks(root / "kunit/prefixes", DONE_HEAD, lines)


def check_bisect(tree, smoke, configs=None, root=ROOT):
    """Every prefix of the series builds and boots in each configuration.

    A prefix that is done is never built again, whatever happens to the patches
    after it. @smoke(tree, out) is called for each built kernel and raises
    Failure if it does not boot.
    """
    configs = configs or CONFIGS
    prefixes = series.commits(tree, root)
    marks = []
    core.Progress.also(len(prefixes) * len(configs))
    with borrowed(tree):
        for name, (fragments, extra) in configs.items():
            for patch, commit in prefixes:
                marks.append(prefix(tree, patch, commit, name, fragments, extra, smoke, root))
    # What is no prefix any more was kept until here: a run may be broken off
    kept = done(root)
    write_done([kept[mark] for mark in marks if mark in kept], root)


def prefix(tree, patch, commit, name, fragments, extra, smoke, root):
    """Build one prefix in one configuration, unless that was done before; its mark."""
    extra = {**ALWAYS, **extra}
    # Without the symbols of later patches, which leave this kernel as it is.
    mark = core.digest(text(tree, commit), fragments, sorted(extra.items()),
                       kernel.toolchain())[:16]
    what = f"{patch.name} {name}"
    with core.phase(f"Prefix up to {what}") as state:
        kept = done(root)
        if mark in kept:
            state.note = "up to date"
        else:
            try:
                build_prefix(tree, commit, name, fragments, extra, smoke)
            except Failure as failure:
                core.results.failed("bisect", what, explain(failure))
                state.note = "FAILED"
                return mark
            write_done([*kept.values(), f"{mark} {name} {patch.stem[5:]}"], root)
    core.results.passed("bisect", what)
    return mark


def build_prefix(tree, commit, name, fragments, wanted, smoke):
    out = kernel.out_dir(f"bisect-{name}")
    log = core.LOGS / f"bisect-{name}.log"
    series.checkout(tree, commit)
    kernel.config(tree, out, fragments, wanted)
    # With an EFI stub, "all" has no image for -kernel
    kernel.build(tree, out, ["all", "vmlinux.elf"], log)
    smoke(tree, out)


def explain(failure, repeat="make check-bisect"):
    """A Failure as the message of a result."""
    lines = [failure.what]
    if failure.log and pathlib.Path(failure.log).exists():
        lines += core.last_lines(failure.log, 10) + [f"log: {core.shown(failure.log)}"]
    return "\n".join([*lines, f"repeat: {repeat}"])
