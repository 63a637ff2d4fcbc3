"""Fetching the agent's files: into a `.part` beside, then the name; private, and never over another file.

Source: protocol notes (DMS) 9.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from tui.models import Problem
from tui.services.dms_files import RemoteFile, RemoteFiles
from tui.services.errors import ApiError, ServiceError
from tui.services.oss import EXPIRED, open_link, open_new, put_in_place
from tui.text import safe_file_name
from tui.words import _

_ATTEMPTS = 3
_STEP = 0.2
"""Seconds between signs of progress."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How far a download is; the last one has `path`."""

    received: int
    size: int
    """Bytes; 0 where not told."""
    path: Path | None = None


async def download(files: RemoteFiles, file: RemoteFile, folder: Path) -> AsyncGenerator[Fetched]:
    """Fetch `file` into `folder` (made where it is not there), under a safe name that nothing has yet.

    A link that has expired is asked for anew; a connection that broke is taken up where it did. Closing the
    iterator cancels and takes the `.part` away.

    Raises:
        ServiceError: the link cannot be had, or the line fails for good.
        OSError: it cannot be written.
    """
    name = safe_file_name(file.name, "download")
    received, size, tries = 0, file.size, 0
    out, part, target = await asyncio.to_thread(open_new, folder, name)
    loop = asyncio.get_running_loop()
    try:
        while True:
            before = received
            try:
                file = await _with_link(files, file)
                async with open_link(file.link.reveal(), received, local=files.local) as (begin, whole, chunks):
                    size, told = whole or size, loop.time()
                    if begin != received:  # all of it comes again
                        received = begin
                        await asyncio.to_thread(_cut, out, begin)
                    yield Fetched(received, size)
                    async for chunk in chunks:
                        await asyncio.to_thread(out.write, chunk)
                        received += len(chunk)
                        if loop.time() - told >= _STEP:
                            told = loop.time()
                            yield Fetched(received, size)
                    if whole and received < whole:
                        raise _short()
                break
            except ServiceError as error:
                tries = tries + 1 if received == before else 1
                if tries >= _ATTEMPTS or not error.problem.retryable:
                    raise
                if error.problem.code == EXPIRED:
                    file = await _renewed(files, file)
        await asyncio.to_thread(out.close)
        path = await asyncio.to_thread(put_in_place, part, target)
        yield Fetched(received, size or received, path)
    finally:
        out.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)  # at once, cancelled or not


def _cut(file: BinaryIO, size: int) -> None:
    file.seek(size)
    file.truncate()


async def _with_link(files: RemoteFiles, file: RemoteFile) -> RemoteFile:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    if file.link and (file.link_until is None or file.link_until > soon):
        return file
    return await _renewed(files, file)


async def _renewed(files: RemoteFiles, file: RemoteFile) -> RemoteFile:
    """The file with a new link. Raises ServiceError where the service has it no more."""
    found = next((other for other in await files.list(file_id=file.id) if other.id == file.id and other.link), None)
    if found is None and file.session:
        listed = await files.list(session=file.session)
        found = next((other for other in listed if other.id == file.id and other.link), None)
    if found is None:
        raise ApiError(
            Problem(
                _("File not found"),
                _("The service has {name} no more, or gives no link to it.").format(name=file.name),
                delivered="no",
            )
        )
    return found


def _short() -> ServiceError:
    return ApiError(
        Problem(_("Object store"), _("The download ended before the file did."), delivered="yes", retryable=True)
    )
