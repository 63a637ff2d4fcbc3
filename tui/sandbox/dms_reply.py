"""A call to the Data Agent, and its replies: success, business errors with status 200, in the casings that occur
(protocol notes, sections 2, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from tui.sandbox.call import Call, reply_as

SUCCESS = "success"


class Caseless(Mapping[str, str]):
    """Parameters by name in any case: operations spell DMSUnit and Filename differently."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in parameters.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class DmsCall(Call):
    """`by_key`: it came with an API key in place of a signature."""

    by_key: bool = False

    @property
    def origin(self) -> str:
        """Scheme, host and port that the caller sees."""
        return f"http://{self.request.host}"


class Rejection(Exception):
    """A business error: the HTTP status is 200. `busy`: in the odd form that a busy session answers with."""

    def __init__(self, code: str, message: str, *, busy: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.busy = busy


def finish(call: DmsCall, data: object, success: object = True, **beside: object) -> web.Response:
    """A success. `beside` stands next to `Data`, as page numbers do."""
    fields: dict[str, object] = {"Success": success, "ErrorCode": SUCCESS, "ErrorMessage": "", "Data": data, **beside}
    return _sent(call, fields)


def reject(call: DmsCall, rejection: Rejection) -> web.Response:
    """A business error."""
    if rejection.busy:
        fields: dict[str, object] = {
            "success": True,
            "error_code": rejection.code,
            "error_message": rejection.message,
            "request_id": call.request_id,
        }
        return reply_as(call, fields)
    return _sent(call, {"Success": False, "ErrorCode": rejection.code, "ErrorMessage": rejection.message})


def _sent(call: DmsCall, fields: Mapping[str, object]) -> web.Response:
    whole = {"RequestId": call.request_id, **fields}
    keep = call.action == "DescribeFileUploadSignature"
    if "snake-keys" in call.faults:
        return reply_as(call, _respelt(whole, _snake, keep))
    if "camel-keys" in call.faults or (call.by_key and "pascal-keys" not in call.faults):
        whole = _respelt(whole, _camel, keep)
        code = {"code": str(fields.get("ErrorCode") or SUCCESS)}
        if call.by_key:
            code |= {"msg": str(fields.get("ErrorMessage") or "")}
        whole |= code
        if "wrapped" in call.faults:
            whole = {"data": whole, "success": whole["success"], **code, "requestId": call.request_id}
    return reply_as(call, whole)


def _respelt(value: Mapping[str, object], spell: Callable[[str], str], keep_data: bool) -> dict[str, object]:
    made = {}
    for name, item in value.items():
        made[spell(name)] = item if name == "Data" and keep_data else _deep(item, spell)
    return made


def _deep(value: object, spell: Callable[[str], str]) -> object:
    if isinstance(value, Mapping):
        return {spell(name): _deep(item, spell) for name, item in value.items()}
    return [_deep(item, spell) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")
