"""Taking out of a text what looks like a secret, or like somebody's data, before it leaves.

What is taken out is replaced by a token that is the same for the same value, so that the text still makes sense:
`«password:1»`. A pattern finds what looks like a secret, not what is one: it is a help, not a guarantee.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any, Literal, get_args

from tui.models import Conversation

Level = Literal["off", "secrets", "all"]
"""`secrets`: keys, passwords, signed addresses; `all`: e-mail, phone, ID card numbers and private addresses too."""
LEVELS: tuple[Level, ...] = get_args(Level)

_NAMES = (
    r"access[_-]?key[_-]?secret",
    r"secret[_-]?(?:access[_-]?)?key",
    r"api[_-]?key",
    *("password", "passwd", "pwd", "secret", "token", "密码", "口令"),
)
_ASSIGNED = f"(?:{'|'.join(_NAMES)})"
_IN_QUOTES = r"(?P<quote>['\"])(?P<value>[^'\"«\n]+)(?P=quote)"
_SIGNED = r"(?:Signature|security-token|credential|OSSAccessKeyId|SigninToken|access_token)"
_SECRETS: tuple[tuple[str, str], ...] = (
    ("private-key", r"(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))"),
    ("access-key", r"(?<![\w.])(?P<value>(?:LTAI[A-Za-z0-9]{12,30}|STS\.[A-Za-z0-9]{10,60}))(?!\w)"),
    ("api-key", r"(?<![\w-])(?P<value>sk-[A-Za-z0-9_-]{12,200})"),
    ("token", r"(?<!\w)(?P<value>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})"),
    ("token", r"\bBearer\s+(?P<value>[A-Za-z0-9._~+/=-]{8,})"),
    ("token", r"\bAuthorization['\"]?\s*[:=]\s*['\"]?(?!Bearer\b)(?P<value>[^\s'\"«][^\r\n'\"«]{7,})"),
    ("password", r"://[^\s:/@'\"]+:(?P<value>[^\s@/'\"«]+)@"),
    ("password", r"\bIDENTIFIED\s+(?:WITH\s+\S+\s+)?(?:BY|AS)\s+(?:PASSWORD\s+)?" + _IN_QUOTES),
    ("password", r"\bPASSWORD\s*\(?\s*=?\s*" + _IN_QUOTES),
    ("signature", r"[?&](?:x-oss-)?" + _SIGNED + r"=(?P<value>[^&\s'\")\]>«]+)"),
    (
        "secret",
        r"(?<![A-Za-z«])" + _ASSIGNED + r"['\"]?\s*(?:[:=：]|=>)\s*['\"]?(?P<value>[^\s'\",;，；)}\]«]{4,})",
    ),
)
_BIRTHDAY = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_PERSONAL: tuple[tuple[str, str], ...] = (
    ("e-mail", r"(?<![\w.+-])(?P<value>[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"),
    ("id-card", r"(?<!\d)(?P<value>[1-9]\d{5}" + _BIRTHDAY + r"\d{3}[\dXx])(?![\dXx])"),
    ("phone", r"(?<![\d.])(?P<value>(?:\+?86[ -]?)?1[3-9]\d{9})(?!\d)"),
    ("address", r"(?<![\d.])(?P<value>(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2})(?![\d.]*\d)"),
)
_KEPT = frozenset({"id", "type", "service", "state", "kind", "image", "language", "remote_id"})
"""Fields of a conversation that are names of ours or of the service, not words."""


class Redactor:
    """Takes out of texts what `level` says, and counts it by kind."""

    def __init__(self, level: Level) -> None:
        self.counts: Counter[str] = Counter()
        self._tokens: dict[tuple[str, str], str] = {}
        rules = {"off": (), "secrets": _SECRETS, "all": (*_SECRETS, *_PERSONAL)}[level]
        self._rules = [
            (kind, re.compile(pattern, re.IGNORECASE if kind != "access-key" else 0)) for kind, pattern in rules
        ]

    def text(self, text: str) -> str:
        for kind, pattern in self._rules:
            text = pattern.sub(lambda match, kind=kind: self._replaced(kind, match), text)  # type: ignore[misc]
        return text

    def _replaced(self, kind: str, match: re.Match[str]) -> str:
        self.counts[kind] += 1
        value = match["value"]
        number = sum(known == kind for known, _value in self._tokens) + 1
        token = self._tokens.setdefault((kind, value), f"«{kind}:{number}»")
        begin, end = match.start("value") - match.start(), match.end("value") - match.start()
        return match[0][:begin] + token + match[0][end:]

    def conversation(self, conversation: Conversation) -> Conversation:
        """The conversation with all its words redacted; ids and times stay."""
        if not self._rules:
            return conversation
        from tui.cache import codec

        table = self._walk(codec.conversation_to_table(conversation))
        return replace(codec.conversation_from_table(table), id=conversation.id, remote_id=conversation.remote_id)

    def _walk(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            return value if name in _KEPT else self.text(value)
        if isinstance(value, dict):
            if name == "ids":
                return value
            return {key: self._walk(held, key) for key, held in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._walk(held, name) for held in value]
        return value
