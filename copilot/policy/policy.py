"""The policy in force: what answers need of it wherever a record is, and the scope that a person's grants come to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property

from copilot.domain.evidence import NO_LABELS
from copilot.domain.places import NO_PLACES, Places
from copilot.domain.principal import Grant, Principal
from copilot.domain.reach import UNLABELLED
from copilot.domain.residency import Residency, together
from copilot.domain.scope import Scope
from copilot.policy.documents import PolicySet
from copilot.policy.effective import Effective, InEffect
from copilot.policy.layers import LAYERS, Spot
from copilot.policy.reading import baseline
from copilot.policy.scoping import Scoping
from copilot.policy.sections import EVERY
from copilot.policy.values import SHOWN

PURPOSES: Mapping[str, str] = {
    "erp": "ERP",
    "wms": "warehouse system",
    "commerce": "shop",
    "logistics": "logistics system",
    "files": "files",
}
"""What a source can be for -> what people call such a system."""

_MOST_SCOPES = 4096
"""How many people's scopes are kept compiled."""
_ANY_MOMENT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What answers need of the policy in effect at one spot."""

    fresh_for: Mapping[str, timedelta]
    """Record class -> how long a record stays fresh; `default` for every other."""
    stock_governed_by: Mapping[str, tuple[str, ...]]
    """Figure of stock -> the purposes of sources, the one that governs first."""
    stock_kept_whole_by: frozenset[str]
    """Purposes whose sources record every item that a site of theirs holds: no record means none."""
    promise_within: timedelta
    """How far ahead demand and expected receipts count for what can be promised."""
    pseudonyms_kept: timedelta
    """How long after it was last used the value behind a token of a conversation is kept."""
    readings_of_models: str
    """What becomes of a model's reading of words that the rules don't know: `refused`, `asked_back` (is that what you
    mean?) or `told` (answered, and said)."""
    here: Effective

    def fresh_limit(self, record_class: str) -> timedelta:
        """How old a record of a class may be without being confirmed again."""
        return self.fresh_for.get(record_class, self.fresh_for["default"])

    def stock_rank(self, figure: str, purpose: str) -> int:
        """Where a kind of system stands for a figure of stock, 0 being the one that governs; last if not named."""
        order = self.stock_governed_by.get(figure, ())
        return order.index(purpose) if purpose in order else len(order)


class Policy:
    """A policy on one day, over the places that there are. What it compiles it keeps, so one is made per version and
    day and shared; nothing in it changes.

    `here` is the place in which this program processes what it reads.
    """

    def __init__(
        self,
        documents: PolicySet,
        *,
        at: datetime,
        version: str = "",
        places: Places = NO_PLACES,
        classes: frozenset[str] | None = None,
        here: str = "",
    ) -> None:
        self.documents = documents
        self.version = version or documents.version
        self.places = places
        self._at = at
        self._spoken = {layer: _spoken(documents, places, layer) for layer in LAYERS[1:]}
        self._rules: dict[Spot, Rules] = {}
        self._tags: dict[tuple[str, Spot, int], Residency] = {}
        self._scopes: dict[tuple[Grant, ...], Scope] = {}
        self._counted: dict[str, bool] = {}
        self._outward: dict[tuple[str, str], str] = {}
        self._in_effect = InEffect(documents, at=at)
        self._scoping = Scoping(documents, self._in_effect, places=places, classes=classes, here=here)
        self.everywhere = self._at_spot(Spot())

    @cached_property
    def identity(self) -> tuple[str, str]:
        """The version, and a digest of what its documents say on this day."""
        return self.version, self.documents.digest(self._at)

    @property
    def roles(self) -> Sequence[str]:
        """The roles that the policy gives record classes anywhere."""
        return self._scoping.roles

    @property
    def known_roles(self) -> Sequence[str]:
        """The roles that there are; as long as no policy is in force those that are shipped: somebody must begin."""
        return self.roles or load_policy().roles

    @property
    def own_accounts(self) -> frozenset[str]:
        """Roles that read by a grant only where it names the accounts, where nothing says otherwise."""
        return self._scoping.own_accounts

    def classes_of(self, role: str) -> frozenset[str]:
        """The record classes that a role reads where no region, site or channel says otherwise; none for a role the
        policy does not know."""
        return self._scoping.classes_of(role)

    def at(self, labels: Sequence[int]) -> Rules:
        """What holds for a row with these labels (region, site, channel, …)."""
        return self._at_spot(self._spot(labels))

    def at_site(self, site: object) -> Rules:
        """What holds for figures of a site, by its id."""
        ident = site if isinstance(site, int) else UNLABELLED
        return self.at((self.places.region_of.get(ident, UNLABELLED), ident, UNLABELLED))

    def fresh_limit(self, record_class: str, labels: Sequence[int] = NO_LABELS) -> timedelta:
        """How old a record of a class with these labels may be without being confirmed again."""
        return self.at(labels).fresh_limit(record_class)

    def residency(self, record_class: str, labels: Sequence[int] = NO_LABELS) -> Residency:
        """Where a record of a class with these labels comes from, and where it may be processed."""
        spot = self._spot(labels)
        key = record_class, spot, labels[0]
        if key not in self._tags:
            origin = self.places.region_codes.get(labels[0])
            places = self._at_spot(spot).here.residency(record_class).value
            self._tags[key] = Residency(frozenset({origin} if origin else ()), places)
        return self._tags[key]

    def residency_of_all(self, classes: frozenset[str]) -> Residency:
        """The tag of a figure over records of these classes from wherever somebody may see them: of no region that it
        names, for which those are would tell of places beyond their own."""
        tags = (self._at_spot(spot).here.residency(name).value for spot in self.spots() for name in classes)
        return together(Residency(places=places) for places in tags)

    def allows_vendor(self, classes: frozenset[str], vendor: str) -> bool:
        """Whether models of a vendor may be told of records of all these classes, wherever those are."""
        said = (self._at_spot(spot).here.vendors(name).value for spot in self.spots() for name in classes)
        return all(EVERY in vendors or vendor in vendors for vendors in said)

    def spots(self) -> Iterator[Spot]:
        """Every spot that may be told from others where anything is decided over reading."""
        return self._scoping.spots()

    def rules_at(self, spot: Spot) -> Rules:
        """What holds at a spot."""
        return self._at_spot(spot)

    def audience(self, role: str) -> str:
        """To whom what a role reads is shown: "customers" or "staff"."""
        return self._scoping.audience(role)

    def outward(self, record_class: str, audience: str) -> str:
        """How much of a value of a class an audience outside sees, as `SHOWN` has it: the least of what is said for any
        place, since of a text it is not known where what it names is."""
        key = record_class, audience
        if key not in self._outward:
            said = (self._in_effect.at(spot).masking(record_class, audience).value for spot in self.spots())
            self._outward[key] = max(said, key=SHOWN.index)
        return self._outward[key]

    def counted(self, grant: Grant) -> bool:
        """Whether a grant lets anything be read by accounts: a role of own accounts needs them named."""
        if grant.accounts is not None:
            return True
        if grant.role not in self._counted:
            everyone = (self._in_effect.at(spot).accounts(grant.role).value == "any" for spot in self.spots())
            self._counted[grant.role] = any(everyone)
        return self._counted[grant.role]

    def scope_of(self, *grants: Grant) -> Scope:
        """What grants show: what the role of each reads at each place, within the labels of the grant, and nothing that
        only several together would."""
        if grants not in self._scopes:
            if len(self._scopes) >= _MOST_SCOPES:
                self._scopes.clear()
            found = (self._scoping.scope_of(grant) for grant in grants)
            self._scopes[grants] = Scope(tuple(reach for scope in found for reach in scope.reaches))
        return self._scopes[grants]

    def _spot(self, labels: Sequence[int]) -> Spot:
        """Where a row is, as far as any document speaks of it."""
        region, site, channel = (
            spoken.get(ident) for spoken, ident in zip(self._spoken.values(), labels, strict=False)
        )
        return Spot(region=region, site=site, channel=channel)

    def _at_spot(self, spot: Spot) -> Rules:
        if spot not in self._rules:
            self._rules[spot] = _rules(self._in_effect.at(spot))
        return self._rules[spot]


@cache
def closed_policy() -> Policy:
    """A policy that says nothing, so nothing is allowed."""
    return Policy(PolicySet(documents=()), at=_ANY_MOMENT, version="none")


@cache
def load_policy() -> Policy:
    """The shipped baseline over no places. It has no exception, so it is the same at every moment."""
    return Policy(baseline(), at=_ANY_MOMENT)


PolicyNow = Callable[[], Awaitable[Policy]]
"""Gives the policy in force at this moment."""


async def shipped_policy() -> Policy:
    """The shipped baseline, whatever the moment."""
    return load_policy()


def counted_grants(principal: Principal, policy: Policy) -> tuple[Grant, ...]:
    """The grants of a person that count: a role that reads its own accounts alone reads none where none is named."""
    return tuple(grant for grant in principal.grants if policy.counted(grant))


def scope_for(principal: Principal, policy: Policy) -> Scope:
    """What a person may see: what each of their grants shows, and nothing that only several together would."""
    return policy.scope_of(*principal.grants)


def _spoken(documents: PolicySet, places: Places, layer: str) -> Mapping[int, str]:
    """Label id -> code of the places of a layer that have a document."""
    ids = places.of(layer)
    codes = {document.place.code for document in documents.documents if document.place.layer == layer}
    return {ids[code]: code for code in sorted(codes) if code in ids}


def _rules(here: Effective) -> Rules:
    fresh = {key: decided.value for (key, *_), decided in here.tables["fresh_for"].decisions()}
    governed = {key: decided.value for (key, *_), decided in here.tables["governs"].decisions()}
    return Rules(
        fresh_for={"default": here.fresh_for(EVERY).value} | {name: fresh[name] for name in fresh if name != EVERY},
        stock_governed_by=governed,
        stock_kept_whole_by=here.setting("stock_kept_whole_by").value or frozenset(),
        promise_within=timedelta(days=here.setting("promise_within_days").value or 0),
        pseudonyms_kept=timedelta(days=here.setting("pseudonyms_kept_days").value or 0),
        readings_of_models=here.setting("readings_of_models").value or "refused",
        here=here,
    )
