"""Finds the records that a number in a question may mean: as written, loosely, or by its digits alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from copilot.semantic.model import SemanticModel
from copilot.understanding.candidates import Candidate, Key
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.words import Word

Places = Mapping[str, tuple[int, ...]]
"""Texts that may be a number -> the positions of the words they stand in."""

_CHOSEN = re.compile(r"^([a-z_]+)#(\d{1,18})$")
_CODE = re.compile(r"^[A-Z]{2,6}$")
_SERIES = re.compile(r"^(.*\D)\d+$")
_STRENGTH = {"number": 30, "loose": 25, "digits": 12}
_HINTED = 10
_LETTERS = 2
_LONG = 6
"""Digits from which on a bare number is hardly a quantity."""
_THINGS = frozenset({"item", "customer", "supplier"})


def chosen(model: SemanticModel, words: Sequence[Word]) -> Iterable[Candidate]:
    """A record picked from choices, written as entity#id."""
    for position, word in enumerate(words):
        match = _CHOSEN.match(word.typed)
        if match and match[1] in model.entities:
            yield Candidate(
                entity=match[1], id=int(match[2]), positions=frozenset({position}), strength=100, by_number=True
            )


async def by_number(
    lookup: Lookup, words: Sequence[Word], spelled: Places, bare: Collection[str]
) -> tuple[Candidate, ...]:
    """The records with these numbers; those of `bare` may also be the last digits of a number."""
    if not spelled:
        return ()
    found: dict[tuple[Key, tuple[int, ...]], Candidate] = {}
    for row in await lookup.rows("find_numbers", words=spelled, bare=bare):
        at = spelled[row["word"]]
        hinted = hint(words, at, row["entity"])
        if row["kind"] == "digits" and (contradicted(words, at, row["entity"]) or _thing_unsaid(row["entity"], hinted)):
            continue
        strength = _STRENGTH[row["kind"]] + hinted + len(at)
        candidate = Candidate(
            entity=row["entity"], id=row["target_id"], positions=frozenset(at), strength=strength, by_number=True,
            via=row["via"],
        )  # fmt: skip
        best = found.get((candidate.key, at))
        if best is None or best.strength < strength:
            found[candidate.key, at] = candidate
    return tuple(found.values())


def spellings(words: Sequence[Word]) -> dict[str, tuple[int, ...]]:
    """Texts that may be a number -> their positions: a word with a digit, alone or with the short word before it, and
    a short word in capitals, such as the code of a site."""
    found: dict[str, tuple[int, ...]] = {}
    for position, word in enumerate(words):
        if _CODE.match(word.typed) and word.folded not in lexicon().stop:
            found[word.typed] = (position,)
        if word.has_digit:
            found[word.typed] = (position,)
            before = words[position - 1] if position else None
            if before and not before.has_digit and _begins_a_number(before.folded):
                found[f"{before.typed}{word.typed}"] = (position - 1, position)
    return found


def _begins_a_number(word: str) -> bool:
    """Whether a word may be the letters of a number: also the BE of "be 22281", a small word elsewhere."""
    return len(word) == _LETTERS or (len(word) <= 5 and word not in lexicon().stop)


def bare_digits(words: Sequence[Word], spelled: Places) -> list[str]:
    """The texts that are digits and nothing else."""
    return [text for text, at in spelled.items() if words[max(at)].bare_number and len(at) == 1]


def continued(words: Sequence[Word]) -> dict[str, tuple[int, ...]]:
    """Bare digits that go on with a number's series: the 10491 of "SO-10482 and 10491" is SO-10491."""
    found: dict[str, tuple[int, ...]] = {}
    series = ""
    for position, word in enumerate(words):
        if word.bare_number and series:
            found[f"{series}{word.typed.removeprefix('#')}"] = (position,)
        elif match := _SERIES.match(word.typed):
            series = match[1]
        elif word.bare_number and position and words[position - 1].folded in lexicon().several_hints:
            before = words[position - 1].typed
            series = before if len(before) <= 5 else ""
        elif word.folded not in lexicon().numbers:
            series = ""
    return found


def asked_for(words: Sequence[Word], position: int) -> bool:
    """Whether bare digits are said to be a number: "customer 10021", "orders 10482, 10491 and 10500"."""
    before = position - 1
    while before >= 0 and (words[before].folded in lexicon().numbers or words[before].has_digit):
        before -= 1
    said = [words[p].folded for p in range(max(0, before - 1), before + 1)]
    return words[position].typed.startswith("#") or any(word in lexicon().several_hints for word in said)


def meant_as_numbers(words: Sequence[Word], digits: Collection[int]) -> tuple[Places, list[str]]:
    """What may be a number where bare digits count only as asked for, at `digits`, or for their length; and which of
    them may be last digits."""
    said = {p for p, word in enumerate(words) if word.bare_number and (p in digits or asked_for(words, p))}
    spelled = {
        text: at
        for text, at in spellings(words).items()
        if len(at) > 1 or not words[max(at)].bare_number or not said.isdisjoint(at) or len(text) >= _LONG
    }
    bare = [text for text in bare_digits(words, spelled) if not said.isdisjoint(spelled[text])]
    return {**spelled, **continued(words)}, bare


def _thing_unsaid(entity: str, hinted: int) -> bool:
    """Whether digits would name a customer, a supplier or an item that no word speaks of: those end in any digits."""
    return entity in _THINGS and not hinted


def contradicted(words: Sequence[Word], at: tuple[int, ...], entity: str) -> bool:
    """Whether the words before bare digits say that they number something else: "transfer 948" is no order.

    Several such words narrow each other down ("purchase order"); where they exclude each other ("customer PO") the
    nearest says it.
    """
    hints = lexicon().several_hints
    said = [frozenset(hints[words[p].folded]) for p in _two_before(words, min(at)) if words[p].folded in hints]
    return bool(said) and entity not in (frozenset[str].intersection(*said) or said[-1])


def hint(words: Sequence[Word], at: tuple[int, ...], entity: str) -> int:
    """How much the words before a number, or in it, speak for a kind of record."""
    before = {words[p].folded for p in (*_two_before(words, min(at)), *range(min(at), max(at) + 1))}
    hints = lexicon().several_hints
    hinted = [hints[word] for word in before if word in hints]
    return max((_HINTED - 2 * kinds.index(entity) for kinds in hinted if entity in kinds), default=0)


def _two_before(words: Sequence[Word], start: int) -> range:
    """The two words before a number, or before the first of several numbers."""
    first = start
    while first > 0 and (words[first - 1].folded in lexicon().numbers or words[first - 1].bare_number):
        first -= 1
    first = first if first and words[first - 1].folded in lexicon().several_hints else start
    return range(max(0, first - 2), first)
