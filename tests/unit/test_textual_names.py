"""The names that Textual keeps to itself and that the display and the driver rely on: all of them are here, and exist.

When this fails after a new version of Textual, read what became of the name before changing the list.
"""

from __future__ import annotations

import ast
import inspect
import os
from pathlib import Path
from typing import Any

import pytest
from textual import _compositor, _xterm_parser
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import TextArea

ROOT = Path(__file__).parents[2]
KNOWING = ("tui/terminal/display.py", "tui/terminal/driver.py", "tui/terminal/field.py")

PRIVATE_MODULES = {"textual._compositor", "textual._xterm_parser", "textual._ansi_sequences"}
METHODS: dict[type, set[str]] = {
    App: {"_display", "_set_pointer_shape"},
    _compositor.Compositor: {"_get_renders", "render_partial_update"},
    _xterm_parser.XTermParser: {"_sequence_to_key_events"},
    TextArea: {"_on_key"},
    Widget: {"_exchange_repaint_regions"},
}
ATTRIBUTES: dict[type, set[str]] = {
    App: {"_driver", "_running", "_closed", "_batch_count", "_screen_stacks"},
    Screen: {"_compositor", "_layout_required"},
    Widget: {"_repaint_required", "_layout_required", "_repaint_regions"},
    TextArea: {"_theme"},
    Driver: {"_app", "_debug", "_loop"},
    _xterm_parser.XTermParser: {"_timeout_time"},
    _compositor.Compositor: {"_dirty_regions"},
}
SIGNATURES = {
    App._display: ["self", "screen", "renderable"],
    _compositor.LayoutUpdate.__init__: ["self", "strips", "region"],
    _compositor.ChopsUpdate.__init__: ["self", "chops", "spans", "chop_ends"],
    _compositor.Compositor._get_renders: ["self", "crop"],
    _xterm_parser.XTermParser._sequence_to_key_events: ["self", "sequence", "alt"],
    Driver.send_message: ["self", "message"],
    LinuxDriver.__init__: ["self", "app", "debug", "mouse", "size"],
}


def source(cls: type) -> str:
    return "".join(inspect.getsource(each) for each in cls.__mro__ if each.__module__.startswith("textual"))


@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, names in METHODS.items() for name in sorted(names)])
def test_the_method_exists(cls: type, name: str) -> None:
    assert callable(getattr(cls, name))


@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, names in ATTRIBUTES.items() for name in sorted(names)])
def test_the_attribute_is_assigned(cls: type, name: str) -> None:
    assert f"self.{name}" in source(cls)


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_the_signature_is_the_same(function: Any) -> None:
    assert [*inspect.signature(function).parameters] == SIGNATURES[function]


def test_all_updates_pass_through_display() -> None:
    assert inspect.getsource(Screen._compositor_refresh).count("app._display(") == 2
    assert "_display(" not in inspect.getsource(_compositor)


def test_properties_are_properties() -> None:
    assert isinstance(inspect.getattr_static(App, "_background_screens"), property)
    assert isinstance(inspect.getattr_static(TextArea, "_draw_cursor"), property)


def test_f3_with_modifiers_is_known_by_its_sequence() -> None:
    assert isinstance(ANSI_SEQUENCES_KEYS["\x1b[1;2R"], tuple)


def _trees() -> list[tuple[str, ast.Module]]:
    files = [path for folder in ("tui", "screens") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in files]


def test_the_lists_are_complete() -> None:
    ours: set[str] = set()
    used: set[str] = set()
    for path, tree in _trees():
        if path not in KNOWING:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                ours.add(node.name)
            elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                (ours if isinstance(node.ctx, ast.Store) else used).add(node.attr)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                ours.add(node.target.id)
    listed = set().union(*METHODS.values(), *ATTRIBUTES.values(), {"_background_screens", "_draw_cursor"})
    assert used - ours - listed == set()


def test_no_other_module_imports_private_modules_of_textual() -> None:
    found = {
        (path, node.module)
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual._")
    }
    assert {module for _path, module in found} == PRIVATE_MODULES
    assert {path for path, _module in found} <= {*KNOWING}


def test_settings_are_those_that_textual_reads() -> None:
    from textual import constants

    from tui.terminal.environment import prepare

    environ: dict[str, str] = {}
    prepare(environ)
    text = inspect.getsource(constants)
    assert all(f'"{name}"' in text for name in environ)
    given = {"TEXTUAL_FPS": "10", "SSH_TTY": os.devnull, "COLUMNS": "80", "LINES": "24"}
    prepare(given)
    assert "COLUMNS" not in given
    assert (given["TEXTUAL_FPS"], given["ESCDELAY"]) == ("10", "100")
