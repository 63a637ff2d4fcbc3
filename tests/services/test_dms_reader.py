"""The stream's reader: any cut, any restart, any journal gives the turn of the uncut run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.dms_frames import Row, analysis, block, cell, frame, plain_answer, row, split
from tui.cache.batch import Batch
from tui.models import (
    AskBlock,
    ChartBlock,
    CodeBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    Position,
    SuggestionsBlock,
    TextBlock,
    ThinkingBlock,
    Turn,
)
from tui.services.accumulator import LiveTurn, coalesce
from tui.services.dms_reader import DmsReader
from tui.services.events import Asked, Event, Failed, Finished, Heartbeat, PositionMoved, Rewound, Status
from tui.services.sse import Frame, Oversized
from tui.turns import open_ask

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fresh() -> LiveTurn:
    return LiveTurn(Turn("t", "?", NOW), now=lambda: NOW)


@dataclass
class Client:
    """One turn with its readers, over as many connections as the test wants."""

    live: LiveTurn = field(default_factory=fresh)
    log: list[Event] = field(default_factory=list)
    served: list[Row] = field(default_factory=list)
    fed: int = 0
    reader: DmsReader = field(default_factory=DmsReader)

    def apply(self, events: Sequence[Event]) -> None:
        for event in events:
            self.log.append(event)
            self.live.apply(event)

    def restart(self) -> None:
        """Another process: all that it has is the turn."""
        turn = self.live.snapshot()
        self.reader = DmsReader(turn.position, blocks=turn.blocks)

    def connection(self, ends: Callable[[int], bool] = lambda _n: False) -> None:
        """Replay from the cursor on, inclusive, until the turn ends or the line does (before frame number `n`)."""
        self.apply(self.reader.connect())
        start = int(self.reader.checkpoint)
        for made in self.served:
            if made.get("checkpoint", start) < start:
                continue
            number, self.fed = self.fed, self.fed + 1
            if ends(number):
                return
            self.apply(self.reader.feed(frame(made)))
            if self.reader.end is not None:
                self.apply([self.reader.end])
                return

    def answer(self) -> None:
        """Answer the open ask, as `run_turn` notes it down."""
        turn = self.live.snapshot()
        ask = open_ask(turn)
        assert ask is not None
        assert turn.position is not None
        self.apply([Asked(replace(ask, answered="yes"))])
        self.apply([PositionMoved(replace(turn.position, phase="awaiting", ask=ask))])
        self.restart()


def run(
    parts: Sequence[Sequence[Row]], ends: Callable[[int], bool] = lambda _n: False, *, restart: bool = False
) -> Client:
    """Play all parts of a turn, each after the ask of the one before was answered."""
    client = Client()
    for number, part in enumerate(parts):
        if number:
            client.answer()
        client.served += part
        for _attempt in range(1000):
            client.connection(ends)
            if client.reader.end is not None:
                break
            if restart:
                client.restart()
        assert client.reader.end is not None
    return client


def before(cut: int) -> Callable[[int], bool]:
    return lambda number: number == cut


def shown(client: Client) -> Turn:
    """The turn as the user has it."""
    return client.live.snapshot()


SCENES: dict[str, list[list[Row]]] = {
    "plain": [plain_answer()],
    "shared": analysis(),
    "counting": analysis(counting=True),
}


def test_a_plain_answer() -> None:
    turn = shown(run(SCENES["plain"]))
    assert turn.state == "done"
    assert turn.blocks == (
        ThinkingBlock("The user wants a count; table orders, column refunded_at."),
        TextBlock("In May **37 orders** were refunded."),
        SuggestionsBlock(("Which shop had most refunds?", "And in June?")),
    )
    assert turn.ids.checkpoint == "1"


def test_an_analysis_with_all_its_asks() -> None:
    turn = shown(run(SCENES["shared"]))
    assert turn.state == "done"
    asks = [block for block in turn.blocks if isinstance(block, AskBlock)]
    assert [(ask.kind, ask.ask_id) for ask in asks] == [("plan", "22"), ("sql", "30"), ("report", "44")]
    assert asks[1].details == "rows=120000"
    [plan] = [block for block in turn.blocks if isinstance(block, PlanBlock)]
    assert [step.state for step in plan.steps] == ["done", "done"]
    cells = [block for block in turn.blocks if isinstance(block, CodeBlock)]
    assert [cell.cell_id for cell in cells][:2] == ["c1", "c2"], "the second output of a cell replaces the first"
    assert cells[0].outputs[0].table is not None
    assert cells[0].outputs[0].table.rows == (("2026-05-04", "8"), ("2026-05-11", "29"))
    assert [out.text or out.image for out in cells[1].outputs] == ["peak week 2026-05-11\n", "iVBORw0KGgo="]
    assert "Now I count." in "".join(block.text for block in turn.blocks if isinstance(block, ThinkingBlock))
    assert turn.answer.startswith("Refunds **tripled**.\n\nAnd **more** here it is .")
    [chart] = [block for block in turn.blocks if isinstance(block, ChartBlock)]
    assert (chart.kind, chart.x, chart.y) == ("bar", "week", ("n",))
    files = [block for block in turn.blocks if isinstance(block, FileBlock)]
    assert [(file.name, file.file_id) for file in files] == [("refunds.md", "f-r1"), ("refunds.html", "")]
    assert NoticeBlock("brand_new: what is this", "unknown") in turn.blocks


@pytest.mark.parametrize("restart", [False, True], ids=["same process", "another process"])
@pytest.mark.parametrize("scene", SCENES)
def test_a_cut_before_any_frame_changes_nothing(scene: str, restart: bool) -> None:
    whole = run(SCENES[scene])
    for cut in range(whole.fed):
        again = run(SCENES[scene], before(cut), restart=restart)
        assert shown(again) == shown(whole), f"cut before frame {cut}"


@settings(deadline=None, max_examples=60)
@given(cuts=st.sets(st.integers(0, 150), max_size=40), restart=st.booleans())
def test_any_cuts_change_nothing(cuts: set[int], restart: bool) -> None:
    assert shown(run(SCENES["counting"], lambda number: number in cuts, restart=restart)) == shown(
        run(SCENES["counting"])
    )


@pytest.mark.parametrize("scene", SCENES)
def test_a_process_that_dies_anywhere_leaves_a_journal_to_go_on_from(scene: str) -> None:
    """What is on disk may end after any event; the batch holds back what cannot be gone on from."""
    whole = run(SCENES[scene])
    last = SCENES[scene][-1]
    for size in range(len(whole.log)):
        kept = on_disk(whole.log[:size])
        client = Client()
        for event in coalesce(kept):
            client.live.apply(event)
        turn = client.live.snapshot()
        if turn.position is None or turn.position.phase in ("waiting", "done", "awaiting"):
            continue  # between two parts: nothing is on its way
        begun = next(n for n in range(len(SCENES[scene])) if knows(SCENES[scene][n], int(turn.position.checkpoint)))
        client.served = [made for part in SCENES[scene][: begun + 1] for made in part]
        client.restart()
        client.connection()
        for part in SCENES[scene][begun + 1 :]:
            client.answer()
            client.served += part
            client.connection()
        assert client.served[-len(last) :] == last
        assert shown(client) == replace(shown(whole), ids=shown(client).ids), f"after {size} events"


def knows(part: Sequence[Row], checkpoint: int) -> bool:
    numbers = [made["checkpoint"] for made in part if "checkpoint" in made]
    return bool(min(numbers) <= checkpoint <= max(numbers))


def on_disk(log: Sequence[Event]) -> list[Event]:
    """The events that a batch would have written when the process died after the last of `log`."""
    batch = Batch("t", None, resumable=True)  # type: ignore[arg-type]  # nothing is written here
    for event in log:
        if not isinstance(event, (Finished, Failed)):
            batch._events.append(event)
            batch._note(event)
    return batch._take()


def test_frames_of_an_earlier_turn_neither_show_nor_end_the_new_one() -> None:
    earlier = run([plain_answer()])
    position = earlier.live.snapshot().position
    assert position is not None
    client = Client(served=[*earlier.served], reader=DmsReader(Position(position.checkpoint, position.keys)))
    client.connection()
    assert client.reader.end is None
    assert not client.live.snapshot().blocks
    client.served += [
        row("chat_start", "chat", {"message": "And in June?"}, 6),
        *block("llm", ["Five."], 7),
        row("chat_finish", "chat", "", 8),
    ]
    client.connection()
    assert client.live.snapshot().blocks == (TextBlock("Five."),)
    assert client.reader.end == Finished("done")


def test_an_answered_ask_that_is_replayed_is_no_new_one() -> None:
    client = Client(served=[*SCENES["shared"][0]])
    client.connection()
    client.answer()
    client.connection()
    assert client.reader.end is None
    assert open_ask(client.live.snapshot()) is None


def test_an_ask_that_somebody_else_answered_is_closed() -> None:
    client = Client(served=[*SCENES["shared"][0]])
    client.connection()
    client.restart()
    client.served += SCENES["shared"][1]
    client.connection()
    asks = [block for block in client.live.snapshot().blocks if isinstance(block, AskBlock)]
    assert [(ask.kind, ask.answered) for ask in asks] == [("plan", "answered elsewhere"), ("sql", "")]


def test_an_ask_whose_run_was_cancelled_elsewhere_is_closed() -> None:
    client = Client(served=[*SCENES["shared"][0]])
    client.connection()
    client.restart()
    client.served.append(row("chat_canceled", "chat", "", 23))
    client.connection()
    [ask] = [block for block in client.live.snapshot().blocks if isinstance(block, AskBlock)]
    assert ask.answered == "cancelled elsewhere"
    assert client.live.snapshot().state == "stopped"


def feed_all(rows: Sequence[Row]) -> Client:
    client = Client(served=[row("chat_start", "chat", {"message": "?"}, 1), *rows])
    client.connection()
    return client


def test_a_snapshot_replaces_the_pieces_before_it() -> None:
    start, first, second, finish = block("llm", ["One tw", "?"], 2)
    for snapshot, expected in (("One two", "One two three"), ("Eins zwei", "Eins zwei three")):
        rows = [start, first, row("data", "llm", snapshot, 2), second | {"content": " three"}, finish]
        assert feed_all(rows).live.snapshot().blocks == (TextBlock(expected),)


def test_equal_pieces_are_not_taken_for_doubles() -> None:
    assert feed_all(block("llm", ["a", "\n", "\n", "b", "b"], 2)).live.snapshot().answer == "a\n\nbb"


@pytest.mark.parametrize("end", [row("chat_finish", "chat", "", 3), row("chat_canceled", "chat", "", 3)])
def test_an_open_block_is_kept_when_the_turn_ends(end: Row) -> None:
    client = feed_all([*block("output_conclusion", ["half a sen"], 2)[:-1], end])
    assert client.live.snapshot().answer == "half a sen"
    assert client.reader.end == Finished("done" if end["event_type"] == "chat_finish" else "stopped")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [({"message": "runtime lost", "code": "Strange"}, "runtime lost"), ("it broke", "it broke")],
)
def test_a_failure_ends_the_turn_with_its_reason(content: object, sentence: str) -> None:
    end = feed_all([row("SSE_FAILURE", "", content, 9)]).reader.end
    assert isinstance(end, Failed)
    assert end.problem.sentence == sentence
    assert end.problem.delivered == "yes"


def test_a_failure_of_an_earlier_turn_is_none_of_ours() -> None:
    client = Client(served=[row("chat_start", "chat", "", 1), row("SSE_FAILURE", "", "gone", 2)])
    client.connection()
    position = client.live.snapshot().position
    assert position is not None
    reader = DmsReader(Position(position.checkpoint, position.keys))
    reader.connect()
    for made in client.served:
        reader.feed(frame(made))
    assert reader.end is None


def test_previews_are_no_asks() -> None:
    rows = [
        row("data", "ask_plan", {"plans": [{"plan": {"steps": [{"name": "one"}]}}]}, 2),
        row("data", "ask_report_render", {}, 3),
        row("data", "ask_human", "?", 4),
        *block("tool_call_response", ['{"result_type":"plan","result":{}}'], 5),
    ]
    client = feed_all(rows)
    assert client.reader.end is None
    assert [type(block) for block in client.live.snapshot().blocks] == [PlanBlock]


@pytest.mark.parametrize("order", ["1212", "1221", "1122"], ids=["in turns", "inside", "one after the other"])
def test_blocks_of_two_channels_at_once_come_out_whole_and_survive_cuts(order: str) -> None:
    one = block("output_conclusion", ["one ", "after ", "another"], 2, channel={"mission_id": "1"})
    two = block("output_conclusion", ["two ", "by ", "two"], 3, channel={"mission_id": "2"})
    three = row("data", "brand_new", "x", 4, channel={"mission_id": "3"})
    halves = {"1": iter((one[:2], one[2:])), "2": iter((two[:2], two[2:]))}
    mixed = [made for which in order for made in next(halves[which])]
    mixed.insert(3, three)
    rows = [row("chat_start", "chat", "", 1), *mixed, row("chat_finish", "chat", "", 9)]
    whole = run([rows])
    texts = [block.text for block in shown(whole).blocks if isinstance(block, TextBlock)]
    assert texts == ["one after another", "two by two"]
    assert NoticeBlock("brand_new: x", "unknown") in shown(whole).blocks
    for restart in (False, True):
        for cut in range(whole.fed):
            again = run([rows], before(cut), restart=restart)
            assert shown(again) == shown(whole), f"cut before frame {cut}"


def test_control_output_is_never_seen() -> None:
    for text in ('{"action": "ask", "reason": "x"}', '```json\n{"answers": []}\n```', "<requirement>a<plan>b</plan>"):
        client = feed_all(block("llm", [text[:3], text[3:9], text[9:]], 2))
        assert not client.live.snapshot().blocks
    assert feed_all(block("llm", ["{not", " control}"], 2)).live.snapshot().answer == "{not control}"


def test_broken_and_too_long_frames_are_counted_once() -> None:
    client = Client(served=[row("chat_start", "chat", "", 1)])
    client.connection()
    for _replay in range(2):
        client.apply(client.reader.feed(Frame("{broken", "delta")))
        client.apply(client.reader.feed(Oversized(20_000_000)))
        client.connection()
    assert client.live.snapshot().frames_skipped == 2


def test_every_frame_is_a_sign_of_life() -> None:
    reader = DmsReader()
    for made in (Frame("", "HEARTBEAT"), Frame("{}", "HEARTBEAT"), Frame("{}", "STREAM"), frame(plain_answer()[1])):
        assert reader.feed(made) == [Heartbeat()]
    assert reader.feed(Frame("", "SSE_FINISH")) == [Heartbeat()]
    assert reader.finished
    assert reader.end is None


def test_status_is_told_and_not_kept() -> None:
    client = feed_all([row("status_change", "chat", {"current": "SQL_GENERATION"}, 2)])
    assert Status("writing SQL") in client.log
    assert not client.live.snapshot().blocks


def test_a_reader_begins_by_dropping_what_was_open() -> None:
    assert DmsReader().connect() == [Rewound()]


def test_a_cell_is_named_by_its_frame_where_it_has_no_id() -> None:
    text = cell("", "sql", "SELECT 1", [])
    client = feed_all([row("data", "tool_call_response", text, 2), row("data", "tool_call_response", text, 3)])
    assert len({block.cell_id for block in client.live.snapshot().blocks if isinstance(block, CodeBlock)}) == 2


def test_what_comes_beside_an_open_block_does_not_move_the_cursor_past_it() -> None:
    pieces = split(cell("c1", "sql", "SELECT 1", []), 40)
    quiet = block("tool_call_response", pieces, 2, channel={"mission_id": "1"})
    beside = row("data", "brand_new", "x", 4, channel={"mission_id": "2"})
    rows = [row("chat_start", "chat", "", 1), *quiet[:2], beside, *quiet[2:], row("chat_finish", "chat", "", 9)]
    whole = run([rows])
    assert {type(block) for block in shown(whole).blocks} == {CodeBlock, NoticeBlock}
    for cut in range(whole.fed):
        assert shown(run([rows], before(cut), restart=True)) == shown(whole), f"cut before frame {cut}"
