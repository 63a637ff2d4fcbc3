"""The part of the chat that reads: what the transcript asks for, and the search in it."""

from __future__ import annotations

from textual import on, work
from textual.getters import query_one

from screens.composing import ComposingScreen
from tui.table_text import FORMATS, rows_of, table_as
from tui.widgets.composer import Composer
from tui.widgets.find_bar import FindBar
from tui.widgets.transcript import Transcript, messages
from tui.widgets.turn_words import turn_details
from tui.words import _


class ReadingScreen(ComposingScreen):
    """A screen with a transcript and a bar to search in it."""

    transcript = query_one("#transcript", Transcript)
    find_bar = query_one("#find", FindBar)

    # --- the transcript asks -------------------------------------------------------------------------------

    @on(messages.CopyRequested)
    def _copy(self, event: messages.CopyRequested) -> None:
        event.stop()
        self.app.copy_text(event.text, event.what)

    @on(messages.SaveRequested)
    def _save(self, event: messages.SaveRequested) -> None:
        event.stop()
        self.app.save_text(event.text, event.suggested_name)

    @on(messages.SavePicture)
    def _save_picture(self, event: messages.SavePicture) -> None:
        event.stop()
        self.app.save_picture(event.data, event.suggested_name)

    @on(messages.ShowPicture)
    def _show_picture(self, event: messages.ShowPicture) -> None:
        event.stop()
        self.app.navigate("picture", data=event.data, name=event.suggested_name)

    @on(messages.ShowPlain)
    @work(group="plain", exclusive=True)
    async def _show_plain(self, event: messages.ShowPlain) -> None:
        event.stop()
        await self.app.show_plain(event.text)

    @on(messages.Explained)
    def _explain(self, event: messages.Explained) -> None:
        event.stop()
        self.app.notify(event.sentence, timeout=4)

    @on(messages.ExportTable)
    @work(group="choose", exclusive=True)
    async def _export_table(self, event: messages.ExportTable) -> None:
        event.stop()
        from screens.dialogs import ChooseDialog

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
                self.app.save_text(text, f"{event.suggested_name}.{form}")

    @on(messages.ComposeRequested)
    def _compose_requested(self, event: messages.ComposeRequested) -> None:
        event.stop()
        self.composer.focus()

    @on(messages.Stop)
    def _stop(self, event: messages.Stop) -> None:
        event.stop()
        if not self.app.stop(self.conversation_id) and not self.refuse():
            self.app.notify(_("Nothing runs in this conversation."))

    @on(messages.Retry)
    def _retry(self, event: messages.Retry) -> None:
        """Ask the same again: a new turn, and only where nothing is known to run for the old one."""
        event.stop()
        from tui.turns import line_was_lost

        turn = event.turn
        if self.has_expired(turn):
            self.begin_anew(turn.question)
        elif turn.state == "queued":
            self.app.unqueue(self.conversation_id, turn.id)
        elif turn.state in ("interrupted", "cut_off") or (turn.problem is not None and line_was_lost(turn.problem)):
            self.app.recover(self.conversation_id, turn.id)
        elif self.app.activity(self.conversation_id) is not None:
            self.app.notify(_("An answer is running; stop it first, or wait."), severity="warning")
        else:
            self._give_back(turn.question)
            self.composer.focus()

    @on(messages.Details)
    def _details(self, event: messages.Details) -> None:
        event.stop()
        self.app.navigate("details", rows=turn_details(event.turn))

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
        if chosen is None:
            return
        choice = event.choices[chosen]
        if choice.kind == "file" and self.service == "dms":
            self.fetch_file(choice.text, choice.label)
        else:
            self.app.copy_text(choice.text, choice.label)

    @on(Composer.PageRequested)
    def _page(self, event: Composer.PageRequested) -> None:
        event.stop()
        if event.direction < 0:
            self.transcript.scroll_page_up()
        else:
            self.transcript.scroll_page_down()

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
