"""The HTML of the pages: Chainlit's own, cleaned, and the few that are ours."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from fastapi.responses import HTMLResponse

from copilot.channels.web.security import content_policy

_STRANGERS = re.compile(r"<link\b[^>]*\bhref=\"https?://[^>]*>", re.DOTALL)


def without_strangers(page: str) -> str:
    """A page without the links to fonts, style sheets and hosts elsewhere."""
    return _STRANGERS.sub("", page)


def html(page: str, *, status: int = 200) -> HTMLResponse:
    """A page with the content-security policy that fits exactly it."""
    headers = {"Content-Security-Policy": content_policy(page), "Cache-Control": "no-store"}
    return HTMLResponse(page, status_code=status, headers=headers)


def framed(title: str, *, safe_lead: str, safe_body: str, heading: str = "ERP Copilot", kind: str = "signin") -> str:
    """A page of ours: its title, what stands beside the mark, and what is below."""
    return fill("frame", title=title, heading=heading, kind=kind, safe_lead=safe_lead, safe_body=safe_body)


def fill(template: str, **values: str) -> str:
    """One of our page templates with values put in; `safe_…` ones are HTML already, all others are escaped."""
    escaped = {name: text if name.startswith("safe_") else escape(text) for name, text in values.items()}
    return _template(template).substitute(escaped)


@cache
def _template(name: str) -> Template:
    folder = files("copilot.channels.web").joinpath("pages")
    return Template(folder.joinpath(f"{name}.html").read_text(encoding="utf-8"))
