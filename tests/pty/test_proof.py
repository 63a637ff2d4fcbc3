"""Random walks: every frame leaves the terminal as the painter believes, and at rest as Textual would."""

from __future__ import annotations

import random

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.pty.apps.gallery import Gallery, Lines, Popup
from tests.recording import LONGER, assert_as_textual, driver_of, recording, tally
from tui.terminal.capabilities import Capabilities

STEPS = 24 * LONGER

FULL = Capabilities(
    term="xterm-256color",
    colours="truecolor",
    bce=True,
    margins=True,
    synchronized=True,
    repeat=True,
    wide=True,
    ambiguous_wide=False,
)
EACH_OFF = {
    "full": FULL,
    "no-bce": FULL._replace(bce=False),
    "no-margins": FULL._replace(margins=False),
    "no-scroll": FULL._replace(scroll=False),
    "linux": FULL._replace(term="linux", scroll=False, margins=False),
    "no-sync": FULL._replace(synchronized=False),
    "no-repeat": FULL._replace(repeat=False),
    "ambiguous": FULL._replace(ambiguous_wide=True),
}


async def settle(pilot: Pilot[None]) -> None:
    """Until the terminal shows everything."""
    app = pilot.app
    assert isinstance(app, Gallery)
    for _attempt in range(100):
        await pilot.pause()
        if app._painter is not None and not app._painter.pending and not app.screen._dirty_widgets:
            return
    raise AssertionError("the screen never comes to rest")


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
@pytest.mark.parametrize("capabilities", EACH_OFF.values(), ids=EACH_OFF)
async def test_walks(capabilities: Capabilities, theme: str) -> None:
    random_ = random.Random(f"{capabilities}{theme}")
    app = Gallery()
    app.capabilities = capabilities
    app.theme = theme
    compared = 0
    async with recording(app).run_test(headless=False, size=(120, 40)) as pilot:
        await settle(pilot)
        driver = driver_of(app)
        lines = app.query_one(Lines)
        app.query_one("#side").focus()
        for _step in range(STEPS):
            action = random_.choice(
                ("grow", "grow", "grow", "move", "keys", "type", "tab", "popup", "toast", "size", "theme")
            )
            if action == "grow":
                for _tick in range(random_.randrange(1, 6)):
                    lines.grow(random_.choice((1, 1, 1, 2, 5)))
                    await pilot.pause()
            elif action == "move":
                lines.move(random_.choice((-1, 1, -5, 10, -30)))
            elif action == "keys":
                await pilot.press(*random_.choices(("up", "down", "pagedown", "pageup", "end", "home", "left"), k=3))
            elif action == "type":
                await pilot.press(*random_.choices("ab c索引🚀", k=4), "backspace")
            elif action == "tab":
                await pilot.press("tab")
            elif action == "popup":
                app.push_screen(Popup())
                await settle(pilot)
                compared += assert_as_textual(app)
                app.pop_screen()
            elif action == "toast":
                app.notify("已复制 1.2 KB", timeout=random_.choice((0.01, 5)))
            elif action == "size":
                if random_.random() < 0.3:
                    driver.resize(random_.randrange(40, 130), random_.randrange(20, 45))
            elif random_.random() < 0.2:
                app.theme = random_.choice(("textual-dark", "textual-light", "nord", "ansi-dark"))
            await settle(pilot)
            compared += assert_as_textual(app)
        assert not app.plain, "the painter gave up"
        tally(f"gallery, {theme}, {capabilities}", compared + driver.cells, STEPS * 4000)


async def test_an_unknown_update_leaves_the_painting_to_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Gallery()
    app.capabilities = FULL
    async with recording(app).run_test(headless=False, size=(80, 24)) as pilot:
        await settle(pilot)
        driver = driver_of(app)
        sent: list[str] = []
        monkeypatch.setattr(driver, "write", sent.append)
        app._display(app.screen, Static("of another kind").render())  # type: ignore[arg-type]
        assert app.plain
        await pilot.pause()
        app.query_one(Lines).grow(1)
        await pilot.pause()
        assert "".join(sent).count("orders where") > 0


async def test_plain_display_is_left_to_textual() -> None:
    app = Gallery(plain=True)
    async with recording(app).run_test(headless=False, size=(80, 24)) as pilot:
        await pilot.pause()
        assert app._painter is None
        assert driver_of(app).bytes > 2000


async def test_a_screen_at_rest_sends_nothing() -> None:
    app = Gallery()
    app.capabilities = FULL
    async with recording(app).run_test(headless=False, size=(120, 40)) as pilot:
        app.query_one(Lines).focus()
        await settle(pilot)
        driver = driver_of(app)
        before = driver.bytes
        app.query_one(Lines).refresh()
        app.refresh(layout=True)
        await settle(pilot)
        assert driver.bytes == before
