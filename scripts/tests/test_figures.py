# SPDX-License-Identifier: GPL-2.0-only
"""wb/figures.py: which kernels are measured, and what is written about them."""
import contextlib
import io
from unittest import mock

from wb import core, figures, series
from wb.core import Failure
from wb.suites import Row

from .fixture_series import KERNEL, SeriesCase

A, Z = "drivers/bus/a.c", "drivers/bus/z.c"
SAID = "    # costs: figures: interrupts {}, calls {}, reads 10, writes 10, median 3570 ns\n"
CHANGES = (figures.Change("one", A, "bus: Fix a"), figures.Change("two", Z, "bus: Fix z"))


class Figures(SeriesCase):

    def setUp(self):
        super().setUp()
        for path in series.patches(self.root):
            path.unlink()
        series.write_files(self.root / "patches", self.mails([
            ("bus: Fix a", {A: KERNEL[A].replace("a10", "fixed")}),
            ("bus: Fix z", {Z: "long z;\n"}),
            ("bus: Add m", {"drivers/bus/m.c": "int m;\n"})]))
        series.build(self.tree, self.root)
        series.checkout(self.tree, series.SERIES)
        self.seen, self.status = [], "passed"

    def boot(self, tree, lane, test, arguments, log):
        """Storms without the first change, and otherwise as self.status says."""
        one, two = ("fixed" in (tree.dir / A).read_text(), "long" in (tree.dir / Z).read_text())
        self.seen.append((lane, arguments, one, two, (tree.dir / "drivers/bus/m.c").exists()))
        if self.status != "skipped":
            said = "noise\n" + SAID.format(10, 10 if one else 6000)
            log.with_suffix(".console").write_text(said)
        return [Row("suite", "costs", self.status if one else "failed", "")]

    def measure(self, changes=CHANGES):
        with mock.patch.object(figures, "CHANGES", changes), \
             mock.patch.object(figures, "KERNELS", (("base", ()), ("base", ("threadirqs",)))), \
             mock.patch.object(figures, "HEAD", "# {base}: {one}, {two}\n"), \
             mock.patch.object(figures.suites, "build"), \
             mock.patch.object(figures.suites, "run", self.boot), \
             mock.patch.object(core, "LOGS", self.tmp), \
             contextlib.redirect_stdout(io.StringIO()):
            return figures.measure(self.tree, self.tmp / "FIGURES.md").read_text()

    def test_every_combination_is_measured_with_the_rest_of_the_series(self):
        self.measure()
        both = [(one, two, True) for one, two in ((False, False), (True, False),
                                                  (False, True), (True, True))]
        self.assertEqual(self.seen, [("base", arguments, *which)
                                     for arguments in ((), ("threadirqs",)) for which in both])

    def test_table(self):
        self.assertEqual(self.measure().splitlines()[:5], [
            "# 1.0: bus: Fix a, bus: Fix z",
            "| base | neither | 10 | 600 | 2 | 3.6 us |",
            "| base | one | 10 | 1 | 2 | 3.6 us |",
            "| base | two | 10 | 600 | 2 | 3.6 us |",
            "| base | one and two | 10 | 1 | 2 | 3.6 us |"])

    def test_the_series_is_back_afterwards(self):
        self.measure()
        git = series.Git(self.tree.git_dir)
        self.assertEqual(git("rev-parse", "HEAD"), git("rev-parse", series.SERIES))
        self.assertIn("long", (self.tree.dir / Z).read_text())

    def test_a_change_that_is_no_patch(self):
        with self.assertRaisesRegex(Failure, "no patch has the subject 'bus: Fix y'"):
            self.measure((CHANGES[0], CHANGES[1]._replace(subject="bus: Fix y")))

    def test_a_test_that_says_nothing(self):
        self.status = "skipped"
        (self.tmp / "figures.console").write_text(SAID.format(10, 10))
        with self.assertRaisesRegex(Failure, "gives no figures: costs failed"):
            self.measure()

    def test_the_whole_series_must_pass(self):
        self.status = "failed"
        with self.assertRaisesRegex(Failure, "does not pass: costs failed"):
            self.measure()
        self.assertFalse((self.tmp / "FIGURES.md").exists())
