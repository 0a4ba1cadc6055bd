# SPDX-License-Identifier: GPL-2.0-only
"""wb/schema.py: which dt-schema is used, and why none."""
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from wb import core, schema, source
from wb.core import Failure


class Environment(unittest.TestCase):

    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.dict(os.environ, PATH=f"{self.tmp}/bin:/usr/bin:/bin"))
        self.enterContext(mock.patch.object(core, "cache", lambda: self.tmp / "cache"))

    def program(self, where, says):
        path = self.tmp / where / "dt-validate"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nprintf '%b' '{says}'\n")
        path.chmod(0o755)

    def fetched(self, says):
        """The archive has a dt-schema that @says this; how often it was asked for."""
        root = self.tmp / "package"
        self.program("package/usr/bin", says)
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            "Package: dt-schema\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\n"
            "Description: fake\n")
        deb = self.tmp / "dt-schema_1_all.deb"
        core.run(["dpkg-deb", "--build", root, deb])
        return self.enterContext(mock.patch.object(source, "download", return_value=deb))

    def test_installed_one_that_is_new_enough_is_used(self):
        self.program("bin", "2026.06\\n")
        download = self.fetched("2027.01\\n")
        self.assertEqual(schema.environment(), {})
        download.assert_not_called()

    def test_old_one_gives_way_to_the_archives(self):
        self.program("bin", "2025.08\\n")
        self.fetched("2026.06\\n")
        env = schema.environment()
        self.assertEqual(core.run(["dt-validate"], env=env), "2026.06\n")

    def test_fetched_one_is_kept(self):
        self.fetched("2026.06\\n")
        first = schema.environment()
        with mock.patch.object(core, "run", wraps=core.run) as run:
            self.assertEqual(schema.environment(), first)
        self.assertNotIn("dpkg-deb", [call.args[0][0] for call in run.call_args_list])

    def test_one_that_does_not_run_says_why(self):
        self.fetched("Traceback\\nModuleNotFoundError: No module named x\\n")
        with self.assertRaisesRegex(Failure, "does not run here: .*No module named x"):
            schema.environment()
