"""Parses a mapping file, finding everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from connectors.errors import MappingError
from connectors.mapping.conforming import complaints_about
from connectors.mapping.expressions import limit_of
from connectors.mapping.places import column_places
from connectors.mapping.reading import Plain, Tree, read_tree
from connectors.mapping.spec import (
    Call,
    Choice,
    Column,
    Complaint,
    Condition,
    Constant,
    Expression,
    Formats,
    Function,
    Join,
    Lookup,
    MappedEntity,
    SourceMapping,
)

_COMPARISONS = {"equals": "equals", "in": "in", "not": "not_in", "empty": "empty", "above": "above", "below": "below"}
_ONE: tuple[Function, ...] = ("trim", "upper", "lower", "part", "round")
_SEVERAL: tuple[Function, ...] = ("concat", "first", "add", "subtract", "multiply", "divide", "max", "min")

_Tables = dict[str, dict[str, str | None]]
_Object = dict[str, Any]
_T = TypeVar("_T")


def parse_mapping(text: str) -> SourceMapping:
    """The mapping in a file. Raises MappingError with every complaint."""
    tree = read_tree(text)
    if tree.value is None and tree.complaints:
        raise MappingError(tuple(tree.complaints))
    complaints = [*tree.complaints, *complaints_about(tree.value)]
    parsing = _Parsing(tree.value, shaped=not complaints)
    mapping = parsing.made(None, parsing.mapping, text)
    if mapping is None or complaints or parsing.complaints:
        raise MappingError(_in_order([*complaints, *parsing.complaints], tree))
    return mapping


def _in_order(complaints: list[Complaint], tree: Tree) -> tuple[Complaint, ...]:
    lines = {complaint: tree.line(complaint.place) for complaint in complaints}
    return tuple(
        Complaint(place=complaint.place, message=f"{complaint.message} (line {line})")
        for complaint, line in sorted(lines.items(), key=lambda found: found[1])
    )


class _Parsing:
    """One pass over a file. Parts of one that is not `shaped` right have been complained about: they are passed
    over, so that what is wrong elsewhere is found too."""

    def __init__(self, value: Plain, *, shaped: bool = True) -> None:
        self.complaints: list[Complaint] = []
        self._shaped = shaped
        self._file: _Object = value if isinstance(value, dict) else {}
        self._tables: _Tables = {}

    def mapping(self, text: str) -> SourceMapping:
        file = self._file
        zone = _text(file.get("time_zone", "UTC"))
        self._check_zone(zone)
        formats = self.made(Formats(), self._formats, file.get("formats", {}))
        self._tables = self.made({}, _tables, file.get("codes", {}))
        entities: _Object = file.get("entities", {})
        pages: dict[str, str] = file.get("pages", {})
        self.made(None, self._check_pages, pages, entities)
        parts = tuple(part for name, given in entities.items() for part in self.made((), self._parts, name, given))
        return SourceMapping(
            system=_text(file.get("system", "")),
            time_zone=zone,
            entities=parts,
            formats=formats,
            pages=pages,
            text=text,
        )

    def made(self, instead: _T, make: Callable[..., _T], *given: Any) -> _T:
        """What a step makes, or something instead where what it is given has been complained about."""
        try:
            return make(*given)
        except (TypeError, KeyError, AttributeError, ValueError, LookupError):
            if self._shaped:
                raise
            return instead

    def _complain(self, place: str, message: str) -> None:
        self.complaints.append(Complaint(place=place, message=message))

    def _check_pages(self, pages: dict[str, str], entities: _Object) -> None:
        for entity in pages.keys() - entities.keys():
            self._complain(f"pages.{entity}", "no such entity among `entities`")

    def _check_zone(self, zone: str) -> None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a LookupError; a folder an OSError
            self._complain("time_zone", f"no time zone {zone!r}; use an IANA name such as 'Europe/Berlin'")

    def _formats(self, given: _Object) -> Formats:
        words: _Object = {n: tuple(map(_text, cast("list[Any]", v))) for n, v in given.items() if isinstance(v, list)}
        formats = Formats(**{**given, **words})
        if formats.group == formats.decimal:
            self._complain("formats.group", f"{formats.group!r} is already the decimal separator")
        both = {word.casefold() for word in formats.true} & {word.casefold() for word in formats.false}
        if both:
            self._complain("formats.true", f"{min(both)!r} is both true and false")
        for index, form in enumerate(formats.dates):
            self._check_date_format(f"formats.dates[{index}]", form)
        self._check_encoding(formats.encoding)
        return formats

    def _check_date_format(self, place: str, form: str) -> None:
        moment = datetime(2026, 11, 21, tzinfo=UTC)
        try:
            whole = datetime.strptime(moment.strftime(form), form).date() == moment.date()  # noqa: DTZ007 -- only the day
        except ValueError:
            whole = False
        if not whole:
            self._complain(place, f"{form!r} gives no whole date; use a strptime format such as '%d.%m.%Y'")

    def _check_encoding(self, encoding: str) -> None:
        try:
            "x".encode(encoding)
        except (LookupError, ValueError, TypeError, UnicodeError):
            self._complain("formats.encoding", f"no text encoding {encoding!r}; use one such as 'utf-8' or 'cp1252'")

    def _parts(self, entity: str, given: object) -> tuple[MappedEntity, ...]:
        found: list[MappedEntity] = []
        parts = cast("list[_Object]", given) if isinstance(given, list) else [cast("_Object", given)]
        seen: set[str] = set()
        for index, part in enumerate(parts):
            place = f"entities.{entity}[{index}]" if isinstance(given, list) else f"entities.{entity}"
            made = self.made(None, self._own_rows if "rows" in part else self._part, entity, part, place)
            if made is None:
                continue
            if made.prefix in seen:
                self._complain(place, f"another part of {entity!r} has the prefix {made.prefix!r} too; give it its own")
            seen.add(made.prefix)
            found.append(made)
        return tuple(found)

    def _part(self, entity: str, part: _Object, place: str) -> MappedEntity:
        made = MappedEntity(
            entity=entity,
            table=part.get("from", ""),
            prefix=part.get("prefix", ""),
            key=_names(part.get("key", [])),
            changed=_names(part.get("changed", [])),
            vanishing=part.get("vanishing", True),
            joins=self.made((), _joins, part.get("join", {})),
            where=self.made((), self._conditions, part.get("where", {}), f"{place}.where"),
            **self._values(part, place),
        )
        self._check_columns(made, place)
        return made

    def _own_rows(self, entity: str, part: _Object, place: str) -> MappedEntity:
        for name in sorted(part.keys() & {"from", "key", "changed", "where", "join", "fields"}):
            self._complain(f"{place}.{name}", "does not go with `rows`, whose values are the fields")
        rows: list[dict[str, str | int | bool | None]] = part["rows"]
        names = dict.fromkeys(name for row in rows for name in row)
        keys = [_text(row.get("key")) for row in rows]
        for index, key in enumerate(keys):
            if not key or key in keys[:index]:
                self._complain(f"{place}.rows[{index}]", f"the key {key!r} is {'there twice' if key else 'empty'}")
        values = self._values(part, place)
        values["fields"] = {name: Column(name) for name in names if name != "key"}
        return MappedEntity(
            entity=entity,
            table=None,
            rows=tuple({name: row.get(name) for name in names} for row in rows),
            prefix=part.get("prefix", ""),
            key=("key",),
            vanishing=part.get("vanishing", True),
            **values,
        )

    def _values(self, part: _Object, place: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            kind: {
                name: self.made(Constant(None), self._value, given, f"{place}.{kind}.{name}")
                for name, given in part.get(kind, {}).items()
            }
            for kind in ("fields", "labels")
        }
        if "company" in part:
            made["company"] = self.made(Constant(None), self._value, part["company"], f"{place}.company")
        return made

    def _check_columns(self, part: MappedEntity, place: str) -> None:
        """Joined columns name a join; those of a table without joins may have dots in them."""
        aliases = {join.alias for join in part.joins}
        for name, where in column_places(part, place) if aliases else ():
            alias, dot, column = name.partition(".")
            if dot and column and alias not in aliases:
                self._complain(where, f"no join {alias!r} for {name!r}; there are: {', '.join(sorted(aliases))}")

    def _value(self, given: Any, place: str) -> Expression:
        if isinstance(given, str):
            return Column(given)
        made = self._bare(given, place)
        if "codes" not in given:
            return made
        otherwise = given.get("otherwise")
        return Lookup(
            value=made,
            table=self._table(given["codes"], f"{place}.codes"),
            otherwise=None if "otherwise" not in given else self._meaning(otherwise, f"{place}.otherwise"),
        )

    def _meaning(self, given: Any, place: str) -> Expression:
        """After a code table a bare value is a code, as in the table, and no column."""
        return self._value(given, place) if isinstance(given, dict) else Constant(given)

    def _table(self, given: str | _Object, place: str) -> dict[str, str | None]:
        if isinstance(given, dict):
            return _table(given)
        if given not in self._tables:
            known = ", ".join(sorted(self._tables)) or "none"
            self._complain(place, f"no code table {given!r}; `codes` of the file has: {known}")
        return self._tables.get(given, {})

    def _bare(self, given: _Object, place: str) -> Expression:
        if "column" in given:
            return Column(given["column"])
        if "constant" in given:
            return Constant(given["constant"])
        if "if" in given:
            return Choice(
                when=self._conditions(given["if"], f"{place}.if"),
                then=self._value(given["then"], f"{place}.then"),
                otherwise=self._value(given["else"], f"{place}.else") if "else" in given else Constant(None),
            )
        function = _function(given)
        arguments = [given[function]] if function in _ONE else given[function]
        return Call(
            function=function,
            arguments=tuple(self._value(each, f"{place}.{function}[{n}]") for n, each in enumerate(arguments)),
            separator=given.get("at", given.get("separator", "")),
            number=given.get("decimals", given.get("number", 0)),
        )

    def _conditions(self, given: Any, place: str) -> tuple[Condition, ...]:
        if isinstance(given, dict):
            columns = cast("_Object", given)
            return tuple(self._condition(Column(name), what, f"{place}.{name}") for name, what in columns.items())
        return tuple(
            self._condition(
                self._value(each["value"], f"{place}[{n}].value"),
                {name: what for name, what in each.items() if name != "value"},
                f"{place}[{n}]",
            )
            for n, each in enumerate(given)
        )

    def _condition(self, value: Expression, given: Any, place: str) -> Condition:
        compared: _Object = (
            cast("_Object", given)
            if isinstance(given, dict)
            else {"in" if isinstance(given, list) else "equals": given}
        )
        ((name, operand),) = compared.items()
        operands = tuple(cast("list[Any]", operand)) if isinstance(operand, list) else (operand,)
        if None in operands:
            self._complain(place, "an empty value is asked for by {empty: true}")
        if name in {"above", "below"}:
            self._check(place, limit_of, operands[0])
        return Condition(value=value, comparison=cast("Any", _COMPARISONS[name]), operand=operands)

    def _check(self, place: str, check: Callable[[Any], object], operand: object) -> None:
        try:
            check(operand)
        except ValueError:
            self._complain(place, f"{operand!r} is neither a number nor an ISO date")


def _function(given: _Object) -> Function:
    for name in (*_ONE, *_SEVERAL):
        if name in given:
            return name
    raise KeyError("none of the functions")


def _names(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _table(given: _Object) -> dict[str, str | None]:
    return {code: None if meaning is None else _text(meaning) for code, meaning in given.items()}


def _tables(given: _Object) -> _Tables:
    return {name: _table(table) for name, table in given.items()}


def _joins(given: _Object) -> tuple[Join, ...]:
    return tuple(Join(table=join["from"], alias=alias, on=dict(join["on"])) for alias, join in given.items())
