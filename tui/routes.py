"""Screens by name: `tui` knows them as strings only, so that nothing is imported before it is shown."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

ROUTES: dict[str, str] = {
    "chat": "screens.chat:ChatScreen",
    "conversations": "screens.conversations:ConversationsScreen",
    "search": "screens.search:SearchScreen",
    "export": "screens.export:ExportScreen",
    "uploads": "screens.uploads:UploadsScreen",
    "session": "screens.session:SessionScreen",
    "assistants": "screens.assistants:AssistantsScreen",
    "assistant_session": "screens.assistant_session:AssistantSession",
    "tool_outputs": "screens.tool_outputs:ToolOutputsScreen",
    "health": "screens.health:HealthScreen",
    "rds_session": "screens.rds_session:RdsSessionScreen",
    "agents": "screens.agents:AgentsScreen",
    "help": "screens.help:HelpScreen",
    "settings": "screens.settings:SettingsScreen",
    "key_test": "screens.key_test:KeyTestScreen",
    "integrations": "screens.integrations:IntegrationsScreen",
    "guide": "screens.guide:GuideScreen",
    "capacity": "screens.capacity:CapacityScreen",
    "memories": "screens.memories:MemoriesScreen",
    "confirm": "screens.dialogs:ConfirmDialog",
    "typed_confirm": "screens.dialogs:TypedConfirmDialog",
    "text": "screens.dialogs:TextDialog",
    "choose": "screens.dialogs:ChooseDialog",
    "details": "screens.dialogs:DetailsDialog",
    "picture": "screens.picture:PictureScreen",
    "changes": "screens.changes:ChangesDialog",
}


def build(route: str, **arguments: Any) -> Any:
    """A new screen of that name.

    Raises:
        KeyError: no route has this name.
    """
    return resolve_name(ROUTES[route])(**arguments)
