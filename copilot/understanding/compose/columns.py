"""Which fields a list is asked to show: "late purchase orders with supplier and promised date"."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.domain.composition import Column, Split
from copilot.semantic.model import load_model
from copilot.understanding.compose.attributes import fields_of, is_field
from copilot.understanding.compose.build import can_list, shown_fields
from copilot.understanding.compose.reader import Target, Work, counts
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.vocabulary import DateWord, Noun

_MOST = 4


def columns(work: Work, target: Target) -> None:
    """Give a place to the fields that end a question for a list. What its lines show anyway is granted so; everything
    else is shown besides."""
    listed = target.kpi is None or (target.kpi.listed and counts(target.kpi) and not work.rank)
    if work.target_at < 0 and not any(token.kinds for token in work.tokens):
        return  # nothing says of what it is a field
    if not listed or work.counted or work.splits or not can_list(target.entity):
        return
    named = list(_named(work, target))
    asked = [n for n, _ in named]
    behind = [n for n, token in work.open() if asked and n > asked[0] and not token.is_sign("nothing")]
    if not asked or [n for n in behind if n not in asked]:
        return  # what follows may be of that field
    found = tuple(dict.fromkeys(column for _, column in named))
    if len(found) <= _MOST:
        work.columns = found
        work.take(*asked)


def _named(work: Work, target: Target) -> Iterator[tuple[int, Column]]:
    """The fields named behind what is asked for, from the first that is led by a word for "with"."""
    last = -1
    for n, token in work.open():
        column = _column(token, target) if n > work.target_at else None
        if column and (n == last + 1 or is_led(token)):
            last = n
            yield n, column
        elif last >= 0 and n == last + 1:
            return


def is_led(token: Token) -> bool:
    """Whether a word for "with" or "their" stands before it; a date may as well be joined to what is asked for."""
    theirs = not lexicon().theirs.isdisjoint(token.led.casefold().split())
    return theirs or is_shown(token) or (token.joined and bool(token.all_of(DateWord)))


def is_shown(token: Token) -> bool:
    """Whether a word such as "with" stands before it."""
    return not lexicon().showing.isdisjoint(token.led.casefold().split())


def _column(token: Token, target: Target) -> Column | None:
    """The field of the records listed that a token names, and nothing else that it may be."""
    if token.reference or token.span or token.amount or not is_field(token):
        return None
    shown = shown_fields(target.entity)
    for word in token.all_of(DateWord):
        if word.entity == target.entity and word.path in shown:
            return Column(target.entity, word.path)
    nouns = {noun.entity for noun in token.all_of(Noun)}
    if further := next((path for path in shown if len(path) > 1 and path[-1] in nouns), None):
        return Column(target.entity, further)
    fields = fields_of(load_model(), target.entity, token)
    return Column(fields[0].entity, fields[0].path, fields[0].by) if fields else None


def ranked_besides(work: Work, target: Target) -> None:
    """A field of the records that a measure ranks, told beside each: "the largest purchase order, and with whom"."""
    if target.kpi is None or not work.rank or work.splits != [Split(entity=target.noun)]:
        return
    for n, token in list(work.open()):
        fields = fields_of(load_model(), target.noun, token) if n > work.rank_at and not token.reference else ()
        if fields and not fields[0].by and is_field(token):
            work.splits.append(Split(path=(*target.subject, *fields[0].path)))
            work.take(n)
            return
