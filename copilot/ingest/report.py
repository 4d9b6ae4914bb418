"""What the ingest says: the sources it knows, what a sync did, and why a record was set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Progress = Callable[[str], None]


class Reason(StrEnum):
    """Why a record is in quarantine."""

    WRONG_ENTITY = "wrong_entity"
    BAD_KEY = "bad_key"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_VALUE = "bad_value"
    UNKNOWN_CODE = "unknown_code"
    REF_UNRESOLVED = "ref_unresolved"
    LABEL_UNRESOLVED = "label_unresolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source as it was added. `settings` never holds a secret."""

    id: int
    name: str
    system: str
    settings: Mapping[str, object]
    label_map: Mapping[str, Mapping[str, str]]
    purpose: str = "erp"
    """erp, wms, commerce, logistics or files: policy says by it whose figure counts."""
    every_minutes: int | None = None
    """How often it is synced; None for as often as its kind is by itself."""

    @property
    def identity_rules(self) -> Mapping[str, tuple[str, ...]]:
        """Entity -> by what this source's records are recognised as ours, in order, as in {"item": "gtin,number"}."""
        given = self.settings.get("identity")
        rules = dict(self.label_map.get("identity", {}))
        if isinstance(given, dict):
            rules |= {str(entity): str(names) for entity, names in given.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return {entity: tuple(name.strip() for name in names.split(",")) for entity, names in rules.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReport:
    """What a sync did with one entity.

    `read` counts records received, a record that came twice twice; `changed` rows written; `removed` rows taken away,
    those below a removed one included; `quarantined` records set aside by this sync. `skipped` is the code of the
    error when the source does not let us read the entity.
    """

    read: int = 0
    changed: int = 0
    removed: int = 0
    quarantined: int = 0
    skipped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did, by entity."""

    source: str
    batch_id: int
    entities: Mapping[str, EntityReport] = field(default_factory=dict[str, EntityReport])

    @property
    def changed(self) -> int:
        """Rows written, over all entities."""
        return sum(report.changed for report in self.entities.values())

    @property
    def removed(self) -> int:
        """Rows taken away, over all entities."""
        return sum(report.removed for report in self.entities.values())

    @property
    def quarantined(self) -> int:
        """Records set aside, over all entities."""
        return sum(report.quarantined for report in self.entities.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a live re-read found, by source key: what differed from the copy, is gone, or was set aside."""

    differed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()

    @property
    def agrees(self) -> bool:
        """Whether the copy was right."""
        return not (self.differed or self.removed or self.quarantined)
