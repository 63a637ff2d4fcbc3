"""Which texts of the program are translated: what the catalogues must have, and what must not stand bare."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textual.dom import DOMNode

from screens import key_test, settings
from tui.settings import setting_help
from tui.widgets import conversation_rows

ROOT = Path(__file__).parents[2]

TRANSLATED_WHEN_SHOWN = {
    ("screens/help.py", "node.HELP or ''"),
    ("screens/key_test.py", "TAKEN.get(event.key, '')"),
    ("screens/settings.py", "ORIGINS[origin]"),
    ("screens/settings.py", "label"),
    ("screens/settings.py", "self._help.get(name, '')"),
    ("tui/widgets/bindings.py", "binding.description"),
    ("tui/widgets/bindings.py", "binding.tooltip"),
    ("tui/widgets/bindings.py", "node.BINDING_GROUP_TITLE or ''"),
    ("tui/widgets/conversation_rows.py", "MONTHS[first.month - 1]"),
    ("tui/widgets/hints.py", "binding.description"),
    ("tui/widgets/transcript/selection.py", "unit.kind"),
}
"""(file, argument) of the calls of `_` whose text comes from a table or a class; `kept_texts` lists what those hold."""


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text!r}"


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """(path, syntax tree) of every module below `folders`."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def is_translation(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"


def looked_up() -> tuple[list[Place], list[Place]]:
    """The constants that are given to `_`, and the other arguments as they are written."""
    constants, others = [], []
    for file, tree in modules("tui", "screens"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and is_translation(node):
                [argument] = node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    constants.append(Place(file, node.lineno, argument.value))
                else:
                    others.append(Place(file, node.lineno, ast.unparse(argument)))
    return constants, others


def kept_texts(kinds: Iterable[type[DOMNode]]) -> dict[str, str]:
    """English texts of `kinds` and of tables that are translated only when they are shown -> where they are kept."""
    found = {
        text: table
        for table, texts in {
            "screens.key_test.TAKEN": key_test.TAKEN.values(),
            "screens.settings.LANGUAGES": [label for _value, label in settings.LANGUAGES],
            "screens.settings.ORIGINS": settings.ORIGINS.values(),
            "tui.settings.setting_help": setting_help().values(),
            "tui.widgets.conversation_rows.MONTHS": conversation_rows.MONTHS,
            "tui.widgets.transcript.lines.Unit.kind": ("chart", "code", "table"),
        }.items()
        for text in texts
    }
    for kind in kinds:
        own = kind.__dict__
        for binding in own.get("BINDINGS", ()):
            found |= {text: f"binding {binding.id}" for text in (binding.description, binding.tooltip) if text}
        found |= {own[name]: f"{kind.__name__}.{name}" for name in ("BINDING_GROUP_TITLE", "HELP") if own.get(name)}
    return found


# --- texts that stand bare ---------------------------------------------------------------------------------------

PHRASE = re.compile(r"[A-Za-z]{2,},? +[a-z]{2,}")
"""Two words: no key, id, style or file name of the program looks like that."""
WORD = re.compile(r"[A-Za-z]{2,}")
SHOWING = {
    "notify": (0, "title"),
    "Static": (0,),
    "update": (0,),
    "Input": ("placeholder",),
    "HintLine": (0,),
    "TextDialog": (0, "verb"),
    "ChooseDialog": (0,),
    "confirm": (0, 1, 2),
}
"""What puts its arguments (by position and name) on the screen."""
DECLARED = {"BINDINGS", "BINDING_GROUP_TITLE", "HELP", "DEFAULT_CSS", "TAKEN", "ORIGINS", "LANGUAGES", "DIGIT"}
"""Names that hold keys of the catalogue, or style sheets."""
UNTRANSLATED = {"RDS Copilot", "Data Agent", "DashScope", "English", "Esc", "Enter", "Tab", "Space", "CSV", "Markdown"}
"""Names of products, keys and formats, the same in every language."""


def bare_texts(*folders: str) -> list[Place]:
    """Texts in the code of screens and widgets that a user may read and that are not given to `_`."""
    return [Place(file, line, text) for file, tree in modules(*folders) for line, text in _bare(tree)]


def _bare(tree: ast.Module) -> Iterator[tuple[int, str]]:
    quiet = _quiet(tree)
    shown = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in _shown_arguments(node)
        for part in _constants(argument)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in quiet:
            text = node.value if not node.value.startswith("$") else ""  # a style
            for name in UNTRANSLATED:
                text = text.replace(name, "")
            if PHRASE.search(text) or (node in shown and WORD.search(text)):
                yield node.lineno, node.value


def _quiet(tree: ast.Module) -> set[ast.AST]:
    """Nodes that no user reads, or that are translated already: docstrings, style sheets, bindings, errors, keys."""
    quiet: set[ast.AST] = set()
    for node in ast.walk(tree):
        if is_translation(node) or isinstance(node, ast.Raise | ast.Assert) or _is_docstring(node):
            quiet |= set(ast.walk(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in DECLARED for target in targets):
                quiet |= set(ast.walk(node))
            elif isinstance(node, ast.AnnAssign):
                quiet |= set(ast.walk(node.annotation))
        elif isinstance(node, ast.Call) and _name(node) in ("compile", "Literal"):
            quiet |= set(ast.walk(node))
    return quiet


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _shown_arguments(call: ast.Call) -> Iterator[ast.expr]:
    for place in SHOWING.get(_name(call), ()):
        if isinstance(place, int):
            yield from call.args[place : place + 1]
        else:
            yield from (keyword.value for keyword in call.keywords if keyword.arg == place)


def _constants(node: ast.AST) -> Iterator[ast.Constant]:
    """The constants that `node` is made of; what is computed by a call is that call's matter."""
    if isinstance(node, ast.Constant):
        yield node
    elif not isinstance(node, ast.Call | ast.Subscript | ast.Compare):
        for child in ast.iter_child_nodes(node):
            yield from _constants(child)
