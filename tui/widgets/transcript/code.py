"""Code: a rule with the language and the block's number, then the lines, with nothing at their right."""

from __future__ import annotations

from rich.cells import cell_len

from tui.widgets.transcript.cells import Spans, chop, cut, expand_tabs
from tui.widgets.transcript.lines import Line, Look, splice
from tui.widgets.transcript.splitter import Piece
from tui.widgets.transcript.styles import DIM, RULE, Kind
from tui.words import _

CODE = Kind.CODE.key
_RULE_CELLS = 72
_STRETCH = 4096
"""A longer source line is laid out in stretches of this size."""
_AT_ONCE = 300
"""Lines laid out in one step."""


def rule(look: Look, width: int, *labels: str) -> Spans:
    """` sql 1 ─────`: what it is, its number, a line."""
    label = cut(" ".join(label for label in labels if label), width - 4, look.marks.ellipsis)
    room = max(3, min(width, _RULE_CELLS) - cell_len(label) - 2)
    return ((f" {label} ", DIM), (look.marks.rule * room, RULE))


def language_of(info: str) -> str:
    """The language in a fence's info string, in lower case."""
    name = info.split(maxsplit=1)[0].strip("{}.").lower() if info.split() else ""
    return name if name.replace("+", "").replace("-", "").replace("#", "").replace("_", "").isalnum() else ""


def code_rows(look: Look, width: int, text: str, coloured: Spans | None) -> list[Spans]:
    """One source line as rows of at most `width` cells; rows that go on are marked in front."""
    if coloured is None or "\t" in text:
        coloured = ((expand_tabs(text), CODE),)
    rows = chop(coloured, max(4, width - 1))
    return [((" " if index == 0 else look.marks.continued, DIM), *row) for index, row in enumerate(rows)]


def code_block(look: Look, width: int, code: str, language: str, number: int, live: bool = False) -> list[Spans]:
    """A whole code block. `live`: it may still grow, so it is not worth lexing as a whole."""
    label = language or _("text")
    lines: list[Spans] = [rule(look, width, label, str(number) if number else "")]
    source = code.split("\n")
    if source[-1] == "":
        source.pop()
    whole = None if live else look.highlighter.whole(language, code)
    for index, text in enumerate(source):
        coloured = whole[index] if whole and index < len(whole) else look.highlighter.line(language, text)
        for stretch in range(0, max(1, len(text)), _STRETCH):
            part = coloured if len(text) <= _STRETCH else None
            lines += code_rows(look, width, text[stretch : stretch + _STRETCH], part)
    return lines


class CodeLayout:
    """A fence at the top level while it grows: complete lines are laid out once."""

    kind = "code"

    def __init__(self, look: Look, number: int) -> None:
        self.look = look
        self.number = number
        self.lines: list[Line] = []
        self.complete = False
        self.language = ""
        self.source = ""
        self._at = 0
        """Up to where the source is laid out for good."""
        self._settled = 0
        """How many of the lines are for good."""
        self._whole = False
        self.waiting = False
        """Whether colours that were asked for have not come yet."""

    def update(self, text: str, piece: Piece) -> int | None:
        """Lay out what is new of the fence; the first line that changed. Again while `complete` is False."""
        look, width = self.look, self.look.content
        changed: int | None = None
        self.language = language_of(piece.info)
        over = piece.final
        if not self.lines:
            self._at = piece.body
            self.lines.append(Line(rule(look, width, self.language or _("text"), str(self.number))))
            self._settled = 1
            changed = 0
        if over:
            self.source = _without_indent(text[piece.body : piece.body_end], piece.indent)
            whole = look.highlighter.whole(self.language, self.source)
            if whole is not None and not self._whole:
                self._whole, self.waiting = True, False
                rows = [Line(row) for row in code_block(look, width, self.source, self.language, self.number)]
                self.complete = True
                return _first(changed, splice(self.lines, 0, rows))
            if self._whole:
                return changed
        new: list[Line] = []
        count = 0
        while count < _AT_ONCE:
            newline = text.find("\n", self._at, piece.body_end)
            if newline < 0:
                break
            new += self._rows(text[self._at : newline], piece.indent)
            self._at = newline + 1
            count += 1
        self.complete = count < _AT_ONCE
        settled = self._settled + len(new)
        rest = text[self._at : piece.body_end] if self.complete else ""
        if rest and (over or not _may_close(rest, text[piece.start : piece.body])):
            new += self._rows(rest, piece.indent)
        self.waiting = look.highlighter.due(self.language, self.source if over else None)
        changed = _first(changed, splice(self.lines, self._settled, new))
        self._settled = settled
        return changed

    def _rows(self, text: str, indent: int) -> list[Line]:
        look = self.look
        if indent:
            text = text[min(indent, len(text) - len(text.lstrip(" "))) :]
        coloured = look.highlighter.line(self.language, text)
        lines: list[Line] = []
        for start in range(0, max(1, len(text)), _STRETCH):
            part = coloured if len(text) <= _STRETCH else None
            lines += [Line(row) for row in code_rows(look, look.content, text[start : start + _STRETCH], part)]
        return lines

    def recolour(self) -> None:
        """Begin again: a lexer has come."""
        if not self._whole:
            self._at = 0
            self._settled = 0
            self.lines = []


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _without_indent(code: str, indent: int) -> str:
    if not indent:
        return code
    return "".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in code.splitlines(keepends=True))


def _may_close(rest: str, opening: str) -> bool:
    """Whether an unfinished line may become the closing fence; it would only flash."""
    marker = opening.lstrip(" ")[0]
    return not rest.strip().strip(marker)
