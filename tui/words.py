"""The words of the program in the user's language.

The English text is the key, as with gettext; a catalogue `tui/locale/<language>.toml` maps it to the
translation. English loads nothing. Texts with values are `_("{n} new lines").format(n=n)`, never f-strings,
so that the key is a constant that a test can find.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "zh"]

_catalogue: dict[str, str] = {}
_language: Language = "en"


def _(text: str) -> str:
    """`text` in the current language, or `text` itself where no translation is known."""
    return _catalogue.get(text, text)


def language() -> Language:
    """The language that `_` answers in."""
    return _language


def use_language(wanted: str) -> Language:
    """Switch `_` to `wanted` (`zh`, `zh_CN.UTF-8`, `en-US` ... or "" for the environment's); return what is used."""
    global _language
    name = (wanted or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en")[:2]
    found: Language = next((known for known in get_args(Language) if known == name.lower()), "en")
    if found == _language:
        return found
    _language = found
    _catalogue.clear()
    if _language != "en":
        import tomli

        source = Path(__file__).with_name("locale") / f"{_language}.toml"
        if source.is_file():
            _catalogue.update(tomli.loads(source.read_text(encoding="utf-8")))
    return _language
