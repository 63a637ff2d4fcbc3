"""What can be done to conversations from a list of them, with its questions: rename, pin, archive, tag, delete.

The questions go with the list when that is left; what was answered is done to its end all the same.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from tui import routes
from tui.contract import YunliaoApi
from tui.widgets.context_bar import SERVICE_NAMES
from tui.widgets.conversation_line import title_of
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary


async def _done(app: YunliaoApi, change: Coroutine[Any, Any, None]) -> None:
    """Await a change. It goes on when the list is left meanwhile, whose workers end with it."""
    from tui.finishing import finish  # which the first paint does without

    await finish(change, app.show_problem)


async def rename(app: YunliaoApi, item: ConversationSummary) -> None:
    """Ask for a title and set it."""
    title = await app.push_screen_wait(routes.build("text", title=_("Rename"), value=title_of(item)))
    if title and title != item.title:
        await _done(app, app.rename_conversation(item.id, title))


async def pin(app: YunliaoApi, items: Sequence[ConversationSummary]) -> None:
    """Pin all of them; take the pins off when all have one."""
    pinned = not all(item.pinned for item in items)

    async def change() -> None:
        for item in items:
            if item.pinned != pinned:
                await app.pin_conversation(item.id, pinned)

    await _done(app, change())


async def archive(app: YunliaoApi, items: Sequence[ConversationSummary]) -> None:
    """Archive all of them; back into the list with them when all are archived."""
    archived = not all(item.archived for item in items)

    async def change() -> None:
        for item in items:
            if item.archived != archived:
                await app.archive_conversation(item.id, archived)
        words = _("{count} archived; A shows them.") if archived else _("{count} back in the list.")
        app.notify(words.format(count=len(items)))

    await _done(app, change())


async def tag(app: YunliaoApi, items: Sequence[ConversationSummary]) -> bool:
    """Ask for the tags that all of them have, and give and take what was changed. Whether it was done."""
    common = [each for each in items[0].tags if all(each in item.tags for item in items)]
    lines = [_("Separated by blanks. Instances that stand in the text become tags by themselves.")]
    if len(items) > 1:
        lines.append(_("Those that all {count} have; others stay as they are.").format(count=len(items)))
    dialog = routes.build(
        "text", title=_("Tags"), value="".join(f"{each} " for each in common), lines=lines, allow_empty=True
    )
    typed = await app.push_screen_wait(dialog)
    if typed is None:
        return False
    from tui.tags import tags_in

    wanted = tags_in(typed)
    add, remove = [each for each in wanted if each not in common], [each for each in common if each not in wanted]

    async def change() -> None:
        for item in items:
            await app.change_tags(item.id, add, remove)

    if add or remove:
        await _done(app, change())
    return True


async def delete(app: YunliaoApi, items: Sequence[ConversationSummary]) -> bool:
    """Say what is deleted where, ask, and delete; several ask for their count to be typed. Whether it was done.

    What a service can delete is a question of its own, since that cannot be taken back.
    """
    from tui.models import ACTIVE

    threads = [item for item in items if item.service == "dashscope" and item.remote_id]
    keep = dict.fromkeys(SERVICE_NAMES[item.service] for item in items if item.remote_id and item not in threads)
    lines = [_("Here: moved to the trash and kept there for 30 days; z takes it back.")]
    if keep:
        lines.append(_("{service}: keeps its copy; it offers no way to delete it.").format(service=_(", ").join(keep)))
    if threads:
        lines.append(_("DashScope: asked next; its threads stay unless you delete them."))
    if running := sum(item.state in ACTIVE for item in items):
        lines.append(_("{count} still running: told to stop.").format(count=running))
    if not await _ask(app, items, _("Delete “{title}”?"), _("Delete {count} conversations?"), lines, _("delete")):
        return False
    there = False
    if threads:
        lines = [_("For good: nobody can read or continue them any more."), _("Esc leaves them there.")]
        title, several = _("Delete its thread on DashScope too?"), _("Delete {count} threads on DashScope too?")
        there = await _ask(app, threads, title, several, lines, _("delete there"))

    async def change() -> None:
        if there:
            count = await app.delete_on_service([item.id for item in threads])
            app.notify(_("{count} deleted on DashScope.").format(count=count))
        await app.delete_conversations([item.id for item in items])

    await _done(app, change())
    return True


async def _ask(
    app: YunliaoApi, items: Sequence[ConversationSummary], one: str, several: str, lines: Sequence[str], verb: str
) -> bool:
    """Ask by a key for one conversation, by their count for several."""
    if len(items) == 1:
        title = one.format(title=title_of(items[0]))
        dialog = routes.build("confirm", title=title, lines=lines, verb=verb)
    else:
        count = str(len(items))
        dialog = routes.build(
            "typed_confirm", title=several.format(count=count), lines=lines, verb=verb, expected=count
        )
    return bool(await app.push_screen_wait(dialog))


async def import_file(app: YunliaoApi) -> None:
    """Ask for a file that this program exported, and take in what is not here yet."""
    lines = [_("A JSON file that this program exported, perhaps on another machine.")]
    path = await app.push_screen_wait(
        routes.build("text", title=_("Import conversations"), lines=lines, verb=_("import"))
    )

    async def take_in(path: str) -> None:
        try:
            taken = await app.exporting.read_file(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            app.notify(_("Not imported: {reason}").format(reason=reason), severity="error", markup=False)
            return
        app.notify(_("{new} new, {known} here already.").format(new=len(taken.new), known=taken.known))
        await app.refresh_conversations()

    if path:
        await _done(app, take_in(path))


async def take_back(app: YunliaoApi) -> None:
    """Undo the newest deletion of this run."""

    async def restore() -> None:
        title = await app.undo_delete()
        words = _("“{title}” is back.").format(title=title) if title else _("There is nothing to take back.")
        app.notify(words, markup=False)

    await _done(app, restore())
