"""The panel above the composer while the service waits for the user: what is asked, and the keys that answer.

Keys wake only when the panel has stood for `QUIET` seconds and no key came for as long, so that nothing that was
typed for something else can answer. Enter and Space do nothing here; Esc leaves the ask pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static

from tui.widgets.ask_words import Choice, Offer, elsewhere, facts_of, offers_of, title_of
from tui.words import _

if TYPE_CHECKING:
    from tui.models import AskBlock, PlanStep

QUIET = 0.7
"""Seconds that the panel must have stood, and without any key, before its keys answer."""
MOST_LINES = 400
"""Of a statement that are shown; more has to be read in the transcript."""


class AskPanel(Vertical, can_focus=True):
    """What the service asks. Hidden while there is nothing to ask."""

    HELP = "The service waits for you. The keys named here answer it, once; Esc leaves it pending."
    BINDING_GROUP_TITLE = "Ask"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "choose('approve')", "yes, this", id="ask.approve", show=False, tooltip="Agree to what is asked"),
        Binding("a", "choose('approve_all')", "yes, all", id="ask.approve_all", show=False, tooltip="Agree to all"),
        Binding("c", "choose('change')", "change", id="ask.change", show=False, tooltip="Answer in words"),
        Binding("r", "choose('refuse')", "refuse", id="ask.refuse", show=False, tooltip="Refuse what is asked"),
        Binding("g", "choose('look')", "look now", id="ask.look", show=False, tooltip="Look for the decision now"),
        Binding("o", "choose('address')", "address", id="ask.address", show=False, tooltip="Copy where it is decided"),
        Binding("x", "choose('leave')", "go on", id="ask.leave", show=False, tooltip="Go on without what is asked"),
        Binding("d", "choose('database')", "database", id="ask.database", show=False, tooltip="Name a database"),
        Binding("f", "choose('files')", "files", id="ask.files", show=False, tooltip="Choose data for the agent"),
        *(
            Binding(digit, f"option({digit})", "answer by number", id=f"ask.option_{digit}", show=False)
            for digit in "123456789"
        ),
        Binding("j,down", "scroll(1)", "down", id="ask.down", show=False),
        Binding("k,up", "scroll(-1)", "up", id="ask.up", show=False),
        Binding("enter,space", "nothing", "nothing", id="ask.nothing", show=False, tooltip="Nothing: never approves"),
    ]
    DEFAULT_CSS = """
    AskPanel {
        display: none;
        height: auto;
        /* No margin: a vertical layout takes the widest margin off the width of every widget in it. */
        padding: 0 1 0 2;
        border-left: solid $waiting;

        &:focus { border-left: outer $waiting; }
        &.-ascii { border-left: ascii $waiting; }
        #ask-title { color: $waiting; text-style: bold; height: auto; max-height: 3; }
        #ask-details { color: $muted; text-style: $muted-style; height: auto; max-height: 3; }
        #ask-body { height: auto; margin: 0 0 1 0; scrollbar-size-vertical: 1; }
        #ask-what { height: auto; }
        #ask-keys { dock: bottom; height: 1; }
    }
    """

    class Answered(Message):
        """A key that was awake answers. `option`: the text of a numbered one."""

        def __init__(self, ask: AskBlock, choice: Choice, option: str = "") -> None:
            super().__init__()
            self.ask = ask
            self.choice = choice
            self.option = option

    class Woken(Message):
        """The panel has stood long enough, with no key: it may take the focus now."""

    ascii_only: reactive[bool] = reactive(False, toggle_class="-ascii")
    """Draw with ASCII signs only; what is shown already keeps its own."""

    def __init__(
        self,
        *,
        seconds: Callable[[], float],
        last_key: Callable[[], float] = lambda: 0.0,
        ascii_only: bool = False,
        id: str | None = None,
    ) -> None:
        """`last_key`: when a key went elsewhere last, on the clock `seconds`."""
        super().__init__(id=id)
        self._seconds = seconds
        self._elsewhere = last_key
        self._ask: AskBlock | None = None
        self._offers: tuple[Offer, ...] = ()
        self._note = ""
        self._since = 0.0
        """When the panel appeared, or a key came that it did not take."""
        self._timer: Timer | None = None
        self._woken = False
        self._title = Static(id="ask-title", markup=False)
        self._details = Static(id="ask-details", markup=False)
        self._what = Static(id="ask-what", markup=False)
        self._body = VerticalScroll(self._what, id="ask-body", can_focus=False)
        self._keys = Static(id="ask-keys", markup=False)
        self.ascii_only = ascii_only

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """About half of the screen at most; what is longer scrolls, so that all of it can be read."""
        self._body.styles.max_height = max(3, self.app.size.height // 2 - 5)

    # --- what is asked -------------------------------------------------------------------------------------

    @property
    def ask(self) -> AskBlock | None:
        return self._ask

    @property
    def awake(self) -> bool:
        """Its keys answer."""
        return self._woken

    @property
    def wants_words(self) -> bool:
        """An open question with nothing to choose from: it is answered by writing."""
        return self._ask is not None and self._ask.kind == "question" and not self._ask.options

    def show(self, ask: AskBlock | None, steps: Sequence[PlanStep] = (), *, data: bool = False, note: str = "") -> None:
        """Show what is asked, or hide for None; the same ask again changes nothing but its words.

        `note`: where it is answered, if not here.
        """
        known = self._ask is not None and ask is not None and self._ask == ask
        offers = offers_of(ask, data=data) if ask else ()
        if known and offers == self._offers and note == self._note:
            return
        self._ask, self._offers, self._note = ask, offers, note
        self.display = ask is not None
        if ask is None:
            self._stop_clock()
        elif not known:
            if not self.children:  # Most runs ask nothing: their start is spared these.
                self._fit()
                self.mount(self._title, self._details, self._body, self._keys)
            self._details.display = bool(ask.details or note)
            self._body.scroll_home(animate=False)
            self._show_what(ask, steps, Content(_first_lines(ask.text)) if ask.kind == "sql" else None)
            if ask.kind == "sql":
                self._highlight(ask, tuple(steps))
            self._arm()
        if ask is not None:
            self._title.update(Content(title_of(ask)))
            self._details.update(Content(note or _("estimate: {text}").format(text=ask.details)))
        self._show_keys()

    def _show_what(self, ask: AskBlock, steps: Sequence[PlanStep], code: Content | None) -> None:
        parts = [code] if code is not None else []
        parts += [Content(line) for line in facts_of(ask, steps, ("-", "x") if self.ascii_only else ("☐", "☑"))]
        self._what.update(Content("\n").join(parts))

    @work(group="ask-highlight", exclusive=True)
    async def _highlight(self, ask: AskBlock, steps: tuple[PlanStep, ...]) -> None:
        code = await asyncio.to_thread(_highlighted, _first_lines(ask.text))
        if self._ask == ask:
            self._show_what(ask, steps, code)

    def _show_keys(self) -> None:
        if self._ask is None:
            return
        if not self._offers:
            self._keys.update(Content.styled(elsewhere(self._ask), "$muted"))
            return
        parts: list[Content] = []
        if self._ask.options:
            parts.append(_key(f"1-{min(9, len(self._ask.options))}", _("choose")))
        parts += [_key(offer.key, offer.what) for offer in self._offers]
        note = "" if self._woken and self.has_focus else _("(Esc comes here)")
        if not self._woken:
            note = _("(keys wake in 0.7 s)")
        line = Content("   ").join([*parts, *([Content.styled(note, "$muted")] if note else [])])
        # Half a note says nothing; the panel is as wide as the screen, but for its line and margins.
        self._keys.update(line if line.cell_length <= self.app.size.width - 5 else Content("   ").join(parts))

    # --- waking --------------------------------------------------------------------------------------------

    def rearm(self) -> None:
        """Sleep once more: keys went to something that stood above."""
        if self._ask is not None:
            self._arm()
            self._show_keys()

    def _arm(self) -> None:
        """Sleep until it was quiet for long enough from now on."""
        self._woken = False
        self._since = self._seconds()
        self._watch()

    def _watch(self) -> None:
        self._stop_clock()
        left = max(self._since, self._elsewhere()) + QUIET - self._seconds()
        if left > 0:
            self._timer = self.set_timer(left, self._watch)
            return
        self._woken = True
        self._show_keys()
        self.post_message(self.Woken())

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _quiet(self) -> bool:
        """Whether a key may answer now; one that may not puts the waking off."""
        if not self._woken or self._elsewhere() + QUIET > self._seconds():
            self._arm()
            self._show_keys()
            return False
        return True

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        if focused and self._elsewhere() + QUIET > self._seconds():
            self._arm()  # the key that brought the focus may be one of many
        self._show_keys()

    def on_key(self, event: events.Key) -> None:
        # What no binding took: somebody types, and means something else.
        if not self._woken and event.is_printable:
            self._arm()

    # --- answers -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is offered is there."""
        if action == "choose":
            return any(offer.choice == parameters[0] for offer in self._offers)
        if action == "option":
            return self._ask is not None and bool(self._offers) and int(str(parameters[0])) <= len(self._ask.options)
        return True

    def action_choose(self, choice: Choice) -> None:
        if self._ask is not None and self._quiet():
            self.post_message(self.Answered(self._ask, choice))

    def action_option(self, number: int) -> None:
        if self._ask is not None and self._quiet():
            self.post_message(self.Answered(self._ask, "change", self._ask.options[number - 1]))

    def action_scroll(self, lines: int) -> None:
        self._body.scroll_relative(y=lines, animate=False)

    def action_nothing(self) -> None:
        if not self._woken:
            self._arm()


def _key(key: str, what: str) -> Content:
    return Content.assemble((key, "$hint-key bold"), f" {what}")


def _first_lines(text: str) -> str:
    lines = text.split("\n")
    if len(lines) <= MOST_LINES:
        return text
    more = _("… {count} more lines").format(count=len(lines) - MOST_LINES)
    return "\n".join([*lines[:MOST_LINES], more])


def _highlighted(source: str) -> Content:
    """SQL with the theme's colours; imports pygments, so not for the event loop."""
    from pygments.token import Token
    from textual.highlight import HighlightTheme, highlight

    class Theme(HighlightTheme):
        STYLES = {  # noqa: RUF012  # declared so by the base class
            Token.Comment: "$code-comment",
            Token.Keyword: "$code-keyword",
            Token.Literal.Number: "$code-number",
            Token.Literal.String: "$code-string",
            Token.Name: "$foreground",
            Token.Name.Function: "$code-name",
            Token.Name.Builtin: "$code-name",
            Token.Operator: "$code-operator",
        }

    return highlight(source, language="sql", theme=Theme)
