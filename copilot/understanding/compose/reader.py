"""Reads tokens as a composition: every token has to find its place in it, or the question is not understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from copilot.domain.composition import Column, Composition, Part, Split
from copilot.domain.query import Bucket, Function, Path
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.ways import path_to
from copilot.understanding.amounts import AmountMention
from copilot.understanding.compose.asker import Asker
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.vocabulary import (
    CodeWord,
    FieldWord,
    Measure,
    Noun,
    NumberWord,
    Segment,
    Vocabulary,
)
from copilot.understanding.words import is_singular

_RANKS = ("best", "worst", "highest", "lowest", "newest", "oldest")
_FIGURES = frozenset({"amount", "quantity"})
_BUCKETS = {
    "day": Bucket.DAY,
    "week": Bucket.WEEK,
    "month": Bucket.MONTH,
    "quarter": Bucket.QUARTER,
    "year": Bucket.YEAR,
}
DOCUMENTS = ("sales_order", "purchase_order", "invoice", "shipment", "receipt", "return_order")
"""What measured records are on: "on customer orders" says nothing more of order lines."""
OFFERS = frozenset({"supplier_item"})
"""What stands between two others and is ranked by its own figure: the item is whose lead time it is."""
MOST_RANKED = 100
_USUALLY_RANKED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """Why tokens are no composition: those without a place, one that may mean several records, or an amount of money
    in one of several currencies."""

    left: tuple[Token, ...] = ()
    doubtful: Token | None = None
    money: tuple[AmountMention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked for: a measure, or records of an entity; `entity` is that of the rows gone through, `subject` the
    path from them to the records that people mean, empty where that is themselves."""

    entity: str
    kpi: Kpi | None = None
    noun: str = ""

    @property
    def subject(self) -> Path:
        """From a row to the record meant."""
        return self.kpi.subject if self.kpi else ()

    @property
    def subject_entity(self) -> str:
        """The entity of the record meant."""
        return self.noun or self.entity


@dataclass(slots=True)
class Work:
    """The tokens of one attempt at reading, and what has been made of them so far."""

    tokens: Sequence[Token]
    asker: Asker
    vocabulary: Vocabulary
    used: set[int] = field(default_factory=set[int])
    parts: list[Part] = field(default_factory=list[Part])
    splits: list[Split] = field(default_factory=list[Split])
    rank: str = ""
    limit: int | None = None
    counted: bool = False
    rank_at: int = -1
    """The number of the token that ranks."""
    one: bool = False
    """Whether the ranked asked for are the first alone: "which customer has the most orders"."""
    order: Path = ()
    descending: bool | None = None
    doubtful: Token | None = None
    usual_date: Path | None = None
    """The date that a time without a verb is about, where that was said before."""
    first: int = 0
    """The number of the first token that it is about."""
    target_at: int = -1
    """The number of the token that says what is asked for; -1 where none does by itself."""
    supposed: bool = False
    """Whether the question takes for granted that there is what it asks about."""
    money: tuple[AmountMention, ...] = ()
    """Amounts of money in a currency that nobody said."""
    columns: tuple[Column, ...] = ()

    def open(self) -> Iterator[tuple[int, Token]]:
        """The tokens without a place, by their numbers."""
        yield from ((n, token) for n, token in enumerate(self.tokens) if n >= self.first and n not in self.used)

    def find(self, wanted: Callable[[Token], bool]) -> int | None:
        """The number of the first token without a place that is so."""
        return next((n for n, token in self.open() if wanted(token)), None)

    def beside(self, number: int, wanted: Callable[[Token], bool]) -> int | None:
        """The token right before or else right after one, if it is so and has no place yet."""
        for other in (number - 1, number + 1):
            there = self.first <= other < len(self.tokens) and other not in self.used
            if there and wanted(self.tokens[other]):
                return other
        return None

    def take(self, *numbers: int) -> None:
        """Give tokens their place."""
        self.used.update(numbers)

    def within(self, first: int) -> Work:
        """The same tokens from one on, for a clause that has parts of its own."""
        return Work(self.tokens, self.asker, self.vocabulary, self.used, first=first)


def targets(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """What the question may be asking for, likeliest first, with the token that says so.

    A word that is also a named part of records asked for ("available items") is a measure only where nothing else is.
    """
    nouns = sorted(
        ((n, token) for n, token in enumerate(tokens) if token.all_of(Noun)), key=lambda each: not asked_which(each[1])
    )
    entities = {noun.entity for _, token in nouns for noun in token.all_of(Noun)}
    weak = {n for n, token in enumerate(tokens) if any(part.entity in entities for part in token.all_of(Segment))}
    yield from _measures(tokens, [n for n in range(len(tokens)) if n not in weak])
    for n, token in nouns:
        if n and tokens[n - 1].is_sign("by") and len(nouns) > 1:
            continue
        for noun in token.all_of(Noun):
            yield Target(entity=noun.entity), n
    yield from _measures(tokens, sorted(weak))
    if not nouns:
        yield from _kinds(tokens)


def asked_which(token: Token) -> bool:
    """Whether it is asked which these are: "on sent purchase orders, which lines"; not "from which supplier"."""
    led = token.led.casefold().split()
    return bool(led) and led[-1] in lexicon().which and (len(led) == 1 or led[-2] not in lexicon().before)


def _measures(tokens: Sequence[Token], numbers: Sequence[int]) -> Iterator[tuple[Target, int]]:
    """The measures named; where a time that is over is named, first those that are not of the present, and of a word
    for two of them first what is published: one figure for everybody who asks, wherever nothing narrows it."""
    kpis = load_kpis()
    back = any(token.span is not None and token.span.looks != "ahead" for token in tokens)
    found = [(kpis[measure.name], n) for n in numbers for measure in tokens[n].all_of(Measure)]
    found.sort(key=lambda each: (back and each[0].present, each[0].population != "published"))
    for kpi, n in found:
        yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), n


def _kinds(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """Without any noun: what a word for some of the records says of what kind they are: "quotations", "hand tools"."""
    for token in tokens:
        for entity in token.kinds:
            yield Target(entity=entity), -1
    if any(token.is_sign(*_RANKS) for token in tokens):
        for token in tokens:
            for word in token.all_of(FieldWord):
                yield Target(entity=word.entity), -1


def subject_of(kpi: Kpi) -> str:
    """The entity of the records that a measure is of, where that is not its own."""
    return leaf_of(load_model(), kpi.entity, kpi.subject).to if kpi.subject else ""


def shape(work: Work, target: Target) -> None:
    """Find what the question is told apart by, ranked by and counted."""
    only = [n for n, token in work.open() if token.is_sign("only")]
    work.take(*(only if len(only) == 1 else ()), *(n for n, token in work.open() if token.is_sign("nothing")))
    _counts(work)
    _ranks(work, target)
    _splits(work, target)
    if work.rank:
        _ranked_field(work, target)


def _counts(work: Work) -> None:
    for n, token in list(work.open()):
        if token.is_sign("count") and not (work.counted and token.joined):  # "and how many" asks another question
            work.counted = True
            work.take(n, *([n - 1] if n and n - 1 not in work.used and work.tokens[n - 1].is_sign("by") else []))


def _ranks(work: Work, target: Target) -> None:
    for n, token in list(work.open()):
        if not token.is_sign(*_RANKS) or work.rank or not _may_rank(token, target):
            continue
        work.rank = "highest" if token.is_sign("highest") else next(r for r in _RANKS if token.is_sign(r))
        work.rank_at = n
        work.take(n)
        number = work.beside(n, _small_number)
        if number is None:
            number = work.find(lambda t: _small_number(t) and _before_noun(work, t))
        if number is not None:
            amount = work.tokens[number].amount
            work.limit = int(amount.number) if amount else None
            work.take(number)


def _may_rank(token: Token, target: Target) -> bool:
    """Whether a word ranks such records: one that says by which figure ("cheapest") ranks only what has that figure."""
    figures = token.all_of(NumberWord)
    return not figures or any(word.entity == target.entity for word in figures)


def _before_noun(work: Work, token: Token) -> bool:
    """Whether a number stands before what is ranked: "which 3 customers owe the most"."""
    at = work.tokens.index(token) + 1
    while at < len(work.tokens) and _qualifies(work.tokens[at]):
        at += 1
    return at < len(work.tokens) and bool(work.tokens[at].all_of(Noun) or work.tokens[at].kinds)


def _qualifies(token: Token) -> bool:
    """Whether a word says of what state records are, and is no word for them: the "open" of "3 open orders"."""
    stated = token.all_of(Segment) or token.all_of(CodeWord) or token.is_sign(*_RANKS)
    return bool(stated) and not token.all_of(Noun) and not token.kinds


def _ranked_field(work: Work, target: Target) -> None:
    """The "carrier" of "which carrier has the most shipments": what the records counted are told apart by."""
    if work.splits or work.rank not in ("highest", "lowest", "best", "worst") or target.entity in OFFERS:
        return
    if target.kpi and target.noun and any(token.noun(target.noun) for token in work.tokens):
        return  # those are ranked: "the largest purchase order, and with whom"
    if not target.kpi and work.target_at == work.rank_at + 1 and not work.tokens[work.rank_at].is_sign("many"):
        return
    for n, token in list(work.open()):
        if (target.kpi and token.all_of(Noun)) or _beside_its_value(work, n):
            continue
        if target.kpi or any(word.entity == target.entity for word in token.all_of(FieldWord)):
            split = _split(token, target) if token.all_of(FieldWord) else None
            if split is not None:
                work.splits.append(split)
                work.take(n)
                work.one = work.one or singular(token)
                return


def _beside_its_value(work: Work, number: int) -> bool:
    """The "status" of "orders in status confirmed"."""
    beside = (*work.tokens[max(number - 1, 0) : number], *work.tokens[number + 1 : number + 2])
    values = {word.path[-1] for token in beside for word in token.all_of(CodeWord)}
    return any(word.path[-1] in values for word in work.tokens[number].all_of(FieldWord))


def singular(token: Token) -> bool:
    """Whether "which customer has the most" asks for one."""
    return is_singular(token.text)


def _asks_for_one(work: Work) -> bool:
    """Whether a list is asked for its newest or oldest alone: "last order of Meyer"."""
    return work.rank in ("newest", "oldest") and work.target_at >= 0 and singular(work.tokens[work.target_at])


def _small_number(token: Token) -> bool:
    amount = token.amount
    return bool(amount and amount.bare and amount.number == int(amount.number) and 0 < amount.number <= MOST_RANKED)


def _splits(work: Work, target: Target) -> None:
    after_split = -1
    for n, token in list(work.open()):
        per = n - 2 if n > 1 and work.tokens[n - 1].span else n - 1  # "on each 2026 order"
        if n and work.tokens[per].is_sign("by") and any(own_mean(target, noun.entity) for noun in token.all_of(Noun)):
            work.take(n, per)  # "the average value per order" is that average
            continue
        joined = token.joined and n - 1 == after_split
        if (own := _own_field(work, target, n)) is not None:
            work.splits.append(own)
            work.take(n - 2, n - 1, n)  # "by item status"
            after_split = n
            continue
        led = n > 0 and work.tokens[n - 1].is_sign("by") and n - 1 not in work.used
        if not (led or joined or _alone(work, n)):
            continue
        split = _split(token, target)
        if split is not None:
            work.splits.append(split)
            work.take(n, *([n - 1] if led else []))
            after_split = n


def _own_field(work: Work, target: Target, number: int) -> Split | None:
    """What "by item status" tells items apart by: a field led by the word for the records themselves."""
    if number < 2 or not work.tokens[number - 2].is_sign("by") or number - 2 in work.used:
        return None
    token, before = work.tokens[number], work.tokens[number - 1]
    mine = before.noun(target.entity) or (target.noun and before.noun(target.noun))
    words = [word for word in token.all_of(FieldWord) if word.entity == target.entity and _tells_apart(word)]
    return Split(path=words[0].path) if mine and words else None


def _alone(work: Work, number: int) -> bool:
    """Whether "monthly" stands there: a span of the calendar, and neither a number nor a "last" before it."""
    token = work.tokens[number]
    return token.text.casefold() in lexicon().every and token.is_sign(*_BUCKETS)


def _split(token: Token, target: Target) -> Split | None:
    for name, bucket in _BUCKETS.items():
        if token.is_sign(name):
            return Split(bucket=bucket)
    for noun in token.all_of(Noun):
        if path_to(target.entity, noun.entity) and noun.entity != target.entity:
            return Split(entity=noun.entity)
    words = [word for word in token.all_of(FieldWord) if _tells_apart(word)]
    own = next((word.path for word in words if word.entity == target.entity), None)
    if own:
        return Split(path=own)
    for word in words:
        prefix = path_to(target.entity, word.entity)
        if prefix and prefix != ("id",) and not prefix[-1].startswith("@"):
            return Split(path=(*prefix, *word.path))
    return None


def own_mean(target: Target, entity: str) -> bool:
    """Whether a mean is one over such records, so that there is none of each: the average value per order."""
    kpi = target.kpi
    if kpi is None or kpi.figure.function is not Function.MEAN:
        return False
    return entity in (target.entity, *DOCUMENTS) or load_model()[target.entity].beside == entity


def _tells_apart(word: FieldWord) -> bool:
    """Whether records are told apart by such a field: the best price is no group of prices."""
    return leaf_of(load_model(), word.entity, word.path).type not in _FIGURES


def composition(work: Work, target: Target) -> Composition:
    """The composition of an attempt in which every token has found its place."""
    kpi = target.kpi
    limit = work.limit
    if work.rank and limit is None:
        limit = 1 if work.one or (kpi is None and _asks_for_one(work)) else _USUALLY_RANKED
    return Composition(
        measure=kpi.name if kpi else "",
        entity="" if kpi else target.entity,
        counted=work.counted or bool(work.splits and not kpi),
        parts=tuple(work.parts),
        splits=tuple(work.splits),
        order=work.order,
        descending=work.descending,
        limit=limit,
        columns=work.columns,
        supposed=work.supposed,
    )


def counts(kpi: Kpi) -> bool:
    """Whether a measure only says how many records there are."""
    return kpi.figure.function is Function.COUNT
