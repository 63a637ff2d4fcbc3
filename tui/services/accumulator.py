"""Events in, a turn out: the only place that knows how an answer grows.

The same code runs on a live stream and on a journal that is read back, so that both give the same turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tui.models import (
    AskBlock,
    Block,
    DocumentBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    Problem,
    SuggestionsBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
    TurnIds,
    TurnState,
    Usage,
)
from tui.services.events import (
    Asked,
    ChartFound,
    CodeCell,
    DocumentFound,
    Event,
    Failed,
    FileReady,
    Finished,
    FrameSkipped,
    Heartbeat,
    Noted,
    PlanChanged,
    PositionMoved,
    Rewound,
    Status,
    Suggestions,
    TableFound,
    TextDelta,
    TextDemoted,
    TextPart,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
    Unknown,
    UsageReported,
)
from tui.words import _


def merge_ids(old: TurnIds, new: TurnIds) -> TurnIds:
    """`old` with the non-empty ids of `new`. The first task id stays: it is the one that stop needs."""
    return TurnIds(
        conversation=new.conversation or old.conversation,
        message=new.message or old.message,
        task=old.task or new.task,
        request=new.request or old.request,
        checkpoint=new.checkpoint or old.checkpoint,
    )


@dataclass(slots=True)
class _Growing:
    """The open text or thinking block: its pieces are joined only when somebody looks."""

    kind: type[TextBlock] | type[ThinkingBlock]
    pieces: list[str]
    began: float

    def close(self, now: float) -> TextBlock | ThinkingBlock:
        text = "".join(self.pieces)
        self.pieces = [text]
        return TextBlock(text) if self.kind is TextBlock else ThinkingBlock(text, max(0.0, now - self.began))


class LiveTurn:
    """A turn while it grows. `apply` events, take a `snapshot` when it is to be shown or kept.

    Args:
        turn: the turn as it stands, fresh or read back.
        seconds: a monotonic clock for the durations of thinking and tools.
        now: the wall clock for `finished_at`.
    """

    def __init__(
        self,
        turn: Turn,
        seconds: Callable[[], float] = lambda: 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._turn = turn
        self._blocks: list[Block] = list(turn.blocks)
        self._growing: _Growing | None = None
        self._seconds = seconds
        self._now = now
        self._tool_began: dict[str, float] = {}
        self._snapshot: Turn | None = turn

    # --- reading -------------------------------------------------------------------------------------------

    @property
    def ids(self) -> TurnIds:
        return self._turn.ids

    @property
    def state(self) -> TurnState:
        return self._turn.state

    @property
    def is_over(self) -> bool:
        return self._turn.finished_at is not None

    def snapshot(self) -> Turn:
        """The turn as it stands; the same object until something changes."""
        if self._snapshot is None:
            blocks = (*self._blocks, self._growing.close(self._seconds())) if self._growing else tuple(self._blocks)
            self._snapshot = replace(self._turn, blocks=blocks)
        return self._snapshot

    # --- changing ------------------------------------------------------------------------------------------

    def set_state(self, state: TurnState) -> None:
        """A change that no event tells of: sending, stopping, interrupted."""
        self._set(state=state)

    def set_recovered(self) -> None:
        """Say that part of the answer came from the service's history."""
        self._set(recovered=True)

    def reopen(self) -> None:
        """Take up a turn that had ended (recovery, resume after an ask)."""
        self._set(state="running", finished_at=None, problem=None)

    def apply(self, event: Event) -> None:
        """Take one event in. Never raises: an event that does not fit is kept as a notice."""
        if isinstance(event, (Status, Heartbeat)):
            return
        self._snapshot = None
        match event:
            case TextDelta(text):
                self._grow(TextBlock, text)
            case ThinkingDelta(text):
                self._grow(ThinkingBlock, text)
            case TurnStarted(ids):
                self._set(ids=merge_ids(self._turn.ids, ids))
                self._go_on()
            case TextReplaced(text):
                self._replace_text(text)
            case TextPart(text, key):
                self._put(TextBlock(text, key), lambda block: isinstance(block, TextBlock) and block.key == key != "")
            case TextDemoted():
                self._close()
                self._blocks = [ThinkingBlock(b.text) if isinstance(b, TextBlock) else b for b in self._blocks]
            case PositionMoved(position):
                self._close()
                self._set(position=replace(position, open=False))
            case Rewound():
                self._rewind()
            case ToolProgress():
                self._tool(event)
            case PlanChanged(steps):
                self._put(PlanBlock(steps), lambda block: isinstance(block, PlanBlock))
            case CodeCell(cell):
                self._put(cell, lambda block: isinstance(block, type(cell)) and block.cell_id == cell.cell_id)
            case TableFound(table):
                self._add(table)
            case ChartFound(chart):
                self._add(chart)
            case DocumentFound(title, links, text):
                document = DocumentBlock(title, links, text)  # again when a frame comes twice, and in a recovery
                self._put(document, lambda block: block == document)
            case FileReady(file):
                self._file(file)
            case Suggestions(items):
                self._put(SuggestionsBlock(items), lambda block: isinstance(block, SuggestionsBlock))
            case Asked(ask):
                self._put(ask, lambda block: isinstance(block, AskBlock) and block.ask_id == ask.ask_id)
                if not ask.answered and self.state != "stopping":
                    self._set(state="waiting")
            case Unknown(name, text):
                self._set(unknown_events=self._turn.unknown_events + 1)
                if text:
                    # Before a text that is still growing, not in the middle of its Markdown.
                    self._blocks.append(NoticeBlock(f"{name}: {text}", "unknown"))
            case Noted(text):
                self._add(NoticeBlock(text))
            case FrameSkipped():
                self._set(frames_skipped=self._turn.frames_skipped + 1)
            case UsageReported(input_tokens, output_tokens):
                self._set(usage=Usage(input_tokens, output_tokens))
            case Finished(reason):
                stopped = self.state == "stopping" and reason != "waiting"
                self._end("stopped" if stopped else reason)
            case Failed(problem):
                self._end("failed", problem)

    def _set(self, **changes: object) -> None:
        self._turn = replace(self._turn, **changes)  # type: ignore[arg-type]  # names are those of Turn
        self._snapshot = None

    def _go_on(self) -> None:
        if self.state in ("queued", "sending", "waiting"):
            self._set(state="running")

    def _end(self, state: TurnState, problem: Problem | None = None) -> None:
        self._close()
        if state != "waiting":
            self._blocks = [
                replace(block, status="failed" if state == "failed" else "done")
                if isinstance(block, ToolBlock) and block.status == "running"
                else block
                for block in self._blocks
            ]
        self._set(state=state, problem=problem, finished_at=None if state == "waiting" else self._now())

    def _close(self) -> None:
        if self._growing:
            self._blocks.append(self._growing.close(self._seconds()))
            self._growing = None

    def _grow(self, kind: type[TextBlock] | type[ThinkingBlock], text: str) -> None:
        if not text:
            return
        self._go_on()
        if self._growing is None or self._growing.kind is not kind:
            self._close()
            last = self._blocks[-1] if self._blocks else None
            began = self._seconds()
            pieces: list[str] = []
            whole = isinstance(last, TextBlock) and last.key != ""
            if (position := self._turn.position) is not None and not position.open:
                whole = True
                self._set(position=replace(position, open=True))
            if isinstance(last, kind) and not whole:  # read back from a journal, or taken up again
                self._blocks.pop()
                pieces.append(last.text)
                began -= last.seconds if isinstance(last, ThinkingBlock) else 0.0
            self._growing = _Growing(kind, pieces, began)
        self._growing.pieces.append(text)

    def _add(self, block: Block) -> None:
        self._go_on()
        self._close()
        self._blocks.append(block)

    def _put(self, block: Block, same: Callable[[Block], bool]) -> None:
        """Replace the newest block that is the `same`, or add."""
        self._go_on()
        for index in range(len(self._blocks) - 1, -1, -1):
            if same(self._blocks[index]):
                self._blocks[index] = block
                return
        self._add(block)

    def _file(self, file: FileBlock) -> None:
        """A file may be told of twice, once by its name alone: that is one block with what is known of it."""
        for index, block in enumerate(self._blocks):
            if not isinstance(block, FileBlock) or block.name != file.name:
                continue
            if block.file_id == file.file_id or not (block.file_id and file.file_id):
                self._blocks[index] = replace(
                    file,
                    file_id=file.file_id or block.file_id,
                    url=file.url or block.url,
                    size=file.size or block.size,
                    kind=file.kind or block.kind,
                )
                return
        self._add(file)

    def _rewind(self) -> None:
        position = self._turn.position
        if position is None or not position.open:
            return
        self._close()
        if self._blocks and isinstance(self._blocks[-1], (TextBlock, ThinkingBlock)):
            self._blocks.pop()
        self._set(position=replace(position, open=False))

    def _tool(self, event: ToolProgress) -> None:
        key = event.call_id or event.name
        now = self._seconds()
        for index in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[index]
            if not isinstance(block, ToolBlock):
                continue
            same = block.call_id == event.call_id if event.call_id else block.name == event.name
            if same and (event.call_id or block.status in ("running", "waiting")):
                self._go_on()
                over = event.status in ("done", "failed") and block.status not in ("done", "failed")
                self._blocks[index] = replace(
                    block,
                    name=event.name or block.name,
                    status=event.status,
                    arguments=event.arguments or block.arguments,
                    result=event.result or block.result,
                    seconds=max(0.0, now - self._tool_began.get(key, now)) if over else block.seconds,
                )
                return
        self._tool_began[key] = now
        self._add(
            ToolBlock(event.call_id, event.name or _("unnamed tool"), event.status, event.arguments, event.result)
        )

    def _replace_text(self, text: str) -> None:
        """Put `text` in the place of all text; where it only continues what is held, the order of blocks stays."""
        self._close()
        held = "".join(block.text for block in self._blocks if isinstance(block, TextBlock))
        if text.startswith(held):
            self._grow(TextBlock, text[len(held) :])
            return
        self._blocks = [block for block in self._blocks if not isinstance(block, TextBlock)]
        self._grow(TextBlock, text)


def joined(events: Iterable[Event]) -> list[Event]:
    """`events` with neighbouring deltas as one; heartbeats are left out."""
    kept: list[Event] = []
    pieces: list[str] = []
    kind: type[TextDelta] | type[ThinkingDelta] | None = None

    def close() -> None:
        nonlocal kind
        if kind is not None:
            kept.append(kind("".join(pieces)))
            pieces.clear()
            kind = None

    for event in events:
        if isinstance(event, (TextDelta, ThinkingDelta)):
            if kind is not type(event):
                close()
                kind = type(event)
            pieces.append(event.text)
        elif not isinstance(event, Heartbeat):
            close()
            kept.append(event)
    close()
    return kept


def coalesce(events: Iterable[Event]) -> list[Event]:
    """`events` as few as possible with the same result: neighbouring deltas joined, what is not kept left out."""
    return joined(event for event in _without_old_positions(events) if not isinstance(event, Status))


def _without_old_positions(events: Iterable[Event]) -> list[Event]:
    """`events` without the positions that another one follows before any text grows: only the last one counts."""
    kept: list[Event] = []
    superseded = False
    for event in reversed([*events]):
        if isinstance(event, PositionMoved):
            if superseded:
                continue
            superseded = True
        elif isinstance(event, (TextDelta, ThinkingDelta, Rewound)):
            superseded = False
        kept.append(event)
    return kept[::-1]
