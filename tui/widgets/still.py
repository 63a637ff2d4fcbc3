"""A text that is painted and laid out again only where it has changed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Still(Static):
    """A `Static` for lines that are set at every key: an update that changes nothing costs nothing."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._held = Content("")

    def show(self, text: Content | str) -> None:
        """Show another text; laid out anew only where its height may be another."""
        content = Content(text) if isinstance(text, str) else text
        if not differs(content, self._held):
            return
        width = self.content_size.width
        same_height = width and self._held.get_height({}, width) == content.get_height({}, width)
        self._held = content
        self.update(content, layout=not same_height)


def differs(one: Content, other: Content) -> bool:
    """Whether two contents look different: `Content` itself compares the text alone."""
    return one.plain != other.plain or one.spans != other.spans
