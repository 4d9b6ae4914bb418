"""The API: who may ask, what may be asked, and what an error gives away."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from copilot.channels.web.app import create_app
from copilot.channels.web.security import MAX_BODY
from copilot.channels.web.session import SESSION_COOKIE, Ticket
from copilot.domain.model_calls import ModelState
from copilot.domain.question import MAX_QUESTION, BearerToken, SessionSubject
from copilot.settings import Settings
from tests.browser.fake_copilot import NOW, TOKEN, FakeCopilot

BASE = "http://127.0.0.1:8000"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ASK = "/api/v1/ask"


@pytest.fixture
def copilot() -> FakeCopilot:
    return FakeCopilot()


@pytest.fixture
async def client(copilot: FakeCopilot, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(copilot, Settings(home=tmp_path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def ask(client: httpx.AsyncClient, body: object, **more: object) -> httpx.Response:
    return await client.post(ASK, json=body, headers={**BEARER, **more.get("headers", {})})


def is_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert (body["status"], body["code"]) == (status, code)


async def test_an_answer_is_the_documented_json(client: httpx.AsyncClient, copilot: FakeCopilot) -> None:
    response = await ask(client, {"question": "  Where is S00024? ", "conversation": None})
    assert response.status_code == 200
    body = response.json()
    assert body["verdict"] == "verified"
    assert body["sources"][0]["key"] == "S00024"
    question, credential = copilot.asked[0]
    assert (question.text, question.channel, credential) == ("Where is S00024?", "api", BearerToken(TOKEN))
    assert response.headers["cache-control"] == "no-store"


async def test_the_schema_documents_every_field_of_an_answer(client: httpx.AsyncClient) -> None:
    answer = (await ask(client, {"question": "Where is S00024?"})).json()
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert set(answer) == set(schemas["AnswerOut"]["properties"])
    assert set(answer["sources"][0]) == set(schemas["SourceOut"]["properties"])
    assert set(answer["facts"][0]) == set(schemas["FactOut"]["properties"])


async def test_a_conversation_goes_on(client: httpx.AsyncClient, copilot: FakeCopilot) -> None:
    first = (await ask(client, {"question": "Where is S00024?"})).json()["conversation"]
    await ask(client, {"question": "And S00024?", "conversation": first})
    assert copilot.asked[1][0].conversation == first


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer", "Bearer wrong", f"Token {TOKEN}"])
async def test_without_a_good_token_nobody_asks(
    client: httpx.AsyncClient, copilot: FakeCopilot, header: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    response = await client.post(ASK, json={"question": "Where is S00024?"}, headers=headers)
    is_problem(response, 401, "not_signed_in")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert not copilot.asked


async def test_the_chat_s_session_is_good_for_the_api_and_a_forged_one_is_not(
    client: httpx.AsyncClient, copilot: FakeCopilot, tmp_path: Path
) -> None:
    from copilot.channels.web.chat import session_cookie

    client.cookies.set(SESSION_COOKIE, "anything")
    is_problem(await client.post(ASK, json={"question": "x"}), 401, "not_signed_in")
    assert not copilot.asked
    client.cookies.set(SESSION_COOKIE, session_cookie(Ticket(subject="rep.us"), "Rosa Ortega"))
    assert (await client.post(ASK, json={"question": "x"})).status_code == 200
    assert copilot.asked[0][1] == SessionSubject("rep.us")
    copilot.disabled.add("rep.us")
    is_problem(await client.post(ASK, json={"question": "x"}), 401, "not_signed_in")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": ""}, 422, "question_empty"),
        ({"question": " \n "}, 422, "question_empty"),
        ({"question": "x" * (MAX_QUESTION + 1)}, 413, "question_too_long"),
        ({"question": "a\x00b"}, 422, "question_invalid"),
        ({"question": "a\x1bb"}, 422, "question_invalid"),
        ({"question": 7}, 422, "invalid_request"),
        ({"question": None}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
        ([], 422, "invalid_request"),
        ({"question": "x", "conversation": "nonsense"}, 422, "question_invalid"),
        ({"question": "x", "scope": "all"}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_asked(
    client: httpx.AsyncClient, copilot: FakeCopilot, body: object, status: int, code: str
) -> None:
    is_problem(await ask(client, body), status, code)
    assert not copilot.asked


@pytest.mark.parametrize("raw", [b"", b"{", b'{"question": "\\ud800"}', b"\xff\xfe", b"null"])
async def test_a_body_that_is_no_question(client: httpx.AsyncClient, raw: bytes) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    response = await client.post(ASK, content=raw, headers=headers)
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_longest_question_fits_into_a_body(client: httpx.AsyncClient) -> None:
    raw = json.dumps({"question": "\U0001f4e6" * MAX_QUESTION})
    assert len(raw) <= MAX_BODY
    response = await client.post(ASK, content=raw, headers={**BEARER, "Content-Type": "application/json"})
    assert response.status_code == 200


async def test_a_large_body_is_refused_by_its_declared_size(client: httpx.AsyncClient) -> None:
    is_problem(await ask(client, {"question": "x" * MAX_BODY}), 413, "too_large")


async def test_a_large_body_without_a_size_is_not_read(client: httpx.AsyncClient, copilot: FakeCopilot) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    headers = {**BEARER, "Content-Type": "application/json"}
    response = await client.post(ASK, content=endless(), headers=headers)
    assert response.status_code >= 400
    assert not copilot.asked


@pytest.mark.parametrize(
    ("text", "status", "code", "secret"),
    [
        ("no audit", 503, "audit", "/var/secret"),
        ("no database", 503, "database", "hunter2"),
        ("crash", 500, "internal", "secret detail"),
    ],
)
async def test_errors_tell_nothing_from_the_inside(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, text: str, status: int, code: str, secret: str
) -> None:
    response = await ask(client, {"question": text})
    is_problem(response, status, code)
    assert secret not in response.text
    assert "Traceback" not in response.text
    assert "incident" in caplog.text


async def test_an_unexpected_error_can_be_found_in_the_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    detail = (await ask(client, {"question": "crash"})).json()["detail"]
    assert detail.split()[-1].rstrip(".") in caplog.text


async def test_health(client: httpx.AsyncClient, copilot: FakeCopilot) -> None:
    response = await client.get("/health")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    copilot.components["database"] = "not reachable"
    response = await client.get("/health")
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")


async def test_a_model_that_is_down_leaves_the_copilot_degraded_and_up(
    client: httpx.AsyncClient, copilot: FakeCopilot
) -> None:
    well = ModelState(name="hosted", tasks=("plan", "draft"), breaker="closed")
    down = ModelState(name="house", tasks=("plan",), breaker="open", since=NOW, last_failure="slow")
    copilot.models = (well,)
    assert (await client.get("/health")).json()["status"] == "ok"
    copilot.models = (down, well)
    response = await client.get("/health")
    body = response.json()
    assert (response.status_code, body["status"], body["by_rules"]) == (200, "degraded", [])
    assert body["models"][0] == {
        "model": "house", "tasks": ["plan"], "breaker": "open", "since": "2026-11-20T14:03:00+00:00",
        "last_failure": "slow", "over_budget": False,
    }  # fmt: skip
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert set(body) == set(schemas["HealthOut"]["properties"])
    assert set(body["models"][0]) == set(schemas["ModelOut"]["properties"])
    copilot.models = (down, replace(well, over_budget=True))
    assert (await client.get("/health")).json()["by_rules"] == ["plan", "draft"]


async def test_the_docs_page_names_every_route_and_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "/api/v1/ask" in page
    assert "/health" in page
    assert "<script" not in page
    assert 'src="http' not in page
    assert 'rel="stylesheet" href="/public/pages.css"' in page


@pytest.mark.parametrize("path", ["/nowhere", "/redoc", "/api/v1/nothing", "/project/file/1", "/copilot/index.js"])
async def test_unknown_paths_are_problems(client: httpx.AsyncClient, path: str) -> None:
    is_problem(await client.get(path), 404, "not_found")


async def test_the_wrong_method_is_a_problem(client: httpx.AsyncClient) -> None:
    is_problem(await client.get(ASK), 405, "method_not_allowed")
