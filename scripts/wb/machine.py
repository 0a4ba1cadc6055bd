# SPDX-License-Identifier: GPL-2.0-only
"""The test machine: QEMU with what a zone has around it (qemu/README.md).

qemu/ is to Debian's QEMU what the checkout is to the kernel: patches, and the
files that they add at their QEMU paths. series.py and sync.py look after it.
"""
import shutil

from . import core, kernel, series, source
from .core import BUILD, LOGS, Failure

ROOT = core.ROOT / "qemu"
OUT = BUILD / "obj/qemu"
NAME = "qemu-system-loongarch64"
DEVICES = "zones"               # configs/devices/loongarch64-softmmu/zones.mak
MIB = 900                       # source and objects
# No feature that would need a library, but those of the boots.
OPTIONS = ["--target-list=loongarch64-softmmu", "--without-default-features",
           "--without-default-devices", f"--with-devices-loongarch64={DEVICES}",
           "--enable-system", "--enable-tcg", "--enable-fdt=system", "--enable-pie",
           "--disable-kvm", "--disable-debug-info", "--disable-docs", "--disable-tools", "--disable-guest-agent",
           "--disable-install-blobs", "--disable-download",
           # Debian's meson is a module of Debian's Python
           "--python=/usr/bin/python3"]


def hypervisor(zone=1, **properties):
    """QEMU's arguments for a zone's hypervisor with @properties (qemu/README.md)."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in properties.items()]
    return ["-device", ",".join(["hvisor,id=zone", f"zone={zone}", *words])]


def tree():
    name = series.pinned(ROOT)
    return source.Tree(name, BUILD / f"qemu-{name}", BUILD / f"qemu-{name}.git",
                       series.bases(ROOT)[name])


def fetch():
    """The source package's .dsc, which has the sha256 of its tarballs; it is pinned itself."""
    base = tree().base
    dsc = source.download(base["package"], base["version"], base["suite"], source=True)
    have = source.file_digest(dsc)
    if have != base["sha256"]:
        shutil.rmtree(dsc.parent)
        raise Failure(f"{base['package']} {base['version']}: sha256 is {have}, "
                      f"qemu/patches/BASES says {base['sha256']}; the files were removed",
                      repeat="make qemu")
    return dsc


def is_unpacked(tree):
    return core.fresh(f"unpack-qemu-{tree.name}", tree.base["sha256"], [tree.dir])


def unpack(tree):
    """Debian's source with Debian's patches, at tree.dir."""
    if is_unpacked(tree):
        return tree.dir
    BUILD.mkdir(exist_ok=True)
    source.need_space(BUILD, MIB)
    part = tree.dir.with_name(tree.dir.name + ".part")
    for old in (part, tree.dir, tree.git_dir):
        shutil.rmtree(old, ignore_errors=True)
    core.run(["dpkg-source", "--no-copy", "-x", fetch(), part], log=LOGS / "unpack-qemu.log",
             what="unpacking QEMU")
    part.rename(tree.dir)
    core.stamp(f"unpack-qemu-{tree.name}", tree.base["sha256"])
    return tree.dir


def compiler():
    return core.run(["gcc", "--version"]).split("\n")[0]


def build_key():
    return core.digest(series.bases(ROOT), sorted(series.patch_set(ROOT).items()), OPTIONS,
                       compiler())


def binary():
    """The machine's QEMU if it was built, and from what qemu/ has now; None else."""
    path = OUT / NAME
    return path if core.fresh("qemu", build_key(), [path]) else None


def build():
    """Fetch, verify, patch and compile QEMU; its path."""
    key, path = build_key(), OUT / NAME
    if core.fresh("qemu", key, [path]):
        return path
    core.unstamp("qemu")
    where = tree()
    unpack(where)
    series.apply(where, ROOT)
    configure(where)
    core.run(["ninja", "-C", OUT, f"-j{core.jobs()}", NAME], log=LOGS / "build-qemu.log",
             what="building QEMU", repeat="make qemu", env=kernel.environment())
    core.stamp("qemu", key)
    return path


def check_style():
    """QEMU's checkpatch.pl over the patches; lines of 81 to 90 characters are ours."""
    checker = unpack(tree()) / "scripts/checkpatch.pl"
    for patch in series.patches(ROOT):
        said = core.run(["perl", checker, "--no-tree", "--no-signoff", "--patch", "--terse",
                         patch], check=False)
        wrong = [line for line in said.splitlines() if ": ERROR: " in line]
        if wrong:
            core.results.failed("qemu", f"checkpatch {patch.name}", "\n".join(wrong))
        else:
            core.results.passed("qemu", f"checkpatch {patch.name}")


def configure(where):
    key = core.digest(series.bases(ROOT), OPTIONS, compiler())
    if core.fresh("configure-qemu", key, [OUT / "build.ninja"]):
        return
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        core.run([where.dir / "configure", "--cc=ccache gcc", *OPTIONS], cwd=OUT,
                 log=LOGS / "configure-qemu.log", what="configuring QEMU", repeat="make qemu",
                 env=kernel.environment())
    except BaseException:
        # What it has written so far would pass for configured.
        shutil.rmtree(OUT, ignore_errors=True)
        raise
    core.stamp("configure-qemu", key)
