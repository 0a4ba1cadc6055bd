# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m tests FILE: run all tests, write [name, status, message, seconds] as JSON."""
import pathlib
import sys
import time
import unittest

from wb import core


class Rows(unittest.TextTestResult):
    """Every test gives a row; errors outside of a test do so too."""

    def __init__(self, *arguments, **kw):
        super().__init__(*arguments, **kw)
        self.rows, self.begin = {}, time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()

    def row(self, test, status, message=""):
        # A test with subtests passes only if no subtest failed before.
        name = getattr(test, "test_case", test).id()
        old = self.rows.get(name)
        if not old or old[1] == "passed":
            self.rows[name] = [name, status, message, time.monotonic() - self.begin]

    def addSuccess(self, test):
        super().addSuccess(test)
        self.row(test, "passed")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.row(test, "failed", self._exc_info_to_string(error, test))

    def addError(self, test, error):
        super().addError(test, error)
        self.row(test, "failed", self._exc_info_to_string(error, test))

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.row(subtest, "failed", self._exc_info_to_string(error, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.row(test, "skipped", reason)


def main(report):
    here = pathlib.Path(__file__).parent
    suite = unittest.defaultTestLoader.discover(here, top_level_dir=here.parent)
    result = unittest.TextTestRunner(resultclass=Rows, verbosity=2).run(suite)
    core.write_json(report, list(result.rows.values()))
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
