"""`erp-copilot doctor`: tries everything that an answer needs and says what is wrong, in the order to mend it."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from copilot.channels.cli import Command, say
from copilot.errors import CopilotError
from copilot.identity.groups import Groups
from copilot.semantic.language import speaking
from copilot.settings import Settings, read_settings
from copilot.store.audit_verify import verify
from copilot.store.erasure_list import ErasureList
from copilot.store.erasures import faults_of
from copilot.store.roles import Role
from copilot.wiring import Runtime, open_runtime

if TYPE_CHECKING:
    from copilot.domain.model_calls import Attempt
    from copilot.identity.signon import SignOn
    from copilot.models.configured import Served
    from copilot.models.pool import Models

_LITTLE_SPACE = 1_000_000_000


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offline", action="store_true", help="do not reach out to sources, models and the identity provider"
    )


async def _run(options: argparse.Namespace) -> int:
    settings = read_settings()
    print(f"{'data folder':<24}{settings.home} {_space(settings.home)}")
    wrong = 0
    async with open_runtime(settings, progress=say, linger=True) as runtime:
        async for name, fault in _checks(runtime, settings, offline=options.offline):
            wrong += fault is not None
            print(f"{name:<24}{fault or 'ok'}")
    print("all well" if not wrong else f"{wrong} to mend")
    return 1 if wrong else 0


def _space(home: Path) -> str:
    free = shutil.disk_usage(home if home.exists() else home.parent).free
    return f"({free // 1_000_000_000} GB free{', little' if free < _LITTLE_SPACE else ''})"


async def _checks(runtime: Runtime, settings: Settings, *, offline: bool) -> AsyncIterator[tuple[str, str | None]]:
    """Name of what was tried -> None, or what is wrong with it."""
    for name, state in (await runtime.health()).components.items():
        yield name, None if state == "ok" else state
    yield "row security", await _enforcement(runtime)
    report = await verify(runtime.database, settings.home)
    yield "audit chain", None if report.ok else report.findings[0].text
    yield await erasures(runtime, settings)
    yield "policy in force", await _policy(runtime)
    yield "approved templates", await _templates(runtime)
    if runtime.sign_on is not None and settings.oidc is not None:
        if not offline:
            yield "identity provider", await _provider(runtime.sign_on)
        file = settings.oidc.groups_file
        lacking = f"there is no {str(file)!r}, so no group at the provider gives anything"
        yield "map of groups", lacking if not file.exists() else await _roles(runtime, file)
    if runtime.models is not None and not offline:
        async for name, fault in runtime.models.reach():
            yield f"model: {name}", fault
        async for name, fault in _tried(runtime, runtime.models):
            yield name, fault
    for state in await runtime.sources.states():
        failed = state.outcome == "failed" or state.synced_at is None
        yield f"copy: {state.name}", state.told(runtime.clock()) if failed else None
    for name in [] if offline else runtime.sources.names():
        yield f"source: {name}", await _reach(runtime, name)


async def erasures(runtime: Runtime, settings: Settings) -> tuple[str, str | None]:
    """How many there were, and whether the list of them is whole; what it had lost and got back is told too."""
    listed = ErasureList(settings.home).read().erasures
    back = sum(bool(each.via) for each in listed)
    async with runtime.database.connection(Role.OWNER) as owner:
        faults = await faults_of(owner, settings.home)
    return f"erasures: {len(listed)}{f' ({back} found again)' if back else ''}", "; ".join(faults) or None


async def _policy(runtime: Runtime) -> str | None:
    """Whether a policy is in force, and signed by those who may."""
    try:
        policy = await runtime.policy()
    except CopilotError as error:
        return str(error)
    nobody = "no policy is in force, so nobody reads anything; see `erp-copilot policy submit` and `approve`"
    return None if policy.roles else nobody


async def _templates(runtime: Runtime) -> str | None:
    """Whether what was approved of templates can be verified, and something of each is in force."""
    approvals = await runtime.prompts()
    faults = [each.fault for each in approvals.standings.values() if each.fault]
    ended = [each.id for each in approvals.standings.values() if each.produced(approvals.today) is None]
    if approvals.fault or faults:
        return approvals.fault or faults[0]
    return f"nothing is in force of {', '.join(ended)}; see `erp-copilot prompts list`" if ended else None


async def _tried(runtime: Runtime, models: Models) -> AsyncIterator[tuple[str, str | None]]:
    """What each model makes of a request such as a question leads to, for each of its tasks."""
    from copilot.helped.consulting import Consulting
    from copilot.helped.trying import try_models

    try:
        policy = await runtime.policy()
    except CopilotError:
        return  # which is told above
    consulting = Consulting(models=models, prompts=runtime.prompts, pseudonyms=runtime.asking.pseudonyms)
    with speaking(runtime.language):
        async for each in try_models(consulting, runtime.asking.model, policy):
            served, name = models.served(each.model), f"model: {each.model}, {each.task}"
            if each.attempt is None:
                yield (
                    name,
                    f"no prompt for {each.task!r} is in force, so it is not asked; see `erp-copilot prompts list`",
                )
                continue
            sent, said = each.attempt.tokens
            took = f"{each.attempt.elapsed_ms / 1000:.1f} s, {sent} tokens in, {said} out, answers: {served.answers}"
            yield f"{name} ({took})", _amiss(each.attempt, served)


def _amiss(attempt: Attempt, served: Served) -> str | None:
    """What is wrong with how a model answered, and what to change in models.yaml."""
    match attempt.came:
        case "said":
            return None
        case "slow":
            return f"no answer within {served.seconds:g} s; give it more `seconds` and its task more `within`"
        case "failed" if "could not be asked" not in attempt.why:
            return f"{attempt.why}; it has `answers: {served.answers}`, and another may suit it: tools, schema or text"
        case "not_allowed":
            return attempt.why or "the prompt that is in force is not for this model"
        case _:
            return attempt.why


async def _roles(runtime: Runtime, file: Path) -> str | None:
    """Whether the policy in force knows every role that the groups give."""
    try:
        unknown = Groups(file).roles() - {*(await runtime.policy()).roles}
    except CopilotError as error:
        return str(error)
    return f"the policy knows no role {min(unknown)!r}, so it reads nothing" if unknown else None


async def _enforcement(runtime: Runtime) -> str | None:
    """Whether row security holds: where it did not at the start, nothing came as far as this."""
    try:
        await runtime.prove_enforcement()
    except CopilotError as error:
        return str(error)
    return None


async def _provider(sign_on: SignOn) -> str | None:
    """Whether the provider that is set up publishes what signing in needs, and keys."""
    try:
        await sign_on.client.provider.keys()
    except CopilotError as error:
        return str(error)
    return None


async def _reach(runtime: Runtime, name: str) -> str | None:
    try:
        await runtime.sources.connector(name).check()
    except CopilotError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 -- a connector's own error says what to do
        return str(error) or type(error).__name__
    return None


COMMAND = Command("check the database, the audit chain, the sources and the models", _arguments, _run)
