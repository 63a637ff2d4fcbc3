"""Several conversations as one incident: a timeline with request ids, each conversation in three forms, a manifest."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tui import __version__
from tui.exports.html import as_html
from tui.exports.markdown import NAMES, Shape, as_markdown, state_in_words, time_in
from tui.exports.portable import as_json
from tui.models import Conversation, Turn
from tui.text import safe_file_name
from tui.words import _, language

_COLUMNS = ("time", "service", "conversation", "event", "text", "seconds", "request_id", "message_id", "task_id")
_TEXT = 120


@dataclass(frozen=True, slots=True)
class Incident:
    """What a bundle is about."""

    title: str
    conversations: Sequence[Conversation]
    """Redacted already."""
    exported_at: datetime
    redacted: Mapping[str, int]
    """How often what kind was taken out."""


def bundle(incident: Incident, shape: Shape) -> dict[str, bytes]:
    """The files of a bundle by their names; `manifest.json`, the last, has the SHA-256 of the others."""
    files: dict[str, str] = {}
    rows = _timeline(incident.conversations)
    named: list[tuple[str, Conversation]] = []
    for number, conversation in enumerate(incident.conversations, 1):
        name = f"conversations/{number:02}-{safe_file_name(conversation.title[:50], conversation.id)}"
        named.append((name, conversation))
        markdown = as_markdown(conversation, shape)
        files[f"{name}.md"] = markdown
        files[f"{name}.html"] = as_html(markdown, conversation.title, language())
        files[f"{name}.json"] = as_json([conversation], incident.exported_at)
    files["timeline.csv"] = _as_csv(rows)
    front = _front_page(incident, shape, named, rows)
    files = {"README.md": front, "index.html": as_html(front, incident.title, language()), **files}
    data = {name: text.encode() for name, text in files.items()}
    data["manifest.json"] = _manifest(incident, data)
    return data


def as_zip(files: Mapping[str, bytes], folder: str, at: datetime) -> bytes:
    """The files in a zip archive, below one folder, readable by their owner alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", at.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    conversation: Conversation
    turn: Turn
    event: str
    text: str
    seconds: float = 0.0


def _timeline(conversations: Sequence[Conversation]) -> list[_Row]:
    rows: list[_Row] = []
    for conversation in conversations:
        for turn in conversation.turns:
            rows.append(_Row(turn.asked_at, conversation, turn, _("asked"), _short(turn.question)))
            if turn.finished_at is not None:
                words = turn.problem.title if turn.problem else _short(turn.answer)
                took = (turn.finished_at - turn.asked_at).total_seconds()
                rows.append(_Row(turn.finished_at, conversation, turn, state_in_words(turn.state), words, took))
    return sorted(rows, key=lambda row: row.at)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else line[: _TEXT - 1] + "…"


def _request_id(turn: Turn) -> str:
    return turn.ids.request or (turn.problem.request_id if turn.problem else "")


def _as_csv(rows: Sequence[_Row]) -> str:
    """Times in UTC, as other programs want them. A cell that a spreadsheet would compute begins with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    for row in rows:
        ids = row.turn.ids
        cells = [
            row.at.isoformat(timespec="milliseconds"),
            NAMES[row.conversation.service],
            row.conversation.title,
            row.event,
            row.text,
            f"{row.seconds:.1f}" if row.seconds else "",
            _request_id(row.turn),
            ids.message,
            ids.task,
        ]
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t" and cell else cell for cell in cells])
    return buffer.getvalue()


def _front_page(
    incident: Incident, shape: Shape, named: Sequence[tuple[str, Conversation]], rows: Sequence[_Row]
) -> str:
    taken = _(", ").join(f"{kind} {count}" for kind, count in sorted(incident.redacted.items()))
    lines = [
        f"# {_short(incident.title)}",
        "",
        "- " + _("written {time} by yunliao {version}").format(
            time=time_in(incident.exported_at, shape.zone), version=__version__
        ),
        "- " + (_("taken out: {what}").format(what=taken) if taken else _("nothing was taken out of it")),
        "",
        f"## {_('Conversations')}",
        "",
    ]  # fmt: skip
    for name, conversation in named:
        tags = " ".join(f"`{tag}`" for tag in conversation.tags)
        target = f"{name}.html".replace(" ", "%20")
        lines.append(f"- [{_plain(conversation.title)}](<{target}>) · {NAMES[conversation.service]} {tags}".rstrip())
    lines += ["", f"## {_('Timeline')}", ""]
    heads = (_("time"), _("service"), _("what"), _("words"), _("request id"))
    lines += ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _head in heads) + " |"]
    for row in rows:
        request = _request_id(row.turn)
        cells = (
            time_in(row.at, shape.zone),
            NAMES[row.conversation.service],
            row.event,
            _plain(row.text),
            f"`{request}`" if request else "",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """One line of text that is no Markdown, in a cell or the words of a link."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#!~&" else char for char in _short(text))


def _manifest(incident: Incident, files: Mapping[str, bytes]) -> bytes:
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    document = {
        "title": incident.title,
        "exported_at": incident.exported_at.isoformat(),
        "program": f"yunliao {__version__}",
        "redacted": dict(incident.redacted),
        "conversations": [each.id for each in incident.conversations],
        "files": listed,
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
