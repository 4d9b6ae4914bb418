"""Gives the words for records in a question their place: what is measured, ranked, or told apart by them."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.domain.composition import Split
from copilot.domain.query import Function
from copilot.semantic.model import load_model
from copilot.semantic.ways import path_to
from copilot.understanding.compose.columns import is_shown
from copilot.understanding.compose.limits import counted_before
from copilot.understanding.compose.reader import DOCUMENTS, OFFERS, Target, Work, counts, own_mean, singular
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.vocabulary import Noun, NumberWord


def noun_words(work: Work, target: Target) -> None:
    """Words for the records measured say nothing more; others tell a measure apart by those records."""
    if target.kpi is None:
        _said_again(work, target)
        _ranked_nouns(work, target)
        return
    for n, token in list(work.open()):
        nouns = token.all_of(Noun)
        if any(noun.entity in (target.entity, target.noun) for noun in nouns):
            work.take(n)
            _ranked_by_it(work, target, token)
            _listed_by(work, target, n)
        elif _on_documents(work, target, token):
            if not _names_record(work, n, nouns):
                _of_documents(work, target, n, nouns)
        elif _without_saying(work, target, token):
            work.take(n)
        elif nouns and not _names_record(work, n, nouns) and (work.rank or not target.kpi or _plain(work, n)):
            _tell_apart(work, target, n, nouns)
        elif _taken_together(work, target, n, nouns):
            work.take(n)
    if work.rank and not work.splits:
        _ranked_kinds(work, target)


def _ranked_by_it(work: Work, target: Target, token: Token) -> None:
    """Tells the measure apart by what is ranked, where nothing else is: the "orders" of "leaving out cancelled orders,
    which customers ordered the most" are not."""
    if target.noun and work.rank and not work.splits and not _others_asked(work, target, token):
        work.one = work.one or singular(token)
        _split_by(work, target, target.noun)


def _listed_by(work: Work, target: Target, number: int) -> None:
    """Tells a measure apart by whose it is: "suppliers by on-time rate"."""
    led = work.target_at - 1 == number + 1 and work.tokens[number + 1].is_sign("by")
    if led and target.noun and not work.splits and not singular(work.tokens[number]):
        _split_by(work, target, target.noun)


def _others_asked(work: Work, target: Target, token: Token) -> bool:
    """Whether it is asked which others these are, that the measure can be told apart by."""
    pairs = zip(work.tokens, (work.tokens[0], *work.tokens), strict=False)
    asked = {each: _asked_which(each) or (before.amount is not None and _asked_which(before)) for each, before in pairs}
    entities = {noun.entity for each, which in asked.items() if which for noun in each.all_of(Noun)} - {target.noun}
    return not asked[token] and any(path_to(target.entity, entity) for entity in entities)


def _on_documents(work: Work, target: Target, token: Token) -> bool:
    """Whether it is a word for what measured records are on: in a ranking only beside another one, for what is ranked,
    as in "which items have the most open lines on customer orders"."""
    if not any(noun.entity in DOCUMENTS and path_to(target.entity, noun.entity) for noun in token.all_of(Noun)):
        return False
    others = [noun.entity for each in work.tokens for noun in each.all_of(Noun) if each is not token]
    return not work.rank or (not _asked_which(token) and any(e not in (*DOCUMENTS, target.entity) for e in others))


def _without_saying(work: Work, target: Target, token: Token) -> bool:
    """Whether it only says whom documents that are counted go to, as all do: "purchase orders issued to suppliers"."""
    if work.rank or not target.kpi or not counts(target.kpi) or target.entity not in DOCUMENTS or singular(token):
        return False
    led = not lexicon().partners.isdisjoint(token.led.casefold().split()[-1:])
    fields = load_model()[target.entity].fields
    return led and any(noun.entity == fields[noun.entity].to for noun in token.all_of(Noun) if noun.entity in fields)


def _asked_which(token: Token) -> bool:
    """Whether it is asked which these are: "which orders"."""
    return not lexicon().which.isdisjoint(token.led.casefold().split())


def _of_documents(work: Work, target: Target, number: int, nouns: Sequence[Noun]) -> None:
    """What measured records are on says nothing more: "on customer orders"; unless it is asked which these are."""
    if _asked_which(work.tokens[number]):
        _tell_apart(work, target, number, nouns)
    else:
        work.take(number)


def _said_again(work: Work, target: Target) -> None:
    """The "customers" of "how many business accounts are among our tier A customers"."""
    if work.counted and not work.rank:
        work.take(*(n for n, token in work.open() if token.noun(target.entity) and not singular(token)))


def _taken_together(work: Work, target: Target, number: int, nouns: Sequence[Noun]) -> bool:
    """Whether a mean is asked over records of which all are meant: "what do the suppliers of it quote on average"."""
    kpi, token = target.kpi, work.tokens[number]
    several = kpi is not None and kpi.figure.function is Function.MEAN and not singular(token)
    averaged = several and any(each.is_sign("average") for each in work.tokens) and not _asked_which(token)
    own = {spec.to for spec in load_model()[target.entity].refs()}
    return averaged and any(noun.entity in own for noun in nouns) and not _names_record(work, number, nouns)


def _ranked_kinds(work: Work, target: Target) -> None:
    """Where a word for some of the records is all that says what is ranked, those are: "top 3 hand tools"."""
    for _, token in work.open():
        if any(_split_by(work, target, entity) for entity in token.kinds):
            work.one = work.one or singular(token)
            return


def _tell_apart(work: Work, target: Target, number: int, nouns: Sequence[Noun]) -> None:
    """By the records that a noun is a word for; behind what is ranked it says nothing more: the "items" of "suppliers
    by lead time of their items"."""
    if (
        work.rank
        and work.splits
        and not is_shown(work.tokens[number])
        and any(path_to(target.entity, noun.entity) for noun in nouns)
    ):
        work.take(number)
        return
    if any(_split_by(work, target, noun.entity) for noun in nouns):
        work.one = work.one or (bool(work.rank) and singular(work.tokens[number]))
        work.take(number)


def _ranked_nouns(work: Work, target: Target) -> None:
    """What counted records are ranked by, or told apart by: the customers with the most orders, or more than five."""
    if work.rank not in ("highest", "lowest", "best", "worst") and not counted_before(work, work.target_at):
        return
    own = is_price(target, work.tokens) or _is_offer(target, work.tokens)
    priced = own and not counted_before(work, work.target_at)
    for n, token in list(work.open()):
        for noun in token.all_of(Noun):
            if noun.entity == target.entity or _names_record(work, n, [noun]):
                continue
            if priced and path_to(target.entity, noun.entity):
                work.one = work.one or singular(token)
                work.take(n)  # the "item" of "the cheapest item" is whose price it is
                break
            if noun.entity in DOCUMENTS and path_to(target.entity, noun.entity):
                work.take(n)
                break
            if _split_by(work, target, noun.entity):
                work.one = work.one or singular(token)
                work.take(n)
                break


def is_price(target: Target, tokens: Sequence[Token]) -> bool:
    """Whether prices are ranked: of those a list is made, and the item is whose price it is."""
    entity = load_model()[target.entity]
    priced = any(spec.type == "amount" and spec.name.endswith("price") for spec in entity.fields.values())
    return priced and any(word.entity == target.entity for token in tokens for word in token.all_of(NumberWord))


def _is_offer(target: Target, tokens: Sequence[Token]) -> bool:
    """Whether what a supplier quotes for its items is ranked."""
    return target.entity in OFFERS and any(
        word.entity == target.entity for token in tokens for word in token.all_of(NumberWord)
    )


def _plain(work: Work, number: int) -> bool:
    """Whether a noun stands there for all such records: no record beside it that it is a word for."""
    return work.beside(number, lambda token: token.reference is not None) is None


def _names_record(work: Work, number: int, nouns: Sequence[Noun]) -> bool:
    entities = {noun.entity for noun in nouns}
    return work.beside(number, lambda t: any(c.entity in entities for c in t.records)) is not None


def _split_by(work: Work, target: Target, entity: str) -> bool:
    if not path_to(target.entity, entity) or own_mean(target, entity):
        return False
    if not any(split.entity == entity for split in work.splits):
        work.splits.append(Split(entity=entity))
    return True
