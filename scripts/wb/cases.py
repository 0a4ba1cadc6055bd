# SPDX-License-Identifier: GPL-2.0-only
"""Boots that are proofs: what no test inside a running kernel can see.

Each case of kunit/proofs' "boot" lines has two functions of the kernel tree:
one builds what is checked out, one boots it and raises Failure if that is red.
Those of a single defect boot the KUnit kernel, which has the drivers that
the zones' kernels leave out, with one quick suite and a device tree of their
own.
"""
from . import boot, core, qemu, suites, zones
from .core import LOGS, Failure

LANE = "base"
SUITE = "irq_test_cases"
MACHINE = dict(smp=2, memory=1024)
QUIET = 15          # seconds after which a machine that stays on is silent

NO_ISA_WINDOW = """
&{/pcie@20000000} { ranges = <0x2000000 0 0x40000000 0 0x40000000 0 0x40000000>; };
"""


def build_lane(tree):
    suites.build(tree, LANE)


def boot_lane(tree, name, edits, devices, token, timeout):
    """Boot the KUnit kernel on QEMU's machine with an edited device tree."""
    kernel = suites.out_dir(tree, LANE) / "arch/loongarch/boot/vmlinux.elf"
    dtb = zones.device_tree(name, edits, **MACHINE)
    append = f"console=ttyS0 kunit.filter_glob={SUITE} kunit_shutdown=poweroff"
    return qemu.boot([*qemu.machine(**MACHINE), "-kernel", kernel, "-append", append,
                      *devices, *qemu.blob(dtb, 0x100000)],
                     LOGS / f"boot-{name}.log", token, timeout)


def need(name, good, outcome):
    if not good:
        raise Failure(f"boot case {name}: {outcome.reason or 'the machine went off'}",
                      LOGS / f"boot-{name}.log")


def boot_no_isa(tree):
    """A device tree without an I/O window: no driver may touch a port."""
    outcome = boot_lane(tree, "no-isa", NO_ISA_WINDOW, ["-device", "pvpanic-pci"],
                        "reboot: Power down", boot.TIMEOUT)
    need("no-isa", outcome.ok, outcome)


def boot_no_power_off(tree):
    """Nothing can switch this machine off: the kernel stops and says no more."""
    outcome = boot_lane(tree, "no-power-off", "", [], "reboot: Power down", QUIET)
    need("no-power-off", outcome.reason == f"no end after {QUIET} s", outcome)


def build_zone(zone):
    return lambda tree: zones.build(tree, zone)


def boot_zone(zone):
    return lambda tree: boot.boot(tree, zone)


CASES = {
    "no-isa": (build_lane, boot_no_isa),
    "no-power-off": (build_lane, boot_no_power_off),
    **{zone: (build_zone(zone), boot_zone(zone)) for zone in zones.ZONES},
}


def check(tree):
    """The cases of a single defect, green with the whole series."""
    for name in ("no-isa", "no-power-off"):
        build, run = CASES[name]
        with core.phase(f"Boot case {name}"):
            try:
                build(tree)
                run(tree)
            except Failure as failure:
                core.results.failed("boot-cases", name, failure.what)
            else:
                core.results.passed("boot-cases", name)
