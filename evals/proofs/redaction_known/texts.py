"""Makes texts in which values stand, and says where."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from evals.proofs.redaction_known.columns import Value
from evals.proofs.redaction_known.dress import LEFT_OUT, PLAIN, dress
from evals.proofs.redaction_known.numbers import identifier_ways
from evals.proofs.redaction_known.places import IDENTIFIER_LINES, PLACES, Place
from evals.proofs.redaction_known.ways import Written, ways

_SLOT = re.compile(r"(%[vi])")
_LONG, _LONG_PLACES = 0.02, (30, 70)
_TYPED = 0.03
_HARD = 0.1
_JOINTS = ("\n", "\n\n", " ", "\n---\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Plant:
    """A value in a text: from where to where, and in which form."""

    begin: int
    end: int
    value: Value
    way: str
    dress: str = PLAIN
    place: str = ""
    led: bool = False
    """Whether it is known by nothing but a word before it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and what was planted in it, in order."""

    text: str
    plants: tuple[Plant, ...]


class Writing:
    """A text that is being written."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._plants: list[Plant] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """Go on with a piece that is nobody's."""
        self._pieces.append(piece)
        self._length += len(piece)

    def plant(
        self, said: str, value: Value, way: str, dressed: str = PLAIN, place: str = "", *, led: bool = False
    ) -> None:
        """Go on with something that is said of a value."""
        self._plants.append(Plant(self._length, self._length + len(said), value, way, dressed, place, led))
        self.add(said)

    @property
    def done(self) -> Text:
        """All that was written."""
        return Text("".join(self._pieces), tuple(self._plants))


class Author:
    """Writes texts with the values of a company. Every so many texts each value was the first of one."""

    def __init__(
        self, values: Sequence[Value], identifiers: Sequence[tuple[str, str]], hard: Container[str], seed: int
    ) -> None:
        """`hard` values are drawn more often than there are of them."""
        self._values = [*values]
        self._hard = [value for value in values if value.text in hard]
        Random(f"values {seed}").shuffle(self._values)
        self._columns = [*dict.fromkeys(value.column for value in values)]
        self._by_column = {name: [value for value in values if value.column == name] for name in self._columns}
        self._by_sort = {sort: [value for value in values if value.sort == sort] for sort in {v.sort for v in values}}
        self._numbers = [
            [each for each in identifiers if each[0] == name] for name in dict.fromkeys(name for name, _ in identifiers)
        ]

    @property
    def values(self) -> int:
        """How many different ones there are."""
        return len(self._values)

    def any_of(self, random: Random, sort: str) -> Value:
        """Some value of a sort."""
        return random.choice(self._by_sort[sort])

    def text(self, random: Random, number: int) -> Text:
        """A text with values in several places."""
        first = [self._values[number % len(self._values)]]

        def value() -> Value:
            if first:
                return first.pop()
            hard = random.random() < _HARD
            return random.choice(self._hard if hard else self._by_column[random.choice(self._columns)])

        writing = Writing()
        places = random.randint(*_LONG_PLACES) if random.random() < _LONG else random.choice((1, 1, 2, 3))
        joint = random.choice(_JOINTS)
        for at in range(places):
            if at:
                writing.add(joint)
            self._place(random, writing, random.choice([*PLACES]), value)
        if random.random() < _TYPED:
            writing.add(f"\n<{random.choice(('PERSON', 'EMAIL', 'PHONE'))}_{random.randint(1, 9)}>")
        return writing.done

    def identifiers(self, random: Random) -> Text:
        """A text with nothing but the company's own numbers in it."""
        writing = Writing()
        for at in range(random.choice((1, 1, 2, 3, 8))):
            for piece in _SLOT.split(("\n" if at else "") + random.choice(IDENTIFIER_LINES)):
                if piece == "%i":
                    column, number = random.choice(random.choice(self._numbers))
                    way, said = identifier_ways(random, number)
                    writing.plant(said, Value(column, "identifier", number), way)
                else:
                    writing.add(piece)
        return writing.done

    def _place(self, random: Random, writing: Writing, name: str, value: Callable[[], Value]) -> None:
        place = PLACES[name]
        for piece in _SLOT.split(random.choice(place.templates)):
            if piece == "%v":
                self._say(random, writing, name, place, value())
            elif piece == "%i":
                writing.add(identifier_ways(random, random.choice(random.choice(self._numbers))[1])[1])
            else:
                writing.add(piece)

    def _say(self, random: Random, writing: Writing, name: str, place: Place, value: Value) -> None:
        written, dressed = _said(random, value, one_line=place.breaks is None)
        writing.add(written.before)
        said = written.said.replace("\n", f"\n{place.breaks}")
        led = value.sort == "account" and value.text.isdigit() and len(value.text) < 7
        writing.plant(said, value, f"{value.sort}: {written.way}", dressed, name, led=led)
        writing.add(written.after)


def _said(random: Random, value: Value, *, one_line: bool) -> tuple[Written, str]:
    """One way to write a value, set somehow."""
    written = random.choice(ways(value))(random)
    dressed, said = dress(random, written.said, one_line=one_line)
    if value.sort == "email" and dressed == LEFT_OUT:
        return written, PLAIN  # that would be another address
    if written.way in _BY_CAPITALS and dressed in ("lower case", "mixed case"):
        return written, PLAIN  # "a meyer" could be one of many: an initial without a stop is known by its capital
    return replace(written, said=said), dressed


_BY_CAPITALS = ("initial and surname", "surname and initial", "middle initial")


def told(text: Text) -> Iterator[str]:
    """The columns and forms of what was planted, to be counted."""
    for plant in text.plants:
        yield from (f"column {plant.value.column}", f"way {plant.way}", f"dress {plant.dress}", f"place {plant.place}")
