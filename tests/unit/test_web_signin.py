"""The demo sign-in: where it exists, whom it lets in, and what a session is worth."""

from __future__ import annotations

import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from copilot.channels.web.app import create_app
from copilot.channels.web.session import SESSION_COOKIE, Ticket, session_key, ticket_of
from copilot.settings import Settings
from tests.browser.fake_copilot import FakeCopilot

BASE = "http://127.0.0.1:8000"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
def copilot() -> FakeCopilot:
    return FakeCopilot()


@pytest.fixture
async def client(copilot: FakeCopilot, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(copilot, tmp_path) as client:
        yield client


def browser(copilot: FakeCopilot, home: Path, *, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    app = create_app(copilot, Settings(home=home))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 40_000))
    return httpx.AsyncClient(transport=transport, base_url=BASE)


async def sign_in(client: httpx.AsyncClient, subject: str) -> httpx.Response:
    page = await client.get("/signin")
    token = CSRF.findall(page.text)[0]
    return await client.post("/signin", data={"csrf": token, "subject": subject})


async def test_the_chat_sends_strangers_to_the_sign_in(client: httpx.AsyncClient) -> None:
    for path in ("/", "/thread/6b1f7a0e-0000-4000-8000-000000000000", "/login"):
        response = await client.get(path)
        assert (response.status_code, response.headers["location"]) == (303, "/signin")


async def test_the_people_are_listed_with_role_and_place(client: httpx.AsyncClient) -> None:
    page = (await client.get("/signin")).text
    assert "Rosa Ortega" in page
    assert "Customer service · region US" in page


async def test_signing_in_opens_the_chat(client: httpx.AsyncClient) -> None:
    response = await sign_in(client, "rep.us")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=28800" in cookie
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/user")).json()["identifier"] == "rep.us"


async def test_the_chats_page_leads_nowhere_else(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    page = (await client.get("/")).text
    assert not re.findall(r'(?:href|src)="(?:https?:)?//', page)
    assert "googleapis" not in page


async def test_signing_out_closes_it(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    await client.post("/logout")
    assert (await client.get("/user")).status_code == 401
    await sign_in(client, "rep.us")
    assert (await client.post("/signout")).headers["location"] == "/signin"
    assert (await client.get("/user")).status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "nonce.signature", "a.b.c"])
async def test_a_forged_form_is_refused(client: httpx.AsyncClient, forged: str) -> None:
    await client.get("/signin")
    response = await client.post("/signin", data={"csrf": forged, "subject": "rep.us"})
    assert (response.status_code, response.json()["code"]) == (403, "csrf")
    assert SESSION_COOKIE not in client.cookies


async def test_a_signed_token_without_its_cookie_is_refused(client: httpx.AsyncClient) -> None:
    token = CSRF.findall((await client.get("/signin")).text)[0]
    client.cookies.clear()
    response = await client.post("/signin", data={"csrf": token, "subject": "rep.us"})
    assert response.json()["code"] == "csrf"


async def test_nobody_becomes_somebody_not_listed(client: httpx.AsyncClient) -> None:
    response = await sign_in(client, "root")
    assert (response.status_code, response.json()["code"]) == (403, "no_such_person")


async def test_without_demo_people_there_is_no_sign_in(copilot: FakeCopilot, client: httpx.AsyncClient) -> None:
    page = await client.get("/signin")
    token = CSRF.findall(page.text)[0]
    copilot.people = ()
    assert (await client.get("/signin")).status_code == 404
    response = await client.post("/signin", data={"csrf": token, "subject": "rep.us"})
    assert response.json()["code"] == "no_such_person"


async def test_from_another_machine_there_is_no_sign_in(copilot: FakeCopilot, tmp_path: Path) -> None:
    async with browser(copilot, tmp_path, peer="10.1.2.3") as client:
        response = await client.get("/signin")
        assert response.status_code == 404
        assert "Rosa" not in response.text


async def test_a_disabled_person_is_out_at_once(copilot: FakeCopilot, client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    copilot.disabled.add("rep.us")
    assert (await client.get("/user")).status_code == 401
    assert (await client.get("/")).status_code == 303


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    assert session_key(tmp_path) == key
    assert len(key) >= 43
    file = tmp_path / "keys" / "web-session"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def token(key: str, **claims: object) -> str:
    return jwt.encode(
        {"alg": "HS256"}, {"identifier": "rep.us", "exp": 4_000_000_000, **claims}, OctKey.import_key(key)
    )


def test_only_our_own_running_sessions_count(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    assert ticket_of(token(key), key) == Ticket(subject="rep.us")
    assert ticket_of(token(key, exp=1), key) is None
    assert ticket_of(token("k" * 43), key) is None
    assert ticket_of(token(key)[:-2] + "xx", key) is None
    assert ticket_of("", key) is None
    assert ticket_of(token(key, identifier=7), key) is None


async def test_conversations_of_others_stay_hidden(copilot: FakeCopilot, client: httpx.AsyncClient) -> None:
    copilot.kept["6b1f7a0e-0000-4000-8000-000000000000"] = [("Where is S00024?", "rep.de")]
    copilot.owners["6b1f7a0e-0000-4000-8000-000000000000"] = "rep.de"
    await sign_in(client, "rep.us")
    body = {"pagination": {"first": 20}, "filter": {"userId": "rep.de"}}
    assert (await client.post("/project/threads", json=body)).json()["data"] == []
    response = await client.request(
        "DELETE", "/project/thread", json={"threadId": "6b1f7a0e-0000-4000-8000-000000000000"}
    )
    assert response.status_code == 404
    assert copilot.kept


async def test_a_rating_is_kept_for_whoever_is_signed_in(copilot: FakeCopilot, client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    body = {"feedback": {"forId": "audit-1", "value": 1, "comment": "good"}, "sessionId": "s"}
    assert (await client.put("/feedback", json=body)).status_code == 200
    assert copilot.ratings == [("rep.us", "audit-1", True, "good")]


async def test_starters_follow_the_role(client: httpx.AsyncClient) -> None:
    await sign_in(client, "buyer")
    starters = (await client.get("/project/settings")).json()["starters"]
    assert any("purchase order" in starter["message"] for starter in starters)


async def test_settings_keep_the_dangerous_features_off(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    settings = (await client.get("/project/settings")).json()
    features = settings["features"]
    assert not features["unsafe_allow_html"]
    assert not features["spontaneous_file_upload"]["enabled"]
    assert not features["mcp"]["enabled"]
    assert not settings["threadSharing"]
    assert settings["ui"]["cot"] == "hidden"


def test_nothing_is_written_into_the_checkout() -> None:
    root = Path(__file__).parents[2]
    assert not [name for name in (".chainlit", ".files") if (root / name).exists()]
