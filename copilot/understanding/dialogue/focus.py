"""The record that "it", "they" or "the supplier" means: one that the last answer was about, or what that refers to."""

from __future__ import annotations

from dataclasses import replace

from copilot.domain.composition import Composition, Part
from copilot.domain.dialogue import State
from copilot.domain.query import Path
from copilot.semantic.compile import select
from copilot.semantic.model import SemanticModel
from copilot.semantic.ways import path_to
from copilot.store.pool import Connection

DOCUMENTS = (
    "sales_order",
    "purchase_order",
    "shipment",
    "invoice",
    "return_order",
    "transfer",
    "service_case",
    "receipt",
)
PLACES = ("site", "region", "channel")
PEOPLE = ("customer", "supplier")
Key = tuple[str, int]


def focus_of(state: State) -> tuple[Key, ...]:
    """The records that the last answer was about one of, documents first, then things, then people; a list of one row
    counts as that row."""
    single = [(entity, ids[0]) for entity, ids in state.references.items() if len(ids) == 1 and entity not in PLACES]
    entity, ids = state.listed
    if len(ids) == 1 and state.composition:
        single.insert(0, (entity, ids[0]))
    order = (*DOCUMENTS, "item", *PEOPLE)
    return tuple(sorted(dict.fromkeys(single), key=lambda key: order.index(key[0]) if key[0] in order else len(order)))


def row_of(state: State, place: int) -> Key | None:
    """The record that stands at a place of the last list that is long enough."""
    for each in (state, *state.earlier):
        entity, ids = each.listed
        if ids and place < len(ids):
            return entity, ids[place]
    return None


def in_turn(state: State) -> tuple[Key, ...]:
    """The documents or items that the last answers were about, one each and all of one kind, as they were asked for."""
    run: list[Key] = []
    for each in (state, *state.earlier):
        key = next((key for key in focus_of(each) if key[0] in (*DOCUMENTS, "item")), None)
        if key is None or each.composition or (run and key[0] != run[0][0]):
            break
        run += [] if key in run else [key]
    return tuple(reversed(run)) if len(run) > 1 else ()


def others_of(state: State) -> tuple[Key, ...]:
    """What a list held beside the records that were then asked about or that it was narrowed to."""
    entity, ids = state.listed
    now = set(state.references.get(entity, ())) or set(ids)
    for each in (state, *state.earlier):
        of, those = each.listed
        if of == entity and now < set(those):
            return tuple((entity, ident) for ident in those if ident not in now)
    return ()


def narrowed(state: State) -> State | None:
    """The state with the list that "only the late ones" narrows: the rows of an answer to a question that was no list
    by itself; else the list that the record asked about since stood in. None for neither."""
    entity, ids = state.listed
    of_document = any(of in DOCUMENTS for of, _ in focus_of(state))
    if entity in DOCUMENTS and len(ids) > 1 and not of_document:
        rows = Part(role="record", about=entity, ids=ids)
        return replace(state, composition=Composition(entity=entity, parts=(rows,)))
    for before, older in zip(state.earlier, range(1, len(state.earlier) + 1), strict=True):
        of, those = before.listed
        if before.composition:
            asked = set(state.references.get(of, ()))
            return replace(before, earlier=state.earlier[older:]) if asked & set(those) else None
    return None


def several_of(state: State) -> tuple[Key, ...]:
    """The records of the entity of which the last question named several, where it was about no single one."""
    if focus_of(state):
        return ()
    named = [(entity, ids) for entity, ids in state.references.items() if entity not in PLACES and len(ids) > 1]
    return tuple((entity, ident) for entity, ids in named[:1] for ident in ids)


async def thing_of(connection: Connection, model: SemanticModel, state: State, entity: str) -> Key | None:
    """The one record of an entity that the last answer was about, or that what it was about refers to."""
    found = [key for key in focus_of(state) if key[0] == entity]
    if found:
        return found[0] if len(found) == 1 else None
    reached: dict[Key, None] = {}
    for origin, ident in focus_of(state):
        path = path_to(origin, entity)
        if path and not path[-1].startswith("@"):
            target = await _follow(connection, model, origin, ident, path)
            if target:
                reached[entity, target] = None
    return next(iter(reached)) if len(reached) == 1 else None


async def people_of(connection: Connection, model: SemanticModel, state: State) -> Key | None:
    """The customer or supplier that the last answer was about."""
    for entity in PEOPLE:
        found = await thing_of(connection, model, state, entity)
        if found:
            return found
    return None


async def _follow(connection: Connection, model: SemanticModel, entity: str, ident: int, path: Path) -> int | None:
    """The id that a run of references from a record leads to, as far as the scope shows it."""
    for name in path:
        row = await (await connection.execute(select(model[entity], (name,)), {"ids": [ident]})).fetchone()
        field = model[entity].fields[name]
        if row is None or not row[field.column]:
            return None
        ident, entity = row[field.column], str(field.to)
    return ident
