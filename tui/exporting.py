"""Writing conversations to files and reading them back: the desk between the screen and `tui.exports`. Pure asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from tui.models import Conversation, ServiceName
from tui.text import safe_file_name
from tui.words import _, language

if TYPE_CHECKING:
    from tui.cache.store import Store
    from tui.exports.redaction import Level

Form = Literal["md", "html", "json", "zip", "folder"]
FORMS: tuple[Form, ...] = get_args(Form)
"""`zip` and `folder` are bundles: all three forms of each conversation, a timeline and a manifest."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export, and how."""

    conversations: Sequence[str]
    """Ids; the newest-asked comes last in a file of several."""
    turn: str = ""
    """Only this turn, of the only conversation."""
    form: Form = "md"
    redact: Level = "secrets"
    thinking: bool = False
    tools: bool = True
    title: str = ""
    """Of a bundle; what the incident is called."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What would be, or was, written: file names and their contents."""

    files: Mapping[str, bytes]
    name: str
    """Of the file, or of the folder."""
    redacted: Mapping[str, int] = field(default_factory=dict)
    contents: Sequence[str] = ()
    """What is in a bundle: its files with their sizes, then its front page."""

    @property
    def size(self) -> int:
        return sum(len(content) for content in self.files.values())


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the conversations of a file."""

    new: tuple[str, ...] = ()
    """Their ids here."""
    known: int = 0
    """So many were here already, and were left alone."""


class Exporting:
    """See the module. `load` gives a conversation as it stands, and raises KeyError and ServiceError."""

    def __init__(
        self,
        store: Callable[[], Awaitable[Store]],
        load: Callable[[str], Awaitable[Conversation]],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._load = load
        self._now = now

    async def render(self, request: ExportRequest) -> Exported:
        """Make the files of an export, in memory. Raises KeyError, ServiceError."""
        loaded = [await self._load(conversation_id) for conversation_id in request.conversations]
        return await asyncio.to_thread(render, request, loaded, self._now())

    async def write(self, exported: Exported, folder: Path) -> Path:
        """Write an export below `folder`, for its owner alone, under a name that is not taken. Raises OSError."""
        return await asyncio.to_thread(write, exported, folder)

    async def read_file(self, path: str) -> Imported:
        """Take in the conversations of a file, `~` is the home. Raises OSError, NotOurs."""
        # The one of pathlib raises RuntimeError where there is no such home.
        return await self.read(await asyncio.to_thread(lambda: Path(os.path.expanduser(path)).read_bytes()))

    async def read(self, data: bytes, service: ServiceName | Literal[""] = "") -> Imported:
        """Take in the conversations of an export in JSON that are not here yet, all or those with one service.

        Raises:
            NotOurs: it is no export, or a conversation in it cannot be read; nothing was taken.
        """
        from tui.cache.carrying import take_in
        from tui.exports.portable import from_json

        store = await self._store()
        found = await asyncio.to_thread(from_json, data)
        conversations = [each for each in found if service in ("", each.service)]
        new = await take_in(store, conversations)
        return Imported(tuple(new), len(conversations) - len(new))


def render(request: ExportRequest, conversations: Sequence[Conversation], now: datetime) -> Exported:
    """The files of an export of these conversations. Takes time with long ones: for a thread."""
    from tui.exports.bundle import Incident, as_zip, bundle
    from tui.exports.html import as_html
    from tui.exports.markdown import Shape, as_markdown
    from tui.exports.portable import as_json
    from tui.exports.redaction import Redactor

    local = now.astimezone()
    shape = Shape(request.thinking, request.tools, local.tzinfo or now.tzinfo or Shape().zone)
    redactor = Redactor(request.redact)
    oldest_first = sorted(conversations, key=lambda each: each.updated_at)
    clean = [redactor.conversation(each) for each in oldest_first]
    stamp = f"{local:%Y%m%d-%H%M%S}"
    title = redactor.text(request.title) or (clean[0].title if clean else "") or _("untitled")
    name = safe_file_name(f"{title[:60]}-{stamp}", stamp)
    if request.form in ("zip", "folder"):
        files = bundle(Incident(title, clean, now, dict(redactor.counts)), shape)
        sizes = [f"{len(content):>10,}  {each}" for each, content in files.items()]
        contents = (*sizes, "", *files["README.md"].decode().splitlines())
        if request.form == "zip":
            files = {f"{name}.zip": as_zip(files, name, local)}
            name = f"{name}.zip"
        return Exported(files, name, dict(redactor.counts), contents)
    chosen = [[turn for turn in each.turns if request.turn in ("", turn.id)] for each in clean]
    if request.form == "json":
        parts = [replace(each, turns=tuple(turns)) for each, turns in zip(clean, chosen, strict=True)]
        text = as_json(parts, now)
    else:
        text = "\n".join(as_markdown(each, shape, turns) for each, turns in zip(clean, chosen, strict=True))
        if request.form == "html":
            text = as_html(text, title, language())
    name = f"{name}.{request.form}"
    return Exported({name: text.encode()}, name, dict(redactor.counts))


def write(exported: Exported, folder: Path, name: str = "") -> Path:
    """Write an export below `folder`; where it is. Blocks. Raises OSError.

    With `name` under that name or not at all; else under its own, numbered where that is taken. A folder that is there
    stays as open to others as it is; what is written is not.
    """
    from tui.cache.files import create, private_folder

    if not folder.exists():
        private_folder(folder)
    is_folder = len(exported.files) > 1
    for number in range(1000):
        stem, dot, suffix = exported.name.rpartition(".") if not is_folder else (exported.name, "", "")
        target = folder / (name or (f"{stem} ({number}){dot}{suffix}" if number else exported.name))
        try:
            if not is_folder:
                create(target, next(iter(exported.files.values())))
                return target
            target.mkdir(mode=0o700)
        except FileExistsError:
            if name:
                raise
            continue
        for name, content in exported.files.items():
            (target / name).parent.mkdir(mode=0o700, exist_ok=True)
            create(target / name, content)
        return target
    raise FileExistsError(str(folder / exported.name))
