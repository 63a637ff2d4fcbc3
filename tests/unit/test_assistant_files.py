"""Assistants as files: both formats read back what was written, hold no secret, and say what is wrong in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.assistants.arguments import TEMPLATES
from tui.assistants.fields import AnyAssistant, tool_text
from tui.assistants.files import FileFormat, FileProblem, dump, load, read_entry, to_table
from tui.assistants.masks import MASK, filled, masked
from tui.services.assistant_models import Assistant, AssistantProfile, BuiltinTool, FunctionTool, PluginAuth
from tui.services.keys import Secret
from tui.text import clean

CANARY = "canary-token-3f2a"
ADDER = Assistant(
    "asst_1",
    "qwen-plus",
    "加法",
    "adds",
    'Line "one"\n\n\\ back """ tab\tend',
    (
        BuiltinTool("quark_search"),
        BuiltinTool("some_plugin", PluginAuth(Secret(CANARY))),
        BuiltinTool("rag", extra={"prompt_ra": {"pipeline_id": ["p1"]}}),
        FunctionTool("big_add", "Add.", {**TEMPLATES[0].parameters, "default": None}, {"strict": True}),
    ),
    ("file-1",),
    {"team": "dba"},
    0.5,
    None,
    3,
)
LOCAL = AssistantProfile("p1", "qwen3", "local", tools=(FunctionTool("now"),), thinking=False, carried_from="asst_1")
BOTH: tuple[FileFormat, ...] = ("toml", "json")


@pytest.mark.parametrize("form", BOTH)
def test_what_was_written_is_read(form: FileFormat) -> None:
    first, second = load(dump([ADDER, LOCAL], form))
    assert (first.backend, first.id, first.name) == ("assistants", "asst_1", "加法")
    assert first.tokens_left_out == ("some_plugin",)
    assert first.over(ADDER) == ADDER
    assert second.over(LOCAL) == LOCAL
    fresh = first.fresh()
    assert isinstance(fresh, Assistant)
    assert replace(fresh, id="asst_1", tools=ADDER.tools) == ADDER
    assert fresh.tools[1] == BuiltinTool("some_plugin")


@pytest.mark.parametrize("form", BOTH)
def test_no_secret_is_in_it(form: FileFormat) -> None:
    assert CANARY not in dump([ADDER], form)


def test_a_long_text_stands_line_by_line() -> None:
    """What makes a file fit for git: a changed line of the instructions is a changed line of the file."""
    text = dump([replace(ADDER, instructions="one\ntwo\nthree")], "toml")
    assert 'instructions = """\none\ntwo\nthree"""' in text
    assert '    "left": {\n' in text


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30).map(clean)
LINES = TEXTS.map(lambda text: " ".join(text.split()))


@given(
    name=LINES,
    text=TEXTS,
    pairs=st.dictionaries(LINES.filter(bool), TEXTS, max_size=3),
    number=st.floats(0, 2),
    top=...,
)
def test_any_text_is_read_back(name: str, text: str, pairs: dict[str, str], number: float, top: bool) -> None:
    held = replace(ADDER, name=name, instructions=text, metadata=pairs, temperature=number, top_k=7 if top else None)
    for form in BOTH:
        [entry] = load(dump([held], form))
        assert entry.over(replace(held, instructions="other", name="x", metadata={})) == held


def test_what_is_not_named_stays() -> None:
    [entry] = load('format = 1\n[[assistant]]\nid = "asst_1"\ntemperature = "unset"\ndescription = ""\n')
    assert entry.over(ADDER) == replace(ADDER, temperature=None, description="")


def test_a_token_is_that_of_the_assistant_that_is_there() -> None:
    [entry] = load(dump([ADDER], "toml"))
    other = replace(ADDER, tools=(BuiltinTool("some_plugin", PluginAuth(Secret("another"))),))
    found = entry.over(other).tools[1]
    assert isinstance(found, BuiltinTool)
    assert found.auth == PluginAuth(Secret("another"))


HEADERS = {"Authorization": f"Bearer {CANARY}", "x-functions-key": CANARY, "Accept": "text/plain"}
SERVER = {
    "server_url": f"https://me:{CANARY}@mcp.example/sse?v=2&key={CANARY}",
    "headers": HEADERS,
    "more": [{"password": CANARY}],
    "max_tokens": 5,
}
MCP = AssistantProfile("p2", "qwen3", "with a server", tools=(BuiltinTool("mcp", extra=SERVER),))


@pytest.mark.parametrize("form", BOTH)
def test_the_secrets_of_a_server_are_in_no_file_and_come_back_from_the_profile(form: FileFormat) -> None:
    text = dump([MCP], form)
    assert CANARY not in text
    assert CANARY not in tool_text(MCP.tools[0])
    assert "text/plain" in text
    [entry] = load(text)
    assert entry.tokens_left_out == ("mcp",)
    assert entry.over(MCP) == MCP


def test_a_secret_never_goes_to_another_server() -> None:
    [entry] = load(dump([MCP], "json").replace("mcp.example", "evil.example"))
    bare = {
        "server_url": "https://evil.example/sse?v=2",
        "headers": {"Accept": "text/plain"},
        "more": [{}],
        "max_tokens": 5,
    }
    assert entry.over(MCP).tools == (BuiltinTool("mcp", extra=bare),)
    assert entry.fresh().tools == (BuiltinTool("mcp", extra=bare),)


def test_what_was_masked_while_it_was_edited_stays() -> None:
    shown = masked(SERVER)
    assert shown["headers"]["Authorization"] == MASK
    assert filled(shown, SERVER) == SERVER
    shown["headers"] = {"Authorization": MASK, "x-functions-key": "typed"}
    assert filled(shown, SERVER)["headers"] == {"Authorization": f"Bearer {CANARY}", "x-functions-key": "typed"}
    assert filled({"other": MASK, "none": None}, SERVER) == {"none": None}


HEAD = "format = 1\n[[assistant]]\n"
DEEP = '{"a":' * 200 + "1" + "}" * 200


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "format = 1"),
        ("format = 2", "format = 1"),
        ("format = 1", r"\[\[assistant\]\]"),
        ("format = ", "cannot be read"),
        ('{"format": 1', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("format = " + "[" * 5000, "cannot be read"),
        (HEAD + "top_k = " + "1" * 5000, "cannot be read"),
        (HEAD + "[[assistant]]\n" * 200, "more than 200"),
        (HEAD + f"tools = [{{type = 'x', extra = '{DEEP}'}}]", "nested too deeply"),
        (HEAD + 'backend = "responses"\nthinking = "no"', "true, false or unset"),
        (HEAD + 'modle = "x"', "no field modle"),
        (HEAD + 'backend = "other"', "backend"),
        (HEAD + "temperature = 3", "between 0 and 2"),
        (HEAD + "temperature = true", "number"),
        (HEAD + 'top_k = "many"', "no whole number"),
        (HEAD + "name = 1", "must be a text"),
        (HEAD + "tools = 1", "must be a list"),
        (HEAD + "tools = [{}]", "`type`"),
        (HEAD + 'tools = [{type = "function", name = "a b"}]', "letters, digits"),
        (HEAD + 'tools = [{type = "function", name = "a", parameters = "{"}]', "tools"),
        (HEAD + 'tools = [{type = "x", user_token = "y"}]', "user_token"),
        (HEAD + "metadata = {a = 1}", "table of texts"),
        (HEAD + f'metadata = {{a = "{"x" * 513}"}}', "512 characters"),
        (HEAD + "file_ids = [1]", "list of texts"),
        (HEAD + 'model = ""', "needs a model"),
        (HEAD + 'backend = "responses"\nmax_output_tokens = 3', "16 at least"),
    ],
)
def test_what_is_wrong_is_said(source: str, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        load(source)


@pytest.mark.parametrize("held", [ADDER, LOCAL], ids=["server", "local"])
def test_every_field_is_in_the_file(held: AnyAssistant) -> None:
    table: dict[str, Any] = json.loads(dump([held], "json"))["assistant"][0]
    assert {name for name in type(held).__dataclass_fields__ if name not in table} <= {"created_at"}


@pytest.mark.parametrize("form", BOTH)
def test_what_was_not_set_is_not_set_again(form: FileFormat) -> None:
    """A file is the whole state: applied to an assistant that has more, it takes that away."""
    [entry] = load(dump([ADDER], form))
    assert entry.over(replace(ADDER, top_p=0.1, max_tokens=5, metadata={}, description="x")) == ADDER
    [entry] = load(dump([replace(LOCAL, thinking=None)], form))
    assert entry.over(LOCAL) == replace(LOCAL, thinking=None)


def test_what_the_service_has_is_read_back_whatever_it_is() -> None:
    """Versions and drafts hold assistants that this program would not make: made by the SDK, by another version."""
    odd = Assistant(
        "asst_1",
        "",
        metadata={"a": "x" * 600},
        tools=(FunctionTool("查询 a.b"), FunctionTool("查询 a.b")),
        temperature=2.5,
        max_tokens=0,
    )
    assert read_entry(to_table(odd)).over(Assistant("asst_1", "")) == odd
    with pytest.raises(FileProblem):
        load(dump([odd], "toml"))
