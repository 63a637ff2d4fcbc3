"""The Data Agent's own credential at the bucket: links to objects, and policies for uploads
(protocol notes, sections 9.3 and 9.4)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tui.sandbox import oss_signing
from tui.sandbox.auth import Key
from tui.sandbox.dms_reply import DmsCall
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.oss_store import BUCKET

REGION = "cn-hangzhou"
LARGEST = 200 * 1024 * 1024
"""Bytes of an upload."""
LINK_LIFE = 3600
"""Seconds."""
BUCKET_PATH = f"/oss/{BUCKET}"
LINK_KEY = Key("agent", "SandboxOssKeyId", "sandbox-oss-key-secret")
"""What pre-signed links are signed with."""


def link_to(agents: DataAgents, call: DmsCall, key: str, life: float = LINK_LIFE) -> str:
    """A link to an object for anybody who has it, until it expires."""
    expires = int(agents.now() + (call.faults.number("link-life") or life))
    host = call.origin + BUCKET_PATH
    return oss_signing.link(host, BUCKET, key, expires, LINK_KEY.access_key_id, LINK_KEY.access_key_secret)


def upload_policy(agents: DataAgents, call: DmsCall) -> Mapping[str, str]:
    """The form values of DescribeFileUploadSignature, signed with a new temporary credential."""
    faults = call.faults
    now = datetime.fromtimestamp(agents.now(), UTC)
    life = timedelta(seconds=faults.number("policy-life") or 3600)
    begun = now - 2 * life if "policy-expired" in faults else now
    key = agents.issue_upload_key(begun + life)
    day, date = begun.strftime("%Y%m%d"), begun.strftime("%Y%m%dT%H%M%SZ")
    folder = f"data_agent/file_upload/{call.account}/{date}/{secrets.token_hex(6)}"
    credential = f"{key.access_key_id}/{day}/{REGION}/{oss_signing.SERVICE}/{oss_signing.REQUEST}"
    largest = faults.count("upload-limit")
    policy = {
        "conditions": [
            {"x-oss-credential": credential},
            {"x-oss-date": date},
            {"x-oss-security-token": key.token},
            {"x-oss-signature-version": oss_signing.VERSION},
            ["starts-with", "$key", f"{folder}/"],
            ["content-length-range", 0, LARGEST if largest is None else largest],
        ],
        "expiration": (begun + life).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    text = base64.b64encode(json.dumps(policy, separators=(",", ":")).encode()).decode()
    secret = "another-secret" if "policy-wrong-signature" in faults else key.access_key_secret
    return {
        "OssCredential": credential,
        "OssDate": date,
        "OssSecurityToken": key.token,
        "OssSignature": oss_signing.policy_signature(secret, day, REGION, text),
        "OssSignatureVersion": oss_signing.VERSION,
        "Policy": text,
        "UploadDir": folder,
        "UploadHost": call.origin + BUCKET_PATH,
    }
