# SPDX-License-Identifier: GPL-2.0-only
"""Proofs: a test that fails without a patch's code and passes with it.

kunit/proofs has one line per patch, which names its number as in patches/:

    fix  0004 suite:test [suite:test ...] [LANE] [test=0005]
    new  0006 suite:* [LANE]
    new  0008 boot:case
    boot 0007 case [test=0006]
    none 0001 reason

fix: the patch repairs what the named tests see. They must run and fail on the
series up to the patch with nothing of the patch but its tests, and pass with
the whole patch. test= says that another patch brings the tests. new: the code
did not exist before, so that there is nothing to fail; its suite must pass, or
a case of the boot test be green. boot: such a case, which scripts/wb/cases.py
holds, is red before the patch and green with it.

kunit/proven has a mark of each patch that make check-proofs has proven: of its
diff, its line, and the diff that brings its test.
"""
import collections
import difflib
import re

from . import core, prefixes, series, suites
from .core import BUILD, ROOT, Failure
from .prefixes import number

PATH = ROOT / "kunit/proofs"
Proof = collections.namedtuple("Proof", "kind number tests lane donor line")

# What a boot case is made of beside the kernel's text.
BOOTED = ("scripts/wb", "scripts/init", "arch/loongarch/configs", "kunit/lanes",
          "kunit/common.config", "kunit/allow.txt")

TEST = re.compile(r"[\w-]+:[\w-]+")
SUITE = re.compile(r"[\w-]+:\*|boot:[\w-]+")


# ------------------------------------------------------------------ format

def read(path=PATH, patches=None, lanes=None):
    """{number: Proof} of the file; a Failure lists every line that is wrong.

    With @patches (their numbers) each must have its line and the reverse, with
    @lanes each lane must be one of them.
    """
    proofs, wrong = {}, []
    text = path.read_text() if path.exists() else ""
    for at, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            proof = parse(line, lanes)
            if proof.number in proofs:
                raise ValueError(f"{proof.number} has a line already")
            proofs[proof.number] = proof
        except ValueError as error:
            wrong.append(f"line {at}: {error}")
    if patches is not None:
        wrong += mismatches(proofs, set(patches))
    if wrong:
        raise Failure(f"{core.shown(path)}: " + "\n  ".join(wrong))
    return proofs


def parse(line, lanes=None):
    """One line as a Proof; ValueError says what is wrong with it."""
    kind, *words = line.split()
    if kind not in ("fix", "new", "boot", "none"):
        raise ValueError(f"{kind!r} is none of fix, new, boot, none")
    if len(words) < 2 or not re.fullmatch(r"\d{4}", words[0]):
        raise ValueError(f"{kind} wants the patch as NNNN and something after it")
    which, *words = words
    if kind == "none":
        return Proof(kind, which, [], None, None, line)
    donors = [w[5:] for w in words if w.startswith("test=")]
    if len(donors) > 1 or donors and not (kind in ("fix", "boot")
                                          and re.fullmatch(r"\d{4}", donors[0])):
        raise ValueError("test=NNNN belongs to fix and boot, once")
    donor = donors[0] if donors else None
    if kind == "boot":
        cases = [w for w in words if not w.startswith("test=")]
        if len(cases) != 1:
            raise ValueError("boot wants one case")
        return Proof(kind, which, cases, None, donor, line)
    shape = TEST if kind == "fix" else SUITE
    tests = [w for w in words if ":" in w]
    lane = [w for w in words if w not in tests and not w.startswith("test=")]
    bad = [t for t in tests if not shape.fullmatch(t)]
    if bad or not tests:
        wanted = "suite:test" if kind == "fix" else "suite:* or boot:case"
        raise ValueError(f"{kind} wants {wanted}, not {' '.join(bad) or 'nothing'}")
    if len(lane) > 1 or lanes is not None and lane and lane[0] not in lanes:
        raise ValueError(f"{' '.join(lane)!r} is not a lane")
    return Proof(kind, which, tests, lane[0] if lane else "base", donor, line)


def mismatches(proofs, patches):
    donors = {p.donor: p.number for p in proofs.values() if p.donor}
    return ([f"patch {n} has no line" for n in sorted(patches - set(proofs))]
            + [f"{n} is no patch" for n in sorted(set(proofs) - patches)]
            + [f"{donors[n]} takes its test from {n}, which is no patch"
               for n in sorted(set(donors) - patches)])


# ------------------------------------------------------- what is proven already

def marks(git, patches, lines):
    """{number: digest of what the proof of a patch depends on}

    @patches: {name: bytes}, @lines: the text of kunit/proofs. Numbers of patches
    and lines do not count, nor do messages.
    """
    words = {which: (kind, *rest) for kind, which, *rest in
             (line.split() for line in lines.splitlines() if len(line.split()) > 1)}
    diffs = {number(name): git("patch-id", "--stable", stdin=body).split(" ")[0]
             for name, body in patches.items()}
    result = {}
    for which, diff in diffs.items():
        proof = words.get(which, ())
        donors = [diffs.get(w[5:], w) for w in proof if w.startswith("test=")]
        line = [w for w in proof if not w.startswith("test=")]
        result[which] = core.digest(diff, line, donors)[:16]
    return result


def marks_now(root=ROOT):
    lines = root / "kunit/proofs"
    return marks(series.Git(root / ".git", root),
                 {path.name: path.read_bytes() for path in series.patches(root)},
                 lines.read_text() if lines.exists() else "")


def proven(root=ROOT):
    """{mark: its line of kunit/proven}"""
    return core.read_marks(root / "kunit/proven")


PROVEN_HEAD = """\
# Which patches are proven: written by make check-proofs, and read by ./test, which
# proves what changed and has no mark here. The format stands in scripts/wb/proofs.py.
"""


def note_proven(which, root=ROOT):
    """Put patch @which into kunit/proven, and take out what is no patch any more."""
    kept = proven(root)
    now = marks_now(root)
    names = {number(path): path.stem[5:] for path in series.patches(root)}
    kept[now[which]] = f"{now[which]} {names[which]}"
    lines = [kept[mark] for mark in now.values() if mark in kept]
    core.write_marks(root / "kunit/proven", PROVEN_HEAD, lines)


# --------------------------------------------------------- a patch's test side

def is_test(path):
    """Does the whole file belong to the tests?"""
    name = path.rsplit("/", 1)[-1]
    return ("tests" in path.split("/")[:-1]
            or name.endswith(("_kunit.c", "_test.c", ".kunitconfig")))


def is_build(path):
    return path.rsplit("/", 1)[-1].startswith(("Kconfig", "Makefile"))


def kunit_lines(old, new):
    """@old with those changes towards @new that mention KUNIT (lists of lines)."""
    kept = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            kept += old[a:b]
        elif tag == "insert":
            kept += [line for entry in entries(new[c:d]) if mentions_kunit(entry)
                     for line in entry]
        else:
            kept += new[c:d] if mentions_kunit(new[c:d]) else old[a:b]
    return kept


def entries(lines):
    """Split at what starts in the first column: a Kconfig entry, a Makefile line."""
    entry = []
    for line in lines:
        if entry and line[:1].strip():
            yield entry
            entry = []
        entry.append(line)
    if entry:
        yield entry


def mentions_kunit(lines):
    """Of a suite: its symbol, or the way into the directory where it is."""
    text = "".join(lines)
    return "KUNIT" in text or "tests/" in text


def test_side(git, commit):
    """The tree of @commit's parent with only the tests of @commit put into it."""
    old, new = git.listing(f"{commit}^"), git.listing(commit)
    result = dict(old)
    for path in sorted(set(old) | set(new)):
        if old.get(path) == new.get(path):
            continue
        if is_test(path):
            result.pop(path, None)
            if path in new:
                result[path] = new[path]
        elif is_build(path) and path in old and path in new:
            texts = git.contents([old[path][1], new[path][1]])
            lines = [texts[side[path][1]].decode().splitlines(True) for side in (old, new)]
            result[path] = (new[path][0], git.hash("".join(kunit_lines(*lines)).encode()))
    return git.tree_of(result)


def transplant(git, base, ours, theirs):
    """The tree @ours with the changes from @base to @theirs (all trees)."""
    if base == ours or base == theirs:
        return theirs if base == ours else ours
    root = git("commit-tree", base, "-m", "base")
    sides = [git("commit-tree", side, "-p", root, "-m", "side") for side in (ours, theirs)]
    return git.lines("merge-tree", "--write-tree", *sides)[0]


def red_and_green(git, commits, proof):
    """Commits without and with the code of @proof's patch; both have its tests."""
    commit, donor = commits[proof.number], commits[proof.donor or proof.number]
    trees = {rev: git("rev-parse", f"{rev}^{{tree}}")
             for rev in (f"{commit}^", commit, f"{donor}^")}
    tests = test_side(git, donor)
    before = list(commits.values())
    late = before.index(donor) >= before.index(commit)
    later = before.index(donor) > before.index(commit)
    red = transplant(git, trees[f"{donor}^"], trees[f"{commit}^"], tests) if late else None
    green = transplant(git, trees[f"{donor}^"], trees[commit], tests) if later else None
    return tuple(git("commit-tree", tree, "-p", f"{commit}^", "-m", f"proof of {proof.number}")
                 for tree in (red or trees[f"{commit}^"], green or trees[commit]))


# ---------------------------------------------------------------- the check

def check_proofs(tree, only=None, boot_cases=None, keep=False, root=ROOT):
    """Prove every patch, or those whose numbers are in @only; @keep: in kunit/proven.

    @boot_cases: {case: (build, boot)}, both called with the tree; build raises
    Failure if the kernel does not build, boot if the case is red.
    """
    commits = {number(patch): commit for patch, commit in series.commits(tree, root)}
    proofs = read(root / "kunit/proofs", commits, suites.lanes())
    if only is not None and not set(only) <= set(proofs):
        raise Failure(f"no patch {' or '.join(sorted(set(only) - set(proofs)))}: "
                      f"there are {min(proofs)} to {max(proofs)}")
    chosen = [p for n, p in proofs.items() if only is None or n in only]
    # Lane by lane: the kernel before is then nearly the kernel to build. Boot
    # cases have the base lane's kernel.
    chosen.sort(key=lambda p: (p.lane or "base", p.number))
    core.Progress.also(len(chosen))
    with prefixes.borrowed(tree):
        for proof in chosen:
            with core.phase(f"Proof of {proof.number} ({proof.kind})") as state:
                try:
                    state.note = prove(tree, commits, proof, boot_cases or {})
                except Failure as failure:
                    core.results.failed("proofs", proof.line, prefixes.explain(
                        failure, f"make check-proofs PATCH={proof.number}"))
                    state.note = "not proven"
                else:
                    core.results.passed("proofs", proof.line)
                    if keep:
                        note_proven(proof.number, root)


def prove(tree, commits, proof, boot_cases):
    """What was seen, in a few words; Failure if that is no proof."""
    if proof.kind == "none":
        return "needs none"
    if proof.kind == "boot" or proof.tests[0].startswith("boot:"):
        return prove_boot(tree, commits, proof, boot_cases)
    without, whole = red_and_green(series.repository(tree), commits, proof)
    if proof.kind == "new":
        passes(proof, "*", rows(tree, whole, proof, proof.tests[0]))
        return "passes"
    for test in proof.tests:
        fails(proof, test, rows(tree, without, proof, test))
    for test in proof.tests:
        passes(proof, test, rows(tree, whole, proof, test))
    return "fails without, passes with it"


def rows(tree, commit, proof, test):
    """Run one test at @commit: [[test, status, message]], kept for the same text."""
    key = core.digest(prefixes.text(tree, commit), proof.lane, test, suites.lane_config(proof.lane),
                      ROOT / "kunit/common.config", ROOT / "kunit/qemu.py")
    kept = BUILD / "check/proofs" / f"{key[:32]}.json"
    found = core.read_json(kept)
    if not found:
        series.checkout(tree, commit)
        suites.build(tree, proof.lane)
        suite, _, case = test.partition(":")
        ran = suites.run(tree, proof.lane, suite if case == "*" else f"{suite}.{case}")
        found = {"rows": [[r.test, r.status, r.message] for r in ran if r.suite == suite]}
        core.write_json(kept, found)
    return found["rows"]


def named(test, seen):
    """The rows of one test: its own, or those of its parameters."""
    case = test.partition(":")[2]
    return [row for row in seen if row[0].split("/")[0] == case]


def fails(proof, test, seen):
    """The test must have run without the code, and not passed: crashes count."""
    # A crash ends the suite before the test has a result of its own.
    ran = named(test, seen) + [row for row in seen if row[1] == "crashed"]
    if not ran or all(row[1] == "skipped" for row in ran):
        raise Failure(f"{test} did not run without the code of {proof.number}: {told(seen)}")
    if not any(row[1] in ("failed", "crashed") for row in ran):
        raise Failure(f"{test} passes without the code of {proof.number}: it proves nothing")


def passes(proof, test, seen):
    ran = seen if test == "*" else named(test, seen)
    bad = [row for row in seen if row[1] in ("failed", "crashed")]
    if bad or not any(row[1] == "passed" for row in ran):
        raise Failure(f"{' '.join(proof.tests)} does not pass with patch {proof.number}: "
                      f"{told(bad or seen)}")


def told(seen):
    return "; ".join(f"{row[0]} {row[1]}" + (f"\n{row[2]}" if row[2] else "")
                     for row in seen[:5]) or "no result"


def prove_boot(tree, commits, proof, boot_cases):
    """Red before and green with the patch; green is enough for what is new."""
    case = proof.tests[0].removeprefix("boot:")
    if case not in boot_cases:
        raise Failure(f"no boot case {case!r}; there are {', '.join(boot_cases) or 'none'}")
    without, whole = red_and_green(series.repository(tree), commits, proof)
    key = core.digest(proof.line, prefixes.text(tree, without), prefixes.text(tree, whole),
                      [ROOT / part for part in BOOTED])
    if core.fresh(f"proof-{proof.number}", key):
        return "up to date"
    build, boot = boot_cases[case]
    if proof.kind == "boot":
        series.checkout(tree, without)
        build(tree)
        if not red(boot, tree):
            raise Failure(f"boot case {case} is green without patch {proof.number}")
    series.checkout(tree, whole)
    build(tree)
    boot(tree)
    core.stamp(f"proof-{proof.number}", key)
    return "red without, green with it" if proof.kind == "boot" else "green"


def red(boot, tree):
    try:
        boot(tree)
    except Failure:
        return True
    return False
