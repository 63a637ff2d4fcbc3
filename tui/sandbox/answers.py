"""Which answer a question gets: chosen by its words and its language, from the themes in `themes/*.toml`.

Questions for tests and demonstrations (`bench 20`, `echo ...`, `hostile` ...) are in `specials`. Every answer but
`echo` says that it is the sandbox's.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from importlib import resources
from typing import Any

import tomli

from tui.sandbox import approvals, skills, specials
from tui.sandbox.question import Question
from tui.sandbox.script import CallTool, Say, ShowDocuments, Step, Think

_QUIET_NOTE = {
    "en": "\n\n*sandbox data · no real instance was read*\n",
    "zh": "\n\n*沙箱数据（sandbox data）· 没有读取任何真实实例*\n",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme: words that call it, tools that it uses, and its texts by language."""

    name: str
    words: tuple[str, ...]
    tools: tuple[dict[str, Any], ...]
    texts: dict[str, dict[str, Any]]


@functools.cache
def themes() -> tuple[Theme, ...]:
    """All themes, read once."""
    found = []
    for file in sorted(resources.files("tui.sandbox").joinpath("themes").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            data = tomli.loads(file.read_text(encoding="utf-8"))
            texts = {language: data[language] for language in ("en", "zh")}
            theme = Theme(file.name[:-5], tuple(data["words"]), tuple(data.get("tools", ())), texts)
            found.append(theme)
    return tuple(found)


def theme_for(question: Question) -> Theme:
    """The theme with most words in the question; then in the question before it; then the general one."""
    for text in (question.text, *question.before[-1:]):
        lower = text.lower()
        scores = {theme.name: sum(len(word) for word in theme.words if word in lower) for theme in themes()}
        best = max(themes(), key=lambda theme: scores[theme.name])
        if scores[best.name]:
            return best
    return next(theme for theme in themes() if theme.name == "general")


def name_of(query: str) -> str:
    """The name that a conversation gets from its first question."""
    if specials.is_hostile(query):
        return specials.HOSTILE_NAME
    line = " ".join(query.split())
    return line if len(line) <= 40 else line[:39] + "…"


def script_for(question: Question) -> list[Step]:
    """What the assistant does with `question`."""
    special = specials.script_for(question) or approvals.script_for(question)
    return special or [*skills.opening(question), *_themed(question)]


def _themed(question: Question) -> list[Step]:
    theme = theme_for(question)
    texts = theme.texts[question.tongue]
    values = {"@instance@": question.instance, "@region@": question.region}

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    steps: list[Step] = []
    if question.thinking and texts.get("thinking"):
        steps.append(Think(filled(texts["thinking"])))
    opening = _recall(question) + (filled(texts["opening"]) + "\n\n" if texts.get("opening") else "")
    if opening:
        steps.append(Say(opening))
    for tool in theme.tools:
        if question.tools is None or tool["name"] in question.tools:
            arguments = {k: filled(v) if isinstance(v, str) else v for k, v in tool["arguments"].items()}
            steps.append(CallTool(tool["name"], arguments, tool["response"], float(tool.get("seconds", 0.6))))
    steps.append(Say(filled(texts["answer"]).strip() + _QUIET_NOTE[question.tongue]))
    if links := texts.get("documents"):
        title = "相关文档" if question.tongue == "zh" else "Documents"
        steps.append(ShowDocuments(title, [(link["title"], link["url"]) for link in links]))
    return steps


def _recall(question: Question) -> str:
    """One sentence that shows that the conversation so far is remembered."""
    if question.agent_name:
        who = "**{}** 为您解答。" if question.tongue == "zh" else "**{}** here. "
        said = who.format(question.agent_name)
    else:
        said = ""
    if question.before:
        last = " ".join(question.before[-1].split())
        last = last if len(last) <= 60 else last[:59] + "…"
        if question.tongue == "zh":
            said += random.Random(question.text).choice(("接着您刚才的问题“{}”：", "您之前问过“{}”，结合它来看："))
        else:
            said += random.Random(question.text).choice(
                ("Following on from your question “{}”: ", "You asked “{}” before; with that in mind: ")
            )
        said = said.format(last.replace("{", "(").replace("}", ")"))
    return said + "\n\n" if said else ""
