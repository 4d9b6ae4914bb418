"""Ways to make a token that must not be taken: each from a real one of the provider, signed with its own key wherever
the signature is not what is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey

Claims = dict[str, Any]
_HOUR = 3_600
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A token that holds, with what it takes to sign others like it; `foreign` is one of another provider for the same
    audience, and `other_kind` a token of this provider for something else."""

    token: str
    key: Mapping[str, Any]
    foreign: str
    other_kind: str

    @property
    def header(self) -> Claims:
        """The header, a copy."""
        return _decoded(self.token.split(".")[0])

    @property
    def claims(self) -> Claims:
        """The claims, a copy."""
        return _decoded(self.token.split(".")[1])


Forge = Callable[[Real], str]


def forgeries(kind: str) -> Mapping[str, Forge]:
    """Name -> how to make it, for access, id and logout tokens."""
    made: dict[str, Forge] = {**_CLAIMS, **_HEADERS, **_SIGNATURES}
    if kind == "access":
        made |= {f"{name} claim": _with(**more) for name, more in _FOREIGN_CLAIMS.items()}
    if kind == "id":
        made |= {
            "nonce of another": _with(nonce="another"), "no nonce": _without("nonce"),
            "azp of another": _with(azp="other"),
        }  # fmt: skip
    if kind == "logout":
        made = {name: forge for name, forge in made.items() if name not in _NOT_OF_LOGOUT}
        made |= {
            "no events": _without("events"), "other event": _with(events={"x": {}}), "a nonce": _with(nonce="n"),
            "nobody": _without("sid", "sub"), "no jti": _without("jti"),
        }  # fmt: skip
    return made


def flips(real: Real) -> Iterator[tuple[str, str]]:
    """(name, token): every character of the token changed, one at a time."""
    for place, character in enumerate(real.token):
        if character != ".":
            other = _ALPHABET[(_ALPHABET.index(character) + 1) % len(_ALPHABET)]
            yield f"character {place}", f"{real.token[:place]}{other}{real.token[place + 1 :]}"


def signed(claims: Claims, key: Mapping[str, Any], **header: Any) -> str:
    """A token under a key, with its name and algorithm in the header unless told otherwise."""
    used = RSAKey.import_key(dict(key))
    full = {"alg": "RS256", "kid": key.get("kid"), **header}
    return jwt.encode({name: value for name, value in full.items() if value is not None}, claims, used)


def _again(real: Real, claims: Claims, **header: Any) -> str:
    return signed(claims, real.key, **{**real.header, **header})


def _with(**changed: Any) -> Forge:
    return lambda real: _again(real, real.claims | changed)


def _without(*names: str) -> Forge:
    return lambda real: _again(real, {name: value for name, value in real.claims.items() if name not in names})


def _by_hand(real: Real, **header: Any) -> str:
    """Signed by the provider's key with a header that no library would write."""
    text = f"{_encoded(real.header | header)}.{real.token.split('.')[1]}"
    key = RSAKey.import_key(dict(real.key)).get_op_key("sign")
    mark = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def _later(name: str, seconds: int) -> Forge:
    return lambda real: _again(real, real.claims | {name: int(real.claims["iat"]) + seconds})


def _issuer(change: Callable[[str], str]) -> Forge:
    return lambda real: _again(real, real.claims | {"iss": change(real.claims["iss"])})


def _stranger(*, named: bool, **header: Any) -> Forge:
    """Under a key that the provider does not have, with the name of one that it has, or a name of its own."""

    def forge(real: Real) -> str:
        key = RSAKey.generate_key(2048, private=True, auto_kid=True)
        body = dict(key.as_dict(private=True))
        told = {"jwk": key.as_dict(private=False)} if header.get("jwk") else header
        kid = real.header.get("kid") if named else body["kid"]
        return signed(real.claims, body, **{**told, "typ": real.header.get("typ"), "kid": kid})

    return forge


def _unsigned(algorithm: str) -> Forge:
    return lambda real: f"{_encoded(real.header | {'alg': algorithm})}.{real.token.split('.')[1]}."


def _by_secret(real: Real) -> str:
    """HS256 with the public key for a secret, which a verifier that takes any algorithm would accept."""
    public = RSAKey.import_key(dict(real.key)).as_pem(private=False)
    text = f"{_encoded(real.header | {'alg': 'HS256'})}.{real.token.split('.')[1]}"
    mark = base64.urlsafe_b64encode(hmac.digest(public, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{text}.{mark}"


def _encoded(body: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()


def _decoded(part: str) -> Claims:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


_CLAIMS: Mapping[str, Forge] = {
    "issuer of another": _with(iss="https://login.elsewhere.test"),
    "issuer with a slash": _issuer(lambda issuer: f"{issuer}/"),
    "issuer of another tenant": _issuer(lambda issuer: f"{issuer}/tenant"),
    "issuer in capitals": _issuer(str.upper),
    "no issuer": _without("iss"),
    "issuers in a list": lambda real: _again(real, real.claims | {"iss": [real.claims["iss"]]}),
    "audience of another": _with(aud="https://api.elsewhere.test"),
    "audiences of others": _with(aud=["a", "b"]),
    "no audience": _without("aud"),
    "empty audience": _with(aud=""),
    "audience of a wrong type": _with(aud={"a": 1}),
    "expired": _later("exp", -_HOUR),
    "no expiry": _without("exp"),
    "expiry in words": _with(exp="tomorrow"),
    "not valid yet": _later("nbf", _HOUR * 30),
    "issued in the future": _later("iat", _HOUR * 30),
    "no time of issue": _without("iat"),
    "no subject": _without("sub"),
    "subject that is a number": _with(sub=7),
    "subject that is empty": _with(sub=""),
    "token of another provider": lambda real: real.foreign,
    "token of another kind": lambda real: real.other_kind,
}
_NOT_OF_LOGOUT = frozenset({"no expiry", "no subject", "no nonce"})
_FOREIGN_CLAIMS: Mapping[str, Claims] = {
    "nonce": {"nonce": "n"}, "at_hash": {"at_hash": "x"}, "logout events": {"events": {}}, "id typ": {"typ": "ID"},
    "refresh typ": {"typ": "Refresh"},
}  # fmt: skip
_HEADERS: Mapping[str, Forge] = {
    "type of another": lambda real: _again(real, real.claims, typ="secevent+jwt"),
    "critical extension": lambda real: _by_hand(real, crit=["exp"]),
    "critical extension that is there": lambda real: _by_hand(real, crit=["x"], x=1),
    "payload not encoded": lambda real: _again(real, real.claims, b64=True),
    "algorithm none": _unsigned("none"),
    "algorithm None": _unsigned("None"),
    "algorithm NONE": _unsigned("NONE"),
    "algorithm empty": _unsigned(""),
    "algorithm HS256 by the public key": _by_secret,
}
_SIGNATURES: Mapping[str, Forge] = {
    "other key": _stranger(named=False),
    "other key under a known name": _stranger(named=True),
    "other key brought along": _stranger(named=False, jwk=True),
    "other key by address": _stranger(named=False, jku="https://keys.elsewhere.test/jwks"),
    "no signature": lambda real: real.token.rsplit(".", 1)[0] + ".",
    "cut short": lambda real: real.token[:-4],
    "two parts": lambda real: real.token.rsplit(".", 1)[0],
    "four parts": lambda real: f"{real.token}.x",
    "padded": lambda real: f"{real.token}==",
    "signature of another": lambda real: ".".join((*real.token.split(".")[:2], real.foreign.split(".")[2])),
    "claims of another": lambda real: ".".join(
        (real.token.split(".")[0], real.foreign.split(".")[1], real.token.split(".")[2])
    ),
}
