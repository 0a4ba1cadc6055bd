# SPDX-License-Identifier: GPL-2.0-only
"""make check-series: what must hold for patches/ and the tree, in a second.

Each check returns the problems it found as text, so that it can be tried on
good and bad fixtures; check_series() turns them into results.
"""
import difflib
import re

from . import core, proofs, series
from .core import Failure, results
from .series import BASE, SERIES
from .sync import TEMPLATE

GROUP = "series"
SUBJECT_LENGTH = 72
BODY_LENGTH = 75
# Documentation/process/coding-assistants.rst: analysis tools, no basic ones.
ASSISTED = re.compile(r"Assisted-by: LLM( [\w.+-]+)*$")
BASIC_TOOLS = {"git", "gcc", "clang", "make", "vi", "vim", "emacs", "editor"}


def check_series(tree, root=core.ROOT):
    """Level 0 of the tests: one row per patch and one per property of the whole."""
    git = check_patches(tree, root, GROUP)
    if not git:
        return
    report(GROUP, "maintainers", maintainers_problems(tree, git))
    report(GROUP, "proofs", proof_problems(root))
    report(GROUP, "cover letter", cover_problems(root))


def check_patches(tree, root, group):
    """The patches of @root, and the files that they add; also for QEMU's. None if they
    do not apply, else their Git."""
    try:
        git = series.build(tree, root)
    except Failure as failure:
        results.failed(group, "git am", failure.what)
        return None
    results.passed(group, "git am")
    form = {}
    if tree.name == series.pinned(root):
        form = form_problems(git, root)
    else:
        results.skipped(group, "normal form", "patches/ has it on the pinned base only")
    for name, problems in commit_problems(git, root).items():
        report(group, name, form.get(name, []) + problems)
    report(group, "tree", tree_problems(tree, git, root))
    report(group, "bases", base_problems(tree, git, root))
    return git


def report(group, name, problems):
    if problems:
        results.failed(group, name, "\n".join(problems))
    else:
        results.passed(group, name)


# ----------------------------------------------------------------- patches

def form_problems(git, root):
    """{patch name: [problem]}: the files are byte for byte what git format-patch gives."""
    have, want = series.patch_set(root), series.export(git)
    problems = {}
    for name, good in zip(have, want):
        if name != good:
            problems[name] = [f"git format-patch names it {good}"]
        elif have[name] != want[good]:
            problems[name] = ["is not in normal form (make sync rewrites it):"
                              + diff(have[name], want[good])]
    return problems


def commit_problems(git, root):
    """{patch name: [problem]} of author, subject, message and tags."""
    author, problems = series.identity(root), {}
    out = git("log", "--reverse", "-z", "--format=%an <%ae>%n%B", f"{BASE}..{SERIES}")
    for path, entry in zip(series.patches(root), out.split("\0")):
        name, _, message = entry.partition("\n")
        problems[path.name] = message_problems(message)
        if name != author:
            problems[path.name].append(f"is from {name}, the repository's identity is {author}")
    return problems


def diff(old, new, limit=12):
    rows = difflib.unified_diff(*(t.decode(errors="replace").splitlines() for t in (old, new)),
                                "patches/", "normal form", lineterm="", n=0)
    return "".join(f"\n  | {row}" for row in list(rows)[:limit])


def message_problems(message):
    """What is wrong with a commit message."""
    subject, _, body = message.strip().partition("\n")
    last = body.strip().split("\n\n")[-1].splitlines() if body.strip() else []
    problems = []
    if len(subject) > SUBJECT_LENGTH:
        problems.append(f"the subject has {len(subject)} characters, {SUBJECT_LENGTH} at most")
    if subject.endswith("."):
        problems.append("the subject ends with a full stop")
    if not re.match(r"[\w./,: +*-]+: \S", subject):
        problems.append("the subject has no prefix of a subsystem")
    if not body.strip() or body.strip() == "\n".join(last):
        problems.append("there is no message beside subject and tags")
    # As checkpatch has it, which takes longer to run.
    long = [line for line in body.splitlines() if len(line) > BODY_LENGTH
            and " " in line.strip() and not line.startswith("Fixes:")]
    if long:
        problems.append(f"lines longer than {BODY_LENGTH}: {'; '.join(long)}")
    if TEMPLATE in message:
        problems.append("the message is still the template of PATCH=new")
    if re.search(r"^Signed-off-by:", message, re.M | re.I):
        problems.append("has a Signed-off-by, which only the human who sends it may add")
    tags = [line for line in last if line.startswith("Assisted-by:")]
    if len(tags) != 1 or not ASSISTED.match(tags[0]):
        problems.append("wants one trailer 'Assisted-by: LLM [tool ...]'")
    elif basic := BASIC_TOOLS & set(tags[0].split()[2:]):
        problems.append(f"Assisted-by names basic tools: {', '.join(sorted(basic))}")
    return problems


# --------------------------------------------------------------- the whole

def tree_problems(tree, git, root):
    """Both directions: what the patches add stands in the tree and the reverse."""
    want, have = series.projection(git), series.on_disk(root).files
    problems = [f"{path} is added by the series and not in the tree"
                for path in want if path not in have]
    for path in sorted(have):
        if path in want and have[path] != want[path]:
            problems.append(f"{path} is not what the patches make of it:"
                            + diff(want[path][1], have[path][1]))
        elif path not in want and series.is_upstream(tree, git, path):
            problems.append(f"{path} is a file of the kernel itself, only patches change it")
        elif path not in want:
            problems.append(f"{path} is in the tree and no patch owns it (make sync PATCH=NNNN)")
    return problems


def base_problems(tree, git, root):
    """patches/BASES pins exactly the upstream files that the series touches."""
    pinned = series.pinned(root)
    blobs = series.bases(root)[pinned]["blobs"]
    upstream, _ = series.touched(root)
    problems = [f"patches/BASES has no blob of {path} ({patch}; make sync adds it)"
                for path, patch in upstream.items() if path not in blobs]
    problems += [f"patches/BASES has a blob of {path}, which no patch touches (make sync)"
                 for path in blobs if path not in upstream]
    if tree.name == pinned:
        held = git.listing(BASE)
        problems += [f"{path} is {held[path][1]}, patches/BASES says {blobs[path]}"
                     for path in upstream if path in blobs and held[path][1] != blobs[path]]
    return problems


def maintainers_problems(tree, git):
    """Every added file has a maintainer beyond THE REST."""
    listing = git.listing(SERIES)
    if series.MAINTAINERS in listing:
        text = git("cat-file", "blob", f"{SERIES}:{series.MAINTAINERS}")
    else:
        text = (tree.dir / series.MAINTAINERS).read_text()
    held = git.listing(BASE)
    patterns = [file_pattern(glob) for glob in re.findall(r"^F:\s+(\S+)", text, re.M)
                if glob not in ("*", "*/")]
    return [f"{path} is under no F: line of MAINTAINERS" for path in listing
            if path not in held and not any(p.match(path) for p in patterns)]


def file_pattern(glob):
    """A file pattern as scripts/get_maintainer.pl reads it."""
    pattern = re.escape(glob).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(pattern if glob.endswith("/") else pattern + "(/.*)?$")


def proof_problems(root):
    try:
        proofs.read(root / "kunit/proofs", [path.name[:4] for path in series.patches(root)])
    except Failure as failure:
        return [failure.what]
    return []


def cover_problems(root):
    path = root / "patches/cover-letter.txt"
    if not path.exists():
        return ["patches/cover-letter.txt is missing"]
    subject, _, rest = path.read_text().partition("\n")
    problems = []
    if not subject.strip() or len(subject) > SUBJECT_LENGTH:
        problems.append(f"the first line is the subject, of 1 to {SUBJECT_LENGTH} characters")
    if not (subject + rest).isascii():
        problems.append("it is not plain ASCII")
    if not rest.startswith("\n") or not rest.strip():
        problems.append("an empty line and the text must follow the subject")
    long = [n for n, line in enumerate(rest.splitlines(), 2) if len(line) > BODY_LENGTH]
    if long:
        problems.append(f"lines longer than {BODY_LENGTH}: {', '.join(map(str, long))}")
    return problems
