"""The format: anything goes in and comes out, and damage costs only what it hits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cache.strategies import records, texts
from tui.cache import codec, journal
from tui.cache.records import Head, PartialRecord, QuestionRecord, Record
from tui.services.events import TextDelta

HEAD = Head("20261122-010203-rds-7f3k9qzp", "rds", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), "题目")
HEAD_BYTES = journal.head_fragment(codec.head_to_table(HEAD))


def encoded(record: Record) -> bytes:
    return journal.record_fragment(codec.record_to_table(record))


def decoded(fragment: bytes) -> Record:
    return codec.record_from_table(journal.read_record(fragment))


def whole(data: bytes) -> list[bytes]:
    return [data[begin:end] for begin, end in journal.scan(data).fragments]


@given(records())
@settings(max_examples=40, deadline=None)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert decoded(encoded(record)) == record


@given(records(texts))
@settings(max_examples=50, deadline=None)
def test_hostile_text_is_written_and_comes_back_clean(record: Record) -> None:
    once = decoded(encoded(record))
    assert decoded(encoded(once)) == once


@given(st.lists(records(texts), max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_file_is_one_toml_document(written: list[Record]) -> None:
    fragments = [encoded(record) for record in written]
    document = tomli.loads((HEAD_BYTES + b"".join(fragments)).decode())
    assert document["schema"] == 1
    assert document["conversation"]["id"] == HEAD.id
    assert document.get("record", []) == [journal.read_record(fragment) for fragment in fragments]


@given(st.lists(records(texts), min_size=1, max_size=4), st.data())
@settings(max_examples=50, deadline=None)
def test_cut_at_any_byte_all_records_before_are_found(written: list[Record], data: st.DataObject) -> None:
    fragments = [HEAD_BYTES, *(encoded(record) for record in written)]
    content = b"".join(fragments)
    cut = data.draw(st.integers(0, len(content)))
    ends = [sum(map(len, fragments[: n + 1])) for n in range(len(fragments))]
    found = journal.scan(content[:cut])
    expected = fragments[: sum(end <= cut for end in ends)]
    assert whole(content[:cut]) == expected
    torn = cut not in (0, *ends)
    # A cut behind a line may also be a whole record whose mark was hit: kept aside rather than cut off.
    assert found.torn == torn or (content[:cut].endswith(b"\n") and found.damage)
    if found.torn:
        assert found.end == len(b"".join(expected))
        assert not found.damage


@given(st.lists(records(texts), min_size=1, max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_a_changed_byte_costs_one_record(written: list[Record], data: st.DataObject) -> None:
    fragments = [HEAD_BYTES, *(encoded(record) for record in written)]
    content = bytearray(b"".join(fragments))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    hit = next(n for n in range(len(fragments)) if place < sum(map(len, fragments[: n + 1])))
    assert whole(bytes(content)) == fragments[:hit] + fragments[hit + 1 :]
    found = journal.scan(bytes(content))
    assert found.damage or found.torn


@given(st.lists(records(texts), min_size=2, max_size=5), st.data())
@settings(max_examples=40, deadline=None)
def test_a_stretch_of_other_bytes_costs_what_it_hits(written: list[Record], data: st.DataObject) -> None:
    fragments = [HEAD_BYTES, *(encoded(record) for record in written)]
    content = bytearray(b"".join(fragments))
    begin = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(begin + 1, len(content)))
    content[begin:end] = data.draw(st.sampled_from([b"\0", b"\n", b"x", b"#"])) * (end - begin)
    offsets = [sum(map(len, fragments[:n])) for n in range(len(fragments))]
    spared = [
        fragment
        for offset, fragment in zip(offsets, fragments, strict=True)
        if content[offset : offset + len(fragment)] == fragment
    ]
    assert whole(bytes(content)) == spared


@given(st.lists(records(texts), min_size=1, max_size=3), st.data())
@settings(max_examples=40, deadline=None)
def test_a_record_behind_a_torn_one_is_found(written: list[Record], data: st.DataObject) -> None:
    fragments = [encoded(record) for record in written]
    torn = fragments[0][: data.draw(st.integers(1, len(fragments[0]) - 1))]
    content = HEAD_BYTES + torn + b"".join(fragments)
    assert whole(content) == [HEAD_BYTES, *fragments]
    assert journal.scan(content).damage


def test_random_bytes_are_no_records() -> None:
    for content in (
        b"",
        b"\0" * 5000,
        b"\n" * 100,
        b"[[record]]\n" * 50,
        b"# crc32 00000000\n" * 50,
        bytes(range(256)),
    ):
        assert [piece for piece in whole(content) if b"kind" in piece] == []


def test_a_very_large_text_is_read_by_the_reader_that_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    record = PartialRecord("t", (TextDelta("行\n" * 200_000),))
    monkeypatch.setattr(tomli, "loads", None)
    assert decoded(encoded(record)) == record


def test_records_of_newer_versions_are_told_apart() -> None:
    with pytest.raises(codec.UnknownRecord):
        codec.record_from_table({"kind": "telepathy", "turn": "t"})
    with pytest.raises(codec.UnknownRecord):
        codec.record_from_table({"kind": "partial", "turn": "t", "events": [{"type": "Smell", "text": "x"}]})


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    table = {"kind": "question", "turn": "t", "at": at, "text": "why?", "mood": "curious"}
    assert codec.record_from_table(table) == QuestionRecord("t", at, "why?")


def test_a_file_that_others_edited_cannot_drive_the_terminal() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    table = {"kind": "question", "turn": "t", "at": at, "text": "\x1b[2Jwhy?", "options": {"\x07": "\u202e"}}
    assert codec.record_from_table(table) == QuestionRecord("t", at, "␛[2Jwhy?", {"␇": "\ufffd"})


def test_the_first_value_of_a_record_is_a_scalar() -> None:
    with pytest.raises(ValueError, match="scalar"):
        journal.record_fragment({"only": {"a": "table"}})
