"""The lines of the file panel: transfers, the service's files, the first rows of a table. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.models import TableBlock
from tui.terminal.clipboard import readable_size
from tui.transfer import Transfer, describe_step
from tui.widgets.conversation_line import fit
from tui.words import _

if TYPE_CHECKING:
    from tui.services.dms_files import RemoteFile

BAR_CELLS = 10
_NAME_CELLS = 28
_WIDEST_COLUMN = 20


def duration_text(seconds: float) -> str:
    """`8 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = round(seconds)
    if whole < 60:
        return _("{n} s").format(n=whole)
    if whole < 3600:
        return _("{m} min {s} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m} min").format(h=whole // 3600, m=whole % 3600 // 60)


def bar(part: float, *, ascii_only: bool = False) -> str:
    """A bar of `BAR_CELLS` cells, for 0 to 1."""
    filled = round(max(0.0, min(1.0, part)) * BAR_CELLS)
    full, empty = ("#", "-") if ascii_only else ("█", "░")
    return full * filled + empty * (BAR_CELLS - filled)


def transfer_line(transfer: Transfer, width: int, *, ascii_only: bool = False) -> str:
    """Name, bar, rate, time left and step in `width` cells; the step is what is cut."""
    name = fit(transfer.name, min(_NAME_CELLS, max(10, width // 4)))
    part = transfer.done / transfer.size if transfer.size else 0.0
    arrow = {"upload": "^", "download": "v"}.get(transfer.kind, "=")
    arrow = arrow if ascii_only else {"^": "↑", "v": "↓"}.get(arrow, "=")
    facts = [f"{arrow} {name}"]
    if transfer.step == "done":
        facts.append(readable_size(transfer.size))
    elif transfer.step != "failed":  # what went wrong needs the room
        facts.append(f"{bar(part, ascii_only=ascii_only)} {part * 100:3.0f} %")
    if transfer.rate:
        facts.append(f"{readable_size(round(transfer.rate))}/s")
    if (left := transfer.seconds_left) is not None:
        facts.append(_("{time} left").format(time=duration_text(left)))
    facts.append(describe_step(transfer))
    return fit("  ".join(facts), width).rstrip()


def link_text(file: RemoteFile, now: datetime) -> str:
    """How long its download link holds; a new one is asked for anyway."""
    if file.link_until is None:
        return ""
    left = (file.link_until - now).total_seconds()
    return _("link {time}").format(time=duration_text(left)) if left > 0 else _("link expired")


def remote_line(file: RemoteFile, width: int, now: datetime, *, chosen: bool, ascii_only: bool = False) -> str:
    """Mark, name, size, kind, date and how long the link holds, in `width` cells."""
    mark = ("x" if ascii_only else "✓") if chosen else " "
    facts = [
        f"{readable_size(file.size) if file.size else '':>9}",
        f"{file.category or file.kind:<4}",
        f"{file.created_at.astimezone():%m-%d %H:%M}" if file.created_at else "",
        link_text(file, now) if width >= 60 else "",
    ]
    tail = "  ".join(fact for fact in facts if fact)
    return f"{mark} {fit(file.name, max(8, width - cell_len(tail) - 5))}  {tail}"


def preview_lines(table: TableBlock, width: int) -> list[str]:
    """The first rows of a table, aligned by cells, as many columns as fit."""
    rows = [table.columns, *table.rows]
    lines = [""] * len(rows)
    used = 0
    for column in range(len(table.columns)):
        cells = [row[column] if column < len(row) else "" for row in rows]
        size = min(_WIDEST_COLUMN, max(cell_len(cell) for cell in cells))
        if used + size + 2 > width:
            more = len(table.columns) - column
            lines[0] += _("+{count} columns").format(count=more)
            break
        lines = [line + fit(cell, size) + "  " for line, cell in zip(lines, cells, strict=True)]
        used += size + 2
    return [line.rstrip() for line in lines]


def names_line(names: Sequence[str]) -> str:
    return _(", ").join(names) if names else _("none")
