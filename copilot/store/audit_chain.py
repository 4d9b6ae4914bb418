"""How an audit row is encoded and hashed, the same for who writes it and who verifies it.

The hash is SHA-256 over the canonical JSON (sorted keys, ASCII, no floats) of every column, the previous row's hash
among them. The stamp is an HMAC of the hash under a key of the data folder, so that who can write to the database
but not read that folder can make no row that would pass.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, cast

from copilot.domain.answer import Json
from copilot.errors import AuditError

GENESIS = bytes(32)
"""What the first row names as the hash before it."""

_DOMAIN = b"erp-copilot audit entry 1\n"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain, by number and hash; number 0 for an empty chain."""

    id: int
    hash: bytes


EMPTY = Head(0, GENESIS)


def canonical(value: Json) -> bytes:
    """The one encoding of a value. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def entry_hash(body: Mapping[str, Json], row_id: int, prev_hash: bytes) -> bytes:
    """The hash of a row: `body` holds every column but id, prev_hash, hash and stamp."""
    whole: dict[str, Json] = {**body, "id": row_id, "prev_hash": prev_hash.hex()}
    return hashlib.sha256(_DOMAIN + canonical(whole)).digest()


def entry_stamp(key: bytes, row_hash: bytes) -> bytes:
    """The keyed mark of a row."""
    return hmac.digest(key, row_hash, "sha256")


def instant(moment: datetime) -> str:
    """A moment as the chain writes it: UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def storable(value: Json) -> Json:
    """The value as PostgreSQL can hold it: without NUL and lone surrogates. Raises AuditError for a float."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float):
        raise AuditError(f"{value!r} is a float, which an audit row does not take; scale it to an integer")
    if isinstance(value, list):
        return [storable(part) for part in value]
    if isinstance(value, dict):
        return {storable_text(key): storable(part) for key, part in value.items()}
    return value


def storable_text(text: str) -> str:
    """The text with what PostgreSQL refuses shown as the replacement character."""
    return _UNSTORABLE.sub("\ufffd", text)


def parse(text: str | None) -> Json:
    """Read a stored JSON column. Raises ValueError for a float, which no row of ours has."""
    return None if text is None else cast(Json, json.loads(text, parse_float=_refuse, parse_constant=_refuse))


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text!r} is a float")
