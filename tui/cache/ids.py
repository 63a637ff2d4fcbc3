"""Names of conversations: ours, sortable by time, and safe as file names."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import cast

from tui.models import ServiceName

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHAPE = re.compile(r"(\d{8}-\d{6})-(rds|dms|dashscope)-[0-9a-z]{8}")


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def new_conversation_id(service: ServiceName, now: datetime) -> str:
    """A fresh id like `20261122-010203-rds-7f3k9qzp`: the time in UTC, the service, 40 random bits."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{service}-{_random()}"


def conversation_id_of(service: ServiceName, remote_id: str, created_at: datetime) -> str:
    """The id under which a conversation of a service is kept, the same in every window: 40 bits of the service's id."""
    digest = int.from_bytes(hashlib.blake2s(f"{service} {remote_id}".encode(), digest_size=5).digest())
    letters = "".join(_ALPHABET[(digest >> shift) & 31] for shift in range(0, 40, 5))
    return f"{created_at.astimezone(UTC):%Y%m%d-%H%M%S}-{service}-{letters}"


def is_conversation_id(text: str) -> bool:
    """True for an id of ours.

    Everything that becomes part of a path passes here first, so that no text of a service can name a file.
    """
    return text.isascii() and _SHAPE.fullmatch(text) is not None


def told_by(conversation_id: str) -> tuple[ServiceName, datetime]:
    """Service and time that an id names: what is left where the head of a conversation's file is damaged."""
    match = _SHAPE.fullmatch(conversation_id)
    assert match is not None
    try:
        created_at = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # of our shape, and made by somebody else
        created_at = datetime.fromtimestamp(0, UTC)
    return cast("ServiceName", match[2]), created_at
