# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m tests FILE: run all tests, write [name, status, message, seconds] as JSON."""
import concurrent.futures
import io
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


def run(name):
    """(rows, what unittest prints) of one file of tests."""
    here = pathlib.Path(__file__).parent
    said = io.StringIO()
    suite = unittest.TestLoader().discover(here, name, here.parent)
    result = unittest.TextTestRunner(said, resultclass=Rows, verbosity=2).run(suite)
    return list(result.rows.values()), said.getvalue()


def main(report):
    """The files of tests side by side."""
    names = sorted(path.name for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    rows = []
    with concurrent.futures.ProcessPoolExecutor(core.jobs()) as pool:
        for found, said in pool.map(run, names):
            rows += found
            print(said, end="", flush=True)
    core.write_json(report, rows)
    return any(status == "failed" for _, status, _, _ in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
