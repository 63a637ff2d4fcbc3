"""What is imported when: start-up pays for nothing that the first paint does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest
from textual.screen import Screen

from tui.routes import ROUTES

ROOT = Path(__file__).parents[2]
HEAVY = {
    "alibabacloud_credentials",
    "alibabacloud_rdsai20250507",
    "alibabacloud_dms20250414",
    "aiohttp",
    "cattrs",
    "dashscope",
    "httpx",
    "markdown_it",
    "pygments",
    "requests",
    "tenacity",
    "Tea",
}

LATER = (
    "tui.services.accumulator",
    "tui.cache",
    "tui.conversations",
    "tui.models",
    "tui.services.base",
    "tui.services.events",
    "tui.services.registry",
    "tui.terminal.clipboard",
    "tui.turns",
    "tui.uploads",
    "tui.widgets.transcript.blocks",
    "tui.widgets.transcript.search",
    "tui.widgets.transcript.turn_layout",
)
"""Ours, and not cheap: what is below the screens, what draws turns. Types of theirs are imported for checking only."""

FIRST_PAINT = """
import asyncio, sys, tempfile
from pathlib import Path
from tui.app import YunliaoApp
from tui.options import Options

class Watched(YunliaoApp):
    def _begin(self):
        print(*sorted(sys.modules))
        self.exit()

app = Watched(Options(sandbox=True, data_dir=Path(tempfile.mkdtemp())))
app.run(headless=True, size=(120, 40))
"""


def modules_after(code: str) -> set[str]:
    """The modules that are loaded when `code` prints them."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.split())


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_first_paint_loads_nothing_heavy() -> None:
    modules = modules_after(FIRST_PAINT)
    assert "tui.app" in modules
    assert not HEAVY & packages(modules)
    assert not [module for module in modules if module.startswith("tui.sandbox")]
    assert not modules & {*LATER}
    # The others are parts of the chat.
    parts = {
        f"screens.{part}"
        for part in (
            "chat",
            "chat_hints",
            "chat_keys",
            "welcome",
            "transcript_requests",
            "asking",
            "analysing",
            "partnering",
            "composing",
            "reading",
            "forking",
            "commanding",
        )
    }
    assert {module for module in modules if module.startswith("screens.")} <= parts


def test_importing_the_app_loads_no_screen() -> None:
    modules = modules_after("import sys, tui.app; print(*sys.modules)")
    assert not HEAVY & packages(modules)
    assert not [module for module in modules if module.startswith(("screens", "tui.sandbox"))]


@pytest.mark.parametrize(
    "module", ["tui.ask.run", "tui.cli", "tui.services.rpc", "tui.cache.store", "tui.conversations"]
)
def test_what_needs_no_terminal_loads_no_terminal_library(module: str) -> None:
    # httpx brings its own command line, and rich with it, where click happens to be installed.
    loaded = packages(
        modules_after(f"import sys; sys.modules['httpx._main'] = None; import {module}; print(*sys.modules)")
    )
    assert not {"textual", "rich"} & loaded


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_every_route_leads_to_a_screen(route: str) -> None:
    """Routes are strings, which no type checker follows."""
    assert issubclass(resolve_name(ROUTES[route]), Screen)
