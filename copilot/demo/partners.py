"""Customers and suppliers with their people, addresses and terms."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from copilot.demo import names
from copilot.demo.draws import Weighted, dice, pick, span
from copilot.demo.places import CHANNELS, REGION_SITES, REGIONS, SITES

CUSTOMERS = 640
SUPPLIERS = 126
_TERMS = (14, 30, 30, 30, 45)
# Names alike, so that asking for one of them has to ask back.
_ALIKE = {
    1: ("Meyer Metallbau GmbH", "Meyer Elektrotechnik GmbH & Co. KG", "Meyer & Söhne Anlagenbau KG"),
    0: ("Acme Industrial Supply LLC", "Acme Fabrication Inc."),
    2: ("Straitsview Marine Pte. Ltd.", "Straitsview Offshore Pte. Ltd."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at a customer or a supplier."""

    name: str
    role: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where goods or invoices go."""

    kind: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Customer:
    """One customer. `pays_late` is the mean days past due, `terms` the days to pay, credit in cents."""

    index: int
    number: str
    name: str
    kind: str
    region: int
    tier: str
    status: str
    tax_number: str
    site: int
    channel: int
    weight: float
    terms: int
    pays_late: int
    credit_limit: int
    blocked: bool
    po_style: int
    contacts: tuple[Contact, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supplier:
    """One supplier. `lead` in days; `late` is how often it delivers late."""

    index: int
    number: str
    name: str
    region: int
    status: str
    tax_number: str
    lead: int
    late: float
    terms: str
    incoterm: str
    minimum: int
    contacts: tuple[Contact, ...]


def make_customers(seed: int) -> tuple[Customer, ...]:
    """All customers; the first few of every region have names alike."""
    taken = {name for alike in _ALIKE.values() for name in alike}
    regions = Weighted([region.share for region in REGIONS])
    planted = {region: list(alike) for region, alike in _ALIKE.items()}
    made: list[Customer] = []
    for index in range(CUSTOMERS):
        draw = dice(seed, "customer", index)
        region = regions.at(draw.random())
        person = draw.random() < 0.03
        if planted[region] and index % 3 == 0:
            name, person = planted[region].pop(0), False
        else:
            name = names.person(draw, region) if person else names.company(draw, region, taken)
        made.append(_customer(draw, index, region, name, person=person))
    return tuple(made)


def make_suppliers(seed: int) -> tuple[Supplier, ...]:
    """All suppliers; about one in eight is late more often than not."""
    taken: set[str] = set()
    return tuple(_supplier(dice(seed, "supplier", index), index, taken) for index in range(SUPPLIERS))


def _customer(draw: Random, index: int, region: int, name: str, *, person: bool) -> Customer:
    tier = "a" if draw.random() < 0.1 else "b" if draw.random() < 0.35 else "c"
    weight = {"a": 9.0, "b": 3.0, "c": 1.0}[tier] * (0.4 + 1.2 * draw.random())
    sites, channels = REGION_SITES[region], Weighted([channel.share for channel in CHANNELS])
    limit = {"a": 400_000, "b": 120_000, "c": 30_000}[tier] * (1 + span(draw.random(), 0, 4))
    state = draw.random()
    return Customer(
        index=index,
        number=f"C-{10_001 + index}",
        name=name,
        kind="person" if person else "business",
        region=region,
        tier=tier,
        status="blocked" if state < 0.01 else "active",
        tax_number=f"{names.COUNTRIES[region]}{span(draw.random(), 100_000_000, 999_999_999)}",
        site=sites[Weighted([SITES[site].share for site in sites]).at(draw.random())],
        channel=channels.at(draw.random()),
        weight=weight,
        terms=pick(draw.random(), _TERMS),
        pays_late=span(draw.random(), 6, 25) if draw.random() < 0.25 else 0,
        credit_limit=limit * 100,
        blocked=state < 0.025,
        po_style=span(draw.random(), 0, 3),
        contacts=_contacts(draw, region, name, ("purchasing", "accounts_payable", "receiving", "technical")),
        addresses=_addresses(draw, region, name),
    )


def _contacts(draw: Random, region: int, organisation: str, roles: tuple[str, ...]) -> tuple[Contact, ...]:
    made: dict[str, Contact] = {}
    for role in roles[: span(draw.random(), 2, len(roles))]:
        name = names.person(draw, region)
        phone = names.phone(draw, region)
        made.setdefault(name, Contact(name=name, role=role, email=names.email(name, organisation), phone=phone))
    return tuple(made.values())


def _addresses(draw: Random, region: int, name: str) -> tuple[Address, ...]:
    kinds = ("bill_to", "ship_to", "ship_to")[: 2 + (draw.random() < 0.25)]
    made: list[Address] = []
    for kind in kinds:
        city, code = names.city(draw, region)
        where = names.street(draw, region)
        country = names.COUNTRIES[region]
        made.append(Address(kind=kind, name=name, street=where, postal_code=code, city=city, country=country))
    return tuple(made)


def _supplier(draw: Random, index: int, taken: set[str]) -> Supplier:
    region = span(draw.random(), 0, 2)
    name = names.company(draw, region, taken)
    return Supplier(
        index=index,
        number=f"V-{3_001 + index}",
        name=name,
        region=region,
        status="active",
        tax_number=f"{names.COUNTRIES[region]}{span(draw.random(), 100_000_000, 999_999_999)}",
        lead=span(draw.random() ** 1.5, 6, 38),
        late=0.62 if index % 8 == 5 else 0.03 + 0.12 * draw.random(),
        terms=f"net {pick(draw.random(), (30, 30, 45, 60))}",
        incoterm=pick(draw.random(), ("EXW", "FCA", "DAP", "CIF")),
        minimum=span(draw.random(), 1, 20) * 10_000,
        contacts=_contacts(draw, region, name, ("sales", "logistics", "quality", "accounts_receivable")),
    )
