"""What the groups of an identity provider mean here: a file that maps each to a role within labels.

    groups:
      erp-reps-us: {role: customer_service, regions: [US]}
      erp-planners: {role: planner}

A group that is not in the file gives nothing. The file is read again when it changes; one that can't be read leaves
what was read before in force, and a program does not start with it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from copilot.domain.principal import Grant
from copilot.errors import SettingsError

LABELS = ("region", "site", "channel")
Codes = Mapping[str, Mapping[str, int]]
"""Region, site or channel -> code -> label id."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGrant:
    """What one group gives: a role within labels by code; None means every one of that kind."""

    role: str
    regions: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None

    def grant(self, codes: Codes) -> Grant | None:
        """With label ids; None where no code of a kind exists, for which nothing is granted."""
        found = [_ids(codes[kind], self._named(kind)) for kind in LABELS]
        if any(ids is not None and not ids for ids in found):
            return None
        regions, sites, channels = found
        return Grant(role=self.role, regions=regions, sites=sites, channels=channels, accounts=None)

    def _named(self, kind: str) -> tuple[str, ...] | None:
        return {"region": self.regions, "site": self.sites, "channel": self.channels}[kind]


class Groups:
    """The map of groups in a file; without the file no group means anything."""

    def __init__(self, file: Path, roles: Collection[str] | None = None) -> None:
        """Raises SettingsError naming what is not well formed, or no role of `roles`. Without those, a role that the
        policy in force does not know reads nothing, and the doctor names it."""
        self._file = file
        self._roles = roles
        self._stamp: tuple[int, int] | None = None
        self._map: Mapping[str, tuple[GroupGrant, ...]] = {}
        self._refresh()

    def grants(self, groups: Iterable[str], codes: Codes) -> tuple[Grant, ...]:
        """What some groups give together."""
        try:
            self._refresh()
        except SettingsError as error:
            _log.error("%s; what was read before holds", error)
        granted = (each.grant(codes) for group in dict.fromkeys(groups) for each in self._map.get(group, ()))
        return tuple(dict.fromkeys(grant for grant in granted if grant is not None))

    def roles(self) -> frozenset[str]:
        """Every role that some group gives."""
        return frozenset(each.role for grants in self._map.values() for each in grants)

    def _refresh(self) -> None:
        try:
            state = self._file.stat()
            stamp = state.st_mtime_ns, state.st_size
        except FileNotFoundError:
            self._stamp, self._map = None, {}
            return
        except OSError as error:
            raise SettingsError(f"the map of groups {str(self._file)!r} can't be read: {error.strerror}") from error
        if stamp == self._stamp:
            return
        self._stamp = stamp  # a file with a fault is told of once, not at every question
        self._map = read_groups(self._file, self._roles)


def read_groups(file: Path, roles: Collection[str] | None) -> Mapping[str, tuple[GroupGrant, ...]]:
    """Group -> what it gives. Raises SettingsError naming the place and the value that is wrong."""
    try:
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"the map of groups {str(file)!r} is no YAML: {error}") from error
    given = cast("Any", body).get("groups") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise SettingsError(f"the map of groups {str(file)!r} needs `groups:` with a role for each")
    groups = cast("dict[Any, Any]", given)
    return {str(name): _grants(f"{file.name}: {name}", each, roles) for name, each in groups.items()}


def _grants(place: str, given: Any, roles: Collection[str] | None) -> tuple[GroupGrant, ...]:
    several = cast("list[Any]", given) if isinstance(given, list) else [given]
    return tuple(_one(place, each, roles) for each in several)


def _one(place: str, given: Any, roles: Collection[str] | None) -> GroupGrant:
    if not isinstance(given, dict):
        raise SettingsError(f"{place} must be {{role: …}}, not {given!r}")
    body = cast("dict[str, Any]", given)
    unknown = sorted(set(body) - {"role", *(f"{kind}s" for kind in LABELS)})
    if unknown:
        raise SettingsError(f"{place} has {unknown[0]!r}; there is: role, regions, sites, channels")
    role = body.get("role")
    if roles is not None and role not in roles:
        raise SettingsError(f"{place} has the role {role!r}; there are: {', '.join(sorted(roles))}")
    if not isinstance(role, str) or not role:
        raise SettingsError(f"{place} has the role {role!r}; it must be the name of a role")
    regions, sites, channels = (_codes(place, f"{kind}s", body.get(f"{kind}s")) for kind in LABELS)
    return GroupGrant(role=role, regions=regions, sites=sites, channels=channels)


def _codes(place: str, name: str, given: Any) -> tuple[str, ...] | None:
    """A list of codes; an empty one is refused, for it could be read as "all" and as "none"."""
    if given is None:
        return None
    codes = cast("list[Any]", given) if isinstance(given, list) else []
    if not codes or not all(isinstance(code, str) for code in codes):
        raise SettingsError(f"{place} has {name} {given!r}; it must be a list of codes, or left out for all")
    return tuple(map(str, codes))


def _ids(codes: Mapping[str, int], named: tuple[str, ...] | None) -> frozenset[int] | None:
    return None if named is None else frozenset(codes[code] for code in named if code in codes)
