"""Rules for every key binding of the program."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import screens
import tui
from tui.keys import NO_KEY
from tui.sandbox import __name__ as sandbox_name

OWN = ("tui", "screens")

EATEN = {
    "ctrl+w",
    "ctrl+t",
    "ctrl+n",
    "f11",
    "f12",
    "ctrl+q",
    "ctrl+s",
    "ctrl+b",
    "ctrl+a",
    "ctrl+backslash",
    "ctrl+space",
    "ctrl+at",
    "ctrl+h",
    "ctrl+i",
    "ctrl+m",
    "ctrl+left_square_bracket",
    "shift+enter",
    "ctrl+enter",
    "ctrl+tab",
    "tilde",
    "~",
}
"""Keys that web pages, multiplexers, flow control, input methods or plain terminals take or cannot tell apart."""

# The action of each has another way: a letter in the list, `:q`, the palette, or the key's own meaning is the point.
ALLOWED_ALONE = {"app.quit"}
"""Bindings whose action is reached otherwise: quitting by `ctrl+c` twice and by `q` in the list."""


def eaten(key: str) -> bool:
    return (
        key in EATEN
        or key.startswith(("alt+", "ctrl+shift+", "super+", "meta+"))
        or (key[:1] == "f" and key[1:].isdigit())
    )


def own_classes() -> Iterator[type[DOMNode]]:
    for package in (tui, screens):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith((sandbox_name, "tui.__main__")):
                importlib.import_module(module.name)

    def below(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    for kind in dict.fromkeys(below(DOMNode)):
        if kind.__module__.split(".")[0] in OWN:
            yield kind


CLASSES = list(own_classes())
DECLARED = [(kind, binding) for kind in CLASSES for binding in kind.__dict__.get("BINDINGS", ())]


def test_there_are_bindings_to_look_at() -> None:
    assert len(CLASSES) > 10
    assert len(DECLARED) > 80


@pytest.mark.parametrize(
    "kind", [kind for kind in CLASSES if kind.__dict__.get("BINDINGS")], ids=lambda kind: kind.__name__
)
def test_every_binding_can_be_named_and_explained(kind: type[DOMNode]) -> None:
    for binding in kind.__dict__["BINDINGS"]:
        assert isinstance(binding, Binding), f"{binding}: a tuple has no id"
        assert binding.id, f"{binding.action}: no id, cannot be remapped"
        namespace, _dot, action = binding.id.partition(".")
        assert namespace.isidentifier(), binding.id
        assert action.isidentifier(), binding.id
        assert binding.description, f"{binding.id}: no description"
        assert binding.description == binding.description.strip().rstrip(".")


def test_ids_are_unique() -> None:
    owners = defaultdict(list)
    for kind, binding in DECLARED:
        owners[binding.id].append(kind.__name__)
    assert not {name: kinds for name, kinds in owners.items() if len(kinds) > 1}


def test_an_id_names_one_class() -> None:
    owners = defaultdict(set)
    for kind, binding in DECLARED:
        owners[binding.id.partition(".")[0]].add(kind.__name__)
    assert not {name: kinds for name, kinds in owners.items() if len(kinds) > 1}


def test_every_action_exists() -> None:
    from textual.actions import parse

    for kind, binding in DECLARED:
        namespace, name, _parameters = parse(binding.action)
        if not namespace:
            assert hasattr(kind, f"action_{name}") or hasattr(kind, f"_action_{name}"), (
                f"{binding.id}: {binding.action}"
            )


def test_no_key_stands_for_two_actions_in_one_class() -> None:
    for kind in CLASSES:
        taken: dict[str, str] = {}
        for binding in Binding.make_bindings(kind.__dict__.get("BINDINGS", ())):
            if binding.key == NO_KEY:  # only in the palette
                continue
            other = taken.setdefault(binding.key, binding.action)
            assert other == binding.action, f"{kind.__name__}: {binding.key} is {other} and {binding.action}"


def test_no_action_depends_on_a_key_that_may_not_arrive() -> None:
    """Such keys may stand beside others. An F-key alone will do only where the palette has the action too, which it
    has for every binding with an id; Ctrl+P and `:` open it."""
    lonely = []
    for _kind, binding in DECLARED:
        keys = [key.key for key in Binding.make_bindings([binding])]
        if all(eaten(key) and not (key[0] == "f" and key[1:].isdigit()) for key in keys):
            lonely.append(binding.id)
    assert set(lonely) <= ALLOWED_ALONE


def test_nothing_is_deleted_by_half_a_page() -> None:
    for _kind, binding in DECLARED:
        assert "delete" not in (binding.id or "") or "ctrl+d" not in binding.key
