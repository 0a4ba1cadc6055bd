# SPDX-License-Identifier: GPL-2.0-only
"""Kernel sources: fetched from Debian and verified, or the user's own tree.

A Tree is a full kernel tree in build/ that the series may be applied to. The
user's own tree (KSRC) is copied there, never changed.
"""
import collections
import hashlib
import os
import pathlib
import shutil
import subprocess

from . import core
from .core import BUILD, Failure

# .dir is the work tree of the sparse repository .git_dir (see series.py);
# .base is the entry of patches/BASES, None for KSRC.
Tree = collections.namedtuple("Tree", "name dir git_dir base")

UNPACK_MIB = 2300       # a full tree
WORK_MIB = 5000         # trees, objects and images of a whole run


def bases():
    from . import series
    return series.bases()


def base_name():
    """BASE of the Makefile; the first entry of patches/BASES is the pinned one."""
    known = bases()
    name = core.setting("BASE") or next(iter(known))
    if name not in known:
        raise Failure(f"BASE={name} is not in patches/BASES, which has {', '.join(known)}")
    return name


def tree(name=None):
    """The tree of a base, or that which this invocation works on; unpack() makes it."""
    ksrc = core.setting("KSRC")
    if ksrc and not name:
        where = pathlib.Path(ksrc).resolve()
        name = "ksrc-" + hashlib.sha256(str(where).encode()).hexdigest()[:8]
        base = None
    else:
        name = name or base_name()
        base = bases()[name]
    return Tree(name, BUILD / f"linux-{name}", BUILD / f"linux-{name}.git", base)


# ------------------------------------------------------------ Debian archive

def apt(root, *command, log="apt", what=None, **kw):
    """Run an apt tool with the private configuration @root (scripts/private-apt)."""
    return core.run([core.ROOT / "scripts/private-apt", root, *command],
                    log=core.LOGS / f"{log}.log", what=what,
                    env={"CACHE": core.cache()}, **kw)


def update(root):
    try:
        apt(root, "apt-get", "update", "-o", "APT::Update::Error-Mode=any",
            log=f"apt-update-{root.replace(':', '-')}")
    except Failure as failure:
        failure.what = (f"the Debian archive cannot be read ({root}): is there a network, "
                        "and does apt-get update work on this machine?")
        raise


def download(package, version, suite, arch=None, source=False):
    """Fetch one package, verified by Debian's keyring, into the cache.

    Returns the .deb, or with @source the .dsc beside its tarballs. @version
    None means the suite's newest.
    """
    arch = "source" if source else arch
    root = f"{suite}:{arch}" if arch else suite
    store = core.cache() / "dl"
    pattern = f"{package}_{(version or '*').split(':')[-1]}" + (".dsc" if source else "_*.deb")
    dest = store / f"{package}-{version or 'newest'}"
    found = sorted(dest.glob(pattern))
    if found:
        return found[-1]
    update(root)
    part = store / f"{package}.part"
    part.mkdir(parents=True, exist_ok=True)
    wanted = f"{package}={version}" if version else package
    verb = ["source", "--download-only"] if source else ["download"]
    apt(root, "apt-get", *verb, wanted, cwd=part, log=f"download-{package}",
        what=f"{wanted} could not be fetched from {suite}")
    shutil.rmtree(dest, ignore_errors=True)
    part.rename(dest)
    return sorted(dest.glob(pattern))[-1]


def need_space(where, mib):
    free = shutil.disk_usage(where).free >> 20
    if free < mib:
        raise Failure(f"{core.shown(where)} has {free} MiB free, {mib} MiB are needed")


def fetch(name=None):
    """The .deb of a base with its sha256 compared; cheap when it is cached."""
    base = bases()[name or base_name()]
    package, version = base["package"], base["version"]
    need_space(core.cache(), 400)
    try:
        deb = download(package, version, base["suite"])
    except Failure as gone:
        return successor(base, gone)
    have = file_digest(deb)
    if have != base["sha256"]:
        shutil.rmtree(deb.parent)
        raise Failure(f"{package} {version}: sha256 is {have}, patches/BASES says "
                      f"{base['sha256']}; the file was removed", repeat="make fetch")
    return deb


def successor(base, gone):
    """The suite's newest version, where the archive has dropped that of patches/BASES.

    The archive's signature vouches for it, and series.py compares every file
    that the series touches with the blob ids of patches/BASES.
    """
    try:
        deb = download(base["package"], None, base["suite"])
    except Failure:
        raise gone from None
    print(f"\n  warning: {gone.what}\n  taking {deb.name} instead; the files that the series "
          "touches must be the same", flush=True)
    return deb


def file_digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def extract(name, dest, members=()):
    """Unpack a base, or only the @members (paths in the kernel tree), into @dest."""
    base = bases()[name]
    package = base["package"]
    inner = f"./usr/src/{package}.tar.xz"
    wanted = [f"{package}/{m}" for m in members]
    script = ('set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -xO "$2" | '
              'tar -xJ --strip-components=1 -C "$3" "${@:4}"')
    dest.mkdir(parents=True, exist_ok=True)
    core.run(["bash", "-c", script, "extract", fetch(name), inner, dest, *wanted],
             log=core.LOGS / f"extract-{name}.log", what=f"unpacking {package}",
             check=not members)


# ------------------------------------------------------------------- the tree

def is_unpacked(tree):
    """True if unpack() would do nothing. KSRC is looked at every time."""
    return tree.base is not None and core.fresh(f"unpack-{tree.name}", tree.base["sha256"],
                                                [tree.dir])


def unpack(tree):
    """Make tree.dir, or bring it up to date with KSRC; returns it."""
    BUILD.mkdir(exist_ok=True)
    if tree.base is None:
        copy_ksrc(tree, pathlib.Path(core.setting("KSRC")).resolve())
    elif not is_unpacked(tree):
        need_space(BUILD, UNPACK_MIB + WORK_MIB)
        part = tree.dir.with_name(tree.dir.name + ".part")
        for old in (part, tree.dir, tree.git_dir):
            shutil.rmtree(old, ignore_errors=True)
        extract(tree.name, part)
        part.rename(tree.dir)
        core.stamp(f"unpack-{tree.name}", tree.base["sha256"])
    return tree.dir


def copy_ksrc(tree, where):
    """Copy what a build needs of the user's tree: its tracked files if it is git."""
    from . import series
    for part in ("Kbuild", "arch/loongarch/Kconfig", "scripts/checkpatch.pl"):
        if not (where / part).exists():
            raise Failure(f"KSRC={where} is not a kernel tree: it has no {part}")
    names = ksrc_files(where)
    key = core.digest([f"{n} {s.st_size} {s.st_mtime_ns}" for n in names
                       for s in [os.lstat(where / n)]])
    if core.fresh(f"unpack-{tree.name}", key, [tree.dir]):
        return
    need_space(BUILD, WORK_MIB + (0 if tree.dir.exists() else UNPACK_MIB))
    # What the series added would pass for a file of the user's.
    series.restore(tree)
    core.unstamp(f"unpack-{tree.name}")
    shutil.rmtree(tree.git_dir, ignore_errors=True)
    tree.dir.mkdir(exist_ok=True)
    listing = tree.dir.with_name(tree.dir.name + ".files")
    gone = set(listing.read_text().split("\0") if listing.exists() else ()) - set(names)
    for name in filter(None, gone):
        (tree.dir / name).unlink(missing_ok=True)
    listing.write_text("\0".join(names))
    core.run(["rsync", "-a", "--from0", f"--files-from={listing}", f"{where}/", f"{tree.dir}/"],
             log=core.LOGS / "copy-ksrc.log", what=f"copying KSRC={where}")
    core.stamp(f"unpack-{tree.name}", key)


def ksrc_files(where):
    if (where / ".git").exists():
        out = subprocess.run(["git", "-C", where, "ls-files", "-z"], capture_output=True)
        if out.returncode:
            raise Failure(f"KSRC={where}: git ls-files: {out.stderr.decode().strip()}")
        return [n for n in out.stdout.decode().split("\0") if n and os.path.lexists(where / n)]
    # An unpacked tarball: leave out what an in-tree build left behind.
    built = {".o", ".a", ".ko", ".cmd", ".mod"}
    return sorted(str(p.relative_to(where)) for p in where.rglob("*")
                  if (p.is_symlink() or not p.is_dir()) and p.suffix not in built)
