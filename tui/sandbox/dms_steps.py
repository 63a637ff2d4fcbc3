"""What the Data Agent does in a turn, step by step, and the pieces of the stream that this makes
(protocol notes, sections 8.2 to 8.6)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tui.sandbox.faults import Faults
from tui.sandbox.wire import compact

JSON_DELTA, TEXT_DELTA = 400, 24
"""Characters of a delta."""


@dataclass(frozen=True, slots=True)
class Block:
    """A content in pieces. `size`: characters a delta; 0 for what is usual."""

    category: str
    content: object
    """A text, or what becomes JSON."""
    size: int = 0
    pause: float = 0.0
    """Seconds of the script before it."""


@dataclass(frozen=True, slots=True)
class Together:
    """Blocks of parallel lines of work: their frames alternate, each line is a channel of its own."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """A content in one frame."""

    category: str
    content: object
    event: str = "data"
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that suspends the turn; its answer is what the step gives back."""

    category: str
    content: object
    event: str = "chat_finish"


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer of a web report: no suspension, the tail of the turn follows."""

    content: object


@dataclass(frozen=True, slots=True)
class Cell:
    """A notebook cell with its outputs; the same id again replaces it."""

    id: str
    title: str
    kind: str
    """sql, code or markdown."""
    source: str
    outputs: Sequence[Mapping[str, object]] = field(default_factory=tuple)
    seconds: float = 0.0
    """How long it takes."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing happens: `seconds` (real ones), or until somebody releases the turn."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of the turn by an error."""

    message: str
    code: str = "InternalError"
    as_text: bool = False


Step: TypeAlias = Block | Together | Data | Ask | Offer | Cell | Rest | Failure


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame without its numbers, and what comes before it. Without an event it is only a wait."""

    event: str = ""
    category: str = ""
    content: str = ""
    content_type: str = "str"
    inside: bool = False
    """In a block that has begun: it may share the checkpoint of the frame before."""
    pause: float = 0.0
    rest: float | None = 0.0
    """Real seconds; None: until released."""
    channel: str = ""
    """mission_id of the frame; empty for that of the turn."""


def executing() -> dict[str, object]:
    """The output of a cell that is at work."""
    return {"output_type": "display_data", "metadata": {"content_type": "dms/executing"}, "data": {"text/plain": "..."}}


def table_output(columns: Sequence[str], records: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A table as a notebook output."""
    fields = [{"field": name, "title": name} for name in columns]
    data = {"columns": fields, "result": list(records)}
    return {"output_type": "display_data", "metadata": {}, "data": {"application/json": {"data": data}}}


def pieces(step: Step, faults: Faults) -> Iterator[Piece]:
    """The pieces of one step."""
    match step:
        case Block(category, content, size, pause):
            yield from _block(category, content, size, pause, faults)
        case Together(blocks):
            lines = [list(pieces(block, faults)) for block in blocks]
            for level in itertools.zip_longest(*lines):
                for number, piece in enumerate(level, 1):
                    if piece is not None:
                        yield replace(piece, inside=False, channel=f"line-{number}")
        case Data(category, content, event, pause):
            text, kind = _written(content)
            yield Piece(event, category, text, kind, pause=pause)
        case Ask(category, content, event):
            text, kind = _written(content)
            yield Piece(event, category, text, kind, pause=0.1)
        case Offer(content):
            text, kind = _written(content)
            yield Piece("chat_finish", "ask_report_render", text, kind, pause=0.1)
        case Cell():
            yield from _block("tool_call_response", _cell(step, faults), 0, step.seconds, faults)
        case Rest(seconds):
            yield Piece(rest=seconds)
        case Failure(message, code, as_text):
            text = message if as_text else compact({"message": message, "code": code})
            yield Piece("SSE_FAILURE", "", text, "str" if as_text else "json")


def _written(content: object) -> tuple[str, str]:
    return (content, "str") if isinstance(content, str) else (compact(content), "json")


def _block(category: str, content: object, size: int, pause: float, faults: Faults) -> Iterator[Piece]:
    text, kind = _written(content)
    size = size or (TEXT_DELTA if kind == "str" else JSON_DELTA)
    yield Piece("content_start", category, "", kind, pause=pause)
    for start in range(0, len(text), size):
        yield Piece("delta", category, text[start : start + size], kind, inside=True)
    if "snapshots" in faults:
        yield Piece("data", category, text, kind, inside=True)
    yield Piece("content_finish", category, "", kind, inside=True)


def _cell(cell: Cell, faults: Faults) -> dict[str, object]:
    plain = "old-outputs" in faults
    result: dict[str, object] = {
        "cell_id": cell.id,
        "title": cell.title,
        "content_type": cell.kind,
        "content": cell.source,
        "nb_file_outputs": [] if plain else list(cell.outputs),
        "outputs": list(cell.outputs) if plain else [],
    }
    return {"result_type": "jupyter_cell", "result": result if "object-results" in faults else compact(result)}
