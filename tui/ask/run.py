"""`yunliao ask`: one question without a screen. The same services, turns and history as the app; no terminal library.

The answer goes to stdout as it comes, everything else to stderr. Nothing of it holds an escape code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tui import paths
from tui.ask.answers import agreed, answerable, can_ask, describe, forbidden, reply_of, typed_line
from tui.ask.files import FileRefused, check_files, upload_files
from tui.ask.input import read_question
from tui.ask.output import JsonOutput, Output, PlainOutput
from tui.ask.tap import tapped
from tui.cache.records import MetaRecord
from tui.cache.store import Store
from tui.conversations import Conversations, Hooks
from tui.exits import Exit
from tui.models import AskBlock, Conversation, PlanBlock, Problem, ServiceName, Turn, TurnIds
from tui.options import Options
from tui.services.assistant_models import AssistantProfile, ProfileSource
from tui.services.base import (
    AskReply,
    ConversationService,
)
from tui.services.codes import kind_of
from tui.services.dashscope_keys import dashscope_place
from tui.services.dms_options import read_data, write_data
from tui.services.errors import ServiceError
from tui.services.registry import Services, open_services
from tui.settings import Settings, SettingsError, load_settings
from tui.text import clean_line
from tui.turns import TurnUpdate, open_ask
from tui.words import _, language

if TYPE_CHECKING:
    from tui.services.dms import DmsDataAgent
    from tui.services.upload_checks import FileCheck

_LANGUAGES = {"zh": "zh-CN", "en": "en-US"}


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What the command line says of one question."""

    question: str = ""
    """`-` or empty: all of it comes from stdin."""
    conversation: str = ""
    assistant: str = ""
    """Of DashScope: the id of an assistant, or of a local profile."""
    files: tuple[Path, ...] = ()
    """Tables for the Data Agent."""
    mode: str = ""
    """Of the Data Agent, in capitals; "" leaves it to the agent."""
    yes: bool = False
    """Agree to the Data Agent's plan and to statements that only read."""
    region: str = ""
    json: bool = False
    timeout: float = 0.0
    """Seconds; 0 waits for ever."""
    save: bool = True
    quiet: bool = False


def ask(options: Options, wanted: AskOptions) -> int:
    """Ask, print, and say by the exit code how it went (`tui.exits`)."""
    try:
        places = paths.resolve(options.data_dir)
        settings = load_settings(places.settings, options)
        question = read_question(wanted.question)
    except (SettingsError, ValueError) as error:
        print(f"yunliao: {error}", file=sys.stderr)
        return Exit.USAGE
    output: Output = JsonOutput(quiet=wanted.quiet) if wanted.json else PlainOutput(quiet=wanted.quiet)
    store = Store(places.state, fallback=places.runtime) if wanted.save else Store(None)
    # The same as the app's, so that a conversation can go on there.
    sandbox_folder = places.state / "sandbox" if places.state and wanted.save else None
    run = _Run(options, wanted, settings, store, output, sandbox_folder, _Profiles(places.state))
    return asyncio.run(run.main(question))


class _Profiles:
    """The local profiles of DashScope, read when a conversation names one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def profile(self, profile_id: str) -> AssistantProfile | None:
        from tui.assistants.store import AssistantStore

        held = await asyncio.to_thread(AssistantStore(self._folder).profiles)
        return next((profile for profile in held if profile.id == profile_id), None)


class _Run:
    """One question from start to end."""

    def __init__(
        self,
        options: Options,
        wanted: AskOptions,
        settings: Settings,
        store: Store,
        output: Output,
        sandbox_folder: Path | None,
        profiles: ProfileSource,
    ) -> None:
        self._options = options
        self._wanted = wanted
        self._settings = settings
        self._store = store
        self._output = output
        self._sandbox_folder = sandbox_folder
        self._profiles = profiles
        self._services: Services | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._rested = asyncio.Event()
        """Whether a turn runs may be another matter now."""
        self._agreed: set[str] = set()
        """Ids of the asks that were agreed to unseen (`--yes`): not to the same one twice."""
        self._unanswered = False
        """An answer could not be sent: what was asked still is."""
        self._stopped = asyncio.Event()
        self._cause: Exit | None = None
        """Why it was stopped: a signal or a closed pipe (STOPPED), or the time that was given (TIMED_OUT)."""
        self._conversation = ""
        self._conversations = Conversations(
            store,
            Hooks(
                turn_changed=self._changed,
                list_changed=lambda _id: self._rested.set(),
                spawn=self._spawn,
                service=self._service,
                options=self._question_options,
            ),
        )

    async def main(self, question: str) -> Exit:
        loop = asyncio.get_running_loop()

        def broken(reason: str) -> None:
            loop.call_soon_threadsafe(self._stop, Exit.FAILED if reason else Exit.STOPPED, bool(reason))

        self._output.start(on_broken=broken)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt)
        timer = loop.call_later(self._wanted.timeout, self._stop, Exit.TIMED_OUT) if self._wanted.timeout > 0 else None
        try:
            code = await self._run(question)
        finally:
            if timer is not None:
                timer.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._store.close()
            if self._services is not None:
                await self._services.aclose()
            failure = await asyncio.to_thread(self._output.close)
            if self._wanted.save and self._store.banner:
                print(f"yunliao: {self._store.banner}", file=sys.stderr)
        if failure:
            print(_("yunliao: the answer could not be written: {reason}").format(reason=failure), file=sys.stderr)
            return Exit.FAILED
        return code

    async def _run(self, question: str) -> Exit:
        try:
            await self._store.open()
            checks = await check_files(self._wanted.files)
            await self._connect()
            self._conversation = await self._choose_conversation()
            conversation = await self._conversations.open(self._conversation)
            self._output.begin(conversation.service)
            if checks:
                await self._attach(conversation, checks)
        except (ServiceError, FileRefused) as error:
            return self._refused(error.problem)
        if self._cause is not None:
            return self._refused(_not_sent(), self._cause)
        turn = await self._ask(conversation, question)
        while (reply := await self._reply(turn)) is not None:
            answered = await self._answer(*reply)
            if answered is None:
                break
            turn = answered
        code = self._exit_code(turn)
        kept = self._wanted.save and not self._store.banner
        self._output.end(self._conversation, turn, code, self._conversation if kept else turn.ids.conversation)
        return code

    # --- asking and answering --------------------------------------------------------------------------------

    async def _ask(self, conversation: Conversation, question: str) -> Turn:
        """Ask; where the conversation waits for an answer, the question is the answer."""
        newest = conversation.turns[-1] if conversation.turns else None
        ask = open_ask(newest) if newest is not None else None
        if newest is not None and ask is not None and answerable(ask):
            reply = reply_of(ask, question)
            if reply is not None and (newest.state == "waiting" or reply.action != "change"):
                if reason := self._forbidden(ask, reply):
                    self._output.say(reason)
                    return newest
                return await self._answer(ask, reply) or newest
        return await self._ended(self._conversations.ask(self._conversation, question).id)

    async def _answer(self, ask: AskBlock, reply: AskReply) -> Turn | None:
        """Answer, and wait for what comes of it; None where it could not be sent, which has been said then."""
        conversation = await self._conversations.open(self._conversation)
        turn = conversation.newest_sent
        self._over.clear()
        if turn is None or not self._conversations.answer(conversation.id, ask.ask_id, reply):
            elsewhere = _("The answer was not sent: another window has this conversation open.")
            over = _("The answer was not sent: nothing waits for it any more.")
            self._output.say(elsewhere if conversation.read_only else over)
            self._unanswered = True
            return None
        return await self._ended(turn.id)

    async def _ended(self, turn_id: str) -> Turn:
        await self._over.wait()
        # It is written down to its end: before that no answer to it would be taken.
        while self._conversations.is_running(self._conversation):
            self._rested.clear()
            await self._rested.wait()
        conversation = await self._conversations.open(self._conversation)
        return next(turn for turn in conversation.turns if turn.id == turn_id)

    async def _reply(self, turn: Turn) -> tuple[AskBlock, AskReply] | None:
        """What the user answers to what is asked; None where nothing is, or it stays pending."""
        ask = open_ask(turn)
        if ask is None or self._cause is not None or turn.state not in ("waiting", "done") or not answerable(ask):
            return None
        plans = [block for block in turn.blocks if isinstance(block, PlanBlock)]
        lines = describe(ask, plans[-1].steps if plans else ())
        if self._wanted.yes and ask.ask_id not in self._agreed and (reply := agreed(ask)) is not None:
            self._output.say("\n".join(lines[:-1]))
            if not (reason := self._forbidden(ask, reply)):
                self._output.say(_("agreed (--yes)"))
                self._agreed.add(ask.ask_id)
                return ask, reply
            self._output.say(reason)
        if not can_ask():
            if turn.state == "waiting":
                self._output.ask(lines)
            return None
        self._output.ask(lines)
        while line := await self._line():
            found = reply_of(ask, line)
            if found is None:
                continue  # Enter alone approves nothing
            if not (reason := self._forbidden(ask, found)):
                return ask, found
            self._output.say(reason)
        return None

    async def _line(self) -> str:
        """A typed line; "" when there is no more, or it was stopped."""
        typing = asyncio.ensure_future(typed_line(self._output.prompt))
        stopped = asyncio.ensure_future(self._stopped.wait())
        done, pending = await asyncio.wait({typing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return typing.result() if typing in done else ""

    def _forbidden(self, ask: AskBlock, reply: AskReply) -> str:
        profile = self._settings.for_profile(self._settings.profile)
        production = profile.environment.lower().startswith("prod")
        return forbidden(ask, reply, read_only=profile.read_only, production=production)

    async def _attach(self, conversation: Conversation, checks: Sequence[FileCheck]) -> None:
        """Upload the files and have the conversation work on them."""
        if conversation.service != "dms":
            sentence = _("only the Data Agent works on files; add -s dms.")
            raise FileRefused(Problem(_("Not sent"), sentence, delivered="no"))
        assert self._services is not None
        service = cast("DmsDataAgent", await self._services.get("dms"))
        uploading = asyncio.ensure_future(upload_files(service.files, checks, self._output.say))
        stopped = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait({uploading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (uploading, stopped):
            task.cancel()
        await asyncio.wait({uploading, stopped})
        if uploading.cancelled():
            return
        sources = uploading.result()
        held = read_data(conversation.options.get("data", ""))
        await self._conversations.set_options(
            conversation.id, {**conversation.options, "data": write_data([*held, *sources])}
        )

    async def _connect(self) -> None:
        options = self._options
        self._services = await open_services(
            profile=self._settings.profile,
            sandbox=options.sandbox,
            faults=options.faults,
            sandbox_folder=self._sandbox_folder,
            dashscope=dashscope_place(self._settings.for_profile(self._settings.profile)),
        )
        self._services.use_profiles(self._profiles)
        if self._services.sandbox_reason:
            self._output.say(_("using the sandbox: {reason}").format(reason=self._services.sandbox_reason))
        for warning in self._services.warnings:
            self._output.say(warning)

    async def _choose_conversation(self) -> str:
        """Ours by its id, ours by the service's id, else a new one here that goes on with the service's."""
        wanted = clean_line(self._wanted.conversation)
        if not wanted:
            return await self._conversations.create(self._settings.service, self._partner)
        with suppress(KeyError):
            await self._conversations.open(wanted)
            return wanted
        await self._conversations.load_list()
        for summary in self._conversations.summaries():
            if summary.remote_id == wanted:
                await self._conversations.open(summary.id)
                return summary.id
        adopted = await self._store.create(self._settings.service, options=self._partner)
        await self._store.append(adopted.id, MetaRecord(remote_id=wanted))
        await self._conversations.open(adopted.id)
        return adopted.id

    @property
    def _partner(self) -> dict[str, str]:
        """What says with whom a new conversation with DashScope is, or how the Data Agent shall work."""
        if self._settings.service == "dms":
            return {"mode": self._wanted.mode} if self._wanted.mode else {}
        named = clean_line(self._wanted.assistant)
        if not named:
            return {}
        return {"assistant" if named.startswith("asst_") else "profile": named}

    # --- what the conversations ask of their owner -----------------------------------------------------------

    async def _service(self, name: ServiceName) -> ConversationService:
        assert self._services is not None
        service = await self._services.get(name)
        return tapped(service, self._output)

    def _question_options(self, _name: ServiceName) -> Mapping[str, str]:
        options = {
            "region": self._wanted.region or self._settings.region,
            "language": self._settings.answer_language or _LANGUAGES[language()],
        }
        return options | ({"timezone": self._settings.timezone} if self._settings.timezone else {})

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _changed(self, update: TurnUpdate) -> None:
        if update.ended:
            self._over.set()
        elif self._cause is not None:  # the wish came before there was a turn to stop
            self._conversations.stop(update.conversation_id)

    # --- ways to end -----------------------------------------------------------------------------------------

    def _interrupt(self) -> None:
        if self._cause is not None:  # a second time: at once; what has come is on disk
            os._exit(Exit.STOPPED)
        self._stop(Exit.STOPPED)

    def _stop(self, cause: Exit, tell: bool = True) -> None:
        if self._cause is None:
            self._cause = cause
            self._stopped.set()
            if tell:
                self._output.say(_("stopping; once more ends at once"))
        if self._conversation:
            self._conversations.stop(self._conversation)

    def _refused(self, problem: Problem, code: Exit | None = None) -> Exit:
        """End before there is a turn."""
        if code is None:
            code = _code_of(problem) if problem.code else Exit.USAGE
        self._output.problem(problem)
        self._output.end("", _unsent(problem), code)
        return code

    def _exit_code(self, turn: Turn) -> Exit:
        if self._cause is not None and turn.state != "done":
            return self._cause
        if self._unanswered:
            return Exit.APPROVAL
        match turn.state:
            case "done":
                return Exit.ANSWERED
            case "waiting":
                return Exit.APPROVAL
            case "cut_off" | "interrupted":
                return Exit.CUT_OFF
            case "stopped":
                return Exit.STOPPED
        return _code_of(turn.problem) if turn.problem is not None else Exit.FAILED


def _code_of(problem: Problem) -> Exit:
    kind = kind_of(problem.code, problem.status)
    return Exit.NOT_ALLOWED if kind in ("auth", "permission", "order") else Exit.FAILED


def _not_sent() -> Problem:
    return Problem(_("Not sent"), _("it was stopped before the question was sent."), delivered="no")


def _unsent(problem: Problem) -> Turn:
    return Turn("", "", datetime.now(UTC), state="failed", ids=TurnIds(), problem=problem)
