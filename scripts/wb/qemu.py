# SPDX-License-Identifier: GPL-2.0-only
"""Run virtual machines and judge how they ended.

A run is good only if the guest printed its token, printed nothing that the
splat scan objects to, and switched itself off. How it ended is taken from
QEMU's control socket, because the exit code of QEMU is 0 for a power-off, a
reset and a panic alike.
"""
import collections
import contextlib
import json
import pathlib
import re
import select
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from . import core, machine as built
from .core import ROOT, Failure

BINARY = "qemu-system-loongarch64"
OLDEST = 10                     # 7.2 hangs: no tables on a direct boot
ALLOW = ROOT / "kunit/allow.txt"
BROKE_OFF = "QEMU broke off"    # not the guest's fault

class Outcome(collections.namedtuple("Outcome", "ok reason seconds lines")):
    """How a run went: .reason is empty if .ok; .lines is the console."""

    @property
    def note(self):
        return f"booted and switched off in {self.seconds} s" if self.ok else self.reason


def find():
    """Path of a QEMU that can boot these kernels: the test machine's, if it was built."""
    name = core.setting("QEMU") or built.binary() or BINARY
    path = shutil.which(str(name))
    if not path:
        raise Failure(f"{name} is not installed", repeat="scripts/setup")
    version = core.run([path, "--version"])
    match = re.search(r"version (\d+)\.(\d+)", version)
    if not match:
        raise Failure(f"{path} does not tell its version: {version.strip()[:80]}")
    if int(match[1]) < OLDEST:
        raise Failure(f"{path} is version {match[1]}.{match[2]}, {OLDEST}.0 or newer is needed",
                      repeat="scripts/setup")
    return path


def is_test_machine():
    """Whether what boots is the test machine, and not the installed or another QEMU."""
    return built.binary() is not None and find() == str(built.binary())


def machine(smp=1, memory=1024):
    """Arguments of every machine here; a dumped device tree needs the same."""
    return ["-nodefaults", "-machine", "virt", "-cpu", "max", "-display", "none",
            "-m", str(memory), "-smp", str(smp)]


# -------------------------------------------------------------- memory content

def blob(path, address):
    """Put a file into the guest's memory; it wins over what QEMU puts there."""
    return ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]


def words(base, values, size=4):
    """Back a window of registers by RAM, filled with {offset: value}."""
    return [a for offset, value in sorted(values.items())
            for a in ("-device", f"loader,addr={base + offset:#x},data={value:#x},"
                                 f"data-len={size}")]


# Instructions that a boot ROM needs, with register numbers.
ZERO, A0, T0, T1 = 0, 4, 12, 13
CPUID = 0x20


def lu12i_w(rd, value):
    return 0x14000000 | (value & 0xfffff) << 5 | rd


def ori(rd, rj, value):
    return 0x03800000 | value << 10 | rj << 5 | rd


def lu32i_d(rd, value):
    return 0x16000000 | (value & 0xfffff) << 5 | rd


def move(rd, rj):
    return 0x00150000 | rj << 5 | rd


def csrrd(rd, csr):
    return 0x04000000 | csr << 10 | rd


def jirl(rd, rj):
    return 0x4c000000 | rj << 5 | rd


def iocsrwr_w(rd, rj):
    return 0x06481800 | rj << 5 | rd


def beq(rj, rd, offset):
    return 0x58000000 | (offset >> 2 & 0xffff) << 10 | rj << 5 | rd


def branch_to_self():
    return 0x50000000


def write_iocsr(address, value):
    return [lu12i_w(T0, address >> 12), ori(T0, T0, address & 0xfff),
            lu12i_w(T1, value >> 12), ori(T1, T1, value & 0xfff), iocsrwr_w(T1, T0)]


def st_w(rd, rj):
    return 0x29800000 | rj << 5 | rd


def st_b(rd, rj):
    return 0x29000000 | rj << 5 | rd


def write_memory(address, value, size=4):
    return [*write_iocsr(address, value)[:-1], {1: st_b, 4: st_w}[size](T1, T0)]


def entry_rom(entry, cpu=0, iocsrs=(), words=()):
    """A ROM that enters @entry (physical) on core @cpu as hvisor does.

    All registers are zero but t0, which holds the address. Other cores stop.
    Before, it writes @iocsrs, (address, value of 32 bits), and @words of memory, the
    same or with a size in bytes, in turn.
    """
    return rom([csrrd(T0, CPUID), ori(T1, ZERO, cpu), beq(T0, T1, 8), branch_to_self(),
                *(i for address, value in iocsrs for i in write_iocsr(address, value)),
                *(i for word in words for i in write_memory(*word)),
                lu12i_w(T0, entry >> 12), ori(T0, T0, entry & 0xfff), lu32i_d(T0, entry >> 32),
                *(move(reg, ZERO) for reg in range(1, 32) if reg != T0), jirl(ZERO, T0)])


def rom(instructions):
    """Padded to the size that QEMU's -bios takes."""
    return struct.pack(f"<{len(instructions)}I", *instructions).ljust(0x10000, b"\0")


# ----------------------------------------------------------------- splat scan

DENY = re.compile("|".join([
    r"WARNING:", r"\bBUG:", r"\bBUG at\b", r"\bOops\b", r"Call Trace:", r"Kernel panic",
    r"\brcu.*\b(stall|self-detected)", r"\bRCU used illegally", r"suspicious RCU",
    r"possible (circular|recursive|irq lock inversion|deadlock)", r"inconsistent lock state",
    r"bad unlock balance", r"held lock freed", r"DEBUG_LOCKS_WARN_ON", r"Invalid wait context",
    r"sleeping function called", r"scheduling while atomic", r"scheduling from the idle thread",
    r"[Uu]nable to handle", r"Kernel ade access", r"Reserved instruction in kernel",
    r"blocked for more than", r"soft lockup", r"hard LOCKUP", r"nobody cared", r"Disabling IRQ",
    r"\b(KASAN|KCSAN|KFENCE|KMSAN|UBSAN):", r"refcount_t:", r"list_(add|del) corruption",
    r"unreferenced object", r"Bad page", r"Trying to free already-free",
    r"Unknown kernel command line", r"Attempted to kill init", r"No working init found",
    r"I/O error", r"timeout, (aborting|completion polled|reset)",
]))
NOISE = re.compile(r"^(\s*<\d>)?\s*\[\s*\d+\.\d+\]\s*(\[\s*[TC]\d+\]\s*)?")
CHANGING = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8,}\b|\d+")


def normal(line):
    """A console line without what differs from run to run."""
    return CHANGING.sub("N", NOISE.sub("", line)).strip()


def allowed(path=ALLOW):
    """Regular expressions of lines that are not objected to; each has a reason."""
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, tab, reason = line.partition("\t")
        try:
            if not tab or not reason.strip():
                raise re.error("no reason after a tab")
            entries.append(re.compile(pattern))
        except re.error as error:
            raise Failure(f"{core.shown(path)}:{number}: {error}") from None
    return entries


def scan(text, baseline=(), allow=None):
    """Console lines to object to: on the deny list and neither allowed nor known.

    @baseline has lines of the unpatched kernel's console, as scan() gave them
    or normal().
    """
    allow = allowed() if allow is None else allow
    known = {normal(line) for line in baseline}
    return [line.strip() for line in text.replace("\r", "").split("\n")
            if DENY.search(line) and not any(a.search(line) for a in allow)
            and normal(line) not in known]


# -------------------------------------------------------------- control sockets

class Channel:
    """A socket that QEMU connects to, so that nothing has to be waited for."""

    def __init__(self, directory, name):
        self.path = pathlib.Path(directory) / name
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.listener.settimeout(0.1)
        self.socket = None
        self.buffer = b""

    def chardev(self, name):
        return ["-chardev", f"socket,id={name},path={self.path}"]

    def accept(self, child, timeout=20):
        end = time.monotonic() + timeout
        while self.socket is None:
            try:
                self.socket, _ = self.listener.accept()
            except TimeoutError:
                if child.poll() is not None or time.monotonic() > end:
                    raise ConnectionError("QEMU did not start") from None
        self.socket.settimeout(10)

    def receive(self, timeout):
        """More input within @timeout? b"" appended at the end of the stream: False."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return True
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.buffer += got
        return bool(got)

    def close(self):
        self.listener.close()
        if self.socket:
            self.socket.close()


class Monitor(Channel):
    """QEMU's machine protocol: events, and commands with their results."""

    def __init__(self, directory):
        super().__init__(directory, "qmp")
        self.events = []
        self.results = []

    def arguments(self):
        return [*self.chardev("qmp"), "-mon", "chardev=qmp,mode=control"]

    def poll(self, timeout):
        alive = self.receive(timeout)
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
            elif "QMP" not in message:
                self.results.append(message)
        return alive

    def command(self, name, **arguments):
        self.results.clear()
        message = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        end = time.monotonic() + 10
        while not self.results:
            if not self.poll(0.5) or time.monotonic() > end:
                raise ConnectionError(f"no answer to {name}")
        result = self.results.pop()
        if "error" in result:
            raise ConnectionError(f"{name}: {result['error'].get('desc')}")
        return result["return"]

    def accesses(self):
        """{(space, address): (reads, writes, refused)} that the zone's hypervisor saw."""
        rows = self.command("qom-get", path="/machine/peripheral/zone", property="accesses")
        return {(space, int(address, 16)): tuple(map(int, counts))
                for space, address, *counts in map(str.split, rows.splitlines())}

    def counters(self):
        """{name: number} of what the IOMMU did."""
        rows = self.command("qom-get", path="/machine/peripheral/iommu", property="counters")
        return {name: int(number) for name, number in map(str.split, rows.splitlines())}

    def memory(self, address, size=4):
        """What a read of so many bytes from a physical address gives."""
        unit = {1: "b", 4: "w"}[size]
        text = self.command("human-monitor-command",
                            **{"command-line": f"xp /1x{unit} {address:#x}"})
        return int(text.split(":")[1], 16)

    def registers(self):
        """"info registers" of all CPUs, as text."""
        return self.command("human-monitor-command", **{"command-line": "info registers -a"})


class Echo(Channel):
    """Somebody at the other end of a character device who sends back what comes."""

    def __init__(self, directory):
        super().__init__(directory, "echo")

    def arguments(self):
        return self.chardev("echo")

    def start(self):
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        # Until QEMU ends
        with contextlib.suppress(OSError):
            self.socket.settimeout(None)
            while some := self.socket.recv(4096):
                self.socket.sendall(some)


class Debugger(Channel):
    """As much of the GDB remote protocol as moving registers takes."""
    ARGUMENTS = (4, 5, 6, 7)    # a0..a3
    PC = 33

    def __init__(self, directory):
        super().__init__(directory, "gdb")

    def arguments(self):
        return [*self.chardev("gdb"), "-gdb", "chardev:gdb"]

    def command(self, text):
        data = text.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        while not (match := re.search(rb"\$([^#]*)#[0-9a-f]{2}", self.buffer)):
            if not self.receive(10):
                raise ConnectionError(f"no answer to {text}")
        self.buffer = self.buffer[match.end():]
        self.socket.sendall(b"+")
        answer = match[1].decode()
        if re.fullmatch(r"E[0-9a-f]{2}|", answer):
            raise ConnectionError(f"QEMU refuses {text}: {answer or 'not supported'}")
        return answer

    def read(self, cpu, numbers):
        self.command(f"Hg{cpu + 1:x}")
        return [self.command(f"p{n:x}") for n in numbers]

    def write(self, cpu, numbers, values):
        self.command(f"Hg{cpu + 1:x}")
        for number, value in zip(numbers, values):
            self.command(f"P{number:x}={value}")

    def swap(self, cpu):
        """Let @cpu enter the kernel in the place of CPU 0, and start all."""
        numbers = (*self.ARGUMENTS, self.PC)
        # The stub wants to be asked before it lists or selects threads.
        self.command("?")
        first, other = self.read(0, numbers), self.read(cpu, numbers)
        self.write(0, numbers, other)
        self.write(cpu, numbers, first)
        self.command("D")


# ----------------------------------------------------------------------- boot

SERIAL = ["-serial", "stdio"]


def command(args):
    return [find(), *(str(a) for a in args)]


def boot(args, log, token, timeout=60, boot_cpu=0, baseline=(), inspect=None, echo=False,
         serial=SERIAL, when=(), crashes=False):
    """Run a machine with its serial port in @log, and judge the run.

    @args are QEMU's, but for @serial, which puts the console to QEMU's output.
    @token has to be in it. @boot_cpu other than 0 enters the kernel on that core. @inspect is called
    with the Monitor when the guest has ended, before QEMU does. With @echo, @args
    has a device whose character device is "echo". @when has pairs of a text and a function
    that is called with the Monitor when the console has the text, each after the one before.
    With @crashes, a panic is not the end.
    """
    log = pathlib.Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    # Stopped at first: an event before the handshake would be lost.
    cmd = [find(), *serial, *map(str, args), "-S",
           "-action", "reboot=shutdown,shutdown=pause,panic=pause"]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, open(log, "wb") as out:
        out.write(f"$ {shlex.join(cmd)}\n".encode())
        out.flush()
        begin = out.tell()
        monitor = Monitor(directory)
        debugger = Debugger(directory) if boot_cpu else None
        echoing = Echo(directory) if echo else None
        sockets = [s for s in (monitor, debugger, echoing) if s]
        # A device's character device has to stand before it
        child = subprocess.Popen(cmd[:1] + [a for s in sockets for a in s.arguments()] + cmd[1:],
                                 stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            for each in sockets:
                each.accept(child)
            if echoing:
                echoing.start()
            monitor.command("qmp_capabilities")
            if debugger:
                debugger.swap(boot_cpu)
            else:
                monitor.command("cont")
            reason = wait(monitor, lambda: log.read_bytes()[begin:], start + timeout, timeout,
                          when, crashes)
            if inspect and not reason:
                reason = inspect(monitor) or ""
            monitor.command("quit")
            child.wait(10)
        except (ConnectionError, TimeoutError, BrokenPipeError,
                subprocess.TimeoutExpired) as error:
            out.flush()
            said = log.read_bytes()[begin:].decode(errors="replace").strip().split("\n")[-1]
            reason = f"{BROKE_OFF}: {error}" + (f": {said}" if said else "")
        finally:
            core.kill_group(child)
            for each in sockets:
                each.close()
    text = log.read_bytes()[begin:].decode(errors="replace").replace("\r", "")
    reason = judge(reason, text, token, baseline)
    return Outcome(not reason, reason, round(time.monotonic() - start, 2), text.split("\n"))


def wait(monitor, console, end, limit, when=(), crashes=False):
    """Until the guest ends, or is hopeless; the reason why that is bad, or "".

    @console gives what the guest has said so far.
    """
    hopeless = None
    when = list(when)
    while True:
        for event in monitor.events:
            data = event.get("data", {})
            if event["event"] == "GUEST_PANICKED":
                return "the guest panicked"
            if event["event"] == "SHUTDOWN":
                if when:
                    return f"the console never had {when[0][0]!r}"
                why = data.get("reason")
                return {"guest-shutdown": "", "guest-reset": "the guest reset the machine"}.get(
                    why, f"the machine ended by {why}")
        now = time.monotonic()
        if now > end:
            return f"no end after {limit} s"
        said = console()
        # Without a pvpanic device a panic shows on the console only; let it print.
        if not crashes and hopeless is None and b"Kernel panic - not syncing" in said:
            hopeless = now + 1
        if when and when[0][0].encode() in said:
            when.pop(0)[1](monitor)
        if hopeless and now > hopeless:
            return "the guest panicked"
        if not monitor.poll(0.2):
            raise ConnectionError("the control socket was closed")


def judge(reason, text, token, baseline=()):
    """All that is wrong with a run, most telling first; "" if nothing."""
    wrong = [reason] if reason else []
    splats = scan(text, baseline)
    if splats:
        more = f" and {len(splats) - 1} more" if len(splats) > 1 else ""
        wrong.append(f"on the console: {splats[0]}{more}")
    if token not in text:
        failed = [line.strip() for line in text.split("\n") if re.search(r"init: .* FAIL", line)]
        wrong.append("; ".join(NOISE.sub("", f) for f in failed) or f"no \"{token}\"")
    return "; ".join(wrong)


def interactive(args):
    """Hand the terminal to the guest; Ctrl-A X ends QEMU."""
    return subprocess.call([*command(args), "-serial", "mon:stdio", "-no-reboot"])
