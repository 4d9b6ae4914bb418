"""A copilot with canned answers, for the web channel's own tests and for working on its looks.

`python tests/browser/fake_copilot.py` serves it on 127.0.0.1:8017.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from copilot.domain.answer import Answer, Fact, Reason, Source, Verdict
from copilot.domain.health import Health
from copilot.domain.model_calls import ModelState
from copilot.domain.plan import Choice
from copilot.domain.question import (
    BearerToken,
    Channel,
    ConversationView,
    Credential,
    DemoPerson,
    Question,
    SessionSubject,
    TurnView,
)
from copilot.domain.redaction import Audience, RedactionTrial
from copilot.errors import AuditError, DatabaseError, NoAccessError, SignInError
from copilot.settings import Settings

NOW = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)
TOKEN = "good-token"
HOSTILE = (
    '<img src="/evil.png" onerror="window.hacked=1"> ![x](https://evil.example/p.png) '
    "<script>window.hacked=2</script> [click](javascript:window.hacked=3) :alert[x] "
    "see www.evil.example/pay, WWW\\.evil.example, https://evil.example/x or help@evil.example"
)
PEOPLE = (
    DemoPerson(subject="rep.us", name="Rosa Ortega", role="customer_service", where="region US"),
    DemoPerson(subject="rep.de", name="Jonas Brandt", role="customer_service", where="region DE"),
    DemoPerson(subject="planner", name="Priya Nair", role="planner", where="all regions"),
    DemoPerson(subject="buyer", name="Bea Lindqvist", role="buyer", where="all regions"),
    DemoPerson(subject="warehouse.sg", name="Wei Ling Tan", role="warehouse", where="site SIN-1"),
    DemoPerson(subject="finance", name="Femi Adeyemi", role="finance", where="all regions"),
)


def source(number: int, entity: str, key: str, title: str, fields: dict[str, str], **changed: object) -> Source:
    made = Source(
        id=f"S{number}", kind="record", system="Odoo Main", entity=entity, title=title, key=key, age_seconds=190,
        confirmed_at=NOW, changed_at=NOW - timedelta(days=2), fields=fields, step=entity,
        link=f"https://erp.example.com/web#id={key}&model={entity}",
    )  # fmt: skip
    return replace(made, **changed)


DOWN = ModelState(name="house", tasks=("plan", "draft"), breaker="open", since=NOW, last_failure="slow")
ORDER = source(
    1, "sales_order", "S00024", "sales order S00024",
    {"number": "S00024", "customer": "Acme Industrial Supply", "customer's PO number": "4500012345",
     "ship-from site": "Chicago DC", "status": "partly shipped", "order date": "2026-11-02",
     "requested date": "2026-11-12", "promised date": "2026-11-14"}, step="order",
)  # fmt: skip
LINES = (
    source(2, "sales_order_line", "51", "order line 1 of S00024",
           {"order": "S00024", "line number": "1", "item": "[10-4711] Large desk, oak", "ordered quantity": "4 pcs",
            "shipped quantity": "4 pcs", "open quantity": "0 pcs", "status": "shipped", "promised date": "2026-11-14",
            "shipped date": "2026-11-13"}),
    source(3, "sales_order_line", "52", "order line 2 of S00024",
           {"order": "S00024", "line number": "2", "item": "[10-2290] Cable tray, 80 cm, black",
            "ordered quantity": "12 pcs", "shipped quantity": "8 pcs", "open quantity": "4 pcs",
            "status": "partly shipped", "promised date": "2026-11-14", "shipped date": "2026-11-17"}),
    source(4, "sales_order_line", "53", "order line 3 of S00024",
           {"order": "S00024", "line number": "3", "item": "[30-0815] Monitor arm, double", "ordered quantity": "4 pcs",
            "shipped quantity": "0 pcs", "open quantity": "4 pcs", "status": "backordered",
            "promised date": "2026-11-14"}),
)  # fmt: skip
SHIPMENTS = (
    source(5, "shipment", "WH/OUT/00031", "shipment WH/OUT/00031",
           {"number": "WH/OUT/00031", "order": "S00024", "status": "delivered", "carrier": "UPS Ground",
            "tracking number": "1Z999AA10123456784", "shipped at": "2026-11-13 16:20 CST",
            "delivered at": "2026-11-16 10:05 CST", "proof of delivery": "signed"}),
    source(6, "shipment", "WH/OUT/00037", "shipment WH/OUT/00037",
           {"number": "WH/OUT/00037", "order": "S00024", "status": "in transit", "carrier": "Nightline Freight",
            "tracking number": "NL-88210", "shipped at": "2026-11-17 09:12 CST", "expected delivery": "2026-11-21"},
           age_seconds=7_400),
)  # fmt: skip
DELAYS = (
    source(7, "order_delay", "S00024", "delay of S00024",
           {"order": "S00024", "state": "overdue", "days late": "4 working days"}, kind="measure", link=None),
    source(8, "line_delay", "53", "delay of line 3",
           {"line number": "3", "item": "[30-0815] Monitor arm, double", "days late": "4 working days",
            "cause": "short of stock"}, kind="measure", link=None),
    source(9, "line_delay", "52", "delay of line 2",
           {"line number": "2", "item": "[10-2290] Cable tray, 80 cm, black", "days late": "1 working day",
            "cause": "shipped late"}, kind="measure", link=None),
)  # fmt: skip


def _answer(text: str, verdict: Verdict = Verdict.VERIFIED, reason: Reason | None = None, **more: object) -> Answer:
    return replace(Answer(answer=text, verdict=verdict, reason=reason, engine="rules", kind="order_status"), **more)


ANSWERS: dict[str, Answer] = {
    "s00024": _answer(
        "Order **S00024** \\(web\\) for Acme Industrial Supply is **partly shipped**. "
        "It was promised for **14 Nov 2026** and is overdue.\n\n"
        "- Line 1, Large desk, oak: all 4 pcs shipped on 13 Nov 2026.\n"
        "- Line 2, Cable tray: 8 of 12 pcs shipped on 17 Nov 2026, 4 pcs open.\n"
        "- Line 3, Monitor arm: 4 pcs open, late because stock is short at Chicago DC.",
        facts=(Fact(ref="S1.promised_date", value=NOW.date(), unit=None, text="14 Nov 2026"),),
        sources=(ORDER, *LINES, *SHIPMENTS, *DELAYS),
        next_steps=("Ask for the stock of 30-0815 at other sites.",),
    ),
    "acme": _answer(
        "Several customers go by that name. Which one did you mean?", Verdict.DECLINED, Reason.AMBIGUOUS,
        choices=(
            Choice(label="Acme Industrial Supply, Chicago", question="Where is S00024?"),
            Choice(label="Acme Tooling GmbH, Kassel", question="Open orders of customer C-1044"),
            Choice(label="Acme Marine Pte, Singapore", question="Open orders of customer C-2210"),
        ),
    ),
    "s99999": _answer(
        "There is no order **S99999** in the records you may see.", Verdict.DECLINED, Reason.NOT_FOUND,
        next_steps=("Check the number, or ask by the customer's PO number.", "Ask for a customer's open orders."),
    ),
    "stock": _answer(
        "**Large desk, oak** (10-4711) is available at 2 sites, in the records you may see.\n\n"
        "| Site | On hand | Reserved | Available |\n| --- | --- | --- | --- |\n"
        "| Chicago DC | 40 pcs | 12 pcs | 28 pcs |\n| Newark DC | 6 pcs | 6 pcs | 0 pcs |\n\n"
        "The two systems disagree about Reno DC, so it is left out.",
        Verdict.PARTIAL, Reason.CONFLICTING,
        sources=(
            source(1, "stock", "881", "stock of 10-4711 at Chicago DC", {"on hand": "40 pcs", "available": "28 pcs"}),
            source(2, "stock", "882", "stock of 10-4711 at Newark DC", {"on hand": "6 pcs", "available": "0 pcs"}),
        ),
        next_steps=("Have the stock of Reno DC counted.",),
    ),
    "the model rests": _answer("**3** orders are late, in the records you may see.", fallback="slow"),
    "the model helps": _answer("**3** orders are late, in the records you may see.", engine="model"),
    "track": _answer("Shipment **WH/OUT/00031** was delivered on 16 Nov 2026.", sources=SHIPMENTS[:1]),
    "hostile": _answer(
        f"The note reads: {HOSTILE}",
        sources=(
            replace(ORDER, link="javascript:window.hacked=4", title=HOSTILE,
                    fields={**ORDER.fields, "customer": HOSTILE, HOSTILE: HOSTILE}),
            replace(SHIPMENTS[0], fields={**SHIPMENTS[0].fields, "tracking number": '1Z"><img src=/evil.png>'}),
        ),
        choices=(Choice(label=HOSTILE, question="Where is S00024?"),),
        next_steps=(HOSTILE,),
    ),
}  # fmt: skip
_UNSUPPORTED = _answer(
    "That is not something that can be looked up yet.", Verdict.DECLINED, Reason.UNSUPPORTED,
    next_steps=("Ask about an order, a shipment, stock, a price, an invoice or a supplier.",),
)  # fmt: skip


@dataclass
class FakeCopilot:
    """Implements the port in memory."""

    people: tuple[DemoPerson, ...] = PEOPLE
    asked: list[tuple[Question, Credential]] = field(default_factory=list)
    ratings: list[tuple[str, str, bool, str]] = field(default_factory=list)
    kept: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    refusals: list[tuple[Channel, str]] = field(default_factory=list[tuple[Channel, str]])
    components: dict[str, str] = field(default_factory=lambda: {"database": "ok", "audit": "ok"})
    models: tuple[ModelState, ...] = ()

    async def ask(self, question: Question, credential: Credential) -> Answer:
        subject = self._who(credential)
        self.asked.append((question, credential))
        if "no audit" in question.text:
            raise AuditError("could not write to /var/secret/path")
        if "no database" in question.text:
            raise DatabaseError("password=hunter2")
        if "crash" in question.text:
            raise RuntimeError("secret detail")
        if "slow" in question.text:
            await asyncio.sleep(1.5)
        if "model" in question.text:
            self.models = (DOWN,) if "rests" in question.text else ()
        conversation = question.conversation or str(uuid4())
        self.owners.setdefault(conversation, subject)
        self.kept.setdefault(conversation, []).append((question.text, subject))
        return self._answered(question.text, conversation)

    def _answered(self, text: str, conversation: str) -> Answer:
        found = next((answer for word, answer in ANSWERS.items() if word in text.casefold()), _UNSUPPORTED)
        return replace(found, conversation=conversation, audit_id=str(uuid4()), elapsed_ms=12)

    def _who(self, credential: Credential) -> str:
        match credential:
            case BearerToken(token):
                if token != TOKEN:
                    raise SignInError
                return "rep.us"
            case SessionSubject(subject):
                return subject

    async def demo_people(self) -> tuple[DemoPerson, ...]:
        return self.people

    async def person_name(self, credential: SessionSubject) -> str:
        names = {person.subject: person.name for person in PEOPLE}
        if credential.subject in self.disabled or credential.subject not in names:
            raise SignInError
        return names[credential.subject]

    async def refused(self, channel: Channel, fault: str, sender: str) -> None:
        self.refusals.append((channel, fault))

    async def first_questions(self, credential: SessionSubject) -> tuple[tuple[str, str], ...]:
        return ()

    async def conversations(self, subject: str) -> tuple[ConversationView, ...]:
        stamp = datetime.now(UTC).isoformat()
        return tuple(
            ConversationView(id=id_, title=turns[0][0], started_at=stamp, touched_at=stamp)
            for id_, turns in reversed(self.kept.items())
            if self.owners[id_] == subject
        )

    async def turns(self, subject: str, conversation: str) -> tuple[TurnView, ...]:
        if self.owners.get(conversation) != subject:
            return ()
        texts = [text for text, _ in self.kept[conversation]]
        return tuple(
            TurnView(position=at, question=text, verdict="verified", audit_id=str(uuid4()))
            for at, text in enumerate(texts)
        )

    async def reopen(self, credential: SessionSubject, conversation: str, position: int) -> Answer:
        return self._answered(self.kept[conversation][position][0], conversation)

    async def forget(self, subject: str, conversation: str) -> None:
        if self.owners.get(conversation) == subject:
            del self.kept[conversation], self.owners[conversation]

    async def rate(self, subject: str, audit_id: str, *, helpful: bool, comment: str) -> None:
        self.ratings.append((subject, audit_id, helpful, comment))

    async def try_redaction(self, credential: SessionSubject, text: str, audience: Audience) -> RedactionTrial:
        if credential.subject != "admin":
            raise NoAccessError
        return RedactionTrial(masked=text, pieces=())

    async def health(self) -> Health:
        return Health(components=self.components, models=self.models)


def main() -> None:
    from copilot.channels.web.app import create_app
    from copilot.channels.web.server import bind, serve

    listening = bind("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8017)
    home = Path(tempfile.mkdtemp(prefix="erp-copilot-web-"))

    async def stopped() -> None:
        shutil.rmtree(home)
        print("stopped", flush=True)

    app = create_app(FakeCopilot(), Settings(home=home), on_shutdown=stopped)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    asyncio.run(serve(app, listening, on_ready=lambda: print(address, flush=True)))


if __name__ == "__main__":
    main()
