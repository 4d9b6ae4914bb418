"""Reads what is compared: figures, money and days, and one date with another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from copilot.domain.composition import Part
from copilot.domain.quantity import to_scaled
from copilot.domain.query import AnyOf, Compare, Condition, Function, Is, Linked, Path, Relate
from copilot.semantic.kpis import load_kpis
from copilot.semantic.model import load_model
from copilot.semantic.paths import Leaf, leaf_of
from copilot.understanding.amounts import AmountMention
from copilot.understanding.compose.places import date_path, number_path
from copilot.understanding.compose.reader import Target, Work, counts
from copilot.understanding.compose.say import phrases
from copilot.understanding.compose.tokens import Token
from copilot.understanding.time.calendar import MONTHS, months_from
from copilot.understanding.vocabulary import CodeWord, CurrencyWord, FieldWord, Measure, Noun, NumberWord, Segment, Sign
from copilot.understanding.words import fold

SIGNS = {
    "more": Is.MORE, "at_least": Is.AT_LEAST, "less": Is.LESS, "at_most": Is.AT_MOST, "exactly": Is.EQUAL,
    "within": Is.AT_MOST,
}  # fmt: skip
_OPPOSITE = {
    Is.MORE: Is.AT_MOST,
    Is.AT_LEAST: Is.LESS,
    Is.LESS: Is.AT_LEAST,
    Is.AT_MOST: Is.MORE,
    Is.EQUAL: Is.NOT_EQUAL,
}
_GROUPED = re.compile(r"\D*(\d{1,3})[.,](\d{3})\D*")
_SCALED = ("quantity", "amount", "ratio", "days")
_MONEY = {
    "sales_order": ("sales_order_amount", "order", "worth"),
    "purchase_order": ("purchase_order_amount", "purchase_order", "worth"),
    "invoice": ("invoice_amount", "invoice", "total"),
    "item": ("item_price", "item", "price"),
}


_PRICED = frozenset({"item"})
"""What has a price of its own, by which only the records asked for are compared: "orders with items over 500 EUR" may
be those worth that much."""


def relations(work: Work, target: Target) -> None:
    """ "Not shipped within 3 days of promise": a date against another one and a number of days."""
    for n, token in list(work.open()):
        amount = token.amount
        if amount is None or amount.time not in ("day", "working_day") or n == 0 or n + 1 >= len(work.tokens):
            continue
        second = date_path(work.tokens[n + 1], target)
        sign = n - 1 if work.tokens[n - 1].is_sign(*SIGNS) else None
        first_at = n - 1 if sign is None else n - 2
        if first_at < 0 or first_at in work.used or second is None:
            continue
        said_not = _negated_date(work, work.tokens[first_at], target)
        first = said_not or date_path(work.tokens[first_at], target)
        if first is None:
            continue
        before = first_at > 0 and work.tokens[first_at - 1].is_sign("not")
        negated = before or said_not is not None
        taken = [first_at, n, n + 1, *([sign] if sign is not None else []), *([first_at - 1] if before else [])]
        how = SIGNS[_sign(work.tokens[sign])] if sign is not None else Is.AT_LEAST
        text = worded(work, taken)
        conditions = _relation(first, how, second, int(amount.number), negated=negated)
        work.parts.append(Part(role="limit", about=".".join(first), conditions=conditions, text=text))
        work.take(*taken)


def worded(work: Work, numbers: Iterable[int]) -> str:
    """Tokens as they were typed, with the small words between those that stand side by side: "within 3 days of"."""
    at = sorted(numbers)
    said = [f"{work.tokens[n].led} {work.tokens[n].text}" if n - 1 in at else work.tokens[n].text for n in at]
    return " ".join(" ".join(said).split())


def _relation(first: Path, how: Is, second: Path, days: int, *, negated: bool) -> tuple[Condition, ...]:
    """Negated, also what has not happened yet counts, once the days are over."""
    if not negated:
        return (Relate(first, how, second, days),)
    opposite = _OPPOSITE[how]
    return (
        AnyOf((Relate(first, opposite, second, days), Compare(first, Is.UNKNOWN))),
        AnyOf((Compare(first, Is.KNOWN), Relate((*first[:-1], "today"), opposite, second, days))),
    )


def _sign(token: Token) -> str:
    return next(name for name in SIGNS if token.is_sign(name))


def _negated_date(work: Work, token: Token, target: Target) -> Path | None:
    """The date of "not shipped" said as one phrase."""
    pieces = tuple(piece for piece in fold(token.text).split())
    if len(pieces) < 2 or Sign("not") not in work.vocabulary.phrases.get(pieces[:1], ()):
        return None
    return date_path(replace(token, meanings=work.vocabulary.phrases.get(pieces[1:], ())), target)


def limits(work: Work, target: Target) -> None:
    """ "Over 10k", "more than 30 days overdue", "below 20 available"."""
    for n, token in list(work.open()):
        sign = next((name for name in ("between", *SIGNS) if token.is_sign(name)), None)
        amounts = _amounts_after(work, n) if sign else []
        if not sign or not amounts or (sign == "between" and len(amounts) < 2):
            continue
        numbers = amounts[: 2 if sign == "between" else 1]
        _limit(work, target, n, sign, numbers)


def _amounts_after(work: Work, number: int) -> list[int]:
    found: list[int] = []
    for n in (number + 1, number + 2):
        if n < len(work.tokens) and n not in work.used and work.tokens[n].amount:
            found.append(n)
        else:
            break
    return found


def _limit(work: Work, target: Target, sign_at: int, sign: str, numbers: list[int]) -> None:
    amounts = [amount for n in numbers if (amount := work.tokens[n].amount)]
    if counted_at(work, numbers[-1]):
        _limit_of_count(work, target, sign_at, sign, numbers)
        return
    named = _named(work, target, sign_at, numbers[-1])
    told = _compared(work, target, amounts, number_path(work.tokens[named], target) if named is not None else None)
    if told is None and named is not None and named > numbers[-1]:  # "over 5k EUR overdue": no number of days
        named, told = None, _compared(work, target, amounts, None)
    if told is None or (told[2] and _of_others(work, target, sign_at)):
        return
    path, values, unit = told
    between = [(Is.AT_LEAST, values[0]), (Is.AT_MOST, values[-1])]
    pairs = between if sign == "between" else [(SIGNS[sign], values[0])]
    conditions = tuple(Compare(path, how, value) for how, value in pairs)
    beside = [n for n in (sign_at - 1, numbers[-1] + 1) if _of_money(work, n, path)] if unit else []
    taken = [sign_at, *numbers, *([named] if named is not None else []), *beside]
    text = worded(work, taken)
    work.parts.append(_limited(target, path, conditions, unit, text))
    work.take(*taken)


def counted_at(work: Work, number: int) -> bool:
    """Whether a compared number counts records: the 5 of "customers with more than 5 late orders"."""
    tokens = work.tokens
    if not 0 < number < len(tokens) - 1:
        return False
    amount = tokens[number].amount
    compared = any(token.is_sign("between", *SIGNS) for token in tokens[max(number - 2, 0) : number])
    counted = next((token for token in tokens[number + 1 :] if not _is_state(token)), None)
    return bool(amount and amount.bare and compared and counted and _is_counted(counted))


def _is_counted(token: Token) -> bool:
    """Whether a word is one for records, or for a number of them: "backordered lines"."""
    kpis = (load_kpis()[measure.name] for measure in token.all_of(Measure))
    return bool(token.all_of(Noun)) or any(kpi.figure.function is Function.COUNT for kpi in kpis)


def counted_before(work: Work, number: int) -> bool:
    """Whether a compared number counts the records of a noun, with nothing between them but their state."""
    at = number - 1
    while at > 0 and _is_state(work.tokens[at]):
        at -= 1
    return counted_at(work, at)


def _is_state(token: Token) -> bool:
    return bool(token.all_of(Segment) or token.all_of(CodeWord)) and not token.all_of(Noun)


def _limit_of_count(work: Work, target: Target, sign_at: int, sign: str, numbers: list[int]) -> None:
    """How many there are of the records counted, for each of what they are told apart by."""
    other = target.kpi is not None and not counts(target.kpi)
    if other or not counted_before(work, work.target_at) or not work.splits:
        return
    values = [int(amount.number) for n in numbers if (amount := work.tokens[n].amount)]
    pairs = [(Is.AT_LEAST, values[0]), (Is.AT_MOST, values[-1])] if sign == "between" else [(SIGNS[sign], values[0])]
    conditions = tuple(Compare(("value",), how, value) for how, value in pairs)
    text = worded(work, (sign_at, *numbers))
    work.parts.append(Part(role="limit", about="value", conditions=conditions, text=text))
    work.take(sign_at, *numbers)


def _of_others(work: Work, target: Target, sign_at: int) -> bool:
    """Whether a worth is said of other records than those asked for: "orders with lines over 500"."""
    nouns = {noun.entity for noun in work.tokens[sign_at - 1].all_of(Noun)} if sign_at > 0 else set[str]()
    own = {target.entity, target.subject_entity, "site", "region", "channel"}
    return sign_at - 1 > work.target_at >= 0 and bool(nouns) and nouns.isdisjoint(own)


def _named(work: Work, target: Target, sign_at: int, last: int) -> int | None:
    """The word beside a comparison that says which figure is compared."""
    named = work.beside(last, lambda t: number_path(t, target) is not None)
    if named is None and sign_at and sign_at - 1 not in work.used and number_path(work.tokens[sign_at - 1], target):
        return sign_at - 1
    return named


def _of_money(work: Work, number: int, path: Path) -> bool:
    """Whether a word says that money is compared: "worth", "in total"."""
    if not 0 <= number < len(work.tokens) or number in work.used:
        return False
    token = work.tokens[number]
    words = (*token.all_of(FieldWord), *token.all_of(NumberWord))
    return token.is_sign("money") or any(word.path[-1] in ("total", path[-1]) for word in words)


def _limited(
    target: Target, path: Path, conditions: tuple[Compare, ...], unit: tuple[str, str] | None, text: str
) -> Part:
    """A part of comparisons in one currency; what is worth money is of the record that holds the value."""
    about = ".".join(path)
    if path[0] == "value":
        return Part(role="limit", about="value", conditions=conditions, text=text)
    if unit is None:
        return Part(role="limit", about=about, conditions=conditions, text=text)
    entity, by, field = _MONEY[target.subject_entity if target.subject else target.entity]
    within = (*(Compare((field,), c.how, c.value) for c in conditions), Compare(("currency",), Is.EQUAL, unit[1]))
    said = text if unit[1] in text else f"{text} ({unit[1]})"
    if target.entity == entity:
        return Part(role="limit", about=about, conditions=within, text=said)
    return Part(role="limit", about=about, conditions=(Linked(entity, by, within),), text=said)


def _compared(
    work: Work, target: Target, amounts: list[AmountMention], path: Path | None
) -> tuple[Path, list[int], tuple[str, str] | None] | None:
    """The path compared, the values as stored, and the currency they are in; None where they are of another kind."""
    first = amounts[0]
    if path is not None:
        leaf = leaf_of(load_model(), target.entity, path)
        values = [stored(leaf, amount, work.asker.today) for amount in amounts]
        return None if None in values else (path, [value for value in values if value is not None], None)
    if work.splits and target.kpi is not None and first.bare:
        return ("value",), [_of_figure(target, amount) for amount in amounts], None
    subject = target.subject_entity if target.subject else target.entity
    money = [amount.as_money() for amount in amounts]
    if subject not in _MONEY or not all(money) or (subject in _PRICED and (work.first or target.kpi)):
        return None
    currency = first.currency or amounts[-1].currency or work.asker.currency
    if currency is None:
        work.money = tuple(amounts)
        return None
    values = [to_scaled(_whole(amount) or amount.number) for amount in money if amount]
    return (_MONEY[subject][2],), values, ("currency", currency)


def _of_figure(target: Target, amount: AmountMention) -> int:
    kpi = target.kpi
    if kpi is None or kpi.figure.function.value == "count":
        return int(amount.number)
    return to_scaled(amount.number)


def stored(leaf: Leaf, amount: AmountMention, today: date) -> int | None:
    """An amount as a field has it; None where it counts something else than the field holds."""
    if _whole(amount) is not None:
        return None
    if amount.time:
        days = _days(leaf, amount, today)
        return days if days is None or leaf.type not in _SCALED else to_scaled(days)
    if amount.percent:
        return to_scaled(amount.number / 100) if leaf.type == "ratio" else None
    if amount.currency or amount.unit:
        return None
    return to_scaled(amount.number) if leaf.type in _SCALED else int(amount.number)


def _whole(amount: AmountMention) -> Decimal | None:
    """What "3,500" or "3.500" is where three figures behind a mark were read as decimals: of money, thousands; of
    anything else it can't be told."""
    found = _GROUPED.fullmatch(amount.text.strip())
    whole = Decimal(found[1] + found[2]) if found else None
    return None if whole is None or whole == amount.number else whole


def currencies(work: Work, target: Target) -> None:
    """ "In USD", of what is worth money. Records are ranked by money in one currency alone: the one said, else the
    asker's only one; who has several is not answered."""
    path = target.kpi.figure.path if target.kpi else work.order
    unit = leaf_of(load_model(), target.entity, path).unit_path if path else None
    if not unit or unit[-1] != "currency":
        return
    said = work.find(lambda token: bool(token.all_of(CurrencyWord)))
    code = work.tokens[said].all_of(CurrencyWord)[0].code if said is not None else work.asker.currency
    if said is not None:
        work.take(said)
    elif target.kpi is not None:
        return
    elif code is None:
        work.used.discard(work.rank_at)
        return
    condition, text = Compare(unit, Is.EQUAL, code), phrases()["in_currency"].format(code)
    work.parts.append(Part(role="limit", about="currency", conditions=(condition,), text=text))


def _days(leaf: Leaf, amount: AmountMention, today: date) -> int | None:
    """A length of time in the days that a field counts; None where that can't be told."""
    if leaf.type != "days" and leaf.unit not in ("day", "working day"):
        return None
    if amount.number != int(amount.number):
        return None
    number, of_work = int(amount.number), leaf.unit == "working day"
    match amount.time:
        case "day" | "working_day" if of_work or amount.time == "day":
            return number
        case "week" if not of_work:
            return 7 * number
        case "month" | "quarter" | "year" if not of_work:
            return (today - months_from(today, -number * MONTHS[amount.time])).days
        case _:
            return None
