"""A server with canned answers and a headless Chromium that notes everything it asks of anywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.company import Company, made_company

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("SHOTS")
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the canned server, which must stop cleanly on SIGTERM."""
    command = [sys.executable, str(Path(__file__).with_name("fake_copilot.py")), "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            code = process.wait(20)
        assert (rest.strip(), code) == ("stopped", 0)


@pytest.fixture(scope="session")
def company() -> Iterator[Company]:
    """The small demo company, made in another thread: in this one the browser's driver has its event loop."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        yield thread.submit(stack.enter_context, made_company()).result()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=CHROMIUM)
        yield browser
        browser.close()


@dataclass
class Desk:
    """One person's window."""

    page: Page
    server: str
    besides: tuple[str, ...] = ()
    """Addresses of others that the page may lead to."""
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, subject: str = "rep.us") -> Desk:
        self.page.goto(self.server)
        self.page.click(f"button[value='{subject}']")
        self.page.wait_for_selector("#chat-input")
        self.page.wait_for_selector("#starters button:not([disabled])")
        return self

    def ask(self, question: str) -> Desk:
        """Ask and wait for the answer's card."""
        before = self.page.locator("[data-testid=answer-card]").count()
        self.type(question)
        self.page.locator("[data-testid=answer-card]").nth(before).wait_for()
        return self

    def type(self, question: str) -> Desk:
        self.page.click("#chat-input")
        self.page.keyboard.type(question)
        self.page.wait_for_selector("#chat-submit:not([disabled])")  # the page is connected by now
        self.page.keyboard.press("Enter")
        return self

    def shot(self, name: str, page: Page | None = None) -> None:
        """A picture, of another tab where one is given, for whoever looks at them: `SHOTS=folder`."""
        if SHOTS:
            page = page or self.page
            page.wait_for_timeout(500)
            page.screenshot(path=Path(SHOTS) / f"{name}.png")


Open = Callable[..., Desk]


@pytest.fixture
def open_desk(chromium: Browser, server: str) -> Iterator[Open]:
    """Opens windows; at the end none may have asked anything of another host."""
    with windows(chromium, server) as open_:
        yield open_


@contextmanager
def windows(chromium: Browser, server: str, *besides: str) -> Iterator[Open]:
    """Opens windows to a server; at the end none may have asked anything of another host, and none of the server's
    pages may have complained."""
    desks: list[Desk] = []

    def open_(*, dark: bool = False, width: int = 1280, height: int = 900) -> Desk:
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        desk = Desk(context.new_page(), server, besides)
        watch(desk, desk.page)
        desks.append(desk)
        return desk

    yield open_
    for desk in desks:
        desk.page.context.close()
        assert desk.strangers == []
        assert desk.complaints == []


def watch(desk: Desk, page: Page) -> None:
    """Note what a page asks for, and what goes wrong in it."""
    page.set_default_timeout(15_000)
    page.on("request", lambda request: _note(desk, request.url))
    page.on("websocket", lambda socket: _note(desk, socket.url.replace("ws://", "http://")))
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    page.on("console", lambda said: desk.complaints.append(said.text) if _ours(desk, said) else None)


def _ours(desk: Desk, said: ConsoleMessage) -> bool:
    return said.type == "error" and not said.location["url"].startswith(desk.besides)


def _note(desk: Desk, url: str) -> None:
    if not url.startswith((desk.server, *desk.besides, "data:", "blob:")):
        desk.strangers.append(url)
