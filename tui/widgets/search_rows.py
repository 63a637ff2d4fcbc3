"""The order of search hits on screen: by conversation, the one with the newest hit first. No Textual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.cache.matching import SearchHit


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one conversation, newest first."""

    conversation_id: str
    hits: tuple[SearchHit, ...]


class HitRows:
    """A heading for each conversation and its hits below it; hits are numbered from 0 over all groups."""

    def __init__(self, hits: Iterable[SearchHit] = (), limit: int = 0) -> None:
        """At most `limit` hits, the newest, where it is not 0; one turn counts once."""
        known = {(hit.conversation_id, hit.turn_id): hit for hit in hits}
        newest_first = sorted(known.values(), key=lambda hit: hit.asked_at, reverse=True)
        self.cut = bool(limit) and len(newest_first) > limit
        """There were more."""
        by_conversation: dict[str, list[SearchHit]] = {}
        for hit in newest_first[: limit or None]:
            by_conversation.setdefault(hit.conversation_id, []).append(hit)
        self.groups = [HitGroup(key, tuple(held)) for key, held in by_conversation.items()]
        self.hits: Sequence[SearchHit] = [hit for group in self.groups for hit in group.hits]
        self._rows: list[HitGroup | int] = []
        self._row_of: list[int] = []
        for group in self.groups:
            self._rows.append(group)
            for _hit in group.hits:
                self._row_of.append(len(self._rows))
                self._rows.append(len(self._row_of) - 1)

    @property
    def height(self) -> int:
        return len(self._rows)

    def at(self, row: int) -> HitGroup | int | None:
        """The group whose heading stands in `row`, or the number of a hit, or nothing."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, number: int) -> int:
        """The row of a hit."""
        return self._row_of[number]

    def is_first(self, number: int) -> bool:
        """Whether a heading stands right above the hit."""
        return not isinstance(self._rows[self._row_of[number] - 1], int)

    def find(self, conversation_id: str, turn_id: str) -> int | None:
        """The number of a turn's hit."""
        wanted = (conversation_id, turn_id)
        return next((n for n, hit in enumerate(self.hits) if (hit.conversation_id, hit.turn_id) == wanted), None)
