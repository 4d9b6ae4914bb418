"""Settings from the environment, read once, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import platformdirs

from copilot.errors import SettingsError

_SCOPE = "openid profile offline_access"
_GROUPS_CLAIM = "groups"
REFUSALS = 20
"""Refused tokens of a sender and minute that leave a row each, where nothing else is set."""


_OURS = frozenset({
    "client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "request", "request_uri",
    "response_mode", "response_type", "scope", "state",
})  # fmt: skip
"""What a sign-in says by itself, and no setting may."""


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """How long things hold for people whom a provider signs in. What is promised can be made shorter, never longer.

    COPILOT_SESSION_MINUTES          a session, whatever is done in it (480, which is the most)
    COPILOT_SESSION_CONFIRM_MINUTES  the provider's word on an account, before it is asked again (5; at most 10)
    COPILOT_SESSION_OFFLINE_MINUTES  its last word, while it can't be asked (60, which is the most)
    COPILOT_SESSION_TOKEN_MINUTES    an access token after its issue, unless it vouched since (10, which is the most)
    """

    lasts: timedelta = timedelta(minutes=480)
    confirm_after: timedelta = timedelta(minutes=5)
    word_holds: timedelta = timedelta(minutes=60)
    token_holds: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """An OpenID Connect provider: Entra ID, Okta, Keycloak, Auth0, Google or another that can be discovered.

    COPILOT_OIDC_ISSUER         its address, exactly as it calls itself
    COPILOT_OIDC_CLIENT_ID      how it knows us
    COPILOT_OIDC_CLIENT_SECRET  what proves us to it; none for a public client
    COPILOT_OIDC_AUDIENCE       the audience of access tokens for our API; without it the API takes none
    COPILOT_OIDC_SCOPE          what is asked for (openid profile offline_access)
    COPILOT_OIDC_GROUPS_CLAIM   the claim that lists a person's groups (groups)
    COPILOT_OIDC_GROUPS_FILE    what those groups mean here (groups.yaml in the data folder)
    COPILOT_OIDC_AUTHORIZE      what the provider wants said besides at a sign-in, such as access_type=offline
    """

    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    audience: str | None = None
    scope: str = _SCOPE
    groups_claim: str = _GROUPS_CLAIM
    groups_file: Path
    authorize: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator set.

    COPILOT_HOME          the data folder (embedded database, keys, audit checkpoint)
    COPILOT_DATABASE_URL  a PostgreSQL to use instead of the embedded one, as a role that may create roles and schemas
    COPILOT_HOST, _PORT   where the web front end listens
    COPILOT_LANGUAGE      the language questions are heard and answered in: one that is shipped, or a folder of another
    COPILOT_PUBLIC_URL    the address people reach the web front end by, where that is another
    COPILOT_REFUSALS      how many refused tokens of a sender and minute have a row each; others are counted
    COPILOT_OIDC_…        the identity provider; see OidcSettings
    COPILOT_PLACE         the region that this program runs in, where the policy says what may be processed where
    COPILOT_SIGNERS       whose keys sign the policy (signers.yaml in the data folder)
    COPILOT_TRACES        the address that traces go to, of an OpenTelemetry collector (OTLP over HTTP); masked
    COPILOT_METRICS       the address that metrics go to, likewise
    COPILOT_MODELS        the models that may help, and for what (models.yaml in the data folder)
    COPILOT_NAMES_MODEL   a spaCy model, by name or folder, that recognizes names that no record knows
    COPILOT_SESSION_…     how long its word and its sessions hold; see SessionSettings
    """

    home: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    language: str = "en"
    public_url: str | None = None
    oidc: OidcSettings | None = None
    sessions: SessionSettings = SessionSettings()
    refusals: int = REFUSALS
    place: str = ""
    signers_file: Path | None = None
    traces: str | None = None
    metrics: str | None = None
    names_model: str | None = None
    models_file: Path | None = None

    @property
    def signers(self) -> Path:
        """The file that says whose keys sign the policy."""
        return self.signers_file or self.home / "signers.yaml"

    @property
    def models(self) -> Path:
        """The file that says which models there are; the rules answer alone where there is none."""
        return self.models_file or self.home / "models.yaml"

    @property
    def address(self) -> str:
        """Where people reach the web front end, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one; demo people and tokens exist only then."""
        return self.database_url is None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises SettingsError naming the variable and its value."""
    env = os.environ if environment is None else environment
    home = Path(env.get("COPILOT_HOME") or _default_home()).expanduser().absolute()
    return Settings(
        home=home,
        database_url=env.get("COPILOT_DATABASE_URL") or None,
        host=env.get("COPILOT_HOST") or "127.0.0.1",
        port=_port(env.get("COPILOT_PORT") or "8000"),
        language=env.get("COPILOT_LANGUAGE") or "en",
        public_url=_url(env.get("COPILOT_PUBLIC_URL")),
        place=env.get("COPILOT_PLACE") or "",
        traces=_collector(env, "COPILOT_TRACES"),
        metrics=_collector(env, "COPILOT_METRICS"),
        names_model=env.get("COPILOT_NAMES_MODEL") or None,
        signers_file=_file(env.get("COPILOT_SIGNERS")),
        models_file=_file(env.get("COPILOT_MODELS")),
        oidc=_oidc(env, home),
        sessions=_sessions(env),
        refusals=_number(env, "COPILOT_REFUSALS", REFUSALS, 1, 100_000),
    )


def _file(said: str | None) -> Path | None:
    return Path(said).expanduser().absolute() if said else None


def _sessions(env: Mapping[str, str]) -> SessionSettings:
    usual = SessionSettings()
    confirm = _minutes(env, "COPILOT_SESSION_CONFIRM_MINUTES", usual.confirm_after, 1, 10)
    holds = _minutes(env, "COPILOT_SESSION_OFFLINE_MINUTES", usual.word_holds, 1, 60)
    if holds < confirm:
        raise SettingsError("COPILOT_SESSION_OFFLINE_MINUTES is less than COPILOT_SESSION_CONFIRM_MINUTES")
    return SessionSettings(
        lasts=_minutes(env, "COPILOT_SESSION_MINUTES", usual.lasts, 5, 480),
        confirm_after=confirm,
        word_holds=holds,
        token_holds=_minutes(env, "COPILOT_SESSION_TOKEN_MINUTES", usual.token_holds, 1, 10),
    )


def _minutes(env: Mapping[str, str], name: str, usual: timedelta, least: int, most: int) -> timedelta:
    return timedelta(minutes=_number(env, name, int(usual / timedelta(minutes=1)), least, most))


def _number(env: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = env.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise SettingsError(f"{name} is {text!r}; it must be a whole number from {least} to {most}")
    return int(text)


def _oidc(env: Mapping[str, str], home: Path) -> OidcSettings | None:
    issuer, client = env.get("COPILOT_OIDC_ISSUER"), env.get("COPILOT_OIDC_CLIENT_ID")
    if not issuer and not client:
        return None
    if not issuer or not client:
        missing = "COPILOT_OIDC_CLIENT_ID" if issuer else "COPILOT_OIDC_ISSUER"
        raise SettingsError(f"{missing} is not set; signing in through a provider needs its issuer and our client id")
    scope = env.get("COPILOT_OIDC_SCOPE") or _SCOPE
    if "openid" not in scope.split():
        raise SettingsError(f"COPILOT_OIDC_SCOPE is {scope!r}; `openid` must be in it")
    audience = env.get("COPILOT_OIDC_AUDIENCE") or None
    if audience == client:
        raise SettingsError("COPILOT_OIDC_AUDIENCE is our client id: id tokens would pass for access tokens to our API")
    return OidcSettings(
        issuer=issuer,
        client_id=client,
        secret=env.get("COPILOT_OIDC_CLIENT_SECRET") or None,
        audience=audience,
        scope=scope,
        groups_claim=env.get("COPILOT_OIDC_GROUPS_CLAIM") or _GROUPS_CLAIM,
        groups_file=Path(env.get("COPILOT_OIDC_GROUPS_FILE") or home / "groups.yaml").expanduser().absolute(),
        authorize=_authorize(env.get("COPILOT_OIDC_AUTHORIZE") or ""),
    )


def _authorize(text: str) -> tuple[tuple[str, str], ...]:
    """Parameters as in an address: name=value&name=value."""
    try:
        found = tuple(parse_qsl(text, strict_parsing=True)) if text else ()
    except ValueError as error:
        raise SettingsError(
            f"COPILOT_OIDC_AUTHORIZE is {text!r}; it must be like access_type=offline&prompt=consent"
        ) from error
    names = [name for name, _ in found]
    taken = next((name for name in names if name in _OURS or names.count(name) > 1), None)
    if taken is not None:
        raise SettingsError(f"COPILOT_OIDC_AUTHORIZE says {taken!r}, which a sign-in says by itself, or says it twice")
    return found


def _url(text: str | None) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError(
            f"COPILOT_PUBLIC_URL is {text!r}; it must be an address such as https://copilot.example.com"
        )
    return text.rstrip("/")


def _collector(env: Mapping[str, str], name: str) -> str | None:
    """The whole address that is sent to: a collector has a path for each kind."""
    text = env.get(name) or None
    parts = urlsplit(text or "")
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        raise SettingsError(f"{name} is {text!r}; it must be an address such as http://localhost:4318/v1/traces")
    return text


def _default_home() -> str:
    if os.geteuid() == 0:
        # PostgreSQL runs as another user then, and can't reach into root's home.
        return "/var/lib/erp-copilot"
    return platformdirs.user_data_dir("erp-copilot")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError(f"COPILOT_PORT is {text!r}; it must be a number between 1 and 65535")
    return int(text)
