"""Scope: what two readers share, and what the row policies are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.scope import EMPTY_SCOPE, UNLABELLED, Labels, Scope

_CLASSES = st.frozensets(st.sampled_from(["item", "sales", "sales_price", "stock", "contact"]))
_LABELS: st.SearchStrategy[Labels] = st.none() | st.frozensets(st.integers(1, 6))
_SCOPES = st.builds(Scope, classes=_CLASSES, regions=_LABELS, sites=_LABELS, channels=_LABELS, accounts=_LABELS)
_EVERYTHING = Scope(
    classes=frozenset({"item", "sales", "sales_price", "stock", "contact"}),
    regions=None,
    sites=None,
    channels=None,
    accounts=None,
)


def _sees(scope: Scope, record_class: str, labels: tuple[int, int, int, int]) -> bool:
    """The row policy of 0001_foundation.sql, over the settings."""
    settings = scope.settings()
    lists = [settings[f"copilot.{name}"] for name in ("regions", "sites", "channels", "accounts")]
    return record_class in settings["copilot.classes"].split(",") and all(
        allowed == "*" or str(label) in allowed.split(",") for allowed, label in zip(lists, labels, strict=True)
    )


_ROW = st.tuples(
    st.sampled_from(["item", "sales", "contact"]),
    st.tuples(*[st.integers(0, 6)] * 4),  # 0 is of no particular one
)


@given(_SCOPES, _SCOPES, _ROW)
def test_a_room_sees_exactly_the_rows_that_each_of_its_readers_sees(a: Scope, b: Scope, row: tuple) -> None:
    assert _sees(a & b, *row) == (_sees(a, *row) and _sees(b, *row))


@given(_SCOPES, _SCOPES, _SCOPES)
def test_intersection_does_not_depend_on_order_or_grouping(a: Scope, b: Scope, c: Scope) -> None:
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)
    assert a & a == a


@given(_SCOPES)
def test_everything_changes_no_scope_and_the_empty_one_empties_it(a: Scope) -> None:
    assert a & _EVERYTHING == a
    assert not a & EMPTY_SCOPE


@given(_SCOPES, st.sampled_from(["item", "sales"]))
def test_taking_a_class_away_takes_only_that_class_away(a: Scope, name: str) -> None:
    less = a.without(name)
    assert not less.allows(name)
    assert less.classes == a.classes - {name}
    assert (less.regions, less.sites, less.channels, less.accounts) == (a.regions, a.sites, a.channels, a.accounts)


@given(_ROW)
def test_the_empty_scope_sees_no_row_whatever_its_labels(row: tuple) -> None:
    assert not _sees(EMPTY_SCOPE, *row)
    assert not EMPTY_SCOPE


def test_no_label_is_not_every_label() -> None:
    scope = Scope(classes=frozenset({"sales"}), regions=frozenset(), sites=None, channels=None, accounts=None)
    assert scope.settings()["copilot.regions"] == str(UNLABELLED)
    assert not _sees(scope, "sales", (1, 1, 1, 1))
    assert _sees(scope, "sales", (UNLABELLED, 1, 1, 1))


def test_settings_list_classes_and_labels_in_a_stable_order() -> None:
    scope = Scope(classes=frozenset({"stock", "item"}), regions=frozenset({10, 9}), sites=None)
    assert scope.settings() == {
        "copilot.classes": "item,stock",
        "copilot.regions": "0,9,10",
        "copilot.sites": "*",
        "copilot.channels": "0",
        "copilot.accounts": "0",
    }
