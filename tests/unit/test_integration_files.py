"""What the checklists keep, and the gateway's .env."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.integrations.desk import IntegrationHooks, Integrations
from tui.integrations.env_file import BotEnv, write_env
from tui.integrations.guides import guides
from tui.integrations.progress import Progress, read, update
from tui.services.keys import Secret
from tui.words import use_language

ENV = BotEnv("feishu", "cli_a1", Secret("s3cret"), "LTAI1", Secret("ak secret#1"), True, people=("ou_1", "ou_2"))


def test_the_guides_are_whole_in_both_languages() -> None:
    shapes = []
    for tongue in ("en", "zh"):
        use_language(tongue)
        found = guides()
        shapes.append([(g.id, [s.id for s in g.steps], [p.id for p in g.parameters], len(g.questions)) for g in found])
        for guide in found:
            texts = [guide.title, guide.summary, *(step.text for step in guide.steps), *sum(guide.questions, ())]
            assert all(text.strip() for text in texts)
            assert (tongue == "zh") is any("\u4e00" <= letter <= "\u9fff" for letter in "".join(texts))
    use_language("en")
    assert shapes[0] == shapes[1]
    for guide in guides():
        assert len({step.id for step in guide.steps}) == len(guide.steps)


def test_ticks_and_values_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "integrations.toml"
    progress = Progress().with_tick("lark", "app").with_tick("lark", "key").with_value("lark", "domain", 'a"b\\中')
    assert update(path, lambda _held: progress) == read(path) == progress
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert progress.with_tick("lark", "app", ticked=False).ticks == {"lark/key"}


async def test_ticks_of_two_windows_and_of_quick_fingers_are_all_kept(tmp_path: Path) -> None:
    hooks = IntegrationHooks(account=nobody, order=nobody, environ={})
    one, two = (Integrations(hooks, tmp_path / "integrations.toml") for _number in range(2))
    await one.load()
    await two.load()
    steps = [f"step{number}" for number in range(8)]
    await asyncio.gather(*((one, two)[number % 2].toggle("lark", step) for number, step in enumerate(steps)))
    await one.set_value("lark", "domain", "lark")
    assert one.progress.ticks == {f"lark/{step}" for step in steps}
    await two.toggle("lark", "step1")
    assert two.value("lark", "domain") == "lark"
    assert read(tmp_path / "integrations.toml").ticks == {f"lark/{step}" for step in steps if step != "step1"}


async def nobody() -> Any:
    raise AssertionError("nobody is asked")


@pytest.mark.parametrize("text", ["", "ticks = 3", 'ticks = [1]\nvalues = "x"', "[[", "\x00"])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "integrations.toml"
    path.write_text(text)
    assert read(path) == Progress()


def test_the_env_file_is_what_the_gateway_reads(tmp_path: Path) -> None:
    path = tmp_path / "bot.env"
    write_env(ENV, str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines() == [
        "ACCESS_KEY_ID=LTAI1",
        "ACCESS_SECRET='ak secret#1'",
        "RDS_BOT_BRIDGES=feishu",
        "FEISHU_APP_ID=cli_a1",
        "FEISHU_APP_SECRET=s3cret",
        "FEISHU_DOMAIN=lark",
        "FEISHU_DM_ALLOW_POLICY=allowlist",
        "FEISHU_DM_ALLOW_LIST=ou_1,ou_2",
        "FEISHU_GROUP_ALLOW_POLICY=allowlist",
        "FEISHU_GROUP_ALLOW_LIST=",
    ]
    assert "s3cret" not in repr(ENV)
    with pytest.raises(FileExistsError):
        write_env(ENV, str(path))
    with pytest.raises(OSError, match="No such file"):
        write_env(ENV, "~nobody-has-this-name/bot.env")


@given(st.text(max_size=20))
def test_no_value_becomes_another_line(text: str) -> None:
    env = BotEnv("dingtalk", text, Secret("x"))
    try:
        lines = env.text().reveal().splitlines()
    except ValueError:
        return
    assert len(lines) == 9
    assert lines[3].startswith("DINGTALK_APP_CLIENT_ID=")
