"""Colours for code: lexers are made and long texts are lexed in a thread; until then code stands plain."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tui.widgets.transcript.cells import Span, Spans, merge
from tui.widgets.transcript.styles import Kind

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_LONGEST_LINE = 1000
_LONGEST_CODE = 100_000
_KEPT = 1_000_000
"""Characters of lexed code that are remembered."""

_KINDS = {
    "Keyword": Kind.KEYWORD,
    "Keyword.Type": Kind.TYPE,
    "Name.Builtin": Kind.NAME,
    "Name.Function": Kind.NAME,
    "Name.Class": Kind.TYPE,
    "Name.Tag": Kind.KEYWORD,
    "Name.Attribute": Kind.NAME,
    "Name.Decorator": Kind.NAME,
    "Literal.String": Kind.STRING,
    "Literal.Number": Kind.NUMBER,
    "Comment": Kind.COMMENT,
    "Operator.Word": Kind.KEYWORD,
    "Generic.Deleted": Kind.ERROR,
    "Generic.Inserted": Kind.SUCCESS,
    "Generic.Heading": Kind.KEYWORD,
}
CODE = Kind.CODE.key


class Highlighter:
    """Answers from what is there already; what is not there is noted as wanted and fetched by `work`, in a thread."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._lexers: dict[str, Lexer | None] = {}
        self._wanted: dict[tuple[str, str | None], None] = {}
        self._whole: dict[tuple[str, str], list[Spans]] = {}
        self._size = 0
        self._keys: dict[Any, int] = {}
        self._lock = threading.Lock()

    @property
    def wanted(self) -> bool:
        return bool(self._wanted)

    def line(self, language: str, text: str) -> Spans | None:
        """One line of `language`, coloured by itself; None while its lexer is not there or where it has none."""
        if not self.enabled or not language or len(text) > _LONGEST_LINE:
            return None
        if language not in self._lexers:
            self._wanted[language, None] = None
            return None
        lexer = self._lexers[language]
        if lexer is None:
            return None
        try:
            return merge(list(self._spans(lexer.get_tokens_unprocessed(text))))
        except Exception:  # noqa: BLE001  # some two hundred lexers of others: none of them may take the app down
            self._lexers[language] = None
            return None

    def whole(self, language: str, code: str) -> list[Spans] | None:
        """The lines of `code`; None while they are not lexed."""
        key = (language, code)
        found = self._whole.get(key)
        if found is None and self.due(language, code) and len(code) <= _LONGEST_CODE:
            self._wanted[key] = None
        return found

    def due(self, language: str, code: str | None = None) -> bool:
        """Whether colours for lines of `language`, or for the whole of `code`, are still to come."""
        if not self.enabled or not language:
            return False
        if language not in self._lexers:
            return True
        if self._lexers[language] is None or code is None or len(code) > _LONGEST_CODE:
            return False
        return (language, code) not in self._whole

    def work(self) -> None:
        """Fetch all that is wanted. Called in a thread, one at a time."""
        with self._lock:
            # Copied in one go: the event loop adds to it meanwhile.
            while wanted := list(self._wanted):
                for language, code in wanted:
                    self._load(language)
                    if code is not None:
                        self._lex(language, code)
                    del self._wanted[language, code]

    def _load(self, language: str) -> None:
        if language in self._lexers:
            return
        from pygments.lexers import get_lexer_by_name
        from pygments.util import ClassNotFound

        try:
            lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
            list(lexer.get_tokens_unprocessed("a"))  # compiles its rules here, not on the event loop
        except (ClassNotFound, ImportError):
            lexer = None
        self._lexers[language] = lexer

    def _lex(self, language: str, code: str) -> None:
        lexer = self._lexers[language]
        if lexer is None:
            return
        lines: list[Spans] = []
        line: list[Span] = []
        try:
            spans = list(self._spans(lexer.get_tokens_unprocessed(code)))
        except Exception:  # noqa: BLE001  # as above
            self._lexers[language] = None
            return
        for text, key in spans:
            first, *rest = text.split("\n")
            line.append((first, key))
            for part in rest:
                lines.append(merge(line))
                line = [(part, key)]
        lines.append(merge(line))
        self._whole[language, code] = lines
        self._size += len(code)
        while self._size > _KEPT and len(self._whole) > 1:
            oldest = next(iter(self._whole))  # nobody else changes it
            del self._whole[oldest]
            self._size -= len(oldest[1])

    def _spans(self, tokens: Iterable[tuple[int, Any, str]]) -> Iterator[Span]:
        keys = self._keys
        for _, kind, text in tokens:
            key = keys.get(kind)
            if key is None:
                name = str(kind).removeprefix("Token").removeprefix(".")
                while name and name not in _KINDS:
                    name = name.rpartition(".")[0]
                key = keys[kind] = _KINDS[name].key if name else CODE
            yield text, key
