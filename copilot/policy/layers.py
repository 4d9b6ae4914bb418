"""Where a policy document holds: the four layers, and the places in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

LAYERS = ("enterprise", "region", "site", "channel")
"""From the top down: what a layer says binds those after it."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A layer and the code of the region, site or channel in it; the enterprise has none."""

    layer: str
    code: str = ""

    @property
    def depth(self) -> int:
        """0 for the enterprise; more further down."""
        return LAYERS.index(self.layer)

    def __str__(self) -> str:
        return f"{self.layer} {self.code}" if self.code else self.layer


ENTERPRISE = Place("enterprise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where something is asked about; None where it is in no particular region, site or channel."""

    region: str | None = None
    site: str | None = None
    channel: str | None = None

    def places(self) -> Iterator[Place]:
        """The places whose documents hold here, from the top down."""
        yield ENTERPRISE
        for layer, code in zip(LAYERS[1:], (self.region, self.site, self.channel), strict=True):
            if code is not None:
                yield Place(layer, code)

    def within(self, layer: str, code: str | None) -> Spot:
        """The spot at a place of a layer within this one."""
        return replace(self, **{layer: code})

    def narrowest(self) -> Place:
        """The lowest of the places."""
        return list(self.places())[-1]

    def __str__(self) -> str:
        places = [str(place) for place in self.places()]
        return ", ".join(places[1:] or places)
