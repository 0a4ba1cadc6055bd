# SPDX-License-Identifier: GPL-2.0-only
"""core: commands, phases, stamps and results tell the truth."""
import contextlib
import io
import pathlib
import tempfile
import time
import unittest
from unittest import mock

from wb import core


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)


class Settings(unittest.TestCase):
    def test_number_is_from_1_on(self):
        with mock.patch.dict("os.environ", {"N": "7"}):
            self.assertEqual(core.count("N", 3), 7)
        with mock.patch.dict("os.environ", {"N": ""}):
            self.assertEqual(core.count("N", 3), 3)
        for wrong in ("0", "-1", "x", "1.5"):
            with mock.patch.dict("os.environ", {"N": wrong}), \
                    self.assertRaisesRegex(core.Failure, f"N={wrong} is not a number"):
                core.count("N", 3)


class Run(Scratch):
    def test_failing_command_is_a_failure_with_its_log(self):
        log = self.dir / "log"
        with self.assertRaises(core.Failure) as caught:
            core.run(["sh", "-c", "echo the reason; exit 3"], log=log, what="the step")
        out = io.StringIO()
        caught.exception.show(out)
        self.assertIn("FAILED: the step", out.getvalue())
        self.assertIn("the reason", out.getvalue())
        self.assertIn(f"log:    {log}", out.getvalue())
        self.assertIn("repeat: sh -c", out.getvalue())

    def test_output_and_code_are_returned(self):
        self.assertEqual(core.run(["echo", "hello"]), "hello\n")
        self.assertEqual(core.run(["false"], log=self.dir / "log", check=False), 1)

    def test_time_limit_ends_the_whole_process_group(self):
        mark = self.dir / "mark"
        with self.assertRaises(core.Failure) as caught:
            core.run(["sh", "-c", f"(sleep 2; touch {mark}) & wait"], timeout=0.3)
        self.assertIn("no end after 0.3 s", caught.exception.what)
        time.sleep(2.2)
        self.assertFalse(mark.exists())

    def test_results_of_calls_at_the_same_time_are_in_order(self):
        self.assertEqual(core.concurrently(lambda n: core.run(["echo", n]), [3, 1, 2]),
                         ["3\n", "1\n", "2\n"])

    def test_failure_ends_the_commands_of_other_calls(self):
        def call(command):
            return core.run(["sh", "-c", command])
        start = time.monotonic()
        with mock.patch.object(core, "jobs", lambda: 2), self.assertRaises(core.Failure):
            core.concurrently(call, ["sleep 0.5; exit 1", "sleep 20"])
        self.assertLess(time.monotonic() - start, 10)


class Phases(unittest.TestCase):
    def told(self, error):
        out = io.StringIO()
        core.Progress.expect(3)
        with contextlib.redirect_stdout(out), contextlib.suppress(error or ()):
            with core.phase("Work") as state:
                state.note = "note"
                if error:
                    raise error()
        return out.getvalue()

    def test_good_phase(self):
        self.assertRegex(self.told(None), r"^\[1/3\] Work \.\.\. ok 0\.\d s  note\n$")

    def test_bad_phase_says_so(self):
        self.assertIn("FAILED after", self.told(ValueError))
        self.assertIn("interrupted after", self.told(KeyboardInterrupt))


class Digest(Scratch):
    def test_changes_with_content_and_name_and_boundaries(self):
        path = self.dir / "a"
        path.write_text("1")
        first = core.digest(path)
        self.assertEqual(first, core.digest(path))
        path.write_text("2")
        self.assertNotEqual(first, core.digest(path))
        self.assertNotEqual(core.digest("ab", "c"), core.digest("a", "bc"))
        self.assertNotEqual(core.digest(["a"], "b"), core.digest(["a", "b"]))

    def test_directory_content_counts(self):
        before = core.digest(self.dir)
        (self.dir / "new").write_text("")
        self.assertNotEqual(before, core.digest(self.dir))


class Outcome(unittest.TestCase):
    def test_closing_line_counts(self):
        results = core.Results()
        with contextlib.redirect_stdout(io.StringIO()):
            results.passed("g", "a")
            results.failed("g", "b", "why\x1b")
            results.skipped("h", "c", "no tool")
        self.assertEqual(results.closing_line(), "1 passed, 1 failed, 1 skipped")


if __name__ == "__main__":
    unittest.main()
