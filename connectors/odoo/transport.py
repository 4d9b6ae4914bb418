"""The two ways to talk to Odoo: JSON-2 (19 and later) and XML-RPC (14 to 18). Only reading methods are called."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, cast
from xml.parsers.expat import ExpatError

from connectors.errors import ConnectorError, SourceProtocolError, SourceSettingsError
from connectors.http import Answer, SourceHttp
from connectors.odoo import faults
from connectors.odoo.cells import Json

_OLDEST, _JSON_SINCE = 14, 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who reads: the database, the login (XML-RPC only) and the API key, which no message ever holds."""

    database: str
    login: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Odoo's version as it says it, and its major number."""

    text: str
    major: int


class Transport(Protocol):
    """Calls methods of models. `at` is Odoo's clock at the last answer."""

    at: datetime

    async def call(self, model: str, method: str, arguments: Mapping[str, Json], *, tries: int = 0) -> Json:
        """The method's result. Raises ConnectorError."""
        ...


class JsonTransport:
    """JSON-2: one address per method, arguments by name, the key as a bearer token."""

    def __init__(self, http: SourceHttp, account: Account) -> None:
        self.at = datetime.now(UTC)
        self._http = http
        self._headers = {
            "Authorization": f"bearer {account.api_key}",
            "Content-Type": "application/json; charset=utf-8",
            "X-Odoo-Database": account.database,
        }

    async def call(self, model: str, method: str, arguments: Mapping[str, Json], *, tries: int = 0) -> Json:
        answer = await self._http.send(
            "POST",
            f"/json/2/{model}/{method}",
            content=json.dumps(arguments).encode(),
            headers=self._headers,
            tries=tries,
        )
        self.at = answer.at
        if answer.status == 200:
            return read_json(answer)
        raise self._error(answer, model, method)

    def _error(self, answer: Answer, model: str, method: str) -> ConnectorError:
        host = self._http.base_url
        if answer.status == 401:
            return faults.auth_error(host)
        text = _message(answer)
        if text is None:
            return SourceProtocolError(
                f"{host!r} answered HTTP {answer.status!r} without Odoo's error; check the address and the database"
            )
        if answer.status == 403:
            return faults.access_error(text, model, method)
        return faults.fault(text, model, method)


class XmlTransport:
    """XML-RPC: everything in one call, with the user's number found by logging in once."""

    def __init__(self, http: SourceHttp, account: Account) -> None:
        self.at = datetime.now(UTC)
        self._http = http
        self._account = account
        self._user: int | None = None

    async def call(self, model: str, method: str, arguments: Mapping[str, Json], *, tries: int = 0) -> Json:
        key = self._account.api_key
        user = self._user if self._user is not None else await self._log_in()
        try:
            return await self._rpc(
                "/xmlrpc/2/object",
                "execute_kw",
                (self._account.database, user, key, model, method, [], dict(arguments)),
                tries,
            )
        except xmlrpc.client.Fault as error:
            raise self._error(error, model, method) from None

    async def _log_in(self) -> int:
        if not self._account.login:
            raise SourceSettingsError("Odoo before 19 needs the setting 'login' beside the API key")
        nothing: dict[str, Json] = {}
        asked = (self._account.database, self._account.login, self._account.api_key, nothing)
        try:
            found = await self._rpc("/xmlrpc/2/common", "authenticate", asked, 0)
        except xmlrpc.client.Fault as error:
            raise self._error(error, "res.users", "authenticate") from None
        if not isinstance(found, int) or isinstance(found, bool):
            raise faults.auth_error(self._http.base_url)
        self._user = found
        return found

    async def _rpc(self, path: str, method: str, arguments: tuple[object, ...], tries: int) -> Json:
        # The stubs name what can be marshalled only privately.
        body = xmlrpc.client.dumps(cast("Any", arguments), method, allow_none=True)
        answer = await self._http.send(
            "POST", path, content=body.encode(), headers={"Content-Type": "text/xml; charset=utf-8"}, tries=tries
        )
        self.at = answer.at
        return read_xml(answer)

    def _error(self, error: xmlrpc.client.Fault, model: str, method: str) -> ConnectorError:
        text = str(error.faultString).replace(self._account.api_key, "***")
        match error.faultCode:
            case 3:
                return faults.auth_error(self._http.base_url)
            case 4:
                return faults.access_error(text, model, method)
            case _:
                return faults.fault(text, model, method)


def read_json(answer: Answer) -> Json:
    """A JSON body with exact figures. Raises SourceProtocolError."""
    try:
        return cast("Json", json.loads(answer.body, parse_float=Decimal))
    except ValueError:
        raise SourceProtocolError(
            f"expected JSON, got {answer.content_type!r} with HTTP {answer.status!r}; is this Odoo's address?"
        ) from None


def read_xml(answer: Answer) -> Json:
    """The result in an XML-RPC body. Raises SourceProtocolError, or xmlrpc.client.Fault for the server's own error."""
    strange = SourceProtocolError(
        f"expected XML-RPC, got {answer.content_type!r} with HTTP {answer.status!r}; is this Odoo's address?"
    )
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError:
        raise strange from None
    # A declaration of a document type is where entity bombs live, and XML-RPC has no use for one.
    if answer.status != 200 or "<!" in text:
        raise strange
    try:
        results, _ = xmlrpc.client.loads(text)
    except xmlrpc.client.Fault:
        raise
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, IndexError):
        raise strange from None
    return _exact(results[0]) if results else None


def _exact(raw: object) -> Json:
    match raw:
        case float():
            return Decimal(repr(raw))
        case list():
            return [_exact(item) for item in cast("list[object]", raw)]
        case dict():
            return {key: _exact(item) for key, item in cast("dict[str, object]", raw).items()}
        case str() | int() | None:
            return raw
        case _:
            return str(raw)


def _message(answer: Answer) -> str | None:
    try:
        said = read_json(answer)
    except SourceProtocolError:
        return None
    return str(said.get("message")) if isinstance(said, dict) else None


async def detect(http: SourceHttp) -> Version:
    """Which Odoo this is. Raises SourceProtocolError if it is none, or one too old."""
    answer = await http.send("GET", "/web/version")
    if answer.status == 200 and "json" in answer.content_type:
        return _version(read_json(answer), "version")
    body = xmlrpc.client.dumps((), "version").encode()
    answer = await http.send("POST", "/xmlrpc/2/common", content=body, headers={"Content-Type": "text/xml"})
    try:
        return _version(read_xml(answer), "server_version")
    except xmlrpc.client.Fault as error:
        raise faults.fault(str(error.faultString), "common", "version") from None


def transport_for(version: Version, http: SourceHttp, account: Account) -> Transport:
    """JSON-2 where Odoo has it, XML-RPC before."""
    return JsonTransport(http, account) if version.major >= _JSON_SINCE else XmlTransport(http, account)


def _version(raw: Json, name: str) -> Version:
    text = raw.get(name) if isinstance(raw, dict) else None
    # "19.0", "16.0-20240101", "saas~17.4+e"
    found = re.search(r"(\d+)\.\d+", text) if isinstance(text, str) else None
    if not isinstance(text, str) or found is None:
        raise SourceProtocolError(f"Odoo's version can't be read from {raw!r}")
    major = int(found.group(1))
    if major < _OLDEST:
        raise SourceProtocolError(f"this is Odoo {text!r}; the connector reads {_OLDEST} and later")
    return Version(text=text, major=major)
