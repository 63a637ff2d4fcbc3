"""The golden vectors of the protocol notes (1.3 and 1.4), and what the signature must survive."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from tui.services.errors import ConfigurationError
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import Value, encode_params
from tui.services.signing import Acs3Auth, HeaderAuth, authorization, encode_query

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
GOLDEN_PARAMS: dict[str, Value] = {
    "Query": "disk of rm-x & 100% + 磁盘?",
    "EventMode": "separate",
    "Inputs": {"RegionId": "cn-hangzhou", "Language": "en-US"},
}
GOLDEN_QUERY = (
    "EventMode=separate&Inputs=%7B%22RegionId%22%3A%22cn-hangzhou%22%2C%22Language%22%3A%22en-US%22%7D"
    "&Query=disk%20of%20rm-x%20%26%20100%25%20%2B%20%E7%A3%81%E7%9B%98%3F"
)
KEY = AccessKey("FAKE_AK_ID", Secret("FAKE_AK_SECRET"))


def golden_headers() -> dict[str, str]:
    return {
        "host": "rdsai.aliyuncs.com",
        "x-acs-action": "ChatMessages",
        "x-acs-content-sha256": NOTHING,
        "x-acs-date": "2026-01-02T03:04:05Z",
        "x-acs-signature-nonce": "00112233445566778899aabbccddeeff",
        "x-acs-version": "2025-05-07",
    }


def test_the_golden_vector_gives_the_golden_signature() -> None:
    query = encode_query(encode_params(GOLDEN_PARAMS))

    assert query == GOLDEN_QUERY
    assert authorization("POST", "/", query, golden_headers(), "FAKE_AK_ID", "FAKE_AK_SECRET") == (
        "ACS3-HMAC-SHA256 Credential=FAKE_AK_ID,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=9ee082361e66c7134261dc1138f64f3f35dab0cdb7d832ed1be078cdc4cea6ef"
    )


def test_a_request_that_the_official_client_sent_has_the_signature_that_it_computed() -> None:
    params = encode_params(
        {
            "ConversationId": "conv-0001",
            "EventMode": "separate",
            "Files": [{"TransferMethod": "local_file", "Type": "image", "UploadFileId": "file-1"}],
            "Inputs": {
                "CustomAgentId": "agent-0001",
                "EnableThinking": "true",
                "Language": "en-US",
                "ModelId": "qwen-fake",
                "RegionId": "cn-hangzhou",
                "ThinkEffort": "high",
                "Timezone": "Asia/Shanghai",
                "ToolApprovalMode": "manual",
            },
            "Query": "disk of rm-x & 100% + 磁盘?",
        }
    )
    headers = {
        "accept": "application/json",
        "host": "127.0.0.1:18765",
        "user-agent": "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2",
        "x-acs-action": "ChatMessages",
        "x-acs-content-sha256": NOTHING,
        "x-acs-credentials-provider": "static_ak",
        "x-acs-date": "2026-11-22T01:51:03Z",
        "x-acs-signature-nonce": "3aed26da752abbc94f5e6ca91a53dc53",
        "x-acs-version": "2025-05-07",
    }

    signed = authorization("POST", "/", encode_query(params), headers, "FAKE_AK_ID", "FAKE_AK_SECRET")

    assert signed.endswith("Signature=5ea1f35bc0da43932f89044ba9b4ee03cfc41031a86ab527cf26c0ffab828194")


def sign(key: AccessKey, *, target: bytes = b"/", accept: str = "application/json") -> httpx.Request:
    auth = Acs3Auth(
        FixedKey(key),
        now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        nonce=lambda: "00112233445566778899aabbccddeeff",
    )
    request = httpx.Request(
        "POST",
        "https://rdsai.aliyuncs.com/",
        headers={"x-acs-action": "ChatMessages", "x-acs-version": "2025-05-07", "accept": accept},
        extensions={"target": target},
    )
    auth.sign(request, key)
    return request


def test_the_auth_signs_what_the_target_says_and_nothing_that_a_proxy_may_change() -> None:
    request = sign(KEY, target=f"/?{GOLDEN_QUERY}".encode())

    assert request.headers["authorization"].endswith("9ee082361e66c7134261dc1138f64f3f35dab0cdb7d832ed1be078cdc4cea6ef")
    assert sign(KEY, accept="text/event-stream").headers["authorization"] == sign(KEY).headers["authorization"]


def test_a_token_is_sent_and_signed() -> None:
    request = sign(AccessKey("STS.id", Secret("secret"), Secret("token")))

    assert request.headers["x-acs-accesskey-id"] == "STS.id"
    assert request.headers["x-acs-security-token"] == "token"
    assert "x-acs-accesskey-id" in request.headers["authorization"]
    assert "x-acs-security-token" in request.headers["authorization"]


async def test_every_attempt_has_a_nonce_and_a_date_of_its_own() -> None:
    auth = Acs3Auth(FixedKey(KEY))
    nonces = set()
    for _attempt in range(3):
        request = httpx.Request("POST", "https://rdsai.aliyuncs.com/")
        async for signed in auth.async_auth_flow(request):
            nonces.add(signed.headers["x-acs-signature-nonce"])
    assert len(nonces) == 3
    assert all(len(nonce) == 32 for nonce in nonces)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", None),
        (None, None),
        ([], "[]"),
        (["a", "b"], '["a","b"]'),
        ({"名": "磁盘"}, '{"名":"磁盘"}'),
        (20, "20"),
        (True, "true"),
        (False, "false"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
)
def test_parameters_are_encoded_as_the_service_reads_them(value: object, text: str | None) -> None:
    assert dict(encode_params({"P": value})) == ({} if text is None else {"P": text})  # type: ignore[dict-item]


PARTS = ["a\nb", "a b", "\u5bc6\u94a5", "canary\udce4", "canary\x00"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("place", ["id", "secret", "token"])
async def test_a_key_that_cannot_be_one_is_never_written_nor_shown(part: str, place: str) -> None:
    parts = {"id": "id", "secret": "secret", "token": "", place: part}
    keys = FixedKey(AccessKey(parts["id"], Secret(parts["secret"]), Secret(parts["token"]), source="cli_profile/a"))

    for auth in (Acs3Auth(keys), HeaderAuth(keys))[: 2 if place == "secret" else 1]:
        with pytest.raises(ConfigurationError, match="from cli_profile/a has a character that no key has") as caught:
            await anext(auth.async_auth_flow(httpx.Request("POST", "https://rdsai.aliyuncs.com/")))
        assert "canary" not in f"{caught.value} {caught.value.problem}"


async def test_a_key_goes_into_a_header_for_services_without_signatures() -> None:
    request = httpx.Request("POST", "https://dashscope.aliyuncs.com/")

    for auth in (HeaderAuth(FixedKey(KEY)), HeaderAuth(FixedKey(KEY), "x-api-key", "")):
        assert await anext(auth.async_auth_flow(request)) is request
    assert request.headers["authorization"] == "Bearer FAKE_AK_SECRET"
    assert request.headers["x-api-key"] == "FAKE_AK_SECRET"


def test_a_secret_does_not_show_itself() -> None:
    key = AccessKey("LTAI5tFakeFakeFake3f2a", Secret("very-secret"), Secret("very-token"))

    shown = f"{key} {key!r} {key.secret} {key.secret:>10} {[key.token]}"

    assert "very" not in shown
    assert key.masked == "LTAI…3f2a"
    assert AccessKey("short", Secret("x")).masked == "sh…"
