"""Reading companies, warehouses, locations and units of measure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from connectors.odoo.cells import Cell, Pair
from connectors.odoo.database import Database
from connectors.odoo.world import Company, Location, Unit, Warehouse, World

_COMPANY = (
    "name",
    "currency_id",
    "partner_id.tz",
    "resource_calendar_id",
    "resource_calendar_id.tz",
    "country_id.code",
)
_ATTENDANCE = ("calendar_id", "dayofweek")
_WAREHOUSE = (
    "name",
    "code",
    "company_id",
    "view_location_id",
    "partner_id.tz",
    "partner_id.city",
    "partner_id.country_id.code",
)
_LOCATION = ("usage", "parent_path")
_UNIT = ("name", "factor", "relative_uom_id", "category_id", "active", "parent_path")

Rows = Mapping[int, Mapping[str, Cell]]


async def load_world(database: Database) -> World:
    """The world as it is now."""
    companies, warehouses, locations, units, attendances = await asyncio.gather(
        _read(database, "res.company", _COMPANY),
        _read(database, "stock.warehouse", _WAREHOUSE),
        _read(database, "stock.location", _LOCATION),
        _read(database, "uom.uom", _UNIT),
        _read(database, "resource.calendar.attendance", _ATTENDANCE),
    )
    weeks = _weeks(attendances)
    known = {ident: _company(ident, row, weeks) for ident, row in companies.items()}
    stores = {ident: _warehouse(ident, row, known) for ident, row in warehouses.items()}
    roots = {store.root: store.id for store in stores.values()}
    return World(
        companies=known,
        warehouses=stores,
        locations={ident: _location(row, roots) for ident, row in locations.items()},
        units=_units(units),
    )


async def _read(database: Database, model: str, paths: tuple[str, ...]) -> dict[int, dict[str, Cell]]:
    done: dict[int, dict[str, Cell]] = {}
    async for raw in database.pages(model, (), paths, {}, size=2000):
        done |= await database.complete(model, raw, paths, {})
    return done


def _weeks(attendances: Rows) -> dict[int, str]:
    """Working calendar -> its ISO weekdays of work; Odoo counts weekdays from 0, Monday."""
    days: dict[int, set[int]] = {}
    for row in attendances.values():
        day = _text(row["dayofweek"])
        if day and day.isdecimal():
            days.setdefault(_ident(row["calendar_id"]), set()).add(int(day) + 1)
    return {calendar: "".join(map(str, sorted(found))) for calendar, found in days.items()}


def _company(ident: int, row: Mapping[str, Cell], weeks: Mapping[int, str]) -> Company:
    return Company(
        id=ident,
        name=_text(row["name"]) or "",
        currency=_label(row["currency_id"]),
        country=_text(row["country_id.code"]),
        zone=_text(row["partner_id.tz"]) or _text(row["resource_calendar_id.tz"]),
        working_days=weeks.get(_ident(row["resource_calendar_id"])),
    )


def _warehouse(ident: int, row: Mapping[str, Cell], companies: Mapping[int, Company]) -> Warehouse:
    company = companies.get(_ident(row["company_id"]))
    return Warehouse(
        id=ident,
        name=_text(row["name"]) or "",
        code=_text(row["code"]) or "",
        company=_ident(row["company_id"]),
        root=_ident(row["view_location_id"]),
        city=_text(row["partner_id.city"]),
        country=_text(row["partner_id.country_id.code"]) or (company.country if company else None),
        zone=_text(row["partner_id.tz"]) or (company.zone if company else None) or "UTC",
    )


def _location(row: Mapping[str, Cell], roots: Mapping[int, int]) -> Location:
    # "1/7/11/": the path of ids is in every version, a reference to the warehouse only since 15.
    above = [int(step) for step in (_text(row["parent_path"]) or "").split("/") if step.isdecimal()]
    inside = [roots[step] for step in above if step in roots]
    return Location(usage=_text(row["usage"]) or "", warehouse=inside[-1] if inside else None)


def _units(rows: Rows) -> dict[int, Unit]:
    return {
        ident: Unit(
            name=_text(row["name"]) or "",
            family=_ident(row["category_id"]) or _root(ident, rows),
            size=_size(row),
            active=row["active"] is True,
        )
        for ident, row in rows.items()
    }


def _size(row: Mapping[str, Cell]) -> Decimal:
    """How much of the reference unit one is. Until 18 `factor` is the inverse of that, and units have a category."""
    factor = row["factor"]
    size = factor if isinstance(factor, Decimal) and factor else Decimal(1)
    return size if row["category_id"] is None else 1 / size


def _root(ident: int, rows: Rows) -> int:
    """The unit that others of a family are multiples of, since 19."""
    for _ in range(len(rows)):
        above = _ident(rows[ident]["relative_uom_id"]) if ident in rows else 0
        if not above:
            break
        ident = above
    return ident


def _ident(found: Cell) -> int:
    return found.id if isinstance(found, Pair) else 0


def _text(found: Cell) -> str | None:
    return found if isinstance(found, str) else None


def _label(found: Cell) -> str | None:
    return found.label if isinstance(found, Pair) else None
