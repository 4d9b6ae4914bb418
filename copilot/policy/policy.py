"""Reads the policy and turns a person's grants into a scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

import yaml

from copilot.domain.principal import Principal
from copilot.domain.scope import Reach, Scope

PURPOSES: Mapping[str, str] = {
    "erp": "ERP",
    "wms": "warehouse system",
    "commerce": "shop",
    "logistics": "logistics system",
    "files": "files",
}
"""What a source can be for -> what people call such a system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Role -> record classes, record class -> how long a record stays fresh, and whose stock figures count."""

    version: str
    roles: Mapping[str, frozenset[str]]
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
    """The shipped baseline."""
    body = yaml.safe_load((files("copilot.policy") / "baseline.yaml").read_text())
    return Policy(
        version=body["version"],
        roles={role: frozenset(classes) for role, classes in body["roles"].items()},
        fresh_for={name: timedelta(hours=hours) for name, hours in body["fresh_for_hours"].items()},
        stock_governed_by={figure: tuple(order) for figure, order in body["stock_governed_by"].items()},
        stock_kept_whole_by=frozenset(body["stock_kept_whole_by"]),
        promise_within=timedelta(days=body["promise_within_days"]),
    )


def scope_for(principal: Principal, policy: Policy) -> Scope:
    """What a person may see: what each of their grants in force shows, and nothing that only several together would."""
    return Scope(
        tuple(
            Reach(
                classes=policy.classes_of(grant.role),
                regions=grant.regions,
                sites=grant.sites,
                channels=grant.channels,
                accounts=grant.accounts,
            )
            for grant in principal.grants
        )
    )
