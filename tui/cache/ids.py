"""Names of conversations: ours, sortable by time, and safe as file names."""

from __future__ import annotations

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


def read_conversation_id(text: str) -> tuple[ServiceName, datetime] | None:
    """Service and time that an id names; None where `text` is not an id of ours.

    Everything that becomes part of a path passes here first, so that no text of a service can name a file.
    """
    match = _SHAPE.fullmatch(text)
    if match is None or not text.isascii():
        return None
    try:
        created_at = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return cast("ServiceName", match[2]), created_at
