# SPDX-License-Identifier: GPL-2.0-only
"""wb/series.py: base, git am, checkout, projection, BASES."""
import os

from wb import series
from wb.core import Failure

from .fixture_series import BASES, KERNEL, SERIES, SeriesCase, write


class Apply(SeriesCase):

    def mtimes(self):
        return {p.relative_to(self.tree.dir): p.stat().st_mtime_ns
                for p in self.tree.dir.rglob("*") if p.is_file()}

    def test_puts_every_patch_on_the_tree(self):
        self.assertEqual(series.apply(self.tree, self.root), 3)
        for path, text in {**SERIES[0][1], **SERIES[1][1], **SERIES[2][1]}.items():
            self.assertEqual((self.tree.dir / path).read_text(), text, path)

    def test_second_run_touches_nothing(self):
        series.apply(self.tree, self.root)
        before = self.mtimes()
        series.apply(self.tree, self.root)
        self.assertEqual(self.mtimes(), before)

    def test_changed_patch_touches_only_its_files(self):
        series.apply(self.tree, self.root)
        for path in self.tree.dir.rglob("*"):
            os.utime(path, (1, 1))
        series.apply(self.tree, self.root)
        self.write("drivers/bus/m_kunit.c", "int other;\n")
        self.sync()
        series.apply(self.tree, self.root)
        changed = {str(p) for p, t in self.mtimes().items() if t != 10**9}
        self.assertEqual(changed, {"drivers/bus/m_kunit.c"})

    def test_same_patches_give_the_same_commits(self):
        first = series.commits(self.tree, self.root)
        other = self.kernel("1.0-again")
        self.assertEqual(series.commits(other, self.root), first)

    def test_base_grows_with_a_newly_touched_file(self):
        series.apply(self.tree, self.root)
        more = SERIES + [("bus: Touch z", {"drivers/bus/z.c": "long z;\n"})]
        series.write_files(self.root / "patches", self.mails(more))
        series.apply(self.tree, self.root)
        self.assertEqual((self.tree.dir / "drivers/bus/z.c").read_text(), "long z;\n")

    def test_file_that_no_patch_touches_any_more_is_upstream_again(self):
        series.apply(self.tree, self.root)
        for path in series.patches(self.root)[1:]:
            path.unlink()
        series.apply(self.tree, self.root)
        self.assertEqual((self.tree.dir / "drivers/bus/Makefile").read_text(),
                         KERNEL["drivers/bus/Makefile"])
        self.assertFalse((self.tree.dir / "drivers/bus/m.c").exists())

    def test_other_text_at_a_hunk_names_patch_and_file(self):
        series.apply(self.tree, self.root)
        other = self.kernel("ksrc", {**KERNEL, "drivers/bus/Makefile": "obj-y := everything.o\n"})
        with self.assertRaises(Failure) as caught:
            series.apply(other._replace(base=None), self.root)
        self.assertIn("0002-bus-Add-m.patch does not apply: drivers/bus/Makefile",
                      caught.exception.what)
        self.assertIn("error: patch failed", caught.exception.what)
        self.assertEqual((other.dir / "drivers/bus/a.c").read_text(), KERNEL["drivers/bus/a.c"])

    def test_added_file_that_the_kernel_has_already_is_not_overwritten(self):
        other = self.kernel("ksrc", {**KERNEL, "drivers/bus/m.c": "theirs\n"})
        with self.assertRaisesRegex(Failure, "0002-bus-Add-m.patch .*drivers/bus/m.c"):
            series.apply(other._replace(base=None), self.root)
        self.assertEqual((other.dir / "drivers/bus/m.c").read_text(), "theirs\n")

    def test_missing_upstream_file_is_named(self):
        other = self.kernel("ksrc")
        (other.dir / "drivers/bus/a.c").unlink()
        with self.assertRaisesRegex(Failure, "0001-bus-Fix-a.patch .*drivers/bus/a.c"):
            series.apply(other._replace(base=None), self.root)

    def test_edit_by_hand_stops_it_and_stays(self):
        series.apply(self.tree, self.root)
        write(self.tree.dir, {"drivers/bus/m.c": "mine\n"})
        with self.assertRaisesRegex(Failure, "edited by hand: drivers/bus/m.c"):
            series.apply(self.tree, self.root)
        self.assertEqual((self.tree.dir / "drivers/bus/m.c").read_text(), "mine\n")

    def test_edit_by_hand_of_a_file_that_no_patch_touched_is_no_upstream_text(self):
        series.apply(self.tree, self.root)
        write(self.tree.dir, {"drivers/bus/z.c": "mine\n"})
        more = SERIES + [("bus: Touch z", {"drivers/bus/z.c": "long z;\n"})]
        series.write_files(self.root / "patches", self.mails(more))
        with self.assertRaisesRegex(Failure, "edited by hand: drivers/bus/z.c"):
            series.apply(self.tree, self.root)

    def test_interrupted_checkout_is_finished(self):
        series.apply(self.tree, self.root)
        git = series.Git(self.tree.git_dir, self.tree.dir)
        (self.tree.git_dir / "checking-out").write_text(git("rev-parse", series.SERIES))
        (self.tree.git_dir / "index.lock").write_text("")
        write(self.tree.dir, {"drivers/bus/m.c": "half\n"})
        series.apply(self.tree, self.root)
        self.assertEqual((self.tree.dir / "drivers/bus/m.c").read_text(),
                         SERIES[2][1]["drivers/bus/m.c"])

    def test_first_checkout_interrupted_does_not_make_our_files_upstream(self):
        git = series.build(self.tree, self.root)
        (self.tree.git_dir / "checking-out").write_text(git("rev-parse", series.SERIES))
        write(self.tree.dir, {"drivers/bus/m.c": "half\n"})
        (self.tree.git_dir / "series.json").unlink()
        series.apply(self.tree, self.root)
        self.assertEqual((self.tree.dir / "drivers/bus/m.c").read_text(),
                         SERIES[2][1]["drivers/bus/m.c"])

    def test_pinned_text_is_verified(self):
        tree = self.tree._replace(base=series.bases(self.root)["1.0"])
        series.build(tree, self.root)
        other = self.kernel("other", {**KERNEL, "drivers/bus/a.c": "other\n"})
        with self.assertRaisesRegex(Failure, "other: drivers/bus/a.c, which 0001-bus-Fix-a.patch"):
            series.build(other._replace(base=tree.base), self.root)

    def test_file_with_two_mails_is_refused(self):
        one, two, _ = series.patches(self.root)
        one.write_bytes(one.read_bytes() + two.read_bytes())
        two.unlink()
        with self.assertRaisesRegex(Failure, "each file must be one mail"):
            series.build(self.tree, self.root)

    def test_restore_gives_the_upstream_text_back(self):
        series.apply(self.tree, self.root)
        series.restore(self.tree)
        have = {str(p.relative_to(self.tree.dir)): p.read_text()
                for p in self.tree.dir.rglob("*") if p.is_file()}
        self.assertEqual(have, KERNEL)

    def test_no_patches_is_the_base(self):
        for path in series.patches(self.root):
            path.unlink()
        self.assertEqual(series.apply(self.tree, self.root), 0)

    def test_touched_tells_upstream_files_from_added_ones(self):
        upstream, added = series.touched(self.root)
        self.assertEqual(set(upstream), {"drivers/bus/a.c", "drivers/bus/Makefile", "MAINTAINERS"})
        self.assertEqual(added, {"drivers/bus/m.c": "0002-bus-Add-m.patch",
                                 "drivers/bus/m_kunit.c": "0003-bus-m-Count.patch"})


class Bases(SeriesCase):

    def test_first_is_pinned_and_has_the_blobs(self):
        known = series.bases(self.root)
        self.assertEqual(list(known), ["1.0", "2.0"])
        self.assertEqual(set(known["1.0"]["blobs"]), set(series.touched(self.root)[0]))
        self.assertEqual(known["2.0"]["blobs"], {})

    def test_moving_the_pin_keeps_the_rest(self):
        series.write_blobs(self.root, "2.0", {"x": "1"})
        known = series.bases(self.root)
        self.assertEqual(list(known), ["2.0", "1.0"])
        self.assertEqual((known["2.0"]["blobs"], known["1.0"]["blobs"]), ({"x": "1"}, {}))
        self.assertTrue(self.read("patches/BASES").startswith("# bases\n\n2.0\n"))

    def test_bad_lines_are_named(self):
        for bad, said in ((BASES.replace("suite   suite", "suit x"), ":6: cannot read 'suit x'"),
                          (BASES.replace("    sha256  0\n", ""), "base 1.0 has no sha256"),
                          ("# nothing\n", "names no base")):
            self.write("patches/BASES", bad)
            with self.assertRaisesRegex(Failure, said):
                series.bases(self.root)
