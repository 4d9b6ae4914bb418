"""Where values stand in a text: "%v" is one of a value, "%i" one of the company's own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Pieces of text of one sort. Where `breaks` is None a value stands on one line; else it is what a line begins
    with."""

    templates: tuple[str, ...]
    breaks: str | None = ""


_ENGLISH = (
    "Please call %v about %i before noon.",
    "I spoke with %v yesterday; the goods on %i are still missing.",
    "%v says that two cartons were crushed, see photos.",
    "Can you tell me when %v gets the rest of %i?",
    "What is the status of the order for %v?",
    "Forward this to %v and %v, please!",
    "The delivery went to %v instead of %v; who decided that?",
    "According to %v, %i was shipped on 12 March and signed by %v.",
    "We owe %v an answer (since Monday), don't we?",
    "12 pieces for %v, 3 for %v, none left.",
)
_GERMAN = (
    "Bitte %v wegen %i zur\u00fcckrufen.",
    "Gestern hat %v angerufen: Die Ware aus %i fehlt noch immer.",
    "Wann bekommt %v den Rest von %i?",
    "Laut %v wurde %i am 12.03. geliefert und von %v angenommen.",
    "Die Lieferung ging an %v statt an %v; wer hat das entschieden?",
    "Wir schulden %v noch eine Antwort \u2013 seit Montag.",
    "Rechnung %i an %v, Kopie an %v.",
    "F\u00fcr %v sind 12 St\u00fcck da, f\u00fcr %v keine.",
)
_SIDES = (
    "(%v)", "[%v]", "{%v}", "<%v>", '"%v"', "'%v'", "\u201e%v\u201c", "\u201c%v\u201d", "\u00ab%v\u00bb", "*%v*",
    "_%v_", "`%v`", "~%v~", "|%v|", "/%v/", "\\%v\\", "=%v=", "#%v", "@%v", "&%v&", "%v!", "%v?", "%v...",
    "\u2026%v\u2026",
    "%v:", "%v;", "\u2014%v\u2014", "\u2013 %v \u2013", "\u2022%v", "\u00a1%v!", "$%v$", "^%v^", "%%v%", "+ %v +",
    "\u3010%v\u3011",
    "\uff08%v\uff09", "\u2192%v\u2190", "\u00b7%v\u00b7", "\n%v\n", "\t%v\t", "\u00a0%v\u00a0",
    "\U0001f4de%v\U0001f600", "\u20ac%v",
    "\u3000%v\u3002",
)  # fmt: skip
PLACES: Mapping[str, Place] = {
    "alone": Place(("%v",)),
    "English": Place(_ENGLISH),
    "German": Place(_GERMAN),
    "punctuation": Place(_SIDES),
    "beginning": Place(("%v called.", "%v, any news?", "%v - please check", "%v\nwrote at 9:14")),
    "end": Place(("This is for %v", "Signed: %v", "Mit freundlichen Gr\u00fc\u00dfen\n%v", "cc: %v")),
    "Markdown": Place((
        "- %v\n- **%v**\n- [%v](https://x.example)", "# %v\n\n> %v", "1. _%v_",
        "| who | what |\n|---|---|\n| %v | %i |",
    )),
    "table": Place((
        "customer\tpart\n%v\t%i\n%v\t%i", "| %v | 12 | %i |", "%v    12.50    open",
        "<tr><td>%v</td><td>%i</td></tr>",
    ), breaks=None),
    "CSV": Place(('1;%v;"%v";%i', '"%v","%v",12.50', "%i;%v;;\n%i;%v;;", '"a ""%v"" b",3'), breaks=None),
    "JSON": Place((
        '{"name": "%v", "order": "%i", "cc": ["%v"]}', '[{"to":"%v"},{"to":"%v"}]', '{"text": "Call %v now", "n": 3}',
    ), breaks=None),
    "YAML": Place(("contact: %v\norder: %i", "- %v\n- '%v'", "to: [%v, %v]"), breaks=None),
    "quoted mail": Place((
        "On Mon, Mar 2, Sales wrote:\n> Dear all,\n> please ask %v about %i.\n>> and %v\n> Thanks",
        "-----Original Message-----\nFrom: %v\nTo: %v\nSubject: Re: %i\n\n> ok",
        "Am 02.03. schrieb %v:\n> bitte an %v senden\n",
    ), breaks="> "),
    "log": Place((
        "2026-03-02T07:14:09Z INFO orders user=%v order=%i ok", "[worker-3] WARN cannot send to %v: timeout",
        'level=error msg="no route" to="%v" id=%i', "ERROR 42 -- : %v (%v)",
    ), breaks=None),
    "label": Place(("Contact: %v", "Kunde/Ansprechpartner: %v", "Attn %v", "c/o %v", "z. Hd. %v", "bill to: %v")),
    "next to each other": Place((
        "%v, %v", "%v / %v", "%v;%v", "%v %v", "%v\n%v\n%v", "%v (%v)", "%v <%v>", "%v|%v|%v", "%v - %v", "%v\t%v",
        "%v: %v",
        "%v & %v", "%v und %v", "%v + %v",
    )),
    "beside numbers": Place((
        "%i %v", "%v %i", "%i/%v", "%v (%i)", "%i: %v", "%v,%i,%v", "%i - %v - %i", "%v #%i", "[%i] %v",
        "%i;%v;%i", "3 %v 5",
        "1.%v", "%v 2026-03-02 12.50 EUR",
    )),
    "script": Place((
        "\u8bf7\u8054\u7cfb %v \u8c22\u8c22",
        "\u041f\u043e\u0437\u0432\u043e\u043d\u0438\u0442\u0435 %v \u0437\u0430\u0432\u0442\u0440\u0430",
        "\u05d9\u05e9 \u05dc\u05d4\u05ea\u05e7\u05e9\u05e8 \u05dc-%v", "\u96fb\u8a71%v\u3067\u3059",
    )),
}  # fmt: skip
"""Name -> what stands around values there."""
IDENTIFIER_LINES = (
    "Where is %i?", "order %i, invoice %i and lot %i", "Please credit %i against %i.", "status of %i / %i", "%i",
    "(%i)",
    "customer order %i for 12 pieces", "customer PO %i", "Wo bleibt %i?", "Bestellung %i, Rechnung %i, Charge %i",
    "phone call about %i", "Kunde fragt nach %i und %i.", "supplier part %i is item %i", "%i,%i,%i;%i",
    '{"order": "%i"}',
    "| %i | %i | 12 |", "Re: %i", "> see %i", "tracking %i, RMA %i, case %i", "payment %i received on 12 March",
    "- %i\n- %i",
    "%i: 12 pieces at 3.50", "account manager wants %i", "#%i", "Lieferung %i ist da!", "moved with %i to %i",
)  # fmt: skip
"""Texts about nothing but the company's own numbers."""
