# SPDX-License-Identifier: GPL-2.0-only
"""Boots that are proofs: what no test inside a running kernel can see.

Each case of kunit/proofs' "boot" lines has two functions of the kernel tree:
one builds what is checked out, one boots it and raises Failure if that is red.
Those of a single defect boot the KUnit kernel, which has the drivers that
the zones' kernels leave out, with one quick suite and a device tree of their
own, or a zone's kernel on another core.
"""
from . import boot, core, qemu, suites, zones
from .core import LOGS, Failure

LANE = "base"
SUITE = "irq_test_cases"
MEMORY = 1024       # MiB
QUIET = 15          # seconds after which a machine that stays on is silent

NO_ISA_WINDOW = """
&{/pcie@20000000} { ranges = <0x2000000 0 0x40000000 0 0x40000000 0 0x40000000>; };
"""


def build_lane(tree):
    suites.build(tree, LANE)


def boot_lane(tree, name, edits, devices, token, timeout, suite=SUITE, smp=2, boot_cpu=0):
    """Boot the KUnit kernel on QEMU's machine with an edited device tree."""
    kernel = suites.out_dir(tree, LANE) / "arch/loongarch/boot/vmlinux.elf"
    dtb = zones.device_tree(name, edits, smp=smp, memory=MEMORY)
    append = f"console=ttyS0 kunit.filter_glob={suite} kunit_shutdown=poweroff"
    return qemu.boot([*qemu.machine(smp, MEMORY), "-kernel", kernel, "-append", append,
                      *devices, *qemu.blob(dtb, 0x100000)],
                     LOGS / f"boot-{name}.log", token, timeout, boot_cpu)


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


def boot_cores(tree):
    """On another core than 0 the cores' numbers are not those of the CPUs."""
    outcome = boot_lane(tree, "cores", "", ["-device", "pvpanic-pci"], "fail:0 skip:0 total:",
                        boot.TIMEOUT, suite="loongarch_cores", smp=4, boot_cpu=2)
    need("cores", outcome.ok, outcome)


def boot_root_core_2(tree):
    """All CPUs come up, and devices work, wherever the kernel was started."""
    outcome = boot.run_checks(tree, "root", boot.root_parts(4), LOGS / "boot-root-core-2.log",
                              smp=4, boot_cpu=2)
    need("root-core-2", outcome.ok, outcome)


def boot_root_core_2_alone(tree):
    """Devices work without any core whose number is a multiple of four."""
    boot_root_with(tree, "root-core-2-alone", "maxcpus=1", 1)


def boot_root_core_2_limited(tree):
    """The boot CPU is one of the CPUs, even if its core's number is larger than all."""
    boot_root_with(tree, "root-core-2-limited", "nr_cpus=2", 2)


def boot_root_with(tree, name, argument, cpus):
    append = f"{zones.CONSOLE} {argument}"
    outcome = boot.run_checks(tree, "root", boot.root_parts(cpus, append),
                              LOGS / f"boot-{name}.log", smp=4, boot_cpu=2, append=append)
    need(name, outcome.ok, outcome)


def boot_nonroot_core_2(tree):
    """Devices work on the core that a kernel without SMP was started on."""
    outcome = boot.boot_on_core(tree, 2)
    need("nonroot-core-2", outcome.ok, outcome)


def build_zone(zone):
    return lambda tree: zones.build(tree, zone)


def boot_zone(zone):
    return lambda tree: boot.boot(tree, zone)


SINGLE = {
    "no-isa": (build_lane, boot_no_isa),
    "no-power-off": (build_lane, boot_no_power_off),
    "cores": (build_lane, boot_cores),
    "root-core-2": (build_zone("root"), boot_root_core_2),
    "root-core-2-limited": (build_zone("root"), boot_root_core_2_limited),
    "root-core-2-alone": (build_zone("root"), boot_root_core_2_alone),
    "nonroot-core-2": (build_zone("nonroot"), boot_nonroot_core_2),
}
CASES = {
    **SINGLE,
    **{zone: (build_zone(zone), boot_zone(zone)) for zone in zones.ZONES},
}


def check(tree):
    """The cases of a single defect, green with the whole series."""
    for name, (build, run) in SINGLE.items():
        with core.phase(f"Boot case {name}"):
            try:
                build(tree)
                run(tree)
            except Failure as failure:
                core.results.failed("boot-cases", name, failure.what)
            else:
                core.results.passed("boot-cases", name)
