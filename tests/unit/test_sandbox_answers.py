"""What the sandbox says."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.unit.sandbox_wire import ask, call, frames, text
from tui.sandbox import answers, catalogue, samples, specials
from tui.sandbox.question import Question
from tui.sandbox.script import CallTool, Say, Step, beats, deltas
from tui.sandbox.server import SandboxServer
from tui.text import clean


def _said(steps: list[Step]) -> str:
    return "".join(step.text for step in steps if isinstance(step, Say))


@given(st.text(), st.integers(0, 9))
def test_deltas_lose_nothing(whole: str, size: int) -> None:
    assert "".join(deltas(whole, size)) == whole


@pytest.mark.parametrize("theme", answers.themes(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_themes(theme: answers.Theme, tongue: str) -> None:
    word = next((w for w in theme.words if w.isascii() == (tongue == "en") and w not in specials.WORDS), "?")
    question = Question(word, language=tongue)
    assert answers.theme_for(question) == theme
    assert question.tongue == tongue

    steps = answers.script_for(question)
    said = _said(steps)

    assert "sandbox data" in said
    assert "@" not in said.replace("user@", "")
    kinds = {token.type for token in MarkdownIt("commonmark").enable("table").parse(said)}
    assert kinds & {"table_open", "fence"}
    known = {tool["name"] for tool in catalogue.tools()}
    assert {step.name for step in steps if isinstance(step, CallTool)} <= known


def test_the_conversation_is_remembered() -> None:
    first = "Why did replication lag rise on rm-bp1k3?"
    steps = answers.script_for(Question("and what can I do?", before=(first,)))
    assert first in _said(steps)
    assert "`rm-bp1k3`" in _said(steps)
    assert "large transaction" in _said(steps)


def test_thinking_and_tools_can_be_off() -> None:
    question = Question("replication lag", thinking=False, tools=frozenset({"describe_slow_log_records"}))
    steps = answers.script_for(question)
    assert [step.name for step in steps if isinstance(step, CallTool)] == ["describe_slow_log_records"]
    assert type(steps[0]) is Say


def test_special_words_in_a_sentence_are_only_words() -> None:
    for query in ("slow SQL on rm-1", "table orders is locked", "error in the log", "hold on"):
        assert specials.script_for(Question(query)) == []


def test_the_bench_text_is_always_the_same_and_as_long_as_asked() -> None:
    body = samples.bench_text(20 * 1024)
    assert body == samples.bench_text(20 * 1024)
    assert 20 * 1024 <= len(body.encode()) < 23 * 1024
    kinds = {token.type for token in MarkdownIt("commonmark").enable("table").parse(body)}
    assert {"table_open", "fence", "bullet_list_open", "ordered_list_open", "blockquote_open", "heading_open"} <= kinds


def test_beats_are_the_same_for_the_same_chance() -> None:
    steps = answers.script_for(Question("tools"))
    assert list(beats(steps, random.Random(1))) == list(beats(steps, random.Random(1)))


def test_hostile_text_comes_through_whole() -> None:
    with SandboxServer(pace="unlimited") as sandbox:
        body = ask(sandbox.info, "hostile").content
        said = text(body)
        listed = call(sandbox.info, "GetConversations").json()["Data"][0]
        message = call(sandbox.info, "GetMessages", ConversationId=listed["Id"], EventMode="separate").json()["Data"][0]
    assert message["Answer"] == said
    assert samples.HOSTILE_MARKDOWN in said
    assert max(len(line.encode("utf-8", "replace")) for line in said.splitlines()) > 2_000_000
    assert b"\\ud800" in body
    heard = [json.loads(f["Answer"]) for f in frames(body) if f["Event"] == "tool_call"]
    (documents,) = [f["title"] for f in frames(body) if f["Event"] == "doc"]
    for place in (said, listed["Name"], documents, heard[0]["tool_call_name"], heard[1]["response"]):
        assert clean(place) != place
