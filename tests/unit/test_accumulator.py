"""However a stream is cut into deltas and batches, live or read back, it gives the same turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cache.strategies import of
from tui.cache import codec, journal
from tui.cache.fold import Fold
from tui.cache.records import Head, PartialRecord, QuestionRecord
from tui.models import AskBlock, Problem, TextBlock, ThinkingBlock, ToolBlock, Turn, TurnIds
from tui.services.accumulator import LiveTurn, coalesce, joined, merge_ids
from tui.services.events import (
    Asked,
    Event,
    Failed,
    Finished,
    FrameSkipped,
    Heartbeat,
    PositionMoved,
    Rewound,
    Status,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
    Unknown,
)

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
ASKED = Turn("t1", "why?", NOW, "sending")
words = st.sampled_from(["", "a", "b ", "\n\n", "汉"])
deltas: st.SearchStrategy[Event] = st.builds(TextDelta, words) | st.builds(ThinkingDelta, words)
places: st.SearchStrategy[Event] = of(PositionMoved) | st.just(Rewound())
anything: st.SearchStrategy[Event] = of(Event, depth=1)
# Half of a stream is deltas: drawn by kind first, because `|` gives each of thirty events the same chance.
events = st.lists(
    st.sampled_from([deltas, deltas, places, anything]).flatmap(lambda kind: kind),
    max_size=12,
)


def live(turn: Turn = ASKED) -> LiveTurn:
    return LiveTurn(turn, now=lambda: NOW)


def applied(stream: Sequence[Event], turn: Turn = ASKED) -> Turn:
    growing = live(turn)
    for event in stream:
        growing.apply(event)
    return growing.snapshot()


def split(stream: Sequence[Event], data: st.DataObject) -> list[list[Event]]:
    """The stream in batches that end anywhere."""
    ends = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    return [list(stream[begin:end]) for begin, end in zip([0, *ends], [*ends, len(stream)], strict=True)]


def cut_up(stream: Sequence[Event], data: st.DataObject) -> list[Event]:
    """The stream with each delta in two, somewhere."""
    pieces: list[Event] = []
    for event in stream:
        if isinstance(event, (TextDelta, ThinkingDelta)):
            cut = data.draw(st.integers(0, len(event.text)))
            pieces += [type(event)(event.text[:cut]), type(event)(event.text[cut:])]
        else:
            pieces.append(event)
    return pieces


@given(events)
@settings(max_examples=50, deadline=None)
def test_coalesced_events_give_the_same_turn(stream: list[Event]) -> None:
    assert applied(coalesce(stream)) == applied(stream)


@given(events, st.data())
@settings(max_examples=50, deadline=None)
def test_batches_give_the_same_turn(stream: list[Event], data: st.DataObject) -> None:
    batches = split(stream, data)
    assert applied([event for batch in batches for event in coalesce(batch)]) == applied(stream)


@given(events, st.data())
@settings(max_examples=50, deadline=None)
def test_where_deltas_are_split_does_not_matter(stream: list[Event], data: st.DataObject) -> None:
    assert applied(cut_up(stream, data)) == applied(stream)


@given(events, st.data())
@settings(max_examples=50, deadline=None)
def test_looking_at_a_turn_does_not_change_it(stream: list[Event], data: st.DataObject) -> None:
    growing = live()
    for event in stream:
        if data.draw(st.booleans()):
            growing.snapshot()
        growing.apply(event)
    assert growing.snapshot() == applied(stream)
    assert growing.snapshot() is growing.snapshot()


@given(events, st.data())
@settings(max_examples=50, deadline=None)
def test_a_turn_read_back_goes_on_as_if_it_had_not_been_away(stream: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(stream)))
    assert applied(stream[cut:], applied(stream[:cut])) == applied(stream)


@given(events, st.data())
@settings(max_examples=40, deadline=None)
def test_the_journal_gives_the_same_turn(stream: list[Event], data: st.DataObject) -> None:
    folded = Fold(Head("20261122-010203-rds-7f3k9qzp", "rds", NOW))
    folded.take(QuestionRecord("t1", NOW, "why?"))
    for batch in split(stream, data):
        record = PartialRecord("t1", tuple(coalesce(batch)), at=NOW)
        fragment = journal.record_fragment(codec.record_to_table(record))
        folded.take(codec.record_from_table(journal.read_record(fragment)))
    (turn,) = folded.conversation().turns
    assert turn == applied(stream, replace(ASKED, state="queued"))


@given(events)
@settings(max_examples=50, deadline=None)
def test_no_event_is_refused(stream: list[Event]) -> None:
    turn = applied(stream)
    assert turn.id == "t1"
    assert turn.question == "why?"
    assert len(coalesce(stream)) <= len(stream)


@given(st.lists(st.text(max_size=5) | st.just(""), max_size=20))
def test_no_character_is_lost(pieces: list[str]) -> None:
    stream: list[Event] = []
    for piece in pieces:
        stream += [TextDelta(piece), Heartbeat(), Status("working")]
    assert "".join(block.text for block in applied(stream).blocks if isinstance(block, TextBlock)) == "".join(pieces)
    assert len(coalesce(stream)) <= 1


def test_a_text_that_was_read_back_grows_on() -> None:
    held = applied([ThinkingDelta("h")])
    held = applied([ThinkingDelta("m"), TextDelta("Be")], held)
    assert applied([TextDelta("cause")], held).blocks == (ThinkingBlock("hm"), TextBlock("Because"))


def test_thinking_and_text_are_blocks_of_their_own() -> None:
    turn = applied([ThinkingDelta("h"), ThinkingDelta("m"), TextDelta("a"), ThinkingDelta("x"), TextDelta("b")])
    assert turn.blocks == (ThinkingBlock("hm"), TextBlock("a"), ThinkingBlock("x"), TextBlock("b"))
    assert turn.state == "running"


def test_a_replaced_text_that_only_continues_keeps_the_order_of_blocks() -> None:
    tool = ToolProgress("1", "look", "done")
    turn = applied([TextDelta("Let me look. "), tool, TextReplaced("Let me look. It is the disk.")])
    assert turn.blocks == (TextBlock("Let me look. "), ToolBlock("1", "look", "done"), TextBlock("It is the disk."))
    assert applied([TextDelta("wrong"), tool, TextReplaced("right")]).blocks == (
        ToolBlock("1", "look", "done"),
        TextBlock("right"),
    )


def test_a_call_is_one_block_and_keeps_what_it_was_told() -> None:
    turn = applied([ToolProgress("1", "look", "running", "{}"), ToolProgress("1", "", "done", "", "42")])
    assert turn.blocks == (ToolBlock("1", "look", "done", "{}", "42"),)


def test_calls_that_run_when_the_turn_ends_have_ended() -> None:
    running = ToolProgress("1", "look", "running")
    assert applied([running, Finished("done")]).blocks == (ToolBlock("1", "look", "done"),)
    assert applied([running, Failed(Problem("t", "s"))]).blocks == (ToolBlock("1", "look", "failed"),)


def test_an_ask_makes_the_turn_wait_until_it_is_answered() -> None:
    ask = AskBlock("approval", "a1", "Run it?")
    waiting = applied([Asked(ask)])
    assert (waiting.state, waiting.finished_at) == ("waiting", None)
    assert applied([Asked(replace(ask, answered="yes"))], waiting).blocks == (replace(ask, answered="yes"),)


def test_a_sign_of_life_changes_nothing() -> None:
    growing = live()
    growing.apply(TextDelta("text"))
    shown = growing.snapshot()
    growing.apply(Heartbeat())
    growing.apply(Status("working"))
    assert growing.snapshot() is shown


def test_a_stopped_turn_says_so_whatever_the_last_frame() -> None:
    growing = live()
    growing.apply(TextDelta("half"))
    growing.set_state("stopping")
    growing.apply(Finished("done"))
    assert (growing.state, growing.is_over, growing.snapshot().answer) == ("stopped", True, "half")


def test_what_could_not_be_read_is_counted() -> None:
    turn = applied([FrameSkipped(10), Unknown("new_kind"), Unknown("other", "why")])
    assert (turn.frames_skipped, turn.unknown_events) == (1, 2)
    assert len(turn.blocks) == 1


ids = of(TurnIds)


@given(ids, ids)
def test_an_id_that_is_known_is_never_forgotten(old: TurnIds, new: TurnIds) -> None:
    merged = merge_ids(old, new)
    assert merge_ids(merged, TurnIds()) == merged
    assert merged.task == (old.task or new.task), "the first task is the one that stop needs"
    assert merged.conversation == (new.conversation or old.conversation)
    assert applied([TurnStarted(old), TurnStarted(new)]).ids == merged


@given(events)
def test_joined_events_give_the_same_turn(stream: list[Event]) -> None:
    assert applied(joined(stream)) == applied(stream)


def test_joined_events_are_the_same_answer_with_fewer_pieces() -> None:
    text: list[Event] = [TextDelta("a"), Heartbeat(), TextDelta("b"), ThinkingDelta("c"), Status("d"), TextDelta("e")]
    assert joined([*text, TextDelta("f")]) == [TextDelta("ab"), ThinkingDelta("c"), Status("d"), TextDelta("ef")]
    assert joined([Heartbeat()]) == []
