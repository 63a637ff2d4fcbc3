"""Palettes: TOML files that become Textual themes, with Yunliao's own variables beside Textual's.

A palette has a name, `dark` (and `ansi` for the terminal's own colours), a table `[colors]` (`background`, `surface`,
`panel`, `foreground`, `primary`, `secondary`, `accent`, `success`, `warning`, `error`) and a table `[variables]`,
which may set any of `variable_defaults()` and any variable of Textual's. What it leaves out follows from its colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from textual.color import Color, ColorParseError
from textual.theme import Theme

BUILT_IN = ("dark", "light", "terminal")
BASE_CSS = Path(__file__).with_name("base.tcss")
"""The app's sheet; each screen's lies beside its module."""
PALETTE_CSS = Path(__file__).with_name("palette.tcss")
"""The sheet of Textual's command palette."""
COLORS = (
    "background",
    "surface",
    "panel",
    "foreground",
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
)
_REQUIRED = frozenset({"background", "foreground", "primary"})

# Yunliao's variables: each is a colour of the palette unless the palette sets it; `*-style` are text styles.
_FROM_COLORS: dict[str, str] = {
    "muted": "foreground",
    "rule": "panel",
    "question": "primary",
    "running": "success",
    "waiting": "warning",
    "failed": "error",
    "hint-key": "foreground",
    "env-prod": "error",
    "env-prod-text": "background",
    "env-staging": "warning",
    "env-staging-text": "background",
    "env-dev": "success",
    "env-dev-text": "background",
    "env-other": "secondary",
    "env-other-text": "background",
    "cursor": "panel",
    "cursor-text": "foreground",
    "cursor-blurred": "surface",
    "cursor-blurred-text": "foreground",
    "find": "panel",
    "find-text": "warning",
    "find-current": "warning",
    "find-current-text": "background",
    "selection": "primary",
    "selection-text": "background",
    "code-keyword": "primary",
    "code-string": "success",
    "code-comment": "foreground",
    "code-number": "warning",
    "code-name": "secondary",
    "code-operator": "foreground",
    "diff-added": "success",
    "diff-removed": "error",
    "diff-changed": "warning",
}
_STYLES: dict[str, str] = {
    "muted-style": "none",
    "rule-style": "none",
    "cursor-blurred-style": "none",
    "find-style": "none",
    "code-keyword-style": "none",
    "code-comment-style": "none",
}
# Textual's own variables, tied to ours: without these it computes shades with alpha or by contrast, which are
# neither tested for contrast nor possible with the terminal's own colours.
_TEXTUAL: dict[str, str] = {
    "text": "foreground",
    "text-muted": "muted",
    "text-disabled": "muted",
    "foreground-muted": "muted",
    "foreground-disabled": "muted",
    "text-primary": "primary",
    "text-secondary": "secondary",
    "text-warning": "warning",
    "text-error": "error",
    "text-success": "success",
    "text-accent": "accent",
    "border": "primary",
    "border-blurred": "rule",
    "block-cursor-background": "cursor",
    "block-cursor-foreground": "cursor-text",
    "block-cursor-blurred-background": "cursor-blurred",
    "block-cursor-blurred-foreground": "cursor-blurred-text",
    "block-hover-background": "panel",
    "input-cursor-background": "foreground",
    "input-cursor-foreground": "background",
    "input-selection-background": "selection",
    "input-selection-foreground": "selection-text",
    "screen-selection-background": "selection",
    "screen-selection-foreground": "selection-text",
    "scrollbar": "rule",
    "scrollbar-hover": "rule",
    "scrollbar-active": "primary",
    "scrollbar-background": "background",
    "scrollbar-background-hover": "background",
    "scrollbar-background-active": "background",
    "scrollbar-corner-color": "background",
    "link-color": "primary",
    "link-color-hover": "background",
    "link-background-hover": "primary",
    "footer-background": "surface",
    "footer-foreground": "foreground",
    "footer-key-foreground": "hint-key",
    "footer-description-foreground": "muted",
}


class BrokenPalette(NamedTuple):
    """A palette file that was left out, and why: one sentence that names the key."""

    path: Path
    reason: str


class PaletteError(ValueError):
    """The table is not a palette; the message names the key."""


def load() -> list[Theme]:
    """The themes that come with Yunliao: `dark`, `light` and `terminal`."""
    import tomli

    folder = Path(__file__).parent
    return [palette(tomli.loads((folder / f"{name}.toml").read_text("utf-8"))) for name in BUILT_IN]


def load_folder(folder: Path) -> tuple[list[Theme], list[BrokenPalette]]:
    """The user's palettes: every `*.toml` of `folder`, by name; a broken one is reported and left out."""
    import tomli

    themes: dict[str, Theme] = {}
    broken: list[BrokenPalette] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            theme = palette({"name": path.stem, **tomli.loads(path.read_text("utf-8"))})
            if theme.name in (*BUILT_IN, "auto"):
                raise PaletteError(f"name: {theme.name} is taken")
        except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, PaletteError) as error:
            broken.append(BrokenPalette(path, str(error)))
        else:
            themes[theme.name] = theme
    return list(themes.values()), broken


def choose(choice: str, environ: Mapping[str, str], available: Iterable[str] = BUILT_IN) -> str:
    """The name of the theme for the setting `choice`; `auto` and names that do not exist are decided here.

    `auto` is the terminal's own colours over SSH, where nothing is known of the other end, and with `NO_COLOR`, of
    which Textual makes shades of grey in any other; else dark, or light where the terminal says that its background
    is (`COLORFGBG`, last field 7 or 15).
    """
    if choice in available:
        return choice
    if any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "NO_COLOR")):
        return "terminal"
    return "light" if environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else "dark"


def variable_defaults() -> dict[str, str]:
    """Values for all of Yunliao's variables, for `App.get_theme_variable_defaults`: sheets that use them can then be
    read under any theme, Textual's own included."""
    return {**dict.fromkeys(_FROM_COLORS, "ansi_default"), **_STYLES}


def palette(table: Mapping[str, Any]) -> Theme:
    """A theme of a palette's table.

    Raises:
        PaletteError: a key is missing, unknown or no colour.
    """
    for key in table:
        if key not in ("name", "dark", "ansi", "colors", "variables"):
            raise PaletteError(f"{key}: no such key")
    name, dark, ansi = table.get("name"), table.get("dark", True), table.get("ansi", False)
    if not isinstance(name, str) or not name:
        raise PaletteError("name: must be text")
    if not isinstance(dark, bool) or not isinstance(ansi, bool):
        raise PaletteError("dark, ansi: must be true or false")
    colors = _texts(table.get("colors"), "colors")
    for key in colors:
        if key not in COLORS:
            raise PaletteError(f"colors.{key}: no such colour")
    if missing := _REQUIRED - colors.keys():
        raise PaletteError(f"colors.{min(missing)}: is missing")
    given = _texts(table.get("variables", {}), "variables")
    for key, value in [*colors.items(), *((k, v) for k, v in given.items() if k in _FROM_COLORS)]:
        try:
            Color.parse(value)
        except ColorParseError as error:
            raise PaletteError(f"{key}: {value} is not a colour") from error
    colors = {
        "surface": colors["background"],
        "panel": colors["background"],
        **{key: colors["primary"] for key in ("secondary", "accent", "success", "warning", "error")},
        **colors,
    }
    styles = {key: given.get(key, default) for key, default in _STYLES.items()}
    values = {**colors, **{key: given.get(key, colors[source]) for key, source in _FROM_COLORS.items()}}
    grounds: dict[str, str] = {}
    if ansi:
        # In such themes Textual makes surface and panel transparent whatever the theme says, and forgets the others.
        grounds = {key: colors[key] for key in ("surface", "panel")}
        grounds |= {key: colors["background"] for key in ("surface-active", "ansi-background")}
        grounds["ansi-foreground"] = colors["foreground"]
    variables = {
        **grounds,
        **{key: values[source] for key, source in _TEXTUAL.items()},
        "block-cursor-text-style": "none",
        "block-cursor-blurred-text-style": styles["cursor-blurred-style"],
        **{key: values[key] for key in _FROM_COLORS},
        **styles,
        **given,
    }
    arguments: dict[str, Any] = {**colors}
    return Theme(name=name, dark=dark, ansi=ansi, variables=variables, **arguments)


def _texts(value: object, key: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise PaletteError(f"{key}: must be a table of texts")
    return value


__all__ = [
    "BASE_CSS",
    "BUILT_IN",
    "PALETTE_CSS",
    "BrokenPalette",
    "PaletteError",
    "choose",
    "load",
    "load_folder",
    "palette",
    "variable_defaults",
]
