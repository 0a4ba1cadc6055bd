# SPDX-License-Identifier: GPL-2.0-only
"""KUnit: build a lane's kernel and run suites through the kernel's kunit.py."""
import collections
import os
import pathlib
import shutil

from . import core, kernel, qemu, series
from .core import ROOT, Failure

Row = collections.namedtuple("Row", "suite test status message")

STATUS = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "ERROR": "crashed"}
TIMEOUT = 300       # seconds for one boot with all suites

# What lanes are booted with once more, after nothing but the defaults.
ALSO = {"base": [("threadirqs",)]}


def lanes():
    return sorted(p.stem for p in (ROOT / "kunit/lanes").glob("*.config"))


def lane_config(lane):
    path = ROOT / f"kunit/lanes/{lane}.config"
    if not path.exists():
        raise Failure(f"LANE={lane}: no {core.shown(path)}; there are {', '.join(lanes())}")
    return path


# Directories whose suites are in some lanes only: an IOMMU changes what every file is
# compiled from, and one suite compares a counter that is exact with one CPU.
ONLY = {"drivers/iommu": ("up",)}


def kunitconfigs(tree, lane):
    """The .kunitconfig files of @lane that the series adds, as far as it is checked out now.

    One that it only modifies is somebody else's, and may want another kernel.
    """
    git = series.repository(tree)
    added = sorted({*git.listing("HEAD")} - {*git.listing(series.BASE)})
    elsewhere = tuple(f"{top}/" for top, lanes in ONLY.items() if lane not in lanes)
    return [tree.dir / name for name in added
            if name.endswith(".kunitconfig") and not name.startswith(elsewhere)]


def wanted(tree, lane):
    """The kunitconfig of a lane: what is common, the suites, the lane's last word."""
    merged = {}
    for path in (ROOT / "kunit/common.config", *kunitconfigs(tree, lane), lane_config(lane)):
        merged.update(kernel.symbols(path.read_text()))
    return kernel.as_fragment(merged)


def cpus(lane):
    return 2 if kernel.symbols(lane_config(lane).read_text()).get("SMP") == "y" else 1


def out_dir(tree, lane):
    return kernel.out_dir(f"kunit-{lane}" if tree.base else f"kunit-{lane}-{tree.name}")


def kunit_py(tree, lane, command, *arguments, log, check=True, what=None):
    options = [f"--make_options={o}" for o in kernel.toolchain()]
    return core.run(["python3", "tools/testing/kunit/kunit.py", command,
                     "--arch=loongarch", f"--qemu_config={ROOT}/kunit/qemu.py",
                     f"--build_dir={out_dir(tree, lane)}",
                     f"--kunitconfig={out_dir(tree, lane)}/lane.config", *options, *arguments],
                    cwd=tree.dir, log=log, check=check, what=what,
                    env={**kernel.environment(), "PYTHONDONTWRITEBYTECODE": "1",
                         # It knows QEMU by its name alone.
                         "PATH": f"{pathlib.Path(qemu.find()).parent}:{os.environ['PATH']}"})


def build(tree, lane, log=None):
    """Configure and build the lane's kernel from what is checked out now."""
    out = out_dir(tree, lane)
    out.mkdir(parents=True, exist_ok=True)
    config = wanted(tree, lane)
    key = core.digest(config, ROOT / "kunit/qemu.py")
    if not core.fresh(out.name, key):
        # Or a build that is interrupted leaves its configuration to the next one.
        core.unstamp(out.name)
        # kunit.py keeps a .config that has all it wants, and more.
        (out / ".config").unlink(missing_ok=True)
        (out / "lane.config").write_text(config)
    kunit_py(tree, lane, "build", f"--jobs={core.jobs()}",
             log=log or core.LOGS / f"kunit-{lane}-build.log",
             what=f"building the KUnit kernel of lane {lane}")
    core.stamp(out.name, key)


def run(tree, lane, glob="*", arguments=(), log=None):
    """Boot the lane's kernel, run the suites that match @glob; returns Rows.

    A suite that started and did not end has rows of status "crashed"; a
    kernel that gives no result at all is a Failure.
    """
    log = log or core.LOGS / f"kunit-{lane}.log"
    out = out_dir(tree, lane)
    report = out / "result.json"
    report.unlink(missing_ok=True)
    console = out / "test.log"
    console.unlink(missing_ok=True)
    kunit_py(tree, lane, "exec", f"--timeout={TIMEOUT}", f"--json={report}",
             f"--qemu_args=-smp {cpus(lane)}",
             *[f"--kernel_args={a}" for a in arguments], glob,
             log=log, check=False)
    if console.exists():
        shutil.copy(console, log.with_suffix(".console"))
    rows = list(flatten(core.read_json(report)))
    if not rows:
        raise Failure(f"KUnit, lane {lane}: the kernel ran no test of {glob}", log,
                      f"make kunit LANE={lane} SUITE='{glob}'")
    return rows


def flatten(group, path=()):
    """kunit.py's nested groups as rows; parameterised cases are groups too."""
    for case in group.get("test_cases", []):
        suite, test = (path[0], "/".join((*path[1:], case["name"]))) if path else ("", case["name"])
        log = case.get("log")
        said = [line for line in log if line.strip()] if isinstance(log, list) else []
        yield Row(suite, test, STATUS.get(case["status"], "crashed"), "\n".join(said[-20:]))
    for child in group.get("sub_groups", []):
        yield from flatten(child, (*path, child["name"]))


def console_text(group):
    path = core.LOGS / f"{group}.console"
    return path.read_text(errors="replace") if path.exists() else ""


# ------------------------------------------------------------------ baseline

def baseline_path(lane):
    return ROOT / f"kunit/baseline/{lane}.txt"


def baseline(lane):
    """What the base does in this lane, series or not: ({"suite:test"}, [splat lines])."""
    failures, splats = set(), []
    path = baseline_path(lane)
    if path.exists():
        for line in path.read_text().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "failed":
                failures.add(rest)
            elif kind == "splat":
                splats.append(rest)
    return failures, splats


def complaints(tree, lane):
    """What the kernel that is checked out fails, and what its console has: lines."""
    build(tree, lane)
    rows = run(tree, lane)
    return ({f"failed {r.suite}:{r.test}" for r in rows if r.status in ("failed", "crashed")}
            | {f"splat {qemu.normal(s)}" for s in qemu.scan(console_text(f"kunit-{lane}"))})


def record_baseline(name, lane, before, now):
    """Write kunit/baseline/<lane>.txt from the complaints() of the base and of the series.

    What the series heals is not subtracted: it would not be seen to come back.
    """
    lines = [f"# What {name} without the series does in lane {lane}; \"healed\" is what the",
             f"# series ends. Recorded by make baseline LANE={lane}"]
    lines += sorted(before & now) + sorted(f"healed {line}" for line in before - now)
    baseline_path(lane).parent.mkdir(exist_ok=True)
    baseline_path(lane).write_text("\n".join(lines) + "\n")


# --------------------------------------------------------------------- check

def check(tree, lane, glob="*"):
    """Build one lane, run it, and add its rows to the results."""
    with core.phase(f"KUnit kernel, lane {lane}"):
        build(tree, lane)
    for arguments in ((), *ALSO.get(lane, ())):
        group = "-".join((f"kunit-{lane}", *arguments))
        with core.phase(" ".join((f"KUnit run, lane {lane}", *arguments))) as state:
            rows = run(tree, lane, glob, arguments, core.LOGS / f"{group}.log")
            state.note = f"{len(rows)} cases"
        judge(lane, group, rows)


def judge(lane, group, rows):
    """Add the rows of one run and what its console says to the results."""
    known_failures, known_splats = baseline(lane)
    log = core.shown(core.LOGS / f"{group}.console")
    for row in rows:
        name = f"{row.suite}:{row.test}"
        if row.status == "passed":
            core.results.passed(group, name)
        elif row.status == "skipped":
            core.results.skipped(group, name, row.message)
        elif name in known_failures:
            core.results.skipped(group, name, f"fails on the unpatched base too "
                                 f"({core.shown(baseline_path(lane))})")
        else:
            core.results.failed(group, name, f"{row.status}\n{row.message}\nlog: {log}\n"
                                f"repeat: make kunit LANE={lane} SUITE='{row.suite}'")
    splats = qemu.scan(console_text(group), known_splats)
    if splats:
        core.results.failed(group, "console", "the kernel complained:\n" + "\n".join(splats[:20])
                            + f"\nlog: {log}")
    else:
        core.results.passed(group, "console")
