"""What is guessed of a terminal, what is asked of it, and how its answers are told from keys."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from tui.terminal.capabilities import Capabilities, ModeReport, Reply, StatusReport, parse_reply, probes
from tui.terminal.driver import ReplyParser


@pytest.mark.parametrize(
    ("environ", "bce", "scroll"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "tmux-256color", "TMUX": "x"}, True, True),
        ({"TERM": "screen-256color", "TMUX": "x"}, True, True),
        ({"TERM": "screen.xterm-256color", "STY": "1.x"}, False, True),
        ({"TERM": "screen"}, False, True),
        ({"TERM": "linux"}, True, False),
        ({"TERM": "vt100"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({}, False, False),
    ],
)
def test_the_environment(environ: dict[str, str], bce: bool, scroll: bool) -> None:
    able = Capabilities.of(environ)
    assert (able.bce, able.scroll) == (bce, scroll)
    assert not able.margins
    assert not able.repeat


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
    ],
)
def test_colours(environ: dict[str, str], colours: str) -> None:
    assert Capabilities.of(environ).colours == colours


def test_mode_reports() -> None:
    able = Capabilities(term="xterm")
    assert able.with_mode(69, 2).margins
    assert not able.with_mode(69, 0).margins
    assert not able.with_mode(69, 4).margins
    assert able.with_mode(2026, 1).synchronized
    assert able.with_mode(12, 1) == able


def test_cursor_reports() -> None:
    able = Capabilities(term="xterm")
    assert able.with_cursor(2, 4).repeat
    assert not able.with_cursor(2, 2).repeat
    assert able.with_cursor(3, 3).wide
    assert able.with_cursor(4, 5).ambiguous_wide
    assert able.with_cursor(4, 3).ambiguous_wide is False
    assert able.with_cursor(9, 9) == able


def test_nothing_is_asked_of_a_terminal_that_cannot_answer() -> None:
    assert probes(Capabilities(term="dumb"), {}) == ""
    assert "$p" not in probes(Capabilities(term="xterm"), {"TERM_PROGRAM": "Apple_Terminal"})
    assert probes(Capabilities(term="xterm"), {}).endswith("\x1b[2J\x1b[5n")


@pytest.mark.parametrize(
    ("sequence", "reply"),
    [
        ("\x1b[0n", StatusReport()),
        ("\x1b[?69;2$y", ModeReport(69, 2)),
        ("\x1b[1;2R", None),
        ("\x1b[?69;2", None),
        ("n", None),
        ("\x1bOn", None),
    ],
)
def test_replies(sequence: str, reply: Reply | None) -> None:
    assert parse_reply(sequence) == reply


@pytest.mark.parametrize("cuts", [1, 2, 3, 100])
def test_replies_between_keys_are_taken_out(cuts: int) -> None:
    replies: list[Reply] = []
    parser = ReplyParser(replies.append)
    data = "a\x1b[0nb\x1b[?69;2$y\x1b[A\x1b[0n\x1b[0nc"
    keys: list[str] = []
    for start in range(0, len(data), cuts):
        for message in parser.feed(data[start : start + cuts]):
            assert isinstance(message, events.Key)
            keys.append(message.key)
    assert keys == ["a", "b", "up", "c"]
    assert replies == [StatusReport(), ModeReport(69, 2), StatusReport(), StatusReport()]


def test_textual_alone_would_take_a_status_report_for_keys() -> None:
    parser = XTermParser()
    messages = [*parser.feed("\x1b[0n"), *parser.feed("x" * 40)]
    assert any(isinstance(message, events.Key) and message.key == "0" for message in messages)


def test_a_report_inside_a_paste_stays_text() -> None:
    replies: list[Reply] = []
    parser = ReplyParser(replies.append)
    messages = [*parser.feed("\x1b[200~text \x1b[0n more\x1b[201~"), *parser.feed("k")]
    pastes = [message.text for message in messages if isinstance(message, events.Paste)]
    assert pastes
    assert pastes[0].startswith("text ")
