"""Plans a question as a composition: hears it, reads it in every way it may be meant, and takes the first that leaves
no word without a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from copilot.domain.composition import Composition, Part, Split
from copilot.domain.plan import NoPlan, Plan, ReadAs
from copilot.domain.query import Compare, Function, Is
from copilot.semantic.conditions import load_segments
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.titles import load_titles
from copilot.semantic.ways import path_to
from copilot.understanding.candidates import Candidate, called, read_as
from copilot.understanding.compose.asker import Asker, read_asker
from copilot.understanding.compose.attach import attach
from copilot.understanding.compose.build import build, can_list
from copilot.understanding.compose.hear import Hearing
from copilot.understanding.compose.limits import SIGNS, counted_at
from copilot.understanding.compose.places import date_path
from copilot.understanding.compose.reader import (
    Misread,
    Target,
    Work,
    composition,
    counts,
    order,
    shape,
    singular,
    subject_of,
    targets,
)
from copilot.understanding.compose.say import Labels
from copilot.understanding.compose.sorting import sort
from copilot.understanding.compose.sound import settled_parts
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import (
    CodeWord,
    CurrencyWord,
    Measure,
    Noun,
    NumberWord,
    Segment,
    Vocabulary,
    load_vocabulary,
)

_DOCUMENTS = ("sales_order", "purchase_order", "invoice", "shipment", "receipt", "return_order")
"""What measured records are on: "on customer orders" says nothing more of order lines."""
_ORDERS_OF = {"customer": "sales_order", "supplier": "purchase_line"}
_SAID_OF = {"amount": "money", "quantity": "pieces", "count": "number"}
"""What a figure may be called besides, by what it is: "value", "units"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A question as a composition, with how its records are called."""

    composition: Composition
    labels: Labels
    region: str
    tokens: tuple[Token, ...]
    asker: Asker
    slips: tuple[ReadAs, ...] = ()
    """What was typed with a slip and taken for a name."""


async def compose(lookup: Lookup, heard: Hearing) -> Understood | Misread:
    """The composition of a question as it was heard."""
    found = read(heard.tokens, heard.asker, load_vocabulary())
    return found if isinstance(found, Misread) else await whole(lookup, found, heard)


async def whole(lookup: Lookup, found: Composition, heard: Hearing) -> Understood:
    """A composition with how its records are called."""
    labels = await labels_of(lookup, found.ids())
    region = region_of(found, heard.asker)
    ids = found.ids()
    meant = [c for token in heard.tokens for c in token.records if c.id in ids.get(c.entity, ())]
    return Understood(
        composition=found, labels=labels, region=region, tokens=heard.tokens, asker=heard.asker,
        slips=read_as(meant, heard.words),
    )  # fmt: skip


async def recomposed(lookup: Lookup, found: Composition) -> Plan:
    """The plan of a kept composition, with its records called as they are today."""
    heard = Hearing(tokens=(), asker=await read_asker(lookup))
    return plan_of(lookup.model, await whole(lookup, found, heard))


def plan_of(model: SemanticModel, understood: Understood) -> Plan:
    """The plan of a composition."""
    vocabulary = load_vocabulary()
    plan = build(model, vocabulary, understood.composition, understood.labels, region=understood.region)
    return replace(plan, read_as=understood.slips)


def read(tokens: Sequence[Token], asker: Asker, vocabulary: Vocabulary) -> Composition | Misread:
    """The first reading in which every token has a place, else the one that leaves the fewest."""
    misread: list[Misread] = []
    for target, number in _targets(tokens, vocabulary):
        found = _attempt(tokens, asker, vocabulary, target, number)
        if isinstance(found, Composition):
            return found
        misread.append(found)
    return min(misread, key=lambda m: (len(m.left), m.doubtful is None), default=Misread(left=tuple(tokens)))


def region_of(composition: Composition, asker: Asker) -> str:
    """The code of the one region that a question is about: the one named, else the asker's only one."""
    named = composition.ids().get("region", ())
    if len(named) == 1:
        return asker.regions.get(named[0], "")
    return next(iter(asker.regions.values())) if len(asker.regions) == 1 else ""


async def labels_of(lookup: Lookup, ids: Mapping[str, Iterable[int]]) -> Labels:
    """What records are called, of those in scope."""
    keys = {(entity, ident) for entity, those in ids.items() for ident in those}
    shown = await called(lookup, keys)
    return {key: name or number for key, (number, name, _) in shown.items()}


def _targets(tokens: Sequence[Token], vocabulary: Vocabulary) -> Iterator[tuple[Target, int]]:
    """All that may be asked for; a bare ranking is by the usual measure of what is ranked."""
    found = list(targets(tokens)) or list(_implied(tokens))
    ranked = any(token.is_sign("best", "worst", "highest", "lowest") for token in tokens)
    valued = any(token.is_sign("money") and not _compared(tokens, n) for n, token in enumerate(tokens))
    valued = valued or any(token.all_of(CurrencyWord) for token in tokens)
    ranked = ranked and not any(token.is_sign("count") for token in tokens)
    averaged = any(token.is_sign("average") for token in tokens)
    summed = any(token.is_sign("total") for token in tokens) and not any(t.is_sign("count", "pieces") for t in tokens)
    pieces = any(token.is_sign("pieces") and not token.is_sign("by") for token in tokens)
    pieces = pieces and not any(c.entity in _DOCUMENTS for token in tokens for c in token.records)
    kpis = load_kpis()
    yield from _most_of(tokens)
    yield from _priced(tokens)
    for target, number in found:
        if target.kpi is None and target.entity in vocabulary.counted_as and _divided(tokens):
            kpi = kpis[vocabulary.counted_as[target.entity]]
            yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), number
        mean = _mean_of(target.kpi) if averaged and target.kpi else None
        if mean:
            yield Target(entity=mean.entity, kpi=mean, noun=target.noun), number
        usual = _usual_measure(vocabulary, target, tokens)
        money = valued or (summed and target.entity in vocabulary.segment_measures)
        if usual and (money and counts(target.kpi) if target.kpi else money or ranked):
            kpi = kpis[usual]
            mean = _mean_of(kpi) if averaged else None
            for each in (mean, kpi) if mean else (kpi,):
                at = number if target.kpi else -1
                yield Target(entity=each.entity, kpi=each, noun=subject_of(each)), at
        quantity = vocabulary.usual_quantities.get(target.entity) if pieces and target.kpi is None else None
        if quantity:
            kpi = kpis[quantity]
            yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), -1
        yield target, number


def _most_of(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """The "orders" of "which customer placed the most orders": what is counted to rank the rest."""
    ranked = any(token.is_sign("best", "worst", "highest", "lowest") for token in tokens)
    for n, token in enumerate(tokens):
        if token.is_sign("many") or (ranked and token.is_sign("count")):
            following = next((m for m in range(n + 1, len(tokens)) if tokens[m].all_of(Noun)), None)
            between = tokens[n + 1 : following] if following is not None else ()
            if following is not None and all(each.all_of(Segment) or each.all_of(CodeWord) for each in between):
                for noun in tokens[following].all_of(Noun):
                    yield Target(entity=noun.entity), following


def _implied(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """Without any word for records: those that alone can be in the state said, or what there is of a customer or a
    supplier: orders, of a supplier their lines."""
    if any(c.entity in _DOCUMENTS for token in tokens for c in token.records):
        return
    alone = {part.entity for token in tokens for part in token.all_of(Segment)}
    if len(alone) == 1:
        yield Target(entity=alone.pop()), -1
    for token in tokens:
        for candidate in token.records:
            entity = _ORDERS_OF.get(candidate.entity)
            if entity and any(part.entity == entity for each in tokens for part in each.all_of(Segment)):
                yield Target(entity=entity), -1


def _priced(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """The prices that "cheapest" ranks: of order lines where a document is named, else those of a list."""
    for token in tokens:
        if token.is_sign("highest", "lowest") and (words := token.all_of(NumberWord)):
            named = {c.entity for each in tokens for c in each.records}
            if "item" in named:
                continue  # of one item nothing is ranked
            documents = not named.isdisjoint(_DOCUMENTS)
            for word in sorted(words, key=lambda word: (word.entity == "item_price") is documents):
                yield Target(entity=word.entity), -1


def _divided(tokens: Sequence[Token]) -> bool:
    """Whether a question asks for figures: how many, in total, or by something."""
    return any(token.is_sign("by", "count", "total", "compare") for token in tokens)


def _compared(tokens: Sequence[Token], number: int) -> bool:
    """Whether a word stands beside a comparison: "a net value above 3,500"."""
    beside = (*tokens[max(number - 2, 0) : number], *tokens[number + 1 : number + 3])
    return any(token.is_sign("between", *SIGNS) for token in beside)


def _usual_measure(vocabulary: Vocabulary, target: Target, tokens: Sequence[Token]) -> str | None:
    """What records are worth: of those in some state it is another figure, such as what is open of open invoices."""
    told = vocabulary.segment_measures.get(target.entity, {})
    said = [part.name for token in tokens for part in token.all_of(Segment) if part.entity == target.entity]
    said += [measure.name for token in tokens for measure in token.all_of(Measure)]
    return next((told[name] for name in said if name in told), vocabulary.usual_measures.get(target.entity))


def _mean_of(kpi: Kpi) -> Kpi | None:
    """The measure that is the mean of what another one sums up."""
    if kpi.figure.function is not Function.SUM:
        return None
    return next(
        (
            other
            for other in load_kpis().values()
            if other.figure.function is Function.MEAN
            and (other.entity, other.figure.path) == (kpi.entity, kpi.figure.path)
        ),
        None,
    )


def _attempt(
    tokens: Sequence[Token], asker: Asker, vocabulary: Vocabulary, target: Target, number: int
) -> Composition | Misread:
    work = Work(tokens, asker, vocabulary, target_at=number)
    if number >= 0:
        work.take(number, *_led_to(tokens, number))
    sort(work, target)
    shape(work, target)
    _nouns(work, target)
    order(work, target)
    attach(work, target)
    _functions(work, target)
    left = tuple(token for _, token in work.open())
    if left or work.doubtful:
        return Misread(left=left, doubtful=work.doubtful, money=work.money)
    _add_usual(work, target)
    parts = settled_parts(work.parts, tokens)
    if parts is None:
        return Misread(left=tuple(tokens))
    work.parts = list(parts)
    return _settled(work, _widened(work, target))


def _led_to(tokens: Sequence[Token], number: int) -> Iterator[int]:
    """The "by" before what is asked for: "suppliers by average lead time"."""
    before = number - 1
    if before > 0 and tokens[before].is_sign("average", "total"):
        before -= 1
    if before >= 0 and tokens[before].is_sign("by"):
        yield before


def _widened(work: Work, target: Target) -> Target:
    """With the measure that leaves nothing out, where the question asks for what the usual one leaves out: the value of
    cancelled orders, or of all by their status."""
    kpi = target.kpi
    if kpi is None or not kpi.widened:
        return target
    asked = {(c.path, c.value) for part in work.parts for c in part.conditions if isinstance(c, Compare)}
    split = {split.path for split in work.splits}
    for left_out in kpi.where:
        values = left_out.value if isinstance(left_out, Compare) and left_out.how is Is.NOT_IN else None
        if isinstance(left_out, Compare) and isinstance(values, tuple):
            said = left_out.path in split or any((left_out.path, value) in asked for value in values)
            target = replace(target, kpi=load_kpis()[kpi.widened]) if said else target
    return target


def _add_usual(work: Work, target: Target) -> None:
    """With what goes with a figure where no state is said: days overdue are those of open invoices."""
    if any(part.role in ("segment", "code") for part in work.parts):
        return
    usual = work.vocabulary.always_parts.get(target.entity, {})
    for part in list(work.parts):
        name = usual.get(part.about) if part.role == "limit" else None
        if name:
            conditions = load_segments()[target.entity][name]
            text = load_titles().segment(target.entity, name)
            work.parts.append(Part(role="segment", about=name, conditions=conditions, text=text))


def _nouns(work: Work, target: Target) -> None:
    """Words for the records measured say nothing more; others tell a measure apart by those records."""
    if target.kpi is None:
        _ranked_nouns(work, target)
        return
    for n, token in list(work.open()):
        nouns = token.all_of(Noun)
        if any(noun.entity in (target.entity, target.noun) for noun in nouns):
            work.take(n)
            if target.noun and work.rank and not work.splits:
                work.one = work.one or singular(token)
                _split_by(work, target, target.noun)
        elif any(noun.entity in _DOCUMENTS and path_to(target.entity, noun.entity) for noun in nouns) and not work.rank:
            if not _names_record(work, n, nouns):
                work.take(n)
        elif nouns and not _names_record(work, n, nouns) and (work.rank or not target.kpi or _plain(work, n)):
            if work.rank and work.splits and any(path_to(target.entity, noun.entity) for noun in nouns):
                work.take(n)  # the "items" of "suppliers by lead time of their items": what is ranked is said already
                continue
            for noun in nouns:
                if _split_by(work, target, noun.entity):
                    work.one = work.one or (bool(work.rank) and singular(token))
                    work.take(n)
                    break


def _ranked_nouns(work: Work, target: Target) -> None:
    """What counted records are ranked by, or told apart by: the customers with the most orders, or more than five."""
    if work.rank not in ("highest", "lowest", "best", "worst") and not counted_at(work, work.target_at - 1):
        return
    for n, token in list(work.open()):
        for noun in token.all_of(Noun):
            if noun.entity == target.entity or _names_record(work, n, [noun]):
                continue
            if noun.entity in _DOCUMENTS and path_to(target.entity, noun.entity):
                work.take(n)
                break
            if _split_by(work, target, noun.entity):
                work.one = work.one or singular(token)
                work.take(n)
                break


def _plain(work: Work, number: int) -> bool:
    """Whether a noun stands there for all such records: no record beside it that it is a word for."""
    return work.beside(number, lambda token: token.reference is not None) is None


def _names_record(work: Work, number: int, nouns: Sequence[Noun]) -> bool:
    entities = {noun.entity for noun in nouns}
    return work.beside(number, lambda t: any(c.entity in entities for c in t.records)) is not None


def _split_by(work: Work, target: Target, entity: str) -> bool:
    if not path_to(target.entity, entity):
        return False
    if not any(split.entity == entity for split in work.splits):
        work.splits.append(Split(entity=entity))
    return True


def _functions(work: Work, target: Target) -> None:
    """Words that say what is made of a figure, where that is what the measure is."""
    fits = {
        "average": (Function.MEAN, Function.SHARE, Function.RATE),
        "total": (Function.SUM, Function.COUNT),
        "spread": (Function.SPREAD,),
    }
    for n, token in list(work.open()):
        for name, functions in fits.items():
            if token.is_sign(name) and target.kpi and target.kpi.figure.function in functions:
                work.take(n)
        if token.is_sign("total") and target.kpi is None and work.counted:
            work.take(n)
        if token.is_sign("by") and target.kpi and n + 1 < len(work.tokens) and work.tokens[n + 1].is_sign("total"):
            work.take(n)  # "by total value"
        if token.is_sign("when") and target.kpi is None and not work.counted:
            _when(work, target, n)
        if target.kpi and token.is_sign(_SAID_OF.get(_type_of(target.kpi), "")):
            work.take(n, *([n - 1] if n and n - 1 not in work.used and _is_by(work, n - 1) else []))


def _when(work: Work, target: Target, number: int) -> None:
    """ "When": the dates that the list shows; that there is such a record is taken for granted."""
    work.supposed = True
    work.take(number, *(n for n, token in work.open() if date_path(token, target)))


def _is_by(work: Work, number: int) -> bool:
    """Whether a "by" stands there: "biggest orders by value"."""
    return work.tokens[number].is_sign("by")


def _type_of(kpi: Kpi) -> str:
    """What a measure's figures are: amounts, quantities, counts."""
    if kpi.figure.path is None or kpi.figure.function is Function.RATE:
        return "count"
    return leaf_of(load_model(), kpi.entity, kpi.figure.path).type


def _settled(work: Work, target: Target) -> Composition | Misread:
    """What may be asked of a target: lists only of what there are words for."""
    kpi = target.kpi
    if kpi and kpi.listed and counts(kpi) and not (work.counted or work.rank or work.splits) and can_list(kpi.entity):
        return _list_of(work, kpi)
    found = composition(work, target)
    if kpi is None and not found.parts and not found.counted and singular(work.tokens[max(work.target_at, 0)]):
        return Misread(left=tuple(work.tokens))  # "who is the customer" asks for one, and says not of what
    if kpi is None and (_by_itself(found) or (work.rank and not found.order and not found.splits)):
        return Misread(left=tuple(work.tokens))
    if kpi is None and not found.counted and not can_list(target.entity):
        return Misread(left=tuple(work.tokens))
    return found


def _by_itself(found: Composition) -> bool:
    """Whether it counts records that are named, or says what is behind them: that is not what is asked of one."""
    named = any(part.role == "record" and part.about == found.entity for part in found.parts)
    return named and (found.counted or any(part.role == "with" for part in found.parts))


def _list_of(work: Work, kpi: Kpi) -> Composition:
    """A measure that counts records, asked for without "how many": these records."""
    part = Part(role="segment", about=kpi.name, conditions=(*kpi.where, *kpi.figure.where), text=kpi.title)
    return Composition(
        entity=kpi.entity, parts=(part, *work.parts), order=work.order, limit=work.limit, supposed=work.supposed
    )


def ambiguous(misread: Misread) -> tuple[Candidate, ...]:
    """The records that the doubtful words may name."""
    return misread.doubtful.records if misread.doubtful else ()


def unknown(misread: Misread) -> NoPlan:
    """The decline that names the words without a place."""
    return NoPlan(reason="unsupported", unknown_words=tuple(token.text for token in misread.left))
