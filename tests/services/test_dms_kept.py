"""The files of a session that was taken away: their forms, their order, and what is none of them."""

from __future__ import annotations

import json

import pytest

from tests.services.dms_frames import Row, row
from tui.services.dms_kept import in_order, read_events
from tui.services.sse import Frame

EVENTS = [row("chat_start", "chat", {"message": "行\u2028?"}, 7), row("chat_finish", "chat", "", 8)]


def texts(events: list[Row]) -> list[str]:
    return [json.dumps(event, ensure_ascii=False) for event in events]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + json.dumps(EVENTS, indent=2),
        "\n".join([*texts(EVENTS), ""]),
        "\r\n".join(texts(EVENTS)),
        "".join(f"data: {text}\n\n" for text in texts(EVENTS)),
        "".join(f"event: {event['event_type']}\ndata:{json.dumps(event)}\n\n" for event in EVENTS).strip(),
    ],
    ids=["list", "lines", "CRLF", "bare stream", "stream"],
)
def test_the_forms_of_a_file(text: str) -> None:
    read = [json.loads(part.data) for part in read_events(text.encode()) if isinstance(part, Frame)]
    assert read == EVENTS


@pytest.mark.parametrize("data", [b"", b"<html>no</html>", b"[1, null]", b"[broken", b"\xff\xfe\x00", b"\x1f\x8b\x08"])
def test_what_holds_no_events(data: bytes) -> None:
    assert read_events(data) == []


def test_files_are_ordered_by_their_checkpoints() -> None:
    later = json.dumps([row("chat_start", "chat", "", 20)])
    parts = in_order([later.encode(), b"<html>", json.dumps(EVENTS).encode()])
    assert [json.loads(part.data)["checkpoint"] for part in parts if isinstance(part, Frame)] == [7, 8, 20]
