"""Calls to a source are bounded in tries, size and time, and never carry a credential elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from connectors.errors import SourceBusyError, SourceProtocolError, SourceTimeoutError, SourceUnreachableError
from connectors.http import Limits, SourceHttp

Handler = Callable[[httpx.Request], httpx.Response]


def http(handler: Handler, pauses: list[float], **limits: float) -> SourceHttp:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return SourceHttp("https://erp.example", Limits(**limits), httpx.MockTransport(handler), sleep)  # type: ignore[arg-type]


async def test_a_busy_source_is_asked_again_as_it_wishes() -> None:
    answers = [httpx.Response(429, headers={"retry-after": "3"}), httpx.Response(503), httpx.Response(200, text="ok")]
    pauses: list[float] = []
    answer = await http(lambda _: answers.pop(0), pauses).send("GET", "/x")
    assert answer.body == b"ok"
    assert pauses[0] == 3
    assert 0 <= pauses[1] <= 1.0


async def test_it_gives_up_after_the_allowed_tries() -> None:
    pauses: list[float] = []
    with pytest.raises(SourceBusyError, match="503"):
        await http(lambda _: httpx.Response(503), pauses, tries=3).send("GET", "/x")
    assert len(pauses) == 2


async def test_a_reset_connection_is_tried_again() -> None:
    failures: list[Exception] = [httpx.ReadError("reset"), httpx.RemoteProtocolError("gone")]

    def handle(request: httpx.Request) -> httpx.Response:
        if failures:
            raise failures.pop()
        return httpx.Response(200)

    assert (await http(handle, []).send("GET", "/x")).status == 200


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(httpx.ReadTimeout("slow"), SourceTimeoutError), (httpx.ConnectError("refused"), SourceUnreachableError)],
)
async def test_failures_are_typed_and_silent(failure: Exception, kind: type[Exception]) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(kind) as caught:
        await http(handle, []).send("POST", "/x", headers={"authorization": "bearer hush"})
    assert caught.value.__cause__ is None
    assert "hush" not in str(caught.value)


async def test_an_endless_answer_is_cut_off() -> None:
    with pytest.raises(SourceProtocolError, match="100"):
        await http(lambda _: httpx.Response(200, content=b"x" * 1000), [], answer_bytes=100).send("GET", "/x")


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(302, headers={"location": "https://elsewhere.example/"})

    answer = await http(handle, []).send("GET", "/x", headers={"authorization": "bearer hush"})
    assert answer.status == 302
    assert seen == ["erp.example"]
