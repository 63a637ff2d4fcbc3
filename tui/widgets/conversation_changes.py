"""What can be done to conversations from a list of them, with its questions: rename, pin, archive, tag, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui import routes
from tui.contract import YunliaoApi
from tui.tags import tags_in
from tui.widgets.context_bar import SERVICE_NAMES
from tui.widgets.conversation_line import title_of
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary


async def rename(app: YunliaoApi, item: ConversationSummary) -> None:
    """Ask for a title and set it."""
    title = await app.push_screen_wait(routes.build("text", title=_("Rename"), value=title_of(item)))
    if title and title != item.title:
        await app.rename_conversation(item.id, title)


async def pin(app: YunliaoApi, items: Sequence[ConversationSummary]) -> None:
    """Pin all of them; take the pins off when all have one."""
    pinned = not all(item.pinned for item in items)
    for item in items:
        if item.pinned != pinned:
            await app.pin_conversation(item.id, pinned)


async def archive(app: YunliaoApi, items: Sequence[ConversationSummary]) -> None:
    """Archive all of them; back into the list with them when all are archived."""
    archived = not all(item.archived for item in items)
    for item in items:
        if item.archived != archived:
            await app.archive_conversation(item.id, archived)
    words = _("{count} archived; A shows them.") if archived else _("{count} back in the list.")
    app.notify(words.format(count=len(items)))


async def tag(app: YunliaoApi, items: Sequence[ConversationSummary]) -> bool:
    """Ask for the tags that all of them have, and give and take what was changed. Whether it was done."""
    common = [each for each in items[0].tags if all(each in item.tags for item in items)]
    lines = [_("Separated by blanks. Instances that stand in the text become tags by themselves.")]
    if len(items) > 1:
        lines.append(_("Those that all {count} have; others stay as they are.").format(count=len(items)))
    dialog = routes.build("text", title=_("Tags"), value="".join(f"{each} " for each in common), lines=lines, allow_empty=True)
    typed = await app.push_screen_wait(dialog)
    if typed is None:
        return False
    wanted = tags_in(typed)
    add, remove = [each for each in wanted if each not in common], [each for each in common if each not in wanted]
    if add or remove:
        for item in items:
            await app.change_tags(item.id, add, remove)
    return True


async def delete(app: YunliaoApi, items: Sequence[ConversationSummary]) -> bool:
    """Say what is deleted where, ask, and delete; several ask for their count to be typed. Whether it was done."""
    from tui.models import ACTIVE

    names = _(", ").join(dict.fromkeys(SERVICE_NAMES[item.service] for item in items))
    lines = [
        _("Here: moved to the trash and kept there for 30 days; z takes it back."),
        _("{service}: keeps its copy.").format(service=names),
    ]
    if running := sum(item.state in ACTIVE for item in items):
        lines.append(_("{count} still running; the answer goes on at the service.").format(count=running))
    if len(items) == 1:
        title = _("Delete “{title}”?").format(title=title_of(items[0]))
        dialog = routes.build("confirm", title=title, lines=lines, verb=_("delete"))
    else:
        count = str(len(items))
        title = _("Delete {count} conversations?").format(count=count)
        dialog = routes.build("typed_confirm", title=title, lines=lines, verb=_("delete"), expected=count)
    if not await app.push_screen_wait(dialog):
        return False
    await app.delete_conversations([item.id for item in items])
    return True


async def take_back(app: YunliaoApi) -> None:
    """Undo the newest deletion of this run."""
    title = await app.undo_delete()
    words = _("“{title}” is back.").format(title=title) if title else _("There is nothing to take back.")
    app.notify(words, markup=False)
