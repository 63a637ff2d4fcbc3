"""What a save changes, in lines: only what differs, with its surroundings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.changes import Change, DiffLine, changes_between, diff_lines

LONG = "\n".join(f"line {number}" for number in range(1, 21))


def test_only_the_surroundings_of_a_change_are_told() -> None:
    lines = [*diff_lines(LONG, LONG.replace("line 10", "line ten"))]
    assert lines == [
        DiffLine("skipped", count=7),
        DiffLine("kept", "line 8"),
        DiffLine("kept", "line 9"),
        DiffLine("removed", "line 10"),
        DiffLine("added", "line ten"),
        DiffLine("kept", "line 11"),
        DiffLine("kept", "line 12"),
        DiffLine("skipped", count=8),
    ]


def test_what_appears_and_what_goes() -> None:
    assert [*diff_lines("", "one\ntwo")] == [DiffLine("added", "one"), DiffLine("added", "two")]
    assert [*diff_lines("one", "")] == [DiffLine("removed", "one")]
    assert not [*diff_lines(LONG, LONG)]


TEXTS = st.lists(st.sampled_from(["a", "b", "", "c d"]), max_size=12).map("\n".join)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_back(old: str, new: str) -> None:
    lines = [*diff_lines(old, new, context=100)]
    if old.splitlines() == new.splitlines():
        assert not lines
        return
    assert [line.text for line in lines if line.kind in ("kept", "removed")] == old.splitlines()
    assert [line.text for line in lines if line.kind in ("kept", "added")] == new.splitlines()


def test_what_is_the_same_is_no_change() -> None:
    fields = [("name", "a", "b"), ("model", "qwen-plus", "qwen-plus"), ("instructions", "", LONG)]
    assert changes_between(fields) == (Change("name", "a", "b"), Change("instructions", "", LONG))
    assert [change.is_short for change in changes_between(fields)] == [True, False]
