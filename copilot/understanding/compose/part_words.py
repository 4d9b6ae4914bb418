"""Says the named parts and codes that records are restricted to: before their noun, behind it, or in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copilot.domain.composition import Part
from copilot.domain.query import Compare, Condition, Linked, Path
from copilot.semantic.conditions import load_segments
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import SemanticModel
from copilot.semantic.titles import load_titles

_STATE = "status"
"""The field whose codes are said as they are: "confirmed sales orders"."""
_ROLES = ("segment", "code")


@dataclass(frozen=True, slots=True)
class PartWords:
    """How parts of one composition are said; `entity` is that of its rows."""

    model: SemanticModel
    words: Mapping[str, Any]
    entity: str
    kpi: Kpi | None

    def before(self, part: Part) -> str:
        """ "Open", "late", "confirmed"; nothing where it is said elsewhere."""
        if part.role not in _ROLES or self.instead(part) or self.behind(part):
            return ""
        return str(self._form(part).get("before", part.text))

    def instead(self, part: Part) -> str:
        """ "Open cases", "credit notes": what says by itself of what kind the records are."""
        if part.role != "segment" or self.kpi:
            return ""
        return part.text if _measured(part) else str(self._form(part).get("instead", ""))

    def behind(self, part: Part) -> str:
        """ "On hold", "in category hand tools", "of blocked customers"."""
        if part.role not in _ROLES or not part.text:
            return ""
        owner = self._owner(part)
        if owner != self.entity and not (part.role == "code" and _field(part) != _STATE):
            several = load_forms().counted_as(self.model[owner].title)[1]
            return str(self.words["of"]["other"].format(self._theirs(part, several)))
        if part.role == "code":
            return self._code(part)
        if _measured(part):
            return str(self.words["of"]["other"].format(part.text)) if self.kpi else ""
        denied = self.words["not"].format("")
        if part.text.startswith(denied):
            said = self._form(part).get("behind", "")
            return self.words["not"].format(said) if said else ""
        return str(self._form(part).get("behind", ""))

    def _theirs(self, part: Part, several: str) -> str:
        """ "Blocked customers", "customers with open orders"."""
        said = self._form(part).get("behind")
        return f"{several} {said}" if said else f"{part.text} {several}"

    def linked(self, part: Part) -> str:
        """A named part that says what other records there are: "on hold", "short of stock"."""
        forms = self.words["parts"].get(self.entity, {}).get(part.inner[0].about, {})
        return str(forms.get("behind", part.text))

    def _code(self, part: Part) -> str:
        field = _field(part)
        if field == _STATE:
            return part.text if part.text in self.words["states_behind"] else ""
        forms = self.words["codes"]
        denied = self.words["not"].format("")
        text = part.text.removeprefix(denied)
        said = forms.get(field, forms["other"]).format(text, load_titles().word(field))
        return str(said if text == part.text else self.words["not"].format(said))

    def _form(self, part: Part) -> Mapping[str, str]:
        """How a language says a part where that is not its bare name."""
        if part.role != "segment":
            return {}
        name = load_titles().segment(self._owner(part), part.about)
        forms = self.words["parts"].get(self._owner(part), {}).get(part.about, {})
        if part.text == name:
            return forms
        return {"behind": forms["behind"]} if "behind" in forms and part.text.endswith(name) else {}

    def _owner(self, part: Part) -> str:
        """Of which records it is said: those of the rows, or those that they refer to."""
        first = next(iter(part.conditions), None)
        path = _path(first) if first else ()
        own = _own_path(part, self.entity)
        if not path or own is None or len(path) <= len(own) or path[0] not in self.model[self.entity].fields:
            return self.entity
        return self.model[self.entity].fields[path[0]].to or self.entity


def _own_path(part: Part, entity: str) -> Path | None:
    """How long the path is where it is said of the rows themselves; None where that can't be told apart."""
    if part.role == "code":
        return tuple(part.about.split("."))
    own = load_segments().get(entity, {}).get(part.about)
    if own is not None:
        return _path(own[0]) if own else None
    return () if any(part.about in segments for segments in load_segments().values()) else None


def _path(condition: Condition) -> Path:
    match condition:
        case Compare(path, _, _):
            return path
        case Linked(_, _, _, _, at):
            return at
        case _:
            return ()


def _measured(part: Part) -> bool:
    """Whether it is named as the records that a measure counts."""
    kpi = load_kpis().get(part.about)
    return kpi is not None and kpi.title == part.text


def _field(part: Part) -> str:
    return part.about.rpartition(".")[2]
