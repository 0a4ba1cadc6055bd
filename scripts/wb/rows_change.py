# SPDX-License-Identifier: GPL-2.0-only
"""End to end on the test machine: an IOMMU while the machine sleeps, is changed, or crashes.

What a device may access is what its driver has mapped, at any time: nothing that was
translated becomes physical on the way to the next kernel, or out of sleep.
"""
import time

from . import guest, rows_iommu
from .rows import row
from .rows_iommu import (IGB_FUNCTION, LEFT_IS_SEEN, TRANSLATED, complaint, domain_of, run_unit,
                         translates, translates_and_flushes_all)
from .rows_iovt import command_line, run_table, translated
from .zones import HERE

# ------------------------------------------------------------------- sleep

# Devices sleep, and then the kernel waits for so many seconds instead of the machine
AWAKE = "no_console_suspend suspend.pm_test_delay=2"
SLEEPS = "suspend debug: Waiting for"


def forget(monitor):
    monitor.command("qom-set", path="/machine/peripheral/iommu", property="forget", value=True)


def run_sleep(tree, name, inspect, **properties):
    return run_unit(tree, name, inspect, f"{TRANSLATED} {AWAKE}", "DMA", also=["sleep platform"],
                    how=dict(when=[(SLEEPS, forget)]), **properties)


@row("iommu-sleep", "a unit without power while the machine sleeps: it has all again, and devices "
                    "work", zone="root")
def sleep(tree):
    return run_sleep(tree, "iommu-sleep", translates)


@row("iommu-old-sleep", "the same with a unit of revision 0, whose tables are lost", zone="root")
def old_sleep(tree):
    return run_sleep(tree, "iommu-old-sleep", translates_and_flushes_all, revision=0)


# ---------------------------------------------------------------- hot-plug

PLUGS = 3
# QEMU's ports do not tell of a device while they sleep.
PORTS_STAY_AWAKE = "pcie_port_pm=off"
PLUGGED = "0000:04:00.0"
# So many default domains are left with these: a number that is not given back is missed
FILLERS = [f"edu,addr={slot:#x}" for slot in range(8, 12)]


def plug(monitor):
    # The port takes a second to see that the one before is gone
    time.sleep(2)
    monitor.command("device_add", driver="virtio-blk-pci", id="plug", bus="rp2", drive="plug",
                    **{"disable-legacy": "on", "iommu_platform": True})


def unplug(monitor):
    monitor.events.clear()
    monitor.command("device_del", id="plug")
    end = time.monotonic() + 30
    while not any(event["event"] == "DEVICE_DELETED" for event in monitor.events):
        if not monitor.poll(0.2) or time.monotonic() > end:
            raise ConnectionError("the device was not given back")


def run_plug(tree, name, inspect, **properties):
    image = HERE / "plug.img"
    guest.make_disk(image, 1)
    when = [(f"init: waiting for {what} {turn}", action) for turn in range(1, PLUGS + 1)
            for what, action in (("plug", plug), ("unplug", unplug))]
    args = ["-blockdev", f"driver=raw,node-name=plug,file.driver=file,file.filename={image}"]
    return run_unit(tree, name, inspect, f"{TRANSLATED} {PORTS_STAY_AWAKE}", "DMA", more=args,
                    devices=["pcie-root-port,id=rp2,chassis=3", *FILLERS],
                    also=[f"plug {PLUGS} {PLUGGED} DMA vdb"], how=dict(when=when), **properties)


@row("iommu-plug", "a disk that comes and goes behind a root port: it is translated each time",
     zone="root")
def plugged(tree):
    return run_plug(tree, "iommu-plug", translates)


@row("iommu-old-plug", "the same with a unit of revision 0", zone="root")
def old_plugged(tree):
    return run_plug(tree, "iommu-old-plug", translates_and_flushes_all, revision=0)


# --------------------------------------------------------- virtual functions

VFS = "0000:02:10.0 0000:02:10.2"


@row("iommu-vfs", "virtual functions of igb, each with a domain of its own, send frames",
     zone="root")
def vfs(tree):
    return run_unit(tree, "iommu-vfs", translates, TRANSLATED, "DMA",
                    also=[f"vfs {IGB_FUNCTION} DMA {VFS}"])


@row("iommu-old-vfs", "the same with a unit of revision 0, to which they are one with igb",
     zone="root")
def old_vfs(tree):
    function = VFS.split()[0]
    return run_unit(tree, "iommu-old-vfs", translates_and_flushes_all, TRANSLATED, "DMA",
                    also=[f"vfs {IGB_FUNCTION} DMA {VFS}",
                          rows_iommu.with_port(function, "0000:00:02.0")], revision=0)


# ------------------------------------------------------ a kernel that follows

WAITS = "init: waiting for the next kernel"
CRASH_MEMORY = "crashkernel=256M"
DISKS = "nvme0n1,vda"
FIRST = ["cpus 2", domain_of("0000:01:00.0", "DMA")]


def count_anew(monitor):
    monitor.command("qom-set", path="/machine/peripheral/iommu", property="counters", value="")


def nothing_physical(counters):
    """Accesses that are refused are those that were on their way."""
    return complaint({**counters, "faults": 0}, (not counters["walks"], "no device was translated"),
                     (counters["identities"], "devices accessed memory without translation"))


def run_next(tree, name, last, revision=1, said=(), words="", crashes=False):
    """A kernel that is started by UEFI, and by its @last check the same once more."""
    how = dict(before=[*FIRST, f"{last} {command_line()}"], when=[(WAITS, count_anew)],
               crashes=crashes)
    return run_table(tree, name, None, nothing_physical, said, translated(), revision, words, how)


def run_kexec(tree, name, **what):
    """Devices stop before, and the unit with them: it is found as after a reset."""
    outcome = run_next(tree, name, "kexec", **what)
    if outcome.ok and any(LEFT_IS_SEEN in line for line in outcome.lines):
        return outcome._replace(ok=False, reason="the unit was left on")
    return outcome


def run_crash(tree, name, **what):
    return run_next(tree, name, f"crash {DISKS}", said=[LEFT_IS_SEEN], words=CRASH_MEMORY,
                    crashes=True, **what)


@row("iommu-kexec", "a kernel that follows another one: nothing is accessed physically in between",
     zone="root")
def kexec(tree):
    return run_kexec(tree, "iommu-kexec")


@row("iommu-old-kexec", "the same with a unit of revision 0", zone="root")
def old_kexec(tree):
    return run_kexec(tree, "iommu-old-kexec", revision=0)


@row("iommu-crash", "a kernel that follows one that crashed, while disks read: the same",
     zone="root")
def crash(tree):
    return run_crash(tree, "iommu-crash")


@row("iommu-old-crash", "the same with a unit of revision 0", zone="root")
def old_crash(tree):
    return run_crash(tree, "iommu-old-crash", revision=0)
