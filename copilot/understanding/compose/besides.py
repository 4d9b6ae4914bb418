"""What an outline of a question left unused: whether that only says again what the records say, or something else.

A name beside a document must be one of that document: "SO-24 of Acme" is no question about SO-24 where it is another
customer's. A word that says something and that nothing took account of would change the answer: it declines it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from copilot.domain.plan import NoPlan, Plan, RecordQuery
from copilot.domain.query import Compare, Is, Query
from copilot.semantic.model import load_model
from copilot.semantic.queries import compile_list, place_parameters
from copilot.semantic.ways import way
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import (
    CodeWord,
    DateWord,
    FieldWord,
    Noun,
    NumberWord,
    Sign,
    load_vocabulary,
)
from copilot.understanding.words import Word, fold

_FIGURES = re.compile(r"[+(]?[0-9]{1,4}[)]?")
"""Where a phone number is given, a piece of it: where to answer, and nothing of what about."""
_ASKING = ("where", "when")
"""Words that ask, and say nothing of what about."""
_FIELDS = (Noun, FieldWord, DateWord, NumberWord)


async def with_the_rest(lookup: Lookup, plan: Plan, tokens: Sequence[Token]) -> Plan | NoPlan:
    """The plan where all that it left unused goes without saying; else the decline that names those words."""
    unused = {word.casefold() for word in plan.unused_words}
    filler = load_vocabulary().filler
    left: list[str] = []
    kept: list[str] = []
    phoned = any(token.text.startswith("+") for token in tokens)
    counted = any(token.is_sign("count") for token in tokens)
    for token in tokens:
        if "@" in token.text or (phoned and _FIGURES.fullmatch(token.text)):
            continue
        said = {piece.casefold() for piece in token.text.split()}
        if not said & unused or said - unused - filler:
            continue
        if token.amount and not counted and _of_stock(token, plan):
            kept += [word for word in plan.unused_words if word.casefold() in said]
        elif token.is_sign("pieces") and not any(each.amount for each in tokens):
            continue
        elif not (_says_nothing(token, plan) or await _belongs(lookup, plan, token)):
            left.append(token.text)
    if left:
        return NoPlan(reason="unsupported", unknown_words=tuple(left))
    return replace(plan, unused_words=tuple(kept))


def _of_stock(token: Token, plan: Plan) -> bool:
    """Whether it is how much is wanted of what there is: said, and nothing made of it; or one, which is no matter."""
    amount = token.amount
    stock = any(isinstance(step, RecordQuery) and step.entity == "stock" for step in plan.steps)
    return amount is not None and bool((stock and amount.unit) or amount.number == 1)


def _says_nothing(token: Token, plan: Plan) -> bool:
    """Whether it is a courtesy, a word for records that the answer is made of, or for one of their fields."""
    if Sign("nothing") in token.meanings or token.is_sign(*_ASKING):
        return True
    read = {step.entity for step in plan.steps if isinstance(step, RecordQuery)} | set(plan.references)
    read |= {"availability"} if "stock" in read else set()
    named = {word.entity for kind in _FIELDS for word in token.all_of(kind)}
    fields = {"_".join(fold(token.text).split())}
    if any(fields & set(load_model()[entity].fields) for entity in read):
        return True
    contacts = {word.entity for word in token.all_of(CodeWord) if word.entity.endswith("_contact")}
    return bool((named | contacts) & read)


async def _belongs(lookup: Lookup, plan: Plan, token: Token) -> bool:
    """Whether a record named beside those asked about is theirs."""
    for entity, ids in plan.references.items():
        for candidate in token.records:
            found = way(entity, candidate.entity)
            if found is None or candidate.entity == entity or not ids:
                continue
            where = (Compare(("id",), Is.IN, tuple(ids)), found.condition((candidate.id,)))
            compiled = compile_list(lookup.model, Query(entity=entity, where=where, limit=len(ids)))
            places = place_parameters({}, lookup.now.date())
            rows = await lookup.connection.execute(compiled.statement, {**compiled.parameters, **places})
            if len(await rows.fetchall()) == len(ids):
                return True
    return False


def spoken_to(words: Sequence[Word], tokens: Sequence[Token]) -> tuple[str, tuple[Token, ...]]:
    """The question without courtesies, and without names beside a number, which have to be of that record."""
    numbered = any(candidate.by_number for token in tokens for candidate in token.records)
    names = tuple(token for token in tokens if numbered and token.records and not token.records[0].by_number)
    courtesies = [token for token in tokens if Sign("nothing") in token.meanings]
    gone = {position for token in (*names, *courtesies) for position in token.positions}
    return " ".join(word.typed for position, word in enumerate(words) if position not in gone), names


def without_courtesies(words: Sequence[Word], tokens: Sequence[Token]) -> str:
    """The question without what says nothing by itself: "the customer wants to know when it is back in Chicago"."""
    gone = {p for token in tokens if Sign("nothing") in token.meanings for p in token.positions}
    return " ".join(word.typed for position, word in enumerate(words) if position not in gone)


async def all_belong(lookup: Lookup, plan: Plan, names: Sequence[Token]) -> bool:
    """Whether the names beside a number are all of that record."""
    return all([await _belongs(lookup, plan, token) for token in names])
