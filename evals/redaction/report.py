"""The report: what each way finds of each kind, how fast, and why the rest was missed.

A marked value is found where every letter and digit of it is covered by finds, of whatever kind: what masking must not
do is leave a piece readable, and a card number that is taken for an account number is masked. Exact bounds would punish
a find that takes the full stop with it; mere overlap would count half a name. A find is right where it overlaps
something marked as a kind of its name; in the row of all kinds, something marked at all: there what is masked for
nothing is what counts. F2 weighs recall twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.bench.figure import Figure
from evals.redaction.corpus import FILE, Span, Text, load
from evals.redaction.misses import why_missed
from evals.redaction.ways import Way, ways
from redaction.finds import Find

ALL = "all of the way"
_MISSES_OF = "ours"


@dataclass(frozen=True, slots=True)
class Row:
    """What one way finds of one kind; shares are None where the way does not have the kind."""

    way: str
    kind: str
    spans: int
    precision: float | None
    recall: float | None

    @property
    def f2(self) -> float | None:
        """Van Rijsbergen's F with beta 2."""
        if self.precision is None or self.recall is None or not (self.precision or self.recall):
            return None
        return 5 * self.precision * self.recall / (4 * self.precision + self.recall)


@dataclass(frozen=True, slots=True)
class Report:
    """Rows by way and kind, the classes of what ours missed, recall by halves, and the figures."""

    rows: Sequence[Row]
    misses: Sequence[tuple[str, str, int]]
    halves: Sequence[tuple[str, str, float]]
    figures: Sequence[Figure]


def report(file: Path = FILE) -> Report | None:
    """The whole report; None where the texts are not there."""
    texts = load(file)
    if not texts:
        return None
    run = ways(texts)
    rows = [*(_row(way, kind, texts) for kind in _kinds(texts) for way in run), *(_all(way, texts) for way in run)]
    ours = next(way for way in run if way.name == _MISSES_OF)
    return Report(rows, _misses(ours, texts), _halves(ours, texts), _figures(run, rows))


async def measure_pii(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """The whole report said, and its figures; nothing where the texts are not there."""
    made = await asyncio.to_thread(report)
    if made is None:
        say(f"  nothing to measure: the marked texts are not here ({FILE})")
        return
    _print(made, say)
    for figure in made.figures:
        yield figure


def _kinds(texts: Sequence[Text]) -> Sequence[str]:
    counts = Counter(span.kind for each in texts for span in each.spans)
    return [kind for kind, _ in counts.most_common()]


def _covered(finds: Sequence[Find]) -> frozenset[int]:
    return frozenset(place for find in finds for place in range(find.begin, find.end))


def _row(way: Way, kind: str, texts: Sequence[Text]) -> Row:
    spans = sum(span.kind == kind for each in texts for span in each.spans)
    named = way.kinds.get(kind)
    if named is None:
        return Row(way.name, kind, spans, None, None)
    same = {each for each, name in way.kinds.items() if name == named}
    right = [
        _is_right(text, find, same)
        for text, finds in zip(texts, way.found, strict=True)
        for find in finds
        if find.kind == named
    ]
    precision = sum(right) / len(right) if right else None
    return Row(way.name, kind, spans, precision, _recall(way, kind, texts, lambda _number, _text: True))


def _is_right(text: Text, find: Find, kinds: Collection[str]) -> bool:
    return any(each.begin < find.end and find.begin < each.end for each in text.spans if each.kind in kinds)


def _all(way: Way, texts: Sequence[Text]) -> Row:
    """Over every kind that the way has."""
    spans = [(text, span, finds) for text, finds in zip(texts, way.found, strict=True) for span in text.spans]
    found = [text.told(span) <= _covered(finds) for text, span, finds in spans if span.kind in way.kinds]
    marked = set(_kinds(texts))
    right = [_is_right(text, each, marked) for text, finds in zip(texts, way.found, strict=True) for each in finds]
    return Row(way.name, ALL, len(found), sum(right) / len(right), sum(found) / len(found))


def _recall(way: Way, kind: str, texts: Sequence[Text], chosen: Callable[[int, Text], bool]) -> float:
    found = [
        text.told(span) <= _covered(finds)
        for number, (text, finds) in enumerate(zip(texts, way.found, strict=True))
        if chosen(number, text)
        for span in text.spans
        if span.kind == kind
    ]
    return sum(found) / len(found) if found else 1.0


def _halves(way: Way, texts: Sequence[Text]) -> Sequence[tuple[str, str, float]]:
    """Recall by halves of the texts, and of the templates that they are made from."""
    halves: tuple[tuple[str, Callable[[int, Text], bool]], ...] = (
        ("texts of even number", lambda number, _: number % 2 == 0),
        ("texts of odd number", lambda number, _: number % 2 == 1),
        ("templates of even number", lambda _, text: text.template % 2 == 0),
        ("templates of odd number", lambda _, text: text.template % 2 == 1),
    )
    return [
        (kind, half, _recall(way, kind, texts, chosen)) for kind in ("PERSON", "ADDRESS") for half, chosen in halves
    ]


def _misses(way: Way, texts: Sequence[Text]) -> Sequence[tuple[str, str, int]]:
    counts: Counter[tuple[str, str]] = Counter()
    for text, finds in zip(texts, way.found, strict=True):
        covered = _covered(finds)
        missed: list[Span] = [span for span in text.spans if not text.told(span) <= covered]
        counts.update((span.kind, why_missed(text, span, covered)) for span in missed)
    return [
        (kind, why, count) for (kind, why), count in sorted(counts.items(), key=lambda each: (each[0][0], -each[1]))
    ]


def _figures(run: Sequence[Way], rows: Sequence[Row]) -> Sequence[Figure]:
    """Recall of what has a form beside plain Presidio's, which is the goal; the speed of each way."""
    by = {(row.way, row.kind): row for row in rows}
    plain, *others = run
    figures: list[Figure] = []
    for way in others:
        for kind in dict.fromkeys(row.kind for row in rows if row.kind != ALL):
            recall, peer = by[way.name, kind].recall, by[plain.name, kind].recall
            if recall is not None:
                figures.append(
                    Figure(
                        name=f"personal data found, {way.name}: {kind}",
                        value=100 * recall,
                        unit="%",
                        goal=None if peer is None else 100 * peer,
                        at_most=False,
                        peer=None if peer is None else 100 * peer,
                    )
                )
        figures.append(
            Figure(
                name=f"personal data, {way.name}: speed",
                value=way.rate,
                unit="characters/s",
                peer=plain.rate,
            )
        )
    return figures


def _print(made: Report, say: Callable[[str], None]) -> None:
    say(f"{'':18} {'':30} {'spans':>6} {'precision':>9} {'recall':>7} {'F2':>6}")
    for row in made.rows:
        shares = (_share(row.precision, 9), _share(row.recall, 7), _share(row.f2, 6))
        say(f"{row.kind:18} {row.way:30} {row.spans:6} {' '.join(shares)}")
    say("\nnot found by ours, by why:")
    for kind, why, count in made.misses:
        say(f"{kind:18} {count:5}  {why}")
    say("\nrecall of ours by halves:")
    for kind, half, recall in made.halves:
        say(f"{kind:18} {_share(recall, 5)}  {half}")
    say("")
    for figure in made.figures:
        if figure.unit != "%":
            say(f"{figure.name}: {figure.value:,.0f} {figure.unit} (plain Presidio {figure.peer:,.0f})")


def _share(value: float | None, width: int) -> str:
    return f"{'n/a' if value is None else f'{value:.3f}':>{width}}"
