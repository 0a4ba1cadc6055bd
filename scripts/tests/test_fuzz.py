# SPDX-License-Identifier: GPL-2.0-only
"""acpi, fuzz: tables are what ACPI says, and the fuzzer finds what a parser forgets."""
import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

from wb import acpi, fuzz, guest, source
from wb.core import ROOT, Failure

CLANG = "clang" + guest.suffix()


class Tables(unittest.TestCase):
    def test_layout_is_that_of_the_table(self):
        table = acpi.iovt(acpi.unit(0xd0, [acpi.entry(acpi.SINGLE, 0x1234)], segment=5))
        self.assertEqual(len(table), 48 + 64 + 8)
        self.assertEqual(table[:8], b"IOVT" + bytes([120, 0, 0, 0]))
        self.assertEqual(table[36:40], bytes([1, 0, 48, 0]))        # one, at 48
        self.assertEqual(table[48:52], bytes([0, 0, 72, 0]))        # with its entry
        self.assertEqual(table[56:58], bytes([5, 0]))
        self.assertEqual(table[72:76], bytes([0xd0, 0, 0, 0]))
        self.assertEqual(table[104:112], bytes([1, 0, 0, 0, 64, 0, 0, 0]))
        self.assertEqual(table[112:], bytes([0, 8, 0, 0, 0, 0, 0x34, 0x12]))

    def test_layout_is_that_of_an_ivrs(self):
        block = acpi.ivrs_block(0xd0, acpi.ivrs_entry(acpi.SELECT, 0x1234), segment=5)
        table = acpi.ivrs(block)
        self.assertEqual(table[:8], b"IVRS" + bytes([76, 0, 0, 0]))
        self.assertEqual(table[48:54], bytes([0x10, 0, 28, 0, 0xd0, 0]))
        self.assertEqual(table[64:66], bytes([5, 0]))
        self.assertEqual(table[72:], bytes([2, 0x34, 0x12, 0]))
        self.assertEqual(len(acpi.ivrs_block(0, kind=acpi.UNIT_40)), 40)

    def test_bytes_add_up_to_zero_unless_told(self):
        for name, table in acpi.samples().items():
            self.assertEqual(sum(table) & 0xff, 0, name)
        self.assertEqual(acpi.iovt(checksum=0x55)[9], 0x55)

    def test_unknown_field_is_refused(self):
        with self.assertRaisesRegex(KeyError, "widht"):
            acpi.unit(0xd0, widht=47)
        with self.assertRaisesRegex(KeyError, "lenght"):
            acpi.iovt(lenght=0)


@unittest.skipUnless(source.is_unpacked(source.tree()), "no kernel tree is unpacked")
@unittest.skipUnless(shutil.which(CLANG), f"{CLANG} is not installed")
class Fuzzer(unittest.TestCase):
    """A parser that lacks one check, which stands in the kernel's as it is here."""

    def fuzz(self, check="", instead=""):
        text = (fuzz.PARSER / "iovt_table.c").read_text()
        self.assertIn(check, text)
        with tempfile.TemporaryDirectory() as directory:
            where = pathlib.Path(directory)
            parser = where / "iovt_table.c"
            parser.write_text(text.replace(check, instead))
            with mock.patch.object(fuzz, "HERE", where):
                program = fuzz.build(source.tree(), parser, "broken")
                return fuzz.run(program, 5, where / "log")

    def test_nothing_is_found_in_what_the_kernel_has(self):
        inputs, found = self.fuzz()
        self.assertEqual(found, "")
        self.assertGreater(inputs, 100)

    def test_structure_beyond_the_end_is_found(self):
        _, found = self.fuzz(" || header->length > left")
        self.assertIn("heap-buffer-overflow", found)

    def test_list_beyond_the_end_is_found(self):
        _, found = self.fuzz("<=\n\t       iommu->header.length;", "<= ~0ull;")
        self.assertRegex(found, "heap-buffer-overflow|SEGV|allocation-size|out-of-memory")

    def test_unit_behind_itself_is_found(self):
        _, found = self.fuzz("\tif (iovt_find_self(units, segment, rid))\n\t\treturn NULL;\n")
        self.assertIn("deadly signal", found)

    def test_one_that_does_not_start_is_a_failure(self):
        with tempfile.TemporaryDirectory() as directory:
            where = pathlib.Path(directory)
            with mock.patch.object(fuzz, "HERE", where), \
                    self.assertRaisesRegex(Failure, "did not start"):
                fuzz.run(pathlib.Path(shutil.which("false")), 1, where / "log")


class Setup(unittest.TestCase):
    def test_what_the_fuzzer_is_linked_to_is_installed(self):
        self.assertIn(f"libclang-rt{guest.suffix()}-dev", (ROOT / "scripts/setup").read_text())


if __name__ == "__main__":
    unittest.main()
