"""The Data Agent's files: how they are registered, listed, deleted. Source: protocol notes (DMS) 6.3 and 9."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tui.services.dms_calls import Calls, need
from tui.services.fields import Fields, as_items, as_object, as_time
from tui.services.keys import NO_SECRET, Secret
from tui.text import clean_line

LINK_LIFE = timedelta(hours=1)
"""Of a download link of the built-in storage."""
SIGNATURE_LIFE = timedelta(hours=1)

FileCategory = Literal["", "TextReport", "WebReport", "DefaultArtifact"]


@dataclass(frozen=True, slots=True)
class UploadGrant:
    """Leave to upload one file, for an hour. The values go into the form as they are."""

    host: str
    """The upload host's URL, as the service named it."""
    folder: str
    policy: Secret
    signature: Secret
    signature_version: str
    credential: str
    date: str
    token: Secret
    expires_at: datetime

    def is_fresh(self, now: datetime, needed: timedelta = timedelta(minutes=5)) -> bool:
        """True while it holds for `needed` longer."""
        return now + needed < self.expires_at


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that the service has: one that was uploaded, or one that the agent made."""

    id: str
    name: str
    size: int = 0
    """Bytes; 0 where not told."""
    kind: str = ""
    """The extension."""
    category: str = ""
    """`TextReport`, `WebReport`, `DefaultArtifact`; empty for uploads."""
    origin: str = ""
    """`Agent` ...: who made it."""
    session: str = ""
    location: str = ""
    """Where it lies in the store."""
    created_at: datetime | None = None
    link: Secret = NO_SECRET
    """Where it can be downloaded by anybody until `link_until`; never written down."""
    link_until: datetime | None = None


class RemoteFiles:
    """The file operations of one account."""

    def __init__(self, calls: Calls, unit: str) -> None:
        self._calls = calls
        self._unit = unit

    @property
    def local(self) -> bool:
        """The service is on this machine: what it names may be, too."""
        return self._calls.local

    async def grant(self) -> UploadGrant:
        """Ask for leave to upload; repeated where that may help, since it changes nothing."""
        began = datetime.now(UTC)
        answer = await self._calls.read("DescribeFileUploadSignature", {"DmsUnit": self._unit})
        data = as_object(answer.first("Data")) or answer

        def secret(field: str) -> Secret:
            value = data.first(field)
            return Secret(need(answer, field, value if isinstance(value, str) else ""))

        def text(field: str) -> str:
            return need(answer, field, data.line(field, limit=2000))

        return UploadGrant(
            host=text("UploadHost"),
            folder=text("UploadDir"),
            policy=secret("Policy"),
            signature=secret("OssSignature"),
            signature_version=text("OssSignatureVersion"),
            credential=text("OssCredential"),
            date=text("OssDate"),
            token=secret("OssSecurityToken"),
            expires_at=began + SIGNATURE_LIFE,
        )

    async def register(self, name: str, location: str, size: int) -> str:
        """Tell the service of an uploaded file; its file id. Without this the file is not there for the agent."""
        answer = await self._calls.write(
            "FileUploadCallback",
            {"Filename": name, "UploadLocation": location, "FileSize": size, "DmsUnit": self._unit},
        )
        data = as_object(answer.first("Data")) or answer
        return need(answer, "FileId", data.line("FileId"))

    async def list(
        self, *, session: str = "", category: FileCategory = "", file_id: str = ""
    ) -> tuple[RemoteFile, ...]:
        """All files, or those of a session, newest first; the operation knows no pages."""
        asked_at = datetime.now(UTC)
        answer = await self._calls.read(
            "ListFileUpload",
            {
                "DmsUnit": self._unit,
                "SessionId": session,
                "FileCategory": category,
                "FileId": file_id,
                "SortColumn": "gmtCreated",
                "SortDirection": "desc",
            },
        )
        found = [read_file(item, asked_at) for item in as_items(answer.first("Data", "Content"))]
        return tuple(file for file in found if file.id)

    async def delete(self, file_id: str) -> None:
        await self._calls.write("DeleteFileUpload", {"FileId": file_id, "DmsUnit": self._unit})


def read_file(fields: Fields, asked_at: datetime) -> RemoteFile:
    size = fields.first("FileSize")
    link = fields.first("DownloadLink")
    url = link if isinstance(link, str) else ""
    return RemoteFile(
        id=fields.line("FileId"),
        name=clean_line(fields.line("FileName", "Filename")) or fields.line("FileId"),
        size=int(size) if str(size).isdecimal() else 0,
        kind=fields.line("FileType", limit=20).lower(),
        category=fields.line("FileCategory", limit=40),
        origin=fields.line("FileFrom", limit=40),
        session=fields.line("SessionId"),
        location=fields.line("UploadLocation", limit=1000),
        created_at=as_time(fields.first("GmtCreated")),
        link=Secret(url),
        link_until=link_expiry(url, asked_at) if url else None,
    )


def link_expiry(url: str, asked_at: datetime) -> datetime:
    """When a pre-signed link ends: its `Expires`, or `x-oss-date` and `x-oss-expires`, else an hour from now."""
    try:
        query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if (moment := query.get("expires", "")).isdecimal() and (found := as_time(moment)):
            return found
        begun = datetime.strptime(query.get("x-oss-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return begun + timedelta(seconds=int(query.get("x-oss-expires", "")))
    except (ValueError, OverflowError):
        return asked_at + LINK_LIFE
