"""`erp-copilot run`: everything at once, from an empty folder to the chat in the browser."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Iterable

from copilot.channels.cli import Command, Paced, say
from copilot.channels.web.security import is_loopback
from copilot.channels.web.server import bind, serve
from copilot.errors import StartupError
from copilot.settings import Settings, read_settings
from copilot.wiring import open_runtime
from copilot.wiring.demo import bring_demo_to_today
from copilot.wiring.starters import first_questions


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-demo", action="store_true", help="start without the demo company")


async def _run(options: argparse.Namespace) -> int:
    settings = read_settings()
    if settings.oidc is None and not is_loopback(settings.host):
        raise StartupError(
            f"COPILOT_HOST is {settings.host!r}, which others reach, and no identity provider is set up: the demo "
            "sign-in asks for no secret. Set COPILOT_OIDC_ISSUER, or listen on 127.0.0.1"
        )
    listening = bind(settings.host, settings.port)
    with contextlib.closing(listening):
        async with open_runtime(settings, progress=say) as runtime:
            # Takes seconds, most of them for Chainlit, and the database is what is waited for meanwhile.
            chat = asyncio.create_task(asyncio.to_thread(_import_chat, settings))
            if settings.embedded and not options.no_demo:
                say("bringing the demo company to today")
                await bring_demo_to_today(runtime, Paced())
            say("starting the chat")
            await asyncio.gather(chat, runtime.know_values())
            from copilot.channels.web.app import create_app
            from copilot.channels.web.starters import starters_from_file

            questions = await first_questions(runtime)
            app = create_app(
                runtime,
                settings,
                starters=lambda person: questions.get(person.subject) or starters_from_file(person),
                sign_on=runtime.sign_on,
            )
            people = [
                f"{person.subject:<14}{person.role.replace('_', ' ')}, {person.where}"
                for person in await runtime.demo_people()
            ]
            from copilot.wiring.jobs import Jobs

            keeping = asyncio.create_task(Jobs(runtime, say=say).run())
            try:
                await serve(app, listening, on_ready=lambda: _announce(settings.host, settings.port, people))
            finally:
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping
    return 0


def _import_chat(settings: Settings) -> None:
    from copilot.channels.web.app import load_chat

    load_chat(settings)


def _announce(host: str, port: int, people: Iterable[str]) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"\nThe copilot is at http://{shown}:{port}\n", flush=True)
    if people:
        print("Sign in as one of the demo company's people:", flush=True)
        for person in people:
            print(f"  {person}", flush=True)
    print("\nCtrl-C stops it.", flush=True)


COMMAND = Command("start the chat and the API", _arguments, _run)
