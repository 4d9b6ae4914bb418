"""The ways of finding that are compared: plain Presidio, and ours with more or less of the company's own names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import EmailRecognizer

from evals.redaction.corpus import Text
from redaction.contexts import ContextFinder
from redaction.gazetteer import Find, Gazetteer, How, Known
from redaction.identifiers import learn
from redaction.presidio import PresidioFinder
from redaction.redactor import Redactor

_HOW: dict[str, How] = {"PERSON": "name", "PHONE_NUMBER": "phone"}
_OWN = ("PERSON", "ORGANIZATION", "ADDRESS", "EMAIL_ADDRESS", "PHONE_NUMBER")
"""What a company has of its partners in its records."""
OURS = {
    "PERSON": "PERSON", "ADDRESS": "ADDRESS", "ORGANIZATION": "ORGANIZATION", "CREDIT_CARD": "CARD",
    "PHONE_NUMBER": "PHONE", "EMAIL_ADDRESS": "EMAIL", "US_SSN": "ID_NUMBER", "US_DRIVER_LICENSE": "ID_NUMBER",
    "IBAN_CODE": "IBAN", "IP_ADDRESS": "IP",
}  # fmt: skip
"""What the corpus calls a kind -> what we call it. Others we do not mask, by decision."""
_FORMS = {kind: name for kind, name in OURS.items() if kind not in ("PERSON", "ADDRESS", "ORGANIZATION")}
THEIRS = {
    **{kind: kind for kind in _FORMS},
    "DATE_TIME": "DATE_TIME", "DOMAIN_NAME": "URL",
}  # fmt: skip
"""What the corpus calls a kind -> what Presidio calls it, of those that it has without a model."""
FORMS_ONLY = "ours, forms only"
"""Without names and addresses: what plain Presidio has too."""
Finding = Callable[[str], Iterable[Find]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of finding: its name, how it names the kinds of the corpus, what it found in each text, and how fast."""

    name: str
    kinds: dict[str, str]
    found: Sequence[Sequence[Find]]
    rate: float
    """Characters a second of one processor: what else the machine does is not counted."""


def ways(texts: Sequence[Text]) -> Sequence[Way]:
    """Every way, run over the texts."""
    return (
        _run("plain Presidio", THEIRS, texts, _plain(), 2),
        _run(FORMS_ONLY, _FORMS, texts, _ours((), forms_only=True), 3),
        _run("ours", OURS, texts, _ours(()), 3),
        _run("ours, half of the names known", OURS, texts, _ours(_known(texts)[::2]), 3),
        _run("ours, all names known", OURS, texts, _ours(_known(texts)), 3),
    )


def _run(name: str, kinds: dict[str, str], texts: Sequence[Text], finding: Finding, rounds: int) -> Way:
    """Runs one way, once for the finds and so that all is loaded, then for the time: the best of the rounds."""
    found = [tuple(finding(each.text)) for each in texts]
    best = min(_seconds(texts, finding) for _ in range(rounds))
    return Way(name, kinds, found, sum(len(each.text) for each in texts) / best)


def _seconds(texts: Sequence[Text], finding: Finding) -> float:
    begun = time.process_time()
    for each in texts:
        tuple(finding(each.text))
    return time.process_time() - begun


def _known(texts: Sequence[Text]) -> list[Known]:
    """The distinct values of the corpus, in order, as if they stood in a company's records."""
    values = {(s.kind, each.text[s.begin : s.end]) for each in texts for s in each.spans if s.kind in _OWN}
    return [Known(OURS[kind], value, _HOW.get(kind, "phrase"), "records") for kind, value in sorted(values)]


def _ours(known: Sequence[Known], *, forms_only: bool = False) -> Finding:
    finders = (PresidioFinder(),) if forms_only else (PresidioFinder(), ContextFinder())
    return Redactor(Gazetteer(known), learn(()), finders).find


class _Blank(SpacyNlpEngine):
    """Presidio's usual engine with a pipeline that only cuts words: no model is downloaded."""

    def load(self) -> None:
        self.nlp = {"en": spacy.blank("en")}


class _Offline(EmailRecognizer):
    """Presidio's own, with the list of suffixes that comes with the library in place of one that it would fetch."""

    _suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(self, pattern_text: str) -> bool:
        return self._suffixes(pattern_text).fqdn != ""


def _plain() -> Finding:
    """Every recognizer for English that Presidio loads by itself, with its own scores and no threshold."""
    engine = _Blank()
    engine.load()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.remove_recognizer("EmailRecognizer")
    registry.add_recognizer(_Offline())
    analyzer: Any = AnalyzerEngine(registry, engine)
    return lambda text: [Find(e.start, e.end, e.entity_type) for e in analyzer.analyze(text, language="en")]
