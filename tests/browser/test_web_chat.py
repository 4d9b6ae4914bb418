"""The chat in a real browser, against canned answers. Every test also fails on a request to any other host, on an
error in the page, and on anything the content-security policy had to stop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

if TYPE_CHECKING:
    from tests.browser.conftest import Desk, Open

pytestmark = pytest.mark.browser


def fits(desk: Desk) -> bool:
    return desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_from_the_sign_in_to_an_order_card(open_desk: Open) -> None:
    desk = open_desk().sign_in()
    desk.shot("welcome")
    desk.ask("Where is S00024?").shot("order")
    card = desk.page.get_by_test_id("order-card")
    for text in ("S00024", "Acme Industrial Supply", "overdue", "Promised", "Large desk", "backordered"):
        expect(card).to_contain_text(text)
    expect(desk.page.locator(".ec-verdict")).to_have_text("Checked")
    expect(desk.page.locator(".ec-standing")).to_contain_text("as of 2 h ago")
    assert desk.page.locator(".ec-line-late").count() == 2


def test_sources_open_to_their_fields_and_lead_into_the_erp(open_desk: Open) -> None:
    desk = open_desk(height=1400).sign_in().ask("Where is S00024?")
    desk.page.click(".ec-sources > summary")
    first = desk.page.get_by_test_id("source").first
    first.locator("summary").click()
    for text in ("Odoo Main", "3 min ago", "sales order S00024", "customer's PO number", "4500012345"):
        expect(first).to_contain_text(text)
    link = first.get_by_role("link")
    expect(link).to_have_attribute("href", re.compile(r"^https://erp\.example\.com/"))
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    desk.shot("sources")


def test_what_is_open_stays_open_when_the_next_question_is_asked(open_desk: Open) -> None:
    desk = open_desk(height=1400).sign_in().ask("Where is S00024?")
    desk.page.click(".ec-sources > summary")
    desk.ask("where is S99999")
    assert desk.page.locator(".ec-sources[open]").count() == 1


def test_tracking_leads_to_a_known_carrier_only(open_desk: Open) -> None:
    desk = open_desk().sign_in().ask("Where is S00024?")
    known = desk.page.get_by_role("link", name="Follow 1Z999AA10123456784 at UPS Ground")
    expect(known).to_have_attribute("href", "https://www.ups.com/track?tracknum=1Z999AA10123456784")
    expect(desk.page.get_by_test_id("order-card").get_by_text("NL-88210")).to_be_visible()
    assert desk.page.get_by_role("link", name="NL-88210").count() == 0


def test_choices_ask_what_they_stand_for(open_desk: Open) -> None:
    desk = open_desk().sign_in().ask("orders for acme")
    desk.shot("choices")
    desk.page.get_by_role("button", name="Acme Industrial Supply, Chicago").click()
    expect(desk.page.get_by_test_id("order-card")).to_be_visible()
    expect(desk.page.locator("[data-step-type=user_message]").last).to_contain_text("Where is S00024?")


def test_a_declined_answer_looks_different(open_desk: Open) -> None:
    desk = open_desk().sign_in().ask("Where is S00024?").ask("where is S99999")
    desk.shot("decline")
    look = "el => getComputedStyle(el).borderStyle + getComputedStyle(el).backgroundColor"
    answered, declined = (desk.page.locator(".ai-message .message-content").nth(n).evaluate(look) for n in (0, 1))
    assert answered != declined
    expect(desk.page.locator(".ec-declined .ec-verdict")).to_have_text("Not answered")
    expect(desk.page.locator(".ec-declined")).to_contain_text("Check the number")


def test_nothing_of_an_answer_shows_before_it_is_there(open_desk: Open) -> None:
    desk = open_desk().sign_in().type("slow S00024")
    expect(desk.page.get_by_text("Looking it up…")).to_be_visible()
    assert desk.page.get_by_test_id("answer-card").count() == 0
    desk.page.get_by_test_id("answer-card").wait_for()
    expect(desk.page.get_by_text("Looking it up…")).to_have_count(0)


@pytest.mark.parametrize(("question", "said"), [("no audit", "no answer"), ("crash", "Its log names the cause")])
def test_errors_are_a_sentence(open_desk: Open, question: str, said: str) -> None:
    desk = open_desk().sign_in().type(question)
    expect(desk.page.locator(".ai-message").last).to_contain_text(said)
    assert "secret" not in desk.page.content()
    desk.ask("Where is S00024?")


def test_hostile_text_stays_text(open_desk: Open) -> None:
    desk = open_desk(height=1400).sign_in().ask("hostile")
    desk.page.click(".ec-sources > summary")
    desk.page.get_by_test_id("source").first.locator("summary").click()
    desk.shot("hostile")
    assert desk.page.evaluate("window.hacked") is None
    assert desk.page.locator(".message-content img, .message-content script, .message-content iframe").count() == 0
    hrefs = desk.page.eval_on_selector_all(".message-content a", "links => links.map(a => a.getAttribute('href'))")
    assert not [href for href in hrefs if href and ("hacked" in href or "evil" in href)]
    expect(desk.page.locator(".ec-choices button")).to_contain_text("<img src=")


def test_a_past_conversation_is_answered_again(open_desk: Open) -> None:
    desk = open_desk().sign_in("finance").ask("Where is S00024?").ask("where is S99999")
    address = desk.page.url
    assert "/thread/" in address
    desk.page.click("#new-chat-button")
    expect(desk.page.locator("#starters")).to_be_visible()
    desk.page.locator("#thread-history a").first.click()
    expect(desk.page.get_by_test_id("answer-card")).to_have_count(2)
    assert desk.page.url == address
    desk.shot("reopened")
    desk.ask("stock of large desk")
    desk.page.reload()
    expect(desk.page.get_by_test_id("answer-card")).to_have_count(3)
    assert desk.page.locator("#thread-history a").count() == 1


def test_an_answer_without_the_model_is_marked_and_stays_so(open_desk: Open) -> None:
    desk = open_desk().sign_in("buyer").ask("late orders while the model rests")
    expect(desk.page.get_by_test_id("fallback")).to_have_text("without the model, which took too long")
    desk.ask("late orders now that the model helps")
    expect(desk.page.locator(".ec-engine").last).to_have_text("with a model")
    desk.page.reload()
    expect(desk.page.get_by_test_id("answer-card")).to_have_count(2)
    expect(desk.page.get_by_test_id("fallback")).to_have_count(1)


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)])
def test_while_the_model_rests_the_page_says_so_quietly(open_desk: Open, *, dark: bool, width: int) -> None:
    desk = open_desk(dark=dark, width=width).sign_in("buyer")
    expect(desk.page.locator("#ec-state")).to_be_hidden()
    desk.ask("late orders while the model rests")
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as if one came back to the page
    expect(desk.page.locator("#ec-state")).to_contain_text("the rules answer alone")
    assert fits(desk)
    desk.shot(f"model-rests-{width}")
    desk.ask("late orders now that the model helps")
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.page.locator("#ec-state")).to_be_hidden()


def test_a_conversation_can_be_deleted(open_desk: Open) -> None:
    desk = open_desk().sign_in("planner").ask("Where is S00024?")
    desk.page.locator("#thread-history a").first.hover()
    desk.page.locator("#thread-options").first.click()
    assert not desk.page.locator("#rename-thread").is_visible()
    desk.page.click("#delete-thread")
    desk.page.get_by_role("button", name="Confirm").click()
    expect(desk.page.locator("#thread-history a")).to_have_count(0)


def test_another_person_sees_none_of_it(open_desk: Open) -> None:
    first = open_desk().sign_in("rep.us").ask("Where is S00024?")
    second = open_desk().sign_in("warehouse.sg")
    assert second.page.locator("#thread-history a").count() == 0
    second.page.goto(first.page.url)
    expect(second.page.get_by_text("Couldn't resume chat")).to_be_visible()
    assert second.page.get_by_test_id("answer-card").count() == 0


def test_rating_and_copying(open_desk: Open) -> None:
    desk = open_desk().sign_in().ask("Where is S00024?")
    desk.page.get_by_role("button", name="Right and useful").click()
    desk.page.click("#submit-feedback")
    expect(desk.page.get_by_text("Thank you")).to_be_visible()
    desk.page.get_by_role("button", name="Copy the answer").click()
    expect(desk.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Order S00024 (web) for Acme Industrial Supply is partly shipped.")


def test_signing_out_leads_back(open_desk: Open) -> None:
    desk = open_desk().sign_in()
    desk.page.click("#user-nav-button")
    desk.page.get_by_role("menuitem", name="Sign out").click()
    expect(desk.page.get_by_text("Who do you want to be?")).to_be_visible()
    desk.page.goto(desk.server)
    expect(desk.page.get_by_text("Who do you want to be?")).to_be_visible()


def test_the_theme_follows_the_system_and_the_switch(open_desk: Open) -> None:
    desk = open_desk(dark=True).sign_in().ask("Where is S00024?")
    expect(desk.page.locator("html")).to_have_class(re.compile("dark"))
    desk.shot("dark")
    desk.page.click("#theme-toggle")
    desk.page.get_by_role("menuitem", name="Light").click()
    expect(desk.page.locator("html")).to_have_class(re.compile("light"))


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_on_a_phone(open_desk: Open, *, dark: bool) -> None:
    desk = open_desk(dark=dark, width=390, height=844)
    desk.page.goto(desk.server)
    assert fits(desk)
    desk.sign_in()
    desk.shot("phone-welcome")
    assert fits(desk)
    for question in ("Where is S00024?", "stock of large desk", "orders for acme", "hostile"):
        desk.ask(question)
        assert fits(desk), question
        wide = "els => els.filter(el => el.getBoundingClientRect().right > innerWidth + 1).length"
        assert desk.page.eval_on_selector_all(".ec, .ec *", wide) == 0, question
        desk.shot(f"phone-{'dark' if dark else 'light'}-{question.split()[-1].strip('?').lower()}")


def test_every_control_has_a_name(open_desk: Open) -> None:
    desk = open_desk().sign_in().ask("Where is S00024?")
    desk.page.wait_for_timeout(300)
    nameless = """els => els.filter(el => el.checkVisibility() && !(el.getAttribute('aria-label') || el.title
        || el.innerText.trim() || el.labels?.length || el.querySelector('img[alt]'))).map(el => el.outerHTML)"""
    assert desk.page.eval_on_selector_all("button, a, input, [role=button], [contenteditable=true]", nameless) == []


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(open_desk: Open, *, dark: bool) -> None:
    desk = open_desk(dark=dark, height=1600).sign_in().ask("Where is S00024?").ask("where is S99999")
    desk.page.wait_for_timeout(600)
    assert desk.page.evaluate(CONTRAST) == []


def test_a_starter_asks(open_desk: Open) -> None:
    desk = open_desk().sign_in()
    desk.page.get_by_role("button", name="Where is an order?").click()
    expect(desk.page.get_by_test_id("order-card")).to_be_visible()


def test_the_other_pages_need_nobody_else(open_desk: Open) -> None:
    desk = open_desk()
    desk.page.goto(f"{desk.server}/docs")
    desk.shot("docs")
    expect(desk.page.get_by_role("heading", name="/api/v1/ask")).to_be_visible()
    desk.sign_in()
    desk.page.click("#readme-button")
    expect(desk.page.get_by_text("What it will not do")).to_be_visible()


# The texts of the card whose contrast with what lies behind them is below WCAG AA (4.5:1).
CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parse = (color, under) => {
    paint.fillStyle = `rgb(${under.join(',')})`; paint.fillRect(0, 0, 1, 1);
    paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = el => {
    const layers = [];
    for (let at = el; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    return layers.reduce((under, color) => parse(color, under), [255, 255, 255]);
  };
  const ratio = el => {
    const back = ground(el), fore = parse(getComputedStyle(el).color, back);
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  };
  const texts = '.ec *, .message-content [role=article], #thread-history span, .watermark *';
  return [...document.querySelectorAll(texts)]
    .filter(el => el.checkVisibility() && [...el.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(el => [el.className || el.tagName, el.textContent.slice(0, 30), ratio(el)])
    .filter(found => found[2] < 4.5);
}"""
