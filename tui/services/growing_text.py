"""The text of an answer that comes in pieces, as several messages, each of which is told whole at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.services.events import TextDelta, TextReplaced


@dataclass
class GrowingText:
    """`held` is the text of what came before the stream. Messages stand apart by an empty line."""

    held: str = ""
    _pieces: dict[str, list[str]] = field(default_factory=dict)
    """Of each message, in the order in which they began; no empty ones."""

    @property
    def whole(self) -> str:
        messages = ("".join(pieces) for pieces in self._pieces.values())
        return "\n\n".join(text for text in (self.held, *messages) if text)

    def add(self, message: str, piece: str) -> list[TextDelta]:
        """What is to be appended for a piece of a message."""
        if not piece:
            return []
        known = self._pieces.get(message)
        apart = "\n\n" if known is None and (self.held or self._pieces) else ""
        if known is None:
            known = self._pieces[message] = []
        known.append(piece)
        return [TextDelta(apart + piece)]

    def complete(self, message: str, text: str) -> list[TextDelta] | list[TextReplaced]:
        """What repairs a message that is told whole; nothing where its pieces were all there."""
        known = "".join(self._pieces.get(message, ()))
        if not text or text == known:
            return []
        if text.startswith(known) and (not known or message == next(reversed(self._pieces))):
            return self.add(message, text[len(known) :])
        self._pieces[message] = [text]
        return [TextReplaced(self.whole)]
