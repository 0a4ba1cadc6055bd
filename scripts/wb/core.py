# SPDX-License-Identifier: GPL-2.0-only
"""Paths, settings, phases, commands with logs, stamps and results.

Everything here is about running steps and telling the user about them; what
a step does stands in the other modules.
"""
import concurrent.futures
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "log"
STAMPS = BUILD / "stamp"
REPORT = BUILD / "report"


def setting(name, default=""):
    """A variable of the Makefile; empty means not given."""
    return os.environ.get(name) or default


@functools.lru_cache(maxsize=None)
def cache():
    """The one directory outside the checkout that is written (README)."""
    home = setting("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(setting("CACHE") or home + "/loongarch-zones")
    path.mkdir(parents=True, exist_ok=True)
    return path


def count(name, default):
    """A variable that is a number from 1 on."""
    given = setting(name)
    if given and not (given.isdecimal() and int(given)):
        raise Failure(f"{name}={given} is not a number from 1 on")
    return int(given or default)


def jobs():
    return count("J", os.cpu_count() or 1)


def verbose():
    return setting("V") == "1"


class Failure(Exception):
    """An expected failure: what failed, where its log is, how to repeat it."""

    def __init__(self, what, log=None, repeat=None, tail=15):
        super().__init__(what)
        self.what, self.log, self.repeat, self.tail = what, log, repeat, tail

    def show(self, out=sys.stderr):
        print(f"\nFAILED: {self.what}", file=out)
        if self.log and pathlib.Path(self.log).exists():
            for line in last_lines(self.log, self.tail):
                print(f"  | {line}", file=out)
            print(f"log:    {shown(self.log)}", file=out)
        if self.repeat:
            print(f"repeat: {self.repeat}", file=out)


def shown(path):
    """A path as the user wants to read it: relative to the checkout."""
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def last_lines(path, count):
    text = pathlib.Path(path).read_text(errors="replace").rstrip()
    return text.replace("\r", "").split("\n")[-count:]


# ---------------------------------------------------------------- commands

CHILDREN = set()                # commands that run


def run(cmd, log=None, what=None, repeat=None, cwd=None, env=None, timeout=None,
        check=True):
    """Run a command with its output in @log (or discarded into a string).

    Returns the exit code with @log, else the output as text. With @check a
    code other than 0 is a Failure. The command's whole process group dies
    with an interrupt or a timeout.
    """
    cmd = [str(c) for c in cmd]
    full_env = {**os.environ, **{k: str(v) for k, v in (env or {}).items()}}
    if log:
        log = pathlib.Path(log)
        log.parent.mkdir(parents=True, exist_ok=True)
        out = open(log, "wb")
        out.write(f"$ {shlex.join(cmd)}\n".encode())
        out.flush()
    else:
        out = subprocess.PIPE
    child = subprocess.Popen(cmd, cwd=cwd, env=full_env, stdin=subprocess.DEVNULL,
                             stdout=out, stderr=subprocess.STDOUT,
                             start_new_session=True)
    CHILDREN.add(child)
    try:
        text, _ = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(child)
        raise Failure(f"{what or cmd[0]}: no end after {timeout} s", log,
                      repeat or shlex.join(cmd)) from None
    except BaseException:
        kill_group(child)
        raise
    finally:
        CHILDREN.discard(child)
        if log:
            out.close()
    text = text.decode(errors="replace") if text is not None else ""
    if check and child.returncode:
        told = what or f"{cmd[0]} ended with {child.returncode}"
        if text:
            told += "\n" + "\n".join("  | " + l for l in text.rstrip().split("\n")[-15:])
        raise Failure(told, log, repeat or shlex.join(cmd))
    return child.returncode if log else text


def concurrently(call, items):
    """[call(item)], as many at a time as there are jobs.

    What one of them raises, or an interrupt, ends the others' commands.
    """
    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        try:
            return list(pool.map(call, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(CHILDREN):
                kill_group(child)
            raise


def kill_group(child):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


# ------------------------------------------------------------------ phases

class Progress:
    """Numbers the phases of one make invocation: [3/12] what ... ok 1.2 s"""
    total = 0
    number = 0
    timings = []

    @classmethod
    def expect(cls, total):
        cls.total, cls.number, cls.timings = total, 0, []

    @classmethod
    def also(cls, count):
        """@count more phases follow those there were."""
        cls.total = cls.number + count


@contextlib.contextmanager
def phase(what):
    """One long step. The body may set .note of the yielded object."""
    Progress.number += 1
    Progress.total = max(Progress.total, Progress.number)
    width = len(str(Progress.total))
    head = f"[{Progress.number:{width}}/{Progress.total}] {what} ..."
    state = type("Phase", (), {"note": ""})()
    start = time.monotonic()
    print(head, end="", flush=True)
    stop = spinner(head, start) if sys.stdout.isatty() else None

    def finish(word):
        if stop:
            stop()
            print(f"\r\033[K{head}", end="")
        seconds = time.monotonic() - start
        Progress.timings.append((what, word, round(seconds, 1)))
        print(f" {word} {seconds:.1f} s{'  ' + state.note if state.note else ''}",
              flush=True)
    try:
        yield state
    except KeyboardInterrupt:
        finish("interrupted after")
        raise
    except BaseException:
        finish("FAILED after")
        raise
    finish("ok")


def spinner(head, start):
    over = threading.Event()

    def turn():
        marks = "|/-\\"
        count = 0
        while not over.wait(0.2):
            count += 1
            print(f"\r{head} {marks[count % 4]} {time.monotonic() - start:.0f} s",
                  end="", flush=True)
    thread = threading.Thread(target=turn, daemon=True)
    thread.start()

    def stop():
        over.set()
        thread.join()
    return stop


# ------------------------------------------------------------------ stamps

def digest(*parts):
    """A stable hash of strings, bytes, paths (content) and nested lists."""
    total = hashlib.sha256()

    def feed(part):
        if isinstance(part, pathlib.Path):
            total.update(str(part.name).encode() + b"\0")
            if part.is_dir():
                for child in sorted(part.rglob("*")):
                    if child.is_file() and "__pycache__" not in child.parts:
                        total.update(str(child.relative_to(part)).encode())
                        feed(child)
            elif part.exists():
                total.update(hashlib.sha256(part.read_bytes()).digest())
        elif isinstance(part, (list, tuple)):
            for child in part:
                feed(child)
            total.update(b"]")
        else:
            total.update(str(part).encode() + b"\0")
    feed(parts)
    return total.hexdigest()


def read_marks(path):
    """{mark: its line} of a file whose lines begin with a mark, but for comments."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split()[0]: line for line in lines if line and line[0] != "#"}


def write_marks(path, head, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + "".join(f"{line}\n" for line in lines))


def read_json(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError):
        return {}


def write_json(path, data):
    """Whole or not at all, so that an interruption leaves the old one."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
    part.replace(path)


def fresh(name, key, outputs=()):
    """Did step @name run to its end with these inputs, is its output there?"""
    return (read_json(STAMPS / f"{name}.json").get("key") == key
            and all(pathlib.Path(o).exists() for o in outputs))


def stamp(name, key, **facts):
    write_json(STAMPS / f"{name}.json", {"key": key, **facts})


def unstamp(name):
    (STAMPS / f"{name}.json").unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(directory, what):
    """Serialise against another make in the same directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another command that uses {what} ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ----------------------------------------------------------------- results

class Results:
    """Test results of one invocation: printed, and kept as JSON and JUnit."""

    def __init__(self):
        self.rows = []

    def add(self, group, name, status, message="", seconds=0.0):
        assert status in ("passed", "failed", "skipped")
        self.rows.append(dict(group=group, name=name, status=status,
                              message=message, seconds=round(seconds, 2)))
        if status == "failed" or verbose():
            print(f"\n  {status}: {group}: {name}"
                  + ("\n" + "\n".join("    " + l for l in message.split("\n"))
                     if message else ""), flush=True)

    def passed(self, group, name, **kw):
        self.add(group, name, "passed", **kw)

    def failed(self, group, name, message, **kw):
        self.add(group, name, "failed", message, **kw)

    def skipped(self, group, name, message, **kw):
        self.add(group, name, "skipped", message, **kw)

    def count(self, status):
        return sum(1 for r in self.rows if r["status"] == status)

    def closing_line(self):
        return (f"{self.count('passed')} passed, {self.count('failed')} failed, "
                f"{self.count('skipped')} skipped")

    def save(self, name):
        write_json(REPORT / f"{name}.json", self.rows)
        top = ET.Element("testsuites")
        for group in dict.fromkeys(r["group"] for r in self.rows):
            rows = [r for r in self.rows if r["group"] == group]
            suite = ET.SubElement(top, "testsuite", name=group, tests=str(len(rows)),
                                  failures=str(sum(r["status"] == "failed" for r in rows)),
                                  skipped=str(sum(r["status"] == "skipped" for r in rows)))
            for row in rows:
                case = ET.SubElement(suite, "testcase", classname=group,
                                     name=row["name"], time=str(row["seconds"]))
                if row["status"] != "passed":
                    kind = "failure" if row["status"] == "failed" else "skipped"
                    ET.SubElement(case, kind, message=printable(row["message"]))
        ET.ElementTree(top).write(REPORT / f"{name}.xml", encoding="utf-8",
                                  xml_declaration=True)


def printable(text):
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


results = Results()
