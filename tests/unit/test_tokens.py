"""Access tokens: only ours, only for this, only for now."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from copilot.domain.clock import fixed_clock
from copilot.domain.principal import Principal
from copilot.domain.question import BearerToken, SessionSubject
from copilot.domain.session import Account, AccountState
from copilot.errors import SignInError
from copilot.identity.authenticate import Authenticator
from copilot.identity.tokens import LIFETIME, LocalTokens

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
Forge = Callable[..., str]


@pytest.fixture
def tokens(tmp_path: Path) -> LocalTokens:
    return LocalTokens(tmp_path, fixed_clock(NOW))


@pytest.fixture
def forge(tokens: LocalTokens, tmp_path: Path) -> Forge:
    """Sign anything with the real key, or with another one."""
    tokens.issue("rep.us")
    real = (tmp_path / "token.key").read_text().strip()

    def make(*, header: dict[str, Any] | None = None, key: str = real, **claims: Any) -> str:
        good = {"iss": "erp-copilot", "aud": "erp-copilot-api", "sub": "rep.us"}
        times = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}
        body = {k: v for k, v in {**good, **times, **claims}.items() if v is not None}
        head = {k: v for k, v in {"alg": "HS256", "typ": "at+jwt", **(header or {})}.items() if v is not None}
        return jwt.encode(head, body, OctKey.import_key(key), algorithms=["HS256", "HS384", "HS512"])

    return make


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_an_issued_token_names_its_person(tokens: LocalTokens, forge: Forge) -> None:
    assert tokens.subject(tokens.issue("rep.us")) == "rep.us"
    assert tokens.subject(forge()) == "rep.us"  # so that every refusal below is for its own reason


@pytest.mark.parametrize(
    "change",
    [
        {"key": "another key of a decent length, quite"},
        {"header": {"alg": "HS512"}},
        {"header": {"typ": None}},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "id_token+jwt"}},
        {"aud": "chainlit"},
        {"aud": ["other", "another"]},
        {"aud": None},
        {"iss": "https://login.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 1},
        {"exp": "tomorrow"},
        {"nbf": int(NOW.timestamp()) + 3600},
        {"iat": int(NOW.timestamp()) + 3600},
    ],
    ids=str,
)
def test_a_token_wrong_in_one_thing_is_refused(tokens: LocalTokens, forge: Forge, change: dict[str, Any]) -> None:
    with pytest.raises(SignInError):
        tokens.subject(forge(**change))


@pytest.mark.parametrize("subject", [["rep.us"], {"a": 1}, 7, True])
def test_a_subject_that_is_no_name_is_refused(tokens: LocalTokens, forge: Forge, subject: Any) -> None:
    with pytest.raises(SignInError):
        tokens.subject(forge(sub=subject))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_without_a_signature_is_refused(tokens: LocalTokens, forge: Forge, algorithm: str) -> None:
    body = forge().split(".")[1]
    with pytest.raises(SignInError):
        tokens.subject(f"{_part({'alg': algorithm, 'typ': 'at+jwt'})}.{body}.")


def test_a_payload_changed_after_signing_is_refused(tokens: LocalTokens, forge: Forge) -> None:
    head, _, signature = forge().split(".")
    claims = {"iss": "erp-copilot", "aud": "erp-copilot-api", "sub": "finance", "exp": int(NOW.timestamp()) + 60}
    with pytest.raises(SignInError):
        tokens.subject(f"{head}.{_part(claims)}.{signature}")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "a.b.c.d.e", "no token", "\u00e9.\u00e9.\u00e9", "x" * 10_000]
)
def test_what_is_no_token_is_refused(tokens: LocalTokens, token: str) -> None:
    with pytest.raises(SignInError):
        tokens.subject(token)


@pytest.mark.parametrize("header", [[], "text", 7, None, {}, {"alg": 7}, {"alg": "HS256", "crit": ["x"], "x": 1}])
def test_a_header_that_is_none_of_ours_is_refused_and_no_error(tokens: LocalTokens, forge: Forge, header: Any) -> None:
    _, body, signature = forge().split(".")
    with pytest.raises(SignInError):
        tokens.subject(f"{_part(header)}.{body}.{signature}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_no_changed_character_is_accepted(tokens: LocalTokens, data: st.DataObject) -> None:
    token = tokens.issue("rep.us")
    position = data.draw(st.integers(0, len(token) - 2))  # the last one has bits that mean nothing
    other = data.draw(st.sampled_from("AZaz09-_.=\n é"))
    if token[position] != other:
        with pytest.raises(SignInError):
            tokens.subject(token[:position] + other + token[position + 1 :])


def test_a_token_ends_after_eight_hours(tmp_path: Path) -> None:
    token = LocalTokens(tmp_path, fixed_clock(NOW)).issue("rep.us")
    assert timedelta(hours=8) == LIFETIME
    assert LocalTokens(tmp_path, fixed_clock(NOW + LIFETIME - timedelta(seconds=1))).subject(token) == "rep.us"
    with pytest.raises(SignInError, match="expired"):
        LocalTokens(tmp_path, fixed_clock(NOW + LIFETIME + timedelta(seconds=1))).subject(token)


def test_a_token_of_another_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    token = LocalTokens(tmp_path / "a", fixed_clock(NOW)).issue("rep.us")
    with pytest.raises(SignInError):
        LocalTokens(tmp_path / "b", fixed_clock(NOW)).subject(token)


def test_the_key_is_long_kept_and_readable_by_nobody_else(tokens: LocalTokens, tmp_path: Path) -> None:
    tokens.issue("rep.us")
    file = tmp_path / "token.key"
    key = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 48
    tokens.issue("rep.de")
    assert file.read_text() == key


def test_an_empty_key_signs_and_opens_nothing(tmp_path: Path) -> None:
    """A full disk can leave an empty file behind."""
    (tmp_path / "token.key").write_text("")
    tokens = LocalTokens(tmp_path, fixed_clock(NOW))
    with pytest.raises(Exception, match=r"key"):
        tokens.issue("rep.us")
    body = _part({"iss": "erp-copilot", "aud": "erp-copilot-api", "sub": "finance", "exp": int(NOW.timestamp()) + 60})
    with pytest.raises(SignInError):
        tokens.subject(f"{_part({'alg': 'HS256', 'typ': 'at+jwt'})}.{body}.AAAA")


class _People:
    """Knows everybody and remembers who was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime]] = []

    async def principal(self, subject: str, now: datetime) -> Principal:
        self.asked.append((subject, now))
        return Principal(subject=subject, name=subject, home_region=None, grants=())

    async def account(self, account: Account) -> AccountState | None:
        raise AssertionError(account)

    async def label_ids(self) -> Mapping[str, Mapping[str, int]]:
        raise AssertionError


async def test_grants_are_read_afresh_for_every_question(tokens: LocalTokens) -> None:
    people = _People()
    authenticate = Authenticator(people, fixed_clock(NOW), tokens=tokens)
    for _ in range(2):
        assert (await authenticate(BearerToken(tokens.issue("rep.us")))).subject == "rep.us"
    await authenticate(SessionSubject("rep.de"))
    assert people.asked == [("rep.us", NOW), ("rep.us", NOW), ("rep.de", NOW)]


async def test_a_forged_token_never_reaches_the_directory(tokens: LocalTokens) -> None:
    people = _People()
    with pytest.raises(SignInError):
        await Authenticator(people, fixed_clock(NOW), tokens=tokens)(BearerToken("a.b.c"))
    assert people.asked == []


async def test_no_token_is_valid_where_there_are_none_of_our_own(tokens: LocalTokens) -> None:
    people = _People()
    with pytest.raises(SignInError, match="not set up"):
        await Authenticator(people, fixed_clock(NOW))(BearerToken(tokens.issue("rep.us")))
    assert people.asked == []
