"""How one of our entities is found in Odoo: a table of these is the whole mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from connectors.base import Value
from connectors.odoo.cells import Json
from connectors.odoo.row import Get, Row

Leaf = tuple[str, str, Json]
Domain = tuple[Leaf | str, ...]
"""An Odoo search domain in Polish notation; field names may list older names, as paths do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """Rows of another model, hung on the row they point to by `through`.

    They hang on the row's `of` (its own id, or a reference they share). Unless `touch` is off, a change to a child
    re-reads what it hangs on; for that its `domain` doesn't count, so that leaving it is noticed too. With `hang` off
    it does only that.
    """

    name: str
    model: str
    through: str
    paths: tuple[str, ...] = ()
    domain: Domain = ()
    of: str = "id"
    touch: bool = True
    hang: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Like a child, but counted by Odoo: one row for each combination of `by`, with its "count"."""

    name: str
    model: str
    through: str
    by: tuple[str, ...] = ()
    domain: Domain = ()
    of: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the records that a row becomes. `suffix` goes on the key; values and labels go over those of the spec."""

    suffix: str = ""
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    company: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """An entity's place in Odoo.

    `company` and `labels` are paths. `watch` are references whose change re-reads this record. `per_company` reads
    once for each company, for fields whose value depends on the company. `keep` drops rows, `expand` makes several
    records (or none) of one row; both may need further paths (`needs`). `link` says whether a key opens in Odoo.
    """

    entity: str
    model: str
    values: Mapping[str, Get] = field(default_factory=dict[str, Get])
    domain: Domain = ()
    company: str | None = "company_id"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    watch: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    tallies: tuple[Tally, ...] = ()
    per_company: bool = False
    keep: Callable[[Row], bool] | None = None
    expand: Callable[[Row], Iterable[Part]] | None = None
    needs: tuple[str, ...] = ()
    context: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def paths(self) -> frozenset[str]:
        """Everything that has to be read of a row."""
        named = {path for get in self.values.values() for path in get.paths}
        hung = {beside.of for beside in (*self.children, *self.tallies)}
        watched = {f"{path}.write_date" for path in self.watch if "." not in path}
        own = {self.company} if self.company else set[str]()
        return frozenset(named | hung | own | watched | {*self.needs, *self.labels.values()}) - {"id"}

    @property
    def plain(self) -> bool:
        """Whether every row in the domain becomes exactly one record, so that ids alone give the keys."""
        return self.keep is None and self.expand is None and not self.per_company
