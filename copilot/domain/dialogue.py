"""What a conversation was about, as the last answers left it: references and never values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from copilot.domain.composition import Composition
from copilot.domain.json import Json
from copilot.domain.kept import from_kept
from copilot.domain.plan import Attribute, Period, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The last plan of a conversation, the records its answer listed in their order, and the questions that the last
    answer offered to choose from."""

    kind: str = ""
    references: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    period: Period | None = None
    wanted: Wanted | None = None
    composition: Composition | None = None
    attributes: tuple[Attribute, ...] = ()
    """The fields of records that were asked for."""
    listed: tuple[str, tuple[int, ...]] = ("", ())
    choices: tuple[str, ...] = ()
    before: tuple[State, ...] = ()
    """The questions that the last message asked before its last one."""
    earlier: tuple[State, ...] = ()
    """The states before this one, newest first, without their own."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to follow up on."""
        return not (self.kind or self.choices)

    @property
    def about(self) -> tuple[str, ...]:
        """The entities of which the last answer was about one record."""
        return tuple(entity for entity, ids in self.references.items() if len(ids) == 1)


def state_of(turns: Sequence[Mapping[str, Json] | None]) -> State:
    """The state that the kept plans of a conversation's turns leave, oldest first. A plan that answered nothing only
    leaves its choices."""
    state = State()
    for kept in turns:
        state = after(state, kept)
    return state


RESET = frozenset({"manners_stop", "manners_reset"})


def after(state: State, kept: Mapping[str, Json] | None) -> State:
    """The state once a turn with this plan has been answered."""
    match kept:
        case {"before": [*several], **last}:
            parts = [part for part in several if isinstance(part, dict)]
            for part in parts:
                state = after(state, part)
            return replace(after(state, last), before=tuple(after(State(), part) for part in parts))
        case {"kind": str(kind)} if kind in RESET:
            return State()
        case {"kind": str(kind)} if kind.startswith("manners_"):
            return state
        case {"kind": str(kind), "references": dict(references)}:
            listed = _listed(kept.get("listed"))
            of_list = any(ident in state.listed[1] for ids in references.values() for ident in _ids(ids))
            return State(
                earlier=(replace(state, earlier=()), *state.earlier) if state.kind else (),
                kind=kind,
                references={name: _ids(ids) for name, ids in references.items()},
                period=Period.from_json(kept.get("period")),
                wanted=Wanted.from_json(kept.get("wanted")),
                composition=from_kept(kept.get("composition")),
                attributes=_attributes(kept.get("attributes")),
                listed=listed if len(listed[1]) > 1 or not of_list else state.listed,
            )
        case {"choices": list(choices)}:
            told = tuple(choice for choice in choices if isinstance(choice, str))
            return replace(state, choices=told)
        case _:
            return state


def _attributes(kept: Json) -> tuple[Attribute, ...]:
    found = [Attribute.from_json(each) for each in kept] if isinstance(kept, list) else []
    return tuple(attribute for attribute in found if attribute)


def _ids(kept: Json) -> tuple[int, ...]:
    return tuple(ident for ident in kept if isinstance(ident, int)) if isinstance(kept, list) else ()


def _listed(kept: Json) -> tuple[str, tuple[int, ...]]:
    match kept:
        case {"entity": str(entity), "ids": list(ids)}:
            return entity, _ids(ids)
        case _:
            return "", ()
