"""What the columns of a table are good for, and which of them a question means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tui.sandbox.analysis_load import Column, Table

_KEY = re.compile(
    r"(^|[_\s])(id|no|code|uuid|phone|zip)$|[a-z]Id$|(编号|单号|编码|代码|电话|手机号|号)$|^(序号|id|uuid)$", re.I
)
_YEAR = re.compile(r"^(year|month|day|hour|week|年|年份|月|月份|日|小时|周)$", re.I)
_RATE = re.compile(
    r"price|rate|ratio|percent|score|age|avg|latency|duration|单价|均价|价格|率|占比|年龄|评分|得分|时长|耗时", re.I
)
_AMOUNT = re.compile(r"amount|sales|revenue|gmv|total|cost|fee|pay|销售额|金额|收入|总额|费用|成本|营收", re.I)
_FEW, _MANY = 60, 5_000

_SAME = (
    ("region", "area", "province", "地区", "区域", "大区", "省"),
    ("product", "goods", "item", "sku", "商品", "产品"),
    ("category", "品类", "类目", "类别", "分类"),
    ("shop", "store", "店铺", "门店", "商店"),
    ("channel", "渠道"),
    ("city", "城市"),
    ("customer", "client", "user", "客户", "用户", "顾客"),
    ("status", "state", "状态"),
    ("quantity", "qty", "units", "数量", "件数", "销量"),
    ("amount", "sales", "revenue", "gmv", "销售额", "金额", "收入", "营收"),
    ("price", "单价", "价格"),
    ("cost", "成本"),
    ("refund", "return", "退款", "退货"),
    ("date", "time", "day", "日期", "时间"),
)


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns by role, the likeliest first."""

    times: tuple[Column, ...]
    measures: tuple[Column, ...]
    groups: tuple[Column, ...]
    """Few different values: worth a bar each."""
    names: tuple[Column, ...]
    """Many different values: worth a ranking."""


def roles_of(table: Table) -> Roles:
    """The roles of a table's columns."""
    times = [column for column in table.columns if column.kind == "date"]
    measures, groups, names = [], [], []
    for column in table.columns:
        if column.kind == "date" or column.distinct == 0:
            continue
        numeric = column.kind in ("integer", "number")
        key = bool(_KEY.search(column.name)) or (column.distinct == table.rows > 20 and column.kind != "number")
        if numeric and not key and not _YEAR.search(column.name):
            measures.append(column)
        elif 2 <= column.distinct <= _FEW and (not numeric or _YEAR.search(column.name)):
            groups.append(column)
        elif not numeric and not key and 2 <= column.distinct <= _MANY:
            names.append(column)
    measures.sort(key=lambda column: not _AMOUNT.search(column.name))
    return Roles(tuple(times), tuple(measures), tuple(groups), tuple(names))


def is_rate(column: Column) -> bool:
    """Whether its sum says nothing: prices, shares, ages."""
    return bool(_RATE.search(column.name)) and not _AMOUNT.search(column.name)


def named(question: str, columns: Iterable[Column]) -> list[Column]:
    """The columns that the question names: by their own names, else the first by a word of the same meaning."""
    lower = question.lower()
    found = [column for column in columns if column.name.lower() in lower]
    # A name that is part of a longer one that is named too was not meant.
    found = [one for one in found if not any(one is not other and one.name in other.name for other in found)]
    if found:
        return sorted(found, key=lambda column: lower.index(column.name.lower()))
    asked = {number for number, words in enumerate(_SAME) if any(word in lower for word in words)}
    for column in columns:
        own = column.name.lower()
        if any(number in asked and any(word in own for word in words) for number, words in enumerate(_SAME)):
            return [column]
    return []


def meant(question: str, columns: Iterable[Column]) -> Column | None:
    """The first of the columns that the question names."""
    return next(iter(named(question, columns)), None)
