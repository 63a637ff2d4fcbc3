"""What RDS Copilot offers to choose from: chat models, tools for custom agents, skills.

Source: protocol notes 2.6, 5.2 to 5.4. Nothing is kept here: a caller that asks often keeps the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.services.fields import Fields, as_bool, as_count, as_items, as_names
from tui.services.paging import all_pages, pages_of

if TYPE_CHECKING:
    from tui.services.rpc import RpcClient  # it brings httpx along, which screens must not load

DEFAULT_LANGUAGE = "en-US"
_TOOL_LANGUAGES = {"zh-CN": "Zh", "zh-TW": "Tc", "en-US": "En", "ja-JP": "Ja"}
"""Chat and skills name languages in one way, the texts of tools in another."""
_READING = frozenset({"get", "read", "list"})
"""Values of a tool's Type that mean it changes nothing; `get` is documented, all others are taken for writing."""


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A model that answers may come from; `id` is the option `model`."""

    id: str
    default: bool = False
    thinking_levels: tuple[str, ...] = ()
    """Values of the option `effort`, in the service's order; empty where its thinking has no depth."""
    features: tuple[str, ...] = ()
    """Modalities: `text`, `vision` ..."""
    context_window: int = 0
    """Tokens; 0 where not told."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a custom agent may call."""

    name: str
    description: str = ""
    kind: str = ""
    """The service's word: `get` for reading."""

    @property
    def writes(self) -> bool:
        """It may change something; so is everything that is not known to read."""
        return self.kind.lower() not in _READING


@dataclass(frozen=True, slots=True)
class Skill:
    """A way of working that the assistant knows; a question that begins with `/name` calls it."""

    id: str
    name: str
    """What stands after the slash: lower case, digits, hyphens."""
    title: str = ""
    description: str = ""
    kind: str = ""
    """`system` ..."""
    category: str = ""
    databases: tuple[str, ...] = ()
    """`mysql`, `postgresql` ...; empty for all."""


class RdsCatalog:
    """Reads the catalogues of one account. Everything raises ServiceError."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def models(self) -> tuple[ChatModel, ...]:
        """The chat models, in the service's order."""
        reply = await self._rpc.read("GetChatModel", {})
        return tuple(model for item in as_items(reply.get("Data")) if (model := _model(item)).id)

    async def tools(self, language: str = DEFAULT_LANGUAGE) -> tuple[Tool, ...]:
        """The tools of custom agents, described in `language` (`zh-CN`, `zh-TW`, `en-US`, `ja-JP`).

        Where there is no text in it: in English, else in whatever language there is.
        """
        reply = await self._rpc.read("ListCustomAgentTools", {})
        wanted = _TOOL_LANGUAGES.get(language, "En")
        order = (wanted, "En", *_TOOL_LANGUAGES.values())
        return tuple(tool for item in as_items(reply.get("Data")) if (tool := _tool(item, order)).name)

    async def skills(self, language: str = DEFAULT_LANGUAGE) -> tuple[Skill, ...]:
        """All skills that are not deleted, described in `language`; a service that cannot says it in its own."""

        def make(item: Fields) -> tuple[Skill, bool]:
            return read_skill(item), as_bool(item.first("IsDeleted"))

        listed = await all_pages(
            pages_of(self._rpc, "ListSkill", {"Language": language}), make, lambda found: found[0].id
        )
        return tuple(skill for skill, deleted in listed if not deleted)


def _model(item: Fields) -> ChatModel:
    return ChatModel(
        id=item.line("ModelId", "Id"),
        default=as_bool(item.first("Default")),
        thinking_levels=as_names(item.first("ThinkingLevels")),
        features=as_names(item.first("Features")),
        context_window=as_count(item.first("ContextWindow")),
    )


def _tool(item: Fields, languages: Iterable[str]) -> Tool:
    return Tool(item.line("Name"), item.line(*languages, limit=1000), item.line("Type", limit=40))


def read_skill(item: Fields) -> Skill:
    """One skill of a list."""
    return Skill(
        id=item.line("Id"),
        name=item.line("Name", "Slug"),
        title=item.line("DisplayName", "Name"),
        description=item.line("Description", limit=1000),
        kind=item.line("SkillType", limit=40),
        category=item.line("Category", limit=80),
        databases=as_names(item.first("Dbtypes")),
    )
