"""Compiles who may read which record class where into products of classes and labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import product

from copilot.domain.places import Places
from copilot.domain.principal import Grant
from copilot.domain.reach import UNLABELLED, Box, Reach, reach_of
from copilot.domain.residency import Residency
from copilot.domain.scope import Scope
from copilot.policy.documents import PolicySet
from copilot.policy.effective import InEffect
from copilot.policy.layers import LAYERS, Spot
from copilot.policy.sections import EVERY

_SECTIONS = frozenset({"access", "accounts", "masking", "residency", "vendors"})
"""What decides over reading. A place of which none of these speaks is like every other."""
CUSTOMERS = "roles_of_customers"
_Forms = Mapping[str, tuple[Box, ...]]
"""Record class -> the boxes of labels in which it is read."""


class Scoping:
    """What each role reads at each place, compiled when a grant of it is first met."""

    def __init__(
        self, documents: PolicySet, in_effect: InEffect, *, places: Places, classes: frozenset[str] | None, here: str
    ) -> None:
        self._documents, self._in_effect, self._places, self._here = documents, in_effect, places, here
        self._spoken = {layer: self._spoken_of(layer) for layer in LAYERS[1:]}
        self._reaches: dict[tuple[str, bool], tuple[Reach, ...]] = {}
        self._everywhere = in_effect.at(Spot())
        self._customers: frozenset[str] = self._everywhere.setting(CUSTOMERS).value or frozenset()
        self._named = [key for document in documents.documents for rule in document.rules
                       if rule.section == "access" for key in rule.statements]  # fmt: skip
        self._classes = classes or frozenset(name for _, name in self._named) - {EVERY}
        top = sorted({*self._everywhere.tables["access"].known[0]})
        self.roles = tuple(dict.fromkeys((*top, *(role for role, _ in self._named))))

    @cached_property
    def own_accounts(self) -> frozenset[str]:
        """Roles that read by a grant only where it names the accounts, where nothing says otherwise."""
        return frozenset(role for role in self.roles if self._everywhere.accounts(role).value == "own")

    def classes_of(self, role: str) -> frozenset[str]:
        """What a role reads where no place says otherwise; nothing for one that no document names."""
        return self._read(role, Spot(), named=True) if role in self.roles else frozenset()

    def scope_of(self, grant: Grant) -> Scope:
        """What a grant shows.

        A class that is read in none of the places that a grant names is not read by it at all: rows of no particular
        place are read along with those of one's own, and alone they would pass for all there are.
        """
        within = Reach(
            classes=self._classes if grant.classes is None else self._classes & grant.classes,
            regions=grant.regions,
            sites=grant.sites,
            channels=grant.channels,
            accounts=grant.accounts,
        )
        found = (reach & within for reach in self.reaches(grant.role, named=grant.accounts is not None))
        return Scope(tuple(reach for reach in found if not _lacks_places(reach, within)))

    def reaches(self, role: str, *, named: bool) -> tuple[Reach, ...]:
        """What a role reads by a grant of every label; `named`: of one that names its accounts."""
        if (role, named) not in self._reaches:
            forms = self._forms(role, Spot(), LAYERS[1:], named=named)
            alike: dict[tuple[Box, ...], set[str]] = defaultdict(set)
            for name, boxes in forms.items():
                alike[boxes].add(name)
            self._reaches[role, named] = tuple(
                reach_of(classes, (*box, None)) for boxes, classes in alike.items() for box in boxes
            )
        return self._reaches[role, named]

    def audience(self, role: str) -> str:
        """To whom what a role reads is shown: "customers" or "staff"."""
        return "customers" if role in self._customers else "staff"

    def spots(self) -> Iterator[Spot]:
        """Every spot that may be told from others, where anything is decided over reading."""
        named = ((None, *codes) for codes in self._spoken.values())
        yield from (Spot(region=region, site=site, channel=channel) for region, site, channel in product(*named))

    def _forms(self, role: str, spot: Spot, layers: tuple[str, ...], *, named: bool) -> _Forms:
        """The boxes over the layers that are left, of what is read at a spot of those that are not."""
        if not layers:
            return dict.fromkeys(self._read(role, spot, named=named), ((),))
        layer, *rest = layers
        here = self._spoken[layer]
        below = {code: self._forms(role, spot.within(layer, code), tuple(rest), named=named) for code in (None, *here)}
        return {
            name: tuple(self._over(layer, {code: forms.get(name, ()) for code, forms in below.items()}))
            for name in sorted({name for forms in below.values() for name in forms})
        }

    def _over(self, layer: str, forms: Mapping[str | None, tuple[Box, ...]]) -> Iterator[Box]:
        """The boxes of one class over a layer; places where it is read alike stand together."""
        here = self._spoken[layer]
        if len(set(forms.values())) == 1:
            yield from ((None, *box) for box in forms[None])
            return
        others = frozenset(self._places.of(layer).values()) - frozenset(here.values()) | {UNLABELLED}
        alike: dict[tuple[Box, ...], frozenset[int]] = {}
        for code, boxes in forms.items():
            ids = others if code is None else frozenset({here[code]})
            alike[boxes] = alike.get(boxes, frozenset()) | ids
        yield from ((ids, *box) for boxes, ids in alike.items() for box in boxes)

    def _read(self, role: str, spot: Spot, *, named: bool) -> frozenset[str]:
        """The record classes that a role reads at a spot."""
        here = self._in_effect.at(spot)
        if not named and here.accounts(role).value != "any":
            return frozenset()
        audience = self.audience(role)
        return frozenset(
            name
            for name in self._classes
            if here.may_read(role, name).value
            and here.masking(name, audience).value == "shown"
            and Residency(places=here.residency(name).value).allows(self._here)
        )

    def _spoken_of(self, layer: str) -> Mapping[str, int]:
        """Code -> label id of the places of a layer whose documents decide over reading."""
        ids = self._places.of(layer)
        codes = {
            document.place.code
            for document in self._documents.documents
            if document.place.layer == layer and any(rule.section in _SECTIONS for rule in document.rules)
        }
        return {code: ids[code] for code in sorted(codes) if code in ids}


def _lacks_places(reach: Reach, grant: Reach) -> bool:
    """Whether none is left of the places that a grant names in some dimension."""
    named = zip((reach.regions, reach.sites, reach.channels), (grant.regions, grant.sites, grant.channels), strict=True)
    return any(bool(wanted) and left is not None and not left for left, wanted in named)
