"""What copying and saving give: always the source, never the screen."""

from __future__ import annotations

import re

from tui.models import CodeBlock, DocumentBlock, FileBlock, PlanBlock, TableBlock, TextBlock, Turn
from tui.text import clean_line, safe_file_name
from tui.widgets.transcript.blocks import table_text
from tui.widgets.transcript.lines import Unit
from tui.widgets.transcript.messages import Choice
from tui.words import _

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}，。；、）】》」]+")
_SUFFIXES = {
    "python": "py",
    "py": "py",
    "bash": "sh",
    "shell": "sh",
    "sh": "sh",
    "javascript": "js",
    "js": "js",
    "typescript": "ts",
    "ts": "ts",
    "markdown": "md",
    "yml": "yaml",
    "golang": "go",
    "rust": "rs",
}


def message_text(turn: Turn) -> str:
    """An answer as Markdown: its text, its code in fences, its tables tab-separated; no thinking, no tool calls."""
    parts: list[str] = []
    for block in turn.blocks:
        match block:
            case TextBlock():
                parts.append(block.text.strip("\n"))
            case CodeBlock():
                fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", block.source))])
                end = "" if block.source.endswith("\n") else "\n"
                parts.append(f"{fence}{block.language}\n{block.source}{end}{fence}")
            case TableBlock():
                parts.append((block.title + "\n" if block.title else "") + table_text(block).rstrip("\n"))
            case PlanBlock():
                parts.append("\n".join(f"- [{'x' if s.state == 'done' else ' '}] {s.title}" for s in block.steps))
            case _:
                pass
    return "\n\n".join(part for part in parts if part) or (turn.problem.sentence if turn.problem else "")


def choices_of(units: list[Unit]) -> list[Choice]:
    """The numbered blocks among `units`, for `Y`."""
    return [
        Choice(
            unit.number,
            unit.kind,
            f"{unit.language or _(unit.kind)}  {clean_line(unit.source, 60)}".rstrip(),
            unit.source,
        )
        for unit in units
        if unit.number
    ]


def links_of(turn: Turn) -> list[Choice]:
    """The addresses and files of an answer, each once."""
    found: dict[str, tuple[str, str]] = {}
    for block in turn.blocks:
        match block:
            case TextBlock():
                for match in _URL.finditer(block.text):
                    url = match.group().rstrip(".,;:!?)]*_")
                    found.setdefault(url, ("link", url))
            case DocumentBlock():
                for link in block.links:
                    found.setdefault(link.url, ("link", f"{link.title}  {link.url}"))
            case FileBlock():
                name = block.name or block.file_id
                found.setdefault(block.url or block.file_id or name, ("file", name))
            case _:
                pass
    return [
        Choice(number, kind, clean_line(label, 160), text)
        for number, (text, (kind, label)) in enumerate(found.items(), 1)
    ]


def file_name(turn: Turn, unit: Unit | None) -> str:
    """A name to save a block or an answer under."""
    base = safe_file_name("-".join(clean_line(turn.question, 40).split()) or "answer", "answer")
    if unit is None:
        return base + ".md"
    suffix = "tsv" if unit.kind != "code" and "\t" in unit.source else "md" if unit.kind == "table" else ""
    suffix = suffix or _SUFFIXES.get(unit.language, unit.language or "txt")
    return f"{base}-{unit.number}.{suffix}"
