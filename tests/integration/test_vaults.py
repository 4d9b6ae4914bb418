"""Vaults: sealed for one person and one day, never read by anybody else, gone when either key is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from copilot.domain.clock import fixed_clock
from copilot.store.sealing import KeyErasedError, KeyRing
from copilot.store.vaults import KeptVault, Vaults
from tests.integration.audit_support import NOW, Site

pytest_plugins = ("tests.integration.audit_fixtures",)

ANNA = "Anna Meyer"


async def kept(site: Site, conversation: str, *, subject: str = "rep.us", days: int = 0) -> Vaults:
    """A vault with one value in it."""
    vaults = Vaults(site.database(), site.home, fixed_clock(NOW + timedelta(days=days)))
    vault = KeptVault()
    vault.vault.token("PERSON", ANNA, (("customer_contact.name", (("customer_contact.name", 4),)),))
    assert await vaults.keep(subject, conversation, vault)
    return vaults


def values(vault: KeptVault) -> list[str]:
    return [each.value for each in vault.vault.kept.values()]


async def test_a_vault_comes_back_as_it_was_kept(audit_site: Site) -> None:
    conversation = str(uuid4())
    vaults = await kept(audit_site, conversation)
    found = (await vaults.read("rep.us", [conversation, str(uuid4())]))[conversation]
    assert values(found) == [ANNA]
    assert found.vault.kept["<PERSON_1>"].origins == (("customer_contact.name", (("customer_contact.name", 4),)),)
    assert found.revision == 1


async def test_nobody_else_reads_it(audit_site: Site) -> None:
    conversation = str(uuid4())
    vaults = await kept(audit_site, conversation)
    assert await vaults.read("rep.de", [conversation]) == {}
    assert not await vaults.keep("rep.de", conversation, KeptVault())
    with psycopg.connect(audit_site.superuser_dsn) as owner:
        owner.execute("update state.vault set subject = 'rep.de'")
        (stored,) = owner.execute("select row_to_json(v)::text from state.vault v").fetchone() or ("",)
    assert values((await vaults.read("rep.de", [conversation]))[conversation]) == []
    assert "Anna" not in stored
    assert "PERSON" not in stored


async def test_a_vault_moved_to_another_conversation_or_set_back_is_none(audit_site: Site) -> None:
    conversation, other = str(uuid4()), str(uuid4())
    vaults = await kept(audit_site, conversation)
    with psycopg.connect(audit_site.superuser_dsn) as owner:
        owner.execute("update state.vault set conversation_id = %s where conversation_id = %s", [other, conversation])
    assert values((await vaults.read("rep.us", [other]))[other]) == []
    with psycopg.connect(audit_site.superuser_dsn) as owner:
        owner.execute(
            "update state.vault set conversation_id = %s, revision = 9 where conversation_id = %s",
            [conversation, other],
        )
    assert values((await vaults.read("rep.us", [conversation]))[conversation]) == []


async def test_of_two_that_keep_at_once_one_is_told(audit_site: Site) -> None:
    conversation = str(uuid4())
    vaults = await kept(audit_site, conversation)
    read = [(await vaults.read("rep.us", [conversation]))[conversation] for _ in range(2)]
    for number, vault in enumerate(read):
        vault.vault.token("PERSON", f"Bo {number}")
    done = await asyncio.gather(*(vaults.keep("rep.us", conversation, vault) for vault in read))
    assert sorted(done) == [False, True]


@pytest.mark.parametrize("way", ["erased", "expired"])
async def test_without_either_key_no_value_is_left_and_no_token_given_twice(audit_site: Site, way: str) -> None:
    conversation = str(uuid4())
    vaults = await kept(audit_site, conversation)
    with psycopg.connect(audit_site.superuser_dsn) as owner:  # a conversation that goes on
        owner.execute(
            "insert into state.conversation values (%s, 'rep.us', 'web', '', now(), now(), 0)", [conversation]
        )
    if way == "erased":
        ring = KeyRing(audit_site.home)
        assert ring.erase_person(ring.pseudonym("rep.us"))
        assert values((await vaults.read("rep.us", [conversation]))[conversation]) == []
        with pytest.raises(KeyErasedError):
            await vaults.keep("rep.us", conversation, KeptVault())
        ring.let_in_again("rep.us")
    else:
        later = Vaults(audit_site.database(), audit_site.home, fixed_clock(NOW + timedelta(days=31)))
        assert await later.expire(timedelta(days=31)) == 0
        assert await later.expire(timedelta(days=30)) == 1
    found = (await vaults.read("rep.us", [conversation]))[conversation]
    assert values(found) == []
    assert found.vault.unmask("<PERSON_1>").text == "<PERSON_1>"
    assert found.vault.token("PERSON", "Bo Li") == "<PERSON_2>"
    assert await vaults.keep("rep.us", conversation, found)
    again = (await vaults.read("rep.us", [conversation]))[conversation]
    assert values(again) == ["Bo Li"]
    assert again.vault.unmask("<PERSON_1> <PERSON_2>").text == "<PERSON_1> Bo Li"


async def test_the_key_changes_with_the_day(audit_site: Site) -> None:
    conversation = str(uuid4())
    vaults = await kept(audit_site, conversation)
    today = (await vaults.read("rep.us", [conversation]))[conversation]
    tomorrow = Vaults(audit_site.database(), audit_site.home, fixed_clock(NOW + timedelta(days=1)))
    assert today.day == vaults.day != tomorrow.day
    assert await tomorrow.keep("rep.us", conversation, today)
    assert (await tomorrow.read("rep.us", [conversation]))[conversation].day == tomorrow.day
    assert await tomorrow.expire(timedelta(days=0)) == 1
    assert values((await tomorrow.read("rep.us", [conversation]))[conversation]) == [ANNA]
