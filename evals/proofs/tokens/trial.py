"""tokens: whatever is changed about a token of a real provider, it is refused with 401 and leaves a row; as it was, it
is taken. Access tokens come in through the API, id tokens through a whole sign-in of which the provider's answer is
tampered with, logout tokens through the back channel."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import psycopg

from copilot.identity.client import OidcClient
from copilot.identity.signon import SignOn
from evals.company import Company, open_company, running
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from evals.proofs.tokens.forging import Claims, Forge, Real, flips, forgeries, signed
from evals.provider.rig import ProviderRig, lacks, open_provider
from evals.provider.scene import CLIENTS, OTHER, US, WEB, Front, front, tokens_of

_GROUPS = {"planners": {"role": "planner"}, "reps": {"role": "customer_service", "regions": ["US"]}}
_ACCOUNTS = {"ada": "planners", "ben": "reps"}
_QUESTION = "how many open orders are there"
_EVERY = 25
"""Of the cases, one real token for every so many forged ones."""
_SAMPLE = 24
_KINDS = ("access", "id", "logout")
_LASTS = 7_200
_REFUSED = 401
_NOT_TAKEN = 400


@dataclass(slots=True)
class Tamperer:
    """Who changes the id token on its way; nobody does where there is no forgery."""

    forge: Forge | None = None
    real: Real | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampered(OidcClient):
    """The web front end's client, with somebody between it and the provider."""

    tamperer: Tamperer

    async def _asked(self, method: str, address: str, **values: str) -> Mapping[str, Any]:
        found = await OidcClient._asked(self, method, address, **values)  # noqa: SLF001 -- its own
        forge, real = self.tamperer.forge, self.tamperer.real
        if forge is None or real is None:
            return found
        return {**found, "id_token": forge(replace(real, token=str(found["id_token"])))}


@dataclass(slots=True)
class TokensTrial:
    """The suite, opened."""

    site: Front
    tamperer: Tamperer
    provider: ProviderRig
    dsn: str = field(repr=False)
    real: Mapping[str, Real]
    flipped: Mapping[str, str]
    setting: Setting
    cases: Sequence[str] = ()

    def __post_init__(self) -> None:
        named = [f"{kind}: {name}" for kind in _KINDS for name in forgeries(kind)]
        forged = [*named, *(f"access: {name}" for name in self.flipped)]
        controls = [f"{kind}: as it was {n}" for n in range(len(forged) // _EVERY + 1) for kind in _KINDS]
        self.cases = [*controls[: len(_KINDS)], *forged, *controls[len(_KINDS) :]]
        if self.setting.sample:
            drawn = Random(self.setting.seed).sample(forged, _SAMPLE)
            self.cases = [*controls[: len(_KINDS)], *drawn]

    async def run(self, case: str) -> Result:
        """One token."""
        kind, _, name = case.partition(": ")
        forge = None if name.startswith("as it was") else forgeries(kind).get(name, lambda _: self.flipped[name])
        before = self._rows()
        faults = [fault async for fault in getattr(self, f"_{kind}")(forge)]
        if forge is not None and self._rows() != before + 1:
            faults.append(f"it left {self._rows() - before} rows in the audit")
        return Result(
            case=case, failures=tuple(faults), counts={f"{kind}_{'refused' if forge else 'taken'}": not faults}
        )

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """Every forgery refused says nothing where the real ones are refused too."""
        enough = all(counts.get(f"{kind}_taken", 0) and counts.get(f"{kind}_refused", 0) for kind in _KINDS)
        controls = sum("as it was" in case for case in self.cases)
        taken = sum(counts.get(f"{kind}_taken", 0) for kind in _KINDS)
        return Finding(met=enough, more={"permitted_right": round(taken / max(1, controls), 4)})

    async def _access(self, forge: Forge | None) -> AsyncGenerator[str]:
        self.site.browser.cookies.clear()
        real = self.real["access"]
        answer = await self.site.ask(_QUESTION, forge(real) if forge else real.token)
        if forge and answer.status_code != _REFUSED:
            yield f"the API answered {answer.status_code}"
        if not forge and (not answer.is_success or answer.json()["verdict"] != "verified"):
            yield f"a real token was answered with {answer.status_code}"

    async def _id(self, forge: Forge | None) -> AsyncGenerator[str]:
        self.site.browser.cookies.clear()
        self.tamperer.forge, self.tamperer.real = forge, self.real["id"]
        landed = await self.site.come_in("ben")
        answer = await self.site.ask(_QUESTION)
        if forge and (landed.status_code, answer.status_code) != (_REFUSED, _REFUSED):
            yield f"the sign-in came to {landed.status_code}, a question after it to {answer.status_code}"
        if not forge and (not answer.is_success or answer.json()["verdict"] != "verified"):
            yield f"a real sign-in came to {landed.status_code}, a question after it to {answer.status_code}"

    async def _logout(self, forge: Forge | None) -> AsyncGenerator[str]:
        self.site.browser.cookies.clear()
        self.tamperer.forge = None
        await self.site.come_in("ben")
        real = replace(self.real["logout"], token=self._logout_token("ben"))
        sent = {"logout_token": forge(real) if forge else real.token}
        answer = await self.site.browser.post(f"{US}/signin/backchannel", data=sent)
        after = await self.site.ask(_QUESTION)
        if forge and (answer.status_code, after.is_success) != (_NOT_TAKEN, True):
            yield f"the back channel answered {answer.status_code}, and a question after it got {after.status_code}"
        if not forge and (answer.is_success, after.status_code) != (True, _REFUSED):
            yield f"a real logout was answered with {answer.status_code}, a question after it with {after.status_code}"

    def _logout_token(self, account: str) -> str:
        now = int(datetime.now(UTC).timestamp())
        claims: Claims = {
            "iss": self.provider.issuer, "aud": WEB.client_id, "iat": now, "exp": now + 120, "jti": str(uuid4()),
            "sub": account, "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }  # fmt: skip
        return signed(claims, self.provider.keys[0], typ="logout+jwt")

    def _rows(self) -> int:
        with psycopg.connect(self.dsn) as admin:
            row = admin.execute("select count(*) from audit.entry where kind = 'sign_in'").fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def open_trial(company: Company, database: str, setting: Setting, build: Path) -> AsyncGenerator[TokensTrial]:
    """The suite over a database of the company."""
    home = company.home / f"tokens-{database}"
    with open_provider(build, CLIENTS, seconds=_LASTS) as provider, open_provider(build, CLIENTS) as elsewhere:
        for rig in (provider, elsewhere):
            for account, group in _ACCOUNTS.items():
                rig.account(account, group)
        async with running(company, database, home) as runtime:
            began = time.monotonic()

            def clock() -> datetime:
                """The real time: the provider has no other."""
                return datetime.now(UTC)

            async with front(provider, runtime, clock, _GROUPS, home, refusals=sys.maxsize) as site:
                tamperer = _tampered(site)
                real = {
                    "access": _real(provider, elsewhere, "access_token"),
                    "id": _real(provider, elsewhere, "id_token"),
                }
                real["logout"] = replace(real["id"], other_kind=real["id"].token)
                flipped = dict(flips(real["access"]))
                assert time.monotonic() - began < _LASTS  # noqa: S101 -- else the real ones are over by now
                yield TokensTrial(site, tamperer, provider, company.dsn(database), real, flipped, setting)


def _real(provider: ProviderRig, elsewhere: ProviderRig, name: str) -> Real:
    given, others = tokens_of(provider, "ada"), tokens_of(elsewhere, "ada")
    of_another = tokens_of(provider, "ada", client=OTHER, resource=None)["id_token"]
    other_kind = of_another if name == "access_token" else given["access_token"]
    return Real(token=given[name], key=provider.keys[0], foreign=others[name], other_kind=other_kind)


def _tampered(site: Front) -> Tamperer:
    """Puts somebody between the front end's client and the provider."""
    sign_on = site.copilot.sign_on
    assert isinstance(sign_on, SignOn)  # noqa: S101 -- the provider is set up
    mine = sign_on.client
    tamperer = Tamperer()
    client = Tampered(
        tamperer=tamperer, provider=mine.provider, verifier=mine.verifier, client_id=mine.client_id, secret=mine.secret,
        redirect=mine.redirect, scope=mine.scope,
    )  # fmt: skip
    object.__setattr__(sign_on, "client", client)
    return tamperer


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company:
        with company.clone() as database:
            async with open_trial(company, database, setting, Path("build")) as trial:
                yield trial


TOKENS = Suite(
    name="tokens",
    goal="a token of which anything was changed is refused with 401 and leaves a row; as it was it is taken",
    open=_open,
    lacks=lacks,
)
"""The suite."""
