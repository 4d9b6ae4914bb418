"""What a model is told in a request, and what it says to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, cast

from copilot.domain.json import Json

Task = Literal["plan", "draft"]
Entry = dict[str, Json]
_FIGURE = re.compile(r"\d")
MASK = re.compile(r"<[A-Z_]+_\d+>")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim on offer: its name, the records of its slots, how it reads, and whether it has to be said."""

    name: str
    records: Mapping[str, str]
    says: str
    essential: bool

    @property
    def entry(self) -> Entry:
        """What says it."""
        return {"claim": self.name, "records": dict(self.records)}

    @property
    def refs(self) -> tuple[str, ...]:
        """The fields that it prints, as S1.promised_date."""
        found = re.findall(r"\{(\w+)\.(\w+)\}", self.says)
        return tuple(f"{self.records[slot]}.{field}" for slot, field in found if slot in self.records)


@dataclass(frozen=True, slots=True)
class Told:
    """The data of a request: nothing in it but what the copilot gave."""

    task: Task
    data: Mapping[str, Any]

    @property
    def question(self) -> str:
        """What was asked, masked."""
        return str(self.data.get("question", ""))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims on offer, in their order."""
        return tuple(
            Claim(str(each["claim"]), each["records"], str(each["says"]), bool(each["essential"]))
            for each in self.data.get("claims", ())
        )

    @property
    def evidence(self) -> Mapping[str, Mapping[str, str]]:
        """The fields of each record as they are printed, by its id."""
        return {each["id"]: each["fields"] for each in self.data.get("evidence", ())}

    @property
    def entities(self) -> Mapping[str, str]:
        """What each record is, by its id."""
        return {each["id"]: each["entity"] for each in self.data.get("evidence", ())}

    @property
    def values(self) -> Sequence[tuple[str, str]]:
        """Every field with a figure that is not masked, as S1.promised_date, and what is printed there."""
        return [
            (f"{ident}.{name}", text)
            for ident, fields in self.evidence.items()
            for name, text in fields.items()
            if _FIGURE.search(text) and not MASK.search(text)
        ]

    @property
    def quotable(self) -> Sequence[tuple[str, str]]:
        """What notes say, by reference."""
        notes = [ident for ident, entity in self.entities.items() if entity.endswith("_note")]
        return [(f"{ident}.body", body) for ident in notes if (body := self.evidence[ident].get("body", "").strip())]

    @property
    def connectives(self) -> Sequence[str]:
        """The ids of the approved phrases."""
        return [str(each["id"]) for each in self.data.get("connectives", ())]

    @property
    def terms(self) -> Mapping[str, str]:
        """Our terms by name, as we word them, each."""
        sorts: Mapping[str, Mapping[str, str]] = self.data.get("tools", {})
        return {name: phrase for terms in sorts.values() for name, phrase in terms.items()}

    @property
    def truth(self) -> list[Entry]:
        """An entry for each claim on offer, in their order."""
        return [claim.entry for claim in self.claims]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model says: calls of tools (a name, and arguments or the text in their place), a text beside them, what
    comes after all that in the last piece of a stream, and the words in it that no answer may show."""

    calls: tuple[tuple[str, Json], ...] = ()
    text: str = ""
    last: Mapping[str, Any] | None = None
    planted: tuple[str, ...] = ()


Tell = Callable[[Told, Random], Reply | None]
"""Makes a reply of what is told; None where there is nothing in it that it could be made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """One way to lie, by its name; lies of one family are of one kind."""

    name: str
    family: str
    task: Task
    tell: Tell


def say(entries: Sequence[Json], *, planted: Sequence[str] = (), text: str = "") -> Reply:
    """A draft of these entries."""
    return Reply(calls=(("say", {"say": [*entries]}),), planted=tuple(planted), text=text)


def ask(pieces: Sequence[Json], *, planted: Sequence[str] = ()) -> Reply:
    """A question in these pieces."""
    return Reply(calls=(("ask", {"pieces": [*pieces]}),), planted=tuple(planted))


def read_told(body: Mapping[str, Any]) -> Told | None:
    """The data of a request; None where it is none of the copilot's."""
    for message in reversed(_messages(body)):
        data = _data_in(str(message.get("content") or ""))
        if data is not None:
            return Told("draft" if "claims" in data else "plan", data)
    return None


def _messages(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    given: Sequence[Mapping[str, Any]] = body.get("messages", ())
    return given


def _data_in(text: str) -> Mapping[str, Any] | None:
    try:
        told: object = json.loads(text)
    except ValueError:
        return None
    return cast("Mapping[str, Any]", told) if isinstance(told, dict) and "question" in told else None


def name_in(text: str) -> str:
    """A text as the name of something."""
    return "_".join(_NAME.findall(text.lower()))[:60] or "none"


def words_of(text: str) -> Iterator[str]:
    """The words of a question, marks of masked names whole."""
    yield from (each[0] for each in re.finditer(r"<[A-Z_]+_\d+>|[^\s,;?!]+", text))
