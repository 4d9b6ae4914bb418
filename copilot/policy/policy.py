"""What answers need of the policy, and the scope that a person's grants come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from copilot.domain.principal import Grant, Principal
from copilot.domain.scope import Reach, Scope
from copilot.policy.effective import Effective, effective
from copilot.policy.reading import baseline
from copilot.policy.sections import EVERY

PURPOSES: Mapping[str, str] = {
    "erp": "ERP",
    "wms": "warehouse system",
    "commerce": "shop",
    "logistics": "logistics system",
    "files": "files",
}
"""What a source can be for -> what people call such a system."""

_ANY_MOMENT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Role -> record classes, record class -> how long a record stays fresh, and whose stock figures count."""

    version: str
    roles: Mapping[str, frozenset[str]]
    own_accounts: frozenset[str]
    """Roles that read by a grant only where it names the accounts."""
    fresh_for: Mapping[str, timedelta]
    stock_governed_by: Mapping[str, tuple[str, ...]]
    """Figure of stock -> the purposes of sources, the one that governs first."""
    stock_kept_whole_by: frozenset[str]
    """Purposes whose sources record every item that a site of theirs holds: no record means none."""
    promise_within: timedelta
    """How far ahead demand and expected receipts count for what can be promised."""

    def classes_of(self, role: str) -> frozenset[str]:
        """The record classes of a role; none for a role the policy does not know."""
        return self.roles.get(role, frozenset())

    def fresh_limit(self, record_class: str) -> timedelta:
        """How old a record of a class may be without being confirmed again."""
        return self.fresh_for.get(record_class, self.fresh_for["default"])

    def stock_rank(self, figure: str, purpose: str) -> int:
        """Where a kind of system stands for a figure of stock, 0 being the one that governs; last if not named."""
        order = self.stock_governed_by.get(figure, ())
        return order.index(purpose) if purpose in order else len(order)


@cache
def load_policy() -> Policy:
    """The shipped baseline, as the enterprise layer has it. It has no exception, so it is the same at every moment."""
    return policy_of(effective(baseline(), None, None, None, at=_ANY_MOMENT))


def policy_of(here: Effective) -> Policy:
    """What answers need of the policy in effect at a spot."""
    read = [(key, decided.value) for section, key, decided in here.decisions() if section.name == "access"]
    roles = dict.fromkeys(role for (role, *_), _ in read)
    fresh = {key: decided.value for section, (key, *_), decided in here.decisions() if section.name == "fresh_for"}
    governed = {key: decided.value for section, (key, *_), decided in here.decisions() if section.name == "governs"}
    return Policy(
        version=here.version,
        roles={role: frozenset(name for (other, name), may in read if may and other == role) for role in roles},
        own_accounts=frozenset(role for role in roles if here.accounts(role).value == "own"),
        fresh_for={"default": here.fresh_for(EVERY).value} | {name: fresh[name] for name in fresh if name != EVERY},
        stock_governed_by=governed,
        stock_kept_whole_by=here.setting("stock_kept_whole_by").value or frozenset(),
        promise_within=timedelta(days=here.setting("promise_within_days").value or 0),
    )


def counted_grants(principal: Principal, policy: Policy) -> tuple[Grant, ...]:
    """The grants of a person that count: a role that reads its own accounts alone reads none where none is named."""
    return tuple(
        grant for grant in principal.grants if grant.accounts is not None or grant.role not in policy.own_accounts
    )


def scope_for(principal: Principal, policy: Policy) -> Scope:
    """What a person may see: what each of their grants shows, and nothing that only several together would."""
    return Scope(
        tuple(
            Reach(
                classes=_classes(grant, policy),
                regions=grant.regions,
                sites=grant.sites,
                channels=grant.channels,
                accounts=grant.accounts,
            )
            for grant in counted_grants(principal, policy)
        )
    )


def _classes(grant: Grant, policy: Policy) -> frozenset[str]:
    """What the role reads, less what the grant is not held to: a grant never widens a role."""
    of_role = policy.classes_of(grant.role)
    return of_role if grant.classes is None else of_role & grant.classes
