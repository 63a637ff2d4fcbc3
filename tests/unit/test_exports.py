"""Exports: what is in them, what cannot be, and that our own come back whole."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tui.cache.store import Store
from tui.exporting import Exporting, ExportRequest, Form, render, write
from tui.exports.html import as_html
from tui.exports.markdown import Shape, as_markdown, fenced
from tui.exports.portable import NotOurs, as_json, from_json
from tui.exports.redaction import Redactor
from tui.models import (
    AskBlock,
    AskCall,
    CellOutput,
    ChartBlock,
    CodeBlock,
    Conversation,
    DocumentBlock,
    FileBlock,
    Link,
    NoticeBlock,
    PlanBlock,
    PlanStep,
    Problem,
    SuggestionsBlock,
    TableBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
    TurnIds,
)

AT = datetime(2026, 11, 20, 2, 14, 5, tzinfo=UTC)
TABLE = TableBlock(("week", "n|m"), (("46", "1,204"), ("47", "a\nb")), "by week", total_rows=9)
BLOCKS = (
    ThinkingBlock("first I look", 6.0),
    ToolBlock("c1", "describe_slow_log", "done", '{"id": "rm-bp1k3"}', "3 records", 1.2),
    TextBlock("The replica applies **one** transaction."),
    PlanBlock((PlanStep("1", "read", "done"), PlanStep("2", "draw", "failed"), PlanStep("3", "tell"))),
    TABLE,
    ChartBlock("bar", "GMV", "week", ("n",), TABLE),
    CodeBlock("cell", "sql", "SELECT '```' AS x;", (CellOutput(text="1 row"), CellOutput(error="no table"))),
    DocumentBlock("Storage", (Link("page", "https://help.example/x"),), "excerpt"),
    FileBlock("report.html", "f-8c2"),
    SuggestionsBlock(("and now?",)),
    AskBlock("sql", "17", "DELETE FROM t", (AskCall("k", "run_sql", '{"a": 1}'),), answered="yes", prompt="Run it?"),
    NoticeBlock("the line was lost"),
)
LAG = Conversation(
    "20261120-021405-rds-7f3k9qzp",
    "rds",
    "lag on rm-bp1k3",
    AT,
    AT + timedelta(minutes=3),
    "conv-1",
    (
        Turn(
            "t1",
            "why?\n主从延迟",
            AT,
            "done",
            BLOCKS,
            TurnIds("conv-1", "msg-1", "task-1", "REQ-1"),
            finished_at=AT + timedelta(seconds=14),
            attachments=(FileBlock("lag.csv", "f-1"),),
        ),
        Turn(
            "t2",
            "and now?",
            AT + timedelta(minutes=2),
            "failed",
            problem=Problem("No valid order", "Buy it.", "Then retry.", "InvalidOrder", request_id="REQ-2"),
            finished_at=AT + timedelta(minutes=3),
        ),
    ),
    draft="unsent",
    pinned=True,
    tags=("rm-bp1k3",),
    options={"region": "cn-hangzhou", "approval": "auto"},
)
GMV = Conversation(
    "20261120-030000-dms-7f3k9qzq",
    "dms",
    "=GMV",
    AT,
    AT + timedelta(minutes=1),
    turns=(Turn("t1", "=1+1", AT, "done"),),
)


def exported(*conversations: Conversation, form: Form = "md", **options: object) -> dict[str, bytes]:
    request = ExportRequest([each.id for each in conversations], form=form, **options)  # type: ignore[arg-type]
    return dict(render(request, conversations, AT).files)


# --- Markdown ----------------------------------------------------------------------------------------------


def test_markdown_has_everything() -> None:
    text = as_markdown(LAG, Shape(zone=timezone(timedelta(hours=8))))
    begun = "- conversation with: RDS Copilot\n- begun: 2026-11-20 10:14:05 UTC+08:00\n"
    assert text.startswith(f"# lag on rm-bp1k3\n\n{begun}")
    assert (
        "## Question 1 · 2026-11-20 10:14:05 UTC+08:00\n\n> why?\n> 主从延迟\n\n- file: lag.csv (`f-1`)\n\n"
        "### Answer · answered · after 14.0 s" in text
    )
    assert "**tool** `describe_slow_log`, 1.2 s\n\n```json\n" in text
    assert "- [x] read\n- [!] draw\n- [ ] tell" in text
    assert "| week | n\\|m |\n| --- | --- |\n| 46 | 1,204 |\n| 47 | a b |\n\n7 more rows on the service" in text
    assert "````sql\nSELECT '```' AS x;\n````" in text
    assert "> Run it?\n> DELETE FROM t" in text
    assert "- request id: `REQ-1`\n- message id: `msg-1`\n- task id: `task-1`" in text
    assert "> ✗ No valid order: Buy it.\n> Then retry.\n> InvalidOrder" in text
    assert "- request id: `REQ-2`" in text
    assert "first I look" not in text
    assert "unsent" not in text


def test_what_is_left_out_and_put_in() -> None:
    assert "first I look" in as_markdown(LAG, Shape(thinking=True))
    short = as_markdown(LAG, Shape(tools=False))
    assert "3 records" not in short
    assert "describe_slow_log" in short


def test_one_turn() -> None:
    (text,) = exported(LAG, turn="t2").values()
    assert b"## Question 2" in text
    assert b"Question 1" not in text
    (text,) = exported(LAG, form="json", turn="t2").values()
    (held,) = from_json(text)
    assert [turn.id for turn in held.turns] == ["t2"]


@pytest.mark.parametrize("text", ["plain", "```", "````\n```x", "`"])
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    first, *inside, last = fenced(text, "s q l").split("\n")
    assert "\n".join(inside) == text
    assert first == last + "sql"
    assert last not in text


# --- HTML --------------------------------------------------------------------------------------------------


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


EVIL = """<script>alert(1)</script> <img src=x onerror=alert(1)> <b onclick="x()">b</b>
[a](javascript:alert(1)) ![beacon](http://tracker.example/p.png) <javascript:alert(1)>
</body></html> <style>*{display:none}</style> <iframe src="//e"></iframe>
`</code><script>` | a | b |
"""


@pytest.mark.parametrize("evil", EVIL.splitlines())
def test_html_runs_nothing_and_loads_nothing(evil: str) -> None:
    turn = Turn("t", evil, AT, "done", (TextBlock(evil), ToolBlock("c", evil, "done", evil, evil), TABLE))
    (page,) = exported(Conversation("c", "rds", evil, AT, AT, turns=(turn,)), form="html").values()
    reader = _Tags()
    reader.feed(page.decode())
    names = [name for name, _attributes in reader.seen]
    assert not {"script", "img", "iframe", "b", "link", "object", "form"} & {*names}
    assert (names.count("style"), names.count("body"), names.count("html")) == (1, 1, 1)
    for _name, attributes in reader.seen:
        assert not [key for key in attributes if key.startswith("on")]
        assert re.match(r"https?:|$", attributes.get("href") or "")
    assert b"default-src 'none'" in page


def test_html_is_the_markdown_laid_out() -> None:
    page = as_html(as_markdown(LAG, Shape()), LAG.title, "zh")
    assert '<html lang="zh">' in page
    assert "<strong>one</strong>" in page
    assert "<td>1,204</td>" in page
    assert '<a href="https://help.example/x">' in page


# --- JSON --------------------------------------------------------------------------------------------------


def test_json_comes_back_as_it_was() -> None:
    from dataclasses import replace

    assert from_json(as_json([LAG, GMV], AT)) == [replace(LAG, draft=""), GMV]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no export"),
        (b"[" * 100_000, "no JSON"),
        (b'{"format": "yunliao/conversations", "version": 2}', "newer version"),
        (b'{"format": "yunliao/conversations", "version": 1, "conversations": [{"id": 1}]}', "cannot be read"),
        (b'{"format": "yunliao/conversations", "version": 1, "conversations": {"a": 1}}', "cannot be read"),
    ],
)
def test_what_is_no_export_is_told(data: bytes, said: str) -> None:
    with pytest.raises(NotOurs, match=said):
        from_json(data)


def test_texts_of_an_import_are_clean() -> None:
    text = as_json([GMV], AT).replace("=1+1", "\\u001b[31mred\\u202e")
    (back,) = from_json(text)
    assert "\x1b" not in back.turns[0].question
    assert "\u202e" not in back.turns[0].question


async def test_an_import_takes_what_is_not_here_yet(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    await store.open()

    async def opened() -> Store:
        return store

    exporting = Exporting(opened, store.load, lambda: AT)
    data = as_json([LAG, GMV], AT).encode()
    first = await exporting.read(data)
    assert (first.new, first.known) == ((LAG.id, GMV.id), 0)
    assert (await exporting.read(data)).known == 2
    held = await store.load(LAG.id)
    assert (held.turns, held.tags, held.pinned, held.remote_id) == (LAG.turns, LAG.tags, True, "conv-1")
    assert (held.created_at, held.updated_at) == (LAG.created_at, LAG.turns[-1].finished_at)
    assert held.options == {"region": "cn-hangzhou"}, "what was agreed to there is not agreed to here"
    with pytest.raises(OSError):
        await exporting.read_file("~nobody-of-that-name/file.json")
    await store.release(LAG.id)
    await store.delete(LAG.id)
    again = await exporting.read(data)
    assert (len(again.new), again.known) == (1, 1)
    assert again.new[0] != LAG.id
    assert (await store.load(again.new[0])).turns == LAG.turns
    await store.close()


# --- bundles -----------------------------------------------------------------------------------------------


def test_a_bundle_has_a_timeline_with_request_ids_and_a_manifest_that_holds() -> None:
    files = exported(LAG, GMV, form="folder", title="incident 7")
    assert [*files][:2] == ["README.md", "index.html"]
    assert [*files][-1] == "manifest.json"
    manifest = json.loads(files["manifest.json"])
    assert {entry["name"]: entry["sha256"] for entry in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    rows = list(csv.DictReader(io.StringIO(files["timeline.csv"].decode())))
    assert [(row["time"][11:19], row["event"], row["request_id"]) for row in rows if "RDS" in row["service"]] == [
        ("02:14:05", "asked", "REQ-1"),
        ("02:14:19", "answered", "REQ-1"),
        ("02:16:05", "asked", "REQ-2"),
        ("02:17:05", "failed", "REQ-2"),
    ]
    assert [row["conversation"] for row in rows if row["service"] == "Data Agent"] == ["'=GMV"]
    assert "# incident 7" in files["README.md"].decode()
    names = [name for name in files if name.startswith("conversations/")]
    assert len(names) == 6
    assert from_json(next(content for name, content in files.items() if name.endswith("rm-bp1k3.json")))


def test_a_zip_is_private_and_has_one_folder() -> None:
    (content,) = exported(LAG, form="zip").values()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"lag on rm-bp1k3-20261120-021405"}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o600}


@pytest.mark.parametrize("title", ["../../etc/passwd", "/abs", "a/b\\c", "..", "\x1b[31m", "x" * 300, ""])
def test_no_title_leaves_the_folder(tmp_path: Path, title: str) -> None:
    conversation = Conversation("20261120-021405-rds-7f3k9qzp", "rds", title, AT, AT)
    for form in ("md", "zip", "folder"):
        request = ExportRequest([conversation.id], form=form, title=title)
        path = write(render(request, [conversation], AT), tmp_path / "out")
        assert path.parent == tmp_path / "out"
    inside = [path for path in tmp_path.rglob("*") if path.is_file() and "out" in path.parts]
    assert len(inside) == 2 + 7


def test_files_are_private_and_nothing_is_overwritten(tmp_path: Path) -> None:
    request = ExportRequest([LAG.id])
    paths = [write(render(request, [LAG], AT), tmp_path / "out") for _number in range(3)]
    assert [path.name for path in paths] == [
        "lag on rm-bp1k3-20261120-021405.md",
        "lag on rm-bp1k3-20261120-021405 (1).md",
        "lag on rm-bp1k3-20261120-021405 (2).md",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


# --- redaction ---------------------------------------------------------------------------------------------

SECRETS: Sequence[tuple[str, str]] = [
    ("key LTAI5tFakeFakeFakeFake0 here", "key «access-key:1» here"),
    ("STS.NUFakeFakeFakeFake", "«access-key:1»"),
    ("use sk-0123456789abcdef0123", "use «api-key:1»"),
    ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer «token:1»"),
    ("mysql://root:S3cret!@10.0.0.1:3306/db", "mysql://root:«password:1»@10.0.0.1:3306/db"),
    ("CREATE USER 'a'@'%' IDENTIFIED BY 'hunter2';", "CREATE USER 'a'@'%' IDENTIFIED BY '«password:1»';"),
    ("ALTER ROLE a PASSWORD 'hunter2'", "ALTER ROLE a PASSWORD '«password:1»'"),
    ('{"access_key_secret": "abcd1234"}', '{"access_key_secret": "«secret:1»"}'),
    ("密码：hunter22，请查收", "密码：«secret:1»，请查收"),
    (
        "x.oss.aliyuncs.com/a?Expires=1&Signature=aB%2B&b=1",
        "x.oss.aliyuncs.com/a?Expires=1&Signature=«signature:1»&b=1",
    ),
    ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "«private-key:1»"),
]
PERSONAL: Sequence[tuple[str, str]] = [
    ("mail a.b+c@example.com now", "mail «e-mail:1» now"),
    ("电话13812345678。", "电话«phone:1»。"),
    ("身份证 11010519491231002X", "身份证 «id-card:1»"),
    ("host 10.1.2.3, 192.168.1.7 and 8.8.8.8", "host «address:1», «address:2» and 8.8.8.8"),
    ("same 10.1.2.3 and 10.1.2.3", "same «address:1» and «address:1»"),
]


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_secrets_are_taken_out(text: str, expected: str) -> None:
    assert Redactor("secrets").text(text) == expected
    assert Redactor("off").text(text) == text


@pytest.mark.parametrize(("text", "expected"), PERSONAL)
def test_data_of_people_is_taken_out(text: str, expected: str) -> None:
    assert Redactor("all").text(text) == expected
    assert Redactor("secrets").text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Seconds_Behind_Master rose to 812 s on rm-bp1k3 at 02:14:05",
        "SELECT password_hash FROM users WHERE id = 13812",
        "Innodb_buffer_pool_size = 10737418240; max_connections: 4000",
        "order 20261122021405123456, version 5.7.10.1",
        "DELETE FROM tokens WHERE created_at < '2026-10-01'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor("all").text(text) == text


@pytest.mark.parametrize("piece", ["QUJDREVG", "主库延迟", "1", "a.b-c+", "://", "sk-"])
def test_a_long_run_of_one_kind_is_gone_through_once(piece: str) -> None:
    """A picture in base64, a dump: a pattern that begins anew at each character would take hours."""
    assert Redactor("all").text(piece * 50_000)


@pytest.mark.parametrize("form", ["md", "html", "json", "zip", "folder"])
def test_no_secret_is_left_in_any_file(form: Form) -> None:
    canary = "LTAI5tCanaryCanaryCanary"
    block = ToolBlock("c", "t", "done", f'{{"k": "{canary}"}}', f"password={canary}")
    turn = Turn("t", canary, AT, "done", (TextBlock(canary), block), problem=Problem(canary, canary))
    conversation = Conversation(LAG.id, "rds", canary, AT, AT, turns=(turn,), tags=(canary,))
    request = ExportRequest([LAG.id], form=form, title=canary)
    result = render(request, [conversation], AT)
    for name, content in result.files.items():
        assert canary not in name
        if form == "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert not [entry for entry in archive.namelist() if canary in entry]
                assert not [entry for entry in archive.namelist() if canary.encode() in archive.read(entry)]
        assert canary.encode() not in content
    assert sum(result.redacted.values()) >= 6
