"""Secrets in the further keys of a tool, as in the headers of an MCP server: wherever they are shown or written, but in
this machine's own profiles, a mask stands in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
"""What stands for a token wherever an assistant is shown or written."""
_SECRET = re.compile(r"authorization|cookie|credential|passw|secret|token|(api|access|private)[-_ ]?key", re.IGNORECASE)


def masked(extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` with the mask for each text whose key sounds like a secret, however deep."""
    return {key: _masked(value, bool(_SECRET.search(key))) for key, value in extra.items()}


def _masked(value: Any, secret: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(inner, secret or bool(_SECRET.search(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, secret) for inner in value]
    return MASK if secret and isinstance(value, str) and value else value


def has_mask(value: Any) -> bool:
    """Whether a mask stands anywhere in it."""
    if isinstance(value, Mapping):
        return any(map(has_mask, value.values()))
    return any(map(has_mask, value)) if isinstance(value, list) else bool(value == MASK)


def unmasked(extra: Mapping[str, Any], held: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`extra` with the secrets of the one of `held` that is the same but for them; else without what is masked.

    Nothing else gets them: with another address a secret would go to somebody else.
    """
    return next((dict(one) for one in held if masked(one) == extra), None) or filled(extra, {})


def filled(extra: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` with what stands in `held` in the place of each mask, or without the key where nothing does."""
    made = {key: _filled(value, held.get(key)) for key, value in extra.items()}
    return {key: value for key, value in made.items() if value is not None or extra[key] is None}


def _filled(value: Any, held: Any) -> Any:
    if isinstance(value, Mapping):
        return filled(value, held if isinstance(held, Mapping) else {})
    if isinstance(value, list):
        others = held if isinstance(held, list) and len(held) == len(value) else [None] * len(value)
        made = [_filled(inner, other) for inner, other in zip(value, others, strict=True)]
        return [inner for inner, before in zip(made, value, strict=True) if inner is not None or before is None]
    return (held if isinstance(held, str) else None) if value == MASK else value
