# SPDX-License-Identifier: GPL-2.0-only
"""wb/sync.py: sync in both directions, edit, rebase, status."""
import contextlib
import io
import re
import shutil

from wb import series, sync
from wb.core import Failure

from .fixture_series import DRIVER, ENTRY, KERNEL, SERIES, SeriesCase, author, write

M, TEST = "drivers/bus/m.c", "drivers/bus/m_kunit.c"


class FromTree(SeriesCase):

    def test_without_an_edit_nothing_changes(self):
        before = self.snapshot()
        self.assertEqual(self.sync(), "patches and tree agree")
        self.assertEqual(self.snapshot(), before)

    def folded(self, path, text):
        """The file's texts after patches 2 and 3 once @text is folded in."""
        git = series.build(self.tree, self.root)
        want = series.projection(git)
        now = {**want, path: ("100644", text.encode())}
        tip = sync.fold(self.tree, self.root, want, now)
        return [git.raw("cat-file", "blob", f"{rev}:{path}").decode() for rev in (f"{tip}^", tip)]

    def test_edit_goes_to_the_patch_that_owns_the_lines(self):
        final = self.read(M)
        for what, old, new, early in (
                ("one line", "int m2;", "long m2;", DRIVER.replace("int m2;", "long m2;")),
                ("a line of the later patch", "int count", "u8 count", DRIVER),
                ("beside the later patch", "int m6;", "u8 m6;", DRIVER.replace("int m6", "u8 m6")),
                ("lines of both", "int m6;\nint count;\n", "int both;\n", DRIVER),
                ("a new first line", "int m0;", "int f;\nint m0;", "int f;\n" + DRIVER),
                ("a new last line", "int m11;\n", "int m11;\nint l;\n", DRIVER + "int l;\n"),
                ("a new line between the two", "int count;", "int new;\nint count;", DRIVER),
                ("lines that go", "int m3;\nint m4;\n", "",
                 DRIVER.replace("int m3;\nint m4;\n", "")),
                ("two hunks", "int m2;\nint m3;\nint m4;", "u8 m2;\nint m3;\nu8 m4;",
                 DRIVER.replace("int m2", "u8 m2").replace("int m4", "u8 m4"))):
            with self.subTest(what):
                text = final.replace(old, new)
                self.assertNotEqual(text, final)
                self.assertEqual(self.folded(M, text), [early, text])

    def test_edit_stays_out_of_patches_that_cannot_have_it(self):
        more = self.mails(SERIES + [("bus: m: Part", {M: DRIVER.replace("m8;", "m8;\nint x;")}),
                                    ("bus: m: Join", {M: DRIVER})])
        series.write_files(self.root / "patches", more)
        self.sync()
        text = DRIVER.replace("int m8;\n", "int m8;\nint new;\n")
        self.assertEqual(self.folded(M, text), [DRIVER.replace("m8;", "m8;\nint x;"), text])
        self.write(M, text)
        self.sync()
        self.assertNotIn("int new;", self.at(2, M))

    def test_place_of_a_hunk_in_an_earlier_text(self):
        for what, early, final, start, count, want in (
                ("one line", "abc", "axbc", 2, 1, 1),
                ("lines that stood apart", "axb", "ab", 0, 2, None),
                ("a line of later", "ab", "acb", 1, 1, None),
                ("between two", "ab", "ab", 1, 0, 1),
                ("between two that stood apart", "axb", "ab", 1, 0, None),
                ("before the first", "ab", "abc", 0, 0, 0),
                ("before what was not the first", "xab", "ab", 0, 0, None),
                ("after the last", "ab", "xab", 3, 0, 2),
                ("after what was not the last", "abx", "ab", 2, 0, None),
                ("into an empty file", "", "", 0, 0, 0),
                ("into what was not empty", "a", "", 0, 0, None)):
            with self.subTest(what):
                self.assertEqual(sync.place(list(early), list(final), start, count), want)

    def test_edit_reaches_patches_and_projection(self):
        self.write(M, self.read(M).replace("int m2;", "long m2;"))
        self.assertEqual(self.sync(), "patches/ has the tree's edits now")
        self.assertEqual(self.at(2, M), DRIVER.replace("int m2;", "long m2;"))
        self.assertEqual(self.at(3, M), self.read(M))
        self.assertIn("long m2;", self.read(M))

    def test_message_author_and_date_survive(self):
        patch = series.patches(self.root)[1]
        head = patch.read_text().split("\n---\n")[0]
        self.write(M, self.read(M).replace("int m2;", "long m2;"))
        self.sync()
        self.assertEqual(patch.read_text().split("\n---\n")[0], head)

    def test_untouched_patches_are_not_rewritten(self):
        before = self.snapshot()
        self.write(TEST, "int better;\n")
        self.sync()
        changed = {p.name for p, body in self.snapshot().items() if before[p] != body}
        self.assertEqual(changed, {"m_kunit.c", "0003-bus-m-Count.patch"})

    def test_new_file_needs_an_owner(self):
        self.write("drivers/bus/new.c", "int n;\n")
        before = self.snapshot()
        with self.assertRaisesRegex(Failure, "no patch owns drivers/bus/new.c"):
            self.sync()
        self.assertEqual(self.snapshot(), before)
        self.sync(patch="2")
        self.assertEqual(self.at(2, "drivers/bus/new.c"), "int n;\n")
        with self.assertRaises(Failure):
            self.at(1, "drivers/bus/new.c")

    def test_patch_that_does_not_exist_is_refused(self):
        self.write("drivers/bus/new.c", "int n;\n")
        with self.assertRaisesRegex(Failure, "PATCH=0009 is no patch"):
            self.sync(patch="0009")

    def test_new_patch_takes_the_whole_edit(self):
        self.write("drivers/bus/new.c", "int n;\n")
        self.write(M, self.read(M).replace("int m2;", "long m2;"))
        with self.assertRaisesRegex(Failure, "PATCH=new needs SUBJECT"):
            self.sync(patch="new")
        self.sync(patch="new", subject="bus: Add new")
        self.assertEqual(self.subjects()[3:], ["bus: Add new"])
        self.assertEqual(self.at(2, M), DRIVER)
        self.assertIn("long m2", self.at(4, M))
        self.assertEqual(self.at(4, "drivers/bus/new.c"), "int n;\n")

    def test_deleted_file_leaves_its_patch(self):
        (self.root / TEST).unlink()
        self.sync()
        self.assertNotIn("m_kunit", series.patches(self.root)[2].read_text())
        self.assertEqual(len(self.subjects()), 3)

    def test_patch_with_nothing_left_goes_and_the_proofs_follow(self):
        self.write("drivers/bus/n.c", "int n;\n")
        self.sync(patch="new", subject="bus: Add n")
        self.write("drivers/bus/o.c", "int o;\n")
        self.sync(patch="new", subject="bus: Add o")
        self.write("kunit/proofs", self.read("kunit/proofs")
                   + "new 0004 n:*\nfix 0005 o:o base test=0005\n")
        (self.root / "drivers/bus/n.c").unlink()
        self.sync()
        self.assertEqual(self.subjects()[3:], ["bus: Add o"])
        self.assertEqual(self.read("kunit/proofs").splitlines()[3:],
                         ["fix 0004 o:o base test=0004"])

    def test_upstream_file_in_the_tree_is_refused(self):
        for path in ("drivers/bus/z.c", "drivers/bus/a.c"):
            self.write(path, "int mine;\n")
            with self.assertRaisesRegex(Failure, f"{path} is a file of the kernel itself"):
                self.sync(patch="2")
            (self.root / path).unlink()

    def test_maintainers_entry_is_carried_to_its_place(self):
        self.assertEqual(self.read("MAINTAINERS").strip(), ENTRY + "F:\tdrivers/bus/x.c")
        self.write("MAINTAINERS", self.read("MAINTAINERS").replace("BUS\n", "BUS\nL:\tlist\n"))
        self.sync()
        entry = ENTRY.replace("BUS\n", "BUS\nL:\tlist\n")
        self.assertEqual(self.at(2, "MAINTAINERS"),
                         KERNEL["MAINTAINERS"].replace("THE REST", entry + "\nTHE REST"))
        self.assertEqual(self.at(3, "MAINTAINERS"), KERNEL["MAINTAINERS"].replace(
            "THE REST", entry + "F:\tdrivers/bus/x.c\n\nTHE REST"))
        self.write("MAINTAINERS", "BUS\nS:\tOdd\nF:\tdrivers/bus/\n\n")
        self.sync()
        self.assertEqual(self.at(3, "MAINTAINERS"), KERNEL["MAINTAINERS"].replace(
            "THE REST", "BUS\nS:\tOdd\nF:\tdrivers/bus/\n\nTHE REST"))

    def test_text_that_mail_cannot_carry_is_refused(self):
        (self.root / TEST).write_bytes(b"int a;\r\nint b;\r\n")
        before = self.snapshot()
        with self.assertRaisesRegex(Failure, f"the edits of {TEST} do not survive as mail"):
            self.sync()
        self.assertEqual(self.snapshot(), before)

    def test_file_without_an_end_of_line(self):
        self.write(TEST, "int a;\nint b;")
        self.sync()
        self.assertEqual(self.at(3, TEST), "int a;\nint b;")


class FromPatches(SeriesCase):

    def edit_patch(self, number=2, old="+int m2;", new="+long m2;"):
        path = series.patches(self.root)[number - 1]
        path.write_text(path.read_text().replace(old, new))

    def test_the_tree_follows(self):
        self.edit_patch()
        self.assertEqual(self.sync(), "the tree follows patches/")
        self.assertIn("long m2;", self.read(M))

    def test_patch_gets_its_normal_form_back(self):
        self.edit_patch(old="2.39", new="9.9")
        path = series.patches(self.root)[0]
        good = path.read_bytes()
        path.write_bytes(good.replace(b"Subject: [PATCH] ", b"Subject: [PATCH 1/3] "))
        self.sync()
        self.assertEqual(path.read_bytes(), good)

    def test_file_of_a_removed_patch_goes(self):
        series.patches(self.root)[2].unlink()
        self.sync()
        self.assertFalse((self.root / TEST).exists())
        self.assertEqual(self.read(M), DRIVER)
        self.assertNotIn("0003", self.read("kunit/proofs"))

    def test_both_edited_stops_and_shows_both(self):
        self.edit_patch()
        self.write(M, self.read(M).replace("int m4;", "long m4;"))
        before = self.snapshot()
        with self.assertRaises(Failure) as caught:
            self.sync()
        self.assertIn("+long m4;", caught.exception.what)
        self.assertIn("++long m2;", caught.exception.what)
        self.assertEqual(self.snapshot(), before)

    def test_the_user_says_which_side_to_keep(self):
        self.edit_patch()
        self.write(M, self.read(M).replace("int m4;", "long m4;"))
        self.sync(keep="patches")
        self.assertIn("int m4;", self.read(M))
        self.assertIn("long m2;", self.read(M))
        self.edit_patch(old="+long m2;", new="+char m2;")
        self.write(M, self.read(M).replace("int m4;", "long m4;"))
        self.sync(keep="tree")
        self.assertIn("long m4;", self.at(2, M))
        self.assertIn("long m2;", self.at(2, M))
        with self.assertRaisesRegex(Failure, "FROM=x"):
            self.sync(keep="x")
        self.write("drivers/bus/mine.c", "int mine;\n")
        with self.assertRaisesRegex(Failure, "no patch owns drivers/bus/mine.c"):
            self.sync(keep="patches")
        self.assertEqual(self.read("drivers/bus/mine.c"), "int mine;\n")

    def test_fresh_clone_is_judged_by_its_last_commit(self):
        sync.shutil.rmtree(self.root / "build")
        self.write(M, self.read(M).replace("int m2;", "long m2;"))
        self.assertEqual(self.sync(), "patches/ has the tree's edits now")
        sync.shutil.rmtree(self.root / "build")
        self.commit("more")
        self.edit_patch(old="+long m2;", new="+char m2;")
        self.assertEqual(self.sync(), "the tree follows patches/")

    def test_broken_patch_changes_nothing(self):
        self.edit_patch(number=1, old=" int a9;", new=" int a99;")
        before = self.snapshot()
        with self.assertRaisesRegex(Failure, "0001-bus-Fix-a.patch does not apply"):
            self.sync()
        self.assertEqual(self.snapshot(), before)

    def test_blobs_of_the_pinned_base_follow_the_patches(self):
        series.patches(self.root)[0].unlink()
        self.sync()
        self.assertEqual(set(series.bases(self.root)["1.0"]["blobs"]),
                         {"MAINTAINERS", "drivers/bus/Makefile"})

    def test_other_base_is_refused(self):
        with self.assertRaisesRegex(Failure, "kept on the pinned base 1.0, not on 2.0"):
            sync.sync(self.kernel("2.0"), self.root)


class InEdit(SeriesCase):

    def open(self):
        with contextlib.redirect_stdout(io.StringIO()):
            where = sync.open_edit(self.tree, self.root)
        return where, author(where)

    def test_is_a_complete_kernel_with_a_commit_per_patch(self):
        where, git = self.open()
        for path, text in KERNEL.items():
            self.assertEqual(git.raw("cat-file", "blob", f"base:{path}").decode(), text)
        self.assertEqual(git.lines("log", "--reverse", "--format=%s", "base.."), self.subjects())
        self.assertEqual(git.lines("status", "--porcelain"), [])

    def test_opens_where_nothing_was_built(self):
        shutil.rmtree(sync.work_dir(self.root), ignore_errors=True)
        where, _ = self.open()
        self.assertTrue(where.is_dir())

    def test_base_is_upstream_though_the_series_is_applied(self):
        series.apply(self.tree, self.root)
        _, git = self.open()
        self.assertEqual(set(git.listing("base")), set(KERNEL))
        self.assertEqual(git.raw("cat-file", "blob", "base:drivers/bus/a.c").decode(),
                         KERNEL["drivers/bus/a.c"])

    def test_commits_are_collected(self):
        where, git = self.open()
        write(where, {"drivers/bus/z.c": "long z;\n", M: "int all_new;\n"})
        git("commit", "-q", "-a", "--amend", "--no-edit")
        self.assertEqual(self.sync(), "patches/ and the tree have the commits of build/edit")
        self.assertEqual(self.read(M), "int all_new;\n")
        self.assertEqual(self.at(3, "drivers/bus/z.c"), "long z;\n")
        self.assertIn("drivers/bus/z.c", series.bases(self.root)["1.0"]["blobs"])
        self.assertEqual(self.sync(), "patches and tree agree")

    def test_new_file_is_collected_though_debian_ignores_the_whole_kernel(self):
        self.upstream({".gitignore": "*.o\n/*\n!/debian/\n"})
        where, git = self.open()
        write(where, {"drivers/bus/m_new.c": "int new;\n", "drivers/bus/m.o": ""})
        git("add", "-A")
        git("commit", "-q", "--amend", "--no-edit")
        self.sync()
        self.assertEqual(self.read("drivers/bus/m_new.c"), "int new;\n")
        self.assertFalse((self.root / "drivers/bus/m.o").exists())

    def test_reordered_patches_take_their_proofs_along(self):
        _, git = self.open()
        last = git("rev-parse", "HEAD~2")
        git("checkout", "-q", "-B", "series", "base")
        git("cherry-pick", "series@{1}~1")
        git("cherry-pick", last)
        self.sync()
        self.assertEqual(self.subjects(), ["bus: Add m", "bus: Fix a"])
        self.assertEqual(self.read("kunit/proofs"), "fix 0002 bus:a\nnew 0001 m:*\n")

    def test_kernel_tree_that_was_edited_by_hand_is_not_upstream(self):
        write(self.tree.dir, {"drivers/bus/z.c": "mine\n"})
        with self.assertRaisesRegex(Failure, "edited by hand: drivers/bus/z.c"):
            self.open()

    def test_work_is_not_overwritten(self):
        where, _ = self.open()
        write(where, {M: "int mine;\n"})
        with self.assertRaisesRegex(Failure, "has work that is not in patches/"):
            self.open()
        with self.assertRaisesRegex(Failure, "not committed"):
            self.sync()
        self.assertEqual((where / M).read_text(), "int mine;\n")

    def test_unfinished_rebase_is_not_collected(self):
        where, git = self.open()
        with self.assertRaises(series.GitFailure):
            git("rebase", "-x", "false", "base")
        with self.assertRaisesRegex(Failure, "in the middle of a git am or rebase"):
            self.sync()

    def test_patches_edited_meanwhile_stop_it(self):
        where, git = self.open()
        write(where, {M: "int mine;\n"})
        git("commit", "-q", "-a", "--amend", "--no-edit")
        path = series.patches(self.root)[0]
        path.write_text(path.read_text().replace("+int fixed;", "+int other;"))
        with self.assertRaises(Failure) as caught:
            self.sync()
        self.assertIn("++int other;", caught.exception.what)
        self.assertIn("++int mine;", caught.exception.what)

    def test_tree_edited_meanwhile_stops_it(self):
        where, git = self.open()
        write(where, {M: "int mine;\n"})
        git("commit", "-q", "-a", "--amend", "--no-edit")
        self.write(TEST, "int edited;\n")
        with self.assertRaisesRegex(Failure, "the tree .*edited"):
            self.sync()

    def test_opened_again_it_has_the_patches_of_now(self):
        self.open()
        self.write(M, self.read(M).replace("int m2;", "long m2;"))
        self.sync()
        where, _ = self.open()
        self.assertEqual((where / M).read_text(), self.read(M))


class Rebase(SeriesCase):

    def rebase(self, tree):
        with contextlib.redirect_stdout(io.StringIO()):
            return sync.rebase(tree, self.tree, self.root)

    def test_moved_context_is_rewritten_and_the_pin_moves(self):
        moved = KERNEL["drivers/bus/a.c"].replace("int a8;", "long a8;")
        tree = self.kernel("2.0", {**KERNEL, "drivers/bus/a.c": moved})
        tree = tree._replace(base=series.bases(self.root)["2.0"])
        with self.assertRaises(Failure):
            series.build(tree, self.root)
        self.assertEqual(self.rebase(tree), "patches/ stands on 2.0 now")
        self.assertEqual(series.pinned(self.root), "2.0")
        self.assertTrue(series.bases(self.root)["2.0"]["blobs"])
        self.tree = tree
        self.assertEqual(self.at(1, "drivers/bus/a.c"), moved.replace("a10", "fixed"))

    def test_ksrc_leaves_patches_alone(self):
        moved = KERNEL["drivers/bus/a.c"].replace("int a8;", "long a8;")
        tree = self.kernel("ksrc-1", {**KERNEL, "drivers/bus/a.c": moved})._replace(base=None)
        before = self.snapshot()
        self.rebase(tree)
        self.assertEqual(self.snapshot(), before)
        self.assertIn(" long a8;", (self.root / "build/rebased/0001-bus-Fix-a.patch").read_text())

    def test_conflict_waits_in_edit_and_is_finished_by_the_same_command(self):
        other = KERNEL["drivers/bus/a.c"].replace("int a10;", "char a10;")
        tree = self.kernel("2.0", {**KERNEL, "drivers/bus/a.c": other})
        tree = tree._replace(base=series.bases(self.root)["2.0"])
        before = self.snapshot()
        with self.assertRaisesRegex(Failure, "0001-bus-Fix-a.patch does not apply: "
                                             "drivers/bus/a.c"):
            self.rebase(tree)
        self.assertEqual(self.snapshot(), before)
        with self.assertRaisesRegex(Failure, "middle of a git am"):
            self.rebase(tree)
        where = self.root / "build/edit"
        write(where, {"drivers/bus/a.c": other.replace("char a10;", "char fixed;")})
        git = author(where)
        git("add", ".")
        git("am", "--continue")
        self.assertEqual(self.rebase(tree), "patches/ stands on 2.0 now")
        self.tree = tree
        self.assertIn("char fixed;", self.at(1, "drivers/bus/a.c"))

    def test_edits_to_sync_come_first(self):
        self.write(M, "int edited;\n")
        with self.assertRaisesRegex(Failure, "run make sync first"):
            self.rebase(self.kernel("2.0"))


class Status(SeriesCase):

    def status(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            sync.status(self.tree, self.root)
        return dict(re.match(r"(\w+) +(.*)", line).groups() for line in out.getvalue().splitlines())

    def test_tells_what_is_applied_and_in_step(self):
        told = self.status()
        self.assertIn("3 patches, not applied", told["series"])
        self.assertEqual((told["tree"], told["edit"], told["proofs"]),
                         ("agrees with patches/", "not open", "3 lines for 3 patches"))
        series.apply(self.tree, self.root)
        self.assertIn("3 patches, applied", self.status()["series"])

    def test_tells_what_was_edited(self):
        self.write(M, "int edited;\n")
        self.assertEqual(self.status()["tree"], "differs: tree edited (make sync)")

    def test_tells_of_a_kernel_tree_edited_by_hand(self):
        series.apply(self.tree, self.root)
        self.assertNotIn("edited by hand", self.status()["series"])
        (self.tree.dir / "drivers/bus/a.c").write_text("int mine;\n")
        self.assertIn("edited by hand: drivers/bus/a.c", self.status()["series"])
