"""A question as the scripts see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_INSTANCE = re.compile(r"\b(?:rm|pgm|pxc|rr|pc)-[a-z0-9-]{3,40}", re.IGNORECASE)
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    before: tuple[str, ...] = ()
    """The questions of the conversation so far, oldest first."""
    region: str = "cn-hangzhou"
    language: str = ""
    thinking: bool = True
    approval_mode: str = "auto"
    agent_name: str = ""
    """Of the custom agent that answers; empty for the assistant itself."""
    tools: frozenset[str] | None = None
    """What a custom agent may use; None for everything."""

    @property
    def instance(self) -> str:
        """The instance that is spoken of, in this question or one before it."""
        for text in (self.text, *reversed(self.before)):
            if match := _INSTANCE.search(text):
                return match.group().lower()
        return "rm-sandbox01"

    @property
    def tongue(self) -> Literal["en", "zh"]:
        """A Chinese question has a Chinese answer; one without letters has one in the asked-for language."""
        if _CJK.search(self.text):
            return "zh"
        if re.search("[A-Za-z]{2}", self.text):
            return "en"
        return "zh" if self.language.lower().startswith("zh") else "en"


def number_in(rest: str, usual: int, most: int) -> int:
    """The number that follows the first word of a question for tests; `usual` where there is none."""
    match = re.match(r"\s*(\d+)", rest)
    return min(most, int(match.group(1))) if match else usual
