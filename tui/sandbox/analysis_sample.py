"""A table of the sandbox's own, for questions that come without data."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta

from tui.sandbox.analysis_plan import Tongue

_ROWS = 2_400
_HEADINGS = {
    "en": ("order_id", "order_date", "region", "category", "product", "channel", "status", "quantity", "amount"),
    "zh": ("订单号", "下单日期", "地区", "品类", "商品", "渠道", "状态", "数量", "金额"),
}
_REGIONS = {"en": ("East", "South", "North", "West"), "zh": ("华东", "华南", "华北", "西南")}
_GOODS = {
    "en": {"Audio": ("Earbuds", "Speaker"), "Home": ("Lamp", "Kettle", "Fan"), "Office": ("Keyboard", "Chair")},
    "zh": {"影音": ("耳机", "音箱"), "家居": ("台灯", "电水壶", "风扇"), "办公": ("键盘", "椅子")},
}
_CHANNELS = {"en": ("app", "web", "store"), "zh": ("应用", "网页", "门店")}
_STATES = {"en": ("completed", "refunded"), "zh": ("已完成", "已退款")}


def file_name(tongue: Tongue) -> str:
    return "sandbox_orders.csv" if tongue == "en" else "沙箱订单.csv"


def sample_csv(tongue: Tongue) -> bytes:
    """The same bytes each time."""
    chance = random.Random(20260101)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS[tongue])
    for number in range(_ROWS):
        day = date(2026, 1, 1) + timedelta(days=int(180 * chance.random() ** 0.8))
        category = chance.choice(list(_GOODS[tongue]))
        refunded = chance.random() < (0.16 if day.month == 5 else 0.05)
        quantity = chance.randint(1, 6)
        writer.writerow(
            (
                f"SB{number + 1:06}",
                day.isoformat(),
                chance.choices(_REGIONS[tongue], (5, 4, 3, 2))[0],
                category,
                chance.choice(_GOODS[tongue][category]),
                chance.choices(_CHANNELS[tongue], (6, 3, 1))[0],
                _STATES[tongue][refunded],
                quantity,
                f"{quantity * chance.uniform(20, 300):.2f}",
            )
        )
    return text.getvalue().encode()
