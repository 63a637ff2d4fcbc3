"""Tags: names of databases that stand in what was said, and those that somebody gives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tui.text import clean_line

MOST_FOUND = 12
"""Tags that a conversation gets by itself: an answer may list hundreds of instances."""
TAG_CHARACTERS = 60

# Beginnings of instance ids: RDS (rm, rr, and pgm, pgr of PostgreSQL), PolarDB (pc, pe, pxc), MongoDB (dds),
# Tair and Redis (r, tt), AnalyticDB (am, amv, gp), Lindorm and HBase (ld, hb), ClickHouse (cc).
_INSTANCE = re.compile(
    r"(?<![\w.-])(?:rm|rr|pgm|pgr|pc|pe|pxc|dds|r|tt|am|amv|gp|ld|hb|cc)-(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{5,25}(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_PARTS = re.compile(r"[\s,;，、；]+")


def instances_in(text: str, most: int = MOST_FOUND) -> list[str]:
    """The instance ids in a text, in lower case, in the order in which they first stand there, at most so many."""
    found: dict[str, None] = {}
    # By lines: while a regular expression is at work nothing else is, not even in another thread.
    for line in text.splitlines():
        for match in _INSTANCE.finditer(line):
            found[match[0].lower()] = None
            if len(found) == most:
                return list(found)
    return list(found)


def tags_in(typed: str) -> list[str]:
    """The tags that somebody typed, separated by blanks or commas, with or without `#`."""
    words = (clean_line(word.lstrip("#"), TAG_CHARACTERS) for word in _PARTS.split(typed))
    return list(dict.fromkeys(word for word in words if word))


def with_found(tags: tuple[str, ...], refused: Iterable[str], found: Iterable[str]) -> tuple[str, ...]:
    """`tags` and the instances that were `found`, but for those that somebody took off."""
    if len(tags) >= MOST_FOUND:
        return tags
    known = {*tags, *refused}
    new = [tag for tag in found if tag not in known]
    return (*tags, *new[: MOST_FOUND - len(tags)])
