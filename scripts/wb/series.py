# SPDX-License-Identifier: GPL-2.0-only
"""The patch series as mail, as commits and as files in the checkout.

patches/*.patch is the history. It is applied in a sparse repository that holds
only the upstream files which the patches touch (tag "base") and one commit per
patch (branch "series"); HEAD is what the kernel tree has checked out. What the
series adds stands in the checkout too, as plain files: the projection.

Only git plumbing writes here, and the kernel tree is touched once, by
checkout(), so that a file which does not change keeps its mtime.
"""
import collections
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

from . import core
from .core import Failure

BASE, SERIES = "refs/tags/base", "refs/heads/series"
UNDER_WAY = "checking-out"

# The kernel's own directories, less scripts/, which is the workbench's here; QEMU's.
SOURCE_DIRS = """arch block certs crypto Documentation drivers fs include init io_uring ipc kernel
    lib mm net rust samples security sound tools usr virt
    configs docs hw target""".split()
MAINTAINERS = "MAINTAINERS"

FORMAT = ["--zero-commit", "--no-numbered", "--no-signature", "--full-index", "--no-renames",
          "--no-base"]

# Like the kernel's .gitattributes: they decide what stands after @@ in a hunk.
ATTRIBUTES = "*.[ch] diff=cpp\n*.dts diff=dts\n*.dts[io] diff=dts\n*.rs diff=rust\n"
MADE = "info/attributes"          # written once, when the kernel tree was unpacked

# Whoever runs the workbench, on any day: the same patches give the same commits.
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
            (("NAME", "workbench"), ("EMAIL", "workbench@localhost"),
             ("DATE", "2000-01-01 00:00:00 +0000"))}

# No user's configuration, and no waiting for a disk: all of it can be made again.
CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
          "GIT_CONFIG_KEY_0": "core.fsync", "GIT_CONFIG_VALUE_0": "none"}


# --------------------------------------------------------------------- git

class GitFailure(Failure):
    """git ended with an error; .said is all that it wrote."""

    def __init__(self, args, said):
        super().__init__(f"git {' '.join(args[:3])}: {said.strip()}")
        self.said = said


class Git:
    """git in one repository, whatever the user's configuration says."""

    def __init__(self, git_dir, work_tree=None):
        self.dir = pathlib.Path(git_dir)
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
                    **IDENTITY, **CONFIG, "GIT_DIR": str(self.dir), "LC_ALL": "C"}
        if work_tree:
            self.env["GIT_WORK_TREE"] = str(work_tree)
        self.cwd = work_tree

    def raw(self, *args, stdin=b"", **env):
        args = [str(a) for a in args]
        done = subprocess.run(["git", *args], input=stdin, capture_output=True, cwd=self.cwd,
                              env={**self.env, **env})
        if done.returncode:
            said = done.stdout + done.stderr
            raise GitFailure(args, said.decode(errors="replace"))
        return done.stdout

    def __call__(self, *args, **kw):
        return self.raw(*args, **kw).decode(errors="replace").strip()

    def lines(self, *args, **kw):
        return self(*args, **kw).splitlines()

    def has(self, rev):
        with contextlib.suppress(GitFailure):
            self("cat-file", "-e", rev)
            return True
        return False

    def listing(self, rev):
        """{path: (mode, blob id)} of a commit or tree."""
        out = self.raw("ls-tree", "-r", "-z", rev).decode()
        rows = (row.split("\t", 1) for row in out.split("\0") if row)
        return {path: (meta.split()[0], meta.split()[2]) for meta, path in rows}

    def contents(self, ids):
        """{blob id: bytes} of many blobs with one command."""
        ids = list(dict.fromkeys(ids))
        out = self.raw("cat-file", "--batch", stdin="\n".join(ids).encode())
        result = {}
        for name in ids:
            head, _, out = out.partition(b"\n")
            size = int(head.split()[2])
            result[name], out = out[:size], out[size + 1:]
        return result

    def hash(self, body, kind="blob"):
        return self("hash-object", "-w", "-t", kind, "--stdin", stdin=body)

    def tree_of(self, listing):
        """The tree object with exactly these entries."""
        rows = "".join(f"{mode} {name}\t{path}\0" for path, (mode, name) in listing.items())
        with tempfile.TemporaryDirectory() as tmp:
            index = {"GIT_INDEX_FILE": f"{tmp}/index"}
            self("update-index", "-z", "--index-info", stdin=rows.encode(), **index)
            return self("write-tree", **index)


def repository(tree):
    """The sparse repository of a kernel tree, made at its first use."""
    if not (tree.git_dir / "HEAD").exists():
        tree.git_dir.mkdir(parents=True, exist_ok=True)
        git = Git(tree.git_dir)
        git("init", "-q", "--bare", "--template=", tree.git_dir)
        git("config", "status.showUntrackedFiles", "no")
        git("config", "gc.auto", "0")
        (tree.git_dir / "info").mkdir(exist_ok=True)
        (tree.git_dir / MADE).write_text(ATTRIBUTES)
    return Git(tree.git_dir)


# ------------------------------------------------------------------- bases

def bases(root=core.ROOT):
    """patches/BASES as {name: dict(package, version, suite, sha256, blobs)}, pinned first."""
    path, result, entry = root / "patches/BASES", {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if not line[0].isspace() and len(words) == 1:
            entry = result.setdefault(words[0], dict(blobs={}))
        elif entry is not None and words[0] == "blob" and len(words) == 3:
            entry["blobs"][words[2]] = words[1]
        elif entry is not None and words[0] in BASE_FIELDS and len(words) == 2:
            entry[words[0]] = words[1]
        else:
            raise Failure(f"patches/BASES:{number}: cannot read {line.strip()!r}")
    for name, entry in result.items():
        missing = [field for field in BASE_FIELDS if field not in entry]
        if missing:
            raise Failure(f"patches/BASES: base {name} has no {', '.join(missing)}")
    if not result:
        raise Failure("patches/BASES names no base")
    return result


BASE_FIELDS = ("package", "version", "suite", "sha256")


def pinned(root=core.ROOT):
    return next(iter(bases(root)))


def write_blobs(root, name, blobs):
    """Make @name the pinned base: its block comes first and has the blob lines."""
    path = root / "patches/BASES"
    head, *blocks = re.split(r"(?m)^(?=[^\s#])", path.read_text())
    blocks = [re.sub(r"(?m)^\s+blob\s.*\n", "", block).strip() for block in blocks]
    blocks.sort(key=lambda block: block.split()[0] != name)
    blocks[0] += "".join(f"\n    blob    {blobs[p]} {p}" for p in sorted(blobs))
    text = head + "\n\n".join(blocks) + "\n"
    if text != path.read_text():
        path.write_text(text)


# ----------------------------------------------------------------- patches

def patches(root=core.ROOT):
    return sorted((root / "patches").glob("[0-9]*.patch"))


def patch_set(root=core.ROOT):
    """{name: bytes} of the series."""
    return {path.name: path.read_bytes() for path in patches(root)}


def touched_by(series):
    """({upstream path: patch}, {added path: patch}), each with the first patch that has it."""
    upstream, added = {}, {}
    for name, body in series.items():
        # The message ends at "---"; a diff inside it would not be one.
        diff = body.decode(errors="replace").partition("\n---\n")[2]
        for path, status in re.findall(r"^diff --git a/(.+) b/\1\n(.*)", diff, re.M):
            if path not in upstream and path not in added:
                (added if status.startswith("new file") else upstream)[path] = name
    return upstream, added


def touched(root=core.ROOT):
    return touched_by(patch_set(root))


def identity(root=core.ROOT):
    """Name and address that this repository's first commit has, or git is set to use."""
    def ask(*args):
        done = subprocess.run(["git", "-C", root, *args], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""
    first = ask("rev-list", "--max-parents=0", "HEAD").split()
    if first:
        return ask("log", "-1", "--format=%an <%ae>", first[-1])
    name, mail = ask("config", "user.name"), ask("config", "user.email")
    if not (name and mail):
        raise Failure("git does not know who you are: git config user.name, git config user.email")
    return f"{name} <{mail}>"


# --------------------------------------------------------- base and commits

def base_commit(tree, series):
    """Commit the text that upstream has of every file which @series touches.

    A file stays in the base once it is there: taken out, the next checkout
    would delete it from the kernel tree. A path that the series adds is taken
    too if the tree has it already, so that git am can complain about it.
    """
    git = repository(tree)
    held = git.listing(BASE) if git.has(BASE) else {}
    upstream, added = touched_by(series)
    owner = {**upstream, **added}
    new = [path for path in owner if path not in held and is_upstream(tree, git, path)]
    refuse_newer(tree, new)
    ids = git.lines("hash-object", "-w", "--no-filters", "--stdin-paths",
                    stdin="\n".join(str(tree.dir / p) for p in new).encode()) if new else []
    for path, name in zip(new, ids):
        held[path] = (mode(tree.dir / path), name)
    verify_base(tree, held, upstream)
    commit = git("commit-tree", git.tree_of(held), "-m", "upstream files of the series")
    git("update-ref", BASE, commit)
    return commit


def is_upstream(tree, git, path):
    """Is it a file of the kernel itself? What was checked out beyond the base is ours."""
    if git.has(f"{BASE}:{path}"):
        return True
    ours = ["HEAD", *interrupted(tree)]
    return (tree.dir / path).is_file() and not any(git.has(f"{rev}:{path}") for rev in ours)


def refuse_newer(tree, paths):
    """A file which no patch touched so far is as old as the kernel tree, or it was edited."""
    made = (tree.git_dir / MADE).stat().st_mtime_ns
    newer = [path for path in paths if (tree.dir / path).lstat().st_mtime_ns > made]
    if newer:
        raise edited_by_hand(tree, newer)


def verify_base(tree, held, upstream):
    """Is it the text that patches/BASES pins? A base that is not pinned has no blobs."""
    for path, want in (tree.base or {}).get("blobs", {}).items():
        found = held.get(path, ("", "no such file"))[1]
        if path in upstream and found != want:
            raise Failure(f"{tree.name}: {path}, which {upstream[path]} changes, is not the text "
                          f"that patches/BASES pins\n  pinned {want}\n  found  {found}")


def apply_mail(git, base, series, three_way=False):
    """git am of @series onto @base, away from every kernel tree; the last commit."""
    if not series:
        return git("rev-parse", f"{base}^{{commit}}")
    try:
        with tempfile.TemporaryDirectory() as tmp:
            mail, work = pathlib.Path(tmp, "mail"), pathlib.Path(tmp, "work")
            write_files(mail, series)
            git("worktree", "add", "-q", "--detach", work, base)
            return am(Git(work / ".git", work), mail, base, three_way)
    finally:
        git("worktree", "prune")


def am(git, mail, base, three_way=False):
    files = sorted(mail.iterdir())
    try:
        git("am", *["-3"] * three_way, *files)
    except GitFailure as failure:
        raise am_failure(git, files, failure.said) from None
    count = int(git("rev-list", "--count", f"{base}..HEAD"))
    if count != len(files):
        raise Failure(f"{len(files)} patches gave {count} commits: each file must be one mail")
    return git("rev-parse", "HEAD")


def am_failure(git, files, said):
    """Which patch and which files, then the words of git am itself."""
    state = pathlib.Path(git("rev-parse", "--absolute-git-dir")) / "rebase-apply/next"
    number = int(state.read_text()) if state.exists() else 0
    name = files[number - 1].name if 0 < number <= len(files) else "the series"
    where = re.findall(r"^error: (?:patch failed: )?([^\s:]+?)(?::\d+$|: .*(?:index|not apply))|"
                       r"^CONFLICT .* in (\S+)$", said, re.M)
    paths = dict.fromkeys(a or b for a, b in where)
    advice = ("hint:", "When you have", "If you prefer", "To restore")
    kept = [line for line in said.splitlines() if line and not line.startswith(advice)]
    return Failure(f"{name} does not apply" + (f": {', '.join(paths)}" if paths else "")
                   + "\n" + "\n".join(f"  | {line}" for line in kept[-15:]))


def write_files(directory, files):
    directory.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (directory / name).write_bytes(body)


def build(tree, root=core.ROOT):
    """Bring the tag "base" and the branch "series" up to date with patches/.

    The kernel tree is only read. Returns its Git.
    """
    git, series = repository(tree), patch_set(root)
    state = core.read_json(tree.git_dir / "series.json")
    if (state.get("series") == core.digest(sorted(series.items())) and git.has(SERIES)
            and git.has(BASE) and state.get("base") == git("rev-parse", BASE)):
        verify_base(tree, git.listing(BASE), touched_by(series)[0])
        return git
    base = base_commit(tree, series)
    return built(tree, series, base, apply_mail(git, base, series))


def built(tree, series, base, tip):
    """Note that these commits are what @series makes of this base."""
    git = Git(tree.git_dir)
    git("update-ref", SERIES, tip)
    core.write_json(tree.git_dir / "series.json",
                    {"series": core.digest(sorted(series.items())), "base": base})
    return git


def commits(tree, root=core.ROOT):
    """[(patch, commit)] in the order of the series."""
    git = build(tree, root)
    return list(zip(patches(root), git.lines("rev-list", "--reverse", f"{BASE}..{SERIES}")))


# --------------------------------------------------------- the kernel tree

def apply(tree, root=core.ROOT):
    """Put the series on the kernel tree; the number of its patches."""
    build(tree, root)
    checkout(tree, SERIES)
    return len(patches(root))


def checkout(tree, rev):
    """Make the kernel tree's tracked files those of @rev; no other mtime changes."""
    git = Git(tree.git_dir, tree.dir)
    target = git("rev-parse", f"{rev}^{{commit}}")
    for rev in interrupted(tree):
        # What differs now is no edit by hand: let that checkout end first.
        (tree.git_dir / "index.lock").unlink(missing_ok=True)
        git("read-tree", "--reset", "-u", rev)
    start = index_tree(git)
    if by_hand := edited(tree):
        raise edited_by_hand(tree, by_hand)
    (tree.git_dir / UNDER_WAY).write_text(target)
    git("read-tree", "-m", "-u", start, target)
    git("update-ref", "--no-deref", "HEAD", target)
    (tree.git_dir / UNDER_WAY).unlink()


def later_symbols(tree):
    """The Kconfig symbols that only the patches after what is checked out define."""
    git = repository(tree)
    changed = git.lines("diff", "--no-renames", "--name-only", "HEAD", SERIES, "--", "*Kconfig*")
    return defined(git, SERIES, changed) - defined(git, "HEAD", changed)


def defined(git, rev, paths):
    """The symbols that these Kconfig files define at @rev. A diff would not do: it may
    show a definition as new that only has others around it."""
    blobs = [name for path, (_, name) in git.listing(rev).items() if path in paths]
    text = "\n".join(body.decode() for body in git.contents(blobs).values()) if blobs else ""
    return set(re.findall(r"^\s*(?:menu)?config (\w+)", text, re.M))


def interrupted(tree):
    """The commit, if any, whose checkout did not come to its end."""
    marker = tree.git_dir / UNDER_WAY
    return marker.read_text().split() if marker.exists() else []


def index_tree(git):
    """Let the index know the base's new files, which the kernel tree has; its tree."""
    known = set(git.lines("ls-files"))
    rows = [f"{mode} {name}\t{path}\n" for path, (mode, name) in git.listing(BASE).items()
            if path not in known and (git.cwd / path).exists()]
    git("update-index", "--index-info", stdin="".join(rows).encode())
    return git("write-tree")


def edited(tree):
    """The files of the kernel tree that are not as they were checked out."""
    git = Git(tree.git_dir, tree.dir)
    with contextlib.suppress(GitFailure):
        git("update-index", "-q", "--refresh")
    return git.lines("diff-files", "--name-only")


def edited_by_hand(tree, paths):
    return Failure(
        f"{core.shown(tree.dir)} was edited by hand: {', '.join(paths)}\n"
        "  Nothing collects edits from there. Edit the checkout and run make sync, or run "
        "make edit;\n  make distclean throws this kernel tree away.")


def restore(tree):
    """Give the kernel tree its upstream text back, if the series was ever applied."""
    if (tree.git_dir / "HEAD").exists() and Git(tree.git_dir).has("HEAD"):
        checkout(tree, BASE)


# -------------------------------------------------------------- projection

def projection(git, base=BASE, series=SERIES):
    """{path: (mode, bytes)} of what the checkout holds of this series."""
    old, new = git.listing(base), git.listing(series)
    added = {path: entry for path, entry in new.items() if path not in old}
    foreign = [path for path in added if path.split("/")[0] not in SOURCE_DIRS]
    if foreign:
        raise Failure(f"the series adds {', '.join(foreign)}, for which the checkout has no place")
    bodies = git.contents(name for _, name in added.values())
    files = {path: (mode, bodies[name]) for path, (mode, name) in added.items()}
    ours = maintainers_lines(git, base, series)
    if ours:
        text = split_lines(git.raw("cat-file", "blob", f"{series}:{MAINTAINERS}"))
        files[MAINTAINERS] = ("100644", b"".join(text[n] for n in ours))
    return files


def maintainers_lines(git, base=BASE, series=SERIES):
    """The numbers, from 0, of the lines that the series adds to MAINTAINERS."""
    if MAINTAINERS not in git.listing(series):
        return []
    return [line for _, _, start, count in hunks(git, base, series, "--", MAINTAINERS)
            for line in range(start, start + count)]


def hunks(git, *what):
    """[(old start, old count, new start, new count)] of a diff, lines from 0."""
    out = git("diff", "-U0", "--text", *what)
    found = re.findall(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", out, re.M)
    rows = [[int(n) if n else 1 for n in row] for row in found]
    # With a count of 0 git names the line before.
    return [(a - (b > 0), b, c - (d > 0), d) for a, b, c, d in rows]


def split_lines(body):
    return re.findall(rb"[^\n]*\n|[^\n]+$", body)


def export(git, base=BASE, series=SERIES, options=(), **env):
    """{file name: mail} of the commits in normal form."""
    with tempfile.TemporaryDirectory() as tmp:
        git("format-patch", "-q", *FORMAT, *options, "-o", tmp, f"{base}..{series}", **env)
        return {p.name: p.read_bytes() for p in sorted(pathlib.Path(tmp).iterdir())}


# Both sides, and kunit/proofs, which names patches by number.
Side = collections.namedtuple("Side", "patches files proofs")


def on_disk(root=core.ROOT):
    """Both sides as they lie in the checkout: every file below a source directory."""
    paths = [path for top in SOURCE_DIRS for path in sorted((root / top).rglob("*"))]
    paths += [root / MAINTAINERS]
    leftovers = re.compile(r"~$|\.(swp|orig|rej)$")
    proofs = root / "kunit/proofs"
    return Side(patch_set(root),
                {str(path.relative_to(root)): (mode(path), path.read_bytes())
                 for path in paths if path.is_file() and not leftovers.search(path.name)},
                proofs.read_bytes() if proofs.exists() else b"")


def mode(path):
    return "100755" if os.access(path, os.X_OK) else "100644"
