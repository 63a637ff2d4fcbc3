"""Managing assistants, and the models that they can have. Source: protocol notes (DashScope) 2.4, 3.1 and 4."""

from __future__ import annotations

from dataclasses import replace

from tui.models import Problem
from tui.services.assistant_models import UNSET, Assistant, AssistantChange, RemoteModel
from tui.services.base import Page, PageOf
from tui.services.codes import service_title
from tui.services.dashscope_lists import all_objects, object_page
from tui.services.dashscope_problems import checked_id
from tui.services.dashscope_wire import change_body, read_assistant, read_model, table, tables
from tui.services.errors import ApiError, ConfigurationError, ProtocolError, ServiceError
from tui.services.rest import NATIVE, RestClient
from tui.words import _

_PATH = f"{NATIVE}/assistants"
_MODELS_AT_ONCE = 100
_MODEL_PAGES = 10


class AssistantConflict(ServiceError):
    """The assistant is not as it was when it was read: nothing was sent. `current` is what the service has now."""

    def __init__(self, current: Assistant) -> None:
        super().__init__(
            Problem(
                _("Changed meanwhile"),
                _("The assistant was changed on the service since it was read; nothing was saved."),
                _("Compare the two, then save again or take what is there."),
                delivered="no",
            )
        )
        self.current = current


class Assistants:
    """The account's assistants. All methods raise ServiceError; `NotFoundError` where the id names none (any more)."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def page(self, page: Page) -> PageOf[Assistant]:
        """A page, newest first; `limit` up to 100."""
        return await object_page(self._rest, _PATH, page, read_assistant)

    async def all(self) -> tuple[Assistant, ...]:
        """Every assistant, newest first, over as many pages as there are."""
        return tuple(reversed(await all_objects(self._rest, _PATH, read_assistant)))

    async def retrieve(self, assistant_id: str) -> Assistant:
        return _whole(read_assistant(await self._rest.get(f"{_PATH}/{checked_id(assistant_id)}")))

    async def create(self, change: AssistantChange) -> Assistant:
        """Create one of the fields that are set, once; `model` must be."""
        if not change.model:
            raise ConfigurationError(
                Problem(_("No model"), _("An assistant needs a model."), _("Choose one."), delivered="no")
            )
        return _whole(read_assistant(await self._rest.post(_PATH, change_body(change))))

    async def update(
        self, assistant_id: str, change: AssistantChange, *, expected: Assistant | None = None
    ) -> Assistant:
        """Send exactly the fields that are set; all others stay as they are on the service.

        The assistant as the service has it afterwards. Unlike the vendor's SDK this never sends `file_ids` or
        `metadata` that nobody changed, and can clear a text.

        Args:
            expected: the assistant as it was read; where the service has another one by now, nothing is sent.

        Raises:
            AssistantConflict: it is not as expected.
        """
        path = f"{_PATH}/{checked_id(assistant_id)}"
        if expected is not None:
            current = await self.retrieve(assistant_id)
            if replace(current, created_at=None) != replace(expected, created_at=None):
                raise AssistantConflict(current)
        if not change:
            return expected or await self.retrieve(assistant_id)
        try:
            answer = await self._rest.post(path, change_body(change))
        except ApiError as error:
            if change.model is not UNSET or not _wants_model(error):
                raise
            # One page of the vendor's says that `model` must come with every update, others leave it out. It was
            # refused, so nothing has changed, and the model that is there is one that may be sent.
            model = (await self.retrieve(assistant_id)).model
            answer = await self._rest.post(path, change_body(replace(change, model=model)))
        return _whole(read_assistant(answer))

    async def delete(self, assistant_id: str) -> None:
        """Delete it with what is tied to it, for good."""
        await self._rest.delete(f"{_PATH}/{checked_id(assistant_id)}")

    async def models(self) -> tuple[RemoteModel, ...]:
        """The account's models, by id; more than an assistant can have, so any other name may be tried too."""
        found: dict[str, RemoteModel] = {}
        for number in range(1, _MODEL_PAGES + 1):
            answer = await self._rest.get(f"{NATIVE}/models", {"page_no": number, "page_size": _MODELS_AT_ONCE})
            output = table(answer.get("output")) or table(answer.get("data")) or answer
            listed = [read_model(raw) for raw in tables(output.get("models"))]
            fresh = {model.id: model for model in listed if model.id and model.id not in found}
            found |= fresh
            total = output.get("total")
            if not fresh or (isinstance(total, int) and len(found) >= total):
                break
        return tuple(found[name] for name in sorted(found))


def _wants_model(error: ApiError) -> bool:
    message = error.problem.sentence.lower()
    return error.problem.status == 400 and "model" in message and ("required" in message or "empty" in message)


def _whole(assistant: Assistant) -> Assistant:
    """An assistant that was answered with; one without an id is none."""
    if assistant.id:
        return assistant
    raise ProtocolError(
        Problem(
            service_title("dashscope"),
            _("The service's answer lacks {name}.").format(name="id"),
            _("Look at the list before trying again."),
            delivered="unknown",
        )
    )
