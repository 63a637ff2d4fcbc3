"""The desk of the assistants: those of the service and the profiles of this machine side by side; pure asyncio.

What the user types is a draft until it is saved. Saving looks at the service first: what somebody else changed there
meanwhile is shown, and never overwritten unseen. What is kept on this machine is in `tui.assistants.store`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.assistants.carry import CarriedOver, carry_over
from tui.assistants.drafts import Comparison, Draft, Drafts, compared, new_draft
from tui.assistants.fields import AnyAssistant, changed_fields, tool_name
from tui.assistants.files import Entry
from tui.assistants.store import AssistantStore, Version, Why
from tui.cache.edits import EditFiles
from tui.finishing import wait_for_end
from tui.models import Problem
from tui.services.assistant_models import Assistant, AssistantChange, AssistantProfile, RemoteModel
from tui.services.errors import ServiceError
from tui.text import clean_line
from tui.words import _

if TYPE_CHECKING:
    from tui.services.dashscope_assistants import Assistants as Client


@dataclass(frozen=True, slots=True)
class DeskHooks:
    """What the owner of an `AssistantDesk` lends and is told."""

    client: Callable[[], Awaitable[Client]]
    """Raises ServiceError where the service cannot be used."""
    failed: Callable[[Problem], None] = lambda _problem: None
    """Something beside the matter went wrong: a version could not be kept ..."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class AssistantDesk:
    """All assistants. Methods that speak with the service raise ServiceError.

    Args:
        folder: the state folder; None keeps everything in memory.
        drafts: where what is not saved is kept; without, in memory.
    """

    def __init__(self, hooks: DeskHooks, folder: Path | None, drafts: EditFiles | None = None) -> None:
        self._hooks = hooks
        self.store = AssistantStore(folder, hooks.now)
        self._server: dict[str, Assistant] = {}
        self._profiles: dict[str, AssistantProfile] = {}
        self._files = drafts or EditFiles(None)
        self._drafts = Drafts(self._files)
        self._renamed: dict[str, str] = {}
        """By the key of a draft that was new: the id of what became of it."""
        self._models: tuple[RemoteModel, ...] | None = None
        self._confirmed: set[str] = set()
        self._saving: dict[str, asyncio.Task[AnyAssistant]] = {}
        self._watchers: list[Callable[[], None]] = []
        self.loading = False
        self.loaded = False
        """The service's list has been read."""
        self.problem: Problem | None = None
        """Why the service's list could not be read the last time."""

    def watch(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` whenever the list or a draft changed; what is returned ends that."""
        self._watchers.append(told)
        return lambda: self._watchers.remove(told)

    def _changed(self) -> None:
        for told in [*self._watchers]:
            told()

    # --- what there is; immediate --------------------------------------------------------------------------

    @property
    def server(self) -> Sequence[Assistant]:
        """The service's, newest first as it lists them."""
        return tuple(self._server.values())

    @property
    def profiles(self) -> Sequence[AssistantProfile]:
        return tuple(self._profiles.values())

    @property
    def drafts(self) -> Mapping[str, Draft]:
        """Edits that are not saved, by key; see `tui.assistants.drafts`."""
        return self._drafts.held

    def find(self, assistant_id: str) -> AnyAssistant | None:
        """What is known under this id."""
        return self._profiles.get(assistant_id) or self._server.get(assistant_id)

    def schemas_of(self, assistant_id: str) -> Mapping[str, Mapping[str, Any]]:
        """The arguments of an assistant's functions, by name, where it is known."""
        found = self.find(assistant_id)
        return {function.name: function.parameters for function in found.functions} if found is not None else {}

    # --- reading -------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read both lists anew; why the service's could not be read is in `problem`."""
        self.loading, self.problem = True, None
        self._changed()
        try:
            await self._read_local()
            self._changed()
            client = await self._hooks.client()
            found = await client.all()
        except ServiceError as error:
            self.problem = error.problem
        else:
            self._server = {one.id: one for one in found}
            self.loaded = True
        finally:
            self.loading = False
            await self._drafts.take_up(self.find)
            self._changed()

    async def _read_local(self) -> None:
        try:
            profiles = await asyncio.to_thread(self.store.profiles)
        except OSError as error:
            self._hooks.failed(_not_kept(error))
            return
        self._profiles = {profile.id: profile for profile in profiles}

    async def profile(self, profile_id: str) -> AssistantProfile | None:
        """A profile by its id, read from disk where that was not done yet: what a turn runs with."""
        if profile_id not in self._profiles:
            await self._read_local()
        return self._profiles.get(profile_id)

    async def retrieve(self, assistant_id: str) -> Assistant:
        """An assistant of the service as it is now; it is in the list from then on."""
        client = await self._hooks.client()
        found = await client.retrieve(assistant_id)
        self._server[found.id] = found
        self._changed()
        return found

    async def models(self) -> Sequence[RemoteModel]:
        """The account's models; read once."""
        if self._models is None:
            self._models = await (await self._hooks.client()).models()
        return self._models

    # --- drafts --------------------------------------------------------------------------------------------

    def draft_of(self, key: str) -> Draft | None:
        """The draft under this key, or one without changes of the assistant that has this id."""
        key = self._renamed.get(key, key)
        if key in self.drafts:
            return self.drafts[key]
        found = self.find(key)
        return Draft(key, found, found) if found is not None else None

    def begin(self, value: AnyAssistant) -> Draft:
        """A draft of a new assistant that begins as `value`."""
        return self._put_draft(new_draft(value))

    def clone(self, assistant: AnyAssistant) -> Draft:
        """A draft of a new assistant of the same kind with the same fields."""
        name = _("{name} (copy)").format(name=assistant.name or assistant.model)
        return self.begin(replace(assistant, name=name))

    def edit(self, draft: Draft, **values: Any) -> Draft:
        """Change fields of a draft as it is by now: a save may have given it another key since `draft` was read.

        Where its assistant is gone meanwhile, what was typed is kept all the same.
        """
        held = self.draft_of(draft.key) or draft
        return self._put_draft(replace(held, value=replace(held.value, **values)))

    def edit_to(self, draft: Draft, entry: Entry) -> Draft:
        """Change a draft to what an earlier version or a file says."""
        held = self.draft_of(draft.key) or draft
        return self._put_draft(replace(held, value=replace(entry.over(held.value), id=held.value.id)))

    def discard(self, key: str) -> None:
        """Drop a draft: what was typed is gone."""
        if self._drafts.drop(self._renamed.get(key, key)):
            self._changed()

    def write_now(self) -> None:
        """Bring drafts to disk at once: the program is told to end."""
        self._files.write_now()

    def close(self) -> None:
        """Bring drafts to disk, and leave them to the next start or window."""
        self._files.close()

    def take_theirs(self, comparison: Comparison) -> Draft | None:
        """Drop the draft for what is on the service now."""
        self._put(comparison.current)
        self.discard(comparison.draft.key)
        return self.draft_of(comparison.current.id)

    def rebase(self, comparison: Comparison) -> Draft:
        """Go on editing with the draft's changes on top of what is on the service now."""
        self._put(comparison.current)
        return self._put_draft(Draft(comparison.draft.key, comparison.current, comparison.merged))

    def _put_draft(self, draft: Draft) -> Draft:
        self._drafts.put(draft)
        self._changed()
        return draft

    # --- saving --------------------------------------------------------------------------------------------

    async def compare(self, key: str) -> Comparison:
        """A draft beside what is saved now, read anew. Raises KeyError, ServiceError."""
        draft = self.draft_of(key)
        if draft is None:
            raise KeyError(key)
        current = draft.base
        if isinstance(current, Assistant) and not draft.is_new:
            current = await (await self._hooks.client()).retrieve(current.id)
        elif not draft.is_new:
            await self._read_local()
            current = self._profiles.get(current.id, current)
        return compared(draft, current)

    async def save(self, comparison: Comparison) -> AnyAssistant:
        """Save what `comparison` shows: send exactly the fields in which `merged` differs from `current`, once.

        It goes on when its caller is cancelled: a screen that is left must not leave a creation half known. While one
        save of a draft is under way, another is the same one.

        Raises:
            AssistantConflict: the service has another one again; nothing was sent.
            ServiceError: not saved, or not known to be; the draft stays.
        """
        key = comparison.draft.key
        task = self._saving.get(key)
        if task is None:
            task = self._saving[key] = asyncio.create_task(self._save(comparison), name=f"save:{key}")
            task.add_done_callback(lambda _task: self._saving.pop(key, None))
        return await wait_for_end(task, self._hooks.failed)

    async def _save(self, comparison: Comparison) -> AnyAssistant:
        draft, current, merged = comparison.draft, comparison.current, comparison.merged
        if isinstance(merged, AssistantProfile):
            saved: AnyAssistant = await self._save_profile(merged)
        elif draft.is_new:
            saved = await self._create(merged)
        else:
            assert isinstance(current, Assistant)
            client = await self._hooks.client()
            saved = await client.update(current.id, AssistantChange.between(current, merged), expected=current)
        self._put(saved, first=draft.is_new)
        later = self.drafts.get(draft.key, draft)
        self._drafts.drop(draft.key)
        if draft.is_new:
            self._renamed[draft.key] = saved.id
        # What was typed while it was on its way is a draft on top of what is saved now.
        typed = {name: getattr(later.value, name) for name in changed_fields(draft.value, later.value)}
        self._put_draft(Draft(saved.id, saved, replace(saved, **typed)))
        await self._keep_version(saved, "saved", found=None if draft.is_new else current)
        return saved

    async def _create(self, wanted: Assistant) -> Assistant:
        """Create it, once: where the answer is lost, what may have been made is looked for."""
        client = await self._hooks.client()
        known = {*self._server} if self.loaded else None
        try:
            return await client.create(AssistantChange.whole(wanted))
        except ServiceError as error:
            made: list[Assistant] = []
            if error.problem.delivered != "no" and known is not None:
                with suppress(ServiceError):
                    made = [one for one in await client.all() if one.id not in known and _is_it(one, wanted)]
            if len(made) != 1:
                raise
            return made[0]

    async def _save_profile(self, profile: AssistantProfile) -> AssistantProfile:
        if not profile.id:
            profile = replace(profile, id=f"profile_{uuid.uuid4().hex[:16]}")
        try:
            await asyncio.to_thread(self.store.put_profile, profile)
        except OSError as error:
            raise ServiceError(_not_kept(error)) from error
        return profile

    async def delete(self, assistant: AnyAssistant) -> None:
        """Delete it on the service, or the profile here; its versions stay, the deleted state is the newest."""
        if isinstance(assistant, AssistantProfile):
            try:
                await asyncio.to_thread(self.store.drop_profile, assistant.id)
            except OSError as error:
                raise ServiceError(_not_kept(error)) from error
            self._profiles.pop(assistant.id, None)
        else:
            await (await self._hooks.client()).delete(assistant.id)
            self._server.pop(assistant.id, None)
        self.discard(assistant.id)
        self._changed()
        await self._keep_version(assistant, "deleted")

    def carry_over(self, assistant: Assistant) -> CarriedOver:
        """What a profile made of it would be; `begin` makes it a draft."""
        return carry_over(assistant, "")

    def _put(self, assistant: AnyAssistant, *, first: bool = False) -> None:
        if isinstance(assistant, AssistantProfile):
            self._profiles[assistant.id] = assistant
        elif first:
            self._server = {assistant.id: assistant} | self._server
        else:
            self._server[assistant.id] = assistant
        self._changed()

    # --- versions ------------------------------------------------------------------------------------------

    async def versions(self, assistant_id: str) -> Sequence[Version]:
        """The versions of an assistant, newest first."""
        try:
            return await asyncio.to_thread(self.store.versions, assistant_id)
        except OSError as error:
            self._hooks.failed(_not_kept(error))
            return ()

    async def deleted(self) -> Sequence[Version]:
        """The last state of each assistant that was deleted here and is not listed, newest first."""

        def read() -> list[Version]:
            newest = [self.store.versions(name)[:1] for name in self.store.edited_ids() if self.find(name) is None]
            return [version for found in newest for version in found if version.why == "deleted"]

        try:
            return sorted(await asyncio.to_thread(read), key=lambda version: version.at, reverse=True)
        except OSError as error:
            self._hooks.failed(_not_kept(error))
            return ()

    # --- bound commands ------------------------------------------------------------------------------------

    async def is_confirmed(self, fingerprint: str) -> bool:
        """Whether the user agreed to this command, in this run or before."""
        if fingerprint in self._confirmed:
            return True
        try:
            return fingerprint in await asyncio.to_thread(self.store.confirmed)
        except OSError:
            return False

    async def confirm_command(self, fingerprint: str) -> None:
        """The user agrees to this command, from now on."""
        self._confirmed.add(fingerprint)
        await self._keep(lambda: self.store.confirm(fingerprint))

    async def _keep_version(self, assistant: AnyAssistant, why: Why, found: AnyAssistant | None = None) -> None:
        await self._keep(lambda: self.store.add_version(assistant, why, found=found))

    async def _keep(self, write: Callable[[], None]) -> None:
        """Write something that nobody waits for; a failure is told, once it happens."""
        try:
            await asyncio.to_thread(write)
        except OSError as error:
            self._hooks.failed(_not_kept(error))


def conversation_options(assistant: AnyAssistant) -> dict[str, str]:
    """What makes a conversation one with this assistant; see `Conversation.options`."""
    kind = "assistant" if isinstance(assistant, Assistant) else "profile"
    return {kind: assistant.id, "assistant_name": clean_line(assistant.name or assistant.model, 60)}


def _is_it(found: Assistant, wanted: Assistant) -> bool:
    """Whether the fields are those that were sent; a service need not show the tokens of plugins."""
    names = [[tool_name(tool) for tool in one.tools] for one in (found, wanted)]
    return names[0] == names[1] and not changed_fields(replace(found, tools=()), replace(wanted, tools=()))


def _not_kept(error: OSError) -> Problem:
    reason = clean_line(error.strerror or str(error))
    return Problem(_("Not kept on this machine"), _("{reason}.").format(reason=reason), delivered="no")
