"""What the transcript asks of the screen that it is on."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(eq=False, repr=False)
class CopyRequested(Message):
    text: str
    what: str
    """For the notice: `the answer`, `the question`, `sql 1` ..."""


@dataclass(eq=False, repr=False)
class ChooseBlock(Message):
    title: str
    choices: list[Choice]


@dataclass(eq=False, repr=False)
class SaveRequested(Message):
    text: str
    suggested_name: str


@dataclass(eq=False, repr=False)
class SavePicture(Message):
    data: str
    """A PNG in base64."""
    suggested_name: str


@dataclass(eq=False, repr=False)
class ShowPicture(Message):
    data: str
    """A PNG in base64."""
    suggested_name: str


@dataclass(eq=False, repr=False)
class ShowPlain(Message):
    """A message is to stand on the terminal as bare text, for the terminal's own selection."""

    text: str


@dataclass(eq=False, repr=False)
class FetchFile(Message):
    """A file that the service speaks of is to be fetched."""

    file: FileBlock


@dataclass(eq=False, repr=False)
class Explained(Message):
    """A key had nothing to do here: what it is for."""

    sentence: str


@dataclass(eq=False, repr=False)
class ExportTable(Message):
    source: str
    """Tab-separated lines, or Markdown."""
    suggested_name: str
    """Without an extension."""


@dataclass(eq=False, repr=False)
class Retry(Message):
    turn: Turn


@dataclass(eq=False, repr=False)
class Stop(Message):
    turn: Turn


@dataclass(eq=False, repr=False)
class Feedback(Message):
    turn: Turn
    rating: Literal["like", "dislike"]


@dataclass(eq=False, repr=False)
class Details(Message):
    turn: Turn


@dataclass(eq=False, repr=False)
class EditResend(Message):
    turn: Turn


@dataclass(eq=False, repr=False)
class QuoteRequested(Message):
    """A block, or a whole message, is to be quoted in the next question."""

    text: str


@dataclass(eq=False, repr=False)
class Links(Message):
    turn: Turn
    title: str
    choices: list[Choice]


@dataclass(eq=False, repr=False)
class ComposeRequested(Message):
    """Enter: back to the composer."""


@dataclass(eq=False, repr=False)
class MatchChanged(Message):
    """Another match is the current one."""

    number: int
    """From 1; 0 for none."""
    matches: int


@dataclass(eq=False, repr=False)
class FindRequested(Message):
    """`/`: ask for what to find, then call `find`."""
