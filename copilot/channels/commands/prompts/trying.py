"""Runs the suite of a template, which `evals` provides."""

from __future__ import annotations

from importlib.metadata import entry_points

from copilot.domain.ports import TemplateSuite
from copilot.domain.prompts import SuiteResult
from copilot.errors import UnapprovedTemplateError

_GROUP, _NAME = "erp_copilot.suites", "templates"


async def tried(ident: str, text: bytes) -> SuiteResult:
    """What its suite says of a template. Raises UnapprovedTemplateError where there is no suite to try it by."""
    point = next(iter(entry_points(group=_GROUP, name=_NAME)), None)
    if point is None:
        raise UnapprovedTemplateError("no suite is installed to try a template by; run this where `evals` is installed")
    suite: TemplateSuite = point.load()
    return await suite(ident, text)
