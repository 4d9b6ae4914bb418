"""The page on which administrators try what is masked: for them alone, and everything on it is text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from copilot.channels.web.app import create_app
from copilot.domain.question import SessionSubject
from copilot.domain.redaction import Audience, Masking, RedactionTrial
from copilot.errors import NoAccessError
from copilot.settings import Settings
from tests.browser.fake_copilot import FakeCopilot
from tests.unit.test_web_signin import BASE, sign_in

HOSTILE = '</textarea><script>alert(1)</script> & "x"'


class Trying(FakeCopilot):
    """Masks the first word; a rep of this company is an administrator."""

    async def try_redaction(self, credential: SessionSubject, text: str, audience: Audience) -> RedactionTrial:
        if credential.subject != "rep.us":
            raise NoAccessError
        if not text:
            return RedactionTrial(masked="", pieces=())
        first, _, rest = text.partition(" ")
        piece = Masking(
            begin=0,
            end=len(first),
            text=first,
            kind="PERSON",
            why=f"known <{audience}>",
            shown="token",
            instead="<PERSON_1>",
        )
        return RedactionTrial(masked=f"<PERSON_1> {rest}", pieces=(piece,))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Trying(), Settings(home=tmp_path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def tried(client: httpx.AsyncClient, text: str, audience: str = "logs") -> httpx.Response:
    return await client.post("/redaction", data={"text": text, "for": audience}, headers={"Origin": BASE})


async def test_strangers_are_sent_to_the_sign_in(client: httpx.AsyncClient) -> None:
    for response in (await client.get("/redaction"), await tried(client, "x")):
        assert (response.status_code, response.headers["location"]) == (303, "/signin")


async def test_others_than_administrators_are_told_so(client: httpx.AsyncClient) -> None:
    await sign_in(client, "planner")
    for response in (await client.get("/redaction"), await tried(client, "Anna Meyer")):
        assert response.status_code == 403
        assert "Only administrators" in response.text
        assert "Anna" not in response.text


async def test_a_text_is_tried_and_shown_with_why(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    assert 'name="text"' in (await client.get("/redaction")).text
    page = (await tried(client, "Anna\r\nand more", "exports")).text
    assert "&lt;PERSON_1&gt;" in page
    assert "known &lt;exports&gt;" in page
    assert '<option value="exports" selected>' in page


async def test_whatever_is_typed_stays_text(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    response = await tried(client, HOSTILE)
    assert "<script>" not in response.text
    assert "&lt;/textarea&gt;" in response.text
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("text", "audience", "told"), [("x" * 10_001, "logs", "10,001 characters"), ("x", "nobody", "no such reader")]
)
async def test_what_cannot_be_tried_is_told(client: httpx.AsyncClient, text: str, audience: str, told: str) -> None:
    await sign_in(client, "rep.us")
    response = await tried(client, text, audience)
    assert response.status_code == 400
    assert told in response.text


async def test_a_form_of_another_site_is_stopped(client: httpx.AsyncClient) -> None:
    await sign_in(client, "rep.us")
    response = await client.post(
        "/redaction", data={"text": "x", "for": "logs"}, headers={"Origin": "https://evil.example"}
    )
    assert response.status_code == 403
