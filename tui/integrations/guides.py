"""The vendor's console guide as checklists, read from `guides.toml` beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tui.words import language

Check = Literal["", "identity", "assume", "destination", "dingtalk", "lark", "order", "memory"]
"""What can be verified from here; "" for what is seen in the console only."""
Action = Literal["url", "env", "capacity", "memories"]
"""What can be done from here."""


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    text: str
    check: Check = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is not secret and is kept; `values` says what is allowed."""

    id: str
    text: str
    values: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """One system; `questions` are pairs of question and answer."""

    id: str
    title: str
    summary: str
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...]
    questions: tuple[tuple[str, str], ...]
    actions: tuple[Action, ...]


def guides() -> tuple[Guide, ...]:
    """All systems, in the language of the program."""
    return _guides("zh" if language() == "zh" else "en")


@cache
def _guides(tongue: str) -> tuple[Guide, ...]:
    import tomli

    table = tomli.loads(Path(__file__).with_name("guides.toml").read_text("utf-8"))
    return tuple(_guide(entry, tongue) for entry in table["guide"])


def _guide(entry: Mapping[str, Any], tongue: str) -> Guide:
    return Guide(
        entry["id"],
        entry["title"][tongue],
        entry["summary"][tongue],
        tuple(Step(step["id"], step[tongue], step.get("check", "")) for step in entry["step"]),
        tuple(
            Parameter(item["id"], item[tongue], item["values"], item.get("default", ""))
            for item in entry.get("parameter", ())
        ),
        tuple((item[tongue], item[f"answer_{tongue}"]) for item in entry.get("question", ())),
        tuple(entry["actions"]),
    )
