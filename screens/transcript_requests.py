"""What a transcript asks of the screen that it is on, whatever it shows: texts out, and the search."""

from __future__ import annotations

from textual import on, work
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen

from tui.contract import YunliaoApi
from tui.widgets.find_bar import FindBar
from tui.widgets.transcript import Transcript, messages
from tui.words import _


class TranscriptScreen(Screen[None]):
    """A screen with one transcript and a bar to search in it."""

    app = app_getter(YunliaoApi)
    transcript = query_one(Transcript)
    find_bar = query_one("#find", FindBar)

    # --- for the screen's own words ------------------------------------------------------------------------

    def copied(self, what: str) -> str:
        """What the notice calls a text that was copied; `what`: as the transcript calls it."""
        return what

    def file_name(self, suggested: str) -> str:
        """What a file is called; `suggested`: by the transcript."""
        return suggested

    def take_choice(self, choice: messages.Choice) -> None:
        """A block or a link was chosen."""
        self.app.copy_text(choice.text, choice.label)

    # --- texts out -----------------------------------------------------------------------------------------

    @on(messages.CopyRequested)
    def _copy(self, event: messages.CopyRequested) -> None:
        event.stop()
        self.app.copy_text(event.text, self.copied(event.what))

    @on(messages.SaveRequested)
    def _save(self, event: messages.SaveRequested) -> None:
        event.stop()
        self.app.save_text(event.text, self.file_name(event.suggested_name))

    @on(messages.SavePicture)
    def _save_picture(self, event: messages.SavePicture) -> None:
        event.stop()
        self.app.save_picture(event.data, self.file_name(event.suggested_name))

    @on(messages.ShowPicture)
    def _show_picture(self, event: messages.ShowPicture) -> None:
        event.stop()
        self.app.navigate("picture", data=event.data, name=self.file_name(event.suggested_name))

    @on(messages.ShowPlain)
    @work(group="plain", exclusive=True)
    async def _show_plain(self, event: messages.ShowPlain) -> None:
        event.stop()
        await self.app.show_plain(event.text)

    @on(messages.Explained)
    def _explain(self, event: messages.Explained) -> None:
        event.stop()
        self.app.notify(event.sentence, timeout=4, markup=False)

    @on(messages.ExportTable)
    @work(group="choose", exclusive=True)
    async def _export_table(self, event: messages.ExportTable) -> None:
        event.stop()
        from screens.dialogs import ChooseDialog
        from tui.table_text import FORMATS, rows_of, table_as

        names = {"csv": "CSV", "tsv": "TSV", "md": "Markdown"}
        rows = rows_of(event.source)
        choices = [(_("copy as {form}").format(form=names[form]), table_as(rows[:8], form)) for form in FORMATS]
        choices += [(_("write a file: {form}").format(form=names[form]), "") for form in FORMATS]
        chosen = await self.app.push_screen_wait(ChooseDialog(_("This table"), choices))
        if chosen is not None:
            form = FORMATS[chosen % len(FORMATS)]
            text = table_as(rows, form)
            if chosen < len(FORMATS):
                self.app.copy_text(text, _("the table"))
            else:
                self.app.save_text(text, f"{self.file_name(event.suggested_name)}.{form}")

    @on(messages.Links)
    @on(messages.ChooseBlock)
    @work(group="choose", exclusive=True)
    async def _choose_block(self, event: messages.ChooseBlock | messages.Links) -> None:
        event.stop()
        if not event.choices:
            self.app.notify(_("There is nothing to choose here."))
            return
        from screens.dialogs import ChooseDialog, answer_of

        dialog = ChooseDialog(event.title, [(choice.label, choice.text) for choice in event.choices])
        chosen = await answer_of(self.app, dialog)
        if chosen is not None:
            self.take_choice(event.choices[chosen])

    # --- find ----------------------------------------------------------------------------------------------

    @on(messages.FindRequested)
    def _find_requested(self, event: messages.FindRequested) -> None:
        event.stop()
        self.find_bar.open()

    @on(FindBar.Changed)
    def _find(self, event: FindBar.Changed) -> None:
        event.stop()
        self.transcript.find(event.text)

    @on(FindBar.Submitted)
    def _find_submitted(self, event: FindBar.Submitted) -> None:
        event.stop()
        self.transcript.focus()
        if not event.text.strip():
            self.find_bar.close()

    @on(messages.MatchChanged)
    def _match_changed(self, event: messages.MatchChanged) -> None:
        event.stop()
        self.find_bar.count(event.number, event.matches)

    def action_find_next(self) -> None:
        self.transcript.find_next()

    def end_search(self) -> bool:
        """Close the search bar; False where it is closed."""
        if not self.find_bar.display:
            return False
        self.find_bar.close()
        self.transcript.find("")
        self.transcript.focus()
        return True
