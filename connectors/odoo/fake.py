"""An Odoo in memory, behind httpx: both protocols, searches with domains, and just enough of everything else.

For tests and for trying things without an Odoo. `FakeOdoo(...).transport()` goes where a connector takes a transport.
"""

from __future__ import annotations

import json
import operator
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from itertools import groupby
from typing import Any, cast

import httpx

from connectors.odoo.cells import Json, JsonObject

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class RefusedError(Exception):
    """An error of Odoo's own: its HTTP status, its XML-RPC fault code and what it says."""

    def __init__(self, status: int, fault: int, text: str) -> None:
        super().__init__(text)
        self.status, self.fault, self.text = status, fault, text


@dataclass(kw_only=True)
class Model:
    """A model: how its fields are described, and its records as Odoo would send them, by id."""

    fields: dict[str, JsonObject]
    rows: dict[int, JsonObject] = field(default_factory=dict[int, JsonObject])


@dataclass(kw_only=True)
class FakeOdoo:
    """A server. `refuse` names models this user may not read; `fail` gives the status codes of the next answers."""

    version: str
    models: dict[str, Model]
    database: str = "test"
    login: str = "reader"
    api_key: str = "a-key-never-to-be-shown"
    now: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    refuse: Mapping[str, str] = field(default_factory=dict[str, str])
    fail: list[int] = field(default_factory=list[int])
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def transport(self) -> httpx.MockTransport:
        """What to hand to a connector."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        stamp = {"date": format_datetime(self.now, usegmt=True)}
        if self.fail:
            return httpx.Response(self.fail.pop(0), headers=stamp)
        path = request.url.path
        if path == "/web/version" and self.version >= "19":
            return httpx.Response(200, json={"version": self.version}, headers=stamp)
        if path.startswith("/json/2/") and self.version >= "19":
            return self._json(request, stamp)
        if path.startswith("/xmlrpc/2/"):
            return self._xml(request, stamp)
        return httpx.Response(404, text="<!doctype html><title>404 Not Found</title>", headers=stamp)

    def _json(self, request: httpx.Request, stamp: dict[str, str]) -> httpx.Response:
        if request.headers.get("authorization") != f"bearer {self.api_key}":
            return httpx.Response(401, json={"message": "Invalid apikey"}, headers=stamp)
        try:
            model, method = request.url.path.split("/")[-2:]
            return httpx.Response(200, json=self._call(model, method, json.loads(request.content)), headers=stamp)
        except RefusedError as error:
            return httpx.Response(error.status, json={"message": error.text}, headers=stamp)

    def _xml(self, request: httpx.Request, stamp: dict[str, str]) -> httpx.Response:
        arguments, method = cast("tuple[tuple[Any, ...], str]", xmlrpc.client.loads(request.content))
        try:
            done = self._rpc(method, arguments)
            body = xmlrpc.client.dumps((cast("Any", done),), methodresponse=True, allow_none=True)
        except RefusedError as error:
            body = xmlrpc.client.dumps(xmlrpc.client.Fault(error.fault, error.text), methodresponse=True)
        return httpx.Response(200, text=body, headers={**stamp, "content-type": "text/xml"})

    def _rpc(self, method: str, arguments: tuple[Any, ...]) -> Json:
        if method == "version":
            return {"server_version": self.version}
        if method == "authenticate":
            return 2 if arguments[:3] == (self.database, self.login, self.api_key) else False
        database, user, key, model, name, _, named = arguments
        if (database, user, key) != (self.database, 2, self.api_key):
            raise RefusedError(401, 3, "Access Denied")
        return self._call(model, name, named)

    def _call(self, model: str, method: str, arguments: JsonObject) -> Json:
        self.calls.append((model, method))
        if model in self.refuse and method != "fields_get":
            raise RefusedError(403, 4, self.refuse[model])
        if model not in self.models:
            raise RefusedError(404, 2, f"the model {model!r} does not exist")
        known = self.models[model]
        match method:
            case "fields_get":
                return {name: {**told} for name, told in known.fields.items()}
            case "search_read":
                return self._search(model, arguments)
            case "read_group":
                return self._groups(model, arguments)
            case _:
                raise RefusedError(404, 1, f"{model}.{method} is not a method")

    def _search(self, model: str, arguments: JsonObject) -> Json:
        known = self.models[model]
        names = cast("list[str]", arguments["fields"])
        strange = [name for name in names if name not in known.fields]
        if strange:
            raise RefusedError(500, 1, f"ValueError: Invalid field {strange[0]!r} on {model!r}")
        limit = cast("int | None", arguments.get("limit"))
        found = self._matching(model, cast("list[Any]", arguments["domain"]))[:limit]
        return [{"id": ident, **{name: known.rows[ident].get(name, False) for name in names}} for ident in found]

    def _groups(self, model: str, arguments: JsonObject) -> Json:
        names = cast("list[str]", arguments["groupby"])
        rows = [self.models[model].rows[i] for i in self._matching(model, cast("list[Any]", arguments["domain"]))]

        def place(row: JsonObject) -> str:
            return json.dumps([row.get(name, False) for name in names])

        found: list[Json] = []
        for where, group in groupby(sorted(rows, key=place), key=place):
            values = cast("list[Json]", json.loads(where))
            found.append({**dict(zip(names, values, strict=True)), "__count": len(list(group))})
        return found

    def _matching(self, model: str, domain: list[Any]) -> list[int]:
        return [ident for ident in sorted(self.models[model].rows) if self._meets(model, ident, [*domain])]

    def _meets(self, model: str, ident: int, domain: list[Any]) -> bool:
        results: list[bool] = []
        for term in reversed(domain):
            if term == "|":
                results.append(results.pop() | results.pop())
            elif term == "&":
                results.append(results.pop() & results.pop())
            else:
                results.append(self._leaf(model, ident, term))
        return all(results)

    def _leaf(self, model: str, ident: int, leaf: list[Any]) -> bool:
        path, comparison, wanted = leaf
        if path == 1:
            return True
        reached = self._reach(model, ident, path)
        if comparison == "in":
            return any(value in wanted for value in reached)
        if wanted is False:
            present = any(value not in {False, None} for value in reached)
            return present if comparison == "!=" else not present
        compare = _COMPARE[comparison]
        return any(compare(value, wanted) for value in reached if value is not False)

    def _reach(self, model: str, ident: int, path: str) -> list[Any]:
        """Every value a dotted path leads to."""
        step, _, tail = path.partition(".")
        row = self.models[model].rows.get(ident, {})
        raw = ident if step == "id" else row.get(step, False)
        described = self.models[model].fields.get(step, {"type": "integer"})
        match described["type"]:
            case "many2one":
                ends: list[Any] = [cast("list[Any]", raw)[0]] if raw else []
            case "one2many" | "many2many":
                ends = cast("list[Any]", raw or [])
            case _:
                return [float(raw) if isinstance(raw, Decimal) else raw]
        if not tail:
            return ends
        relation = str(described["relation"])
        return [value for end in ends for value in self._reach(relation, end, tail)]
