# SPDX-License-Identifier: GPL-2.0-only
"""wb/seriescheck.py: every check accepts the good series and sees what is wrong with a bad one."""
import contextlib
import io

from wb import core, series, seriescheck

from .fixture_series import KERNEL, SERIES, SeriesCase, message

M = "drivers/bus/m.c"


class Whole(SeriesCase):

    def check(self):
        """{name: message} of what check_series reports as failed, and how many passed."""
        before = len(core.results.rows)
        with contextlib.redirect_stdout(io.StringIO()):
            seriescheck.check_series(
                self.tree._replace(base=series.bases(self.root)["1.0"]), self.root)
        rows = core.results.rows[before:]
        del core.results.rows[before:]
        return ({row["name"]: row["message"] for row in rows if row["status"] == "failed"},
                sum(row["status"] == "passed" for row in rows))

    def failed(self, name):
        failed, _ = self.check()
        self.assertEqual(list(failed), [name])
        return failed[name]

    def edit_patch(self, number, old, new):
        path = series.patches(self.root)[number - 1]
        self.assertIn(old, path.read_text())
        path.write_text(path.read_text().replace(old, new))

    def test_good_series_passes(self):
        self.assertEqual(self.check(), ({}, 9))

    def test_patch_that_does_not_apply(self):
        self.edit_patch(1, " int a9;", " int a99;")
        self.assertIn("0001-bus-Fix-a.patch does not apply", self.failed("git am"))

    def test_file_missing_in_the_tree(self):
        (self.root / M).unlink()
        self.assertIn(f"{M} is added by the series and not in the tree", self.failed("tree"))

    def test_tree_that_differs_in_text_or_mode(self):
        self.write(M, self.read(M).replace("m2", "m99"))
        self.assertIn("+int m99;", self.failed("tree"))
        self.sync()
        (self.root / M).chmod(0o755)
        self.assertIn(f"{M} is not what the patches make of it", self.failed("tree"))

    def test_file_that_no_patch_owns(self):
        self.write("arch/new.c", "int n;\n")
        self.assertIn("arch/new.c is in the tree and no patch owns it", self.failed("tree"))

    def test_upstream_file_in_the_tree(self):
        self.write("drivers/bus/z.c", KERNEL["drivers/bus/z.c"])
        self.assertIn("drivers/bus/z.c is a file of the kernel itself", self.failed("tree"))

    def test_maintainers_entry_that_differs(self):
        self.write("MAINTAINERS", "other\n")
        self.assertIn("MAINTAINERS is not what the patches make of it", self.failed("tree"))

    def test_form_that_git_would_not_give(self):
        name = series.patches(self.root)[1].name
        self.edit_patch(2, "[PATCH]", "[PATCH v2]")
        self.assertIn("+Subject: [PATCH] bus: Add m", self.failed(name))

    def test_form_is_not_asked_for_on_another_base(self):
        self.tree = self.kernel("2.0")
        self.assertEqual(self.check(), ({}, 9))
        self.edit_patch(2, "[PATCH]", "[PATCH v2]")
        self.assertEqual(self.check(), ({}, 9))

    def test_name_that_git_would_not_give(self):
        path = series.patches(self.root)[1]
        path.rename(path.with_name("0002-other.patch"))
        self.assertIn("names it 0002-bus-Add-m.patch", self.failed("0002-other.patch"))

    def test_second_author(self):
        name = series.patches(self.root)[0].name
        self.edit_patch(1, "From: A Person <person@", "From: A Person <other@")
        self.assertIn("is from A Person <other@workbench.test>", self.failed(name))

    def test_sign_off(self):
        name = series.patches(self.root)[0].name
        self.edit_patch(1, "Assisted-by:", "Signed-off-by: A Person <a@b.c>\nAssisted-by:")
        self.assertIn("has a Signed-off-by", self.failed(name))

    def test_blobs(self):
        text = self.read("patches/BASES")
        line = next(row for row in text.splitlines() if row.endswith("drivers/bus/Makefile"))
        self.write("patches/BASES", text.replace(line + "\n", ""))
        self.assertIn("no blob of drivers/bus/Makefile (0002-bus-Add-m.patch", self.failed("bases"))
        self.write("patches/BASES", text.replace(line, line + "\n" + line.replace("Make", "Take")))
        self.assertIn("has a blob of drivers/bus/Takefile", self.failed("bases"))
        self.write("patches/BASES", text.replace(line.split()[1], "0" * 40))
        self.assertIn("is not the text that patches/BASES pins", self.failed("git am"))

    def test_added_file_without_a_maintainer(self):
        changes = SERIES + [("bus: Add o", {"drivers/bus/o.c": "int o;\n"})]
        series.write_files(self.root / "patches", self.mails(changes))
        self.write("kunit/proofs", self.read("kunit/proofs") + "new 0004 o:*\n")
        self.sync()
        self.assertEqual(self.failed("maintainers"),
                         "drivers/bus/o.c is under no F: line of MAINTAINERS")

    def test_patch_without_a_proof(self):
        self.write("kunit/proofs", "fix 0001 bus:a\nnew 0002 m:*\n")
        self.assertIn("0003", self.failed("proofs"))

    def test_cover_letter(self):
        for bad, said in (("", "1 to 72 characters"), ("s\ntext\n", "an empty line"),
                          ("s\n\n", "an empty line"), ("s\n\n" + "x" * 80 + "\n", "than 75: 3"),
                          ("s\n\ntéxt\n", "ASCII"),
                          ("s" * 80 + "\n\ntext\n", "1 to 72")):
            self.write("patches/cover-letter.txt", bad)
            self.assertIn(said, self.failed("cover letter"))
        (self.root / "patches/cover-letter.txt").unlink()
        self.assertIn("is missing", self.failed("cover letter"))


class Message(SeriesCase):

    def test_good_messages(self):
        for subject in ("bus: Fix a", "irqchip/loongson-eiointc: Route to core 2",
                        "PCI: loongson: Do it", "dt-bindings: pci: Add x,y"):
            self.assertEqual(seriescheck.message_problems(message(subject)), [])
        self.assertEqual(seriescheck.message_problems(
            "bus: Fix\n\nText.\n\nFixes: 1234 (\"x\")\nAssisted-by: LLM\n"), [])
        for line in ("x" * 100, "x " * 37 + "x", f"Fixes: 1234 (\"{'x' * 80}\")"):
            self.assertEqual(seriescheck.message_problems(
                f"bus: Fix\n\nText.\n\n{line}\n\nAssisted-by: LLM\n"), [])

    def test_bad_messages(self):
        good = message("bus: Fix a")
        for bad, said in (
                (good.replace("Fix a", "x" * 70), "75 characters, 72 at most"),
                (good.replace("Fix a", "Fix a."), "full stop"),
                (good.replace("bus: Fix a", "Fix a"), "no prefix"),
                ("bus: Fix a\n\nAssisted-by: LLM\n", "no message"),
                ("bus: Fix a\n", "no message"),
                (good.replace("Assisted-by: LLM", "Assisted-by: Someone"), "wants one trailer"),
                (good.replace("coccinelle", "coccinelle, sparse"), "wants one trailer"),
                (good.replace("Assisted-by", "\nText.\n\nHelped-by"), "wants one trailer"),
                (good.replace("coccinelle", "git sparse"), "basic tools: git"),
                (good.replace("It was not so. Now it is.", seriescheck.TEMPLATE), "template"),
                (good.replace("It was not so.", "It was not so" + " at all" * 10), "longer than 75"),
                (good.replace("Assisted", "signed-OFF-by: x\nAssisted"), "Signed-off-by")):
            with self.subTest(said):
                self.assertIn(said, "\n".join(seriescheck.message_problems(bad)))

    def test_file_patterns_match_like_get_maintainer(self):
        for glob, path, match in (("drivers/bus/", "drivers/bus/x/y.c", True),
                                  ("drivers/bus/", "drivers/bush/y.c", False),
                                  ("drivers/bus/m*.c", "drivers/bus/m_kunit.c", True),
                                  ("drivers/bus/m*.c", "drivers/bus/m/x.c", False),
                                  ("drivers/*/m.c", "drivers/bus/m.c", True),
                                  ("drivers/bus/m.c", "drivers/bus/mxc", False),
                                  ("drivers/bus", "drivers/bus/m.c", True)):
            self.assertEqual(bool(seriescheck.file_pattern(glob).match(path)), match, (glob, path))
