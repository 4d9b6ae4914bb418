"""Every error the copilot raises on purpose, sorted by what can be done about it.

A class docstring is the default message. `code` is stable and is what the API shows; the message is for a person
and names the offending value. Declining a question is not an error: see `copilot.domain.answer`.
"""

from __future__ import annotations

from typing import ClassVar


class CopilotError(Exception):
    """The copilot could not do this."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class StartupError(CopilotError):
    """The copilot could not start."""

    code = "startup"


class SettingsError(CopilotError):
    """A setting has a value that cannot be used."""

    code = "settings"


class UnsafeDatabaseError(StartupError):
    """Row security could not hold on this database, so nothing is served from it."""

    code = "unsafe_database"


class SignInError(CopilotError):
    """This sign-in or token is not valid."""

    code = "not_signed_in"


class TokenRefusedError(SignInError):
    """The token is not valid or has expired; sign in again."""

    code = "token_refused"

    def __init__(self, message: str | None = None, *, fault: str = "malformed") -> None:
        super().__init__(message)
        self.fault = fault
        """What was wrong, in one stable word: for the audit, not for whoever sent it."""


class ProviderError(CopilotError):
    """The identity provider could not be asked, or is not set up as it must be."""

    code = "provider"


class NoAccessError(CopilotError):
    """This person has no access to the copilot."""

    code = "no_access"


class ModelDefinitionError(CopilotError):
    """The semantic model, a question kind or a language is not well formed."""

    code = "definition"


class PolicyError(CopilotError):
    """The policy is not well formed, or is asked for something it does not know."""

    code = "policy"


class PolicyNotInForceError(PolicyError):
    """The policy in force can't be verified, so nobody may read anything; tell whoever keeps the policy."""

    code = "policy_not_in_force"


class ResidencyError(CopilotError):
    """What this is made of may not be processed there."""

    code = "residency"


class UnapprovedTemplateError(CopilotError):
    """A template is not approved in exactly this form."""

    code = "unapproved_template"


class PromptNotInForceError(UnapprovedTemplateError):
    """The approvals of templates can't be verified, so none that they speak of is used; tell whoever keeps them."""

    code = "prompt_not_in_force"


class SourceConfigError(CopilotError):
    """A source's settings or its label mapping are not complete."""

    code = "source_config"


class SyncRunningError(CopilotError):
    """Another sync of this source is running."""

    code = "sync_running"


class QualityError(CopilotError):
    """Too much of what a source delivered is unsound, so it was not loaded."""

    code = "quality"


class AuditError(CopilotError):
    """The audit row could not be written, so there is no answer."""

    code = "audit"


class UnknownAnswerError(CopilotError):
    """There is no such answer that this person may replay."""

    code = "unknown_answer"


class MaskingError(CopilotError):
    """What is personal in a text could not be masked, so it goes nowhere."""

    code = "masking"


class BudgetError(CopilotError):
    """There is not enough left of what models may cost today."""

    code = "budget"


class ModelError(CopilotError):
    """A model could not be asked, or said nothing that can be used."""

    code = "model"


class BackupError(CopilotError):
    """The backup could not be written or restored."""

    code = "backup"


class ErasureError(CopilotError):
    """Not everything could be erased; run it again."""

    code = "erasure"


class DatabaseError(CopilotError):
    """The database did not answer as it should."""

    code = "database"
