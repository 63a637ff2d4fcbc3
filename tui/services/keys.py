"""What signs a request: an access key, and who hands it out. Free of any I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Secret:
    """A text that shows itself only to `reveal()`; its `repr`, `str` and format are `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is never written")


NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key, with its token where it is a temporary one (STS)."""

    id: str
    secret: Secret
    token: Secret = NO_SECRET
    expires_at: datetime | None = None
    """UTC; None for a key without end, or one whose end is not told."""
    source: str = ""
    """Where it came from, in the credentials package's words: `env`, `cli_profile/ram_role_arn` ..."""

    @property
    def masked(self) -> str:
        """The id as it may be shown: `LTAI…3f2a`."""
        return f"{self.id[:4]}…{self.id[-4:]}" if len(self.id) > 10 else f"{self.id[:2]}…"

    def remaining(self, now: datetime | None = None) -> float | None:
        """Seconds until the token ends; None where there is no end."""
        if self.expires_at is None:
            return None
        return (self.expires_at - (now or datetime.now(UTC))).total_seconds()


class KeySource(Protocol):
    """Hands out the key to sign with; fresh for as long as it is asked."""

    async def key(self) -> AccessKey:
        """Raises ConfigurationError when there is none."""

    def forget(self) -> None:
        """Drop what is held: the service refused it, so the next `key` reads anew."""


@dataclass(frozen=True, slots=True)
class FixedKey:
    """A key that never changes: the sandbox's, a test's."""

    access_key: AccessKey

    async def key(self) -> AccessKey:
        return self.access_key

    def forget(self) -> None:
        """A fixed key has nowhere to be read anew from."""
