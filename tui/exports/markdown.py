"""A conversation as Markdown: what was asked, what was answered, and by which request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from tui.models import (
    AskBlock,
    Block,
    ChartBlock,
    CodeBlock,
    Conversation,
    DocumentBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    ServiceName,
    SuggestionsBlock,
    TableBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
    TurnState,
)
from tui.table_text import table_as
from tui.words import _

NAMES: dict[ServiceName, str] = {"rds": "RDS Copilot", "dms": "Data Agent", "dashscope": "DashScope"}
_STEPS = {"done": "x", "failed": "!", "skipped": "-"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What goes into an export."""

    thinking: bool = False
    tools: bool = True
    """What tools were called with and what they answered."""
    zone: tzinfo = UTC
    """In which times are told."""


def as_markdown(conversation: Conversation, shape: Shape, turns: Sequence[Turn] | None = None) -> str:
    """The whole conversation, or some of its turns."""
    chosen = conversation.turns if turns is None else turns
    parts = [f"# {_line(conversation.title) or _('untitled')}", _table_of(conversation, shape)]
    numbers = {turn.id: number for number, turn in enumerate(conversation.turns, 1)}
    for turn in chosen:
        parts += ["---", *_turn(turn, numbers.get(turn.id, 0), shape)]
    return "\n\n".join(part for part in parts if part) + "\n"


def time_in(at: datetime, zone: tzinfo) -> str:
    """A time as exports tell it: `2026-11-22 02:14:05 UTC+08:00`."""
    local = at.astimezone(zone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:5]}"


def state_in_words(state: TurnState) -> str:
    return {
        "queued": _("not sent"),
        "sending": _("being sent"),
        "running": _("still answering"),
        "waiting": _("waits for an answer"),
        "stopping": _("being stopped"),
        "done": _("answered"),
        "stopped": _("stopped"),
        "cut_off": _("cut off"),
        "interrupted": _("interrupted"),
        "failed": _("failed"),
    }[state]


def _line(text: str) -> str:
    return " ".join(text.split())


def _table_of(conversation: Conversation, shape: Shape) -> str:
    rows = [
        (_("conversation with"), NAMES[conversation.service]),
        (_("begun"), time_in(conversation.created_at, shape.zone)),
        (_("last change"), time_in(conversation.updated_at, shape.zone)),
        (_("tags"), " ".join(conversation.tags)),
        (_("id on the service"), conversation.remote_id),
        (_("id here"), conversation.id),
    ]
    return "\n".join(f"- {name}: {value}" for name, value in rows if value)


def _turn(turn: Turn, number: int, shape: Shape) -> Iterator[str]:
    asked = _("Question {number}").format(number=number) if number else _("Question")
    yield f"## {asked} · {time_in(turn.asked_at, shape.zone)}"
    yield quoted(turn.question)
    yield "\n".join(part for file in turn.attachments for part in block_parts(file, shape))
    took = (turn.finished_at - turn.asked_at).total_seconds() if turn.finished_at else 0.0
    after = " · " + _("after {seconds} s").format(seconds=round(took, 1)) if took > 0 else ""
    yield f"### {_('Answer')} · {state_in_words(turn.state)}{after}"
    for block in turn.blocks:
        yield from block_parts(block, shape)
    if turn.problem is not None:
        problem = turn.problem
        words = _(": ").join(part for part in (problem.title, problem.sentence) if part)
        yield quoted("\n".join(part for part in (f"✗ {words}", problem.remedy, problem.code) if part))
    ids = [
        (_("request id"), turn.ids.request or (turn.problem.request_id if turn.problem else "")),
        (_("message id"), turn.ids.message),
        (_("task id"), turn.ids.task),
    ]
    yield "\n".join(f"- {name}: `{value}`" for name, value in ids if value)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{re.sub(r'[^0-9A-Za-z+#.-]', '', language)}\n{text.rstrip()}\n{fence}"


def _table(block: TableBlock) -> str:
    rows = [block.columns, *block.rows]
    more = block.total_rows - len(block.rows)
    parts = [f"**{_line(block.title)}**" if block.title else "", table_as(rows, "md").rstrip()]
    parts.append(_("{count} more rows on the service").format(count=more) if more > 0 else "")
    return "\n\n".join(part for part in parts if part)


def block_parts(block: Block, shape: Shape) -> Iterator[str]:
    """A block as paragraphs of Markdown; some may be empty."""
    match block:
        case TextBlock(text):
            yield text
        case ThinkingBlock(text, seconds):
            if shape.thinking:
                yield quoted("*" + _("thought for {seconds} s").format(seconds=round(seconds)) + "*\n\n" + text)
        case ToolBlock():
            yield from _tool(block, shape)
        case CodeBlock():
            yield f"**{_line(block.title)}**" if block.title else ""
            yield fenced(block.source, block.language) if block.language != "markdown" else block.source
            for output in block.outputs:
                yield fenced(output.text) if output.text else ""
                yield fenced(output.error) if output.error else ""
                yield _table(output.table) if output.table else ""
                yield _("(a picture)") if output.image else ""
        case TableBlock():
            yield _table(block)
        case ChartBlock():
            yield f"**{_line(block.title)}** ({block.kind})"
            yield _table(block.data)
        case DocumentBlock(title, links, text):
            yield f"**{_line(title)}**"
            yield "\n".join(f"- {_line(link.title)} <{link.url}>" for link in links)
            yield text
        case PlanBlock(steps):
            yield "\n".join(f"- [{_STEPS.get(step.state, ' ')}] {_line(step.title)}" for step in steps)
        case FileBlock(name, file_id):
            yield f"- {_('file')}: {_line(name)}" + (f" (`{file_id}`)" if file_id else "")
        case SuggestionsBlock(items):
            yield "\n".join(f"- {_line(item)}" for item in items)
        case AskBlock():
            yield quoted("\n".join(part for part in (block.prompt, block.text, block.details) if part))
            calls = (f"- `{call.name}` {_line(call.arguments)}" for call in block.calls)
            yield "\n".join(calls)
            yield _("answered: {words}").format(words=_line(block.answered)) if block.answered else ""
        case NoticeBlock(text):
            yield f"*{_line(text)}*"


def _tool(block: ToolBlock, shape: Shape) -> Iterator[str]:
    took = f", {block.seconds:.1f} s" if block.seconds else ""
    yield f"**{_('tool')}** `{_line(block.name)}`{took}" + ("" if block.status == "done" else f" ({block.status})")
    if shape.tools:
        yield fenced(block.arguments, "json") if block.arguments else ""
        yield fenced(block.result) if block.result else ""
