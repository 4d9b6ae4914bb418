"""Runs the parts of the benchmark and writes their figures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from copilot.domain.json import Json
from evals.bench.answers import measure_answers
from evals.bench.appends import measure_appends
from evals.bench.figure import Figure
from evals.bench.growth import measure_growth
from evals.bench.lengths import measure_lengths
from evals.bench.masking import measure_masking
from evals.bench.names import measure_names
from evals.bench.pages import measure_pages
from evals.bench.peers.measure import measure_peers
from evals.bench.planning import measure_planning
from evals.bench.policy import measure_policy
from evals.bench.prompts import measure_prompts
from evals.bench.revocation import measure_revocation
from evals.bench.rows import measure_rows
from evals.bench.starts import measure_starts
from evals.bench.syncs import measure_syncs
from evals.bench.verifying import measure_verifying
from evals.redaction.report import measure_pii

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the benchmark: yields its figures as it goes."""

    name: str
    measure: Callable[[Say], AsyncIterator[Figure]]


PARTS = (
    Part("ask", measure_answers),
    Part("peers", measure_peers),
    Part("audit", measure_appends),
    Part("start", measure_starts),
    Part("sync", measure_syncs),
    Part("odoo", measure_pages),
    Part("names", measure_names),
    Part("planner", measure_planning),
    Part("verify", measure_verifying),
    Part("growth", measure_growth),
    Part("lengths", measure_lengths),
    Part("rows", measure_rows),
    Part("revocation", measure_revocation),
    Part("policy", measure_policy),
    Part("prompts", measure_prompts),
    Part("masking", measure_masking),
    Part("pii", measure_pii),
)
"""What `--only` may name."""


async def run_parts(parts: Sequence[Part], build: Path, say: Say) -> bool:
    """Measure, print a table and write build/bench.json; figures of parts not asked for stay in it. Returns whether
    every goal was met.

    The file is written part by part: one that fails after an hour takes no figure of the others with it.
    """
    file = build / "bench.json"
    entries = _kept(file)
    measured: list[Figure] = []
    for part in parts:
        say(f"measuring {part.name}")
        async for figure in part.measure(say):
            measured.append(figure)
            entries[figure.name] = figure.to_json()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(list(entries.values()), indent=2) + "\n")
    for line in table(measured):
        print(line)
    return all(figure.ok for figure in measured)


def table(figures: Sequence[Figure]) -> list[str]:
    """The figures in columns."""
    head = ("what", "value", "unit", "goal", "peer", "")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(figure: Figure) -> tuple[str, ...]:
    entry = figure.to_json()
    sign = "≤" if figure.at_most else "≥"
    goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
    peer = "" if entry["peer"] is None else f"{entry['peer']}"
    word = "" if figure.goal is None else "ok" if figure.ok else "MISSED"
    return figure.name, f"{entry['value']}", figure.unit, goal, peer, word


def _kept(file: Path) -> dict[str, dict[str, Json]]:
    try:
        return {entry["name"]: entry for entry in json.loads(file.read_text())}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
