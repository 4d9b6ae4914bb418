"""`/redaction`: where an administrator tries what becomes of a text on its way out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import get_args
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from copilot.channels.web.door import Door
from copilot.channels.web.page import fill, framed, html
from copilot.channels.web.signin import to_sign_in
from copilot.domain.redaction import Audience, RedactionTrial
from copilot.errors import NoAccessError

_MOST = 10_000
_AUDIENCES: dict[Audience, str] = {
    "providers": "a model of a provider",
    "models": "a model in the house",
    "logs": "logs and the audit",
    "exports": "files that are handed out",
}
_SHOWN = {"shown": "shown", "partly": "shown in part", "token": "a token", "hidden": "removed"}


@dataclass(frozen=True, slots=True)
class RedactionPage:
    """The form, and below it what becomes of what was typed."""

    door: Door

    def routes(self) -> APIRouter:
        """The page, and what its form sends to."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/redaction", self.page, methods=["GET"])
        router.add_api_route("/redaction", self.tried, methods=["POST"])
        return router

    async def page(self, request: Request) -> Response:
        """The empty form."""
        return await self._answered(request, "", "providers")

    async def tried(self, request: Request) -> Response:
        """The form with its result. A form from another site's page is stopped by the walls."""
        form = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        text = form.get("text", [""])[0].replace("\r\n", "\n")
        asked = form.get("for", [""])[0]
        audience = next((each for each in get_args(Audience) if each == asked), None)
        if audience is None or len(text) > _MOST:
            why = (
                f"{len(text):,} characters were sent, and {_MOST:,} is the most"
                if audience
                else "there is no such reader"
            )
            return self._told(400, f"This can't be tried: {why}.")
        return await self._answered(request, text, audience)

    async def _answered(self, request: Request, text: str, audience: Audience) -> Response:
        visitor = await self.door.visitor(request)
        if visitor is None:
            return to_sign_in()
        try:
            trial = await self.door.copilot.try_redaction(visitor.credential, text, audience)
        except NoAccessError:
            return self._told(403, "Only administrators try what is masked.")
        lead = "What becomes of a text before it leaves."
        body = fill(
            "redaction", text=text, most=str(_MOST), safe_audiences=_options(audience),
            safe_result=_result(trial) if text else "",
        )  # fmt: skip
        response = html(framed("Redaction", safe_lead=lead, safe_body=body, kind="docs redaction"))
        self.door.remember(response, visitor)
        return response

    def _told(self, status: int, words: str) -> Response:
        page = framed("Redaction", safe_lead=escape(words), safe_body='<p><a href="/">Back to the chat</a></p>')
        return html(page, status=status)


def _options(chosen: Audience) -> str:
    return "".join(
        f'<option value="{name}"{" selected" if name == chosen else ""}>{escape(words)}</option>'
        for name, words in _AUDIENCES.items()
    )


def _result(trial: RedactionTrial) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(piece.instead)}</code></td><td>{escape(piece.text)}</td>"
        f"<td>{escape(_SHOWN[piece.shown])}</td><td>{escape(piece.why)}</td></tr>"
        for piece in trial.pieces
    )
    table = f"<table><tr><th>Goes out as</th><th>Text</th><th>Is</th><th>Why</th></tr>{rows}</table>"
    found = f'<div class="scroll">{table}</div>' if rows else "<p>Nothing was found.</p>"
    lacking = (
        f"<p>Without a names model only known: {escape(', '.join(trial.uncovered))}.</p>" if trial.uncovered else ""
    )
    return f"<section><h2>Goes out as</h2><pre>{escape(trial.masked)}</pre>{found}{lacking}</section>"
