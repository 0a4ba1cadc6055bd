# SPDX-License-Identifier: GPL-2.0-only
"""libFuzzer, with ASan and UBSan, against what reads firmware's tables (scripts/fuzz)."""
import re
import shutil

from . import acpi, core, guest
from .core import BUILD, LOGS, ROOT, Failure

SOURCES = ROOT / "scripts/fuzz"
PARSER = ROOT / "drivers/acpi/loongarch"
HERE = BUILD / "fuzz"
LONGEST = 1 << 12


def build(tree, parser=PARSER / "iovt_table.c", name="iovt"):
    """Compile @parser, and that of the IVRS, with the harness, for the host; its path."""
    program = HERE / name
    ivrs = PARSER / "ivrs_table.c"
    key = core.digest(SOURCES, parser, ivrs, PARSER / "iovt.h", ROOT / "include/linux/acpi_iovt.h",
                      guest.suffix(), tree.name)
    if core.fresh(f"fuzz-{name}", key, [program]):
        return program
    # The kernel's own headers of ACPICA, and no other of that directory
    headers = HERE / "include/acpi"
    headers.parent.mkdir(parents=True, exist_ok=True)
    headers.unlink(missing_ok=True)
    headers.symlink_to(tree.dir / "include/acpi")
    core.run(["clang" + guest.suffix(), "-g", "-O1", "-Wall", "-Werror",
              "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-D_LINUX",
              *(f"-I{directory}" for directory in (
                  SOURCES / "include", ROOT / "include", headers.parent,
                  tree.dir / "tools/include", PARSER)),
              SOURCES / "iovt.c", parser, ivrs, "-o", program],
             log=LOGS / f"fuzz-{name}-build.log", what="building the fuzzer")
    core.stamp(f"fuzz-{name}", key)
    return program


def run(program, seconds, log):
    """Fuzz for so long; (how many inputs were good, what it found or "")."""
    corpus, seeds, found = (HERE / f"{program.name}-{kind}" for kind in ("corpus", "seeds", "found"))
    for directory in (seeds, found):
        shutil.rmtree(directory, ignore_errors=True)
    for directory in (corpus, seeds, found):
        directory.mkdir(parents=True, exist_ok=True)
    for name, table in acpi.samples().items():
        (seeds / name).write_bytes(table)
    said = core.run([program, f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=10",
                     "-print_final_stats=1", f"-artifact_prefix={found}/", corpus, seeds],
                    check=False)
    log.write_text(said)
    count = re.search(r"^stat::number_of_executed_units:\s*(\d+)$", said, re.MULTILINE)
    bad = sorted(found.iterdir())
    if bad:
        return 0, f"{core.shown(bad[0])}: {summary(said)}"
    if count is None:
        raise Failure("the fuzzer did not start", log)
    return int(count[1]), ""


def summary(said):
    """What the sanitizer or libFuzzer found, in a line."""
    match = re.search(r"^SUMMARY: (.*)$", said, re.MULTILINE)
    return match[1] if match else "see the log"


def check(tree, seconds):
    """Fuzz what reads the IOVT, as a result; it goes on with the inputs of earlier runs."""
    with core.phase("Build the fuzzer"):
        program = build(tree)
    log = LOGS / "fuzz-iovt.log"
    with core.phase(f"Fuzz the IOVT for {seconds} s") as state:
        inputs, found = run(program, seconds, log)
        state.note = found or f"{inputs} tables"
    if found:
        core.results.failed("fuzz", "iovt", f"{found}\nlog: {log}\nrepeat: make fuzz N={seconds}")
    else:
        core.results.passed("fuzz", "iovt")
