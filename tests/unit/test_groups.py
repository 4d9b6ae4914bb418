"""The map of a provider's groups: what it gives, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from copilot.domain.principal import Grant
from copilot.errors import SettingsError
from copilot.identity.groups import Groups

CODES = {"region": {"US": 3, "DE": 1}, "site": {"HAM": 5}, "channel": {}}
ROLES = ("planner", "customer_service")


def groups(tmp_path: Path, text: str) -> Groups:
    file = tmp_path / "groups.yaml"
    file.write_text(text)
    return Groups(file, ROLES)


def grant(role: str, regions: set[int] | None = None, sites: set[int] | None = None) -> Grant:
    return Grant(
        role=role, regions=None if regions is None else frozenset(regions),
        sites=None if sites is None else frozenset(sites), channels=None, accounts=None,
    )  # fmt: skip


def test_groups_give_what_the_file_says_and_unknown_ones_nothing(tmp_path: Path) -> None:
    known = groups(tmp_path, "groups:\n  a: {role: planner}\n  b: [{role: customer_service, regions: [US, DE]}]\n")
    assert known.grants(["b", "x", "b", "a"], CODES) == (grant("customer_service", {1, 3}), grant("planner"))
    assert known.grants(["x"], CODES) == ()


def test_a_label_that_does_not_exist_gives_nothing_rather_than_all(tmp_path: Path) -> None:
    known = groups(tmp_path, "groups: {a: {role: planner, regions: [XX]}, b: {role: planner, sites: [HAM, YY]}}")
    assert known.grants(["a"], CODES) == ()
    assert known.grants(["b"], CODES) == (grant("planner", sites={5}),)


def test_without_a_file_no_group_means_anything(tmp_path: Path) -> None:
    assert Groups(tmp_path / "none.yaml", ROLES).grants(["a"], CODES) == ()


def test_a_changed_file_is_read_again_and_a_broken_one_leaves_what_was(tmp_path: Path) -> None:
    known = groups(tmp_path, "groups: {a: {role: planner}}")
    file = tmp_path / "groups.yaml"
    file.write_text("groups: {a: {role: no such role}}")
    os.utime(file, ns=(1, 1))
    assert known.grants(["a"], CODES) == (grant("planner"),)
    file.write_text("groups: {a: {role: customer_service}}")
    assert known.grants(["a"], CODES) == (grant("customer_service"),)
    file.unlink()
    assert known.grants(["a"], CODES) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groups: {a: {role: king}}", "'king'"),
        ("groups: {a: {role: planner, region: US}}", "'region'"),
        ("groups: {a: {role: planner, regions: []}}", r"\[\]"),
        ("groups: {a: {role: planner, regions: US}}", "'US'"),
        ("groups: {a: planner}", "'planner'"),
        ("a: {role: planner}", "groups:"),
        ("groups: [", "no YAML"),
    ],
)
def test_what_is_not_well_formed_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        groups(tmp_path, text)
