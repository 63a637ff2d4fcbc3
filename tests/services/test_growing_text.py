"""The text of an answer in pieces: whatever comes, what is shown is what the messages are in the end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.services.events import TextDelta, TextReplaced
from tui.services.growing_text import GrowingText

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "complete"]), st.sampled_from("abc"), st.text("xy\n", max_size=4)), max_size=30
)


def shown(held: str, steps: list[tuple[str, str, str]]) -> tuple[str, GrowingText]:
    """What stands on the screen after the events of `steps`."""
    text, growing = held, GrowingText(held)
    for step, message, piece in steps:
        for event in growing.add(message, piece) if step == "add" else growing.complete(message, piece):
            if isinstance(event, TextReplaced):
                text = event.text
            else:
                text += event.text
    return text, growing


@settings(deadline=None)
@given(STEPS.filter(lambda steps: _in_order(steps)), st.sampled_from(["", "before"]))
def test_what_is_shown_is_what_there_is(steps: list[tuple[str, str, str]], held: str) -> None:
    text, growing = shown(held, steps)
    assert text == growing.whole


def _in_order(steps: list[tuple[str, str, str]]) -> bool:
    """Pieces come for the newest message only, as on the wire; a message may be told whole at any time."""
    begun: list[str] = []
    for step, message, piece in steps:
        if step == "add" and message in begun[:-1]:
            return False
        if piece and message not in begun:
            begun.append(message)
    return True


def test_nothing_is_said_where_nothing_is_new() -> None:
    growing = GrowingText()
    assert growing.add("a", "") == []
    assert growing.add("a", "one") == [TextDelta("one")]
    assert growing.complete("a", "one") == []
    assert growing.complete("a", "") == []
    assert growing.add("b", "two") == [TextDelta("\n\ntwo")]
    assert growing.complete("b", "two!") == [TextDelta("!")]
    assert growing.complete("a", "ONE") == [TextReplaced("ONE\n\ntwo!")]
