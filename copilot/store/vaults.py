"""The vaults of conversations, sealed: which token stands for which value.

A vault is sealed under what the key of its person and a key of the day give together, so either one gone, nobody reads
it: the person's by an erasure, the day's when it is as old as pseudonyms are kept.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.rows import DictRow

from copilot.domain.clock import Clock
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.sealing import DataKey, KeyErasedError, KeyRing, joint
from redaction.vault import Vault

_NONCE_BYTES = 12
_FOLDER = "vault"


@dataclass(slots=True)
class KeptVault:
    """A vault as it was read, the revision that it was of (0: it is new), and the day whose key it was sealed under."""

    vault: Vault = field(default_factory=Vault)
    revision: int = 0
    day: str = ""


class Vaults:
    """Reads and keeps vaults, each for the person whose conversation it is."""

    def __init__(self, database: Database, home: Path, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ring = KeyRing(home)

    async def read(self, subject: str, conversations: Iterable[str]) -> Mapping[str, KeptVault]:
        """The vaults of some conversations of a person, by conversation; none where there is none yet.

        One that can't be opened any more holds no value, and goes on counting where it left off.
        """
        values = {"subject": subject, "conversations": [UUID(each) for each in conversations]}
        async with self._database.statement(Role.STATE) as connection:
            rows = await (await connection.execute(query("vaults"), values)).fetchall()
        return {str(row["conversation_id"]): self._opened(subject, row) for row in rows}

    async def keep(self, subject: str, conversation: str, kept: KeptVault) -> bool:
        """Keep what a vault holds now. Returns False where it was changed since it was read: nothing was kept then."""
        revision, day = kept.revision + 1, self._ring.made(self.day)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = _binding(subject, conversation, revision)
        values = {
            "subject": subject,
            "conversation": UUID(conversation),
            "revision": revision,
            "highest": kept.vault.highest,
            "key_id": day.id,
            "nonce": nonce,
            "ciphertext": self._cipher(subject, day).encrypt(nonce, kept.vault.to_bytes(), bound),
            "now": self._clock(),
        }
        async with self._database.statement(Role.STATE) as connection:
            row = await (await connection.execute(query("keep_vault"), values)).fetchone()
        return row is not None

    @property
    def day(self) -> str:
        """The name of today's key."""
        return f"{_FOLDER}/{self._clock().date().isoformat()}"

    async def expire(self, kept: timedelta) -> int:
        """Destroy the keys of days that are longer ago than pseudonyms are kept, and remove what they sealed for
        conversations that there are no more. Returns how many keys."""
        first = f"{_FOLDER}/{(self._clock().date() - kept).isoformat()}"
        destroyed = sum(self._ring.destroy(name) for name in self._ring.names(_FOLDER) if name < first)
        async with self._database.statement(Role.STATE) as connection:
            await connection.execute(query("drop_vaults"), {"before": self._clock() - kept})
        return destroyed

    def _opened(self, subject: str, row: DictRow) -> KeptVault:
        revision, conversation = row["revision"], str(row["conversation_id"])
        bound = _binding(subject, conversation, revision)
        with contextlib.suppress(KeyErasedError, InvalidTag, ValueError):
            day = self._ring.find(row["key_id"])
            content = self._cipher(subject, day).decrypt(row["nonce"], row["ciphertext"], bound)
            return KeptVault(Vault.from_bytes(content), revision, day.name)
        return KeptVault(Vault(highest=row["highest"]), revision)

    def _cipher(self, subject: str, day: DataKey) -> AESGCM:
        return AESGCM(joint(self._ring.person(subject), day).secret)


def _binding(subject: str, conversation: str, revision: int) -> bytes:
    return f"erp-copilot vault 1\n{conversation}\n{revision}\n{subject}".encode()
