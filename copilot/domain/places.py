"""The places that policies speak of, as the label ids that rows carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Ids = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Code -> label id of every region, site and channel, and the region of each site, by ids."""

    regions: Ids = field(default_factory=dict[str, int])
    sites: Ids = field(default_factory=dict[str, int])
    channels: Ids = field(default_factory=dict[str, int])
    region_of: Mapping[int, int] = field(default_factory=dict[int, int])

    def of(self, layer: str) -> Ids:
        """Code -> id of the places of a layer."""
        return {"region": self.regions, "site": self.sites, "channel": self.channels}[layer]

    @cached_property
    def region_codes(self) -> Mapping[int, str]:
        """Id -> code of the regions."""
        return {ident: code for code, ident in self.regions.items()}


NO_PLACES = Places()
