"""How fast Odoo's records come through the connector, beside the same requests sent again by nobody but httpx."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from connectors.odoo.connector import OdooConnector, OdooSettings
from connectors.odoo.transport import Account
from copilot.wiring.sources import READ_WITHIN_SECONDS
from evals.bench.figure import Figure, middle

_ROUNDS = 3
_VARIABLES = ("ODOO_URL", "ODOO_DB", "ODOO_API_KEY")
_GOAL = 0.8
_READ_AGAIN = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it was sent, and the status of its answer: Odoo has no such model or field now and then."""

    method: str
    url: httpx.URL
    headers: list[tuple[str, str]]
    content: bytes
    status: int


class _Recorder(httpx.AsyncBaseTransport):
    """Passes requests on and remembers them."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.sent: list[Sent] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        answer = await self._inner.handle_async_request(request)
        headers = list(request.headers.multi_items())
        self.sent.append(Sent(request.method, request.url, headers, content, answer.status_code))
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


async def measure_pages(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Every record of every entity, in turns with the bare requests; nothing where no Odoo is named."""
    missing = [name for name in _VARIABLES if not os.environ.get(name)]
    if missing:
        say(f"skipped: no Odoo to read from ({missing[0]} is not set)")
        return
    rounds = [await _round() for _ in range(_ROUNDS)]
    records = rounds[0][0]
    ours, bare = [records / seconds for _, seconds, _ in rounds], [records / seconds for _, _, seconds in rounds]
    yield Figure(name="Odoo records through the connector", value=middle(ours), unit="records/s", peer=middle(bare))
    yield Figure(
        name="Odoo connector against the API's own rate",
        value=middle([mine / theirs for mine, theirs in zip(ours, bare, strict=True)]),
        unit="of the API's speed",
        goal=_GOAL,
        at_most=False,
    )
    yield Figure(
        name="a record of Odoo read again, p50",
        value=middle(await _read_again()),
        unit="ms",
        goal=READ_WITHIN_SECONDS * 1000,
    )


def _connector(transport: httpx.AsyncBaseTransport | None = None) -> OdooConnector:
    url, database, key = (os.environ[name] for name in _VARIABLES)
    return OdooConnector(OdooSettings(url=url, account=Account(database=database, login="", api_key=key)), transport)


async def _read_again() -> list[float]:
    """Milliseconds that each reading of one order takes, as an answer reads one whose copy is old."""
    connector = _connector()
    page = await anext(connector.changes("sales_order", None))
    key = page.records[0].key
    spent: list[float] = []
    for _ in range(_READ_AGAIN):
        begun = time.perf_counter()
        await connector.read("sales_order", [key])
        spent.append((time.perf_counter() - begun) * 1000)
    await connector.aclose()
    return spent


async def _round() -> tuple[int, float, float]:
    """Records, seconds through the connector, and seconds of the bare requests."""
    recorder = _Recorder()
    connector = _connector(recorder)
    begun = time.perf_counter()
    records = 0
    for entity in connector.entities:
        async for page in connector.changes(entity, None):
            records += len(page.records)
    seconds = time.perf_counter() - begun
    await connector.aclose()
    return records, seconds, await _replay(recorder.sent)


async def _replay(sent: list[Sent]) -> float:
    async with httpx.AsyncClient(timeout=60) as client:
        begun = time.perf_counter()
        for each in sent:
            answer = await client.request(each.method, each.url, headers=each.headers, content=each.content)
            if answer.status_code != each.status:
                raise RuntimeError(f"{each.url.path} answered {answer.status_code} this time, not {each.status}")
        return time.perf_counter() - begun
