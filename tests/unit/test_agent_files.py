"""Custom agents as TOML, their checks and their three-way merge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.agents.fields import changed, check, find_field, merge, same
from tui.agents.files import AgentFile, AgentFileError, read, write
from tui.services.dms_agents import DmsAgentForm
from tui.services.rds_agents import AgentForm
from tui.text import clean

RDS = AgentForm("copilot-agent", 'a "quoted"\n\\ back\t磁盘 """\n', True, ("describe_db_instances",), ())
DMS = DmsAgentForm("周报", "d", "先看总体。\nThen [x].", "k", ("哪一周？",), ("sql", "data"), "journal")

texts = st.text().map(clean)
names = st.lists(texts, max_size=3).map(tuple)
rds_forms = st.builds(AgentForm, texts, texts, st.booleans(), names, names)
dms_forms = st.builds(DmsAgentForm, texts, texts, texts, texts, names, names, texts)
agents = st.one_of(
    st.builds(AgentFile, st.just("rds"), rds_forms, texts), st.builds(AgentFile, st.just("dms"), dms_forms, texts)
)


@given(st.lists(agents, min_size=1, max_size=3))
def test_what_is_written_is_read(held: list[AgentFile]) -> None:
    assert list(read(write(held))) == held


def test_texts_stand_over_several_lines() -> None:
    text = write([AgentFile("rds", RDS, "agent-1"), AgentFile("dms", DMS)])

    assert '\nsystem_prompt = """\n' in text
    assert "先看总体。\nThen [x]." in text
    assert text.count("[[agent]]") == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [", "No TOML"),
        ("schema = 2\n[[agent]]\nservice='rds'", "lacks `schema = 1`"),
        ("schema = 1", "lacks `schema = 1`"),
        ("schema = 1\nagent = [1]", "Agent 1: not a table"),
        ("schema = 1\n[[agent]]\nservice='rds'\n[[agent]]\nname='x'", "Agent 2: `service` must be rds or dms"),
        ("schema = 1\n[[agent]]\nservice='rds'\ntool=['x']\nid='y'", "not known: tool"),
        ("schema = 1\n[[agent]]\nservice='rds'\ntools='x'", "`tools` has the wrong type"),
        ("schema = 1\n[[agent]]\nservice='rds'\ntools=[1]", "`tools` has the wrong type"),
        ("schema = 1\n[[agent]]\nservice='rds'\nenable_tools='yes'", "`enable_tools` has the wrong type"),
        ("schema = 1\n[[agent]]\nservice='dms'\nname=1", "`name` has the wrong type"),
        ("schema = 1\n[[agent]]\nservice='dms'\nid=1", "`id` has the wrong type"),
        ("x" * 2_000_001, "too long"),
        ("a = " + "[" * 5000, "nested"),
        ("a = " + "1" * 5000, "No TOML"),
        ("schema = 1\n" + "[[agent]]\nservice='rds'\n" * 201, "more than 200"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(AgentFileError, match=r".") as refused:
        read(text)
    assert words in str(refused.value)


def test_what_is_read_cannot_drive_the_terminal() -> None:
    (agent,) = read('schema = 1\n[[agent]]\nservice="rds"\nname="a\\u001b]0;x"\ntools=["b\\u001b"]')

    assert agent.form == AgentForm("a␛]0;x", tools=("b␛",))


# --- checks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (AgentForm("", "p"), "name", "needs a name"),
        (AgentForm("n", "  \n"), "system_prompt", "needs a system prompt"),
        (AgentForm("n", "p", tools=("gone", "here")), "tools", "does not offer: gone"),
        (AgentForm("n", "p", skill_ids=("s-9",)), "skill_ids", "does not offer: s-9"),
    ],
)
def test_what_is_wrong_with_an_agent_of_rds(form: AgentForm, field: str, words: str) -> None:
    found = check("rds", None, form, {"tools": {"here"}, "skill_ids": {"s-1"}})

    assert list(found) == [field]
    assert words in found[field]


def test_what_the_service_has_already_keeps_nobody_from_saving() -> None:
    base = AgentForm("", "p", tools=("retired",))

    assert check("rds", base, AgentForm("", "new", tools=("retired",)), {"tools": {"here"}}) == {}
    assert list(check("rds", base, AgentForm("", "", tools=("retired", "x")), {"tools": {"here"}})) == [
        "tools",
        "system_prompt",
    ]


def test_what_is_not_known_is_not_checked() -> None:
    assert check("rds", None, AgentForm("n", "p", tools=("x",), skill_ids=("y",)), {}) == {}


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (DmsAgentForm(), "name", "needs a name"),
        (DmsAgentForm("n", instruction="x" * 10_001), "instruction", "10001 characters; the service takes 10000"),
        (DmsAgentForm("n", questions=tuple("abcdefghijk")), "questions", "At most 10"),
        (DmsAgentForm("n", skips=("plan", "breakfast")), "skips", "does not offer: breakfast"),
        (DmsAgentForm("n", description=""), "description", "takes no empty text"),
    ],
)
def test_what_is_wrong_with_an_agent_of_dms(form: DmsAgentForm, field: str, words: str) -> None:
    found = check("dms", DmsAgentForm("n", "d"), form if field == "description" else with_description(form), {})

    assert list(found) == [field]
    assert words in found[field]


def with_description(form: DmsAgentForm) -> DmsAgentForm:
    return replace(form, description="d")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("The specified parameter is not valid: Tools: no_such", "tools"),
        ("SkillIds: x", "skill_ids"),
        ("Name a is taken by another agent.", "name"),
        ("SystemPrompt is too long", "system_prompt"),
        ("EnableTools must be true or false.", "enable_tools"),
        ("something else", ""),
    ],
)
def test_the_field_that_a_refusal_names(message: str, field: str) -> None:
    assert find_field("rds", message) == field


# --- merge -----------------------------------------------------------------------------------------------------

BASE = AgentForm("n", "p", True, ("a",), ())


def test_what_only_they_changed_is_theirs_and_what_only_i_changed_is_mine() -> None:
    mine = AgentForm("n", "mine", True, ("a",), ())
    theirs = AgentForm("n", "p", False, ("a", "b"), ())

    assert merge(BASE, mine, theirs) == (AgentForm("n", "mine", False, ("a", "b"), ()), ())


def test_what_both_changed_stays_mine_and_is_named() -> None:
    mine, theirs = AgentForm("n", "mine", False, ("a",), ()), AgentForm("n2", "theirs", False, ("a",), ())

    merged, both = merge(BASE, mine, theirs)

    assert both == ("system_prompt",)
    assert merged == AgentForm("n2", "mine", False, ("a",), ())


@given(rds_forms, rds_forms, rds_forms)
def test_a_merge_loses_nothing_of_mine_and_hides_nothing_of_theirs(
    base: AgentForm, mine: AgentForm, theirs: AgentForm
) -> None:
    merged, both = merge(base, mine, theirs)

    for name in changed(base, mine):
        assert getattr(merged, name) == getattr(mine, name)
    for name in changed(base, theirs):
        assert same(merged, theirs, name) or name in both
