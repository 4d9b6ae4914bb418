"""Puts together signing on through the identity provider that is set up. Imported only where one is: it costs 0.1 s."""

from __future__ import annotations

from copilot.domain.clock import Clock
from copilot.identity.client import OidcClient
from copilot.identity.provider import Provider
from copilot.identity.signon import SignOn
from copilot.identity.verified import Verifier
from copilot.settings import OidcSettings, Settings
from copilot.store.pool import Database
from copilot.store.sealing import KeyRing
from copilot.store.sessions import Sessions

CALLBACK = "/signin/callback"


def sign_on_through(settings: Settings, oidc: OidcSettings, database: Database, clock: Clock) -> SignOn:
    """Signing on through a provider. Raises ProviderError for an unsafe issuer."""
    provider = Provider(oidc.issuer, clock)
    verifier = Verifier(provider=provider, clock=clock, client=oidc.client_id, audience=oidc.audience)
    client = OidcClient(
        provider=provider, verifier=verifier, client_id=oidc.client_id, secret=oidc.secret,
        redirect=settings.address + CALLBACK, scope=oidc.scope, authorize=oidc.authorize,
    )  # fmt: skip
    kept = Sessions(database, KeyRing(settings.home), clock)
    return SignOn(
        client=client, verifier=verifier, kept=kept, clock=clock, groups_claim=oidc.groups_claim,
        lengths=settings.sessions,
    )  # fmt: skip
