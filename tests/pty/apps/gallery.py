"""An app with one of everything that is hard to paint: lists, tables, editors, popups, Chinese, emoji, a transcript."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import DataTable, Footer, Input, OptionList, Static, TextArea

from tests.pty.apps.walking import walk
from tui.terminal.display import PaintedDisplay

LINES = [
    "select * from orders where status = 'open' order by created_at desc limit 10;",
    "主从延迟在 14:02 之后开始上升,慢查询集中在 orders 表。",
    "┌────────────┬──────────────┐",
    "│ 实例       │ CPU 使用率   │",
    "└────────────┴──────────────┘",
    "",
    "emoji: 🚀 done ✅, family 👩‍👩‍👧, flag 🇨🇳, skin 👍🏽 end",
    "naïve e\u0301clair, ไทย, עברית, 한국어, ﾊﾝｶｸ",
    "    indented code block with    many     spaces",
]


class Lines(Widget, can_focus=True):
    """Lines painted directly, scrolled by its own offset, as the transcript does it."""

    def __init__(self) -> None:
        super().__init__(id="lines")
        self.count = 3
        self.top = 0

    def grow(self, count: int) -> None:
        self.count += count
        self.top = max(0, self.count - self.size.height)
        self.refresh()

    def move(self, by: int) -> None:
        self.top = max(0, min(self.count - 1, self.top + by))
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        return [self.line(self.top + y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def line(self, number: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if number >= self.count:
            return Strip.blank(width, base)
        text = f"{number:>4} {LINES[number % len(LINES)]} {number * 7919 % 1000}"
        bold = base + Style(bold=True, color="red" if number % 5 == 0 else None)
        strip = Strip([Segment(text[:12], bold), Segment(text[12:], base)])
        return strip.adjust_cell_length(width, base)


class Popup(ModalScreen[None]):
    CSS = "Popup { align: center middle; } Popup Static { width: 40; height: 7; border: heavy red; }"
    BINDINGS = [Binding("escape", "dismiss", "close")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Static("确认删除 conversation?\n\nEnter never approves.")


class Gallery(PaintedDisplay[None]):
    CSS = """
    #side { width: 24; }
    #lines { height: 1fr; }
    DataTable { height: 6; }
    TextArea { height: 4; }
    """
    ENABLE_COMMAND_PALETTE = True

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield OptionList(*(f"对话 {number} conversation" for number in range(60)), id="side")
            with Vertical():
                yield Lines()
                yield DataTable(id="table")
                yield TextArea("select 1;\n-- 注释", language=None)
                yield Input(placeholder="问题")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(TextArea).cursor_blink = False
        self.query_one(Input).cursor_blink = False
        table = self.query_one(DataTable)
        table.add_columns("instance", "状态", "qps")
        for number in range(40):
            table.add_row(f"rm-bp1{number:04}", "运行中" if number % 3 else "已停止", str(number * 37))


class Walk(Gallery):
    """Walks by itself, see `walking`."""

    def __init__(self, folder: Path, steps: int, seed: str) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.folder, self.steps = folder, steps
        self.chance = random.Random(seed)

    def on_ready(self) -> None:
        self.run_worker(walk(self, self.folder, self.steps, self.step))

    async def step(self) -> None:
        chance, lines = self.chance, self.query_one(Lines)
        action = chance.choice(("grow", "grow", "grow", "grow", "move", "list", "table", "popup", "type"))
        if action == "grow":
            for _tick in range(chance.randrange(1, 5)):
                lines.grow(chance.choice((1, 1, 2, 4)))
                await asyncio.sleep(0.03)
        elif action == "move":
            lines.move(chance.choice((-1, 1, -4, 7, -20)))
        elif action == "list":
            self.query_one(OptionList).highlighted = chance.randrange(60)
        elif action == "table":
            self.query_one(DataTable).move_cursor(row=chance.randrange(40))
        elif action == "type":
            self.query_one(TextArea).insert(chance.choice(("select ", "索引", "\n", "🚀")))
        elif isinstance(self.screen, Popup):
            self.pop_screen()
        else:
            self.push_screen(Popup())


if __name__ == "__main__":
    # What terminals disagree on is left to the emulator: joined emoji, flags, skin tones, letters of several parts.
    LINES = [line for line in LINES if "family" not in line and "ไทย" not in line] + ["emoji: 🚀 done ✅ 结束"]
    Walk(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).run(mouse=False)
