"""Reads what `policy explain` is asked: "invoice_amount in SG", "fresh_for stock at TUA", "grant_refund 300 EUR"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.errors import PolicyError
from copilot.policy.documents import PolicySet
from copilot.policy.findings import Known
from copilot.policy.layers import Spot
from copilot.policy.sections import EVERY, SECTIONS, Key

_PREPOSITIONS = {"in": "region", "at": "site", "via": "channel"}
"""Where a place stands, and the kind it most likely is."""
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about: sections with keys (of access the record class alone), where, and for which amount."""

    keys: tuple[tuple[str, Key], ...]
    spot: Spot
    amount: int | None = None


def read_question(policy: PolicySet, what: str, known: Known) -> Asked:
    """Raises PolicyError for a name that neither the policy nor the company has, naming those that there are."""
    words, places = _apart(what.split())
    spot = _spot(policy, places, known)
    if not words:
        raise PolicyError(f"{what!r} asks for nothing; ask for a record class, an action or a setting")
    if words[0] in SECTIONS and len(words) > 1:
        return Asked(keys=((words[0], _key(words[0], words[1:])),), spot=spot)
    named = {section: _named(policy, section) for section in SECTIONS}
    name = words[0]
    if name in named["autonomy"] | named["approval"]:
        return _action(policy, name, words[1:], spot)
    if len(words) > 1:
        raise PolicyError(f"{' '.join(words[1:])!r} is not understood; sections are {', '.join(SECTIONS)}")
    keys: list[tuple[str, Key]] = []
    if name in _classes(policy, known):
        keys.append(("access", (name,)))
    keys += [(section, (name,)) for section in ("governs", "settings", "duties") if name in named[section]]
    if not keys:
        raise PolicyError(f"the policy knows no {name!r}; ask for {_there(policy, known)}, or for a section and a name")
    return Asked(keys=tuple(keys), spot=spot)


def _apart(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The words before the places, and each place with the preposition before it."""
    first = next((i for i, word in enumerate(words) if word in _PREPOSITIONS and i), len(words))
    rest = words[first:]
    if len(rest) % 2 or any(word not in _PREPOSITIONS for word in rest[::2]):
        raise PolicyError(f"{' '.join(rest)!r} names no place; say `in REGION`, `at SITE` or `via CHANNEL`")
    return list(words[:first]), list(zip(rest[::2], rest[1::2], strict=True))


def _spot(policy: PolicySet, places: Iterable[tuple[str, str]], known: Known) -> Spot:
    there: dict[str, Iterable[str] | None] = {
        "region": known.regions, "site": known.sites, "channel": known.channels,
    }  # fmt: skip
    found: dict[str, str] = {}
    for preposition, code in places:
        layer, exact = _place(
            preposition, code, {layer: _codes(policy, layer, codes) for layer, codes in there.items()}
        )
        if layer in found:
            raise PolicyError(f"{found[layer]!r} and {exact!r} are two places of one kind")
        found[layer] = exact
    site = found.get("site")
    region = found.get("region") or ((known.sites or {}).get(site) if site else None)
    return Spot(region=region, site=site, channel=found.get("channel"))


def _codes(policy: PolicySet, layer: str, known: Iterable[str] | None) -> frozenset[str]:
    documents = (document.place for document in policy.documents)
    return frozenset({*(known or ()), *(place.code for place in documents if place.layer == layer)})


def _place(preposition: str, code: str, there: Mapping[str, frozenset[str]]) -> tuple[str, str]:
    """The kind and the exact code of a place: the kind that the preposition names first."""
    likely = _PREPOSITIONS[preposition]
    for layer in (likely, *(layer for layer in there if layer != likely)):
        exact = next((each for each in sorted(there[layer]) if each.lower() == code.lower()), None)
        if exact is not None:
            return layer, exact
    listed = "; ".join(f"{layer}s: {', '.join(sorted(codes))}" for layer, codes in there.items() if codes)
    raise PolicyError(f"there is no place {code!r}; there are {listed or 'none in this policy'}")


def _key(section: str, words: Sequence[str]) -> Key:
    if section == "access":
        return _exactly(section, words, ("class",))
    parts = SECTIONS[section].parts
    if section == "approval":
        words = [*words, *[EVERY] * (len(parts) - len(words))] if len(words) > 1 else words
    return _exactly(section, words, parts)


def _exactly(section: str, words: Sequence[str], parts: Sequence[str]) -> Key:
    if len(words) != len(parts):
        raise PolicyError(f"{section} is asked for by {' and '.join(parts)}, not {' '.join(words)!r}")
    return tuple(words)


def _action(policy: PolicySet, name: str, words: Sequence[str], spot: Spot) -> Asked:
    """An action alone: its autonomy and its approvals in every currency; with an amount, those alone."""
    currencies = sorted({key[1] for key in _keys(policy, "approval") if key[0] == name})
    if not words:
        approvals = [("approval", _key("approval", (name, currency))) for currency in currencies]
        return Asked(keys=(("autonomy", (name,)), *approvals), spot=spot)
    amount = words[0].replace(",", "")
    if len(words) != 2 or not amount.isdecimal() or len(amount) > _MOST_DIGITS:
        raise PolicyError(f"{' '.join(words)!r} is no amount; say it as in `{name} 5000 {(currencies or ['EUR'])[0]}`")
    key = _key("approval", (name, words[1].upper()))
    return Asked(keys=(("autonomy", (name,)), ("approval", key)), spot=spot, amount=int(amount))


def _keys(policy: PolicySet, section: str) -> Iterator[Key]:
    for document in policy.documents:
        for rule in document.rules:
            if rule.section == section:
                yield from rule.statements


def _named(policy: PolicySet, section: str) -> frozenset[str]:
    return frozenset(key[0] for key in _keys(policy, section)) - {EVERY}


def _classes(policy: PolicySet, known: Known) -> frozenset[str]:
    named = frozenset(key[1] for key in _keys(policy, "access")) - {EVERY}
    return named | (known.classes or frozenset())


def _there(policy: PolicySet, known: Known) -> str:
    others = {name for section in ("autonomy", "governs", "settings") for name in _named(policy, section)}
    return ", ".join(sorted(_classes(policy, known) | others))
