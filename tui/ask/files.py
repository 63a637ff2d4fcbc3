"""Tables that `yunliao ask --file` sends along: checked before any byte goes, then uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from tui.models import Problem
from tui.services.dms_files import RemoteFiles
from tui.services.dms_options import DataSource
from tui.services.upload_checks import FileCheck, check_file
from tui.services.uploads import Upload
from tui.text import clean_line
from tui.words import _


class FileRefused(Exception):
    """A file may not be uploaded, or did not get there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


async def check_files(paths: Sequence[Path]) -> list[FileCheck]:
    """Look into the files. Raises FileRefused for the first that may not go."""
    checks = [await asyncio.to_thread(check_file, path) for path in paths]
    for check in checks:
        if check.problem is not None:
            raise FileRefused(check.problem)
    return checks


async def upload_files(files: RemoteFiles, checks: Sequence[FileCheck], say: Callable[[str], None]) -> list[DataSource]:
    """Send them one by one, saying how far they are. Raises FileRefused."""
    sources: list[DataSource] = []
    for check in checks:
        upload = Upload(files, check, tick=1.0)
        told = -1
        async with aclosing(upload.run()) as steps:
            async for progress in steps:
                if progress.problem is not None:
                    raise FileRefused(progress.problem)
                part = progress.sent * 10 // max(1, progress.size)
                if progress.step == "send" and part != told:
                    told = part
                    say(_("uploading {name}: {percent} %").format(name=clean_line(check.name), percent=part * 10))
        say(_("uploaded {name}: {id}").format(name=clean_line(check.name), id=upload.file_id))
        sources.append(upload.source())
    return sources
