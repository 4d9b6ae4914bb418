"""Connects to the sources that were added: for syncs, for live confirmation and for links into the ERP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby

from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.registry import kind
from copilot.answering.decide import Staleness, age_record
from copilot.domain.clock import Clock
from copilot.domain.evidence import Evidence, Record
from copilot.errors import CopilotError, SourceConfigError
from copilot.ingest import Ingest, Source
from copilot.policy.policy import Policy
from copilot.semantic.model import SemanticModel
from copilot.store.secrets import Secrets, variable

READ_WITHIN_SECONDS = 0.8
"""How long a question waits for the sources of its records to confirm them."""


class Sources:
    """The sources as connectors, made when first needed and kept until closed."""

    def __init__(self, ingest: Ingest, model: SemanticModel, secrets: Secrets, clock: Clock) -> None:
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

    def source(self, name: str) -> Source:
        """A source by its name. Raises SourceConfigError naming those there are."""
        try:
            return self._known[name]
        except KeyError:
            raise SourceConfigError(f"there is no source {name!r}; there are: {', '.join(self._known) or 'none'}") from None

    def connector(self, name: str) -> Connector:
        """The connector of a source. Raises SourceConfigError where a setting or secret is missing."""
        if name not in self._connectors:
            source = self.source(name)
            self._connectors[name] = demo_connector(source, self._clock()) or kind(source.system).connect(self._answers(source))
        return self._connectors[name]

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
        try:
            async with asyncio.timeout(READ_WITHIN_SECONDS):
                changed = [await self._confirm(*group) for group in _groups(old)]
        except (TimeoutError, CopilotError, ConnectorError):
            oldest = min(old, key=lambda record: record.confirmed_at)
            return Staleness(since=age_record(oldest.confirmed_at, oldest.time_zone))
        return Staleness(changed=any(changed))

    def _past_limit(self, evidence: Evidence, policy: Policy) -> Sequence[Record]:
        now = self._clock()
        return [
            record
            for record in evidence.by_id().values()
            if record.kind == "record"
            and not self._model[record.entity].derived
            and now - record.confirmed_at > policy.fresh_limit(self._model[record.entity].record_class)
        ]

    async def _confirm(self, name: str, entity: str, records: Sequence[Record]) -> bool:
        """Whether the source says something else than our copy; what it says is merged."""
        keys = [record.key for record in records]
        read = await self.connector(name).read(entity, keys)
        return not (await self._ingest.confirm(self.source(name), entity, read, asked=keys)).agrees

    def _answers(self, source: Source) -> Mapping[str, str]:
        answers = {name: str(value) for name, value in source.settings.items() if name != "identity"}
        for setting in kind(source.system).settings:
            if setting.secret:
                secret = self._secrets.get(source.name, setting.name)
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


def _groups(records: Sequence[Record]) -> list[tuple[str, str, list[Record]]]:
    ordered = sorted(records, key=lambda r: (r.system, r.entity))
    return [(*key, list(group)) for key, group in groupby(ordered, key=lambda r: (r.system, r.entity))]


def demo_connector(source: Source, now: datetime) -> Connector | None:
    """The demo company's own systems, simulated up to now; None for a real source."""
    if not source.system.startswith("demo_"):
        return None
    from copilot.demo.connector import DemoErp, DemoWms  # noqa: PLC0415 -- heavy, and only where the demo is
    from copilot.demo.world import DemoWorld  # noqa: PLC0415

    world = DemoWorld(seed=int(str(source.settings["seed"])), epoch=date.fromisoformat(str(source.settings["epoch"])), now=now)
    return DemoErp(world) if source.system == "demo_erp" else DemoWms(world)
