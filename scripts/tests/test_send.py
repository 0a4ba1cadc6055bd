# SPDX-License-Identifier: GPL-2.0-only
"""wb/send.py: mails with a human's sign-off, or none at all."""
import contextlib
import io

from wb import send, series
from wb.core import Failure

from .fixture_series import KERNEL, SeriesCase, author, write

HUMAN = "Jo Human <jo@human.test>"
GET_MAINTAINER = """
print "Bus Person <bus\\@kernel.test>\\n" unless grep { $_ eq "--no-m" } @ARGV;
print "list\\@kernel.test\\n" unless grep { $_ eq "--no-l" } @ARGV;
"""


class Send(SeriesCase):

    def send(self, **kw):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            send.send(self.tree, self.root, **kw)
        where = self.root / "build/send"
        return out.getvalue(), {p.name: p.read_text() for p in where.iterdir()}

    def test_mails_are_signed_off_and_patches_are_not(self):
        before = self.snapshot()
        _, mails = self.send(signoff=HUMAN)
        self.assertEqual(self.snapshot(), before)
        patches = sorted(name for name in mails if name.endswith(".patch"))
        self.assertEqual(len(patches), 4)
        for number, name in enumerate(patches[1:], 1):
            self.assertIn(f"Assisted-by: LLM coccinelle\nSigned-off-by: {HUMAN}\n---\n",
                          mails[name])
            self.assertIn(f"Subject: [PATCH {number}/3] bus: ", mails[name])
        cover = mails[patches[0]]
        self.assertIn("Subject: [PATCH 0/3] bus: A bus\n", cover)
        self.assertIn("\nWhat it is for.\n", cover)
        self.assertIn("5 files changed", cover)
        self.assertNotIn("***", cover)
        self.assertNotIn("base-commit", cover)

    def test_version(self):
        _, mails = self.send(signoff=HUMAN, reroll="2")
        self.assertIn("[PATCH v2 1/3]", mails["v2-0001-bus-Fix-a.patch"])
        with self.assertRaisesRegex(Failure, "REROLL=x"):
            self.send(signoff=HUMAN, reroll="x")

    def test_without_a_human_nothing_is_written(self):
        for bad in ("", "jo@human.test", "Jo Human", "<jo@human.test>", "Jo <jo@localhost>",
                    "Jo <noreply@human.test>",
                    "Jo <jo@human.test>\nBcc: <x@y.z>", "Jo\nBcc: <jo@human.test>"):
            with self.subTest(bad), self.assertRaisesRegex(Failure, "human"):
                self.send(signoff=bad)
        self.assertFalse((self.root / "build/send").exists())

    def test_recipients_come_from_the_kernel(self):
        write(self.tree.dir, {"scripts/get_maintainer.pl": GET_MAINTAINER})
        _, mails = self.send(signoff=HUMAN)
        self.assertEqual(mails["recipients"],
                         "to: Bus Person <bus@kernel.test>\ncc: list@kernel.test\n")
        self.assertIn("\nTo: Bus Person <bus@kernel.test>\nCc: list@kernel.test\n",
                      mails["0001-bus-Fix-a.patch"])

    def test_base_commit_of_a_git_tree(self):
        ksrc = self.tmp / "mine"
        write(ksrc, KERNEL)
        git = author(ksrc)
        git("init", "-q", "--template=")
        git("add", ".")
        git("commit", "-q", "-m", "base")
        told, mails = self.send(signoff=HUMAN, ksrc=str(ksrc))
        self.assertTrue(mails["0000-cover-letter.patch"].endswith(
            f"base-commit: {git('rev-parse', 'HEAD')}\n"))
        self.assertNotIn("no base-commit line", told)
        write(ksrc, {"drivers/bus/a.c": "changed\n"})
        with self.assertRaisesRegex(Failure, "uncommitted changes in drivers/bus/a.c"):
            self.send(signoff=HUMAN, ksrc=str(ksrc))

    def test_tree_that_is_not_synced_is_refused(self):
        self.write("drivers/bus/m.c", "int edited;\n")
        with self.assertRaisesRegex(Failure, "run make sync first"):
            self.send(signoff=HUMAN)

    def test_template_message_is_refused(self):
        self.write("drivers/bus/new.c", "int n;\n")
        self.sync(patch="new", subject="bus: Add new")
        with self.assertRaisesRegex(Failure, "0004-bus-Add-new.patch: .*template"):
            self.send(signoff=HUMAN)

    def test_cover_letter_and_patches_are_needed(self):
        (self.root / "patches/cover-letter.txt").unlink()
        with self.assertRaisesRegex(Failure, "cover-letter.txt is missing"):
            self.send(signoff=HUMAN)
        self.write("patches/cover-letter.txt", "bus: A bus\n\nText.\n")
        for path in series.patches(self.root):
            path.unlink()
        with self.assertRaisesRegex(Failure, "no patches"):
            self.send(signoff=HUMAN)
