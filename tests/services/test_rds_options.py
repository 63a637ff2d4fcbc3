"""Options of a conversation and what of them goes over the wire."""

from __future__ import annotations

import pytest

from tui.services.base import TurnRequest
from tui.services.rds import chat_parameters
from tui.services.rds_options import fitting, inputs_of, language_tag

EVERYTHING = {
    "model": "qwen-max",
    "thinking": "true",
    "effort": "high",
    "language": "zh_TW",
    "timezone": "Asia/Shanghai",
    "region": "cn-beijing",
    "agent": "agent-1",
    "agent_name": "copilot-agent",
    "approval": "manual",
}


def test_every_option_has_its_key_and_all_are_strings() -> None:
    assert inputs_of(EVERYTHING) == {
        "CustomAgentId": "agent-1",
        "EnableThinking": "true",
        "Language": "zh-TW",
        "ModelId": "qwen-max",
        "RegionId": "cn-beijing",
        "ThinkEffort": "high",
        "Timezone": "Asia/Shanghai",
        "ToolApprovalMode": "manual",
    }


def test_what_is_empty_or_unknown_is_left_to_the_service() -> None:
    assert inputs_of({"model": "", "agent_name": "x", "data": "y"}) == {}
    assert chat_parameters(TurnRequest("disk?"))["Inputs"] is None


def test_no_depth_without_thinking() -> None:
    assert inputs_of({"thinking": "false", "effort": "high"}) == {"EnableThinking": "false"}
    assert inputs_of({"effort": "low"}) == {"ThinkEffort": "low"}


@pytest.mark.parametrize(
    ("spelt", "sent"),
    [
        ("zh-cn", "zh-CN"),
        ("zh_CN.UTF-8", "zh-CN"),
        ("en", "en-US"),
        ("JA", "ja-JP"),
        ("zh-Hant", "zh-TW"),
        ("zh_Hant_HK", "zh-TW"),
        ("zh-tw", "zh-TW"),
        ("zh-Hans-SG", "zh-CN"),
        ("zh_CN@stroke", "zh-CN"),
        ("en_GB.UTF-8", "en-US"),
        ("fr", "fr"),
        ("fr_FR", "fr_FR"),
        ("", ""),
    ],
)
def test_languages_in_any_spelling(spelt: str, sent: str) -> None:
    assert language_tag(spelt) == sent


def test_another_model_keeps_only_what_it_can_do() -> None:
    held = {"model": "glm", "effort": "high", "thinking": "true", "region": ""}
    assert fitting(held, ()) == {"model": "glm", "thinking": "true"}
    assert fitting(held, ("default", "high"))["effort"] == "high"
    assert fitting(held, None)["effort"] == "high"
    assert "effort" not in fitting({**held, "thinking": "false"}, None)
