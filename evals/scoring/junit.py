"""A run as JUnit's XML, which CI tools read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from evals.scoring.run import Result
from evals.scoring.scorer import Outcome

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(file: Path, results: Sequence[Result]) -> None:
    """One test suite per family; a case that is not right is a failure, one without an answer an error."""
    root = ET.Element("testsuites", {"name": "erp-copilot eval", **_counts(results)})
    for family in sorted({each.case.family for each in results}):
        those = [each for each in results if each.case.family == family]
        suite = ET.SubElement(root, "testsuite", {"name": family, **_counts(those)})
        for each in those:
            _add(suite, each)
    file.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _add(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=result.case.family, name=result.case.id, time=f"{result.elapsed_ms / 1000:.3f}"
    )
    if result.score.outcome is Outcome.RIGHT:
        return
    words = "; ".join([*result.score.missing, *(f"too much: {each}" for each in result.score.surplus)])
    kind = "failure" if result.said else "error"
    fault = ET.SubElement(case, kind, type=result.score.outcome.value, message=_clean(words)[:500])
    fault.text = _clean(f"{' | '.join(result.turns)}\n\n{result.said.text if result.said else ''}")


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failed = [each for each in results if each.score.outcome is not Outcome.RIGHT]
    return {
        "tests": str(len(results)),
        "failures": str(sum(each.said is not None for each in failed)),
        "errors": str(sum(each.said is None for each in failed)),
        "time": f"{sum(each.elapsed_ms for each in results) / 1000:.3f}",
    }


def _clean(text: str) -> str:
    """Without what XML can't hold."""
    return _NOT_XML.sub("", text)
