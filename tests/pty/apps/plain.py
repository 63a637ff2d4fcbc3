"""The smallest app that owns its terminal. `YUNLIAO_TEST_FILE` is written when the program is told to end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui.terminal.display import PaintedDisplay


class Plain(PaintedDisplay[None]):
    def compose(self) -> ComposeResult:
        yield Static("ready")
        yield Input()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value == "quit":
            self.exit()
        elif event.value == "raise":
            raise RuntimeError("a mistake in the program")
        elif event.value == "hang":
            Path(os.environ["YUNLIAO_TEST_FILE"]).with_suffix(".busy").touch()
            time.sleep(60)
        self.query_one(Static).update(f"got {event.value}")

    def on_hangup(self) -> None:
        Path(os.environ["YUNLIAO_TEST_FILE"]).write_text("flushed")


if __name__ == "__main__":
    app = Plain()
    app.lifecycle.install()
    app.run(mouse="--mouse" in sys.argv)
    sys.exit(app.lifecycle.exit_code or app.return_code)
