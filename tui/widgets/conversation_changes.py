"""What can be done to conversations from a list of them: rename, pin, delete, take back; with their questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui import routes
from tui.contract import YunliaoApi
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
