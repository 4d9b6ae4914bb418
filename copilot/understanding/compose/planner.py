"""Plans a question as a composition: hears it, reads it in every way it may be meant, and takes the first that leaves
no word without a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from copilot.domain.composition import Composition, Part, Split
from copilot.domain.plan import NoPlan, Plan, ReadAs
from copilot.domain.query import Function
from copilot.semantic.conditions import load_segments
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.titles import load_titles
from copilot.understanding.candidates import Candidate, called, read_as
from copilot.understanding.compose.asker import Asker, read_asker
from copilot.understanding.compose.attach import attach
from copilot.understanding.compose.build import build, can_list
from copilot.understanding.compose.columns import columns, ranked_besides
from copilot.understanding.compose.hear import Hearing
from copilot.understanding.compose.nouns import is_price, noun_words
from copilot.understanding.compose.places import date_path
from copilot.understanding.compose.ranked import order
from copilot.understanding.compose.reader import (
    DOCUMENTS,
    Misread,
    Target,
    Work,
    composition,
    counts,
    shape,
    singular,
)
from copilot.understanding.compose.say import Labels
from copilot.understanding.compose.sorting import sort
from copilot.understanding.compose.sound import asks_for_left_out, of_itself, settled_parts
from copilot.understanding.compose.targets import asked_for
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import (
    Measure,
    Noun,
    Vocabulary,
    load_vocabulary,
)

_SAID_OF = {"amount": "money", "quantity": "pieces", "count": "number", "days": "lasting"}
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
    labels, region, today = understood.labels, understood.region, understood.asker.today
    plan = build(model, vocabulary, understood.composition, labels, region=region, today=today)
    return replace(plan, read_as=understood.slips)


def read(tokens: Sequence[Token], asker: Asker, vocabulary: Vocabulary) -> Composition | Misread:
    """The first reading in which every token has a place, else the one that leaves the fewest."""
    misread: list[Misread] = []
    for target, number in asked_for(tokens, vocabulary):
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


def _attempt(
    tokens: Sequence[Token], asker: Asker, vocabulary: Vocabulary, target: Target, number: int
) -> Composition | Misread:
    work = Work(tokens, asker, vocabulary, target_at=number)
    if number >= 0:
        work.take(number, *_led_to(tokens, number))
    sort(work, target)
    shape(work, target)
    noun_words(work, target)
    order(work, target)
    columns(work, target)
    attach(work, target)
    ranked_besides(work, target)
    _functions(work, target)
    left = tuple(token for _, token in work.open())
    if left or work.doubtful:
        return Misread(left=left, doubtful=work.doubtful, money=work.money)
    _add_usual(work, target)
    parts = settled_parts(work.parts, tokens)
    if parts is None:
        return Misread(left=tuple(tokens))
    work.parts = list(parts)
    target = _widened(work, target)
    if target.kpi and of_itself(target.kpi, work.parts, work.splits):
        return Misread(left=tuple(tokens))
    return _settled(work, target)


def _led_to(tokens: Sequence[Token], number: int) -> Iterator[int]:
    """The "by" before what is asked for: "suppliers by average lead time"."""
    before = number - 1
    if before > 0 and tokens[before].is_sign("average", "total"):
        before -= 1
    if before >= 0 and tokens[before].is_sign("by"):
        yield before


def _widened(work: Work, target: Target) -> Target:
    """What leaves nothing out, where the question asks for what the usual measure leaves out, the value of cancelled
    orders or of all by their status: another measure, or the records themselves where they are counted."""
    kpi = target.kpi
    if kpi is None or not asks_for_left_out(kpi, work.parts, work.splits):
        return target
    if kpi.widened:
        return replace(target, kpi=load_kpis()[kpi.widened])
    if not counts(kpi):
        return target
    work.counted = True
    return Target(entity=kpi.entity)


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


def _functions(work: Work, target: Target) -> None:
    """Words that say what is made of a figure, where that is what the measure is."""
    fits = {
        "average": (Function.MEAN, Function.SHARE, Function.RATE),
        "total": (Function.SUM, Function.COUNT),
        "much": (Function.SUM, Function.COUNT, Function.MEAN, Function.SHARE, Function.RATE),
        "spread": (Function.SPREAD,),
    }
    for n, token in list(work.open()):
        for name, functions in fits.items():
            if token.is_sign(name) and target.kpi and target.kpi.figure.function in functions:
                work.take(n)
        if token.is_sign("total") and _goes_without_saying(work, target):
            work.take(n)
        if (target.kpi is None or counts(target.kpi)) and _counted_again(work, target, n):
            work.take(n)
        if token.is_sign("by") and target.kpi and n + 1 < len(work.tokens) and work.tokens[n + 1].is_sign("total"):
            work.take(n)  # "by total value"
        if target.kpi and (Measure(target.kpi.name) in token.meanings or _asks_how(work, n)):
            work.take(n)
        if token.is_sign("when") and target.kpi is None and not work.counted:
            _when(work, target, n)
        if target.kpi and token.is_sign(_SAID_OF.get(_type_of(target.kpi), "")) and not _converted(token):
            work.take(n, *([n - 1] if n and n - 1 not in work.used and _is_by(work, n - 1) else []))


def _converted(token: Token) -> bool:
    """Whether figures are asked for in another unit, "in pieces", which no sum over records is told in."""
    return token.is_sign("pieces") and not lexicon().before_places.isdisjoint(token.led.casefold().split()[-1:])


def _goes_without_saying(work: Work, target: Target) -> bool:
    """Whether "in total" is of a count, or "how much" of a price: "how much is our cheapest skateboard"."""
    return (target.kpi is None and work.counted) or (bool(work.rank) and is_price(target, work.tokens))


def _asks_how(work: Work, number: int) -> bool:
    """The "how" of "how is the on-time rate", which asks for the measure right behind it."""
    return work.tokens[number].is_sign("how") and number + 1 == work.target_at


def _counted_again(work: Work, target: Target, number: int) -> bool:
    """The "orders" of "purchase orders per quarter, just the number of orders"."""
    nouns = work.tokens[number].all_of(Noun)
    counted = number > 0 and work.tokens[number - 1].is_sign("count") and work.target_at < number - 1
    return counted and target.entity in DOCUMENTS and any(noun.entity in DOCUMENTS for noun in nouns)


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
    leaf = leaf_of(load_model(), kpi.entity, kpi.figure.path)
    return "days" if leaf.unit == "day" else leaf.type


def _settled(work: Work, target: Target) -> Composition | Misread:
    """What may be asked of a target: lists only of what there are words for."""
    kpi = target.kpi
    if kpi and kpi.listed and counts(kpi) and can_list(kpi.entity) and _wants_to_see(work, kpi):
        return _list_of(work, kpi)
    found = composition(work, target)
    if kpi is not None and _sized_otherwise(work, kpi):
        return Misread(left=(work.tokens[work.rank_at],))
    if kpi is not None and not _measures(work, target, kpi, found):
        return Misread(left=tuple(work.tokens))
    if kpi is None and not found.parts and not found.counted and singular(work.tokens[max(work.target_at, 0)]):
        return Misread(left=tuple(work.tokens))  # "who is the customer" asks for one, and says not of what
    if found.columns and (found.measure or found.counted):
        return Misread(left=tuple(work.tokens))
    if kpi is None and (_by_itself(found) or (work.rank and not found.order and not found.splits)):
        return Misread(left=tuple(work.tokens))
    if kpi is None and not found.counted and not can_list(target.entity):
        return Misread(left=tuple(work.tokens))
    return found


def _measures(work: Work, target: Target, kpi: Kpi, found: Composition) -> bool:
    """Whether that measure can be what is asked: no figure is the first of its kind, none of money is a number of
    things, and none ranks without what is ranked."""
    if work.rank in ("newest", "oldest") or (work.counted and _type_of(kpi) == "amount"):
        return False
    if work.counted and found.splits and not work.rank and _counts_others(work, target):
        return False
    return bool(found.splits) or found.descending is None


def _sized_otherwise(work: Work, kpi: Kpi) -> bool:
    """Whether a word before what is ranked says of what size it is, and the measure before it none: the supplier with
    the highest on-time rate is not the one of "the on-time rate of our largest supplier"."""
    at = work.rank_at
    if not 0 <= work.target_at < at < len(work.tokens) - 1 or kpi.figure.function in (Function.COUNT, Function.SUM):
        return False
    ranked = work.tokens[at + 1]
    return work.tokens[at].is_sign("sized") and bool(ranked.all_of(Noun))


def _counts_others(work: Work, target: Target) -> bool:
    """Whether "how many" is asked of other records than those a measure goes through: how many items are low on stock
    is no number of items at sites."""
    at = next((n for n, token in enumerate(work.tokens) if token.is_sign("count")), -1)
    further = (n for n in range(at + 1, len(work.tokens)) if not work.tokens[n].is_sign("nothing"))
    following = next(further, None) if at >= 0 else None
    if following is None or _counted_again(work, target, following):
        return False
    nouns = [noun.entity for noun in work.tokens[following].all_of(Noun)]
    return bool(nouns) and target.entity not in nouns and target.subject_entity not in nouns


def _by_itself(found: Composition) -> bool:
    """Whether it counts records that are named, or says what is behind them or whose they are: that is not what is
    asked of one."""
    named = any(part.role == "record" and part.about == found.entity for part in found.parts)
    others = any(part.role == "with" or (part.role == "record" and part.about != found.entity) for part in found.parts)
    return named and (found.counted or others)


def _wants_to_see(work: Work, kpi: Kpi) -> bool:
    """Whether the records that a measure counts are asked for: nobody asks how many, which are first, or by what they
    are told apart, unless that is but what they are called: "which items are low on stock"."""
    if work.counted or work.rank or any(token.is_sign("by") for token in work.tokens):
        return False
    return all(split == Split(entity=kpi.listed_as) for split in work.splits)


def _list_of(work: Work, kpi: Kpi) -> Composition:
    """A measure that counts records, asked for without "how many": these records."""
    part = Part(role="segment", about=kpi.name, conditions=(*kpi.where, *kpi.figure.where), text=kpi.title)
    return Composition(
        entity=kpi.entity,
        parts=(part, *work.parts),
        order=work.order,
        limit=work.limit,
        columns=work.columns,
        supposed=work.supposed,
    )


def listed_records(found: Composition) -> Composition | None:
    """The records that a figure is over; None where there are no words for a list of them."""
    kpi = load_kpis().get(found.measure)
    if kpi is None or found.splits or not can_list(kpi.entity):
        return None
    part = Part(role="segment", about=kpi.name, conditions=(*kpi.where, *kpi.figure.where), text=kpi.title)
    return Composition(entity=kpi.entity, parts=(part, *found.parts))


def ambiguous(misread: Misread) -> tuple[Candidate, ...]:
    """The records that the doubtful words may name."""
    return misread.doubtful.records if misread.doubtful else ()


def unknown(misread: Misread) -> NoPlan:
    """The decline that names the words without a place."""
    return NoPlan(reason="unsupported", unknown_words=tuple(token.text for token in misread.left))
