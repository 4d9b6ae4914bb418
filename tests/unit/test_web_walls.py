"""The walls in front of every route: hosts, origins, headers, and the list of the chat's routes that are open."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from copilot.channels.web.app import create_app
from copilot.channels.web.gate import access_to
from copilot.channels.web.security import allowed_hosts, content_policy, is_loopback
from copilot.settings import Settings
from tests.browser.fake_copilot import FakeCopilot

BASE = "http://127.0.0.1:8000"
EVERY_HEADER = (
    "content-security-policy",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(FakeCopilot(), Settings(home=tmp_path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/signin", "/docs", "/health", "/nowhere", "/user", "/public/style.css"])
async def test_every_response_carries_the_headers(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    for header in EVERY_HEADER:
        assert header in response.headers, header


async def test_refusals_carry_them_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/health", headers={"Host": "evil.example"})
    assert response.status_code == 421
    assert "content-security-policy" in response.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8000", "[::"])
async def test_other_names_are_not_answered(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/signin", headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LOCALHOST"])
async def test_own_names_are(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/signin", headers={"Host": host})).status_code == 200


def test_hosts_follow_where_it_listens() -> None:
    assert "copilot.internal" in (allowed_hosts("copilot.internal") or ())
    assert allowed_hosts("0.0.0.0") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
    ],
)
async def test_another_sites_page_changes_nothing(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post("/logout", headers=headers)
    assert response.status_code == 403
    assert response.json()["code"] == "forbidden"


async def test_a_websocket_from_another_sites_page_is_closed(tmp_path: Path) -> None:
    app = create_app(FakeCopilot(), Settings(home=tmp_path))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://evil.example")]
    await app(
        {"type": "websocket", "path": "/ws/socket.io/", "headers": headers, "query_string": b"", "scheme": "ws"},
        receive,
        send,
    )
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_a_websocket_without_a_session_is_closed(tmp_path: Path) -> None:
    app = create_app(FakeCopilot(), Settings(home=tmp_path))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")]
    scope = {"type": "websocket", "path": "/ws/socket.io/", "headers": headers, "query_string": b"", "scheme": "ws"}
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_be_evaluated() -> None:
    policy = content_policy("<script>let a = 1</script><script src='/x.js'></script>")
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert "unsafe" not in scripts[1]
    assert scripts[1].count("sha256-") == 1
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("GET", "/assets/index-1.js", "open"),
        ("GET", "/public/elements/AnswerCard.jsx", "open"),
        ("GET", "/avatars/ERP Copilot", "open"),
        ("GET", "/user", "signed in"),
        ("WEBSOCKET", "/ws/socket.io/", "signed in"),
        ("GET", "/ws/socket.io/", None),
        ("POST", "/ws/socket.io/", None),
        ("POST", "/project/file", None),
        ("GET", "/project/file/abc", None),
        ("POST", "/auth/jwt", None),
        ("POST", "/login", None),
        ("POST", "/mcp", None),
        ("GET", "/project/share/abc", None),
        ("PUT", "/project/thread/share", None),
        ("PUT", "/project/element", None),
        ("POST", "/project/action", None),
        ("PUT", "/project/thread", None),
        ("GET", "/project/thread/abc", None),
        ("GET", "/anything/else", None),
        ("DELETE", "/project/thread", "signed in"),
    ],
)
def test_which_of_the_chats_routes_are_open(method: str, path: str, access: str | None) -> None:
    assert access_to(method, path) == access


@pytest.mark.parametrize("path", ["/user", "/project/settings"])
async def test_closed_routes_want_a_session(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"


async def test_no_file_outside_the_public_folder_is_served(client: httpx.AsyncClient) -> None:
    for path in ("/public/../.chainlit/config.toml", "/public/%2e%2e/chainlit.md", "/assets/../index.html"):
        response = await client.get(path)
        assert response.status_code in {400, 404}, path


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback(host: str, ours: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is ours
