"""The signs that lines are drawn with, in Unicode and in plain ASCII."""

from __future__ import annotations

from typing import NamedTuple


class Marks(NamedTuple):
    """One cell each, except where said."""

    bar: str = "▌"
    quiet_bar: str = "▏"
    cursor: str = "▌"
    folded: str = "▸"
    unfolded: str = "▾"
    failed: str = "✗"
    done: str = "✓"
    running: str = "●"
    pending: str = "○"
    skipped: str = "–"
    rule: str = "─"
    quote: str = "│"
    box_top: str = "┌"
    box_side: str = "│"
    box_bottom: str = "└"
    bullets: tuple[str, ...] = ("•", "◦", "▪")
    continued: str = "·"
    left: str = "←"
    right: str = "→"
    down: str = "↓"
    ellipsis: str = "…"
    dot: str = "·"
    blocks: str = " ▏▎▍▌▋▊▉█"
    """Nine steps of a horizontal bar."""
    braille: bool = True


UNICODE = Marks()
ASCII = Marks(
    bar="|",
    quiet_bar=":",
    cursor=">",
    folded="+",
    unfolded="-",
    failed="x",
    done="v",
    running="*",
    pending="o",
    skipped="-",
    rule="-",
    quote="|",
    box_top="+",
    box_side="|",
    box_bottom="+",
    bullets=("*", "-", "+"),
    continued="\\",
    left="<-",
    right="->",
    down="v",
    ellipsis="...",
    dot="|",
    blocks=" #",
    braille=False,
)
