"""Which connectors there are. A new one is a file, one entry here and one test class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.base import Connector
from connectors.errors import SourceSettingsError, UnknownConnectorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something a source has to be told. A secret is never shown, logged or written to a configuration file."""

    name: str
    prompt: str
    secret: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of source: its name, what it asks for, and how a connector is made of the answers."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    load: Callable[[Mapping[str, str]], Connector]

    def connect(self, answers: Mapping[str, str]) -> Connector:
        """A connector from the answers, defaults filled in. Raises SourceSettingsError naming what is missing."""
        known = {setting.name: setting for setting in self.settings}
        strange = sorted(set(answers) - set(known))
        if strange:
            raise SourceSettingsError(f"{self.name!r} has no setting {strange[0]!r}; it asks for {', '.join(known)}")
        given = {name: answers.get(name) or setting.default for name, setting in known.items()}
        missing = sorted(name for name, answer in given.items() if answer is None)
        if missing:
            raise SourceSettingsError(f"{self.name!r} needs the setting {missing[0]!r}: {known[missing[0]].prompt}")
        return self.load({name: answer for name, answer in given.items() if answer is not None})


def _odoo(answers: Mapping[str, str]) -> Connector:
    from connectors.odoo.connector import from_answers

    return from_answers(answers)


KINDS: tuple[Kind, ...] = (
    Kind(
        name="odoo",
        title="Odoo 14 to 19",
        settings=(
            Setting(name="url", prompt="Address of Odoo, such as https://erp.example.com"),
            Setting(name="database", prompt="Name of the database"),
            Setting(name="login", prompt="Login of the user the copilot reads as (used by Odoo 14 to 18)", default=""),
            Setting(name="api_key", prompt="API key of that user", secret=True),
            Setting(name="page_size", prompt="Records per page", default="500"),
            Setting(name="overlap_minutes", prompt="Minutes to reach back behind the last sync", default="15"),
        ),
        load=_odoo,
    ),
)


def kind(name: str) -> Kind:
    """The kind of source of this name. Raises UnknownConnectorError."""
    for known in KINDS:
        if known.name == name:
            return known
    raise UnknownConnectorError(f"there is no connector {name!r}; there are: {', '.join(k.name for k in KINDS)}")
