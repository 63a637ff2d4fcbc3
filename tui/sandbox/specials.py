"""Questions that tests, demonstrations and the bench ask; each is the first word of the question.

| question         | answer                                                                         |
|------------------|--------------------------------------------------------------------------------|
| `echo TEXT`      | exactly TEXT                                                                   |
| `bench [N]`      | N KB (20) of Markdown of every kind, the same each time                        |
| `long [N]`       | N paragraphs (40), English and Chinese                                         |
| `table [N]`      | a wide table of N rows (12) with Chinese headings                              |
| `code`           | code blocks in SQL, shell, JSON, Python and one without a language             |
| `thinking`       | much thinking, little text                                                     |
| `tools [N]`      | N tool calls (6), one of them failing                                          |
| `slow [S]`       | a tool that takes S seconds (20), whatever the pace                            |
| `hold [N]`       | N words (3), then the turn waits until it is released or stopped, then the rest |
| `approve [N]`    | an approval round of N calls (1); `restart ...` asks in manual mode only       |
| `error`          | some text, then an error event                                                 |
| `empty`          | no text                                                                        |
| `hostile`        | control characters, markup and overlong lines wherever text can be             |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tui.sandbox import samples
from tui.sandbox.question import Question, number_in
from tui.sandbox.script import CallTool, Fail, Hold, Pause, Say, ShowDocuments, Step, Think

_NOTE = "\n\n*sandbox data*\n"
HOSTILE_NAME = "\x1b]0;owned\x07[bold red]hostile[/] \u202etxt.exe\u2066 \x00\ud800 \x9b31m" + "長" * 500


def is_hostile(query: str) -> bool:
    return query.split(maxsplit=1)[:1] == ["hostile"]


def script_for(question: Question) -> list[Step]:
    """The steps for a special question; none where it is not one."""
    word, _, rest = question.text.strip().partition(" ")
    make = _SPECIALS.get(word.lower())
    if make is None or (word.lower() not in ("echo", "hostile") and not re.fullmatch(r"\s*\d*\s*", rest)):
        return []
    return make(question, rest)


def _echo(question: Question, rest: str) -> list[Step]:
    return [Say(rest)]


def _bench(question: Question, rest: str) -> list[Step]:
    return [Say(samples.bench_text(number_in(rest, 20, 4096) * 1024), size=5)]


def _long(question: Question, rest: str) -> list[Step]:
    return [Say(samples.paragraphs(number_in(rest, 40, 5000)) + _NOTE)]


def _table(question: Question, rest: str) -> list[Step]:
    return [Say("## 慢查询 Top SQL\n\n" + samples.wide_table(number_in(rest, 12, 5000)) + _NOTE)]


def _code(question: Question, rest: str) -> list[Step]:
    return [Say(samples.CODE + _NOTE)]


def _thinking(question: Question, rest: str) -> list[Step]:
    return [Think(samples.paragraphs(6)), Say("That was the thinking; this is the answer." + _NOTE)]


def _tools(question: Question, rest: str) -> list[Step]:
    count = number_in(rest, 6, 200)
    names = ("describe_db_instances", "describe_db_instance_attribute", "describe_slow_log_records")
    steps: list[Step] = [Think("Several tools are needed.\n")]
    for number in range(count):
        failing = number == 1
        steps.append(
            CallTool(
                names[number % len(names)],
                {"DBInstanceId": f"rm-sandbox{number:02}", "PageSize": 30, "Filters": ["运行中", "Running"]},
                "Forbidden.RAM: no right to read this instance" if failing else samples.json_rows(3 + number),
                seconds=0.3 + 0.2 * (number % 4),
                status="error" if failing else "end",
            )
        )
    return [*steps, Say(f"{count} calls were made; one of them was refused." + _NOTE)]


def _slow(question: Question, rest: str) -> list[Step]:
    seconds = float(number_in(rest, 20, 3600))
    return [
        Say("This takes a while. "),
        CallTool("create_inspection_task", {"InstanceIds": "all"}, '{"TaskId":"sandbox-1"}', seconds=0.2),
        Pause(seconds, real=True),
        Say("It is done." + _NOTE),
    ]


def _hold(question: Question, rest: str) -> list[Step]:
    return [Say(samples.words(number_in(rest, 3, 1000))), Hold(), Say(" and the rest." + _NOTE)]


def _error(question: Question, rest: str) -> list[Step]:
    return [
        Say("Looking at the slow log. " + _NOTE.strip()),
        Fail("InternalError", "a tool's back end failed (sandbox data)"),
    ]


def _empty(question: Question, rest: str) -> list[Step]:
    return [Think("There is nothing to say. (sandbox data)")]


def _hostile(question: Question, rest: str) -> list[Step]:
    return [
        Think(f"thinking {samples.CONTROLS} about it\n"),
        CallTool(
            f"drop_table{samples.CONTROLS}[link=file:///etc/passwd]x[/link]",
            {"sql\x1b[2J": f"SELECT '{samples.CONTROLS}'", "deep": [[[{"a": "\ud800"}]]]},
            f"[bold]rows[/bold] {samples.CONTROLS} \x1bP$q q\x1b\\",
        ),
        ShowDocuments(
            f"\x1b]8;;http://evil.example\x1b\\docs\x1b]8;;\x1b\\ {samples.CONTROLS}",
            [
                (f"title {samples.CONTROLS}", "javascript:alert(1)"),
                ("[@click=app.quit]press me[/]", "file:///etc/passwd"),
                ("\u202egnp.exe", "http://evil.example/\x1b[31m\n\nHost: x"),
            ],
        ),
        Say(samples.HOSTILE_MARKDOWN, size=7),
        Say("\n\nOne long line: "),
        Say("沙箱x" * 300_000, size=100_000),
        Say(f"\n\nlone surrogates: \ud800 and \udfff{_NOTE}", size=1),
        Say("\n\n```sql\nSELECT 'a fence that nobody closes';\n"),
    ]


_SPECIALS: Mapping[str, Callable[[Question, str], list[Step]]] = {
    "echo": _echo,
    "bench": _bench,
    "long": _long,
    "table": _table,
    "code": _code,
    "thinking": _thinking,
    "tools": _tools,
    "slow": _slow,
    "hold": _hold,
    "error": _error,
    "empty": _empty,
    "hostile": _hostile,
}
WORDS = tuple(_SPECIALS)
"""The questions of this module, by their first words."""
