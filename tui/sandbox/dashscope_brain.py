"""What the sandbox's models answer: chosen by the question, the tools, and what functions gave back.

Runs and responses share it. Questions for tests and demonstrations, each the first word of the question, beside those
of `specials`:

| question       | answer                                                                               |
|----------------|--------------------------------------------------------------------------------------|
| `recall`       | a list of what the model sees of the conversation                                    |
| `settings`     | the model, the instructions, the tools and the sampling that the turn really has     |
| `call [N]`     | every function N times (1) in one request; then what came back, in order             |
| `rounds [N]`   | a function asked for N times (2), one after the other                                |
| `tools [N]`    | N uses of the built-in tools (3), in turns                                           |
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tui.sandbox import specials
from tui.sandbox.answers import theme_for
from tui.sandbox.dashscope_functions import arguments_for, choose, functions_of
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_texts import TEXTS
from tui.sandbox.dashscope_tools import UseTool, use, wanted
from tui.sandbox.question import Question
from tui.sandbox.script import Fail, Hold, Pause, Say, Think

WORDS = ("recall", "settings", "call", "rounds", "tools")
_SPECIAL = re.compile(r"(recall|settings|call|rounds|tools)(?:\s+(\d{1,3}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ask:
    """Functions that somebody else must call: name and the JSON of the arguments of each."""

    calls: tuple[tuple[str, str], ...]


Step: TypeAlias = Say | Think | Pause | Hold | Fail | UseTool | Ask


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as the model sees it."""

    text: str
    """The newest question."""
    before: tuple[tuple[str, str], ...] = ()
    """Role and text of the messages before it that the model sees, oldest first."""
    tools: tuple[Json, ...] = ()
    """In the nested form of assistants."""
    rounds: tuple[tuple[Json, ...], ...] = ()
    """What functions gave back in this turn: name, arguments, output."""
    name: str = ""
    """Of the assistant."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    tool_choice: Any = "auto"

    @property
    def tongue(self) -> str:
        return Question(self.text).tongue


def script_for(asked: Asked) -> list[Step]:
    """What the model does now."""
    if asked.rounds:
        return _after_functions(asked)
    if match := _SPECIAL.fullmatch(asked.text.strip()):
        return _special(asked, match.group(1).lower(), int(match.group(2) or 0))
    question = Question(asked.text, tuple(text for role, text in asked.before if role == "user"), agent_name=asked.name)
    if found := specials.script_for(question):
        made = [step for step in map(_of_special, found) if step]
        # A turn has its tools first, then one message.
        return sorted(made, key=lambda step: not isinstance(step, Think | UseTool))
    if steps := _function_call(asked):
        return steps
    uses = wanted(asked.text, asked.tools) if asked.tool_choice != "none" else []
    return [Think(TEXTS[asked.tongue]["thinking"]), *uses, Say(_answer(asked, question, uses))]


def _function_call(asked: Asked) -> list[Step]:
    functions = functions_of(asked.tools)
    if not functions or asked.tool_choice == "none":
        return []
    chosen = choose(asked.text, functions)
    if chosen is None and asked.tool_choice == "required":
        chosen = functions[0]
    if chosen is None:
        return []
    call = (str(chosen["name"]), arguments_for(asked.text, chosen.get("parameters") or {}))
    return [*wanted(asked.text, asked.tools), Ask((call,))]


def _special(asked: Asked, word: str, count: int) -> list[Step]:
    functions = functions_of(asked.tools)
    note = TEXTS[asked.tongue]["note"]
    match word:
        case "recall":
            seen = [*asked.before, ("user", asked.text)]
            lines = [f"{n}. {role}: {' '.join(text.split())[:80]}" for n, (role, text) in enumerate(seen, 1)]
            return [Say(f"I see {len(seen)} messages.\n\n" + "\n".join(lines) + note)]
        case "settings":
            rows = {**asked.settings, "tools": [_tool_name(tool) for tool in asked.tools], "files": list(asked.files)}
            lines = [f"- {name}: `{json.dumps(value, ensure_ascii=False)}`" for name, value in rows.items()]
            return [Say("\n".join(lines) + note)]
        case "tools":
            kinds = [str(tool["type"]) for tool in asked.tools if tool.get("type") != "function"] or ["quark_search"]
            uses = [use(kinds[n % len(kinds)], f"{asked.text} {n + 1}", n) for n in range(count or 3)]
            return [*uses, Say(f"{len(uses)} tools were used.{note}")]
    if not functions:
        return [Say(f"There is no function to call.{note}")]
    once = [(str(one["name"]), arguments_for(asked.text, one.get("parameters") or {})) for one in functions]
    return [Ask(tuple(once * (count or 1)) if word == "call" else (once[0],))]


def _after_functions(asked: Asked) -> list[Step]:
    """The next call, or the answer, made of what came back."""
    match = re.fullmatch(r"rounds(?:\s+(\d{1,3}))?", asked.text.strip(), re.IGNORECASE)
    if match and len(asked.rounds) < int(match.group(1) or 2):
        last = asked.rounds[-1][0]
        return [Ask(((str(last["name"]), str(last["arguments"])),))]
    texts = TEXTS[asked.tongue]
    lines = []
    for one in (call for calls in asked.rounds for call in calls):
        output = str(one["output"])
        told = f"**{output}**" if len(output) <= 80 and "\n" not in output else f"\n\n```\n{output}\n```\n"
        lines.append(texts["function"].format(call=_written(one), output=told))
    return [Say("\n".join(lines) + texts["note"])]


def _written(call: Json) -> str:
    """A call as people write it."""
    try:
        arguments = json.loads(call["arguments"])
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return f"{call['name']}({call['arguments']})"
    inside = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    return f"{call['name']}({inside})"


def _answer(asked: Asked, question: Question, uses: list[UseTool]) -> str:
    texts = TEXTS[asked.tongue]
    chance = random.Random(f"{asked.name}{asked.text}{len(asked.before)}")
    theme = theme_for(Question(asked.text))
    parts = [texts["who"].format(name=asked.name)] if asked.name else []
    if asked.before:
        last = next((text for role, text in reversed(asked.before) if role == "user"), "")
        if last:
            parts.append(texts["before"].format(text=" ".join(last.split())[:60]))
    if asked.files:
        parts.append(texts["files"].format(names="、".join(asked.files)))
    parts += [texts["tool"].format(tool=one.type, output=_shown(one.output)) for one in uses]
    if theme.name != "general":
        answer = str(theme.texts[question.tongue]["answer"]).strip()
        parts.append(answer.replace("@instance@", question.instance).replace("@region@", question.region))
    else:
        topic = " ".join(asked.text.split())[:60] or "…"
        parts.append(chance.choice(texts["bodies"]).format(topic=topic))
    return "\n\n".join(parts) + texts["note"]


def _shown(output: str) -> str:
    """A tool's output as Markdown: links where it has them, else as it is."""
    try:
        data = json.loads(output)
    except ValueError:
        data = None
    rows = data.get("data") if isinstance(data, dict) else None
    if isinstance(rows, list):
        return "\n".join(f"- [{row['title']}]({row['link']}): {row['snippet']}" for row in rows)
    return f"```\n{output.strip()}\n```"


def _tool_name(tool: Json) -> str:
    return str(tool["function"]["name"]) if tool.get("type") == "function" else str(tool.get("type"))


def _of_special(step: object) -> Step | None:
    """A step of the RDS assistant's as a model of DashScope does it."""
    from tui.sandbox.script import CallTool, ShowDocuments

    match step:
        case Say() | Think() | Pause() | Hold() | Fail():
            return step
        case CallTool(name, arguments, response, seconds):
            return UseTool(name, json.dumps(dict(arguments), ensure_ascii=False), response, seconds)
        case ShowDocuments(title, links):
            return Say(f"\n\n{title}\n" + "".join(f"\n- [{name}]({url})" for name, url in links) + "\n")
    return None
