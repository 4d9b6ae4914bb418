"""Makes a Python function of an expression, once per mapping. Nothing is evaluated as code.

Arithmetic is decimal with 50 digits. Where it fails (a text that is no number, a division by zero) the function raises
UnreadableValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from typing import Any, assert_never

from connectors.mapping.keys import escaped
from connectors.mapping.spec import Call, Choice, Column, Condition, Constant, Expression, Lookup
from connectors.mapping.values import Reader, UnreadableValueError

Row = Mapping[str, object]
Compiled = Callable[[Row], object]
Test = Callable[[Row], bool]
_Arithmetic = Callable[[Decimal, Decimal], Decimal]

_CONTEXT = Context(prec=50, rounding=ROUND_HALF_UP, traps=[])
_ARITHMETIC: Mapping[str, _Arithmetic] = {
    "add": _CONTEXT.add,
    "subtract": _CONTEXT.subtract,
    "multiply": _CONTEXT.multiply,
    "divide": _CONTEXT.divide,
    "max": _CONTEXT.max,
    "min": _CONTEXT.min,
}


def columns_of(expression: Expression) -> Iterator[str]:
    """The columns an expression reads; one may come several times."""
    match expression:
        case Column():
            yield expression.name
        case Constant():
            return
        case Lookup():
            yield from columns_of(expression.value)
            if expression.otherwise is not None:
                yield from columns_of(expression.otherwise)
        case Call():
            for argument in expression.arguments:
                yield from columns_of(argument)
        case Choice():
            for condition in expression.when:
                yield from columns_of(condition.value)
            yield from columns_of(expression.then)
            yield from columns_of(expression.otherwise)


def compiled(expression: Expression, reader: Reader, *, key: bool = False) -> Compiled:
    """The function from a row to this expression's value, None where it is empty. It raises UnreadableValueError, and
    KeyError where the row lacks a column. `key` is for a reference, where values joined by "/" are the key of a record
    that has several key columns."""
    match expression:
        case Column():
            name, plain = expression.name, reader.plain
            return lambda row: plain(row[name])
        case Constant():
            value = expression.value
            return lambda _row: value
        case Lookup():
            return _lookup(expression, reader)
        case Call():
            return _call(expression, reader, key=key)
        case Choice():
            return _choice(expression, reader, key=key)
        case _:
            assert_never(expression)


def compiled_test(conditions: tuple[Condition, ...], reader: Reader) -> Test:
    """Whether all conditions hold for a row. Raises UnreadableValueError where that can't be told."""
    tests = [_condition(condition, reader) for condition in conditions]
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _lookup(lookup: Lookup, reader: Reader) -> Compiled:
    value, text = compiled(lookup.value, reader), reader.text
    otherwise = None if lookup.otherwise is None else compiled(lookup.otherwise, reader)
    table = dict(lookup.table)
    flags = {truth: _first_known(reader.words(truth=truth), table) for truth in (True, False)}

    def look(row: Row) -> object:
        found = value(row)
        code = flags[found] if isinstance(found, bool) else text(found) or ""
        if code in table:
            return table[code]
        return found if otherwise is None else otherwise(row)

    return look


def _first_known(words: tuple[str, ...], table: Mapping[str, str | None]) -> str:
    return next((word for word in words if word in table), words[0])


def _choice(choice: Choice, reader: Reader, *, key: bool) -> Compiled:
    test = compiled_test(choice.when, reader)
    then, otherwise = compiled(choice.then, reader, key=key), compiled(choice.otherwise, reader, key=key)
    return lambda row: then(row) if test(row) else otherwise(row)


def _call(call: Call, reader: Reader, *, key: bool) -> Compiled:
    arguments = tuple(compiled(argument, reader, key=key) for argument in call.arguments)
    match call.function:
        case "concat":
            parts = tuple(zip(arguments, _escaping(call, key=key), strict=True))
            return _concat(parts, call.separator, reader)
        case "first":
            return lambda row: next((found for each in arguments if (found := each(row)) is not None), None)
        case "trim":
            return _on_text(arguments[0], reader, str.strip)
        case "upper":
            return _on_text(arguments[0], reader, str.upper)
        case "lower":
            return _on_text(arguments[0], reader, str.lower)
        case "part":
            return _on_text(arguments[0], reader, _part(call.separator, call.number))
        case "round":
            return _rounded(arguments[0], call.number, reader)
        case "add" | "subtract" | "multiply" | "divide" | "max" | "min":
            return _arithmetic(arguments, _ARITHMETIC[call.function], reader)
        case _:
            assert_never(call.function)


def _escaping(call: Call, *, key: bool) -> Iterator[bool]:
    """Which arguments are values of a key of several columns. What the mapping itself writes out stays as written, and
    so does what is joined already."""
    several = key and call.separator == "/" and len(call.arguments) > 1
    for argument in call.arguments:
        written = isinstance(argument, Constant) or (isinstance(argument, Call) and argument.function == "concat")
        yield several and not written


def _concat(arguments: tuple[tuple[Compiled, bool], ...], separator: str, reader: Reader) -> Compiled:
    text = reader.text

    def concat(row: Row) -> object:
        parts: list[str] = []
        for each, escape in arguments:
            found = text(each(row))
            if found is not None:
                parts.append(escaped(found) if escape else found)
        return separator.join(parts) if parts else None

    return concat


def _on_text(argument: Compiled, reader: Reader, change: Callable[[str], str | None]) -> Compiled:
    text = reader.text

    def changed(row: Row) -> object:
        found = text(argument(row))
        return None if found is None else change(found) or None

    return changed


def _part(separator: str, number: int) -> Callable[[str], str | None]:
    def part(text: str) -> str | None:
        parts = text.split(separator)
        return parts[number] if -len(parts) <= number < len(parts) else None

    return part


def _rounded(argument: Compiled, decimals: int, reader: Reader) -> Compiled:
    step = Decimal(1).scaleb(-decimals)

    def rounded(row: Row) -> object:
        found = reader.number(argument(row))
        return None if found is None else _finite(_CONTEXT.quantize(found, step), found)

    return rounded


def _arithmetic(arguments: tuple[Compiled, ...], operate: _Arithmetic, reader: Reader) -> Compiled:
    number = reader.number

    def calculate(row: Row) -> object:
        numbers: list[Decimal] = []
        for each in arguments:
            found = number(each(row))
            if found is None:
                return None
            numbers.append(found)
        return _finite(reduce(operate, numbers), *numbers)

    return calculate


def _finite(found: Decimal, *numbers: Decimal) -> Decimal:
    if not found.is_finite():
        raise UnreadableValueError(" and ".join(str(number) for number in numbers))
    return found


def _condition(condition: Condition, reader: Reader) -> Test:
    value = compiled(condition.value, reader)
    match condition.comparison:
        case "empty":
            wanted = condition.operand != (False,)
            return lambda row: (value(row) is None) is wanted
        case "equals" | "in" | "not_in":
            return _one_of(value, condition, reader)
        case "above" | "below":
            return _beyond(value, condition, reader)
        case _:
            assert_never(condition.comparison)


def _one_of(value: Compiled, condition: Condition, reader: Reader) -> Test:
    wanted = condition.comparison != "not_in"
    words: set[str] = set()
    for operand in condition.operand:
        words |= set(reader.words(truth=operand)) if isinstance(operand, bool) else {str(operand).rstrip(" ")}
    flags = {truth: bool(words & set(reader.words(truth=truth))) for truth in (True, False)}
    text = reader.text

    def one_of(row: Row) -> bool:
        found = value(row)
        held = flags[found] if isinstance(found, bool) else text(found) in words
        return held is wanted

    return one_of


def _beyond(value: Compiled, condition: Condition, reader: Reader) -> Test:
    limit = limit_of(condition.operand[0])
    above = condition.comparison == "above"
    if isinstance(limit, Decimal):
        return _compared(value, reader.number, limit, above=above)
    border = reader.instant(limit)
    return _compared(value, reader.instant, border, above=above)


def _compared(value: Compiled, read: Callable[[object], Any], border: Any, *, above: bool) -> Test:
    def beyond(row: Row) -> bool:
        found = read(value(row))
        if found is None:
            return False
        return bool(found > border if above else found < border)

    return beyond


def limit_of(operand: str | int | bool) -> Decimal | date:  # noqa: FBT001 -- a constant of the file may be one
    """The number, day or moment that a condition compares with. Raises ValueError for anything else."""
    if isinstance(operand, bool):
        raise ValueError("neither a number nor a date")  # noqa: TRY004 -- one error for all that can't be compared
    try:
        found = Decimal(operand)
    except ArithmeticError:
        text = str(operand)
        return datetime.fromisoformat(text) if len(text) > len("2026-01-31") else date.fromisoformat(text)
    if not found.is_finite():
        raise ValueError("neither a number nor a date")
    return found
