"""Presidio's recognizers as we use them, and those that it lacks. Loading this takes seconds: see redaction.presidio.

A score of at least `ENOUGH` counts. A form that tells what it is has it by itself, or by its check digits; any other
needs one of the words of redaction.gates beside it. Each recognizer has an entity of its own, so that it can be asked
for alone; all are of one language, for a text is not asked for its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from phonenumbers import Leniency, PhoneNumberMatcher
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer import predefined_recognizers as ready
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from stdnum import luhn
from stdnum.ch import uid
from stdnum.de import idnr
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat
from stdnum.us import ein, rtn

from redaction.gates import BIC, DE_PENSION, DE_TAX_ID, NRIC, RUN, TOLD, VAT, is_led

LANGUAGE = "en"
ENOUGH, WEAK = 0.5, 0.2
_TOLD_AT = re.compile(f"(?={TOLD.pattern})")
_AROUND = 16
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?)[ .:]{0,2}\d{1,6})?"
_FORMED = re.compile(
    rf"(?<![\w+])\(?\+\d{{1,3}}[ ./-]?(?:\(\d{{1,4}}\)[ ./-]{{0,3}})?"
    rf"\d(?:(?:[ .]|[ ]?[/-][ ]?)?\d){{5,12}}{_EXTENSION}(?!\w)"
    rf"|(?<![\w(])\(\d{{2,5}}\)[ ./-]?\d(?:[ ./-]?\d){{4,8}}{_EXTENSION}(?!\w)"
    rf"|(?<![\w.-])(?:1[-.]|001-)?\d{{3}}([-.])\d{{3}}\1\d{{4}}{_EXTENSION}(?!\w|[-.]\d)"
)
"""With a country, with an area in brackets, and in groups as in the US."""
_FEWEST_DIGITS = 7
_SEPARATORS = re.compile(r"[ ./-]")
_ISSUED = re.compile(r"4(?:\d{12}|\d{15})|5[1-5]\d{14}|2[2-7]\d{14}|6\d{15}|35\d{14}|3[47]\d{13}|3[0689]\d{12}")
_NRIC_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "GFEDCBAJZIH", "F": "XWUTRQPNMLK", "G": "RQPNMLKXWUT", "M": "KLJNPQRTUWX"}
"""By the first letter: the last, by the weighted sum of the digits modulo 11."""


class Beside(ContextAwareEnhancer):
    """A find counts where one of its recognizer's words stands beside it. Presidio's own way needs lemmas."""

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=0.35,
            min_score_with_context_similarity=ENOUGH,
            context_prefix_count=0,
            context_suffix_count=0,
        )

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[Any],
        nlp_artifacts: Any,  # noqa: ARG002
        recognizers: Iterable[Any],
        context: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[RecognizerResult]:
        """Presidio's signature; the scores are changed where they stand, for the results are of this call alone."""
        names: dict[str, str] = {each.id: each.supported_entities[0] for each in recognizers}
        for result in raw_results:
            name = names[result.recognition_metadata[RecognizerResult.RECOGNIZER_IDENTIFIER_KEY]]
            if is_led(name, text, result.start, result.end):
                result.score = min(1.0, max(ENOUGH, result.score + self.context_similarity_factor))
        return raw_results


class Phone(ready.PhoneRecognizer):
    """Looks only where a number is told by the way in which it is written; any other needs a word beside it.

    The library takes a millisecond for a number: it is asked where the form alone is not enough."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:  # noqa: ARG002
        results: list[RecognizerResult] = []
        for run in RUN.finditer(text):
            begin = max(0, run.start() - _AROUND)
            piece = text[begin : run.end() + _AROUND]
            formed = list(_FORMED.finditer(piece))
            told = [match for match in _TOLD_AT.finditer(piece) if not any(_within(match, each) for each in formed)]
            for match in formed:
                results += self._result(match[0], begin + match.start())
            for region in {match.lastgroup or "" for match in told}:
                for found in PhoneNumberMatcher(piece, region, leniency=Leniency.VALID):
                    results += self._result(found.raw_string, begin + found.start)
        return results

    def _result(self, said: str, begin: int) -> list[RecognizerResult]:
        if not TOLD.match(said) or sum(map(str.isdigit, said)) < _FEWEST_DIGITS:
            return []
        by = {RecognizerResult.RECOGNIZER_NAME_KEY: self.name, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id}
        entity = self.supported_entities[0]
        return [RecognizerResult(entity, begin, begin + len(said), ENOUGH + 0.1, recognition_metadata=by)]


def _within(told: re.Match[str], formed: re.Match[str]) -> bool:
    """Whether a beginning lies in a number: two numbers with a blank between them could be read as one and a half."""
    begin, end = told.span(told.lastgroup or 0)
    return formed.start() <= begin and end <= formed.end()


class Checked(PatternRecognizer):
    """A pattern and a check of what it matched, without blanks and the like: sure, or not, or None for as sure as the
    pattern is."""

    def __init__(self, check: Callable[[str], bool | None], **options: Any) -> None:
        super().__init__(**options)
        self._check = check

    def validate_result(self, pattern_text: str) -> bool | None:
        return self._check(_SEPARATORS.sub("", pattern_text).upper())


def _card(digits: str) -> bool | None:
    """Every tenth number passes Luhn's check: it is a card's where its length is that of its issuer's cards."""
    return luhn.is_valid(digits) and (bool(_ISSUED.fullmatch(digits)) or None)


def _vat(number: str) -> bool | None:
    """By the check digits of countries of the EU, of the United Kingdom and of Switzerland."""
    if number.startswith("CHE"):
        return uid.is_valid(number) or None
    return (gb_vat.is_valid(number[2:]) if number[:2] in ("GB", "XI") else eu_vat.is_valid(number)) or None


def _nric(number: str) -> bool | None:
    """A number of Singapore's identity cards, by its last letter."""
    first, *digits, last = number
    total = sum(int(digit) * weight for digit, weight in zip(digits, _NRIC_WEIGHTS, strict=True))
    return _NRIC_LETTERS[first][(total + (3 if first == "M" else 0)) % 11] == last or None


def _never_sure(check: Callable[[str], bool]) -> Callable[[str], bool | None]:
    """A check that too many numbers pass: a find is no surer by it, and none without."""
    return lambda number: None if check(number) else False


def _patterns(*forms: str, score: float = WEAK) -> list[Pattern]:
    return [Pattern(f"form {number}", form, score) for number, form in enumerate(forms, 1)]


def recognizers() -> list[Any]:
    """Every recognizer; its entity is its name among the gates."""
    made: dict[str, tuple[type, dict[str, Any]]] = {
        "EMAIL": (PatternRecognizer, {"patterns": ready.EmailRecognizer.PATTERNS}),
        "PHONE": (Phone, {}),
        "PHONE_LED": (PatternRecognizer, {"patterns": _patterns(
            r"(?<![\w.,#/-])\d(?:[ ()./-]{0,3}\d){6,14}(?:x\d{1,6})?(?!\w|[,.]\d)",
            r"(?<![\w.,#/-])\d{2}([ /-])\d{2}\1\d{2}(?![\w/-]|[,.]\d)",
        )}),
        "CARD": (Checked, {"check": _card, "patterns": [
            *ready.CreditCardRecognizer.PATTERNS, *_patterns(r"\b2[2-7]\d{2}([- ]?)\d{4}\1\d{4}\1\d{4}\b"),
        ]}),
        "IBAN": (ready.IbanRecognizer, {"regex_flags": re.IGNORECASE}),
        "BIC": (PatternRecognizer, {"patterns": _patterns(BIC), "global_regex_flags": 0}),
        "VAT": (Checked, {"check": _vat, "patterns": _patterns(VAT)}),
        "SSN": (ready.UsSsnRecognizer, {}),
        "ITIN": (ready.UsItinRecognizer, {}),
        "EIN": (Checked, {"check": _never_sure(ein.is_valid), "patterns": _patterns(r"\b\d{2}-\d{7}\b")}),
        "BANK": (ready.UsBankRecognizer, {}),
        "ROUTING": (Checked, {"check": _never_sure(rtn.is_valid), "patterns": ready.AbaRoutingRecognizer.PATTERNS}),
        "PASSPORT": (ready.UsPassportRecognizer, {}),
        "LICENCE": (ready.UsLicenseRecognizer, {"patterns": _patterns(r"\b(?=(?:[A-Z]{0,4}\d){4})[A-Z\d]{7,19}\b")}),
        "DE_DOCUMENT": (PatternRecognizer, {"patterns": _patterns(r"\b[A-Z](?=(?:[A-Z]{0,4}\d){4})[A-Z\d]{8}\d?\b")}),
        "DE_TAX_ID": (Checked, {
            "check": idnr.is_valid, "patterns": _patterns(DE_TAX_ID),
        }),
        "DE_TAX_NUMBER": (ready.DeTaxNumberRecognizer, {"patterns": _patterns(
            r"\b(?:0[1-9]|1[0-6])\d{11}\b", r"(?<!\w)\d{2,3}[/ ]\d{3,4}[/ ]\d{4,5}(?!\w)",
        )}),
        "DE_PENSION": (Checked, {
            "check": ready.DeSocialSecurityRecognizer().validate_result,
            "patterns": _patterns(DE_PENSION),
        }),
        "NRIC": (Checked, {"check": _nric, "patterns": _patterns(NRIC)}),
        "UEN": (ready.SgUenRecognizer, {}),
        "IP": (ready.IpRecognizer, {}),
        "MAC": (ready.MacAddressRecognizer, {}),
        "WALLET": (ready.CryptoRecognizer, {}),
    }  # fmt: skip
    return [
        kind(supported_entity=name, supported_language=LANGUAGE, name=name, **options)
        for name, (kind, options) in made.items()
    ]


def engine() -> AnalyzerEngine:
    """Presidio with these recognizers, and without any pipeline of spaCy."""
    registry = RecognizerRegistry(recognizers=recognizers(), supported_languages=[LANGUAGE])
    nothing = NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": "none"}])
    return AnalyzerEngine(registry, nothing, context_aware_enhancer=Beside(), default_score_threshold=ENOUGH)
