"""Signing in through a provider that nobody here wrote: the whole flow by HTTP, what ends it, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import yaml

from copilot.channels.web.app import create_app
from copilot.channels.web.session import SESSION_COOKIE
from copilot.settings import OidcSettings, Settings
from copilot.wiring import Runtime
from copilot.wiring.runtime import assemble
from evals.provider.rig import API, Client, ProviderRig, lacks, open_provider, sign_in
from tests.company import NOW, Company

pytestmark = pytest.mark.skipif(lacks() is not None, reason=lacks() or "")

US = "https://copilot.test"
ROOT = Path(__file__).parents[2]
WEB = Client(client_id="copilot", secret="web secret", redirect=f"{US}/signin/callback")
TOOL = Client(client_id="tool", secret="tool secret", redirect="https://tool.test/back")
OTHER = Client(client_id="other", secret="other secret", redirect="https://other.test/back")
GROUPS = {
    "groups": {
        "reps-us": {"role": "customer_service", "regions": ["US"]},
        "reps-de": {"role": "customer_service", "regions": ["DE"]},
        "planners": {"role": "planner"},
    }
}
ASK = f"{US}/api/v1/ask"


class MovingClock:
    """Goes on with the real time from a moment, and jumps when told."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(NOW.tzinfo) + self.ahead


@pytest.fixture(scope="module")
def provider() -> Generator[ProviderRig]:
    back = {
        "post_logout_redirect_uris": [f"{US}/signin"],
        "backchannel_logout_session_required": True,
    }
    clients = [WEB.registered(**back), TOOL.registered(), OTHER.registered()]
    with open_provider(ROOT / "build", clients, seconds=7200) as rig:
        yield rig


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
async def copilot(
    provider: ProviderRig, runtime: Runtime, clock: MovingClock, tmp_path: Path
) -> AsyncGenerator[Runtime]:
    """The copilot with the provider set up, over the company's records."""
    file = tmp_path / "groups.yaml"
    file.write_text(yaml.safe_dump(GROUPS))
    oidc = OidcSettings(
        issuer=provider.issuer, client_id=WEB.client_id, secret=WEB.secret, audience=API, groups_file=file
    )
    settings = replace(runtime.settings, public_url=US, oidc=oidc)
    built = assemble(settings, runtime.database, clock, runtime.admin_dsn)
    await built.sources.load()
    yield built
    assert built.sign_on is not None
    await built.sign_on.client.provider.aclose()
    await built.audit.close()


@pytest.fixture
async def browser(copilot: Runtime) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(copilot, copilot.settings, sign_on=copilot.sign_on)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=US) as client:
        yield client


async def come_in(browser: httpx.AsyncClient, account: str, *, kept: httpx.Client | None = None) -> httpx.Response:
    """The whole sign-in; returns our answer to the browser's return."""
    begun = await browser.get("/signin/start")
    assert begun.status_code == 303, begun.text
    with kept or httpx.Client() as at_provider:
        back = sign_in(at_provider, begun.headers["location"], account, WEB.redirect)
    return await browser.get(back)


async def asked(browser: httpx.AsyncClient, text: str, **headers: str) -> httpx.Response:
    return await browser.post(ASK, json={"question": text}, headers=headers)


def access_token(provider: ProviderRig, account: str, *, client: Client = TOOL, resource: str | None = API) -> Any:
    """The provider's answer to a tool's own sign-in of an account."""
    more = {"resource": resource} if resource else {}
    query = {
        "client_id": client.client_id, "redirect_uri": client.redirect, "response_type": "code", "nonce": "n",
        "scope": "openid profile", "state": "s", **more,
    }  # fmt: skip
    with httpx.Client() as at_provider:
        start = str(httpx.URL(f"{provider.issuer}/auth", params=query))
        back = sign_in(at_provider, start, account, client.redirect)
        code = parse_qs(urlsplit(back).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect, **more}
        answer = at_provider.post(f"{provider.issuer}/token", data=form, auth=(client.client_id, client.secret))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusals(company: Company, database: str) -> list[str]:
    with psycopg.connect(company.dsn(database)) as admin:
        rows = admin.execute("select reason from audit.entry where kind = 'sign_in' order by id").fetchall()
    return [str(row[0]) for row in rows]


async def test_somebody_signs_in_and_asks_within_their_groups(
    provider: ProviderRig, browser: httpx.AsyncClient
) -> None:
    provider.account("anna", "reps-us", "no such group")
    assert (await asked(browser, "how many open orders are there")).status_code == 401
    landed = await come_in(browser, "anna")
    assert (landed.status_code, landed.headers["location"]) == (303, "/")
    cookie = landed.headers["set-cookie"]
    assert all(each in cookie for each in (f"{SESSION_COOKIE}=", "HttpOnly", "Secure", "SameSite=lax"))
    answer = await asked(browser, "how many open orders are there")
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "verified"
    page = await browser.get("/")
    assert page.status_code == 200


async def test_a_group_that_is_not_mapped_gives_nothing(provider: ProviderRig, browser: httpx.AsyncClient) -> None:
    provider.account("bert", "somebody else's group")
    await come_in(browser, "bert")
    answer = await asked(browser, "how many open orders are there")
    assert answer.json()["verdict"] == "declined"
    assert answer.json()["reason"] == "no_access"
    assert not answer.json()["facts"]


async def test_a_group_taken_away_ends_within_ten_minutes_on_an_open_session(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("carl", "reps-us")
    await come_in(browser, "carl")
    assert (await asked(browser, "how many open orders are there")).json()["verdict"] == "verified"
    provider.account("carl")
    clock.ahead += timedelta(minutes=6)
    answer = await asked(browser, "how many open orders are there")
    assert (answer.json()["verdict"], answer.json()["reason"]) == ("declined", "no_access")


async def test_an_account_disabled_at_the_provider_is_out_within_ten_minutes_on_web_and_api(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("dora", "reps-us")
    await come_in(browser, "dora")
    token = access_token(provider, "dora")["access_token"]
    api = {"Authorization": f"Bearer {token}"}
    assert (await asked(browser, "open orders", **api)).status_code == 200
    provider.account("dora", "reps-us", enabled=False)
    clock.ahead += timedelta(minutes=6)
    assert (await asked(browser, "open orders")).status_code == 401
    browser.cookies.clear()
    assert (await asked(browser, "open orders", **api)).status_code == 401
    provider.account("dora", "reps-us")


async def test_an_access_token_alone_is_good_for_ten_minutes(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("emil", "planners")
    api = {"Authorization": f"Bearer {access_token(provider, 'emil')['access_token']}"}
    answer = await asked(browser, "how many open orders are there", **api)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "verified")
    clock.ahead += timedelta(minutes=11)
    assert (await asked(browser, "how many open orders are there", **api)).status_code == 401


async def test_a_provider_that_does_not_answer_is_believed_for_an_hour(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("fay", "reps-us")
    await come_in(browser, "fay")
    provider.stop()
    try:
        clock.ahead += timedelta(minutes=30)
        assert (await asked(browser, "how many open orders are there")).json()["verdict"] == "verified"
        clock.ahead += timedelta(minutes=31)
        assert (await asked(browser, "how many open orders are there")).status_code == 401
    finally:
        provider.start()


async def test_signing_out_ends_the_session_here_and_leads_to_the_provider(
    provider: ProviderRig, browser: httpx.AsyncClient
) -> None:
    provider.account("gus", "reps-us")
    await come_in(browser, "gus")
    stolen = browser.cookies[SESSION_COOKIE]
    left = await browser.post("/signout")
    assert left.headers["location"].startswith(f"{provider.issuer}/session/end?")
    browser.cookies.set(SESSION_COOKIE, stolen, domain="copilot.test")
    assert (await asked(browser, "open orders")).status_code == 401


async def test_a_secret_is_replaced_and_the_old_one_betrays_a_thief(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("hana", "reps-us")
    await come_in(browser, "hana")
    first = browser.cookies[SESSION_COOKIE]
    clock.ahead += timedelta(minutes=11)
    assert (await browser.get("/")).status_code == 200
    second = browser.cookies[SESSION_COOKIE]
    assert first != second
    browser.cookies.set(SESSION_COOKIE, first, domain="copilot.test")
    assert (await asked(browser, "open orders")).status_code == 200  # a request that was under way
    clock.ahead += timedelta(minutes=2)
    browser.cookies.set(SESSION_COOKIE, first, domain="copilot.test")
    assert (await asked(browser, "open orders")).status_code == 401
    browser.cookies.set(SESSION_COOKIE, second, domain="copilot.test")
    assert (await asked(browser, "open orders")).status_code == 401


async def test_keys_that_were_rotated_are_fetched_again(
    provider: ProviderRig, browser: httpx.AsyncClient, clock: MovingClock
) -> None:
    provider.account("iris", "planners")
    old = access_token(provider, "iris")["access_token"]
    assert (await asked(browser, "open orders", Authorization=f"Bearer {old}")).status_code == 200
    provider.rotate()
    clock.ahead += timedelta(seconds=31)
    new = access_token(provider, "iris")["access_token"]
    assert (await asked(browser, "open orders", Authorization=f"Bearer {new}")).status_code == 200
    assert (await asked(browser, "open orders", Authorization=f"Bearer {old}")).status_code == 401


async def test_tokens_for_somebody_or_something_else_are_refused_and_put_on_record(
    provider: ProviderRig, browser: httpx.AsyncClient, company: Company, database: str
) -> None:
    provider.account("jon", "planners")
    signed = access_token(provider, "jon")
    before = len(refusals(company, database))
    wrong: Mapping[str, str] = {
        "token_audience": access_token(provider, "jon", client=OTHER, resource=None)["id_token"],
        "token_malformed": access_token(provider, "jon", client=OTHER, resource=None)["access_token"],
    }
    for token in (*wrong.values(), signed["id_token"]):
        answer = await asked(browser, "open orders", Authorization=f"Bearer {token}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")
    assert refusals(company, database)[before:] == [*wrong, "token_audience"]


async def test_a_return_that_was_not_begun_here_is_refused(
    provider: ProviderRig, browser: httpx.AsyncClient, company: Company, database: str
) -> None:
    provider.account("kim", "planners")
    begun = await browser.get("/signin/start")
    with httpx.Client() as at_provider:
        back = sign_in(at_provider, begun.headers["location"], "kim", WEB.redirect)
    other = back.replace("state=", "state=x")
    before = len(refusals(company, database))
    assert (await browser.get(other)).status_code == 401
    assert refusals(company, database)[before:] == ["token_state"]
    browser.cookies.clear()
    assert (await browser.get(back)).status_code == 401
    assert SESSION_COOKIE not in browser.cookies


async def test_a_cookie_of_the_demo_sign_in_is_none_here(browser: httpx.AsyncClient, copilot: Runtime) -> None:
    from copilot.channels.web.chat import session_cookie
    from copilot.channels.web.session import Ticket

    browser.cookies.set(SESSION_COOKIE, session_cookie(Ticket(subject="rep.us"), "Dana"), domain="copilot.test")
    assert (await asked(browser, "open orders")).status_code == 401
    assert await copilot.demo_people() == ()


def test_the_settings_refuse_what_would_let_id_tokens_pass(tmp_path: Path) -> None:
    from copilot.errors import SettingsError
    from copilot.settings import read_settings

    given = {"COPILOT_HOME": str(tmp_path), "COPILOT_OIDC_ISSUER": "https://id.test", "COPILOT_OIDC_CLIENT_ID": "us"}
    assert isinstance(read_settings(given), Settings)
    with pytest.raises(SettingsError, match="id tokens"):
        read_settings({**given, "COPILOT_OIDC_AUDIENCE": "us"})
    with pytest.raises(SettingsError, match="COPILOT_OIDC_CLIENT_ID"):
        read_settings({"COPILOT_OIDC_ISSUER": "https://id.test"})
