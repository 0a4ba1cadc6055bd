# SPDX-License-Identifier: GPL-2.0-only
"""The documents in Markdown: they can be read, and what they point at is there."""
import os
import re
import subprocess
import sys
import unittest

from wb.core import ROOT

LINES = 200
LINK = re.compile(r"\]\(([^)#:]+)\)")


def documents():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split()]


class Documents(unittest.TestCase):
    def test_no_document_is_longer_than_anybody_reads(self):
        sizes = {path.relative_to(ROOT): len(path.read_text().splitlines())
                 for path in documents()}
        self.assertGreater(len(sizes), 5)
        self.assertEqual({path: size for path, size in sizes.items() if size > LINES}, {})

    def test_links_lead_to_files(self):
        links = [(path, link) for path in documents() for link in LINK.findall(path.read_text())]
        self.assertGreater(len(links), 10)
        self.assertEqual([link for path, link in links if not (path.parent / link).exists()], [])


if __name__ == "__main__":
    unittest.main()


class Help(unittest.TestCase):
    def test_pager_may_be_left(self):
        # Buffered, as at a user's: what is left to write comes at the end
        env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = subprocess.run([sys.executable, ROOT / "scripts/bench", "help"], stdout=writer,
                                  stderr=subprocess.PIPE, env=env, check=False)
        finally:
            os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
