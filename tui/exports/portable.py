"""Conversations as JSON that this program reads again, here or on another machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tui.cache import codec
from tui.models import Conversation
from tui.words import _

FORMAT = "yunliao/conversations"
VERSION = 1
_TIMES = frozenset({"created_at", "updated_at", "asked_at", "finished_at"})


class NotOurs(ValueError):
    """The file is no export of this program; the message says why, in a sentence."""


def as_json(conversations: Sequence[Conversation], exported_at: datetime) -> str:
    """One JSON object: `format`, `version`, `exported_at`, `conversations`. Drafts stay here."""
    tables = [codec.conversation_to_table(replace(each, draft="", read_only="")) for each in conversations]
    document = {"format": FORMAT, "version": VERSION, "exported_at": exported_at, "conversations": tables}
    return json.dumps(document, ensure_ascii=False, indent=1, default=datetime.isoformat) + "\n"


def from_json(data: bytes | str) -> list[Conversation]:
    """The conversations of an export, their texts clean. Raises NotOurs."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotOurs(_("This is no JSON: {reason}").format(reason=error)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotOurs(_("This is no export of this program."))
    if document.get("version") != VERSION:
        raise NotOurs(_("A newer version of this program wrote it."))
    tables = document.get("conversations")
    try:
        return [codec.conversation_from_table(_with_times(table)) for table in tables or []]
    except (codec.UnknownRecord, ValueError, TypeError, RecursionError) as error:
        raise NotOurs(_("A conversation in it cannot be read: {reason}").format(reason=error)) from error


def _with_times(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_times(held, key) for key, held in value.items()}
    if isinstance(value, list):
        return [_with_times(held) for held in value]
    if name in _TIMES and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
