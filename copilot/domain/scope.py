"""What a person may see: a sum of products of record classes and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import groupby

from copilot.domain.json import Json
from copilot.domain.reach import SPREAD, UNLABELLED, Box, Labels, Reach, canonical, reach_from

__all__ = ["EMPTY_SCOPE", "SPREAD", "UNLABELLED", "Labels", "Reach", "Scope"]


@dataclass(frozen=True)
class Scope:
    """An immutable sum of products: a row is seen where one of them holds its class and all of its labels.

    It is kept in one form, so that scopes which show the same rows are equal. The empty scope sees nothing.
    """

    reaches: tuple[Reach, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "reaches", canonical(self.reaches))

    def __or__(self, other: Scope) -> Scope:
        """The scope of a person with two grants: what either shows, and nothing that only both together would."""
        return Scope((*self.reaches, *other.reaches))

    def __and__(self, other: Scope) -> Scope:
        """The scope of a room with two readers: what both may see."""
        return Scope(tuple(mine & theirs for mine in self.reaches for theirs in other.reaches))

    def __bool__(self) -> bool:
        return bool(self.reaches)

    @property
    def classes(self) -> frozenset[str]:
        """The record classes of which records may be read somewhere."""
        return frozenset(name for reach in self.reaches for name in reach.classes)

    def allows(self, record_class: str) -> bool:
        """Whether records of this class may be read anywhere at all. Where, only the rows' policies decide."""
        return any(record_class in reach.classes for reach in self.reaches)

    def sees(self, record_class: str, labels: Iterable[int]) -> bool:
        """Whether a row of this class with these labels (region, site, channel, account) is in the scope."""
        row = tuple(labels)
        return any(record_class in reach.classes and _holds(reach.box, row) for reach in self.reaches)

    def without(self, *classes: str) -> Scope:
        """The same scope less some record classes."""
        return Scope(tuple(replace(reach, classes=reach.classes - frozenset(classes)) for reach in self.reaches))

    def differs(self, classes: Iterable[str]) -> bool:
        """Whether some of these classes reach further than others, so that a row of one may lack its row of another."""
        wanted = frozenset(classes)
        return len({reach.classes for reach in self.reaches if reach.classes & wanted}) > 1 or (
            bool(wanted & self.classes) and not wanted <= self.classes
        )

    @property
    def uniform(self) -> bool:
        """Whether all of its classes reach equally far."""
        return not self.differs(self.classes)

    def together(self, classes: Iterable[str]) -> Scope:
        """The scope in which these classes are seen only where all of them are; the others as before."""
        wanted = frozenset(classes)
        if not self.differs(wanted):
            return self
        each = [Scope(tuple(replace(r, classes=wanted) for r in self.reaches if name in r.classes)) for name in wanted]
        return reduce(Scope.__and__, each) | self.without(*wanted)

    def to_json(self) -> list[Json]:
        """The products as an audit row holds them."""
        return [reach.to_json() for reach in self.reaches]

    @classmethod
    def from_json(cls, products: Json) -> Scope:
        """The scope that an audit row holds."""
        bodies = products if isinstance(products, list) else []
        return cls(tuple(reach_from(body, body["classes"]) for body in bodies if isinstance(body, dict)))

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The transaction-local settings that the row policies read; see migrations/0040_scope_of_sums.sql and 0047.

        Each class names its group of products, a group its first product and those beyond it. The empty class, of group
        0, is for tables that hold rows of many: `classes` are those of its first product.
        """
        lines: list[str] = []
        rest: list[str] = []
        groups = groupby(self.reaches, key=lambda reach: reach.classes)
        for number, (classes, reaches) in enumerate(groups, 1):
            first, *more = [_text(reach.box) for reach in reaches]
            names = ",".join(sorted(classes))
            lines += [f"may_{name}={number}" for name in sorted(classes)]
            lines += [f"classes={names}", "may_=0", f"reach_0={first}"] if number == 1 else []
            lines += [f"reach_{number}={first}"]
            lines += [f"more_{number}={'|'.join(more)}"] if more else []
            rest += [f"{box};{{{names}}}" for box in (more if number == 1 else (first, *more))]
        lines += [f"more_0={'|'.join(rest)}"] if rest else []
        return {"classes": ",".join(sorted(self.classes)), "scope": "\n".join(("", *lines, ""))}


EMPTY_SCOPE = Scope()


def _holds(box: Box, row: tuple[int, ...]) -> bool:
    return all(ids is None or (label in ids and label != SPREAD) for ids, label in zip(box, row, strict=True))


def _text(box: Box) -> str:
    """A box as the policies unpack it: the array of each dimension, `*` for every one of a kind."""
    return ";".join("*" if ids is None else f"{{{','.join(map(str, sorted(ids)))}}}" for ids in box)
