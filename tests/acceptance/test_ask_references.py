"""Names with slips, several records in one question, and what records are known by: by actor, what is hidden absent."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.domain.question import SessionSubject
from copilot.policy.policy import scope_for
from copilot.understanding.candidates import Doubt
from copilot.understanding.lookup import Lookup
from copilot.understanding.references import Reference, find_references, guesses, settled
from copilot.understanding.words import cut
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, plain, sound, truth_of
from tests.company import NOW, Company, ask


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


async def references(runtime: Runtime, subject: str, text: str) -> tuple[Reference, ...]:
    asking = await runtime.line()
    scope = scope_for(await asking.authenticate(SessionSubject(subject)), asking.policy)
    async with asking.database.scoped_transaction(scope) as connection:
        return await find_references(Lookup(connection=connection, model=asking.model, now=NOW), cut(text))


async def named(runtime: Runtime, subject: str, text: str) -> list[set[str]]:
    """The numbers or names of the surest records of each run of words, from left to right."""
    found = settled(await references(runtime, subject, text))
    return [{c.number or c.name for c in reference.surest} for reference in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders SO-10844 and 10341", [{"SO-10844"}, {"SO-10341"}]),
        ("compare FA-21769 and 20699", [{"FA-21769"}, {"FA-20699"}]),
        ("stock of FA 21769, SA-25204 and ht24079", [{"FA-21769"}, {"SA-25204"}, {"HT-24079"}]),
        ("orders of customers 10057 and 10349", [{"C-10057"}, {"C-10349"}]),
        ("customer 10057", [{"C-10057"}]),
        ("40 of item 21769", [{"FA-21769"}]),
        ("where is 10844", []),
        ("do we have 300", []),
        ("stock of Meyer Sohne and Acme Fabrication", [{"C-10031"}, {"C-10013"}]),
    ],
)
async def test_several_records_and_bare_digits(runtime: Runtime, text: str, expected: list[set[str]]) -> None:
    found = await named(runtime, "planner", text)
    assert [those for those in found if len(those) == 1] == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('pressure gauge 1/4" stainless', "HY-29549"),
        ("stainless pressure gauge quarter inch", "HY-29549"),
        ("pressure gauge stainless 0.25 in", "HY-29549"),
        ("pressure gauge stainless ¼ inch", "HY-29549"),
        ("set screw zinc plated M16 x 80", "FA-21717"),
        ("m16x80 set screw zinc plated", "FA-21717"),
        ("pneumatic hose halogen free 6mm", "CA-28422"),
        ("pnuematic hose halogn free 6 mm", "CA-28422"),
        ("river birch plastics", "C-10416"),
        ("Goldenjunk Engineering", "C-10057"),
        ("Engineering Golden Junk", "C-10057"),
    ],
)
async def test_things_by_what_they_are_called(runtime: Runtime, text: str, number: str) -> None:
    [found] = await named(runtime, "planner", text)
    assert number in found
    assert len(found) <= 2  # a series of the same name is told apart by nothing that was typed


async def test_a_slip_with_one_record_is_taken_and_said(runtime: Runtime, truth: Truth) -> None:
    number = truth.number("select number from biz.customer where name = 'Riverbirch Plastics LLC'")
    answer = sound(await ask(runtime, "rep.us", "contacts at Riverbirch Plastcs"), NOW, Verdict.VERIFIED)
    assert f"I read Plastcs as Riverbirch Plastics LLC ({number})." in plain(answer)
    exact = sound(await ask(runtime, "rep.us", "contacts at Riverbirch Plastics LLC"), NOW, Verdict.VERIFIED)
    assert "I read" not in plain(exact)


async def test_a_slip_with_several_records_asks_back(runtime: Runtime) -> None:
    answer = sound(await ask(runtime, "rep.us", "contacts at palisade mairne"), NOW, Verdict.DECLINED)
    assert answer.reason is Reason.AMBIGUOUS
    assert len(answer.choices) == 3
    assert all("Palisade Marine" in choice.label for choice in answer.choices)


SLIPS = ["Barwalde Kältetechnk", "Baerwalde Kaltetechnic", "Eichstadtr Metalbau", "Zulpich Forderanlagn"]


@pytest.mark.parametrize("text", SLIPS)
async def test_what_is_hidden_is_never_suggested(runtime: Runtime, truth: Truth, text: str) -> None:
    """German customers: the German rep is led to them, the American one hears nothing of them in any form."""
    rows = truth.all(
        """select c.id, c.number, c.name from biz.customer c join biz.region r on r.id = c.label_region
            where r.code = 'DE'"""
    )
    german = {("customer", row["id"]) for row in rows}
    assert german & {c.key for r in await references(runtime, "rep.de", text) for c in r.candidates}
    for subject in ("rep.us", "warehouse.sg"):
        found = await references(runtime, subject, text)
        assert german.isdisjoint({c.key for r in found for c in r.candidates} | {c.key for c in guesses(found)}), (
            subject
        )
        answer = await ask(runtime, subject, f"contacts at {text}")
        shown = f"{answer.answer} {answer.choices}"
        assert not any(row["number"] in shown for row in rows), subject


async def test_a_guess_is_suggested_and_never_taken(runtime: Runtime) -> None:
    found = await references(runtime, "rep.us", "Copparlyn Plastics")
    guessed = {c.name for c in guesses(found)}
    assert all(c.doubt is not Doubt.GUESS for r in settled(found) for c in r.candidates[:1])
    assert "Copperline Plastics LLC" in guessed


KNOWN_BY = {
    "order_address": ("rep.us", "planner", "ship-to address of order {}", """
        select o.number, a.street as shown from biz.sales_order o
          join biz.customer_address a on a.customer_id = o.customer_id and a.kind = 'ship_to'
         where o.label_region = 3 order by o.id limit 1"""),
    "order_customer_po": ("rep.us", "rep.de", "customer's PO number of order {}", """
        select number, customer_po as shown from biz.sales_order o
         where customer_po is not null and label_region = 3 order by id limit 1"""),
    "item_lots": ("planner", "warehouse.sg", "which lots of {}", """
        select i.number, s.lot as shown from biz.stock s join biz.item i on i.id = s.item_id
         where s.lot is not null and s.label_region = 3 order by s.id limit 1"""),
}  # fmt: skip


@pytest.mark.parametrize("kind", KNOWN_BY)
async def test_what_a_record_is_known_by(runtime: Runtime, truth: Truth, kind: str) -> None:
    allowed, refused, text, statement = KNOWN_BY[kind]
    row = truth.one(statement)
    answer = sound(await ask(runtime, allowed, text.format(row["number"])), NOW, Verdict.VERIFIED)
    assert row["shown"] in plain(answer)
    other = await ask(runtime, refused, text.format(row["number"]))
    shown = f"{other.answer} {[source.fields for source in other.sources]} {other.choices}"
    assert row["shown"] not in shown, (refused, other.answer)


async def test_a_supplier_s_confirmation_number_leads_to_our_purchase_order(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select p.number, p.supplier_reference as said, s.name as supplier, i.name as site from biz.purchase_order p
             join biz.supplier s on s.id = p.supplier_id join biz.site i on i.id = p.site_id
            where p.supplier_reference is not null and p.status = 'confirmed' order by p.id limit 1"""
    )
    for text in ("confirmation number {}", "which of our purchase orders is supplier confirmation {}"):
        answer = await ask(runtime, "buyer", text.format(row["said"]))
        assert answer.verdict is Verdict.VERIFIED, answer.answer
        head = f"Reference {row['said']} of {row['supplier']} is purchase order {row['number']} for {row['site']}"
        assert plain(answer).startswith(head), answer.answer
