# SPDX-License-Identifier: GPL-2.0-only
"""make send: the mails of the series as files, for a human to send.

Nothing is sent from here. The sign-off is the human's, given on the command
line; it goes into these mails only.
"""
import pathlib
import re
import shutil
import subprocess
import time

from . import core, series, seriescheck, sync
from .core import Failure
from .series import BASE, SERIES

PERSON = re.compile(r"(?P<name>[^<>\"@\s][^<>\"@\n]*) <(?P<mail>[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+)>")


def send(tree, root=core.ROOT, signoff="", reroll="", ksrc=""):
    """Write build/send/ and print the command that would send it."""
    person = signer(signoff)
    if reroll and not re.fullmatch(r"[1-9]\d?", reroll):
        raise Failure(f"REROLL={reroll} is not a version number")
    problems = seriescheck.cover_problems(root)
    if problems:
        raise Failure("patches/cover-letter.txt: " + "; ".join(problems))
    if not series.patches(root):
        raise Failure("there are no patches to send")
    trailer = base_trailer(tree, ksrc, root)
    git = sync.need_agreement(tree, root)
    for name, problems in seriescheck.commit_problems(git, root).items():
        if problems:
            raise Failure(f"{name}: " + "; ".join(problems))
    people = recipients(tree, root)
    mails = outgoing(git, root, person, reroll, trailer, people)
    dest = root / "build/send"
    shutil.rmtree(dest, ignore_errors=True)
    series.write_files(dest, mails)
    (dest / "recipients").write_text("".join(f"{role}: {who}\n" for role, who in people))
    where = core.shown(dest)
    print(f"{len(mails)} mails and their {len(people)} recipients are in {where}/, signed off by\n"
          f"  {signoff}\nRead them, then send them with\n"
          f"  git send-email --suppress-cc=all {where}/*.patch\n"
          f"or, to see first what would go where, with --dry-run. Nothing has been sent.")
    if not trailer:
        print("There is no base-commit line: the base is no git tree (KSRC=your clone gives one).")


def signer(signoff):
    """The human behind the series, who certifies its origin."""
    if not signoff:
        raise Failure("no patch is signed off, and only a human can do that: who sends the series "
                      "reads it all, takes responsibility and says so with\n"
                      "  make send SIGNOFF='Name <address>'")
    person = PERSON.fullmatch(signoff)
    if not person or re.search(r"no-?reply|localhost|example\.", person["mail"], re.I):
        raise Failure(f"SIGNOFF={signoff} is not the name and address of a human: "
                      "'Name <address>'")
    return person


def base_trailer(tree, ksrc, root):
    """"base-commit: id" if KSRC is a git tree with these upstream files."""
    if not ksrc or not (pathlib.Path(ksrc) / ".git").exists():
        return ""

    def ask(*args):
        done = subprocess.run(["git", "-C", ksrc, *args], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"KSRC={ksrc}: git {args[0]}: {done.stderr.strip()}")
        return done.stdout.strip()
    upstream, _ = series.touched(root)
    changed = ask("diff", "--name-only", "HEAD", "--", *upstream) if upstream else ""
    if changed:
        raise Failure(f"KSRC={ksrc} has uncommitted changes in {', '.join(changed.split())}: "
                      "the mails would name a base that is not the one they apply to")
    return f"base-commit: {ask('rev-parse', 'HEAD')}\n"


def recipients(tree, root):
    """[("to" or "cc", address)] as get_maintainer.pl has them, maintainers first."""
    script = tree.dir / "scripts/get_maintainer.pl"
    if not script.exists():
        return []
    people = {}
    for role, wanted in (("to", ["--no-l", "--no-r"]), ("cc", ["--no-m"])):
        out = core.run(["perl", script, "--no-git", "--no-git-fallback", "--no-rolestats",
                        *wanted, *(path.resolve() for path in series.patches(root))],
                       cwd=tree.dir, what="get_maintainer.pl")
        for line in out.splitlines():
            if "@" in line:
                people.setdefault(line.strip(), role)
    return [(role, who) for who, role in people.items()]


def outgoing(git, root, person, reroll, trailer, people):
    """{file name: mail}: numbered, signed off, with the cover letter."""
    options = ["--cover-letter", "--numbered", "--signoff", "--thread=shallow",
               f"--from={person['name']} <{person['mail']}>",
               *(["-v", reroll] if reroll else []),
               *(f"--{role}={who}" for role, who in people)]
    mails = series.export(git, BASE, SERIES, options, GIT_COMMITTER_NAME=person["name"],
                          GIT_COMMITTER_EMAIL=person["mail"],
                          GIT_COMMITTER_DATE=f"{int(time.time())} +0000")
    cover = next(name for name in mails if name.endswith("-cover-letter.patch"))
    subject, _, text = (root / "patches/cover-letter.txt").read_text().partition("\n")
    mails[cover] = (mails[cover].replace(b"*** SUBJECT HERE ***", subject.encode(), 1)
                    .replace(b"*** BLURB HERE ***", text.strip().encode(), 1)
                    + trailer.encode())
    return mails
