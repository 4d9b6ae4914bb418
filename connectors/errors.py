"""What can go wrong with a source, sorted by what to do about it.

Fatal: nothing more can be read until a person changes something. Retriable: the same call may work later. Skippable:
the rest of the source can still be read. A docstring is the default message; `code` is stable. A message never holds
a credential.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.mapping.spec import Complaint


class ConnectorError(Exception):
    """The source could not be read."""

    code: ClassVar[str] = "source"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class FatalSourceError(ConnectorError):
    """The source can't be read until its settings are changed."""

    code = "source_fatal"


class RetriableSourceError(ConnectorError):
    """The source can't be read just now; try again later."""

    code = "source_retriable"


class SkippableSourceError(ConnectorError):
    """Part of the source can't be read; the rest can."""

    code = "source_skippable"


class SourceSettingsError(FatalSourceError):
    """A setting of this source is missing or can't be used."""

    code = "source_settings"


class MappingError(SourceSettingsError):
    """The mapping of this source can't be used."""

    code = "source_mapping"

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        self.complaints = complaints
        lines = [f"  {found.place}: {found.message}" if found.place else f"  {found.message}" for found in complaints]
        super().__init__("\n".join(["the mapping can't be used:", *lines]))


class SourceAuthFailedError(FatalSourceError):
    """The source does not accept the credentials."""

    code = "source_auth_failed"


class SourceProtocolError(FatalSourceError):
    """The source answered something this connector does not understand."""

    code = "source_protocol"


class UnknownEntityError(FatalSourceError):
    """This connector has no such entity."""

    code = "source_unknown_entity"


class UnknownConnectorError(FatalSourceError):
    """There is no connector of this name."""

    code = "source_unknown_connector"


class SourceUnreachableError(RetriableSourceError):
    """The source could not be reached."""

    code = "source_unreachable"


class SourceTimeoutError(SourceUnreachableError):
    """The source did not answer in time."""

    code = "source_timeout"


class SourceBusyError(RetriableSourceError):
    """The source is too busy to answer."""

    code = "source_busy"


class SourceAccessDeniedError(SkippableSourceError):
    """The source's own access rules don't let this user read it."""

    code = "source_access_denied"


class SourceRecordBrokenError(SkippableSourceError):
    """A record of the source can't be read as what it should be."""

    code = "source_record_broken"
