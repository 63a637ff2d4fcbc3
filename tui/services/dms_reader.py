"""The stream of a session, taken in so that no frame counts twice; no I/O.

The service replays from a checkpoint on, inclusive, and several frames share one checkpoint. So the reader keeps a
cursor that stands still while a block is open, and the identities of what it took in from there on; both are told
in `PositionMoved` after the events that they cover, and are all that another reader needs to go on.
Source: protocol notes (DMS) 8.3, 8.4, 8.7 and 8.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tui.models import AskBlock, Block, Phase, PlanBlock, PlanStep, Position, TextBlock, TurnIds
from tui.services.dms_asks import KINDS, read_ask
from tui.services.dms_blocks import OpenBlock, block_kind, stream_problem
from tui.services.dms_content import (
    ANSWER,
    CONCLUSION,
    TALK,
    THINKING,
    images_to_cells,
    read_status,
    read_steps,
    read_whole,
)
from tui.services.dms_frames import TECHNICAL, DmsFrame, key_checkpoint, make_key, parse_frame, read_content
from tui.services.dms_text import Markdown
from tui.services.events import (
    Asked,
    Event,
    Failed,
    Finished,
    FrameSkipped,
    Heartbeat,
    PlanChanged,
    PositionMoved,
    Rewound,
    TextDelta,
    TextDemoted,
    TextPart,
    ThinkingDelta,
    TurnStarted,
    Unknown,
)
from tui.services.sse import Frame, Oversized
from tui.text import clean_line
from tui.words import _

_CANCELED = frozenset({"chat_canceled", "chat_cancelled"})


class DmsReader:
    """One turn's reader: tell it of each new connection (`connect`), `feed` its frames until `end` is set."""

    def __init__(self, position: Position | None = None, *, blocks: Sequence[Block] = (), session: str = "") -> None:
        """`blocks`: what the turn holds up to `position`."""
        position = position or Position()
        self.end: Finished | Failed | None = None
        """How the turn ended, or what it waits for."""
        self.finished = False
        """The service has closed this connection in form (SSE_FINISH); it says nothing about the turn."""
        self.moved = False
        """Something new was taken in since `connect`."""
        self._position = replace(position, open=False)
        self._cursor = int(position.checkpoint) if position.checkpoint.isdecimal() else -1
        self._newest = self._cursor
        """The highest checkpoint taken in; the cursor goes there when no block is open."""
        self._latest = self._cursor
        """The checkpoint that frames without one belong to."""
        self._keys = dict.fromkeys(position.keys)
        self._steps: tuple[PlanStep, ...] = ()
        for block in blocks:
            if isinstance(block, PlanBlock):
                self._steps = block.steps
        self._concluded = {block.text.strip() for block in blocks if isinstance(block, TextBlock) and block.key}
        """Conclusions: tasks tell them again."""
        self._session = session
        self._open: list[OpenBlock] = []
        self._live: OpenBlock | None = None
        """The block whose text is shown while it grows; all else waits until it is whole."""
        self._waiting: list[Callable[[], list[Event]]] = []
        self._told = self._position

    def is_over(self) -> bool:
        """True when `end` says how the turn ended."""
        return self.end is not None

    @property
    def position(self) -> Position:
        return self._position

    @property
    def checkpoint(self) -> str:
        """What to ask the service for; "0" is from the beginning."""
        return str(self._cursor) if self._cursor >= 0 else "0"

    @property
    def pending(self) -> int:
        """Characters of the blocks that are open."""
        return sum(block.size for block in self._open)

    def connect(self) -> list[Event]:
        """A connection begins at `checkpoint`: what was open comes again from its beginning."""
        self._open.clear()
        self._waiting.clear()
        self._live = None
        self._latest = self._newest = self._cursor
        self.finished = self.moved = False
        return [Rewound()]

    def feed(self, part: Frame | Oversized) -> list[Event]:
        """The events of one frame; at least one, so that every frame is a sign of life."""
        if isinstance(part, Oversized):
            events = self._unless_growing(partial(self._skipped, part.size, "too long", str(part.size)))
        elif (frame := parse_frame(part.data, part.event)) is None:
            size = len(part.data.encode("utf-8", "replace"))
            events = self._unless_growing(partial(self._skipped, size, "no event", part.data))
        else:
            events = self._frame(frame)
        events += self._tell(moving=not self._open)
        return events or [Heartbeat()]

    def _unless_growing(self, action: Callable[[], list[Event]]) -> list[Event]:
        """Do it now, or once the text is whole that is shown while it grows: nothing may come in between."""
        if self._live is None:
            return action()
        self._waiting.append(action)
        return []

    # --- one frame ---------------------------------------------------------------------------------------------

    def _frame(self, frame: DmsFrame) -> list[Event]:
        if frame.name in TECHNICAL:
            return []
        if frame.name == "sse_finish":
            self.finished = True
            return []
        if frame.checkpoint is not None:
            self._latest = frame.checkpoint
        if self._latest < self._cursor and frame.checkpoint is not None:
            return []  # older than what was asked for
        if frame.name == "sse_failure":
            return self._failure(frame)
        if frame.name == "chat_start":
            return self._start(frame)
        if frame.name in _CANCELED and self._position.phase in ("running", "waiting"):
            return self._canceled(frame)
        if self._position.phase != "running":
            return []  # of an earlier turn: until our own begins, nothing counts
        match frame.name:
            case "content_start":
                return self._open_block(frame)
            case "delta":
                return self._delta(frame)
            case "content_finish":
                return [event for block in self._blocks_of(frame) for event in self._close(block)]
            case "data" if (blocks := self._blocks_of(frame)) and frame.content:
                return self._snapshot(blocks[0], frame.content)
            case "chat_finish":
                return [*self._close_all(), *self._whole(frame, self._latest)]
        checkpoint = self._latest if frame.checkpoint is None else frame.checkpoint
        return self._unless_growing(partial(self._whole, frame, checkpoint))

    def _start(self, frame: DmsFrame) -> list[Event]:
        """A turn of the service begins; of ours only the first, the next ones go on after an answer."""
        if not self._take(frame.key(self._latest)):
            return []
        events: list[Event] = self._close_all()
        ask = self._position.ask
        if ask is not None and self._position.phase == "waiting":
            events.append(Asked(replace(ask, answered=_("answered elsewhere"))))
        first = ask is None and self._position.phase == "awaiting" and self._latest >= 0
        begun = str(self._latest) if first else ""
        events.append(TurnStarted(TurnIds(conversation=self._session, checkpoint=begun)))
        self._position = replace(self._position, phase="running", ask=None, offer=None)
        self.end = None
        return events

    def _failure(self, frame: DmsFrame) -> list[Event]:
        if self._position.phase != "running" and (frame.checkpoint is None or self._latest <= self._cursor):
            self.finished = True  # of an earlier turn, or of the connection alone
            return []
        events = self._close_all()
        if self._take(frame.key(self._latest)):
            self._over("failed", Failed(stream_problem(frame.content)))
        return events

    def _canceled(self, frame: DmsFrame) -> list[Event]:
        """The run is over, wherever that was asked for; what it waited for is no more."""
        events = self._close_all()
        if self._take(frame.key(self._latest)):
            ask = self._position.ask
            if ask is not None and self._position.phase == "waiting":
                events.append(Asked(replace(ask, answered=_("cancelled elsewhere"))))
            self._over("stopped", Finished("stopped"))
        return events

    def _whole(self, frame: DmsFrame, checkpoint: int) -> list[Event]:
        """A frame that is complete in itself."""
        key = frame.key(checkpoint)
        if not self._take(key):
            return []
        match frame.name:
            case "chat_finish":
                return self._chat_finish(frame)
            case "status_change":
                return read_status(frame.content)
            case "data" if frame.category == "request_datasource":
                return self._ask(frame)
            case "data":
                return self._apply(frame.category, frame.content, key)
        return [Unknown(frame.name, clean_line(frame.content))]

    def _chat_finish(self, frame: DmsFrame) -> list[Event]:
        if frame.category in ("chat", ""):
            offer = self._position.offer
            self._over("done", Finished("done"))
            self._position = replace(self._position, offer=None)
            return [*self._complete_plan(), *([Asked(offer)] if offer else [])]
        if frame.category == "ask_report_render":
            # The tail of the analysis still follows; answered before that, it would be lost.
            self._position = replace(self._position, offer=read_ask(frame.category, frame.content, self._ask_id(frame)))
            return []
        if frame.category.startswith("ask_"):
            return self._ask(frame)
        return [Unknown(f"chat_finish/{frame.category}", clean_line(frame.content))]

    def _ask(self, frame: DmsFrame) -> list[Event]:
        ask = read_ask(frame.category, frame.content, self._ask_id(frame))
        events: list[Event] = []
        if KINDS.get(frame.category) == "plan" and (steps := read_steps(read_content(frame.content), self._steps)):
            self._steps = steps
            events.append(PlanChanged(steps))
        self._over("waiting", Finished("waiting"), ask)
        return [*events, Asked(ask)]

    def _complete_plan(self) -> list[Event]:
        """Plans tell which step runs, not that the last one ended; the end of the turn does."""
        if not any(step.state == "running" for step in self._steps):
            return []
        self._steps = tuple(replace(s, state="done") if s.state == "running" else s for s in self._steps)
        return [PlanChanged(self._steps)]

    def _ask_id(self, frame: DmsFrame) -> str:
        """The checkpoint, which an answer must name; a hash where there is none."""
        return str(frame.checkpoint) if frame.checkpoint is not None else frame.key(self._latest)

    def _over(self, phase: Phase, end: Finished | Failed, ask: AskBlock | None = None) -> None:
        self.end = end
        self._position = replace(self._position, phase=phase, ask=ask)

    def _skipped(self, size: int, reason: str, data: str) -> list[Event]:
        """A frame that cannot be read counts once, however often it is replayed."""
        if self._position.phase != "running" or not self._take(make_key(self._latest, "broken", data)):
            return []
        return [FrameSkipped(size, reason)]

    # --- blocks ------------------------------------------------------------------------------------------------

    def _blocks_of(self, frame: DmsFrame) -> list[OpenBlock]:
        return [b for b in self._open if (b.category, b.channel) == (frame.category, frame.channel)]

    def _open_block(self, frame: DmsFrame) -> list[Event]:
        # Within a channel they come one after the other: the one before was not closed in form.
        events = [event for block in [*self._open] if block.channel == frame.channel for event in self._close(block)]
        self._open.append(self._new_block(frame))
        return events

    def _new_block(self, frame: DmsFrame) -> OpenBlock:
        kind = block_kind(frame.category, frame.channel)
        known = any(key.endswith(kind) and key_checkpoint(key) >= self._latest for key in self._keys)
        return OpenBlock(frame.category, frame.channel, replayed=known)

    def _delta(self, frame: DmsFrame) -> list[Event]:
        blocks = self._blocks_of(frame)
        if not blocks:
            if self._latest <= self._cursor:  # the end of a block that is known
                return []
            blocks = [self._new_block(frame)]
            self._open.extend(blocks)
        blocks[0].add(frame.content)
        return self._grow(blocks[0])

    def _snapshot(self, block: OpenBlock, content: str) -> list[Event]:
        """A whole content inside its open block stands in the place of the pieces so far."""
        shown, block.shown, block.markdown = block.shown, "", Markdown()
        block.pieces, block.unshown, block.size, block.secret = [], [], 0, None
        block.add(content)
        if not shown:
            return self._grow(block)
        text = block.advance()
        if text.startswith(shown):
            block.shown = shown
            return self._show(block, text[len(shown) :])
        return [Rewound(), *self._show(block, text)]

    def _grow(self, block: OpenBlock) -> list[Event]:
        """Show what can be shown of a block; only of one at a time, so that it can be dropped and read again."""
        if not block.can_grow() or (self._live is not None and self._live is not block):
            return []
        return self._show(block, block.advance())

    def _show(self, block: OpenBlock, text: str) -> list[Event]:
        if not text:
            return []
        events: list[Event] = []
        if self._live is None:
            self._live = block
            if block.category == CONCLUSION:
                events = [*self._demote(), *self._tell(moving=False)]
        block.shown += text
        return [*events, ThinkingDelta(text) if self._is_thinking(block.category) else TextDelta(text)]

    def _is_thinking(self, category: str) -> bool:
        return category in THINKING or (category == TALK and self._position.better)

    def _close(self, block: OpenBlock) -> list[Event]:
        """The block is whole: show the rest of it, and then what had to wait."""
        self._open.remove(block)
        if self._live is not block:
            return self._unless_growing(partial(self._finish, block, self._latest))
        events = self._finish(block, self._latest)
        self._live = None
        while self._waiting and self._live is None:
            events += self._waiting.pop(0)()
        events += self._tell(moving=not self._open)
        for other in self._open:
            events += self._grow(other)
        return events

    def _finish(self, block: OpenBlock, checkpoint: int) -> list[Event]:
        content = "".join(block.pieces)
        kind = block_kind(block.category, block.channel)
        key = make_key(checkpoint, block.category, block.channel, content) + kind
        if not self._take(key):
            return [Rewound()] if block.shown else []
        if not block.shown:
            return self._apply(block.category, content, key)
        rest = block.advance() + block.markdown.finish()
        return [*self._show(block, rest), *images_to_cells(block.markdown.images, key)]

    def _close_all(self) -> list[Event]:
        return [event for block in [*self._open] for event in self._close(block)]

    # --- what is taken in --------------------------------------------------------------------------------------

    def _apply(self, category: str, content: str, key: str) -> list[Event]:
        events = read_whole(category, content, key, self._steps) if content.strip() else []
        events = [e for e in events if not (isinstance(e, TextPart) and not e.key and self._is_concluded(e.text))]
        for event in events:
            if isinstance(event, PlanChanged):
                self._steps = event.steps
            elif isinstance(event, TextPart) and event.key:
                self._concluded.add(event.text.strip())
        if events and category in ANSWER:
            return [*self._demote(), *events]
        if self._is_thinking(category):
            return [ThinkingDelta(event.text) if isinstance(event, TextPart) else event for event in events]
        return events

    def _is_concluded(self, text: str) -> bool:
        text = text.strip()
        return text in self._concluded or text.partition("\n\n")[2].strip() in self._concluded

    def _demote(self) -> list[Event]:
        """The answer proper begins: the talk before it was thinking."""
        if self._position.better:
            return []
        self._position = replace(self._position, better=True)
        return [TextDemoted()]

    def _take(self, key: str) -> bool:
        """Note that what has this identity is taken in; False where it was already."""
        if key in self._keys:
            return False
        self._keys[key] = None
        self._newest = max(self._newest, self._latest)
        self.moved = True
        return True

    def _tell(self, *, moving: bool) -> list[Event]:
        """The position that covers all that was taken in, if it is another one than was told last.

        Its cursor stands still while a block is open (`moving` is False): a replay then brings that block whole.
        """
        moves = moving and self._newest > self._cursor
        if not moves and self._position is self._told and len(self._keys) == len(self._told.keys):
            return []
        if moves:
            self._cursor = self._newest
            self._keys = {key: None for key in self._keys if key_checkpoint(key) >= self._cursor}
        checkpoint = str(self._cursor) if self._cursor >= 0 else ""
        self._position = replace(self._position, checkpoint=checkpoint, keys=tuple(self._keys))
        if self._position == self._told:
            return []
        self._told = self._position
        return [PositionMoved(self._position)]
