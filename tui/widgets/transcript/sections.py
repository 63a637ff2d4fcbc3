"""The parts of a turn: blocks that are drawn as a whole, and rows that are made elsewhere."""

from __future__ import annotations

from typing import Protocol

from tui.models import (
    AskBlock,
    Block,
    DocumentBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    SuggestionsBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
)
from tui.widgets.transcript.blocks import Drawn, draw
from tui.widgets.transcript.lines import Line, Look, Unit, splice


class Section(Protocol):
    """A part of a turn that is laid out by itself."""

    lines: list[Line]
    complete: bool

    def step(self) -> int | None: ...
    def units(self) -> list[Unit]: ...
    def recolour(self, number: int = 0) -> None: ...
    @property
    def numbers(self) -> int: ...
    @property
    def waiting(self) -> bool: ...


class BlockSection:
    """A block that is drawn as a whole whenever something of it changes."""

    def __init__(self, look: Look, turn: str, index: int, number: int) -> None:
        self.look = look
        self.turn = turn
        self.index = index
        self.number = number
        self.lines: list[Line] = []
        self.complete = False
        self.drawn = Drawn()
        self._block: Block | None = None
        self._live = False

    def feed(self, block: Block, live: bool) -> None:
        if block is not self._block or live != self._live:
            self._block, self._live, self.complete = block, live, False

    def step(self) -> int | None:
        if self._block is None:
            return None
        look = self.look
        self.drawn = draw(
            self._block,
            look,
            opened=look.fold.is_open(self.turn, self.index),
            turn=self.turn,
            number=self.number,
            live=self._live,
        )
        self.complete = True
        return splice(self.lines, 0, [Line(row) for row in self.drawn.rows])

    @property
    def numbers(self) -> int:
        return len(self.drawn.parts)

    @property
    def waiting(self) -> bool:
        return self.drawn.waiting

    def recolour(self, number: int = 0) -> None:
        if self.waiting or number == 0 or self.number <= number < self.number + self.numbers:
            self.complete = False

    def units(self) -> list[Unit]:
        drawn = self.drawn
        kind = type(self._block).__name__.removesuffix("Block").lower()
        whole = Unit(kind, 0, len(self.lines), self.index, foldable=drawn.foldable, source=source_of(self._block))
        if drawn.parts:
            part = drawn.parts[0]
            whole.number, whole.language, whole.source = part.number, part.language, part.text
            whole.kind, whole.scroll = part.kind, part.scroll
        units = [whole]
        for part in drawn.parts[1:]:
            units[-1].end = part.start
            unit = Unit(part.kind, part.start, len(self.lines), self.index, part.number, part.language, part.text)
            unit.scroll = part.scroll
            units.append(unit)
        return units


class RowsSection:
    """Lines that are made elsewhere: the question, the end."""

    def __init__(self, index: int, kind: str) -> None:
        self.index = index
        self.kind = kind
        self.lines: list[Line] = []
        self.complete = True
        self.numbers = 0
        self.waiting = False
        self.foldable = False
        self.source = ""
        self._new: list[Line] | None = None

    def put(self, lines: list[Line], source: str, foldable: bool = False) -> None:
        self._new, self.source, self.foldable, self.complete = lines, source, foldable, False

    def step(self) -> int | None:
        new, self._new, self.complete = self._new, None, True
        return None if new is None else splice(self.lines, 0, new)

    def recolour(self, number: int = 0) -> None:
        """Nothing in it has colours that come later."""

    def units(self) -> list[Unit]:
        end = len(self.lines)
        return [Unit(self.kind, 0, end, self.index, source=self.source, foldable=self.foldable)] if end else []


def source_of(block: Block | None) -> str:
    """The text of a block that is not a table, a chart or code."""
    match block:
        case TextBlock() | ThinkingBlock() | NoticeBlock():
            return block.text
        case ToolBlock():
            parts = [block.name, block.arguments, block.result]
        case DocumentBlock():
            parts = [block.title, block.text, *(part for link in block.links for part in (link.title, link.url))]
        case PlanBlock():
            parts = [step.title for step in block.steps]
        case FileBlock():
            parts = [block.name, block.file_id]
        case SuggestionsBlock():
            parts = list(block.items)
        case AskBlock():
            calls = (part for call in block.calls for part in (call.name, call.description, call.arguments))
            parts = [block.prompt, block.text, *calls, *block.options, block.details, block.answered]
        case _:
            parts = []
    return "\n".join(part for part in parts if part)
