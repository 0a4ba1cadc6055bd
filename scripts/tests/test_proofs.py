# SPDX-License-Identifier: GPL-2.0-only
"""wb/proofs.py: the format, a patch's test side, and what counts as a proof."""
import contextlib
import io
from unittest import mock

from wb import core, proofs, series
from wb.core import Failure
from wb.suites import Row

from .fixture_series import KERNEL, SeriesCase

LANES = ["base", "rt"]


class Format(SeriesCase):

    def read(self, text, patches=None):
        self.write("kunit/proofs", text)
        return proofs.read(self.root / "kunit/proofs", patches, LANES)

    def test_every_kind_of_line(self):
        found = self.read("# comment\n\nfix 0001 s:a s:b rt test=0002\nnew 0002 s:*\n"
                          "boot 0003 poweroff\nnone 0004 only a comment changes\n"
                          "new 0005 boot:nonroot\nboot 0006 test=0005 poweroff\n",
                          ["0001", "0002", "0003", "0004", "0005", "0006"])
        self.assertEqual([p[:5] for p in found.values()],
                         [("fix", "0001", ["s:a", "s:b"], "rt", "0002"),
                          ("new", "0002", ["s:*"], "base", None),
                          ("boot", "0003", ["poweroff"], None, None),
                          ("none", "0004", [], None, None),
                          ("new", "0005", ["boot:nonroot"], "base", None),
                          ("boot", "0006", ["poweroff"], None, "0005")])

    def test_wrong_lines_are_all_named(self):
        wrong = ["mend 0001 s:a", "fix 1 s:a", "fix 0001", "fix 0001 s:*", "fix 0001 s",
                 "new 0001 s:a", "fix 0001 s:a fast", "fix 0001 s:a base rt",
                 "new 0001 s:* test=0002", "fix 0001 s:a test=2", "boot 0001 a b", "none 0001",
                 "boot 0001 test=0002", "boot 0001 a test=2"]
        with self.assertRaises(Failure) as caught:
            self.read("\n".join(wrong))
        for at in range(1, len(wrong) + 1):
            self.assertIn(f"line {at}: ", caught.exception.what)

    def test_second_line_for_a_patch(self):
        with self.assertRaisesRegex(Failure, "line 2: 0001 has a line already"):
            self.read("none 0001 reason\nnone 0001 reason\n")

    def test_lines_and_patches_must_match(self):
        with self.assertRaises(Failure) as caught:
            self.read("fix 0001 s:a test=0009\nnone 0003 reason\n", ["0001", "0002"])
        for said in ("patch 0002 has no line", "0003 is no patch", "from 0009, which is no patch"):
            self.assertIn(said, caught.exception.what)


class TestSide(SeriesCase):

    def test_which_files_are_tests(self):
        for path in ("drivers/bus/tests/Makefile", "drivers/bus/m_kunit.c", "kernel/irq_test.c",
                     "drivers/bus/tests/.kunitconfig"):
            self.assertTrue(proofs.is_test(path), path)
        for path in ("drivers/bus/a.c", "drivers/bus/contests/a.c", "drivers/bus/tests.c",
                     "drivers/bus/selftest.c"):
            self.assertFalse(proofs.is_test(path), path)

    def test_the_way_into_a_tests_directory_is_of_the_tests(self):
        old = ["config A\n", "\n", "endif\n"]
        new = ["config A\n", "\n", 'source "drivers/bus/tests/Kconfig"\n', "\n", "endif\n"]
        self.assertIn(new[2], proofs.kunit_lines(old, new))

    def test_only_kunit_lines_of_build_files(self):
        old = "config A\n\tbool\n\nconfig Z\n\tbool\n".splitlines(True)
        new = ("config A\n\tbool\n\nconfig M\n\tbool\n\nconfig M_KUNIT_TEST\n\tbool\n"
               "\tdefault y\n\nconfig Z\n\tbool\n\tselect M\n").splitlines(True)
        self.assertEqual("".join(proofs.kunit_lines(old, new)),
                         "config A\n\tbool\n\nconfig M_KUNIT_TEST\n\tbool\n\tdefault y\n\n"
                         "config Z\n\tbool\n")
        self.assertEqual(proofs.kunit_lines(["x\n"], ["obj-$(CONFIG_M) += m.o\n",
                                                      "obj-$(CONFIG_M_KUNIT_TEST) += t.o\n",
                                                      "x\n"]),
                         ["obj-$(CONFIG_M_KUNIT_TEST) += t.o\n", "x\n"])


# A kernel whose suite "bus" reads the code: a test is a line "NAME PATH WORD"
# and passes if WORD stands in PATH; the word "crash" there crashes the kernel.
TEST = "drivers/bus/tests/bus_kunit.c"
A, Z = "drivers/bus/a.c", "drivers/bus/z.c"
FIXED = KERNEL[A].replace("a10", "fixed")


class FakeSuites:

    def __init__(self, tree):
        self.tree, self.builds = tree, 0

    def build(self, tree, lane, log=None):
        self.builds += 1

    def run(self, tree, lane, glob="*", arguments=(), log=None):
        suite, _, case = glob.partition(".")
        path = self.tree.dir / TEST
        rows = []
        for name, where, word in map(str.split, path.read_text().splitlines()
                                     if path.exists() else ()):
            if suite != "bus" or case not in ("", name):
                continue
            code = (self.tree.dir / where).read_text()
            if "crash" in code:
                return [Row("bus", "<missing>", "crashed", "")]
            status = "skipped" if word == "skip" else "passed" if word in code else "failed"
            rows.append(Row("bus", name, status, f"no {word}"))
        if not rows:
            raise Failure(f"KUnit, lane {lane}: the kernel ran no test of {glob}")
        return rows


class Prove(SeriesCase):
    """Each test gives a series, kunit/proofs and the verdict per patch."""

    def check(self, changes, lines, **kw):
        for path in series.patches(self.root):
            path.unlink()
        series.write_files(self.root / "patches", self.mails(changes))
        self.write("kunit/proofs", lines)
        self.fake = FakeSuites(self.tree)
        self.results = core.Results()
        with contextlib.ExitStack() as stack:
            for name in ("build", "run"):
                stack.enter_context(mock.patch.object(proofs.suites, name,
                                                      getattr(self.fake, name)))
            stack.enter_context(mock.patch.object(core, "results", self.results))
            stack.enter_context(mock.patch.object(proofs, "BUILD", self.tmp / "build"))
            stack.enter_context(mock.patch.object(core, "STAMPS", self.tmp / "stamp"))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            proofs.check_proofs(self.tree, root=self.root, **kw)
        after = series.Git(self.tree.git_dir, self.tree.dir)
        self.assertEqual(after("rev-parse", "HEAD"), after("rev-parse", series.SERIES),
                         "the series is checked out again")
        return {row["name"].split()[1]: (row["status"], row["message"])
                for row in self.results.rows}

    def assertProven(self, verdict):
        self.assertEqual([status for status, _ in verdict.values()], ["passed"] * len(verdict))

    def assertFails(self, verdict, number, why):
        status, message = verdict[number]
        self.assertEqual(status, "failed")
        self.assertRegex(message, why)
        self.assertIn(f"repeat: make check-proofs PATCH={number}", message)

    def test_test_that_fails_without_the_code(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"works {A} fixed\n"})
        self.assertProven(self.check([fix], "fix 0001 bus:works\n"))

    def test_test_that_passes_anyway(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"works {A} a3\n"})
        self.assertFails(self.check([fix], "fix 0001 bus:works\n"), "0001", "it proves nothing")

    def test_test_that_fails_with_the_code_too(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"works {A} never\n"})
        self.assertFails(self.check([fix], "fix 0001 bus:works\n"), "0001", "does not pass")

    def test_test_that_does_not_run(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"other {A} fixed\n"})
        self.assertFails(self.check([fix], "fix 0001 bus:works\n"), "0001", "ran no test")

    def test_skipped_test_is_no_red(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"works {A} skip\n"})
        self.assertFails(self.check([fix], "fix 0001 bus:works\n"), "0001", "did not run")

    def test_crash_is_red(self):
        crash = ("bus: Break z", {Z: "crash\n", TEST: f"works {Z} z\n"})
        fix = ("bus: Fix z", {Z: "int z;\n"})
        verdict = self.check([crash, fix], "none 0001 breaks\nfix 0002 bus:works\n")
        self.assertProven(verdict)

    def test_test_of_a_later_patch(self):
        changes = [("bus: Fix a", {A: FIXED}),
                   ("bus: Add a suite", {TEST: f"works {A} fixed\n"})]
        lines = "fix 0001 bus:works{}\nnew 0002 bus:*\n"
        self.assertProven(self.check(changes, lines.format(" test=0002")))
        self.assertFails(self.check(changes, lines.format("")), "0001", "ran no test")

    def test_test_of_a_later_patch_beside_its_code(self):
        """The later patch's own fix is in neither tree."""
        changes = [("bus: Fix a", {A: FIXED}),
                   ("bus: Fix z", {Z: "int better;\n", TEST: f"a {A} fixed\nz {Z} better\n"})]
        self.assertProven(self.check(changes, "fix 0001 bus:a test=0002\nfix 0002 bus:z\n"))

    def test_new_suite_must_pass(self):
        good = ("bus: Add a suite", {TEST: f"works {A} a3\n"})
        bad = ("bus: Add a suite", {TEST: f"works {A} never\n"})
        self.assertProven(self.check([good], "new 0001 bus:*\n"))
        self.assertFails(self.check([bad], "new 0001 bus:*\n"), "0001", "does not pass")

    def test_only_the_chosen_patches_and_nothing_twice(self):
        changes = [("bus: Fix a", {A: FIXED, TEST: f"works {A} fixed\n"}),
                   ("bus: Change z", {Z: "long z;\n"})]
        lines = "fix 0001 bus:works\nnone 0002 it is a comment\n"
        self.assertEqual(set(self.check(changes, lines, only=["0002"])), {"0002"})
        self.assertEqual(self.fake.builds, 0)
        self.check(changes, lines)
        self.assertEqual(self.fake.builds, 2)
        self.assertProven(self.check(changes, lines))
        self.assertEqual(self.fake.builds, 0)

    def test_what_is_proven_is_kept_if_it_is_to_be(self):
        changes = [("bus: Fix a", {A: FIXED, TEST: f"works {A} fixed\n"}),
                   ("bus: Fix z", {Z: "long z;\n"})]
        lines = "fix 0001 bus:works\nfix 0002 bus:works\n"
        self.check(changes, lines)
        self.assertFalse(proofs.proven(self.root))
        self.check(changes, lines, keep=True)
        now = proofs.marks_now(self.root)
        self.assertEqual(proofs.proven(self.root), {now["0001"]: f"{now['0001']} bus-Fix-a"})
        self.check([("bus: Fix it", changes[0][1]), changes[1]],
                   "new 0001 bus:*\nnone 0002 reason\n", only=["0002"], keep=True)
        self.assertEqual(list(proofs.proven(self.root)), [proofs.marks_now(self.root)["0002"]],
                         "the old mark of 0001 is gone")

    def test_patch_that_is_not_there(self):
        fix = ("bus: Fix a", {A: FIXED, TEST: f"works {A} fixed\n"})
        with self.assertRaisesRegex(Failure, "no patch 0009 or 12: there are 0001 to 0001"):
            self.check([fix], "fix 0001 bus:works\n", only=["12", "0001", "0009"])

    def boots(self, word):
        """A boot case that is green while @word stands in the code."""
        def boot(tree):
            self.booted += 1
            if word not in (tree.dir / A).read_text():
                raise Failure("no power-off")
        return {"off": (lambda tree: None, boot)}

    def check_boot(self, word, kind="boot 0001 off\n"):
        self.booted = 0
        return self.check([("bus: Fix a", {A: FIXED})], kind, boot_cases=self.boots(word))

    def test_boot_case(self):
        self.assertFails(self.check_boot("a3"), "0001", "is green without")
        self.assertFails(self.check_boot("never"), "0001", "no power-off")
        self.assertFails(self.check_boot("fixed", "boot 0001 on\n"), "0001", "no boot case 'on'")
        self.assertProven(self.check_boot("fixed"))
        self.assertEqual(self.booted, 2)
        self.assertProven(self.check_boot("fixed"))
        self.assertEqual(self.booted, 0)

    def test_new_boot_case(self):
        self.assertFails(self.check_boot("never", "new 0001 boot:off\n"), "0001", "no power-off")
        self.assertProven(self.check_boot("a3", "new 0001 boot:off\n"))
        self.assertEqual(self.booted, 1)

    def test_kernel_that_does_not_build_is_no_red(self):
        def build(tree):
            raise Failure("does not build")
        cases = {"off": (build, build)}
        self.assertFails(self.check([("bus: Fix a", {A: FIXED})], "boot 0001 off\n",
                                    boot_cases=cases), "0001", "does not build")
