# SPDX-License-Identifier: GPL-2.0-only
"""ACPI's tables of IOMMUs, IOVT and IVRS, as firmware writes them and as it should not."""
import struct

SINGLE, START, END = range(3)
PCI, PXM, WHOLE_SEGMENT, _, MSI_BYPASS = (1 << n for n in range(5))

HEADER = struct.Struct("<4sIBB6s8sI4sI")
TABLE = struct.Struct("<HH8x")
UNIT = struct.Struct("<HHIHHHHQIQIB3xIIIII")
ENTRY = struct.Struct("<BBB3xH")

# What a block of the IVRS is, by its type, and an entry of its list
UNIT_10, MEMORY, UNIT_11, UNIT_40 = 0x10, 0x20, 0x11, 0x40
ALL, SELECT, FIRST, LAST = range(1, 5)
BLOCK = struct.Struct("<BBHHHQHHI")
LONG_BLOCK = 16

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
    return table_of(b"IOVT", TABLE.pack(this["count"], this["at"]) + body, cut=cut,
                    **{key: this[key] for key in ("length", "revision", "checksum")})


def table_of(signature, body, length, revision, checksum, cut=None):
    """A table of ACPI, with the right checksum unless one is given."""
    table = bytearray(HEADER.pack(signature, length, revision, 0, b"ZONES ", b"ZONES   ", 1,
                                  b"ZONE", 1) + body)[:cut]
    table[CHECKSUM_AT] = -sum(table) & 0xff if checksum is None else checksum
    return bytes(table)


def ivrs_entry(kind, rid=0, rest=b""):
    return struct.pack("<BHB", kind, rid, 0) + rest


def ivrs_block(rid, *entries, kind=UNIT_10, segment=0, length=None):
    """A structure of the IVRS; with @length it says that this is how long it is."""
    rest = bytes(LONG_BLOCK if kind in (UNIT_11, UNIT_40) else 0) + b"".join(entries)
    return BLOCK.pack(kind, 0, BLOCK.size + len(rest) if length is None else length, rid, 0, 0,
                      segment, 0, 0) + rest


def ivrs(*blocks, length=None, revision=2, checksum=None):
    body = bytes(12) + b"".join(blocks)
    return table_of(b"IVRS", body, HEADER.size + len(body) if length is None else length,
                    revision, checksum)


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
        "ivrs": ivrs(ivrs_block(0xd0, ivrs_entry(ALL))),
        "ivrs-list": ivrs(ivrs_block(0xd0, ivrs_entry(SELECT, 0x10), ivrs_entry(FIRST, 0x100),
                                     ivrs_entry(LAST, 0x1ff))),
        "ivrs-types": ivrs(ivrs_block(0xd0, ivrs_entry(ALL)),
                           ivrs_block(0xd0, ivrs_entry(SELECT, 0x10), kind=UNIT_11),
                           ivrs_block(0, kind=MEMORY),
                           ivrs_block(0xd0, ivrs_entry(0x48, 0x10, bytes(4)), kind=UNIT_40)),
    }
