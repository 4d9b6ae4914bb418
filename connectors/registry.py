"""Which connectors there are. A new one is a file, one entry here and one test class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.base import Connector
from connectors.errors import SourceSettingsError, UnknownConnectorError
from connectors.mapping.spec import FieldTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something a source has to be told. A secret is never shown, logged or written to a configuration file.

    For a `file` its path is given, and its text is what is kept.
    """

    name: str
    prompt: str
    secret: bool = False
    default: str | None = None
    file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of source: its name, what it asks for, and how a connector is made of the answers.

    `purpose` is what such a source is for, and `every_minutes` how often it is synced, unless it says otherwise.
    """

    name: str
    title: str
    settings: tuple[Setting, ...]
    load: Callable[[Mapping[str, str], FieldTypes], Connector]
    purpose: str = "erp"
    every_minutes: int = 5

    def connect(self, answers: Mapping[str, str], types: FieldTypes) -> Connector:
        """A connector from the answers, defaults filled in; `types` are the semantic model's.

        Raises SourceSettingsError naming what is missing.
        """
        known = {setting.name: setting for setting in self.settings}
        strange = sorted(set(answers) - set(known))
        if strange:
            raise SourceSettingsError(f"{self.name!r} has no setting {strange[0]!r}; it asks for {', '.join(known)}")
        given = {name: answers.get(name) or setting.default for name, setting in known.items()}
        missing = sorted(name for name, answer in given.items() if answer is None)
        if missing:
            raise SourceSettingsError(f"{self.name!r} needs the setting {missing[0]!r}: {known[missing[0]].prompt}")
        return self.load({name: answer for name, answer in given.items() if answer is not None}, types)


def _odoo(answers: Mapping[str, str], _: FieldTypes) -> Connector:
    from connectors.odoo.connector import from_answers

    return from_answers(answers)


def _sql(answers: Mapping[str, str], types: FieldTypes) -> Connector:
    from connectors.sql.connector import from_answers

    return from_answers(answers, types)


def _files(answers: Mapping[str, str], types: FieldTypes) -> Connector:
    from connectors.files.connector import from_answers

    return from_answers(answers, types)


_MAPPING = Setting(name="mapping", prompt="File with the mapping (YAML)", file=True)


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
    Kind(
        name="sql",
        title="SQL database: PostgreSQL, MySQL, SQL Server, Oracle or SQLite",
        settings=(
            Setting(name="url", prompt="Address without a password, such as postgresql://reader@host/erp"),
            Setting(name="password", prompt="Password of that user", secret=True, default=""),
            _MAPPING,
            Setting(name="page_size", prompt="Rows per page", default="5000"),
            Setting(name="overlap_minutes", prompt="Minutes to reach back behind the last sync", default="15"),
        ),
        load=_sql,
    ),
    Kind(
        name="files",
        title="CSV and Excel files in a folder or an S3-compatible store",
        settings=(
            Setting(name="location", prompt="Folder, or s3://bucket/prefix"),
            Setting(name="endpoint", prompt="Address of an S3-compatible store other than AWS", default=""),
            Setting(name="region", prompt="Region of the bucket", default=""),
            Setting(name="access_key", prompt="Access key of the bucket", default=""),
            Setting(name="secret_key", prompt="Secret key of the bucket", secret=True, default=""),
            _MAPPING,
        ),
        load=_files,
        purpose="files",
        every_minutes=15,
    ),
)


def kind(name: str) -> Kind:
    """The kind of source of this name. Raises UnknownConnectorError."""
    for known in KINDS:
        if known.name == name:
            return known
    raise UnknownConnectorError(f"there is no connector {name!r}; there are: {', '.join(k.name for k in KINDS)}")
