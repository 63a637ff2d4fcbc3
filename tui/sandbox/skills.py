"""A question that begins with a slash and the name of a skill (protocol notes, section 5.4)."""

from __future__ import annotations

from tui.sandbox import catalogue
from tui.sandbox.question import Question
from tui.sandbox.script import CallTool, Say, Step


def opening(question: Question) -> list[Step]:
    """What the assistant says and does first when a skill is called; nothing where none is."""
    name, _, rest = question.text.strip().removeprefix("/").partition(" ")
    skill = next((skill for skill in catalogue.skills() if skill["name"] == name), None)
    if skill is None or not question.text.lstrip().startswith("/"):
        return []
    zh = question.tongue == "zh"
    text = f"使用技能 **{name}**：{skill['zh']}" if zh else f"Skill **{name}**: {skill['en']}"
    return [CallTool("load_skill", {"Name": name, "Input": rest.strip()}, "loaded", 0.3), Say(f"{text}\n\n")]
