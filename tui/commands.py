"""The command palette: every action of the screen with its key beside it, themes, languages, conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.style import Style
from textual.theme import BUILTIN_THEMES

import themes
from tui.contract import YunliaoApi
from tui.widgets.bindings import Command, commands
from tui.widgets.conversation_line import title_of
from tui.widgets.conversation_rows import TitleFilter
from tui.words import _

CONVERSATIONS = 20
"""So many conversations are offered at most."""
SLICE = 1000
KEY_SCORE, WORD_SCORE, TITLE_SCORE, LETTER_SCORE = 4.0, 3.0, 2.0, 1.0
"""The key itself was typed; all words stand in it; a conversation's title; its letters stand in it in this order."""
LANGUAGES = {"en": "English", "zh": "中文"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the palette. `text` may hold anything; it is never read as markup."""

    text: str
    run: Callable[[], Awaitable[None] | None]
    keys: str = ""


def match(query: str, text: str) -> tuple[float, list[int]]:
    """How well `text` matches and the offsets of the hits; (0, []) when it does not.

    Linear in `text`: Textual's own matcher tries every way to scatter the letters, which takes seconds for a long
    query over a hundred lines. Words come first, and among them those at the beginning of a word of `text`.
    """
    found = TitleFilter(query)
    if found and found.matches(text):
        spans = found.spans(text)
        at_words = sum(start == 0 or not text[start - 1].isalnum() for start, _end in spans)
        return WORD_SCORE + at_words / (len(spans) + 1), [at for first, last in spans for at in range(first, last)]
    offsets: list[int] = []
    lower = text.lower()
    for letter in query.lower().replace(" ", ""):
        at = lower.find(letter, offsets[-1] + 1 if offsets else 0)
        if at < 0:
            return 0.0, []
        offsets.append(at)
    spread = offsets[-1] - offsets[0] + 1 if offsets else 0
    return (LETTER_SCORE * len(offsets) / spread, offsets) if spread else (0.0, [])


class Palette(CommandPalette):
    CSS_PATH = str(themes.PALETTE_CSS)


def open_palette(app: YunliaoApi) -> None:
    """Put the palette on the screen; for `App.action_command_palette`."""
    if not isinstance(app.screen, Palette):
        app.push_screen(
            Palette([YunliaoCommands], placeholder=_("an action, a key or a title …"), id="--command-palette")
        )


class YunliaoCommands(Provider):
    """The actions of the screen from which the palette was opened, what has no key, and conversations."""

    @property
    def _api(self) -> YunliaoApi:
        return cast("YunliaoApi", self.app)

    async def startup(self) -> None:
        listed = commands(self.screen, self._api.settings.keys)
        # Where one can go stands first: what is typed finds the rest, and its keys are in the help.
        self._entries = [
            *self._places(),
            *(_of(command) for command in listed if command.enabled),
            *self._values(),
        ]

    def _places(self) -> Iterator[Entry]:
        """Where one can go that has no key of its own."""
        app = self._api
        yield Entry(_("New conversation"), lambda: app.show_conversation(""))
        yield Entry(_("All conversations"), app.show_conversations)
        yield Entry(_("Assistants of DashScope: make, change, talk"), lambda: app.navigate("assistants"))
        yield Entry(_("Custom agents: make, change, try out"), lambda: app.navigate("agents"))
        yield Entry(_("Health reports of instances"), lambda: app.navigate("health"))
        yield Entry(_("Integrations: logon-free URL, bots, capacity, memory"), lambda: app.navigate("integrations"))
        title = _("Terminal and line")
        yield Entry(
            _("Figures of the terminal and the line"),
            lambda: app.navigate("details", rows=app.measured(), title=title),
        )
        yield Entry(_("Test the keyboard: what arrives for each key"), lambda: app.navigate("key_test"))

    def _values(self) -> Iterator[Entry]:
        """Values of settings that are tried out."""
        app = self._api

        def set_to(**changes: object) -> Callable[[], Awaitable[None]]:
            return lambda: app.save_settings(changes)

        for theme in sorted(app.available_themes.keys() - BUILTIN_THEMES.keys()):
            yield Entry(_("Theme: {name}").format(name=theme), set_to(theme=theme))
        yield Entry(_("Theme: {name}").format(name="auto"), set_to(theme="auto"))
        for code, name in LANGUAGES.items():
            yield Entry(_("Language: {name}").format(name=name), set_to(language=code))
        for value in ("auto", "full", "low"):
            yield Entry(_("Bandwidth: {value}").format(value=value), set_to(bandwidth=value))
        for value in ("auto", "on", "off"):
            yield Entry(_("Mouse: {value}").format(value=value), set_to(mouse=value))

    def _show(self, entry: Entry, offsets: Sequence[int] = ()) -> Content:
        """The line: what it does, hits marked, and its keys."""
        content = Content(entry.text)
        for offset in offsets:
            content = content.stylize(self.match_style or Style(underline=True), offset, offset + 1)
        return Content.assemble(content, "   ", (entry.keys, "bold")) if entry.keys else content

    async def discover(self) -> Hits:
        for entry in self._entries:
            yield DiscoveryHit(self._show(entry), entry.run, text=entry.text)

    async def search(self, query: str) -> Hits:
        fits = False
        for entry in self._entries:
            score, offsets = match(query, entry.text)
            if query in entry.keys.split():
                score = KEY_SCORE
            if score:
                fits = True
                yield Hit(score, self._show(entry, offsets), entry.run, text=entry.text)
        found, count = TitleFilter(query), 0
        for number, summary in enumerate(self._api.summaries()):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            title = title_of(summary)
            if found and found.matches(title):
                entry = Entry(_("Conversation: {title}").format(title=title), self._opener(summary.id))
                start = entry.text.find(title)
                offsets = [at + start for first, last in found.spans(title) for at in range(first, last)]
                yield Hit(TITLE_SCORE, self._show(entry, offsets), entry.run, text=entry.text)
                if (count := count + 1) == CONVERSATIONS:
                    return
        if not fits and not count:
            entry = Entry(_("Search what was said: {words}").format(words=query), self._searcher(query))
            yield Hit(LETTER_SCORE, self._show(entry), entry.run, text=entry.text)

    def _searcher(self, words: str) -> Callable[[], None]:
        return lambda: self._api.navigate("search", typed=words)

    def _opener(self, conversation_id: str) -> Callable[[], None]:
        return lambda: self._api.show_conversation(conversation_id)


def _of(command: Command) -> Entry:
    text = command.part + _(": ") + command.what if command.part else command.what
    return Entry(text, command.run, " ".join(command.keys))
