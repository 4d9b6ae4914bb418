"""Signing on through a provider, and asking it again while a session goes on."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast
from urllib.parse import urlencode
from uuid import UUID

from copilot.domain.clock import Clock
from copilot.domain.session import Account, Ending, Entrusted, Session, Vouched
from copilot.errors import ProviderError, SignInError, TokenRefusedError
from copilot.identity.client import Flow, NoLongerVouchedError, OidcClient
from copilot.identity.verified import Verifier
from copilot.settings import SessionSettings

SECRET_LASTS = timedelta(minutes=10)
"""How long a browser's secret is out before another takes its place."""
_LOGOUTS_KEPT = timedelta(minutes=10)
_RENEWAL_SECONDS = 15
_RENEWAL_LASTS = timedelta(seconds=2 * _RENEWAL_SECONDS)
_log = logging.getLogger(__name__)


class Kept(Protocol):
    """Where sessions and accounts are kept."""

    async def vouch(self, vouched: Vouched) -> str: ...
    async def start(
        self, account: Account, subject: str, provider_session: str | None, entrusted: Entrusted, lasts: timedelta
    ) -> str: ...
    async def find(self, secret: str) -> Session: ...
    async def alive(self, family: UUID) -> Session: ...
    async def replace(self, secret: str) -> str | None: ...
    def renewing(self, session: Session, lasts: timedelta) -> AbstractAsyncContextManager[Entrusted | None]: ...
    async def settled(self, session: Session) -> None: ...
    async def entrusted(self, session: Session) -> Entrusted: ...
    async def end(self, session: Session) -> None: ...
    async def end_at_provider(self, ending: Ending) -> bool: ...
    async def disable(self, account: Account) -> None: ...
    async def reseal(self, session: Session, entrusted: Entrusted) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOn:
    """A sign-in that succeeded: who it is, and the secret of the session."""

    subject: str
    name: str
    session: Session
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOn:
    """One provider's sign-ins. `groups_claim` is the claim that lists an account's groups."""

    client: OidcClient
    verifier: Verifier
    kept: Kept
    clock: Clock
    groups_claim: str
    lengths: SessionSettings
    name: str = "oidc"

    async def begin(self) -> tuple[str, Flow]:
        """Where to send somebody, and what to remember until they come back."""
        flow = Flow.new()
        return await self.client.begin(flow), flow

    async def finish(self, flow: Flow, returned: Mapping[str, str]) -> SignedOn:
        """Whoever came back, signed on. Raises SignInError, TokenRefusedError or ProviderError."""
        if not hmac.compare_digest(returned.get("state", "").encode(), flow.state.encode()):
            raise TokenRefusedError(fault="state")
        if returned.get("iss", self._issuer) != self._issuer:
            raise TokenRefusedError(fault="issuer")  # another provider's answer, mixed in (RFC 9207)
        if returned.get("error") or not returned.get("code"):
            raise SignInError("the identity provider did not sign you in")
        signed = await self.client.finish(flow, returned["code"])
        claims = signed.claims or {}
        vouched = self._vouched(claims, self.clock())
        subject = await self.kept.vouch(vouched)
        secret = await self.kept.start(
            vouched.account, subject, _text(claims.get("sid")), signed.entrusted, self.lengths.lasts
        )
        session = await self.kept.find(secret)
        return SignedOn(subject=subject, name=vouched.name or subject, session=session, secret=secret)

    async def find(self, secret: str) -> Session:
        """The session behind a browser's secret. Raises SignInError."""
        return await self.kept.find(secret)

    async def replaced(self, session: Session, secret: str) -> str | None:
        """Another secret where this one has been out for a while; None where it goes on."""
        if session.replaced or self.clock() - session.issued_at < SECRET_LASTS:
            return None
        return await self.kept.replace(secret)

    async def alive(self, family: UUID) -> Session:
        """A session by its name. Raises SignInError for one that has ended."""
        return await self.kept.alive(family)

    async def vouch(self, vouched: Vouched) -> str:
        """Keep what the provider says of an account; returns whose it is."""
        return await self.kept.vouch(vouched)

    async def confirmed(self, session: Session) -> Session:
        """The session, with the provider asked again where its word is old.

        Raises SignInError where it no longer vouches for the account, or could not be asked for too long.
        """
        if self.clock() - session.confirmed_at > self.lengths.confirm_after:
            await self._ask_again(session)
            session = await self.kept.alive(session.family)
        if self.clock() - session.confirmed_at > self.lengths.word_holds:
            raise SignInError("your identity provider could not be asked for too long; sign in again")
        return session

    async def leave(self, session: Session, back: str) -> str | None:
        """End a session; returns where to go to end the one at the provider too, None where that can't be done."""
        entrusted = await self.kept.entrusted(session)
        await self.kept.end(session)
        try:
            address = (await self.client.provider.metadata()).end_session
        except ProviderError:
            return None
        if address is None:
            return None
        values = {"client_id": self.client.client_id, "post_logout_redirect_uri": back, "state": "left"}
        if entrusted.id_token:
            values["id_token_hint"] = entrusted.id_token
        return f"{address}{'&' if '?' in address else '?'}{urlencode(values)}"

    async def told_of_logout(self, token: str) -> None:
        """What the provider says has ended there, ends here. Raises TokenRefusedError, ProviderError."""
        claims = await self.verifier.logout_token(token)
        ending = Ending(
            issuer=self._issuer, external=_text(claims.get("sub")), provider_session=_text(claims.get("sid")),
            token=str(claims["jti"]), until=self.clock() + _LOGOUTS_KEPT,
        )  # fmt: skip
        if not await self.kept.end_at_provider(ending):
            raise TokenRefusedError(fault="replayed")

    async def bearer(self, token: str) -> tuple[Account, datetime, Vouched | None]:
        """The account behind an access token, when it was issued, and what it says of the account where it lists
        groups. Raises TokenRefusedError or ProviderError."""
        claims = await self.verifier.access_token(token)
        issued = datetime.fromtimestamp(int(claims["iat"]), UTC)
        account = Account(self._issuer, str(claims["sub"]))
        says_groups = isinstance(claims.get(self.groups_claim), list)
        return account, issued, self._vouched(claims, issued) if says_groups else None

    async def _ask_again(self, session: Session) -> None:
        async with self.kept.renewing(session, _RENEWAL_LASTS) as entrusted:
            if entrusted is None:
                # somebody else is asking just now: what is asked beside it waits for the same word, for the old one
                # may grant what was taken away since
                await self.kept.settled(session)
                return
            try:
                async with asyncio.timeout(_RENEWAL_SECONDS):
                    signed = await self.client.renew(entrusted, session.account.external)
            except NoLongerVouchedError:
                await self.kept.disable(session.account)
                raise
            except TimeoutError:
                _log.warning("the identity provider did not answer within %d s", _RENEWAL_SECONDS)
                return
            except ProviderError as error:
                _log.warning("%s", error)
                return
            await self.kept.reseal(session, signed.entrusted)
            said = self._vouched(signed.claims, self.clock()) if signed.claims else None
            said = said or Vouched(
                account=session.account, subject=session.subject, name=None, groups=None, at=self.clock()
            )
            await self.kept.vouch(replace(said, subject=session.subject))

    def _vouched(self, claims: Mapping[str, Any], at: datetime) -> Vouched:
        external = str(claims["sub"])
        groups = claims.get(self.groups_claim)
        listed = cast("list[object]", groups) if isinstance(groups, list) else []
        return Vouched(
            account=Account(self._issuer, external), subject=f"{self.name}:{external}",
            name=next((text for name in _NAMES if (text := _text(claims.get(name)))), None),
            groups=tuple(sorted({str(group) for group in listed})), at=at,
        )  # fmt: skip

    @property
    def _issuer(self) -> str:
        return self.verifier.provider.issuer


_NAMES = ("name", "preferred_username", "email")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
