# SPDX-License-Identifier: GPL-2.0-only
"""The parts of a boot that can be tried without a kernel."""
import pathlib
import re
import shutil
import tempfile
import unittest
from unittest import mock

from wb import boot, core, guest, qemu, zones

HAVE_TOOLS = shutil.which(qemu.BINARY) and shutil.which("dtc")


class Scratch(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        for module in boot, guest, zones:
            patch = mock.patch.object(module, "HERE", self.dir)
            self.addCleanup(patch.stop)
            patch.start()


class Disks(Scratch):
    def write(self, path, offset, data):
        with open(path, "r+b") as stream:
            stream.seek(offset)
            stream.write(data)

    def test_round_trip(self):
        disk = boot.nvme("root")
        disk.make()
        self.write(disk.path, 0, guest.pattern(disk.seed + 1))
        self.assertEqual(guest.check_disk(disk.path, disk.seed), "")

    def test_nothing_written(self):
        disk = boot.nvme("root")
        disk.make()
        self.assertIn("does not hold", guest.check_disk(disk.path, disk.seed))

    def test_one_byte_differs(self):
        disk = boot.nvme("root")
        for offset, reason in (zones.MIB - 1, "does not hold"), (zones.MIB, "the guest changed"):
            disk.make()
            self.write(disk.path, 0, guest.pattern(disk.seed + 1))
            data = bytes([disk.path.read_bytes()[offset] ^ 1])
            self.write(disk.path, offset, data)
            with self.subTest(offset):
                self.assertIn(reason, guest.check_disk(disk.path, disk.seed))

    def test_pattern(self):
        stream = guest.pattern(7, 64)
        step = 0x9e3779b97f4a7c15
        for at in range(8):
            word = (7 + at) * step % 2**64
            self.assertEqual(stream[at * 8:at * 8 + 8], (word ^ word >> 29).to_bytes(8, "little"))
        self.assertNotEqual(stream, guest.pattern(8, 64))


class Entry(Scratch):
    def test_of_elf(self):
        elf = self.dir / "elf"
        elf.write_bytes(b"\x7fELF\x02\x01\x01".ljust(24, b"\0")
                        + (0x9000000000d8c000).to_bytes(8, "little") + bytes(32))
        self.assertEqual(zones.elf_entry(elf), 0xd8c000)

    def test_of_something_else(self):
        elf = self.dir / "elf"
        for content in b"", b"MZ" + bytes(62), b"\x7fELF\x01" + bytes(59):
            elf.write_bytes(content)
            with self.subTest(content), self.assertRaisesRegex(core.Failure, "not a 64-bit ELF"):
                zones.elf_entry(elf)

    def test_device_tree_takes_the_room_that_the_image_has(self):
        image = zones.with_device_tree(b"code" + zones.ROOM + b"data", b"tree")
        self.assertEqual(image, b"code" + b"tree".ljust(len(zones.ROOM), b"\0") + b"data")

    def test_device_tree_that_does_not_fit(self):
        with self.assertRaisesRegex(core.Failure, "a device tree of 16385 bytes does not fit"):
            zones.with_device_tree(zones.ROOM, bytes(len(zones.ROOM) + 1))

    def test_image_with_no_room_or_too_much(self):
        for image, count in (b"code", 0), (zones.ROOM * 2, 2):
            with self.assertRaisesRegex(core.Failure, f"has {count} places for a device tree"):
                zones.with_device_tree(image, b"tree")

    def test_junk_is_a_bad_command_line(self):
        self.assertGreater(len(boot.JUNK), 4096)
        self.assertNotIn(0, boot.JUNK)


@unittest.skipUnless(HAVE_TOOLS, "QEMU or dtc is not installed")
class DeviceTree(Scratch):
    def source(self, zone, edits, **machine):
        zones.device_tree(zone, edits, **machine)
        return core.run(["dtc", "-q", "-I", "dtb", "-O", "dts", self.dir / zone / "qemu.dtb"])

    def test_root(self):
        text = self.source("root", zones.ROOT_EDITS, **zones.ROOT_MACHINE)
        self.assertIn("hvisor root zone on QEMU", text)
        self.assertEqual(text.count('device_type = "cpu"'), 2)
        self.assertNotIn("rng-seed", text)
        cells = re.search(r"interrupt-map = <([^>]*)>", text)[1].split()
        self.assertEqual(len(cells), 16 * 7)
        # Slot 1, pin 1: the second line, level high.
        self.assertEqual([int(c, 16) for c in cells[28:32] + cells[33:35]], [0x800, 0, 0, 1, 17, 4])

    def test_nonroot(self):
        text = self.source("nonroot", zones.NONROOT_EDITS, **zones.NONROOT_MACHINE)
        memory = re.findall(r"memory@(\w+) \{.*?reg = <([^>]*)>", text, re.S)
        self.assertEqual(memory, [("c0200000", "0x00 0xc0200000 0x00 0x1fe00000")])
        self.assertIn(f'bootargs = "{zones.CONSOLE}"', text)
        self.assertEqual(text.count('device_type = "cpu"'), 1)

    def test_same_tree_twice(self):
        one = self.source("nonroot", zones.NONROOT_EDITS, **zones.NONROOT_MACHINE)
        self.assertEqual(one, self.source("nonroot", zones.NONROOT_EDITS, **zones.NONROOT_MACHINE))

    def test_edit_of_a_missing_node(self):
        with self.assertRaisesRegex(core.Failure, "compiling .*qemu.dts"):
            zones.device_tree("root", "&{/nothing} { a; };", **zones.ROOT_MACHINE)


class Remarks(unittest.TestCase):
    WARNING = ("arch/loongarch/boot/dts/loongson-3a6000-hvisor.dtsi:33.32-37.4: Warning "
               "(unit_address_vs_reg): /bus@10000000/pic: node has a reg but no unit name")

    def test_warning_is_seen(self):
        text = "$ make loongson-3a6000-hvisor-root.dtb\n  DTC     loongson-3a6000-hvisor-root.dtb\n"
        self.assertEqual(zones.remarks(text + self.WARNING), [self.WARNING])

    def test_kbuild_and_other_boards_are_not_ours(self):
        text = ("$ make loongson-3a6000-hvisor-root.dtb\n"
                "  DTC [C] arch/loongarch/boot/dts/loongson-3a6000-hvisor-root.dtb\n"
                "arch/loongarch/boot/dts/loongson-2k2000.dtsi:1.1: Warning (x): y\n")
        self.assertEqual(zones.remarks(text), [])


class Report(unittest.TestCase):
    def rows(self, outcome):
        with mock.patch.object(core, "results", core.Results()), mock.patch("builtins.print"):
            boot.report("boot-root", outcome)
            return [(r["name"], r["status"]) for r in core.results.rows]

    def test_good(self):
        lines = ["[ 1.0] init: cpus 2 ok timer interrupts 3", "[ 1.1] init: disk vda x 1 ok y"]
        self.assertEqual(self.rows(qemu.Outcome(True, "", 1.0, lines)),
                         [("cpus", "passed"), ("disk vda", "passed"), ("boot", "passed")])

    def test_bad(self):
        lines = ["[ 1.0] init: cpus 2 FAIL 1 are online"]
        self.assertEqual(self.rows(qemu.Outcome(False, "cpus", 1.0, lines)), [("boot", "failed")])


if __name__ == "__main__":
    unittest.main()
