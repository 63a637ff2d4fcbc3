"""Tools, models and skills that the sandbox offers (`catalogue.toml`), read once."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import tomli


@functools.cache
def _data() -> dict[str, list[dict[str, Any]]]:
    return tomli.loads(resources.files("tui.sandbox").joinpath("catalogue.toml").read_text(encoding="utf-8"))


def tools() -> list[dict[str, Any]]:
    """Each with name, type and a text for en, zh, tc, ja."""
    return _data()["tools"]


def models() -> list[dict[str, Any]]:
    """Each with id, levels, features, window; one with `default`."""
    return _data()["models"]


def skills() -> list[dict[str, Any]]:
    """Each with id, name, dbtypes, category and a text for en and zh."""
    return _data()["skills"]
