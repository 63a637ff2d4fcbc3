"""Secrets in the further keys of a tool, as in the headers of an MCP server: wherever they are shown or written, but in
this machine's own profiles, a mask stands in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MASK = "***"
"""What stands for a token wherever an assistant is shown or written."""
_SECRET = re.compile(r"authorization|cookie|credential|passw|secret|token|(api|access|private)[-_ ]?key", re.IGNORECASE)

_PLAIN_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
_IN_ADDRESS = re.compile(rf"{_SECRET.pattern}|auth|code|key|pwd|sig", re.IGNORECASE)


def masked(extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` with the mask for each text whose key sounds like a secret, however deep, and in addresses.

    What a header is called says little of it (`x-functions-key`): of those all but a few that are known are secret.
    """
    return {key: _masked(value, bool(_SECRET.search(key)), headers=_are_headers(key)) for key, value in extra.items()}


def _are_headers(key: str) -> bool:
    return key.lower().replace("-", "_").endswith("headers")


def _masked(value: Any, secret: bool, *, headers: bool = False) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _masked(
                inner,
                secret or bool(_SECRET.search(key)) or (headers and key.lower() not in _PLAIN_HEADERS),
                headers=_are_headers(key),
            )
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, secret) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    return MASK if secret else _masked_address(value)


def _masked_address(text: str) -> str:
    """An address without what it lets in with: a user, and what sounds like a secret in its query."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    user, at, host = parts.netloc.rpartition("@")
    pairs = []
    for pair in parts.query.split("&"):
        name, _is, value = pair.partition("=")
        pairs.append(f"{name}={MASK}" if value and _IN_ADDRESS.search(name) else pair)
    query = "&".join(pairs)
    if not user and query == parts.query:
        return text
    return urlunsplit(parts._replace(netloc=f"{MASK}@{host}" if at else host, query=query))


def _bare_address(text: str) -> str:
    """A masked address without what is masked in it: to another place it would be of no use."""
    parts = urlsplit(text)
    query = "&".join(pair for pair in parts.query.split("&") if MASK not in pair)
    return urlunsplit(parts._replace(netloc=parts.netloc.removeprefix(f"{MASK}@"), query=query))


def has_mask(value: Any) -> bool:
    """Whether a mask stands anywhere in it."""
    if isinstance(value, Mapping):
        return any(map(has_mask, value.values()))
    return any(map(has_mask, value)) if isinstance(value, list) else isinstance(value, str) and MASK in value


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
    if value == MASK:
        return held if isinstance(held, str) else None
    if not isinstance(value, str) or MASK not in value:
        return value
    return held if isinstance(held, str) and _masked_address(held) == value else _bare_address(value)
