"""The policy in force: the last version that was approved, its signatures verified; read anew for every question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg.rows import DictRow

from copilot.domain.clock import Clock
from copilot.domain.governance import Change, Version, documents_digest
from copilot.domain.places import Places
from copilot.errors import PolicyError, PolicyNotInForceError
from copilot.policy.documents import PolicySet
from copilot.policy.policy import Policy, closed_policy
from copilot.policy.reading import baseline, read_texts
from copilot.policy.signing import Signers
from copilot.store.directory import Directory
from copilot.store.policies import PolicyVersions
from copilot.wiring.remembered import Mark, Remembered

_HEAD = "policy-head.json"
_PLACES_HOLD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Held:
    """Documents as they were verified, and what would have to change for that to be done again."""

    stamp: tuple[int, bytes, tuple[int, int]] | None
    version: str
    documents: PolicySet


class PolicyInForce:
    """Gives the policy at this moment.

    `embedded`: as long as nothing was approved the shipped baseline holds; elsewhere nobody reads anything until then.
    """

    def __init__(
        self,
        versions: PolicyVersions,
        directory: Directory,
        signers: Signers,
        clock: Clock,
        *,
        home: Path,
        embedded: bool,
        classes: frozenset[str],
        here: str,
    ) -> None:
        self.versions = versions
        self.signers = signers
        self._directory = directory
        self._clock = clock
        self._remembered = Remembered(home / _HEAD, "the policy", "policy", PolicyNotInForceError)
        self._classes = classes
        self._here = here
        self._unapproved = (
            _Held(None, baseline().version, baseline()) if embedded else _Held(None, "none", closed_policy().documents)
        )
        self._held = self._unapproved
        self._verifying = asyncio.Lock()
        self._places: tuple[float, Places] | None = None
        self._made: tuple[tuple[_Held, date, Places], Policy] | None = None

    def last_version(self) -> str:
        """The version that was in force when it was last asked for, for what is put on record without a question."""
        return self._held.version

    def last(self) -> Policy:
        """The policy that was in force when it was last asked for; before that one by which nobody may see anything."""
        return self._made[1] if self._made else closed_policy()

    async def __call__(self) -> Policy:
        """The policy. Raises PolicyNotInForceError where what is stored can't be verified."""
        row, places = await self.versions.head(), await self._places_now()
        held = self._unapproved if row is None else await self._verified(row)
        self._remembered.follow(_mark(row))
        today = self._clock().date()
        if self._made is None or self._made[0] != (held, today, places):
            policy = Policy(
                held.documents, at=self._clock(), version=held.version, places=places, classes=self._classes,
                here=self._here,
            )  # fmt: skip
            self._made = (held, today, places), policy
        return self._made[1]

    async def _verified(self, row: DictRow) -> _Held:
        stamp = row["sequence"], row["signature"], self.signers.stamp()
        if self._held.stamp != stamp:
            async with self._verifying:
                if self._held.stamp != stamp:
                    version = await self.versions.version(row["version"])
                    changes = [each for each in await self.versions.changes() if each.sequence <= row["sequence"]]
                    # A thousand documents take seconds to read: nobody else's question waits for them.
                    documents = await asyncio.to_thread(verified_documents, version, changes, self.signers)
                    self._held = _Held(stamp, f"v{version.number}", documents)
        return self._held

    async def _places_now(self) -> Places:
        """The places that there are, read again every ten seconds: rows of one that is new are seen by then."""
        now = time.monotonic()
        if self._places is None or now - self._places[0] > _PLACES_HOLD_SECONDS:
            found = await self._directory.places()
            self._places = now, found if self._places is None or found != self._places[1] else self._places[1]
        return self._places[1]


def _mark(row: DictRow | None) -> Mark:
    return Mark() if row is None else Mark(sequence=int(row["sequence"]), signature=row["signature"].hex())


def verified_documents(version: Version, changes: Sequence[Change], signers: Signers) -> PolicySet:
    """The documents of the version that the last of these changes, the oldest first, brought into force.

    Raises PolicyNotInForceError where they are not what its author and, as another person, its approver signed.
    """
    documents = dict(version.documents or {})
    try:
        require_signed(version, changes, signers)
        return read_texts(documents)
    except PolicyError as error:
        raise PolicyNotInForceError(f"version {version.number} of the policy can't be verified: {error}") from error


def require_signed(version: Version, changes: Sequence[Change], signers: Signers) -> None:
    """Raises PolicyError unless the author signed the version, another person approved it once, and the last change is
    signed and follows the one before."""
    if documents_digest(version.documents or {}) != version.digest:
        raise PolicyError("its documents are not those that were signed")
    signers.require(version.author, "author", version.signature, version.payload(), version.submitted_at)
    last = changes[-1]
    approved = next((c for c in reversed(changes) if c.kind == "approve" and c.version == version.number), None)
    if approved is None:
        raise PolicyError("nobody approved it")
    for change in {approved, last}:
        signers.require(change.approver, "approve", change.signature, change.payload(), change.signed_at)
    if version.author == approved.approver:
        raise PolicyError(f"{version.author} submitted and approved it; the approver must be another person")
    if last.previous != (changes[-2].hash() if len(changes) > 1 else ""):
        raise PolicyError("the change that brought it into force does not follow the one before")
