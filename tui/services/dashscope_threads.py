"""Threads with their messages, runs and steps, and the account's files. Source: protocol notes (DashScope) 3 and 8.

The service has no list of threads and no way to delete a message. Nothing here is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import IO, Any

from tui.models import Problem
from tui.services.assistant_models import Run, RunStep, ServiceFile, Thread, ThreadMessage, ToolOutput
from tui.services.base import Page, PageOf
from tui.services.codes import service_title
from tui.services.dashscope_lists import all_objects, object_page
from tui.services.dashscope_problems import checked_id
from tui.services.dashscope_wire import line, read_file, read_message, read_run, read_step, read_thread, table, tables
from tui.services.errors import ApiError, ProtocolError
from tui.services.rest import NATIVE, Opened, RestClient
from tui.text import clean_line
from tui.words import _

_PATH = f"{NATIVE}/threads"
_FILES = f"{NATIVE}/files"


def _thread(thread_id: str, *rest: str) -> str:
    return "/".join((_PATH, checked_id(thread_id, "thread_1a2b"), *rest))


def _run(thread_id: str, run_id: str, *rest: str) -> str:
    return _thread(thread_id, "runs", checked_id(run_id, "run_1a2b"), *rest)


class Threads:
    """The account's threads. All methods raise ServiceError; `NotFoundError` where an id names nothing (any more)."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    # --- threads -----------------------------------------------------------------------------------------------

    async def create(self, metadata: Mapping[str, str] | None = None) -> Thread:
        thread = read_thread(await self._rest.post(_PATH, {"metadata": dict(metadata)} if metadata else {}))
        if not thread.id:
            raise _nameless()
        return thread

    async def retrieve(self, thread_id: str) -> Thread:
        return read_thread(await self._rest.get(_thread(thread_id)))

    async def set_metadata(self, thread_id: str, metadata: Mapping[str, str]) -> Thread:
        """Replace the metadata, the one thing of a thread that can be changed."""
        return read_thread(await self._rest.post(_thread(thread_id), {"metadata": dict(metadata)}))

    async def delete(self, thread_id: str) -> None:
        """Delete it with its messages, runs and steps, for good."""
        await self._rest.delete(_thread(thread_id))

    # --- messages ----------------------------------------------------------------------------------------------

    async def add_message(self, thread_id: str, text: str, file_ids: Sequence[str] = ()) -> ThreadMessage:
        """Put the user's message into the thread, once. It starts nothing: `run` does."""
        body: dict[str, Any] = {"role": "user", "content": text}
        if file_ids:
            body["file_ids"] = list(file_ids)
        message = read_message(await self._rest.post(_thread(thread_id, "messages"), body))
        if not message.id:
            raise _nameless()
        return message

    async def messages(self, thread_id: str, page: Page) -> PageOf[ThreadMessage]:
        """A page of messages, newest first."""
        return await object_page(self._rest, _thread(thread_id, "messages"), page, read_message)

    async def all_messages(self, thread_id: str) -> tuple[ThreadMessage, ...]:
        """Every message, oldest first."""
        return tuple(await all_objects(self._rest, _thread(thread_id, "messages"), read_message))

    async def message(self, thread_id: str, message_id: str) -> ThreadMessage:
        return read_message(await self._rest.get(_thread(thread_id, "messages", checked_id(message_id))))

    # --- runs --------------------------------------------------------------------------------------------------

    def run(self, thread_id: str, assistant_id: str, **changes: Any) -> AbstractAsyncContextManager[Opened]:
        """Start a run as a stream, once. `changes` are for this run alone: `model`, `instructions`, `tools` ..."""
        body = {"assistant_id": checked_id(assistant_id), **changes, "stream": True}
        return self._rest.stream(_thread(thread_id, "runs"), body)

    def submit(self, thread_id: str, run_id: str, outputs: Sequence[ToolOutput]) -> AbstractAsyncContextManager[Opened]:
        """Hand over the outputs of all calls that a run waits for, in their order, once; the run goes on as a stream.

        An empty call id is sent as the service gave it: it then goes by the order.
        """
        listed = [{"tool_call_id": output.call_id, "output": output.output} for output in outputs]
        path = _run(thread_id, run_id, "submit_tool_outputs")
        return self._rest.stream(path, {"tool_outputs": listed, "stream": True})

    async def runs(self, thread_id: str, page: Page) -> PageOf[Run]:
        """A page of runs, newest first."""
        return await object_page(self._rest, _thread(thread_id, "runs"), page, read_run)

    async def retrieve_run(self, thread_id: str, run_id: str) -> Run:
        return read_run(await self._rest.get(_run(thread_id, run_id)))

    async def cancel(self, thread_id: str, run_id: str) -> Run:
        """Ask for an end of the run, once; the pages say that there is no such operation, so it may be refused."""
        return read_run(await self._rest.post(_run(thread_id, run_id, "cancel")))

    async def steps(self, thread_id: str, run_id: str) -> tuple[RunStep, ...]:
        """Every step of a run, oldest first."""
        return tuple(await all_objects(self._rest, _run(thread_id, run_id, "steps"), read_step))


class Files:
    """The account's files. Assistants make little use of them: only the PDF plugin is known to."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def page(self, number: int = 1, size: int = 100) -> tuple[tuple[ServiceFile, ...], int]:
        """A page of files, and how many there are in all."""
        answer = await self._rest.get(_FILES, {"page_no": number, "page_size": min(max(size, 1), 100)})
        data = table(answer.get("data"))
        total = data.get("total")
        found = tuple(read_file(raw) for raw in tables(data.get("files")))
        return found, total if isinstance(total, int) else len(found)

    async def retrieve(self, file_id: str) -> ServiceFile:
        answer = await self._rest.get(f"{_FILES}/{checked_id(file_id, 'file-fe-1a2b')}")
        return read_file(table(answer.get("data")) or answer)

    async def upload(self, name: str, content: IO[bytes] | bytes, description: str = "") -> ServiceFile:
        """Upload one file, once, under `name`.

        Raises:
            ApiError: also where the upload failed inside an answer of HTTP 200.
        """
        texts = {"descriptions": description} if description else {}
        answer = await self._rest.upload(_FILES, [("files", (name, content))], texts)
        data = table(answer.get("data"))
        for failed in tables(data.get("failed_uploads")):
            raise ApiError(
                Problem(
                    _("Not uploaded"),
                    _("{name}: {reason}").format(
                        name=clean_line(name, 80), reason=line(failed, "message", 300) or line(failed, "code")
                    ),
                    code=line(failed, "code"),
                    request_id=line(answer, "request_id"),
                    delivered="no",
                )
            )
        for uploaded in tables(data.get("uploaded_files")):
            return read_file(uploaded)
        raise _nameless()

    async def delete(self, file_id: str) -> None:
        await self._rest.delete(f"{_FILES}/{checked_id(file_id, 'file-fe-1a2b')}")


def _nameless() -> ProtocolError:
    return ProtocolError(
        Problem(
            service_title("dashscope"),
            _("The service's answer lacks {name}.").format(name="id"),
            _("Try again; name the request id when you report it."),
            delivered="unknown",
        )
    )
