"""The options of a conversation with RDS Copilot in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.words import _

if TYPE_CHECKING:
    from tui.services.rds_catalog import ChatModel

REGIONS = (
    "cn-hangzhou",
    "cn-shanghai",
    "cn-beijing",
    "cn-shenzhen",
    "cn-guangzhou",
    "cn-wulanchabu",
    "cn-chengdu",
    "cn-hongkong",
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "eu-central-1",
    "us-west-1",
)
"""Regions with an endpoint of their own or the centre's (protocol notes 1.1); a question may be about others too."""


def language_name(tag: str) -> str:
    """A language by its own name, which needs no translation."""
    return {"zh-CN": "简体中文", "zh-TW": "繁體中文", "en-US": "English", "ja-JP": "日本語"}.get(tag, tag)


def approval_name(mode: str) -> str:
    return {
        "": _("as the conversation has it"),
        "read_only": _("read only: writing tools are refused"),
        "manual": _("manual: each writing tool waits for a person"),
        "auto": _("auto: a sub-agent decides, doubtful calls wait for a person"),
    }.get(mode, mode)


def thinking_name(thinking: str) -> str:
    return {"": _("as the model does"), "true": _("on"), "false": _("off")}.get(thinking, thinking)


def effort_name(effort: str) -> str:
    return {"": _("as the model does"), "default": _("default"), "low": _("low"), "high": _("high")}.get(effort, effort)


def model_notes(model: ChatModel) -> str:
    """What is known of a model: `default · text, vision · 256K context`."""
    parts = [_("the default")] if model.default else []
    if model.features:
        parts.append(_(", ").join(model.features))
    if model.context_window:
        parts.append(_("{n}K context").format(n=model.context_window // 1000))
    if not model.thinking_levels:
        parts.append(_("thinking has no depth"))
    return " · ".join(parts)


def default_model(models: Sequence[ChatModel]) -> ChatModel | None:
    return next((model for model in models if model.default), models[0] if models else None)


def place_words(options: Mapping[str, str]) -> list[str]:
    """What of a conversation's own options the status line shows, briefly."""
    words = []
    if model := options.get("model", ""):
        words.append(model)
    if options.get("thinking") == "false":
        words.append(_("no thinking"))
    elif options.get("thinking") == "true" or options.get("effort"):
        effort = options.get("effort", "")
        words.append(_("thinking {depth}").format(depth=effort_name(effort)) if effort else _("deep thinking"))
    if approval := options.get("approval", ""):
        words.append({"read_only": _("read only"), "manual": _("approvals"), "auto": _("auto")}.get(approval, approval))
    return words


def describe(options: Mapping[str, str]) -> list[str]:
    """What differs from what goes with every question, a line each; for a conversation that has not begun."""
    lines = []
    if model := options.get("model", ""):
        lines.append(_("model: {name}").format(name=model))
    if thinking := options.get("thinking", ""):
        lines.append(_("thinking: {state}").format(state=thinking_name(thinking)))
    if effort := options.get("effort", ""):
        lines.append(_("depth of thinking: {depth}").format(depth=effort_name(effort)))
    if language := options.get("language", ""):
        lines.append(_("answers in {language}").format(language=language_name(language)))
    if agent := options.get("agent_name", "") or options.get("agent", ""):
        lines.append(_("agent: {name}").format(name=agent))
    for name in ("region", "timezone"):
        if value := options.get(name, ""):
            lines.append(f"{name_of(name)}: {value}")
    if approval := options.get("approval", ""):
        lines.append(_("writing tools: {mode}").format(mode=approval_name(approval)))
    return lines


def name_of(option: str) -> str:
    """The label of an option."""
    return {
        "model": _("model"),
        "thinking": _("deep thinking"),
        "effort": _("depth of thinking"),
        "language": _("answers in"),
        "timezone": _("time zone"),
        "region": _("region"),
        "agent": _("custom agent"),
        "approval": _("writing tools"),
    }[option]
