"""Choosing one of DashScope's models, or typing its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from screens.dialogs import TextDialog, answer_of
from screens.picking import PickDialog
from tui.services.errors import ServiceError
from tui.widgets.pickers import PickItem
from tui.words import _

if TYPE_CHECKING:
    from tui.contract import YunliaoApi

OTHER = "\0other"
"""The entry of the list that stands for a name of one's own."""


async def choose_model(app: YunliaoApi, held: str, lines: Sequence[str] = ()) -> str | None:
    """The name of a model; None for Esc. For workers.

    The account's list is of models in general, and lacks new ones: any name can be typed.

    Args:
        held: what is under the cursor, and in the line to type in.
        lines: what stands above that line.
    """
    try:
        models = await app.assistants.models()
    except ServiceError as error:
        app.show_problem(error.problem)
        models = ()
    if models:
        items = [PickItem(OTHER, _("another name …"), _("type it"))]
        items += [PickItem(one.id, one.id, one.description or one.name) for one in models]
        chosen = (held,) if any(one.id == held for one in models) else ()
        found = await answer_of(app, PickDialog(_("Model"), items, chosen, several=False))
        if found is None:
            return None
        if found[:1] != (OTHER,):
            return found[0] if found else None
    return await answer_of(app, TextDialog(_("Model"), held, lines, verb=_("take")))
