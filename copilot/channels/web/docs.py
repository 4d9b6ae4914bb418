"""`/docs`: the API's documentation, rendered here from its own OpenAPI schema.

FastAPI's own page loads its scripts from elsewhere, and no request may leave the machine for a page; two routes need no
scripts at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from copilot.channels.web.page import fill, framed, html

Schema = Mapping[str, Any]
"""A piece of an OpenAPI document."""


def docs_routes(app: FastAPI) -> APIRouter:
    """`/docs` for people and `/openapi.json` for programs."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        return html(render(app.openapi(), str(request.base_url).rstrip("/")))

    @router.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return router


def render(schema: Schema, base: str) -> str:
    """The page for one OpenAPI document."""
    routes = [
        _route(path, verb, route, schema, base)
        for path, verbs in cast("dict[str, dict[str, Schema]]", schema["paths"]).items()
        for verb, route in verbs.items()
    ]
    version = escape(schema["info"]["version"])
    lead = f'Version {version} · <a href="/openapi.json">OpenAPI document</a>'
    body = fill("docs", safe_routes="".join(routes))
    return framed("API", heading=f"{schema['info']['title']} API", safe_lead=lead, safe_body=body, kind="docs")


def _route(path: str, verb: str, route: Schema, schema: Schema, base: str) -> str:
    parts = [f'<h2><span class="verb">{escape(verb.upper())}</span><code>{escape(path)}</code></h2>']
    parts.append(f"<p>{escape(route.get('description') or route.get('summary') or '')}</p>")
    body = _body(route, "application/json")
    if body:
        parts += ["<h3>Request</h3>", _fields(_resolve(body, schema), schema), _example(path, base)]
    parts.append("<h3>Responses</h3>")
    parts += [_response(status, answer, schema) for status, answer in route["responses"].items()]
    return f"<section>{''.join(parts)}</section>"


def _body(route: Schema, media: str) -> Schema | None:
    return route.get("requestBody", {}).get("content", {}).get(media, {}).get("schema")


def _response(status: str, answer: Schema, schema: Schema) -> str:
    contents = cast("dict[str, Schema]", answer.get("content", {}))
    media = next(iter(contents), "")
    told = escape(answer.get("description", ""))
    head = f"<p><strong>{escape(status)}</strong> {told} <code>{escape(media)}</code></p>"
    if not status.startswith("2"):
        return head
    return head + _fields(_resolve(contents.get(media, {}).get("schema", {}), schema), schema)


def _resolve(part: Schema, schema: Schema) -> Schema:
    name = part.get("$ref", "").rpartition("/")[2]
    return cast("Schema", schema["components"]["schemas"][name]) if name else part


def _fields(part: Schema, schema: Schema, prefix: str = "") -> str:
    rows = "".join(_rows(part, schema, prefix))
    return f'<div class="scroll"><table><tr><th>Field</th><th>Type</th><th></th></tr>{rows}</table></div>'


def _rows(part: Schema, schema: Schema, prefix: str) -> list[str]:
    rows: list[str] = []
    for name, field in cast("dict[str, Schema]", part.get("properties", {})).items():
        told = escape(field.get("description", ""))
        title = escape(prefix + name)
        rows.append(f"<tr><td><code>{title}</code></td><td>{escape(_type(field))}</td><td>{told}</td></tr>")
        inner = field.get("items", {})
        if "$ref" in inner:
            rows += _rows(_resolve(inner, schema), schema, f"{prefix}{name}[].")
    return rows


def _type(field: Schema) -> str:
    if "anyOf" in field:
        return " or ".join(_type(choice) for choice in field["anyOf"])
    if "enum" in field:
        return " | ".join(field["enum"])
    return str(field.get("type", ""))


def _example(path: str, base: str) -> str:
    body = json.dumps({"question": "Where is SO-10482?", "conversation": None})
    lines = (
        f"curl -s {base}{path}",
        "  -H 'Authorization: Bearer '\"$TOKEN\"",
        "  -H 'Content-Type: application/json'",
        f"  -d '{body}'",
    )
    call = " \\\n".join(lines)
    return f"<h3>Example</h3><pre><code>{escape(call)}</code></pre>"
