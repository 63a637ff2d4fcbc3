"""The files of an analysis: its results as CSV, its report as Markdown and as a page."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

from tui.sandbox.analysis_findings import points_of, shown
from tui.sandbox.analysis_plan import Inquiry, Tongue
from tui.sandbox.analysis_query import Result

_NOTE = {
    "en": "sandbox data: calculated by the sandbox with sqlite3 from the file that was uploaded",
    "zh": "沙箱数据（sandbox data）：由沙箱用 sqlite3 对上传的文件计算得出",
}
_MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Section:
    """One statement of the report, what it found and the sentence about it."""

    inquiry: Inquiry
    sql: str
    """As it was run; the user may have changed it."""
    result: Result
    text: str


def note(tongue: Tongue) -> str:
    """Says whose numbers these are."""
    return _NOTE[tongue]


def table_csv(result: Result) -> bytes:
    """All rows, UTF-8 with a byte order mark, as spreadsheets expect it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(result.columns)
    writer.writerows(result.rows)
    return text.getvalue().encode("utf-8-sig")


def markdown(title: str, sections: Sequence[Section], tongue: Tongue) -> str:
    """The text report."""
    parts = [f"# {title}", f"*{note(tongue)}*"]
    for section in sections:
        parts += [f"## {section.inquiry.title}", section.text, _table(section.result), f"```sql\n{section.sql}\n```"]
    return "\n\n".join(parts) + "\n"


def _table(result: Result) -> str:
    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    lines = [row(result.columns), row(["---"] * len(result.columns))]
    lines += [row([shown(value) for value in values]) for values in result.rows[:_MOST_ROWS]]
    return "\n".join(lines)


def page(title: str, sections: Sequence[Section], tongue: Tongue, theme: str) -> str:
    """The web report: one file, charts as SVG, nothing loaded from elsewhere."""
    body = [f"<h1>{html.escape(title)}</h1>", f"<p><em>{html.escape(note(tongue))}</em></p>"]
    for section in sections:
        body.append(f"<h2>{html.escape(section.inquiry.title)}</h2>")
        body.append(f"<p>{html.escape(section.text.replace('**', ''))}</p>")
        body.append(_svg(points_of(section.inquiry, section.result)))
        body.append(_html_table(section.result))
        body.append(f"<pre>{html.escape(section.sql)}</pre>")
    language = "zh-CN" if tongue == "zh" else "en"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n"
        f'<meta name="theme" content="{html.escape(theme)}">\n'
        "<style>body{font-family:sans-serif;max-width:60em;margin:2em auto}"
        "td,th{border:1px solid #ccc;padding:.2em .6em}table{border-collapse:collapse}</style>\n"
        f"</head>\n<body>\n{chr(10).join(part for part in body if part)}\n</body>\n</html>\n"
    )


def _html_table(result: Result) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    lines = [row([shown(value) for value in values], "td") for values in result.rows[:_MOST_ROWS]]
    return "<table>\n" + "\n".join([row(result.columns, "th"), *lines]) + "\n</table>"


def _svg(points: Sequence[tuple[str, float]]) -> str:
    most = max((value for _, value in points), default=0)
    if most <= 0:
        return ""
    bars = "".join(
        f'<text x="0" y="{20 * number + 14}" font-size="12">{html.escape(label[:24])}</text>'
        f'<rect x="160" y="{20 * number + 4}" width="{400 * max(0.0, value) / most:.1f}" height="12" fill="#3370cc"/>'
        for number, (label, value) in enumerate(points[:_MOST_ROWS])
    )
    return f'<svg width="580" height="{20 * min(len(points), _MOST_ROWS) + 10}" role="img">{bars}</svg>'
