"""A chat as Textual's own widgets make it: Markdown, MarkdownStream, an Input. `python -m bench.minimal RATE`.

Each Enter streams the answer once more; `x` in the question sends it at once.
"""

from __future__ import annotations

import asyncio
import sys
import time

from textual import work
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from bench.text import deltas


class Minimal(App[None]):
    CSS = "Input { dock: bottom; }"

    def compose(self) -> ComposeResult:
        with VerticalScroll() as view:
            view.anchor()
        yield Input(placeholder="ready")

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.clear()
        self.answer(float("inf") if "x" in event.value else float(sys.argv[1]))

    @work
    async def answer(self, rate: float) -> None:
        markdown = Markdown()
        await self.query_one(VerticalScroll).mount(markdown)
        stream = Markdown.get_stream(markdown)
        due = time.monotonic()
        for delta in deltas():
            await stream.write(delta)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await stream.stop()


if __name__ == "__main__":
    Minimal().run(mouse=False)
