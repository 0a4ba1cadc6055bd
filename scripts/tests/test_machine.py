# SPDX-License-Identifier: GPL-2.0-only
"""The test machine's source is verified, and only a build of what qemu/ has counts."""
import pathlib
import tempfile
import unittest
from unittest import mock

from wb import core, machine, qemu, series


@unittest.skipUnless(machine.binary(), "the test machine was not built (make qemu)")
class Properties(unittest.TestCase):
    BAD = {
        "hvisor,revision=c": "revision 'c' is neither a nor b",
        "hvisor,services=0x80": "services 0x80: there are 0x7f",
        "hvisor,cpu=1": "cpu 1: the machine has 1",
        "hvisor,signature=ABCDE": "signature 'ABCDE' has more than 4 characters",
        "hvisor,timer-noise=2000000": "timer-noise 2000000 is more than a million a second",
        "hvisor,first-vector=256": "vectors 48 from 256 on: there are 256",
        "hvisor,vectors=145": "vectors 145 from 112 on: there are 256",
        "ls7a-config,view=x": "view 'x' is none of board, zone, ghosts",
    }

    def test_out_of_range(self):
        for device, said in self.BAD.items():
            with self.subTest(device=device), self.assertRaisesRegex(core.Failure, said):
                core.run([machine.binary(), *qemu.machine(), "-device", device], timeout=20)


class Machine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        (self.dir / "qemu/patches").mkdir(parents=True)
        self.bases = self.dir / "qemu/patches/BASES"
        self.pin("0" * 64)
        for name, value in (("ROOT", self.dir / "qemu"), ("OUT", self.dir / "out"),
                            ("BUILD", self.dir / "build"), ("LOGS", self.dir / "log")):
            self.patch(machine, name, value)
        self.patch(core, "STAMPS", self.dir / "stamp")

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def pin(self, sha256):
        self.bases.write_text(f"10.0\n  package qemu\n  version 1:1-1\n  suite trixie\n"
                              f"  sha256 {sha256}\n")

    def fake_download(self, *args, **kw):
        path = self.dir / "dl/qemu_1-1.dsc"
        path.parent.mkdir(exist_ok=True)
        path.write_text("Format: 3.0 (quilt)\n")
        return path

    def fake_build(self):
        """What a build leaves behind when it is done."""
        machine.OUT.mkdir()
        (machine.OUT / machine.NAME).write_text("#!/bin/sh\n")
        core.stamp("qemu", machine.build_key())

    def test_wrong_source_is_refused_and_removed(self):
        with mock.patch("wb.source.download", self.fake_download), \
                self.assertRaisesRegex(core.Failure, "qemu/patches/BASES says 000"):
            machine.fetch()
        self.assertFalse((self.dir / "dl").exists())

    def test_right_source(self):
        self.pin(machine.source.file_digest(self.fake_download()))
        with mock.patch("wb.source.download", self.fake_download):
            self.assertEqual(machine.fetch().name, "qemu_1-1.dsc")

    def test_not_built(self):
        self.assertIsNone(machine.binary())

    def test_built(self):
        self.fake_build()
        self.assertEqual(machine.binary(), machine.OUT / machine.NAME)

    def test_a_build_of_other_patches_is_none(self):
        self.fake_build()
        (self.dir / "qemu/patches/0001-x.patch").write_text("new")
        self.assertIsNone(machine.binary())

    def test_a_build_that_fails_leaves_the_installed_qemu(self):
        self.fake_build()
        (self.dir / "qemu/patches/0001-x.patch").write_text("new")
        failure = core.Failure("building QEMU")
        with mock.patch.object(machine, "unpack"), mock.patch.object(series, "apply"), \
                mock.patch.object(machine, "configure"), \
                mock.patch.object(core, "run", side_effect=[machine.compiler(), failure]), \
                self.assertRaisesRegex(core.Failure, "building QEMU"):
            machine.build()
        self.assertIsNone(machine.binary())
        with mock.patch.object(qemu, "BINARY", "true"), \
                self.assertRaisesRegex(core.Failure, "true does not tell its version"):
            qemu.find()

    def test_the_built_one_is_used(self):
        self.fake_build()
        path = machine.OUT / machine.NAME
        path.write_text("#!/bin/sh\necho QEMU emulator version 10.0.13\n")
        path.chmod(0o755)
        with mock.patch.dict("os.environ", QEMU=""):
            self.assertEqual(qemu.find(), str(path))
            self.assertTrue(qemu.is_test_machine())

    def test_another_is_not_the_test_machine(self):
        self.fake_build()
        other = self.dir / "other"
        other.write_text("#!/bin/sh\necho QEMU emulator version 10.0.13\n")
        other.chmod(0o755)
        with mock.patch.dict("os.environ", QEMU=str(other)):
            self.assertFalse(qemu.is_test_machine())
