"""The cases of scope-by-actor: who asks which question about which record, drawn so that every way of being hidden and
of being visible is tried for every entity that the question reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from copilot.understanding.kinds import Kind
from evals.proofs.oracle import Actor, Row, World
from evals.proofs.walk import Walk

_LOOKED_AT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A record that a question names, and how: by its `field`, or as `entity#id` where that is "id"."""

    entity: str
    id: int
    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question of one actor."""

    actor: str
    kind: str
    anchors: tuple[Anchor, ...]
    question: str

    @property
    def name(self) -> str:
        """What tells it apart from every other and is enough to ask it again."""
        named = " ".join(f"{a.entity}.{a.field}={a.id}" for a in self.anchors)
        return f"{self.actor} | {self.kind} | {named} | {self.question}"

    @property
    def references(self) -> dict[str, tuple[int, ...]]:
        """Entity -> ids, as a plan has them."""
        return {anchor.entity: (anchor.id,) for anchor in self.anchors}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Draws cases. `each` is how often every (entity reached, way of being hidden or not) is wanted."""

    world: World
    kinds: Mapping[str, Kind]
    seed: int
    each: int
    most: int

    def cases(self, actors: Sequence[Actor]) -> list[Case]:
        """The cases of all actors, those of one actor together."""
        found: dict[str, list[Case]] = {actor.subject: [] for actor in actors}
        for kind in self.kinds.values():
            for entities in ways_to_ask(kind):
                reached = list(self._candidates(kind, entities))
                for actor in actors:
                    found[actor.subject] += self._chosen(actor, kind, reached)
        return [case for those in found.values() for case in those]

    def _candidates(
        self, kind: Kind, entities: tuple[str, ...]
    ) -> Iterator[tuple[tuple[Anchor, ...], list[tuple[str, Row]]]]:
        """Records that could be asked about, each with every row the question would reach for the owner."""
        draw = Random(f"{self.seed} {kind.name} {entities}")
        pools = [draw.sample(rows, min(len(rows), _LOOKED_AT)) for rows in map(self._rows, entities)]
        if not all(pools):
            return
        for place in range(_LOOKED_AT):
            rows = [pool[place % len(pool)] for pool in pools]
            anchors = tuple(self._anchor(entity, row, draw) for entity, row in zip(entities, rows, strict=True))
            walk = Walk(self.world, kind, {anchor.entity: (anchor.id,) for anchor in anchors})
            yield anchors, [(step.entity, row) for step in walk.steps().values() for row in step.rows]

    def _rows(self, entity: str) -> list[Row]:
        names = [field.column for field in self.world.model[entity].finders() if field.find_as == entity]
        return [row for row in self.world.rows[entity].values() if any(row[name] for name in names)]

    def _anchor(self, entity: str, row: Row, draw: Random) -> Anchor:
        spec = self.world.model[entity]
        forms = [(f.name, str(row[f.column])) for f in spec.finders() if f.find_as == entity and row[f.column]]
        by_key = [form for form in forms if form[0] == spec.key]
        forms.append(("id", f"{entity}#{row['id']}"))
        field, text = draw.choice(by_key or forms) if draw.random() < 0.5 else draw.choice(forms)  # noqa: PLR2004
        return Anchor(entity=entity, id=row["id"], field=field, text=text)

    def _chosen(
        self, actor: Actor, kind: Kind, reached: Iterable[tuple[tuple[Anchor, ...], list[tuple[str, Row]]]]
    ) -> Iterator[Case]:
        covered: Counter[tuple[str, tuple[str, ...]]] = Counter()
        taken = 0
        for anchors, rows in reached:
            named = [(f"named {a.entity}", actor.hidden_by(self.world.rows[a.entity][a.id])) for a in anchors]
            cells = {*named, *((entity, actor.hidden_by(row)) for entity, row in rows)}
            if taken < self.most and any(covered[cell] < self.each for cell in cells):
                covered.update(cells)
                taken += 1
                yield Case(actor=actor.subject, kind=kind.name, anchors=anchors, question=_question(kind, anchors))


def ways_to_ask(kind: Kind) -> list[tuple[str, ...]]:
    """The combinations of entities that a question of a kind may name."""
    ways = [kind.required, *((entity,) for entity in kind.through)]
    optional = [entity for entity, required in kind.references.items() if not required]
    return [*ways, *((*kind.required, entity) for entity in optional)]


def reached_by(world: World, kinds: Mapping[str, Kind]) -> Mapping[str, tuple[str, ...]]:
    """Entity -> the kinds whose questions read it; none for one that no question reaches."""
    pairs = product(world.model.entities, kinds.values())
    reads = [(entity, kind.name) for entity, kind in pairs if entity in _read(kind)]
    return {entity: tuple(kind for name, kind in reads if name == entity) for entity in world.model.entities}


def _read(kind: Kind) -> set[str]:
    return {str(body["entity"]) for body in kind.steps.values() if "entity" in body}


def _question(kind: Kind, anchors: Sequence[Anchor]) -> str:
    text = kind.ask
    for anchor in anchors:
        text = text.replace("{}", anchor.text, 1) if "{}" in text else f"{text} {anchor.text}"
    return text
