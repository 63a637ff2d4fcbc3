"""One tree of errors, each leaf fit to be shown: `ServiceError.problem` is what the user reads.

ServiceError
├── ConfigurationError      credentials, endpoint or option missing or wrong; nothing was sent
├── TransportError          the line: cannot connect, dropped, timed out
├── ProtocolError           an answer that is not of the protocol (an HTML page, broken JSON)
└── ApiError                the service's own refusal, with its code
    ├── AuthenticationError     key, signature, clock, token
    ├── PermissionDeniedError   RAM policy
    ├── OrderError              no valid order, quota used up
    ├── NotFoundError           what was named is not there (any more)
    └── BusyError               too many turns at once, throttled
"""

from __future__ import annotations

from tui.models import Problem


class ServiceError(Exception):
    """A failed call; `str(error)` is the problem in one line.

    `retry_after` is the service's own word, in seconds, on when to come again; None where it gave none.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(f"{problem.title}: {problem.sentence}")
        self.problem = problem
        self.retry_after = retry_after


class ConfigurationError(ServiceError):
    """Nothing was sent: credentials, endpoint or an option is missing or wrong."""


class TransportError(ServiceError):
    """The connection failed; `problem.delivered` says whether the request may have arrived."""


class ProtocolError(ServiceError):
    """The answer is not what the protocol promises."""


class ApiError(ServiceError):
    """The service refused."""


class AuthenticationError(ApiError):
    """The key, the signature, the clock or the token was not accepted."""


class PermissionDeniedError(ApiError):
    """The account may not do this."""


class OrderError(ApiError):
    """The edition, its order or its quota does not allow this."""


class NotFoundError(ApiError):
    """What the request named is not there (any more)."""


class BusyError(ApiError):
    """Too many at once; nothing was done."""
