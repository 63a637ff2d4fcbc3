"""Keys as people read them: `ctrl+p` is `^P`, `question_mark` is `?`."""

from __future__ import annotations

_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
    "delete": "Del",
    "insert": "Ins",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "question_mark": "?",
    "exclamation_mark": "!",
    "slash": "/",
    "backslash": "\\",
    "colon": ":",
    "semicolon": ";",
    "comma": ",",
    "full_stop": ".",
    "plus": "+",
    "minus": "-",
    "underscore": "_",
    "equals_sign": "=",
    "asterisk": "*",
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "at": "@",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "vertical_line": "|",
    "tilde": "~",
    "grave_accent": "`",
    "circumflex_accent": "^",
    "apostrophe": "'",
    "quotation_mark": '"',
}
NO_KEY = "none"
"""In the settings' `keys`: the action has no key. Textual takes it for a key that never arrives."""
_MODIFIERS = {"shift": "Shift+", "alt": "Alt+", "super": "Super+", "meta": "Meta+"}


def key_name(key: str) -> str:
    """One key as it is printed in hints and help."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    name = _NAMES.get(last, last)
    if len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        name = name.upper()
    prefix = "".join(_MODIFIERS.get(modifier, "") for modifier in modifiers if modifier != "ctrl")
    if "ctrl" in modifiers:
        return f"{prefix}^{name.upper()}" if len(name) == 1 else f"{prefix}Ctrl+{name}"
    return prefix + name
