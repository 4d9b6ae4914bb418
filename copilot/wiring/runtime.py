"""Builds the running copilot from the settings and takes it down again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from copilot.answering.decide import Decider
from copilot.ask import Asking
from copilot.domain.answer import Answer
from copilot.domain.clock import Clock, system_clock
from copilot.domain.evidence import Evidence
from copilot.domain.health import Health
from copilot.domain.plan import Plan
from copilot.domain.question import (
    Channel,
    ConversationView,
    Credential,
    DemoPerson,
    Question,
    SessionSubject,
    TurnView,
)
from copilot.domain.redaction import Audience, RedactionTrial
from copilot.errors import (
    CopilotError,
    NoAccessError,
    SettingsError,
    SignInError,
)
from copilot.identity.authenticate import Authenticator
from copilot.identity.groups import Groups
from copilot.identity.tokens import LocalTokens
from copilot.ingest import Ingest
from copilot.masking.company import Company
from copilot.masking.logs import masked_logs
from copilot.masking.pseudonyms import Pseudonyms
from copilot.masking.trial import tried
from copilot.policy.policy import closed_policy, scope_for
from copilot.retrieval.disagreements import Disagreement, disagreements
from copilot.semantic.language import Language, find_language, speaking
from copilot.semantic.model import load_model
from copilot.settings import Settings
from copilot.store.audit import AuditLog
from copilot.store.conversations import MAX_TITLE, Conversations
from copilot.store.directory import Directory
from copilot.store.enforcement import prove_enforcement
from copilot.store.known import KnownValues
from copilot.store.model_use import ModelUse
from copilot.store.pool import Database
from copilot.store.refusals import Refusals
from copilot.store.reviews import Reviews
from copilot.store.roles import Role
from copilot.store.secrets import Secrets
from copilot.store.vaults import Vaults
from copilot.wiring.first_questions import FirstQuestions
from copilot.wiring.models import help_of, set_up
from copilot.wiring.opening import Progress, govern, open_database
from copilot.wiring.policy_in_force import PolicyInForce
from copilot.wiring.prompts_in_force import ApprovedPrompts
from copilot.wiring.sources import Sources
from copilot.wiring.telemetry import measured, traced
from copilot.wiring.templates_in_force import TemplatesInForce
from redaction.contexts import ContextFinder
from redaction.presidio import ModelMissingError, PresidioFinder
from redaction.redactor import Finder
from redaction.vault import TOKEN

if TYPE_CHECKING:
    from copilot.identity.signon import SignOn
    from copilot.models.pool import Models

_TRIES = "administrator"
"""The role that may try what becomes of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The running copilot: implements `copilot.domain.ports.Copilot` and gives commands its parts."""

    settings: Settings
    language: Language
    clock: Clock
    database: Database
    ingest: Ingest
    sources: Sources
    secrets: Secrets
    directory: Directory
    asking: Asking
    """What answers questions; policy and templates are those of no moment in particular: `line` has those in force."""
    policy: PolicyInForce
    prompts: ApprovedPrompts
    sentences: TemplatesInForce
    first: FirstQuestions
    audit: AuditLog
    kept: Conversations
    reviews: Reviews
    models: Models | None
    """The models that may help; None where none is set up."""
    model_use: ModelUse
    tokens: LocalTokens
    sign_on: SignOn | None
    admin_dsn: str

    async def ask(self, question: Question, credential: Credential) -> Answer:
        """Answer one question; see `copilot.ask`."""
        with speaking(self.language):
            return await (await self.line()).ask(question, credential)

    async def line(self) -> Asking:
        """What answers one question, under the policy and in the words in force now. Raises PolicyNotInForceError."""
        policy, said = await self.policy(), await self.sentences()
        return replace(self.asking, policy=policy, templates=said.templates, shapes=said.shapes, decider=said.decider)

    async def demo_people(self) -> tuple[DemoPerson, ...]:
        """The demo sign-ins; none where the database is not the embedded one, or a provider signs people in."""
        return await self.directory.demo_people(self.clock()) if self.settings.embedded and self.sign_on is None else ()

    async def person_name(self, credential: SessionSubject) -> str:
        """The name of whoever is signed in."""
        return (await self.asking.authenticate(credential)).name

    async def refused(self, channel: Channel, fault: str, sender: str) -> None:
        """Put a refused sign-in or token on record."""
        await self.asking.refusals.put(channel, fault, sender)

    async def first_questions(self, credential: SessionSubject) -> tuple[tuple[str, str], ...]:
        """Questions to begin with for whoever is signed in."""
        return await self.first(await self.line(), credential)

    async def conversations(self, subject: str) -> tuple[ConversationView, ...]:
        """A person's kept conversations, newest first."""
        views = await self.kept.owned(subject)
        titles = await self._shown(subject, [(view.id, view.title) for view in views])
        return tuple(replace(view, title=title[:MAX_TITLE]) for view, title in zip(views, titles, strict=True))

    async def turns(self, subject: str, conversation: str) -> tuple[TurnView, ...]:
        """The turns of one's own conversation."""
        views = [turn.view() for turn in await self.kept.turns(subject, conversation)]
        questions = await self._shown(subject, [(conversation, view.question) for view in views])
        return tuple(replace(view, question=question) for view, question in zip(views, questions, strict=True))

    async def _shown(self, subject: str, texts: Sequence[tuple[str, str]]) -> Sequence[str]:
        """Masked texts of a person's conversations as they may be shown to them today."""
        if not any(TOKEN.search(text) for _, text in texts):
            return [text for _, text in texts]
        line = await self.line()
        scope = scope_for(await line.authenticate(SessionSubject(subject)), line.policy)
        return [each.text for each in await line.pseudonyms.shown(subject, scope, texts)]

    async def reopen(self, credential: SessionSubject, conversation: str, position: int) -> Answer:
        """Answer a kept turn again. Raises SignInError where there is no such turn of this person's."""
        with speaking(self.language):
            answer = await (await self.line()).again(credential, conversation, position)
        if answer is None:
            raise SignInError("there is no such conversation")
        return answer

    async def forget(self, subject: str, conversation: str) -> None:
        """Delete one's own conversation."""
        await self.kept.forget(subject, conversation)

    async def rate(self, subject: str, audit_id: str, *, helpful: bool, comment: str) -> None:
        """Keep a person's judgement of an answer."""
        masked = await self.asking.pseudonyms.removed(comment)
        await self.kept.rate(subject, audit_id, helpful=helpful, comment=masked)

    async def try_redaction(self, credential: SessionSubject, text: str, audience: Audience) -> RedactionTrial:
        """What an audience would get of a text. Raises NoAccessError for all but administrators: it tells which names
        the records know."""
        line = await self.line()
        principal = await line.authenticate(credential)
        if _TRIES not in principal.roles:
            raise NoAccessError("only administrators may try what is masked")
        return await self.tried(text, audience)

    async def tried(self, text: str, audience: Audience) -> RedactionTrial:
        """What an audience would get of a text, for whoever runs commands here."""
        policy = await self.policy()
        redactor = await self.asking.pseudonyms.company.redactor()
        return tried(text, audience, redactor, self.asking.model, policy)

    async def disagreements(self, subject: str, *, site: str | None = None) -> AsyncGenerator[Disagreement]:
        """Where the systems say different things about stock, in the records that one person may see.

        Raises SignInError for a person who is not known, NoAccessError for one who may not read stock and
        SourceConfigError for a site that is not theirs.
        """
        line = await self.line()
        scope = scope_for(await line.authenticate(SessionSubject(subject)), line.policy)
        if not scope.allows("stock"):
            raise NoAccessError(f"{subject!r} may not read stock")

        def find(plan: Plan) -> Awaitable[Evidence]:
            return line.retrieve(plan, scope, self.clock())

        async for each in disagreements(self.database, scope, find, site=site):
            yield each

    async def health(self) -> Health:
        """What is needed for an answer and how it is, and how the models are."""
        roles = (("database", Role.APP), ("audit", Role.AUDIT_WRITER))
        components = {name: await self._state(role) for name, role in roles}
        return Health(components=components, models=await self.models.states() if self.models else ())

    async def know_values(self) -> None:
        """Read what is to be masked, so that the first question need not wait for it."""
        await self.asking.pseudonyms.company.redactor()

    async def prove_enforcement(self) -> None:
        """Raise UnsafeDatabaseError, which names the table, unless row security holds on this database."""
        classes = {name: entity.record_class for name, entity in self.asking.model.entities.items()}
        await prove_enforcement(self.database, classes)

    async def _state(self, role: Role) -> str:
        try:
            await self.database.ping(role)
        except CopilotError as error:
            return str(error)
        return "ok"

    def token(self, subject: str) -> str:
        """An access token for one person. Raises SettingsError outside the embedded default."""
        if not self.settings.embedded or self.sign_on is not None:
            raise SettingsError("access tokens of our own exist only with the embedded database")
        return self.tokens.issue(subject)

    async def signed_in(self, subject: str) -> SessionSubject:
        """The credential of a local person. Raises SignInError for one who is not known."""
        await self.directory.principal(subject, self.clock())
        return SessionSubject(subject)


@asynccontextmanager
async def open_runtime(
    settings: Settings, *, progress: Progress, clock: Clock = system_clock, linger: bool = False
) -> AsyncGenerator[Runtime]:
    """The running copilot; everything it opened is closed again, its PostgreSQL stopped when nobody else uses it.

    With `linger` the server is left to its watchdog, so that a command that follows finds it warm.
    """
    find_language(settings.language)  # said before anything is started
    async with open_database(settings, progress=progress, linger=linger) as (database, dsn):
        runtime = assemble(settings, database, clock, dsn)
        try:
            logs = masked_logs(lambda: runtime.asking.pseudonyms.company.latest)
            with logs, traced(settings.traces), measured(settings.metrics):
                await runtime.prove_enforcement()
                await runtime.sources.load()
                yield runtime
        finally:
            if runtime.sign_on is not None:
                await runtime.sign_on.client.provider.aclose()
            if runtime.models is not None:
                await runtime.models.aclose()
            await runtime.sources.aclose()
            await runtime.asking.refusals.close()
            await runtime.audit.close()


def assemble(settings: Settings, database: Database, clock: Clock, admin_dsn: str) -> Runtime:
    """The copilot over a database that is ready; whoever calls closes the database, the sources and the audit."""
    language = find_language(settings.language)
    with speaking(language):
        model = load_model()
    governed, tokens = govern(settings, database, clock), LocalTokens(settings.home, clock)
    directory, policy = governed.directory, governed.policy
    ingest, secrets = Ingest(database, model, clock, policy), Secrets(settings.home)
    sources = Sources(database, ingest, model, secrets, clock)
    sign_on, groups = _provided(settings, database, clock)
    local = tokens if settings.embedded and sign_on is None else None
    authenticate = Authenticator(
        directory, clock, tokens=local, provided=sign_on, groups=groups, token_holds=settings.sessions.token_holds
    )
    audit, kept = AuditLog(database, settings.home, clock), Conversations(database, clock)
    sentences = TemplatesInForce(governed.prompts, language, model)
    templates, reviews, known = sentences.shipped, Reviews(database, clock), KnownValues(database)
    pseudonyms = Pseudonyms(
        Company(known, model, _finders(settings)), Vaults(database, settings.home, clock), known, model
    )
    use = ModelUse(database, clock)
    asking = Asking(
        database=database,
        model=model,
        policy=closed_policy(),
        templates=templates,
        shapes=templates,
        decider=Decider(templates, model),
        pseudonyms=pseudonyms,
        audit=audit,
        refusals=Refusals(audit, clock, policy.last_version, most=settings.refusals),
        conversations=kept,
        reviews=reviews,
        authenticate=authenticate,
        linker=sources.link,
        freshener=sources,
        clock=clock,
    )
    models = set_up(settings, use, pseudonyms, policy.last, clock)
    planning, drafting = help_of(models, governed.prompts, asking)
    asking = replace(asking, planning=planning, drafting=drafting)
    return Runtime(
        settings=settings, language=language, clock=clock, database=database, ingest=ingest, sources=sources,
        secrets=secrets, directory=directory, asking=asking, policy=policy,
        prompts=governed.prompts, sentences=sentences, audit=audit, kept=kept, reviews=reviews,
        models=models, model_use=use,
        tokens=tokens, first=FirstQuestions(language, clock), sign_on=sign_on, admin_dsn=admin_dsn,
    )  # fmt: skip


def _provided(settings: Settings, database: Database, clock: Clock) -> tuple[SignOn | None, Groups | None]:
    """Signing on through the provider that is set up, and what its groups mean; nothing where there is none."""
    if settings.oidc is None:
        return None, None
    from copilot.wiring.sign_on import sign_on_through

    sign_on = sign_on_through(settings, settings.oidc, database, clock)
    return sign_on, Groups(settings.oidc.groups_file)


def _finders(settings: Settings) -> Sequence[Finder]:
    """What finds personal data that no record knows."""
    try:
        return ContextFinder(), PresidioFinder(settings.names_model)
    except ModelMissingError as error:
        raise SettingsError(f"COPILOT_NAMES_MODEL: {error}") from error
