"""Signing in through a provider that nobody here wrote, in a real browser: there and back, out again, and the ways that
people take by accident. Every test also fails on a request to any other host and on an error in one of our pages."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evals.provider.rig import ProviderMissingError, installed, lacks
from tests.browser.conftest import windows
from tests.browser.signed_site import Site, open_site
from tests.company import Company

playwright = pytest.importorskip("playwright.sync_api")
expect, Error = playwright.expect, playwright.Error

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Desk, Open

pytestmark = [pytest.mark.browser, pytest.mark.skipif(lacks() is not None, reason=lacks() or "")]

BUILD = Path(__file__).parents[2] / "build"
FONTS = "https://fonts.googleapis.com/"
"""What the provider's own pages ask for; it is answered with nothing."""
QUESTION = "how many open orders are there"


@pytest.fixture(scope="module")
def site(company: Company, database: str, home: Path) -> Iterator[Site]:
    try:
        installed(BUILD / "provider")
    except ProviderMissingError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with open_site(company, database, home, BUILD) as opened:
        yield opened


@pytest.fixture
def open_window(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens windows to the site."""
    with windows(chromium, site.address, site.provider.issuer, FONTS) as open_:

        def open_there(**look: int | bool) -> Desk:
            desk = open_(**look)
            desk.page.context.route(f"{FONTS}**", lambda route: route.fulfill(body="", content_type="text/css"))
            desk.page.goto(f"{site.address}/")
            return desk

        yield open_there


def go_there(page: Page) -> None:
    """To the provider, by the one button."""
    expect(page).to_have_url(re.compile("/signin$"))
    page.get_by_role("link", name="Continue with").click()


def come_in(page: Page, account: str) -> None:
    """Through the provider's pages and back, to the chat."""
    go_there(page)
    log_in(page, account)


def log_in(page: Page, account: str) -> None:
    """On the provider's pages, whether or not it asks for consent too."""
    page.locator("input[name=login]").fill(account)
    page.locator("input[name=password]").fill("x")
    page.locator("button[type=submit]").click()
    consent = "input[name=prompt][value=consent]"
    page.locator(f"#chat-input, {consent}").first.wait_for(state="attached")
    if page.locator(consent).count():
        page.locator("button[type=submit]").click()
    page.wait_for_selector("#chat-input")


def sign_out(page: Page) -> None:
    """By the chat's own menu, and at the provider."""
    begin_to_sign_out(page)
    page.get_by_role("button", name="Yes, sign me out").click()


def begin_to_sign_out(page: Page) -> None:
    """By the chat's own menu, to the provider's question."""
    page.click("#user-nav-button")
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").wait_for()


def status(page: Page) -> int:
    """What the API answers to this browser."""
    return page.evaluate(
        "async asked => (await fetch('/api/v1/ask', {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: JSON.stringify({question: asked, conversation: null})})).status",
        QUESTION,
    )


def ask_in_vain(desk: Desk) -> None:
    """Ask once more: the open chat says to sign in again, or has gone there by itself."""
    page = desk.page
    with contextlib.suppress(Error):
        page.locator("#chat-input").press_sequentially(QUESTION, timeout=3_000)
        page.keyboard.press("Enter")
    page.get_by_text("Sign in again").or_(page.get_by_role("link", name="Continue with")).first.wait_for()
    assert page.get_by_test_id("answer-card").count() <= 1


def is_out(desk: Desk, site: Site) -> None:
    """The chat and the API are closed to this browser."""
    page = desk.page.context.new_page()
    page.goto(f"{site.address}/")
    expect(page).to_have_url(f"{site.address}/signin")
    assert status(page) == 401
    desk.complaints.clear()  # the open chat's, of what it was refused


def unauthorized() -> str:
    """What the browser says of a page or a request that was refused."""
    return "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_one_button_through_the_provider_to_an_answer(
    open_window: Open, site: Site, width: int, *, dark: bool
) -> None:
    site.provider.account("anna", "reps-us")
    desk = open_window(width=width, height=800, dark=dark)
    look = f"{'dark' if dark else 'light'}-{width}"
    desk.shot(f"signin-{look}")
    button = desk.page.get_by_role("link", name="Continue with")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 40  # a thumb finds it
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    come_in(desk.page, "anna")
    desk.ask(QUESTION).shot(f"signed-in-{look}")
    expect(desk.page.locator(".ec-verdict")).to_have_text("Checked")
    desk.page.click("#user-nav-button")
    expect(desk.page.get_by_role("menu")).to_contain_text("Anna")


def test_signing_out_ends_it_here_and_at_the_provider(open_window: Open, site: Site) -> None:
    site.provider.account("bert", "reps-us")
    desk = open_window()
    come_in(desk.page, "bert")
    desk.ask(QUESTION)
    answered = desk.page.url
    sign_out(desk.page)
    expect(desk.page).to_have_url(f"{site.address}/signin")
    desk.shot("signed-out")
    for _ in range(2):
        desk.page.go_back()
        expect(desk.page.get_by_test_id("answer-card")).to_have_count(0)
    desk.page.goto(answered)
    expect(desk.page).to_have_url(f"{site.address}/signin")
    is_out(desk, site)
    go_there(desk.page)
    desk.page.locator("input[name=login]").wait_for()  # the provider asks again: its own session is over too


def test_signing_out_at_the_provider_closes_the_open_chat(open_window: Open, site: Site) -> None:
    site.provider.account("carl", "reps-us")
    desk = open_window()
    come_in(desk.page, "carl")
    desk.ask(QUESTION)
    elsewhere = desk.page.context.new_page()
    elsewhere.goto(f"{site.provider.issuer}/session/end")
    elsewhere.get_by_role("button", name="Yes, sign me out").click()
    elsewhere.get_by_text("Sign-out Success").wait_for()
    elsewhere.close()
    ask_in_vain(desk)
    desk.shot("ended-at-the-provider")
    is_out(desk, site)


def test_an_account_disabled_at_the_provider_is_out_on_an_open_chat(open_window: Open, site: Site) -> None:
    site.provider.account("dora", "reps-us")
    desk = open_window()
    come_in(desk.page, "dora")
    desk.ask(QUESTION)
    site.provider.account("dora", "reps-us", enabled=False)
    before = site.clock.ahead
    try:
        site.clock.ahead += timedelta(minutes=10)
        ask_in_vain(desk)
        is_out(desk, site)
    finally:
        site.clock.ahead = before


def test_a_group_taken_away_is_gone_from_an_open_chat(open_window: Open, site: Site) -> None:
    site.provider.account("emil", "reps-us")
    desk = open_window()
    come_in(desk.page, "emil")
    desk.ask(QUESTION)
    site.provider.account("emil")
    before = site.clock.ahead
    try:
        site.clock.ahead += timedelta(minutes=10)
        desk.ask(QUESTION)
        expect(desk.page.locator(".ec-verdict").last).to_have_text("Not answered")
        desk.shot("no-access")
    finally:
        site.clock.ahead = before


def test_the_way_back_opened_again_leads_to_the_chat(open_window: Open, site: Site) -> None:
    site.provider.account("fay", "reps-us")
    desk = open_window()
    ways: list[str] = []
    desk.page.on("request", lambda request: ways.append(request.url) if "/signin/callback?" in request.url else None)
    come_in(desk.page, "fay")
    desk.page.goto(ways[0])
    expect(desk.page).to_have_url(f"{site.address}/")
    desk.page.wait_for_selector("#chat-input")
    stranger = open_window()
    stranger.page.goto(ways[0])
    expect(stranger.page.get_by_role("alert")).to_contain_text("in another browser")
    stranger.shot("opened-again")
    stranger.complaints.remove(unauthorized())


def test_a_sign_in_that_was_given_up_says_so_and_can_begin_again(open_window: Open, site: Site) -> None:
    site.provider.account("gus", "reps-us")
    desk = open_window(width=390)
    go_there(desk.page)
    desk.page.get_by_role("link", name="Cancel").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("did not let you in")
    desk.shot("given-up")
    desk.complaints.remove(unauthorized())
    desk.page.goto(f"{site.address}/")
    come_in(desk.page, "gus")


def test_the_back_button_on_the_way_begins_again(open_window: Open, site: Site) -> None:
    site.provider.account("hana", "reps-us")
    desk = open_window()
    go_there(desk.page)
    desk.page.locator("input[name=login]").wait_for()
    desk.page.go_back()
    come_in(desk.page, "hana")
    desk.page.go_back()  # to the provider's page, which is over, or to our sign-in
    desk.page.goto(f"{site.address}/")
    desk.page.wait_for_selector("#chat-input")


def test_two_tabs_sign_in_side_by_side_and_out_together(open_window: Open, site: Site) -> None:
    site.provider.account("iris", "reps-us")
    desk = open_window()
    other = desk.page.context.new_page()
    other.goto(f"{site.address}/")
    go_there(desk.page)
    go_there(other)
    for page in (desk.page, other):
        log_in(page, "iris")
    desk.ask(QUESTION)
    begin_to_sign_out(other)
    third = desk.page.context.new_page()
    third.goto(f"{site.address}/")
    expect(third.get_by_role("alert")).to_contain_text("Another tab asks")
    desk.shot("signing-out-in-another-tab", third)
    third.close()
    other.get_by_role("button", name="Yes, sign me out").click()
    expect(other).to_have_url(f"{site.address}/signin")
    other.close()
    ask_in_vain(desk)
    is_out(desk, site)
