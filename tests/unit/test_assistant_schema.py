"""The check of a function's arguments: what is wrong by line and column, and the form that a schema describes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.assistants.arguments import TEMPLATES, Argument, FunctionTemplate, argument_problems, arguments_of
from tui.assistants.schema import CheckedSchema, check_schema, function_name_problem, schema_text
from tui.services.dashscope_wire import DEEPEST

ADD = TEMPLATES[0]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_templates_pass(template: FunctionTemplate) -> None:
    assert check_schema(schema_text(template.parameters)) == CheckedSchema(template.parameters)
    assert not function_name_problem(template.name)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{"type": "object", 1}', (1, 20), "a name in double quotes is missing"),
        ('{\n  "type": "object"\n  "properties": {}\n}', (3, 3), "a comma is missing"),
        ('{"type": "object', (1, 10), "quotes"),
        ('{"type": "object"} {}', (1, 20), "after the end"),
        ("[]", (1, 1), "must be an object"),
        ("[" * 100_000, (1, 1), "deeply"),
        ('{"properties": {}}', (1, 1), '"type": "object" is missing'),
        ('{"type": "array"}', (1, 10), 'must be "object"'),
        ('{\n "type": "object",\n "properties": {"n": {"type": "strng"}}\n}', (3, 31), "did you mean string?"),
        ('{"type": "object", "properties": {"n": {"type": "int"}}}', (1, 49), "did you mean integer?"),
        ('{"type": "object", "properties": {"n": "text"}}', (1, 40), "Here belongs a schema"),
        ('{"type": "object", "required": "n"}', (1, 32), "required must be of the type array"),
        ('{"type": "object", "properties": {"加": {"minimum": "1"}}}', (1, 52), "minimum must be of the type number"),
    ],
)
def test_errors_say_where(text: str, place: tuple[int, int], words: str) -> None:
    checked = check_schema(text)
    assert not checked.usable
    issue = checked.issues[0]
    assert (issue.line, issue.column) == place
    assert words in issue.message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{"type": "object", "properties": {}, "required": ["n"]}', (1, 51), "n is required but is no property"),
        ('{"type": "object", "proprties": {}}', (1, 20), "did you mean properties?"),
    ],
)
def test_slips_are_warnings(text: str, place: tuple[int, int], words: str) -> None:
    checked = check_schema(text)
    assert checked.usable
    [issue] = checked.issues
    assert (issue.line, issue.column, issue.level) == (*place, "warning")
    assert words in issue.message


def test_no_arguments() -> None:
    assert check_schema("  \n") == CheckedSchema({})
    assert schema_text({}) == ""


@pytest.mark.parametrize("name", ["", "with blank", "x" * 65, "加", "a.b"])
def test_names(name: str) -> None:
    assert function_name_problem(name)


def test_a_name_is_there_once() -> None:
    assert function_name_problem("big_add", ["big_add"])
    assert not function_name_problem("big_add", ["other"])


def test_the_form() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["to", "message"],
        "properties": {
            "to": {"type": "array", "items": {"type": "string"}},
            "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
            "state": {"enum": ["open", "paid"], "default": "open"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 9, "description": "at\nmost"},
        },
    }
    assert arguments_of(schema) == (
        Argument(0, "to", "array<string>", True),
        Argument(0, "message", "object", True),
        Argument(1, "text", "string", True),
        Argument(0, "state", "enum", False, '"open" | "paid"  = "open"'),
        Argument(0, "limit", "integer", False, "1…9", "at most"),
    )


def test_a_form_without_end_ends() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _level in range(100):
        deep = {"type": "object", "properties": {"inner": deep}}
    assert len(arguments_of(deep)) == 6
    assert not arguments_of({"properties": "no object"})


def test_arguments_against_their_schema() -> None:
    assert not argument_problems(ADD.parameters, '{"left": 1, "right": 2}')
    assert not argument_problems({}, "")
    assert argument_problems(ADD.parameters, '{"left": 1') == ("The arguments are no valid JSON.",)
    [missing] = argument_problems(ADD.parameters, '{"left": 1}')
    assert "right" in missing
    assert not argument_problems({"type": "nonsense"}, "{}")
    assert not argument_problems({"$ref": "#/nowhere"}, "{}")


def test_many_errors_are_cut() -> None:
    bad = {"type": "object", "properties": {f"p{n}": {"type": "nope"} for n in range(60)}}
    assert len(check_schema(json.dumps(bad)).issues) == 20


def test_what_is_nested_too_deeply_is_said_and_what_is_not_is_checked() -> None:
    def nested(levels: int) -> str:
        return '{"type": "object", "properties": {"a": ' * levels + '{"type": "strng"}' + "}}" * levels

    assert "did you mean string?" in check_schema(nested(DEEPEST // 2 - 1)).issues[0].message
    for text in (nested(DEEPEST), nested(300), '{"type": "object", "maximum": ' + "1" * 5000 + "}"):
        checked = check_schema(text)
        assert checked.schema is None
        assert len(checked.issues) == 1
    assert argument_problems(ADD.parameters, '{"left": ' + "1" * 5000 + "}") == ("The arguments are no valid JSON.",)
