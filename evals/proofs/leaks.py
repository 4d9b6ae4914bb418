"""Looks through an answer and its audit row for anything of a record or a field that the actor may not see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from copilot.domain.json import Json
from evals.proofs.cases import Case
from evals.proofs.oracle import Actor, World
from evals.proofs.phrases import Phrases, amounts_of, texts
from evals.proofs.walk import Found

_LABELS = ("regions", "sites", "channels", "accounts")
_PASSING = ("audit_id", "conversation", "elapsed_ms")


@dataclass(frozen=True, slots=True)
class Watch:
    """Knows what one actor may see, and finds what they were shown beyond it."""

    world: World
    actor: Actor
    phrases: Phrases

    def leaks(
        self, case: Case, answer: Mapping[str, Json], audit: Mapping[str, Any], reached: Mapping[str, Found]
    ) -> Iterator[str]:
        """What is wrong with an answer and its audit row; `reached` is what the owner's question would find."""
        yield from self._sources(answer)
        yield from self._audit(audit)
        amounts = self._amounts(reached)
        shown = {"answer": {k: v for k, v in answer.items() if k not in _PASSING}, "audit row": audit}
        for where, value in shown.items():
            found = self.phrases.leaked("\n".join(texts(value)), case.question, amounts)
            if found:
                yield f"the {where} holds {found[:5]}, which only hidden records have"

    def _sources(self, answer: Mapping[str, Json]) -> Iterator[str]:
        sources: Any = answer["sources"]
        for source in sources:
            if source["kind"] == "record":
                yield from self._record(str(source["entity"]), str(source["system"]), str(source["key"]), "source")
                titles = {field.title for field in self.world.model[source["entity"]].fields.values()}
                if strange := set(source["fields"]) - titles:
                    yield f"source {source['id']} shows {sorted(strange)}, which {source['entity']} does not have"
        facts: Any = answer["facts"]
        known = {source["id"] for source in sources}
        if unknown := {str(fact["ref"]).partition(".")[0] for fact in facts} - known:
            yield f"facts refer to {sorted(unknown)}, which are no sources of the answer"

    def _audit(self, audit: Mapping[str, Any]) -> Iterator[str]:
        for record in audit["records"]:
            if record["row_id"]:
                row = self.world.rows.get(record["entity"], {}).get(record["row_id"])
                if row is None or not self.actor.sees(row):
                    yield f"the audit row names {record['entity']} {record['row_id']}, which is hidden"
        plan: dict[str, dict[str, list[int]]] = audit["plan"] or {"references": {}}
        for entity, ids in plan["references"].items():
            hidden = [
                i for i in ids if i not in self.world.rows[entity] or not self.actor.sees(self.world.rows[entity][i])
            ]
            if hidden:
                yield f"the audited plan names {entity} {hidden}, which is hidden"
        yield from self._policy(audit["policy"])

    def _policy(self, policy: Mapping[str, Any]) -> Iterator[str]:
        classes = frozenset(name for product in policy["scope"] for name in product["classes"])
        if policy["subject"] != self.actor.subject or classes != self.actor.all_classes:
            yield f"the audited decision is for {policy['subject']} with {sorted(classes)}"
        for row in self.world.kinds_of_rows():
            shown = any(_shows(product, row) for product in policy["scope"])
            if shown != self.actor.sees(row):
                yield f"the audited decision {'shows' if shown else 'hides'} {row}, the policy means otherwise"
                return

    def _record(self, entity: str, system: str, key: str, what: str) -> Iterator[str]:
        rows = [row for row in self.world.where(entity, "source_key", [key]) if self.system(row) == system]
        if not any(self.actor.sees(row) for row in rows):
            why = [self.actor.hidden_by(row) for row in rows] or "it does not exist"
            yield f"the {what} {entity} {key!r} is hidden ({why})"

    def system(self, row: Mapping[str, Any]) -> str:
        """The source a row comes from."""
        return self.world.sources.get(row["source_id"], "")

    def _amounts(self, reached: Mapping[str, Found]) -> frozenset[str]:
        rows = [(self.world.model[step.entity], row) for step in reached.values() for row in step.rows]
        hidden = amounts_of((entity, row) for entity, row in rows if not self.actor.sees(row))
        return hidden - amounts_of((entity, row) for entity, row in rows if self.actor.sees(row))


def _shows(product: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether an audited product of classes and labels holds a row."""
    places = ((product[name], row[f"label_{name[:-1]}"]) for name in _LABELS)
    return row["record_class"] in product["classes"] and all(
        ids is None or label == 0 or label in ids for ids, label in places
    )


def lasting(answer: Mapping[str, Json]) -> dict[str, Json]:
    """An answer without what differs from one asking to the next."""
    return {name: value for name, value in answer.items() if name not in _PASSING}
