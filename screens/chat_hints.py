"""The few keys that the status line names, by where the focus is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.words import _

if TYPE_CHECKING:
    from screens.chat import ChatScreen


def hints_for(screen: ChatScreen, *, running: bool, narrow: bool) -> tuple[tuple[str, str], ...]:
    """(key, what it does), at most five; the last is the one that tells more."""
    stop = [("^C", _("stop"))] if running else []
    conversation = screen.app.conversation(screen.conversation_id) if screen.conversation_id else None
    if conversation is not None and conversation.read_only:
        stop = [("F10", _("write here")), *stop]
    if screen.lists_commands:
        hints = [("Tab", _("complete")), ("Enter", _("run")), ("Esc", _("close the list"))]
    elif screen.focused is screen.composer:
        hints = [*stop, ("^J", _("newline")), ("Tab", _("next part")), ("^P", _("palette")), ("F1", _("help"))]
        if narrow:
            hints = [*stop, ("^J", _("newline")), ("Esc", _("transcript")), ("F1", _("more"))]
    elif screen.find_bar.has_focus_within:
        hints = [("Enter", _("then n and N go on")), ("Esc", _("end the search"))]
    elif screen.focused is screen.ask_panel:
        hints = [("j k", _("scroll")), ("Esc", _("later: leave it pending")), ("?", _("more"))]
    elif screen.focused is screen.transcript:
        hints = [
            *stop,
            ("y", _("copy")),
            ("Y", _("blocks")),
            *([("n N", _("next, previous match"))] if screen.find_bar.display else [("/", _("find"))]),
            *([("o", _("files"))] if _has_files(screen) else []),
            ("Enter", _("write")),
            ("?", _("more")),
        ]
    elif screen.list_pane.has_focus_within:
        hints = [("Enter", _("open")), ("n", _("new")), ("/", _("filter")), ("d", _("delete")), ("?", _("more"))]
    else:
        hints = [("Esc", _("back")), ("F1", _("help"))]
    return tuple(hints)


def _has_files(screen: ChatScreen) -> bool:
    """The newest answer names files, which can be fetched."""
    from tui.models import FileBlock

    turns = screen.transcript.turns
    return bool(turns) and any(isinstance(block, FileBlock) for block in turns[-1].blocks)
