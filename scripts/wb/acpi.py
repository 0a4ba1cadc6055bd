# SPDX-License-Identifier: GPL-2.0-only
"""ACPI's I/O Virtualization Table, as firmware writes it and as it should not."""
import struct

SINGLE, START, END = range(3)
PCI, PXM, WHOLE_SEGMENT, _, MSI_BYPASS = (1 << n for n in range(5))

HEADER = struct.Struct("<4sIBB6s8sI4sI")
TABLE = struct.Struct("<HH8x")
UNIT = struct.Struct("<HHIHHHHQIQIB3xIIIII")
ENTRY = struct.Struct("<BBB3xH")

CHECKSUM_AT = 9


def entry(kind, rid, length=ENTRY.size):
    return ENTRY.pack(kind, length, 0, rid)


def unit(rid, listed=(), flags=PCI, **fields):
    """A structure of the table; @fields replaces what is right by something else."""
    given = {"type": 0, "length": UNIT.size + len(listed) * ENTRY.size, "flags": flags,
             "segment": 0, "phy_width": 48, "virt_width": 47, "levels": 3,
             "page_size": 1 << 14 | 1 << 25, "rid": rid, "base": 0, "size": 0x400,
             "interrupt": 0, "gsi": 0, "pxm": 0, "devices": 16, "entries": len(listed),
             "entries_at": UNIT.size}
    unknown = fields.keys() - given.keys()
    if unknown:
        raise KeyError(f"a unit of the IOVT has no {', '.join(sorted(unknown))}")
    return UNIT.pack(*{**given, **fields}.values()) + b"".join(listed)


def iovt(*units, cut=None, **fields):
    """The table; @fields as in unit(). With @cut it ends after so many bytes, and says so."""
    body = b"".join(units)
    given = {"length": HEADER.size + TABLE.size + len(body), "revision": 1, "checksum": None,
             "count": len(units), "at": HEADER.size + TABLE.size}
    unknown = fields.keys() - given.keys()
    if unknown:
        raise KeyError(f"the IOVT has no {', '.join(sorted(unknown))}")
    this = {**given, **fields}
    if cut is not None:
        this["length"] = cut
    table = bytearray(HEADER.pack(b"IOVT", this["length"], this["revision"], 0, b"ZONES ",
                                  b"ZONES   ", 1, b"ZONE", 1)
                      + TABLE.pack(this["count"], this["at"]) + body)[:cut]
    table[CHECKSUM_AT] = -sum(table) & 0xff if this["checksum"] is None else this["checksum"]
    return bytes(table)


def samples():
    """Tables that are right, of each shape that is known: {name: table}."""
    ranges = [entry(SINGLE, 0x10), entry(START, 0x100), entry(END, 0x1ff)]
    return {
        "empty": iovt(),
        "segment": iovt(unit(0xd0, flags=PCI | WHOLE_SEGMENT)),
        "msi-bypass": iovt(unit(0xd0, flags=PCI | WHOLE_SEGMENT | MSI_BYPASS)),
        "ranges": iovt(unit(0xe8, ranges), unit(0xc20, [entry(SINGLE, 0x20)])),
        "segments": iovt(*[unit(0xd0, flags=PCI | WHOLE_SEGMENT, segment=n)
                           for n in range(3)]),
        "no-pci": iovt(unit(0, ranges, flags=PXM, base=0xe0045969c00, pxm=1)),
        "unknown": iovt(unit(0, type=1), unit(0xd0, ranges)),
    }
