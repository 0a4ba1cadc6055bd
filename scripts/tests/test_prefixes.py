# SPDX-License-Identifier: GPL-2.0-only
"""wb/prefixes.py: every prefix builds and boots, and what is done is not done again."""
import contextlib
import io
from unittest import mock

from wb import core, prefixes, series
from wb.core import Failure

from .fixture_series import KERNEL, SeriesCase

A, KCONFIG = "drivers/bus/a.c", "drivers/bus/Kconfig"
GOOD = [("bus: Fix a", {A: KERNEL[A].replace("a10", "fixed")}),
        ("bus: Fix a more", {A: KERNEL[A].replace("a10", "better")}),
        ("bus: Fix z", {"drivers/bus/z.c": "long z;\n"})]
BAD = [GOOD[0], ("bus: Break a", {A: "broken\n"}), GOOD[1]]


class Bisect(SeriesCase):

    def setUp(self):
        super().setUp()
        self.upstream({KCONFIG: "config A\n\tbool\n"})
        self.fragment = self.tmp / "zone.config"
        self.fragment.write_text("CONFIG_A=y\n")
        self.built, self.booted, self.later = [], [], []

    def config(self, tree, out, fragments, extra, keep):
        self.assertEqual(extra["WERROR"], "y")
        self.later.append(series.later_symbols(tree))
        out.mkdir(parents=True, exist_ok=True)
        (out / ".config").touch()

    def build(self, tree, out, targets, log):
        """A compiler that refuses a word."""
        text = (tree.dir / A).read_text()
        self.built.append(out.name)
        if "broken" in text:
            raise Failure(f"building {out.name}")

    def boot(self, tree, out):
        """A machine that stops at a word."""
        self.booted.append(out.name)
        if "hangs" in (tree.dir / A).read_text():
            raise Failure("no token")

    def check(self, changes, smp=False, variants=None):
        for path in series.patches(self.root):
            path.unlink()
        series.write_files(self.root / "patches", self.mails(changes))
        self.built, self.booted, self.later, results = [], [], [], core.Results()
        configs = {"up": ([self.fragment], {})}
        if smp:
            configs["smp"] = ([self.fragment], {"SMP": "y"})
        with mock.patch.object(prefixes.kernel, "config", self.config), \
             mock.patch.object(prefixes.kernel, "build", self.build), \
             mock.patch.object(prefixes.kernel, "out_dir", lambda n: self.tmp / "obj" / n), \
             mock.patch.object(core, "STAMPS", self.tmp / "stamp"), \
             mock.patch.object(core, "results", results), \
             contextlib.redirect_stdout(io.StringIO()):
            prefixes.check_bisect(self.tree, self.boot, configs, variants or {}, self.root)
        git = series.Git(self.tree.git_dir)
        self.assertEqual(git("rev-parse", "HEAD"), git("rev-parse", series.SERIES))
        return {row["name"]: row["status"] for row in results.rows}, results.rows

    def test_good_series(self):
        verdict, _ = self.check(GOOD, smp=True)
        self.assertEqual(set(verdict.values()), {"passed"})
        self.assertEqual(len(verdict), 6)
        self.assertEqual([sorted(self.built[n:n + 2]) for n in (0, 2, 4)],
                         [["bisect-smp", "bisect-up"]] * 3, "one checkout after the other")

    def test_variants_are_of_the_whole_series(self):
        verdict, _ = self.check(GOOD, variants={"rt": ([self.fragment], {"RT": "y"})})
        self.assertEqual(verdict.pop("0003-bus-Fix-z.patch rt"), "passed")
        self.assertEqual(len(verdict), 3)
        self.assertEqual(self.built.count("bisect-rt"), 1)

    def test_text_for_readers_makes_no_kernel(self):
        docs = ("bus: Document a", {"Documentation/a.rst": "It is fixed.\n"})
        verdict, _ = self.check([GOOD[0], docs])
        self.assertEqual(list(verdict.values()), ["passed"] * 2)
        self.assertEqual(len(self.built), 1)

    def test_broken_prefix_of_a_series_that_ends_well(self):
        verdict, rows = self.check(BAD)
        bad = {name for name, status in verdict.items() if status == "failed"}
        self.assertEqual(bad, {"0002-bus-Break-a.patch up"})
        message = [row["message"] for row in rows if row["status"] == "failed"][0]
        self.assertIn("building bisect-up", message)
        self.assertIn("repeat: make check-bisect", message)

    def test_only_what_changed_is_built_again(self):
        self.check(BAD)
        self.check(BAD)
        self.assertEqual(self.built, ["bisect-up"], "the failure alone")
        self.check(GOOD)
        self.assertEqual(len(self.built), 1, "0001 and 0002 are kernels that were there")
        self.check(GOOD)
        self.assertEqual(self.built, [])

    def test_what_is_done_is_kept_in_a_file(self):
        self.check(BAD)
        lines = prefixes.done(self.root).values()
        self.assertEqual([line.split()[1:] for line in lines],
                         [["up", "bus-Fix-a"], ["up", "bus-Fix-a-more"]], "not what is broken")
        self.check(GOOD[:1])
        self.assertEqual(len(prefixes.done(self.root)), 1, "what is no prefix is not kept")

    def test_prefix_that_does_not_boot(self):
        hangs = ("bus: Hang", {A: "hangs\n"})
        for _ in "once", "and not taken for done":
            verdict, _ = self.check([GOOD[0], hangs, GOOD[1]])
            self.assertEqual([n for n, s in verdict.items() if s == "failed"],
                             ["0002-bus-Hang.patch up"])
            self.assertIn("bisect-up", self.booted)

    def test_same_symbols_are_configured_once(self):
        self.check(GOOD)
        self.assertEqual(len(self.built), 3)
        self.assertEqual(len(self.later), 2, "at first, and at the end, where all must be kept")

    def test_changed_symbols_are_configured_again(self):
        with mock.patch.dict(KERNEL, {KCONFIG: "config A\n\tbool\n"}):
            self.check([GOOD[0], ("bus: Add m", {KCONFIG: "config A\n\tbool\n\nconfig M\n"}),
                        *GOOD[1:]])
        self.assertEqual([len(symbols) for symbols in self.later], [1, 0, 0])

    def test_broken_off_configuration_is_not_taken_for_done(self):
        def breaks_off(tree, out, *args, **keep):
            raise Failure("interrupted")
        out = self.tmp / "out"
        self.check(GOOD)
        with mock.patch.object(core, "STAMPS", self.tmp / "stamp"):
            with mock.patch.object(prefixes.kernel, "config", self.config):
                prefixes.configure(self.tree, out, [], {"WERROR": "y"})
            with mock.patch.object(prefixes.kernel, "config", breaks_off), \
                    self.assertRaises(Failure):
                prefixes.configure(self.tree, out, [], {"WERROR": "y", "RT": "y"})
            with mock.patch.object(prefixes.kernel, "config", self.config):
                before = len(self.later)
                prefixes.configure(self.tree, out, [], {"WERROR": "y"})
        self.assertEqual(len(self.later), before + 1)

    def test_symbol_of_a_later_patch_is_not_asked_for(self):
        later = ("bus: Add m", {KCONFIG: "config A\n\tbool\n\nconfig M\n\tbool\n"})
        self.fragment.write_text("CONFIG_A=y\nCONFIG_M=y\n")
        with mock.patch.dict(KERNEL, {KCONFIG: "config A\n\tbool\n"}):
            self.check([GOOD[0], later])
            self.assertEqual(self.later, [{"M"}, set()])
            self.check([GOOD[0], later, ("bus: Add n", {KCONFIG: "config A\n\tbool\n\n"
                                         "config M\n\tbool\n\nconfig N\n\tbool\n"})])
        self.assertEqual(len(self.built), 1, "what is done is done")

    def test_symbol_that_a_diff_shows_as_new(self):
        """Whose lines match again further down, as those of all help texts do."""
        entry = "config {}\n\tbool\n\thelp\n\t  If unsure, say N.\n\n"
        before = entry.format("H")
        later = entry.format("F") + entry.format("G") + before + entry.format("I")
        with mock.patch.dict(KERNEL, {KCONFIG: "config A\n\tbool\n"}):
            self.check([("bus: Add h", {KCONFIG: "config A\n\tbool\n\n" + before}),
                        ("bus: Add more", {KCONFIG: "config A\n\tbool\n\n" + later})])
        self.assertEqual(self.later, [set("FGI"), set()])


class Explain(SeriesCase):

    def test_log_and_command_are_told(self):
        log = self.tmp / "log"
        log.write_text("the reason\n")
        said = prefixes.explain(Failure("it failed", log), "make it")
        for part in ("it failed", "the reason", f"log: {log}", "repeat: make it"):
            self.assertIn(part, said)
