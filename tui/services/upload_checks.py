"""Looking at a file before any byte of it goes: may it be uploaded, and what is in it. Blocking: call in a thread.

Source of the types and the limit: protocol notes (DMS) 9.2.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import stat
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from tui.models import Problem, TableBlock
from tui.text import clean_line, safe_file_name
from tui.words import _

MAX_SIZE = 200 * 1024 * 1024
"""Bytes."""
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
}
PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 40
_HEAD = 64 * 1024
_LARGEST_SHEET = 20 * 1024 * 1024
"""Bytes of a workbook that is still opened for its preview: it is read whole."""
_ENCODINGS = ("utf-8-sig", "gb18030")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What is known of a file; it may be uploaded unless there is a `problem`."""

    path: Path
    name: str
    """As it will be called on the service."""
    size: int = 0
    modified: float = 0.0
    """As `stat` tells: an upload makes sure that it is still this file."""
    media_type: str = ""
    encoding: str = ""
    """Of a CSV file, as far as its first bytes tell."""
    sheets: tuple[str, ...] = ()
    """Of a workbook."""
    preview: TableBlock | None = None
    """The first rows; the first of all is taken for the header."""
    problem: Problem | None = None


def check_file(path: Path) -> FileCheck:
    """Check type, size and content, and read the first rows. Never raises: what is wrong is `problem`."""
    found = FileCheck(path, safe_file_name(path.name))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _refuse(found, _("It is no file."))
        found = replace(found, size=status.st_size, modified=status.st_mtime)
        suffix = Path(found.name).suffix.lower()
        if suffix not in MEDIA_TYPES:
            return _refuse(found, _("The agent takes csv, xlsx and xls files."))
        if status.st_size > MAX_SIZE:
            size = f"{status.st_size / 1024 / 1024:.0f}"
            return _refuse(found, _("It has {size} MB; the limit is 200 MB.").format(size=size))
        if not status.st_size:
            return _refuse(found, _("It is empty."))
        with path.open("rb") as file:
            head = file.read(_HEAD)
        found = replace(found, media_type=MEDIA_TYPES[suffix])
        return _check_csv(found, head) if suffix == ".csv" else _check_workbook(found, head, suffix)
    except OSError as error:
        return _refuse(found, clean_line(error.strerror or str(error)))


def _refuse(found: FileCheck, sentence: str) -> FileCheck:
    return replace(found, problem=Problem(found.name, sentence, delivered="no"))


# --- CSV -----------------------------------------------------------------------------------------------------------


def _check_csv(found: FileCheck, head: bytes) -> FileCheck:
    if head.startswith((_ZIP, _OLE)):
        return _refuse(
            found, _("It is a workbook or an archive, not a CSV file; its name should end in .xlsx or .xls.")
        )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = next((name for name in _ENCODINGS if _decodes(head, name, whole=found.size <= len(head))), "")
    if not encoding or (encoding != "utf-16" and b"\0" in head):
        return _refuse(found, _("It is no text, so no CSV file."))
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    preview = _rows_of_csv(text, whole=found.size <= len(head), name=found.name)
    return replace(found, encoding=encoding.removesuffix("-sig"), preview=preview)


def _decodes(head: bytes, encoding: str, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _rows_of_csv(text: str, *, whole: bool, name: str) -> TableBlock | None:
    if not whole:  # the last line may be cut in half
        text = text.rpartition("\n")[0] or text
    sample = text[:8192]
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        dialect = "excel"
    try:
        rows = list(itertools.islice(csv.reader(io.StringIO(text), dialect), PREVIEW_ROWS + 1))
    except csv.Error:
        return None
    return _table(rows, name)


def _table(rows: list[list[str]], name: str) -> TableBlock | None:
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return None
    width = min(max(len(row) for row in rows), PREVIEW_COLUMNS)
    clean = [tuple(clean_line(cell, 60) for cell in [*row, *[""] * width][:width]) for row in rows]
    return TableBlock(clean[0], tuple(clean[1:]), name)


# --- workbooks -----------------------------------------------------------------------------------------------------


def _check_workbook(found: FileCheck, head: bytes, suffix: str) -> FileCheck:
    if suffix == ".xlsx":
        if head.startswith(_OLE):
            return _refuse(found, _("It is an old or a protected workbook; old ones are called .xls."))
        if not head.startswith(_ZIP) or not _is_xlsx(found.path):
            return _refuse(found, _("It is no Excel workbook, whatever its name says."))
    elif not head.startswith(_OLE):
        new = head.startswith(_ZIP) and _is_xlsx(found.path)
        return _refuse(
            found,
            _("It is a workbook of the newer kind; call it .xlsx.")
            if new
            else _("It is no Excel workbook, whatever its name says."),
        )
    if found.size > _LARGEST_SHEET:
        return found
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(found.path)) as book:
            sheets = tuple(clean_line(name, 100) for name in book.sheet_names)
            if not sheets:
                return _refuse(found, _("The workbook has no sheets."))
            sheet = book.get_sheet_by_index(0)
            rows = [[_shown(cell) for cell in row] for row in itertools.islice(sheet.iter_rows(), PREVIEW_ROWS + 1)]
    except (CalamineError, ValueError, OSError, zipfile.BadZipFile) as error:
        return _refuse(found, _("The workbook cannot be read: {reason}.").format(reason=clean_line(str(error), 100)))
    return replace(found, sheets=sheets, preview=_table(rows, sheets[0]))


def _is_xlsx(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/workbook") for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
