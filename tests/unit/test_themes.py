"""Palettes: contrast of every pair in use, the terminal's own colours, the user's folder."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

import themes

MINIMUM = 4.5
TEXTS = (
    "foreground",
    "muted",
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
    "question",
    "running",
    "waiting",
    "failed",
    "hint-key",
    "text",
    "text-muted",
    "text-disabled",
    "text-primary",
    "text-error",
    "text-warning",
    "text-success",
    "code-keyword",
    "code-string",
    "code-comment",
    "code-number",
    "code-name",
    "code-operator",
    "diff-added",
    "diff-removed",
    "diff-changed",
    "link-color",
    "footer-key-foreground",
    "footer-description-foreground",
)
GROUNDS = ("background", "surface", "panel")
PAIRS = (
    ("env-prod-text", "env-prod"),
    ("env-staging-text", "env-staging"),
    ("env-dev-text", "env-dev"),
    ("env-other-text", "env-other"),
    ("cursor-text", "cursor"),
    ("cursor-blurred-text", "cursor-blurred"),
    ("muted", "cursor"),
    ("running", "cursor"),
    ("waiting", "cursor"),
    ("failed", "cursor"),
    ("find-text", "find"),
    ("find-current-text", "find-current"),
    ("selection-text", "selection"),
    ("block-cursor-foreground", "block-cursor-background"),
    ("input-cursor-foreground", "input-cursor-background"),
    ("input-selection-foreground", "input-selection-background"),
    ("link-color-hover", "link-background-hover"),
    *((text, ground) for text in TEXTS for ground in GROUNDS),
)
BY_NAME = {theme.name: theme for theme in themes.load()}


def luminance(color: Color) -> float:
    def linear(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def variables(theme: Theme) -> dict[str, str]:
    """As `App.get_css_variables` has them: what Textual computes, then the theme's own."""
    return {**theme.to_color_system().generate(), **theme.variables}


def test_the_contrast_formula() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), Color.parse("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_pair_in_use_can_be_read(name: str) -> None:
    values = variables(BY_NAME[name])
    poor = {}
    for text, ground in PAIRS:
        front, back = Color.parse(values[text]), Color.parse(values[ground])
        assert front.a == 1, f"{text} is translucent: its contrast depends on what lies below"
        assert back.a == 1
        if (ratio := contrast(front, back)) < MINIMUM:
            poor[text, ground] = round(ratio, 2)
    assert not poor


def test_the_terminal_palette_names_only_the_terminals_own_colours() -> None:
    values = variables(BY_NAME["terminal"])
    for key in {name for pair in PAIRS for name in pair}:
        assert values[key].startswith("ansi_"), f"{key} = {values[key]}"
        assert "%" not in values[key], f"{key}: colours without RGB cannot be blended"
    assert variables(BY_NAME["dark"]).keys() <= values.keys(), "a sheet that uses the difference would not be read"
    own = values["env-prod"], values["env-staging"], values["env-dev"], values["env-other"]
    assert len(set(own)) == len(own)
    faint = {key for key, value in values.items() if value == "ansi_bright_black"}
    assert faint <= {"rule", "border-blurred", "scrollbar", "scrollbar-hover"}, "text in it may be invisible"


def test_sheets_hold_no_colours_of_their_own() -> None:
    sheets = [resources.files("themes").joinpath("base.tcss")]
    sheets += [entry for entry in resources.files("screens").iterdir() if entry.name.endswith(".tcss")]
    for sheet in sheets:
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", text), sheet.name


def test_the_sheet_uses_only_variables_that_every_theme_has() -> None:
    used = set(re.findall(r"\$([a-z0-9-]+)", resources.files("themes").joinpath("base.tcss").read_text("utf-8")))
    for theme in BY_NAME.values():
        assert used <= variables(theme).keys()
    from textual.theme import BUILTIN_THEMES

    other = {**themes.variable_defaults(), **variables(BUILTIN_THEMES["nord"])}
    assert used <= other.keys()


def test_auto_is_the_terminals_own_colours_over_ssh() -> None:
    ssh = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
    assert themes.choose("auto", ssh) == "terminal"
    assert themes.choose("auto", {"NO_COLOR": "1"}) == "terminal"
    assert themes.choose("auto", {}) == "dark"
    assert themes.choose("auto", {"COLORFGBG": "0;default;15"}) == "light"
    assert themes.choose("light", ssh) == "light"
    assert themes.choose("mine", ssh, [*BY_NAME, "mine"]) == "mine"
    assert themes.choose("gone", ssh) == "terminal"


def test_the_users_palettes(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[colors]\nbackground = "#000000"\nforeground = "#ffffff"\nprimary = "#88aaff"\n', "utf-8"
    )
    (tmp_path / "torn.toml").write_text("[colors", "utf-8")
    (tmp_path / "odd.toml").write_text('[colors]\nbackground = "#00"\nforeground = "#fff"\nprimary = "#fff"\n', "utf-8")
    (tmp_path / "short.toml").write_text('[colors]\nbackground = "#000000"\nforeground = "#fff"\n', "utf-8")
    (tmp_path / "typo.toml").write_text('[colours]\nbackground = "#000000"\n', "utf-8")
    (tmp_path / "dark.toml").write_text(
        '[colors]\nbackground = "#000000"\nforeground = "#ffffff"\nprimary = "#88aaff"\n', "utf-8"
    )
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    found, broken = themes.load_folder(tmp_path)
    assert [theme.name for theme in found] == ["mine"]
    reasons = {entry.path.stem: entry.reason for entry in broken}
    assert reasons.keys() == {"torn", "odd", "short", "typo", "dark", "bytes"}
    assert reasons["odd"] == "background: #00 is not a colour"
    assert reasons["short"] == "colors.primary: is missing"
    assert reasons["typo"] == "colours: no such key"
    assert reasons["dark"] == "name: dark is taken"
    values = variables(found[0])
    assert values["code-keyword"] == values["question"] == "#88aaff"
    assert themes.load_folder(tmp_path / "nowhere") == ([], [])
