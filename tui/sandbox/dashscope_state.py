"""The state of the sandbox's DashScope: what was made with which key, the turns at work, what was counted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from tui.sandbox.dashscope_records import Assistant, Json, Run, StoredFile, Thread
from tui.sandbox.dashscope_refusals import gone
from tui.sandbox.dashscope_turn import Beat, End, Play, Script
from tui.sandbox.faults import Faults, parse_many
from tui.sandbox.oss_store import ObjectStore
from tui.sandbox.responses_records import StoredResponse
from tui.sandbox.shelf import Kept, Thing
from tui.sandbox.world import Part, World

if TYPE_CHECKING:
    from tui.sandbox.dashscope_play import RunPlay

RUN_LIFE = 600.0
"""Seconds that a run waits for the outputs of its functions; the real time is not known."""
_REMEMBERED_PLAYS, _REMEMBERED_REQUESTS = 100, 50

T = TypeVar("T", Assistant, Thread, StoredFile, StoredResponse)


class DashScope(Part):
    """One sandbox's DashScope. All methods are called in its event loop."""

    name = "dashscope"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._folder = world.folder / "dashscope" if world.folder else None
        self.assistants = Kept(self._folder, "assistants", lambda data: Assistant(**data))
        self.threads = Kept(self._folder, "threads", Thread.from_json)
        self.files = Kept(self._folder, "files", lambda data: StoredFile(**data))
        self.responses = Kept(self._folder, "responses", lambda data: StoredResponse(**data))
        self.plays: dict[str, Play] = {}
        """By the id of their run or response; finished ones for a while."""
        self.counts: Counter[str] = Counter()
        """Runs, submits, streams opened and lost ..."""
        self.workspaces: Counter[str] = Counter()
        """Requests by workspace header; empty for none."""
        self.requests: deque[Json] = deque(maxlen=_REMEMBERED_REQUESTS)
        """What came with a known key: operation, method, path, query, workspace and body."""
        kept: Iterable[Mapping[str, Thing]] = (self.assistants, self.threads, self.files, self.responses)
        self._last_stamp = max((int(thing.created_at) for things in kept for thing in things.values()), default=0)
        self._catch_up()

    # --- time ---------------------------------------------------------------------------------------------------

    def stamp(self) -> int:
        """Milliseconds since 1970; each one later than the one before, so that things sort by it."""
        self._last_stamp = max(int(self.world.seconds() * 1000), self._last_stamp + 1)
        return self._last_stamp

    # --- things by id -------------------------------------------------------------------------------------------

    def assistant(self, account: str, name: str) -> Assistant:
        return _own(self.assistants, account, name, "Assistant")

    def thread(self, account: str, name: str) -> Thread:
        return _own(self.threads, account, name, "Thread")

    def file(self, account: str, name: str) -> StoredFile:
        found = self.files.get(name)
        if found is None or found.account != account:
            raise gone("File not found: file", name)
        return found

    def run(self, account: str, thread_id: str, name: str) -> tuple[Thread, Run]:
        thread = self.thread(account, thread_id)
        run = next((run for run in thread.runs if run.id == name), None)
        if run is None:
            raise gone("Run", name)
        return thread, run

    @cached_property
    def objects(self) -> ObjectStore:
        """The bytes of files."""
        return ObjectStore(self._folder / "objects" if self._folder else None)

    def _catch_up(self) -> None:
        """A run that was at work when the sandbox ended has gone on meanwhile."""
        for response in self.responses.values():
            if response.status in ("queued", "in_progress"):
                response.status = "cancelled"
        for thread in self.threads.values():
            for run in thread.runs:
                if run.status in ("queued", "in_progress", "cancelling"):
                    switches = Faults(parse_many(run.switches, everywhere=True))
                    self._script(thread, run, "", switches).catch_up()
                    self.threads.save(thread)

    # --- turns --------------------------------------------------------------------------------------------------

    def begin_run(self, thread: Thread, run: Run, request_id: str, faults: Faults, *, again: bool = False) -> Play:
        """Set a run going, or on with the outputs of its functions; what a stream of it follows."""
        run.switches = faults.written()
        script = self._script(thread, run, request_id, faults)
        return self.begin(run.id, script.go_on() if again else script.begin(), script, faults)

    def _script(self, thread: Thread, run: Run, request_id: str, faults: Faults) -> RunPlay:
        # Imported with the first run: an app that embeds the sandbox starts without it.
        from tui.sandbox.dashscope_play import RunPlay

        return RunPlay(self, thread, run, request_id, faults)

    def begin(self, name: str, beats: Iterator[Beat], script: Script, faults: Faults) -> Play:
        """Let a play begin and remember it under `name`."""
        for old in [key for key, play in self.plays.items() if play.over][:-_REMEMBERED_PLAYS]:
            del self.plays[old]
        play = Play(beats, script, self.world.pace, faults, self.world.news.tell)
        self.plays[name] = play
        play.start()
        self.world.news.tell()
        return play

    def sweep(self, faults: Faults) -> None:
        """Let runs expire whose function outputs nobody sent."""
        life = self.run_life(faults)
        for thread in self.threads.values():
            for run in thread.runs:
                if run.status == "requires_action" and self.world.seconds() - run.parked_at / 1000 >= life:
                    self.end_run(thread, run, "expired")

    @staticmethod
    def run_life(faults: Faults) -> float:
        """Seconds that a run waits for outputs."""
        return faults.number("run-life") or RUN_LIFE

    def end_run(self, thread: Thread, run: Run, end: End) -> None:
        """End a run that is not at work."""
        for _frame in self._script(thread, run, "", Faults()).cut(end):
            pass
        self.threads.save(thread)

    # --- a part of the world ------------------------------------------------------------------------------------

    def describe(self) -> dict[str, object]:
        return {
            "assistants": [one.wire() for one in self.assistants.values()],
            "threads": [_told(thread) for thread in self.threads.values()],
            "files": [{"id": one.id, "name": one.name, "size": one.size} for one in self.files.values()],
            "responses": [one.told() for one in self.responses.values()],
            "counts": dict(self.counts),
            "requests": list(self.requests),
            "workspaces": dict(self.workspaces),
            "running": [name for name, play in self.plays.items() if not play.over],
            "holding": [name for name, play in self.plays.items() if play.holds],
        }

    def release(self) -> int:
        return sum(play.release() for play in self.plays.values())

    async def close(self) -> None:
        for play in [*self.plays.values()]:
            await play.finish()

    def reset(self) -> None:
        for things in (self.assistants, self.threads, self.files, self.responses, self.plays):
            things.clear()
        self._last_stamp = 0
        self.counts.clear()
        self.requests.clear()
        self.workspaces.clear()
        if "objects" in self.__dict__:
            self.objects.clear()


def _own(things: dict[str, T], account: str, name: str, kind: str) -> T:
    found = things.get(name)
    if found is None or found.account != account:
        raise gone(kind, name)
    return found


def _told(thread: Thread) -> Json:
    return {
        "id": thread.id,
        "metadata": thread.metadata,
        "messages": [{"id": one.id, "role": one.role, "text": one.text} for one in thread.messages],
        "runs": [
            {"id": run.id, "status": run.status, "assistant_id": run.assistant_id, "outputs": run.rounds}
            for run in thread.runs
        ],
    }
