# SPDX-License-Identifier: GPL-2.0-only
"""The checks that scripts/bench offers, and what they share.

Those that need a module of their own have one: style, prefixes and proofs.
"""
import datetime
import sys

from . import boot, core, prefixes, proofs, series, source, style
from .core import BUILD, ROOT, Failure

CHECK = BUILD / "check"
RESULTS = ROOT / "kunit/RESULTS.md"
LAST_COMMITS = 5

check_style = style.check_style


# ------------------------------------------------ long checks, their results

def check_bisect(tree):
    recorded("check-bisect", tree.name, "bisect", lambda: prefixes.check_bisect(tree, boot.smoke))


def check_proofs(tree, only=None, boot_cases=None):
    """Only a run over all patches is a result worth keeping in the table."""
    keep = only is None     # a test run changes nothing that is committed
    if core.setting("PATCH") and only is None:
        only = core.setting("PATCH").split()

    def prove():
        proofs.check_proofs(tree, only, boot_cases, keep)
    recorded("check-proofs", tree.name, "proofs", prove) if only is None else prove()


def recorded(what, base, group, check):
    """Do a check, then write its numbers into the committed table."""
    check()
    rows = [row for row in core.results.rows if row["group"] == group]
    count = {status: sum(row["status"] == status for row in rows)
             for status in ("passed", "failed", "skipped")}
    record(what, base, ", ".join(f"{n} {status}" for status, n in count.items() if n))


def record(what, base, numbers):
    """Put the newest result of a long check on a base into kunit/RESULTS.md."""
    head, rows = read_results()
    today = datetime.date.today().isoformat()
    rows[what, base] = f"| {what} | {base} | {today} | {numbers} |"
    RESULTS.write_text(head + "\n".join(rows[key] for key in sorted(rows)) + "\n")


RESULTS_HEAD = """\
# Last results of the checks that are too long for ./test

Each line is written by the check itself, when it ran over everything.

| check | base | date | result |
|---|---|---|---|
"""


def read_results():
    """(what stands above the rows, {(check, base): row})"""
    text = RESULTS.read_text() if RESULTS.exists() else RESULTS_HEAD
    rule = "|---|---|---|---|\n"
    if rule not in text:
        raise Failure(f"{core.shown(RESULTS)} has no table to write into")
    head, _, body = text.partition(rule)
    rows = {}
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6:
            rows[cells[1], cells[2]] = line
    return head + rule, rows


# ------------------------------------------------------------ other bases

def check_bases(root=ROOT):
    """Where the series applies: the pinned base must, the others are reported."""
    pinned = series.pinned(root)
    upstream, added = series.touched(root)
    for name, base in series.bases(root).items():
        report = core.results.failed if name == pinned else core.results.skipped
        with core.phase(f"Series on {name}") as state:
            try:
                tree = files_of(name, base, sorted({*upstream, *added}))
            except Failure as failure:
                report("bases", name, failure.what)
                state.note = "cannot be had"
                continue
            try:
                series.build(tree, root)
                core.results.passed("bases", name)
                state.note = "applies"
            except Failure as failure:
                report("bases", name, failure.what)
                state.note = failure.what.splitlines()[0]
        record("check-bases", name, f"{base['version']}: {state.note}")


def files_of(name, base, paths):
    """A tree with nothing of a base but the files that the series touches."""
    where = CHECK / "bases"
    tree = source.Tree(name, where / name, where / f"{name}.git", base)
    key = core.digest(base["sha256"], paths)
    if not core.fresh(f"files-{name}", key, [tree.dir]):
        for old in (tree.dir, tree.git_dir):
            core.run(["rm", "-rf", old])
        source.extract(name, tree.dir, paths)
        core.stamp(f"files-{name}", key)
    return tree


# ------------------------------------------------------- what has changed

def changed_patches(root=ROOT):
    """Numbers of the patches that ./test has to prove.

    Their diff or proof is new since the merge base (on the main branch itself:
    since a few commits ago), and is not one that kunit/proven holds. A patch
    that only got another number or other line numbers has not changed.
    """
    git = series.Git(root / ".git", root)
    since = starting_point(git)
    old = set(proofs.marks(git, *committed(git, since)).values()) if since else set()
    old.update(proofs.proven(root))
    return [which for which, mark in proofs.marks_now(root).items() if mark not in old]


def starting_point(git):
    """The commit to compare with; None if the history is too short to have one."""
    if not git.has("HEAD"):
        return None
    head = git("rev-parse", "HEAD")
    for branch in ("refs/remotes/origin/main", "refs/heads/main"):
        if git.has(branch):
            fork = merge_base(git, branch)
            if fork and fork != head:
                return fork
    last = git.lines("rev-list", "--first-parent", f"--max-count={LAST_COMMITS + 1}", "HEAD")
    return last[LAST_COMMITS] if len(last) > LAST_COMMITS else None


def merge_base(git, branch):
    try:
        return git("merge-base", "HEAD", branch)
    except series.GitFailure:
        return None


def committed(git, rev):
    """({patch name: bytes}, text of kunit/proofs) as @rev has them."""
    listing = git.listing(rev)
    names = {path: blob for path, (_, blob) in listing.items()
             if path.startswith("patches/") and path.endswith(".patch")}
    bodies = git.contents(names.values()) if names else {}
    lines = listing.get("kunit/proofs")
    return ({path.split("/")[1]: bodies[blob] for path, blob in names.items()},
            git("cat-file", "blob", lines[1]) if lines else "")


# --------------------------------------------------------------- own tests

def check_tools(scripts=ROOT / "scripts"):
    """Run scripts/tests in a process of its own; one result per test."""
    report, log = CHECK / "tools.json", core.LOGS / "check-tools.log"
    report.unlink(missing_ok=True)
    core.run([sys.executable, "-m", "tests", report], cwd=scripts, log=log, check=False,
             env={"PYTHONDONTWRITEBYTECODE": "1"})
    rows = core.read_json(report)
    if not rows:
        raise Failure("the workbench's own tests did not run to their end", log,
                      "make check-tools")
    for name, status, message, seconds in rows:
        core.results.add("tools", name, status, message, seconds)
