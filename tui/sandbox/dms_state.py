"""The Data Agent's state: sessions, runtimes and their clock, files, what was counted."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.sandbox.auth import Key
from tui.sandbox.dms_agents import CustomAgents
from tui.sandbox.dms_records import Frame, Runtime, Session, TurnRecord, UploadedFile, checkpoint_of, kept_chats
from tui.sandbox.dms_steps import Piece
from tui.sandbox.dms_turn import AgentTurn, Perform
from tui.sandbox.faults import Faults, parse_many
from tui.sandbox.log import News
from tui.sandbox.oss_store import ObjectStore, temporary_folder
from tui.sandbox.shelf import Kept, Shelf
from tui.sandbox.world import Part, World

if TYPE_CHECKING:
    from tui.sandbox import analysis_load

RUNTIME_LIFE, SESSION_LIFE = 3600.0, 6 * 3600.0
"""Seconds of silence after which a runtime, a session is reclaimed (protocol notes, section 7)."""
START_UP = 3.0
"""Seconds of the script that a runtime takes to start."""


class DataAgents(Part):
    """One sandbox's Data Agent. All methods are called in its event loop."""

    name = "dms"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._folder = world.folder / "data-agent" if world.folder else None
        self.sessions = Kept(self._folder, "sessions", Session.from_json, Session.to_json)
        self.runtimes: dict[str, Runtime] = {}
        """By account: the newest one."""
        self.files = Kept(self._folder, "files", lambda data: UploadedFile(**data))
        self.turns: dict[str, AgentTurn] = {}
        """By session: the one at work."""
        self.forms: list[dict[str, object]] = []
        """What was posted to the bucket."""
        self.counts: Counter[str] = Counter()
        """Streams opened, callbacks, downloads ..."""
        self.feedback: list[dict[str, str]] = []
        self.upload_keys: dict[str, Key] = {}
        self.custom = CustomAgents(Shelf(self._folder / "custom-agents") if self._folder else None)
        self.objects = ObjectStore(self._folder / "objects" if self._folder else None)
        self._logs = self._folder / "events" if self._folder else None
        self._work = temporary_folder(self)
        self._stopping = threading.Event()
        self._datasets: dict[str, asyncio.Task[analysis_load.Dataset]] = {}
        self._load()

    def resume(self) -> None:
        """Let the turns go on that were at work when the sandbox ended."""
        self._stopping = threading.Event()
        self._datasets.clear()
        for session in self.sessions.values():
            session.news = News()
            session.ask = 0
            if session.turn:
                self.begin(session, session.turn)

    def issue_upload_key(self, expires: datetime) -> Key:
        """A temporary credential for one upload."""
        mark = secrets.token_hex(6)
        key = Key("upload", f"STS.SandboxUpload{mark}", secrets.token_hex(16), f"sandbox-upload-{mark}", expires)
        self.upload_keys[key.access_key_id] = key
        return key

    @property
    def is_stopping(self) -> Callable[[], bool]:
        """For work in threads: whether anybody still waits for it."""
        return self._stopping.is_set

    def now(self) -> float:
        """Seconds since 1970 by the clock that lives run on."""
        return self.world.seconds()

    # --- runtimes and reclaim ----------------------------------------------------------------------------------

    def runtime(self, account: str, faults: Faults) -> Runtime:
        """The account's live runtime; started when there is none."""
        found = self.runtimes.get(account)
        if found is None or found.stopped or found.failed:
            delay = faults.number("start-up")
            delay = self.world.pace.pause(START_UP) if delay is None else delay
            found = Runtime(f"ag{secrets.token_hex(6)}", self.now(), delay, failed="agent-failed" in faults)
            self.runtimes[account] = found
        return found

    def reclaim(self, faults: Faults) -> None:
        """Take back what was silent for too long."""
        now = self.now()
        session_life = faults.number("session-life") or SESSION_LIFE
        runtime_life = faults.number("runtime-life") or RUNTIME_LIFE
        for session in self.sessions.values():
            if not session.reclaimed and not session.is_busy and now - session.active_at >= session_life:
                self._reclaim_session(session, faults.argument("kept-chats"))
        for account, runtime in self.runtimes.items():
            own = [s for s in self.sessions.values() if s.account == account and not s.reclaimed]
            last = max([runtime.started_at, *(session.active_at for session in own)])
            if not any(session.is_busy for session in own) and now - last >= runtime_life:
                runtime.stopped = True

    def _reclaim_session(self, session: Session, form: str) -> None:
        session.reclaimed = True
        session.ask = session.offer = 0
        if session.turn:
            session.turn.over = True
            if turn := self.turns.pop(session.id, None):
                turn.abandon()
        if session.frames and form != "none":
            session.history_key = f"data_agent/chat_history/{session.id}.json"
            self.objects.put(session.history_key, kept_chats(session.frames, form), "application/json")
        self.sessions.save(session)
        session.news.tell()

    # --- sessions ----------------------------------------------------------------------------------------------

    def new_session(self, account: str, title: str, faults: Faults) -> Session:
        now = self.now()
        runtime = self.runtime(account, faults)
        session = Session(f"se{secrets.token_hex(8)}", account, title, now, now, runtime.agent_id)
        self.sessions.save(session)
        return session

    def place(self, session: Session, faults: Faults) -> Runtime:
        """Put the session on the account's live runtime, which may be another one than before."""
        runtime = self.runtime(session.account, faults)
        if session.agent_id != runtime.agent_id:
            session.agent_id = runtime.agent_id
            self.sessions.save(session)
        return runtime

    def begin(self, session: Session, record: TurnRecord, delay: float = 0.0) -> AgentTurn:
        """Set a turn going."""
        if not session.turns or session.turns[-1] is not record:
            session.turns.append(record)
        faults = Faults(parse_many(record.switches, everywhere=True))

        async def script(do: Perform) -> None:
            # The analysis is imported with the first question: an app that embeds the sandbox starts without it.
            from tui.sandbox.dms_desk import Desk
            from tui.sandbox.dms_script import perform

            await perform(Desk(self, session, record, do))

        turn = AgentTurn(
            session,
            record,
            script,
            faults,
            self.world.pace,
            lambda piece: self._put(session, record, piece, faults),
            lambda: self._changed(session),
        )
        self.turns[session.id] = turn
        turn.start(delay)
        return turn

    def _put(self, session: Session, record: TurnRecord, piece: Piece, faults: Faults) -> int:
        if not piece.inside or "counting-checkpoints" in faults:
            session.checkpoint += 1
        frame: Frame = {
            "event_type": piece.event,
            "category": piece.category,
            "content": piece.content,
            "content_type": piece.content_type,
            "checkpoint": session.checkpoint,
            "level": 20,
            "timestamp": str(int(self.world.clock())),
            "channel": {"mission_id": piece.channel or f"m-{record.number}"},
            "event_id": f"{session.id}-{len(session.frames)}" if "event-ids" in faults else None,
        }
        session.frames.append(frame)
        self._append(session, frame)
        session.news.tell()
        return session.checkpoint

    def _changed(self, session: Session) -> None:
        if session.turn is None:
            self.turns.pop(session.id, None)
        session.active_at = self.now()
        self.sessions.save(session)
        session.news.tell()
        self.world.news.tell()

    # --- on disk -----------------------------------------------------------------------------------------------

    def remove_file(self, file: UploadedFile) -> None:
        """Forget the file and its object."""
        self.files.remove(file)
        self.objects.remove(file.key)

    def _append(self, session: Session, frame: Frame) -> None:
        if self._logs:
            with (self._logs / f"{session.id}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(frame) + "\n")

    def _load(self) -> None:
        """Read the logs that a folder holds; a session that lives has its runtime."""
        if self._logs:
            self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            for session in self.sessions.values():
                log = self._logs / f"{session.id}.jsonl"
                session.frames = _read_log(log) if log.exists() else []
                session.checkpoint = checkpoint_of(session.frames[-1]) if session.frames else 0
        for session in sorted(self.sessions.values(), key=lambda session: session.active_at):
            if not session.reclaimed:
                self.runtimes[session.account] = Runtime(session.agent_id, session.active_at, start_up=0)

    # --- the files' tables -------------------------------------------------------------------------------------

    async def dataset(self, key: str, file_name: str) -> analysis_load.Dataset:
        """The tables of an object; read once.

        Raises:
            analysis_load.Unreadable: there are none.
        """
        from tui.sandbox import analysis_load

        stored = self.objects.get(key)
        if stored is None:
            raise analysis_load.Unreadable(f"{file_name} is not there any more.")
        database = self._work / f"{stored.path.stem}.sqlite"
        if key not in self._datasets:
            reading = asyncio.to_thread(analysis_load.load, stored.path, file_name, database, self._stopping.is_set)
            self._datasets[key] = asyncio.get_running_loop().create_task(reading)
        return await asyncio.shield(self._datasets[key])

    # --- as a part of the world --------------------------------------------------------------------------------

    def release(self) -> int:
        return sum(turn.release() for turn in self.turns.values())

    async def close(self) -> None:
        self._stopping.set()
        for turn in [*self.turns.values()]:
            await turn.close()
        await asyncio.gather(*self._datasets.values(), return_exceptions=True)
        self.turns.clear()

    def reset(self) -> None:
        for session in self.sessions.values():
            session.reclaimed = True
            session.news.tell()
        self._stopping = threading.Event()
        self.custom.reset()
        self.objects.clear()
        for log in self._logs.glob("*.jsonl") if self._logs else ():
            log.unlink(missing_ok=True)
        for things in (self.sessions, self.runtimes, self.files, self.turns, self.counts, self.upload_keys):
            things.clear()
        self._datasets.clear()
        self.forms.clear()
        self.feedback.clear()

    def describe(self) -> dict[str, object]:
        now = self.now()
        return {
            "sessions": [
                {
                    "id": s.id,
                    "account": s.account,
                    "title": s.title,
                    "status": s.status,
                    "agent_id": s.agent_id,
                    "checkpoint": s.checkpoint,
                    "frames": len(s.frames),
                    "ask": s.ask,
                    "offer": s.offer,
                    "messages": [asdict(message) for message in s.messages],
                    "sources": s.sources,
                }
                for s in self.sessions.values()
            ],
            "runtimes": {
                account: {"agent_id": runtime.agent_id, "status": runtime.status(now)}
                for account, runtime in self.runtimes.items()
            },
            "running": [name for name, turn in self.turns.items() if self.sessions[name].is_busy],
            "holding": [name for name, turn in self.turns.items() if turn.holds],
            "counts": dict(self.counts),
            "files": [asdict(file) for file in self.files.values()],
            "forms": self.forms,
            "feedback": self.feedback,
        }


def _read_log(path: Path) -> list[Frame]:
    """The frames of a log. What a torn last line left is cut off, so that the next frame begins a line."""
    frames: list[Frame] = []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        try:
            frame: Any = json.loads(line)
        except ValueError:
            path.write_text("".join(lines[:number]), encoding="utf-8")
            break
        frames.append(frame)
    return frames
