"""What all tests share: no way out of this machine, and the demo company for those that ask for it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from copilot.wiring import Runtime
from tests.company import Company, made_company, running, scratch_folder

_connect = socket.socket.connect
settings.register_profile("any machine", deadline=None)  # tests measure no time: a busy machine fails none
settings.load_profile("any machine")


def _only_here(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(host).is_loopback:
        raise AssertionError(f"a test tried to reach {host!r}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test."""
    monkeypatch.setattr(socket.socket, "connect", _only_here)


@pytest.fixture(scope="session")
def company() -> Generator[Company]:
    """The small demo company, made once."""
    with made_company() as made:
        yield made


@pytest.fixture(scope="module")
def database(company: Company) -> Generator[str]:
    """A copy of the company's database for one file of tests."""
    with company.clone() as name:
        yield name


@pytest.fixture(scope="module")
def home() -> Generator[Path]:
    """A data folder for one file of tests: its keys and its audit checkpoint."""
    with scratch_folder() as folder:
        yield folder / "home"


@pytest.fixture
async def runtime(company: Company, database: str, home: Path) -> AsyncGenerator[Runtime]:
    """The copilot over the file's copy of the company."""
    async with running(company, database, home) as built:
        yield built
