"""Every key does something: a binding names an action that its part, its screen or the app has."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

import screens
import tui.widgets
from tui.app import YunliaoApp


def _classes() -> list[type[DOMNode]]:
    for package in (screens, tui.widgets):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    found: list[type[DOMNode]] = []
    pending: list[type[DOMNode]] = [DOMNode]
    while pending:
        for cls in pending.pop().__subclasses__():
            pending.append(cls)
            if cls.__module__.startswith(("screens.", "tui.")) and "BINDINGS" in vars(cls) and cls not in found:
                found.append(cls)
    return found


CLASSES = _classes()
SCREENS = [cls for cls in CLASSES if issubclass(cls, Screen)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_its_bindings_name_actions(cls: type[DOMNode]) -> None:
    for binding in Binding.make_bindings(cls.BINDINGS):
        namespace, name, _parameters = parse(binding.action)
        homes: list[type[DOMNode]] = [*SCREENS] if namespace == "screen" else [YunliaoApp]
        if not namespace:
            homes.append(cls)
        assert any(hasattr(home, f"{kind}{name}") for home in homes for kind in ("action_", "_action_")), binding
