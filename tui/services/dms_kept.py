"""What is left of a session that was taken away: its finished chats, stored as files for replay.

DescribeDataAgentSession names them (`ChatHistoryLocations`); what stands in one is not published. Read are a JSON list
of the events of GetChatContent, one event a line, and the stream's own text. Source: protocol notes (DMS) 6.1 and 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from tui.models import Turn
from tui.services.dms_frames import parse_frame
from tui.services.dms_history import Replay
from tui.services.dms_reader import DmsReader
from tui.services.dms_sessions import Session
from tui.services.events import Event
from tui.services.fields import as_json, as_text
from tui.services.keys import Secret
from tui.services.oss import open_link
from tui.services.sse import Frame, FrameParser, Oversized

LARGEST = 64 * 1024 * 1024
"""Bytes of all files together; what is beyond is left out."""
MOST_FILES = 100

Part = Frame | Oversized


async def kept_turns(session: Session, *, local: bool) -> tuple[Turn, ...]:
    """The session's turns, oldest first; none where nothing was kept, or nothing that can be read.

    Raises:
        ServiceError: the files cannot be fetched.
    """
    files = await _fetched(session.replays, local)

    def read() -> tuple[Turn, ...]:
        replay = Replay(session.id, session.messages)
        for part in in_order(files):
            replay.feed(part)
        replay.close()
        return replay.turns

    return await asyncio.to_thread(read)


async def kept_end(session: Session, reader: DmsReader, *, local: bool) -> list[Event]:
    """What is missing of the turn that `reader` holds, up to its end; empty where the files do not tell that.

    Raises:
        ServiceError: the files cannot be fetched.
    """
    files = await _fetched(session.replays, local)

    def read() -> list[Event]:
        events = reader.connect()
        for part in in_order(files):
            events += reader.feed(part)
            if reader.end is not None and reader.position.phase != "waiting":
                return [*events, reader.end]
        return []

    return await asyncio.to_thread(read)


async def _fetched(links: Sequence[Secret], local: bool) -> list[bytes]:
    files: list[bytes] = []
    left = LARGEST
    for link in links[:MOST_FILES]:
        data = bytearray()
        async with open_link(link.reveal(), local=local) as (_begin, _size, chunks):
            async for chunk in chunks:
                data += chunk
                if len(data) > left:
                    return files
        left -= len(data)
        files.append(bytes(data))
    return files


def in_order(files: Iterable[bytes]) -> list[Part]:
    """The events of all files; the files in the order of their first checkpoints, as nothing else orders them."""
    read = [events for data in files if (events := read_events(data))]
    read.sort(key=_first_checkpoint)
    return [part for events in read for part in events]


def read_events(data: bytes) -> list[Part]:
    """The events in one file, whichever of the forms it has; none for anything else."""
    text = data.decode("utf-8-sig", "replace").strip()
    if text.startswith("["):
        listed = as_json(text)
        return [Frame(as_text(item)) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if text.startswith("{"):
        return [Frame(line) for line in text.split("\n") if line.strip()]
    parser = FrameParser(empty_frames=True)
    return [*parser.feed(data), *parser.flush()]


def _first_checkpoint(events: Sequence[Part]) -> int:
    frames = (parse_frame(part.data, part.event) for part in events if isinstance(part, Frame))
    return next((frame.checkpoint for frame in frames if frame is not None and frame.checkpoint is not None), 0)
