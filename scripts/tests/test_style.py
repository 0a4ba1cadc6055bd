# SPDX-License-Identifier: GPL-2.0-only
"""wb/style.py: each tool finds what is new, and only that."""
import contextlib
import io
import os
import pathlib
import shutil
from unittest import mock, skipUnless

from wb import core, series, style
from wb.core import Failure

from .fixture_series import KERNEL, SeriesCase, write

A, M = "drivers/bus/a.c", "drivers/bus/m.c"

# The real tools of a kernel tree, where one is unpacked.
LINUX = next(iter(sorted(core.BUILD.glob("linux-*/scripts/checkpatch.pl"))), None)
LINUX = LINUX and LINUX.parents[1]


class StyleCase(SeriesCase):

    def setUp(self):
        super().setUp()
        self.results = core.Results()
        for module, name, value in ((core, "results", self.results),
                                    (style, "CHECK", self.tmp / "check"),
                                    (style, "RESULTS", self.tmp / "results"),
                                    (style, "BUILTINS", self.tmp / "check/builtins.h")):
            self.enterContext(mock.patch.object(module, name, value))
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def apply(self, *changes):
        """The tree with a series of one patch per dictionary of files."""
        for path in series.patches(self.root):
            path.unlink()
        series.write_files(self.root / "patches", self.mails(
            [(f"bus: Change {n}", files) for n, files in enumerate(changes)]))
        series.apply(self.tree, self.root)
        return style.changed(self.tree)

    def verdict(self):
        rows = {row["name"]: row["status"] for row in self.results.rows}
        self.results.rows.clear()
        return rows


class Messages(StyleCase):

    def test_paths_places_and_line_numbers(self):
        text = ("../linux/drivers/a.c:12:5: warning: unused [-Wunused]\n"
                "../linux/drivers/a.c:12:5: warning: unused [-Wunused]\n"
                "/k/linux/drivers/a.c:40:5: warning: unused [-Wunused]\n"
                "include/b.h:7: warning: see line 12 and lines 13\n"
                "In file included from x.c:\n  12 | int a;\n")
        found = style.messages(text, "/k/out", "/k/linux")
        self.assertEqual(found["drivers/a.c"], {"warning: unused [-Wunused]": ["12:5", "40:5"]})
        self.assertEqual(found["../out/include/b.h"],
                         {"warning: see line N and lines N": ["7"]})
        self.assertEqual(len(found), 2)

    def test_only_what_the_base_does_not_say_counts(self):
        files, asked = {"old.c": "M", "worse.c": "M", "quiet.c": "M", "new.c": "A"}, []

        def base(paths):
            asked.extend(paths)
            return {path: {"w": ["7"]} for path in paths}
        now = {"old.c": {"w": ["8"]}, "worse.c": {"w": ["8", "9"]}, "new.c": {"w": ["8"]}}
        style.judge("tool", files, now, base)
        self.assertEqual(self.verdict(), {"tool old.c": "passed", "tool worse.c": "failed",
                                          "tool quiet.c": "passed", "tool new.c": "failed"})
        self.assertNotIn("new.c", asked)


class OverTexts(StyleCase):
    """A tool that complains about every line with BAD in it."""

    def look(self, where, paths):
        self.seen += [(pathlib.Path(where, p).read_text().count("BAD"), p) for p in paths]
        return "\n".join(f"{p}:{n}: BAD here" for p in paths for n, line in
                         enumerate(pathlib.Path(where, p).read_text().splitlines(), 1)
                         if "BAD" in line)

    def check(self, files):
        self.seen = []
        style.over_texts(self.tree, "tool", "v1", files, self.look)
        return self.verdict()

    def test_good_and_bad(self):
        with mock.patch.dict(KERNEL, {A: "int a; BAD\nint b;\n", "drivers/bus/z.c": "BAD\n"}):
            self.tree = self.kernel("1.0-warns")
            files = self.apply({A: "int more;\nint a; BAD\nint b;\n", M: "int m;\n"},
                               {"drivers/bus/z.c": "BAD\nBAD\n", "drivers/bus/x.c": "BAD\n"})
            self.assertEqual(self.check(files), {
                f"tool {A}": "passed", f"tool {M}": "passed",
                "tool drivers/bus/z.c": "failed", "tool drivers/bus/x.c": "failed"})
            self.check(files)
            self.assertEqual(self.seen, [], "nothing is looked at twice")


class Compile(StyleCase):
    """A compiler that warns where the source tells it to."""

    def setUp(self):
        super().setUp()
        self.config = self.tmp / "series.config"
        self.config.write_text("CONFIG_A=y\n")
        kernel = style.kernel
        for module, name, value in ((style.prefixes, "FRAGMENT", self.config),
                                    (kernel, "config", lambda *a, **k: None),
                                    (kernel, "make", self.make),
                                    (kernel, "out_dir", lambda name: self.tmp / "obj" / name),
                                    (core, "LOGS", self.tmp / "log"),
                                    (core, "STAMPS", self.tmp / "stamp")):
            self.enterContext(mock.patch.object(module, name, value))

    def make(self, tree, out, *targets, log, extra, check):
        said, self.runs = [], self.runs + 1
        log.parent.mkdir(exist_ok=True)
        for target in map(tree.dir.joinpath, targets):
            for path in sorted(target.glob("*.c")) or [target.with_suffix(".c")]:
                text = path.read_text()
                if "OFF" in text or "SMP" in text and "-up" in out.name:
                    continue
                built = style.object_of(out, path.relative_to(tree.dir))
                built.parent.mkdir(parents=True, exist_ok=True)
                built.touch()
                for number, line in enumerate(text.splitlines(), 1):
                    if "WARN" in line or "SPARSE" in line and "C=1" in extra:
                        said.append(f"{path}:{number}:1: warning: {line}")
        log.write_text("\n".join(said))
        return 2 if "FATAL" in "".join(said) else 0

    def check(self, *changes, sparse=True):
        files, self.runs = self.apply(*changes), 0
        command = (lambda: "sparse") if sparse else mock.Mock(side_effect=Failure("no network"))
        with mock.patch.object(style, "sparse_command", command):
            style.compile_checks(self.tree, {p: s for p, s in files.items() if p.endswith(".c")})
        head = series.Git(self.tree.git_dir)
        self.assertEqual(head("rev-parse", "HEAD"), head("rev-parse", series.SERIES))
        return self.verdict()

    def test_clean_series(self):
        verdict = self.check({A: "int a;\n", M: "int m;\n"})
        self.assertEqual(len(verdict), 4)
        self.assertEqual(set(verdict.values()), {"passed"})

    def test_new_warning(self):
        verdict = self.check({A: "WARN\n", M: "SPARSE\n"})
        bad = {name for name, status in verdict.items() if status == "failed"}
        self.assertEqual(bad, {f"W=1, sparse ({variant}) {path}"
                               for variant in style.VARIANTS for path in (A, M)})

    def test_warning_of_the_base(self):
        with mock.patch.dict(KERNEL, {A: "WARN old\nSPARSE old\n"}):
            self.tree = self.kernel("1.0-warns")
            self.assertEqual(set(self.check({A: "int x;\nWARN old\nSPARSE old\n"}).values()),
                             {"passed"})
            self.assertEqual(set(self.check({A: "WARN old\nSPARSE old\nWARN new\n"}).values()),
                             {"failed"})

    def test_file_that_nothing_builds(self):
        verdict = self.check({A: "int a;\n", M: "OFF\n"})
        self.assertEqual(verdict.pop(f"W=1, sparse {M}"), "failed")
        self.assertEqual(set(verdict.values()), {"passed"})
        self.assertEqual(self.check({A: "only SMP\n"}), {f"W=1, sparse (smp) {A}": "passed"})

    def test_file_that_another_includes(self):
        name = os.path.relpath(M, os.path.dirname(A))
        verdict = self.check({A: f'#include "{name}"\n', M: "OFF\n"})
        self.assertNotIn(f"W=1, sparse {M}", verdict)

    def test_unchanged_series_is_not_compiled_again(self):
        self.check({A: "int a;\n"})
        self.check({A: "int a;\n"})
        self.assertEqual(self.runs, 0)

    def test_without_sparse(self):
        verdict = self.check({A: "int a;\n"}, sparse=False)
        self.assertEqual(verdict, {"sparse": "skipped", f"W=1 (smp) {A}": "passed",
                                   f"W=1 (up) {A}": "passed"})

    def test_build_that_fails_without_a_message(self):
        with mock.patch.object(style.kernel, "make", self.silent), \
             self.assertRaisesRegex(Failure, "compiling with W=1"):
            self.check({A: "int a;\n"})

    def silent(self, tree, out, *targets, log, **kw):
        log.parent.mkdir(exist_ok=True)
        log.write_text("make: *** No rule to make target\n")
        return 2

    def test_directories_inside_others_are_not_named(self):
        self.assertEqual(style.directories(["b/tests/x.c", "b/y.c", "a/z.c", "bc/q.c"]),
                         ["a/", "b/", "bc/"])


GOOD_C = """\
// SPDX-License-Identifier: GPL-2.0-only
/**
 * good() - say how good
 * @level: how much
 *
 * Return: the level.
 */
int good(int level)
{
	return level;
}
"""


@skipUnless(LINUX, "no kernel tree is unpacked")
class RealTools(StyleCase):
    """The kernel's own checkpatch and kernel-doc."""

    def setUp(self):
        super().setUp()
        self.real = self.tree._replace(dir=LINUX)

    def checkpatch(self, text):
        self.apply({M: text})
        style.checkpatch(self.real, series.patches(self.root))
        return list(self.verdict().values())

    def test_checkpatch(self):
        self.assertEqual(self.checkpatch(GOOD_C), ["passed"])
        self.assertEqual(self.checkpatch(GOOD_C.replace("\treturn", "        return ")),
                         ["failed"])
        self.assertEqual(self.checkpatch(GOOD_C.replace("(int level)", "( int level )")),
                         ["failed"])

    def test_kernel_doc(self):
        for text, verdict in ((GOOD_C, "passed"), (GOOD_C.replace(" * @level", " * @depth"),
                                                   "failed")):
            files = self.apply({M: text})
            # The repository of the small kernel, the script of the real one.
            style.kernel_doc(self.tree._replace(dir=LINUX), files)
            self.assertEqual(self.verdict(), {f"kernel-doc {M}": verdict})


SEMANTIC = """\
// Requires: {version}
// Options: --no-includes
virtual report
@r@
expression e;
position p;
@@
bad@p(e)

@script:python depends on report@
p << r.p;
@@
coccilib.report.print_report(p[0], "bad() is bad")
"""

ACROSS_FILES = """\
virtual report
@managed depends on report@
expression x;
@@
x = managed()
@bad depends on report@
expression managed.x;
position p;
@@
unmanage@p(x)
@script:python depends on report@
p << bad.p;
@@
coccilib.report.print_report(p[0], "managed")
"""
N = "lib/n.c"


@skipUnless(shutil.which("spatch"), "spatch is not installed")
class Coccinelle(StyleCase):

    def check(self, text, version="1.0.0"):
        files = self.apply({M: text})
        write(self.tree.dir / "scripts/coccinelle",
              {"api/bad.cocci": SEMANTIC.format(version=version),
               "api/other.cocci": "virtual patch\n", "api/ocaml.cocci":
               "virtual report\n@script:ocaml@\n@@\nlet x = 1\n"})
        style.coccinelle(self.tree, files)
        return self.verdict()

    def test_good_and_bad(self):
        self.assertEqual(self.check("void f(void)\n{\n\tgood(1);\n}\n"),
                         {f"coccinelle {M}": "passed"})
        self.assertEqual(self.check("void f(void)\n{\n\tbad(1);\n}\n"),
                         {f"coccinelle {M}": "failed"})

    def test_what_is_known_of_another_file(self):
        files = self.apply({M: "void f(int x)\n{\n\tx = managed();\n}\n",
                            N: "void g(int x)\n{\n\tunmanage(x);\n}\n"})
        write(self.tree.dir / "scripts/coccinelle", {"free/managed.cocci": ACROSS_FILES})
        style.coccinelle(self.tree, files)
        self.assertEqual(set(self.verdict().values()), {"passed"})

    def test_script_that_needs_a_newer_spatch(self):
        self.assertEqual(self.check("void f(void)\n{\n\tbad(1);\n}\n", "99.0"),
                         {f"coccinelle {M}": "passed"})

    def test_script_with_a_mistake(self):
        broken = SEMANTIC.replace("bad@p(e)", "bad@p(")
        with mock.patch(f"{__name__}.SEMANTIC", broken), \
             self.assertRaisesRegex(Failure, "spatch, bad.cocci"):
            self.check("int m;\n")


@skipUnless(style.SPARSE.exists(), "sparse is not built yet")
class Sparse(StyleCase):

    def look(self, text):
        (self.tmp / "x.c").write_text(text)
        return core.run([style.sparse_command(), "-include", style.BUILTINS, self.tmp / "x.c"],
                        check=False)

    ENDIAN = ("typedef unsigned int __attribute__((bitwise)) le32;\n"
              "static {} f(le32 x)\n{{\n\treturn x;\n}}\n"
              "int main(void) {{ return f(0) != __builtin_loongarch_cpucfg(0); }}\n")

    def test_endianness_and_builtins(self):
        said = self.look(self.ENDIAN.format("int"))
        self.assertIn("incorrect type in return expression", said)
        self.assertNotIn("cpucfg", said)
        self.assertEqual(self.look("static int f(int x)\n{\n\treturn x;\n}\n"
                                   "int main(void) { return f(0); }\n".replace(
                                       "int main", "extern int main(void);\nint main")), "")

    def test_kernel_probe(self):
        style.understands(style.SPARSE)
        old = self.tmp / "old"
        old.write_text("#!/bin/sh\necho \"$1:3:9: error: not declared\"\n")
        old.chmod(0o755)
        with self.assertRaisesRegex(Failure, "__typeof_unqual__"):
            style.understands(old)


class Own(StyleCase):

    def test_python_and_shell(self):
        write(self.root, {"scripts/good.py": "x = 1\n", "scripts/bad.py": "x = = 1\n",
                          "scripts/unknown.py": "shutil.copy\n",
                          "run": "#!/bin/sh\nif true; then echo; fi\n",
                          "test": "#!/bin/sh\nif true; then echo\n",
                          "scripts/tool": "#!/usr/bin/env python3\nif x\n",
                          "scripts/README.md": "if ) x = =\n"})
        verdict = {str(p.relative_to(self.root)): bool(style.syntax(p))
                   for p in style.programs(self.root)}
        self.assertEqual(verdict, {"run": False, "test": True, "scripts/good.py": False,
                                   "scripts/bad.py": True, "scripts/tool": True,
                                   "scripts/unknown.py": True})


class Bindings(StyleCase):
    YAML = "Documentation/devicetree/bindings/bus/m.yaml"

    def check(self, tool):
        """@tool: the text of a fake yamllint, or None."""
        files = self.apply({self.YAML: "a: b\n"})
        which = mock.Mock(side_effect=lambda name: name if tool and name == "yamllint" else None)
        run = mock.Mock(return_value=tool)
        none = mock.Mock(side_effect=Failure("no dt-schema"))
        with mock.patch.object(style.shutil, "which", which), \
             mock.patch.object(style.schema, "environment", none), \
             mock.patch.object(core, "run", run):
            style.bindings(self.tree, files)
        return self.verdict()

    def test_missing_tool_is_skipped_with_its_name(self):
        self.assertEqual(set(self.check(None).values()), {"skipped"})

    def test_complaint(self):
        self.assertEqual(self.check("m.yaml:1:1: [error] x")[f"yamllint {self.YAML}"], "failed")
        self.assertEqual(self.check(" ")[f"yamllint {self.YAML}"], "passed")
