"""Edits of assistants that are not saved: kept on disk until they are, compared with what is there now."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from tui.assistants.fields import AnyAssistant, changed_fields
from tui.assistants.files import Entry, read_entry, to_table
from tui.cache.edits import EditFiles
from tui.services.assistant_models import Assistant, AssistantProfile

NEW = "new:"
"""What the key of a draft begins with whose assistant does not exist yet."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An assistant while it is edited: `base` as it was read (no id where it is new), `value` as it shall be."""

    key: str
    base: AnyAssistant
    value: AnyAssistant

    @property
    def is_new(self) -> bool:
        return self.key.startswith(NEW)

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields that differ from what was read, in the order of the form."""
        return changed_fields(self.base, self.value)

    def text(self) -> str:
        """As it is kept on disk, without tokens."""
        return json.dumps({"base": to_table(self.base), "value": to_table(self.value)}, ensure_ascii=False, indent=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A draft beside what is saved at this moment."""

    draft: Draft
    current: AnyAssistant
    theirs: tuple[str, ...]
    """The fields that became others there since the draft was begun."""
    clashes: tuple[str, ...]
    """Those of them that the draft changes too, to something else."""
    merged: AnyAssistant
    """What is there now with the draft's changes on top: what a save makes."""


def new_draft(value: AnyAssistant) -> Draft:
    """A draft of a new assistant that begins as `value`."""
    blank: AnyAssistant = Assistant("", "") if isinstance(value, Assistant) else AssistantProfile("", "")
    return Draft(f"{NEW}{uuid.uuid4().hex[:12]}", blank, replace(value, id=""))


def compared(draft: Draft, current: AnyAssistant) -> Comparison:
    """A draft beside `current`, which is what its assistant is now."""
    if draft.is_new:
        return Comparison(draft, draft.base, (), (), draft.value)
    theirs = changed_fields(draft.base, current)
    clashes = tuple(
        name for name in theirs if name in draft.changed and getattr(draft.value, name) != getattr(current, name)
    )
    merged = replace(current, **{name: getattr(draft.value, name) for name in draft.changed})
    return Comparison(draft, current, theirs, clashes, merged)


class Drafts:
    """The drafts of this run by key: the assistant's id, or `NEW...` for one that does not exist yet."""

    def __init__(self, files: EditFiles) -> None:
        self._files = files
        self._held: dict[str, Draft] = {}
        self._read = False
        self._reading = asyncio.Lock()

    @property
    def held(self) -> Mapping[str, Draft]:
        return self._held

    def put(self, draft: Draft) -> None:
        """Hold a draft; one without changes of an assistant that exists is none."""
        if draft.is_new or draft.changed:
            self._held[draft.key] = draft
            self._files.keep(draft.key, draft.text)
        else:
            self.drop(draft.key)

    def drop(self, key: str) -> bool:
        """Whether there was one."""
        if self._held.pop(key, None) is None:
            return False
        self._files.forget(key)
        return True

    async def take_up(self, find: Callable[[str], AnyAssistant | None]) -> None:
        """Read the drafts of an earlier run, once; tokens, which are not kept, are those that `find` knows."""
        async with self._reading:
            if self._read:
                return
            for key, text in await self._files.read():
                with suppress(ValueError, KeyError, TypeError):  # it stays on disk as it is
                    table = json.loads(text)
                    base = _identified(read_entry(table["base"]), find(key))
                    self._held.setdefault(key, Draft(key, base, read_entry(table["value"]).over(base)))
            self._read = True


def _identified(entry: Entry, held: AnyAssistant | None) -> AnyAssistant:
    """What was read when a draft was begun, with the tokens that its assistant has now."""
    fresh = entry.fresh()
    return entry.over(replace(fresh, id=entry.id, tools=held.tools if held is not None else ()))
