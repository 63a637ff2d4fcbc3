"""The transcript's keys. Ids are what the settings file names; letters work here because nothing is typed here."""

from __future__ import annotations

from textual.binding import Binding


def _key(keys: str, action: str, name: str, description: str, tooltip: str) -> Binding:
    return Binding(keys, action, description, id=f"transcript.{name}", show=False, tooltip=tooltip)


BINDINGS = [
    _key("j,down", "scroll_lines(1)", "line_down", "line down", "One line down"),
    _key("k,up", "scroll_lines(-1)", "line_up", "line up", "One line up"),
    _key("J", "move_cursor(1)", "next_block", "next block", "To the next block"),
    _key("K", "move_cursor(-1)", "previous_block", "previous block", "To the previous block"),
    _key("right_square_bracket", "go_question(1)", "next_question", "next question", "To the next question"),
    _key(
        "left_square_bracket", "go_question(-1)", "previous_question", "previous question", "To the previous question"
    ),
    _key("g,home", "go_top", "top", "top", "To the beginning"),
    _key("G,end", "go_end", "end", "end", "To the end, and follow it"),
    _key("pageup", "scroll_screens(-1.0)", "page_up", "page up", "A page up"),
    _key("pagedown", "scroll_screens(1.0)", "page_down", "page down", "A page down"),
    _key("ctrl+u", "scroll_screens(-0.5)", "half_page_up", "half a page up", "Half a page up"),
    _key("ctrl+d", "scroll_screens(0.5)", "half_page_down", "half a page down", "Half a page down"),
    _key("space", "fold", "fold", "fold", "Fold or unfold this block"),
    _key("a", "fold_all", "fold_all", "fold all", "Fold or unfold all thinking and tool calls"),
    _key("y", "copy_message", "copy", "copy", "Copy this message"),
    _key("Y", "choose_block", "copy_block", "copy a block", "Choose a code block or table to copy"),
    _key("w", "save", "save", "save", "Write this block or message to a file"),
    _key("x", "export_table", "export_table", "table as", "This table as CSV, TSV or Markdown: copy or write"),
    _key("v", "change_view", "view", "rows / grid", "Table as grid or as rows; chart as table"),
    _key("l,right", "scroll_columns(1)", "columns_right", "columns right", "The wide table one column to the right"),
    _key("h,left", "scroll_columns(-1)", "columns_left", "columns left", "The wide table one column to the left"),
    _key("slash", "find", "find", "find", "Find in this conversation"),
    _key("n", "find_next", "find_next", "next match", "To the next match"),
    _key("N", "find_previous", "find_previous", "previous match", "To the previous match"),
    _key("r", "retry", "retry", "retry", "Ask this question again"),
    _key("e", "edit_resend", "edit", "edit and resend", "Edit this question and send it again"),
    _key("q", "quote", "quote", "quote", "Quote this block in the next question"),
    _key("s", "stop", "stop", "stop", "Stop the running answer"),
    _key("plus", "rate('like')", "like", "helpful", "Mark this answer as helpful"),
    _key("minus", "rate('dislike')", "dislike", "not helpful", "Mark this answer as not helpful"),
    _key("i", "details", "details", "details", "Request id, times and tokens of this answer"),
    _key("o", "links", "links", "links", "Links and files of this answer"),
    _key("enter", "compose", "compose", "write", "Back to the composer"),
]
