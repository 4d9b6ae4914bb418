"""What can be wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """A template is not approved in exactly this form, or is not well formed."""


class PromptError(TemplateError):
    """A prompt is not well formed, or was given values that it does not take."""
