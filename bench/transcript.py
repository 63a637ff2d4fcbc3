"""What the transcript costs: a tick of a streamed answer, a whole answer at once, a long conversation.

Run with `python -m bench.transcript`. CPU time of the widget's own work; the terminal is not part of it.
"""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time

from textual.app import App, ComposeResult
from textual.geometry import Region

import themes
from tui.models import TextBlock, ThinkingBlock, ToolBlock, Turn
from tui.widgets.transcript import Transcript

WHEN = datetime(2026, 10, 2, 2, 14, tzinfo=UTC)
PARAGRAPH = (
    "The replica applies one large transaction: a **DELETE** of 4.1 million rows that started at 01:58 without a "
    "limit, so every later change waits behind it; see `Seconds_Behind_Master` and [the guide](https://example.com/a)."
)
CHINESE = (
    "副本正在应用一个**大事务**：`DELETE` 了 410 万行，从 01:58 开始，没有限制，因此后面的更改都在等待它完成。" * 3
)
SQL = (
    "```sql\n"
    + "DELETE FROM order_events WHERE created_at < '2026-10-01' ORDER BY id LIMIT 5000; -- slice\n" * 12
    + "```"
)
TABLE = "| time | statement | rows | wait |\n|---|:--|--:|--:|\n" + "".join(
    f"| 01:{n:02}:12 | UPDATE stock SET qty = qty - {n} | {n * 977:,} | {n} s |\n" for n in range(12)
)
LIST = "".join(
    f"{n}. **Step {n}**: run it in slices and watch the lag, then go on with the next one\n" for n in range(1, 9)
)
PART = "\n\n".join(["## What happened", PARAGRAPH, CHINESE, TABLE, PARAGRAPH, SQL, LIST, "> " + PARAGRAPH])
TICKS_PER_SECOND, DELTAS_PER_SECOND = 15, 200


def answer(size: int) -> str:
    """About `size` characters of an answer with everything in it."""
    text = ""
    while len(text) < size:
        text += PART + "\n\n"
    return text[:size]


def turn(name: str, text: str, state: str = "done") -> Turn:
    blocks = (ThinkingBlock("some thoughts", 6.0), ToolBlock("c", "describe_db_instances", "done"), TextBlock(text))
    return Turn(name, "Why did replication lag rise?", WHEN, state, blocks)  # type: ignore[arg-type]


class Bench(App[None]):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults()

    def compose(self) -> ComposeResult:
        yield Transcript()


def line(what: str, values: list[float]) -> None:
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)] if len(ordered) > 1 else ordered[0]
    print(f"{what:58} median {statistics.median(ordered):7.2f}  p95 {p95:7.2f}  max {ordered[-1]:7.2f} ms")


async def settle(widget: Transcript) -> None:
    while not widget.settled:  # noqa: ASYNC110  # the widget has no event for it
        await asyncio.sleep(0.01)


async def stream(widget: Transcript, above: int, text: str) -> tuple[list[float], float]:
    """Milliseconds per tick of a streamed answer, and CPU seconds of all ticks."""
    widget.show([turn(f"old{n}", answer(2000)) for n in range(above)])
    await settle(widget)
    size = max(1, len(text) * TICKS_PER_SECOND // (DELTAS_PER_SECOND * 22))
    region = Region(0, 0, *widget.size)
    live = turn("live", "", "running")
    ticks: list[float] = []
    began = process_time()
    for end in range(size, len(text) + size, size):
        start = process_time()
        widget.update_turn(replace(live, blocks=(*live.blocks[:2], TextBlock(text[:end]))))
        widget.render_lines(region)
        ticks.append((process_time() - start) * 1000)
        await asyncio.sleep(0)
    used = process_time() - began
    widget.update_turn(turn("live", text))
    await settle(widget)
    return ticks, used


async def main() -> None:
    app = Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        widget = app.query_one(Transcript)
        text = answer(20_900)
        await stream(widget, 0, text[:6000])  # warm
        for above in (0, 20, 1000):
            ticks, used = await stream(widget, above, text)
            line(f"tick of a 20.9 KB answer, {above} turns above ({used:.2f} s CPU)", ticks)
        whole: list[float] = []
        longest: list[float] = []
        for _ in range(5):
            widget.show([])
            start = process_time()
            widget.update_turn(turn("whole", text))
            spent = [process_time() - start]
            while not widget.settled:
                if widget._view.unfinished:
                    start = process_time()
                    widget._work()
                    spent.append(process_time() - start)
                else:
                    await asyncio.sleep(0.005)
            whole.append(sum(spent) * 1000)
            longest.append(max(spent) * 1000)
        line("a whole 20.9 KB answer", whole)
        line("... its longest slice", longest)
        many = [turn(f"t{n}", answer(1500)) for n in range(1000)]
        opened: list[float] = []
        for _ in range(5):
            start = process_time()
            widget.show(many)
            widget.render_lines(Region(0, 0, *widget.size))
            opened.append((process_time() - start) * 1000)
        line("a conversation of 1,000 turns to its first paint", opened)
        await settle(widget)
        widget.focus()
        await pilot.pause()
        scrolled: list[float] = []
        for _ in range(300):
            start = process_time()
            widget.action_scroll_lines(-1)
            widget.render_lines(Region(0, 0, *widget.size))
            scrolled.append((process_time() - start) * 1000)
            await asyncio.sleep(0)
        line("a line up", scrolled)


if __name__ == "__main__":
    asyncio.run(main())
