"""A picture of an answer, as large as the screen allows."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle
from textual.content import Content
from textual.events import Resize
from textual.getters import app as app_getter
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.contract import YunliaoApi
from tui.widgets.hints import HintLine
from tui.words import _


class PictureScreen(ModalScreen[None]):
    """Two pixels in a cell; the file has them all."""

    DEFAULT_CSS = """
    PictureScreen {
        background: $background;
        #picture { width: auto; height: auto; }
        HintLine { dock: bottom; }
    }
    """
    BINDING_GROUP_TITLE = "Picture"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v", "close", "close", id="picture.close", show=False, tooltip="Back to the chat"),
        Binding("w", "save", "save", id="picture.save", show=False, tooltip="Write the picture to a file"),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self, data: str, name: str) -> None:
        """`data`: a PNG in base64; `name`: what its file is called."""
        super().__init__()
        self._data = data
        self._file_name = name

    def compose(self) -> ComposeResult:
        with Middle(), Center():
            yield Static(id="picture", markup=False)
        yield HintLine([("w", _("write a file")), ("Esc", _("close"))])

    def on_resize(self, event: Resize) -> None:
        self._draw(event.size.width, event.size.height - 1)

    @work(group="draw", exclusive=True)
    async def _draw(self, width: int, height: int) -> None:
        from tui.widgets.picture import NoPicture, cells_of

        picture = self.query_one("#picture", Static)
        if self.app.settings.ascii:
            picture.update(Content(_("Pictures are not drawn in ASCII; w writes it to a file.")))
            return
        try:
            cells = await asyncio.to_thread(cells_of, self._data, width, height)
        except ImportError:
            sentence = _("Pictures are drawn where the extra `pictures` is installed; w writes it to a file.")
            picture.update(Content(sentence))
        except NoPicture:
            picture.update(
                Content(_("The picture arrived damaged, or is too large to be drawn; w writes it to a file."))
            )
        else:
            picture.update(cells)

    def action_save(self) -> None:
        self.app.save_picture(self._data, self._file_name)

    def action_close(self) -> None:
        self.dismiss()
