"""What the panel says and offers for each kind of ask; no Textual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui.words import _

if TYPE_CHECKING:
    from tui.models import AskBlock, PlanStep

_READING = r"(?is)(\s|\(|--[^\n]*\n|/\*.*?\*/)*(select|with|show|explain|desc|describe)\b"
_WRITING = r"(?i)\b(insert|update|delete|merge|replace\s+into|create|alter|drop|truncate|grant|call)\b"

Choice = Literal["approve", "approve_all", "change", "refuse", "files", "database", "look", "address", "leave"]


class Offer(NamedTuple):
    """A key of the panel and what it does."""

    key: str
    what: str
    choice: Choice


def title_of(ask: AskBlock) -> str:
    """The panel's first line."""
    if ask.kind == "sql":
        return ask.prompt or _("The agent wants to run this SQL")
    return {
        "plan": _("The agent asks you to confirm its plan"),
        "question": _("The agent asks"),
        "report": _("The agent offers a web report"),
        "datasource": _("The agent asks for data"),
        "approval": _("{count} calls wait for a decision").format(count=len(ask.calls))
        if len(ask.calls) > 1
        else _("A call waits for a decision"),
        "tool_outputs": _("The agent waits for the results of its calls"),
    }.get(ask.kind, _("The agent waits for you"))


def offers_of(ask: AskBlock, *, data: bool = False) -> tuple[Offer, ...]:
    """The keys that answer an ask; none where the answer is given elsewhere. `data`: data sources are chosen."""
    change, stop = _("change…"), _("refuse")
    match ask.kind:
        case "plan":
            return (
                Offer("y", _("run this plan"), "approve"),
                Offer("c", change, "change"),
                Offer("r", stop, "refuse"),
            )
        case "sql":
            return (
                Offer("y", _("run this"), "approve"),
                Offer("a", _("run all from now on"), "approve_all"),
                Offer("c", change, "change"),
                Offer("r", stop, "refuse"),
            )
        case "question":
            return (Offer("c", _("answer in words…"), "change"), Offer("r", _("stop the run"), "refuse"))
        case "report":
            return (
                Offer("y", _("draw it"), "approve"),
                Offer("c", _("draw it with wishes…"), "change"),
                Offer("r", _("no report"), "refuse"),
            )
        case "datasource":
            use = (Offer("y", _("use the chosen data"), "approve"),) if data else ()
            return (
                *use,
                Offer("f", _("choose files…"), "files"),
                Offer("d", _("name a database…"), "database"),
                Offer("c", _("answer in words…"), "change"),
                Offer("r", _("stop the run"), "refuse"),
            )
        case "tool_outputs":
            return (Offer("c", _("give the outputs…"), "change"), Offer("r", _("stop the run"), "refuse"))
        case "approval":
            return (
                Offer("g", _("look now"), "look"),
                Offer("o", _("copy the console's address"), "address"),
                Offer("x", _("go on without it"), "leave"),
            )


def elsewhere(_ask: AskBlock) -> str:
    """Where an ask without keys is answered."""
    return _("It is answered by the program that asked.")


def facts_of(ask: AskBlock, steps: Sequence[PlanStep], marks: tuple[str, str]) -> list[str]:
    """What is asked about, line by line, but for the SQL itself. `marks`: of a step to do, of one that is done."""
    lines: list[str] = []
    if ask.kind == "plan":
        lines += [f"{marks[step.state == 'done']} {step.title}" for step in steps]
    if ask.text and ask.kind != "sql" and not (ask.kind == "plan" and steps):
        lines += ask.text.split("\n")
    if ask.kind == "approval":
        from tui.widgets.approval_words import call_lines

        return [*lines, *call_lines(ask, marks)]
    for call in ask.calls:
        lines.append(" ".join(part for part in (call.name, call.arguments, call.description) if part))
    lines += [f"{number}  {option}" for number, option in enumerate(ask.options, 1)]
    return lines


def seems_to_read(sql: str) -> bool:
    """Whether a statement looks as if it only read: a guess from its words, made on the safe side."""
    return bool(re.match(_READING, sql)) and not re.search(_WRITING, sql)
