"""Kept conversations: one's own and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from copilot.domain.clock import fixed_clock
from copilot.store.conversations import Conversations, Turn, new_conversation
from copilot.store.roles import Role
from tests.integration.audit_support import NOW, Site

pytest_plugins = ("tests.integration.audit_fixtures",)


@pytest.fixture
async def kept(audit_site: Site) -> AsyncIterator[Conversations]:
    """Conversations of a fresh database."""
    database = audit_site.database()
    yield Conversations(database, fixed_clock(NOW))
    await database.close()


def turn(conversation: str, subject: str = "rep.us", question: str = "where is [ORDER_1]?") -> Turn:
    """One turn to keep."""
    return Turn(
        subject=subject,
        conversation=conversation,
        channel="web",
        question=question,
        plan={"kind": "order_status", "ids": [24]},
        verdict="verified",
        reason=None,
        audit_id=str(uuid4()),
    )


async def test_turns_are_kept_in_order_with_their_plans(kept: Conversations) -> None:
    conversation = new_conversation()
    turns = [turn(conversation, question=f"question {number}") for number in range(3)]
    assert [await kept.append(one) for one in turns] == [0, 1, 2]
    found = await kept.turns("rep.us", conversation)
    assert [(one.position, one.question, one.audit_id) for one in found] == [
        (number, one.question, one.audit_id) for number, one in enumerate(turns)
    ]
    assert [one.position for one in await kept.turns("rep.us", conversation, last=2)] == [1, 2]
    first = await kept.turn("rep.us", conversation, 0)
    assert first is not None
    assert first.plan == {"kind": "order_status", "ids": [24]}
    assert first.view().verdict == "verified"


async def test_the_list_is_newest_first_and_titled_by_the_first_question(audit_site: Site) -> None:
    database = audit_site.database()
    old, new = new_conversation(), new_conversation()
    await Conversations(database, fixed_clock(NOW)).append(turn(old, question="x" * 500))
    await Conversations(database, fixed_clock(NOW + timedelta(hours=1))).append(turn(new, question="newer"))
    kept = Conversations(database, fixed_clock(NOW + timedelta(hours=2)))
    assert [(one.id, len(one.title)) for one in await kept.owned("rep.us")] == [(new, 5), (old, 120)]
    await kept.append(turn(old))
    assert [one.id for one in await kept.owned("rep.us")] == [old, new]
    await database.close()


async def test_somebody_elses_is_as_if_it_were_not(kept: Conversations) -> None:
    theirs, unknown = new_conversation(), new_conversation()
    said = turn(theirs, "rep.de")
    await kept.append(said)
    for conversation in (theirs, unknown, "not a uuid", ""):
        assert not await kept.owns("rep.us", conversation)
        assert await kept.turns("rep.us", conversation) == ()
        assert await kept.turn("rep.us", conversation, 0) is None
        assert not await kept.forget("rep.us", conversation)
    assert await kept.append(turn(theirs)) is None
    assert not await kept.rate("rep.us", said.audit_id, helpful=True, comment="")
    assert not await kept.rate("rep.us", str(uuid4()), helpful=True, comment="")
    assert await kept.owned("rep.us") == ()
    assert len(await kept.turns("rep.de", theirs)) == 1
    assert await kept.owns("rep.de", theirs)


async def test_forgetting_takes_turns_and_ratings(kept: Conversations, audit_site: Site) -> None:
    conversation = new_conversation()
    one = turn(conversation)
    await kept.append(one)
    assert await kept.rate("rep.us", one.audit_id, helpful=False, comment="late")
    assert await kept.rate("rep.us", one.audit_id, helpful=True, comment="")
    assert await audit_site.value("select helpful and comment is null from state.feedback")
    assert await kept.forget("rep.us", conversation)
    counts = "select (select count(*) from state.turn) + (select count(*) from state.feedback)"
    assert await audit_site.value(counts) == 0


async def test_turns_at_once_take_their_places(kept: Conversations) -> None:
    conversation = new_conversation()
    places = await asyncio.gather(*(kept.append(turn(conversation)) for _ in range(20)))
    assert sorted(place for place in places if place is not None) == list(range(20))


async def test_odd_text_is_kept_rather_than_refused(kept: Conversations) -> None:
    assert await kept.append(turn(new_conversation(), question="a \x00 b \ud800")) == 0


async def test_the_state_role_reaches_nothing_else(audit_site: Site) -> None:
    async with await psycopg.AsyncConnection.connect(audit_site.dsn(Role.STATE), autocommit=True) as connection:
        for statement in (b"select 1 from audit.entry", b"select 1 from biz.customer", b"select 1 from core.source"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)
