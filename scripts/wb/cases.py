# SPDX-License-Identifier: GPL-2.0-only
"""Boots that are proofs: what no test inside a running kernel can see.

Each case of kunit/proofs' "boot" lines has two functions of the kernel tree:
one builds what is checked out, one boots it and raises Failure if that is red.
Those of a single defect boot the KUnit kernel, which has the drivers that
the zones' kernels leave out, with one quick suite and a device tree of their
own, or a zone's kernel on another core.
"""
import functools

from . import acpi, boot, core, guest, machine, qemu, rows_iommu, rows_iovt, suites, zones
from .core import LOGS, Failure

LANE = "base"
SUITE = "irq_test_cases"
MEMORY = 1024       # MiB
QUIET = 15          # seconds after which a machine that stays on is silent

NO_ISA_WINDOW = """
&{/pcie@20000000} { ranges = <0x2000000 0 0x40000000 0 0x40000000 0 0x40000000>; };
"""

BAD_CORES = """
&{/cpus/cpu@2} { status = "disabled"; };
&{/cpus/cpu@3} { reg = <1>; };
&{/cpus} { cpu@800 { device_type = "cpu"; compatible = "loongson,la664"; reg = <0x800>; }; };
"""
BAD_CORES_SAID = [
    "SMP: core 0x1 ignored: listed twice",
    "SMP: core 0x800 ignored: no core has this number",
    "SMP: core 0x2, the boot CPU, is not listed",
    "smp: Brought up 1 node, 3 CPUs",
]

PCI_SAID = [
    f"loongson-pci 70{zones.PCI_BOARD:x}.pcie: PCI host bridge to bus",
    ":00:09.0: [0014:7a19] type 01",
    ":01:00.0: [8086:100e] type 00",
    f"loongson-pci 71{zones.PCI_SMALL:x}.pcie: config window of 0x0000000010040000 bytes is too "
    "small for [bus 00-1f], last bus is 03",
    f"loongson-pci 71{zones.PCI_SMALL:x}.pcie: config window of 0x0000000010040000 bytes is too "
    "small for extended registers",
    "nobody decodes config space reg[1]: 32 slots read 0200:0000",
]


EARLY_SAID = ["Constant timer: interrupts that are early are dropped", "got 500 interrupts early"]

# With these a busy guest's counter runs at several times the speed of its RTC.
FAST_COUNTER = ["-icount", "shift=3", "-rtc", "clock=host"]
FAST_SAID = ["of the real-time clock, with 100000000 Hz:"]


def build_lane(tree):
    suites.build(tree, LANE)


def boot_lane(tree, name, edits, devices, token, timeout, suite=SUITE, smp=2, boot_cpu=0,
              parameters=""):
    """Boot the KUnit kernel on QEMU's machine with an edited device tree."""
    kernel = suites.out_dir(tree, LANE) / "arch/loongarch/boot/vmlinux.elf"
    dtb = zones.device_tree(name, edits, smp=smp, memory=MEMORY)
    append = f"console=ttyS0 kunit.filter_glob={suite} kunit_shutdown=poweroff " + parameters
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


def boot_bad_cores(tree):
    """Of the device tree's cores, those that are right become CPUs."""
    outcome = boot_lane(tree, "bad-cores", BAD_CORES, ["-device", "pvpanic-pci"],
                        "fail:0 skip:0 total:", boot.TIMEOUT, suite="loongarch_cores",
                        smp=4, boot_cpu=2)
    need("bad-cores", outcome.ok, outcome)
    must_say("bad-cores", outcome, BAD_CORES_SAID)


def boot_root_on_core_2(name, argument, cpus):
    """A boot of the root kernel that starts on core 2 of 4, with a parameter."""
    def run(tree):
        append = f"{zones.CONSOLE} {argument}".strip()
        outcome = boot.run_checks(tree, "root", boot.root_parts(cpus, append),
                                  LOGS / f"boot-{name}.log", smp=4, boot_cpu=2, append=append)
        need(name, outcome.ok, outcome)
    return build_zone("root"), run


def boot_nonroot_core_2(tree):
    """Devices work on the core that a kernel without SMP was started on."""
    outcome = boot.boot_on_core(tree, 2)
    need("nonroot-core-2", outcome.ok, outcome)


def boot_nonroot_shared(tree):
    """Devices work with interrupts that somebody else has routed and enabled."""
    outcome = boot.run_checks(tree, "nonroot", boot.nonroot_parts(),
                              LOGS / "boot-nonroot-shared.log", variant="shared")
    need("nonroot-shared", outcome.ok, outcome)


def boot_nonroot_pci(tree):
    """Config windows that are good, too small, and decoded by nobody."""
    outcome = boot.run_checks(tree, "nonroot", boot.nonroot_parts(),
                              LOGS / "boot-nonroot-pci.log", variant="pci")
    need("nonroot-pci", outcome.ok, outcome)
    must_say("nonroot-pci", outcome, PCI_SAID)


def boot_lane_zone(name, edits, suite, said, parameters=""):
    """A suite with a device tree that says that this is a zone, where no hypervisor is."""
    def run(tree):
        outcome = boot_lane(tree, name, edits, ["-device", "pvpanic-pci"],
                            "fail:0 skip:0 total:", boot.TIMEOUT, suite, parameters=parameters)
        need(name, outcome.ok, outcome)
        must_say(name, outcome, said)
    return build_lane, run


def zone_files(zone):
    """What sysfs has of a zone whose calls are unknown, as checks."""
    files = {"type": "hvisor", "zone": zone, "abi": 0, "configuration": 0, "features": "0x0"}
    return [f"file /sys/hypervisor/{name} {text}" for name, text in files.items()]


def boot_root_hvisor(tree):
    """All devices of the root zone work, with IPIs, idle and timer as in a zone."""
    args, disks, checks = boot.root_parts()
    outcome = boot.run_checks(tree, "root", (args, disks, [*checks, *zone_files(0)]),
                              LOGS / "boot-root-hvisor.log",
                              edits=zones.hypervisor(zones.UNKNOWN_ABI))
    need("root-hvisor", outcome.ok, outcome)


def boot_nonroot_hvisor(tree):
    """What the device tree says of the zone can be read in sysfs."""
    outcome = boot.run_checks(tree, "nonroot", ([], [], zone_files(1)),
                              LOGS / "boot-nonroot-hvisor.log", variant="hvisor")
    need("nonroot-hvisor", outcome.ok, outcome)


def boot_nonroot_not_given(tree):
    """An interrupt that the zone is not given is refused, and the rest works."""
    outcome = boot.run_checks(tree, "nonroot", boot.nonroot_parts(),
                              LOGS / "boot-nonroot-not-given.log", variant="hvisor")
    need("nonroot-not-given", outcome.ok, outcome)
    must_say("nonroot-not-given", outcome,
             ["/platic@10000000: no loongson,available-ranges, none is available"])


def boot_nonroot_no_timer(tree):
    """Without an interrupt for the timer the kernel says so, and does not go on."""
    outcome = boot.run_checks(tree, "nonroot", ([], [], ["cpus 1"]),
                              LOGS / "boot-nonroot-no-timer.log", variant="no-timer")
    need("nonroot-no-timer", "panicked" in outcome.reason, outcome)
    must_say("nonroot-no-timer", outcome, ["Constant timer: no interrupt: -22"])


def boot_nonroot_fast_counter(tree):
    """A counter that is faster than the RTC is reported, with both rates."""
    outcome = boot.run_checks(tree, "nonroot", (FAST_COUNTER, [], ["clock 5000 1", "busy 110"]),
                              LOGS / "boot-nonroot-fast-counter.log")
    need("nonroot-fast-counter", outcome.ok, outcome)
    must_say("nonroot-fast-counter", outcome, FAST_SAID)


def boot_clocks(zone, args):
    """The zone's clock is the host's, as QEMU's RTC is, and its timer comes when it should."""
    checks = ["clock 1 30", "idle 10 3", "cyclictest 5000"]

    def run(tree):
        outcome = boot.run_checks(tree, zone, (args, [], checks),
                                  LOGS / f"boot-{zone}-clocks.log", programs=guest.cyclictest())
        need(f"{zone}-clocks", outcome.ok, outcome)
    return build_zone(zone), run


def row_case(name, run):
    """A row of check-zones as a case."""
    def case(tree):
        if not machine.binary():
            raise Failure(f"boot case {name} needs the test machine", repeat="make qemu")
        outcome = run(tree)
        need(name, outcome.ok, outcome)
    return build_zone("root"), case


def iovt_is_installed(tree):
    """A table in the initrd is installed; nobody has to read it yet."""
    return rows_iovt.run_table(tree, "iovt-table", acpi.iovt(rows_iovt.whole()),
                               lambda counters: "", [rows_iovt.INSTALLED])


def must_say(name, outcome, wanted):
    for line in wanted:
        if not any(line in said for said in outcome.lines):
            raise Failure(f"boot case {name}: the kernel does not say {line!r}",
                          LOGS / f"boot-{name}.log")


@functools.cache
def build_zone(zone):
    return lambda tree: zones.build(tree, zone)


def boot_zone(zone):
    return lambda tree: boot.boot(tree, zone)


SINGLE = {
    "no-isa": (build_lane, boot_no_isa),
    "no-power-off": (build_lane, boot_no_power_off),
    "cores": (build_lane, boot_cores),
    "bad-cores": (build_lane, boot_bad_cores),
    # All CPUs come up, and devices work, wherever the kernel was started.
    "root-core-2": boot_root_on_core_2("root-core-2", "", 4),
    # The boot CPU is one of the CPUs, even if its core's number is larger than all.
    "root-core-2-limited": boot_root_on_core_2("root-core-2-limited", "nr_cpus=2", 2),
    # Devices work without any core whose number is a multiple of four.
    "root-core-2-alone": boot_root_on_core_2("root-core-2-alone", "maxcpus=1", 1),
    # The kernel that boots on QEMU as it is works where it is told of a zone, too.
    "root-hvisor": (build_zone("root"), boot_root_hvisor),
    "nonroot-core-2": (build_zone("nonroot"), boot_nonroot_core_2),
    "nonroot-shared": (build_zone("nonroot"), boot_nonroot_shared),
    "nonroot-pci": (build_zone("nonroot"), boot_nonroot_pci),
    # A zone drops timer interrupts that nothing is due for, and loses no event.
    "early-timer": boot_lane_zone("early-timer", zones.ZONE_EDITS, "loongarch_early_timer",
                                  EARLY_SAID),
    "hvisor-timer": boot_lane_zone("hvisor-timer", zones.hypervisor(zones.UNKNOWN_ABI),
                                   "loongarch_early_timer", EARLY_SAID),
    "hvisor-idle": boot_lane_zone("hvisor-idle", zones.hypervisor(zones.UNKNOWN_ABI),
                                  "loongarch_idle",
                                  ["hvisor: syswonder,hypercall-abi 99 is unknown"]),
    # A hypercall would be an undefined instruction, before there is a console.
    "nohvisor": boot_lane_zone("nohvisor", zones.hypervisor(2), "loongarch_hvisor", [],
                               parameters="nohvisor"),
    "nonroot-hvisor": (build_zone("nonroot"), boot_nonroot_hvisor),
    "nonroot-not-given": (build_zone("nonroot"), boot_nonroot_not_given),
    "nonroot-no-timer": (build_zone("nonroot"), boot_nonroot_no_timer),
    "nonroot-fast-counter": (build_zone("nonroot"), boot_nonroot_fast_counter),
    "root-clocks": boot_clocks("root", ["-device", "pvpanic-pci"]),
    "nonroot-clocks": boot_clocks("nonroot", []),
}
CASES = {
    **SINGLE,
    **{zone: (build_zone(zone), boot_zone(zone)) for zone in zones.ZONES},
    # Rows of check-zones have these as well
    "iommu": row_case("iommu", rows_iommu.strict),
    "iommu-old": row_case("iommu-old", rows_iommu.old),
    "iovt": row_case("iovt", iovt_is_installed),
}


def check(tree):
    """The cases of a single defect, green with the whole series."""
    built = set()
    for name, (build, run) in SINGLE.items():
        with core.phase(f"Boot case {name}"):
            try:
                # Finding that nothing is to be done takes make longer than a boot.
                if build not in built:
                    build(tree)
                built.add(build)
                run(tree)
            except Failure as failure:
                core.results.failed("boot-cases", name, failure.what)
            else:
                core.results.passed("boot-cases", name)
