"""One file on its way to the Data Agent: leave, form, registration. Source: protocol notes (DMS) 9.1.

    upload = Upload(service.files, check)
    async for progress in upload.run(): ...

A step that failed is tried again by running the same upload once more: what was done already stays done, and leave
that has expired is asked for anew. Closing the iterator (or cancelling the task that reads it) cancels.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from tui.models import Problem
from tui.services.dms_files import RemoteFiles, UploadGrant
from tui.services.dms_options import DataSource
from tui.services.errors import ServiceError
from tui.services.oss import EXPIRED, FileChanged, Form, post_form
from tui.services.upload_checks import FileCheck
from tui.text import clean_line
from tui.words import _

TICK = 0.2
"""Seconds between signs of progress."""
_WINDOW = 5.0
"""Seconds over which the rate is measured."""

Step = Literal["leave", "send", "register", "done"]


@dataclass(frozen=True, slots=True)
class Registration:
    """A file that lies in the store and that the agent has not been told of: to be kept until it has.

    Without it the bytes would have to be sent again. It holds no credential.
    """

    name: str
    location: str
    size: int
    """Bytes."""
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an upload stands. The last one has `step` "done" and a `file_id`, or a `problem` with the step."""

    step: Step
    sent: int
    size: int
    """Bytes."""
    rate: float = 0.0
    """Bytes a second, lately."""
    file_id: str = ""
    registration: Registration | None = None
    """To be kept from now on: the step "register" begins after this was given out."""
    problem: Problem | None = None

    @property
    def remaining(self) -> float | None:
        """Seconds that sending still takes at this rate; None where that is not known."""
        return (self.size - self.sent) / self.rate if self.rate > 0 and self.step == "send" else None


class Upload:
    """One file; `run` takes it as far as it gets."""

    def __init__(
        self,
        files: RemoteFiles,
        check: FileCheck,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tick: float = TICK,
    ) -> None:
        if check.problem is not None:
            raise ValueError(f"{check.name} may not be uploaded")
        self.check = check
        self.file_id = ""
        self.registration: Registration | None = None
        self._files = files
        self._now = now
        self._tick = tick
        self._grant: UploadGrant | None = None
        self._sent = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._register_again = False

    @property
    def step(self) -> Step:
        """The step that comes next."""
        if self.file_id:
            return "done"
        if self.registration is not None:
            return "register"
        return "send" if self._grant is not None else "leave"

    def source(self, region: str = "") -> DataSource:
        """The uploaded file, to be worked on."""
        return DataSource(file_id=self.file_id, name=self.check.name, tables=self.check.sheets[:20], region=region)

    async def run(self) -> AsyncGenerator[Progress]:
        """Take the steps that are left; never raises ServiceError or OSError, but ends with a `problem`."""
        try:
            if self.registration is None:
                for attempt in (1, 2):
                    if self._grant is None or not self._grant.is_fresh(self._now()):
                        yield self._progress("leave")
                        self._grant = await self._files.grant()
                    try:
                        async for progress in self._send(self._grant):
                            yield progress
                        break
                    except ServiceError as error:
                        if error.problem.code != EXPIRED or attempt == 2:
                            raise
                        self._grant = None
                self.registration = self._registration(self._grant)
            if not self.file_id:
                yield self._progress("register")
                self.file_id = await self._register(self.registration)
            yield self._progress("done")
        except ServiceError as error:
            yield replace(self._progress(self.step), problem=error.problem)
        except FileChanged:
            self._grant = None
            sentence = _("The file changed while it was sent.")
            problem = Problem(self.check.name, sentence, _("Check it again, then upload it."), delivered="no")
            yield replace(self._progress("send"), problem=problem)
        except OSError as error:
            sentence = clean_line(error.strerror or str(error))
            yield replace(self._progress("send"), problem=Problem(self.check.name, sentence, delivered="no"))

    def _progress(self, step: Step) -> Progress:
        rate = 0.0
        if len(self._marks) > 1:
            (first, from_bytes), (last, to_bytes) = self._marks[0], self._marks[-1]
            rate = (to_bytes - from_bytes) / (last - first) if last > first else 0.0
        return Progress(step, self._sent, self.check.size, rate, self.file_id, self.registration)

    async def _send(self, grant: UploadGrant) -> AsyncGenerator[Progress]:
        status = await asyncio.to_thread(self.check.path.stat)
        if (status.st_size, status.st_mtime) != (self.check.size, self.check.modified):
            raise FileChanged
        self._sent = 0
        self._marks.clear()
        form = Form.make(form_fields(grant, self.check.name), self.check.name, self.check.media_type)
        task = asyncio.create_task(
            post_form(grant.host, form, self.check.path, self.check.size, self._note, local=self._files.local),
            name="upload",
        )
        try:
            self._mark()
            while not task.done():
                yield self._progress("send")
                await asyncio.wait({task}, timeout=self._tick)
                self._mark()
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, ServiceError, OSError, FileChanged):
                await task

    def _note(self, sent: int) -> None:
        self._sent = sent

    def _mark(self) -> None:
        now = asyncio.get_running_loop().time()
        self._marks.append((now, self._sent))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()

    def _registration(self, grant: UploadGrant | None) -> Registration:
        assert grant is not None
        return Registration(self.check.name, location(grant, self.check.name), self.check.size, self._now())

    async def _register(self, registration: Registration) -> str:
        again, self._register_again = self._register_again, True
        return await register(self._files, registration, look_first=again)


async def register(files: RemoteFiles, registration: Registration, *, look_first: bool = True) -> str:
    """Tell the agent of a file that was uploaded (perhaps by an earlier run of the program); its file id.

    With `look_first` it is looked up whether the service knows it already: the answer may have been lost.

    Raises:
        ServiceError: as `RemoteFiles.register`.
    """
    if look_first and (known := await _known(files, registration)):
        return known
    try:
        return await files.register(registration.name, registration.location, registration.size)
    except ServiceError as error:
        if error.problem.delivered != "no" and (known := await _known(files, registration)):
            return known
        raise


async def _known(files: RemoteFiles, registration: Registration) -> str:
    with suppress(ServiceError):
        for file in await files.list():
            if file.location == registration.location:
                return file.id
    return ""


def location(grant: UploadGrant, name: str) -> str:
    """Where the file lies in the store: the form's `key`."""
    return f"{grant.folder.rstrip('/')}/{name}"


def form_fields(grant: UploadGrant, name: str) -> list[tuple[str, str]]:
    """The fields before the file, in the order of protocol notes (DMS) 9.2."""
    return [
        ("success_action_status", "200"),
        ("policy", grant.policy.reveal()),
        ("x-oss-signature", grant.signature.reveal()),
        ("x-oss-signature-version", grant.signature_version),
        ("x-oss-credential", grant.credential),
        ("x-oss-date", grant.date),
        ("key", location(grant, name)),
        ("x-oss-security-token", grant.token.reveal()),
    ]
