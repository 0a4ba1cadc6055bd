# SPDX-License-Identifier: GPL-2.0-only
"""What a zone under test is given: init and its initramfs, and disks."""
import array
import pathlib
import secrets
import shutil
import tempfile

from . import core, kernel, source
from .core import LOGS, ROOT
from .zones import HERE, MIB

INIT = ROOT / "scripts/init"
HEADERS = HERE / "headers"      # the kernel's, for programs
CLANG = "clang"
ACPI_TABLES = "/kernel/firmware/acpi"


# ----------------------------------------------------------- test programs

def build_init(tree, out):
    """Compile init against the tree's nolibc; @out is a configured kernel's."""
    init = HERE / "init"
    nolibc = tree.dir / "tools/include/nolibc"
    key = core.digest(INIT, nolibc, tree.dir / "include/uapi", kernel.toolchain())
    if core.fresh("init", key, [init]):
        return init
    kernel.make(tree, out, "headers_install", log=LOGS / "headers.log",
                extra=[f"INSTALL_HDR_PATH={HEADERS}"], what="installing kernel headers")
    builtin = core.run([CLANG + suffix(), "-print-file-name=include"]).strip()
    core.run([*compiler(), "-Os", "-Wall", "-Wextra", "-Werror",
              "-Wno-unused-parameter",
              # nolibc has no puts, which the compiler would make of a printf
              "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
              "-static", "-nostdlib", "-nostdinc", "-isystem", builtin, f"-I{nolibc}",
              f"-I{HEADERS}/include", "-include", nolibc / "nolibc.h", "-s", "-o", init,
              *sorted(INIT.glob("*.c"))],
             log=LOGS / "init.log", what="building scripts/init")
    core.stamp("init", key)
    return init


# What Debian's forky has of a C library for the machine, to be linked statically.
C_LIBRARY = "libc6-dev", "libgcc-16-dev", "uuid-dev"


def vfio_selftests(tree, out, names):
    """{path in the initramfs: (file, mode)} of the kernel's selftests of VFIO, all in /bin."""
    build_init(tree, out)       # which installs the kernel's headers
    tests = tree.dir / "tools/testing/selftests"
    source_dir, made = tests / "vfio", HERE / "selftests"
    debs = [source.download(package, None, "forky", "loong64") for package in C_LIBRARY]
    files = [made / name for name in names]
    key = core.digest(*debs, source_dir, tree.dir / "include/uapi", compiler())
    if not core.fresh("selftests", key, files):
        made.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=HERE) as root:
            for deb in debs:
                core.run(["dpkg-deb", "-x", deb, root], what=f"unpacking {deb.name}")
            # Their own Makefile knows no LoongArch
            for file in files:
                core.run([*compiler(), f"--sysroot={root}", "-Os", "-static", "-s", "-pthread",
                          "-D_GNU_SOURCE=", "-isystem", HEADERS / "include",
                          f"-I{tree.dir}/tools/include", f"-I{tests}",
                          f"-I{source_dir}/lib/include", source_dir / f"{file.name}.c",
                          *sorted(source_dir.glob("lib/*.c")),
                          *(source_dir / f"lib/drivers/{name}/{name}.c"
                            for name in ("igb", "nv_falcon")),
                          "-luuid", "-o", file],
                         log=LOGS / "selftests.log", what=f"building {file.name}")
        core.stamp("selftests", key)
    return {f"/bin/{file.name}": (file, 0o755) for file in files}


def compiler():
    """clang and its linker, for the machine."""
    return [CLANG + suffix(), "--target=loongarch64-linux-gnu",
            f"--ld-path={shutil.which('ld.lld' + suffix())}"]


def suffix():
    """The userland is built by clang whatever builds the kernel."""
    given = core.setting("LLVM", "-19")
    return given if given.startswith("-") else ""


def initramfs(out, name, entries):
    """An initramfs of {path: (host file, mode)}, by the kernel's own tool."""
    listing = HERE / f"{name}.list"
    lines = ["dir /dev 0755 0 0", "nod /dev/console 0600 0 0 c 5 1", "dir /bin 0755 0 0"]
    # Where the kernel looks for tables of ACPI
    lines += [f"dir {path} 0755 0 0" for path in ("/kernel", "/kernel/firmware", ACPI_TABLES)]
    lines += [f"file {path} {source} {mode:04o} 0 0" for path, (source, mode) in entries.items()]
    listing.write_text("\n".join(lines) + "\n")
    cpio = HERE / f"{name}.cpio"
    core.run([out / "usr/gen_init_cpio", "-o", cpio, listing], what=f"packing {core.shown(cpio)}")
    return cpio


def busybox():
    """Debian's static busybox for the machine; loong64 came with forky."""
    deb = source.download("busybox-static", None, "forky", "loong64")
    binary = HERE / "busybox"
    if not core.fresh("busybox", core.digest(deb), [binary]):
        with tempfile.TemporaryDirectory(dir=HERE) as directory:
            core.run(["dpkg-deb", "-x", deb, directory], what=f"unpacking {deb.name}")
            shutil.copy(next(pathlib.Path(directory).rglob("bin/busybox")), binary)
        core.stamp("busybox", core.digest(deb))
    return binary


def firmware():
    """Debian's UEFI for the machine, which brings ACPI's tables with it."""
    deb = source.download("qemu-efi-loongarch64", None, "trixie")
    image = HERE / "QEMU_EFI.fd"
    if not core.fresh("firmware", core.digest(deb), [image]):
        with tempfile.TemporaryDirectory(dir=HERE) as directory:
            core.run(["dpkg-deb", "-x", deb, directory], what=f"unpacking {deb.name}")
            shutil.copy(next(pathlib.Path(directory).rglob(image.name)), image)
        core.stamp("firmware", core.digest(deb))
    return image


# cyclictest with what it is linked to; Debian's forky has them for the machine.
CYCLICTEST = {"rt-tests": ["cyclictest"], "libc6": ["ld-linux-loongarch-lp64d.so.1", "libc.so.6"],
              "libnuma1": ["libnuma.so.1"], "libcpupower1": ["libcpupower.so.1"]}


def cyclictest():
    """{path in the initramfs: (file, mode)} of Debian's cyclictest, all in /bin."""
    debs = {package: source.download(package, None, "forky", "loong64")
            for package in CYCLICTEST}
    files = {name: HERE / "cyclictest" / name for names in CYCLICTEST.values() for name in names}
    key = core.digest(*debs.values())
    if not core.fresh("cyclictest", key, list(files.values())):
        for package, names in CYCLICTEST.items():
            with tempfile.TemporaryDirectory(dir=HERE) as directory:
                core.run(["dpkg-deb", "-x", debs[package], directory],
                         what=f"unpacking {debs[package].name}")
                for name in names:
                    files[name].parent.mkdir(exist_ok=True)
                    # A link, as libraries have, may not lead out of the package.
                    found = [path for path in pathlib.Path(directory).rglob(name)
                             if path.resolve().is_file()]
                    shutil.copy(found[0].resolve(), files[name])
        core.stamp("cyclictest", key)
    return {f"/bin/{name}": (path, 0o755) for name, path in files.items()}


# --------------------------------------------------------------------- disks

def pattern(seed, length=MIB):
    """The stream of @seed, the same as pattern() of init.c."""
    mask = (1 << 64) - 1
    step = 0x9e3779b97f4a7c15
    stream = array.array("Q")
    word = seed * step & mask
    for _ in range(length // 8):
        stream.append(word ^ word >> 29)
        word = word + step & mask
    return stream.tobytes()


def make_disk(path, seed):
    """8 MiB, the second MiB filled with the stream of @seed."""
    with open(path, "wb") as stream:
        stream.truncate(8 * MIB)
        stream.seek(MIB)
        stream.write(pattern(seed))


def check_disk(path, seed):
    """What is wrong with the image after the guest has written to it, or "". """
    with open(path, "rb") as stream:
        written, kept = stream.read(MIB), stream.read(MIB)
    if written != pattern(seed + 1):
        return f"{path.name} does not hold what the guest wrote"
    if kept != pattern(seed):
        return f"{path.name}: the guest changed what it was to read"
    return ""


class Disk:
    """A disk image with the arguments of its device and of init's check."""

    def __init__(self, zone, name, interrupt, device):
        self.name, self.device = name, device
        self.path = HERE / zone / f"{name}.img"
        self.seed = secrets.randbits(48)
        self.check = f"disk {name} {interrupt} {self.seed}"

    def make(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        make_disk(self.path, self.seed)

    def arguments(self, options=""):
        return ["-drive", f"if=none,id={self.name},format=raw,file={self.path}{options}",
                "-device", f"{self.device},drive={self.name}"]
