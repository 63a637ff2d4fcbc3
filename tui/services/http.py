"""How we speak HTTP: clients with the right patience, what a broken line means, and which calls are repeated.

Proxies and certificates come from the environment as with any httpx program: `HTTPS_PROXY`, `NO_PROXY`,
`SSL_CERT_FILE`, `SSL_CERT_DIR`. A loopback endpoint is never reached through a proxy.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import httpx

from tui import __version__
from tui.models import Delivered, Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import ConfigurationError, ServiceError, TransportError
from tui.text import clean_line
from tui.words import _

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

STREAM_TIMEOUT = httpx.Timeout(connect=10, read=600, write=30, pool=10)
"""A tool of the service may be silent for minutes; `read` counts the silence between bytes, in seconds."""
READ_TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=10)
READ_ATTEMPTS = 4
READ_PATIENCE = 30.0
"""Seconds from which a read that fails is not begun anew, so that a dead line is told."""
LONGEST_WAIT = 60.0
"""Seconds; where a service wants a longer pause, the user is told instead of kept waiting."""
USER_AGENT = f"yunliao/{__version__} python-httpx/{httpx.__version__}"

# httpx logs every URL at INFO; nothing of a question may reach a log.
logging.getLogger("httpx").setLevel(logging.WARNING)


async def open_client(
    endpoint: Endpoint,
    *,
    keepalive: bool = True,
    timeout: httpx.Timeout = READ_TIMEOUT,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client for `endpoint`; the certificates are read in a thread, because that takes up to a quarter of a second.

    `keepalive=False` opens a connection per request: on a kept one that the other side has just closed it cannot
    be told whether a request arrived, and a question must never be in that doubt.

    Raises:
        ConfigurationError: the proxy or certificate settings of the environment cannot be used.
    """

    def build() -> httpx.AsyncClient:
        files = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        return httpx.AsyncClient(
            base_url=endpoint.url,
            verify=_certificates(*files) if endpoint.url.startswith("https") else False,
            timeout=timeout,
            transport=transport,
            trust_env=not endpoint.loopback,
            follow_redirects=False,
            headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8 if keepalive else 0),
        )

    try:
        return await asyncio.to_thread(build)
    except httpx.InvalidURL:  # its text may hold a part of the proxy's password
        reason = _("An address in them cannot be read.")
    except (ValueError, OSError, ImportError, ssl.SSLError) as error:  # a proxy URL, a file, the socks package
        reason = clean_line(str(error), 300)
    raise ConfigurationError(
        Problem(
            _("Network settings"),
            reason,
            _("Check HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."),
            delivered="no",
        )
    )


@lru_cache(maxsize=4)
def _certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One for all clients, for as long as the environment names the same file or folder, which httpx reads itself."""
    return httpx.create_ssl_context()


def transport_error(error: httpx.HTTPError | httpx.InvalidURL, *, host: str, began: bool = False) -> ServiceError:
    """What a failure of the line means. `began`: the answer had begun, so the service has the request.

    A connection that was never made delivers nothing; any later failure leaves it open.
    """
    delivered: Delivered = "yes" if began else "unknown"
    if isinstance(error, httpx.LocalProtocolError):  # its text holds the header's value, which may be the key
        return ConfigurationError(
            Problem(
                _("Not sent"),
                _("The request cannot be written: a value in it has characters that no header may have."),
                _("Check the key and the settings of the profile."),
                delivered="no",
            )
        )
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return ConfigurationError(
            Problem(_("Endpoint"), clean_line(str(error), 300), _("Check the endpoint."), delivered="no")
        )
    reason = clean_line(str(error), 200).rstrip(".") or _("the other side closed it")
    if isinstance(error, httpx.ProxyError):
        title, delivered = _("Proxy"), "no"
        sentence = _("The proxy does not connect to {host}: {reason}.").format(host=host, reason=reason)
        remedy = _("Check HTTPS_PROXY and NO_PROXY.")
    elif isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        delivered = "no"
        title, sentence, remedy = _connect_words(error, host, reason)
    elif isinstance(error, httpx.TimeoutException):
        title = _("No answer")
        sentence = _("{host} sent nothing for too long.").format(host=host)
        remedy = ""
    else:
        title = _("Connection lost")
        sentence = _("The connection to {host} broke: {reason}.").format(host=host, reason=reason)
        remedy = ""
    if not remedy:
        remedy = (
            _("The service may have gone on; its history has the rest.")
            if began
            else _("It is not known whether it arrived; look before you send it again.")
        )
    return TransportError(Problem(title, sentence, remedy, delivered=delivered, retryable=True))


def _connect_words(error: httpx.HTTPError, host: str, reason: str) -> tuple[str, str, str]:
    title = _("Cannot connect")
    if "CERTIFICATE" in reason.upper():
        return (
            title,
            _("The certificate of {host} is not trusted: {reason}.").format(host=host, reason=reason),
            _("Where a proxy opens TLS, name its certificate in SSL_CERT_FILE."),
        )
    if isinstance(error, httpx.TimeoutException):
        sentence = _("{host} did not take a connection within 10 s.").format(host=host)
    else:
        sentence = _("{host} cannot be reached: {reason}.").format(host=host, reason=reason)
    return title, sentence, _("Check the network, and HTTPS_PROXY where one is needed. Nothing was sent.")


def not_connected(error: BaseException) -> bool:
    """True where it is certain that not a byte of the request left: the one case in which a send is tried again."""
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


async def repeat_read(
    read: Callable[[], Awaitable[T]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> T:
    """Call `read`, which must change nothing on the service, up to `READ_ATTEMPTS` times while it fails retryably.

    Waits as long as the service asks, else 0.5 s to 8 s, growing and scattered. Raises the last error, or that of the
    first attempt after `READ_PATIENCE`.
    """
    from tenacity import (
        AsyncRetrying,
        retry_if_exception,
        stop_after_attempt,
        stop_after_delay,
        wait_random_exponential,
    )

    backoff = wait_random_exponential(multiplier=0.5, max=8)

    def worth_it(error: BaseException) -> bool:
        return (
            isinstance(error, ServiceError)
            and error.problem.retryable
            and (error.retry_after is None or error.retry_after <= LONGEST_WAIT)
        )

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ServiceError) else None
        return asked if asked is not None else backoff(state)

    async def attempt() -> T:
        # Tenacity awaits only what is a coroutine function by its looks; a lambda that returns one is not.
        return await read()

    try:
        return await AsyncRetrying(
            retry=retry_if_exception(worth_it),
            wait=wait,
            stop=stop_after_attempt(READ_ATTEMPTS) | stop_after_delay(READ_PATIENCE),
            sleep=sleep,
            reraise=True,
        )(attempt)
    except TransportError as error:
        if error.problem.delivered != "unknown":
            raise
        # Whether a read arrived is of no matter.
        problem = replace(error.problem, remedy=_("Check the network, then look again."))
        raise TransportError(problem, error.retry_after) from error
