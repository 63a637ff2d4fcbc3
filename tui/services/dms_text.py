"""The agent's Markdown as it may be shown: without trace marks, with its inline images taken out.

Works on pieces, so that a text can be shown while it grows. Source: protocol notes (DMS) 8.6.
"""

from __future__ import annotations

import re

from tui.services.dms_cells import read_image
from tui.text import clean

_TRACE = re.compile(r"</?trace(?:\s[^>]*)?>")
_IMAGE_HEAD = re.compile(r"!\[[^\]\n]{0,380}\]\(data:image/")
_PLACEHOLDER = "mocked image data"
_MARKS = ("<trace", "</trace", "![", _PLACEHOLDER)
_MARK = re.compile("|".join(re.escape(mark) for mark in _MARKS))
_BEGUN = re.compile(rf"(?:{'|'.join(re.escape(mark[:size]) for mark in _MARKS for size in range(1, len(mark)))})\Z")
"""A mark of which the text has the beginning only."""
_LONGEST = max(map(len, _MARKS))
_WINDOW = 400
"""Characters within which a mark must be complete; a longer one is text."""
_FENCE = re.compile(r"^```[a-z]*\s*|\s*```$")
_CONTROL = re.compile(r'^\{\s*"(action|reason|answers)"\s*:', re.DOTALL)


class Markdown:
    """Pieces of raw text in, text that can be shown out. Images are gathered for the end."""

    def __init__(self) -> None:
        self.images: list[str] = []
        """Base64 PNGs in the order in which they stood in the text."""
        self._held = ""
        self._image: list[str] | None = None
        """The pieces of an image whose end has not come."""

    def feed(self, piece: str) -> str:
        """What can be shown now; the rest waits for what follows."""
        return self._take(piece, final=False)

    def finish(self) -> str:
        return self._take("", final=True)

    def _take(self, piece: str, *, final: bool) -> str:
        if self._image is not None:
            piece = self._take_image(piece)
        text, at = self._held + piece, 0
        self._held = ""
        shown: list[str] = []
        while at < len(text):
            start = _find_mark(text, at)
            shown.append(text[at:start])
            at = start
            if at == len(text):
                break
            if head := _IMAGE_HEAD.match(text, at):
                self._image = []
                text, at = self._take_image(text[head.end() :]), 0
                continue
            length = _mark_length(text, at)
            if length is None and not final:  # more must come before it is known what this is
                self._held = text[at:]
                break
            if not length:
                shown.append(text[at])
            at += length or 1
        return clean("".join(shown))

    def _take_image(self, text: str) -> str:
        """Take what of `text` belongs to the open image; the rest."""
        assert self._image is not None
        data, end, rest = text.partition(")")
        self._image.append(data)
        if end:
            if image := read_image("".join(self._image)):
                self.images.append(image)
            self._image = None
        return rest


def _mark_length(text: str, at: int) -> int | None:
    """How long the mark at `at` is: 0 for none, None where that cannot be told yet."""
    window = text[at : at + _WINDOW]
    if window.startswith(_PLACEHOLDER):
        return len(_PLACEHOLDER)
    if found := _TRACE.match(window):
        return found.end()
    open_ended = len(window) < _WINDOW
    if window[0] == "<":
        return None if open_ended and ">" not in window else 0
    if window.startswith("!["):
        head, close, rest = window.partition("](")
        begun = "data:image/".startswith(rest) if close else "]" not in head[:-1] and "\n" not in head
        return None if open_ended and begun else 0
    return None if open_ended and (window == "!" or _PLACEHOLDER.startswith(window)) else 0


def _find_mark(text: str, start: int) -> int:
    """Where the next mark, or the beginning of one at the very end, stands in `text`; its length for nowhere."""
    found = _MARK.search(text, start) or _BEGUN.search(text, max(start, len(text) - _LONGEST))
    return found.start() if found else len(text)


def plain_markdown(text: str) -> tuple[str, list[str]]:
    """A whole text as it may be shown, and its images."""
    markdown = Markdown()
    return markdown.feed(text) + markdown.finish(), markdown.images


def may_be_control(text: str) -> bool:
    """True while what begins like this may turn out to be control output or JSON, so that it is not shown yet."""
    start = text.lstrip()[:1]
    return not start or start in "{<`"


def is_control(text: str) -> bool:
    """True for output of the model that is meant for the agent: `{"action", "reason", "answers"}`, requirements."""
    inner = text.strip()
    if inner.startswith("<requirement>") and "<plan>" in inner:
        return True
    inner = inner.removeprefix("<result>").removesuffix("</result>").strip()
    return _CONTROL.match(_FENCE.sub("", inner)) is not None
