# SPDX-License-Identifier: GPL-2.0-only
"""Static analysis of the series and of the workbench's own programs.

We answer for what the series adds: a file that upstream has too is compared
with its base, message by message without the line numbers, and only what is
new counts. Every tool's result is kept in the cache directory, by the content that
it saw.
"""
import collections
import os
import pathlib
import re
import shutil
import tempfile

from . import core, kernel, prefixes, schema, series, source
from .core import BUILD, ROOT, Failure

CHECK = BUILD / "check"
RESULTS = core.cache() / "style"
GROUP = "style"
BINDINGS = "Documentation/devicetree/bindings/"

# Compiled twice, because what is unused or misused differs.
VARIANTS = {"smp": prefixes.SMP, "up": prefixes.UP}

# Seconds for one script and all files: the longest takes 70 on an idle machine.
SPATCH_TIMEOUT = 600

# path:line[:column]: text, as clang, sparse and coccinelle print it.
PLACED = re.compile(r"^(?P<path>[^\s:]+):(?P<at>\d+(?::[\d-]+)?): (?P<text>.+)$")
# kernel-doc says "Warning: path:line text".
DOC = re.compile(r"^(?P<kind>Warning|Error): (?P<path>[^\s:]+):(?P<at>\d+) (?P<text>.+)$")
COMPLAINT = re.compile(r"^(?:fatal )?(?:warning|error): ")


def check_style(tree):
    """All of it, over what the series changes in @tree (which has it applied)."""
    files = changed(tree)
    c_files = {p: s for p, s in files.items() if p.endswith((".c", ".h"))}
    for what, check in (("checkpatch", lambda: checkpatch(tree, series.patches())),
                        ("kernel-doc", lambda: kernel_doc(tree, c_files)),
                        ("W=1 and sparse", lambda: compile_checks(tree, c_files)),
                        ("coccinelle", lambda: coccinelle(tree, c_files)),
                        ("bindings", lambda: bindings(tree, files)),
                        ("own programs", own_programs)):
        with core.phase(f"Style: {what}") as state:
            before = len(core.results.rows)
            try:
                check()
            except Failure as failure:
                core.results.failed(GROUP, what, prefixes.explain(failure, "make check-style"))
            state.note = f"{len(core.results.rows) - before} checks"


def changed(tree):
    """{path: "A" or "M"} of the series."""
    git = series.repository(tree)
    rows = git.lines("diff", "--no-renames", "--name-status", "--diff-filter=AM",
                     series.BASE, series.SERIES)
    return {path: status for status, path in (row.split("\t") for row in rows)}


# ---------------------------------------------------------------- messages

def messages(text, where, tree_dir, pattern=PLACED):
    """{path in the kernel: {message: [places]}} of what a tool printed in @where.

    A place counts once: a header is seen by every file that includes it.
    """
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in text.splitlines():
        match = pattern.match(line)
        if not match:
            continue
        path = os.path.relpath(os.path.join(where, match["path"]), tree_dir)
        said = re.sub(r"\b(lines? )\d+", r"\1N", match["text"].replace(f"{tree_dir}/", ""))
        if match["at"] not in found[path][said]:
            found[path][said].append(match["at"])
    return found


def judge(tool, files, found, base):
    """One result per file: what @found has more than @base is a failure.

    @base(paths) finds the messages of these files' upstream text; it is only
    asked for files that have any message now.
    """
    noisy = [p for p, status in files.items() if status == "M" and found.get(p)]
    old = base(noisy) if noisy else {}
    for path in files:
        before = old.get(path, {})
        new = [f"{', '.join(places)}: {said}" for said, places in found.get(path, {}).items()
               if len(places) > len(before.get(said, ()))]
        if new:
            core.results.failed(GROUP, f"{tool} {path}", "\n".join(new))
        else:
            core.results.passed(GROUP, f"{tool} {path}")


def memo(tool, key):
    """Where the result of @tool for what @key was made of is kept, for all checkouts."""
    return RESULTS / tool / f"{core.digest(key)[:32]}.json"


# -------------------------------------------------------------- checkpatch

def checkpatch(tree, patches):
    """No error, warning or check; .checkpatch.conf says what is ignored and why."""
    script = tree.dir / "scripts/checkpatch.pl"
    conf = ROOT / ".checkpatch.conf"
    # No git: the commits that a message names are not in our repository.
    env = {"CHECKPATCH_CONFIG_DIR": ROOT, "GIT_DIR": "/nonexistent"}

    def said(patch):
        kept = memo("checkpatch", [script, conf, patch])
        if not kept.exists():
            core.write_json(kept, core.run(
                ["perl", script, "--strict", "--terse", "--show-types", "--no-summary",
                 "--color=never", patch], cwd=tree.dir, env=env, check=False).strip())
        return core.read_json(kept)
    for patch, text in zip(patches, core.concurrently(said, patches)):
        if text:
            core.results.failed(GROUP, f"checkpatch {patch.name}", text)
        else:
            core.results.passed(GROUP, f"checkpatch {patch.name}")


# ------------------------------------- tools that need nothing but the text

def over_texts(tree, tool, key, files, analyse, pattern=PLACED):
    """Judge @files by the output of @analyse(directory, paths).

    The directory holds the files as the series or the base has them. Results
    are kept by file, so that an unchanged one is not looked at again.
    """
    git = series.repository(tree)

    def found(rev, paths):
        blobs = {path: name for path, (_, name) in git.listing(rev).items() if path in paths}
        kept = {path: memo(tool, [key, path, blob]) for path, blob in blobs.items()}
        todo = [path for path in paths if not kept[path].exists()]
        bodies = git.contents(blobs[path] for path in todo) if todo else {}
        with tempfile.TemporaryDirectory() as where:
            for path in todo:
                target = pathlib.Path(where, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(bodies[blobs[path]])
            said = messages(analyse(where, todo) if todo else "", where, where, pattern)
        for path in todo:
            core.write_json(kept[path], said.get(path, {}))
        return {path: core.read_json(kept[path]) for path in paths}

    judge(tool, files, found(series.SERIES, list(files)),
          lambda paths: found(series.BASE, paths))


def kernel_doc(tree, files):
    script = tree.dir / "scripts/kernel-doc"
    over_texts(tree, "kernel-doc", core.digest(script.resolve()), files,
               lambda where, paths: core.run(["python3", script, "-none", "-Wall", *paths],
                                             cwd=where, check=False,
                                             env={"PYTHONDONTWRITEBYTECODE": "1"}), DOC)


def coccinelle(tree, files):
    """The kernel's semantic patches in report mode."""
    if not shutil.which("spatch"):
        core.results.skipped(GROUP, "coccinelle", "spatch is not installed")
        return
    version = core.run(["spatch", "--version"]).splitlines()[0]
    scripts = [s for s in sorted((tree.dir / "scripts/coccinelle").rglob("*.cocci"))
               if usable(s.read_text(), version)]
    over_texts(tree, "coccinelle", core.digest(version, scripts), files,
               lambda where, paths: spatch(tree, scripts, where, paths))


def usable(script, version):
    """Report mode, no OCaml (whose compiler nobody has), not too new for our spatch."""
    needs = re.search(r"^// Requires: *([\d.]+)", script, re.M)
    return (re.search(r"^virtual\s.*\breport\b", script, re.M) and ":ocaml" not in script
            and not (needs and numbers(needs[1]) > numbers(version)))


def numbers(version):
    return [int(n) for n in re.search(r"\d+(?:\.\d+)*", version)[0].split(".")]


# spatch recurses as deep as functions are long.
ALL_STACK = "sh", "-c", 'ulimit -s "$(ulimit -Hs)"; exec "$@"', "sh"


def spatch(tree, scripts, where, paths):
    """The reports of all @scripts over @paths; each runs once, because starting is slow."""
    include = [word for part in ("arch/loongarch/include", "include",
                                 "arch/loongarch/include/uapi", "include/uapi")
               for word in ("-I", tree.dir / part)]

    def run(script, paths):
        options = re.search(r"^// *Options: *(.*)$", script.read_text(), re.M)
        return core.run([*ALL_STACK, "spatch", "-D", "report", "--very-quiet", "--no-show-diff",
                         "--timeout", SPATCH_TIMEOUT, "--cocci-file", script,
                         *(options[1].split() if options else []), *include, *paths],
                        cwd=where, what=f"spatch, {script.name}")

    def one(script):
        said = run(script, paths)
        # What a script has seen in one file it may take for another: ask for each alone.
        named = [path for path in paths if path in said]
        return "\n".join(run(script, [path]) for path in named) if len(paths) > 1 else said
    return "\n".join(core.concurrently(one, scripts))


# ------------------------------------------------------------ W=1 and sparse

def compile_checks(tree, files):
    """Compile what the series touches with W=1, and look at it with sparse.

    New messages count, and every C file must be built in some variant.
    """
    sources = {p: s for p, s in files.items() if p.endswith(".c")}
    tool = "W=1, sparse"
    try:
        check = ["C=1", f"CHECK={sparse_command()}", f"CF=-include {BUILTINS}"]
    except Failure as failure:
        tool, check = "W=1", []
        core.results.skipped(GROUP, "sparse", failure.what)
    built = set()
    with prefixes.borrowed(tree):
        for variant, extra in VARIANTS.items():
            now = compiled(tree, series.SERIES, variant, extra, list(sources), check)
            # A file that does not compile has its own failure.
            built.update(now["built"], now["said"])
            seen = {p: s for p, s in files.items() if p in now["built"] or now["said"].get(p)}
            upstream = [p for p, s in seen.items() if p in sources and s == "M"]
            judge(f"{tool} ({variant})", seen, now["said"], lambda _: compiled(
                tree, series.BASE, variant, extra, upstream, check)["said"])
    for path in sources:
        if path not in built and not any(includes(tree, c, path) for c in built):
            core.results.failed(GROUP, f"{tool} {path}", "nothing in "
                                f"{core.shown(prefixes.FRAGMENT)} makes the kernel build it")


def includes(tree, source, path):
    """Is @path, as tests of static functions are, a part of @source?"""
    name = os.path.relpath(path, os.path.dirname(source))
    return source.endswith(".c") and f'#include "{name}"' in (tree.dir / source).read_text()


def compiled(tree, rev, variant, extra, paths, check):
    """{"said": messages, "built": paths} of the C files @paths at @rev.

    Directories are built, since kbuild would compile a file that is named whether
    it is configured or not. The base's files are those that the series has built.
    """
    if not paths:
        return {"said": {}, "built": []}
    kept = memo("compile", [prefixes.text(tree, rev), prefixes.FRAGMENT, sorted(extra.items()),
                            sorted(paths), SPARSE if check else "", kernel.compiler(),
                            pathlib.Path(__file__)])
    if not kept.exists():
        out = kernel.out_dir(f"style-{variant}")
        series.checkout(tree, rev)
        # The base can't have what the series selects.
        kernel.config(tree, out, [prefixes.FRAGMENT], extra, keep=rev == series.SERIES)
        if rev == series.SERIES:
            # What lies beside them is not to be checked.
            make(tree, out, directories(paths), [])
            said = make_again(tree, out, paths, directories(paths), check)
        else:
            said = make_again(tree, out, paths, [object_of("", p) for p in paths], check)
        core.write_json(kept, {"said": said,
                               "built": [p for p in paths if object_of(out, p).exists()]})
    return core.read_json(kept)


def make(tree, out, targets, extra):
    """Compile with W=1 as far as it goes; make's exit code and its log."""
    log = core.LOGS / f"{out.name}.log"
    return kernel.make(tree, out, *targets, log=log, check=False,
                       extra=["W=1", "-k", "--output-sync=target", *extra]), log


def make_again(tree, out, paths, targets, check):
    """Compile @paths anew by making @targets; the complaints about them."""
    for path in paths:
        object_of(out, path).unlink(missing_ok=True)
    code, log = make(tree, out, targets, check)
    said = messages(log.read_text(errors="replace"), out, tree.dir)
    found = {path: {text: places for text, places in texts.items() if COMPLAINT.match(text)}
             for path, texts in said.items()}
    if code and not any("error: " in text for texts in found.values() for text in texts):
        raise Failure(f"compiling with W=1 ({out.name}) failed", log)
    return found


def object_of(out, path):
    return pathlib.Path(out, path).with_suffix(".o")


def directories(paths):
    """The directories of @paths as make targets, without those inside another."""
    result = []
    for directory in sorted({f"{os.path.dirname(path)}/" for path in paths}):
        if not any(directory.startswith(top) for top in result):
            result.append(directory)
    return result


# ------------------------------------------------------------------ sparse

# What sparse lacks of the compiler's builtins: name: result, arguments.
SPARSE_BUILTINS = {
    "csrrd_w": ("int", "int"), "csrrd_d": ("long", "int"),
    "csrwr_w": ("int", "int, int"), "csrwr_d": ("long", "long, int"),
    "csrxchg_w": ("int", "int, int, int"), "csrxchg_d": ("long", "long, long, int"),
    "iocsrrd_b": ("char", "int"), "iocsrrd_h": ("short", "int"),
    "iocsrrd_w": ("int", "int"), "iocsrrd_d": ("long", "int"),
    "iocsrwr_b": ("void", "char, int"), "iocsrwr_h": ("void", "short, int"),
    "iocsrwr_w": ("void", "int, int"), "iocsrwr_d": ("void", "long, int"),
    "cpucfg": ("int", "int"), "dbar": ("void", "int"), "ibar": ("void", "int"),
    "syscall": ("void", "int"), "break": ("void", "int"),
}
BUILTINS = CHECK / "loongarch-builtins.h"
SPARSE = core.cache() / "sparse/sparse"

# scripts/checker-valid.sh splits its arguments at blanks, and arch/loongarch
# passes a macro with a blank in it: a good sparse is refused. The kernel's probe
# (a file from mktemp) is answered here; sparse() has made it with the real one.
WRAPPER = """\
#!/bin/sh
for last; do :; done
case $last in */tmp.*) exit 0 ;; esac
exec {sparse} "$@"
"""

PROBE = "static inline int u(const int *q)\n{\n\t__typeof_unqual__(*q) v = *q;\n\treturn v;\n}\n"


def sparse():
    """A sparse that the kernel accepts: Debian's newest, built once into the cache.

    The packages of Debian 12 and 13 do not know __typeof_unqual__, which the
    kernel asks for. Failure says why there is none.
    """
    if not SPARSE.exists():
        dsc = source.download("sparse", None, "sid", source=True)
        tarball = next(dsc.parent.glob("sparse_*.orig.tar.*z"), None)
        if not tarball:
            raise Failure(f"no source tarball beside {dsc}")
        with tempfile.TemporaryDirectory() as work:
            log = core.LOGS / "sparse-build.log"
            core.run(["tar", "-xf", tarball, "-C", work, "--strip-components=1"], log=log)
            core.run(["make", "-C", work, f"-j{core.jobs()}", "HAVE_LIBXML=no", "HAVE_GTK=no",
                      "HAVE_SQLITE=no", "HAVE_LLVM=no", "sparse"], log=log,
                     what="building sparse")
            understands(pathlib.Path(work, "sparse"))
            SPARSE.parent.mkdir(parents=True, exist_ok=True)
            part = SPARSE.with_suffix(".part")
            shutil.copy2(pathlib.Path(work, "sparse"), part)
            part.replace(SPARSE)
    return SPARSE


def understands(binary):
    """The kernel's own question to a checker, asked without its mistake."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as probe:
        probe.write(PROBE)
        probe.flush()
        said = core.run([binary, probe.name], check=False)
    if "error" in said:
        raise Failure(f"{binary} does not know __typeof_unqual__")


def sparse_command():
    """The wrapper to give to the kernel as CHECK, beside the builtins' header."""
    CHECK.mkdir(parents=True, exist_ok=True)
    BUILTINS.write_text("".join(f"{result} __builtin_loongarch_{name}({arguments});\n"
                                for name, (result, arguments) in SPARSE_BUILTINS.items()))
    wrapper = CHECK / "sparse-wrapper"
    wrapper.write_text(WRAPPER.format(sparse=sparse()))
    wrapper.chmod(0o755)
    return wrapper


# ---------------------------------------------------- bindings, own programs

def bindings(tree, files):
    """Device tree bindings, as far as their tools can be had here."""
    for path in files:
        if path.startswith(BINDINGS) and path.endswith(".yaml"):
            binding(tree, path, "yamllint", yamllint,
                    "--strict", "-f", "parsable", "-c", f"{BINDINGS}.yamllint")
            binding(tree, path, "dt-doc-validate", schema.environment, "-u", BINDINGS)


def binding(tree, path, tool, environment, *arguments):
    """Passed if @tool, to be had in @environment(), says nothing about @path."""
    try:
        env = environment()
    except Failure as failure:
        core.results.skipped(GROUP, f"{tool} {path}", failure.what)
        return
    said = core.run([tool, *arguments, path], cwd=tree.dir, env=env, check=False).strip()
    if said:
        core.results.failed(GROUP, f"{tool} {path}", said)
    else:
        core.results.passed(GROUP, f"{tool} {path}")


def yamllint():
    if not shutil.which("yamllint"):
        raise Failure("yamllint is not installed")
    return {}


def own_programs():
    """pyflakes has nothing to say about the workbench's Python, its shell parses."""
    for path in programs(ROOT):
        said = syntax(path)
        if said:
            core.results.failed(GROUP, f"syntax {core.shown(path)}", said)
        else:
            core.results.passed(GROUP, f"syntax {core.shown(path)}")


def programs(root):
    """Python and shell of the checkout, by name or by their first line."""
    found = [root / "run", root / "test", root / ".ci/run"]
    for top in ("scripts", "kunit", "qemu"):
        found += sorted((root / top).rglob("*"))
    return [p for p in found if p.is_file() and "__pycache__" not in p.parts
            and (p.suffix in (".py", ".sh") or p.read_bytes()[:2] == b"#!")]


def syntax(path):
    """What is wrong with a program before it runs, or nothing."""
    text = path.read_text()
    if path.suffix == ".py" or "python" in text.split("\n", 1)[0]:
        return core.run(["pyflakes3", path], check=False).strip()
    if path.suffix == ".sh" or re.match(r"#!.*\b(ba|da)?sh\b", text):
        shell = "bash" if "bash" in text.split("\n", 1)[0] else "sh"
        return core.run([shell, "-n", path], check=False).strip()
    return ""
