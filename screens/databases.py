"""A database for the Data Agent, by the ids that DMS shows for it."""

from __future__ import annotations

from screens.dialogs import TextDialog, answer_of
from tui.contract import YunliaoApi
from tui.services.dms_options import DataSource
from tui.words import _


async def ask_database(app: YunliaoApi) -> DataSource | None:
    """Ask for its ids, one after the other; None where it was left with Esc. For workers."""
    asked = [
        ("instance_id", _("Database: DMS's instance id")),
        ("database_id", _("Database: DMS's database id")),
        ("name", _("Database: its name")),
        ("tables", _("Tables, separated by commas; empty for all")),
    ]
    values: dict[str, str] = {}
    for name, title in asked:
        empty = name == "tables"
        found = await answer_of(app, TextDialog(title, verb=_("next"), allow_empty=empty))
        if found is None or not (found or empty):
            return None
        values[name] = found
    tables = tuple(part.strip() for part in values.pop("tables").split(",") if part.strip())
    return DataSource(**values, tables=tables)
