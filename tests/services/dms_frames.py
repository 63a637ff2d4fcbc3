"""Frames of GetChatContent for the tests: short forms, and the turns of the protocol notes, section 11."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tui.services.sse import Frame

Row = dict[str, Any]


def row(name: str, category: str = "", content: object = "", checkpoint: int | None = None, **more: Any) -> Row:
    """A frame as the service writes it; an object becomes JSON text."""
    kind = "str" if isinstance(content, str) else "json"
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    made: Row = {"event_type": name, "category": category, "content": text, "content_type": kind}
    if checkpoint is not None:
        made["checkpoint"] = checkpoint
    return made | more


def frame(made: Mapping[str, Any]) -> Frame:
    return Frame(json.dumps(made, ensure_ascii=False), str(made["event_type"]))


def block(category: str, pieces: Iterable[str], checkpoint: int, *, counting: bool = False, **more: Any) -> list[Row]:
    """A block in pieces, all at one checkpoint, or counting up from it."""
    pieces = [*pieces]
    step = 1 if counting else 0
    rows = [row("content_start", category, "", checkpoint, **more)]
    rows += [row("delta", category, piece, checkpoint + step * n, **more) for n, piece in enumerate(pieces, 1)]
    return [*rows, row("content_finish", category, "", checkpoint + step * (len(pieces) + 1), **more)]


def split(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def plan(current: int = 0, status: str = "pending") -> Row:
    steps = [
        {"order": 1, "name": "Weekly refunds", "description": "count refunds", "type": "query", "status": "pending"},
        {"order": 2, "name": "By shop", "description": "split by shop", "type": "analysis", "status": "pending"},
    ]
    return {"plan_id": "pl-1", "plan_status": status, "current_step": current, "plans": [{"plan": {"steps": steps}}]}


def cell(cell_id: str, kind: str, source: str, outputs: list[Row], title: str = "") -> str:
    inner: Row = {"cell_id": cell_id, "title": title, "content_type": kind, "content": source}
    inner |= {"nb_file_outputs": outputs, "outputs": []}
    return json.dumps({"result_type": "jupyter_cell", "result": json.dumps(inner, ensure_ascii=False)})


WEEKS = [{"week": "2026-05-04", "n": 8}, {"week": "2026-05-11", "n": 29}]
TABLE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {
        "application/json": {
            "data": {"columns": [{"field": "week", "title": "week"}, {"field": "n", "title": "n"}], "result": WEEKS}
        }
    },
}
PICTURE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo="}}
STDOUT = {"output_type": "stream", "name": "stdout", "text": ["peak week ", "2026-05-11\n"]}
EXECUTING = {"output_type": "display_data", "metadata": {"content_type": "dms/executing"}, "data": {"text/plain": "…"}}
SQL = "SELECT week, COUNT(*) n FROM refunds GROUP BY week"


def plain_answer() -> list[Row]:
    """11.1: an answer that is only the model's talk."""
    return [
        row("chat_start", "chat", {"message": "How many orders were refunded in May?"}, 1),
        *block("think", ["The user wants a count; ", "table orders, column refunded_at."], 2),
        *block("llm", ["In May **37 orders** ", "were refunded."], 3),
        row("data", "recommended_question", {"questions": ["Which shop had most refunds?", "And in June?"]}, 4),
        row("chat_finish", "chat", "", 5),
        row("SSE_FINISH", checkpoint=5),
    ]


def analysis(*, counting: bool = False) -> list[list[Row]]:
    """11.2, richer: the frames up to the plan, up to the statement, up to the report offer, and the report."""
    finish = json.dumps(
        [
            {
                "title": "Refunds per week",
                "summary": "peak 29",
                "chart_type": "bar",
                "data": json.dumps(WEEKS),
            },
            {"title": "Files", "summary": "", "data": '<a href="#file-f-r1">refunds.md</a>'},
        ]
    )
    conclusion = json.dumps({"mission_idx": 1, "objective_order": 1, "result": "Refunds **tripled**."})
    at = 40
    return [
        [
            row("chat_start", "chat", {"message": "Why did refunds rise in May?"}, 10),
            *block("think", ["I should ", "compare weeks", "\n", "\n", "and shops."], 11),
            row("status_change", "chat", {"previous": "IDLE", "current": "PLANNING", "current_task": "make plan"}, 20),
            row("data", "ask_plan", plan(), 21),
            row("chat_finish", "ask_plan", plan(), 22),
        ],
        [
            row("chat_start", "chat", {"message": "确认执行"}, 23),
            row("data", "plan", plan(1, "running"), 24),
            *block("llm", ["Now I count. ", "数一数。"], 24, counting=counting),
            row("chat_finish", "ask_sql", {"sql": SQL, "question": "Run it?", "explain_result": "rows=120000"}, 30),
        ],
        [
            row("chat_start", "chat", {"message": "同意后续所有SQL执行"}, 31),
            *block("tool_call_response", split(cell("c1", "sql", SQL, [EXECUTING], "Weeks"), 90), at, counting=False),
            *block("tool_call_response", split(cell("c1", "sql", SQL, [TABLE], "Weeks"), 90), at + 1, counting=False),
            row("data", "plan", {"plan_status": "running", "current_step": 2, "plans": []}, at + 2),
            *block("tool_call_response", split(cell("c2", "code", "df.plot()", [STDOUT, PICTURE]), 90), at + 3),
            row("chat_finish", "ask_report_render", {"message": "Draw the web report?"}, at + 4),
            *block("output_conclusion", split(conclusion, 30), at + 5),
            *block(
                "output_conclusion",
                [
                    "And **more** <tra",
                    'ce id="7">here</trace',
                    "> it is",
                    " ![a](data:image/png;base64,iVBO",
                    "Rw0KGgo=).",
                ],
                at + 6,
                counting=counting,
            ),
            row("HEARTBEAT"),
            row("data", "task_finish", finish, at + 20),
            row("data", "file_upload_finish", "refunds.md 上传完成", at + 21),
            row("data", "brand_new", "what is this", at + 22),
            row("chat_finish", "chat", "", at + 23),
        ],
        [
            row("chat_start", "chat", {"message": "绘制网页报告"}, at + 24),
            row("data", "jsx_report", {"type": "WebReport"}, at + 25),
            row("data", "file_upload_finish", "refunds.html 上传完成", at + 26),
            row("chat_finish", "chat", "", at + 27),
        ],
    ]
