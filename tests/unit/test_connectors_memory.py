"""The shipped in-memory connector passes the conformance suite, and so the suite is shown to work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import pytest

from connectors.base import Keys, LabelOption, SourceRecord
from connectors.errors import SourceSettingsError, SourceUnreachableError, UnknownConnectorError
from connectors.memory import MemoryConnector
from connectors.registry import KINDS, kind
from connectors.testing import ConnectorConformance

DAWN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def order(number: int, minutes: int) -> SourceRecord:
    return SourceRecord(
        entity="sales_order",
        company="1",
        key=f"order/{number}",
        changed_at=DAWN + timedelta(minutes=minutes),
        values={"number": f"S{number}", "customer": "customer/1", "status": "confirmed", "total": Decimal("1.50")},
        labels={"company": "1"},
    )


def source() -> MemoryConnector:
    customer = SourceRecord(
        entity="customer", company="", key="customer/1", changed_at=DAWN, values={"name": "Acme"}, labels={}
    )
    orders = [order(number, number % 7) for number in range(1, 25)]
    labels = (LabelOption(kind="company", key="1", name="One"),)
    return MemoryConnector("memory", ("customer", "sales_order"), [customer, *orders], labels=labels, page_size=10)


class TestMemoryConnector(ConnectorConformance):
    host = "memory.example"
    references: ClassVar[Mapping[str, Mapping[str, str]]] = {"sales_order": {"customer": "customer"}}
    required: ClassVar[Mapping[str, frozenset[str]]] = {"sales_order": frozenset({"number", "customer"})}
    codes: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = {"sales_order": {"status": frozenset({"confirmed"})}}
    late_entity = "sales_order"
    shared = source()

    def connect(self) -> MemoryConnector:
        return self.shared

    def connect_broken(self, how: str) -> MemoryConnector | None:
        broken = source()
        broken.fail(SourceUnreachableError())
        return None if how == "unauthorised" else broken

    @asynccontextmanager
    async def late_change(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        async def commit() -> None:
            self.shared.put(order(99, 2))

        yield commit
        self.shared.drop("sales_order", "1", "order/99")


class Lossy(MemoryConnector):
    """Forgets one key."""

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        async for portion in super().keys(entity):
            yield list(portion)[1:]


class Mistyped(MemoryConnector):
    """Refers to records that are not there."""

    async def read(self, entity: str, keys: object) -> tuple[SourceRecord, ...]:
        found = await super().read(entity, keys)  # type: ignore[arg-type]
        return tuple(replace(record, values={**record.values, "number": "?"}) for record in found)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Lossy, "test_keys_agree_with_changes"),
        (Mistyped, "test_read_gives_what_changes_gave"),
    ],
)
async def test_the_suite_catches_a_planted_fault(broken: type[MemoryConnector], test: str) -> None:
    good = source()
    bad = broken("memory", good.entities, good._records.values(), page_size=10)

    class Planted(ConnectorConformance):
        def connect(self) -> MemoryConnector:
            return bad

    with pytest.raises(AssertionError):
        await getattr(Planted(), test)()


async def test_the_suite_catches_a_dangling_reference() -> None:
    class Planted(TestMemoryConnector):
        shared = source()

    Planted.shared.drop("customer", "", "customer/1")
    with pytest.raises(AssertionError):
        await Planted().test_references_lead_to_records_loaded_before()


def test_a_kind_says_what_it_asks_for() -> None:
    odoo = kind("odoo")
    assert [s.name for s in odoo.settings if s.secret] == ["api_key"]
    connector = odoo.connect({"url": "https://erp.example/", "database": "d", "api_key": "top-secret"}, {})
    assert connector.system == "odoo"
    assert "top-secret" not in repr(connector)
    assert len({k.name for k in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"url": "https://erp.example", "database": "d"}, "api_key"),
        ({"url": "https://erp.example", "database": "d", "api_key": "k", "colour": "red"}, "colour"),
        ({"url": "erp.example", "database": "d", "api_key": "k"}, "erp.example"),
        ({"url": "https://me:pw@erp.example", "database": "d", "api_key": "k"}, "address"),
        ({"url": "https://erp.example", "database": "d", "api_key": "k", "page_size": "many"}, "page_size"),
    ],
)
def test_settings_are_checked_by_name(answers: dict[str, str], named: str) -> None:
    with pytest.raises(SourceSettingsError, match=named):
        kind("odoo").connect(answers, {})


def test_an_unknown_connector_names_the_known_ones() -> None:
    with pytest.raises(UnknownConnectorError, match="odoo"):
        kind("nonesuch")
