"""What the app does beside the conversation: clipboard, files, the editor, notices, questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui import routes
from tui.contract import YunliaoApi
from tui.text import clean_line
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Problem


class Effects(YunliaoApi):
    """The side effects that screens may ask for."""

    _environ: Mapping[str, str]

    def _spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        self.run_worker(coroutine, name=name, group=name)

    def copy_text(self, text: str, what: str) -> None:
        from tui.terminal.clipboard import copy

        async def go() -> None:
            try:
                verdict = await copy(text, write=self._write_control, folder=self.downloads, environ=self._environ)
            except OSError as error:
                self.notify(_("Not copied: {reason}").format(reason=error.strerror), severity="error", markup=False)
                return
            self.notify(clean_line(what) + _(": ") + verdict.sentence, markup=False)

        self._spawn("copy", go())

    def save_text(self, text: str | bytes, name: str) -> None:
        from tui.terminal.clipboard import save

        async def go() -> None:
            try:
                path = await save(text, self.downloads, name)
            except OSError as error:
                self.notify(_("Not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)
                return
            self.notify(_("Written to {path}").format(path=path), timeout=10, markup=False)

        self._spawn("save", go())

    def save_picture(self, data: str, name: str) -> None:
        import base64

        try:
            self.save_text(base64.b64decode(data), name)
        except ValueError:
            self.notify(_("The picture arrived damaged."), severity="warning")

    async def show_plain(self, text: str) -> None:
        from textual.app import SuspendNotSupported

        from tui.terminal.plain import show

        try:
            await show(self, text)
        except (SuspendNotSupported, OSError) as error:
            self.notify(_("This terminal cannot be given away: {reason}").format(reason=error), severity="warning")

    def _write_control(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def show_problem(self, problem: Problem) -> None:
        lines = [_(": ").join(part for part in (problem.title, problem.sentence) if part), problem.remedy]
        if problem.request_id:
            lines.append(_("request id {id}").format(id=problem.request_id))
        self.notify("\n".join(line for line in lines if line), severity="error", timeout=15, markup=False)

    def confirm(self, title: str, lines: Sequence[str], verb: str, then: Callable[[], Awaitable[None]]) -> None:
        async def ask() -> None:
            if await self.push_screen_wait(routes.build("confirm", title=title, lines=lines, verb=verb)):
                await then()

        self._spawn("confirm", ask())

    async def edit_externally(self, text: str, suffix: str = ".md") -> str:
        from textual.app import SuspendNotSupported

        from tui.terminal.editor import edit

        try:
            return await edit(self, text, suffix, self._environ)
        except (OSError, ValueError, SuspendNotSupported) as error:  # ValueError: a quote in $EDITOR is not closed
            self.notify(_("The editor did not start: {reason}").format(reason=error), severity="error", markup=False)
            return text
