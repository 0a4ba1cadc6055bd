# SPDX-License-Identifier: GPL-2.0-only
"""What the rows behind the IOMMU make of its counters."""
import types
import unittest

from wb import mapping, rows, rows_change, rows_iommu
from wb.core import Failure

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

    def test_nothing_physical_on_the_way_to_the_next_kernel(self):
        good = {**GOOD, "identities": 0, "faults": 3}
        self.assertEqual(rows_change.nothing_physical(good), "")
        self.assertIn("without translation", rows_change.nothing_physical(GOOD))
        self.assertIn("no device was", rows_change.nothing_physical({**good, "walks": 0}))
        self.assertIn("may not", rows_change.nothing_physical({**good, "wrong": 1}))

    def test_unit_of_another_zone_is_left_alone(self):
        none = dict.fromkeys(GOOD, 0)
        monitor = types.SimpleNamespace(counters=lambda: none)
        none["identities"] = 7
        self.assertEqual(rows.nothing_is_accessed(monitor), "")
        for name in ("reads", "writes", "walks"):
            none[name] = 1
            self.assertIn(name, rows.nothing_is_accessed(monitor))
            none[name] = 0


class Chosen(unittest.TestCase):
    def names(self, pattern):
        return [row.name for row in rows.chosen(pattern)]

    def test_globs(self):
        self.assertEqual(self.names("iommu-strict"), ["iommu-strict"])
        self.assertEqual(self.names("*"), [row.name for row in rows.ROWS])
        self.assertIn("iommu-old-plug", self.names("ghosts *-plug"))

    def test_no_such_row(self):
        with self.assertRaisesRegex(Failure, "ROW=nothing: no row has such a name; there are "):
            rows.chosen("nothing")

    def test_rows_of_debug_kernels_are_there(self):
        self.assertEqual(sorted(self.names(rows.DEBUG_ROWS)), sorted(rows.DEBUG_ROWS.split()))


class Mapping(unittest.TestCase):
    def test_figures_are_found(self):
        lines = ["[  1.2] init: benchmark 0000:00:10.0 DMA-FQ 4 3 ok map 123 unmap 45 asked 678 "
                 "done 9", "init: benchmark 0000:00:10.0 DMA 4 3 FAIL errno 5"]
        figures = mapping.found_in(lines)
        self.assertEqual(figures, [("DMA-FQ", "4", "123", "45", "678", "9")])
        self.assertEqual(mapping.row("0", figures[0]),
                         "| 0: copies of them in the unit | lazy | 4 | 12.3 | 4.5 | 678 | 9 |\n")


if __name__ == "__main__":
    unittest.main()
