"""Reads words that no name has as the words of names that they were probably meant to be, within the asker's scope."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from copilot.understanding.candidates import Doubt
from copilot.understanding.lookup import Lookup

_START = 7
"""Letters of a word that are looked at; core.near_keys does the same."""
_SHORTEST = 4
_LONG = 8
"""Letters from which on two slips still leave no doubt which word was meant."""
_ALIKE = 0.7
_MOST_LEFT_OUT = 2
_SHORTEST_HALF = 3
_SPELLED_OUT = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ss", "s"), ("ph", "f"))


async def near_words(lookup: Lookup, words: Collection[str]) -> dict[str, dict[str, Doubt]]:
    """For each word the words of names in scope that it may be meant for, and how doubtful that is."""
    wanted: dict[str, set[str]] = {}
    for word in filter(may_slip, words):
        for key in _near_keys(word):
            wanted.setdefault(key, set()).add(word)
    if not wanted:
        return {}
    found: dict[str, dict[str, Doubt]] = {}
    every = await keys_between(lookup, "near", {key: f"{key[:-1]}0" for key in wanted})
    like = {(word, key.rpartition("/")[2]) for start, keys in every.items() for key in keys for word in wanted[start]}
    for word, meant in like:
        doubt = _doubt(word, meant)
        if doubt is not None:
            found.setdefault(word, {})[meant] = doubt
    return found


async def keys_between(lookup: Lookup, kind: str, ranges: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """The different keys in scope from each start up to its stop."""

    async def find(new: Collection[str]) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        asked = {"kind": kind, "starts": [*new], "stops": [ranges[start] for start in new]}
        for row in await lookup.run("keys_between", asked):
            found.setdefault(row["start"], []).append(row["key"])
        return found

    return await lookup.known(kind, ranges, find)


def may_slip(word: str) -> bool:
    """Whether a word is long enough to be told from others when it is mistyped; figures are never guessed."""
    return len(word) >= _SHORTEST and word.isalpha()


def joined(parts: Sequence[tuple[int, str]]) -> dict[str, tuple[tuple[int, str], ...]]:
    """Two words typed for one: the "riverbirch" of "river birch", with its halves and where they stand."""
    return {
        one[1] + other[1]: (one, other)
        for one, other in pairwise(parts)
        if other[0] - one[0] <= 1 and may_slip(one[1] + other[1])
    }


def halves(word: str) -> Iterable[tuple[str, str]]:
    """One word typed for two: every place where it may be parted."""
    if word.isalpha():
        for n in range(_SHORTEST_HALF, len(word) - _SHORTEST_HALF + 1):
            yield word[:n], word[n:]


def _near_keys(word: str) -> set[str]:
    """What a word is looked up by: its beginning with up to two letters left out, of a short word one."""
    start = word[:_START]
    most = _MOST_LEFT_OUT if len(word) > _SHORTEST else 1
    return {
        "".join(c for i, c in enumerate(start) if i not in out) + "/"
        for count in range(most + 1)
        for out in combinations(range(len(start)), count)
    }


def _doubt(word: str, meant: str) -> Doubt | None:
    """How doubtful it is that one word was meant by another; None where it is not like it.

    Distances count letters left out, added, replaced and swapped with the next (optimal string alignment).
    """
    from rapidfuzz.distance import OSA  # noqa: PLC0415 -- a vendor's library, needed only where something is mistyped

    if _plain(word) == meant or word == _plain(meant):
        return Doubt.NONE
    distance = OSA.distance(word, meant, score_cutoff=3)
    shorter = min(len(word), len(meant))
    if shorter >= _SHORTEST and (distance == 1 or (distance == 2 and shorter >= _LONG)):
        return Doubt.SLIP
    similar = 1 - distance / max(len(word), len(meant))
    return Doubt.GUESS if distance <= 3 and similar >= _ALIKE else None


def _plain(word: str) -> str:
    """With what German keyboards spell out taken together again: "baer" for "bär", which folding made "bar"."""
    for spelled, letter in _SPELLED_OUT:
        word = word.replace(spelled, letter)
    return word
