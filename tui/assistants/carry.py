"""From an assistant of the service to a profile of this machine, and what gets lost on the way.

Source: protocol notes (DashScope) 9.1 and 9.6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.assistants.fields import tool_name
from tui.services.assistant_models import Assistant, AssistantProfile, BuiltinTool, FunctionTool, Tool
from tui.text import clean_line
from tui.words import _

SAME_TOOLS = {
    "quark_search": "web_search",
    "search": "web_search",
    "web_search": "web_search",
    "code_interpreter": "code_interpreter",
}
"""Built-in tools that the Responses API has too, and what it calls them."""
LEAST_TOKENS = 16
HIGHEST_TEMPERATURE = 1.99


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """The profile, and a sentence for everything that is not as it was."""

    profile: AssistantProfile
    notes: tuple[str, ...]


def carry_over(assistant: Assistant, profile_id: str) -> CarriedOver:
    """A profile that comes as near to the assistant as the Responses API can."""
    notes: list[str] = []
    tools: list[Tool] = []
    for tool in assistant.tools:
        if isinstance(tool, FunctionTool):
            tools.append(tool)
        elif found := SAME_TOOLS.get(tool.type):
            if found not in {kept.type for kept in tools}:
                tools.append(BuiltinTool(found))
            if found != tool.type:
                notes.append(_("{tool} becomes {other}.").format(tool=clean_line(tool.type), other=found))
        else:
            notes.append(_("{tool}: the Responses API has no such tool; it is left out.").format(tool=tool_name(tool)))
    profile = AssistantProfile(
        id=profile_id,
        model=assistant.model,
        name=assistant.name,
        description=assistant.description,
        instructions=assistant.instructions,
        tools=tuple(tools),
        metadata=assistant.metadata,
        temperature=assistant.temperature,
        top_p=assistant.top_p,
        max_output_tokens=assistant.max_tokens,
        carried_from=assistant.id,
    )
    if assistant.temperature is not None and assistant.temperature > HIGHEST_TEMPERATURE:
        profile = replace(profile, temperature=HIGHEST_TEMPERATURE)
        notes.append(_("The temperature must be below 2: it becomes {value}.").format(value=HIGHEST_TEMPERATURE))
    if assistant.top_p == 0:
        profile = replace(profile, top_p=None)
        notes.append(_("top_p must be above 0: it is not set."))
    if assistant.max_tokens is not None and assistant.max_tokens < LEAST_TOKENS:
        profile = replace(profile, max_output_tokens=LEAST_TOKENS)
        notes.append(_("An answer has {count} tokens at least: max_tokens is raised.").format(count=LEAST_TOKENS))
    if assistant.top_k is not None:
        notes.append(_("top_k: the Responses API has none; it is left out."))
    if assistant.file_ids:
        notes.append(_("The file ids are left out: the Responses API takes none."))
    if assistant.metadata:
        notes.append(_("The metadata is kept here; it is not sent."))
    notes.append(
        _("Whether {model} can be used there is for the service to say; new models think, which costs tokens.").format(
            model=clean_line(assistant.model)
        )
    )
    return CarriedOver(profile, tuple(notes))
