"""Files on their way to and from the Data Agent. They go on whatever screen is shown; pure asyncio.

What was uploaded and not registered yet is on disk until it is, so that the next start can finish it: the bytes
need not be sent again. Such a note holds no credential.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.models import Problem
from tui.services.dms_options import DataSource
from tui.services.errors import ServiceError
from tui.text import clean_line
from tui.transfer import Transfer

if TYPE_CHECKING:  # httpx comes with them, and only who uploads needs it
    from tui.services.dms_files import RemoteFile, RemoteFiles
    from tui.services.upload_checks import FileCheck
    from tui.services.uploads import Progress, Registration, Upload

AT_ONCE = 2
"""Files that are sent at the same time; the others wait."""
MOST_FOLDERS = 10
FOLDERS = "folders"
"""The file with the recent folders, one a line."""
TICK = 0.5
"""Seconds between signs of progress: twice a second is what a slow line can bear."""


@dataclass
class _Job:
    """What keeps a transfer going, and lets it be taken up again."""

    run: Callable[[], AsyncGenerator[Transfer]]
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class TransferHooks:
    """What the owner of `Transfers` lends."""

    files: Callable[[], Awaitable[RemoteFiles]]
    """Raises ServiceError where the service cannot be used."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    changed: Callable[[], None] = lambda: None
    """Something in `transfers` changed; told at most a few times a second and file."""
    account: Callable[[], str] = lambda: ""
    """Whose files they are: a note of another account is left alone."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class Transfers:
    """All uploads and downloads of this run, newest last.

    Args:
        folder: where notes of uploads that are not registered yet are kept; None for in memory only.
        downloads: where fetched files go.
    """

    def __init__(self, hooks: TransferHooks, folder: Path | None, downloads: Path) -> None:
        self._hooks = hooks
        self._folder = folder
        self._downloads = downloads
        self._transfers: dict[str, Transfer] = {}
        self._jobs: dict[str, _Job] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.recent: list[Path] = []
        """Folders that files were sent from, newest first; of earlier runs too once `finish_lost` was called."""

    @property
    def transfers(self) -> Sequence[Transfer]:
        return tuple(self._transfers.values())

    @property
    def running(self) -> int:
        return sum(not transfer.is_over for transfer in self._transfers.values())

    def get(self, transfer_id: str) -> Transfer | None:
        return self._transfers.get(transfer_id)

    # --- the service's list --------------------------------------------------------------------------------

    async def listed(self, session: str = "") -> tuple[RemoteFile, ...]:
        """The files that the service has, of a session or all. Raises ServiceError."""
        return await (await self._hooks.files()).list(session=session)

    async def delete(self, file_id: str) -> None:
        """Delete a file on the service. Raises ServiceError."""
        await (await self._hooks.files()).delete(file_id)

    async def find(self, session: str, file_id: str, name: str) -> RemoteFile | None:
        """A file of a session by its id, else the newest of that name: notices tell names only. Raises ServiceError."""
        files = await self.listed(session)
        same = [file for file in files if file.id == file_id] or [file for file in files if file.name == name]
        return max(same, key=lambda file: file.created_at or datetime.min.replace(tzinfo=UTC), default=None)

    # --- beginning -----------------------------------------------------------------------------------------

    def upload(self, check: FileCheck) -> str:
        """Send a file that was checked and has no problem; the transfer's id."""
        transfer = Transfer(uuid.uuid4().hex, "upload", check.name, check.size)
        self._remember(check.path.absolute().parent)
        upload: Upload | None = None

        async def run() -> AsyncGenerator[Transfer]:
            nonlocal upload
            if upload is None:
                from tui.services.uploads import Upload

                upload = Upload(await self._hooks.files(), check, now=self._hooks.now, tick=TICK)
            kept: Registration | None = None
            async with aclosing(upload.run()) as steps:
                async for progress in steps:
                    if progress.registration is not None and kept is None:
                        kept = progress.registration
                        await asyncio.to_thread(self._keep, transfer.id, kept)
                    yield _told(self._transfers[transfer.id], progress, upload)
            if upload.file_id:
                await asyncio.to_thread(self._forget, transfer.id)

        self._begin(transfer, run)
        return transfer.id

    def download(self, file: RemoteFile) -> str:
        """Fetch a file of the service into the downloads folder; the transfer's id."""
        transfer = Transfer(uuid.uuid4().hex, "download", file.name, file.size)

        async def run() -> AsyncGenerator[Transfer]:
            from tui.services.downloads import download

            loop = asyncio.get_running_loop()
            began, told = loop.time(), 0.0
            steps = download(await self._hooks.files(), file, self._downloads)
            async with aclosing(steps):
                async for fetched in steps:
                    now = loop.time()
                    if fetched.path is None and now - told < TICK:
                        continue
                    told = now
                    held = self._transfers[transfer.id]
                    rate = fetched.received / (now - began) if now > began else 0.0
                    held = replace(held, step="receive", done=fetched.received, size=fetched.size, rate=rate)
                    yield replace(held, step="done", path=fetched.path) if fetched.path else held

        self._begin(transfer, run)
        return transfer.id

    async def finish_lost(self) -> int:
        """Register what an earlier run uploaded and could not register; how many files that is."""
        if self._folder is not None:
            self.recent += [folder for folder in await asyncio.to_thread(self._folders) if folder not in self.recent]
        notes = await asyncio.to_thread(self._notes) if self._folder else []
        for note_id, registration in notes:
            if note_id not in self._transfers:
                self._finish(note_id, registration)
        return len(notes)

    def _finish(self, note_id: str, registration: Registration) -> None:
        async def run() -> AsyncGenerator[Transfer]:
            from tui.services.uploads import register

            yield replace(self._transfers[note_id], step="register", done=registration.size)
            file_id = await register(await self._hooks.files(), registration)
            await asyncio.to_thread(self._forget, note_id)
            source = DataSource(file_id=file_id, name=registration.name)
            yield replace(self._transfers[note_id], step="done", file_id=file_id, source=source)

        self._begin(Transfer(note_id, "registration", registration.name, registration.size), run)

    # --- running -------------------------------------------------------------------------------------------

    def _begin(self, transfer: Transfer, run: Callable[[], AsyncGenerator[Transfer]]) -> None:
        self._transfers[transfer.id] = transfer
        self._jobs[transfer.id] = _Job(run)
        self._go(transfer.id)

    def _go(self, transfer_id: str) -> None:
        self._hooks.spawn(f"transfer:{transfer_id}", self._run(transfer_id, self._jobs[transfer_id]))
        self._hooks.changed()

    async def _run(self, transfer_id: str, job: _Job) -> None:
        job.task = asyncio.current_task()
        try:
            async with self._slots, aclosing(job.run()) as steps:
                async for transfer in steps:
                    self._put(transfer)
        except ServiceError as error:
            self._fail(transfer_id, error.problem)
        except OSError as error:
            name = self._transfers[transfer_id].name
            self._fail(transfer_id, Problem(name, clean_line(error.strerror or str(error)), delivered="no"))
        except asyncio.CancelledError:
            if (held := self._transfers.get(transfer_id)) is not None and not held.is_over:
                self._put(replace(held, step="cancelled", failed_step=held.step, rate=0.0))
            raise
        finally:
            job.task = None

    def _put(self, transfer: Transfer) -> None:
        if transfer.id in self._transfers:
            self._transfers[transfer.id] = transfer
            self._hooks.changed()

    def _fail(self, transfer_id: str, problem: Problem) -> None:
        held = self._transfers[transfer_id]
        self._put(replace(held, step="failed", failed_step=held.step, problem=problem, rate=0.0))

    def cancel(self, transfer_id: str) -> None:
        """Stop a transfer; it can be taken up again by `retry`."""
        job = self._jobs.get(transfer_id)
        if job is not None and job.task is not None:
            job.task.cancel()

    def retry(self, transfer_id: str) -> None:
        """Go on from the step that failed."""
        held, job = self._transfers.get(transfer_id), self._jobs.get(transfer_id)
        if held is not None and job is not None and job.task is None and held.step in ("failed", "cancelled"):
            self._transfers[transfer_id] = replace(held, step="queued", problem=None)
            self._go(transfer_id)

    def dismiss(self, transfer_id: str) -> None:
        """Take one that is over off the list."""
        held = self._transfers.get(transfer_id)
        if held is not None and held.is_over:
            del self._transfers[transfer_id], self._jobs[transfer_id]
            self._hooks.changed()

    def _remember(self, folder: Path) -> None:
        if self.recent[:1] != [folder]:
            self.recent = [folder, *(known for known in self.recent if known != folder)][:MOST_FOLDERS]
            lines = "\n".join(str(known) for known in self.recent if "\n" not in str(known))
            self._hooks.spawn(
                "recent-folders", asyncio.to_thread(self._write, FOLDERS, lines.encode("utf-8", "replace"))
            )

    # --- notes on disk; blocking ---------------------------------------------------------------------------

    def _keep(self, note_id: str, registration: Registration) -> None:
        if self._folder is None:
            return
        import tomli_w

        note = {
            "name": registration.name,
            "location": registration.location,
            "size": registration.size,
            "uploaded_at": registration.uploaded_at,
            "account": self._hooks.account(),
        }
        self._write(f"{note_id}.toml", tomli_w.dumps(note).encode())

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        from tui.cache import files

        with suppress(OSError):  # it is in memory all the same
            files.private_folder(self._folder)
            files.replace(self._folder / name, data)

    def _folders(self) -> list[Path]:
        assert self._folder is not None
        with suppress(OSError, ValueError):
            lines = (self._folder / FOLDERS).read_text(encoding="utf-8").splitlines()
            return [Path(line) for line in lines if line.startswith("/")][:MOST_FOLDERS]
        return []

    def _forget(self, note_id: str) -> None:
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / f"{note_id}.toml").unlink(missing_ok=True)

    def _notes(self) -> list[tuple[str, Registration]]:
        """The notes of this account; one that cannot be read is left as it is."""
        assert self._folder is not None
        paths = sorted(self._folder.glob("*.toml")) if self._folder.is_dir() else []
        if not paths:
            return []
        import tomli

        from tui.services.uploads import Registration

        found = []
        for path in paths:
            with suppress(OSError, ValueError, KeyError, TypeError):
                note = tomli.loads(path.read_text(encoding="utf-8"))
                if note["account"] == self._hooks.account():
                    registration = Registration(
                        str(note["name"]), str(note["location"]), int(note["size"]), note["uploaded_at"]
                    )
                    found.append((path.stem, registration))
        return found


def _told(held: Transfer, progress: Progress, upload: Upload) -> Transfer:
    """The transfer after a sign of progress."""
    changed = replace(held, done=progress.sent, rate=progress.rate, file_id=progress.file_id)
    if progress.problem is not None:
        return replace(changed, step="failed", failed_step=progress.step, problem=progress.problem, rate=0.0)
    if progress.step == "done":
        return replace(changed, step="done", done=held.size, rate=0.0, source=upload.source())
    return replace(changed, step=progress.step)
