# SPDX-License-Identifier: GPL-2.0-only
"""A small kernel, a checkout with a series of three patches, and helpers."""
import atexit
import collections
import contextlib
import functools
import io
import os
import pathlib
import shutil
import tempfile
import unittest

from wb import series, sync

Tree = collections.namedtuple("Tree", "name dir git_dir base")

WHO = "A Person <person@workbench.test>"
KERNEL = {
    "Kbuild": "obj-y += drivers/\n",
    "drivers/bus/Makefile": "obj-y += a.o\nobj-y += z.o\n",
    "drivers/bus/a.c": "".join(f"int a{n};\n" for n in range(20)),
    "drivers/bus/z.c": "int z;\n",
    "MAINTAINERS": "AAA\nF:\tdrivers/a/\n\nTHE REST\nF:\t*\nF:\t*/\n",
}
ENTRY = "BUS\nF:\tdrivers/bus/m*.c\n"
DRIVER = "".join(f"int m{n};\n" for n in range(12))
# (subject, {path: text after it})
SERIES = [
    ("bus: Fix a", {"drivers/bus/a.c": KERNEL["drivers/bus/a.c"].replace("a10", "fixed")}),
    ("bus: Add m", {
        "drivers/bus/m.c": DRIVER,
        "drivers/bus/Makefile": "obj-y += a.o\nobj-y += m.o\nobj-y += z.o\n",
        "MAINTAINERS": KERNEL["MAINTAINERS"].replace("THE REST", ENTRY + "\nTHE REST")}),
    ("bus: m: Count", {
        "drivers/bus/m.c": DRIVER.replace("int m6;\n", "int m6;\nint count;\n"),
        "drivers/bus/m_kunit.c": "int test;\n",
        "MAINTAINERS": KERNEL["MAINTAINERS"].replace(
            "THE REST", ENTRY + "F:\tdrivers/bus/x.c\n\nTHE REST")}),
]
BASES = """# bases

1.0
    package linux-1.0
    version 1.0-1
    suite   suite
    sha256  0

2.0
    package linux-2.0
    version 2.0-1
    suite   suite
    sha256  0
"""


def message(subject):
    return f"{subject}\n\nIt was not so. Now it is.\n\nAssisted-by: LLM coccinelle\n"


class SeriesCase(unittest.TestCase):
    """self.root is a checkout in which patches/, the tree and BASES agree."""

    def setUp(self):
        self.enter(pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())))
        shutil.copytree(template(), self.tmp, dirs_exist_ok=True)

    def enter(self, tmp):
        self.tmp, self.root = tmp, tmp / "checkout"
        self.tree = Tree("1.0", tmp / "linux-1.0", tmp / "linux-1.0.git", {"blobs": {}})

    def fill(self):
        """What every test starts from."""
        self.kernel("1.0")
        (self.root / "patches").mkdir(parents=True)
        (self.root / "kunit").mkdir()
        self.write("patches/BASES", BASES)
        self.write("patches/cover-letter.txt", "bus: A bus\n\nWhat it is for.\n")
        self.write("kunit/proofs", "fix 0001 bus:a\nnew 0002 m:*\nfix 0003 m:count test=0003\n")
        self.write(".gitignore", "/build/\n")
        series.write_files(self.root / "patches", self.mails(SERIES))
        series.Git(self.root / ".git", self.root)("init", "-q", "--template=")
        self.commit("start")
        self.sync()
        self.commit("synced")

    def upstream(self, files):
        """More files that the kernel tree had when it was unpacked."""
        write(self.tree.dir, files)
        for path in files:
            os.utime(self.tree.dir / path, (1, 1))

    def kernel(self, name, files=KERNEL):
        where = self.tmp / f"linux-{name}"
        write(where, files)
        return self.tree._replace(name=name, dir=where, git_dir=self.tmp / f"linux-{name}.git")

    def mails(self, changes):
        """Patches of one commit after the other on the small kernel."""
        work = self.tmp / "author"
        shutil.rmtree(work, ignore_errors=True)
        write(work, KERNEL)
        git = author(work)
        git("init", "-q", "--template=")
        git("add", ".")
        git("commit", "-q", "-m", "base")
        base = git("rev-parse", "HEAD")
        for subject, files in changes:
            write(work, files)
            git("add", ".")
            git("commit", "-q", "-m", message(subject))
        return series.export(git, base, "HEAD")

    def commit(self, what):
        git = author(self.root)
        git("add", ".")
        git("commit", "-q", "-m", what)

    def sync(self, **kw):
        base = series.bases(self.root)
        tree = self.tree._replace(base=base.get(self.tree.name))
        with contextlib.redirect_stdout(io.StringIO()):
            return sync.sync(tree, self.root, **kw)

    def write(self, path, text):
        write(self.root, {path: text})

    def read(self, path):
        return (self.root / path).read_text()

    def at(self, number, path):
        """A file's text after patch @number (0: the base)."""
        git = series.build(self.tree, self.root)
        commits = [series.BASE, *(commit for _, commit in series.commits(self.tree, self.root))]
        return git.raw("cat-file", "blob", f"{commits[number]}:{path}").decode()

    def subjects(self):
        git = series.build(self.tree, self.root)
        return git.lines("log", "--reverse", "--format=%s", f"{series.BASE}..{series.SERIES}")

    def snapshot(self):
        """All of the checkout that is not below build/ or .git/."""
        return {p: p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()
                and p.relative_to(self.root).parts[0] not in ("build", ".git")}


@functools.cache
def template():
    """A filled directory to copy; making it takes longer than most tests."""
    tmp = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, tmp)
    case = SeriesCase()
    case.enter(tmp)
    case.fill()
    return tmp


def write(where, files):
    for path, text in files.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text)


def author(work):
    git = series.Git(work / ".git", work)
    name, mail = WHO.rstrip(">").split(" <")
    for role in ("AUTHOR", "COMMITTER"):
        git.env[f"GIT_{role}_NAME"], git.env[f"GIT_{role}_EMAIL"] = name, mail
    return git
