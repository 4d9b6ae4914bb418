"""Sessions that go on from a sign-in at a provider, and what it last said of its accounts.

The browser holds a random secret, we its hash; each secret is good for minutes and is then replaced by another. One
used again after it was replaced was stolen from somebody: the whole session ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.rows import DictRow

from copilot.domain.clock import Clock
from copilot.domain.session import Account, Ending, Entrusted, Session, Vouched
from copilot.errors import SignInError
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing

GRACE = timedelta(seconds=60)
"""How long a secret that was replaced is still good: for requests that were under way, and other tabs."""
_SECRET_BYTES = 32
_NONCE_BYTES = 12
_KEY = "sessions"
_LOOKS_AGAIN_SECONDS = 0.02
_ENDED = "your session has ended; sign in again"


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions and accounts in our own tables."""

    database: Database
    ring: KeyRing
    clock: Clock

    async def vouch(self, vouched: Vouched) -> str:
        """Keep what the provider says of an account; returns the person's subject."""
        known = {"issuer": vouched.account.issuer, "external": vouched.account.external}
        groups = None if vouched.groups is None else list(vouched.groups)
        values = {**known, "subject": vouched.subject, "name": vouched.name, "groups": groups, "now": vouched.at}
        async with self.database.connection(Role.IDENTITY) as connection:
            row = await (await connection.execute(query("put_identity"), values)).fetchone()
            row = row or await (await connection.execute(query("identity_of"), known)).fetchone()
        if row is None:
            raise SignInError
        return str(row["subject"])

    async def start(
        self, account: Account, subject: str, provider_session: str | None, entrusted: Entrusted, lasts: timedelta
    ) -> str:
        """A new session; returns its secret."""
        secret, family, now = _new(), uuid4(), self.clock()
        values = {
            "hash": _hash(secret), "family": family, "subject": subject, "issuer": account.issuer,
            "external": account.external, "provider_session": provider_session, "sealed": self._seal(family, entrusted),
            "now": now, "ends": now + lasts,
        }  # fmt: skip
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("start_session"), values)
        return secret

    async def find(self, secret: str) -> Session:
        """The session behind a secret. Raises SignInError for one that has ended, or never was."""
        now = self.clock()
        async with self.database.connection(Role.IDENTITY) as connection:
            cursor = await connection.execute(query("session"), {"hash": _hash(secret), "now": now})
            row = await cursor.fetchone()
            if row is not None and row["replaced_at"] is not None and now - row["replaced_at"] > GRACE:
                await connection.execute(query("end_session"), {"family": row["family"], "now": now})
                row = None
        if row is None:
            raise SignInError(_ENDED)
        return _session(row)

    async def replace(self, secret: str) -> str | None:
        """Another secret in place of this one; None where somebody else has just replaced it."""
        new = _new()
        values = {"hash": _hash(secret), "new": _hash(new), "now": self.clock()}
        async with self.database.connection(Role.IDENTITY) as connection:
            row = await (await connection.execute(query("replace_session"), values)).fetchone()
        return new if row else None

    async def alive(self, family: UUID) -> Session:
        """A session by its name, which proves nothing by itself. Raises SignInError for one that has ended."""
        async with self.database.connection(Role.IDENTITY) as connection:
            return _session(await self._row(connection, family))

    @asynccontextmanager
    async def renewing(self, session: Session, lasts: timedelta) -> AsyncGenerator[Entrusted | None]:
        """What the provider gave us for this session, for the one who may use it now; None for everybody else: a
        refresh token is good for one use. Whoever has it is through before `lasts` is over."""
        now = self.clock()
        values = {"family": session.family, "now": now, "until": now + lasts}
        async with self.database.connection(Role.IDENTITY) as connection:
            mine = await (await connection.execute(query("begin_renewal"), values)).fetchone()
        if mine is None:
            yield None
            return
        try:
            yield await self.entrusted(session)
        finally:
            async with self.database.connection(Role.IDENTITY) as connection:
                await connection.execute(query("end_renewal"), values)

    async def settled(self, session: Session) -> None:
        """Wait until nobody renews a session."""
        while await self._renewed_now(session):  # noqa: ASYNC110 -- another process may be the one that renews it
            await asyncio.sleep(_LOOKS_AGAIN_SECONDS)

    async def _renewed_now(self, session: Session) -> bool:
        values = {"family": session.family, "now": self.clock()}
        async with self.database.connection(Role.IDENTITY) as connection:
            return await (await connection.execute(query("renewal"), values)).fetchone() is not None

    async def entrusted(self, session: Session) -> Entrusted:
        """What the provider gave us for this session, to sign out by."""
        async with self.database.connection(Role.IDENTITY) as connection:
            return self._opened(await self._row(connection, session.family))

    async def end(self, session: Session) -> None:
        """End a session with every secret it had, and those of the same session at the provider."""
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("leave_session"), {"family": session.family, "now": self.clock()})

    async def end_at_provider(self, ending: Ending) -> bool:
        """End what the provider says has ended; False where that was said before. Both or neither is kept, so that a
        provider that says it again after a fault is heard."""
        now = self.clock()
        token = {"issuer": ending.issuer, "token": ending.token, "ends": ending.until}
        values = {
            "issuer": ending.issuer, "external": ending.external, "provider_session": ending.provider_session,
            "now": now,
        }  # fmt: skip
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("forget_logouts"), {"now": now})
            first = await (await connection.execute(query("keep_logout"), token)).fetchone()
            if first is not None:
                await connection.execute(query("end_provider_sessions"), values)
        return first is not None

    async def disable(self, account: Account) -> None:
        """The provider no longer vouches for an account: its sessions end, its groups are gone."""
        values = {"issuer": account.issuer, "external": account.external, "now": self.clock()}
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("disable_identity"), values)

    async def reseal(self, session: Session, entrusted: Entrusted) -> None:
        """Keep what the provider gave us anew."""
        values = {"family": session.family, "sealed": self._seal(session.family, entrusted)}
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("reseal_sessions"), values)

    async def forget_old(self, before: datetime) -> None:
        """Remove what ended long ago."""
        async with self.database.connection(Role.IDENTITY) as connection:
            await connection.execute(query("forget_old_sessions"), {"before": before})

    async def _row(self, connection: Connection, family: UUID) -> DictRow:
        values = {"family": family, "now": self.clock()}
        row = await (await connection.execute(query("session_family"), values)).fetchone()
        if row is None:
            raise SignInError(_ENDED)
        return row

    def _seal(self, family: UUID, entrusted: Entrusted) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = json.dumps([entrusted.refresh, entrusted.id_token]).encode()
        return nonce + AESGCM(self.ring.made(_KEY).secret).encrypt(nonce, text, family.bytes)

    def _opened(self, row: DictRow) -> Entrusted:
        sealed, family = bytes(row["sealed"]), row["family"]
        try:
            key = self.ring.made(_KEY).secret
            text = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], family.bytes)
        except (InvalidTag, ValueError) as error:
            raise SignInError("your session can't be gone on with; sign in again") from error
        refresh, id_token = json.loads(text)
        return Entrusted(refresh=refresh, id_token=id_token)


def _session(row: DictRow) -> Session:
    return Session(
        family=row["family"], subject=row["subject"], account=Account(row["issuer"], row["external"]),
        issued_at=row["issued_at"], confirmed_at=row["confirmed_at"], replaced=row["replaced_at"] is not None,
    )  # fmt: skip


def _new() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
