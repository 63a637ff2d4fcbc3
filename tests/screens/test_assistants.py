"""The assistant manager and its conversations, in the whole app on the sandbox, with keys alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.screens.managing import QUESTION, QUIET, SUM, Keeper, keeping
from tests.services.dashscope_calls import FULL, dashscope_of, held, requests
from tui.models import TextBlock
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import Assistant, AssistantChange
from tui.settings import ToolCommand

SIZES = [(120, 40), (80, 24)]


def said(keeper: Keeper) -> str:
    return "\n".join(block.text for block in keeper.user.turn.blocks if isinstance(block, TextBlock))


@pytest.mark.parametrize("size", SIZES)
async def test_create_talk_answer(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    """Create an assistant with the search tool and `big_add`, ask it, answer its call, read the sum."""
    async with keeping(server, tmp_path, size=size) as keeper:
        await keeper.open()
        await keeper.sees("There is none yet: n makes one.")
        made = await keeper.make_adder()
        [sent] = requests(server, "CreateAssistant")
        assert list(sent["body"]) == ["model", "name", "instructions", "tools"]
        assert [tool["type"] for tool in sent["body"]["tools"]] == ["quark_search", "function"]
        await keeper.talk()
        assert keeper.state() == "waiting"
        assert keeper.user.conversation.options == {"assistant": made, "assistant_name": "adder"}
        await keeper.sees("adder · ", '"left": 87787')
        await keeper.give()
        assert keeper.state() == "done"
        assert SUM in said(keeper)
        await keeper.sees(SUM)
        [outputs] = requests(server, "SubmitToolOutputs")
        assert [one["output"] for one in outputs["body"]["tool_outputs"]] == [SUM]


async def test_edit_clone_restore(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    made = await service.assistants.create(FULL)
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.press("l")
        # Edit: the marks, the line that says what is sent, the difference, and exactly that on the wire.
        await keeper.set_line("temperature", "0.7")
        await keeper.set_text("instructions", "请用中文回答。\n")
        await keeper.sees("~ temperature", "Save sends: instructions, temperature")
        await keeper.press("w")
        await keeper.sees("Everything else stays as it is", "temperature: 0 → 0.7")
        await keeper.press("enter")  # never agrees
        await keeper.shows("AssistantsScreen")
        assert not requests(server, "UpdateAssistant")
        await keeper.save()
        assert list(requests(server, "UpdateAssistant")[-1]["body"]) == ["instructions", "temperature"]
        assert held(server, made)["instructions"].startswith("请用中文回答。")
        # A wrong value is said, and asked for again with what was typed.
        await keeper.field("top_p")
        await keeper.press("enter", "ctrl+u", "3", "enter")
        await keeper.sees("top_p is between 0 and 1.")
        await keeper.press("escape")
        await keeper.shows("AssistantsScreen")
        # Clone: a new one with the same fields, its token too.
        await keeper.press("c")
        await keeper.sees("new, not saved yet", "(copy)")
        await keeper.save()
        assert {one.name for one in keeper.desk.server} == {FULL.name, f"{FULL.name} (copy)"}
        copied = requests(server, "CreateAssistant")[-1]["body"]
        assert copied["tools"][2]["auth"]["user_token"] == "TOKEN-1"
        # Restore: the version before the first change goes into the form, and is saved like any change.
        keeper.screen.select(made.id)
        await keeper.press("v")
        await keeper.shows("VersionsDialog")
        await keeper.sees("as it was found")
        await keeper.press("j", "enter")
        await keeper.shows("AssistantsScreen")
        await keeper.sees("Save sends: instructions, temperature")
        await keeper.save()
        assert keeper.desk.find(made.id) == made
        assert held(server, made)["temperature"] == FULL.temperature
    await service.aclose()


async def test_export_delete_import(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    made = await service.assistants.create(replace(FULL, name="tides"))
    async with keeping(server, tmp_path) as keeper:
        await keeper.open()
        await keeper.press("E")
        await keeper.shows("ChooseDialog")
        await keeper.press("1")
        path = tmp_path / "downloads" / "tides.toml"
        await keeper.user.until(path.is_file)
        assert "TOKEN-1" not in path.read_text()
        # Deleting wants the name, typed.
        await keeper.press("d")
        await keeper.shows("TypedConfirmDialog")
        await keeper.press("y", "enter")
        await keeper.sees("This is not tides.")
        await keeper.press("ctrl+u")
        await keeper.type("tides")
        await keeper.press("enter")
        await keeper.shows("AssistantsScreen")
        await keeper.user.until(lambda: not keeper.desk.server)
        assert not await service.assistants.all()
        await keeper.press("i")
        await keeper.shows("PathDialog")
        await keeper.type("tides.toml")
        await keeper.press("enter")
        await keeper.shows("AssistantsScreen")
        await keeper.sees("new, not saved yet")
        await keeper.press("w")
        await keeper.sees("Without a token: my_plugin")
        await keeper.press("y")
        await keeper.user.until(lambda: keeper.desk.server)
        [back] = keeper.desk.server
        assert back.id != made.id
        names = ("model", "name", "description", "instructions", "file_ids", "metadata", "temperature", "max_tokens")
        assert [getattr(back, name) for name in names] == [getattr(made, name) for name in names]
        assert [tool.type for tool in back.tools] == [tool.type for tool in made.tools]
    await service.aclose()


async def test_carry_over_and_go_on(server: SandboxServer, tmp_path: Path) -> None:
    """The assistant becomes a profile; the conversation that was in a thread goes on through Responses."""
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.make_adder()
        await keeper.talk()
        await keeper.give()
        thread = keeper.user.conversation.remote_id
        assert thread.startswith("thread_")
        await keeper.open()
        await keeper.press("m")
        await keeper.shows("NotesDialog")
        await keeper.sees("quark_search becomes web_search.")
        await keeper.press("y")
        await keeper.shows("ChangesDialog")
        await keeper.press("y")
        await keeper.shows("AssistantsScreen")
        await keeper.user.until(lambda: keeper.desk.profiles)
        [profile] = keeper.desk.profiles
        assert [tool.type for tool in profile.tools] == ["web_search", "function"]
        await keeper.sees("on this machine, run through Responses")
        await keeper.press("escape", "escape")
        await keeper.shows("ChatScreen")
        await keeper.press("f7")
        await keeper.shows("AssistantSession")
        await keeper.sees("adder (in a thread)", thread)
        await keeper.press("enter")
        await keeper.shows("PickDialog")
        await keeper.press("j", "enter")
        await keeper.shows("AssistantSession")
        await keeper.sees("adder (through Responses)")
        await keeper.press("w")
        await keeper.shows("ChatScreen")
        await keeper.user.until(lambda: keeper.user.conversation.options.get("profile") == profile.id)
        await keeper.ask("Add 1 to 2.")
        await keeper.give("3")
        assert keeper.state() == "done"
        assert "3" in said(keeper)
        told = requests(server, "CreateResponse")
        assert any(QUESTION in str(one["body"]["input"]) for one in told), "the thread's history goes along"


async def test_two_editors_lose_nothing_silently(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    made = await service.assistants.create(FULL)
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.press("l")
        await keeper.set_line("name", "mine")
        await service.assistants.update(made.id, AssistantChange(description="theirs", name="theirs"))
        await keeper.press("w")
        await keeper.shows("ConflictDialog")
        await keeper.sees("Both of you changed: name.", "description: about tides → theirs")
        await keeper.press("escape")
        await keeper.shows("AssistantsScreen")
        assert held(server, made)["name"] == "theirs"
        await keeper.press("w")
        await keeper.shows("ConflictDialog")
        await keeper.press("m")
        await keeper.shows("ChangesDialog")
        await keeper.sees("name: theirs → mine")
        await keeper.press("y")
        await keeper.user.until(lambda: not keeper.desk.drafts)
        assert (held(server, made)["name"], held(server, made)["description"]) == ("mine", "theirs")
        assert list(requests(server, "UpdateAssistant")[-1]["body"]) == ["name"]
    await service.aclose()


async def test_a_new_conversation_asks_with_whom(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    made = await service.assistants.create(AssistantChange(model="qwen-plus", name="helper"))
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        user = keeper.user
        await user.type("hello there")
        await keeper.press("enter")
        await keeper.shows("PickDialog")
        await keeper.sees("helper", "a model alone")
        assert user.app.draft_of_new("dashscope") == "hello there"
        await keeper.press("escape")
        await keeper.shows("ChatScreen")
        assert user.chat.composer.text == "hello there"
        assert not user.chat.conversation_id
        await keeper.press("enter")
        await keeper.shows("PickDialog")
        await keeper.press("enter")
        await user.until(lambda: user.chat.conversation_id and user.conversation.turns and user.turn.state == "done")
        assert user.conversation.options["assistant"] == made.id
        assert user.chat.composer.text == ""
    await service.aclose()


async def test_a_thread_is_adopted_by_its_id(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    await service.assistants.create(AssistantChange(model="qwen-plus", name="helper"))
    thread = await service.threads.create()
    await service.threads.add_message(thread.id, "what was asked elsewhere")
    async with keeping(server, tmp_path) as keeper:
        await keeper.open()
        await keeper.press("T")
        await keeper.shows("TextDialog")
        await keeper.type("thread_gone")
        await keeper.press("enter")
        await keeper.user.until(lambda: keeper.user.notices())
        await keeper.press("T")
        await keeper.shows("TextDialog")
        await keeper.type(thread.id)
        await keeper.press("enter")
        await keeper.shows("ChatScreen")
        await keeper.sees("what was asked elsewhere")
        assert keeper.user.conversation.remote_id == thread.id
        await keeper.ask("and here")
        assert keeper.user.turn.ids.conversation == thread.id
    async with keeping(server, tmp_path) as keeper:
        [line] = keeper.user.app.summaries()
        assert (line.remote_id, line.turns) == (thread.id, 2)
    await service.aclose()


async def test_the_schema_editor_says_where(server: SandboxServer, tmp_path: Path) -> None:
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.press("n")
        await keeper.field("tools")
        await keeper.press("enter")
        await keeper.shows("ToolsScreen")
        await keeper.press("n")
        await keeper.shows("FunctionEditor")
        await keeper.type("a b")
        await keeper.sees("letters, digits")
        await keeper.press("ctrl+u")
        await keeper.type("find")
        await keeper.press("tab", "tab")
        await keeper.type('{\n  "type": "object",\n  "properties": {"n": {"type": "strng"}}\n}')
        await keeper.sees("line 3, column 32", "did you mean string?", "n  strng")
        await keeper.press("escape")
        await keeper.shows("ChooseDialog")
        await keeper.press("1")
        await keeper.shows("FunctionEditor")
        area = keeper.user.app.focused
        assert getattr(area, "cursor_location", None) == (2, 31)
        await keeper.press("delete", "delete", "delete", "delete", "delete", "delete", "delete")
        await keeper.type('"string"')
        await keeper.user.until(lambda: not keeper.user.sees("line 3"))
        await keeper.press("escape")
        await keeper.shows("ToolsScreen")
        await keeper.sees("✓ find()")


async def test_the_model_is_chosen_or_typed(server: SandboxServer, tmp_path: Path) -> None:
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.press("n")
        await keeper.field("model")
        await keeper.press("enter")
        await keeper.shows("PickDialog")
        await keeper.press("slash")
        await keeper.type("qwen-max")
        await keeper.press("enter", "enter")
        await keeper.shows("AssistantsScreen")
        await keeper.sees("~ model             qwen-max")
        await keeper.press("enter")
        await keeper.shows("PickDialog")
        await keeper.press("g", "enter")
        await keeper.shows("TextDialog")
        await keeper.press("ctrl+u")
        await keeper.type("qwen-plus-2026-11-01")
        await keeper.press("enter")
        await keeper.shows("AssistantsScreen")
        await keeper.sees("qwen-plus-2026-11-01")
        # Dropped as a whole, after a question; the first key alone drops nothing.
        await keeper.press("Z")
        await keeper.shows("ConfirmDialog")
        await keeper.press("enter")
        await keeper.shows("AssistantsScreen")
        assert keeper.desk.drafts
        await keeper.press("Z", "y")
        await keeper.user.until(lambda: not keeper.desk.drafts)


BOUND = replace(
    QUIET,
    tool_commands={
        "big_add": ToolCommand(
            (sys.executable, "-c", "import json, sys; a = json.load(sys.stdin); print(a['left'] + a['right'])")
        )
    },
)


async def test_a_bound_command_answers(server: SandboxServer, tmp_path: Path) -> None:
    """Its first use is agreed to, once for ever; what it printed is shown before it is sent."""
    async with keeping(server, tmp_path, settings=BOUND) as keeper:
        await keeper.open()
        await keeper.make_adder()
        for turn in range(2):
            await (keeper.talk() if turn == 0 else keeper.ask())
            await keeper.open_outputs()
            await keeper.sees("bound command")
            await keeper.press("c")
            if turn == 0:
                await keeper.shows("NotesDialog")
                await keeper.press("enter")  # never agrees
                await keeper.shows("ToolOutputsScreen")
                await keeper.sees("a command is bound")
                await keeper.press("c")
                await keeper.shows("NotesDialog")
                await keeper.press("y")
            await keeper.sees(f"= {SUM}")
            assert len(requests(server, "SubmitToolOutputs")) == turn
            await keeper.send_outputs()
            assert keeper.state() == "done"
            assert len(requests(server, "SubmitToolOutputs")) == turn + 1


async def test_an_output_from_a_file_and_one_that_waits(server: SandboxServer, tmp_path: Path) -> None:
    """Esc leaves the run waiting and keeps what was given; a file's text is an output."""
    path = tmp_path / "downloads" / "sum.txt"
    path.parent.mkdir()
    path.write_text(f"{SUM}\n")
    async with keeping(server, tmp_path, size=(80, 24)) as keeper:
        await keeper.open()
        await keeper.make_adder()
        await keeper.talk()
        await keeper.open_outputs()
        await keeper.press("w")
        await keeper.user.until(lambda: keeper.user.notices())
        await keeper.press("f")
        await keeper.shows("PathDialog")
        await keeper.type("sum.txt")
        await keeper.press("enter")
        await keeper.shows("ToolOutputsScreen")
        await keeper.sees(f"= {SUM}", "All outputs are there")
        await keeper.press("escape")
        await keeper.shows("ChatScreen")
        assert keeper.state() == "waiting"
        await keeper.open_outputs()
        await keeper.sees(f"= {SUM}")
        await keeper.send_outputs()
        assert keeper.state() == "done"


async def test_a_token_is_shown_nowhere(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    made = await service.assistants.create(FULL)
    async with keeping(server, tmp_path) as keeper:
        await keeper.open()
        await keeper.press("l")
        await keeper.field("tools")
        await keeper.sees('"user_token": "***"')
        await keeper.press("enter")
        await keeper.shows("ToolsScreen")
        keys = [option.prompt for option in keeper.user.app.screen.query_one("Choices").options]  # type: ignore[attr-defined]
        at = next(number for number, prompt in enumerate(keys) if "my_plugin" in str(prompt))
        await keeper.press(*["j"] * at, "a")
        await keeper.shows("SecretDialog")
        await keeper.type("TOKEN-2")
        assert not keeper.user.sees("TOKEN")
        await keeper.press("enter")
        await keeper.shows("ToolsScreen")
        assert not keeper.user.sees("TOKEN")
        await keeper.press("escape")
        await keeper.shows("AssistantsScreen")
        await keeper.press("w")
        await keeper.shows("ChangesDialog")
        await keeper.sees("(another token)")
        assert not keeper.user.sees("TOKEN")
        await keeper.press("y")
        await keeper.user.until(lambda: not keeper.desk.drafts)
        assert held(server, made)["tools"][2]["auth"]["user_token"] == "TOKEN-2"
    await service.aclose()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parts[-2] != "sandbox"]
    assert not [path for path in files if b"TOKEN-" in path.read_bytes()]


async def test_a_read_only_profile_changes_nothing(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    await service.assistants.create(FULL)
    async with keeping(server, tmp_path) as keeper:
        keeper.user.app.context = keeper.user.app.context._replace(read_only=True)
        await keeper.open()
        await keeper.press("d")
        await keeper.user.until(lambda: any("read-only" in notice for notice in keeper.user.notices()))
        await keeper.press("l")
        await keeper.set_line("name", "other")
        await keeper.press("w")
        await keeper.user.until(lambda: sum("read-only" in notice for notice in keeper.user.notices()) == 2)
        assert not requests(server, "UpdateAssistant")
        assert isinstance(keeper.desk.drafts[keeper.screen.key].value, Assistant)
    await service.aclose()


async def test_the_list_is_found_sorted_and_told_of_its_errors(server: SandboxServer, tmp_path: Path) -> None:
    service = dashscope_of(server)
    for name, model in (("beta", "qwen-max"), ("alpha", "qwen-turbo"), ("加法", "qwen-plus")):
        await service.assistants.create(AssistantChange(model=model, name=name))

    def names(keeper: Keeper) -> list[str]:
        return [line.name for line in keeper.screen._lines if line.key]

    async with keeping(server, tmp_path) as keeper:
        await keeper.open()
        assert names(keeper) == ["加法", "alpha", "beta"]
        await keeper.press("o")
        assert names(keeper) == ["alpha", "beta", "加法"]
        await keeper.press("o")
        assert names(keeper) == ["beta", "加法", "alpha"]
        await keeper.press("slash", *"加法")
        await keeper.user.until(lambda: names(keeper) == ["加法"])
        await keeper.press("enter", "l")
        assert keeper.screen.draft is not None
        assert keeper.screen.draft.value.name == "加法"
        await keeper.press("escape", "slash", "escape")
        await keeper.user.until(lambda: len(names(keeper)) == 3)
        server.set_faults("assistants-retired")
        await keeper.press("R")
        await keeper.sees("R tries again.")
        assert len(names(keeper)) == 3
        server.set_faults()
        await keeper.press("a")
        await keeper.shows("TextDialog")
        await keeper.type("asst_gone")
        await keeper.press("enter")
        await keeper.user.until(lambda: keeper.user.notices())
    await service.aclose()
