"""What Odoo says about itself: version, label options, and what this user can't read."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.base import LabelOption, SourceInfo, Unreadable
from connectors.errors import SourceAccessDeniedError
from connectors.odoo.database import Database
from connectors.odoo.spec import Spec
from connectors.odoo.transport import Version
from connectors.odoo.world import World


async def look(system: str, version: Version, database: Database, world: World, specs: tuple[Spec, ...]) -> SourceInfo:
    """The source's answer to a check."""
    labels = [*_companies(world), *_warehouses(world), *await _teams(database)]
    unreadable = [found for spec in specs if (found := await _unreadable(spec, database))]
    return SourceInfo(system=system, version=version.text, labels=tuple(labels), unreadable=tuple(unreadable))


def _companies(world: World) -> list[LabelOption]:
    return [
        LabelOption(
            kind="company",
            key=str(company.id),
            name=company.name,
            hints=_said({"currency": company.currency, "country": company.country, "time_zone": company.zone}),
        )
        for company in sorted(world.companies.values(), key=lambda found: found.id)
    ]


def _warehouses(world: World) -> list[LabelOption]:
    return [
        LabelOption(
            kind="warehouse",
            key=str(store.id),
            name=store.name,
            hints=_said(
                {
                    "company": str(store.company),
                    "code": store.code,
                    "city": store.city,
                    "country": store.country,
                    "time_zone": store.zone,
                }
            ),
        )
        for store in sorted(world.warehouses.values(), key=lambda found: found.id)
    ]


async def _teams(database: Database) -> list[LabelOption]:
    paths = ("name", "company_id", "active")
    raw = await database.search("crm.team", (), paths, {})
    found = await database.complete("crm.team", raw, paths, {})
    teams: list[LabelOption] = []
    for ident, row in sorted(found.items()):
        hints = {} if row["active"] is True else {"archived": "yes"}
        teams.append(LabelOption(kind="team", key=str(ident), name=str(row["name"]), hints=hints))
    return teams


async def _unreadable(spec: Spec, database: Database) -> Unreadable | None:
    """Asks for one record of each model, because only a real read meets Odoo's access rules."""
    try:
        if not await database.fields(spec.model):
            reason = f"this Odoo has no {spec.model!r}; its module is not installed"
            return Unreadable(entity=spec.entity, reason=reason)
        await database.search(spec.model, spec.domain, spec.paths, {}, limit=1)
        for model in sorted({beside.model for beside in (*spec.children, *spec.tallies)}):
            await database.search(model, (), (), {}, limit=1)
    except SourceAccessDeniedError as error:
        return Unreadable(entity=spec.entity, reason=str(error))
    missing = await _missing(spec, database)
    if not missing:
        return None
    reason = f"{spec.model!r} does not show this user: {', '.join(sorted({*missing.values()}))}"
    return Unreadable(entity=spec.entity, reason=reason, fields=tuple(missing))


async def _missing(spec: Spec, database: Database) -> dict[str, str]:
    """Our fields of which Odoo gives nothing at all, with the newest name of what is missing."""
    gone: dict[str, str] = {}
    for name, get in spec.values.items():
        steps = {path.split(".")[0] for path in get.paths} - {"id"}
        given = [await database.field(spec.model, step) for step in steps]
        if steps and not any(given):
            gone[name] = ", ".join(sorted(step.split("|")[0] for step in steps))
    return gone


def _said(hints: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in hints.items() if value}
