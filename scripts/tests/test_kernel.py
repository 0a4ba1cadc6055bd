# SPDX-License-Identifier: GPL-2.0-only
"""kernel: fragments are merged, and a symbol that gets lost is named."""
import unittest
from unittest import mock

from tests.test_core import Scratch
from wb import core, kernel


class Symbols(unittest.TestCase):
    def test_reads_what_kconfig_writes(self):
        text = "# a comment\nCONFIG_A=y\nCONFIG_S=\"a b\"\n# CONFIG_N is not set\nCONFIG_X=0x1\n"
        self.assertEqual(kernel.symbols(text), {"A": "y", "S": '"a b"', "N": "n", "X": "0x1"})

    def test_writes_what_it_reads(self):
        values = {"A": "y", "B": "n", "C": '"c"'}
        self.assertEqual(kernel.symbols(kernel.as_fragment(values)), values)


class Config(Scratch):
    """Against a make that takes every symbol except those named LOST*."""

    def setUp(self):
        super().setUp()
        mock.patch.object(kernel, "make", self.fake_make).start()
        mock.patch.object(kernel.series, "later_symbols", lambda tree: {"LATER"}).start()
        self.addCleanup(mock.patch.stopall)

    def fake_make(self, tree, out, *targets, **kw):
        text = (out / "all.config").read_text()
        (out / ".config").write_text("".join(
            line + "\n" for line in text.splitlines() if "CONFIG_LOST" not in line))

    def fragment(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def config(self, *fragments, **how):
        kernel.config(None, self.dir / "out", fragments, **how)
        return kernel.symbols((self.dir / "out/.config").read_text())

    def test_later_fragment_wins(self):
        have = self.config(self.fragment("a", "CONFIG_A=y\nCONFIG_B=y\n"),
                           self.fragment("b", "# CONFIG_B is not set\n"))
        self.assertEqual(have, {"A": "y", "B": "n"})

    def test_lost_symbol_is_named_with_its_fragment(self):
        good = self.fragment("good.config", "CONFIG_A=y\n")
        bad = self.fragment("bad.config", "CONFIG_LOST=y\n")
        with self.assertRaises(core.Failure) as caught:
            self.config(good, bad)
        self.assertRegex(caught.exception.what, r"CONFIG_LOST=y of .*bad\.config became n")

    def test_lost_symbol_that_is_allowed_for(self):
        bad = self.fragment("bad.config", "CONFIG_A=y\nCONFIG_LOST=y\n")
        self.assertEqual(self.config(bad, keep=False), {"A": "y"})

    def test_symbol_of_a_later_patch_is_left_out(self):
        self.assertEqual(self.config(self.fragment("a", "CONFIG_A=y\nCONFIG_LATER=y\n")),
                         {"A": "y"})

    def test_unset_symbol_may_be_absent(self):
        self.assertEqual(self.config(self.fragment("a", "# CONFIG_LOST is not set\n")), {})


if __name__ == "__main__":
    unittest.main()
