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
import threading

from . import core, kernel, series, zones
from .core import ROOT, Failure

# All that the series touches, which check-style sees to, and little else.
FRAGMENT = ROOT / "kunit/series.config"
SMP, UP = {"SMP": "y", "HOTPLUG_CPU": "y", "NUMA": "y"}, {"SMP": "n"}
RT = {"PREEMPT_RT": "y"}
# QEMU's is passed to the kernel.
NO_DEVICE_TREE = {"BUILTIN_DTB": "n", "BUILTIN_DTB_NAME": "n"}

# Each prefix is built as what root and nonroot are. No code of the series is there for
# one mix of the two alone, so that the others are built of the whole series, which is
# also what the zones might run beside their own kernels.
CONFIGS = {"smp": ([FRAGMENT], SMP),
           "up-rt": ([FRAGMENT], {**UP, **RT})}
VARIANTS = {"smp-rt": ([FRAGMENT], {**SMP, **RT}),
            "up": ([FRAGMENT], UP),
            "root-rt": (zones.fragments("root"), {**NO_DEVICE_TREE, **RT}),
            "nonroot-smp": (zones.fragments("nonroot"), {**NO_DEVICE_TREE, "SMP": "y"})}


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


FOR_READERS = "Documentation/", "MAINTAINERS"


def text(tree, rev):
    """A digest of the kernel at @rev: what was unpacked, and what @rev has different.

    Not the commit's own tree: that grows with every file that a later patch touches.
    What is for readers alone makes no other kernel.
    """
    git = series.repository(tree)
    old, new = git.listing(series.BASE), git.listing(rev)
    unpacked = core.read_json(core.STAMPS / f"unpack-{tree.name}.json").get("key")
    return core.digest(tree.name, unpacked,
                       sorted((path, new.get(path, ("", "")))
                              for path in {*old, *new} if old.get(path) != new.get(path)
                              and not path.startswith(FOR_READERS)))


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


def check_bisect(tree, smoke, configs=None, variants=None, root=ROOT):
    """Every prefix of the series builds and boots in each of @configs, and the whole
    series in @variants too.

    A prefix that is done is never built again, whatever happens to the patches
    after it. @smoke(tree, out) is called for each built kernel and raises
    Failure if it does not boot.
    """
    configs, variants = configs or CONFIGS, VARIANTS if variants is None else variants
    prefixes = series.commits(tree, root)
    marks = []
    core.Progress.also(len(prefixes))
    with borrowed(tree):
        for patch, commit in prefixes:
            whole = variants if commit == prefixes[-1][1] else {}
            marks += prefix(tree, patch, commit, {**configs, **whole}, smoke, root)
    # What is no prefix any more was kept until here: a run may be broken off
    kept = done(root)
    write_done([kept[mark] for mark in dict.fromkeys(marks) if mark in kept], root)


# Of the file of marks, and of what boots share
turn = threading.Lock()


def prefix(tree, patch, commit, configs, smoke, root):
    """Build and boot one prefix in those @configs in which that was not done; all marks."""
    kernel_text = text(tree, commit)
    # A warning in any prefix is an error.
    configs = {name: (fragments, {**extra, "WERROR": "y"})
               for name, (fragments, extra) in configs.items()}
    # Without the symbols of later patches, which leave this kernel as it is.
    marks = {name: core.digest(kernel_text, fragments, sorted(extra.items()),
                               kernel.toolchain())[:16]
             for name, (fragments, extra) in configs.items()}

    def attempt(name):
        """The Failure, if it is one"""
        try:
            out = build_prefix(tree, name, *configs[name])
            with turn:
                smoke(tree, out)
                write_done([*done(root).values(),
                            f"{marks[name]} {name} {patch.stem[5:]}"], root)
        except Failure as failure:
            return failure
        return None

    with core.phase(f"Prefix up to {patch.name}") as state:
        kept = done(root)
        todo = [name for name, mark in marks.items() if mark not in kept]
        if todo:
            series.checkout(tree, commit)
        failures = dict(zip(todo, core.concurrently(attempt, todo)))
        failed = [name for name in todo if failures[name]]
        state.note = f"FAILED: {', '.join(failed)}" if failed else ", ".join(todo) or "up to date"
    for name in configs:
        if name in failed:
            core.results.failed("bisect", f"{patch.name} {name}", explain(failures[name]))
        else:
            core.results.passed("bisect", f"{patch.name} {name}")
    return list(marks.values())


def build_prefix(tree, name, fragments, wanted):
    """Build what is checked out; the object directory."""
    out = kernel.out_dir(f"bisect-{name}")
    configure(tree, out, fragments, wanted)
    # With EFI, "all" may have no image for -kernel
    kernel.build(tree, out, ["all", "vmlinux.elf"], core.LOGS / f"bisect-{name}.log")
    return out


def configure(tree, out, fragments, wanted):
    """Write the configuration, unless the prefix before had the same symbols.

    Before its end the series lacks much that the configuration is for.
    """
    git = series.repository(tree)
    at_end = git("rev-parse", "HEAD") == git("rev-parse", series.SERIES)
    symbols = sorted(row for row in git.listing("HEAD").items() if "Kconfig" in row[0])
    key = core.digest(fragments, sorted(wanted.items()), symbols, at_end, kernel.toolchain())
    stamp = f"config-{out.name}"
    if not core.fresh(stamp, key, [out / ".config"]):
        core.unstamp(stamp)
        kernel.config(tree, out, fragments, wanted, keep=at_end)
        core.stamp(stamp, key)


def explain(failure, repeat="make check-bisect"):
    """A Failure as the message of a result."""
    lines = [failure.what]
    if failure.log and pathlib.Path(failure.log).exists():
        lines += core.last_lines(failure.log, 10) + [f"log: {core.shown(failure.log)}"]
    return "\n".join([*lines, f"repeat: {repeat}"])
