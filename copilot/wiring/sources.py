"""Connects to the sources that were added: for syncs, for live confirmation and for links into the ERP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from connectors.base import Connector, SourceInfo, SourceRecord
from connectors.errors import ConnectorError
from connectors.registry import kind
from copilot.answering.decide import Staleness, age_record
from copilot.domain.clock import Clock
from copilot.domain.evidence import Evidence, Record
from copilot.errors import CopilotError, SourceConfigError
from copilot.ingest import Ingest, Source
from copilot.ingest.mapping import check_mapping, field_types
from copilot.policy.policy import Policy
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.secrets import Secrets, variable

READ_WITHIN_SECONDS = 0.8
"""How long a question waits for the sources of its records to confirm them."""


_DEMO_EVERY_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a source stands. `outcome` is None while its first sync has not ended."""

    name: str
    system: str
    synced_at: datetime | None
    outcome: str | None
    error: str | None
    quarantined: int

    def told(self, now: datetime) -> str:
        """In words, for a person."""
        if self.synced_at is None:
            return f"never synced{f' ({self.error})' if self.error else ''}"
        minutes = int((now - self.synced_at).total_seconds() // 60)
        failed = f", the last sync failed ({self.error})" if self.outcome == "failed" else ""
        return f"synced {minutes} min ago, {self.quarantined} records set aside{failed}"


class Sources:
    """The sources as connectors, made when first needed and kept until closed."""

    def __init__(
        self, database: Database, ingest: Ingest, model: SemanticModel, secrets: Secrets, clock: Clock
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._model = model
        self._secrets = secrets
        self._clock = clock
        self._known: dict[str, Source] = {}
        self._connectors: dict[str, Connector] = {}

    async def load(self) -> tuple[Source, ...]:
        """Read the list of sources afresh."""
        sources = await self._ingest.sources()
        self._known = {source.name: source for source in sources}
        return sources

    def names(self) -> list[str]:
        """The names of the sources, in the order added."""
        return list(self._known)

    async def states(self) -> tuple[SourceState, ...]:
        """How each source stands: its last sync, what it holds and what was set aside."""
        async with self._database.connection(Role.LOADER) as connection:
            rows = await (await connection.execute(query("source_states"))).fetchall()
        return tuple(SourceState(**row) for row in rows)

    async def last_sync(self) -> datetime | None:
        """When every source had last been synced; None where one never was, or there is none."""
        synced = [state.synced_at for state in await self.states()]
        known = [moment for moment in synced if moment is not None]
        return min(known) if synced and len(known) == len(synced) else None

    def source(self, name: str) -> Source:
        """A source by its name. Raises SourceConfigError naming those there are."""
        try:
            return self._known[name]
        except KeyError:
            raise SourceConfigError(
                f"there is no source {name!r}; there are: {', '.join(self._known) or 'none'}"
            ) from None

    def connector(self, name: str) -> Connector:
        """The connector of a source. Raises SourceConfigError where a setting or secret is missing."""
        source = self.source(name)
        simulated = demo_connector(source, self._clock())
        if simulated is not None:
            return simulated  # made anew each time: it stands at the moment it was made
        if name not in self._connectors:
            self._connectors[name] = self.connect(source.system, self._answers(source))
        return self._connectors[name]

    def connect(self, system: str, answers: Mapping[str, str]) -> Connector:
        """A connector of this kind; a mapping is held against the semantic model before anything is read.

        Raises what `Kind.connect` raises, and SourceConfigError with all that is wrong with the mapping.
        """
        if "mapping" in answers:
            from connectors.mapping.parse import parse_mapping

            check_mapping(parse_mapping(answers["mapping"]), self._model)
        return kind(system).connect(answers, field_types(self._model))

    def link(self, name: str, entity: str, key: str) -> str | None:
        """The record's page in its own system; None where there is none."""
        if name not in self._known or self._known[name].system.startswith("demo_"):
            return None
        try:
            return self.connector(name).link(entity, key)
        except (CopilotError, ConnectorError):
            return None  # an answer does not fail for want of a link

    async def stale(self, evidence: Evidence, policy: Policy) -> Staleness:
        """Ask the sources again about records past their limit, and merge what they say."""
        old = self._past_limit(evidence, policy)
        if not old:
            return Staleness()
        groups, one_merge = _groups(old), asyncio.Lock()
        found = await asyncio.gather(*(self._confirm(group, one_merge) for group in groups))
        silent = [group.oldest for group, changed in zip(groups, found, strict=True) if changed is None]
        oldest = min(silent, key=lambda record: record.confirmed_at, default=None)
        return Staleness(
            since=None if oldest is None else age_record(oldest.confirmed_at, oldest.time_zone, oldest.id),
            asked=len(silent) < len(groups),
            changed=any(found),
        )

    async def _confirm(self, group: _Group, one_merge: asyncio.Lock) -> bool | None:
        """Whether one source says something else than our copy; None where it could not say in time.

        Each source is on its own here: one that is slow or gone takes nothing from what another confirms.
        """
        try:
            async with asyncio.timeout(READ_WITHIN_SECONDS):
                read = await self.connector(group.source).read(group.entity, group.keys)
                async with one_merge:
                    return await self._merge(group, read)
        except (TimeoutError, CopilotError, ConnectorError):
            return None

    def _past_limit(self, evidence: Evidence, policy: Policy) -> Sequence[Record]:
        now = self._clock()
        return [
            record
            for record in evidence.by_id().values()
            if record.kind == "record"
            and record.ended is None
            and not self._model[record.entity].derived
            and now - record.confirmed_at > policy.fresh_limit(self._model[record.entity].record_class, record.labels)
        ]

    async def _merge(self, group: _Group, read: Sequence[SourceRecord]) -> bool:
        """Whether the source says something else than our copy; what it says is merged."""
        source = self.source(group.source)
        return not (await self._ingest.confirm(source, group.entity, read, asked=group.keys)).agrees

    def _answers(self, source: Source) -> Mapping[str, str]:
        answers = {name: str(value) for name, value in source.settings.items() if name != "identity"}
        for setting in kind(source.system).settings:
            if setting.secret:
                secret = self._secrets.get(source.name, setting.name)
                if secret is None and setting.default is not None:
                    continue
                if secret is None:
                    where = variable(source.name, setting.name)
                    raise SourceConfigError(f"the {setting.name!r} of source {source.name!r} is not set; set {where}")
                answers[setting.name] = secret
        return answers

    async def aclose(self) -> None:
        """Let go of every connection."""
        for connector in self._connectors.values():
            await connector.aclose()
        self._connectors.clear()


def minutes_between_syncs(source: Source) -> int:
    """How often a source is synced: as it says, else as its kind is by itself."""
    if source.every_minutes is not None:
        return source.every_minutes
    return _DEMO_EVERY_MINUTES if source.system.startswith("demo_") else kind(source.system).every_minutes


def label_map_for(info: SourceInfo) -> dict[str, dict[str, str]]:
    """The label map proposed for a new source: each company a region, each warehouse a site, each sales team a channel.

    The source brings those records itself, so its hints need no translation; only a record that names no company or
    team at all needs a word: it is shared by all regions or channels, as the source itself treats it.
    """
    del info
    return {"region": {"": "*"}, "channel": {"": "*"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Records of one source and entity that are to be asked for again, and the one that was longest not confirmed."""

    source: str
    entity: str
    keys: tuple[str, ...]
    oldest: Record


def _groups(records: Sequence[Record]) -> list[_Group]:
    ordered = sorted(records, key=_place)
    return [_group(source, entity, tuple(group)) for (source, entity), group in groupby(ordered, key=_place)]


def _place(record: Record) -> tuple[str, str]:
    return record.system, record.entity


def _group(source: str, entity: str, records: Sequence[Record]) -> _Group:
    keys = tuple(record.key for record in records)
    return _Group(source=source, entity=entity, keys=keys, oldest=min(records, key=lambda record: record.confirmed_at))


def demo_connector(source: Source, now: datetime) -> Connector | None:
    """The demo company's own systems, simulated up to now; None for a real source."""
    if not source.system.startswith("demo_"):
        return None
    from copilot.demo.connector import DemoErp, DemoWms
    from copilot.demo.world import DemoWorld

    seed, epoch = int(str(source.settings["seed"])), date.fromisoformat(str(source.settings["epoch"]))
    world = DemoWorld(seed=seed, epoch=epoch, now=now, whole=source.settings.get("whole") is True)
    return DemoErp(world) if source.system == "demo_erp" else DemoWms(world)
