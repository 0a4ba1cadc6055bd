# SPDX-License-Identifier: GPL-2.0-only
"""wb/suites.py: what the base does is known, and what counts as a failure."""
import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

from wb import core, suites
from wb.suites import Row

SPLAT = "[    1.5] WARNING: CPU: 1 PID: 20 at kernel/x.c:12"


class Lane(unittest.TestCase):

    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.results = core.Results()
        for target, name, value in ((suites, "ROOT", self.tmp), (core, "LOGS", self.tmp),
                                    (core, "results", self.results)):
            self.enterContext(mock.patch.object(target, name, value))
        self.enterContext(mock.patch.object(suites, "build"))
        (self.tmp / "kunit").mkdir()

    def complaints(self, rows, console):
        (self.tmp / "kunit-base.console").write_text(console)
        with mock.patch.object(suites, "run", lambda tree, lane: rows):
            return suites.complaints(None, "base")

    def judge(self, rows, console):
        self.results.rows.clear()
        (self.tmp / "kunit-base.console").write_text(console)
        with contextlib.redirect_stdout(io.StringIO()):
            suites.judge("base", "kunit-base", rows)
        return {row["name"]: row["status"] for row in self.results.rows}

    def record(self, now_rows, now_console):
        before = self.complaints([Row("s", "a", "failed", ""), Row("s", "b", "passed", "")], SPLAT)
        suites.record_baseline("1.0", "base", before, self.complaints(now_rows, now_console))

    def test_what_is_still_there_is_subtracted(self):
        rows = [Row("s", "a", "failed", ""), Row("s", "b", "failed", "")]
        self.record(rows[:1], SPLAT.replace("20", "33"))
        self.assertEqual(self.judge(rows, SPLAT),
                         {"s:a": "skipped", "s:b": "failed", "console": "passed"})

    def test_what_is_healed_may_not_come_back(self):
        self.record([Row("s", "a", "passed", "")], "clean")
        self.assertIn("healed failed s:a\n", suites.baseline_path("base").read_text())
        self.assertEqual(self.judge([Row("s", "a", "failed", "")], SPLAT),
                         {"s:a": "failed", "console": "failed"})

    def test_without_a_record_everything_counts(self):
        self.assertEqual(self.judge([Row("s", "a", "crashed", "")], "clean"),
                         {"s:a": "failed", "console": "passed"})


class Files(unittest.TestCase):
    BASE = {"lib/.kunitconfig": 1, "drivers/iommu/generic_pt/.kunitconfig": 1}
    ADDED = {"drivers/irqchip/tests/.kunitconfig": 1, "drivers/irqchip/tests/x.c": 1,
             "drivers/iommu/loongarch/tests/.kunitconfig": 1}

    def test_only_those_that_the_series_adds_and_the_lane_has(self):
        git = mock.Mock(listing=lambda rev: self.BASE if rev == suites.series.BASE
                        else {**self.BASE, **self.ADDED})
        tree = mock.Mock(dir=pathlib.Path("t"))
        with mock.patch.object(suites.series, "repository", lambda tree: git):
            found = {lane: [str(path.parent) for path in suites.kunitconfigs(tree, lane)]
                     for lane in ("base", "up")}
        self.assertEqual(found, {"base": ["t/drivers/irqchip/tests"],
                                 "up": ["t/drivers/iommu/loongarch/tests",
                                        "t/drivers/irqchip/tests"]})


class Configuration(unittest.TestCase):

    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.wanted, self.fails = "", False
        for target, name, value in ((core, "STAMPS", self.tmp / "stamp"),
                                    (suites, "out_dir", lambda tree, lane: self.tmp / "base"),
                                    (suites, "wanted", lambda tree, lane: self.wanted),
                                    (suites, "kunit_py", self.kunit_py)):
            self.enterContext(mock.patch.object(target, name, value))
        core.STAMPS.mkdir()

    def kunit_py(self, *arguments, **options):
        if self.fails:
            raise core.Failure("interrupted")

    def build(self, wanted, fails=False):
        self.wanted, self.fails = wanted, fails
        with contextlib.suppress(core.Failure):
            suites.build(None, "base")
        return (self.tmp / "base/lane.config").read_text()

    def test_an_interrupted_build_leaves_nothing_behind(self):
        self.assertEqual(self.build("CONFIG_A=y\n"), "CONFIG_A=y\n")
        self.assertEqual(self.build("CONFIG_B=y\n", fails=True), "CONFIG_B=y\n")
        self.assertEqual(self.build("CONFIG_A=y\n"), "CONFIG_A=y\n")
