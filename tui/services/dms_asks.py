"""What the agent asks, and how it is answered; no I/O. Source: protocol notes (DMS) 8.4 and 8.5."""

from __future__ import annotations

from tui.models import AskBlock, AskKind
from tui.services.base import AskReply
from tui.services.dms_frames import read_content
from tui.services.fields import Fields, as_json, as_object
from tui.services.rpc import Value
from tui.text import clean
from tui.words import _

KINDS: dict[str, AskKind] = {
    "ask_plan": "plan",
    "ask_sql": "sql",
    "ask_human": "question",
    "ask_report_render": "report",
    "request_datasource": "datasource",
}
CONFIRM_PLAN = "确认执行"
CONFIRM_SQL = "确认执行当前SQL"
CONFIRM_ALL_SQL = "同意后续所有SQL执行"
DRAW_REPORT = "绘制网页报告"
"""The words that the vendor's clients send."""
CANCEL = "cancel"
"""A message must have a text; with `MessageType=cancel` it says nothing."""
REPORT_THEMES = ("default", "journal", "legacy", "neobrutalism")


def read_ask(category: str, content: str, ask_id: str) -> AskBlock:
    """The ask in a `chat_finish/ask_*` or `data/request_datasource`; a kind that is not known is a question."""
    kind = KINDS.get(category, "question")
    value = read_content(content)
    fields = as_object(value)
    if fields is None:
        return AskBlock(kind, ask_id, clean(content).strip() or _default_text(kind))
    question = fields.text("question", "message", "content", "text", "title").strip()
    if kind == "sql":
        return AskBlock(
            kind,
            ask_id,
            text=fields.text("sql", "query").strip(),
            details=fields.text("explain_result", "explain").strip(),
            prompt=question or _default_text(kind),
        )
    if not question and kind == "question":
        question = clean(content)  # of any shape: shown as it is
    return AskBlock(kind, ask_id, question or _default_text(kind), options=_options(fields))


def _options(fields: Fields) -> tuple[str, ...]:
    listed = as_json(fields.first("options", "choices", "candidates"))
    if not isinstance(listed, list):
        return ()
    texts = [
        item if isinstance(item, str) else Fields(item).text("label", "text", "name", "value")
        for item in listed
        if isinstance(item, (str, dict))
    ]
    return tuple(clean(text) for text in texts if text)


def _default_text(kind: AskKind) -> str:
    return {
        "plan": _("Run this plan?"),
        "sql": _("Run this statement?"),
        "report": _("Draw the web report?"),
        "datasource": _("The agent needs data: choose a file or a database."),
    }.get(kind, _("The agent waits for an answer."))


def reply_parameters(ask: AskBlock, reply: AskReply, *, theme: str = "", data: Value = None) -> dict[str, Value] | None:
    """The parameters of SendChatMessage that carry `reply`; None where nothing is sent (a report that is not wanted).

    To refuse a plan, a statement or a question is to cancel the run: no words of refusal are documented.
    """
    reply_to = ask.ask_id if ask.ask_id.isdecimal() else ""
    if reply.action == "refuse":
        return None if ask.kind == "report" else {"MessageType": "cancel", "Message": CANCEL}
    if ask.kind == "report":
        config = {
            "ReportType": "WebReport",
            "ReportTheme": theme if theme in REPORT_THEMES else "default",
            **({"ReportPrompt": reply.text} if reply.text else {}),
        }
        return {
            "MessageType": "report",
            "Message": DRAW_REPORT,
            "ReplyTo": reply_to,
            "TaskConfig": {"ReportConfig": config},
        }
    if ask.kind in ("plan", "sql"):
        words = {"approve": CONFIRM_PLAN if ask.kind == "plan" else CONFIRM_SQL, "approve_all": CONFIRM_ALL_SQL}
        text = words.get(reply.action, reply.text)
        return {"MessageType": "primary", "Message": text, "ReplyTo": reply_to}
    return {
        "MessageType": "additional",
        "Message": reply.text,
        "Question": ask.text,
        "ReplyTo": reply_to,
        "DataSources": data,
    }
