"""The folders of the cache, and what to say when they cannot be used."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from tui.cache.files import NotOurs, create, private_folder
from tui.words import _


@dataclass(frozen=True, slots=True)
class Places:
    conversations: Path
    locks: Path
    drafts: Path
    index: Path
    history: Path

    def journal(self, conversation_id: str) -> Path:
        return self.conversations / f"{conversation_id}.toml"

    def lock(self, conversation_id: str) -> Path:
        return self.locks / f"{conversation_id}.lock"


def prepare(root: Path) -> tuple[Places, list[Path]]:
    """Make the folders below `root`, private; the places, and the folders whose modes had to be repaired.

    Raises:
        NotOurs: a folder belongs to somebody else, or is a link that leads out of `root`.
        OSError: they are not there and cannot be made.
    """
    places = Places(
        root / "conversations", root / "locks", root / "drafts", root / "index.tsv", root / "questions.toml"
    )
    repaired = [root] if private_folder(root) else []
    inside = root.resolve()
    for folder in (places.conversations, places.locks, places.drafts):
        if folder.is_symlink() and not folder.resolve().is_relative_to(inside):
            raise NotOurs(errno.ELOOP, "", str(folder))
        if private_folder(folder):
            repaired.append(folder)
    return places, repaired


def probe(places: Places) -> OSError | None:
    """Why nothing can be written to the folders now; they may still be read."""
    path = places.locks / f".probe-{os.getpid()}"
    try:
        create(path, b"?")
        path.unlink()
    except OSError as error:
        return error
    return None


def failure(root: Path, error: OSError) -> str:
    """Why what is new is kept in memory only, in a sentence."""
    folder = error.filename or root
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            text = _("The disk is full ({folder}): what is new is kept in memory only.")
        case errno.EROFS:
            text = _("{folder} is read-only: what is new is kept in memory only.")
        case errno.ELOOP:
            text = _("{folder} is a link that leads elsewhere: what is new is kept in memory only.")
        case errno.EPERM if isinstance(error, NotOurs):
            text = _("{folder} belongs to another user: what is new is kept in memory only.")
        case _:
            text = _("{folder} cannot be written: what is new is kept in memory only.")
    return text.format(folder=folder)
