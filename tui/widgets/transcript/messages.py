"""What the transcript asks of the screen that it is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from tui.models import FileBlock, Turn


@dataclass(frozen=True, slots=True)
class Choice:
    """A numbered block or a link of an answer."""

    number: int
    kind: str
    """`code`, `table`, `chart`, `link` or `file`."""
    label: str
    """One line: the language or kind, how it begins."""
    text: str
    """What copying it gives: exactly the source of code or table, tab-separated rows of data, the address."""


@dataclass
class CopyRequested(Message):
    text: str
    what: str
    """For the notice: `the answer`, `the question`, `sql 1` ..."""


@dataclass
class ChooseBlock(Message):
    title: str
    choices: list[Choice]


@dataclass
class SaveRequested(Message):
    text: str
    suggested_name: str


@dataclass
class SavePicture(Message):
    data: str
    """A PNG in base64."""
    suggested_name: str


@dataclass
class ShowPicture(Message):
    data: str
    """A PNG in base64."""
    suggested_name: str


@dataclass
class ShowPlain(Message):
    """A message is to stand on the terminal as bare text, for the terminal's own selection."""

    text: str


@dataclass
class FetchFile(Message):
    """A file that the service speaks of is to be fetched."""

    file: FileBlock


@dataclass
class Explained(Message):
    """A key had nothing to do here: what it is for."""

    sentence: str


@dataclass
class ExportTable(Message):
    source: str
    """Tab-separated lines, or Markdown."""
    suggested_name: str
    """Without an extension."""


@dataclass
class Retry(Message):
    turn: Turn


@dataclass
class Stop(Message):
    turn: Turn


@dataclass
class Feedback(Message):
    turn: Turn
    rating: Literal["like", "dislike"]


@dataclass
class Details(Message):
    turn: Turn


@dataclass
class EditResend(Message):
    turn: Turn


@dataclass
class QuoteRequested(Message):
    """A block, or a whole message, is to be quoted in the next question."""

    text: str


@dataclass
class Links(Message):
    turn: Turn
    title: str
    choices: list[Choice]


@dataclass
class ComposeRequested(Message):
    """Enter: back to the composer."""


@dataclass
class MatchChanged(Message):
    """Another match is the current one."""

    number: int
    """From 1; 0 for none."""
    matches: int


@dataclass
class FindRequested(Message):
    """`/`: ask for what to find, then call `find`."""
