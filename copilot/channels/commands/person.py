"""`erp-copilot person`: who may ask, and shutting somebody out."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.channels.commands.grants import asked, during, grant_arguments, where
from copilot.errors import SettingsError
from copilot.settings import read_settings
from copilot.store.directory_changes import listed
from copilot.wiring import Runtime, open_runtime
from copilot.wiring.directory import changes, let_in, new_grant


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="let somebody in, with a first grant")
    add.add_argument("subject", help="what they sign in as, such as anna; of a provider oidc: and the name there")
    add.add_argument("--name", help="their name")
    grant_arguments(add)
    actions.add_parser("list", help="who may ask, and as what")
    for action, told in (
        ("show", "all that somebody was granted, given and gives"),
        ("disable", "shut somebody out at once, and end what they are signed in as"),
        ("enable", "let somebody in again"),
    ):
        each = actions.add_parser(action, help=told)
        each.add_argument("subject")
        if action == "enable":
            each.add_argument("--name", help="their name, where they come back after an erasure")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        match options.action:
            case "add":
                await _add(runtime, options)
                await _list(runtime)
            case "list":
                await _list(runtime)
            case "show":
                await _show(runtime, options.subject)
            case "enable":
                await let_in(runtime, options.subject, options.name)
            case _:
                await changes(runtime).disable(options.subject, disabled=True)
    return 0


async def _add(runtime: Runtime, options: argparse.Namespace) -> None:
    local = runtime.settings.embedded and runtime.sign_on is None
    grant = await new_grant(runtime, asked(options))
    name = options.name or options.subject
    await changes(runtime).add_person(options.subject, name, home=None, local=local, grant=grant)


async def _list(runtime: Runtime) -> None:
    people = await listed(runtime.database, "list_directory", now=runtime.clock())
    places = iter(await where(runtime, [grant for person in people for grant in person["grants"]]))
    for person in people:
        roles = ", ".join(dict.fromkeys(grant["role"] for grant in person["grants"])) or "-"
        held = "; ".join(dict.fromkeys(next(places) for _ in person["grants"])) or "-"
        state = " (disabled)" if person["disabled"] else " (service)" if person["service"] else ""
        print(f"{person['subject']:<16}{roles:<18} {held:<14} {person['name']}{state}")


async def _show(runtime: Runtime, subject: str) -> None:
    found = await listed(runtime.database, "person_by_subject", subject=subject)
    if not found:
        raise SettingsError(f"there is nobody {subject!r}; `erp-copilot person list` shows everybody")
    state = "disabled" if found[0]["disabled"] else "enabled"
    print(f"{subject}: {found[0]['name']}, {state}{', a service account' if found[0]['service'] else ''}")
    now = runtime.clock()
    grants = await listed(runtime.database, "grants_of", subject=subject)
    for grant, place in zip(grants, await where(runtime, grants), strict=True):
        times = during(grant["valid_from"], grant["valid_to"], now)
        print(f"  grant {grant['id']}: {grant['role']}, {place}; {times}")
    for given in await listed(runtime.database, "delegations_of", subject=subject):
        times = during(given["valid_from"], given["valid_to"], now)
        print(f"  delegation {given['id']}: {given['role']} of {given['giver']} to {given['taker']}; {times}")


COMMAND = Command("add, show, shut out and list the people who may ask", _arguments, _run)
