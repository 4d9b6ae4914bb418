"""How sound data is, from what its checks found: per source, over the places that a question is about.

The rows are published per place (copilot/adr/0018-soundness.md). A limit is a check's own, and holds at each place by
itself: a hundred sound sites do not make up for a bad one.
"""

from __future__ import annotations

from collections.abc import Iterator

from copilot.domain.evidence import Record
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Figures, Records, figures, grouped, number_of


def data_soundness(context: Context, rows: Records) -> Iterator[Figures]:
    """Per source how many records were checked, by how many checks, how many have findings, and the verdict; nothing
    where the list was cut or nothing was checked."""
    for system, mine in _by_system(rows) if context.complete else ():
        counted = [row for row in mine if row.raw("what") == "records"]
        checked = sum(number_of(row, "checked") for row in counted)
        if checked:
            findings = [row for row in mine if row.raw("what") == "finding"]
            entities = {row.raw("records_of"): number_of(row, "checks") for row in counted}
            failing = sum(number_of(row, "failing") for row in counted)
            values = {
                "system": system, "subject": counted[0].raw("subject"), "checked": checked, "failing": failing,
                "share": round(failing * SCALE / checked), "checks": sum(entities.values()),
                "verdict": _verdict(findings), "checked_at": min(row.confirmed_at for row in counted),
            }  # fmt: skip
            yield figures(values, counted[0], (*counted, *findings))


def data_finding(context: Context, rows: Records) -> Iterator[Figures]:
    """Per source each check that some row fails: over all places, and at the place where the share is largest; what is
    over its limits first."""
    found: list[tuple[tuple[int, int], Figures]] = []
    for system, mine in _by_system(rows) if context.complete else ():
        findings = [row for row in mine if row.raw("what") == "finding"]
        for _, same in grouped(findings, "check_id"):
            worst = max(same, key=lambda row: (_degree(row), _share(row)))
            failing = sum(number_of(row, "failing") for row in same)
            values = {
                "system": system, "title": worst.raw("title"), "failing": failing, "places": len(same),
                "site": worst.raw("site"), "worst_failing": number_of(worst, "failing"),
                "worst_checked": number_of(worst, "checked"), "worst_share": round(_share(worst) * SCALE),
                "limit": worst.raw("warn_over"), "state": _STATES[_degree(worst)],
            }  # fmt: skip
            found.append(((-_degree(worst), -failing), figures(values, worst, same)))
    yield from (each for _, each in sorted(found, key=lambda pair: pair[0]))


def data_set_aside(context: Context, aside: Records, rows: Records) -> Iterator[Figures]:
    """Per source how many records could not be loaded: of each of which something was checked, or set aside."""
    checked = {row.system for row in rows}
    for system, mine in _by_system(aside) if context.complete else ():
        records = sum(number_of(row, "failing") for row in aside)
        if records or system in checked:
            yield figures({"system": system, "subject": mine[0].raw("subject"), "records": records}, mine[0], mine)


_STATES = ("within", "over", "far over")
_VERDICTS = ("sound", "doubtful", "unsound")


def _by_system(rows: Records) -> Iterator[tuple[str, list[Record]]]:
    for system in dict.fromkeys(row.system for row in rows):
        yield system, [row for row in rows if row.system == system]


def _verdict(findings: Records) -> str:
    return _VERDICTS[max(map(_degree, findings), default=0)]


def _degree(row: Record) -> int:
    """0 within the check's limits, 1 over the one that is worth telling, 2 over the one that would stop a load."""
    failing, checked = number_of(row, "failing"), number_of(row, "checked")
    if failing >= number_of(row, "at_least") and failing * SCALE > number_of(row, "stop_over") * checked:
        return 2
    return int(failing * SCALE > number_of(row, "warn_over") * checked)


def _share(row: Record) -> float:
    return number_of(row, "failing") / max(1, number_of(row, "checked"))
