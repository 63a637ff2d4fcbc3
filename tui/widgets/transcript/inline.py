"""Inline Markdown to spans: emphasis, code, links, line breaks. One parser for the whole widget."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tui.widgets.transcript.cells import Span, Spans, merge
from tui.widgets.transcript.styles import BOLD, DIM, ITALIC, STRIKE, Kind

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_PIECE = 2000
"""Characters that are parsed in one go: links and emphasis cost the square of it in the worst case."""
_MANY_BRACKETS = 48
_CACHE = 1500
_SPECIAL = re.compile(r"[\\`*_\[\]<&!~\n]|https?://")
_MAX_NESTING = 20

References = MutableMapping[str, Any]


# Compiled with the first text: a class of characters beyond Latin-1 takes a millisecond or more each.
@cache
def _url() -> re.Pattern[str]:
    return re.compile(r"https?://[^\s<>\"'`，。；、）)\]】》」]+[^\s<>\"'`，。；、）)\]】》」.,;:!?]")


@cache
def _wide() -> re.Pattern[str]:
    return re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def web_link(url: str) -> bool:
    return url.startswith(("http://", "https://"))


class Inline:
    """Turns the text of paragraphs, cells and headings into spans; remembers what it has seen."""

    def __init__(self) -> None:
        self._parser: MarkdownIt | None = None
        self._without_links: MarkdownIt | None = None
        self._seen: dict[tuple[str, int, tuple[tuple[str, str], ...]], Spans] = {}

    @property
    def parser(self) -> MarkdownIt:
        if self._parser is None:
            from markdown_it import MarkdownIt

            options = {"maxNesting": _MAX_NESTING}
            rules = ["table", "strikethrough"]
            self._without_links = MarkdownIt("commonmark", options).enable(rules).disable(["link", "image"])
            self._parser = MarkdownIt("commonmark", options).enable(rules)
        return self._parser

    def warm_up(self) -> None:
        """Import and build the parser. May run in a thread."""
        _ = self.parser

    def blocks(self, source: str, references: References) -> list[Token]:
        """The block tokens of `source`; inline contents are left unparsed. Adds to `references` what it finds."""
        tokens: list[Token] = []
        self.parser.block.parse(source, self.parser, {"references": references}, tokens)
        return tokens

    def spans(self, content: str, base: int, references: References) -> Spans:
        """`content` as spans on the style `base`."""
        if not _SPECIAL.search(content):
            return ((content.replace("\t", "    "), base),) if content else ()
        # What a link leads to is part of the key: other documents define the same names differently.
        links = tuple(sorted((name, str(to.get("href"))) for name, to in references.items())) if "[" in content else ()
        key = (content, base, links)
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) >= _CACHE:
                self._seen.clear()
            found = self._seen[key] = merge(list(self._parse(content, base, references)))
        return found

    def _parse(self, content: str, base: int, references: References) -> Iterator[Span]:
        parser = self.parser
        if content.count("[") > _MANY_BRACKETS and self._without_links is not None:
            parser = self._without_links
        env = {"references": references}
        for piece in _pieces(content):
            tokens: list[Token] = []
            parser.inline.parse(piece, parser, env, tokens)
            yield from _flatten(tokens, base)


def _pieces(content: str) -> Iterator[str]:
    start = 0
    while len(content) - start > _PIECE:
        space = content.rfind(" ", start + _PIECE // 2, start + _PIECE)
        end = space + 1 if space > 0 else start + _PIECE
        yield content[start:end]
        start = end
    yield content[start:]


def _flatten(tokens: list[Token], base: int) -> Iterator[Span]:
    attributes = 0
    links: list[tuple[str, list[str]]] = []
    for index, token in enumerate(tokens):
        kind = token.type
        key = (Kind.LINK.key if links and web_link(links[-1][0]) else base) | attributes
        if kind == "text" or kind == "text_special":
            text = token.content.replace("\t", "    ")
            if links:
                links[-1][1].append(text)
                yield text, key
            elif "://" in text:
                yield from _bare_urls(text, key)
            else:
                yield text, key
        elif kind == "softbreak":
            yield ("" if _between_wide(tokens, index) else " "), key
        elif kind == "hardbreak":
            yield "\n", key
        elif kind == "code_inline":
            if links:
                links[-1][1].append(token.content)
            yield token.content.replace("\t", "    ").replace("\n", " "), Kind.CODE_INLINE.key | attributes
        elif kind == "strong_open":
            attributes |= BOLD
        elif kind == "strong_close":
            attributes &= ~BOLD
        elif kind == "em_open":
            attributes |= ITALIC
        elif kind == "em_close":
            attributes &= ~ITALIC
        elif kind == "s_open":
            attributes |= STRIKE
        elif kind == "s_close":
            attributes &= ~STRIKE
        elif kind == "link_open":
            links.append((str(token.attrs.get("href", "")), []))
        elif kind == "link_close":
            if links:
                url, shown = links.pop()
                if url and "".join(shown) not in (url, url.removeprefix("mailto:")):
                    yield f" ({url})", DIM
        elif kind == "image":
            url = str(token.attrs.get("src", ""))
            yield token.content or "image", (Kind.LINK.key if web_link(url) else base) | attributes
            if url:
                yield f" ({url[:200]})", DIM
        elif token.content:  # html and whatever comes: as it was written
            yield token.content.replace("\t", "    ").replace("\n", " "), key


def _bare_urls(text: str, key: int) -> Iterator[Span]:
    at = 0
    for match in _url().finditer(text):
        yield text[at : match.start()], key
        yield match.group(), Kind.LINK.key | (key & 15)
        at = match.end()
    yield text[at:], key


def _between_wide(tokens: list[Token], index: int) -> bool:
    """Whether the break at `index` stands between two Chinese characters, where a space would be wrong."""
    before = tokens[index - 1].content[-1:] if index else ""
    after = tokens[index + 1].content[:1] if index + 1 < len(tokens) else ""
    return bool(before and after and _wide().match(before) and _wide().match(after))
