"""What the result of a statement says, in a sentence or two; every number is one of the result's."""

from __future__ import annotations

from collections.abc import Sequence

from tui.sandbox.analysis_load import Table
from tui.sandbox.analysis_plan import KINDS, Inquiry, Tongue
from tui.sandbox.analysis_query import Result
from tui.sandbox.analysis_values import Value

_TEXTS = {
    "en": {
        "nothing": "The statement found no rows.",
        "profile": "**{table}** has **{rows}** rows and **{columns}** columns ({kinds}). {nulls}",
        "no nulls": "No value is missing.",
        "nulls": "Missing values: {listed}.",
        "total": "In all: {listed}.",
        "trend": "The peak is **{peak}** with **{high}**, the low **{trough}** with **{low}**, over {count} points.",
        "change": " From {first} to {last} it went from {start} to {end} ({percent}).",
        "group": "**{first}** leads with **{high}**, ahead of {second} with {next}; {last} is last with {low}.",
        "only": "There is only **{first}**, with **{high}**.",
        "share": "**{first}** makes up **{percent}** ({high} of {sum}); the first two make up {both}.",
        "top": "First of {count}: **{first}** with **{high}**; last of them: {last} with {low}.",
        "and": ", ",
    },
    "zh": {
        "nothing": "语句没有查到数据。",
        "profile": "**{table}** 共有 **{rows}** 行、**{columns}** 列（{kinds}）。{nulls}",
        "no nulls": "没有缺失值。",
        "nulls": "缺失值：{listed}。",
        "total": "总览：{listed}。",
        "trend": "最高点是 **{peak}**，为 **{high}**；最低点是 **{trough}**，为 **{low}**；共 {count} 个点。",
        "change": "从 {first} 到 {last}，由 {start} 变为 {end}（{percent}）。",
        "group": "**{first}** 最高，为 **{high}**，其次是 {second}（{next}）；最低的是 {last}（{low}）。",
        "only": "只有 **{first}**，为 **{high}**。",
        "share": "**{first}** 占 **{percent}**（{high} / {sum}）；前两名合计占 {both}。",
        "top": "前 {count} 名中，第一是 **{first}**（**{high}**），最后是 {last}（{low}）。",
        "and": "、",
    },
}


def shown(value: Value) -> str:
    """A value as text; numbers with separators."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "–" if value is None else value


def finding(inquiry: Inquiry, result: Result, table: Table, tongue: Tongue) -> str:
    """Markdown; of a statement that somebody changed, only what holds for any result."""
    texts = _TEXTS[tongue]
    if not result.rows:
        return texts["nothing"]
    if inquiry.aim == "profile":
        return _profile(table, tongue)
    if inquiry.aim == "total" or not inquiry.chart or {inquiry.x, inquiry.y} - set(result.columns):
        row = dict(zip(result.columns, result.rows[0], strict=True))
        listed = texts["and"].join(f"{name} **{shown(value)}**" for name, value in row.items())
        return texts["total"].format(listed=listed)
    points = points_of(inquiry, result)
    if not points:
        return texts["nothing"]
    if inquiry.aim == "trend":
        return _trend(points, texts)
    return _ranking(inquiry, points, texts)


def points_of(inquiry: Inquiry, result: Result) -> list[tuple[str, float]]:
    """What the chart shows: labels and numbers, in the order of the result."""
    if not inquiry.chart or {inquiry.x, inquiry.y} - set(result.columns):
        return []
    x, y = result.columns.index(inquiry.x), result.columns.index(inquiry.y)
    return [(shown(row[x]), number) for row in result.rows if isinstance(number := row[y], (int, float))]


def _profile(table: Table, tongue: Tongue) -> str:
    texts = _TEXTS[tongue]
    kinds = [KINDS[tongue][column.kind] for column in table.columns]
    counted = texts["and"].join(f"{kind} × {kinds.count(kind)}" for kind in dict.fromkeys(kinds))
    missing = [f"{column.name} {column.nulls:,}" for column in table.columns if column.nulls]
    nulls = texts["nulls"].format(listed=texts["and"].join(missing[:20])) if missing else texts["no nulls"]
    return texts["profile"].format(
        table=table.name, rows=f"{table.rows:,}", columns=len(table.columns), kinds=counted, nulls=nulls
    )


def _trend(points: Sequence[tuple[str, float]], texts: dict[str, str]) -> str:
    peak, trough = max(points, key=lambda point: point[1]), min(points, key=lambda point: point[1])
    text = texts["trend"].format(
        peak=peak[0], high=shown(peak[1]), trough=trough[0], low=shown(trough[1]), count=len(points)
    )
    (first, start), (last, end) = points[0], points[-1]
    if len(points) > 1 and start:
        percent = f"{(end - start) / abs(start):+.1%}"
        text += texts["change"].format(first=first, last=last, start=shown(start), end=shown(end), percent=percent)
    return text


def _ranking(inquiry: Inquiry, points: Sequence[tuple[str, float]], texts: dict[str, str]) -> str:
    (first, high), (last, low) = points[0], points[-1]
    if len(points) == 1:
        return texts["only"].format(first=first, high=shown(high))
    total = sum(value for _, value in points)
    if inquiry.aim == "share" and total > 0:
        return texts["share"].format(
            first=first,
            high=shown(high),
            sum=shown(round(total, 2)),
            percent=f"{high / total:.1%}",
            both=f"{(high + points[1][1]) / total:.1%}",
        )
    values = {"first": first, "high": shown(high), "last": last, "low": shown(low), "count": len(points)}
    if inquiry.aim == "top":
        return texts["top"].format(**values)
    return texts["group"].format(**values, second=points[1][0], next=shown(points[1][1]))
