"""What one message looks up is looked up once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from copilot.semantic.model import load_model
from copilot.understanding.lookup import Lookup
from copilot.understanding.name_words import known, whole_names
from copilot.understanding.planner import plan_question


class Names:
    """A connection to a database in which some words stand in names; notes what it is asked."""

    def __init__(self, words: Collection[str] = ()) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._words = words

    async def execute(self, statement: object, values: Mapping[str, Any], *, prepare: bool) -> Names:
        assert prepare, statement
        self.asked.append(values)
        return self

    async def fetchall(self) -> list[dict[str, Any]]:
        words = self.asked[-1].get("words", ())
        return [{"word": word} for word in words if word in self._words]


def lookup_of(names: Names) -> Lookup:
    return Lookup(connection=cast(Any, names), model=load_model(), now=datetime(2026, 11, 20, tzinfo=UTC))


async def test_only_words_that_are_new_are_asked_for() -> None:
    names = Names({"acme", "fabrication"})
    lookup = lookup_of(names)
    assert await known(lookup, ["acme", "late"]) == {"acme"}
    assert await known(lookup, ["late", "acme", "fabrication"]) == {"acme", "fabrication"}
    assert await known(lookup, ["fabrication", "late"]) == {"fabrication"}
    assert [list(values["words"]) for values in names.asked] == [["acme", "late"], ["fabrication"]]


async def test_the_same_statement_is_run_once_in_whatever_order_it_is_asked() -> None:
    names = Names()
    lookup = lookup_of(names)
    for words in (["acme", "late"], ["late", "acme"]):
        await lookup.rows("find_numbers", words=words, bare=())
    await lookup.rows("find_numbers", words=["acme"], bare=())
    assert len(names.asked) == 2


async def test_nothing_is_kept_from_one_message_to_the_next() -> None:
    names = Names({"acme"})
    assert await known(lookup_of(names), ["acme"]) == {"acme"}
    hidden = Names()
    assert await known(lookup_of(hidden), ["acme"]) == set()
    assert len(hidden.asked) == 1


async def test_nothing_to_look_up_is_not_asked() -> None:
    names = Names()
    lookup = lookup_of(names)
    assert await whole_names(lookup, []) == {}
    assert await known(lookup, []) == set()
    assert names.asked == []


async def test_a_question_asked_again_in_a_message_costs_nothing_more() -> None:
    names = Names()
    lookup = lookup_of(names)
    first = await plan_question(lookup, "where is the order of Acme Fabrication")
    count = len(names.asked)
    assert count
    assert await plan_question(lookup, "where is the order of Acme Fabrication") == first
    assert len(names.asked) == count
