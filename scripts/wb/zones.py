# SPDX-License-Identifier: GPL-2.0-only
"""The zones' kernels and device trees.

build/boot/ZONE has each kernel twice: vmlinux.* for the board, and qemu.*, the
same objects linked with room for another device tree (it stays empty for root, to
which QEMU passes one; what nonroot boots with is put into copies of its image).
"""
import contextlib
import re
import shutil
import struct
import types

from . import core, kernel, qemu, schema, series
from .core import BUILD, LOGS, ROOT, Failure

ZONES = "root", "nonroot"
HERE = BUILD / "boot"
MIB = 1 << 20
LOAD = 0x200000                 # where the kernels are linked to, physical
WINDOW = 0xc0000000             # memory of the first nonroot zone
WINDOW_SIZE = 0x20000000
ENTRY = WINDOW + LOAD           # where its kernel is loaded
INITRD = WINDOW + WINDOW_SIZE // 2
INITRD_SIZE = 8 * MIB
DTS = "arch/loongarch/boot/dts"
# Where a device tree is to be, of which QEMU's have some 4 KiB: it is none to a kernel.
ROOM = b"room for a device tree, ".ljust(1 << 14, b".")
ROOT_MACHINE = dict(smp=2, memory=1024)
NONROOT_MACHINE = dict(smp=1, memory=1792)      # ends where the window ends
# A bounce buffer of 4 MiB: clearing the usual 64 takes an emulated CPU seconds.
CONSOLE = "console=ttyS0,115200 earlycon swiotlb=2048"


# ------------------------------------------------------------------- kernels

# With a flavour, kernels have a fragment of kunit/zones/, and directories of their own.
how = types.SimpleNamespace(flavour="")


@contextlib.contextmanager
def flavoured(flavour):
    how.flavour = flavour
    try:
        yield
    finally:
        how.flavour = ""


def build_test_image(tree, zone):
    """As test_image(), with a phase of its own: of a new flavour all has to be compiled."""
    with core.phase(f"Build the {kind(zone)} kernel"):
        configure(tree, zone)
        return test_image(tree, zone)


# A kernel that watches itself takes so many times as long.
SLOWNESS = {"debug": 8}


def slowness():
    return SLOWNESS.get(how.flavour, 1)


def kind(zone):
    return f"{zone}-{how.flavour}" if how.flavour else zone


def out_dir(tree, zone):
    return kernel.out_dir(kind(zone) if tree.base else f"{kind(zone)}-{tree.name}")


def fragments(zone):
    configs = ROOT / "arch/loongarch/configs"
    more = [ROOT / f"kunit/zones/{how.flavour}.config"] if how.flavour else []
    return [configs / "hvisor_base.config", configs / f"hvisor_{zone}.config", *more]


def image(tree, zone):
    """The kernel for the board, as hvisor is to load it."""
    return HERE / kind(zone) / "vmlinux.bin"


def build_key(tree, zone):
    checkout = series.repository(tree)("rev-parse", "HEAD^{tree}")
    unpacked = core.read_json(core.STAMPS / f"unpack-{tree.name}.json").get("key")
    return core.digest(checkout, unpacked, fragments(zone), kernel.toolchain())


def configure(tree, zone):
    """Configure the zone's kernel for what is checked out."""
    key = build_key(tree, zone)
    if not core.fresh(f"config-{kind(zone)}", key, [out_dir(tree, zone) / ".config"]):
        kernel.config(tree, out_dir(tree, zone), fragments(zone))
        core.stamp(f"config-{kind(zone)}", key)


def build(tree, zone):
    """Configure and build the zone's kernel for the board; returns its image."""
    key = build_key(tree, zone)
    if not core.fresh(f"build-{zone}", key, [image(tree, zone)]):
        core.unstamp(f"build-{zone}")
        configure(tree, zone)
        link(tree, zone, "vmlinux", board_device_tree(tree, zone))
        core.stamp(f"build-{zone}", key)
    return image(tree, zone)


def board_device_tree(tree, zone):
    """The board's device tree, compiled by the kernel's own rule."""
    out, name = out_dir(tree, zone), f"loongson-3a6000-hvisor-{zone}.dtb"
    kernel.build(tree, out, [name], LOGS / f"build-{kind(zone)}.log",
                 what=f"compiling {name}")
    return out / DTS / name


def link(tree, zone, name, dtb):
    """Build in the zone's object directory with the file @dtb as device tree, and keep the
    images as @name."""
    out, log, place = out_dir(tree, zone), LOGS / f"build-{kind(zone)}.log", HERE / kind(zone)
    # Neither kbuild nor ccache in its depend mode see what .incbin reads: each text has a
    # name of its own.
    builtin = f"{dtb.stem}-{core.digest(dtb)[:8]}"
    (out / DTS).mkdir(parents=True, exist_ok=True)
    shutil.copy(dtb, out / DTS / f"{builtin}.dtb")
    kernel.build(tree, out, ["vmlinux.elf", "vmlinux.efi"], log,
                 what=f"building the {kind(zone)} kernel",
                 extra=[f"CONFIG_BUILTIN_DTB_NAME={builtin}"])
    # Without an EFI stub this is the plain memory image.
    raw = out / "arch/loongarch/boot/vmlinux.efi"
    if dtb.read_bytes() not in raw.read_bytes():
        raise Failure(f"the {zone} kernel does not contain {core.shown(dtb)}", log)
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(raw, place / f"{name}.bin")
    shutil.copy(raw.with_suffix(".elf"), place / f"{name}.elf")


def test_image(tree, zone, variant=""):
    """The kernel for the test machine: its ELF file and image.

    @variant is one of VARIANTS, which are machines of a nonroot zone: the image has the
    device tree of this one.
    """
    elf, raw = (HERE / kind(zone) / f"qemu.{suffix}" for suffix in ("elf", "bin"))
    key = core.digest(build_key(tree, zone), ROOM)
    stamp = f"image-{kind(zone)}"
    if not core.fresh(stamp, key, [elf, raw]):
        core.unstamp(stamp)
        HERE.mkdir(parents=True, exist_ok=True)
        room = HERE / "room.dtb"
        room.write_bytes(ROOM)
        link(tree, zone, "qemu", room)
        core.stamp(stamp, key)
    if zone == "root":
        return elf, raw
    dtb = device_tree(zone, NONROOT_EDITS + VARIANTS[variant], **NONROOT_MACHINE)
    image = raw.with_stem(f"qemu-{variant or 'plain'}")
    image.write_bytes(with_device_tree(raw.read_bytes(), dtb.read_bytes()))
    return elf, image


def with_device_tree(image, dtb):
    """@image, which has ROOM once, with @dtb in it; all are bytes."""
    if image.count(ROOM) != 1:
        raise Failure(f"the kernel has {image.count(ROOM)} places for a device tree, not one")
    if len(dtb) > len(ROOM):
        raise Failure(f"a device tree of {len(dtb)} bytes does not fit into the {len(ROOM)} "
                      "that the kernel has for it")
    return image.replace(ROOM, dtb.ljust(len(ROOM), b"\0"))


def elf_entry(elf):
    """The entry point's physical address, where the kernel is linked to."""
    with open(elf, "rb") as stream:
        header = stream.read(64)
    if header[:5] != b"\x7fELF\x02":
        raise Failure(f"{core.shown(elf)} is not a 64-bit ELF file")
    return struct.unpack_from("<Q", header, 24)[0] & 0xffffffffffff


# ------------------------------------------------- QEMU's device trees, corrected

def interrupt_map():
    """Lines 16 to 19 for INTA to INTD of the slots in turn, as QEMU wires them."""
    return ", ".join(f"<{slot << 11:#x} 0 0 {pin} &{{/platic@10000000}} "
                     f"{16 + (slot + pin - 1) % 4} 4>"
                     for slot in range(4) for pin in range(1, 5))


def compatible(zone):
    """What the zone's device tree says that the machine is, on the board and here."""
    return f'compatible = "loongson,ls3a6000-hvisor-{zone}", "linux,dummy-loongson3";'


# QEMU's map of PCI interrupts leaves out the trigger cell, and two properties
# without which Linux does not read it. Its RTC is there, but not the power
# management block which the driver uses for the alarm of "loongson,ls7a-rtc".
COMMON_EDITS = f"""
/ {{
	chosen {{ /delete-property/ rng-seed; }};	/* differs from run to run */
}};
&{{/platic@10000000}} {{ #address-cells = <0>; }};
&{{/pcie@20000000}} {{
	#interrupt-cells = <1>;
	interrupt-map = {interrupt_map()};
}};
&{{/rtc@100d0100}} {{
	compatible = "loongson,ls2k0300-rtc";
	/delete-property/ interrupts;
}};
"""
ROOT_EDITS = f"""
/ {{
	model = "hvisor root zone on QEMU";
	{compatible("root")}
}};
"""
NONROOT_EDITS = f"""
/delete-node/ &{{/memory@0}};
/delete-node/ &{{/memory@80000000}};
/ {{
	model = "hvisor nonroot zone on QEMU";
	{compatible("nonroot")}
	memory@{ENTRY:x} {{
		device_type = "memory";
		reg = <0x0 {ENTRY:#x} 0x0 {WINDOW_SIZE - LOAD:#x}>;
	}};
	chosen {{
		bootargs = "{CONSOLE}";
		linux,initrd-start = <0x0 {INITRD:#x}>;
		linux,initrd-end = <0x0 {INITRD + INITRD_SIZE:#x}>;
	}};
}};
"""

# The vectors of the PCH PIC, and 48 for MSI, as a first nonroot zone has them.
SHARED_VECTORS = [*range(0, 32), *range(112, 160)]
SHARED_EDITS = """
&{/eiointc@1400} { loongson,available-ranges = <0 32>, <112 48>; };
&{/msi@2ff00000} { loongson,msi-base-vec = <112>; loongson,msi-num-vecs = <48>; };
"""


def shared_eiointc(cpu):
    """What those who share the EIOINTC made of it: (IOCSR, value), vectors on core @cpu."""
    enabled = [sum(1 << bit for bit in range(32) if word * 32 + bit in SHARED_VECTORS)
               for word in range(8)]
    route = 0x01010101 << cpu
    return [*((0x14a0 + 4 * i, 1 << 2 * i + 1 << 16 | 1 << 2 * i) for i in range(8)),
            *((0x14c0 + 4 * i, 0x02020202) for i in range(2)),     # HWI1
            *((0x1c00 + 4 * i, route) for i in range(64)),
            *((0x1680 + 4 * i, 0xffffffff) for i in range(8)),
            *((0x1600 + 4 * i, word) for i, word in enumerate(enabled))]


# PCI hosts in memory that the zone does not have: a board, one whose window has
# room for buses 0 to 3 of 32, and one whose window is not decoded.
PCI_BOARD, PCI_SMALL, PCI_GHOSTS = 0x80000000, 0xa0000000, 0xb8000000


def pci_host(start, size, mem):
    """A node with CFG1 at @start. CFG0, which gives it its name, and its memory
    window are where nothing is."""
    return f"""
/ {{
	pcie@{start:x} {{
		compatible = "loongson,ls7a-pci";
		device_type = "pci";
		reg = <{mem:#x} {start:#x} 0x0 0x02000000>, <0x0 {start:#x} 0x0 {size:#x}>;
		#address-cells = <3>;
		#size-cells = <2>;
		bus-range = <0x0 0x1f>;
		ranges = <0x02000000 0x0 0x40000000 {mem:#x} 0x0 0x0 0x10000000>;
	}};
}};
"""


PCI_EDITS = (pci_host(PCI_BOARD, 0x20000000, 0x70) + pci_host(PCI_SMALL, 0x10040000, 0x71)
             + pci_host(PCI_GHOSTS, 0x10000, 0x72))
PCI_HOST, PCI_PORT, PCI_CARD = 0x7a000014, 0x7a190014, 0x100e8086
PCI_CLASS, PCI_HEADER = 0x8, 0xc


def pci_functions():
    """What is in the windows of these hosts: {address: value}; a slot that reads 0 is empty."""
    def function(window, bus, slot, identity, kind, header=0):
        at = window + (0x10000000 + (bus << 16) if bus else 0) + (slot << 11)
        return {at: identity, at + PCI_CLASS: kind << 8, at + PCI_HEADER: header << 16}
    return {**function(PCI_BOARD, 0, 0, PCI_HOST, 0x060000),
            **function(PCI_BOARD, 0, 9, PCI_PORT, 0x060400, header=1),
            **function(PCI_BOARD, 1, 0, PCI_CARD, 0x020000),
            **function(PCI_SMALL, 0, 0, PCI_HOST, 0x060000),
            **{PCI_GHOSTS + (slot << 11): 0x00000200 for slot in range(32)}}


# No more than that.
ZONE_EDITS = f"/ {{ {compatible('nonroot')} }};\n"
UNKNOWN_ABI = 99


def hypervisor(abi, zone=0):
    """The node that says that this is a zone. With an unknown @abi, no call is made."""
    return f"""
/ {{
	hypervisor {{
		compatible = "syswonder,hvisor";
		syswonder,hypercall-abi = <{abi}>;
		syswonder,zone-id = <{zone}>;
	}};
}};
"""


def iommu_edits(text):
    """The node of the IOMMU, which QEMU's device tree has with the unit, with @text."""
    return f"&{{/pcie@20000000/iommu@1a,0}} {{ {text} }};\n"


# The timer's interrupt is one of the CPU's own.
NO_TIMER_EDITS = "/delete-node/ &{/cpuic};\n"

# Nobody gives the PCH PIC's interrupts to this zone, so that its UART is polled.
HVISOR_EDITS = (hypervisor(UNKNOWN_ABI, zone=1) + SHARED_EDITS
                + "&{/serial@1fe001e0} { /delete-property/ interrupts; };\n")

# What the test machine's zone is given (qemu/README.md): 48 vectors for MSI, and two
# virtio devices on lines of the CPU.
ZONE_VECTORS = 112, 48
LINE_EDITS = "".join(f"""
/ {{
	virtio@{0x30001000 + 0x1000 * number:x} {{
		compatible = "virtio,mmio";
		reg = <0x0 {0x30001000 + 0x1000 * number:#x} 0x0 0x200>;
		interrupt-parent = <&{{/cpuic}}>;
		interrupts = <{4 + number}>;
	}};
}};
""" for number in range(2))


def machine_edits(abi, more=""):
    """A nonroot zone of a hypervisor with @abi, on the test machine."""
    first, count = ZONE_VECTORS
    return f"""{hypervisor(abi, zone=1)}{LINE_EDITS}
&{{/eiointc@1400}} {{ loongson,available-ranges = <{first} {count}>; }};
&{{/msi@2ff00000}} {{ loongson,msi-base-vec = <{first}>; loongson,msi-num-vecs = <{count}>; }};
&{{/serial@1fe001e0}} {{ /delete-property/ interrupts; }};
{more}"""


LS7A_CFG0, LS7A_CFG1 = "<0x0 0x1a000000 0x0 0x02000000>", "<0xfe 0x0 0x0 0x20000000>"


def ls7a_edits(*windows):
    """Its PCI bus behind these windows of a 7A bridge."""
    return f"""
&{{/pcie@20000000}} {{
	compatible = "loongson,ls7a-pci";
	reg = {", ".join(windows)};
	bus-range = <0x0 0x1f>;
}};
"""


# The zone has UART0, and with it a line of the LIOINTC that all zones share.
LIOINTC, UART_LINE = 0x1fe01400, 10
LIOINTC_EDITS = f"""
/ {{
	liointc: interrupt-controller@{LIOINTC:x} {{
		compatible = "loongson,liointc-1.0";
		reg = <0x0 {LIOINTC:#x} 0x0 0x80>;
		interrupt-controller;
		#interrupt-cells = <2>;
		interrupt-parent = <&{{/cpuic}}>;
		interrupts = <2>;
		interrupt-names = "int0";
		loongson,parent_int_map = <{1 << UART_LINE:#x}>, <0>, <0>, <0>;
		loongson,available-ranges = <{UART_LINE} 1>;
	}};
}};
&{{/serial@1fe001e0}} {{ interrupt-parent = <&liointc>; interrupts = <{UART_LINE} 4>; }};
"""
# Time is told by ticks, one for each interrupt of the timer
PERIODIC_EDITS = f"""
/ {{ chosen {{ bootargs = "{CONSOLE} highres=off nohz=off"; }}; }};
"""
# NVMe's driver waits a minute for an answer that does not come.
IMPATIENT_EDITS = f"""
/ {{ chosen {{ bootargs = "{CONSOLE} nvme_core.admin_timeout=2"; }}; }};
"""
# Only the hypervisor can stop the zone, and print what it says.
UART = 0x1fe001e0
SERVICES_EDITS = "".join(f"/delete-node/ &{{/{node}}};\n" for node in (
    "poweroff", "reboot", *(f"serial@{UART + 0x100 * number:x}" for number in range(4)))) + """
/ { chosen { bootargs = "earlycon=hvisor keep_bootcon console=ttyS0 swiotlb=2048"; }; };
"""
VARIANTS = {"": "", "shared": SHARED_EDITS, "pci": PCI_EDITS, "no-timer": NO_TIMER_EDITS,
            "hvisor": HVISOR_EDITS, "zone": machine_edits(2), "zone-rev-a": machine_edits(1),
            "zone-ls7a": machine_edits(2, ls7a_edits(LS7A_CFG0, LS7A_CFG1)),
            "zone-cfg0": machine_edits(2, ls7a_edits(LS7A_CFG0)),
            "zone-liointc": machine_edits(2, LIOINTC_EDITS),
            "zone-periodic": machine_edits(2, PERIODIC_EDITS),
            "zone-impatient": machine_edits(2, IMPATIENT_EDITS),
            "zone-services": machine_edits(3, SERVICES_EDITS)}
# In which others have routed and enabled the zone's vectors.
SHARED_VARIANTS = "shared", "hvisor"


def device_tree(zone, edits, smp, memory, devices=()):
    """QEMU's device tree of a machine, with @edits (source) merged over it.

    @devices are the arguments of those that are in it.
    """
    directory = HERE / zone
    directory.mkdir(parents=True, exist_ok=True)
    dumped, text, tree = (directory / f"{n}" for n in ("dumped.dtb", "qemu.dts", "qemu.dtb"))
    core.run([*qemu.command([*qemu.machine(smp, memory), *devices]),
              "-machine", f"dumpdtb={dumped}"],
             what="QEMU cannot dump its device tree")
    text.write_text(core.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dumped])
                    + COMMON_EDITS + edits)
    core.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, text],
             what=f"compiling {core.shown(text)}")
    return tree


# ----------------------------------------------------- the board's device trees

def check_device_trees(tree):
    """The zones' trees compile without a warning, and fit the bindings."""
    kernel.config(tree, kernel.out_dir("dtbs"), fragments("root")[:1])
    compile_trees(tree, "dtc", "W=1")
    try:
        env = schema.environment()
    except Failure as failure:
        core.results.skipped("device-trees", "dtbs_check", failure.what)
    else:
        compile_trees(tree, "dtbs_check", "CHECK_DTBS=y", env)


def compile_trees(tree, name, argument, env=None):
    """Passed if compiling with @argument says nothing about our trees."""
    out, log = kernel.out_dir("dtbs"), LOGS / f"dtbs-{name}.log"
    dtbs = [f"loongson-3a6000-hvisor-{zone}.dtb" for zone in ZONES]
    for dtb in dtbs:
        # Otherwise kbuild has nothing to do the second time.
        (out / "arch/loongarch/boot/dts" / dtb).unlink(missing_ok=True)
    kernel.make(tree, out, *dtbs, extra=[argument], log=log, env=env,
                what=f"{name} of the device trees")
    said = remarks(log.read_text())
    if said:
        core.results.failed("device-trees", name, "\n".join(said))
    else:
        core.results.passed("device-trees", name)


def remarks(text):
    """What dtc or dt-validate says about our files; not kbuild's own lines."""
    return [line for line in text.split("\n")
            if "loongson-3a6000-hvisor" in line and not re.match(r"\$ |\s+DTC |also defined", line)]
