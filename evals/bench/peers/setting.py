"""The demo company with the three that answer questions about it, and the model that speaks to all of them."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.wiring import Runtime
from evals.bench.figure import middle
from evals.bench.peers.questions import Asked, asked_of
from evals.bench.scene import EPOCH
from evals.company import Company, ask, open_company, running

PYTHON = Path(__file__).parents[3] / ".venv-peers" / "bin" / "python"
"""The peers' own environment."""
_PROGRAM = Path(__file__).with_name("program.py")
_READER = "peer_reader"
_LINE = 1 << 24
_TRIPS = 200
_READY = 120.0
_TABLES = (
    "availability", "customer", "invoice", "invoice_amount", "item", "item_substitute", "order_hold", "purchase_line",
    "purchase_order", "sales_order", "sales_order_line", "shipment", "site", "supplier", "transfer", "transfer_line",
)  # fmt: skip
"""What the questions read, as LlamaIndex is told."""
_MODELS = """
models:
  m: {{url: {address}/v1, model: m, runs: house}}
tasks:
  plan: {{models: [m]}}
  draft: {{models: [m]}}
"""
Answering = Callable[[Asked], Awaitable[tuple[float, str]]]
"""Answers a question: the seconds that it took, and the text shown."""


@dataclass(frozen=True, slots=True)
class Model:
    """The scripted model's program."""

    connection: http.client.HTTPConnection
    address: str

    def tell(self, way: str, asked: Asked, questions: Sequence[Asked] | None = None) -> None:
        """What is asked next, and whether to speak the truth of it or which lie."""
        script: dict[str, Any] = {"way": way, "asked": asked.text}
        if questions is not None:
            script["questions"] = [each.to_json() for each in questions]
        self._said("POST", "/script", script)

    def ask(self, text: str) -> None:
        """A request as anybody might make it."""
        system = {"role": "system", "content": "You answer questions about a database. " * 100}
        tool = {"type": "function", "function": {"name": "ask"}}
        body = {"model": "m", "messages": [system, {"role": "user", "content": text}], "tools": [tool]}
        self._said("POST", "/v1/chat/completions", body)

    def spent(self) -> tuple[float, int]:
        """Seconds that it took over requests since this was last asked, and how many they were."""
        told = self._said("GET", "/spent")
        return told["seconds"], told["requests"]

    def set_up(self, home: Path) -> None:
        """Have the copilot of a data folder ask this model for everything."""
        home.mkdir(exist_ok=True)
        (home / "models.yaml").write_text(_MODELS.format(address=self.address))

    def round_trip(self) -> float:
        """Seconds of a request less what the program takes over it."""
        trips: list[float] = []
        for _ in range(_TRIPS):
            began = time.perf_counter()
            self.ask("how many orders are there")
            whole = time.perf_counter() - began
            trips.append(whole - self.spent()[0])
        return middle(trips)

    def _said(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"content-type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        return json.loads(self.connection.getresponse().read())


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is asked, the model, and who answers by name."""

    questions: Sequence[Asked]
    model: Model
    answering: Mapping[str, Answering]


@asynccontextmanager
async def open_setting() -> AsyncGenerator[Setting]:
    """The company at full size with all three warm and ready."""
    async with AsyncExitStack() as stack:
        company = await stack.enter_async_context(open_company(EPOCH))
        name = stack.enter_context(company.clone())
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            dsn = _reader(admin, company, name)
            questions = asked_of(admin)
            admin.execute("analyze")
        model = await stack.enter_async_context(open_model())
        model.tell("true", questions[0], questions)
        home = company.home / "peers"
        model.set_up(home)
        runtime = await stack.enter_async_context(running(company, name, home))
        peers = await stack.enter_async_context(_peers(model, dsn, home))
        answering = {
            "ours": _ours(runtime),
            "Vanna": _asking(peers, "vanna"),
            "LlamaIndex": _asking(peers, "llama_index"),
        }
        yield Setting(questions=questions, model=model, answering=answering)


def _reader(admin: psycopg.Connection[Any], company: Company, name: str) -> str:
    """The connection string of a role that may read all business tables, past row security."""
    password, reader = secrets.token_urlsafe(12), sql.Identifier(_READER)
    admin.execute(sql.SQL("create role {} login bypassrls password {}").format(reader, sql.Literal(password)))
    admin.execute(sql.SQL("grant usage on schema biz to {}").format(reader))
    admin.execute(sql.SQL("grant select on all tables in schema biz to {}").format(reader))
    return make_conninfo(company.dsn(name), user=_READER, password=password)


@asynccontextmanager
async def open_model() -> AsyncGenerator[Model]:
    """The model's program, started and stopped again."""
    async with _started(sys.executable, "-m", "evals.bench.peers.model") as process:
        address = (await _line(process)).strip()
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        try:
            yield Model(connection, address)
        finally:
            connection.close()


@asynccontextmanager
async def _peers(model: Model, dsn: str, home: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The peers' program, which has put both together."""
    parts = conninfo_to_dict(dsn)
    where = f"{parts['host']}:{parts['port']}/{parts['dbname']}"
    url = f"postgresql+psycopg2://{_READER}:{quote(str(parts['password']))}@{where}"
    settings = {"model": f"{model.address}/v1", "dsn": dsn, "url": url, "tables": _TABLES, "folder": str(home)}
    async with _started(str(PYTHON), "-I", str(_PROGRAM)) as process:
        await _write(process, settings)
        while (line := await _line(process)) != "ready\n":  # what its libraries print as they load
            if not line:
                raise RuntimeError("the peers could not be started; what they said stands above")
        yield process


@asynccontextmanager
async def _started(*command: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _asking(process: asyncio.subprocess.Process, peer: str) -> Answering:
    async def answer(asked: Asked) -> tuple[float, str]:
        await _write(process, {"peer": peer, "question": asked.text})
        told = json.loads(await _line(process))
        return told["seconds"], told["text"]

    return answer


def _ours(runtime: Runtime) -> Answering:
    async def answer(asked: Asked) -> tuple[float, str]:
        began = time.perf_counter()
        said = await ask(runtime, asked.who, asked.text)
        return time.perf_counter() - began, said.answer

    return answer


async def _write(process: asyncio.subprocess.Process, told: Mapping[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101 -- it was asked for
    process.stdin.write(json.dumps(told).encode() + b"\n")
    await process.stdin.drain()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    return (await asyncio.wait_for(process.stdout.readline(), _READY)).decode()
