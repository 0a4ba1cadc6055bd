# SPDX-License-Identifier: GPL-2.0-only
"""wb/checks.py: other bases, changed patches, the table of results, own tests."""
import contextlib
import io
import shutil
import tempfile
import pathlib
import unittest
from unittest import mock

from wb import checks, core, proofs, series
from wb.core import Failure

from .fixture_series import KERNEL, SERIES, SeriesCase, write

A = "drivers/bus/a.c"


class Bases(SeriesCase):

    def check(self, texts):
        """@texts: {base: {path: text}, or the Failure of fetching it}"""
        def extract(name, dest, members=()):
            if isinstance(texts[name], Failure):
                raise texts[name]
            write(dest, {p: t for p, t in texts[name].items() if p in members})
        results = core.Results()
        with mock.patch.object(checks.source, "extract", extract), \
             mock.patch.object(checks, "CHECK", self.tmp / "check"), \
             mock.patch.object(checks, "RESULTS", self.root / "kunit/RESULTS.md"), \
             mock.patch.object(core, "STAMPS", self.tmp / "stamp"), \
             mock.patch.object(core, "results", results), \
             contextlib.redirect_stdout(io.StringIO()):
            checks.check_bases(self.root)
        return {row["name"]: (row["status"], row["message"]) for row in results.rows}

    def test_same_text_everywhere(self):
        verdict = self.check({"1.0": KERNEL, "2.0": KERNEL})
        self.assertEqual(verdict, {"1.0": ("passed", ""), "2.0": ("passed", "")})
        table = self.read("kunit/RESULTS.md")
        self.assertRegex(table, r"\| check-bases \| 2.0 \| \d{4}-\d\d-\d\d \| 2.0-1: applies \|")

    def test_other_text_is_named_and_only_the_pinned_base_must(self):
        other = {**KERNEL, A: "int other;\n"}
        verdict = self.check({"1.0": KERNEL, "2.0": other})
        self.assertEqual(verdict["1.0"][0], "passed")
        self.assertEqual(verdict["2.0"][0], "skipped")
        self.assertRegex(verdict["2.0"][1], f"0001-.* does not apply: {A}")
        self.assertIn("does not apply", self.read("kunit/RESULTS.md"))

    def test_pinned_base_with_other_text_fails(self):
        verdict = self.check({"1.0": {**KERNEL, A: "int other;\n"}, "2.0": KERNEL})
        self.assertEqual((verdict["1.0"][0], verdict["2.0"][0]), ("failed", "passed"))

    def test_base_that_cannot_be_had(self):
        verdict = self.check({"1.0": KERNEL, "2.0": Failure("gone from the archive")})
        self.assertEqual(verdict["2.0"], ("skipped", "gone from the archive"))
        self.assertNotIn("2.0", self.read("kunit/RESULTS.md"))


class Changed(SeriesCase):
    """The fixture's three patches are committed; what is new since?"""

    def changed(self):
        return checks.changed_patches(self.root)

    def branch(self):
        git = series.Git(self.root / ".git", self.root)
        git("branch", "-f", "-m", "main")
        git("checkout", "-q", "-b", "work")

    def replace(self, changes):
        for path in series.patches(self.root):
            path.unlink()
        series.write_files(self.root / "patches", self.mails(changes))

    def test_short_history_means_all(self):
        self.assertEqual(self.changed(), ["0001", "0002", "0003"])

    def test_nothing_since_a_few_commits(self):
        for count in range(checks.LAST_COMMITS):
            self.write("README.md", str(count))
            self.commit("more words")
        self.assertEqual(self.changed(), [])

    def test_new_diff_counts_even_before_it_is_committed(self):
        self.branch()
        self.write("README.md", "words")
        self.commit("words")
        self.assertEqual(self.changed(), [])
        fixed = SERIES[0][1][A].replace("fixed", "better")
        self.replace([(SERIES[0][0], {A: fixed}), *SERIES[1:]])
        self.assertEqual(self.changed(), ["0001"])
        self.commit("better")
        self.assertEqual(self.changed(), ["0001"])

    def test_new_number_and_new_message_do_not_count(self):
        self.branch()
        self.replace([(SERIES[0][0] + " well", SERIES[0][1]),
                      ("bus: z", {"drivers/bus/z.c": "long z;\n"}), *SERIES[1:]])
        self.write("kunit/proofs", "fix 0001 bus:a\nnone 0002 z\nnew 0003 m:*\n"
                                   "fix 0004 m:count test=0004\n")
        self.commit("one more")
        self.assertEqual(self.changed(), ["0002"])

    def test_what_is_proven_does_not_count(self):
        self.assertEqual(self.changed(), ["0001", "0002", "0003"])
        proofs.note_proven("0002", self.root)
        self.assertEqual(self.changed(), ["0001", "0003"])
        self.replace([SERIES[1], (SERIES[0][0], {A: SERIES[0][1][A].replace("fixed", "better")}),
                      *SERIES[2:]])
        self.write("kunit/proofs", "new 0001 m:*\nfix 0002 bus:a\nfix 0003 m:count test=0001\n")
        self.assertEqual(self.changed(), ["0002", "0003"], "the same patch, the same line")

    def test_diff_that_brings_the_test_counts(self):
        self.write("kunit/proofs", self.read("kunit/proofs").replace("bus:a", "bus:a test=0003"))
        proofs.note_proven("0001", self.root)
        self.assertEqual(self.changed(), ["0002", "0003"])
        subject, files = SERIES[2]
        self.replace([*SERIES[:2], (subject, {**files, "drivers/bus/m_kunit.c": "int other;\n"})])
        self.assertEqual(self.changed(), ["0001", "0002", "0003"])

    def test_new_proof_counts(self):
        self.branch()
        self.write("kunit/proofs", self.read("kunit/proofs").replace("bus:a", "bus:b"))
        self.commit("other proof")
        self.assertEqual(self.changed(), ["0001"])


class Table(unittest.TestCase):

    def setUp(self):
        scratch = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = scratch / "RESULTS.md"
        self.enterContext(mock.patch.object(checks, "RESULTS", self.path))

    def test_one_line_per_check_and_base(self):
        checks.record("soak", "7.3", "10 passed")
        checks.record("check-bisect", "7.3", "40 passed")
        checks.record("soak", "7.3", "20 passed")
        rows = [l for l in self.path.read_text().splitlines() if "7.3" in l]
        self.assertEqual(len(rows), 2)
        self.assertIn("| 40 passed |", rows[0])
        self.assertIn("| 20 passed |", rows[1])

    def test_words_above_the_table_stay(self):
        self.path.write_text("Mine.\n\n| check | base | date | result |\n|---|---|---|---|\n")
        checks.record("soak", "7.3", "10 passed")
        self.assertTrue(self.path.read_text().startswith("Mine.\n"))

    def test_file_without_a_table_is_left_alone(self):
        self.path.write_text("Mine.\n")
        with self.assertRaisesRegex(Failure, "no table"):
            checks.record("soak", "7.3", "10 passed")
        self.assertEqual(self.path.read_text(), "Mine.\n")


class Tools(unittest.TestCase):
    """The runner of the workbench's tests, over tests made for it."""

    def run_tests(self, text):
        scripts = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (scripts / "tests").mkdir()
        shutil.copy(core.ROOT / "scripts/tests/__main__.py", scripts / "tests")
        (scripts / "tests/__init__.py").touch()
        (scripts / "wb").symlink_to(core.ROOT / "scripts/wb")
        (scripts / "tests/test_it.py").write_text(text)
        results = core.Results()
        with mock.patch.object(core, "results", results), \
             mock.patch.object(core, "LOGS", scripts), \
             mock.patch.object(checks, "CHECK", scripts), \
             contextlib.redirect_stdout(io.StringIO()):
            checks.check_tools(scripts)
        return {row["name"].split(".")[-1]: (row["status"], row["message"])
                for row in results.rows}

    CASE = "import os, unittest\nclass T(unittest.TestCase):\n"

    def test_each_test_is_a_result(self):
        rows = self.run_tests(self.CASE + """
    def test_good(self): pass
    def test_bad(self): self.assertEqual(1, 2)
    def test_error(self): raise KeyError("lost")
    def test_skip(self): self.skipTest("no tool")
    def test_sub(self):
        for n in 1, 2, 1:
            with self.subTest(n=n): self.assertEqual(n, 1)
""")
        self.assertEqual({name: status for name, (status, _) in rows.items()},
                         {"test_good": "passed", "test_bad": "failed", "test_error": "failed",
                          "test_skip": "skipped", "test_sub": "failed"})
        self.assertIn("1 != 2", rows["test_bad"][1])
        self.assertEqual(rows["test_skip"][1], "no tool")

    def test_file_that_cannot_be_imported(self):
        rows = self.run_tests("import nothing_like_that\n")
        self.assertEqual([status for status, _ in rows.values()], ["failed"])

    def test_run_that_dies(self):
        with self.assertRaisesRegex(Failure, "did not run to their end"):
            self.run_tests(self.CASE + "    def test_it(self): os._exit(0)\n")
