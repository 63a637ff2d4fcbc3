"""Every action that can be taken on a screen, with its keys as they are bound now: what help and palette list.

Descriptions and tooltips in `BINDINGS` are English keys of the catalogue; they are translated here, when they are
shown, so that the language can be changed while the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textual.actions import parse
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from tui.keys import NO_KEY, key_name
from tui.words import _


@dataclass(frozen=True, slots=True)
class Command:
    """An action of one part of the screen."""

    id: str
    node: DOMNode
    """Where the action runs."""
    action: str
    keys: tuple[str, ...]
    """As they are printed; empty when it has none."""
    what: str
    """What it does, in the user's language."""
    part: str
    """The part of the screen, in the user's language; "" for the app."""
    enabled: bool
    """False when it cannot be done now."""

    async def run(self) -> None:
        """Give the part the focus and take the action there."""
        app = self.node.app
        if isinstance(self.node, Widget) and not isinstance(self.node, Screen) and not self.node.has_focus_within:
            self.node.focus()
        await app.run_action(self.action, self.node)


def commands(screen: Screen[Any], keymap: Mapping[str, str]) -> list[Command]:
    """All actions on `screen`: of the focused part and what surrounds it, of the app, then of the other parts.

    `keymap` is the settings' table from binding ids to keys. Only bindings with an id are listed.
    """
    found: dict[str, Command] = {}
    for node in _parts(screen):
        for binding in own_bindings(type(node)):
            if binding.id and binding.id not in found and (entry := _command(node, binding, keymap)) is not None:
                found[binding.id] = entry
    return list(found.values())


def own_bindings(kind: type[DOMNode]) -> Iterator[Binding]:
    """The bindings that the class and its bases declare, each with all of its keys, the nearest class first."""
    for base in kind.__mro__:
        for binding in base.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield binding


def _parts(screen: Screen[Any]) -> Iterable[DOMNode]:
    """The focused widget and its ancestors up to the app, then the other widgets that can have the focus."""
    seen: dict[DOMNode, None] = {}
    for node in (screen.focused or screen).ancestors_with_self:
        seen[node] = None
        if node.is_modal:
            break
    if not screen.is_modal:
        seen |= {screen: None, screen.app: None}
        seen |= dict.fromkeys(screen.focus_chain)
    return seen


def _command(node: DOMNode, binding: Binding, keymap: Mapping[str, str]) -> Command | None:
    """None when the action is not there at all at the moment."""
    namespace, name, parameters = parse(binding.action)
    target = node.app if namespace == "app" else node.screen if namespace == "screen" else node
    state = target.check_action(name, parameters)
    if state is False:
        return None
    keys = (keymap.get(binding.id or "") or binding.key).split(",")
    what, more = _(binding.description), _(binding.tooltip) if binding.tooltip else ""
    return Command(
        id=binding.id or "",
        node=node,
        action=binding.action,
        keys=tuple(dict.fromkeys(key_name(key.strip()) for key in keys if key.strip() not in ("", NO_KEY))),
        # The longer words alone where they say the short ones again.
        what=(more if what.casefold() in more.casefold() else what + _(": ") + more) if more else what,
        part="" if isinstance(node, App) else _(node.BINDING_GROUP_TITLE or ""),
        enabled=state is True,
    )
