"""What is kept of assistants on this machine: profiles, earlier versions, agreed commands.

No secret, but for what further keys of a profile's tools hold (the header of an MCP server): they are nowhere else.

`<state>/assistants/`: `profiles.toml` in the format of exports, `commands.json`, and below `versions/` a file for each
edited assistant. Files are private, replaced as a whole, changed under a lock (two windows are
normal), and set aside where they are broken. Everything here blocks: call it in a thread. Without a folder it is all
in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tui.assistants.fields import AnyAssistant
from tui.assistants.files import Entry, FileProblem, dump, read_entries, read_entry, to_table
from tui.services.assistant_models import AssistantProfile

VERSIONS = 20
"""That are kept of each assistant."""
MOST_CONFIRMED = 500

Why = Literal["found", "saved", "deleted"]
"""`found`: as it was before the first change made here."""


@dataclass(frozen=True, slots=True)
class Version:
    """An assistant as it was at a time."""

    at: datetime
    why: Why
    entry: Entry


@dataclass
class AssistantStore:
    """`folder` is the state folder; None keeps everything in memory."""

    folder: Path | None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _memory: dict[str, bytes] = field(default_factory=dict)

    # --- profiles ------------------------------------------------------------------------------------------

    def profiles(self) -> tuple[AssistantProfile, ...]:
        """The local profiles, in the order in which they were made. Raises OSError."""
        return tuple(self._profiles(self._read("profiles.toml")))

    def put_profile(self, profile: AssistantProfile) -> None:
        """Add it, or replace the one with its id. Raises OSError."""
        with self._changing("profiles.toml"):
            held = {one.id: one for one in self.profiles()} | {profile.id: profile}
            self._write("profiles.toml", dump(held.values(), "toml", secrets=True).encode())

    def drop_profile(self, profile_id: str) -> None:
        with self._changing("profiles.toml"):
            kept = [one for one in self.profiles() if one.id != profile_id]
            self._write("profiles.toml", dump(kept, "toml", secrets=True).encode())

    def _profiles(self, data: bytes) -> Iterator[AssistantProfile]:
        if not data:
            return
        try:
            entries = read_entries(data.decode(), "toml")
        except (FileProblem, UnicodeDecodeError):
            self._set_aside("profiles.toml")
            return
        for entry in entries:
            profile = entry.fresh()
            if isinstance(profile, AssistantProfile) and entry.id:
                yield replace(profile, id=entry.id)

    # --- versions ------------------------------------------------------------------------------------------

    def versions(self, assistant_id: str) -> tuple[Version, ...]:
        """The versions of an assistant, newest first. Raises OSError."""
        table = self._table(_versions_file(assistant_id))
        found = []
        for raw in _rows(table, "versions"):
            try:
                found.append(Version(datetime.fromisoformat(raw["at"]), raw["why"], read_entry(raw["assistant"])))
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
        return tuple(reversed(found))

    def add_version(self, assistant: AnyAssistant, why: Why, *, found: AnyAssistant | None = None) -> None:
        """Keep a version; of the same state as the newest one only the time becomes another.

        Args:
            found: how it was before, kept too where it is not the newest version (somebody else changed it).

        Raises:
            OSError: it is not kept.
        """
        name = _versions_file(assistant.id)
        with self._changing(name):
            kept: list[dict[str, Any]] = _rows(self._table(name), "versions")
            for state, reason in [(found, "found"), (assistant, why)]:
                if state is None:
                    continue
                table = to_table(state)
                if kept and kept[-1].get("assistant") == table and reason != "deleted":
                    continue
                kept.append({"at": self.now().isoformat(), "why": reason, "assistant": table})
            self._write(name, _json({"format": 1, "id": assistant.id, "versions": kept[-VERSIONS:]}))

    def edited_ids(self) -> tuple[str, ...]:
        """Ids of all assistants of which versions are kept: also of those that are deleted."""
        if self.folder is None:
            names = [name for name in self._memory if name.startswith("versions/")]
        else:
            names = [f"versions/{path.name}" for path in sorted((self.folder / "assistants/versions").glob("*.json"))]
        return tuple(str(found) for name in names if (found := self._table(name).get("id")))

    # --- commands ------------------------------------------------------------------------------------------

    def confirmed(self) -> frozenset[str]:
        """Fingerprints of the commands that the user agreed to."""
        return frozenset(self._confirmed())

    def _confirmed(self) -> list[str]:
        held = self._table("commands.json").get("confirmed")
        return [mark for mark in held if isinstance(mark, str)] if isinstance(held, list) else []

    def confirm(self, fingerprint: str) -> None:
        """Raises OSError."""
        with self._changing("commands.json"):
            held = [*self._confirmed(), fingerprint]
            self._write("commands.json", _json({"format": 1, "confirmed": held[-MOST_CONFIRMED:]}))

    # --- files ---------------------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / "assistants" / name

    def _table(self, name: str) -> dict[str, Any]:
        """A JSON file's object; {} where there is none, and where it is broken."""
        data = self._read(name)
        if not data:
            return {}
        try:
            table = json.loads(data)
        except ValueError:
            self._set_aside(name)
            return {}
        return table if isinstance(table, dict) else {}

    def _read(self, name: str) -> bytes:
        if self.folder is None:
            return self._memory.get(name, b"")
        from tui.cache import files

        try:
            return files.read_from(self._path(name))[0]
        except FileNotFoundError:
            return b""

    def _write(self, name: str, data: bytes) -> None:
        if self.folder is None:
            self._memory[name] = data
            return
        from tui.cache import files

        files.replace(self._path(name), data)

    def _set_aside(self, name: str) -> None:
        if self.folder is not None:
            from tui.cache import files

            files.set_aside(self._path(name), self.now())
            self._path(name).unlink(missing_ok=True)

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        """Hold a file while it is read and replaced, against another window."""
        if self.folder is None:
            yield
            return
        import os

        from tui.cache import files

        path = self._path(name)
        files.private_folder(self._path(""))
        files.private_folder(path.parent)
        with files.locked(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT):
            yield


def _versions_file(assistant_id: str) -> str:
    from hashlib import sha256

    from tui.text import safe_file_name

    name = safe_file_name(assistant_id, "assistant")
    if name != assistant_id:  # an id that is no file name: two of them must not share one
        name = f"{name[:60]}-{sha256(assistant_id.encode()).hexdigest()[:12]}"
    return f"versions/{name}.json"


def _rows(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list of a file that somebody may have edited."""
    rows = table.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _json(table: Mapping[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, indent=1).encode()
