"""The sanitiser: nothing that drives a terminal gets through, and nothing else changes."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text import clean, clean_line, safe_file_name

NASTY = (
    "\x1b[2J", "\x1b]52;c;eA==\x07", "\x9b31m", "\x90q\x9c", "\x00", "\r\n", "\r", "\x7f", "\x85", "\u2028", "\u202e",
    "\u2066", "\ufeff", "\U000e0041", "\ud800", "\udfff", "[red]", "\t", "\n", "汉字", "👩\u200d💻", "e\u0301",
)  # fmt: skip
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=8).map("".join)


def drives_a_terminal(char: str) -> bool:
    """Controls, line separators, surrogates, and what changes the direction of the text around it."""
    if char in "\n\t":
        return False
    if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"):
        return True
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or 0xE0000 <= ord(char) < 0xE0080


def test_every_character_there_is() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    assert not [hex(ord(char)) for char in every if any(map(drives_a_terminal, clean(char)))]
    assert not [hex(ord(char)) for char in every if (char.isprintable() or char in "\n\t") and clean(char) != char]
    assert max(len(clean(char)) for char in every) == 1


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc", "a\nbc"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\u2028b\u2029c\x85d", "a\nb\nc\nd"),
        ("\ufeffSELECT", "SELECT"),
        ("a\u202eb", "a\ufffdb"),
        ("[bold]\t[/]", "[bold]\t[/]"),
    ],
)
def test_what_becomes_of_it(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(texts)
def test_nothing_that_drives_a_terminal_is_left(text: str) -> None:
    cleaned = clean(text)
    assert not any(map(drives_a_terminal, cleaned))
    cleaned.encode()


@given(texts)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(texts, st.data())
def test_where_a_text_is_split_does_not_matter(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert clean(text[:cut]) + clean(text[cut:]) == clean(text)


@given(texts, st.integers(1, 50))
def test_a_line_is_one_line_of_at_most_the_limit(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line
    assert line == line.strip()
    assert not any(map(drives_a_terminal, line))


def test_a_short_line_is_not_cut() -> None:
    assert clean_line("  two\n words\t") == "two words"
    assert clean_line("x" * 11, 10) == "x" * 9 + "…"


@given(texts)
def test_a_file_name_is_one_safe_part(name: str) -> None:
    safe = safe_file_name(name)
    assert safe not in ("", ".", "..")
    assert not set(safe) & set('/\\:*?"<>|\0\n\t')
    assert safe[0] not in ".-~ "
    assert len(safe.encode()) <= 150
    assert not any(map(drives_a_terminal, safe))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\dba\\report.csv", "report.csv"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("周报 2026.xlsx", "周报 2026.xlsx"),
        ("a\x1b[2Jb.txt", "a␛[2Jb.txt"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("x" * 300 + ".csv", "x" * 146 + ".csv"),
        ("表" * 100 + ".csv", "表" * 48 + ".csv"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe
