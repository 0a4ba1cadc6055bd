# SPDX-License-Identifier: GPL-2.0-only
"""What the rows of the test machine make of the hypervisor's counters."""
import pathlib
import tempfile
import types
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
        for address in (0x424, 0x1140, 0x1158, 0x1420, 0x14a0, 0x14c4, 0x161c, 0x1680, 0x1cfc):
            with self.subTest(address=hex(address)):
                self.assertIn(f"iocsr {address:#x}", rows.nothing_shared_is_written(
                    accesses(iocsr={address: (0, 1, 1)})))

    def test_what_a_core_sends(self):
        self.assertIn("sent 0x1c70", rows.nothing_shared_is_written(
            accesses(sent={0x1c70: (0, 1, 0)})))

    def test_the_mailbox_is_not_shared(self):
        self.assertEqual(rows.nothing_shared_is_written(
            accesses(iocsr={0x1048: (0, 1, 0)}, sent={0x1020: (0, 1, 0)})), "")

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


class Trespasses(unittest.TestCase):
    def test_none(self):
        # A write that the filter drops does no harm.
        self.assertEqual(rows.trespasses(accesses(call={6: (0, 1, 0)},
                                                  iocsr={0x1c00: (0, 1, 1)})), "")

    def test_each(self):
        for space, address, counts in (("call", 0, (0, 1, 1)), ("call", 20, (0, 1, 0)),
                                       ("iocsr", 0x3000, (1, 0, 1))):
            with self.subTest(space=space, address=address):
                self.assertIn(f"does not take: {space} {address:#x}",
                              rows.trespasses(accesses(**{space: {address: counts}})))


class Idle(unittest.TestCase):
    def test_idle(self):
        self.assertEqual(rows.nothing_idles(accesses()), "")
        self.assertEqual(rows.nothing_idles(accesses(idle={0: (0, 7, 0)})), "7 idle instructions")


GOOD = qemu.Outcome(True, "", 1.0, ["[ 1.0] it is so", "[ 1.1] init: ok"])


class Said(unittest.TestCase):
    def test_said(self):
        self.assertEqual(rows.has_said(GOOD, "it is so"), GOOD)

    def test_not_said(self):
        outcome = rows.has_said(GOOD, "it is not")
        self.assertEqual((outcome.ok, outcome.reason), (False, 'nobody said "it is not"'))

    def test_what_failed_before_stays(self):
        bad = qemu.Outcome(False, "the guest panicked", 1.0, [])
        self.assertEqual(rows.has_said(bad, "x"), bad)


class Table(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.table = pathlib.Path(scratch.name) / "table"
        self.outcomes = {}
        self.booted, self.keys = [], {"root": "kernel", "nonroot": "kernel"}
        row = rows.Row("x", "nonroot", "text", self.boot)
        for where, name, value in (
                (rows, "TABLE", self.table), (rows, "ROWS", [row]),
                (rows, "CELLS", self.table.parent),
                (rows.zones, "build_key", lambda tree, zone: self.keys[zone]),
                (rows, "how", types.SimpleNamespace(load=1, log="{}")),
                (rows.zones, "configure", mock.Mock()),
                (rows.prefixes, "borrowed", mock.MagicMock()),
                (rows.series, "checkout", mock.Mock()),
                (rows.machine, "build_key", lambda: "machine"),
                (rows.series, "patches", lambda: [1, 2])):
            patcher = mock.patch.object(where, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def boot(self, tree):
        self.booted.append(rows.how.log)
        return self.outcomes[rows.how.log]

    def write(self, with_series, without):
        self.outcomes = {"zone-{}-with.log": with_series, "zone-{}-without.log": without}
        with mock.patch("builtins.print"):
            rows.table(types.SimpleNamespace(name="7.3"))

    def test_written(self):
        self.write(GOOD, qemu.Outcome(False, "the guest panicked; more", 1.0, []))
        self.assertIn("| x | text | fails: the guest panicked | passes |", self.table.read_text())

    def test_not_written_if_the_series_fails(self):
        with self.assertRaisesRegex(core.Failure, "with the series, these fail: x"):
            self.write(qemu.Outcome(False, "no end", 1.0, []), GOOD)
        self.assertFalse(self.table.exists())

    def test_goes_on_where_it_was(self):
        broken = qemu.Outcome(False, f"{qemu.BROKE_OFF}: no answer", 1.0, [])
        with self.assertRaises(core.Failure):
            self.write(GOOD, broken)
        self.write(None, GOOD)
        self.assertEqual(self.booted, ["zone-{}-with.log", *2 * ["zone-{}-without.log"]])

    def test_another_kernel_boots_again(self):
        self.write(GOOD, GOOD)
        self.keys["root"] = "another kernel"
        self.write(GOOD, GOOD)
        self.assertEqual(len(self.booted), 4)

    def test_what_fails_with_the_series_boots_again(self):
        with self.assertRaises(core.Failure):
            self.write(qemu.Outcome(False, "no end", 1.0, []), GOOD)
        self.write(GOOD, GOOD)
        self.assertEqual(len(self.booted), 3)

    def test_not_written_if_the_host_fails(self):
        broken = qemu.Outcome(False, f"{qemu.BROKE_OFF}: no answer", 1.0, [])
        for column in ((broken, GOOD), (GOOD, broken)):
            with self.subTest(column), self.assertRaisesRegex(core.Failure, "x: QEMU broke off"):
                self.write(*column)
        self.assertFalse(self.table.exists())


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
        with mock.patch.object(rows.zones, "configure"):
            outcome = rows.run_or_failed(None, rows.Row("x", "nonroot", "text", broken))
        self.assertFalse(outcome.ok)
        self.assertEqual(outcome.reason, "no kernel")

    def test_a_configuration_that_fails_is_an_outcome(self):
        with mock.patch.object(rows.zones, "configure", side_effect=core.Failure("no source")):
            outcome = rows.run_or_failed(None, rows.Row("x", "nonroot", "text", None))
        self.assertEqual(outcome.reason, "no source")

    def test_skipped_without_the_machine(self):
        for binary, setting in (None, ""), (pathlib.Path("/test-machine"), "true"):
            with self.subTest(setting), mock.patch.object(core, "results", core.Results()), \
                    mock.patch.dict("os.environ", QEMU=setting), \
                    mock.patch.object(qemu, "find", lambda: "/bin/true"), \
                    mock.patch.object(machine, "binary", lambda binary=binary: binary):
                rows.check(None)
                self.assertEqual([row["status"] for row in core.results.rows], ["skipped"])

    def test_accesses_are_read(self):
        monitor = mock.Mock()
        monitor.command.return_value = "iocsr 0x1040 1 2 2\nidle 0 0 7 0\n"
        self.assertEqual(qemu.Monitor.accesses(monitor),
                         {("iocsr", 0x1040): (1, 2, 2), ("idle", 0): (0, 7, 0)})
