"""What the sandbox finds in a file is what is in the file; everything is calculated here a second way."""

from __future__ import annotations

import csv
import io
import json
import random
import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.sandbox import analysis_png, analysis_report
from tui.sandbox.analysis_findings import finding, points_of
from tui.sandbox.analysis_load import Dataset, Stopped, Unreadable, load
from tui.sandbox.analysis_plan import Exclusion, Inquiry, Tongue, inquiries
from tui.sandbox.analysis_query import QueryError, explain, run
from tui.sandbox.analysis_roles import roles_of
from tui.sandbox.analysis_values import as_date, is_nothing, kind_of
from tui.sandbox.dms_desk import reading_of

HEADINGS = ["订单号", "下单日期", "地区", "商品", "状态", "数量", "金额", "备注"]


def orders(count: int = 3000) -> list[list[str]]:
    chance = random.Random(7)
    rows = []
    for number in range(count):
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(150))
        rows.append(
            [
                f"SO{number:06}",
                day.isoformat(),
                chance.choice(["华东", "华南", "华北", ""]),
                f"商品{chance.randrange(80):02}",
                chance.choice(["已完成", "已取消"]),
                str(chance.randrange(1, 9)),
                f"{chance.uniform(1, 900):.2f}",
                "" if number % 3 else "急",
            ]
        )
    return rows


def as_csv(rows: list[list[str]], headings: list[str] = HEADINGS, delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Dataset]:
    def make(content: str | bytes, name: str = "orders.csv") -> Dataset:
        source = tmp_path / "source"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(source, name, tmp_path / "database.sqlite")

    return make


@pytest.fixture
def dataset(loaded: Callable[..., Dataset]) -> Dataset:
    return loaded(as_csv(orders()))


def ask(dataset: Dataset, question: str, tongue: Tongue = "zh", deep: bool = False) -> list[Inquiry]:
    return inquiries(question, dataset.tables[0], tongue, deep=deep)


def answer(dataset: Dataset, question: str, tongue: Tongue = "zh") -> list[tuple[object, ...]]:
    return list(run(dataset.database, ask(dataset, question, tongue)[0].sql).rows)


# --- reading ---------------------------------------------------------------------------------------------------


def test_columns_rows_and_empty_values(dataset: Dataset) -> None:
    table = dataset.tables[0]
    rows = orders()

    assert (table.name, table.rows) == ("orders", 3000)
    kinds = ["text", "date", "text", "text", "text", "integer", "number", "text"]
    assert [column.kind for column in table.columns] == kinds
    for position, column in enumerate(table.columns):
        values = [row[position] for row in rows]
        assert column.nulls == values.count("")
        assert column.distinct == len({value for value in values if value})
    assert (table.columns[5].low, table.columns[5].high) == (1, 8)
    assert table.columns[6].high == max(float(row[6]) for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(loaded: Callable[..., Dataset], encoding: str, delimiter: str) -> None:
    table = loaded(as_csv(orders(20), delimiter=delimiter).encode(encoding)).tables[0]

    assert ([column.name for column in table.columns], table.rows) == (HEADINGS, 20)


def test_rough_files(loaded: Callable[..., Dataset]) -> None:
    """Names that are missing or there twice, rows that are short, long or empty, quotes with line ends."""
    table = loaded('a,A,,"b\nc"\n1,2\n\n1,2,3,4,5,6\n,,,\n"x\ny",,,\n').tables[0]

    assert [column.name for column in table.columns] == ["a", "A_2", "column_3", "b c"]
    assert table.rows == 3
    assert [column.kind for column in table.columns] == ["text", "integer", "integer", "integer"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"a,b\n", "a.csv"),
        (b"PK\x03\x04\0\0\0", "a.csv"),
        (b"a,b\n1,2\n", "a.xlsx"),
        (b"a,b\n1,2\n", "a.xls"),
        (b"{}", "a.json"),
        (b"," * 600 + b"\n1\n", "a.csv"),
    ],
)
def test_what_is_no_table(loaded: Callable[..., Dataset], content: bytes, name: str) -> None:
    with pytest.raises(Unreadable):
        loaded(content, name)


def test_names_that_sqlite_keeps(loaded: Callable[..., Dataset]) -> None:
    assert loaded("a\n1\n", "sqlite_master.csv").tables[0].name == "t_sqlite_master"


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(as_csv(orders(100)), encoding="utf-8")
    with pytest.raises(Stopped):
        load(tmp_path / "a.csv", "a.csv", tmp_path / "d.sqlite", lambda: True)


def test_xlsx(loaded: Callable[..., Dataset]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    first = book.active
    first.title = "说明"
    first.append(["only a heading"])
    second = book.create_sheet("销售")
    second.append(["日期", "金额", "数量", "地区", "好"])
    second.append([datetime(2026, 1, 2), 3.5, 4, "东", True])
    second.append([date(2026, 1, 3), 4, None, "西", False])
    file = io.BytesIO()
    book.save(file)

    dataset = loaded(file.getvalue(), "a.xlsx")

    (table,) = dataset.tables
    assert (table.name, table.rows) == ("销售", 2)
    assert [column.kind for column in table.columns] == ["date", "number", "integer", "text", "text"]
    rows = run(dataset.database, 'SELECT * FROM "销售"').rows
    assert rows == (("2026-01-02", 3.5, 4, "东", "true"), ("2026-01-03", 4.0, None, "西", "false"))


def test_xls(loaded: Callable[..., Dataset]) -> None:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for position, text in enumerate(("city", "n")):
        sheet.write(0, position, text)
    for row, (city, number) in enumerate((("北京", 3), ("上海", 4)), 1):
        sheet.write(row, 0, city)
        sheet.write(row, 1, number)
    file = io.BytesIO()
    book.save(file)

    dataset = loaded(file.getvalue(), "old.xls")

    assert run(dataset.database, "SELECT city, n FROM Sheet1").rows == (("北京", 3), ("上海", 4))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0", "integer"),
        ("-12", "integer"),
        ("007", "text"),
        ("1.5", "number"),
        ("1,234.50", "number"),
        ("¥12", "number"),
        ("12%", "number"),
        ("1e3", "number"),
        (".", "text"),
        ("2026-01-02", "date"),
        ("2026/1/2 3:04", "date"),
        ("2026年1月2日", "date"),
        ("2026-01-02T03:04:05Z", "date"),
        ("2026-02-30", "text"),
        ("1234567890123456789012", "number"),
        ("yes", "text"),
    ],
)
def test_kinds_of_values(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12))
def test_any_text_has_a_kind(text: str) -> None:
    assert is_nothing(text) or kind_of(text) in ("integer", "number", "date", "text")
    found = as_date(text)
    assert found is None or date.fromisoformat(found[:10])


def test_money_percent_and_infinity(loaded: Callable[..., Dataset]) -> None:
    dataset = loaded('a,b,c\n"¥1,200.50",12%,1e999\n300,5%,2\n')

    assert run(dataset.database, "SELECT a, b, c FROM orders").rows == ((1200.5, 12.0, None), (300.0, 5.0, 2.0))


# --- statements ------------------------------------------------------------------------------------------------


def sums(position: int, value: int) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for row in orders():
        if row[position]:
            totals[row[position]] += float(row[value])
    return {name: round(total, 2) for name, total in totals.items()}


def test_by_group(dataset: Dataset) -> None:
    expected = sorted(sums(2, 6).items(), key=lambda item: -item[1])

    assert answer(dataset, "各地区的金额对比") == expected
    assert answer(dataset, "sales by region", "en") == expected


def test_top(dataset: Dataset) -> None:
    expected = sorted(sums(3, 6).items(), key=lambda item: -item[1])

    assert answer(dataset, "金额最高的前5个商品") == expected[:5]
    assert (
        answer(dataset, "top 3 products by quantity", "en")
        == sorted(sums(3, 5).items(), key=lambda item: (-item[1], item[0]))[:3]
    )
    assert answer(dataset, "金额最低的前三个商品") == expected[::-1][:3]


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("每天的金额", lambda day: day.isoformat()),
        ("按周的金额趋势", lambda day: (day - timedelta(days=day.weekday())).isoformat()),
        ("按月的金额趋势", lambda day: f"{day:%Y-%m}"),
        ("sales by quarter", lambda day: f"{day.year}-Q{(day.month + 2) // 3}"),
        ("sales by year", lambda day: f"{day.year}"),
    ],
)
def test_over_time(dataset: Dataset, question: str, period: Callable[[date], str]) -> None:
    totals: dict[str, float] = defaultdict(float)
    for row in orders():
        totals[period(date.fromisoformat(row[1]))] += float(row[6])

    found = answer(dataset, question, "en" if question.isascii() else "zh")

    assert found == [(name, round(total, 2)) for name, total in sorted(totals.items())]


def test_counts_and_averages(dataset: Dataset) -> None:
    counts = Counter(row[2] for row in orders() if row[2])
    assert answer(dataset, "各地区有多少条") == sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    amounts = [float(row[6]) for row in orders()]
    assert answer(dataset, "平均金额是多少") == [(3000, round(sum(amounts) / 3000, 2))]


def test_several_groups_and_shares(dataset: Dataset) -> None:
    found = ask(dataset, "各地区和状态的占比")

    assert [(inquiry.aim, inquiry.x, inquiry.chart) for inquiry in found] == [
        ("share", "地区", "pie"),
        ("share", "状态", "pie"),
    ]


def test_rows_that_are_left_out(dataset: Dataset) -> None:
    exclusion = Exclusion("状态", ("已取消",))
    found = inquiries("各地区的金额", dataset.tables[0], "zh", deep=False, exclusion=exclusion)[0]
    kept: dict[str, float] = defaultdict(float)
    for row in orders():
        if row[2] and row[4] != "已取消":
            kept[row[2]] += float(row[6])

    rows = run(dataset.database, found.sql).rows
    assert {row[0]: row[1] for row in rows} == {name: round(total, 2) for name, total in kept.items()}


def test_a_deep_analysis_has_columns_time_groups_and_a_ranking(dataset: Dataset) -> None:
    found = ask(dataset, "分析一下", deep=True)

    assert [inquiry.aim for inquiry in found] == ["profile", "trend", "group", "top"]
    profile = run(dataset.database, found[0].sql)
    assert [row[0] for row in profile.rows] == HEADINGS
    assert {row[0]: row[2] for row in profile.rows}["备注"] == 2000


@pytest.mark.parametrize("question", ["hello", "", "分析", "trend top share by each column " * 9, "'; DROP TABLE x"])
@pytest.mark.parametrize(
    "content", ["a\nx\n", "a,b\n1,2\n", "id,name\n1,x\n2,y\n", "when\n2026-01-02\n", "we\"ird,'q'\n1,2\n"]
)
@pytest.mark.parametrize("deep", [True, False])
def test_any_question_about_any_table_has_statements_that_run(
    loaded: Callable[..., Dataset], question: str, content: str, deep: bool
) -> None:
    dataset = loaded(content)
    found = inquiries(question, dataset.tables[0], "en", deep=deep)

    assert found
    for inquiry in found:
        result = run(dataset.database, inquiry.sql)
        assert finding(inquiry, result, dataset.tables[0], "en")
        assert explain(dataset.database, inquiry.sql, 1).startswith("rows=1; ")


def test_roles(dataset: Dataset) -> None:
    roles = roles_of(dataset.tables[0])

    assert [column.name for column in roles.times] == ["下单日期"]
    assert [column.name for column in roles.measures] == ["金额", "数量"]
    assert [column.name for column in roles.groups] == ["地区", "状态"]
    assert [column.name for column in roles.names] == ["商品"]


# --- running ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders",
        "UPDATE orders SET 数量 = 1",
        "DROP TABLE orders",
        "PRAGMA writable_schema=ON",
        "ATTACH '/tmp/x' AS x",
        "SELECT 1; SELECT 2",
        "SELECT load_extension('x')",
        "SELECT nothing FROM orders",
        "",
        "SELECT \0",
    ],
)
def test_statements_only_read(dataset: Dataset, statement: str) -> None:
    with pytest.raises(QueryError):
        run(dataset.database, statement)
    assert run(dataset.database, "SELECT COUNT(*) FROM orders").rows == ((3000,),)


def test_statements_can_be_stopped(dataset: Dataset) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(QueryError, match="interrupted"):
        run(dataset.database, endless, lambda: True)


def test_names_of_results_are_different(dataset: Dataset) -> None:
    assert run(dataset.database, "SELECT 1 AS a, 2 AS a, 3 AS a").columns == ("a", "a_2", "a_3")


# --- what is made of it ----------------------------------------------------------------------------------------


def test_findings_name_numbers_of_the_result(dataset: Dataset) -> None:
    for question, tongue in (
        ("各地区的金额对比", "zh"),
        ("by week trend", "en"),
        ("share by region", "en"),
        ("前5商品", "zh"),
    ):
        spoken: Tongue = "zh" if tongue == "zh" else "en"
        inquiry = ask(dataset, question, spoken)[0]
        result = run(dataset.database, inquiry.sql)
        text = finding(inquiry, result, dataset.tables[0], spoken)
        points = points_of(inquiry, result)
        best = max(points, key=lambda point: point[1])
        assert best[0] in text
        assert f"{best[1]:,.2f}" in text


def test_reports(dataset: Dataset) -> None:
    inquiry = ask(dataset, "各地区的金额对比")[0]
    result = run(dataset.database, inquiry.sql)
    section = analysis_report.Section(inquiry, inquiry.sql, result, "<b>文本</b>")

    page = analysis_report.page("标题 <x>", [section], "zh", 'a"b')
    text = analysis_report.markdown("标题", [section], "zh")
    table = list(csv.reader(io.StringIO(analysis_report.table_csv(result).decode("utf-8-sig"))))

    assert "<b>" not in page
    assert "<x>" not in page
    assert "沙箱数据" in page
    assert "沙箱数据" in text
    assert "华东" in text
    assert table[0] == ["地区", "金额合计"]
    assert [(name, float(value)) for name, value in table[1:]] == list(result.rows)


@pytest.mark.parametrize("chart", ["line", "bar", "pie"])
@pytest.mark.parametrize(
    "values", [[], [0.0], [1.0, 2.5, 3.0], [-4.0, 2.0], [1e12, 1.0], [float(n) for n in range(600)]]
)
def test_pictures_are_png(chart: str, values: list[float]) -> None:
    data = analysis_png.draw(chart, values)  # type: ignore[arg-type]

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert list(chunks)[-1] == b"IEND"


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("确认执行", "yes"),
        ("confirm", "yes"),
        ("同意后续所有SQL执行", "yes"),
        ("OK", "yes"),
        ("取消", "no"),
        ("不", "no"),
        ("No", "no"),
        ("refuse", "no"),
        ("go, but split it by shop and by week please", "else"),
        ("按渠道拆分", "else"),
        ("north", "else"),
    ],
)
def test_how_answers_are_read(text: str, reading: str) -> None:
    assert reading_of(text) == reading


def test_results_are_json(dataset: Dataset) -> None:
    result = run(dataset.database, "SELECT * FROM orders LIMIT 3")
    assert json.loads(json.dumps(result.records(2), allow_nan=False))[0]["订单号"] == "SO000000"
