"""The sandbox's server: routes, the checks that hold for every product, and its own thread.

`python -m tui.sandbox.server` is not there on purpose: `yunliao sandbox --port N` runs it alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from tui.sandbox import control, dashscope, dms_keys
from tui.sandbox.auth import MAIN
from tui.sandbox.call import ConnectionDropped
from tui.sandbox.dms import Dms
from tui.sandbox.dms_keys import KeyGateway
from tui.sandbox.gateway import Gateway
from tui.sandbox.inspections import InspectionDesk
from tui.sandbox.memories import Memories, bot_routes
from tui.sandbox.oss import Bucket
from tui.sandbox.pace import Pace
from tui.sandbox.rds import RdsAi
from tui.sandbox.sts import SignIn, Sts
from tui.sandbox.world import World

T = TypeVar("T")
_STS_SECONDS = 3600
_LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of the request line, which carries the whole question."""


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """Where a sandbox listens and what signs for it; `sts` has the fields access_key_id, access_key_secret,
    security_token and expiration (ISO time), `dms` the fields url, api_key, control_url and stream_url, `dashscope`
    the fields base_url, compatible_base_url, api_key and other_api_key."""

    url: str
    access_key_id: str
    access_key_secret: str
    sts: dict[str, str]
    dms: dict[str, str]
    dashscope: dict[str, str]

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def _quiet() -> logging.Logger:
    """A log without clients that went away: it would be written over the screen of the app that went."""
    logger = logging.getLogger("tui.sandbox")
    if not logger.filters:
        logger.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], ConnectionError)))
    return logger


class SandboxServer:
    """A sandbox on 127.0.0.1, in a daemon thread with its own event loop.

    Args:
        port: 0 for any that is free.
        pace: `natural`, `fast`, `unlimited` or deltas per second.
        faults: switches that are on from the start, see `docs/sandbox.md`.
        folder: where conversations are kept; None for in memory only.
        clock: the time in seconds since 1970.

    Raises:
        ValueError: a pace or a switch that is not known.
    """

    def __init__(
        self,
        port: int = 0,
        pace: str | float = "natural",
        faults: Iterable[str] = (),
        folder: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._port = port
        self._world = World(Pace.of(pace), faults, folder, clock)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._info: SandboxInfo | None = None
        self._failure: BaseException | None = None

    @property
    def info(self) -> SandboxInfo:
        """Of a started sandbox."""
        assert self._info is not None, "the sandbox has not been started"
        return self._info

    # --- in a thread -------------------------------------------------------------------------------------------

    def start(self) -> SandboxInfo:
        """Listen and return once it does.

        Raises:
            OSError: the port cannot be had.
        """
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="sandbox", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self.stop()
        return self.info

    def stop(self) -> None:
        """Close all connections and end the thread. Harmless when not started.

        Raises:
            BaseException: what ended the thread before its time.
        """
        if self._thread and self._loop and self._stopping:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> SandboxServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._stopping = asyncio.Event()
            await self._listen(ready.set, self._stopping)

        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001  # told to whoever waits in start()
            self._failure = error
        finally:
            ready.set()

    async def _listen(self, listening: Callable[[], None], stopping: asyncio.Event) -> None:
        runner = web.AppRunner(
            make_app(self._world),
            access_log=None,
            logger=_quiet(),
            handle_signals=False,
            handler_cancellation=True,
            shutdown_timeout=0.05,
            max_line_size=_LONGEST_LINE,
            max_field_size=64 * 1024,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port)
            await site.start()
            port = runner.addresses[0][1]
            url = f"http://127.0.0.1:{port}"
            self._info = SandboxInfo(
                url=url,
                access_key_id=MAIN.access_key_id,
                access_key_secret=MAIN.access_key_secret,
                sts=self._world.issue_temporary(_STS_SECONDS),
                dms={
                    "url": url,
                    "api_key": dms_keys.API_KEY,
                    "control_url": url + dms_keys.CONTROL_PATH,
                    "stream_url": url + dms_keys.STREAM_PATH,
                },
                dashscope=dashscope.info(url),
            )
            listening()
            await stopping.wait()
        finally:
            await self._world.close()
            await runner.cleanup()

    # --- the control endpoint without HTTP, from any thread ------------------------------------------------------

    def _call(self, work: Callable[[], T]) -> T:
        """What `work` gives back in the sandbox's own loop."""

        async def do() -> T:
            return work()

        return self._wait_for(do())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None, "the sandbox has not been started"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def state(self) -> dict[str, Any]:
        """What `GET /_sandbox/state` answers."""
        return self._call(self._world.describe)

    def wait_for(self, wanted: Callable[[dict[str, Any]], object], timeout: float = 10.0) -> dict[str, Any]:
        """Block until `wanted(state)` holds, looked at whenever a turn begins, holds or ends; that state.

        Raises:
            TimeoutError: it did not within `timeout` seconds.
        """

        async def work() -> dict[str, Any]:
            async with asyncio.timeout(timeout):
                while not wanted(state := self._world.describe()):
                    await self._world.news.wait()
                return state

        return self._wait_for(work())

    def set_faults(self, *faults: str) -> None:
        """Replace the switches that are on."""
        self._call(lambda: self._world.board.set(faults))

    def fault_once(self, *faults: str) -> None:
        """Each for the next request that it fits."""
        self._call(lambda: self._world.board.add_once(faults))

    def release(self) -> int:
        """Let the turns go on that hold; how many."""
        return self._call(self._world.release)

    def decide(self, round_id: str, call_id: str, decision: str) -> None:
        """Play the console's button: `approved` or `rejected`."""
        self._call(lambda: control.decide(self._world, round_id, call_id, decision))

    def issue_sts(self, seconds: float = _STS_SECONDS) -> dict[str, str]:
        """A new temporary credential that lives so long."""
        return self._call(lambda: self._world.issue_temporary(seconds))

    def set_pace(self, pace: str | float) -> None:
        """For the turns that begin from now on."""
        self._call(lambda: self._world.set_pace(pace))

    def advance(self, seconds: float) -> None:
        """Let the lives of runtimes, sessions and links be that much older."""
        self._call(lambda: self._world.advance(seconds))

    def reset(self) -> None:
        """Forget conversations, counts and switches."""
        self._wait_for(self._world.reset())


@web.middleware
async def _dropped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody is there to be answered when a connection has been closed on purpose."""
    try:
        return await handler(request)
    except ConnectionDropped:
        return web.Response()


def make_app(world: World) -> web.Application:
    """The aiohttp application of a sandbox."""
    dms = Dms(world)
    world.part(InspectionDesk)
    gateway = Gateway(world, [RdsAi(), dms, Sts()])
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[_dropped])
    app.router.add_routes(control.routes(world))
    app.router.add_routes([*KeyGateway(world, dms).routes(), *Bucket(dms.agents).routes()])
    for path in ("/", "/v1/chat-messages", "/api/v1/chat/stream"):
        app.router.add_post(path, gateway.handle)
        app.router.add_get(path, gateway.handle)
    app.router.add_routes(dashscope.routes(world))
    app.router.add_routes([*world.part(SignIn).routes(), *world.part(Memories).routes(), *bot_routes(world)])
    return app


def serve(
    port: int = 0,
    pace: str | float = "natural",
    faults: Iterable[str] = (),
    folder: Path | None = None,
) -> int:
    """Run a sandbox in this thread until SIGINT or SIGTERM; print its `SandboxInfo` as one line of JSON first.

    Raises:
        OSError: the port cannot be had.
        ValueError: a pace or a switch that is not known.
    """
    server = SandboxServer(port, pace, faults, folder)

    async def main() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await server._listen(lambda: print(server.info.to_json(), file=sys.stdout, flush=True), stopping)

    asyncio.run(main())
    return 0
