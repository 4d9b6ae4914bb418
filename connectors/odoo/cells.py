"""What Odoo sends, as types: JSON in, cells out.

Odoo says `false` for "nothing" in every field that isn't a flag, and sends floats with the noise of binary fractions.
A cell is the value with that undone, according to the field's own description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Union

from connectors.errors import SourceProtocolError

_FLOAT = Context(prec=15)

Json = Union[str, int, bool, Decimal, None, "list[Json]", "dict[str, Json]"]
JsonObject = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference to another Odoo record and the name it is shown by."""

    id: int
    label: str


Cell = str | int | bool | Decimal | date | datetime | Pair | tuple["Cell", ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInfo:
    """A field as the model describes it. `places` are decimals, where the field fixes them."""

    name: str
    type: str
    relation: str | None = None
    places: int | None = None

    @classmethod
    def from_json(cls, name: str, raw: Mapping[str, Json]) -> FieldInfo:
        digits, relation = raw.get("digits"), raw.get("relation")
        places = digits[1] if isinstance(digits, list) and len(digits) == 2 else None
        return cls(
            name=name,
            type=str(raw.get("type")),
            relation=relation if isinstance(relation, str) else None,
            places=places if isinstance(places, int) else None,
        )


def cell(field: FieldInfo, raw: Json) -> Cell:
    """The value of a field. Raises SourceProtocolError if it is not what the field says."""
    try:
        return _cell(field, raw)
    except (ValueError, ArithmeticError, TypeError, IndexError) as error:
        raise SourceProtocolError(f"field {field.name!r} of type {field.type!r} holds {raw!r}") from error


def _cell(field: FieldInfo, raw: Json) -> Cell:
    match field.type:
        case "boolean" | "binary":
            return bool(raw)
        case "integer" | "many2one_reference":
            return raw if isinstance(raw, int) and not isinstance(raw, bool) else None
        case "float" | "monetary":
            return number(raw, field.places)
        case "many2one":
            return _pair(raw)
        case "one2many" | "many2many":
            return tuple(i for i in raw if isinstance(i, int)) if isinstance(raw, list) else ()
        case "date":
            return date.fromisoformat(raw[:10]) if isinstance(raw, str) else None
        case "datetime":
            return instant(raw) if isinstance(raw, str) else None
        case _:
            return raw.strip() or None if isinstance(raw, str) else None


def instant(text: str) -> datetime:
    """Odoo's date and time, which is always UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    """An instant as Odoo wants it in a search."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def number(raw: Json, places: int | None = None) -> Decimal | None:
    """A figure: rounded to the field's decimals or, where it has none, freed of binary noise."""
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        return None
    return tidy(round(Decimal(raw), places) if places is not None else Decimal(raw))


def tidy(figure: Decimal) -> Decimal:
    """To 15 significant digits, which is what a float holds, without trailing zeros or an exponent."""
    plain = _FLOAT.plus(figure).normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


def _pair(raw: Json) -> Pair | None:
    if isinstance(raw, list) and len(raw) == 2:
        ident, label = raw
        if isinstance(ident, int):
            return Pair(ident, str(label).strip())
    return Pair(raw, "") if isinstance(raw, int) and not isinstance(raw, bool) else None


def objects(raw: Json) -> list[JsonObject]:
    """A list of records. Raises SourceProtocolError."""
    if not isinstance(raw, list):
        raise SourceProtocolError(f"expected a list of records, got {str(raw)[:80]!r}")
    return [_object(item) for item in raw]


def _object(raw: Json) -> JsonObject:
    if not isinstance(raw, dict):
        raise SourceProtocolError(f"expected a record, got {str(raw)[:80]!r}")
    return raw


def ident(raw: Mapping[str, Json]) -> int:
    """A record's id. Raises SourceProtocolError."""
    found = raw.get("id")
    if not isinstance(found, int):
        raise SourceProtocolError(f"a record without an id: {sorted(raw)!r}")
    return found


def chunks(ids: Sequence[int], size: int) -> list[Sequence[int]]:
    """The ids in portions."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]
