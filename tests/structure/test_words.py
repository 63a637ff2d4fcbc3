"""Every text of the program is in every catalogue, whole; and no text goes round the catalogue."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from string import Formatter
from typing import get_args

import pytest

from tests.structure.test_bindings import CLASSES
from tests.structure.wording import TRANSLATED_WHEN_SHOWN, bare_texts, kept_texts, looked_up
from tui.words import Language, _, language, use_language

CONSTANTS, OTHERS = looked_up()
KEPT = kept_texts(CLASSES)
KEYS = {place.text: str(place) for place in CONSTANTS} | KEPT
LANGUAGES = [name for name in get_args(Language) if name != "en"]

ALLOWED_BARE: set[tuple[str, str]] = set()
"""(file, text) of what is English on purpose."""


def catalogue(name: str) -> dict[str, str]:
    source = resources.files("tui").joinpath("locale", f"{name}.toml").read_text("utf-8")
    return {key: str(text) for key, text in tomllib.loads(source).items()}


CATALOGUES = {name: catalogue(name) for name in LANGUAGES}
ENTRIES = [(name, key, text) for name, entries in CATALOGUES.items() for key, text in entries.items()]


def fields(text: str) -> list[str]:
    """The fields of a format string, with their conversions and formats."""
    return sorted(f"{name}!{conversion}:{form}" for _text, name, form, conversion in Formatter().parse(text) if name)


def outer_blanks(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip()), len(text) - len(text.rstrip())


def test_there_are_texts() -> None:
    assert len(CONSTANTS) > 500
    assert len(KEPT) > 150


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_text_has_a_translation(name: str) -> None:
    assert not [f"{where}: {key!r}" for key, where in KEYS.items() if not CATALOGUES[name].get(key)]


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_translation_is_left_over(name: str) -> None:
    assert not [key for key in CATALOGUES[name] if key not in KEYS]


def test_a_translation_has_the_same_fields() -> None:
    assert not [(name, key) for name, key, text in ENTRIES if fields(key) != fields(text)]


def test_a_translation_keeps_the_blanks_around_it() -> None:
    """They are part of the layout. A mere separator has letters on neither side and may be written closed up."""
    assert not [
        (name, key) for name, key, text in ENTRIES if re.search(r"\w", key) and outer_blanks(key) != outer_blanks(text)
    ]


def test_a_translation_names_the_same_keys_and_commands() -> None:
    """Code in backticks, variables and combined keys are what the user types: they stand there unchanged."""
    typed = re.compile(r"`[^`]+`|\b[A-Z]+(?:_[A-Z]+)+\b|Ctrl\+\w|\bF\d\d?\b|\bEsc\b|--[a-z]+[a-z-]*")
    assert not [
        (name, key)
        for name, key, text in ENTRIES
        if sorted(set(typed.findall(key))) != sorted(set(typed.findall(text)))
    ]


def test_help_of_the_command_line_lines_up() -> None:
    """argparse pads the column of flags by letters, so a name in it may not be wider than it has letters."""
    for name in LANGUAGES:
        assert all(CATALOGUES[name][key].isascii() for key in ("NAME", "FOLDER", "SECONDS", "question"))


def test_what_is_looked_up_is_a_constant() -> None:
    """No f-string and no value: the catalogue could not have them."""
    unknown = [str(place) for place in OTHERS if (place.file, place.text) not in TRANSLATED_WHEN_SHOWN]
    assert not unknown
    assert not TRANSLATED_WHEN_SHOWN - {(place.file, place.text) for place in OTHERS}


def test_no_text_goes_round_the_catalogue() -> None:
    bare = bare_texts("screens", "tui/widgets")
    assert not [str(place) for place in bare if (place.file, place.text) not in ALLOWED_BARE]
    assert not ALLOWED_BARE - {(place.file, place.text) for place in bare}


def test_a_language_is_taken_and_left() -> None:
    try:
        assert use_language("zh_CN.UTF-8") == "zh"
        assert _("Settings") == "设置"
        assert _("no such text") == "no such text"
    finally:
        use_language("en")
    assert language() == "en"
    assert _("Settings") == "Settings"
