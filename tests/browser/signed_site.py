"""The copilot over the small company with the real provider before it, listening, for a browser to sign in to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from copilot.channels.web.app import create_app
from copilot.channels.web.server import bind, serve
from copilot.settings import OidcSettings
from copilot.wiring.runtime import assemble
from evals.provider.rig import API, Client, ProviderRig, open_provider
from tests.company import NOW, Company, running

_START_SECONDS = 60
GROUPS: Mapping[str, Any] = {
    "reps-us": {"role": "customer_service", "regions": ["US"]},
    "planners": {"role": "planner"},
}


class MovingClock:
    """The real time, and how far it was moved ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(NOW.tzinfo) + self.ahead


@dataclass(frozen=True, slots=True)
class Site:
    """Where people reach the copilot, its provider, and its clock."""

    address: str
    provider: ProviderRig
    clock: MovingClock


@contextmanager
def open_site(company: Company, database: str, home: Path, build: Path) -> Generator[Site]:
    """The front end on a port of its own, in a thread of its own, until left.

    It is `localhost` and the provider 127.0.0.1, so that to the browser they are two sites.
    """
    listening = bind("127.0.0.1", 0)
    address = f"http://localhost:{listening.getsockname()[1]}"
    web = Client(client_id="copilot", secret="web secret", redirect=f"{address}/signin/callback")
    registered = web.registered(
        post_logout_redirect_uris=[f"{address}/signin"],
        backchannel_logout_uri=f"http://127.0.0.1:{listening.getsockname()[1]}/signin/backchannel",
        backchannel_logout_session_required=True,
    )
    with contextlib.closing(listening), open_provider(build, [registered], seconds=7200) as provider:
        site = Site(address, provider, MovingClock())
        ready, ending = threading.Event(), threading.Event()
        groups = home.parent / "groups.yaml"
        groups.write_text(yaml.safe_dump({"groups": dict(GROUPS)}))
        oidc = OidcSettings(
            issuer=provider.issuer, client_id=web.client_id, secret=web.secret, audience=API, groups_file=groups
        )

        async def main() -> None:
            async with running(company, database, home) as plain:
                settings = replace(plain.settings, public_url=address, oidc=oidc)
                built = assemble(settings, plain.database, site.clock, plain.admin_dsn)
                await built.sources.load()
                app = create_app(built, settings, sign_on=built.sign_on)
                serving = asyncio.create_task(serve(app, listening, on_ready=ready.set))
                await asyncio.to_thread(ending.wait)
                serving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving
                assert built.sign_on is not None
                await built.sign_on.client.provider.aclose()
                await built.asking.refusals.close()
                await built.audit.close()

        thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
        thread.start()
        try:
            assert ready.wait(_START_SECONDS), "the front end did not start"
            yield site
        finally:
            ending.set()
            thread.join(_START_SECONDS)
