# SPDX-License-Identifier: GPL-2.0-only
"""The model of the IOMMU, without a kernel: an NVMe controller is what accesses memory."""
import pathlib
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from wb import machine

ECAM, UNIT, NVME = 0x20000000, 0x1a << 15, 0x02 << 15
REGS, TABLES, NVME_REGS = 0x50000000, 0x54000000, 0x58000000
RID = 0x02 << 3

VBTC, EIVDB, CMD, CTRL, EX_ADDR = 0x014, 0x018, 0x01c, 0x100, 0x0e8
DIR_CTRL = 0x2e4b66ce
VALID, OLD_ENABLE = 1 << 20, 1 << 31
MAIN_MEMORY, TRANSLATE = 1 << 29, 1 << 31
WRITES, READS = 0, 1 << 8
NOISE = 0xa4a4a2e0
PAGE = 0x4000
READ, WRITE, HUGE = 4, 8, 2
RW = READ | WRITE

# Guest memory: tables, and two places that an I/O address may lead to
ROOT, MIDDLE, LEAF, HERE, THERE = 0x100000, 0x104000, 0x108000, 0x200000, 0x300000
# What the controller is given: a page that it reads from, and one that it writes into
ASKED, ANSWERED = 0x4000000, 0x4004000


class Machine:
    """A board with the unit and the controller, driven by QEMU's protocol for tests."""

    def __init__(self, directory, **properties):
        listener = socket.socket(socket.AF_UNIX)
        path = pathlib.Path(directory) / "qtest"
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(30)
        words = [f"{name.replace('_', '-')}={value}" for name, value in properties.items()]
        self.process = subprocess.Popen(
            [machine.binary(), "-machine", "virt", "-accel", "qtest", "-display", "none",
             "-nodefaults", "-qtest", f"unix:{path}", "-device",
             ",".join(["loongarch-iommu,id=iommu,addr=1a.0", *words]),
             "-device", "nvme,serial=1,addr=2.0", "-monitor", "stdio"],
            stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.socket, _ = listener.accept()
        except TimeoutError:
            raise ConnectionError("QEMU ended") from None
        finally:
            listener.close()
        self.file = self.socket.makefile("rw")
        self.phase = self.tail = 0
        for slot, bars in ((UNIT, (REGS, 0, TABLES, 0)), (NVME, (NVME_REGS, 0))):
            for number, base in enumerate(bars):
                self.writel(ECAM + slot + 0x10 + 4 * number, base)
            self.writel(ECAM + slot + 4, 6)

    def close(self):
        self.file.close()
        self.socket.close()
        self.process.kill()
        self.process.communicate()

    def ask(self, *words):
        self.file.write(" ".join(word if isinstance(word, str) else hex(word)
                                 for word in words) + "\n")
        self.file.flush()
        while not (line := self.file.readline()).startswith(("OK", "FAIL", "ERR")):
            if not line:
                raise ConnectionError("QEMU ended")
        status, *result = line.split()
        if status != "OK":
            raise ConnectionError(line)
        return result[0] if result else ""

    def readl(self, address):
        return int(self.ask("readl", address), 16)

    def writel(self, address, value):
        self.ask("writel", address, value)

    def writeq(self, address, value):
        self.ask("writeq", address, value)

    # ------------------------------------------------------------ the unit

    def reg(self, offset):
        return self.readl(REGS + offset)

    def set_reg(self, offset, value):
        self.writel(REGS + offset, value)

    def wait(self):
        polls = 0
        while self.reg(VBTC) & 1 << 16:
            polls += 1
        return polls

    def interrupts(self):
        """Whether the unit raises INTA, as its PCI status has it."""
        return bool(self.readl(ECAM + UNIT + 4) & 1 << 19)

    def forget(self):
        self.process.stdin.write("qom-set /machine/peripheral/iommu forget true\n")
        self.process.stdin.flush()
        for _ in range(500):
            if self.reg(CTRL) & TRANSLATE == 0:
                return
            time.sleep(0.01)
        raise ConnectionError("the unit translates")

    def flush(self, command, channel):
        self.set_reg(VBTC, NOISE | channel | command)
        return self.wait()

    def flush_both(self, command=5):
        self.flush(command, WRITES)
        self.flush(command, READS)

    def bind(self, domain=1, slot=0, rid=RID, commit=True, more=0):
        self.set_reg(EIVDB, rid | domain << 16 | VALID | slot << 24 | more)
        if commit:
            self.set_reg(CMD, 0)

    def set_root(self, domain, root):
        self.set_reg(0x0a0 + 4 * domain, DIR_CTRL)
        self.set_reg(0x024 + 8 * domain, root >> 32)
        self.set_reg(0x020 + 8 * domain, root & 0xffffffff)

    def enable(self):
        self.set_reg(CTRL, MAIN_MEMORY | TRANSLATE)

    def map(self, iova, where, bits=RW, tables=0):
        """A page of 16 KiB in domain 1; @tables is where pointers are offsets from."""
        assert iova < 1 << 36
        self.writeq(tables + ROOT, MIDDLE | 0xd)
        self.writeq(tables + MIDDLE + 8 * (iova >> 25), LEAF | 0xd)
        self.writeq(tables + LEAF + 8 * (iova >> 14 & 2047), where and where | bits | 1)

    # ------------------------------------------------------ the controller

    def start(self):
        """Its queues are where ASKED and ANSWERED lead to."""
        for offset, value in ((0x14, 0), (0x24, 0x001f001f), (0x28, ASKED), (0x2c, 0),
                              (0x30, ANSWERED), (0x34, 0), (0x14, 0x00460001)):
            self.writel(NVME_REGS + offset, value)
        self.tail = 0

    def identify(self, asked):
        """Ask for what the controller is, by @asked; does it answer into memory?"""
        command = struct.pack("<BBHIQQQQIIIIII", 6, 0, self.tail, 0, 0, 0,
                              ANSWERED + 0x1000, 0, 1, 0, 0, 0, 0, 0)
        self.ask("write", asked + 64 * self.tail, 64, "0x" + command.hex())
        self.tail += 1
        self.writel(NVME_REGS + 0x1000, self.tail)

    def answered(self, where):
        """The status in the controller's answer at @where, None without one."""
        for _ in range(50):
            status = self.readl(where + 16 * (self.tail - 1) + 12) >> 16
            if status & 1:
                return status >> 1
            time.sleep(0.002)
        return None


@unittest.skipUnless(machine.binary(), "the test machine was not built (make qemu)")
class IommuModel(unittest.TestCase):
    def machine(self, **properties):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        made = Machine(directory.name, **properties)
        self.addCleanup(made.close)
        return made

    def translating(self, **properties):
        """With the controller's pages at HERE and the one behind it."""
        m = self.machine(**properties)
        m.set_root(1, ROOT)
        m.map(ASKED, HERE)
        m.map(ANSWERED, HERE + PAGE)
        m.flush_both()
        m.bind()
        m.enable()
        m.start()
        return m

    def works(self, m, asked=HERE, answered=HERE + PAGE):
        m.identify(asked)
        return m.answered(answered) == 0

    def test_nothing_is_translated_at_first(self):
        m = self.machine()
        m.start()
        self.assertTrue(self.works(m, ASKED, ANSWERED))
        self.assertEqual(m.reg(EX_ADDR), 0)

    def test_pages_are_translated(self):
        self.assertTrue(self.works(self.translating()))

    def test_function_without_an_entry_is_not_translated(self):
        m = self.translating()
        m.bind(rid=RID + 1)
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_large_page_is_translated(self):
        m = self.translating()
        m.writeq(MIDDLE + 8 * (ASKED >> 25), 0x1 | HUGE | RW)
        m.flush_both()
        self.assertTrue(self.works(m, ASKED % 0x2000000, ANSWERED % 0x2000000))

    def test_large_page_is_a_fault_where_there_is_none(self):
        m = self.translating(huge="off")
        m.writeq(MIDDLE + 8 * (ASKED >> 25), 0x1 | HUGE | RW)
        m.flush_both()
        self.assertFalse(self.works(m, ASKED % 0x2000000, ANSWERED % 0x2000000))
        self.assertEqual(m.reg(EX_ADDR), ASKED)

    def test_page_that_is_not_there_is_a_fault(self):
        m = self.translating()
        m.map(ANSWERED, 0)
        self.assertFalse(self.works(m))
        self.assertEqual(m.reg(EX_ADDR) & ~(PAGE - 1), ANSWERED)

    def test_without_intx_no_fault_interrupts(self):
        m = self.translating(intx="off")
        m.map(ANSWERED, 0)
        self.works(m)
        self.assertNotEqual(m.reg(EX_ADDR), 0)
        self.assertFalse(m.interrupts())
        self.assertEqual(m.readl(ECAM + UNIT + 0x3c) >> 8 & 0xff, 0)

    def test_without_power_it_has_nothing(self):
        m = self.translating()
        m.writeq(TABLES, 1)
        m.forget()
        self.assertNotEqual(m.readl(TABLES), 1)
        m.enable()
        m.start()
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_first_fault_stays_and_interrupts(self):
        m = self.translating()
        self.assertFalse(m.interrupts())
        m.writeq(LEAF + 8 * (ASKED >> 14 & 2047), 0)
        m.flush_both()
        self.works(m)
        self.assertTrue(m.interrupts())
        self.assertEqual(m.reg(EX_ADDR), ASKED)
        m.set_reg(EX_ADDR + 4, 1)
        m.map(ASKED, HERE)
        m.map(ANSWERED, 0)
        m.flush_both()
        m.start()
        self.works(m)
        self.assertEqual(m.reg(EX_ADDR), ASKED)
        m.set_reg(EX_ADDR, 0)
        self.assertEqual((m.reg(EX_ADDR), m.reg(EX_ADDR + 4)), (0, 0))
        self.assertFalse(m.interrupts())

    def test_any_geometry_is_walked(self):
        for geometry in 0xffffffff, 0, 0x3fffffff, 0x0000003f:
            m = self.translating()
            m.set_reg(0x0a0 + 4, geometry)
            self.works(m)
            self.assertEqual(m.readl(ECAM + UNIT), 0x7a1f0014)

    def test_page_for_reads_is_not_for_writes(self):
        for bits, good in ((READ, False), (WRITE, True)):
            m = self.translating()
            m.map(ANSWERED, HERE + PAGE, bits)
            m.flush_both()
            self.assertEqual(self.works(m), good)

    def test_permissions_may_not_count(self):
        m = self.translating(check_perm="off")
        m.map(ANSWERED, HERE + PAGE, READ)
        self.assertTrue(self.works(m))

    def test_translation_stays_until_its_tlb_is_flushed(self):
        m = self.translating()
        self.assertTrue(self.works(m))
        m.map(ANSWERED, THERE + PAGE)
        self.assertTrue(self.works(m))
        m.flush(5, READS)
        self.assertTrue(self.works(m))
        m.flush(5, WRITES)
        self.assertTrue(self.works(m, HERE, THERE + PAGE))

    def test_flush_of_all_may_be_of_both(self):
        m = self.translating(strict_channels="off")
        self.assertTrue(self.works(m))
        m.map(ANSWERED, THERE + PAGE)
        m.flush(5, READS)
        self.assertTrue(self.works(m, HERE, THERE + PAGE))

    def test_flush_of_a_domain_leaves_others(self):
        m = self.translating()
        self.assertTrue(self.works(m))
        m.map(ANSWERED, THERE + PAGE)
        m.bind(domain=2, slot=1, rid=0x500)
        m.flush_both(4)
        self.assertTrue(self.works(m))
        m.bind()
        m.flush_both(4)
        self.assertTrue(self.works(m, HERE, THERE + PAGE))

    def test_flush_of_a_domain_is_of_the_tlb_that_it_names(self):
        m = self.translating()
        self.assertTrue(self.works(m))
        m.map(ANSWERED, THERE + PAGE)
        m.flush(4, READS)
        self.assertTrue(self.works(m))
        m.flush(4, WRITES)
        self.assertTrue(self.works(m, HERE, THERE + PAGE))

    def test_absence_is_remembered(self):
        for neg_cache, good in (("on", False), ("off", True)):
            m = self.translating(neg_cache=neg_cache)
            m.map(ANSWERED, 0)
            self.assertFalse(self.works(m))
            m.map(ANSWERED, HERE + PAGE)
            m.start()
            self.assertEqual(self.works(m), good)

    def test_entry_counts_when_it_is_written(self):
        m = self.translating()
        m.bind(rid=RID + 1, commit=False)
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_entry_counts_with_the_command(self):
        m = self.translating(commit="cmd")
        m.bind(rid=RID + 1, commit=False)
        self.assertTrue(self.works(m))
        m.set_reg(CMD, 0)
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_command_is_busy(self):
        self.assertEqual(self.machine(busy_polls=7).flush(5, READS), 7)

    def test_unknown_bits_read_as_they_are(self):
        self.assertEqual(self.machine(vbtc_noise="0x12000000").reg(VBTC), 0x12000000)

    def test_old_unit_has_tables_of_its_own(self):
        m = self.machine(revision=0)
        m.set_root(1, ROOT)
        m.map(ASKED, HERE, tables=TABLES)
        m.map(ANSWERED, HERE + PAGE, tables=TABLES)
        m.flush_both()
        m.bind(more=OLD_ENABLE)
        m.start()
        self.assertTrue(self.works(m))

    def test_old_unit_is_switched_with_each_entry(self):
        m = self.machine(revision=0)
        m.bind()
        m.enable()
        m.start()
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_devices_find_memory_of_others_where_the_zone_has_its_own(self):
        where = 1 << 40
        moved = dict(zone_memory=ASKED, zone_size=2 * PAGE, zone_at=where)
        m = self.machine(**moved)
        m.start()
        self.assertFalse(self.works(m, ASKED, ANSWERED))
        m = self.translating(**moved)
        m.map(ASKED, where)
        m.map(ANSWERED, where + PAGE)
        self.assertTrue(self.works(m, ASKED, ANSWERED))

    def test_where_memory_can_not_be(self):
        for wrong in (dict(zone_memory=0, zone_at=PAGE, zone_size=2 * PAGE),
                      dict(zone_memory=0, zone_at=(1 << 48) - PAGE, zone_size=2 * PAGE),
                      dict(zone_memory=0, zone_at=PAGE, zone_size=1 << 60)):
            with self.assertRaises(ConnectionError):
                self.machine(**wrong)

    def test_requester_ids_may_be_compared_in_part(self):
        m = self.translating(rid_mask="0x00ff")
        m.bind(rid=0x4200 | RID)
        self.assertTrue(self.works(m))

    def test_requester_ids_are_compared_whole(self):
        m = self.translating()
        m.bind(rid=0x4200 | RID)
        self.assertTrue(self.works(m, ASKED, ANSWERED))


@unittest.skipUnless(machine.binary(), "the test machine was not built (make qemu)")
class InTheDeviceTree(unittest.TestCase):
    BRIDGE = "/pcie@20000000"

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dtb = pathlib.Path(directory.name) / "dtb"

    def board(self, *devices):
        subprocess.run([machine.binary(), "-machine", f"virt,dumpdtb={self.dtb}", "-nodefaults",
                        "-display", "none", *devices], check=True, capture_output=True)

    def ask(self, *what, kind="-ts"):
        """The words that fdtget finds in a property of a node."""
        return subprocess.run(["fdtget", kind, self.dtb, *what],
                              capture_output=True, text=True, check=True).stdout.split()

    def test_nothing_without_a_unit(self):
        self.board()
        self.assertNotIn("iommu-map", self.ask(self.BRIDGE, kind="-p"))

    def test_all_others_are_behind_it(self):
        self.board("-device", "loongarch-iommu,addr=1a.0")
        unit = f"{self.BRIDGE}/iommu@1a,0"
        handle, = self.ask(unit, "phandle", kind="-tx")
        self.assertEqual(self.ask(self.BRIDGE, "iommu-map", kind="-tx"),
                         ["0", handle, "0", "d0", "d1", handle, "d1", "ff2f"])
        self.assertEqual(self.ask(unit, "reg", kind="-tx"), ["d000", "0", "0", "0", "0"])
        self.assertEqual(self.ask(unit, "compatible"), ["pci0014,7a1f", "loongson,pci-iommu"])
        self.assertEqual(self.ask(unit, "#iommu-cells", kind="-tx"), ["1"])
        self.assertIn("loongson,msi-bypass", self.ask(unit, kind="-p"))

    def test_what_it_is_and_does(self):
        self.board("-device", "loongarch-iommu,addr=5.0,device-id=0x3c0f,revision=0,msi-bypass=off")
        unit = f"{self.BRIDGE}/iommu@5,0"
        self.assertEqual(self.ask(unit, "compatible"), ["pci0014,3c0f", "loongson,pci-iommu"])
        self.assertNotIn("loongson,msi-bypass", self.ask(unit, kind="-p"))


if __name__ == "__main__":
    unittest.main()
