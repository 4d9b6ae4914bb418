"""The first questions a new chat offers, by person, about records of the demo company that show something today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Formatter

from copilot.demo.showcase import showcase
from copilot.semantic.reading import read_yaml
from copilot.wiring.runtime import Runtime

Starters = Mapping[str, Sequence[tuple[str, str]]]


async def first_questions(runtime: Runtime) -> Starters:
    """Subject -> (label, question) pairs; none without the demo company."""
    sources = [source for source in await runtime.sources.load() if source.system == "demo_erp"]
    if not sources:
        return {}
    found = showcase(runtime.clock(), seed=int(str(sources[0].settings["seed"])))
    wanted = runtime.language.read("starters.yaml") or read_yaml(files("copilot.wiring") / "starters.yaml")
    return {subject: _all(questions, found) for subject, questions in wanted.items()}


def _all(questions: Mapping[str, str], found: Mapping[str, str]) -> list[tuple[str, str]]:
    """The questions with their records filled in, less those that nothing shows today."""
    return [(label, text.format_map(found)) for label, text in questions.items() if _names(text) <= found.keys()]


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
