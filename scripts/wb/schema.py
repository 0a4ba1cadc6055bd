# SPDX-License-Identifier: GPL-2.0-only
"""dt-schema: the programs that check bindings, and device trees against them."""
import os
import pathlib
import re
import shutil

from . import core, source
from .core import Failure

# The kernel asks for 2024.4, but 2025.8 dies of the bindings of 7.3.
OLDEST = (2026, 6)


def environment():
    """The environment in which dt-schema's programs are found, fetched where it takes that.

    Debian 13 has one that is too old and all that a newer one needs; with
    Debian 12's Python modules none works. Failure says why there is none.
    """
    if shutil.which("dt-validate") and new_enough(os.environ):
        return {}
    where = unpacked()
    fetched = {"PATH": f"{where}/usr/bin:{os.environ['PATH']}",
               "PYTHONPATH": f"{where}/usr/lib/python3/dist-packages"}
    if not new_enough(fetched):
        raise Failure(f"dt-schema {OLDEST[0]}.{OLDEST[1]:02} does not run here: "
                      + version_line(fetched))
    return fetched


def unpacked():
    """Debian's newest dt-schema, unpacked in the cache."""
    deb = source.download("dt-schema", None, "forky")
    where = core.cache() / "dt-schema" / deb.stem
    if not where.exists():
        part = where.with_name("part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        core.run(["dpkg-deb", "-x", deb, part], what=f"unpacking {deb.name}")
        part.rename(where)
    return pathlib.Path(where)


def version_line(env):
    """What "dt-validate --version" says last: its version, or what it dies of."""
    said = core.run(["dt-validate", "--version"], env=env, check=False).strip()
    return said.split("\n")[-1]


def new_enough(env):
    version = re.fullmatch(r"(\d+)\.(\d+)\S*", version_line(env))
    return bool(version) and tuple(map(int, version.groups())) >= OLDEST
