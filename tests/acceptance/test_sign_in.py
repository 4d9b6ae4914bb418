"""Signing in through a provider that nobody here wrote: the whole flow by HTTP, what ends it, and what is refused."""

from __future__ import annotations

import asyncio
import html
import os
import re
from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from copilot.channels.web.session import SESSION_COOKIE, session_key, ticket_of
from copilot.domain.question import SessionSubject
from copilot.settings import REFUSALS, Settings
from copilot.wiring import Runtime
from evals.provider.rig import ProviderMissingError, ProviderRig, installed, lacks, open_provider, sign_in
from evals.provider.scene import CLIENTS, OTHER, WEB, Front, front, tokens_of
from tests.browser.signed_site import MovingClock, Site, open_site
from tests.company import Company, scratch_folder

pytestmark = pytest.mark.skipif(lacks() is not None, reason=lacks() or "")

ROOT = Path(__file__).parents[2]
GROUPS = {
    "reps-us": {"role": "customer_service", "regions": ["US"]},
    "reps-de": {"role": "customer_service", "regions": ["DE"]},
    "planners": {"role": "planner"},
}


@pytest.fixture(scope="module")
def provider() -> Generator[ProviderRig]:
    try:
        installed(ROOT / "build" / "provider")
    except ProviderMissingError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with open_provider(ROOT / "build", CLIENTS, seconds=7200) as rig:
        yield rig


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
async def site(provider: ProviderRig, runtime: Runtime, clock: MovingClock, tmp_path: Path) -> AsyncGenerator[Front]:
    async with front(provider, runtime, clock, GROUPS, tmp_path) as opened:
        yield opened


def refusals(company: Company, database: str) -> list[str]:
    with psycopg.connect(company.dsn(database)) as admin:
        rows = admin.execute("select reason from audit.entry where kind = 'sign_in' order by id").fetchall()
    return [str(row[0]) for row in rows]


async def test_somebody_signs_in_and_asks_within_their_groups(provider: ProviderRig, site: Front) -> None:
    provider.account("anna", "reps-us", "no such group")
    assert (await site.ask("how many open orders are there")).status_code == 401
    landed = await site.come_in("anna")
    assert (landed.status_code, landed.headers["location"]) == (303, "/")
    cookie = landed.headers["set-cookie"]
    assert all(each in cookie for each in (f"{SESSION_COOKIE}=", "HttpOnly", "Secure", "SameSite=lax"))
    answer = await site.ask("how many open orders are there")
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "verified"
    page = await site.browser.get("/")
    assert page.status_code == 200


async def test_a_group_that_is_not_mapped_gives_nothing(provider: ProviderRig, site: Front) -> None:
    provider.account("bert", "somebody else's group")
    await site.come_in("bert")
    answer = await site.ask("how many open orders are there")
    assert answer.json()["verdict"] == "declined"
    assert answer.json()["reason"] == "no_access"
    assert not answer.json()["facts"]


async def test_a_group_taken_away_ends_within_ten_minutes_on_an_open_session(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("carl", "reps-us")
    await site.come_in("carl")
    assert (await site.ask("how many open orders are there")).json()["verdict"] == "verified"
    provider.account("carl")
    clock.ahead += timedelta(minutes=6)
    answer = await site.ask("how many open orders are there")
    assert (answer.json()["verdict"], answer.json()["reason"]) == ("declined", "no_access")


async def test_a_group_taken_away_is_gone_for_all_that_is_asked_at_once(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("cleo", "reps-us")
    await site.come_in("cleo")
    assert (await site.ask("how many open orders are there")).json()["verdict"] == "verified"
    provider.account("cleo")
    clock.ahead += timedelta(minutes=11)
    ticket = ticket_of(site.browser.cookies[SESSION_COOKIE], session_key(site.copilot.settings.home))
    assert ticket is not None
    authenticate = site.copilot.asking.authenticate
    who = SessionSubject(ticket.subject, ticket.session)
    people = await asyncio.gather(*(authenticate(who) for _ in range(8)))
    assert {person.groups for person in people} == {()}


async def test_an_account_disabled_at_the_provider_is_out_within_ten_minutes_on_web_and_api(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("dora", "reps-us")
    await site.come_in("dora")
    api = tokens_of(provider, "dora")["access_token"]
    assert (await site.ask("open orders", api)).status_code == 200
    provider.account("dora", "reps-us", enabled=False)
    clock.ahead += timedelta(minutes=6)
    assert (await site.ask("open orders")).status_code == 401
    site.browser.cookies.clear()
    assert (await site.ask("open orders", api)).status_code == 401
    provider.account("dora", "reps-us")


async def test_an_access_token_alone_is_good_for_ten_minutes(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("emil", "planners")
    api = tokens_of(provider, "emil")["access_token"]
    answer = await site.ask("how many open orders are there", api)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "verified")
    clock.ahead += timedelta(minutes=11)
    assert (await site.ask("how many open orders are there", api)).status_code == 401


async def test_a_provider_that_does_not_answer_is_believed_for_an_hour(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("fay", "reps-us")
    await site.come_in("fay")
    provider.stop()
    try:
        clock.ahead += timedelta(minutes=30)
        assert (await site.ask("how many open orders are there")).json()["verdict"] == "verified"
        clock.ahead += timedelta(minutes=31)
        assert (await site.ask("how many open orders are there")).status_code == 401
    finally:
        provider.start()


async def test_signing_out_ends_the_session_here_and_leads_to_the_provider(provider: ProviderRig, site: Front) -> None:
    provider.account("gus", "reps-us")
    await site.come_in("gus")
    stolen = site.browser.cookies[SESSION_COOKIE]
    left = await site.browser.post("/signout")
    assert left.headers["location"].startswith(f"{provider.issuer}/session/end?")
    site.browser.cookies.set(SESSION_COOKIE, stolen, domain="copilot.test")
    assert (await site.ask("open orders")).status_code == 401


async def test_whoever_signed_out_of_the_chat_is_given_the_way_to_the_providers_until_they_come_back(
    provider: ProviderRig, site: Front
) -> None:
    provider.account("gil", "reps-us")
    await site.come_in("gil")
    await site.browser.post("/logout")
    for _ in range(2):
        page = await site.browser.get("/signin")
        assert page.status_code == 200
        assert f'href="{html.escape(f"{provider.issuer}/session/end?")}' in page.text
    assert (await site.browser.get("/signin", params={"state": "left"})).headers["location"] == "/signin"
    last = await site.browser.get("/signin")
    assert last.status_code == 200
    assert "/session/end" not in last.text


async def test_a_secret_is_replaced_and_the_old_one_betrays_a_thief(
    provider: ProviderRig, site: Front, clock: MovingClock
) -> None:
    provider.account("hana", "reps-us")
    await site.come_in("hana")
    first = site.browser.cookies[SESSION_COOKIE]
    clock.ahead += timedelta(minutes=11)
    assert (await site.browser.get("/")).status_code == 200
    second = site.browser.cookies[SESSION_COOKIE]
    assert first != second
    site.browser.cookies.set(SESSION_COOKIE, first, domain="copilot.test")
    assert (await site.ask("open orders")).status_code == 200  # a request that was under way
    clock.ahead += timedelta(minutes=2)
    site.browser.cookies.set(SESSION_COOKIE, first, domain="copilot.test")
    assert (await site.ask("open orders")).status_code == 401
    site.browser.cookies.set(SESSION_COOKIE, second, domain="copilot.test")
    assert (await site.ask("open orders")).status_code == 401


async def test_keys_that_were_rotated_are_fetched_again(provider: ProviderRig, site: Front, clock: MovingClock) -> None:
    provider.account("iris", "planners")
    old = tokens_of(provider, "iris")["access_token"]
    assert (await site.ask("open orders", old)).status_code == 200
    provider.rotate()
    clock.ahead += timedelta(seconds=31)
    new = tokens_of(provider, "iris")["access_token"]
    assert (await site.ask("open orders", new)).status_code == 200
    assert (await site.ask("open orders", old)).status_code == 401


async def test_tokens_for_somebody_or_something_else_are_refused_and_put_on_record(
    provider: ProviderRig, site: Front, company: Company, database: str
) -> None:
    provider.account("jon", "planners")
    signed = tokens_of(provider, "jon")
    before = len(refusals(company, database))
    wrong: Mapping[str, str] = {
        "token_audience": tokens_of(provider, "jon", client=OTHER, resource=None)["id_token"],
        "token_malformed": tokens_of(provider, "jon", client=OTHER, resource=None)["access_token"],
    }
    for token in (*wrong.values(), signed["id_token"]):
        answer = await site.ask("open orders", token)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")
    assert refusals(company, database)[before:] == [*wrong, "token_audience"]


async def test_a_return_that_was_not_begun_here_is_refused(
    provider: ProviderRig, site: Front, company: Company, database: str
) -> None:
    provider.account("kim", "planners")
    begun = await site.browser.get("/signin/start")
    with httpx.Client() as at_provider:
        back = sign_in(at_provider, begun.headers["location"], "kim", WEB.redirect)
    other = back.replace("state=", "state=x")
    before = len(refusals(company, database))
    assert (await site.browser.get(other)).status_code == 401
    assert refusals(company, database)[before:] == ["token_state"]
    site.browser.cookies.clear()
    assert (await site.browser.get(back)).status_code == 401
    assert SESSION_COOKIE not in site.browser.cookies


async def test_a_cookie_of_the_demo_sign_in_is_none_here(site: Front) -> None:
    from copilot.channels.web.chat import session_cookie
    from copilot.channels.web.session import Ticket

    site.browser.cookies.set(SESSION_COOKIE, session_cookie(Ticket(subject="rep.us"), "Dana"), domain="copilot.test")
    assert (await site.ask("open orders")).status_code == 401
    assert await site.copilot.demo_people() == ()


def test_the_settings_refuse_what_would_let_id_tokens_pass(tmp_path: Path) -> None:
    from copilot.errors import SettingsError
    from copilot.settings import read_settings

    given = {"COPILOT_HOME": str(tmp_path), "COPILOT_OIDC_ISSUER": "https://id.test", "COPILOT_OIDC_CLIENT_ID": "us"}
    assert isinstance(read_settings(given), Settings)
    with pytest.raises(SettingsError, match="id tokens"):
        read_settings({**given, "COPILOT_OIDC_AUDIENCE": "us"})
    with pytest.raises(SettingsError, match="COPILOT_OIDC_CLIENT_ID"):
        read_settings({"COPILOT_OIDC_ISSUER": "https://id.test"})


async def test_many_forged_tokens_are_counted_and_a_valid_one_is_still_taken(
    provider: ProviderRig, site: Front, company: Company, database: str
) -> None:
    provider.account("lea", "reps-us")
    token = tokens_of(provider, "lea")["access_token"]
    before = len(refusals(company, database))
    for number in range(REFUSALS + 7):
        assert (await site.ask("open orders", f"a.b.c{number}")).status_code == 401
    assert (await site.ask("how many open orders are there", token)).json()["verdict"] == "verified"
    assert len(refusals(company, database)) - before == REFUSALS
    await site.copilot.asking.refusals.close()
    with psycopg.connect(company.dsn(database)) as admin:
        last = admin.execute("select reason, plan from audit.entry where kind = 'sign_in' order by id desc").fetchone()
    assert last is not None
    assert (last[0], last[1]["count"]) == ("token_flood", 7)


async def test_the_first_questions_are_by_role_and_about_what_one_may_see(
    provider: ProviderRig, site: Front, company: Company, database: str
) -> None:
    offered: dict[str, set[str]] = {}
    for account, group in (("mia", "reps-us"), ("max", "reps-de"), ("mo", "nothing mapped")):
        provider.account(account, group)
        await site.come_in(account)
        offered[account] = await starters(site)
        for question in offered[account]:
            assert (await site.ask(question)).json()["verdict"] == "verified"
        site.browser.cookies.clear()
    assert len(offered["mia"]) > 2
    assert len(offered["max"]) > 2
    assert not offered["mo"]
    with psycopg.connect(company.dsn(database)) as admin:
        region = "select number from biz.sales_order o join biz.region r on r.id = o.label_region where r.code = %s"
        american = {number for (number,) in admin.execute(region, ("US",)).fetchall()}
    assert not [question for question in offered["max"] if any(number in question for number in american)]


async def starters(site: Front) -> set[str]:
    """The first questions as the chat's page has them: where they are not found at once, a moment later."""
    for _ in range(20):
        settings = (await site.browser.get("/project/settings")).json()
        if settings["starters"]:
            return {starter["message"] for starter in settings["starters"]}
    return set()


async def test_a_sign_in_says_what_the_provider_wants_besides(
    provider: ProviderRig, runtime: Runtime, clock: MovingClock, tmp_path: Path
) -> None:
    async with front(provider, runtime, clock, GROUPS, tmp_path, authorize=(("access_type", "offline"),)) as opened:
        begun = await opened.browser.get("/signin/start")
    assert "access_type=offline" in begun.headers["location"]
    assert "code_challenge=" in begun.headers["location"]


async def test_a_logout_token_is_good_for_once_in_any_process(
    provider: ProviderRig, runtime: Runtime, site: Front, clock: MovingClock, tmp_path: Path
) -> None:
    now = int(clock().timestamp())
    key = RSAKey.import_key(provider.keys[0])
    event = "http://schemas.openid.net/event/backchannel-logout"
    claims = {
        "iss": provider.issuer, "aud": WEB.client_id, "sub": "nina", "iat": now, "exp": now + 60, "jti": "once",
        "events": {event: {}},
    }  # fmt: skip
    token = jwt.encode({"alg": "RS256", "typ": "logout+jwt", "kid": key.kid}, claims, key)
    provider.account("nina", "reps-us")
    await site.come_in("nina")
    assert (await site.ask("open orders")).status_code == 200
    told = {"logout_token": token}
    assert (await site.browser.post("/signin/backchannel", data=told)).status_code == 200
    assert (await site.ask("open orders")).status_code == 401
    async with front(provider, runtime, clock, GROUPS, tmp_path) as another:
        await another.come_in("nina")
        assert (await another.browser.post("/signin/backchannel", data=told)).status_code == 400
        assert (await another.ask("open orders")).status_code == 200


async def test_the_provider_itself_tells_us_that_somebody_signed_out(company: Company, tmp_path: Path) -> None:
    """On a port, for the provider sends it to one."""
    with (
        company.clone() as name,
        scratch_folder() as folder,
        open_site(company, name, folder / "home", ROOT / "build") as listening,
    ):
        await asyncio.to_thread(_signs_out_there, listening)


def _signs_out_there(site: Site) -> None:
    site.provider.account("olga", "reps-us")
    with httpx.Client(base_url=site.address) as browser, httpx.Client() as at_provider:
        begun = browser.get("/signin/start")
        back = sign_in(at_provider, begun.headers["location"], "olga", f"{site.address}/signin/callback")
        assert browser.get(back).headers["location"] == "/"
        question = {"question": "how many open orders are there"}
        assert browser.post("/api/v1/ask", json=question).json()["verdict"] == "verified"
        page = at_provider.get(f"{site.provider.issuer}/session/end").text
        form, xsrf = re.search(r'action="([^"]+)"', page), re.search(r'name="xsrf" value="([^"]+)"', page)
        assert form
        assert xsrf
        at_provider.post(html.unescape(form[1]), data={"xsrf": xsrf[1], "logout": "yes"})
        assert browser.post("/api/v1/ask", json=question).status_code == 401
