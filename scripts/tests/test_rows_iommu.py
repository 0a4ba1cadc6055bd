# SPDX-License-Identifier: GPL-2.0-only
"""What the rows behind the IOMMU make of its counters."""
import unittest

from wb import rows_iommu

GOOD = {"walks": 5, "hits": 9, "identities": 7, "faults": 0, "flushes-domain": 3,
        "flushes-all": 4, "reads": 30, "writes": 20, "wrong": 0}


class Counters(unittest.TestCase):
    def test_translation_is_seen(self):
        self.assertEqual(rows_iommu.translates(GOOD), "")
        self.assertIn("no device was translated", rows_iommu.translates({**GOOD, "walks": 0}))
        self.assertIn("nothing was flushed",
                      rows_iommu.translates({**GOOD, "flushes-domain": 0}))

    def test_put_off_flushes_may_be_none(self):
        self.assertEqual(rows_iommu.translates_lazily({**GOOD, "flushes-domain": 0}), "")
        self.assertIn("no device was translated",
                      rows_iommu.translates_lazily({**GOOD, "walks": 0}))

    def test_passing_through_is_seen(self):
        self.assertEqual(rows_iommu.passes_through({**GOOD, "walks": 0}), "")
        self.assertIn("devices were translated", rows_iommu.passes_through(GOOD))
        self.assertIn("no device accessed memory",
                      rows_iommu.passes_through({**GOOD, "walks": 0, "identities": 0}))

    def test_fault_and_mistake_of_the_driver_are_seen(self):
        self.assertIn("not mapped: walks 5", rows_iommu.translates({**GOOD, "faults": 1}))
        self.assertIn("may not", rows_iommu.translates({**GOOD, "wrong": 1}))

    def test_denied_accesses_are_counted(self):
        denied = {**GOOD, "faults": rows_iommu.DENIED}
        self.assertEqual(rows_iommu.keeps_out(denied), "")
        self.assertIn("0 accesses were denied", rows_iommu.keeps_out(GOOD))
        self.assertIn("no device was translated", rows_iommu.keeps_out({**denied, "walks": 0}))
        self.assertIn("may not", rows_iommu.keeps_out({**denied, "wrong": 1}))


if __name__ == "__main__":
    unittest.main()
