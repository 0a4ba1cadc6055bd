# SPDX-License-Identifier: GPL-2.0-only
"""Configure and build kernels from configuration fragments."""
import pathlib
import re

from . import core, series
from .core import BUILD, ROOT, Failure

SYMBOL = re.compile(r"^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$")


def environment():
    """Builds that differ only in where the checkout lies share ccache's objects."""
    return {
        "CCACHE_DIR": core.cache() / "ccache",
        "CCACHE_BASEDIR": ROOT,
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_DEPEND": "1",
        "CCACHE_MAXSIZE": "4G",
        "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
        "KBUILD_BUILD_USER": "loongarch",
        "KBUILD_BUILD_HOST": "zones",
        "LC_ALL": "C",
    }


def toolchain():
    """Arguments for the kernel's make: LLVM, or GCC where CROSS_COMPILE is given."""
    cross = core.setting("CROSS_COMPILE")
    if cross:
        return [f"CROSS_COMPILE={cross}", f"CC=ccache {cross}gcc"]
    suffix = core.setting("LLVM", "-19")
    return [f"LLVM={suffix}", f"CC=ccache clang{suffix if suffix != '1' else ''}"]


def compiler():
    """What compiles, with its version."""
    command = toolchain()[-1].split()[-1]
    return core.run([command, "--version"], what=f"asking {command} for its version")


def make_cmd(tree, out, *targets, extra=()):
    silent = [] if core.verbose() else ["-s"]
    return ["make", *silent, "-C", tree.dir, "ARCH=loongarch", *toolchain(),
            f"O={out}", f"-j{core.jobs()}", *extra, *targets]


def make(tree, out, *targets, log, what=None, extra=(), check=True, env=None):
    out.mkdir(parents=True, exist_ok=True)
    return core.run(make_cmd(tree, out, *targets, extra=extra), log=log, what=what,
                    env={**environment(), **(env or {})}, check=check)


def symbols(text):
    """{symbol: value} of a fragment or .config; "n" for "is not set"."""
    found = {}
    for line in text.splitlines():
        match = SYMBOL.match(line.strip())
        if match:
            found[match[1] or match[3]] = match[2] if match[1] else "n"
    return found


def as_fragment(values):
    """The text of {symbol: value}."""
    return "".join(f"# CONFIG_{n} is not set\n" if v == "n" else f"CONFIG_{n}={v}\n"
                   for n, v in values.items())


def config(tree, out, fragments, extra=None, allnoconfig=True, keep=True):
    """Write @out/.config from @fragments, then from @extra {symbol: value}.

    A later fragment overrides an earlier one. What only later patches than those
    in @tree define is left out. A symbol that the kernel's configuration does not
    keep is a Failure that names it and its fragment, if @keep is true.
    """
    out = pathlib.Path(out)
    wanted, origin = {}, {}
    for fragment in fragments:
        for name, value in symbols(pathlib.Path(fragment).read_text()).items():
            wanted[name], origin[name] = value, core.shown(fragment)
    for name, value in (extra or {}).items():
        wanted[name], origin[name] = value, "the caller"
    for name in wanted.keys() & series.later_symbols(tree):
        del wanted[name]
    merged = as_fragment(wanted)
    out.mkdir(parents=True, exist_ok=True)
    before = out / ".config"
    (out / "all.config").write_text(merged)
    log = core.LOGS / f"config-{out.name}.log"
    if allnoconfig:
        make(tree, out, "allnoconfig", log=log, what=f"configuring {core.shown(out)}",
             extra=[f"KCONFIG_ALLCONFIG={out}/all.config"])
    else:
        before.write_text(merged)
        make(tree, out, "olddefconfig", log=log, what=f"configuring {core.shown(out)}")
    have = symbols(before.read_text())
    lost = [f"CONFIG_{n}={v} of {origin[n]} became {have.get(n, 'n')}"
            for n, v in wanted.items() if have.get(n, "n") != v]
    if lost and keep:
        raise Failure("the configuration does not keep: " + "; ".join(lost), log)


def build(tree, out, targets, log, what=None, extra=()):
    """Build @targets in @out; a warning of the compiler is not an error here."""
    make(tree, out, *targets, log=log, what=what or f"building {core.shown(out)}",
         extra=extra)


def out_dir(name):
    return BUILD / "obj" / name
