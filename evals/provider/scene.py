"""The copilot's web front end over a company, with the real provider signing people in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import yaml

from copilot.channels.web.app import create_app
from copilot.domain.clock import Clock
from copilot.settings import REFUSALS, OidcSettings
from copilot.wiring import Runtime
from copilot.wiring.runtime import assemble
from evals.provider.rig import API, Client, ProviderRig, sign_in

US = "https://copilot.test"
"""Where browsers reach us."""
ASK = f"{US}/api/v1/ask"
WEB = Client(client_id="copilot", secret="web secret", redirect=f"{US}/signin/callback")  # noqa: S106 -- of a rig
TOOL = Client(client_id="tool", secret="tool secret", redirect="https://tool.test/back")  # noqa: S106 -- of a rig
OTHER = Client(client_id="other", secret="other secret", redirect="https://other.test/back")  # noqa: S106 -- of a rig
CLIENTS = (
    WEB.registered(
        post_logout_redirect_uris=[f"{US}/signin"],
        backchannel_logout_uri="http://127.0.0.1:1/signin/backchannel",
        backchannel_logout_session_required=True,
    ),
    TOOL.registered(),
    OTHER.registered(),
)
"""What the provider has to know: our web front end, a tool that calls our API, and somebody else's client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front end: the copilot behind it, and a browser before it that keeps its cookies."""

    copilot: Runtime
    browser: httpx.AsyncClient

    async def come_in(self, account: str) -> httpx.Response:
        """The whole sign-in of an account; returns our answer to the browser's return."""
        begun = await self.browser.get("/signin/start")
        if not begun.is_redirect:
            return begun
        with httpx.Client() as at_provider:
            back = sign_in(at_provider, begun.headers["location"], account, WEB.redirect)
        return await self.browser.get(back)

    async def ask(self, text: str, token: str | None = None) -> httpx.Response:
        """One question through the API, by the browser's session or by an access token."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return await self.browser.post(ASK, json={"question": text}, headers=headers)


@asynccontextmanager
async def front(
    provider: ProviderRig,
    runtime: Runtime,
    clock: Clock,
    groups: Mapping[str, Any],
    folder: Path,
    *,
    refusals: int = REFUSALS,
    authorize: tuple[tuple[str, str], ...] = (),
) -> AsyncGenerator[Front]:
    """The front end over the records of a runtime, with the provider set up and a map of its groups; so many refusals a
    minute have rows of their own."""
    file = folder / "groups.yaml"
    file.write_text(yaml.safe_dump({"groups": dict(groups)}))
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id=WEB.client_id,
        secret=WEB.secret,
        audience=API,
        groups_file=file,
        authorize=authorize,
    )
    settings = replace(runtime.settings, public_url=US, oidc=oidc, refusals=refusals)
    built = assemble(settings, runtime.database, clock, runtime.admin_dsn)
    await built.sources.load()
    try:
        transport = httpx.ASGITransport(create_app(built, settings, sign_on=built.sign_on), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=US) as browser:
            yield Front(copilot=built, browser=browser)
    finally:
        if built.sign_on is not None:
            await built.sign_on.client.provider.aclose()
        await built.asking.refusals.close()
        await built.audit.close()


def tokens_of(provider: ProviderRig, account: str, *, client: Client = TOOL, resource: str | None = API) -> Any:
    """The provider's answer to a client's own sign-in of an account: an access token and an id token."""
    more = {"resource": resource} if resource else {}
    query = {
        "client_id": client.client_id, "redirect_uri": client.redirect, "response_type": "code", "nonce": "n",
        "scope": "openid profile", "state": "s", **more,
    }  # fmt: skip
    with httpx.Client() as at_provider:
        start = str(httpx.URL(f"{provider.issuer}/auth", params=query))
        back = sign_in(at_provider, start, account, client.redirect)
        form = {
            "grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0],
            "redirect_uri": client.redirect, **more,
        }  # fmt: skip
        answer = at_provider.post(f"{provider.issuer}/token", data=form, auth=(client.client_id, client.secret))
    answer.raise_for_status()
    return answer.json()
