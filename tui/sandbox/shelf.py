"""A folder for what the sandbox remembers, so that a conversation outlives the program that embeds it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Thing(Protocol):
    """What can be kept."""

    @property
    def id(self) -> str: ...

    @property
    def created_at(self) -> float: ...


K = TypeVar("K", bound=Thing)


class Shelf:
    """One JSON file a thing, replaced as a whole. A broken or unknown file is left alone and not read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def save(self, name: str, data: Mapping[str, Any]) -> None:
        """Write `data`. A folder that cannot be written costs only the memory of it."""
        path = self._folder / f"{name}.json"
        beside = path.with_suffix(f".{os.getpid()}.new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(data, file)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def load(self, make: Callable[[dict[str, Any]], T]) -> Iterator[T]:
        """What `make` makes of each file's data."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield make(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError, KeyError):
                continue

    def clear(self) -> None:
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)


class Kept(dict[str, K]):
    """Things by id, the oldest first; in files too where there is a folder.

    Args:
        folder: that of the product; `name` is the one of the things inside it.
        make: a thing from the data of its file.
        plain: the data of a thing.
    """

    def __init__(
        self,
        folder: Path | None,
        name: str,
        make: Callable[[dict[str, Any]], K],
        plain: Callable[[Any], Mapping[str, Any]] = asdict,
    ) -> None:
        self._shelf = Shelf(folder / name) if folder else None
        self._plain = plain
        found = self._shelf.load(make) if self._shelf else ()
        super().__init__((thing.id, thing) for thing in sorted(found, key=lambda thing: thing.created_at))

    def save(self, thing: K) -> None:
        """Put it in, or keep what it is now."""
        self[thing.id] = thing
        if self._shelf:
            self._shelf.save(thing.id, self._plain(thing))

    def remove(self, thing: K) -> None:
        del self[thing.id]
        if self._shelf:
            self._shelf.remove(thing.id)

    def clear(self) -> None:
        super().clear()
        if self._shelf:
            self._shelf.clear()
