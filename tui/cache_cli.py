"""`yunliao search`, `export` and `import`: what is kept on this machine, without the full screen and the line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tui.exits import Exit
from tui.options import Options
from tui.words import _

# Imported with every start, for the help: what a command needs is imported when it runs.
if TYPE_CHECKING:
    from tui.cache.store import Store
    from tui.models import Conversation, ConversationSummary, ServiceName

COMMANDS = frozenset({"search", "export", "import"})
FORMS = ("md", "html", "json", "zip", "folder")
LEVELS = ("secrets", "all", "off")
LIMIT = 1000


def commands() -> dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]]:
    """What they are called, what they do in short and at length, and what gives them their flags."""
    return {
        "search": (
            _("search what was said, in all conversations of this machine"),
            _('Words, "a phrase", #tag, service:dms, since:7d, until:2026-11. The newest first; nothing is sent.'),
            _add_search_flags,
        ),
        "export": (
            _("write conversations of this machine to a file"),
            _("Without -o a text goes to stdout and a bundle into this folder. Files are readable by you alone."),
            _add_export_flags,
        ),
        "import": (
            _("take in conversations that were exported as JSON"),
            _("What is here already is left alone."),
            _add_import_flags,
        ),
    }


def _add_search_flags(search: argparse.ArgumentParser) -> None:
    search.add_argument("words", nargs="+", metavar=_("words"), help=_("all of them stand in one question and answer"))
    search.add_argument("--limit", type=int, default=50, metavar="N", help=_("at most so many hits"))
    search.add_argument("--json", action="store_true", help=_("print one JSON object a line"))


def _add_export_flags(export: argparse.ArgumentParser) -> None:
    export.add_argument("ids", nargs="*", metavar="ID", help=_("conversations, by their ids here or on the service"))
    export.add_argument("--all", action="store_true", help=_("all conversations"))
    export.add_argument("--matching", default="", metavar="QUERY", help=_("those in which `search` finds something"))
    export.add_argument("--form", choices=FORMS, default="md", help=_("md by default; zip and folder are bundles"))
    export.add_argument("--redact", choices=LEVELS, default="secrets", help=_("what is taken out: secrets, all, off"))
    export.add_argument("--thinking", action="store_true", help=_("with the thinking"))
    export.add_argument("--no-tools", action="store_true", help=_("without arguments and results of tools"))
    export.add_argument("--title", default="", metavar="TEXT", help=_("what the incident of a bundle is called"))
    export.add_argument("-o", "--output", default="", metavar="PATH", help=_("a new file or folder; - is stdout"))


def _add_import_flags(take: argparse.ArgumentParser) -> None:
    take.add_argument("files", nargs="+", metavar="FILE", help=_("an export as JSON; - is stdin"))


def run(parsed: argparse.Namespace, options: Options) -> int:
    """Run one of the commands; the exit code."""
    import asyncio

    return asyncio.run(_run(parsed, options))


async def _run(parsed: argparse.Namespace, options: Options) -> int:
    from tui import paths
    from tui.cache.store import Store

    places = paths.resolve(options.data_dir, os.environ)
    store = Store(places.state, fallback=places.runtime)
    await store.open()
    try:
        if store.banner and parsed.command == "import":
            return _complain(store.banner)
        if parsed.command == "search":
            return await _search(store, parsed)
        return await (_export if parsed.command == "export" else _import)(store, parsed)
    finally:
        await store.close()


def _complain(sentence: str) -> int:
    print(f"yunliao: {sentence}", file=sys.stderr)
    return Exit.USAGE


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


# --- search ----------------------------------------------------------------------------------------------------


async def _search(store: Store, parsed: argparse.Namespace) -> int:
    import asyncio
    import json

    summaries = {summary.id: summary for summary in await store.summaries()}
    words = " ".join(parsed.words)
    hits = await asyncio.to_thread(_hits, store, words, list(summaries.values()), parsed.limit, parsed.service)
    for hit in hits:
        summary = summaries.get(hit.conversation_id)
        title = summary.title if summary else ""
        if parsed.json:
            fields = {
                "conversation": hit.conversation_id,
                "turn": hit.turn_id,
                "service": summary.service if summary else "",
                "title": title,
                "asked_at": hit.asked_at.isoformat(),
                "snippet": hit.snippet,
            }
            print(json.dumps(fields, ensure_ascii=False))
        else:
            print(f"{hit.asked_at.astimezone():%Y-%m-%d %H:%M}  {hit.conversation_id}  {title}\n    {hit.snippet}")
    if not hits:
        _say(_("Nothing was found."))
    return Exit.ANSWERED


def _hits(
    store: Store, typed: str, summaries: Sequence[ConversationSummary], limit: int, service: ServiceName | Literal[""]
) -> Sequence[Any]:
    import threading

    from tui.cache.matching import Wanted
    from tui.search_query import parse

    query = parse(typed, _now())
    for text in query.unclear:
        _say(_("“{text}” is no filter").format(text=text))
    chosen = frozenset(summary.id for summary in summaries if query.takes(summary)) if query.tags else None
    services = frozenset({service}) if service else query.services
    wanted = Wanted(query.words, services, query.since, query.until, chosen)
    found = {
        (hit.conversation_id, hit.turn_id): hit for hit in store.searcher.find(wanted, threading.Event(), max(1, limit))
    }
    return sorted(found.values(), key=lambda hit: hit.asked_at, reverse=True)[: max(1, limit)]


# --- export ----------------------------------------------------------------------------------------------------


async def _export(store: Store, parsed: argparse.Namespace) -> int:
    import asyncio

    from tui.exporting import ExportRequest, render, write

    summaries = [each for each in await store.summaries() if parsed.service in ("", each.service)]
    chosen = await _chosen(store, parsed, summaries)
    if not chosen:
        return _complain(_("nothing to export: give ids, --matching or --all."))
    conversations: list[Conversation] = []
    for summary in chosen:
        try:
            conversations.append(await store.load(summary.id))
        except KeyError:
            return _complain(_("{id} cannot be read.").format(id=summary.id))
        await store.release(summary.id)
    request = ExportRequest(
        [summary.id for summary in chosen],
        form=parsed.form,
        redact=parsed.redact,
        thinking=parsed.thinking,
        tools=not parsed.no_tools,
        title=parsed.title,
    )
    exported = await asyncio.to_thread(render, request, conversations, _now())
    if exported.redacted:
        counts = _(", ").join(f"{kind} {count}" for kind, count in sorted(exported.redacted.items()))
        _say(_("taken out: {what}").format(what=counts))
    is_text = parsed.form in ("md", "html", "json")
    if parsed.output == "-" and parsed.form == "folder":
        return _complain(_("a folder cannot go to stdout."))
    if parsed.output == "-" or (is_text and not parsed.output):
        sys.stdout.buffer.write(next(iter(exported.files.values())))
        sys.stdout.buffer.flush()
        return Exit.ANSWERED
    try:
        if parsed.output:
            target = Path(parsed.output)
            path = await asyncio.to_thread(write, exported, target.parent, target.name)
        else:
            path = await asyncio.to_thread(write, exported, Path())
    except OSError as error:
        return _complain(_("Not saved: {reason}").format(reason=error.strerror))
    print(path)
    return Exit.ANSWERED


async def _chosen(
    store: Store, parsed: argparse.Namespace, summaries: Sequence[ConversationSummary]
) -> Sequence[ConversationSummary]:
    import asyncio

    if parsed.all:
        return summaries
    wanted = set(parsed.ids)
    if parsed.matching:
        hits = await asyncio.to_thread(_hits, store, parsed.matching, summaries, LIMIT, parsed.service)
        wanted |= {hit.conversation_id for hit in hits}
    found = [summary for summary in summaries if not wanted.isdisjoint({summary.id, summary.remote_id} - {""})]
    for missing in set(parsed.ids) - {summary.id for summary in found} - {summary.remote_id for summary in found}:
        _say(_("There is no conversation {id}.").format(id=missing))
    return found


# --- import ----------------------------------------------------------------------------------------------------


async def _import(store: Store, parsed: argparse.Namespace) -> int:
    import asyncio

    from tui.exporting import Exporting
    from tui.exports.portable import NotOurs

    async def opened() -> Store:
        return store

    exporting = Exporting(opened, store.load, _now)
    code = Exit.ANSWERED
    for name in parsed.files:
        try:
            data = await asyncio.to_thread(sys.stdin.buffer.read if name == "-" else Path(name).read_bytes)
            taken = await exporting.read(data, parsed.service)
        except (OSError, NotOurs) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            code = Exit(_complain(f"{name}: {reason}"))
            continue
        for conversation_id in taken.new:
            print(conversation_id)
        _say(_("{name}: {new} new, {known} here already").format(name=name, new=len(taken.new), known=taken.known))
    return code
