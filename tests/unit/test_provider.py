"""What we take from a provider about itself, and its keys; signatures are tried in the proof `tokens`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from copilot.errors import ProviderError, TokenRefusedError
from copilot.identity.provider import Provider
from copilot.identity.verified import Verifier

ISSUER = "https://id.test"
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
METADATA = {
    "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}  # fmt: skip


class Site:
    """A provider's web site, with a clock, that counts what it is asked."""

    def __init__(self, **metadata: Any) -> None:
        self.metadata = {**METADATA, **metadata}
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]
        self.asked: list[str] = []
        self.down = False
        self.now = NOW

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if self.down:
            raise httpx2.ConnectError("down")
        if request.url.path == "/keys":
            return httpx2.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})
        return httpx2.Response(200, json=self.metadata)

    def provider(self, issuer: str = ISSUER) -> Provider:
        transport = httpx2.MockTransport(self.answer)
        return Provider(issuer, lambda: self.now, http=httpx2.AsyncClient(transport=transport))

    def token(self, key: RSAKey | None = None, **claims: Any) -> str:
        used = key or self.keys[0]
        now = int(self.now.timestamp())
        body = {"iss": ISSUER, "aud": "us", "sub": "anna", "iat": now, "exp": now + 300, "nonce": "n", **claims}
        return jwt.encode({"alg": "RS256", "kid": used.kid}, body, used)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issuer": "https://other.test"}, "https://other.test"),
        ({"token_endpoint": "http://id.test/token"}, "http://id.test/token"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
    ],
)
async def test_metadata_that_can_t_be_relied_on_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ProviderError, match=told):
        await Site(**change).provider().metadata()


def test_an_issuer_without_encryption_is_refused_unless_it_is_on_this_machine() -> None:
    with pytest.raises(ProviderError, match="https"):
        Site().provider("http://id.test")
    Site().provider("http://127.0.0.1:9000")


async def test_what_is_known_outlives_a_provider_that_is_down() -> None:
    site = Site()
    provider = site.provider()
    await provider.keys()
    site.down, site.now = True, NOW + timedelta(hours=2)
    assert (await provider.metadata()).token == f"{ISSUER}/token"
    assert (await provider.keys()).keys


async def test_unknown_keys_are_asked_for_but_not_again_and_again() -> None:
    site = Site()
    verifier = Verifier(provider=site.provider(), clock=lambda: site.now, client="us")
    await verifier.id_token(site.token(), "n")
    strangers = [RSAKey.generate_key(2048, auto_kid=True) for _ in range(3)]
    site.now += timedelta(seconds=31)
    for stranger in strangers:
        with pytest.raises(TokenRefusedError):
            await verifier.id_token(site.token(stranger), "n")
    assert site.asked.count("/keys") == 2
    site.keys.append(strangers[0])
    site.now += timedelta(seconds=31)
    assert (await verifier.id_token(site.token(strangers[0]), "n"))["sub"] == "anna"


@pytest.mark.parametrize(
    ("forged", "fault"),
    [
        (lambda site: site.token(iss="https://other.test"), "issuer"),
        (lambda site: site.token(aud="them"), "audience"),
        (lambda site: site.token(aud=["us", "them"]), "audience"),
        (lambda site: site.token(azp="them"), "audience"),
        (lambda site: site.token(exp=int(NOW.timestamp()) - 120), "expired"),
        (lambda site: site.token(nonce="m"), "nonce"),
        (lambda site: site.token(sub=7), "malformed"),
        (lambda site: site.token() + "=", "malformed"),
        (lambda site: site.token()[:-8] + "AAAAAAAA", "signature"),
        (lambda site: "a.b.c", "malformed"),
        (lambda site: "ü.b.c", "malformed"),
        (lambda site: "", "malformed"),
    ],
)
async def test_each_fault_has_its_word(forged: Callable[[Site], str], fault: str) -> None:
    site = Site()
    verifier = Verifier(provider=site.provider(), clock=lambda: site.now, client="us")
    with pytest.raises(TokenRefusedError) as refused:
        await verifier.id_token(forged(site), "n")
    assert refused.value.fault == fault


async def test_without_an_audience_the_api_takes_no_token() -> None:
    site = Site()
    verifier = Verifier(provider=site.provider(), clock=lambda: site.now, client="us")
    with pytest.raises(TokenRefusedError):
        await verifier.access_token(site.token())
