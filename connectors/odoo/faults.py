"""Odoo's own errors, told apart and passed on: what was refused, for which operation, and which group is needed."""

from __future__ import annotations

import re

from connectors.errors import (
    ConnectorError,
    SourceAccessDeniedError,
    SourceAuthFailedError,
    SourceBusyError,
    SourceProtocolError,
)

_GROUP = re.compile(r"^\s*[-*•]\s*(.+?)\s*$", re.MULTILINE)
_BUSY = ("could not serialize", "deadlock detected", "connection pool is full", "too many connections", "lock timeout")
_LONGEST = 300


class MissingModelError(SourceProtocolError):
    """This Odoo has no such model: the module it belongs to is not installed."""

    code = "odoo_missing_model"


def access_error(text: str, model: str, method: str) -> ConnectorError:
    """Odoo's refusal, with the groups it names. Odoo says them in the user's language; the lists look alike in all."""
    groups = [found.strip() for found in _GROUP.findall(text)]
    head = _first(text)
    needed = f"; one of these groups is needed: {', '.join(groups)}" if groups else ""
    return SourceAccessDeniedError(
        f"Odoo does not let this user call {method!r} on {model!r}: {head}{needed}; "
        "ask Odoo's administrator, or leave this entity out"
    )


def auth_error(host: str) -> ConnectorError:
    """The key is wrong, expired or revoked."""
    return SourceAuthFailedError(f"Odoo at {host!r} does not accept this login and API key; make a new key in Odoo")


def fault(text: str, model: str, method: str) -> ConnectorError:
    """Any other error Odoo reports while carrying out a call."""
    if any(sign in text.lower() for sign in _BUSY):
        return SourceBusyError(f"Odoo is too busy for {method!r} on {model!r}; try again later")
    if "doesn't exist" in text or "does not exist" in text:
        if "database" in text:
            return SourceAuthFailedError("Odoo has no database of this name; check the setting 'database'")
        if model in text:
            return MissingModelError(f"this Odoo has no model {model!r}: the module it belongs to is not installed")
    return SourceProtocolError(f"Odoo could not carry out {method!r} on {model!r}: {_last(text)}")


def _first(text: str) -> str:
    return text.strip().split("\n\n")[0].replace("\n", " ")[:_LONGEST]


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return repr(lines[-1].strip()[:_LONGEST]) if lines else "it gave no reason"
