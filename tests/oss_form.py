"""The upload form of the protocol notes (section 9.2), built by hand."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

Form = list[tuple[str, tuple[str | None, bytes | str, str | None]]]
_ORDER = (
    ("policy", "Policy"),
    ("x-oss-signature", "OssSignature"),
    ("x-oss-signature-version", "OssSignatureVersion"),
    ("x-oss-credential", "OssCredential"),
    ("x-oss-date", "OssDate"),
)


def form_of(values: Mapping[str, str], name: str, data: bytes, media_type: str) -> Form:
    """The nine fields in their order; `file` is the last."""
    fields = [("success_action_status", "200"), *((field, values[value]) for field, value in _ORDER)]
    fields += [("key", f"{values['UploadDir']}/{name}"), ("x-oss-security-token", values["OssSecurityToken"])]
    form: Form = [(field, (None, value, None)) for field, value in fields]
    return [*form, ("file", (name, data, media_type))]


def body_of(form: Form, boundary: str = "b0undary") -> bytes:
    """The bytes of the form."""
    parts = []
    for field, (name, value, media_type) in form:
        head = f'Content-Disposition: form-data; name="{field}"'
        head += f'; filename="{name}"' if name else ""
        head += f"\r\nContent-Type: {media_type}" if media_type else ""
        raw = value if isinstance(value, bytes) else value.encode()
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + raw + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


async def post_form(url: str, form: Form, **headers: str) -> httpx.Response:
    """The bucket's reply."""
    kind = {"Content-Type": "multipart/form-data; boundary=b0undary"}
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.post(f"{url}/", content=body_of(form), headers={**kind, **headers})
