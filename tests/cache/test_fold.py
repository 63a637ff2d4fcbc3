"""What records mean together, and that a compaction changes nothing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cache.strategies import plain, records, times
from tui.cache import codec, journal
from tui.cache.compaction import Waste, compacted, epitaph
from tui.cache.fold import Fold, fold, interrupt
from tui.cache.records import (
    AnswerRecord,
    FeedbackRecord,
    Head,
    IdsRecord,
    MetaRecord,
    PartialRecord,
    QuestionRecord,
    Record,
    StateRecord,
    TombstoneRecord,
)
from tui.models import ACTIVE, FileBlock, ServiceName, TextBlock, ThinkingBlock, ToolBlock, Turn, TurnIds, TurnState
from tui.services.events import TextDelta, TextReplaced, ThinkingDelta, ToolProgress, TurnStarted

START = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
HEAD = Head("20261122-010203-rds-7f3k9qzp", "rds", START, "title", {"region": "cn-hangzhou"})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


ASKED = QuestionRecord("t1", at(1), "why?")


def only_turn(*written: Record) -> Turn:
    (turn,) = fold(HEAD, written).turns
    return turn


def test_a_head_alone_is_an_empty_conversation() -> None:
    conversation = fold(HEAD, [])
    assert (conversation.id, conversation.title, conversation.turns) == (HEAD.id, "title", ())
    assert conversation.options == {"region": "cn-hangzhou"}
    assert conversation.updated_at == START


def test_a_question_is_a_queued_turn() -> None:
    assert only_turn(ASKED) == Turn("t1", "why?", at(1), "queued")


def test_partials_grow_into_one_answer() -> None:
    turn = only_turn(
        ASKED,
        StateRecord("t1", "sending", at=at(2)),
        PartialRecord("t1", (TurnStarted(TurnIds("c", "m")), ThinkingDelta("hm")), at=at(3)),
        PartialRecord("t1", (ToolProgress("1", "look", "running"),), at=at(4)),
        PartialRecord("t1", (ToolProgress("1", "look", "done", "", "42"), TextDelta("Be")), at=at(6)),
        PartialRecord("t1", (TextDelta("cause."),), at=at(7)),
    )
    assert turn.state == "running"
    assert turn.ids == TurnIds("c", "m")
    assert turn.blocks == (
        ThinkingBlock("hm", 1.0),
        ToolBlock("1", "look", "done", "", "42", 2.0),
        TextBlock("Because."),
    )


def test_an_answer_replaces_what_came_before_but_the_question() -> None:
    final = Turn("t1", "", at(99), "done", (TextBlock("Because."),), TurnIds("c"), finished_at=at(5))
    files = (FileBlock("sales.csv", "f-1"),)
    asked = replace(ASKED, attachments=files)
    turn = only_turn(asked, PartialRecord("t1", (TextDelta("Perhaps"),), at=at(2)), AnswerRecord(final, at=at(5)))
    assert turn == replace(final, question="why?", asked_at=at(1), attachments=files)


def test_what_follows_an_answer_goes_on_from_it() -> None:
    """Recovery takes an interrupted turn up again."""
    held = Turn("t1", "", at(1), "interrupted", (TextBlock("Bec"),))
    turn = only_turn(ASKED, AnswerRecord(held, at=at(2)), PartialRecord("t1", (TextReplaced("Because."),), at=at(9)))
    assert turn.answer == "Because."


def test_ids_do_not_change_the_state() -> None:
    turn = only_turn(ASKED, StateRecord("t1", "waiting", at=at(2)), IdsRecord("t1", TurnIds(task="x"), at=at(3)))
    assert (turn.state, turn.ids.task) == ("waiting", "x")


def test_ids_that_are_not_named_again_stay() -> None:
    turn = only_turn(ASKED, IdsRecord("t1", TurnIds("c", "m", "x")), IdsRecord("t1", TurnIds(checkpoint="7")))
    assert turn.ids == TurnIds("c", "m", "x", checkpoint="7")


def test_a_rating_survives_a_later_answer() -> None:
    final = Turn("t1", "", at(1), "done")
    written: list[Record] = [ASKED, FeedbackRecord("t1", "like", at=at(2)), AnswerRecord(final, at=at(3))]
    assert only_turn(*written).rating == "like"
    assert only_turn(*written, FeedbackRecord("t1", "", at=at(4))).rating == ""


def test_meta_changes_only_what_it_names() -> None:
    conversation = fold(
        HEAD,
        [
            MetaRecord(title="", pinned=True, tags=("a", "b"), at=at(1)),
            MetaRecord(pinned=False, unread=True, remote_id="c", options={}, at=at(2)),
        ],
    )
    assert (conversation.title, conversation.tags, conversation.pinned) == ("", ("a", "b"), False)
    assert (conversation.unread, conversation.remote_id, conversation.options) == (True, "c", {})


def test_reading_and_pinning_do_not_make_it_newer() -> None:
    written: list[Record] = [ASKED, MetaRecord(unread=False, at=at(50)), FeedbackRecord("t1", "like", at=at(60))]
    assert fold(HEAD, written).updated_at == at(1)


def test_a_tombstone_can_be_taken_back() -> None:
    folded = Fold(HEAD)
    folded.take(TombstoneRecord(at=at(5)))
    assert folded.deleted_at == at(5)
    folded.take(TombstoneRecord(restored=True, at=at(6)))
    assert folded.deleted_at is None


def test_records_of_a_turn_whose_question_is_lost_are_kept() -> None:
    turn = only_turn(PartialRecord("t9", (TextDelta("still here"),), at=at(2)))
    assert (turn.question, turn.answer, turn.asked_at) == ("", "still here", at(2))


def test_what_a_dead_process_worked_on_is_interrupted() -> None:
    written: list[Record] = []
    states: list[TurnState] = ["queued", "sending", "running", "waiting", "stopping", "done", "failed"]
    for n, state in enumerate(states):
        written += [QuestionRecord(f"t{n}", at(n), "?"), StateRecord(f"t{n}", state, at=at(n))]
    seen = [turn.state for turn in interrupt(fold(HEAD, written)).turns]
    assert seen == ["interrupted" if state in ACTIVE else state for state in states]
    assert seen[0] == "queued", "it was never sent"


TURNS = ("t1", "t2", "t3")


def histories() -> st.SearchStrategy[list[Record]]:
    """Records as a program writes them: a turn's question first, times that go on."""

    def arrange(drawn: list[tuple[str, Record]]) -> list[Record]:
        written: list[Record] = []
        asked: set[str] = set()
        for turn_id, record in drawn:
            if isinstance(record, (MetaRecord, TombstoneRecord)):
                written.append(record)
                continue
            if turn_id not in asked and not isinstance(record, QuestionRecord):
                written.append(QuestionRecord(turn_id, START, "?"))
            asked.add(turn_id)
            if isinstance(record, AnswerRecord):
                written.append(replace(record, turn=replace(record.turn, id=turn_id)))
            else:
                written.append(replace(record, turn=turn_id))
        return [replace(record, at=at(n)) for n, record in enumerate(written)]

    return st.lists(st.tuples(st.sampled_from(TURNS), records(depth=1)), max_size=8).map(arrange)


@given(histories())
@settings(max_examples=50, deadline=None)
def test_a_compacted_file_tells_the_same(written: list[Record]) -> None:
    fragments = [journal.record_fragment(codec.record_to_table(record)) for record in written]
    data = journal.head_fragment(codec.head_to_table(HEAD)) + b"".join(fragments)
    smaller = compacted(data)
    assert len(smaller) <= len(data)
    left = [smaller[begin:end] for begin, end in journal.scan(smaller).fragments]
    before, after = Fold(HEAD), Fold(codec.head_from_table(journal.read_head(left[0])))
    for record in written:
        before.take(record)
    for fragment in left[1:]:
        after.take(codec.record_from_table(journal.read_record(fragment)))
    assert after.conversation() == before.conversation()
    assert after.deleted_at == before.deleted_at
    assert compacted(smaller) == smaller


def test_a_compaction_takes_out_the_partials_of_an_answer() -> None:
    partials: list[Record] = [PartialRecord("t1", (TextDelta("x" * 4000),), at=at(n)) for n in range(20)]
    final = AnswerRecord(Turn("t1", "", at(1), "done", (TextBlock("x" * 80_000),)), at=at(30))
    waste = Waste()
    data = journal.head_fragment(codec.head_to_table(HEAD))
    for record in [ASKED, *partials]:
        fragment = journal.record_fragment(codec.record_to_table(record))
        waste.add(record, len(fragment))
        data += fragment
    paid_before = waste.pays
    assert len(compacted(data)) == len(data)
    fragment = journal.record_fragment(codec.record_to_table(final))
    waste.add(final, len(fragment))
    assert (paid_before, waste.pays) == (False, True)
    assert len(compacted(data + fragment)) < len(fragment) + 500


def test_records_that_this_version_does_not_know_are_kept() -> None:
    data = journal.head_fragment(codec.head_to_table(HEAD)) + journal.record_fragment({"kind": "telepathy", "n": 1})
    assert compacted(data) == data


@pytest.mark.parametrize("service", ["rds", "dashscope"])
@given(plain, plain, times)
@settings(max_examples=20, deadline=None)
def test_of_what_is_deleted_the_id_is_left_and_a_threads_title(
    service: ServiceName, title: str, remote_id: str, when: datetime
) -> None:
    head = replace(HEAD, service=service)
    conversation = replace(fold(head, [ASKED]), title=title, remote_id=remote_id)
    data = epitaph(head, conversation, when)
    folded = Fold(HEAD)
    for begin, end in journal.scan(data).fragments[1:]:
        folded.take(codec.record_from_table(journal.read_record(data[begin:end])))
    left = folded.conversation()
    kept = title if service == "dashscope" else ""
    assert (left.title, left.remote_id, left.turns, folded.deleted_at) == (kept, remote_id, (), when)
