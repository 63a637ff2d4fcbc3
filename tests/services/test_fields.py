"""The tolerant readers of fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui.services.fields import Fields, as_bool, as_count, as_items, as_names, as_time

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        1767323045,
        1767323045.0,
        "1767323045",
        1767323045000,
        "1767323045000",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T11:04:05+08:00",
        "2026-01-02 03:04:05",
        " 2026-01-02T03:04:05 ",
    ],
)
def test_every_form_of_time_is_one_moment(value: object) -> None:
    assert as_time(value) == MOMENT


@pytest.mark.parametrize("value", [None, "", "yesterday", True, [], {}, "9" * 30, -1e30, "NaN", "2026-13-45", 10**25])
def test_what_is_no_time_is_none(value: object) -> None:
    assert as_time(value) is None


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("true", True),
        ("True", True),
        ("false", False),
        ("False", False),
        ("", False),
        (True, True),
        (0, False),
        (None, False),
        ("1", True),
    ],
)
def test_a_string_that_says_false_is_false(value: object, meaning: bool) -> None:
    assert as_bool(value) is meaning


def test_keys_are_found_in_any_spelling_and_the_first_filled_wins() -> None:
    fields = Fields({"conversation_id": "", "ConversationId": "c", "toolName": None, "TOOL_NAME": "n"})

    assert fields.first("ConversationId") == "c"
    assert fields["conversationId"] == "c"
    assert fields.line("tool_name") == "n"
    assert fields.first("missing", "also_missing") is None


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ([{"a": 1}, 2, "x", {"b": 1}], 2),
        ('[{"a":1}]', 1),
        ({"a": 1}, 1),
        (None, 0),
        ("text", 0),
        (7, 0),
        ("[broken", 0),
    ],
)
def test_the_objects_of_a_list_are_found_whatever_is_beside_them(value: object, count: int) -> None:
    assert len(list(as_items(value))) == count


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (["a", "b", "a", "", None], ("a", "b")),
        ('["a","b"]', ("a", "b")),
        ("[a, 'b']", ("a", "b")),
        ("a,b", ("a", "b")),
        ("a", ("a",)),
        ("[]", ()),
        ("", ()),
        (None, ()),
        (7, ()),
        ([{"Name": "a"}, {"Id": 3}], ("a", "3")),
    ],
)
def test_lists_of_names_in_all_their_forms(value: object, read: tuple[str, ...]) -> None:
    assert as_names(value) == read


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (7, 7),
        (7.0, 7),
        (" 12 ", 12),
        ("٣", 0),
        (float("inf"), 0),
        ("0", 0),
        (None, 0),
        ("", 0),
        (-3, 0),
        (1.5, 0),
        (float("nan"), 0),
        ("9" * 30, 0),
        ([], 0),
    ],
)
def test_a_count_in_any_form(value: object, count: int) -> None:
    assert as_count(value) == count
