# SPDX-License-Identifier: GPL-2.0-only
"""source, setup, private-apt: bad downloads and bad trees are refused clearly."""
import contextlib
import io
import os
import subprocess
import unittest
from unittest import mock

from tests.test_core import Scratch
from wb import core, source


def fake(directory, name, text):
    path = directory / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)


class Fetch(Scratch):
    def setUp(self):
        super().setUp()
        self.deb = self.dir / "dl" / "linux_1_all.deb"
        self.deb.parent.mkdir()
        self.deb.write_bytes(b"content")
        self.base = dict(package="linux", version="1", suite="s",
                         sha256=source.file_digest(self.deb))
        for target, value in ((source.bases, {"1": self.base}), (source.download, self.deb),
                              (core.cache, self.dir)):
            patch = mock.patch(f"{target.__module__}.{target.__name__}", return_value=value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_right_checksum(self):
        self.assertEqual(source.fetch("1"), self.deb)

    def test_wrong_checksum_is_named_and_removed(self):
        self.base["sha256"] = "0" * 64
        with self.assertRaises(core.Failure) as caught:
            source.fetch("1")
        self.assertIn("patches/BASES says 000", caught.exception.what)
        self.assertFalse(self.deb.exists())

    def test_version_that_is_gone_is_replaced_by_the_newest_with_a_warning(self):
        newer = self.dir / "linux_2_all.deb"
        source.download.side_effect = lambda package, version, suite: (
            newer if version is None else self.fail_download("no version 1"))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(source.fetch("1"), newer)
        self.assertIn("warning: no version 1", out.getvalue())
        self.assertIn("linux_2_all.deb", out.getvalue())

    def test_no_network_is_told_as_such(self):
        source.download.side_effect = lambda *a: self.fail_download("no network")
        with self.assertRaises(core.Failure) as caught:
            source.fetch("1")
        self.assertEqual(caught.exception.what, "no network")

    @staticmethod
    def fail_download(why):
        raise core.Failure(why)

    def test_full_disk(self):
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=1 << 20)):
            with self.assertRaises(core.Failure) as caught:
                source.fetch("1")
        self.assertIn("1 MiB free, 400 MiB are needed", caught.exception.what)


class Ksrc(Scratch):
    def setUp(self):
        super().setUp()
        self.where = self.dir / "user"
        for name in ("Kbuild", "arch/loongarch/Kconfig", "scripts/checkpatch.pl", "a.c", "a.o"):
            path = self.where / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        self.tree = source.Tree("ksrc-1", self.dir / "linux", self.dir / "linux.git", None)
        for name, value in (("STAMPS", self.dir / "stamp"), ("LOGS", self.dir / "log")):
            patch = mock.patch.object(core, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        mock.patch.object(source, "BUILD", self.dir).start()
        self.addCleanup(mock.patch.stopall)
        mock.patch.object(source, "WORK_MIB", 0).start()
        mock.patch.object(source, "UNPACK_MIB", 0).start()

    def test_not_a_kernel(self):
        (self.where / "Kbuild").unlink()
        with self.assertRaises(core.Failure) as caught:
            source.copy_ksrc(self.tree, self.where)
        self.assertIn("is not a kernel tree: it has no Kbuild", caught.exception.what)
        self.assertFalse(self.tree.dir.exists())

    def test_plain_directory_is_followed_and_never_written(self):
        before = core.digest(self.where)
        source.copy_ksrc(self.tree, self.where)
        self.assertEqual((self.tree.dir / "a.c").read_text(), "a.c")
        self.assertFalse((self.tree.dir / "a.o").exists())
        self.assertEqual(before, core.digest(self.where))
        (self.where / "a.c").unlink()
        (self.where / "b.c").write_text("b")
        source.copy_ksrc(self.tree, self.where)
        self.assertFalse((self.tree.dir / "a.c").exists())
        self.assertTrue((self.tree.dir / "b.c").exists())

    def test_git_tree_gives_its_tracked_files_as_they_are(self):
        def git(*arguments):
            subprocess.run(["git", "-C", self.where, *arguments], check=True, capture_output=True)
        git("init", "-q")
        git("add", "Kbuild", "arch", "scripts", "a.c")
        (self.where / "a.c").write_text("edited")
        source.copy_ksrc(self.tree, self.where)
        self.assertEqual((self.tree.dir / "a.c").read_text(), "edited")
        self.assertFalse((self.tree.dir / "a.o").exists())


class Setup(Scratch):
    """The shell programs, with an apt and a dpkg of the test's own."""

    def setUp(self):
        super().setUp()
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        for name in ("setup", "private-apt"):
            path = self.dir / "scripts" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes((core.ROOT / "scripts" / name).read_bytes())
            path.chmod(0o755)
        fake(self.bin, "qemu-system-loongarch64", "echo 'QEMU emulator version 10.0.2'")
        fake(self.bin, "meson", "echo 1.7.0")
        fake(self.bin, "id", "echo 0")

    def run_setup(self):
        return subprocess.run([self.dir / "scripts/setup"], capture_output=True, text=True,
                              env={"PATH": f"{self.bin}:{os.environ['PATH']}",
                                   "CACHE": str(self.dir / "cache"), "HOME": str(self.dir)})

    def test_nothing_missing_needs_no_network(self):
        fake(self.bin, "dpkg-query", "echo install ok installed")
        fake(self.bin, "apt-get", "exit 100")
        done = self.run_setup()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_missing_packages_are_listed_and_no_network_is_told(self):
        fake(self.bin, "dpkg-query", "exit 1")
        fake(self.bin, "apt-get", 'case "$*" in indextargets*) '
             '. /etc/os-release; echo "http://archive.invalid/debian/ $VERSION_CODENAME main Debian";; '
             '*) echo "E: no route to archive"; exit 100;; esac')
        done = self.run_setup()
        self.assertEqual(done.returncode, 1)
        self.assertIn("To be installed: make gcc", done.stdout)
        self.assertIn("E: no route to archive", done.stderr)
        self.assertIn("repeat: scripts/setup", done.stderr)
        written = (self.dir / "cache/apt/install/sources/debian.sources").read_text()
        self.assertIn("URIs: http://archive.invalid/debian/", written)
        self.assertIn("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg", written)

    def test_old_qemu_is_replaced(self):
        fake(self.bin, "dpkg-query", "echo install ok installed")
        fake(self.bin, "qemu-system-loongarch64", "echo 'QEMU emulator version 7.2.22 (Debian)'")
        fake(self.bin, "apt-get", "exit 100")
        self.assertIn("To be installed: qemu-system-misc (QEMU 10 or newer)",
                      self.run_setup().stdout)

    def test_old_meson_is_replaced(self):
        fake(self.bin, "dpkg-query", "echo install ok installed")
        fake(self.bin, "meson", "echo 1.0.1")
        fake(self.bin, "apt-get", "exit 100")
        self.assertIn("To be installed: meson (1.5 or newer)\n", self.run_setup().stdout)

    def test_no_debian_source_is_told(self):
        fake(self.bin, "dpkg-query", "exit 1")
        fake(self.bin, "apt-get", 'echo "http://other.invalid/ stable contrib Other"')
        self.assertIn("no Debian archive", self.run_setup().stderr)


if __name__ == "__main__":
    unittest.main()
