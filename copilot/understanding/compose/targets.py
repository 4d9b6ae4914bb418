"""What a question may be asking for, the likeliest first: a measure, records, what those are worth, or their prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from copilot.domain.query import Function
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.understanding.compose.limits import SIGNS
from copilot.understanding.compose.reader import DOCUMENTS, Target, counts, subject_of, targets
from copilot.understanding.compose.tokens import Token
from copilot.understanding.vocabulary import (
    CodeWord,
    CurrencyWord,
    DateWord,
    Measure,
    Noun,
    NumberWord,
    Segment,
    Vocabulary,
    load_vocabulary,
)

_ORDERS_OF = {"customer": "sales_order", "supplier": "purchase_line"}


def asked_for(tokens: Sequence[Token], vocabulary: Vocabulary) -> Iterator[tuple[Target, int]]:
    """All that may be asked for; a bare ranking is by the usual measure of what is ranked."""
    found = list(targets(tokens)) or list(_implied(tokens))
    ranked = any(token.is_sign("best", "worst", "highest", "lowest") for token in tokens)
    ranked = ranked and not any(token.is_sign("often") for token in tokens)  # that is a number, and no worth
    valued = any(token.is_sign("money") and not _compared(tokens, n) for n, token in enumerate(tokens))
    valued = valued or any(token.all_of(CurrencyWord) for token in tokens)
    ranked = ranked and not any(token.is_sign("count") for token in tokens)
    averaged = any(token.is_sign("average") for token in tokens)
    summed = any(token.is_sign("total") for token in tokens) and not any(t.is_sign("count", "pieces") for t in tokens)
    pieces = any(token.is_sign("pieces") and not token.is_sign("by") for token in tokens)
    pieces = pieces and not any(c.entity in DOCUMENTS for token in tokens for c in token.records)
    kpis = load_kpis()
    yield from _most_of(tokens, vocabulary)
    yield from _quoted(tokens)
    yield from _priced(tokens)
    yield from _number_per(tokens, vocabulary) if averaged else ()
    for target, number in found:
        if ranked and target.kpi and _is_outlined(target.kpi, tokens, vocabulary):
            continue
        if target.kpi is None and target.entity in vocabulary.counted_as and _asks_how_much(target, tokens):
            kpi = kpis[vocabulary.counted_as[target.entity]]
            yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), number
        mean = _mean_of(target.kpi) if target.kpi else _mean_named(target, tokens, number)
        mean = mean if averaged else None
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
        count = vocabulary.usual_counts.get(target.entity) if _counted_in_a_time(target, tokens) else None
        if count:
            kpi = kpis[count]
            yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), number
        quantity = vocabulary.usual_quantities.get(target.entity) if pieces and target.kpi is None else None
        if quantity:
            kpi = (_mean_of(kpis[quantity]) if averaged else None) or kpis[quantity]
            yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), -1
        yield target, number


def _number_per(tokens: Sequence[Token], vocabulary: Vocabulary) -> Iterator[tuple[Target, int]]:
    """The mean number of some records on others: "how many lines has an order on average", "lines per order"."""
    if any(token.all_of(Measure) or token.is_sign("money", "pieces") for token in tokens if not token.is_sign("by")):
        return
    nouns = [(n, noun.entity) for n, token in enumerate(tokens) for noun in token.all_of(Noun)]
    for n, inner in nouns:
        for at, outer in nouns:
            name = vocabulary.means.get(outer, {}).get(inner) if at != n else None
            if name:
                kpi = load_kpis()[name]
                yield Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi)), n


def _is_outlined(kpi: Kpi, tokens: Sequence[Token], vocabulary: Vocabulary) -> bool:
    """Whether an outline says more of who is best: which supplier of an item is most on time is told by all that each
    delivered, and not by what it delivered of that item."""
    if any(token.span is not None for token in tokens):
        return False
    named = {c.entity for token in tokens for c in token.records}
    ranked = {noun.entity for token in tokens for noun in token.all_of(Noun)}
    return any(kpi.name in vocabulary.rated.get(entity, {}).get(of, ()) for entity in ranked for of in named)


def _counted_in_a_time(target: Target, tokens: Sequence[Token]) -> bool:
    """Whether it is asked how many records there were in some time, and of no state: of orders, those that were placed,
    and no quotations."""
    if target.kpi is not None or not any(token.is_sign("count", "by") for token in tokens):
        return False
    stated = any(_states(token, target.entity) for token in tokens)
    return not stated and any(token.span is not None and token.span.looks != "ahead" for token in tokens)


def _states(token: Token, entity: str) -> bool:
    """Whether a word says a state of such records, and is not one for what happened on a day: "requested"."""
    states = (*token.all_of(Segment), *token.all_of(CodeWord))
    dated = any(word.entity == entity for word in token.all_of(DateWord))
    return not dated and any(word.entity == entity for word in states)


def _most_of(tokens: Sequence[Token], vocabulary: Vocabulary) -> Iterator[tuple[Target, int]]:
    """The "orders" of "which customer placed the most orders": what is counted to rank the rest."""
    ranked = any(token.is_sign("best", "worst", "highest", "lowest") for token in tokens)
    for n, token in enumerate(tokens):
        if token.is_sign("many") or (ranked and token.is_sign("count")):
            following = next((m for m in range(n + 1, len(tokens)) if tokens[m].all_of(Noun)), None)
            between = tokens[n + 1 : following] if following is not None else ()
            if following is not None and all(each.all_of(Segment) or each.all_of(CodeWord) for each in between):
                for noun in tokens[following].all_of(Noun):
                    yield _counted(noun.entity, vocabulary), following
        elif ranked and n and tokens[n - 1].is_sign("by"):  # "top 5 items by stock"
            stock = (noun.entity for noun in token.all_of(Noun) if noun.entity in vocabulary.counted_as)
            yield from ((_counted(entity, vocabulary), n) for entity in stock)


def _counted(entity: str, vocabulary: Vocabulary) -> Target:
    """What is counted of such records: the records, or what there is of them where nobody counts those."""
    name = vocabulary.counted_as.get(entity)
    if name is None:
        return Target(entity=entity)
    kpi = load_kpis()[name]
    return Target(entity=kpi.entity, kpi=kpi, noun=subject_of(kpi))


def _implied(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """Without any word for records: those that alone can be in the state said, or what there is of a customer or a
    supplier: orders, of a supplier their lines."""
    if any(c.entity in DOCUMENTS for token in tokens for c in token.records):
        return
    alone = {part.entity for token in tokens for part in token.all_of(Segment)}
    alone = alone or _told_by_values(tokens)
    if len(alone) == 1:
        yield Target(entity=alone.pop()), -1
    for token in tokens:
        for candidate in token.records:
            entity = _ORDERS_OF.get(candidate.entity)
            if entity and any(part.entity == entity for each in tokens for part in each.all_of(Segment)):
                yield Target(entity=entity), -1


def _told_by_values(tokens: Sequence[Token]) -> set[str]:
    """Whose value a word is that nothing else can mean: a carrier is one of shipments."""
    values = load_vocabulary().value_fields
    words = [token.all_of(CodeWord) for token in tokens if len({w.entity for w in token.all_of(CodeWord)}) == 1]
    return {each[0].entity for each in words if each[0].path[-1] in values.get(each[0].entity, ())}


def _priced(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """The prices that "cheapest" ranks: of order lines where a document is named, else those of a list."""
    for token in tokens:
        if token.is_sign("highest", "lowest") and (words := token.all_of(NumberWord)):
            named = {c.entity for each in tokens for c in each.records}
            if "item" in named:
                continue  # of one item nothing is ranked
            documents = not named.isdisjoint(DOCUMENTS)
            for word in sorted(words, key=lambda word: (word.entity == "item_price") is documents):
                yield Target(entity=word.entity), -1


def _quoted(tokens: Sequence[Token]) -> Iterator[tuple[Target, int]]:
    """What one supplier quotes for its items, where those are ranked: the lead time of a supplier and an item is the
    quoted one."""
    ranked = any(token.is_sign("highest", "lowest") for token in tokens)
    if not ranked or not any(token.noun("item") for token in tokens):
        return
    named = {(c.entity, c.id) for token in tokens for c in token.records}
    if len(named) == 1 and {entity for entity, _ in named} == {"supplier"}:
        for token in tokens:
            for word in token.all_of(NumberWord):
                if word.entity == "supplier_item":
                    yield Target(entity=word.entity), -1


def _divided(tokens: Sequence[Token]) -> bool:
    """Whether a question asks for figures: how many, in total, or by something."""
    return any(token.is_sign("by", "count", "total", "compare") for token in tokens)


def _asks_how_much(target: Target, tokens: Sequence[Token]) -> bool:
    """Whether it is asked how much there is, and not for the records."""
    return _divided(tokens) or _most_there(target, tokens)


def _most_there(target: Target, tokens: Sequence[Token]) -> bool:
    """Whether places are ranked by how much there is, and by no figure that is named: "the site with most stock"."""
    ranked = any(token.is_sign("highest", "lowest", "many") for token in tokens)
    return ranked and not any(word.entity == target.entity for token in tokens for word in token.all_of(NumberWord))


def _compared(tokens: Sequence[Token], number: int) -> bool:
    """Whether a word stands beside a comparison: "a net value above 3,500"."""
    beside = (*tokens[max(number - 2, 0) : number], *tokens[number + 1 : number + 3])
    return any(token.is_sign("between", *SIGNS) for token in beside)


def _usual_measure(vocabulary: Vocabulary, target: Target, tokens: Sequence[Token]) -> str | None:
    """What records are worth: of those in some state it is another figure, such as what is open of open invoices."""
    told = vocabulary.segment_measures.get(target.entity, {})
    said = [measure.name for token in tokens for measure in token.all_of(Measure)]
    said += [part.name for token in tokens for part in token.all_of(Segment) if part.entity == target.entity]
    return next((told[name] for name in said if name in told), vocabulary.usual_measures.get(target.entity))


def _mean_named(target: Target, tokens: Sequence[Token], number: int) -> Kpi | None:
    """The mean of the figure that a word for records names as well: "the average list price"."""
    words = tokens[number].all_of(NumberWord) if number >= 0 else ()
    paths = {word.path for word in words if word.entity == target.entity}
    means = (kpi for kpi in load_kpis().values() if kpi.figure.function is Function.MEAN)
    return next((k for k in means if k.entity == target.entity and k.figure.path in paths), None)


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
