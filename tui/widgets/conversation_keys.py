"""The keys of the conversation list. Ids are what the settings file names; nothing is typed here, so letters work."""

from __future__ import annotations

from textual.binding import Binding, BindingType

BINDINGS: list[BindingType] = [
    Binding("enter,l", "open", "open", id="conversations.open"),
    Binding("n", "new", "new", id="conversations.new"),
    Binding("slash", "filter", "filter", id="conversations.filter"),
    Binding("s", "app.navigate('search')", "search", id="conversations.search", tooltip="Search what was said"),
    Binding("r", "rename", "rename", id="conversations.rename", show=False),
    Binding("d", "delete", "delete", id="conversations.delete", tooltip="Delete here; asks first"),
    Binding("z", "undo", "take back", id="conversations.undo", show=False, tooltip="Take back the last deletion"),
    Binding("p", "pin", "pin", id="conversations.pin", show=False),
    Binding("space", "mark", "mark", id="conversations.mark", show=False, tooltip="Mark for p, t, a, x and d"),
    Binding("asterisk", "mark_all", "mark all", id="conversations.mark_all", show=False, tooltip="All that are shown"),
    Binding("t", "tags", "tags", id="conversations.tags", show=False, tooltip="Give tags, take tags off"),
    Binding("a", "archive", "archive", id="conversations.archive", show=False, tooltip="Out of the list, or back in"),
    Binding("A", "archived", "archived ones", id="conversations.archived", show=False, tooltip="Show those"),
    Binding("x", "export", "export", id="conversations.export", show=False, tooltip="Markdown, JSON, HTML, bundle"),
    Binding("I", "import", "import", id="conversations.import", show=False, tooltip="Take in an export as JSON"),
    Binding("c", "copy_id", "copy id", id="conversations.copy_id", show=False),
    Binding("R", "reload", "refresh", id="conversations.reload", show=False),
    Binding("1", "service('1')", "RDS Copilot only", id="conversations.service_rds", show=False),
    Binding("2", "service('2')", "Data Agent only", id="conversations.service_dms", show=False),
    Binding("3", "service('3')", "DashScope only", id="conversations.service_dashscope", show=False),
    Binding("0", "service('0')", "all services", id="conversations.service_all", show=False),
    Binding("j,down", "move(1)", "down", id="conversations.down", show=False),
    Binding("k,up", "move(-1)", "up", id="conversations.up", show=False),
    Binding("g,home", "move_to(0)", "first", id="conversations.first", show=False),
    Binding("G,end", "move_to(-1)", "last", id="conversations.last", show=False),
    Binding("ctrl+d", "page(0.5)", "half a page down", id="conversations.half_down", show=False),
    Binding("ctrl+u", "page(-0.5)", "half a page up", id="conversations.half_up", show=False),
    Binding("pagedown", "page(1)", "page down", id="conversations.page_down", show=False),
    Binding("pageup", "page(-1)", "page up", id="conversations.page_up", show=False),
    Binding("escape", "close_filter", "show all", id="conversations.close_filter", show=False),
]
