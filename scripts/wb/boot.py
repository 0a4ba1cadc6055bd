# SPDX-License-Identifier: GPL-2.0-only
"""Boot the zone kernels in QEMU, with an init that checks what it finds.

root     enters by QEMU's -kernel, with QEMU's own device tree in a corrected
         form: two CPUs, bridges, NVMe, igb and a virtio disk.
nonroot  enters as under hvisor: a raw image at the zone's address, registers
         all zero, junk at physical 0, the device tree in the image.
"""
import re
import secrets

from . import core, guest, kernel, machine, qemu, zones
from .core import LOGS, Failure
from .zones import CONSOLE, HERE, ZONES, build

TIMEOUT = 120                   # a boot takes 3 to 6 s; hosts may be busy


# --------------------------------------------------------------------- zones

# NVMe and igb behind root ports with MSI-X, virtio behind a plain bridge with
# a legacy interrupt line.
ROOT_PORTS = ["-device", "pcie-root-port,id=rp0,chassis=1",
              "-device", "pcie-root-port,id=rp1,chassis=2"]
IGB = ["-netdev", "hubport,id=net0,hubid=0", "-device", "igb,netdev=net0,bus=rp1"]
PORT_ID, NVME_ID, IGB_ID, BRIDGE_ID = "1b36:000c", "1b36:0010", "8086:10c9", "1b36:000e"


def nvme(zone):
    return guest.Disk(zone, "nvme0n1", "nvme0q", "nvme,serial=zone,bus=rp0")


def root_parts(cpus=2, append=CONSOLE, virtio=""):
    """@virtio is added to what the virtio disk is."""
    disks = [nvme("root"), guest.Disk("root", "vda", "virtio",
                                      f"virtio-blk-pci,bus=br0,addr=1,vectors=0{virtio}")]
    args = [*ROOT_PORTS, *IGB, "-device", "pcie-pci-bridge,id=br0", "-device", "pvpanic-pci",
            "-device", "pci-ohci,id=usb", "-device", "usb-kbd,bus=usb.0"]
    checks = [f"cpus {cpus}", f"cmdline {append}", "model root QEMU",
              f"pci {PORT_ID} {NVME_ID} {IGB_ID} {BRIDGE_ID}", "netdev igb", "clock 100 1",
              "affinity virtio vda", "keyboard ohci_hcd"]
    return args, disks, checks


def nonroot_parts():
    disks = [nvme("nonroot")]
    checks = ["cpus 1", f"cmdline {CONSOLE}", "model nonroot QEMU",
              f"pci {PORT_ID} {NVME_ID} {IGB_ID}", "netdev igb", "clock 100 1"]
    return [*ROOT_PORTS, *IGB], disks, checks


# Each call makes disks with content of their own.
PARTS = {"root": root_parts, "nonroot": nonroot_parts}


def line_parts(**properties):
    """A zone of the test machine with its console on HWI2 and its disk on HWI3."""
    disk = guest.Disk("nonroot", "vda", "virtio", "virtio-blk-device,bus=virtio-mmio-bus.1")
    return ([*machine.hypervisor(**properties),
             "-device", "virtio-serial-device,bus=virtio-mmio-bus.0",
             "-device", "virtconsole,chardev=echo"], [disk], ["echo hvc0 20"])


def usual(zone):
    """What the zone's kernel is booted with: as a zone, where there is the test machine.

    Returns the parts, and what else run_checks() takes.
    """
    args, disks, checks = PARTS[zone]()
    if not qemu.is_test_machine():
        return (args, disks, checks), {}
    if zone == "root":
        return ([*args, *machine.hypervisor(zone=0)], disks, checks), dict(
            edits=zones.hypervisor(2))
    more = line_parts()
    return (args + more[0], disks + more[1], checks + more[2]), dict(variant="zone", echo=True)


# What a zone may find at physical 0, where a firmware's command line would be:
# harmful words, bytes of every kind, no end within a command line's size.
JUNK = (b"rdinit=/nonexistent maxcpus=0 " + bytes(range(1, 256))) * 32


def root_entry(elf, initrd, append=CONSOLE, edits="", devices=(), **shape):
    """QEMU's arguments that start @elf by -kernel, with QEMU's device tree corrected.

    @devices are those that the tree has, @shape is what differs from zones.ROOT_MACHINE.
    """
    shape = {**zones.ROOT_MACHINE, **shape}
    dtb = zones.device_tree("root", zones.ROOT_EDITS + edits, devices=devices, **shape)
    return [*qemu.machine(**shape), "-kernel", elf, "-initrd", initrd,
            "-append", append, *qemu.blob(dtb, 0x100000)]


def firmware_entry(raw, initrd, append=CONSOLE):
    """QEMU's arguments that start @raw, an EFI program, by UEFI, with ACPI and no device tree."""
    return [*qemu.machine(**zones.ROOT_MACHINE), "-bios", guest.firmware(), "-kernel", raw,
            "-initrd", initrd, "-append", append]


def nonroot_entry(elf, raw, initrd, smp=None, cpu=0, variant="", junk=JUNK, words=()):
    """QEMU's arguments that start @raw, whose ELF file is @elf, as hvisor does.

    @junk is what is at physical 0, and @words what hvisor writes into registers before.
    """
    if initrd.stat().st_size > zones.INITRD_SIZE:
        raise Failure(f"{core.shown(initrd)} is larger than {zones.INITRD_SIZE >> 20} MiB")
    rom, low = HERE / "nonroot/rom", HERE / "nonroot/junk"
    rom.write_bytes(qemu.entry_rom(zones.elf_entry(elf) - zones.LOAD + zones.ENTRY, cpu,
                                   zones.shared_eiointc(cpu) if variant in zones.SHARED_VARIANTS
                                   else (), words))
    low.write_bytes(junk)
    shape = {**zones.NONROOT_MACHINE, **({"smp": smp} if smp else {})}
    return [*qemu.machine(**shape), "-bios", rom, *qemu.blob(raw, zones.ENTRY),
            *qemu.blob(initrd, zones.INITRD), *qemu.blob(low, 0),
            *(qemu.words(0, zones.pci_functions()) if variant == "pci" else ())]


def entry_arguments(image, zone, initrd, firmware=False, **entry):
    """QEMU's arguments by which the zone's kernel, which zones.test_image() gave, is started.

    @firmware is for the root zone, which then has UEFI and ACPI.
    """
    elf, raw = image
    if firmware:
        return firmware_entry(raw, initrd, **entry)
    if zone == "root":
        return root_entry(elf, initrd, **entry)
    return nonroot_entry(elf, raw, initrd, **entry)


def initramfs(tree, out, name, checks, programs=None):
    """An initramfs whose init does @checks, and what it says when all are well.

    @programs are more files, as guest.initramfs() takes them.
    """
    init = guest.build_init(tree, out)
    nonce = secrets.token_hex(8)
    listing = HERE / f"{name}.checks"
    listing.write_text("\n".join([f"nonce {nonce}", *checks]) + "\n")
    initrd = guest.initramfs(out, name, {"/init": (init, 0o755), "/checks": (listing, 0o644),
                                        **(programs or {})})
    return initrd, f"init: all checks passed {nonce}"


# What a crash that was asked for prints
CRASH = "Kernel panic - not syncing: sysrq triggered crash", "Call Trace:"

# Where init finds the kernel that is to follow its own.
NEXT_KERNEL, NEXT_INITRD = "/next-kernel", "/next-initrd"


def run_checks(tree, zone, parts, log, inspect=None, drive="", boot_cpu=0, programs=None,
               echo=False, serial=qemu.SERIAL, when=(), before=None, crashes=False, **entry):
    """One boot of @zone with @parts; the Outcome has all that went wrong.

    @drive is added to QEMU's -drive; @boot_cpu, @inspect, @echo, @serial and @when are for
    qemu.boot(), @programs for initramfs() and @entry for entry_arguments(). With @before,
    its checks are those of a kernel whose last one starts the same kernel once more, which
    does all others; with @crashes, by a crash.
    """
    args, disks, checks = parts
    for disk in disks:
        disk.make()
    # Which makes the tool that packs an initramfs, too
    image = zones.test_image(tree, zone, entry.get("variant", ""))
    out = zones.out_dir(tree, zone)
    initrd, token = initramfs(tree, out, zone, [*checks, *(d.check for d in disks)], programs)
    if before:
        initrd = initrd.rename(initrd.with_suffix(".next"))
        follows = {NEXT_KERNEL: (image[1], 0o644), NEXT_INITRD: (initrd, 0o644)}
        initrd, _ = initramfs(tree, out, zone, before, {**(programs or {}), **follows})
    outcome = qemu.boot([*entry_arguments(image, zone, initrd, **entry), *args,
                         *(a for d in disks for a in d.arguments(drive))],
                        log, token, TIMEOUT * zones.slowness(), boot_cpu, inspect=inspect,
                        echo=echo, serial=serial, when=when, crashes=crashes,
                        baseline=CRASH if crashes else ())
    if not outcome.ok:
        return outcome
    # The guest is content; is its data really in the host's files?
    wrong = "; ".join(filter(None, (guest.check_disk(d.path, d.seed) for d in disks)))
    return outcome._replace(ok=not wrong, reason=wrong)


def boot(tree, zone):
    """Boot the zone's kernel, which build() has made: Failure unless all is well."""
    log = LOGS / f"boot-{zone}.log"
    parts, how = usual(zone)
    outcome = run_checks(tree, zone, parts, log, **how)
    if not outcome.ok:
        raise Failure(f"booting the {zone} kernel: {outcome.reason}", log, f"make boot-{zone}")
    return outcome


def smoke(tree, out):
    """Boot what check-bisect has built in @out: Failure unless its init is content."""
    smp = 2 if kernel.symbols((out / ".config").read_text()).get("SMP") == "y" else 1
    log = LOGS / f"boot-{out.name}.log"
    initrd, token = initramfs(tree, out, "smoke", [f"cpus {smp}", "clock 100 1"])
    # Its KUnit tests are those of all subsystems; here they only have to compile.
    append = f"{CONSOLE} kunit.enable=0"
    elf = out / "arch/loongarch/boot/vmlinux.elf"
    outcome = qemu.boot(root_entry(elf, initrd, append, smp=smp), log, token, TIMEOUT)
    if not outcome.ok:
        raise Failure(f"booting {core.shown(out)}: {outcome.reason}", log)


def boot_on_core(tree, cpu):
    """Boot the nonroot kernel on another core."""
    def where(monitor):
        counters = [int(pc, 16) for pc in re.findall(r"^ *PC=([0-9a-f]+)", monitor.registers(),
                                                     re.MULTILINE)]
        kernel_runs = [n for n, pc in enumerate(counters) if pc >> 60]
        return "" if kernel_runs == [cpu] else f"the kernel runs on {kernel_runs}, not {cpu}"
    return run_checks(tree, "nonroot", nonroot_parts(), LOGS / f"boot-nonroot-core-{cpu}.log",
                      inspect=where, smp=cpu + 1, cpu=cpu)


# --------------------------------------------------------------------- checks

def check(tree):
    """check-boot: both zones boot, and boots that must fail are seen to fail."""
    with core.phase("Check the zones' device trees"):
        zones.check_device_trees(tree)
    for zone in ZONES:
        with core.phase(f"Build the {zone} kernel"):
            build(tree, zone)
        parts, how = usual(zone)
        with core.phase(f"Boot the {zone} kernel") as state:
            state.note = report(f"boot-{zone}", run_checks(tree, zone, parts,
                                                          LOGS / f"boot-{zone}.log", **how))
    for name, entry, reason in MUST_FAIL:
        with core.phase(f"Boot with {name}") as state:
            outcome = run_checks(tree, "root", PARTS["root"](), LOGS / "boot-fails.log", **entry)
            state.note = outcome.reason
        if re.search(reason, outcome.reason):
            core.results.passed("boot-fails", name)
        else:
            core.results.failed("boot-fails", name, f"judged {outcome.reason or 'good'}, not "
                                                    f"/{reason}/")


MUST_FAIL = [
    ("one CPU of two", dict(smp=1), r"init: cpus 2 FAIL 1 are online"),
    ("no init", dict(append=CONSOLE + " rdinit=/nonexistent"), r"the guest panicked"),
    ("writes that are lost", dict(drive=",snapshot=on"), r"does not hold what the guest wrote"),
]


def report(group, outcome):
    """A result for each check of init, and one for the boot; a note for the phase."""
    for line in outcome.lines:
        match = re.search(r"init: (disk \w+|\w+).* ok ", line)
        if match:
            core.results.passed(group, match[1])
    if outcome.ok:
        core.results.passed(group, "boot", seconds=outcome.seconds)
    else:
        core.results.failed(group, "boot", outcome.reason)
    return outcome.note


# ---------------------------------------------------------------------- shell

SHELL_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo
echo "exit or Ctrl-D switches the machine off, Ctrl-A X ends QEMU."
setsid cttyhack sh
poweroff -f
"""


def shell(tree, zone):
    """An interactive prompt in the zone's kernel."""
    HERE.mkdir(parents=True, exist_ok=True)
    args, disks, _ = PARTS[zone]()
    for disk in disks:
        disk.make()
    script = HERE / "shell-init"
    script.write_text(SHELL_INIT)
    image = zones.test_image(tree, zone)
    initrd = guest.initramfs(zones.out_dir(tree, zone), f"{zone}-shell",
                       {"/init": (script, 0o755), "/bin/busybox": (guest.busybox(), 0o755)})
    qemu.interactive([*entry_arguments(image, zone, initrd), *args,
                      *(a for d in disks for a in d.arguments())])
