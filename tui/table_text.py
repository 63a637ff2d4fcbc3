"""A table as CSV, TSV or Markdown, whichever of the last two it comes as."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal

Format = Literal["csv", "tsv", "md"]
FORMATS: tuple[Format, ...] = ("csv", "tsv", "md")

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_BAR = re.compile(r"(?<!\\)\|")


def rows_of(source: str) -> list[list[str]]:
    """The cells of tab-separated lines or of a Markdown table, the header first."""
    lines = source.removesuffix("\n").split("\n")
    if "\t" not in source and len(lines) > 1 and _RULE.match(lines[1]) and "|" in lines[0]:
        return [_cells(line) for number, line in enumerate(lines) if number != 1 and line.strip()]
    return [line.split("\t") for line in lines]


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def table_as(rows: Sequence[Sequence[str]], form: Format) -> str:
    """The table as a text that ends with a newline."""
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()
    if form == "tsv":
        return "".join("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) + "\n" for row in rows)
    if not rows:
        return ""
    head, *body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))
