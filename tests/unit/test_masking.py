"""What is personal in the records, who sees how much of it, and that nothing of it is in logs, traces and requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import httpx2
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from copilot.domain.evidence import Value
from copilot.domain.json import Json
from copilot.domain.redaction import AUDIENCES, Audience, Masked
from copilot.domain.scope import EMPTY_SCOPE
from copilot.errors import MaskingError, ModelError
from copilot.masking.audiences import forms, treatment
from copilot.masking.logs import masked_line, masked_logs
from copilot.masking.outward import Outward
from copilot.masking.pseudonyms import Pseudonyms
from copilot.masking.traces import MaskedExporter
from copilot.masking.trial import tried
from copilot.masking.values import number_fields, personal_fields
from copilot.models.configured import Served
from copilot.models.openai_compatible import OpenAiCompatible
from copilot.models.saying import Message, Request
from copilot.models.wall import Wall
from copilot.policy.policy import load_policy
from copilot.semantic.model import load_model
from redaction.finds import Find
from redaction.gazetteer import Gazetteer, Known
from redaction.identifiers import learn
from redaction.redactor import Redactor
from redaction.vault import Kept, Vault
from tests.unit.records import record

MODEL = load_model()
POLICY = load_policy()
KNOWN = (
    Known("PERSON", "Anna Meyer", "name", "customer_contact.name", (4,)),
    Known("COMPANY", "Nordkant GmbH", "phrase", "customer.name", (7,)),
    Known("COMPANY", "Nordkant GmbH", "phrase", "supplier.name", (8,)),
    Known("ADDRESS", "Am Wall 3", "phrase", "customer_address.street", (9,)),
)
REDACTOR = Redactor((Gazetteer(KNOWN),), learn(("SO-10001", "SO-10002", "SO-10003")))


def known(entity: str, **row: Any) -> list[tuple[str, str, str]]:
    """Kind, value and how it is written of each value of a row."""
    fields = [each for each in personal_fields(MODEL) if each.entity == entity and set(each.columns) <= set(row)]
    return [(found.kind, found.value, found.how) for each in fields for found in each.known({"ids": [1], **row})]


def test_a_customer_is_a_person_or_a_company_as_the_record_says() -> None:
    assert known("customer", name="Anna Meyer", kind="person") == [("PERSON", "Anna Meyer", "name")]
    firm = known("customer", name="Nordkant Elektro GmbH & Co. KG", kind="business")
    assert {kind for kind, _, _ in firm} == {"COMPANY"}
    assert {"Nordkant Elektro GmbH & Co. KG", "Nordkant Elektro GmbH und Co. KG", "Nordkant Elektro"} <= {
        value for _, value, _ in firm
    }
    assert known("supplier", name="Siemens AG") == [("COMPANY", "Siemens AG", "phrase")]


@pytest.mark.parametrize(
    ("street", "forms"),
    [
        ("Hauptstraße 12a", {"Hauptstraße 12a", "Hauptstrasse 12a", "Hauptstr 12a"}),
        ("72 Depot St.", {"72 Depot St.", "72 Depot street", "72 Depot st"}),
        ("3 West End", {"3 West End"}),
    ],
)
def test_streets_are_known_in_full_and_for_short(street: str, forms: set[str]) -> None:
    assert {value for _, value, _ in known("customer_address", street=street)} == forms


def test_a_place_is_known_by_code_and_name_together() -> None:
    found = known("customer_address", postal_code="80331", city="München")
    assert {value for _, value, _ in found} == {"80331 München", "München 80331"}
    assert known("customer_address", postal_code="80331", city=None) == []


def test_numbers_of_our_own_are_no_accounts_and_no_codes() -> None:
    fields = number_fields(MODEL)
    assert ("sales_order", "number") in fields
    assert ("item", "gtin") in fields
    assert not {("customer", "number"), ("supplier", "tax_number"), ("site", "code")} & {*fields}


@pytest.mark.parametrize(
    ("audience", "person", "company", "typed"),
    [
        ("models", "token", "shown", "token"),
        ("providers", "token", "token", "token"),
        ("logs", "token", "token", "token"),
        ("exports", "token", "token", "token"),
    ],
)
def test_each_audience_sees_what_the_policy_says(audience: Audience, person: str, company: str, typed: str) -> None:
    finds = REDACTOR.find("Anna Meyer of Nordkant GmbH")
    assert [treatment(find, MODEL, POLICY, audience) for find in finds] == [person, company]
    assert treatment(Find(0, 3, "IBAN", "presidio:Iban"), MODEL, POLICY, audience) == typed


def test_of_what_overlaps_the_least_is_shown() -> None:
    both = Redactor(
        (Gazetteer((*KNOWN, Known("PERSON", "Meyer Nordkant", "name", "customer_contact.name", (5,)))),), learn(())
    )
    (find,) = both.find("Meyer Nordkant GmbH")
    assert treatment(find, MODEL, POLICY, "models") == "token"


def test_nothing_personal_is_shown_outside_by_the_shipped_policy() -> None:
    personal = {each.entity for each in personal_fields(MODEL)} - {"customer", "supplier"}
    classes = {"personal"} | {MODEL[entity].record_class for entity in personal}
    assert {POLICY.outward(name, audience) for name in classes for audience in AUDIENCES} == {"token"}


def test_a_unit_that_an_erp_filled_with_a_name_is_masked() -> None:
    stock = record("stock", unit="each", on_hand=12)
    held = replace(stock, values={**stock.values, "on_hand": Value("quantity", 12_000_000, "Anna Meyer")})
    told = outward("models").fields(held, {"on_hand": "12 Anna Meyer"}, frozenset({"sales"}))
    assert told == {"on_hand": "12 <PERSON_1>"}


def outward(audience: Audience) -> Outward:
    return Outward(REDACTOR, Vault(), MODEL, POLICY, audience)


def test_a_record_goes_out_field_by_field() -> None:
    order = record("sales_order", number="SO-10001", customer_po="ask Anna Meyer")
    printed = {"number": "SO-10001", "customer": "Nordkant GmbH", "customer_po": "ask Anna Meyer"}
    told = outward("providers").fields(order, printed, frozenset({"sales"}))
    assert told == {"number": "SO-10001", "customer": "<COMPANY_1>", "customer_po": "ask <PERSON_1>"}
    told = outward("models").fields(order, printed, frozenset({"sales"}))
    assert told == {"number": "SO-10001", "customer": "Nordkant GmbH", "customer_po": "ask <PERSON_1>"}


def test_what_is_hidden_is_left_out_and_a_token_stands_for_what_is_one() -> None:
    credit = record("customer_credit", credit_limit=150_000, currency="EUR")
    assert outward("providers").fields(credit, {"credit_limit": "150,000.00 EUR"}, frozenset({"credit"})) == {}
    contact = record("customer_contact", row=4, name="Anna Meyer")
    out = outward("models")
    assert out.fields(contact, {"name": "Anna Meyer"}, frozenset({"contact"})) == {"name": "<PERSON_1>"}
    assert out.text("who is Anna Meyer") == "who is <PERSON_1>"
    assert out.fields(contact, {"name": "Anna Meyer"}, frozenset()) == {}


def test_tool_calls_are_masked_in_every_text_of_them() -> None:
    call: Json = {"name": "find", "of": ["Anna Meyer", 3, None, {"Nordkant GmbH": True}]}
    assert outward("providers").json(call) == {"name": "find", "of": ["<PERSON_1>", 3, None, {"<COMPANY_1>": True}]}


def test_a_value_may_be_shown_in_part() -> None:
    find = Find(0, 12, "IBAN", "presidio:Iban")

    class Partly:
        def outward(self, _class: str, _audience: str) -> str:
            return "partly"

    form = forms(MODEL, cast("Any", Partly()), "logs")
    assert form(find, "DE0012345678") == "****5678"
    assert form(find, "DE001") == "****"


def test_a_trial_says_what_and_why() -> None:
    trial = tried("Anna Meyer of Nordkant GmbH about SO-10001 and <PERSON_1>", "providers", REDACTOR, MODEL, POLICY)
    assert trial.masked == "<PERSON_1> of <COMPANY_1> about SO-10001 and <TEXT_1>"
    assert [(piece.text, piece.instead, piece.shown, piece.why) for piece in trial.pieces] == [
        ("Anna Meyer", "<PERSON_1>", "token", "known: name of a customer contact"),
        ("Nordkant GmbH", "<COMPANY_1>", "token", "known: name of a customer, name of a supplier"),
        ("<PERSON_1>", "<TEXT_1>", "token", "looks like one of our tokens"),
    ]


def test_nothing_personal_is_logged_by_anybody(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("somebody.else")
    with masked_logs(lambda: REDACTOR):
        log.warning("no answer for %s (%d of %s)", "Anna Meyer", 3, {"who": "Meyer, Anna"})
        log.error("it failed at Am Wall 3", exc_info=ValueError("Nordkant GmbH has no address"))
        log.warning("100 % of Anna Meyer")
    assert "no answer for <PERSON> (3 of {'who': '<PERSON>'})" in caplog.text
    assert "it failed at <ADDRESS>" in caplog.text
    assert "ValueError: <COMPANY> has no address" in caplog.text
    assert "100 % of <PERSON>" in caplog.text
    assert not any(word in caplog.text for word in ("Anna", "Meyer", "Nordkant", "Wall"))
    log.warning("%s again", "Anna Meyer")
    assert "Anna Meyer again" in caplog.text


def test_a_line_that_cannot_be_masked_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Redactor:
        raise RuntimeError

    with masked_logs(broken):
        logging.getLogger("x").warning("Anna Meyer", exc_info=ValueError("Anna Meyer"))
    assert "could not be masked" in caplog.text
    assert "Anna" not in caplog.text


def test_nothing_personal_leaves_with_a_trace() -> None:
    inner = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(MaskedExporter(inner, masked_line)))
    tracer = provider.get_tracer("t")
    with masked_logs(lambda: REDACTOR):
        with tracer.start_as_current_span("ask Anna Meyer") as span:
            span.set_attributes({"question": "where is Anna Meyer", "n": 3, "many": ["Nordkant GmbH", "x"]})
            span.add_event("at Am Wall 3", {"who": "Anna Meyer"})
            span.record_exception(ValueError("no Anna Meyer"))
            span.set_status(StatusCode.ERROR, "no Anna Meyer")
        provider.force_flush()
    (sent,) = inner.get_finished_spans()
    told = sent.to_json()
    assert not any(word in told for word in ("Anna", "Meyer", "Nordkant", "Wall"))
    assert sent.name == "ask <PERSON>"
    assert dict(cast("Mapping[str, Any]", sent.attributes)) == {
        "question": "where is <PERSON>", "n": 3, "many": ("<COMPANY>", "x"),
    }  # fmt: skip
    assert [event.name for event in sent.events] == ["at <ADDRESS>", "exception"]


def guard(value: str) -> Sequence[str]:
    return [find.kind for find in REDACTOR.find(value)]


class Service(httpx2.AsyncBaseTransport):
    """Counts what comes through the wall."""

    def __init__(self, status: int = 200, body: Json = None) -> None:
        self.requests: list[httpx2.Request] = []
        self.status, self.body = status, body

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(self.status, json=self.body)


@pytest.mark.parametrize(
    "request_",
    [
        httpx2.Request("POST", "https://model.example/v1", json={"messages": [{"content": "who is Anna Meyer"}]}),
        httpx2.Request("POST", "https://model.example/v1", json={"Anna Meyer": 1}),
        httpx2.Request("POST", "https://model.example/v1", content=b"Anna\xc2\xa0Meyer"),
        httpx2.Request("GET", "https://model.example/v1?q=Anna+Meyer"),
        httpx2.Request("GET", "https://model.example/v1/Anna%20Meyer"),
        httpx2.Request("GET", "https://model.example/v1", headers={"x-user": "Anna Meyer"}),
        httpx2.Request("POST", "https://model.example/v1", json={"a": "\u0041nna Meyer"}),
    ],
)
async def test_what_was_not_masked_does_not_pass_the_wall(request_: httpx2.Request) -> None:
    service = Service()
    with pytest.raises(MaskingError, match="PERSON"):
        await Wall(guard, service).handle_async_request(request_)
    assert service.requests == []
    fine = httpx2.Request("POST", "https://model.example/v1", json={"messages": ["who is <PERSON_1>"]})
    assert (await Wall(guard, service).handle_async_request(fine)).status_code == 200


def _client(*, streams: bool = False) -> OpenAiCompatible:
    served = Served(
        url="https://model.example/v1", model="m", runs="provider", vendor="example", retries=0, streams=streams
    )
    return OpenAiCompatible(served, "key", guard)


def _request(text: str) -> Request:
    return Request(messages=(Message("user", Masked(text)),))


async def test_a_model_is_never_told_what_was_not_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setattr(httpx2, "AsyncHTTPTransport", lambda: service)
    with pytest.raises(MaskingError):
        await _client().say(_request("who is Anna Meyer"))
    with pytest.raises(MaskingError):
        await _client().embed([Masked("Nordkant GmbH")])
    with pytest.raises(MaskingError):
        await _client(streams=True).say(_request("Am Wall 3"))
    assert service.requests == []


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"error": "Anna Meyer"}), (400, {"error": {"message": "Anna Meyer"}}), (200, "x")]
)
async def test_what_a_service_answers_is_not_repeated(status: int, body: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx2, "AsyncHTTPTransport", lambda: Service(status, body))
    with pytest.raises(ModelError) as raised:
        await _client().say(_request("x"))
    assert "Anna" not in str(raised.value)
    assert json.dumps(str(raised.value))


async def test_the_value_of_a_measure_is_shown_by_no_token() -> None:
    kept = Kept("7 days", (("order_standing.late_by", (("order_standing.late_by", 0),)),))
    pseudonyms = Pseudonyms(cast("Any", None), cast("Any", None), cast("Any", None), MODEL)
    assert await pseudonyms._visible([kept], EMPTY_SCOPE) == frozenset()
