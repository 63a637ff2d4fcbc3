"""What kind of file system a folder is on: SQLite's locks and shared memory cannot be trusted on one of a network."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from tui.cache.files import private_folder

_TABLE = Path("/proc/self/mountinfo")
_REMOTE = re.compile(r"(nfs|cifs|smb|9p|afs|ceph|gluster|lustre|fuse|beegfs|gpfs|ocfs|virtiofs)")
_INDEX = "search.db"
_OCTAL = re.compile(r"\\([0-7]{3})")


def is_remote(folder: Path, table: Path = _TABLE) -> bool:
    """True where `folder` is, or may be, on another machine's disk; False where the system does not tell.

    `table` is in the format of proc(5), mountinfo.
    """
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    wanted = folder.absolute()
    best, kind = Path(), ""
    for line in lines:
        fields, dash, rest = line.partition(" - ")
        columns = fields.split(" ")
        if not dash or len(columns) < 5:
            continue
        point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), columns[4]))
        # The last of several on one point lies on top.
        if wanted.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, rest.split(" ")[0]
    return _REMOTE.match(kind) is not None


def index_place(folder: Path, fallback: Path | None) -> Path | None:
    """Where the search index of the conversations below `folder` goes: beside them, unless that is on another
    machine's disk; then into `fallback`, which is made where it is not there; None where that is no better."""
    if not is_remote(folder):
        return folder / _INDEX
    if fallback is None or is_remote(fallback):
        return None
    with suppress(OSError):
        private_folder(fallback)
        return fallback / _INDEX
    return None
