"""Sessions of the Data Agent: made, looked at, listed, and how long they live. Source: protocol notes (DMS) 6.1, 7."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tui.models import Problem
from tui.services.base import Page, PageOf, RemoteConversation
from tui.services.dms_calls import Calls, need
from tui.services.dms_life import SESSION_EXPIRED
from tui.services.dms_options import MAX_TITLE, read_data, session_config
from tui.services.errors import ApiError, ServiceError
from tui.services.fields import Fields, as_items, as_object, as_time
from tui.services.keys import Secret
from tui.text import clean_line
from tui.words import _

_READY = frozenset({"running", "idle", "wait_input", "waiting_input"})
_GONE = frozenset({"stopped", "failed"})
_AT_REST = frozenset({"idle", "running", "wait_input", "waiting_input", "finished", "completed", "canceled"})
MAX_PAGE = 50

Readiness = Literal[
    "ready",
    "starting",
    "dormant",  # the session is there, its runtime was taken away; a message starts another one
    "gone",
]


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the service describes it."""

    id: str
    agent_id: str = ""
    """Of the runtime; may be another one after the runtime was taken away."""
    agent_status: str = ""
    """In lower case; `starting`, `running`, `stopped`, `failed`."""
    status: str = ""
    """In lower case; only a hint, it can be stale."""
    title: str = ""
    created_at: datetime | None = None
    mode: str = ""
    data: object = None
    """`DataSources` as it came."""
    messages: tuple[SentMessage, ...] = ()
    """What was said to the agent, oldest first; only newer services tell."""
    replays: tuple[Secret, ...] = ()
    """Links to the finished chats, which are kept as files (`ChatHistoryLocations`)."""

    @property
    def readiness(self) -> Readiness:
        """AgentStatus decides: SessionStatus can say CREATING for long while the agent runs already."""
        if self.agent_status == "running" or (self.status in _READY and self.agent_status not in _GONE):
            return "ready"
        if self.agent_status == "stopped" and self.agent_id and self.status in _AT_REST:
            return "dormant"
        if self.agent_status in _GONE or (not self.agent_id and not self.agent_status):
            return "gone"
        return "starting"

    @property
    def is_working(self) -> bool:
        return self.status == "running"

    @property
    def waits(self) -> bool:
        """For an answer of the user, as far as the description tells."""
        return self.status in ("wait_input", "waiting_input")


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A question, an answer or a wish for a report."""

    id: str
    text: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an agent's start is waited for; seconds."""

    first_poll: float = 1.0
    """Between looks; the service asks for no less."""
    slowest_poll: float = 5.0
    start: float = 600.0
    gone: float = 15.0
    """A session that says it is gone may be taking up a new runtime."""


class Sessions:
    """The session operations of one account."""

    def __init__(
        self,
        calls: Calls,
        unit: str,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._calls = calls
        self._unit = unit
        self._patience = patience or Patience()
        self._sleep = sleep

    async def create(self, title: str, options: Mapping[str, str]) -> Session:
        """Make a session; the agent's runtime is started where none runs. Nothing is worked on yet."""
        files = [source.file_id for source in read_data(options.get("data", "")) if source.file_id]
        answer = await self._calls.write(
            "CreateDataAgentSession",
            {
                "DMSUnit": self._unit,
                "Title": clean_line(title, MAX_TITLE),
                "File": files[0] if len(files) == 1 else "",
                "WorkspaceId": options.get("workspace", ""),
                "SessionConfig": session_config(options),
            },
        )
        session = read_session(as_object(answer.first("Data")) or answer)
        need(answer, "SessionId", session.id)
        return session

    async def describe(self, session_id: str, workspace: str = "") -> Session:
        """The session as it is now; where there is none (or it is another account's) its readiness is `gone`."""
        answer = await self._calls.read(
            "DescribeDataAgentSession", {"DMSUnit": self._unit, "SessionId": session_id, "WorkspaceId": workspace}
        )
        session = read_session(as_object(answer.first("Data")) or answer)
        return replace(session, id=session.id or session_id)

    async def until_ready(self, session: Session, workspace: str = "") -> AsyncIterator[float | Session]:
        """Look until the agent runs or a message may start it: gives the seconds waited, and at last the session.

        Raises:
            ServiceError: it will not start: code `SessionExpired`, or not within the time that it is waited for.
        """
        waited, pause = 0.0, self._patience.first_poll
        while session.readiness not in ("ready", "dormant"):
            if session.readiness == "gone" and waited >= self._patience.gone:
                raise expired(failed=session.agent_status == "failed")
            if waited >= self._patience.start:
                raise _not_started(session, waited)
            yield waited
            await self._sleep(pause)
            waited += pause
            pause = min(pause * 1.2, self._patience.slowest_poll) if waited > 10 else pause
            session = await self.describe(session.id, workspace)
        yield session

    async def list(self, page: Page) -> PageOf[RemoteConversation]:
        """A page of the account's sessions, newest first as the service has them."""
        number = int(page.after) if page.after.isdecimal() else 1
        size = min(page.limit, MAX_PAGE)
        answer = await self._calls.read(
            "ListDataAgentSession", {"DMSUnit": self._unit, "PageNumber": number, "PageSize": size}
        )
        inside = as_object(answer.first("Data"))
        paging = inside if inside is not None and "Content" in inside else answer
        items = [read_session(item) for item in as_items(paging.first("Content", "Data"))]
        total = paging.first("Total", "TotalElements", "TotalCount")
        more = number * size < int(total) if str(total).isdecimal() else len(items) == size
        found = tuple(
            RemoteConversation(
                id=session.id,
                title=session.title,
                created_at=session.created_at,
                updated_at=session.created_at,
                status="running" if session.is_working else "pending_approval" if session.waits else "idle",
            )
            for session in items
            if session.id
        )
        return PageOf(found, Page(str(number + 1), page.limit) if more and items else None)


def read_session(fields: Fields) -> Session:
    """The session in an answer of Create, Describe or List."""
    config = as_object(fields.first("SessionConfig"))
    return Session(
        id=fields.line("SessionId"),
        agent_id=fields.line("AgentId"),
        agent_status=fields.line("AgentStatus", limit=40).lower(),
        status=fields.line("SessionStatus", "Status", limit=40).lower(),
        title=fields.line("Title"),
        created_at=as_time(fields.first("CreateTime", "GmtCreated")),
        mode=(config.line("Mode", limit=40) if config else "") or fields.line("Mode", limit=40),
        data=fields.first("DataSources"),
        messages=tuple(
            SentMessage(item.line("Id"), item.text("Content"), as_time(item.first("SendTime")))
            for item in as_items(fields.first("Messages"))
        ),
        replays=tuple(
            Secret(url)
            for item in as_items(fields.first("ChatHistoryLocations"))
            if isinstance(url := item.first("Url"), str)
        ),
    )


def expired(*, failed: bool = False) -> ServiceError:
    """The session is gone, or its agent has failed; what was received is kept here."""
    lost = _("The agent's session is no longer there; it is taken away 6 hours after its last task.")
    return ApiError(
        Problem(
            _("Agent failed") if failed else _("Session expired"),
            _("The agent's runtime has failed and does not start again in this session.") if failed else lost,
            _("Start a new session with the same data. This transcript stays, and uploaded files are still there."),
            code=SESSION_EXPIRED,
            delivered="no",
        )
    )


def _not_started(session: Session, waited: float) -> ServiceError:
    return ApiError(
        Problem(
            _("Agent not started"),
            _("The agent was still {status} after {n} s.").format(
                status=(session.agent_status or session.status or "?").replace("_", " "), n=round(waited)
            ),
            _("Send again later; the session is kept."),
            code="AgentNotStarted",
            delivered="no",
            retryable=True,
        )
    )
