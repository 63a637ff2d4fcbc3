"""The sandbox's own check of signatures, against the golden vectors of the protocol and against the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.unit.sandbox_wire import call, signed
from tui.sandbox.auth import Key, Keyring, SignedRequest, canonical_query, canonical_request, signature
from tui.sandbox.refusals import Refusal
from tui.sandbox.server import SandboxServer

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HEADERS = {
    "host": "rdsai.aliyuncs.com",
    "x-acs-action": "ChatMessages",
    "x-acs-content-sha256": EMPTY,
    "x-acs-date": "2026-01-02T03:04:05Z",
    "x-acs-signature-nonce": "00112233445566778899aabbccddeeff",
    "x-acs-version": "2025-05-07",
}
QUERY = (
    ("Query", "disk of rm-x & 100% + 磁盘?"),
    ("EventMode", "separate"),
    ("Inputs", '{"RegionId":"cn-hangzhou","Language":"en-US"}'),
)


def test_golden_vector() -> None:
    request = SignedRequest("POST", "/", QUERY, HEADERS, b"")

    assert canonical_query(QUERY) == (
        "EventMode=separate&Inputs=%7B%22RegionId%22%3A%22cn-hangzhou%22%2C%22Language%22%3A%22en-US%22%7D"
        "&Query=disk%20of%20rm-x%20%26%20100%25%20%2B%20%E7%A3%81%E7%9B%98%3F"
    )
    mark = signature("FAKE_AK_SECRET", canonical_request(request, HEADERS, EMPTY))
    assert mark == "9ee082361e66c7134261dc1138f64f3f35dab0cdb7d832ed1be078cdc4cea6ef"


def test_the_official_clients_request_of_the_notes() -> None:
    headers = {
        "accept": "application/json",
        "host": "127.0.0.1:18765",
        "user-agent": "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2",
        "x-acs-action": "ChatMessages",
        "x-acs-content-sha256": EMPTY,
        "x-acs-credentials-provider": "static_ak",
        "x-acs-date": "2026-11-22T01:51:03Z",
        "x-acs-signature-nonce": "3aed26da752abbc94f5e6ca91a53dc53",
        "x-acs-version": "2025-05-07",
    }
    inputs = (
        '{"CustomAgentId":"agent-0001","EnableThinking":"true","Language":"en-US","ModelId":"qwen-fake",'
        '"RegionId":"cn-hangzhou","ThinkEffort":"high","Timezone":"Asia/Shanghai","ToolApprovalMode":"manual"}'
    )
    query = (
        ("ConversationId", "conv-0001"),
        ("EventMode", "separate"),
        ("Files", '[{"TransferMethod":"local_file","Type":"image","UploadFileId":"file-1"}]'),
        ("Inputs", inputs),
        ("Query", "disk of rm-x & 100% + 磁盘?"),
    )
    request = SignedRequest("POST", "/", query, headers, b"")
    mark = signature("FAKE_AK_SECRET", canonical_request(request, headers, EMPTY))
    assert mark == "5ea1f35bc0da43932f89044ba9b4ee03cfc41031a86ab527cf26c0ffab828194"


def _request(key: Key, leave_out: str = "", **changes: str) -> SignedRequest:
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    if key.token:
        headers["x-acs-security-token"] = key.token
    names = sorted(name for name in headers if name != leave_out)
    mark = signature(
        key.access_key_secret, canonical_request(SignedRequest("POST", "/", QUERY, headers, b""), names, EMPTY)
    )
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key.access_key_id},SignedHeaders={';'.join(names)},Signature={mark}"
    )
    return SignedRequest("POST", "/", QUERY, headers, b"")


def _code(ring: Keyring, request: SignedRequest, now: datetime = NOW) -> str:
    with pytest.raises(Refusal) as caught:
        ring.verify(request, now)
    return caught.value.code


def test_what_is_refused() -> None:
    from tui.sandbox.auth import MAIN

    ring = Keyring()
    assert ring.verify(_request(MAIN), NOW) == MAIN
    assert _code(ring, _request(MAIN)) == "SignatureNonceUsed"
    other = {"x_acs_signature_nonce": "1"}
    assert _code(ring, _request(MAIN, **other), NOW + timedelta(minutes=16)) == "InvalidTimeStamp.Expired"
    assert _code(ring, _request(MAIN, **other), NOW - timedelta(minutes=16)) == "InvalidTimeStamp.Expired"
    assert _code(ring, _request(MAIN, x_acs_date="yesterday")) == "InvalidTimeStamp.Format"
    assert _code(ring, _request(MAIN, leave_out="x-acs-action", **other)) == "IncompleteSignature"
    assert _code(ring, _request(MAIN, leave_out="host", **other)) == "IncompleteSignature"
    assert _code(ring, _request(MAIN, x_acs_content_sha256="0" * 64, **other)) == "IncompleteSignature"
    assert _code(ring, SignedRequest("POST", "/", QUERY, HEADERS, b"")) == "IncompleteSignature"
    changed = SignedRequest("POST", "/", QUERY[:2], _request(MAIN, **other).headers, b"")
    assert _code(ring, changed) == "SignatureDoesNotMatch"
    assert ring.verify(_request(MAIN, **other), NOW + timedelta(minutes=14)) == MAIN


def test_temporary_credentials() -> None:
    ring = Keyring()
    key = ring.issue_temporary(NOW, timedelta(minutes=10))
    assert ring.verify(_request(key), NOW) == key
    later = _request(key, x_acs_signature_nonce="2")
    assert _code(ring, later, NOW + timedelta(minutes=10)) == "InvalidSecurityToken.Expired"
    bare = Key(key.account, key.access_key_id, key.access_key_secret)
    assert _code(ring, _request(bare)) == "MissingSecurityToken"
    wrong = Key(key.account, key.access_key_id, key.access_key_secret, "of-another")
    assert _code(ring, _request(wrong)) == "InvalidSecurityToken.Malformed"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


def test_other_ways_to_say_the_same(sandbox: SandboxServer) -> None:
    request = signed(sandbox.info, "GetConversations", {"Limit": "5"})
    with httpx.Client(trust_env=False, verify=False) as client:
        assert client.send(request).json()["Limit"] == 5
        assert client.send(request).json()["Code"] == "SignatureNonceUsed"
        chat = signed(sandbox.info, "", {"Query": "echo x"}, "POST /v1/chat-messages")
        assert "x-acs-action" not in chat.headers
        assert client.send(chat).status_code == 200
        by_parameter = signed(sandbox.info, "", {"Action": "GetConversations", "Limit": "6"}, "GET /")
        assert client.send(by_parameter).json()["Limit"] == 6
        form = {"content-type": "application/x-www-form-urlencoded"}
        in_body = signed(sandbox.info, "GetConversations", {}, body=b"Limit=7&Pinned=", headers=form)
        assert client.send(in_body).json()["Limit"] == 7
        assert (
            client.send(signed(sandbox.info, "GetConversations", {}, headers={"x-acs-version": ""})).status_code == 404
        )
    assert call(sandbox.info, "GetConversations", Limit="").json()["Limit"] == 100
    assert call(sandbox.info, "GetConversations", Limit="0").json()["Code"] == "InvalidParameter"
    assert call(sandbox.info, "getconversations").json()["Code"] == "InvalidAction.NotFound"
