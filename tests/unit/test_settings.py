"""Settings: defaults, what the operator set, and one clear sentence for what can't be used."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from pathlib import Path

import pytest

from copilot import settings as settings_module
from copilot.errors import CopilotError, SettingsError
from copilot.settings import SessionSettings, Settings, read_settings


def test_nothing_set_means_embedded_on_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module.os, "geteuid", lambda: 1000)
    settings = read_settings({})
    assert settings.embedded
    assert (settings.host, settings.port, settings.language) == ("127.0.0.1", 8000, "en")
    assert settings.home.is_absolute()
    assert settings.home.name == "erp-copilot"


def test_root_keeps_its_data_where_another_user_can_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module.os, "geteuid", lambda: 0)
    assert read_settings({}).home == Path("/var/lib/erp-copilot")


def test_what_is_set_is_taken() -> None:
    settings = read_settings(
        {
            "COPILOT_HOME": "/srv/copilot",
            "COPILOT_DATABASE_URL": "postgresql://db/erp",
            "COPILOT_HOST": "0.0.0.0",
            "COPILOT_PORT": "9000",
            "COPILOT_LANGUAGE": "./ours",
        }
    )
    assert settings == Settings(
        home=Path("/srv/copilot"), database_url="postgresql://db/erp", host="0.0.0.0", port=9000, language="./ours"
    )
    assert not settings.embedded


def test_set_but_empty_is_not_set() -> None:
    empty = dict.fromkeys(
        ["COPILOT_HOME", "COPILOT_DATABASE_URL", "COPILOT_HOST", "COPILOT_PORT", "COPILOT_LANGUAGE"], ""
    )
    assert read_settings(empty) == read_settings({})


def test_the_data_folder_is_absolute_and_knows_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/jo")
    assert read_settings({"COPILOT_HOME": "data"}).home == tmp_path / "data"
    assert read_settings({"COPILOT_HOME": "~/data"}).home == Path("/home/jo/data")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.5", "http", " 80", "1e3", "²"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(SettingsError, match="COPILOT_PORT") as caught:
        read_settings({"COPILOT_PORT": port})
    assert repr(port) in str(caught.value)
    assert caught.value.code == "settings"


@pytest.mark.parametrize("port", ["1", "65535"])
def test_the_outermost_ports_are_ports(port: str) -> None:
    assert read_settings({"COPILOT_PORT": port}).port == int(port)


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings({}).port = 1  # type: ignore[misc]


def test_every_error_has_a_code_of_its_own_and_a_sentence() -> None:
    def all_of(kind: type[CopilotError]) -> list[type[CopilotError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in all_of(child))]

    ours = [each for each in all_of(CopilotError) if each.__module__ == "copilot.errors"]
    codes = [each.code for each in ours]
    assert len(codes) == len(set(codes))
    for each in ours:
        assert str(each()).endswith(".")
        assert str(each("told")) == "told"


def test_what_is_promised_of_sessions_can_be_made_shorter_never_longer() -> None:
    names = ("MINUTES", "CONFIRM_MINUTES", "OFFLINE_MINUTES", "TOKEN_MINUTES")
    sessions = read_settings({f"COPILOT_SESSION_{name}": "5" for name in names}).sessions
    five = timedelta(minutes=5)
    assert (sessions.lasts, sessions.confirm_after, sessions.word_holds, sessions.token_holds) == (five,) * 4
    assert read_settings({}).sessions == SessionSettings()
    for name, too_long in zip(names, ("481", "11", "61", "11"), strict=True):
        for wrong in (too_long, "0", "-1", "five", "²"):
            with pytest.raises(SettingsError, match=f"COPILOT_SESSION_{name} is {wrong!r}"):
                read_settings({f"COPILOT_SESSION_{name}": wrong})
    with pytest.raises(SettingsError, match="OFFLINE"):
        read_settings({"COPILOT_SESSION_OFFLINE_MINUTES": "4"})


@pytest.mark.parametrize("wrong", ["scope=all", "state=x&a=b", "prompt=a&prompt=b", "prompt", "redirect_uri=https://x"])
def test_a_setting_does_not_say_what_a_sign_in_says_itself(wrong: str) -> None:
    given = {"COPILOT_OIDC_ISSUER": "https://id.test", "COPILOT_OIDC_CLIENT_ID": "us"}
    more = read_settings({**given, "COPILOT_OIDC_AUTHORIZE": "access_type=offline&prompt=consent"}).oidc
    assert more is not None
    assert more.authorize == (("access_type", "offline"), ("prompt", "consent"))
    with pytest.raises(SettingsError, match="COPILOT_OIDC_AUTHORIZE"):
        read_settings({**given, "COPILOT_OIDC_AUTHORIZE": wrong})


def test_the_file_of_the_models_is_in_the_data_folder_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert read_settings({"COPILOT_HOME": str(tmp_path)}).models == tmp_path / "models.yaml"
    said = read_settings({"COPILOT_HOME": str(tmp_path), "COPILOT_MODELS": str(tmp_path / "other.yaml")})
    assert said.models == tmp_path / "other.yaml"
