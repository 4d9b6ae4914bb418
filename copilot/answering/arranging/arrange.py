"""A draft as a model arranged it: code keeps what has to be said, prints it, and leaves out what is in no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from copilot.answering.arranging.segments import Block, Segment, blocks_of
from copilot.answering.draft import Claim, Draft, Templates, render, render_quote
from copilot.domain.evidence import Evidence

CONNECTIVE = "connective_"
"""How the names of the templates begin that join what follows to what was said."""
QUOTED = "quoted"
_MOST_STRESSED = 3
_MOST_QUOTES = 2
_MOST_QUOTED = 300
"""Characters of one quote."""
_ADDRESS = re.compile(r"://|www\.|@|\b[\w-]+\.(?:[a-z]{2,})/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A claim on offer by its name and the records of its slots, with the field that it stresses."""

    claim: str
    records: Mapping[str, str]
    stress: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a field of a record, as `S3.body`."""

    ref: str
    words: str


@dataclass(frozen=True, slots=True)
class Connective:
    """An approved phrase before what follows."""

    name: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What has none of these forms."""


Entry = Told | Quote | Connective | Unread


@dataclass(frozen=True, slots=True)
class Fallen:
    """What of a model's answer was not taken: the rule (`no_form`, `not_offered`, `not_quotable`, `not_verbatim`,
    `no_such_phrase`, `left_out`, `said_twice` or one of the verifier's), and the claim, reference or phrase it is
    about."""

    rule: str
    about: str


@dataclass(frozen=True, slots=True)
class Arranged:
    """The draft as a model has it, None where something that has to be said is not in it; and what was not taken."""

    draft: Draft | None
    fallen: tuple[Fallen, ...] = ()


@dataclass(frozen=True, slots=True)
class Quotable:
    """Fields whose words may be quoted, by reference, with what was recorded there."""

    texts: Mapping[str, str]


def arrange(
    entries: Sequence[Entry], found: Sequence[Segment], evidence: Evidence, quotable: Quotable, templates: Templates
) -> Arranged:
    """The claims in the order of the entries, as far as it lets each be true; what else the rules say follows it."""
    said = _Said(evidence, quotable, templates)
    offered = {_key(block.lead.name, block.lead.slots): block for block in blocks_of(found)}
    for entry in entries:
        said.take(entry, offered)
    blocks = [*blocks_of(found)]
    missing = [block for block in blocks if block.essential and _key_of(block) not in said.order]
    if not said.order:
        missing = missing or blocks[:1]
    if missing:
        return Arranged(None, (*said.fallen, *(Fallen("left_out", block.lead.name) for block in missing)))
    claims = tuple(claim for key in _ordered(found, said.order) for claim in said.claims_of(offered[key]))
    return Arranged(Draft(claims=(*claims, *said.quotes), complete=True), tuple(said.fallen))


_Key = tuple[str, tuple[tuple[str, str], ...]]


def _key(name: str, slots: Mapping[str, str]) -> _Key:
    return name, tuple(sorted(slots.items()))


def _key_of(block: Block) -> _Key:
    return _key(block.lead.name, block.lead.slots)


def _ordered(found: Sequence[Segment], order: Sequence[_Key]) -> Iterator[_Key]:
    """The blocks: segments as they are first spoken of; in each its first, then sentences, then lists. Blocks that
    nobody spoke of come last in theirs."""
    places = {key: place for place, key in enumerate(order)}
    last = len(order)

    def place_of(block: Block) -> int:
        return places.get(_key_of(block), last)

    for segment in sorted(found, key=lambda each: min(map(place_of, each.blocks))):
        first, *rest = segment.blocks
        yield _key_of(first)
        yield from map(_key_of, sorted(rest, key=lambda block: (block.is_list, place_of(block))))


class _Said:
    """What the entries say, as far as it is in the grammar."""

    def __init__(self, evidence: Evidence, quotable: Quotable, templates: Templates) -> None:
        self._records = evidence.by_id()
        self._quotable = quotable
        self._templates = templates
        self._stressed: set[str] = set()
        self._joined: dict[_Key, Claim] = {}
        self._joining: Claim | None = None
        self.order: list[_Key] = []
        self.quotes: list[Claim] = []
        self.fallen: list[Fallen] = []

    def take(self, entry: Entry, offered: Mapping[_Key, Block]) -> None:
        """Takes what an entry says, or notes why not."""
        match entry:
            case Told():
                self._told(entry, offered)
            case Quote():
                self._quote(entry)
            case Connective(name):
                self._connect(name)
            case Unread():
                self._joining = None
                self.fallen.append(Fallen("no_form", ""))

    def claims_of(self, block: Block) -> Iterator[Claim]:
        """The claims of a block as they are printed: what joins it, and the fields that are stressed."""
        if joining := self._joined.get(_key_of(block)):
            yield joining
        for claim in block.claims:
            stressed = {f.ref for each in (claim, *claim.further) for f in each.facts} & self._stressed
            yield self._again(claim, stressed) if stressed else claim

    def _told(self, entry: Told, offered: Mapping[_Key, Block]) -> None:
        key, joining, self._joining = _key(entry.claim, entry.records), self._joining, None
        if key not in offered:
            self.fallen.append(Fallen("not_offered", entry.claim))
            return
        if key in self.order:
            self.fallen.append(Fallen("said_twice", entry.claim))
            return
        if joining and self.order:  # nothing is there yet that the first could be joined to
            self._joined[key] = joining
        self.order.append(key)
        if entry.stress and len(self._stressed) < _MOST_STRESSED:
            self._stressed.add(entry.stress)

    def _connect(self, name: str) -> None:
        template = self._templates.get(f"{CONNECTIVE}{name}")
        self._joining = render(template, {}) if template else None
        if self._joining is None:
            self.fallen.append(Fallen("no_such_phrase", name))

    def _quote(self, entry: Quote) -> None:
        recorded, template = self._quotable.texts.get(entry.ref), self._templates.get(QUOTED)
        source = entry.ref.partition(".")[0]
        words = " ".join(entry.words.split())
        if recorded is None or template is None or len(self.quotes) >= _MOST_QUOTES:
            self.fallen.append(Fallen("not_quotable", entry.ref))
        elif not _is_all_of(words, recorded) or leads_away(words) or len(words) > _MOST_QUOTED:
            self.fallen.append(Fallen("not_verbatim", entry.ref))
        elif claim := render_quote(template, self._records[source], entry.ref, words):
            self.quotes.append(claim)

    def _again(self, claim: Claim, stressed: AbstractSet[str]) -> Claim:
        """The claim with some of its values stressed."""
        further = tuple(replace(each, text=self._text(each, stressed)) for each in claim.further)
        text = " ".join((self._text(claim, stressed), *(each.text for each in further)))
        return replace(claim, text=text, further=further, stressed=(*sorted(stressed),))

    def _text(self, claim: Claim, stressed: AbstractSet[str]) -> str:
        slots = {slot: self._records[record] for slot, record in claim.slots.items()}
        again = render(self._templates[claim.name], slots, stressed)
        return again.text if again else claim.text


def leads_away(words: str) -> bool:
    """Whether some words lead somewhere else: an address is neither quoted nor offered."""
    return _ADDRESS.search(words) is not None


def _is_all_of(words: str, recorded: str) -> bool:
    """Whether some words are the whole of a text, letter for letter: a part of one may say the opposite."""
    return bool(words) and words == " ".join(recorded.split())
