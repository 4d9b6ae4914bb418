"""One product of record classes and labels, and the one form that a sum of such products is kept in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from copilot.domain.json import Json

UNLABELLED = 0
"""The label of a row that belongs to no particular region, site, channel or account."""
SPREAD = -1
"""The label of a figure over rows of many of a kind: no id, so that it is seen only where every one may be."""

Labels = frozenset[int] | None
Box = tuple[Labels, ...]
"""The labels of a product, one dimension after the other; `UNLABELLED` is among them where such rows are reached."""
DIMENSIONS = ("regions", "sites", "channels", "accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Records of these classes whose every label is among those named.

    None means every one of that kind. Rows labelled `UNLABELLED` in a dimension are inside it whatever is named there,
    but in those of `only`; rows labelled `SPREAD` only where every one is.
    """

    classes: frozenset[str] = frozenset()
    regions: Labels = frozenset()
    sites: Labels = frozenset()
    channels: Labels = frozenset()
    accounts: Labels = frozenset()
    only: frozenset[str] = frozenset()
    """Dimensions in which a row of no particular id is not reached."""

    @property
    def box(self) -> Box:
        """The labels alone. What is no id, such as `SPREAD`, names nothing."""
        named = (self.regions, self.sites, self.channels, self.accounts)
        return tuple(_ids(ids, bare=name in self.only) for name, ids in zip(DIMENSIONS, named, strict=True))

    def __and__(self, other: Reach) -> Reach:
        """What both reach."""
        box = (_both(mine, theirs) for mine, theirs in zip(self.box, other.box, strict=True))
        return reach_of(self.classes & other.classes, tuple(box))

    def to_json(self) -> dict[str, Json]:
        """The product as an audit row holds it; null for every one of a kind."""
        found: dict[str, Json] = {"classes": [*sorted(self.classes)]}
        for name, ids in zip(DIMENSIONS, self.box, strict=True):
            found[name] = None if ids is None else [*sorted(ids - {UNLABELLED})]
        if self.only:
            found["only"] = [*sorted(self.only)]
        return found


def reach_of(classes: Iterable[str], box: Box) -> Reach:
    """The product of some classes and labels."""
    regions, sites, channels, accounts = (None if ids is None else ids - {UNLABELLED} for ids in box)
    only = (name for name, ids in zip(DIMENSIONS, box, strict=True) if ids is not None and UNLABELLED not in ids)
    return Reach(
        classes=frozenset(classes), regions=regions, sites=sites, channels=channels, accounts=accounts,
        only=frozenset(only),
    )  # fmt: skip


def canonical(reaches: Iterable[Reach]) -> tuple[Reach, ...]:
    """The same sum in the one form that it has: sums that show the same rows come out equal.

    Every class is in one group of products, those that reach equally far together; the largest group comes first.
    """
    boxes: dict[str, set[Box]] = {}
    for reach in reaches:
        if frozenset() not in (box := reach.box):  # else nothing is in it
            for name in reach.classes:
                boxes.setdefault(name, set()).add(box)
    groups: dict[tuple[Box, ...], list[str]] = {}
    for name in sorted(boxes):
        groups.setdefault(_normal(frozenset(boxes[name])), []).append(name)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[1]))
    return tuple(reach_of(classes, box) for form, classes in ordered for box in form)


@lru_cache(maxsize=4096)
def _normal(boxes: frozenset[Box]) -> tuple[Box, ...]:
    """The form of a sum of boxes, one dimension after the other: what every id reaches further on, then what those ids
    reach beyond that which reach more, alike ones together and with rows of no particular id wherever those reach as
    far, then what the latter reach beyond all."""
    if len(boxes) < 2 or () in boxes:
        return tuple(boxes)
    elsewhere = _normal(frozenset(box[1:] for box in boxes if box[0] is None))
    alike: dict[tuple[Box, ...], set[int]] = {}
    for ids, below in _named(boxes):
        alike.setdefault(_normal(below), set()).update(ids)
    found: list[Box] = [(None, *box) for box in elsewhere]
    unlabelled = _normal(frozenset(box[1:] for box in boxes if box[0] is None or UNLABELLED in box[0]))
    told = set(elsewhere)
    for below, ids in alike.items():
        if _normal(frozenset((*below, *unlabelled))) == unlabelled:
            ids.add(UNLABELLED)
            told.update(below)
        found += [(frozenset(ids), *box) for box in _beyond(below, elsewhere)]
    labelled = _normal(frozenset(told))
    if unlabelled != labelled:
        found += [(frozenset({UNLABELLED}), *box) for box in _beyond(unlabelled, (*labelled, *told))]
    return tuple(sorted(found, key=_place))


def _named(boxes: frozenset[Box]) -> Iterator[tuple[set[int], frozenset[Box]]]:
    """Ids that the first dimension names in the same boxes, with what they reach further on."""
    ordered = [*boxes]
    places: dict[int, list[int]] = {}
    for place, (ids, *_) in enumerate(ordered):
        for each in (ids or frozenset()) - {UNLABELLED}:
            places.setdefault(each, []).append(place)
    everywhere = {box[1:] for box in ordered if box[0] is None}
    together: dict[tuple[int, ...], set[int]] = {}
    for each, at in places.items():
        together.setdefault(tuple(at), set()).add(each)
    for at, ids in together.items():
        yield ids, frozenset(everywhere | {ordered[place][1:] for place in at})


def _beyond(boxes: Iterable[Box], others: tuple[Box, ...]) -> list[Box]:
    """The boxes that lie in none of the others."""
    return [box for box in boxes if not any(_within(box, other) for other in others)]


def _within(box: Box, other: Box) -> bool:
    pairs = zip(box, other, strict=True)
    return all(outer is None or (inner is not None and inner <= outer) for inner, outer in pairs)


def _place(box: Box) -> list[tuple[bool, list[int]]]:
    return [(ids is not None, sorted(ids or ())) for ids in box]


def _ids(labels: Labels, *, bare: bool) -> Labels:
    if labels is None:
        return None
    named = frozenset(each for each in labels if each > UNLABELLED)
    return named if bare else named | {UNLABELLED}


def _both(left: Labels, right: Labels) -> Labels:
    if left is None:
        return right
    return left if right is None else left & right


def reach_from(body: Mapping[str, Json], classes: Json) -> Reach:
    """The product that an audit row holds: its labels, and its classes."""
    only = body.get("only", [])
    bare = only if isinstance(only, list) else []
    box = (_ids(_label_ids(body[name]), bare=name in bare) for name in DIMENSIONS)
    return reach_of((str(name) for name in classes) if isinstance(classes, list) else (), tuple(box))


def _label_ids(value: Json) -> Labels:
    if value is None:
        return None
    return frozenset(each for each in value if isinstance(each, int)) if isinstance(value, list) else frozenset()
