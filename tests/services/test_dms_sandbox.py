"""The Data Agent on the sandbox: real sessions, analyses of an uploaded file, every way in which a line breaks."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.dms_desk import (
    Notes,
    answer,
    ask,
    data_agent,
    fresh,
    orders,
    set_faults,
    take,
    to_the_end,
    upload,
)
from tests.turns.desk import control
from tui.models import (
    AskBlock,
    Block,
    ChartBlock,
    CodeBlock,
    FileBlock,
    PlanBlock,
    TableBlock,
    TextBlock,
    ThinkingBlock,
)
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply, Page, TurnRequest
from tui.services.dms import DmsDataAgent
from tui.services.dms_calls import KeyCalls
from tui.services.dms_life import SESSION_EXPIRED
from tui.services.dms_options import write_data
from tui.services.downloads import download
from tui.services.endpoints import parse_endpoint
from tui.services.keys import Secret
from tui.turns import open_ask

OPTIONS = {"mode": "ANALYSIS", "language": "en"}


async def with_orders(service: DmsDataAgent, folder: Path, rows: int = 200) -> dict[str, str]:
    """Options of a conversation about a file that was uploaded."""
    made = await upload(service, orders(folder / "orders.csv", rows))
    return {**OPTIONS, "data": write_data([made.source()])}


def messages(server: SandboxServer) -> int:
    """How many messages the sandbox has taken."""
    return sum(control(server, "state")["accepted"].values())


def same(blocks: tuple[Block, ...]) -> list[Block]:
    """Blocks without what differs from session to session."""
    made: list[Block] = []
    for block in blocks:
        if isinstance(block, FileBlock):
            block = replace(block, file_id="f" if block.file_id else "")
        if isinstance(block, CodeBlock):
            block = replace(block, cell_id="")
        made.append(replace(block, seconds=0.0) if isinstance(block, ThinkingBlock) else block)
    return made


async def test_an_analysis_of_a_real_file_gives_the_right_numbers(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path, 100_000)
        turn = await ask(service, "Analyse the amount by shop", options=options)
        kinds = []
        while (found := open_ask(turn)) is not None:
            kinds.append(found.kind)
            turn = await answer(service, turn, AskReply("approve"))
        assert turn.state == "done"
        assert kinds[0] == "plan"
        assert "sql" in kinds
        assert kinds[-1] == "report"
        listed = await service.files.list(session=turn.ids.conversation)
        [report] = [file for file in listed if file.category == "WebReport"]
        fetched = [step async for step in download(service.files, report, tmp_path / "down")]
    assert fetched[-1].path is not None
    assert fetched[-1].path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    assert fetched[-1].path.stat().st_mode & 0o777 == 0o600

    sums: dict[str, float] = defaultdict(float)
    with (tmp_path / "orders.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sums[row["shop"]] += float(row["amount"])
    tables = [block.data for block in turn.blocks if isinstance(block, ChartBlock)]
    tables += [o.table for b in turn.blocks if isinstance(b, CodeBlock) for o in b.outputs if o.table is not None]
    tables += [block for block in turn.blocks if isinstance(block, TableBlock)]
    by_shop = [table for table in tables if table.columns[0] == "shop"]
    assert by_shop
    for table in by_shop:
        assert {shop: float(total) for shop, total in table.rows} == {k: round(v, 2) for k, v in sums.items()}
    [plan] = [block for block in turn.blocks if isinstance(block, PlanBlock)]
    assert {step.state for step in plan.steps} == {"done"}
    assert any(isinstance(block, CodeBlock) and any(out.image for out in block.outputs) for block in turn.blocks)


async def test_messages_are_exactly_what_the_user_did(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await ask(service, "Analyse the amount by shop", options=options)
        assert messages(sandbox) == 1
        turn = await answer(service, turn, AskReply("approve"))
        assert messages(sandbox) == 2
        turn = await answer(service, turn, AskReply("approve_all"))
        assert (messages(sandbox), turn.state) == (3, "done")
        follow = {"conversation": turn.ids.conversation, "position": turn.position, "options": options}
        second = await ask(service, "And by day?", **follow)
        assert messages(sandbox) == 4
        second = await to_the_end(service, second, lambda kind: AskReply("refuse" if kind == "report" else "approve"))
        assert second.state == "done"


@pytest.mark.parametrize(
    "faults",
    [
        (),
        ("ask-finishes",),
        ("counting-checkpoints",),
        ("counting-checkpoints", "ask-finishes"),
        ("event-ids",),
        ("snapshots",),
        ("object-results",),
        ("old-outputs",),
        ("no-sse-finish",),
        ("no-event-lines",),
        ("event-at",),
        ("upper-names",),
        ("object-content",),
        ("heartbeat=0.01", "bare-heartbeats"),
        ("heartbeat=0.01", "empty-heartbeats"),
        ("split-utf8@GetChatContent",),
        ("no-final-blank@GetChatContent", "ask-finishes"),
        ("crlf@GetChatContent",),
        ("queued=0.3",),
        ("lower-status",),
        ("camel-keys",),
        ("any-reply-to",),
        ("reply-to-needed",),
    ],
    ids=lambda faults: "+".join(faults) or "none",
)
async def test_every_form_of_the_stream_gives_the_same_turn(
    faults: tuple[str, ...], sandbox: SandboxServer, tmp_path: Path
) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        whole = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
        set_faults(sandbox, *faults)
        turn = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
    assert turn.state == whole.state == "done"
    assert names_aside(turn.blocks) == names_aside(whole.blocks)


def names_aside(blocks: tuple[Block, ...]) -> list[Block]:
    """What two runs of one analysis have in common: asks are at other checkpoints where these count up."""
    return [replace(block, ask_id="") if isinstance(block, AskBlock) else block for block in same(blocks)]


@pytest.mark.parametrize(
    "extra", [(), ("counting-checkpoints@SendChatMessage", "ask-finishes")], ids=["shared", "count"]
)
@pytest.mark.parametrize("fault", ["drop-after", "end-after", "reset-after", "finish-after", "drop-mid-frame"])
async def test_a_line_that_breaks_after_every_few_frames(
    fault: str, extra: tuple[str, ...], sandbox: SandboxServer, tmp_path: Path
) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        whole = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
        for frames in (3, 17):
            # Of every connection: so many that a block with more pieces than that is never whole are left out.
            set_faults(sandbox, f"{fault}@GetChatContent={frames + 30}", *extra)
            turn = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
            assert turn.state == "done"
            assert names_aside(turn.blocks) == names_aside(whole.blocks)


async def test_a_block_that_the_turns_end_cuts_off_is_kept(sandbox: SandboxServer, tmp_path: Path) -> None:
    set_faults(sandbox, "unfinished-block")
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await ask(service, "Analyse the amount by shop", options=options)
        turn = await answer(service, turn, AskReply("approve"))
        turn = await answer(service, turn, AskReply("approve_all"))
    assert turn.state == "done"
    assert any("(cut off)" in block.text for block in turn.blocks if isinstance(block, (TextBlock, ThinkingBlock)))


async def test_an_unknown_delivery_is_never_sent_twice(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        for fault in ("drop-after-accept@SendChatMessage", "accepted-500"):
            before = messages(sandbox)
            set_faults(sandbox, fault)
            turn = await ask(service, "Analyse the amount by shop", options=options)
            assert turn.state == "waiting", turn.problem
            assert messages(sandbox) == before + 1
            set_faults(sandbox)
        before = messages(sandbox)
        set_faults(sandbox, "drop-before-accept@SendChatMessage")
        turn = await ask(service, "Analyse the amount by shop", options=options)
        assert turn.problem is not None
        assert (turn.problem.title, turn.problem.delivered) == ("Not arrived", "no")
        assert messages(sandbox) == before


async def test_a_busy_session(sandbox: SandboxServer) -> None:
    set_faults(sandbox, "session-busy")
    async with data_agent(sandbox) as service:
        turn = await ask(service, "hello", options=OPTIONS)
    assert turn.problem is not None
    assert (turn.problem.title, turn.problem.delivered) == ("The agent is busy", "no")


async def test_another_process_finds_the_open_ask(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await ask(service, "Analyse the amount by shop", options=options)
    async with data_agent(sandbox) as service:
        again = await take(service, turn, None)
        assert again.state == "waiting"
        assert same(again.blocks) == same(turn.blocks)
        done = await to_the_end(service, again)
    assert done.state == "done"


async def test_a_runtime_that_was_taken_away_is_started_anew(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
        control(sandbox, "clock", {"advance": 3700})
        follow = {"conversation": turn.ids.conversation, "position": turn.position, "options": options}
        again = await ask(service, "And by day?", **follow)
        assert again.state in ("waiting", "done"), again.problem


async def test_a_session_that_expired_is_explained(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
        control(sandbox, "clock", {"advance": 22000})
        follow = {"conversation": turn.ids.conversation, "position": turn.position, "options": options}
        again = await ask(service, "And by day?", **follow)
        assert again.problem is not None
        assert (again.problem.code, again.problem.delivered) == (SESSION_EXPIRED, "no")
        # A new session with the same data.
        anew = await ask(service, "And by day?", options=options)
        assert anew.state == "waiting"


async def test_a_runtime_that_does_not_start(sandbox: SandboxServer) -> None:
    set_faults(sandbox, "agent-failed")
    async with data_agent(sandbox) as service:
        turn = await ask(service, "hello", options=OPTIONS)
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.delivered == "no"
    assert messages(sandbox) == 0


async def test_status_alone_does_not_hold_up(sandbox: SandboxServer, tmp_path: Path) -> None:
    set_faults(sandbox, "session-creating")
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        assert (await ask(service, "Analyse the amount by shop", options=options)).state == "waiting"


@pytest.mark.parametrize("form", [(), ("pascal-keys",), ("wrapped",), ("key-status",)], ids=lambda f: "".join(f) or "-")
async def test_the_same_with_an_api_key(form: tuple[str, ...], sandbox: SandboxServer, tmp_path: Path) -> None:
    endpoint = parse_endpoint(sandbox.info.url, "sandbox")
    key = Secret(sandbox.info.dms["api_key"])
    set_faults(sandbox, *form)
    async with data_agent(sandbox, calls=KeyCalls(endpoint, endpoint, key, "cn-hangzhou")) as service:
        options = await with_orders(service, tmp_path)
        turn = await to_the_end(service, await ask(service, "Analyse the amount by shop", options=options))
        assert turn.state == "done"
        assert [found.id for found in (await service.conversations(Page())).items] == [turn.ids.conversation]


async def test_ratings_agents_and_sessions(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        agents = (await service.agents.list(Page())).items
        assert agents
        assert await service.agents.describe(agents[0].id) == agents[0]
        turn = await ask(service, "Analyse the amount", options={**options, "agent": agents[0].id})
        await service.feedback(turn.ids, "like", "good")
        assert (await service.sessions.describe(turn.ids.conversation)).readiness == "ready"


async def test_a_stop_ends_the_turn_on_the_service(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await ask(service, "Analyse the amount by shop", options=options)
        turn = await answer(service, turn, AskReply("refuse"))
    assert turn.state == "stopped"


async def test_what_is_journaled_is_the_turn(sandbox: SandboxServer, tmp_path: Path) -> None:
    notes = Notes()
    async with data_agent(sandbox) as service:
        options = await with_orders(service, tmp_path)
        turn = await take(service, fresh("Analyse it"), TurnRequest("Analyse it", options=options), notes)
    kinds = [type(record).__name__ for record in notes.records]
    assert kinds[0] == "StateRecord"
    assert kinds[-1] == "AnswerRecord"
    assert turn.state == "waiting"
