"""What the transcript asks of the screen that it is on.

Written out: to make nineteen dataclasses takes seven milliseconds of every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

if TYPE_CHECKING:
    from tui.models import FileBlock, Turn


class Choice(NamedTuple):
    """A numbered block or a link of an answer."""

    number: int
    kind: str
    """`code`, `table`, `chart`, `link` or `file`."""
    label: str
    """One line: the language or kind, how it begins."""
    text: str
    """What copying it gives: exactly the source of code or table, tab-separated rows of data, the address."""


class CopyRequested(Message):
    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what
        """For the notice: `the answer`, `the question`, `sql 1` ..."""


class ChooseBlock(Message):
    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self.title = title
        self.choices = choices


class SaveRequested(Message):
    def __init__(self, text: str, suggested_name: str) -> None:
        super().__init__()
        self.text = text
        self.suggested_name = suggested_name


class SavePicture(Message):
    def __init__(self, data: str, suggested_name: str) -> None:
        super().__init__()
        self.data = data
        """A PNG in base64."""
        self.suggested_name = suggested_name


class ShowPicture(Message):
    def __init__(self, data: str, suggested_name: str) -> None:
        super().__init__()
        self.data = data
        """A PNG in base64."""
        self.suggested_name = suggested_name


class ShowPlain(Message):
    """A message is to stand on the terminal as bare text, for the terminal's own selection."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FetchFile(Message):
    """A file that the service speaks of is to be fetched."""

    def __init__(self, file: FileBlock) -> None:
        super().__init__()
        self.file = file


class Explained(Message):
    """A key had nothing to do here: what it is for."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class ExportTable(Message):
    def __init__(self, source: str, suggested_name: str) -> None:
        super().__init__()
        self.source = source
        """Tab-separated lines, or Markdown."""
        self.suggested_name = suggested_name
        """Without an extension."""


class Retry(Message):
    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


class Stop(Message):
    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


class Feedback(Message):
    def __init__(self, turn: Turn, rating: Literal["like", "dislike"]) -> None:
        super().__init__()
        self.turn = turn
        self.rating = rating


class Details(Message):
    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


class EditResend(Message):
    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


class QuoteRequested(Message):
    """A block, or a whole message, is to be quoted in the next question."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Links(Message):
    def __init__(self, turn: Turn, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self.turn = turn
        self.title = title
        self.choices = choices


class ComposeRequested(Message):
    """Enter: back to the composer."""


class MatchChanged(Message):
    """Another match is the current one."""

    def __init__(self, number: int, matches: int) -> None:
        super().__init__()
        self.number = number
        """From 1; 0 for none."""
        self.matches = matches


class FindRequested(Message):
    """`/`: ask for what to find, then call `find`."""
