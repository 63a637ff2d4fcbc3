"""The keys of the chat. Ids are what the settings file names."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.keys import NO_KEY

DIGIT = "Send the suggestion of that number; in a new conversation choose the service"

BINDINGS: list[BindingType] = [
    Binding("escape", "back", "back", id="chat.back", show=False, tooltip="Transcript, then the list"),
    Binding("ctrl+c", "interrupt", "stop", id="chat.interrupt", show=False, tooltip="Stop; clear; twice: quit"),
    Binding("f9", "toggle_list", "list", id="chat.toggle_list", show=False, tooltip="Show or hide the list"),
    Binding("f6", "app.focus_next", "next part", id="chat.next_part", show=False, tooltip="Next part"),
    Binding("f8", "new", "new", id="chat.new", show=False, tooltip="New conversation"),
    Binding("f5", "recover", "look again", id="chat.recover", show=False, tooltip="Look for the rest of the answer"),
    Binding("f4", "files", "files", id="chat.files", show=False, tooltip="Files: upload, attach, download"),
    Binding("f7", "session", "session", id="chat.session", show=False, tooltip="Settings of this conversation"),
    Binding(NO_KEY, "new('rds')", "new", id="chat.new_rds", show=False, tooltip="New: RDS Copilot"),
    Binding(NO_KEY, "new('dms')", "new", id="chat.new_dms", show=False, tooltip="New: Data Agent"),
    Binding(NO_KEY, "new('dashscope')", "new", id="chat.new_dashscope", show=False, tooltip="New: DashScope"),
    *(
        Binding(digit, f"digit({digit})", "choose", id=f"chat.digit_{digit}", show=False, tooltip=DIGIT)
        for digit in "123456789"
    ),
    Binding("f10", "take_over", "take over", id="chat.take_over", show=False, tooltip="Write here, not there"),
    Binding("E", "export", "export", id="chat.export", show=False, tooltip="Export: Markdown, HTML, JSON, bundle"),
    Binding("M", "app.navigate('assistants')", "assistants", id="chat.assistants", show=False, tooltip="Manage them"),
    Binding("S", "app.navigate('search')", "search", id="chat.search", show=False, tooltip="Search what was said"),
    Binding("f3", "find_next", "next hit", id="chat.find_next", show=False, tooltip="Next hit"),
]
