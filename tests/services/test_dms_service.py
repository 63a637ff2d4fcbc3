"""The service against a stage: what is sent, how often, and what is made of every kind of trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from tests.services.dms_frames import Row, analysis, block, plain_answer, row
from tests.services.dms_stage import QUICK, Stage, on_stage
from tui.models import NoticeBlock, Position, Turn, TurnIds
from tui.services.accumulator import LiveTurn
from tui.services.base import AnswerRequest, AskReply, Page, TurnRef, TurnRequest
from tui.services.dms import DmsDataAgent
from tui.services.dms_life import SESSION_EXPIRED
from tui.services.dms_options import DataSource, write_data
from tui.services.errors import ServiceError
from tui.services.events import Asked, Event, Failed, Finished, Status
from tui.turns import _before, open_ask

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUSY: dict[str, Any] = {
    "success": True,
    "error_code": "DMS.DataAgent.SessionInBusy",
    "error_message": "the session is processing",
    "request_id": "r-busy",
}


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def ask(service: DmsDataAgent, **changes: Any) -> tuple[list[Event], Turn]:
    live = LiveTurn(Turn("t", "?", NOW), now=lambda: NOW)
    request = replace(TurnRequest("How many orders were refunded in May?", turn="t"), **changes)
    async with service.stream(request) as events:
        got = await collect(events)
    for event in got:
        live.apply(event)
    return got, live.snapshot()


def reference(turn: Turn) -> TurnRef:
    return TurnRef(turn.question, turn.asked_at, turn.ids, turn.answer, turn.position, turn.blocks)


async def answer(service: DmsDataAgent, turn: Turn, reply: AskReply) -> tuple[list[Event], Turn]:
    found = open_ask(turn)
    assert found is not None
    live = LiveTurn(turn, now=lambda: NOW)
    live.reopen()
    request = AnswerRequest(reference(turn), found, reply)
    async with service.answer(request) as events:
        got = await collect(events)
    for event in (*_before(request), *got):
        live.apply(event)
    return got, live.snapshot()


def refuse(status: int, table: dict[str, Any]) -> Any:
    return lambda _params: web.json_response(table, status=status)


def problem_of(events: Sequence[Event]) -> Any:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1].problem


# --- a question ----------------------------------------------------------------------------------------------------


async def test_a_question_makes_a_session_waits_for_the_agent_and_is_sent_once() -> None:
    stage = Stage(parts=[plain_answer()])
    starts = iter(["STARTING", "starting", "Running"])
    stage.answers["DescribeDataAgentSession"] = lambda _params: {
        "Success": True,
        "ErrorCode": "success",
        "Data": {"AgentId": "ag-2", "SessionId": "se-1", "AgentStatus": next(starts), "SessionStatus": "CREATING"},
    }
    stage.session = {"AgentStatus": "STARTING", "SessionStatus": "CREATING"}
    data = write_data([DataSource(file_id="f-1", name="销售.csv")])
    options = {"mode": "ASK_DATA", "language": "zh_CN.UTF-8", "plan": "disable", "skip": "sql,report", "data": data}
    async with on_stage(stage) as service:
        events, turn = await ask(service, options=options)
    assert turn.state == "done"
    assert turn.answer == "In May **37 orders** were refunded."
    assert turn.ids == TurnIds(conversation="se-1", message="m-5", task="se-1", request="r-1", checkpoint="1")
    assert Status("starting the agent (0 s)") in events
    create = stage.calls[0][1]
    assert create["Title"] == "How many orders were refunded in May?"
    assert create["File"] == "f-1"
    assert json.loads(create["SessionConfig"]) == {"Language": "CHINESE", "Mode": "ASK_DATA"}
    [sent] = stage.messages()
    assert sent["AgentId"] == "ag-2", "the newest one counts"
    assert sent["MessageType"] == "primary"
    assert "ReplyTo" not in sent
    assert json.loads(sent["SessionConfig"]) == {
        "Language": "CHINESE",
        "Mode": "ASK_DATA",
        "PlanMode": "disable",
        "SkipSqlConfirm": True,
        "SkipWebReportConfirm": True,
    }
    assert json.loads(sent["DataSources"]) == [
        {
            "DataSourceType": "remote_data_center",
            "FileId": "f-1",
            "Database": "销售.csv",
            "RegionId": "cn-hangzhou",
            "Tables": ["销售"],
        }
    ]
    assert stage.calls[-1][1]["Checkpoint"] == "0"


async def test_a_follow_up_goes_on_where_the_stream_stands() -> None:
    second = [row("chat_start", "chat", "", 6), *block("llm", ["Five."], 7), row("chat_finish", "chat", "", 8)]
    stage = Stage(parts=[plain_answer(), second])
    known = write_data([DataSource(file_id="f-1", name="a.csv")])
    both = write_data([DataSource(file_id="f-1", name="a.csv"), DataSource(file_id="f-2", name="b.csv")])
    async with on_stage(stage) as service:
        _events, first = await ask(service, options={"data": known})
        stage.session["DataSources"] = [{"Category": "CHAT", "Detail": '{"FileId":"f-1"}'}]
        follow = {"conversation": "se-1", "position": first.position, "options": {"data": both}}
        _events, turn = await ask(service, **follow)
    assert turn.answer == "Five."
    assert stage.actions().count("CreateDataAgentSession") == 1
    assert stage.calls[-1][1]["Checkpoint"] == "5"
    sent = stage.messages()[1]
    assert "SessionConfig" not in sent, "only that of the first message counts"
    assert [source["FileId"] for source in json.loads(sent["DataSources"])] == ["f-2"]


async def test_a_session_that_is_not_known_here_is_read_to_its_end_first() -> None:
    second = [row("chat_start", "chat", "", 6), *block("llm", ["Five."], 7), row("chat_finish", "chat", "", 8)]
    stage = Stage(parts=[second], served=plain_answer(), keep_open=True)
    async with on_stage(stage) as service:
        _events, turn = await ask(service, conversation="se-1")
    assert turn.answer == "Five."


@pytest.mark.parametrize(
    "busy",
    [BUSY, {"Success": False, "ErrorCode": "SessionInBusy"}, {"success": False, "errorCode": "DMS.SessionInBusy"}],
    ids=["snake", "pascal", "camel"],
)
async def test_a_busy_session_is_told_in_words_and_nothing_was_delivered(busy: dict[str, Any]) -> None:
    stage = Stage()
    stage.answers["SendChatMessage"] = refuse(200, busy)
    async with on_stage(stage) as service:
        events, _turn = await ask(service)
    problem = problem_of(events)
    assert problem.title == "The agent is busy"
    assert problem.delivered == "no"
    assert len(stage.messages()) == 1
    assert "GetChatContent" not in stage.actions()


@pytest.mark.parametrize(
    ("status", "table", "delivered"),
    [
        (200, {"Success": False, "ErrorCode": "Strange", "ErrorMessage": "no"}, "no"),
        (200, {"Success": "false"}, "no"),
        (403, {"Code": "Forbidden.RAM", "Message": "no"}, "no"),
        (400, {"Code": "MissingParameter", "Message": "no"}, "no"),
    ],
)
async def test_a_refusal_ends_the_turn_as_not_delivered(status: int, table: dict[str, Any], delivered: str) -> None:
    stage = Stage()
    stage.answers["SendChatMessage"] = refuse(status, table)
    async with on_stage(stage) as service:
        events, _turn = await ask(service)
    assert problem_of(events).delivered == delivered
    assert "GetChatContent" not in stage.actions()


@pytest.mark.parametrize(
    ("status", "table"),
    [(500, {"Code": "InternalError"}), (200, {"Success": False, "HttpStatusCode": 503, "Code": "X"}), (502, {})],
)
async def test_an_unknown_delivery_is_looked_after_and_never_sent_again(status: int, table: dict[str, Any]) -> None:
    stage = Stage(parts=[plain_answer()], keep_open=True)

    def accept(_params: dict[str, str]) -> web.Response:
        stage.accept()
        return web.json_response(table, status=status)

    stage.answers["SendChatMessage"] = accept
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
    assert turn.answer == "In May **37 orders** were refunded."
    assert len(stage.messages()) == 1


@pytest.mark.parametrize("keep_open", [True, False])
async def test_a_message_that_began_nothing_did_not_arrive(keep_open: bool) -> None:
    stage = Stage(served=plain_answer(), keep_open=keep_open)
    stage.answers["SendChatMessage"] = refuse(500, {"Code": "InternalError"})
    async with on_stage(stage) as service:
        events, turn = await ask(service, conversation="se-1")
    problem = problem_of(events)
    assert (problem.title, problem.delivered) == ("Not arrived", "no")
    assert not turn.blocks
    assert len(stage.messages()) == 1


async def test_a_session_at_work_is_given_more_time() -> None:
    stage = Stage(keep_open=True)
    stage.answers["SendChatMessage"] = refuse(500, {"Code": "InternalError"})
    stage.session["SessionStatus"] = "RUNNING"
    async with on_stage(stage, replace(QUICK, sure=0.05)) as service:
        task = asyncio.create_task(ask(service))
        await stage.until(lambda: stage.actions().count("DescribeDataAgentSession") >= 3)
        stage.served += plain_answer()
        stage.more.set()
        _events, turn = await task
    assert turn.state == "done"


async def test_a_session_that_is_gone_is_explained() -> None:
    stage = Stage(session={"AgentId": "", "AgentStatus": "", "SessionStatus": "CREATING"})
    async with on_stage(stage) as service:
        events, _turn = await ask(service, conversation="se-9", position=Position("5"))
    problem = problem_of(events)
    assert problem.code == SESSION_EXPIRED
    assert problem.delivered == "no"
    assert not stage.messages()


# --- the line ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_open", [True, False], ids=["asks left open", "asks finished"])
@pytest.mark.parametrize("counting", [True, False], ids=["counting", "shared"])
async def test_a_cut_gives_the_same_turn(counting: bool, keep_open: bool) -> None:
    """One run for every seventh frame, where the cut is on the first connection that gets so far.

    On the sandbox, in `tests/turns/test_dms_cuts.py`, it is every single frame.
    """
    stage = Stage()

    async def run(service: DmsDataAgent, cut: int) -> Turn:
        stage.begin(analysis(counting=counting), {cut} if cut >= 0 else set())
        _events, turn = await ask(service)
        while open_ask(turn) is not None:
            _events, turn = await answer(service, turn, AskReply("approve"))
        assert len(stage.messages()) == 4
        return replace(turn, ids=TurnIds())

    async with on_stage(stage, limit=120) as service:
        stage.keep_open = keep_open
        whole = await run(service, -1)
        assert whole.state == "done"
        for cut in range(0, stage.written, 7):
            assert await run(service, cut) == whole, f"cut before frame {cut}"


async def test_a_stream_that_ends_in_form_too_early_is_taken_up_again() -> None:
    stage = Stage(served=plain_answer()[:6])
    stage.answers["SendChatMessage"] = lambda _params: None
    async with on_stage(stage, replace(QUICK, tries=50)) as service:
        task = asyncio.create_task(ask(service))
        await stage.until(lambda: stage.connections >= 3)
        stage.served += plain_answer()[6:]
        _events, turn = await task
    assert turn.answer == "In May **37 orders** were refunded."


async def test_a_line_that_brings_nothing_is_given_up_with_what_came() -> None:
    stage = Stage(parts=[plain_answer()[:7]])
    async with on_stage(stage) as service:
        events, turn = await ask(service)
    assert events[-1] == Finished("cut_off")
    assert turn.blocks


async def test_a_line_that_breaks_again_and_again_is_not_given_up_while_each_brings_something() -> None:
    suggestions = [row("data", "recommended_question", [str(number)], number) for number in range(2, 12)]
    whole = [row("chat_start", "chat", "", 1), *suggestions, row("chat_finish", "chat", "", 12)]
    # Of each connection two frames arrive: the one that is known, and the next.
    stage = Stage(parts=[whole], drop_at=set(range(2, 40, 3)))
    async with on_stage(stage, replace(QUICK, tries=2)) as service:
        _events, turn = await ask(service)
    assert turn.state == "done"
    assert stage.connections > 5


async def test_a_question_of_unknown_delivery_is_not_looked_for_forever() -> None:
    stage = Stage()
    down = web.json_response, {"Code": "ServiceUnavailable"}, 503, {"x-acs-retry-after": "1"}

    def refuse_all(_params: dict[str, str]) -> web.Response:
        make, table, status, headers = down
        for action in ("DescribeDataAgentSession", "GetChatContent"):
            stage.answers[action] = lambda _params: make(table, status=status, headers=headers)
        return make(table, status=status)

    stage.answers["SendChatMessage"] = refuse_all
    async with on_stage(stage, replace(QUICK, sure=0.0), limit=10) as service:
        events, _turn = await ask(service)
    assert problem_of(events).delivered == "unknown"
    assert len(stage.messages()) == 1


@pytest.mark.parametrize("renewed", [True, False])
async def test_a_token_that_expired_meanwhile_is_looked_for_anew_once(renewed: bool) -> None:
    """The refused key was forgotten: the next connection has what its source has by then."""
    stage = Stage(parts=[plain_answer()])
    refusal = {"Code": "InvalidSecurityToken.Expired", "Message": "expired"}
    refusals = iter([refusal, None] if renewed else [refusal] * 9)

    def open_stream(_params: dict[str, str]) -> web.Response | None:
        told = next(refusals)
        return web.json_response(told, status=400) if told else None

    stage.answers["GetChatContent"] = open_stream
    async with on_stage(stage) as service:
        events, turn = await ask(service)
    if renewed:
        assert turn.state == "done"
    else:
        assert problem_of(events).title == "Session token not accepted"
        assert stage.actions().count("GetChatContent") == 2


async def test_an_end_inside_a_replay_is_that_of_an_earlier_turn() -> None:
    second = [row("chat_start", "chat", "", 6), *block("llm", ["Five."], 7), row("chat_finish", "chat", "", 8)]
    third = [row("chat_start", "chat", "", 9), *block("llm", ["Six."], 10), row("chat_finish", "chat", "", 11)]
    stage = Stage(parts=[third], served=[*plain_answer(), *second], keep_open=True)
    async with on_stage(stage) as service:
        _events, turn = await ask(service, conversation="se-1")
        assert turn.answer == "Six."
        told = await service.history("se-1", Page())
    assert [turn.answer for turn in told.items] == ["In May **37 orders** were refunded.", "Five.", "Six."]


async def test_an_agent_that_has_changed_is_asked_for_anew() -> None:
    stage = Stage(parts=[plain_answer()])

    def strict(params: dict[str, str]) -> web.Response | None:
        wrong = params["AgentId"] != "ag-7"
        refusal = {"Success": False, "ErrorCode": "DMS.DataAgent.AgentMismatch"}
        return web.json_response(refusal) if wrong else None

    stage.answers["GetChatContent"] = strict

    def accepted(_params: dict[str, str]) -> None:
        stage.session["AgentId"] = "ag-7"

    stage.answers["SendChatMessage"] = accepted
    stage.session["AgentId"] = "ag-1"
    async with on_stage(stage) as service:
        # The reply to the message names the old one still.
        _events, turn = await ask(service)
    assert turn.state == "done"


# --- asks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_open", [True, False], ids=["open", "finished"])
async def test_asks_are_answered_with_their_checkpoint_each_once(keep_open: bool) -> None:
    stage = Stage(parts=analysis(), keep_open=keep_open)
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        assert turn.state == "waiting"
        _events, turn = await answer(service, turn, AskReply("change", "By week, please"))
        _events, turn = await answer(service, turn, AskReply("approve_all"))
        assert turn.state == "done"
        _events, turn = await answer(service, turn, AskReply("approve", "in blue"))
    assert turn.state == "done"
    told = [(m["MessageType"], m["Message"], m.get("ReplyTo")) for m in stage.messages()]
    assert told[1:] == [
        ("primary", "By week, please", "22"),
        ("primary", "同意后续所有SQL执行", "30"),
        ("report", "绘制网页报告", "44"),
    ]
    assert json.loads(stage.messages()[-1]["TaskConfig"]) == {
        "ReportConfig": {"ReportType": "WebReport", "ReportTheme": "default", "ReportPrompt": "in blue"}
    }


def question() -> list[list[Row]]:
    return [
        [
            row("chat_start", "chat", "", 40),
            row("chat_finish", "ask_human", "Should GMV include cancelled orders?", 41),
        ],
        [
            row("chat_start", "chat", "", 42),
            *block("output_conclusion", ["North leads with 4.1M."], 43),
            row("chat_finish", "chat", "", 44),
        ],
    ]


async def test_a_question_is_answered_in_the_documented_way() -> None:
    stage = Stage(parts=question())
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        _events, turn = await answer(service, turn, AskReply("reply", "No, exclude them"))
    assert turn.answer == "North leads with 4.1M."
    sent = stage.messages()[1]
    assert (sent["MessageType"], sent["Message"], sent["ReplyTo"], sent["Question"]) == (
        "additional",
        "No, exclude them",
        "41",
        "Should GMV include cancelled orders?",
    )


async def test_an_answer_that_is_refused_leaves_the_ask_open() -> None:
    stage = Stage(parts=question())
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        stage.answers["SendChatMessage"] = refuse(200, BUSY)
        events, turn = await answer(service, turn, AskReply("reply", "No"))
        assert events[-1] == Finished("waiting")
        assert turn.state == "waiting"
        assert open_ask(turn) is not None
        assert any(isinstance(block, NoticeBlock) and "not taken" in block.text for block in turn.blocks)
        del stage.answers["SendChatMessage"]
        _events, turn = await answer(service, turn, AskReply("reply", "No"))
    assert turn.state == "done"


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_answer_of_unknown_delivery_is_looked_after(arrived: bool) -> None:
    stage = Stage(parts=question())
    async with on_stage(stage) as service:
        _events, turn = await ask(service)

        def lost(_params: dict[str, str]) -> web.Response:
            if arrived:
                stage.accept()
            return web.json_response({"Code": "InternalError"}, status=500)

        stage.answers["SendChatMessage"] = lost
        stage.session["SessionStatus"] = "WAIT_INPUT"
        _events, turn = await answer(service, turn, AskReply("reply", "No"))
    assert turn.state == ("done" if arrived else "waiting")
    assert (open_ask(turn) is None) == arrived
    assert len(stage.messages()) == 2


async def test_to_refuse_a_plan_cancels_the_run() -> None:
    cancelled = [row("chat_canceled", "chat", "", 23)]
    stage = Stage(parts=[analysis()[0], cancelled])
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        events, turn = await answer(service, turn, AskReply("refuse"))
    assert stage.messages()[1]["MessageType"] == "cancel"
    assert events[-1] == Finished("stopped")


async def test_a_cancelled_ask_needs_no_last_word() -> None:
    stage = Stage(parts=[analysis()[0]], keep_open=True)
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        events, turn = await answer(service, turn, AskReply("refuse"))
    assert events[-1] == Finished("stopped")


async def test_a_report_that_is_not_wanted_is_nobody_told_of() -> None:
    stage = Stage(parts=[analysis()[0], analysis()[1], analysis()[2]])
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        for _number in range(2):
            _events, turn = await answer(service, turn, AskReply("approve"))
        sent = len(stage.messages())
        events, turn = await answer(service, turn, AskReply("refuse"))
    assert events[-1] == Finished("done")
    assert len(stage.messages()) == sent


# --- recovery and stop ---------------------------------------------------------------------------------------------


async def recovered(service: DmsDataAgent, turn: Turn) -> tuple[list[Event], Turn]:
    live = LiveTurn(turn, now=lambda: NOW)
    live.reopen()
    got = [event async for event in service.recover(reference(turn))]
    for event in got:
        live.apply(event)
    return got, live.snapshot()


async def test_another_process_goes_on_where_the_first_one_died() -> None:
    stage = Stage(parts=[plain_answer()], drop_at=set(range(8, 20)))
    async with on_stage(stage, replace(QUICK, tries=0)) as service:
        _events, turn = await ask(service)
    assert turn.state != "done"
    assert turn.position is not None
    stage.drop_at = set()
    async with on_stage(stage) as service:
        _events, turn = await recovered(service, turn)
    assert turn.state == "done"
    assert turn.answer == "In May **37 orders** were refunded."
    assert len(stage.messages()) == 1


@pytest.mark.parametrize("keep_open", [True, False])
async def test_an_open_ask_that_is_recovered_still_waits(keep_open: bool) -> None:
    stage = Stage(parts=question(), keep_open=keep_open)
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        events, again = await recovered(service, turn)
        assert events[-1] == Finished("waiting")
        assert open_ask(again) is not None
        stage.accept()  # somebody answers in the console
        _events, again = await recovered(service, again)
    assert again.state == "done"
    assert again.answer == "North leads with 4.1M."


async def test_what_the_service_has_given_an_id_is_not_said_to_be_unsent() -> None:
    """A runtime that still starts has begun nothing, and its session says that it is idle."""
    stage = Stage()
    async with on_stage(stage) as service:
        ids = TurnIds(conversation="se-1", message="m-1")
        events, _turn = await recovered(service, Turn("t", "?", NOW, ids=ids, position=Position("5")))
    assert not any(isinstance(event, Failed) and event.problem.delivered == "no" for event in events)


async def test_a_turn_that_never_had_a_session_was_never_sent() -> None:
    stage = Stage()
    async with on_stage(stage) as service:
        events, _turn = await recovered(service, Turn("t", "?", NOW))
    assert problem_of(events).delivered == "no"
    assert not stage.calls


async def test_a_stop_cancels_once_and_the_stream_tells_the_end() -> None:
    stage = Stage(parts=[plain_answer()[:5], [row("chat_canceled", "chat", "", 9)]], keep_open=True)
    async with on_stage(stage) as service, service.stream(TurnRequest("?", turn="t")) as events:
        got: list[Event] = []
        async for event in events:
            got.append(event)
            if isinstance(event, Status) or stage.connections == 0:
                continue
            if len(stage.messages()) == 1:
                assert await service.stop(TurnIds(), "t") == "stopped"
                assert await service.stop(TurnIds(conversation="se-1")) == "stopped"
    assert got[-1] == Finished("stopped")
    assert [message["MessageType"] for message in stage.messages()] == ["primary", "cancel"]


async def test_a_stop_that_overtakes_the_message_is_sent_once_more() -> None:
    stage = Stage(parts=[[], plain_answer()[:5], [row("chat_canceled", "chat", "", 9)]], keep_open=True)
    arrived = asyncio.Event()

    async def late() -> None:
        await arrived.wait()

    stage.answers["SendChatMessage"] = lambda params: late() if params["MessageType"] == "primary" else None
    async with on_stage(stage) as service, service.stream(TurnRequest("?", turn="t")) as events:

        async def stop() -> None:
            await stage.until(lambda: bool(stage.messages()))
            assert await service.stop(TurnIds(), "t") == "stopped"
            arrived.set()

        stopping = asyncio.create_task(stop())
        got = [event async for event in events]
        await stopping
    assert got[-1] == Finished("stopped")
    assert [message["MessageType"] for message in stage.messages()] == ["primary", "cancel", "cancel"]


async def test_a_stop_while_the_agent_starts_sends_nothing_at_all() -> None:
    stage = Stage(session={"AgentStatus": "STARTING", "SessionStatus": "CREATING"})
    async with on_stage(stage) as service, service.stream(TurnRequest("?", turn="t")) as events:
        got: list[Event] = []
        async for event in events:
            got.append(event)
            if isinstance(event, Status) and "starting" in event.text:
                assert await service.stop(TurnIds(), "t") == "remembered"
    assert got[-1] == Finished("stopped")
    assert not stage.messages()


async def test_a_stop_while_a_known_session_starts_reads_nothing() -> None:
    stage = Stage(session={"AgentStatus": "STARTING", "SessionStatus": "CREATING"})
    request = TurnRequest("?", conversation="se-1", turn="t")
    async with on_stage(stage) as service, service.stream(request) as events:
        got: list[Event] = []
        async for event in events:
            got.append(event)
            if isinstance(event, Status) and "starting" in event.text:
                assert await service.stop(TurnIds(), "t") == "remembered"
    assert got[-1] == Finished("stopped")
    assert not {"SendChatMessage", "GetChatContent"} & {*stage.actions()}


async def test_a_stop_before_an_answer_has_left_leaves_the_ask_open() -> None:
    stage = Stage(parts=question())
    async with on_stage(stage) as service:
        _events, turn = await ask(service)
        found = open_ask(turn)
        assert found is not None
        stage.session = {"AgentStatus": "STARTING", "SessionStatus": "CREATING"}
        request = AnswerRequest(reference(turn), found, AskReply("reply", "No"), turn="t")
        async with service.answer(request) as events:
            got: list[Event] = []
            async for event in events:
                got.append(event)
                if isinstance(event, Status):
                    assert await service.stop(TurnIds(), "t") == "remembered"
    assert got[-1] == Finished("waiting")
    assert Asked(found) in got
    assert len(stage.messages()) == 1


# --- beside the turns ----------------------------------------------------------------------------------------------


async def test_a_rating_names_where_the_turn_began() -> None:
    stage = Stage()
    async with on_stage(stage) as service:
        await service.feedback(TurnIds(conversation="se-1", checkpoint="10"), "dislike", "wrong shop")
        with pytest.raises(ServiceError):
            await service.feedback(TurnIds(conversation="se-1"), "")
    [(action, params)] = stage.calls
    assert action == "CreateDataAgentFeedback"
    assert params == {
        "DMSUnit": "cn-hangzhou",
        "SessionId": "se-1",
        "FeedbackType": "DISLIKE",
        "LikeValue": "-1",
        "FeedbackContent": "wrong shop",
        "TargetType": "CHAT",
        "TargetId": "10",
    }


@pytest.mark.parametrize("wrapped", [True, False])
async def test_sessions_are_listed_in_both_forms(wrapped: bool) -> None:
    item = {"SessionId": "se-1", "Title": "Refunds", "CreateTime": 1767323045000, "SessionStatus": "RUNNING"}
    stage = Stage()
    form = {"Data": {"Content": [item]}} if wrapped else {"Data": [item], "Total": 120, "PageNumber": 1}
    stage.answers["ListDataAgentSession"] = lambda _params: {"Success": True, **form}
    async with on_stage(stage) as service:
        page = await service.conversations(Page())
    [found] = page.items
    assert (found.id, found.title, found.status) == ("se-1", "Refunds", "running")
    assert page.next == (None if wrapped else Page("2"))
