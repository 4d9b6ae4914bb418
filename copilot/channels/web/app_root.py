"""The folder Chainlit takes for its own: our settings, texts and public files, laid out afresh at every start.

Chainlit writes into its application root (translations, uploaded files) and reads the environment when it is
imported, so both are settled here first. The folder is in the data folder, never in the checkout.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import cast

from copilot.channels.web.session import SESSION_COOKIE, session_key
from copilot.errors import StartupError
from copilot.settings import Settings

_OURS = Path(__file__).with_name("root")
_FOREIGN_SETTINGS = ("CHAINLIT_", "LITERAL_", "OAUTH_", "SLACK_", "TEAMS_", "DISCORD_")

Texts = dict[str, "str | Texts"]


def lay_out(settings: Settings) -> Path:
    """Make Chainlit's application root and point its environment at it. Returns the root. Call before importing it."""
    root = settings.home / "web"
    try:
        _fill(root)
    except OSError as error:
        raise StartupError(f"The folder {str(root)!r} cannot be written: {error.strerror}.") from error
    _set_environment(root, session_key(settings.home))
    return root


def _fill(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(_OURS / "public", root / "public")
    translations = root / ".chainlit" / "translations"
    translations.mkdir(parents=True)
    shutil.copyfile(_OURS / "config.toml", root / ".chainlit" / "config.toml")
    shutil.copyfile(_OURS / "welcome.md", root / "chainlit.md")
    shutil.copyfile(_OURS / "welcome.md", root / "chainlit_en-US.md")
    (translations / "en-US.json").write_text(json.dumps(_texts()), encoding="utf-8")


def _set_environment(root: Path, key: str) -> None:
    for name in [name for name in os.environ if name.startswith(_FOREIGN_SETTINGS)]:
        del os.environ[name]
    os.environ.update(
        CHAINLIT_APP_ROOT=str(root),
        CHAINLIT_ROOT_PATH="",
        CHAINLIT_CUSTOM_AUTH="1",
        CHAINLIT_AUTH_SECRET=key,
        CHAINLIT_AUTH_COOKIE_NAME=SESSION_COOKIE,
        CHAINLIT_COOKIE_SAMESITE="lax",
        TRACELOOP_TELEMETRY="false",  # of a library it brings along
    )


def _texts() -> Texts:
    """Chainlit's English texts with ours over them."""
    spec = importlib.util.find_spec("chainlit")
    if spec is None or spec.origin is None:
        raise StartupError("The chat is not installed. Run `make run`, which installs everything from the lock file.")
    theirs = Path(spec.origin).with_name("translations") / "en-US.json"
    return _over(_read(theirs), _read(_OURS / "texts.json"))


def _read(path: Path) -> Texts:
    return cast("Texts", json.loads(path.read_text(encoding="utf-8")))


def _over(below: Texts, above: Texts) -> Texts:
    merged = dict(below)
    for name, text in above.items():
        under = merged.get(name)
        merged[name] = _over(under, text) if isinstance(under, dict) and isinstance(text, dict) else text
    return merged
