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
    """A record that a question names, and how: by a `field` of its `holder`, which is the record itself or one that
    holds another name of it, or as `entity#id` where the field is "id"."""

    entity: str
    id: int
    holder: tuple[str, int]
    field: str
    text: str

    def hidden_from(self, actor: Actor, world: World) -> bool:
        """Whether the actor may not see the record, or not the name."""
        holder, row = self.holder
        return not (actor.sees(world.rows[self.entity][self.id]) and actor.sees(world.rows[holder][row]))


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
        named = " ".join(f"{a.holder[0]}.{a.field}={a.holder[1]}" for a in self.anchors)
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
        for place in range(_LOOKED_AT if pools else 1):
            rows = [pool[place % len(pool)] for pool in pools]
            anchors = tuple(self._anchor(entity, row, draw) for entity, row in zip(entities, rows, strict=True))
            walk = Walk(self.world, kind, {anchor.entity: (anchor.id,) for anchor in anchors})
            yield anchors, [(step.entity, row) for step in walk.steps().values() for row in step.rows]

    def _rows(self, entity: str) -> list[Row]:
        names = [field.column for field in self.world.model[entity].finders() if field.find_as == entity]
        return [row for row in self.world.rows[entity].values() if any(row[name] for name in names)]

    def _anchor(self, entity: str, row: Row, draw: Random) -> Anchor:
        own = [(name, holder, text) for name, holder, text in self._names(entity, row) if holder[0] == entity]
        usual = [form for form in own if form[0] == self.world.model[entity].key]
        forms = [*self._names(entity, row), ("id", (entity, row["id"]), f"{entity}#{row['id']}")]
        field, holder, text = draw.choice(usual if usual and draw.random() < 0.5 else forms)
        return Anchor(entity=entity, id=row["id"], holder=holder, field=field, text=text)

    def _names(self, entity: str, row: Row) -> Iterator[tuple[str, tuple[str, int], str]]:
        """Every field by which the record can be named, the row that holds it, and what it says."""
        for holder in self.world.model.entities.values():
            for field in (finder for finder in holder.finders() if finder.find_as == entity):
                refs = ["id"] if holder.name == entity else [ref.column for ref in holder.refs() if ref.to == entity]
                for named in self.world.where(holder.name, refs[0], [row["id"]]):
                    if named[field.column]:
                        yield field.name, (holder.name, named["id"]), str(named[field.column])

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
    """Entity -> the kinds whose questions read it or can be put by its names; none for one that no question reaches."""
    pairs = product(world.model.entities, kinds.values())
    reads = [(entity, kind.name) for entity, kind in pairs if entity in _read(kind, world)]
    return {entity: tuple(kind for name, kind in reads if name == entity) for entity in world.model.entities}


def _read(kind: Kind, world: World) -> set[str]:
    named = {entity for way in ways_to_ask(kind) for entity in way}
    holders = {e.name for e in world.model.entities.values() if any(f.find_as in named for f in e.finders())}
    return holders | {str(body["entity"]) for body in kind.steps.values() if "entity" in body}


def _question(kind: Kind, anchors: Sequence[Anchor]) -> str:
    text = kind.ask
    for anchor in anchors:
        text = text.replace("{}", anchor.text, 1) if "{}" in text else f"{text} {anchor.text}"
    return text
