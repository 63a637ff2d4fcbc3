"""Whole contents of the agent's stream to events, by category; no I/O. Source: protocol notes (DMS) 8.6.

`SHOWN_AS_IT_GROWS` are the categories whose texts are shown while they come; what else there is is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tui.models import CellOutput, CodeBlock, FileBlock, PlanStep, StepState, ToolStatus
from tui.services.dms_cells import chart_of, read_cell, read_table
from tui.services.dms_frames import read_content
from tui.services.dms_text import is_control, plain_markdown
from tui.services.events import (
    ChartFound,
    CodeCell,
    Event,
    FileReady,
    Noted,
    PlanChanged,
    Status,
    Suggestions,
    TableFound,
    TextPart,
    ThinkingDelta,
    ToolProgress,
    Unknown,
)
from tui.services.fields import Fields, as_items, as_json, as_object, as_text
from tui.text import clean, clean_line
from tui.words import _

TALK = "llm"
CONCLUSION = "output_conclusion"
THINKING = frozenset({"think", "llm_reasoning"})
SHOWN_AS_IT_GROWS = frozenset({TALK, CONCLUSION}) | THINKING
ANSWER = frozenset({CONCLUSION, "task_finish"})
"""With these the answer proper begins."""
_INTERNAL = frozenset({"chat", "tool_call_choices", "metric_agent_config", "ask_report_render", "ask_human", "ask_sql"})
"""Nothing to show: marks, the agent's own business, and announcements of asks (the ask itself comes at the end)."""
_STATES: dict[str, StepState] = {
    "running": "running",
    "executing": "running",
    "processing": "running",
    "in_progress": "running",
    "success": "done",
    "succeeded": "done",
    "finished": "done",
    "finish": "done",
    "completed": "done",
    "complete": "done",
    "done": "done",
    "failed": "failed",
    "fail": "failed",
    "error": "failed",
    "skipped": "skipped",
    "skip": "skipped",
    "canceled": "skipped",
    "cancelled": "skipped",
}
_FILE_LINK = re.compile(r'<a\s[^<>]*href="#file-([\w-]+)"[^<>]*>([^<]*)</a>')
_UPLOADED = re.compile(r"\s*(上传完成|upload(ed)?( is)? (complete|completed|done|finished))\s*[。.]?$", re.IGNORECASE)


def read_whole(category: str, content: str, key: str, steps: Sequence[PlanStep]) -> list[Event]:
    """The events of a content that is complete.

    Args:
        category: in lower case.
        content: as it came, JSON as text.
        key: the frame's identity; names what has no name of its own.
        steps: the plan as it stands, for changes that only tell which step runs.
    """
    value = read_content(content)
    if category in THINKING:
        text = clean(content)
        return [ThinkingDelta(text)] if text else []
    if category in _INTERNAL:
        return []
    match category:
        case "llm":
            return [] if is_control(content) else _text(content, "", key)
        case "output_conclusion":
            return _conclusion(value, content, key)
        case "task_finish":
            return _task(value, content, key)
        case "plan" | "ask_plan":
            changed = read_steps(value, steps)
            return [PlanChanged(changed)] if changed else []
        case "tool_call_response":
            return _tool(value, content, key, steps)
        case "recommended_question":
            questions = read_questions(value)
            return [Suggestions(questions)] if questions else []
        case "jsx_report" | "mission_report":
            fields = as_object(value)
            name = fields.line("title", "name", "type") if fields else clean_line(content)
            return [Noted(_("report: {name}").format(name=name) if name else _("a report was made"))]
        case "file_upload_finish":
            name = clean_line(_UPLOADED.sub("", content.strip()).strip("`\"' "))
            return [FileReady(FileBlock(name))] if name else []
    return [Unknown(category or "?", clean_line(content))]


def read_status(content: str) -> list[Event]:
    """The status line of a status_change: the task in words, else the state."""
    fields = as_object(content)
    if fields is None:
        return []
    task = fields.line("current_task", limit=80)
    words = {
        "planning": _("planning"),
        "step_execution": _("working on a step"),
        "sql_generation": _("writing SQL"),
        "query_processing": _("running a query"),
        "idle": "",
    }
    state = fields.line("current", limit=40)
    text = task or words.get(state.lower(), state.replace("_", " ").lower())
    return [Status(text)] if text else []


# --- text ----------------------------------------------------------------------------------------------------------


def images_to_cells(images: Sequence[str], key: str) -> list[Event]:
    """Images that stood in a text, as cells without a source."""
    return [
        CodeCell(CodeBlock(f"image-{key}-{number}", "", "", (CellOutput(image=image),)))
        for number, image in enumerate(images, 1)
    ]


def _text(content: str, part: str, key: str) -> list[Event]:
    text, images = plain_markdown(content)
    events: list[Event] = [TextPart(text, part)] if text.strip() else []
    return events + images_to_cells(images, key)


def _conclusion(value: object, content: str, key: str) -> list[Event]:
    if not isinstance(value, Mapping):
        return _text(content, "", key)
    fields = Fields(value)
    result = fields.first("result", "conclusion", "content", "text")
    numbers = [fields.line("mission_idx"), fields.line("objective_order")]
    # The same numbers again replace what they named before.
    part = "/".join(("conclusion", *numbers)) if any(numbers) else ""
    return _text(as_text(result) if result is not None else content, part, key)


# --- plan ----------------------------------------------------------------------------------------------------------


def read_steps(value: object, known: Sequence[PlanStep] = ()) -> tuple[PlanStep, ...]:
    """The steps of a plan with their states; of the `known` ones where only the running step is told."""
    fields = as_object(value)
    if fields is None:
        return ()
    current = fields.line("current_step").removesuffix(".0")
    number = int(current) if current.isdecimal() else 0
    status = _STATES.get(fields.line("plan_status", limit=40).lower())
    steps: list[PlanStep] = []
    stated: list[StepState | None] = []
    for entry in as_items(fields.first("plans")):
        plan = as_object(entry.first("plan")) or entry
        for step in as_items(plan.first("steps")):
            title = step.line("name", "title") or step.line("description") or _("step {n}").format(n=len(steps) + 1)
            steps.append(PlanStep(step.line("order", "id") or str(len(steps) + 1), title))
            stated.append(_STATES.get(step.line("status", limit=40).lower()))
    if not steps:
        steps, stated = list(known), [None] * len(known)
    return tuple(
        PlanStep(step.id, step.title, own or _state(index, number, status, step.state if known else "pending"))
        for index, (step, own) in enumerate(zip(steps, stated, strict=True), 1)
    )


def _state(index: int, current: int, plan: StepState | None, held: StepState) -> StepState:
    """A step's state by the plan's: those before the running one are done, whatever they say themselves."""
    if plan == "done" or index < current:
        return held if held in ("failed", "skipped") else "done"
    if index > current:
        return "pending"
    return plan or "pending"


# --- tools and tasks -----------------------------------------------------------------------------------------------


def _tool(value: object, content: str, key: str, steps: Sequence[PlanStep]) -> list[Event]:
    fields = as_object(value)
    if fields is None:
        return [Unknown("tool_call_response", clean_line(content))] if content.strip() else []
    kind = fields.line("result_type", limit=60).lower()
    result = as_json(fields.first("result"))
    if kind == "jupyter_cell":
        cell = read_cell(result, key)
        return [CodeCell(cell)] if cell else []
    if kind == "plan":
        changed = read_steps(result, steps)
        return [PlanChanged(changed)] if changed else []
    if kind == "empty" or result in (None, "", {}, []):
        return []
    table = read_table(result)
    if table is not None:
        return [TableFound(table)]
    state: ToolStatus = "failed" if kind in ("error", "failed") else "done"
    return [ToolProgress(key, kind or _("tool"), state, result=clean(as_text(result)))]


def _task(value: object, content: str, key: str) -> list[Event]:
    if isinstance(value, (Mapping, list)):
        return [event for number, item in enumerate(as_items(value)) for event in _task_item(item, f"{key}-{number}")]
    return _text(content, "", key)


def _task_item(item: Fields, key: str) -> list[Event]:
    """A title with a summary, and what belongs to it: a table, a chart, a file, a statement."""
    title = item.line("title", "name")
    words = [item.text(name) for name in ("summary", "conclusion", "result") if isinstance(item.first(name), str)]
    data = item.first("data")
    found = _task_data(data, title, item.line("chart_type", limit=40))
    if item.first("sql") is not None:
        found.append(CodeCell(CodeBlock(f"task-{key}", "sql", item.text("sql"), title=title)))
    text = "\n\n".join(word for word in words if word.strip())
    if isinstance(data, str) and data.strip() and not found:
        text = "\n\n".join(part for part in (text, data) if part)
    head = f"**{title}**\n\n" if title and text and not _heads(found) else ""
    return [*(_text(head + text, "", key) if text else []), *found]


def _heads(events: Sequence[Event]) -> bool:
    """True where one of the events shows the title itself."""
    return any(isinstance(event, (TableFound, ChartFound, CodeCell)) for event in events)


def _task_data(data: object, title: str, chart: str) -> list[Event]:
    if isinstance(data, str) and (links := _FILE_LINK.findall(data)):
        return [FileReady(FileBlock(clean_line(name) or file_id, clean_line(file_id))) for file_id, name in links[:100]]
    table = read_table(data, title)
    if table is None or not table.rows:
        return []
    drawn = chart_of(table, chart) if chart else None
    return [ChartFound(drawn)] if drawn else [TableFound(table)]


def read_questions(value: object) -> tuple[str, ...]:
    """Suggested questions: `{questions}`, `{recommendQuestions}` or a plain list."""
    fields = as_object(value)
    listed = as_json(fields.first("questions", "recommendQuestions", "recommended_questions")) if fields else value
    texts: list[str] = []
    for item in listed if isinstance(listed, list) else []:
        inner = Fields(item).first("question", "content", "text") if isinstance(item, Mapping) else item
        if isinstance(inner, str) and inner.strip():
            texts.append(clean_line(inner, 500))
    return tuple(texts[:20])
