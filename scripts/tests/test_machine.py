# SPDX-License-Identifier: GPL-2.0-only
"""The test machine's source is verified, and only a build of what qemu/ has counts."""
import pathlib
import tempfile
import unittest
from unittest import mock

from wb import core, machine, qemu, series

from .test_qemu import POWER_OFF, TOKEN, load, say


@unittest.skipUnless(machine.binary(), "the test machine was not built (make qemu)")
class Properties(unittest.TestCase):
    BAD = {
        "hvisor,revision=c": "revision 'c' is neither a nor b",
        "hvisor,services=0x80": "services 0x80: there are 0x7f",
        "hvisor,cpu=5": "cpu 5: the machine has 5",
        "hvisor,cpu=4": "cpu 4: vectors are routed to cores 0 to 3",
        "hvisor,signature=ABCDE": "signature 'ABCDE' has more than 4 characters",
        "hvisor,timer-noise=2000000": "timer-noise 2000000 is more than a million a second",
        "hvisor,first-vector=256": "vectors 48 from 256 on: there are 256",
        "hvisor,vectors=145": "vectors 145 from 112 on: there are 256",
        "loongarch-iommu,device-id=0x1234": "device-id must be 0x7a1f or 0x3c0f, not 0x1234",
        "loongarch-iommu,commit=never": "commit must be write or cmd, not never",
        "loongarch-iommu,busy-polls=1000001": "busy-polls must be 1000000 at most",
        "ls7a-config,view=x": "view 'x' is none of board, zone, ghosts",
    }

    def test_out_of_range(self):
        for device, said in self.BAD.items():
            with self.subTest(device=device), self.assertRaisesRegex(core.Failure, said):
                core.run([machine.binary(), *qemu.machine(smp=5), "-device", device], timeout=20)


ZERO, A0, A1, A2, T0, T1, T2 = 0, 4, 5, 6, 12, 13, 14
ECFG, ESTAT, TCFG = 0x4, 0x5, 0x41
SWI0, TIMER = 1 << 0, 1 << 11
IDLE, HVCL = 0x06488000, 0x002b8000
TICKS_PER_MS = 100000


def add(rd, rj, rk):
    return [0x00108000 | rk << 10 | rj << 5 | rd]


def set_csr(csr, value):
    return [*load(T0, value), 0x04000020 | csr << 10 | T0]


def read_counter(rd):
    return [0x00006800 | rd]


def hypercall(code, arg0=(qemu.move(A1, ZERO),)):
    """@arg0 has instructions that set a1."""
    return [*arg0, qemu.move(A2, ZERO), qemu.ori(A0, ZERO, code), HVCL]


MINUS_ONE = [0x02c00000 | 0xfff << 10 | ZERO << 5 | A1]        # addi.d a1, zero, -1


def write_iocsr_d(address, high, low):
    shift, both = 0x00410000 | 32 << 10 | T1 << 5 | T1, 0x00150000 | T2 << 10 | T1 << 5 | T1
    return [*load(T0, address), *load(T1, high), shift, *load(T2, low), both,
            0x06481c00 | T0 << 5 | T1]


def stop_unless_equal(rj, rd):
    return [qemu.beq(rj, rd, 8), qemu.branch_to_self()]


def stop_unless_less(rj, rd):
    """By less than 2^63, unsigned."""
    return [0x68000000 | 2 << 10 | rj << 5 | rd, qemu.branch_to_self()]


@unittest.skipUnless(machine.binary(), "the test machine was not built (make qemu)")
class Model(unittest.TestCase):
    """Guests of a few instructions, which say the token if all is as it should be."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        patcher = mock.patch.dict("os.environ", QEMU=str(machine.binary()))
        patcher.start()
        self.addCleanup(patcher.stop)

    def run_guest(self, instructions, smp=1, cpu=0, **properties):
        """What it accessed, by (space, address)."""
        rom, seen = self.dir / "rom", {}
        here = [qemu.csrrd(T0, qemu.CPUID), qemu.ori(T1, ZERO, cpu),
                *stop_unless_equal(T0, T1)]
        rom.write_bytes(qemu.rom([*here, *instructions, *say(TOKEN), *POWER_OFF]))
        outcome = qemu.boot([*qemu.machine(smp), "-bios", rom, *machine.hypervisor(**properties)],
                            self.dir / "log", TOKEN, 5,
                            inspect=lambda monitor: seen.update(monitor.accesses()))
        self.assertTrue(outcome.ok, outcome.reason)
        return seen

    def test_software_interrupt_ends_idle(self):
        self.run_guest([*set_csr(ECFG, SWI0), *set_csr(ESTAT, SWI0), IDLE], idle_returns="off")

    def test_what_a_core_sends_is_not_filtered_but_seen(self):
        read = [*load(T0, 0x1c00), 0x06480800 | T0 << 5 | T1]
        seen = self.run_guest([*qemu.write_iocsr(0x1c00, 0x04040404),
                               *write_iocsr_d(0x1158, 0x01020304, 0x1c00),
                               *read, *load(T0, 0x01020304), *stop_unless_equal(T0, T1)])
        self.assertEqual(seen["iocsr", 0x1c00], (1, 1, 1))
        self.assertEqual(seen["iocsr", 0x1158], (0, 1, 0))
        self.assertEqual(seen["sent", 0x1c00], (0, 1, 0))

    def test_wait_without_a_deadline_forgets_an_earlier_one(self):
        soon = [*read_counter(A1), *load(T1, 20 * TICKS_PER_MS), *add(A1, A1, T1)]
        self.wait_for_the_timer(soon, [qemu.move(A1, ZERO)])

    def test_wait_until_the_end_of_time(self):
        self.wait_for_the_timer([qemu.move(A1, ZERO)], MINUS_ONE)

    def wait_for_the_timer(self, first, second):
        """A wait that an interrupt ends at once, one that the timer ends after 50 ms."""
        self.run_guest([*set_csr(ECFG, SWI0 | TIMER), *set_csr(ESTAT, SWI0),
                        *hypercall(0x103, first), *set_csr(ESTAT, 0),
                        *set_csr(TCFG, 50 * TICKS_PER_MS | 1), *read_counter(8),
                        *hypercall(0x103, second), *read_counter(9),
                        *load(T0, 40 * TICKS_PER_MS), *add(8, 8, T0), *stop_unless_less(8, 9)],
                       services=4)

    def test_wait_with_a_deadline_on_another_core(self):
        einval = [qemu.ori(T0, ZERO, 22), *add(A0, A0, T0), *stop_unless_equal(A0, ZERO)]
        self.run_guest([*hypercall(0x103, [qemu.ori(A1, ZERO, 1)]), *einval], smp=2, cpu=1,
                       services=4)

    def test_calls_that_a_zone_does_not_have(self):
        address = [*load(A1, 0x1000)]
        for revision, refused in ("a", {1, 8, 9, 11, 0x100}), ("b", {1, 8, 11, 20, 0x100}):
            seen = self.run_guest([i for code in (1, 4, 5, 6, 8, 9, 11, 20, 0x100)
                                   for i in hypercall(code, address)], revision=revision)
            with self.subTest(revision=revision):
                self.assertEqual({code for (space, code), counts in seen.items()
                                  if space == "call" and counts[2]}, refused)


class Machine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        (self.dir / "qemu/patches").mkdir(parents=True)
        self.bases = self.dir / "qemu/patches/BASES"
        self.pin("0" * 64)
        for name, value in (("ROOT", self.dir / "qemu"), ("OUT", self.dir / "out"),
                            ("BUILD", self.dir / "build"), ("LOGS", self.dir / "log")):
            self.patch(machine, name, value)
        self.patch(core, "STAMPS", self.dir / "stamp")

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def pin(self, sha256):
        self.bases.write_text(f"10.0\n  package qemu\n  version 1:1-1\n  suite trixie\n"
                              f"  sha256 {sha256}\n")

    def fake_download(self, *args, **kw):
        path = self.dir / "dl/qemu_1-1.dsc"
        path.parent.mkdir(exist_ok=True)
        path.write_text("Format: 3.0 (quilt)\n")
        return path

    def fake_build(self):
        """What a build leaves behind when it is done."""
        machine.OUT.mkdir()
        (machine.OUT / machine.NAME).write_text("#!/bin/sh\n")
        core.stamp("qemu", machine.build_key())

    def test_wrong_source_is_refused_and_removed(self):
        with mock.patch("wb.source.download", self.fake_download), \
                self.assertRaisesRegex(core.Failure, "qemu/patches/BASES says 000"):
            machine.fetch()
        self.assertFalse((self.dir / "dl").exists())

    def test_right_source(self):
        self.pin(machine.source.file_digest(self.fake_download()))
        with mock.patch("wb.source.download", self.fake_download):
            self.assertEqual(machine.fetch().name, "qemu_1-1.dsc")

    def test_not_built(self):
        self.assertIsNone(machine.binary())

    def test_built(self):
        self.fake_build()
        self.assertEqual(machine.binary(), machine.OUT / machine.NAME)

    def test_a_build_of_other_patches_is_none(self):
        self.fake_build()
        (self.dir / "qemu/patches/0001-x.patch").write_text("new")
        self.assertIsNone(machine.binary())

    def test_a_build_that_fails_leaves_the_installed_qemu(self):
        self.fake_build()
        (self.dir / "qemu/patches/0001-x.patch").write_text("new")
        failure = core.Failure("building QEMU")
        with mock.patch.object(machine, "unpack"), mock.patch.object(series, "apply"), \
                mock.patch.object(machine, "configure"), \
                mock.patch.object(core, "run", side_effect=[machine.compiler(), failure]), \
                self.assertRaisesRegex(core.Failure, "building QEMU"):
            machine.build()
        self.assertIsNone(machine.binary())
        with mock.patch.object(qemu, "BINARY", "true"), \
                self.assertRaisesRegex(core.Failure, "true does not tell its version"):
            qemu.find()

    def test_the_built_one_is_used(self):
        self.fake_build()
        path = machine.OUT / machine.NAME
        path.write_text("#!/bin/sh\necho QEMU emulator version 10.0.13\n")
        path.chmod(0o755)
        with mock.patch.dict("os.environ", QEMU=""):
            self.assertEqual(qemu.find(), str(path))
            self.assertTrue(qemu.is_test_machine())

    def test_another_is_not_the_test_machine(self):
        self.fake_build()
        other = self.dir / "other"
        other.write_text("#!/bin/sh\necho QEMU emulator version 10.0.13\n")
        other.chmod(0o755)
        with mock.patch.dict("os.environ", QEMU=str(other)):
            self.assertFalse(qemu.is_test_machine())
