# SPDX-License-Identifier: GPL-2.0-only
"""scripts/board/iommu-report, on boards that are directories."""
import importlib.machinery
import importlib.util
import io
import pathlib
import struct
import tempfile
import unittest

from wb import acpi
from wb.core import ROOT

PROGRAM = ROOT / "scripts/board/iommu-report"


def load():
    loader = importlib.machinery.SourceFileLoader("iommu_report", str(PROGRAM))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("iommu_report", loader))
    loader.exec_module(module)
    return module


report = load()


class Board(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.write("/proc/cmdline", "quiet")
        self.write("/proc/cpuinfo", "processor : 0\n")
        self.write("/proc/iomem", "00200000-0fffffff : System RAM\n")

    def write(self, name, content):
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def function(self, name, below="", vendor=0x0014, device=0x7a1f, revision=0, command=6):
        real = f"/sys/devices/pci0000:00/{below}{name}"
        config = bytearray(64)
        struct.pack_into("<HHH", config, 0, vendor, device, command)
        config[8], config[61] = revision, 1
        for file, content in (("vendor", f"{vendor:#06x}"), ("device", f"{device:#06x}"),
                              ("class", "0x080600"), ("irq", "64"), ("config", bytes(config)),
                              ("resource", "0x60000000 0x600003ff 0x140204\n" * 6)):
            self.write(f"{real}/{file}", content)
        link = self.root / "sys/bus/pci/devices" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self.root / real.lstrip("/"))
        return real

    def lines(self, **options):
        out = io.StringIO()
        report.report(report.Board(self.root, out), **options)
        return out.getvalue()

    def test_board_without_a_unit(self):
        text = self.lines()
        self.assertIn("none: firmware may hide it", text)
        self.assertIn("System RAM", text)
        self.assertTrue(text.endswith("== end\n"))

    def test_revision_decides(self):
        self.function("0000:00:1a.0", revision=0)
        self.assertIn("revision 0 has its tables in its BAR 2", self.lines())
        self.function("0000:00:1b.0", revision=1)
        self.assertIn("from revision 1 on", self.lines())

    def test_interrupts_of_units_are_shown(self):
        self.write("/proc/interrupts", "  CPU0\n 21: 9 x\n")
        self.assertIn("== interrupts of units\n  none\n", self.lines())
        self.write("/proc/interrupts", "  CPU0\n 20: 7 PCH PIC 16 loongarch-iommu\n 21: 9 x\n")
        self.assertIn("== interrupts of units\n  20: 7 PCH PIC 16 loongarch-iommu\n==",
                      self.lines())

    def test_who_is_behind_whom(self):
        port = self.function("0000:00:09.0", device=0x7a19)
        self.function("0000:01:00.0", below=port.rsplit("/", 1)[1] + "/", vendor=0x8086)
        self.assertRegex(self.lines(), r"0000:01:00\.0 8086:7a1f .* below 0000:00:09\.0")

    def registers(self, **values):
        words = [0x5a5a5a5a] * (0x140 // 4)
        for name, value in values.items():
            words[dict(report.REGISTERS)[name] // 4] = value
        return struct.pack("<80I", *words)

    def test_registers_only_if_asked_for(self):
        real = self.function("0000:00:1a.0")
        self.write(f"{real}/resource0", self.registers(CTRL=0xa0000000, EIVDB=0))
        self.assertNotIn("CTRL", self.lines())
        text = self.lines(with_registers=True)
        self.assertIn("CTRL 0xa0000000", text)
        self.assertIn("CTRL bit 31 1, EIVDB bit 31 0", text)

    def test_domain_that_is_set_up(self):
        real = self.function("0000:00:1a.0")
        content = bytearray(self.registers())
        struct.pack_into("<I", content, 0x0a0 + 4 * 3, report.DIR_CTRL)
        struct.pack_into("<II", content, 0x020 + 8 * 3, 0x4000, 0)
        self.write(f"{real}/resource0", bytes(content))
        text = self.lines(with_registers=True)
        self.assertIn("domain 3 is set up, root 0x4000 (an offset, or low memory)", text)
        self.assertNotIn("domain 2 is", text)

    def test_registers_that_nobody_decodes(self):
        real = self.function("0000:00:1a.0", command=0)
        self.write(f"{real}/resource0", self.registers())
        self.assertIn("does not decode memory", self.lines(with_registers=True))

    def test_registers_that_can_not_be_read(self):
        self.function("0000:00:1a.0")
        self.assertIn("can't be read", self.lines(with_registers=True))
        real = self.function("0000:00:1b.0")
        self.write(f"{real}/resource0", b"\xff" * 0x140)
        self.assertIn("no power, or is not there", self.lines(with_registers=True))

    def test_iovt(self):
        self.write("/sys/firmware/acpi/tables/IOVT", acpi.iovt(acpi.unit(
            0xd0, flags=acpi.PCI | acpi.WHOLE_SEGMENT | acpi.MSI_BYPASS)))
        text = self.lines()
        self.assertIn("ACPI: IOVT", text)
        self.assertIn("rid 0xd0, 47 to 48 bits, 3 levels", text)
        self.assertIn("MSIs are not translated", text)

    def test_tables_that_end_early(self):
        for table in (b"IOVT", acpi.iovt(acpi.unit(0xd0))[:100],
                      acpi.iovt(acpi.unit(0xd0, length=0), acpi.unit(0xd1)),
                      acpi.iovt(count=0xffff)):
            self.write("/sys/firmware/acpi/tables/IOVT", table)
            self.assertIn("== end", self.lines())

    def test_ivrs(self):
        block = struct.pack("<BBHHHQHHI", 0x10, 0, 24, 0xd0, 0, 0x60000000, 0, 0, 0)
        self.write("/sys/firmware/acpi/tables/IVRS", b"IVRS" + bytes(44) + block)
        self.assertIn("block 0x10: flags 0x0, length 24, rid 0xd0, base 0x60000000", self.lines())
        self.write("/sys/firmware/acpi/tables/IVRS", b"IVRS" + bytes(100))
        self.assertIn("it ends nowhere", self.lines())

    def test_device_tree(self):
        self.write("/proc/device-tree/pcie@0/iommu-map", struct.pack(">4I", 0, 1, 0, 0xd0))
        self.assertIn("device tree: proc/device-tree/pcie@0/iommu-map", self.lines())


if __name__ == "__main__":
    unittest.main()
