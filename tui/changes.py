"""What a save is about to change, field by field, in lines that can be read before it happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 2
"""Lines of a long text that are shown around a change."""
SHORT = 60
"""Characters up to which an old and a new value stand in one line."""

LineKind = Literal["kept", "removed", "added", "skipped"]


@dataclass(frozen=True, slots=True)
class Change:
    """One field that becomes another. `field` is its name in the user's language; "" is a value that is not set."""

    field: str
    old: str
    new: str

    @property
    def is_short(self) -> bool:
        """Old and new fit one line each."""
        return not any("\n" in value or len(value) > SHORT for value in (self.old, self.new))


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a text as it was or becomes; `skipped` stands for `count` lines that are the same."""

    kind: LineKind
    text: str = ""
    count: int = 0


def diff_lines(old: str, new: str, context: int = CONTEXT) -> Iterator[DiffLine]:
    """The lines by which `new` differs from `old`, with `context` lines around each place.

    Plain line comparison: `autojunk` is off, since instructions repeat short lines that matter.
    """
    before, after = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    at = 0
    for group in matcher.get_grouped_opcodes(context):
        start = group[0][1]
        if start > at:
            yield DiffLine("skipped", count=start - at)
        for tag, first, last, into, until in group:
            if tag == "equal":
                yield from (DiffLine("kept", line) for line in before[first:last])
            else:
                yield from (DiffLine("removed", line) for line in before[first:last])
                yield from (DiffLine("added", line) for line in after[into:until])
        at = group[-1][2]
    if at and at < len(before):
        yield DiffLine("skipped", count=len(before) - at)


def changes_between(fields: Sequence[tuple[str, str, str]]) -> tuple[Change, ...]:
    """The (name, old, new) that differ, in their order."""
    return tuple(Change(*entry) for entry in fields if entry[1] != entry[2])
