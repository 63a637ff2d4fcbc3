"""All blocks of an answer that are not Markdown, as rows of spans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from tui.models import (
    AskBlock,
    Block,
    CellOutput,
    ChartBlock,
    CodeBlock,
    DocumentBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    SuggestionsBlock,
    TableBlock,
    ThinkingBlock,
    ToolBlock,
)
from tui.terminal.clipboard import readable_size
from tui.text import clean_line
from tui.widgets.transcript.cells import Spans, cut, expand_tabs, wrap
from tui.widgets.transcript.charts import chart_rows
from tui.widgets.transcript.code import code_block, rule
from tui.widgets.transcript.lines import Look, TableView
from tui.widgets.transcript.markdown import Part
from tui.widgets.transcript.styles import BOLD, DIM, ITALIC, TEXT, Kind
from tui.widgets.transcript.tables import numeric, table_rows
from tui.words import _

_MOST_ROWS = 200
_MOST_LINES = 60
"""Lines of a tool's result, of an output, of a document that are shown; copying and saving give all."""
_MOST_JSON = 50_000

ERROR, WARNING, ASK = Kind.ERROR.key, Kind.WARNING.key, Kind.ASK.key


class Drawn:
    """What one block looks like: its rows and the numbered parts in it."""

    __slots__ = ("foldable", "parts", "rows", "tight", "waiting")

    def __init__(self, rows: Sequence[Spans] = (), *, foldable: bool = False, tight: bool = False) -> None:
        self.rows = list(rows)
        self.parts: list[Part] = []
        self.foldable = foldable
        self.tight = tight
        """A one-line block: no empty line between two of these."""
        self.waiting = False


def draw(block: Block, look: Look, *, opened: bool, turn: str, number: int, live: bool) -> Drawn:
    """`block` as rows of at most `look.content` cells.

    Args:
        block: any but text.
        opened: unfolded, for what can be.
        turn: id of the turn that it is of.
        number: of its first numbered part.
        live: it is the last one of a turn that goes on.
    """
    match block:
        case ThinkingBlock():
            return _thinking(block, look, opened, live)
        case ToolBlock():
            return _tool(block, look, opened)
        case DocumentBlock():
            return _document(block, look, opened)
        case PlanBlock():
            return _plan(block, look)
        case TableBlock():
            drawn = Drawn()
            _table(drawn, block, look, look.view(turn, number), number, _("table"))
            return drawn
        case ChartBlock():
            return _chart(block, look, look.view(turn, number), number)
        case CodeBlock():
            return _code(block, look, opened, turn, number)
        case FileBlock():
            return _file(block, look)
        case SuggestionsBlock():
            rows: list[Spans] = [((_("You may ask (Esc, then the number):"), DIM),)]
            for item_number, item in enumerate(block.items, 1):
                rows += hanging(f"{item_number} ", ((item, TEXT),), look.content, DIM)
            return Drawn(rows)
        case AskBlock():
            return _ask(block, look)
        case NoticeBlock():
            return Drawn(wrapped(block.text, look.content, DIM), tight=True)
        case _:
            return Drawn()


@lru_cache(512)
def _wrapped(text: str, width: int, key: int) -> tuple[Spans, ...]:
    return tuple(wrap(((text, key),), width))


def wrapped(text: str, width: int, key: int, most: int = 0) -> list[Spans]:
    """Plain text, line by line; at most `most` rows where given, and then a row that says so."""
    rows: list[Spans] = []
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        rows += _wrapped(expand_tabs(text[start : min(end, start + 8192)]), width, key)
        start = min(end, start + 8192) + (end <= start + 8192)
        if most and len(rows) > most:
            del rows[most:]
            rows.append(((_("… and {n} more characters").format(n=f"{len(text) - start:,}"), DIM),))
            break
    return rows


def hanging(lead: str, spans: Spans, width: int, key: int) -> list[Spans]:
    """`lead`, then `spans`; further rows stand below the text."""
    rows = wrap(spans, max(4, width - len(lead)))
    return [((lead if index == 0 else " " * len(lead), key), *row) for index, row in enumerate(rows)]


def indented(rows: Sequence[Spans], cells: int) -> list[Spans]:
    return [((" " * cells, TEXT), *row) for row in rows]


def duration(seconds: float) -> str:
    if seconds < 10:
        return _("{n} s").format(n=f"{seconds:.1f}")
    if seconds < 90:
        return _("{n} s").format(n=f"{seconds:.0f}")
    return _("{m} min {s} s").format(m=int(seconds) // 60, s=int(seconds) % 60)


# --- folded lines ----------------------------------------------------------------------------------------


def _fold_mark(look: Look, opened: bool) -> str:
    return (look.marks.unfolded if opened else look.marks.folded) + " "


def _thinking(block: ThinkingBlock, look: Look, opened: bool, live: bool) -> Drawn:
    if live:
        label = _("thinking {dots}").format(dots=look.marks.ellipsis)
    elif block.seconds >= 0.5:
        label = _("thought for {time}").format(time=_("{n} s").format(n=f"{block.seconds:.0f}"))
    else:
        label = _("thought")
    rows: list[Spans] = [((_fold_mark(look, opened) + label, DIM),)]
    if opened:
        rows += indented(wrapped(block.text.strip("\n"), look.content - 4, DIM | ITALIC), 4)
    return Drawn(rows, foldable=True, tight=True)


def _tool(block: ToolBlock, look: Look, opened: bool) -> Drawn:
    state, key = "", DIM
    if block.status == "running":
        state, key = _("running"), Kind.RUNNING.key
    elif block.status == "waiting":
        state, key = _("waits for you"), WARNING
    elif block.status == "failed":
        state, key = look.marks.failed + " " + _("failed"), ERROR
    time = duration(block.seconds) if block.seconds else ""
    tail = "   ".join(part for part in (state, time) if part)
    name = cut(block.name, max(8, look.content - len(tail) - 5), look.marks.ellipsis)
    head: Spans = ((_fold_mark(look, opened) + name, DIM), ("   ", DIM), (tail, key))
    rows: list[Spans] = [head if tail else head[:1]]
    if opened:
        if block.arguments:
            rows += indented(_values(block.arguments, look.content - 4), 4)
        if block.result:
            if block.arguments:
                rows.append(())
            rows += indented(_values(block.result, look.content - 4), 4)
    return Drawn(rows, foldable=True, tight=True)


def _values(text: str, width: int) -> list[Spans]:
    """A JSON object as `key  value` lines, other JSON indented, other text as it is."""
    if len(text) > _MOST_JSON or text.lstrip()[:1] not in ("{", "["):
        return wrapped(text.strip("\n"), width, DIM, _MOST_LINES)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return wrapped(text.strip("\n"), width, DIM, _MOST_LINES)
    if not isinstance(value, dict) or not value:
        return wrapped(json.dumps(value, ensure_ascii=False, indent=2), width, DIM, _MOST_LINES)
    label = min(24, width // 3, max(len(str(name)) for name in value))
    rows: list[Spans] = []
    for name, item in value.items():
        shown = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        values = wrapped(shown, max(4, width - label - 2), TEXT, _MOST_LINES)
        head = cut(str(name), label)
        rows.append(((head + " " * (label - len(head) + 2), DIM), *values[0]))
        rows += indented(values[1:], label + 2)
        if len(rows) > _MOST_LINES:
            break
    return rows


def _document(block: DocumentBlock, look: Look, opened: bool) -> Drawn:
    title = cut(block.title or _("document"), look.content - 2, look.marks.ellipsis)
    foldable = bool(block.text)
    mark = _fold_mark(look, opened) if foldable else look.marks.bullets[0] + " "
    rows: list[Spans] = [((mark + title, DIM),)]
    for link in block.links:
        label = "" if link.title in ("", link.url, block.title) else link.title + "  "
        rows += indented(wrap(((label, DIM), (link.url, Kind.LINK.key)), look.content - 4), 4)
    if opened and foldable:
        rows += indented(wrapped(block.text.strip("\n"), look.content - 4, DIM, _MOST_LINES), 4)
    return Drawn(rows, foldable=foldable, tight=True)


# --- plans, files, asks ------------------------------------------------------------------------------------


def _plan(block: PlanBlock, look: Look) -> Drawn:
    marks = look.marks
    signs = {
        "pending": (marks.pending, DIM),
        "running": (marks.running, Kind.RUNNING.key),
        "done": (marks.done, Kind.SUCCESS.key),
        "failed": (marks.failed, ERROR),
        "skipped": (marks.skipped, DIM),
    }
    rows: list[Spans] = []
    for step in block.steps:
        sign, key = signs[step.state]
        text = BOLD | TEXT if step.state == "running" else DIM if step.state in ("done", "skipped") else TEXT
        rows += hanging(sign + " ", ((step.title, text),), look.content, key)
    return Drawn(rows)


def _file(block: FileBlock, look: Look) -> Drawn:
    facts = [readable_size(block.size) if block.size else "", block.kind, block.file_id]
    tail = "  ".join(fact for fact in facts if fact)
    name = cut(block.name or _("file"), max(8, look.content - len(tail) - 12), look.marks.ellipsis)
    return Drawn([((_("file") + " ", DIM), (name, BOLD | TEXT), ("  " + tail if tail else "", DIM))], tight=True)


def _ask(block: AskBlock, look: Look) -> Drawn:
    marks, width = look.marks, look.content - 2
    titles = {
        "plan": _("The agent asks you to confirm its plan"),
        "sql": _("The agent wants to run this SQL"),
        "question": _("The agent asks"),
        "report": _("The agent asks about the report"),
        "approval": _("The agent wants your approval"),
        "tool_outputs": _("The agent waits for the results of these calls"),
        "datasource": _("The agent asks for a data source"),
    }
    rows: list[Spans] = [((marks.box_top + " ", ASK), (titles[block.kind], ASK | BOLD))]
    inner: list[Spans] = []
    # Where a panel asks, what is open stands there.
    block = block if block.answered or not look.ask_hint else AskBlock(block.kind, block.ask_id)
    if block.text:
        inner += (
            code_block(look, width, block.text, "sql", 0)[1:]
            if block.kind == "sql"
            else wrapped(block.text, width, TEXT, _MOST_LINES)
        )
    for call in block.calls:
        label = call.name + (f"  {call.status}" if call.status not in ("", "pending") else "")
        inner += wrap(((label, BOLD | TEXT), ("  " + call.description if call.description else "", DIM)), width)
        if call.arguments:
            inner += indented(_values(call.arguments, width - 2), 2)
    for number, option in enumerate(block.options, 1):
        inner += hanging(f"{number} ", ((option, TEXT),), width, DIM)
    if block.details:
        inner += wrapped(block.details, width, DIM, _MOST_LINES)
    rows += [((marks.box_side + " ", ASK), *row) for row in inner]
    if block.answered:
        foot = wrap(((_("answered: {text}").format(text=block.answered), DIM),), width)
    else:
        foot = wrap(((look.ask_hint or _("waits for your answer"), WARNING),), width)
    rows.append(((marks.box_bottom + " ", ASK), *foot[0]))
    return Drawn(rows + indented(foot[1:], 2))


# --- data --------------------------------------------------------------------------------------------------


def table_text(table: TableBlock) -> str:
    """A table as tab-separated text, one row a line."""

    def line(cells: Sequence[str]) -> str:
        return "\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in cells)

    return "\n".join([line(table.columns), *(line(row) for row in table.rows)]) + "\n"


def _table(drawn: Drawn, table: TableBlock, look: Look, view: TableView, number: int, kind: str) -> None:
    """Add the numbered table to what is drawn."""
    shown = table.rows[:_MOST_ROWS]
    total = max(table.total_rows, len(table.rows))
    count = _("{n} of {all} rows").format(n=f"{len(shown):,}", all=f"{total:,}") if total > len(shown) else ""
    names: list[Spans] = [((name, TEXT),) for name in table.columns]
    rows: list[list[Spans]] = [[((cell, TEXT),) if cell else () for cell in row] for row in shown]
    aligns = ["right" if numeric(shown, column) else "" for column in range(len(names))]
    label = f" {look.marks.dot} ".join(part for part in (f"{kind} {number}", table.title, count) if part)
    lines, scroll = table_rows(look, look.content, label, names, rows, aligns, view)
    start, end = len(drawn.rows), len(drawn.rows) + len(lines)
    drawn.rows += lines
    drawn.parts.append(Part("table", "", table_text(table), start, end, number, scroll))


def _chart(block: ChartBlock, look: Look, view: TableView, number: int) -> Drawn:
    drawn = Drawn()
    rows = None if view.rows else chart_rows(block, look)
    if rows is None:
        title = TableBlock(block.data.columns, block.data.rows, block.title or block.data.title, block.data.total_rows)
        _table(drawn, title, look, TableView(column=view.column), number, _("chart"))
    else:
        label = f" {look.marks.dot} ".join(part for part in (f"{_('chart')} {number}", block.title) if part)
        drawn.rows = [rule(look, look.content, label), *rows]
        drawn.parts.append(Part("chart", "", table_text(block.data), 0, len(drawn.rows), number))
    drawn.parts[0].kind = "chart"
    return drawn


def _code(block: CodeBlock, look: Look, opened: bool, turn: str, number: int) -> Drawn:
    live = block.state in ("running", "pending")
    language = block.language.lower()
    drawn = Drawn(code_block(look, look.content, block.source, language, number, live))
    if block.title:
        label = f" {look.marks.dot} ".join((f"{language or _('text')} {number}", clean_line(block.title)))
        drawn.rows[0] = rule(look, look.content, label)
    drawn.waiting = look.highlighter.due(language, None if live else block.source)
    drawn.parts.append(Part("code", language, block.source, 0, len(drawn.rows), number))
    words = {"running": _("running"), "failed": _("failed"), "skipped": _("skipped"), "pending": _("not run yet")}
    if block.state in words:
        key = ERROR if block.state == "failed" else DIM
        mark = look.marks.failed + " " if block.state == "failed" else ""
        drawn.rows.append(((" " + mark + words[block.state], key),))
    most = 0 if opened else 20
    for output in block.outputs:
        _output(drawn, output, look, turn, number + len(drawn.parts), most)
    drawn.foldable = any(output.text.count("\n") > 20 for output in block.outputs)
    return drawn


def _output(drawn: Drawn, output: CellOutput, look: Look, turn: str, number: int, most: int) -> None:
    if output.table is not None:
        _table(drawn, output.table, look, look.view(turn, number), number, _("table"))
    elif output.error:
        rows = wrapped(output.error.strip("\n"), look.content - 4, ERROR, _MOST_LINES)
        drawn.rows += [
            ((" " + (look.marks.failed if index == 0 else " ") + " ", ERROR), *row) for index, row in enumerate(rows)
        ]
    elif output.image:
        size = readable_size(len(output.image) * 3 // 4)
        drawn.rows.append(((" " + _("picture, {size}: v shows it, w saves it").format(size=size), DIM),))
    elif output.text:
        drawn.rows += indented(wrapped(output.text.strip("\n"), look.content - 2, DIM, most or 2000), 1)
