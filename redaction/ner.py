"""Names told by a model of spaCy, through Presidio. Loading this takes seconds: see redaction.presidio."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from redaction.finds import Find

_LANGUAGE = "en"
_ENTITIES = ["PERSON", "LOCATION", "ORGANIZATION"]


class _Installed(SpacyNlpEngine):
    """A model that is there; Presidio would download one that is not."""

    def load(self) -> None:
        self.nlp = {model["lang_code"]: spacy.load(model["model_name"]) for model in self.models}


class NamesByModel:
    """Finds names. One text at a time: what spaCy keeps of a text is given back when it is done, and not while another
    thread's is under way."""

    def __init__(self, model: str) -> None:
        self._engine = _Installed([{"lang_code": _LANGUAGE, "model_name": model}])
        recognizer = SpacyRecognizer(supported_language=_LANGUAGE, supported_entities=_ENTITIES)
        registry = RecognizerRegistry(recognizers=[recognizer], supported_languages=[_LANGUAGE])
        self._analyzer = AnalyzerEngine(registry, self._engine)
        self._lock = RLock()

    def find(self, text: str) -> Sequence[Find]:
        """The names of a text, in any order."""
        nlp: Any = self._engine.get_nlp(_LANGUAGE)
        with self._lock, nlp.memory_zone():
            results = self._analyzer.analyze(text, language=_LANGUAGE, entities=_ENTITIES)
            return [Find(each.start, each.end, each.entity_type, "presidio:SpacyRecognizer") for each in results]
