"""The one sanitiser: what text from a service, a file or the clipboard may contain before it is kept or shown.

Nothing that can drive a terminal passes: C0 controls but newline and tab, DEL, C1, bidirectional overrides,
line separators, tag characters and lone surrogates. They become visible stand-ins, so that an attempt is seen.
"""

from __future__ import annotations

import unicodedata

_MAP: dict[int, str | None] = {}
# C0 as control pictures (ESC is U+241B); carriage returns vanish, so that a split CR LF is one newline.
_MAP.update({code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t\r"})
_MAP[0x0D] = None
_MAP[0x7F] = "\u2421"
_MAP.update({code: "\ufffd" for code in range(0x80, 0xA0)})
_MAP[0x85] = "\n"
_MAP.update({code: "\ufffd" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))})
_MAP.update({0x2028: "\n", 0x2029: "\n", 0xFEFF: None})
_MAP.update({code: "\ufffd" for code in range(0xFFF9, 0xFFFC)})
_MAP.update({code: None for code in range(0xE0000, 0xE0080)})
_MAP.update({code: "\ufffd" for code in range(0xD800, 0xE000)})


def clean(text: str) -> str:
    """`text` with everything that is not plain text, newline or tab made visible or taken out.

    Idempotent, and stable under splitting: `clean(a) + clean(b) == clean(a + b)`.
    """
    # Most texts are plain, and nothing that is printable changes; one pass in C where translate builds a new string.
    return text if text.isprintable() else text.translate(_MAP)


def pasted(text: str) -> str:
    """What a terminal pastes, cleaned: there a line ends with CR, as Enter sends it, or with LF, or with both."""
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(text: str, limit: int = 200) -> str:
    """`text` as one line of at most `limit` characters, for titles, names and toasts."""
    line = " ".join(clean(text[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


_UNSAFE_IN_NAMES = frozenset('/\\:*?"<>|\u2044\u2215')


def safe_file_name(name: str, fallback: str = "file") -> str:
    """A file name made of `name`: its last part only, no controls, no leading dot, at most 150 bytes of UTF-8."""
    base = clean(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(
        "_" if char in _UNSAFE_IN_NAMES or unicodedata.category(char)[0] == "C" or char in "\n\t\ufffd" else char
        for char in base
    )
    kept = kept.strip(" .").lstrip("-~") or fallback
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, dot, suffix = kept, "", ""
    while len((stem + dot + suffix).encode()) > 150:
        stem = stem[:-1]
    return stem + dot + suffix or fallback
