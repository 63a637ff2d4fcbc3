"""Signatures of OSS: the V4 signature of a form's policy, and the query signature of a link
(protocol notes, sections 9.3 and 9.4). Standard library only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

VERSION = "OSS4-HMAC-SHA256"
SERVICE = "oss"
REQUEST = "aliyun_v4_request"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret: str, day: str, region: str) -> bytes:
    """The derived key. `day` is YYYYMMDD, `region` without the prefix oss-."""
    return _hmac(_hmac(_hmac(_hmac(b"aliyun_v4" + secret.encode(), day), region), SERVICE), REQUEST)


def policy_signature(secret: str, day: str, region: str, policy: str) -> str:
    """Hex. `policy` is the base64 text as it stands in the form."""
    return _hmac(signing_key(secret, day, region), policy).hex()


def link_signature(secret: str, bucket: str, key: str, expires: str, token: str = "") -> str:
    """Of a GET by query signature (version 1): base64 of HMAC-SHA1."""
    resource = f"/{bucket}/{key}" + (f"?security-token={token}" if token else "")
    text = f"GET\n\n\n{expires}\n{resource}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def link(host: str, bucket: str, key: str, expires: int, access_key_id: str, secret: str) -> str:
    """A pre-signed URL. `host` is where the bucket's objects lie, `expires` in seconds since 1970."""
    signature = link_signature(secret, bucket, key, str(expires))
    query = urlencode({"Expires": expires, "OSSAccessKeyId": access_key_id, "Signature": signature})
    return f"{host}/{quote(key, safe='/~')}?{query}"
