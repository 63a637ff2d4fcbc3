"""A folder for what the sandbox remembers, so that a conversation outlives the program that embeds it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


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
