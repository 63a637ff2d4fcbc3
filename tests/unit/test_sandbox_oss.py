"""The sandbox's bucket: policies as they are signed, forms as they are checked, links as they expire."""

from __future__ import annotations

import base64
import gc
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from tests.oss_form import Form, form_of, post_form
from tests.unit.dms_wire import Agent
from tui.sandbox import oss_signing
from tui.sandbox.auth import Key
from tui.sandbox.oss_policy import OssError, verify
from tui.sandbox.oss_store import ObjectStore
from tui.sandbox.server import SandboxServer

DATA = "日期,金额\n2026-01-02,3.5\n".encode()


@pytest.fixture
def agent(server: SandboxServer) -> Agent:
    return Agent(server)


# --- the worked example of the protocol notes ------------------------------------------------------------------

EXAMPLE = (
    '{"expiration":"2026-01-02T04:04:05.000Z","conditions":[{"x-oss-signature-version":"OSS4-HMAC-SHA256"},'
    '{"x-oss-credential":"STS.EXAMPLEKEYID/20260102/cn-hangzhou/oss/aliyun_v4_request"},'
    '{"x-oss-date":"20260102T030405Z"},{"x-oss-security-token":"EXAMPLE-STS-TOKEN"},'
    '["starts-with","$key","data_agent/file_upload/1/20260102/abc/"],["content-length-range",0,209715200]]}'
)
NOW = datetime(2026, 1, 2, 3, 10, tzinfo=UTC)
KEY = Key("a", "STS.EXAMPLEKEYID", "example-sts-secret", "EXAMPLE-STS-TOKEN")
FIELDS = {
    "policy": base64.b64encode(EXAMPLE.encode()).decode(),
    "x-oss-signature": "c2a8c69bf7903cc479ac73e5b4cfaea0262e5b4cf9e78c183b5ced096fbdee98",
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": "STS.EXAMPLEKEYID/20260102/cn-hangzhou/oss/aliyun_v4_request",
    "x-oss-date": "20260102T030405Z",
    "x-oss-security-token": "EXAMPLE-STS-TOKEN",
    "key": "data_agent/file_upload/1/20260102/abc/a.csv",
}


def checked(fields: dict[str, str], now: datetime = NOW) -> str:
    """The code of the refusal; empty when there is none."""
    try:
        verify(fields, lambda name: KEY if name == KEY.access_key_id else None, "cn-hangzhou", now)
    except OssError as error:
        return error.code
    return ""


def test_the_worked_example() -> None:
    assert oss_signing.signing_key("example-sts-secret", "20260102", "cn-hangzhou").hex() == (
        "f2cb5353a3b00d7e918ddcc58e12a55a47b55e9228a9a58d53c546e874a160d3"
    )
    assert checked(FIELDS) == ""
    policy = verify(FIELDS, lambda name: KEY, "cn-hangzhou", NOW)
    assert (policy.smallest, policy.largest) == (0, 209_715_200)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("x-oss-signature-version", "OSS2", "InvalidArgument"),
        ("x-oss-credential", "STS.EXAMPLEKEYID/20260102/oss-cn-hangzhou/oss/aliyun_v4_request", "InvalidArgument"),
        ("x-oss-credential", "STS.OTHER/20260102/cn-hangzhou/oss/aliyun_v4_request", "InvalidAccessKeyId"),
        ("x-oss-credential", "STS.EXAMPLEKEYID/20260103/cn-hangzhou/oss/aliyun_v4_request", "SignatureDoesNotMatch"),
        ("x-oss-security-token", "another", "InvalidSecurityToken"),
        ("x-oss-signature", "c2" * 32, "SignatureDoesNotMatch"),
        ("x-oss-signature", "", "SignatureDoesNotMatch"),
        ("policy", FIELDS["policy"] + "=", "SignatureDoesNotMatch"),
        ("x-oss-date", "2026-01-02", "InvalidArgument"),
        ("x-oss-date", "20260102T030406Z", "AccessDenied"),
        ("key", "data_agent/file_upload/2/20260102/abc/a.csv", "AccessDenied"),
        ("key", "", "AccessDenied"),
    ],
)
def test_each_field_is_checked(field: str, value: str, code: str) -> None:
    assert checked({**FIELDS, field: value}) == code


def test_the_policy_expires() -> None:
    assert checked(FIELDS, datetime(2026, 1, 2, 4, 4, 4, tzinfo=UTC)) == ""
    assert checked(FIELDS, datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)) == "AccessDenied"
    assert checked(FIELDS, NOW - timedelta(hours=1)) == "AccessDenied"


def signed_fields(document: object) -> dict[str, str]:
    policy = base64.b64encode(document if isinstance(document, bytes) else json.dumps(document).encode()).decode()
    signature = oss_signing.policy_signature(KEY.access_key_secret, "20260102", "cn-hangzhou", policy)
    return {**FIELDS, "policy": policy, "x-oss-signature": signature}


@pytest.mark.parametrize("document", [b"no json", [], {}, {"expiration": "soon", "conditions": []}, {"conditions": []}])
def test_broken_policies(document: object) -> None:
    assert checked(signed_fields(document)) == "InvalidPolicyDocument"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (["eq", "$key", FIELDS["key"]], True),
        (["eq", "$key", "x"], False),
        (["in", "$x-oss-date", ["a", "20260102T030405Z"]], True),
        (["in", "$x-oss-date", ["a"]], False),
        (["not-in", "$key", ["a"]], True),
        (["not-in", "$key", [FIELDS["key"]]], False),
        (["sounds-like", "$key", "a"], False),
        ({"bucket": "another"}, False),
    ],
)
def test_conditions(condition: object, holds: bool) -> None:
    document = {"expiration": "2026-01-02T04:04:05.000Z", "conditions": [condition]}

    assert checked(signed_fields(document)) == ("" if holds else "AccessDenied")


# --- forms -----------------------------------------------------------------------------------------------------


def signature(agent: Agent, fault: str = "") -> dict[str, str]:
    values: dict[str, str] = agent.data("DescribeFileUploadSignature", fault)
    return values


def get(link: str, **headers: str) -> httpx.Response:
    return httpx.get(link, headers=headers, trust_env=False, verify=False)


async def posted(agent: Agent, form: Form, fault: str = "", **headers: str) -> tuple[int, str]:
    """Status and error code of an upload."""
    host = f"{agent.server.info.url}/oss/sandbox-dms"
    reply = await post_form(host, form, **{"x-sandbox-fault": fault}, **headers)
    if reply.status_code < 300:
        return reply.status_code, ""
    root = ElementTree.fromstring(reply.content)
    assert root.tag == "Error"
    assert root.findtext("RequestId", "").startswith("SANDBOX-")
    return reply.status_code, root.findtext("Code", "")


def register(agent: Agent, values: dict[str, str], name: str = "a.csv", size: int = len(DATA)) -> dict[str, Any]:
    reply = agent.post(
        "FileUploadCallback", Filename=name, UploadLocation=f"{values['UploadDir']}/{name}", FileSize=size
    )
    body: dict[str, Any] = reply.json()
    return body


async def test_a_file_goes_up_and_comes_down(agent: Agent) -> None:
    values = signature(agent)
    assert values["UploadHost"] == f"{agent.server.info.url}/oss/sandbox-dms"
    assert values["UploadDir"].split("/")[-2] == values["OssDate"]

    assert await posted(agent, form_of(values, "销售 a+b.csv", DATA, "text/csv")) == (200, "")
    registered = register(agent, values, "销售 a+b.csv")["Data"]["FileId"]
    again = register(agent, values, "销售 a+b.csv")["Data"]["FileId"]

    assert registered == again
    listed = agent.data("ListFileUpload", FileId=registered)
    assert (listed[0]["FileName"], listed[0]["FileSize"], listed[0]["FileFrom"]) == ("销售 a+b.csv", len(DATA), "User")
    got = get(listed[0]["DownloadLink"])
    assert (got.content, got.headers["content-type"]) == (DATA, "text/csv")
    form = agent.server.state()["dms"]["forms"][0]
    assert form["fields"] == [
        "success_action_status",
        "policy",
        "x-oss-signature",
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-date",
        "key",
        "x-oss-security-token",
        "file",
    ]
    assert (form["size"], form["status"], form["file_type"]) == (len(DATA), 200, "text/csv")


async def test_the_file_must_be_the_last_field(agent: Agent) -> None:
    """What comes after it is not read, so the policy is missing."""
    form = form_of(signature(agent), "a.csv", DATA, "text/csv")

    assert await posted(agent, [form[-1], *form[:-1]]) == (400, "InvalidArgument")
    assert await posted(agent, form[:-1]) == (400, "MalformedPOSTRequest")
    assert agent.server.state()["dms"]["files"] == []


async def test_signatures_of_the_cloud_have_no_business_here(agent: Agent) -> None:
    form = form_of(signature(agent), "a.csv", DATA, "text/csv")

    for header in ({"Authorization": "ACS3-HMAC-SHA256 x"}, {"x-acs-action": "x"}, {"Cookie": "a=b"}):
        assert await posted(agent, form, **header) == (400, "InvalidArgument")
    assert agent.server.state()["dms"]["counts"]["credentials leaked"] == 3


async def test_status_names_and_sizes(agent: Agent) -> None:
    values = signature(agent)
    form = form_of(values, "a.csv", DATA, "text/csv")

    assert await posted(agent, form[1:]) == (204, "")
    for key in ("data_agent/other/a.csv", f"{values['UploadDir']}/../x"):
        other = [(name, (None, key, None)) if name == "key" else (name, part) for name, part in form]
        assert (await posted(agent, other))[1] in ("AccessDenied", "InvalidObjectName")
    small = form_of(signature(agent, "upload-limit=10"), "a.csv", DATA, "text/csv")
    assert await posted(agent, small) == (400, "EntityTooLarge")


async def test_the_callback_looks_at_the_object(agent: Agent) -> None:
    values = signature(agent)
    assert register(agent, values)["ErrorCode"] == "DMS.DataAgent.FileNotExist"
    await posted(agent, form_of(values, "a.csv", DATA, "text/csv"))

    assert register(agent, values, size=5)["ErrorCode"] == "DMS.DataAgent.FileSizeMismatch"
    assert register(agent, values, name="../a.csv")["Code"] == "InvalidParameter"
    assert register(agent, values, name="a.exe")["Code"] == "InvalidParameter"
    assert register(agent, values)["Data"]["FileId"].startswith("f-")


async def test_a_form_is_good_for_an_hour(agent: Agent) -> None:
    form = form_of(signature(agent), "a.csv", DATA, "text/csv")
    agent.server.advance(3540)
    assert await posted(agent, form) == (200, "")
    agent.server.advance(61)
    assert await posted(agent, form) == (403, "AccessDenied")


async def test_accidents_of_an_upload(agent: Agent) -> None:
    expired = form_of(signature(agent, "policy-expired"), "a.csv", DATA, "text/csv")
    assert await posted(agent, expired) == (403, "AccessDenied")
    short = signature(agent, "policy-life=60")
    agent.server.advance(61)
    assert await posted(agent, form_of(short, "a.csv", DATA, "text/csv")) == (403, "AccessDenied")
    wrong = form_of(signature(agent, "policy-wrong-signature"), "a.csv", DATA, "text/csv")
    assert await posted(agent, wrong) == (403, "SignatureDoesNotMatch")
    large = form_of(signature(agent), "a.csv", b"x" * 2_000_000, "text/csv")
    assert await posted(agent, large, "disk-full=100") == (507, "InsufficientStorage")
    assert await posted(agent, large, "service-unavailable") == (503, "ServiceUnavailable")
    assert await posted(agent, large, "http-500") == (500, "InternalError")
    assert await posted(agent, large, "no-such-switch") == (400, "Sandbox.UnknownSwitch")
    with pytest.raises(httpx.TransportError):
        await posted(agent, large, "drop-upload=1000000")
    with pytest.raises(httpx.TransportError):
        await posted(agent, large, "drop-before-accept")
    with pytest.raises(httpx.TransportError):
        await posted(agent, large, "drop-after-accept")
    assert await posted(agent, large, "slow-upload=100000000") == (200, "")
    form = agent.server.state()["dms"]["forms"][-1]
    assert (form["size"], form["status"]) == (2_000_000, 200)


async def test_what_was_refused_leaves_nothing(tmp_path: Path) -> None:
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        agent = Agent(server)
        form = form_of(signature(agent, "upload-limit=1000"), "a.csv", b"x" * 2_000_000, "text/csv")
        await posted(agent, form)

    assert [path.name for path in tmp_path.rglob("*") if path.suffix in (".part", ".bin")] == []


async def test_a_redirect_is_counted_where_it_leads(agent: Agent) -> None:
    reply = await post_form(
        f"{agent.server.info.url}/oss/sandbox-dms",
        form_of(signature(agent), "a.csv", DATA, "text/csv"),
        **{"x-sandbox-fault": "redirect"},
    )
    assert (reply.status_code, reply.headers["location"]) == (302, "/_sandbox/moved")
    assert agent.server.state()["moved"] == 0


# --- links -----------------------------------------------------------------------------------------------------


async def stored(agent: Agent, fault: str = "") -> str:
    """A link to a file."""
    values = signature(agent)
    await posted(agent, form_of(values, "a.csv", DATA, "text/csv"))
    register(agent, values)
    return str(agent.post("ListFileUpload", fault).json()["Data"][0]["DownloadLink"])


def fetched(link: str, fault: str = "", **headers: str) -> tuple[int, str]:
    reply = get(link, **{"x-sandbox-fault": fault}, **headers)
    code = ElementTree.fromstring(reply.content).findtext("Code", "") if reply.status_code >= 400 else ""
    return reply.status_code, code


async def test_links_expire(agent: Agent) -> None:
    link = await stored(agent)
    assert fetched(link) == (200, "")
    assert fetched(link, "link-expired") == (403, "AccessDenied")
    agent.server.advance(3601)
    assert fetched(link) == (403, "AccessDenied")
    short = await stored(agent, "link-life=60")
    agent.server.advance(61)
    assert fetched(short) == (403, "AccessDenied")


async def test_links_are_signed(agent: Agent) -> None:
    link = await stored(agent)
    later = link.replace("Expires=", "Expires=1")
    assert fetched(later) == (403, "SignatureDoesNotMatch")
    assert fetched(link.replace("SandboxOssKeyId", "Another")) == (403, "InvalidAccessKeyId")
    assert fetched(link.replace("a.csv", "b.csv")) == (403, "SignatureDoesNotMatch")
    assert fetched(link, Authorization="ACS3-HMAC-SHA256 x") == (400, "InvalidArgument")


async def test_parts_and_ends_of_a_download(agent: Agent) -> None:
    link = await stored(agent)
    part = get(link, Range="bytes=3-6")
    assert (part.status_code, part.content) == (206, DATA[3:7])
    with pytest.raises(httpx.RemoteProtocolError):
        fetched(link, "drop-download=10")
    file_id = agent.data("ListFileUpload")[0]["FileId"]
    agent.data("DeleteFileUpload", FileId=file_id)
    assert fetched(link) == (404, "NoSuchKey")
    assert agent.refused("DeleteFileUpload", FileId=file_id) == "DMS.DataAgent.FileNotExist"


async def test_uploads_are_not_held_in_memory(agent: Agent) -> None:
    """A field is bounded; the file goes to disk as it comes, and what is too large is refused on the way."""
    values = signature(agent)
    form = form_of(values, "a.csv", DATA, "text/csv")
    long = [("policy", (None, "x" * 20_000, None)), *form]
    assert await posted(agent, long) == (400, "MalformedPOSTRequest")


def test_folders_of_killed_programs_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left, own, other = (tmp_path / f"yunliao-sandbox-{name}-x" for name in (int(ended.stdout), os.getpid(), "someone"))
    for folder in (left, own, other):
        folder.mkdir()

    store = ObjectStore(None)
    made = store.folder

    assert made.is_dir()
    assert [folder.is_dir() for folder in (left, own, other)] == [False, True, True]
    del store
    gc.collect()
    assert not made.exists()
