"""Scope: what a person's grants show, what two readers share, and what the row policies are told."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from copilot.domain.reach import DIMENSIONS
from copilot.domain.scope import EMPTY_SCOPE, SPREAD, UNLABELLED, Labels, Reach, Scope
from copilot.store.audit_entry import audited_scope

Row = tuple[str, tuple[int, int, int, int]]
_NAMES = ("item", "sales", "sales_price", "stock", "contact")
_CLASSES = st.frozensets(st.sampled_from(_NAMES))
_LABELS: st.SearchStrategy[Labels] = st.none() | st.frozensets(st.integers(1, 4))
_ONLY = st.frozensets(st.sampled_from(DIMENSIONS), max_size=2)
_REACHES = st.builds(
    Reach, classes=_CLASSES, regions=_LABELS, sites=_LABELS, channels=_LABELS, accounts=_LABELS, only=_ONLY
)
_SUMS = st.lists(_REACHES, max_size=4)
_SCOPES = st.builds(Scope, _SUMS.map(tuple))
_LABEL = st.integers(SPREAD, 5)  # 5 is named by nobody
_ROW: st.SearchStrategy[Row] = st.tuples(st.sampled_from(_NAMES), st.tuples(_LABEL, _LABEL, _LABEL, _LABEL))
_EVERYTHING = Scope((Reach(classes=frozenset(_NAMES), regions=None, sites=None, channels=None, accounts=None),))


def _shows(reaches: list[Reach] | tuple[Reach, ...], row: Row) -> bool:
    """What a sum of products means, row by row."""
    record_class, labels = row
    return any(
        record_class in reach.classes
        and all(
            ids is None or (label == UNLABELLED and name not in reach.only) or (label > UNLABELLED and label in ids)
            for name, ids, label in zip(
                DIMENSIONS, (reach.regions, reach.sites, reach.channels, reach.accounts), labels, strict=True
            )
        )
        for reach in reaches
    )


@given(_SUMS, _ROW)
def test_the_one_form_shows_the_rows_that_the_products_show(reaches: list[Reach], row: Row) -> None:
    scope = Scope(tuple(reaches))
    assert _shows(scope.reaches, row) == _shows(reaches, row) == scope.sees(*row)


@given(_SCOPES, _SCOPES, _ROW)
def test_a_person_sees_exactly_the_rows_that_one_of_their_grants_shows(a: Scope, b: Scope, row: Row) -> None:
    assert (a | b).sees(*row) == (a.sees(*row) or b.sees(*row))


@given(_SCOPES, _SCOPES, _ROW)
def test_a_room_sees_exactly_the_rows_that_each_of_its_readers_sees(a: Scope, b: Scope, row: Row) -> None:
    assert (a & b).sees(*row) == (a.sees(*row) and b.sees(*row))


@given(_SCOPES, _SCOPES, _SCOPES)
def test_scopes_that_show_the_same_are_equal_however_they_came_about(a: Scope, b: Scope, c: Scope) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)
    assert a | a == a & a == a | (a & b) == a & (a | b) == a


@given(_SUMS, st.randoms())
def test_the_one_form_does_not_depend_on_the_order_or_on_what_is_said_twice(reaches: list[Reach], random) -> None:
    mixed = [*reaches, *reaches[:1]]
    random.shuffle(mixed)
    assert Scope(tuple(mixed)) == Scope(tuple(reaches))
    assert hash(Scope(tuple(mixed))) == hash(Scope(tuple(reaches)))


def _of_items(regions: Labels, sites: Labels, channels: Labels, accounts: Labels, *only: str) -> Reach:
    return Reach(
        classes=frozenset({"item"}), regions=regions, sites=sites, channels=channels, accounts=accounts,
        only=frozenset(only),
    )  # fmt: skip


_NONE, _ONE = frozenset[int](), frozenset({1})


@example(  # what reaches everywhere stood in the form twice: once more for rows of no region
    [
        _of_items(None, _ONE, None, _NONE),
        _of_items(_ONE, _ONE, _NONE, None, "sites"),
        _of_items(_NONE, None, _NONE, None),
    ]
)
@given(_SUMS)
def test_every_class_is_in_one_group_and_no_product_lies_in_another(reaches: list[Reach]) -> None:
    scope = Scope(tuple(reaches))
    groups = {reach.classes for reach in scope.reaches}
    assert sum(map(len, groups)) == len(scope.classes)
    assert all(a == b or Scope((a, b)) != Scope((b,)) for a in scope.reaches for b in scope.reaches)


@given(_SCOPES)
def test_everything_changes_no_room_and_the_empty_scope_no_person(a: Scope) -> None:
    assert a & _EVERYTHING == a
    assert a | EMPTY_SCOPE == a
    assert a & EMPTY_SCOPE == EMPTY_SCOPE
    assert bool(a) == bool(a.classes)


@given(_SCOPES, st.sampled_from(_NAMES), _ROW)
def test_taking_a_class_away_takes_only_that_class_away(a: Scope, name: str, row: Row) -> None:
    less = a.without(name)
    assert not less.allows(name)
    assert less.classes == a.classes - {name}
    assert less.sees(*row) == (row[0] != name and a.sees(*row))


@given(_SCOPES, _CLASSES, _ROW)
def test_classes_together_are_seen_where_all_of_them_are(a: Scope, classes: frozenset[str], row: Row) -> None:
    record_class, labels = row
    needed = classes if record_class in classes else {record_class}
    assert a.together(classes).sees(*row) == all(a.sees(each, labels) for each in needed)
    if not a.differs(classes) and classes <= a.classes:
        assert a.together(classes) == a


@given(_SCOPES)
def test_a_scope_comes_back_from_its_audit_row(a: Scope) -> None:
    assert Scope.from_json(a.to_json()) == audited_scope({"scope": a.to_json()}) == a


def test_rows_audited_before_scopes_were_sums_are_read_too() -> None:
    labels = {"regions": [3], "sites": None, "channels": [], "accounts": None}
    reach = Reach(classes=frozenset({"item", "sales"}), regions=frozenset({3}), sites=None, accounts=None)
    assert audited_scope({"labels": labels, "classes": ["item", "sales"]}) == Scope((reach,))


def test_products_that_differ_in_one_dimension_or_in_classes_alone_become_one() -> None:
    here = Reach(classes=frozenset({"sales"}), regions=frozenset({1}), sites=None, channels=None, accounts=None)
    there = Reach(classes=frozenset({"sales"}), regions=frozenset({2}), sites=None, channels=None, accounts=None)
    stock = Reach(classes=frozenset({"stock"}), regions=frozenset({1, 2}), sites=None, channels=None, accounts=None)
    (one,) = Scope((here, there, stock)).reaches
    assert (one.classes, one.regions) == ({"sales", "stock"}, {1, 2})


def test_a_label_that_is_no_id_names_nothing() -> None:
    odd = Reach(classes=frozenset({"stock"}), regions=frozenset({SPREAD, UNLABELLED, 2}), sites=None, channels=None)
    (kept,) = Scope((odd,)).reaches
    assert kept.regions == {2}
    assert not Scope((odd,)).sees("stock", (SPREAD, 0, 0, 0))


def _lines(*lines: str, first: str) -> str:
    """A setting of one group; its first product is also that of the empty class."""
    return "\n".join(("", *lines, "may_=0", f"reach_0={first}", f"reach_1={first}", ""))


def test_rows_of_no_particular_region_may_be_left_out() -> None:
    here = Reach(classes=frozenset({"sales"}), regions=frozenset({1}), sites=None, channels=None, accounts=None)
    bare = replace(here, only=frozenset({"regions"}))
    assert Scope((bare,)).sees("sales", (1, 1, 1, 1))
    assert not Scope((bare,)).sees("sales", (UNLABELLED, 1, 1, 1))
    assert Scope((bare,)).settings["scope"] == _lines("may_sales=1", "classes=sales", first="{1};*;*;*")
    assert Scope((bare, here)) == Scope((here,))
    assert Scope((bare,)) & Scope((replace(bare, regions=frozenset({2})),)) == EMPTY_SCOPE


def test_no_label_is_not_every_label() -> None:
    scope = Scope((Reach(classes=frozenset({"sales"}), sites=None, channels=None, accounts=None),))
    assert scope.settings["scope"] == _lines("may_sales=1", "classes=sales", first="{0};*;*;*")
    assert not scope.sees("sales", (1, 1, 1, 1))
    assert scope.sees("sales", (UNLABELLED, 1, 1, 1))


def test_settings_list_classes_and_labels_in_a_stable_order() -> None:
    scope = Scope((Reach(classes=frozenset({"stock", "item"}), regions=frozenset({10, 9}), sites=None),))
    assert scope.settings == {
        "classes": "item,stock",
        "scope": _lines("may_item=1", "may_stock=1", "classes=item,stock", first="{0,9,10};*;{0};{0}"),
    }
    assert EMPTY_SCOPE.settings == {"classes": "", "scope": "\n"}


def test_settings_name_every_product_of_every_class() -> None:
    us = Reach(classes=frozenset({"sales", "price"}), regions=frozenset({3}), sites=None, channels=None, accounts=None)
    ham = Reach(classes=frozenset({"sales"}), regions=None, sites=frozenset({7}), channels=None, accounts=None)
    assert Scope((us, ham)).settings["scope"].strip().split("\n") == [
        "may_price=1",
        "classes=price",
        "may_=0",
        "reach_0={0,3};*;*;*",
        "reach_1={0,3};*;*;*",
        "may_sales=2",
        "reach_2=*;{0,7};*;*",
        "more_2={0,3};*;*;*",
        "more_0=*;{0,7};*;*;{sales}|{0,3};*;*;*;{sales}",
    ]
