"""HTTP to a source: bounded in time, size, tries and concurrency; redirects are never followed with a credential."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.errors import (
    SourceBusyError,
    SourceProtocolError,
    SourceSettingsError,
    SourceTimeoutError,
    SourceUnreachableError,
)

RETRY_STATUS = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, bytes and counts that keep one call to a source bounded.

    `tries` counts the first one. Between tries there is a random pause of up to `pause` seconds, doubled each time,
    or what the source itself asks for, and never more than `longest_pause`.
    """

    timeout: float = 60.0
    connect_timeout: float = 5.0
    answer_bytes: int = 64 * 1024 * 1024
    tries: int = 4
    pause: float = 0.5
    longest_pause: float = 20.0
    concurrency: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer of acceptable size. `at` is the source's own clock, from its Date header where it sends one."""

    status: int
    body: bytes
    content_type: str
    at: datetime


class SourceHttp:
    """Calls to one host."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.base_url = checked_url(base_url)
        self._limits = limits
        self._sleep = sleep
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(limits.timeout, connect=limits.connect_timeout),
            transport=transport,
            follow_redirects=False,
        )

    async def send(
        self, method: str, path: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None, tries: int = 0
    ) -> Answer:
        """One answer, after as many tries as the limits allow (or `tries`).

        Raises SourceUnreachableError, SourceTimeoutError, SourceBusyError or SourceProtocolError (answer too large).
        Every call through here has to be safe to repeat.
        """
        allowed = tries or self._limits.tries
        for turn in range(1, allowed + 1):
            try:
                return await self._once(method, path, content, headers or {})
            except (SourceUnreachableError, SourceBusyError) as error:
                if turn == allowed:
                    raise
                await self._sleep(self._pause(turn, error))
        raise AssertionError(allowed)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _once(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        host = self._client.build_request(method, self.base_url).url.host
        try:
            async with (
                self._slots,
                self._client.stream(method, self.base_url + path, content=content, headers=dict(headers)) as got,
            ):
                if got.status_code in RETRY_STATUS:
                    raise _PauseAskedError(got.status_code, host, _retry_after(got.headers.get("retry-after")))
                return Answer(
                    status=got.status_code,
                    body=await self._body(got),
                    content_type=got.headers.get("content-type", ""),
                    at=_clock(got.headers.get("date")),
                )
        except httpx.TimeoutException as error:
            # The request is in the exception and the credential in the request: don't chain it.
            raise SourceTimeoutError(f"{host!r} did not answer in time ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise SourceUnreachableError(
                f"{host!r} could not be reached ({type(error).__name__}); check the address and the network"
            ) from None

    async def _body(self, got: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in got.aiter_bytes():
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise SourceProtocolError(
                    f"an answer of more than {self._limits.answer_bytes!r} bytes; ask for smaller pages"
                )
        return bytes(body)

    def _pause(self, turn: int, error: Exception) -> float:
        asked = error.after if isinstance(error, _PauseAskedError) else None
        jitter = random.uniform(0, self._limits.pause * 2 ** (turn - 1))  # noqa: S311  # spreads load, hides nothing
        return min(asked if asked is not None else jitter, self._limits.longest_pause)


class _PauseAskedError(SourceBusyError):
    """The source asked to be left alone for a while."""

    def __init__(self, status: int, host: str, after: float | None) -> None:
        super().__init__(f"{host!r} is too busy to answer (HTTP {status!r}); try again later")
        self.after = after


def checked_url(text: str) -> str:
    """The address of a source without a trailing slash. Raises SourceSettingsError."""
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.fragment:
        raise SourceSettingsError(
            f"the address {text!r} can't be used; give one like 'https://erp.example.com', without name or password"
        )
    return str(url).rstrip("/")


def _retry_after(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


def _clock(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
