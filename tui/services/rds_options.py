"""What goes with each question to RDS Copilot: our options and the keys of `Inputs`.

Source: protocol notes 2.1, 3.8 and 3.9. Options are texts; one that is empty is left to the service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LANGUAGES = ("zh-CN", "zh-TW", "en-US", "ja-JP")
APPROVAL_MODES = ("read_only", "manual", "auto")
THINKING = ("true", "false")
EFFORTS = ("default", "low", "high")
"""What `ThinkEffort` may be by the notes; a model says which of them it has, or others."""
OPTIONS = (
    "model",
    "thinking",
    "effort",
    "language",
    "timezone",
    "region",
    "agent",
    "approval",
)
"""The options of a conversation, as its settings list them."""

_INPUTS = {
    "agent": "CustomAgentId",
    "thinking": "EnableThinking",
    "language": "Language",
    "model": "ModelId",
    "region": "RegionId",
    "resume_call": "ResumeCallId",
    "effort": "ThinkEffort",
    "timezone": "Timezone",
    "approval": "ToolApprovalMode",
    "workspace": "WorkspaceId",
}
"""Our options and the keys of `Inputs`, in the order in which the vendor's client writes them."""
_NEAREST = {
    "zh": "zh-CN",
    "zh-tw": "zh-TW",
    "zh-hk": "zh-TW",
    "zh-mo": "zh-TW",
    "zh-hant": "zh-TW",
    "en": "en-US",
    "ja": "ja-JP",
}
"""By a tag or its beginning: the service refuses all other languages, `en-GB` too."""


def inputs_of(options: Mapping[str, str]) -> dict[str, str]:
    """`Inputs` of ChatMessages; options that are empty or not known to RDS are left out.

    All values are strings, `EnableThinking` too. A depth of thinking goes with a question that thinks only.
    """
    inputs: dict[str, str] = {}
    for option, name in _INPUTS.items():
        value = options.get(option, "")
        if option == "effort" and options.get("thinking") == "false":
            continue
        if value:
            inputs[name] = language_tag(value) if option == "language" else value
    return inputs


def language_tag(name: str) -> str:
    """`zh-CN`, `zh-TW`, `en-US` or `ja-JP` for any spelling: `zh_CN.UTF-8`, `zh-cn`, `en`; others as they are."""
    tag = name.partition(".")[0].partition("@")[0].replace("_", "-").lower()
    while tag and tag not in _NEAREST:
        tag = tag.rpartition("-")[0]
    return _NEAREST.get(tag, name)


def fitting(options: Mapping[str, str], levels: Sequence[str] | None) -> dict[str, str]:
    """`options` with what a model cannot do taken out.

    Args:
        levels: the depths of thinking that the model has; None where the model is not known.
    """
    kept = {name: value for name, value in options.items() if value}
    effort = kept.get("effort", "")
    if effort and (kept.get("thinking") == "false" or (levels is not None and effort not in levels)):
        del kept["effort"]
    return kept
