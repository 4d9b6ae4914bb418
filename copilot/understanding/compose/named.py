"""Reads which records, named parts and codes a question is restricted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from copilot.domain.composition import Part, Split
from copilot.domain.query import Compare, Condition, Function, Is, Linked, Path
from copilot.semantic.conditions import load_segments
from copilot.semantic.kpis import load_kpis
from copilot.semantic.model import load_model
from copilot.semantic.titles import load_titles
from copilot.semantic.ways import Way, path_to, way
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.compose.limits import SIGNS
from copilot.understanding.compose.places import code_of, places, segment_of, under
from copilot.understanding.compose.reader import Target, Work, counts
from copilot.understanding.compose.say import phrases
from copilot.understanding.compose.tokens import Token
from copilot.understanding.references import Reference
from copilot.understanding.vocabulary import CodeWord, FieldWord, Measure, Noun, NumberWord, Segment, Sign
from copilot.understanding.words import fold

_FLIPPED = {Is.EQUAL: Is.NOT_EQUAL, Is.NOT_EQUAL: Is.EQUAL, Is.IN: Is.NOT_IN, Is.NOT_IN: Is.IN}
_OF_EACH = (Function.SHARE, Function.RATE, Function.MEAN, Function.SPREAD)
"""Figures that are asked of each of several records, never of all of them together."""
_NEGATIONS = ("not", "outside")
_ORDER = ("site", "region", "channel", "customer", "supplier", "item")
"""Of several kinds of records that the same words may name, the one that is meant."""


def records(work: Work, target: Target) -> None:
    """Give a place to every record named."""
    for n, token in list(work.open()):
        if token.reference is None or _compared(work, n):
            continue
        hint = work.beside(n, lambda t, token=token: any(t.noun(c.entity) for c in token.records))
        candidates = _meant(work, token, target, hint)
        if not candidates:
            continue
        first, *more = candidates
        if more or first.doubt is Doubt.GUESS:
            work.doubtful = work.doubtful or replace(
                token, reference=Reference(positions=frozenset(token.positions), candidates=candidates)
            )
            continue
        if (field := _led_by_field(work, target, n)) is None:
            _record(work, target, n, first, hint)
        elif load_model()[target.entity].fields[field].to == first.entity and not _is_negated(work, n):
            text = first.name or first.number
            condition = Compare((field,), Is.IN, (first.id,))
            work.parts.append(Part(role="code", about=field, conditions=(condition,), text=text))
            work.take(n, *([hint] if hint is not None else []))


def _led_by_field(work: Work, target: Target, number: int) -> str | None:
    """The field that the words before a name say it belongs to, where that is not the usual one: a site that transfers
    come "from", which of two is also the one before "to"."""
    led = work.vocabulary.led.get(target.entity, {})
    for field, words in led.items():
        if way(target.entity, str(load_model()[target.entity].fields[field].to)) == Way((), (field,)):
            continue
        usual = [word for other, those in led.items() if other != field for word in those]
        following = next((t for t in work.tokens[number + 1 :] if t.reference), None)
        bare = not work.tokens[number].led and following is not None and _ends(following.led, usual)
        if bare or _ends(work.tokens[number].led, words):
            return field
    return None


def _ends(led: str, words: Sequence[str]) -> bool:
    return any(f" {led.casefold()}".endswith(f" {word}") for word in words)


def _is_negated(work: Work, number: int) -> bool:
    return number > 0 and number - 1 not in work.used and work.tokens[number - 1].is_sign(*_NEGATIONS)


def _compared(work: Work, number: int) -> bool:
    """Whether it is a figure that something is compared with, and only like a name."""
    token = work.tokens[number]
    led = number > 0 and work.tokens[number - 1].is_sign("between", *SIGNS)
    return bool(token.amount and led and not any(record.by_number for record in token.records))


def _meant(work: Work, token: Token, target: Target, hint: int | None) -> tuple[Candidate, ...]:
    """The records that a token may mean here: of the kind that is said, and that can be reached."""
    origin = target.entity
    those = [c for c in token.records if way(origin, c.entity) or _country(target, c)]
    if hint is not None and (told := [c for c in those if work.tokens[hint].noun(c.entity)]):
        those = told
    those.sort(key=lambda c: _ORDER.index(c.entity) if c.entity in _ORDER else len(_ORDER))
    first = those[0].entity if those else ""
    return tuple(c for c in those if c.entity == first)


def _country(target: Target, candidate: Candidate) -> Path | None:
    """The country that a region stands for, of the records asked for or of those that they tell of: a supplier is in
    a country, and belongs to no region."""
    if candidate.entity != "region" or len(candidate.number) != 2:
        return None
    model = load_model()
    meant = ((target.entity, ()), (target.subject_entity, target.subject))
    return next(((*path, "country") for entity, path in meant if entity and "country" in model[entity].fields), None)


def _record(work: Work, target: Target, number: int, candidate: Candidate, hint: int | None) -> None:
    negated = _is_negated(work, number)
    work.take(number, *([number - 1] if negated else []), *([hint] if hint is not None else []))
    before = min(number, number if hint is None else hint) - 1
    if candidate.entity in ("item", "supplier") and before >= 0 and work.tokens[before].is_sign("holding"):
        work.take(before)
    partner = candidate.entity in ("customer", "supplier") and target.kpi is None
    if partner and before >= 0 and work.tokens[before].is_sign("by"):
        work.take(before)  # "what is open by Thornbury"
    if country := _country(target, candidate):
        how = Is.NOT_EQUAL if negated else Is.EQUAL
        text = phrases()["not_of" if negated else "of"]["region"].format(candidate.name or candidate.number)
        condition = Compare(country, how, candidate.number)
        work.parts.append(Part(role="limit", about="country", conditions=(condition,), text=text))
        return
    same = next(
        (p for p in work.parts if p.role == "record" and p.about == candidate.entity and p.negated == negated), None
    )
    ids = tuple(dict.fromkeys((*(same.ids if same else ()), candidate.id)))
    if same:
        work.parts.remove(same)
    work.parts.append(Part(role="record", about=candidate.entity, ids=ids, negated=negated))
    signs = [n for n, token in work.open() if token.is_sign("compare", "rather")]
    if len(ids) > 1 and signs:
        work.take(*signs, *_between(work, number))
        _split(work, candidate.entity)
    elif len(ids) > 1 and not negated and _of_each(work, target, candidate.entity):
        _split(work, candidate.entity)


def _between(work: Work, number: int) -> Iterator[int]:
    """The "how" and "between" of "how does it compare between Hamburg and Stuttgart"."""
    for n, token in work.open():
        if token.is_sign("how") or (token.is_sign("between") and n < number and not work.tokens[n + 1].amount):
            yield n


def _of_each(work: Work, target: Target, entity: str) -> bool:
    """Whether a figure is told of each of several records: one that can't be added up is, and so is what there is at
    several places, where nothing asks for the sum."""
    if (target.kpi or work.counted) and sum(token.is_sign("much", "count") for token in work.tokens) > 1:
        return True  # "how much in Hamburg and how much in Stuttgart"
    if target.kpi is None or target.kpi.figure.function in _OF_EACH:
        return target.kpi is not None
    return entity == "site" and not any(token.is_sign("total") for token in work.tokens)


def _split(work: Work, entity: str) -> None:
    if not work.splits or (len(work.splits) == 1 and work.splits[0].bucket):
        work.splits.insert(0, Split(entity=entity))


def segments(work: Work, target: Target) -> None:
    """Give a place to every named part of the target."""
    for n, token in list(work.open()):
        found = segment_of(token, target)
        if found is None:
            continue
        word, path = found
        if any(code.entity == word.entity for code in token.all_of(CodeWord)) and _field_beside(
            work, n, word.entity, "status"
        ):
            continue  # "in status shipped" is that status alone
        if (path and _of_its_own(work, n, target, word)) or _another_measure(token, target):
            continue
        signs = _denied(work, target, n)
        if signs is not None and (named := _named_opposite(work, word.entity, n)):
            word, signs, taken = named, None, signs
        else:
            taken = ()
        conditions = load_segments()[word.entity][word.name]
        if signs is not None:
            flipped = _flipped(conditions)
            if flipped is None:
                continue
            conditions = flipped
        text = _said(load_titles().segment(word.entity, word.name), signs)
        part = Part(role="segment", about=word.name, conditions=tuple(under(c, path) for c in conditions), text=text)
        work.parts.append(part)
        work.take(n, *(signs or ()), *taken, *_field_beside(work, n, word.entity, "status"))


def _of_its_own(work: Work, number: int, target: Target, word: Segment) -> bool:
    """Whether a state is rather one of the records asked for than of what they refer to, which no word beside it names:
    "cancelled returns", but lines of "partly shipped orders"."""
    own = any(code.entity == target.entity for code in work.tokens[number].all_of(CodeWord))
    if not own or any(token.noun(word.entity) for token in work.tokens[number + 1 : number + 3]):
        return False
    before = work.tokens[number - 1].all_of(CodeWord) if number and work.tokens[number].joined else ()
    if any(code.entity == word.entity for code in before) and not any(c.entity == target.entity for c in before):
        return False  # "confirmed or partly shipped": both are of the orders
    begin = number - 1
    while begin > 0 and _says_status(work.tokens[begin]):
        begin -= 1  # "orders that are confirmed or partly shipped"
    return begin < 0 or not work.tokens[begin].noun(word.entity)


def _says_status(token: Token) -> bool:
    """Whether a word only says in what state records are, or that it is about that: "in status confirmed"."""
    status = any(word.path[-1] == "status" for word in token.all_of(FieldWord))
    return status or (bool(token.all_of(CodeWord)) and not token.all_of(Noun))


def _another_measure(token: Token, target: Target) -> bool:
    """Whether a word is another measure of what one is asked of: "available" beside "reserved" restricts nothing."""
    kpis = load_kpis()
    others = [kpis[word.name] for word in token.all_of(Measure)]
    return target.kpi is not None and any(
        o != target.kpi and o.entity == target.entity and not counts(o) for o in others
    )


def _named_opposite(work: Work, entity: str, number: int) -> Segment | None:
    """The part that a denial names by itself: what is "not shipped" is open, and none of it is cancelled."""
    said = tuple(fold(work.tokens[number].text).split())
    for sign in work.vocabulary.phrases:
        if len(sign) == 1 and Sign("not") in work.vocabulary.phrases[sign]:
            for meaning in work.vocabulary.phrases.get((*sign, *said), ()):
                if isinstance(meaning, Segment) and meaning.entity == entity:
                    return meaning
    return None


def measured(work: Work, target: Target) -> None:
    """Give a place to measures that count some of the records meant: the "overdue invoices" of a sum of money."""
    kpis = load_kpis(work.asker.region)
    for n, token in list(work.open()):
        for word in token.all_of(Measure):
            kpi = kpis[word.name]
            path = next((path for entity, path in places(target) if entity == kpi.entity), None)
            if target.kpi is None or path is None or not counts(kpi) or kpi == target.kpi:
                continue
            conditions = tuple(under(c, path) for c in (*kpi.where, *kpi.figure.where))
            work.parts.append(Part(role="segment", about=kpi.name, conditions=conditions, text=kpi.title))
            work.take(n)
            break


def _denied(work: Work, target: Target, number: int) -> tuple[int, ...] | None:
    """The words that deny the one at a place: "not", "excluding" before it, "not counted" behind it or its noun."""
    before = number - 1
    if before >= 0 and before not in work.used and work.tokens[before].is_sign("not", "none_of", "leave_out"):
        return (before, *_noun_after(work, target, number))
    nouns = _noun_after(work, target, number)
    after = number + 1 + len(nouns)
    if after < len(work.tokens) and after not in work.used and work.tokens[after].is_sign("left_out"):
        return (*nouns, after)
    return None


def _noun_after(work: Work, target: Target, number: int) -> tuple[int, ...]:
    """The "orders" of "cancelled orders left out"."""
    after = number + 1
    if after >= len(work.tokens):
        return ()
    wanted = {target.entity, target.subject_entity}
    return (after,) if any(noun.entity in wanted for noun in work.tokens[after].all_of(Noun)) else ()


def _flipped(conditions: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    """The opposite of a single condition; None where that can't be said."""
    first = conditions[0] if len(conditions) == 1 else None
    if isinstance(first, Compare) and first.how in _FLIPPED:
        return (replace(first, how=_FLIPPED[first.how]),)
    return (replace(first, none=not first.none),) if isinstance(first, Linked) else None


def codes(work: Work, target: Target) -> None:
    """Give a place to every code, and to the word for its field that may stand beside it."""
    for n, token in list(work.open()):
        found = code_of(token, target) or _goods_of(token, target)
        word, condition, path = None, None, ()
        signs = _denied(work, target, n)
        how = Is.EQUAL if signs is None else Is.NOT_EQUAL
        if found:
            word, path = found
            condition = Compare((*path, *word.path), how, word.code)
        elif (beside := _beside(token, target)) is not None and signs is None:
            word, condition = beside
        elif _holding(work, target, n):
            continue
        if word is None or condition is None or _is_opposite(work, n, word, path, signs):
            continue
        text = _said(load_titles().word(word.code), signs)
        work.parts.append(Part(role="code", about=".".join(word.path), conditions=(condition,), text=text))
        beside = _field_beside(work, n, word.entity, word.path[-1])
        work.take(n, *(signs or ()), *beside, *_whose(work, n, word, target))


def _is_opposite(work: Work, number: int, word: CodeWord, path: Path, signs: tuple[int, ...] | None) -> bool:
    """Gives a place to a denied code whose opposite has a name: purchase orders "not sent" are drafts."""
    named = _named_opposite(work, word.entity, number) if signs is not None else None
    if named is None:
        return False
    conditions = tuple(under(each, path) for each in load_segments()[named.entity][named.name])
    text = load_titles().segment(named.entity, named.name)
    work.parts.append(Part(role="segment", about=named.name, conditions=conditions, text=text))
    work.take(number, *(signs or ()))
    return True


def _whose(work: Work, number: int, word: CodeWord, target: Target) -> tuple[int, ...]:
    """The "orders" of "lines of sent purchase orders": what the records asked for refer to, in that state."""
    if word.noun or word.entity in (target.entity, target.subject_entity):
        return ()
    beside = _field_beside(work, number, word.entity, word.path[-1])
    at = [n for n in (number + 1, min((number, *beside)) - 1) if 0 <= n < len(work.tokens) and n not in work.used]
    return tuple(n for n in at if work.tokens[n].noun(word.entity))[:1]


def _goods_of(token: Token, target: Target) -> tuple[CodeWord, Path] | None:
    """The kind of goods that records asked for are of, where that is more than one step away: "the unit price of the
    laptop on order SO-24"."""
    for word in token.all_of(CodeWord):
        path = path_to(target.entity, word.entity) if word.noun and target.kpi is None else None
        if path and path != ("id",) and not path[-1].startswith("@"):
            return word, path
    return None


def _holding(work: Work, target: Target, number: int) -> bool:
    """Whether it is a kind of goods that the records asked for hold: "orders with a bicycle in them"."""
    for word in work.tokens[number].all_of(CodeWord):
        found = way(target.entity, word.entity) if word.noun and target.kpi is None else None
        if found is None or not found.links:
            continue
        path = word.path if found.path == ("id",) else (*found.path, *word.path)
        own = Part(
            role="code",
            about=".".join(path),
            conditions=(Compare(path, Is.EQUAL, word.code),),
            text=load_titles().word(word.code),
        )
        work.parts.append(Part(role="with", about=found.links[-1].entity, inner=(own,)))
        led = number and number - 1 not in work.used and work.tokens[number - 1].is_sign("holding")
        work.take(number, *([number - 1] if led else []))
        return True
    return False


def _beside(token: Token, target: Target) -> tuple[CodeWord, Linked] | None:
    """A code of the record that stands beside each of those meant: a supplier's incoterm."""
    model = load_model()
    for word in token.all_of(CodeWord):
        entity = model[word.entity]
        by = next((ref.name for ref in entity.refs() if ref.to == target.entity), None)
        if entity.beside == target.entity and by:
            return word, Linked(word.entity, by, (Compare(word.path, Is.EQUAL, word.code),))
    return None


def _field_beside(work: Work, number: int, entity: str, field: str) -> tuple[int, ...]:
    """The "status" of "status blocked", the "reasons" of "quality reasons"."""

    def wanted(token: Token) -> bool:
        words = (*token.all_of(FieldWord), *token.all_of(NumberWord))
        return any(word.path[-1] == field and word.entity == entity for word in words)

    at = work.beside(number, wanted)
    return (at,) if at is not None and not _led_by(work, at) else ()


def _led_by(work: Work, number: int) -> bool:
    return number > 0 and number - 1 not in work.used and work.tokens[number - 1].is_sign("by")


def _said(name: str, signs: Sequence[int] | None) -> str:
    """A part of the records in words; denied where words that deny it stand with it."""
    return name if signs is None else str(phrases()["not"].format(name))
