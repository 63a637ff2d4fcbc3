"""What the sandbox's DashScope refuses with (protocol notes, section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from tui.sandbox.refusals import Refusal

DOCUMENTED: Mapping[str, int] = {
    "InvalidParameter": 400,
    "Arrearage": 400,
    "DataInspectionFailed": 400,
    "BadRequest.EmptyInput": 400,
    "BadRequest.EmptyModel": 400,
    "InvalidURL": 400,
    "UnsupportedOperation": 400,
    "InvalidApiKey": 401,
    "AccessDenied": 403,
    "AccessDenied.Unpurchased": 403,
    "RequestTimeOut": 408,
    "BadRequest.TooLarge": 413,
    "Throttling": 429,
    "Throttling.RateQuota": 429,
    "Throttling.AllocationQuota": 429,
    "InternalError": 500,
    "InternalError.Algo": 500,
}
"""HTTP status by code."""
_MESSAGES: Mapping[str, str] = {
    "Arrearage": "Access denied, please make sure your account is in good standing.",
    "DataInspectionFailed": "Input data may contain inappropriate content.",
    "BadRequest.EmptyInput": "Required input parameter missing from request.",
    "BadRequest.EmptyModel": "Required parameter 'model' missing from request.",
    "InvalidURL": "url error, please check url!",
    "UnsupportedOperation": "The operation is unsupported on the referee object.",
    "InvalidApiKey": "Invalid API-key provided.",
    "AccessDenied": "Access denied.",
    "AccessDenied.Unpurchased": "Access to model denied. Please make sure you are eligible for using the model.",
    "RequestTimeOut": "Request timed out, please try again later.",
    "BadRequest.TooLarge": "Payload Too Large.",
    "Throttling": "Requests throttling triggered.",
    "Throttling.RateQuota": "Requests rate limit exceeded, please try again later.",
    "Throttling.AllocationQuota": "Allocated quota exceeded, please increase your quota limit.",
    "InternalError": "Internal error.",
    "InternalError.Algo": "An internal error has occured during execution, please try again later.",
}


class Refused(Refusal):
    """An error reply. `gone`: the thing that is asked for is not there."""

    def __init__(self, code: str, message: str = "", status: int = 0, *, gone: bool = False) -> None:
        told = message or f"{_MESSAGES.get(code, code)} (sandbox data)"
        super().__init__(status or DOCUMENTED.get(code, 400), code, told)
        self.gone = gone


def invalid(what: str) -> Refused:
    """400 InvalidParameter."""
    return Refused("InvalidParameter", f"{what} (sandbox data)")


def gone(kind: str, name: str) -> Refused:
    """What is not there is a 400 too; only the text tells."""
    what = "does not exist" if kind in ("File", "Step", "Model") else "has been deleted or does not exist"
    return Refused("InvalidParameter", f"{kind} {name} {what}. (sandbox data)", gone=True)
