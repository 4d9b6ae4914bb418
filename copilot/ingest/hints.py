"""Label hints of a source: from what a record says to the ids of our regions, sites and channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot.domain.scope import UNLABELLED
from copilot.ingest.fields import NULL
from copilot.semantic.model import HINTS, Entity

SHARED = "*"
DEFAULT = ""

IdsByKey = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HintMap:
    """What one source's hints mean now.

    A hint is looked up in the label map first, as `key` or, for hints in the source's own words, as `kind=key`
    ("company=1"); then as the key of a record of the source. No hint at all is looked up under the empty key.
    """

    label_map: Mapping[str, Mapping[str, str]]
    by_code: Mapping[str, IdsByKey]
    by_key: Mapping[str, IdsByKey]

    def resolve(self, label: str, hints: Mapping[str, str]) -> int | None:
        """The id of a label, 0 for "shared by all", None where the hints don't place the record."""
        mapped = self._mapped(label, hints)
        if mapped is None:
            key = hints.get(label)
            return UNLABELLED if key == SHARED else self.by_key.get(label, {}).get(key or "")
        return UNLABELLED if mapped == SHARED else self.by_code.get(label, {}).get(mapped)

    def _mapped(self, label: str, hints: Mapping[str, str]) -> str | None:
        mapping = self.label_map.get(label, {})
        key = hints.get(label)
        if key is not None:
            return mapping.get(key)
        said = (mapping.get(f"{kind}={value}") for kind, value in hints.items() if kind not in HINTS)
        return next((code for code in said if code is not None), mapping.get(DEFAULT))


class HintColumns:
    """The staging columns hint_region, hint_site, hint_channel and hint_fault of one entity's records."""

    def __init__(self, entity: Entity, hints: HintMap) -> None:
        self._rules = {label: rule for label, rule in entity.labels.own.items() if rule in ("hint", "hint?")}
        self._hints = hints
        self._seen: dict[tuple[tuple[str, str], ...], str] = {}
        self._none = "\t".join([NULL] * (len(HINTS) + 1))

    def of(self, labels: Mapping[str, str]) -> str:
        """COPY text of the four columns; the few different combinations of a source are worked out once."""
        if not self._rules:
            return self._none
        combination = tuple(labels.items())
        known = self._seen.get(combination)
        if known is None:
            known = self._seen[combination] = self._resolve(labels)
        return known

    def _resolve(self, labels: Mapping[str, str]) -> str:
        found: list[str] = []
        faults: list[str] = []
        for label in HINTS:
            ident = self._hints.resolve(label, labels) if label in self._rules else None
            if ident == UNLABELLED and self._rules[label] == "hint":
                ident = None
            found.append(NULL if ident is None else str(ident))
            if label in self._rules and ident is None:
                faults.append(f"{label}: {_said(labels)}")
        fault = "; ".join(faults).translate(str.maketrans("\\\t\n\r\x00", "     "))
        return "\t".join([*found, fault or NULL])


def _said(labels: Mapping[str, str]) -> str:
    said = ", ".join(f"{kind} {value!r}" for kind, value in sorted(labels.items()))
    return f"nothing in the label map for {said}" if said else "no hint and no default"
