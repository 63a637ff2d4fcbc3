"""The objects of the sandbox's bucket: bytes in a folder, never in memory."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path

from tui.sandbox.shelf import Shelf

BUCKET = "sandbox-dms"
_PREFIX = "yunliao-sandbox-"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`path` is where its bytes lie."""

    key: str
    size: int
    content_type: str
    path: Path


class ObjectStore:
    """Objects by key.

    Args:
        folder: where they are kept; None for a temporary folder that goes with this store.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder or temporary_folder(self)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shelf = Shelf(self.folder / "index")
        self._objects = {found.key: found for found in self._shelf.load(self._from_json)}

    def _from_json(self, data: dict[str, object]) -> StoredObject:
        key, size = str(data["key"]), int(str(data["size"]))
        path = self._path(key)
        if not path.exists():
            raise ValueError("its bytes are gone")
        return StoredObject(key, size, str(data["content_type"]), path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{_mark(key)}.bin"

    def get(self, key: str) -> StoredObject | None:
        return self._objects.get(key)

    def keys(self) -> list[str]:
        return list(self._objects)

    def put(self, key: str, data: bytes, content_type: str) -> StoredObject:
        """Store `data` under `key`, in the place of what was there."""
        beside = self.beside(key)
        beside.write_bytes(data)
        return self.take(key, beside, content_type)

    def beside(self, key: str) -> Path:
        """A new place for the bytes of `key`, until `take` makes an object of them."""
        return self.folder / f"{_mark(key)}-{secrets.token_hex(4)}.part"

    def take(self, key: str, written: Path, content_type: str) -> StoredObject:
        """Make an object of a file that `beside` named."""
        path = self._path(key)
        written.replace(path)
        stored = StoredObject(key, path.stat().st_size, content_type, path)
        self._objects[key] = stored
        self._shelf.save(_mark(key), {name: value for name, value in asdict(stored).items() if name != "path"})
        return stored

    def remove(self, key: str) -> None:
        """Harmless for a key that is not there."""
        if self._objects.pop(key, None):
            self._path(key).unlink(missing_ok=True)
            self._shelf.remove(_mark(key))

    def clear(self) -> None:
        for key in self.keys():
            self.remove(key)


def temporary_folder(owner: object) -> Path:
    """A new folder that is removed when `owner` goes, or the program ends; what killed programs left goes now."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    path = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    weakref.finalize(owner, shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _mark(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]
