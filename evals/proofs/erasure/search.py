"""Reads everything there is: each row of each database, each file of the data folder, and what every key opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql
from psycopg.rows import dict_row

from copilot.store.sealing import DataKey, joint

_TABLES = """
    select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
     order by 1, 2
"""
_BLOBS = "select b.*, e.audit_id from audit.blob b join audit.entry e on e.id = b.entry_id order by e.id, b.kind"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """A text that can be read, and where."""

    place: str
    text: str


def everything(dsns: Sequence[str], home: Path) -> Iterator[Seen]:
    """All that somebody with the server, the data folder and every key in it can read, bytes as hexadecimal digits."""
    yield from _files(home)
    keys = _keys(home)
    for dsn in dsns:
        with psycopg.Connection[dict[str, Any]].connect(dsn, row_factory=dict_row) as admin:
            for table in admin.execute(_TABLES).fetchall():
                yield from _rows(admin, table["schema"], table["name"])
            yield from _opened(admin, keys)


def found(seen: Iterable[Seen], words: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Word -> the places where it can be read, as it is or as the digits of its bytes, in either case."""
    forms = {form: word for word in words for form in (word.lower(), word.lower().encode().hex())}
    places: defaultdict[str, list[str]] = defaultdict(list)
    for each in seen:
        text = each.text.lower()
        for form, word in forms.items():
            if form in text:
                places[word].append(each.place)
    return places


def _files(home: Path) -> Iterator[Seen]:
    for file in sorted(home.rglob("*")):
        name = str(file.relative_to(home))
        yield Seen(f"the name of {name}", name)
        if file.is_file():
            content = file.read_bytes()
            yield Seen(f"the file {name}", content.decode(errors="replace"))
            yield Seen(f"the file {name}", content.hex())


def _rows(admin: psycopg.Connection[dict[str, Any]], schema: str, name: str) -> Iterator[Seen]:
    whole = sql.SQL("select t::text as text from {} t").format(sql.Identifier(schema, name))
    for row in admin.execute(whole):
        yield Seen(f"{schema}.{name}", row["text"])


def _keys(home: Path) -> Mapping[str, list[DataKey]]:
    """Every key there is, by its folder; and one of nothing but zeros, as an interrupted destroying leaves it."""
    found: defaultdict[str, list[DataKey]] = defaultdict(list)
    for file in sorted((home / "keys").rglob("*.key")):
        name = file.relative_to(home / "keys").with_suffix("").as_posix()
        found[name.rpartition("/")[0]].append(DataKey(name, file.read_bytes()))
    for keys in found.values():
        keys.append(DataKey("zeros", bytes(32)))
    return found


def _opened(admin: psycopg.Connection[dict[str, Any]], keys: Mapping[str, list[DataKey]]) -> Iterator[Seen]:
    every = [key for of_folder in keys.values() for key in of_folder]
    both = [joint(person, other) for person in keys.get("person", ()) for other in keys.get("", ())]
    for row in admin.execute(_BLOBS).fetchall():
        bound = b"erp-copilot blob 1\n" + row["audit_id"].bytes + str(row["kind"]).encode()
        ciphers = [AESGCM(key.secret) for key in (*every, *both)]
        yield from _tried(ciphers, f"a sealed {row['kind']}", row["nonce"], row["ciphertext"], bound)
    for row in _all(admin, "select * from directory.session"):
        sealed = bytes(row["sealed"])
        ciphers = [AESGCM(key.secret) for key in every]
        yield from _tried(ciphers, "a session", sealed[:_NONCE], sealed[_NONCE:], row["family"].bytes)
    for row in _all(admin, "select * from state.vault"):
        conversation: UUID = row["conversation_id"]
        bound = f"erp-copilot vault 1\n{conversation}\n{row['revision']}\n{row['subject']}".encode()
        pairs = product(keys.get("person", ()), keys.get("vault", ()))
        ciphers = [AESGCM(joint(person, day).secret) for person, day in pairs]
        yield from _tried(ciphers, "a vault", row["nonce"], row["ciphertext"], bound)


def _tried(ciphers: Iterable[AESGCM], place: str, nonce: bytes, ciphertext: bytes, bound: bytes) -> Iterator[Seen]:
    for cipher in ciphers:
        try:
            yield Seen(place, cipher.decrypt(nonce, ciphertext, bound).decode(errors="replace"))
        except InvalidTag:
            continue


def _all(admin: psycopg.Connection[dict[str, Any]], statement: str) -> Sequence[dict[str, Any]]:
    return admin.execute(cast(LiteralString, statement)).fetchall()
