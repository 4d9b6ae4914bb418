"""Chainlit, with its hooks handed to the desk. The one module that touches its global configuration.

Importing this takes seconds and reads the environment: `app_root.lay_out` comes first.
"""

from __future__ import annotations

import logging

import chainlit as cl
from chainlit import data
from chainlit.auth.jwt import create_jwt
from chainlit.config import config
from chainlit.server import app as chainlit_app
from chainlit.server import get_html_template  # pyright: ignore[reportUnknownVariableType]
from starlette.types import ASGIApp

from copilot.channels.web.data_layer import ConversationLayer
from copilot.channels.web.desk import Desk
from copilot.channels.web.page import without_strangers
from copilot.channels.web.session import Ticket

logging.getLogger("chainlit").setLevel(logging.WARNING)


def chat_app(desk: Desk) -> ASGIApp:
    """Chainlit as an application to mount, answering with this desk."""
    data._data_layer_initialized = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  a second application in one process brings its own copilot
    data._data_layer = None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    cl.data_layer(lambda: ConversationLayer(desk.copilot))
    cl.set_starters(desk.starters_for)
    # without Chainlit's decorators: those wrap each in a run of their own, and ours is named by the audit
    config.code.on_chat_start = desk.begin
    config.code.on_chat_resume = desk.reopen
    config.code.on_message = desk.ask
    config.ui.default_theme = "system"  # pyright: ignore[reportAttributeAccessIssue]  the page knows it, the file's check not
    return chainlit_app


def chat_page() -> str:
    """The page of the chat, with nothing in it that leads away from this server."""
    return without_strangers(get_html_template(""))


def session_cookie(ticket: Ticket, name: str) -> str:
    """The value of the session cookie of one person."""
    return create_jwt(cl.User(identifier=ticket.subject, display_name=name, metadata=ticket.metadata()))
