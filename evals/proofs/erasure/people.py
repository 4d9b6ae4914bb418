"""People who use the copilot and leave words of their own in every place where something is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from copilot.domain.question import SessionSubject
from copilot.domain.scope import EMPTY_SCOPE
from copilot.domain.session import Account, Entrusted, Vouched
from copilot.errors import CopilotError, SignInError
from copilot.store.audit_entry import AuditEntry, PolicyDecision
from copilot.store.conversations import Turn, new_conversation
from copilot.store.directory_changes import NewGrant
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing
from copilot.store.sessions import Sessions
from copilot.store.vaults import KeptVault, Vaults
from copilot.wiring import Runtime
from copilot.wiring.directory import changes
from evals.company import ask
from redaction.vault import Kept, Vault

PLACES = (
    "name", "surname", "question", "answer", "title", "turn", "plan", "vault", "comment", "complaint", "note",
    "account", "token", "mail", "host",
)  # fmt: skip
"""Where a person leaves a word that nobody else has. Their name and their mail address are in questions really asked,
where they are masked; the others stand in the clear wherever something is kept, as though nothing had masked them."""
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is, and their word in each place."""

    subject: str
    words: Mapping[str, str]
    asked: list[str] = field(default_factory=list[str])
    """The conversations they really had."""

    @property
    def mail(self) -> str:
        return f"{self.words['mail']}@{self.words['host']}.com"

    @property
    def name(self) -> str:
        return f"{self.words['name'].title()} {self.words['surname'].title()}"


def drawn(random: Random, count: int) -> Sequence[Person]:
    """So many people, no word of whom is another's, or in another."""
    taken: set[str] = set()

    def word() -> str:
        while True:
            made = "".join(random.choices(_SYLLABLES, k=5))
            if made not in taken:
                taken.add(made)
                return made

    return [Person(f"p{number:03}", {place: word() for place in PLACES}) for number in range(count)]


async def join(runtime: Runtime, people: Sequence[Person]) -> None:
    """They are let in, and come through a provider once."""
    by = changes(runtime, "op")
    sessions = Sessions(runtime.database, KeyRing(runtime.settings.home), runtime.clock)
    now = runtime.clock()
    for person in people:
        grant = NewGrant(role="planner", first=now - timedelta(days=1))
        await by.add_person(person.subject, person.name, home=None, local=True, grant=grant)
        account = Account("https://provider.example", person.words["account"])
        vouched = Vouched(account=account, subject=person.subject, name=person.name, groups=("all",), at=now)
        entrusted = Entrusted(refresh=person.words["token"], id_token=None)
        await sessions.start(account, await sessions.vouch(vouched), None, entrusted, timedelta(hours=8))


async def use(runtime: Runtime, person: Person) -> None:
    """Ask, rate and complain, really; and leave a conversation with the words in the clear."""
    answer = await ask(runtime, person.subject, f"this is {person.name}, {person.mail}, where is SO-10000?")
    person.asked.append(answer.conversation)
    await runtime.rate(person.subject, answer.audit_id, helpful=True, comment="thanks")
    await ask(runtime, person.subject, f"that is wrong, says {person.name}", answer.conversation)
    await _in_the_clear(runtime, person)


async def _in_the_clear(runtime: Runtime, person: Person) -> None:
    """What is kept where nothing was masked, which is worse than it can come."""
    words, conversation = person.words, new_conversation()
    decision = PolicyDecision(subject=person.subject, roles=(), scope=EMPTY_SCOPE, version="1", outcome="allowed")
    entry = AuditEntry(
        subject=person.subject, channel="web", conversation=conversation, masked_question="<TEXT_1>", kind=None,
        plan=None, records=(), verdict="declined", reason=None, engine="rules", claims=(), policy=decision,
        elapsed_ms=1, question=words["question"], answer={"answer": f"no {words['answer']}"},
    )  # fmt: skip
    receipt = await runtime.audit.append(entry)
    vaults = Vaults(runtime.database, runtime.settings.home, runtime.clock)
    await vaults.keep(person.subject, conversation, KeptVault(Vault({"<TEXT_1>": Kept(words["vault"])})))
    for question in (words["title"], words["turn"]):
        await runtime.kept.append(
            Turn(
                subject=person.subject, conversation=conversation, channel="web", question=question,
                plan={"of": words["plan"]}, verdict="declined", reason=None, audit_id=receipt.audit_id,
            )
        )  # fmt: skip
    await runtime.kept.rate(person.subject, receipt.audit_id, helpful=False, comment=words["comment"])
    number = await runtime.reviews.open(person.subject, conversation, receipt.audit_id, words["complaint"])
    await runtime.reviews.close(number or 0, by="kim", note=words["note"])


async def refused(runtime: Runtime, person: Person) -> bool:
    """Whether somebody's next question is refused, with nothing of it kept."""
    before = await _rows(runtime)
    try:
        await ask(runtime, person.subject, f"and {person.words['question']}?")
    except SignInError:
        return await _rows(runtime) == before
    except CopilotError:  # something else was in the way: they had come in
        return False
    return False


async def comes_in(runtime: Runtime, person: Person) -> bool:
    """Whether somebody is let in."""
    try:
        await runtime.asking.authenticate(SessionSubject(person.subject))
    except SignInError:
        return False
    return True


async def _rows(runtime: Runtime) -> int:
    async with runtime.database.connection(Role.AUDITOR) as connection:
        row = await (await connection.execute("select count(*) as rows from audit.entry")).fetchone()
    return int(row["rows"]) if row else 0
