"""The format of the files of the cache: TOML fragments, only ever appended.

A file is a head and then records. Each is one fragment, ends with a comment line that holds the CRC-32 of all its
bytes before that line, and is written by one `write`; all fragments together are one TOML document::

    schema = 1

    [conversation]
    id = "20261122-010203-rds-7f3k9qzp"
    ...
    # crc32 0fe4a120

    [[record]]
    kind = "question"
    ...
    # crc32 7a31c04e

So a write that was cut short is found and cut off, and damage elsewhere costs the records that it hit and no others.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
"""The newest format that this version writes. Files of a newer one are only read."""

_END = re.compile(rb"^# crc32 ([0-9a-f]{8})\n", re.MULTILINE)
_START = b"\n[[record]]\n"
_SURROGATES = re.compile("[\ud800-\udfff]")
_BIG = 256 * 1024


def head_fragment(table: Mapping[str, Any]) -> bytes:
    """The first fragment of a file: the schema and `table`."""
    return _sealed(_dumps({"schema": SCHEMA, **table}))


def record_fragment(table: Mapping[str, Any]) -> bytes:
    """One record. The first value of `table` must be a scalar."""
    # tomli_w writes small arrays of tables inline, and `record = [{...}]` would belong to the record before; written
    # as a table that begins with a scalar, its first line is always `[record]`.
    text = _dumps({"record": table})
    if not text.startswith("[record]\n"):
        raise ValueError("a record begins with a scalar")
    return _sealed("\n[[record]]" + text.removeprefix("[record]"))


def _dumps(table: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(table)


def _sealed(text: str) -> bytes:
    try:
        body = text.encode()
    except UnicodeEncodeError:
        body = _SURROGATES.sub("\ufffd", text).encode()
    return body + b"# crc32 %08x\n" % zlib.crc32(body)


@dataclass(slots=True)
class Scan:
    """What is whole in a run of bytes, as (start, end) offsets."""

    fragments: list[tuple[int, int]] = field(default_factory=list)
    damage: list[tuple[int, int]] = field(default_factory=list)
    """Stretches that belong to no whole fragment."""
    end: int = 0
    """Behind the last fragment or damage: where the torn tail begins, if there is one."""
    torn: bool = False
    """The last write was cut short: what is behind `end` is the beginning of a fragment."""


def scan(data: bytes) -> Scan:
    """Find the whole fragments of `data`, which begins at the beginning of one."""
    found = Scan()
    for mark in _END.finditer(data):
        end, checksum = mark.end(), int(mark[1], 16)
        start = found.end
        while zlib.crc32(data[start : mark.start()]) != checksum:
            # Its beginning is damaged, or a mark before this one is: it begins at one of the next beginnings.
            start = data.find(_START, start + 1, mark.start())
            if start < 0:
                start = end
                break
        if start > found.end:
            found.damage.append((found.end, start))
        if start < end:
            found.fragments.append((start, end))
        found.end = end
    tail = data[found.end :]
    if tail:
        # A write that was cut short leaves the beginning of a fragment. Anything else is damage, and so is a tail
        # that ends with a line: it may be a whole record whose mark was hit.
        begins = tail.startswith(_START) or found.end == 0
        found.torn = _START.startswith(tail) or (begins and not tail.endswith(b"\n") and b"\0" not in tail)
        if not found.torn:
            found.damage.append((found.end, len(data)))
            found.end = len(data)
    return found


def read_head(fragment: bytes) -> dict[str, Any]:
    """The table of a head fragment. Raises ValueError where it is none."""
    return _loads(fragment)


def read_record(fragment: bytes) -> dict[str, Any]:
    """The table of a record fragment. Raises ValueError where it is none."""
    records = _loads(fragment).get("record")
    if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], dict):
        raise ValueError("not one record")
    return records[0]


def schema_of(data: bytes) -> int:
    """The number of the format that a file says to be in; 0 where it does not say."""
    match = re.match(rb"schema = (\d{1,9})\n", data)
    return int(match[1]) if match else 0


def _loads(fragment: bytes) -> dict[str, Any]:
    if len(fragment) > _BIG:
        # The compiled reader holds the interpreter until it is done: 50 ms for a megabyte, a stall on screen.
        # The slower one of the standard library lets other threads run in between.
        import tomllib

        return tomllib.loads(fragment.decode())
    import tomli

    return tomli.loads(fragment.decode())
