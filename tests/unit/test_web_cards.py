"""The card under an answer, links to carriers, and questions before they are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.channels.carriers import carriers, tracking_link
from copilot.channels.web.cards import answer_card, answer_steps, card_element, plain_markdown
from copilot.channels.web.documents import document_card
from copilot.channels.web.printed import age_words, named, printed_date, web_link
from copilot.channels.web.question_text import QuestionError, clean_question
from copilot.channels.web.starters import starters_from_file
from copilot.domain.question import MAX_QUESTION, DemoPerson
from tests.browser.fake_copilot import ANSWERS, LINES, ORDER, SHIPMENTS, source


def test_an_order_becomes_a_card() -> None:
    card = document_card(ANSWERS["s00024"].sources)
    assert card is not None
    assert (card["number"], card["party"], card["status"], card["late"]) == (
        "S00024", "Acme Industrial Supply", "partly shipped", "overdue",
    )  # fmt: skip
    assert [(moment["label"], moment["state"]) for moment in card["moments"]] == [
        ("Ordered", "done"), ("Promised", "late"), ("Shipped", "partly"), ("Delivered", "partly"),
    ]  # fmt: skip
    assert [line["late"] for line in card["lines"]] == [None, "1 working day late", "4 working days late"]
    assert card["lines"][2]["actual"] == "backordered"


def test_an_order_in_time_is_not_marked() -> None:
    done = replace(ORDER, fields={**ORDER.fields, "status": "delivered", "shipped date": "2026-11-13"})
    card = document_card((done, LINES[0], SHIPMENTS[0]))
    assert card is not None
    assert card["late"] is None
    assert {moment["state"] for moment in card["moments"]} == {"done", "open"}
    assert card["lines"][0]["late"] is None


def test_the_card_judges_nothing_late_by_itself() -> None:
    card = document_card((replace(ORDER, fields={**ORDER.fields, "shipped date": "2026-11-30"}), *LINES))
    assert card is not None
    assert card["late"] is None
    assert [line["late"] for line in card["lines"]] == [None, None, None]
    assert "late" not in {moment["state"] for moment in card["moments"]}


def test_only_holds_in_force_are_shown() -> None:
    held = source(8, "order_hold", "7", "hold 7", {"reason": "credit", "placed at": "2026-11-12"})
    over = replace(held, id="S9", fields={**held.fields, "released at": "2026-11-13"})
    card = document_card((ORDER, *LINES, held, over))
    assert card is not None
    assert card["holds"] == ["on hold: credit"]


def test_several_orders_have_no_card() -> None:
    other = replace(ORDER, id="S9", key="S00025")
    assert document_card((ORDER, other)) is None


def test_one_purchase_order_among_several_orders_has_no_card() -> None:
    others = (replace(ORDER, id="S8", step="late"), replace(ORDER, id="S9", key="S00025", step="late"))
    purchase = source(1, "purchase_order", "P00003", "purchase order P00003", {"status": "confirmed"})
    line = source(2, "purchase_line", "1", "line 1", {"status": "confirmed"})
    assert document_card((*others, purchase, line)) is None
    assert document_card((purchase, line)) is not None


def test_an_order_beside_an_invoice_has_no_card() -> None:
    beside = replace(ORDER, step="orders")
    assert document_card((source(1, "invoice", "INV/1", "invoice INV/1", {}), beside)) is None


def test_a_purchase_order_has_a_card_too() -> None:
    order = source(1, "purchase_order", "P00012", "purchase order P00012",
                   {"number": "P00012", "supplier": "Azure", "order date": "2026-11-01"}, step="order")  # fmt: skip
    line = source(
        2, "purchase_line", "1", "line", {"item": "Desk", "ordered quantity": "5 pcs", "received quantity": "0 pcs"}
    )
    card = document_card((order, line))
    assert card is not None
    assert (card["title"], card["moved_label"], card["party"]) == ("Purchase order", "Received", "Azure")
    assert len(card["moments"]) == 3


def test_missing_fields_leave_gaps_not_errors() -> None:
    bare = replace(ORDER, fields={}, link=None)
    card = document_card((bare, replace(LINES[0], fields={}), replace(SHIPMENTS[0], fields={})))
    assert card is not None
    assert card["number"] == "S00024"
    assert card["shipments"][0]["tracking_link"] is None


def test_the_age_is_the_oldest_sources() -> None:
    assert answer_card(ANSWERS["s00024"])["age"] == "2 h ago"
    assert answer_card(ANSWERS["acme"])["age"] is None


def test_links_that_are_no_pages_are_dropped() -> None:
    card = answer_card(ANSWERS["hostile"])
    assert card["document"] is not None
    assert card["document"]["link"] is None
    assert card["sources"][0]["link"] is None
    assert card["document"]["shipments"][0]["tracking_link"] is None


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x/y", "https://user:pw@evil.example/",
     "https://", "http://[x", "x", None],
)  # fmt: skip
def test_web_links(link: str | None) -> None:
    assert web_link(link) is None
    assert web_link("https://erp.example.com/web#id=4") == "https://erp.example.com/web#id=4"


def test_a_rating_is_under_the_audit_id_and_the_card_under_its_message() -> None:
    answer = replace(ANSWERS["s00024"], audit_id="audit-1")
    run, reply = answer_steps(answer, thread="t", parent="m")
    assert (run["id"], run["parentId"], reply["parentId"]) == ("audit-1", "m", "audit-1")
    element = card_element(answer, thread="t", message=reply["id"])
    assert element["forId"] == reply["id"]
    assert "url" not in element


def test_known_carriers_have_a_link() -> None:
    assert tracking_link("UPS Ground", "1Z999AA10123456784") == "https://www.ups.com/track?tracknum=1Z999AA10123456784"
    assert tracking_link("  dhl   Express ", "JD 014/6") == (
        "https://www.dhl.com/global-en/home/tracking.html?tracking-id=JD%20014%2F6"
    )


@pytest.mark.parametrize("carrier", [None, "", "Upsilon", "Own truck", "https://evil.example", "groups", "my ups"])
def test_unknown_carriers_have_none(carrier: str | None) -> None:
    assert tracking_link(carrier, "1Z999AA10123456784") is None


@given(number=st.text(max_size=60))
def test_a_tracking_number_never_leaves_its_place(number: str) -> None:
    link = tracking_link("UPS", number)
    if link is not None:
        tail = link.removeprefix("https://www.ups.com/track?tracknum=")
        assert not set(tail) & set("&#?/ <>\"'")


def test_every_template_is_https_with_one_number() -> None:
    assert len(carriers()) >= 10
    for carrier in carriers():
        assert carrier.link.startswith("https://")
        assert tracking_link(carrier.names[0], "AB123456") is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-14", date(2026, 11, 14)),
        ("2026-11-14 16:20 CST", date(2026, 11, 14)),
        ("14 Nov 2026", date(2026, 11, 14)),
        ("Nov 14, 2026", date(2026, 11, 14)),
        ("14 November 2026", date(2026, 11, 14)),
        ("next week", None),
        ("2026-13-40", None),
        ("14 Foo 2026", None),
        (None, None),
    ],
)
def test_printed_dates(text: str | None, expected: date | None) -> None:
    assert printed_date(text) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7_300, "2 h ago"),
        (90_000, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ages(seconds: int, words: str) -> None:
    assert age_words(seconds) == words


def test_fields_by_name() -> None:
    assert named({"Promised_Date": " 2026 "}, "promised date") == "2026"
    assert named({"a": "–", "b": "x"}, "a", "b") == "x"
    assert named({}, "a") is None


def test_answers_carry_no_images_no_directives_and_no_bare_links() -> None:
    assert plain_markdown("![x](https://e/x.png)") == "\\![x](https\u2060://e/x.png)"
    assert plain_markdown("see www.e.example") == "see www\u2060.e.example"
    assert plain_markdown("see WWW\\.e.example, a@e.example") == "see WWW\u2060\\.e.example, a\u2060@e.example"
    assert plain_markdown("Main:Chicago, 10:30, `a:b`") == "Main\\:Chicago, 10:30, `a:b`"


@given(st.text(max_size=MAX_QUESTION + 50))
def test_a_question_is_clean_or_refused(text: str) -> None:
    try:
        question = clean_question(text)
    except QuestionError:
        return
    assert 0 < len(question) <= MAX_QUESTION
    assert question == question.strip()
    assert "\x00" not in question
    question.encode()


@pytest.mark.parametrize("role", ["customer_service", "planner", "buyer", "warehouse", "finance"])
def test_every_role_has_starters(role: str) -> None:
    starters = starters_from_file(DemoPerson(subject="anna", name="Anna", role=role, where="all regions"))
    assert len(starters) >= 3
    assert all(clean_question(question) and len(label) <= 40 for label, question in starters)
