"""From a question and a table to the statements that answer it. Scripted by keywords, and always the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from tui.sandbox.analysis_load import Column, Table, quoted
from tui.sandbox.analysis_roles import Roles, is_rate, meant, named, roles_of
from tui.sandbox.analysis_values import Kind

Tongue: TypeAlias = Literal["en", "zh"]
Aim: TypeAlias = Literal["profile", "total", "trend", "group", "top", "share"]
Chart: TypeAlias = Literal["", "line", "bar", "pie"]

_AIMS: tuple[tuple[Aim, str], ...] = (
    ("profile", r"columns?\b|quality|missing|null|schema|字段|列|质量|缺失|空值"),
    (
        "top",
        r"\btop\b|rank|highest|lowest|largest|smallest|most\b|least|best|worst|bottom|前\s*[\d一二三五十]|排名|排行|最",
    ),
    ("share", r"share|percent|proportion|占比|比例|份额|构成"),
    (
        "trend",
        r"trend|over time|by (day|week|month|quarter|year)|daily|weekly|monthly|grow"
        r"|趋势|走势|变化|增长|[按每逐](天|日|周|月|季|年)",
    ),
    ("group", r"\bby\b|\bper\b|\beach\b|compare|group|split|distribut|[按各每]|分布|对比|分组"),
    ("total", r"how many|how much|total|sum|average|overall|多少|总|合计|平均|汇总"),
)
_PERIODS = (
    ("day", r"\bday|daily|[按每逐](天|日)"),
    ("week", r"week|周"),
    ("month", r"month|月"),
    ("quarter", r"quarter|季"),
    ("year", r"\byear|annual|[按每逐]年"),
)
_LABELS = {
    "en": {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year", "rows": "row_count"},
    "zh": {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年", "rows": "行数"},
}
_FUNCTIONS = (
    ("AVG", r"\bavg|average|mean\b|平均"),
    ("MAX", r"\bmax|最大值"),
    ("MIN", r"\bmin\b|minimum|最小值"),
    ("COUNT", r"how many|number of|count|多少(条|单|笔|个|次)|条数|笔数|单数|行数"),
)
_FUNCTION_LABELS = {
    "en": {"SUM": "total_{}", "AVG": "average_{}", "MAX": "max_{}", "MIN": "min_{}"},
    "zh": {"SUM": "{}合计", "AVG": "{}平均", "MAX": "{}最大", "MIN": "{}最小"},
}
_ASCENDING = re.compile(r"lowest|smallest|least|worst|bottom|最低|最少|最小|最差|倒数")
_DIGITS = {"一": 1, "二": 2, "三": 3, "五": 5, "十": 10}
KINDS: dict[str, dict[Kind, str]] = {
    "en": {"integer": "integer", "number": "number", "date": "date", "text": "text"},
    "zh": {"integer": "整数", "number": "小数", "date": "日期", "text": "文本"},
}
_PROFILE_LABELS = {
    "en": ("column", "type", "nulls", "distinct", "lowest", "highest"),
    "zh": ("列名", "类型", "空值", "不同值", "最小", "最大"),
}
_TITLES: dict[Tongue, dict[Aim, tuple[str, str]]] = {
    "en": {
        "profile": ("Columns of {table}", "types, empty values and ranges of each column"),
        "total": ("{value} in all", "one row of totals"),
        "trend": ("{value} by {by}", "how it went over time"),
        "group": ("{value} by {by}", "split by {by}"),
        "top": ("{by}: ranking by {value}", "the first {count}"),
        "share": ("{by}: share of {value}", "parts of the whole"),
    },
    "zh": {
        "profile": ("{table} 的各列", "每一列的类型、空值与取值范围"),
        "total": ("{value}总览", "一行总数"),
        "trend": ("按{by}的{value}", "随时间的变化"),
        "group": ("各{by}的{value}", "按{by}拆分"),
        "top": ("{by}排名（按{value}）", "前 {count} 名"),
        "share": ("各{by}占{value}的比例", "部分与整体"),
    },
}


_COMMA = ",\n       "
"""Between lines of a SELECT."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One statement and what it is for. `x` and `y` are columns of its result, empty where there is no chart."""

    aim: Aim
    title: str
    description: str
    sql: str
    chart: Chart = ""
    x: str = ""
    y: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that the user wants left out."""

    column: str
    values: tuple[str, ...]

    @property
    def condition(self) -> str:
        listed = ", ".join("'" + value.replace("'", "''") + "'" for value in self.values)
        return f"({quoted(self.column)} IS NULL OR {quoted(self.column)} NOT IN ({listed}))"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is counted or summed."""

    expression: str
    label: str


def inquiries(
    question: str, table: Table, tongue: Tongue, *, deep: bool, exclusion: Exclusion | None = None
) -> list[Inquiry]:
    """The statements for `question`, in order. `deep`: the columns first, and at least three more."""
    maker = _Maker(question, table, tongue, exclusion)
    asked = [aim for aim, words in _AIMS if re.search(words, question.lower())]
    if "trend" in asked and not re.search(r"compare|split|对比|分组|各", question.lower()) and not maker.named_groups:
        asked = [aim for aim in asked if aim != "group"]
    if "share" in asked or "top" in asked:
        asked = [aim for aim in asked if aim not in ("group", "total")]
    if "group" in asked or "trend" in asked:
        asked = [aim for aim in asked if aim != "total"]
    wanted: list[Aim] = list(asked)
    if deep:
        wanted = ["profile", *asked, *(aim for aim in ("trend", "group", "top") if len(asked) < 2)]
    elif not asked:
        wanted = ["group", "trend", "total"]
    made = [inquiry for aim in dict.fromkeys(wanted) for inquiry in maker.make(aim, asked=aim in asked)]
    if not deep and not asked:
        made = made[:1]
    different: dict[str, Inquiry] = {}
    for inquiry in made:
        different.setdefault(inquiry.sql, inquiry)
    return list(different.values()) or list(maker.make("total"))


class _Maker:
    def __init__(self, question: str, table: Table, tongue: Tongue, exclusion: Exclusion | None) -> None:
        self._question = question.lower()
        self._table = table
        self._tongue: Tongue = tongue
        self._roles: Roles = roles_of(table)
        self._from = quoted(table.name)
        self._conditions = [exclusion.condition] if exclusion else []
        self._subject = self._find_subject()
        self.named_groups = named(self._question, self._roles.groups)
        self._groupings = self.named_groups or list(self._roles.groups[:1])

    def make(self, aim: Aim, *, asked: bool = True) -> Iterator[Inquiry]:
        """None where the table has no column for it. What was not asked for shows another column than the rest."""
        match aim:
            case "profile":
                yield self._profile()
            case "total":
                yield self._total()
            case "trend":
                yield from self._trend()
            case "group" | "share":
                yield from self._group(aim)
            case "top":
                yield from self._top(asked)

    def _find_subject(self) -> _Subject:
        measures = self._roles.measures
        function = next((name for name, words in _FUNCTIONS if re.search(words, self._question)), "")
        column = meant(self._question, measures)
        if column is None and function != "COUNT" and measures:
            column = measures[0]
        if column is None or function == "COUNT":
            return _Subject("COUNT(*)", _LABELS[self._tongue]["rows"])
        function = function or ("AVG" if is_rate(column) else "SUM")
        label = _FUNCTION_LABELS[self._tongue][function].format(column.name)
        expression = f"{function}({quoted(column.name)})"
        whole = column.kind == "integer" and function != "AVG"
        return _Subject(expression if whole else f"ROUND({expression}, 2)", label)

    def _where(self, *conditions: str) -> str:
        every = [*conditions, *self._conditions]
        return f" WHERE {' AND '.join(every)}" if every else ""

    def _inquiry(self, aim: Aim, sql: str, chart: Chart = "", x: str = "", count: int = 0) -> Inquiry:
        title, description = _TITLES[self._tongue][aim]
        values = {"table": self._table.name, "value": self._subject.label, "by": x, "count": count}
        y = self._subject.label if chart else ""
        return Inquiry(aim, title.format(**values), description.format(**values), sql, chart, x if chart else "", y)

    def _profile(self) -> Inquiry:
        labels = _PROFILE_LABELS[self._tongue]
        parts: list[str] = []
        for column in self._table.columns[:60]:
            name = quoted(column.name)
            kind = KINDS[self._tongue][column.kind]
            literal = "'" + column.name.replace("'", "''") + "'"
            expressions = (
                literal,
                f"'{kind}'",
                f"COUNT(*) - COUNT({name})",
                f"COUNT(DISTINCT {name})",
                f"MIN({name})",
                f"MAX({name})",
            )
            named = [f"{expression} AS {quoted(label)}" for expression, label in zip(expressions, labels, strict=True)]
            shown = expressions if parts else named
            lines = [", ".join(shown[start : start + 2]) for start in range(0, len(shown), 2)]
            parts.append(f"SELECT {_COMMA.join(lines)}\nFROM {self._from}")
        return self._inquiry("profile", "\nUNION ALL\n".join(parts))

    def _total(self) -> Inquiry:
        rows = _LABELS[self._tongue]["rows"]
        columns = [f"COUNT(*) AS {quoted(rows)}"]
        if self._subject.label != rows:
            columns.append(f"{self._subject.expression} AS {quoted(self._subject.label)}")
        return self._inquiry("total", f"SELECT {', '.join(columns)} FROM {self._from}{self._where()}")

    def _trend(self) -> Iterator[Inquiry]:
        column = meant(self._question, self._roles.times) or next(iter(self._roles.times), None)
        if column is None:
            return
        period = next((name for name, words in _PERIODS if re.search(words, self._question)), "") or _span(column)
        name = quoted(column.name)
        expression = {
            "day": f"date({name})",
            "week": f"date({name}, 'weekday 0', '-6 days')",
            "month": f"strftime('%Y-%m', {name})",
            "quarter": f"strftime('%Y', {name}) || '-Q' || ((strftime('%m', {name}) + 2) / 3)",
            "year": f"strftime('%Y', {name})",
        }[period]
        label = _LABELS[self._tongue][period]
        sql = (
            f"SELECT {expression} AS {quoted(label)}{_COMMA}"
            f"{self._subject.expression} AS {quoted(self._subject.label)}\n"
            f"FROM {self._from}{self._where(f'{name} IS NOT NULL')}\nGROUP BY 1 ORDER BY 1"
        )
        yield self._inquiry("trend", sql, "line", label)

    def _grouped(self, column: Column, order: str) -> str:
        return (
            f"SELECT {quoted(column.name)}{_COMMA}{self._subject.expression} AS {quoted(self._subject.label)}\n"
            f"FROM {self._from}{self._where(f'{quoted(column.name)} IS NOT NULL')}\n"
            f"GROUP BY 1 ORDER BY 2 {order}, 1"
        )

    def _group(self, aim: Aim) -> Iterator[Inquiry]:
        for column in self._groupings:
            chart: Chart = "pie" if aim == "share" else "bar"
            yield self._inquiry(aim, self._grouped(column, "DESC"), chart, column.name)

    def _top(self, asked: bool) -> Iterator[Inquiry]:
        columns: Sequence[Column] = sorted(
            (*self._roles.names, *self._roles.groups), key=lambda column: -column.distinct
        )
        if not asked:
            columns = [column for column in columns if column not in self._groupings]
        column = (meant(self._question, columns) if asked else None) or next(iter(columns), None)
        if column is None:
            return
        number = re.search(r"(?:top|bottom|前|first)\s*(\d{1,3})|(?:前)([一二三五十])", self._question)
        count = 10
        if number:
            count = max(1, int(number.group(1))) if number.group(1) else _DIGITS[number.group(2)]
        order = "ASC" if _ASCENDING.search(self._question) else "DESC"
        yield self._inquiry("top", f"{self._grouped(column, order)} LIMIT {count}", "bar", column.name, count)


def _span(column: Column) -> str:
    """The period that gives a readable number of points."""
    try:
        first, last = (date.fromisoformat(str(value)[:10]) for value in (column.low, column.high))
    except ValueError:
        return "month"
    days = (last - first).days
    return "day" if days <= 45 else "week" if days <= 200 else "month"
