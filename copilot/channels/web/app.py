"""The web application: the API, the sign-in and the chat behind one set of walls."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request, Response

from copilot.channels.web.api import api_routes
from copilot.channels.web.app_root import lay_out
from copilot.channels.web.docs import docs_routes
from copilot.channels.web.door import Door
from copilot.channels.web.gate import Gate
from copilot.channels.web.problems import add_problem_handlers
from copilot.channels.web.redaction import RedactionPage
from copilot.channels.web.security import Walls, allowed_hosts
from copilot.channels.web.session import session_key
from copilot.channels.web.signin import DemoSignIn, SignIn, chat_or_sign_in
from copilot.channels.web.starters import Starters, starters_from_file
from copilot.domain.ports import Copilot
from copilot.settings import Settings

if TYPE_CHECKING:
    from copilot.identity.signon import SignOn

OnShutdown = Callable[[], Awaitable[None]]


def create_app(
    copilot: Copilot,
    settings: Settings,
    *,
    starters: Starters = starters_from_file,
    sign_on: SignOn | None = None,
    on_shutdown: OnShutdown | None = None,
) -> FastAPI:
    """The application over one copilot. Takes a few seconds, most of them for importing Chainlit.

    `starters` gives a person's first questions as (label, question); `sign_on` is there where a provider signs people
    in; `on_shutdown` runs when the server stops, after the last request.
    """
    load_chat(settings)
    from copilot.channels.web import chat  # noqa: PLC0415  it reads its environment, laid out above, when imported
    from copilot.channels.web.desk import Desk  # noqa: PLC0415  likewise

    door = Door(
        copilot=copilot, key=session_key(settings.home), cookie_for=chat.session_cookie,
        secure=settings.address.startswith("https:"), sign_on=sign_on,
    )  # fmt: skip
    app = FastAPI(
        title="ERP Copilot", version=_version(), docs_url=None, redoc_url=None, openapi_url=None,
        lifespan=_lifespan(on_shutdown),
    )  # fmt: skip
    add_problem_handlers(app)
    app.include_router(api_routes(copilot, door))
    app.include_router(docs_routes(app))
    app.include_router(RedactionPage(door).routes())
    app.include_router(_sign_in(door, settings).routes())
    app.include_router(_chat_pages(door, chat.chat_page()))
    app.mount("", Gate(chat.chat_app(Desk(copilot, door, starters)), door))
    app.add_middleware(Walls, hosts=allowed_hosts(settings.host, settings.public_url))
    return app


def load_chat(settings: Settings) -> None:
    """Lay out what Chainlit reads when it is imported, and import it: seconds, the first time."""
    lay_out(settings)
    importlib.import_module("copilot.channels.web.chat")


def _sign_in(door: Door, settings: Settings) -> SignIn:
    if door.sign_on is None:
        return DemoSignIn(door)
    from copilot.channels.web.oidc_signin import OidcSignIn  # noqa: PLC0415  only where a provider is set up

    return OidcSignIn(door=door, sign_on=door.sign_on, address=settings.address, clock=door.sign_on.clock)


def _chat_pages(door: Door, page: str) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    @router.get("/thread/{conversation}")
    async def chat_page(request: Request, conversation: str = "") -> Response:  # noqa: ARG001  the page reads its address
        return await chat_or_sign_in(request, door, page)

    return router


def _lifespan(on_shutdown: OnShutdown | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            if on_shutdown is not None:
                await on_shutdown()

    return lifespan


def _version() -> str:
    try:
        return version("erp-copilot")
    except PackageNotFoundError:
        return "0"
