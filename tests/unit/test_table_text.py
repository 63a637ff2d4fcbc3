"""Tables as CSV, TSV and Markdown."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.table_text import rows_of, table_as

CELL = st.text(st.characters(exclude_categories=["C"], exclude_characters="\\"), max_size=8).map(str.strip)


def tables(cell: st.SearchStrategy[str], narrowest: int) -> st.SearchStrategy[list[list[str]]]:
    return st.integers(narrowest, 4).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6)
    )


def test_each_form() -> None:
    rows = [["name", "n"], ["a|b", "1,5"]]
    assert table_as(rows, "csv") == 'name,n\na|b,"1,5"\n'
    assert table_as(rows, "tsv") == "name\tn\na|b\t1,5\n"
    assert table_as(rows, "md") == "| name | n |\n| --- | --- |\n| a\\|b | 1,5 |\n"
    assert table_as([], "md") == ""


def test_markdown_is_read() -> None:
    source = "地区 | 金额\n:--|--:\n北 | 1\n a\\|b | |\n"
    assert rows_of(source) == [["地区", "金额"], ["北", "1"], ["a|b", ""]]


def test_a_row_without_anything_in_it_is_a_row() -> None:
    assert rows_of("a\tb\n\t\n1\t2\n") == [["a", "b"], ["", ""], ["1", "2"]]
    assert rows_of("a\n\n1\n") == [["a"], [""], ["1"]]


@settings(deadline=None)
@given(tables(CELL, 1))
def test_what_was_written_as_csv_is_read_back(rows: list[list[str]]) -> None:
    read = [*csv.reader(io.StringIO(table_as(rows, "csv")))]
    assert [row for row in read if row] == [row for row in rows if row != [""]] or read == rows


@settings(deadline=None)
@given(tables(CELL.map(lambda text: text or "x"), 2))
def test_markdown_there_and_back(rows: list[list[str]]) -> None:
    assert rows_of(table_as(rows, "md")) == rows
