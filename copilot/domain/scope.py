"""What a person may see: record classes and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

UNLABELLED = 0
"""The label of a row that belongs to no particular region, site, channel or account."""
SPREAD = -1
"""The label of a figure over rows of many of a kind: no id, so that it is seen only where every one may be."""

Labels = frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """An immutable set of label ids and record classes.

    None means every one of that kind, inside the other labels. Rows labelled `UNLABELLED` in a dimension are visible
    in that dimension to everybody who has any scope at all. The empty scope sees nothing.
    """

    classes: frozenset[str] = frozenset()
    regions: Labels = frozenset()
    sites: Labels = frozenset()
    channels: Labels = frozenset()
    accounts: Labels = frozenset()

    def __and__(self, other: Scope) -> Scope:
        """The scope of a room with two readers: what both may see."""
        return Scope(
            classes=self.classes & other.classes,
            regions=_both(self.regions, other.regions),
            sites=_both(self.sites, other.sites),
            channels=_both(self.channels, other.channels),
            accounts=_both(self.accounts, other.accounts),
        )

    def __bool__(self) -> bool:
        return bool(self.classes)

    def allows(self, record_class: str) -> bool:
        """Whether records of this class may be read at all."""
        return record_class in self.classes

    def without(self, *classes: str) -> Scope:
        """The same scope less some record classes."""
        return replace(self, classes=self.classes - frozenset(classes))

    def settings(self) -> dict[str, str]:
        """The transaction-local settings that the row policies read."""
        return {
            "copilot.classes": ",".join(sorted(self.classes)),
            "copilot.regions": _ids(self.regions),
            "copilot.sites": _ids(self.sites),
            "copilot.channels": _ids(self.channels),
            "copilot.accounts": _ids(self.accounts),
        }


EMPTY_SCOPE = Scope()


def _both(left: Labels, right: Labels) -> Labels:
    if left is None:
        return right
    return left if right is None else left & right


def _ids(ids: Labels) -> str:
    if ids is None:
        return "*"
    return ",".join(str(i) for i in sorted(ids | {UNLABELLED}))
