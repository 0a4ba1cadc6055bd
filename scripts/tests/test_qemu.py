# SPDX-License-Identifier: GPL-2.0-only
"""How runs of a virtual machine are judged: guests that are a few instructions
long, in a real QEMU, each of which ends in another way."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from unittest import mock

from wb import core, qemu

TOKEN = "init: all checks passed 1234"
UART, POWER, RESET = 0x1fe001e0, 0x100e001c, 0x100e001e
A1 = 5


def st_b(rd, rj):
    return 0x29000000 | rj << 5 | rd


def load(reg, value):
    return [qemu.lu12i_w(reg, value >> 12), qemu.ori(reg, reg, value & 0xfff)]


def store(address, byte):
    return [*load(qemu.T0, address), qemu.ori(qemu.A0, 0, byte), st_b(qemu.A0, qemu.T0)]


def say(text):
    return [word for byte in (text + "\n").encode() for word in store(UART, byte)]


def tell_core():
    """Prints CSR.CPUID as a digit."""
    return [*load(qemu.T0, UART), qemu.csrrd(A1, qemu.CPUID), qemu.ori(A1, A1, ord("0")),
            st_b(A1, qemu.T0)]


POWER_OFF = [*store(POWER, 0x34), qemu.branch_to_self()]
REBOOT = [*store(RESET, 0x42), qemu.branch_to_self()]
HANG = [qemu.branch_to_self()]


class Scratch(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)


@unittest.skipUnless(shutil.which(qemu.BINARY), f"{qemu.BINARY} is not installed")
class Guests(Scratch):
    def boot(self, instructions, timeout=10, **kw):
        rom = self.dir / "rom"
        rom.write_bytes(qemu.rom(instructions))
        return qemu.boot([*qemu.machine(), "-bios", rom], self.dir / "log", TOKEN, timeout, **kw)

    def test_power_off_with_token_passes(self):
        outcome = self.boot([*say(TOKEN), *POWER_OFF])
        self.assertEqual(outcome.reason, "")
        self.assertTrue(outcome.ok)
        self.assertIn(TOKEN, outcome.lines)

    def test_no_token_fails(self):
        outcome = self.boot([*say("init: all checks passed"), *POWER_OFF])
        self.assertFalse(outcome.ok)
        self.assertIn("no \"init: all checks passed 1234\"", outcome.reason)

    def test_failed_check_is_named(self):
        outcome = self.boot([*say("[    1.0] init: cpus 2 FAIL 1 are online"), *POWER_OFF])
        self.assertEqual(outcome.reason, "init: cpus 2 FAIL 1 are online")

    def test_hang_fails(self):
        outcome = self.boot([*say(TOKEN), *HANG], timeout=1)
        self.assertEqual(outcome.reason, "no end after 1 s")

    def test_reset_fails(self):
        outcome = self.boot([*say(TOKEN), *REBOOT])
        self.assertEqual(outcome.reason, "the guest reset the machine")

    def test_panic_fails_without_waiting(self):
        outcome = self.boot([*say(TOKEN), *say("Kernel panic - not syncing: test"), *HANG], 60)
        self.assertIn("the guest panicked", outcome.reason)
        self.assertLess(outcome.seconds, 20)

    def test_panic_that_was_asked_for_is_not_the_end(self):
        panic = "Kernel panic - not syncing: test"
        outcome = self.boot([*say(panic), *say(TOKEN), *POWER_OFF], crashes=True,
                            baseline=[panic])
        self.assertTrue(outcome.ok, outcome.reason)
        outcome = self.boot([*say(panic), *say(TOKEN), *POWER_OFF], crashes=True)
        self.assertEqual(outcome.reason, f"on the console: {panic}")

    def test_host_acts_when_it_is_asked(self):
        seen = []
        when = [("one", lambda monitor: seen.append("one")),
                ("two", lambda monitor: monitor.command("system_reset"))]
        outcome = self.boot([*say("two"), *say("one"), *say(TOKEN), *HANG], when=when)
        self.assertEqual(outcome.reason, "the machine ended by host-qmp-system-reset")
        self.assertEqual(seen, ["one"])

    def test_host_that_is_not_asked_is_missed(self):
        outcome = self.boot([*say(TOKEN), *POWER_OFF], when=[("one", lambda monitor: None)])
        self.assertEqual(outcome.reason, "the console never had 'one'")

    def test_splat_fails(self):
        outcome = self.boot([*say("WARNING: kernel/x.c:1"), *say(TOKEN), *POWER_OFF])
        self.assertEqual(outcome.reason, "on the console: WARNING: kernel/x.c:1")

    def test_inspection_counts(self):
        seen = []
        outcome = self.boot([*say(TOKEN), *POWER_OFF],
                            inspect=lambda monitor: seen.append(monitor.registers()) or "bad")
        self.assertEqual(outcome.reason, "bad")
        self.assertIn("PC", seen[0])

    def test_bad_argument_fails(self):
        outcome = qemu.boot(["-no-such-option"], self.dir / "log", TOKEN, 5)
        self.assertIn("QEMU did not start", outcome.reason)

    def test_words_and_blob_reach_memory(self):
        rom, data = self.dir / "rom", self.dir / "data"
        ld_bu = 0x2a000000 | qemu.T0 << 5 | qemu.A0         # ld.bu a0, t0, 0
        show = [ld_bu, *load(A1, UART), st_b(qemu.A0, A1)]
        rom.write_bytes(qemu.rom([*load(qemu.T0, 0x1000), *show, *load(qemu.T0, 0x2004), *show,
                                  *say(TOKEN), *POWER_OFF]))
        data.write_bytes(b"f")
        args = [*qemu.machine(), "-bios", rom, *qemu.blob(data, 0x1000),
                *qemu.words(0x2000, {4: ord("w")})]
        outcome = qemu.boot(args, self.dir / "log", TOKEN, 10)
        self.assertTrue(outcome.ok, outcome.reason)
        self.assertEqual(outcome.lines[0], "fw" + TOKEN)

    def test_boot_on_another_core(self):
        # Of an ELF file QEMU starts core 0 alone.
        elf = self.dir / "elf"
        elf.write_bytes(tiny_elf([*tell_core(), *say(TOKEN), *POWER_OFF]))
        for cpu in (0, 2):
            outcome = qemu.boot([*qemu.machine(smp=3), "-kernel", elf], self.dir / "log", TOKEN,
                                10, boot_cpu=cpu)
            self.assertTrue(outcome.ok, outcome.reason)
            self.assertEqual(outcome.lines[0], f"{cpu}{TOKEN}")

    def test_rom_enters_on_the_named_core(self):
        code, rom = self.dir / "code", self.dir / "rom"
        code.write_bytes(qemu.rom([*tell_core(), *say(TOKEN), *POWER_OFF]))
        for cpu in (0, 2):
            rom.write_bytes(qemu.entry_rom(0x2000, cpu))
            outcome = qemu.boot([*qemu.machine(smp=3), "-bios", rom, *qemu.blob(code, 0x2000)],
                                self.dir / "log", TOKEN, 10)
            self.assertTrue(outcome.ok, outcome.reason)
            self.assertEqual(outcome.lines[0], f"{cpu}{TOKEN}")


def tiny_elf(instructions, address=0x200000):
    """An ELF executable for LoongArch with one segment, the instructions."""
    code = struct.pack(f"<{len(instructions)}I", *instructions)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 258, 1, address, 64, 0, 0x43, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 120, address, address, len(code), len(code), 4)
    return header + segment + code


class Find(Scratch):
    def fake(self, version):
        path = self.dir / "qemu"
        path.write_text(f"#!/bin/sh\necho '{version}'\n")
        path.chmod(0o755)
        return mock.patch.dict(os.environ, QEMU=str(path))

    def test_new_enough(self):
        with self.fake("QEMU emulator version 10.0.2 (Debian)"):
            self.assertEqual(qemu.find(), str(self.dir / "qemu"))

    def test_too_old(self):
        with self.fake("QEMU emulator version 7.2.22"), \
                self.assertRaisesRegex(core.Failure, "is version 7.2, 10.0 or newer is needed"):
            qemu.find()

    def test_not_qemu(self):
        with self.fake("hello"), self.assertRaisesRegex(core.Failure, "does not tell"):
            qemu.find()

    def test_missing(self):
        with mock.patch.dict(os.environ, QEMU=str(self.dir / "none")), \
                self.assertRaisesRegex(core.Failure, "is not installed"):
            qemu.find()


class Scan(Scratch):
    SPLATS = [
        "[    0.5] WARNING: kernel/irq/chip.c:12 at x+0x1/0x2",
        "[    0.5][    T1] BUG: KASAN: slab-out-of-bounds in f",
        "[    1.0] rcu: INFO: rcu_sched self-detected stall on CPU",
        "[    1.0] WARNING: possible circular locking dependency detected",
        "[    1.0] irq 22: nobody cared (try booting with the \"irqpoll\" option)",
        "[    0.0] Unknown kernel command line parameters \"nohlt\", will be passed to user space.",
        "[    1.0] CPU 0 Unable to handle kernel paging request at virtual address 0",
        "[    9.0] INFO: task init:1 blocked for more than 10 seconds.",
        "[    9.0] Call Trace:",
        "[    9.0] UBSAN: shift-out-of-bounds in x.c:1:2",
        "[    9.0] nvme nvme0: I/O tag 0 (1000) QID 0 timeout, completion polled",
    ]
    CLEAN = [
        "[    0.0] Linux version 7.3.4",
        "[    0.0] rcu: Preemptible hierarchical RCU implementation.",
        "[    0.1] KASAN is not enabled",
        "[    0.1] Kernel command line: console=ttyS0 panic_on_oops=1 oops=panic",
        "ok 1 warning_counts",
    ]

    def test_each_splat_is_seen(self):
        for line in self.SPLATS:
            with self.subTest(line):
                self.assertEqual(qemu.scan(f"a\n{line}\r\nb\n", allow=[]), [line])

    def test_clean_lines_pass(self):
        self.assertEqual(qemu.scan("\n".join(self.CLEAN), allow=[]), [])

    def test_allowed_lines_pass(self):
        allow = [re.compile(r"irq \d+: nobody")]
        self.assertEqual(qemu.scan("\n".join(self.SPLATS[4:6]), allow=allow), self.SPLATS[5:6])

    def test_baseline_is_subtracted_whatever_its_numbers(self):
        old = "[    7.1][    T9] WARNING: kernel/irq/chip.c:14 at x+0xa/0xb"
        for base in (qemu.scan(old, allow=[]), [qemu.normal(old)]):
            self.assertEqual(qemu.scan(self.SPLATS[0], base, allow=[]), [])
            self.assertEqual(qemu.scan(self.SPLATS[1], base, allow=[]), [self.SPLATS[1]])

    def test_allow_list_of_the_repository(self):
        self.assertIsInstance(qemu.allowed(), list)

    def test_allow_list_wants_reasons(self):
        path = self.dir / "allow"
        path.write_text("# comment\n\nnobody cared\tthe test raises it\n")
        self.assertEqual(len(qemu.allowed(path)), 1)
        for bad in ("nobody cared\n", "nobody cared\t \n", "(\treason\n"):
            path.write_text(bad)
            with self.subTest(bad), self.assertRaisesRegex(core.Failure, "allow:1: "):
                qemu.allowed(path)


@unittest.skipUnless(shutil.which("llvm-mc-19"), "llvm-mc-19 is not installed")
class Rom(unittest.TestCase):
    def assemble(self, source):
        out = subprocess.run(["llvm-mc-19", "--triple=loongarch64", "--show-encoding"],
                             input=source, capture_output=True, text=True, check=True).stdout
        return b"".join(bytes(int(b, 16) for b in m.split(","))
                        for m in re.findall(r"encoding: \[([^]]*)\]", out))

    def test_entry(self):
        for entry, cpu in (0x59a000, 0), (0xc0dff004, 2), (0x100dff008, 3):
            source = ["csrrd $t0, 0x20", f"ori $t1, $zero, {cpu}", "beq $t0, $t1, 8", "b 0"]
            source += [f"lu12i.w $t0, {(entry >> 12 & 0xfffff) - (entry >> 12 & 0x80000) * 2}",
                      f"ori $t0, $t0, {entry & 0xfff}", f"lu32i.d $t0, {entry >> 32}"]
            source += [f"move $r{reg}, $zero" for reg in range(1, 32) if reg != 12]
            want = self.assemble("\n".join([*source, "jr $t0", ""]))
            with self.subTest(hex(entry)):
                rom = qemu.entry_rom(entry, cpu)
                self.assertEqual(rom[:len(want)], want)
                self.assertFalse(rom[len(want):].strip(b"\0"))

    def test_entry_with_iocsrs(self):
        rom = qemu.entry_rom(0x2000, 0, [(0x1c04, 0x80402010)])
        self.assertIn(self.assemble("lu12i.w $t0, 1\nori $t0, $t0, 0xc04\n"
                                    "lu12i.w $t1, -523262\nori $t1, $t1, 0x10\n"
                                    "iocsrwr.w $t1, $t0\n"), rom)

    def test_branch_to_self(self):
        self.assertEqual(qemu.rom([qemu.branch_to_self()])[:4], self.assemble("b 0\n"))


if __name__ == "__main__":
    unittest.main()
