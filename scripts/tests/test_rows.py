# SPDX-License-Identifier: GPL-2.0-only
"""What the rows of the test machine make of the hypervisor's counters."""
import unittest
from unittest import mock

from wb import core, machine, qemu, rows


def accesses(**more):
    """Those of a zone that touches only its own, and @more {space: {address: counts}}."""
    found = {("iocsr", 0x1800): (9, 9, 0), ("pch-pic", 0x10000000): (1, 0, 0),
             ("virtio", 0x30001060): (5, 0, 0), ("csr", 0x4): (100, 0, 0)}
    for space, counts in more.items():
        found.update({(space.replace("_", "-"), address): each
                      for address, each in counts.items()})
    return found


class Shared(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(rows.nothing_shared_is_written(accesses()), "")

    def test_a_read_is_no_write(self):
        seen = accesses(iocsr={0x1c70: (3, 0, 0)})
        self.assertEqual(rows.nothing_shared_is_written(seen), "")

    def test_each_shared_register(self):
        for address in (0x14a0, 0x14c4, 0x161c, 0x1680, 0x1cfc):
            with self.subTest(address=hex(address)):
                self.assertIn(f"iocsr {address:#x}", rows.nothing_shared_is_written(
                    accesses(iocsr={address: (0, 1, 1)})))

    def test_pch_pic(self):
        self.assertIn("2 shared registers were written, first pch-pic 0x10000020",
                      rows.nothing_shared_is_written(
                          accesses(pch_pic={0x10000020: (0, 1, 0), 0x10000024: (0, 1, 0)})))


class Services(unittest.TestCase):
    USED = {code: (0, 1, 0) for code in rows.CALLS}

    def test_all(self):
        self.assertEqual(rows.services_are_used(accesses(call=self.USED)), "")

    def test_one_unused(self):
        less = {code: counts for code, counts in self.USED.items() if code != 0x103}
        self.assertEqual(rows.services_are_used(accesses(call=less)), "WAIT: no call was made")

    def test_refused(self):
        self.assertEqual(rows.services_are_used(accesses(call={**self.USED, 0: (0, 1, 1)})),
                         "calls 0x0 were refused")


class Run(unittest.TestCase):
    def test_in_a_cell(self):
        self.assertEqual(rows.in_a_cell("the guest panicked; on the console: x"),
                         "the guest panicked")
        self.assertEqual(rows.in_a_cell("a | b \x01\n  c"), "a b")
        self.assertEqual(len(rows.in_a_cell("x" * 1000)), 120)

    def test_totals(self):
        self.assertEqual(rows.totals(accesses()), {"iocsr": 18, "pch-pic": 1, "virtio": 5})

    def test_a_failure_is_an_outcome(self):
        def broken(tree):
            raise core.Failure("no kernel")
        outcome = rows.run(None, rows.Row("x", "nonroot", "text", broken))
        self.assertFalse(outcome.ok)
        self.assertEqual(outcome.reason, "no kernel")

    def test_skipped_without_the_machine(self):
        with mock.patch.object(core, "results", core.Results()), \
                mock.patch.object(machine, "binary", lambda: None):
            rows.check(None)
            self.assertEqual([row["status"] for row in core.results.rows], ["skipped"])

    def test_accesses_are_read(self):
        monitor = mock.Mock()
        monitor.command.return_value = "iocsr 0x1040 1 2 2\nidle 0 0 7 0\n"
        self.assertEqual(qemu.Monitor.accesses(monitor),
                         {("iocsr", 0x1040): (1, 2, 2), ("idle", 0): (0, 7, 0)})
