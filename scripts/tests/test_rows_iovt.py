# SPDX-License-Identifier: GPL-2.0-only
"""What the boots with ACPI's IOVT make of what the kernel says."""
import pathlib
import tempfile
import unittest
from unittest import mock

from wb import acpi, boot, guest, qemu, rows_iovt


class Table(unittest.TestCase):
    def run_table(self, lines, said, ok=True):
        """The Outcome, and what the boot was given: parts and the rest."""
        given = {}

        def run_checks(tree, zone, parts, log, **how):
            given.update(parts=parts, **how)
            return qemu.Outcome(ok, "" if ok else "broke", 1.0, lines)
        with tempfile.TemporaryDirectory() as directory, \
                mock.patch.object(rows_iovt, "HERE", pathlib.Path(directory)), \
                mock.patch.object(boot, "run_checks", run_checks):
            outcome = rows_iovt.run_table(None, "x", acpi.iovt(), lambda counters: "", said)
            stored = given["programs"][f"{guest.ACPI_TABLES}/iovt.aml"][0].read_bytes()
        self.assertEqual(stored, acpi.iovt())
        return outcome, given

    def test_kernel_must_say_what_is_expected(self):
        self.assertTrue(self.run_table(["[1.0] IOVT: has no IOMMU"], ["has no IOMMU"])[0].ok)
        outcome, _ = self.run_table(["[1.0] nothing"], ["has no IOMMU"])
        self.assertFalse(outcome.ok)
        self.assertIn("does not say 'has no IOMMU'", outcome.reason)

    def test_failed_boot_stays_failed(self):
        self.assertEqual(self.run_table([], ["x"], ok=False)[0].reason, "broke")

    def test_boot_is_by_firmware_and_asks_for_no_device_tree(self):
        _, given = self.run_table([], [])
        self.assertTrue(given["firmware"])
        names = {check.split()[0] for check in given["parts"][2]}
        self.assertFalse(names & {"model", "cmdline", "clock"})
        self.assertLessEqual({"netdev", "pci"}, names)

    def test_each_wrong_table_has_a_name_of_its_own(self):
        names = [name for name, _, _ in rows_iovt.TABLES]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
