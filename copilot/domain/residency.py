"""Where data comes from, and in which places it may be processed: a tag that every record of an answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from copilot.domain.json import Json
from copilot.errors import ResidencyError

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Destination:
    """Something that data would go to: what people call it, and the place it is in, "" where nobody said."""

    name: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Residency:
    """The regions that data comes from, and the places in which it may be processed; "*" is everywhere.

    Without any place it may go nowhere.
    """

    origins: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def __and__(self, other: Residency) -> Residency:
        """The tag of what was made of both."""
        if EVERYWHERE in self.places:
            return Residency(self.origins | other.origins, other.places)
        places = self.places if EVERYWHERE in other.places else self.places & other.places
        return Residency(self.origins | other.origins, places)

    def allows(self, place: str) -> bool:
        """Whether it may be processed in a place; a place that nobody named is in none."""
        return EVERYWHERE in self.places or (bool(place) and place in self.places)

    def to_json(self) -> dict[str, Json]:
        """The tag as answers and audit rows hold it."""
        return {"origins": [*sorted(self.origins)], "places": [*sorted(self.places)]}


NOWHERE = Residency()
ANYWHERE = Residency(places=frozenset({EVERYWHERE}))


def together(tags: Iterable[Residency]) -> Residency:
    """The tag of what was made of all of these; of nothing, it may go anywhere."""
    return reduce(Residency.__and__, tags, ANYWHERE)


def require(tag: Residency, destination: Destination) -> None:
    """Raises ResidencyError where data with this tag may not go to a destination."""
    if not tag.allows(destination.place):
        where = ", ".join(sorted(tag.places)) or "nowhere"
        raise ResidencyError(
            f"{destination.name} is in {destination.place or 'a place that nobody named'}, and this may be processed "
            f"in {where}; name a destination there, or ask whoever keeps the policy"
        )
