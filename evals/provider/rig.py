"""Runs the provider: installs it once, starts it, changes its accounts and its keys, and signs people in as a browser
does, by its own pages."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from joserfc.jwk import RSAKey

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", "provider.mjs")
_MOST_STEPS = 12
_INSTALL_SECONDS = 180
_STOP_SECONDS = 5
API = "https://copilot.test/api"
"""The audience of access tokens for our API."""


def lacks() -> str | None:
    """What is missing on this machine to run it."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"no {' and no '.join(missing)} on the PATH" if missing else None


class ProviderMissingError(RuntimeError):
    """The provider's package is not to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client that the provider knows."""

    client_id: str
    secret: str = field(repr=False)
    redirect: str

    def registered(self, **more: Any) -> dict[str, Any]:
        """As the provider has it."""
        return {
            "client_id": self.client_id, "client_secret": self.secret, "redirect_uris": [self.redirect],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "response_types": ["code"], **more,
        }  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ProviderRig:
    """A provider on this machine. `seconds` is how long its id and access tokens last."""

    folder: Path
    port: int
    clients: Sequence[Mapping[str, Any]]
    seconds: int = 600
    keys: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def account(self, name: str, *groups: str, enabled: bool = True) -> None:
        """Add or change an account."""
        self.accounts[name] = {"name": name.title(), "groups": list(groups), "enabled": enabled}
        self._write()

    def rotate(self) -> None:
        """Start again with another signing key."""
        self.stop()
        self.keys = [new_key()]
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.keys = self.keys or [new_key()]
        self._write()
        settings = {
            "issuer": self.issuer, "port": self.port, "accounts": str(self._file), "jwks": {"keys": self.keys},
            "clients": list(self.clients), "audience": API, "seconds": self.seconds,
        }  # fmt: skip
        self.process = subprocess.Popen(
            ["node", "provider.mjs"], cwd=self.folder, env={**os.environ, "PROVIDER": json.dumps(settings)},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None  # noqa: S101 -- asked for above
        for line in self.process.stdout:
            if line.startswith("listening"):
                return
        raise RuntimeError("the provider did not start")

    def stop(self) -> None:
        """Stop it; nothing where it is not running."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def forget(self) -> None:
        """Remove the file of its accounts."""
        self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return self.folder / f"accounts-{self.port}.json"

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self.accounts))
        part.replace(self._file)


def new_key() -> dict[str, Any]:
    """A signing key with a name of its own."""
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
    return dict(key.as_dict(private=True))


@contextmanager
def open_provider(build: Path, clients: Sequence[Mapping[str, Any]], *, seconds: int = 600) -> Generator[ProviderRig]:
    """The provider, running; its package is installed under `build` on first use."""
    rig = ProviderRig(folder=installed(build / "provider"), port=free_port(), clients=clients, seconds=seconds)
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()
        rig.forget()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def installed(folder: Path) -> Path:
    """The package as the lock file has it; nothing of it runs while it is installed. Raises ProviderMissingError."""
    lock = (_HERE / "package-lock.json").read_bytes()
    done = folder / "installed.lock"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(_HERE / name, folder / name)
    if not done.exists() or done.read_bytes() != lock:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run(command, cwd=folder, check=True, timeout=_INSTALL_SECONDS, stdout=subprocess.DEVNULL)
        except (subprocess.SubprocessError, OSError) as error:
            raise ProviderMissingError(f"oidc-provider could not be installed: {type(error).__name__}") from error
        done.write_bytes(lock)
    return folder.absolute()


def sign_in(browser: httpx.Client, start: str, account: str, back: str) -> str:
    """Follow a sign-in through the provider's own pages, as a browser does; returns the address it leads back to.

    `browser` keeps the cookies; `back` is how that address begins.
    """
    answer = browser.get(start)
    for _ in range(_MOST_STEPS):
        if answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if address.startswith(back):
                return address
            answer = browser.get(address)
            continue
        form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        if form is None or prompt is None:
            raise RuntimeError(f"the provider showed no form but {answer.status_code}: {answer.text[:200]}")
        values = (
            {"prompt": prompt[1], "login": account, "password": "x"} if prompt[1] == "login" else {"prompt": prompt[1]}
        )
        answer = browser.post(urljoin(str(answer.url), html.unescape(form[1])), data=values)
    raise RuntimeError("the sign-in went round in circles")
