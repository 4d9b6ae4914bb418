"""Words beside which people are named, in English and German, and words that are written large and name nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from redaction.words import Words

Sort = Literal["title", "greeting", "person", "party", "self", "closing"]
"""What follows: a title's holder, also in small letters; somebody greeted; a person rather than a firm; either, so that
only two words are a name; who says "this is" of himself and goes on to say where from; a name that ends its line."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Words that stand before a name, folded as words are."""

    words: tuple[str, ...]
    sort: Sort


_SAID: dict[Sort, str] = {
    "title": "mr|mrs|ms|miss|mister|dr|prof|professor|herr|herrn|frau|fräulein|hr|fr|señor|señora|monsieur|madame",
    "greeting": "dear|hi|hello|hey|hallo|liebe|lieber|good morning|good afternoon|guten tag|guten morgen|servus|moin",
    "person": (
        "attn|attention|c o|z hd|zu händen|care of|my name is|name was|calls me|call me|people call me|ich heiße|"
        "mein name ist|maiden name is|here is my colleague|hier ist|hier spricht|am apparat|spoke with|spoke to|"
        "speak with|speak to|speaking with|talked to|talked with|talk to|met with|gesprochen mit|telefoniert mit|"
        "rückruf an|rückruf von|ansprechpartner|ansprechpartnerin|ansprechperson|kontaktperson|contact person|"
        "sachbearbeiter|sachbearbeiterin|signed by|unterschrieben von|unterzeichnet von|gez|gezeichnet|ask for|"
        "asked for|fragen sie nach|follow up with|partner s name|wife s name|husband s name|account holder|"
        "kontoinhaber|kontoinhaberin|beneficiary|named him|named her|received by|accepted by|angenommen von|"
        "entgegengenommen von|bearbeitet von|approved by|genehmigt von|said by|reports to"
    ),
    "party": (
        "contact|contacts|kontakt|name|names|vor und nachname|full name|customer name|call|called|calling|phoned|"
        "rang|angerufen von|anruf von|e mail from|email from|mail from|message from|letter from|call from|note from|"
        "nachricht von|mail von|e mail von|brief von|delivered to|geliefert an|deliver to|ship to|shipped to|"
        "liefern an|empfänger|empfängerin|recipient|consignee|ordered by|bestellt von|placed by|requested by|"
        "created by|erstellt von|written by|geschrieben von|sold to|bill to|invoice to|i am|i m|ich bin|it s under|"
        "correct it to|under the name|under the name of|auf den namen|on behalf of|im auftrag von|as guardian|"
        "remind|tell|ask|refund|owner|inhaber|inhaberin|geschäftsführer|geschäftsführerin|user|driver|fahrer|"
        "from|von|cc|to|an"
    ),
    "self": "this is|hier ist|it is|it s",
    "closing": (
        "regards|best|best regards|kind regards|warm regards|many thanks|sincerely|yours sincerely|yours faithfully|"
        "yours truly|cheers|thanks|thank you|danke|vielen dank|mit freundlichen grüßen|freundliche grüße|"
        "mit freundlichem gruß|viele grüße|beste grüße|liebe grüße|herzliche grüße|schöne grüße|mfg|gruß|grüße|lg|vg"
    ),
}
_LABELS = "from|von|cc|to|an|user|owner|driver|fahrer"
_NOBODY = """
    monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag
    sonntag january february march april may june july august september october november december januar februar
    maerz mai juni juli oktober dezember today tomorrow yesterday heute morgen gestern week month year woche monat
    jahr i you he she it we they me him her us them my your his its our their this that these those the a an and or
    of on in at for from to with by as if is are was were be been do does did have has had can could will would
    shall should may might must not no yes what when where which who whom whose why how there here then than also
    please all any some each every both more most other only just now later soon asap re fw fwd ok okay sir madam
    sirs colleague colleagues everyone everybody folks friends friend guys ladies gentlemen team teams staff der die
    das den dem des ein eine einen einem einer und oder aber mit von vom zu zum zur im in an am auf aus bei fuer
    ueber unter nach vor ist sind war waren wird werden hat haben kann koennen soll sollen muss muessen bitte nicht
    kein keine ja nein ich du er sie es wir ihr ihnen ihre ihren unser unsere sein seine mein meine was wann wo wer
    wie warum welche welcher welches alle alles damen herren kollege kollegen kollegin zusammen leute order orders
    item items product products part parts article articles invoice invoices payment payments delivery deliveries
    shipment shipments shipping customer customers client clients supplier suppliers vendor vendors partner partners
    account accounts accounting sales sale purchase purchasing procurement finance billing credit debit support
    service services help helpdesk desk office warehouse stock store shop department dept division branch plant
    factory logistics transport carrier freight production quality management manager director head buyer seller
    agent assistant engineer reception operations it hr legal marketing human resources chief officer president
    senior junior lead contact person phone mobile email mail fax address number name date time subject price total
    amount quantity status report list note return returns refund replacement large small new old main best good
    great special express standard morning afternoon evening day days north south east west central international
    global national group holding holdings street road avenue city state country box bank post union europe america
    usa uk germany deutschland singapore china bestellung bestellungen auftrag auftraege artikel produkt produkte
    teil teile rechnung rechnungen zahlung zahlungen lieferung lieferungen versand kunde kunden kundin kundinnen
    kundenservice kundendienst lieferant lieferanten konto buchhaltung verkauf vertrieb einkauf finanzen hilfe buero
    lager laden abteilung filiale werk fabrik spedition logistik produktion qualitaet leitung leiter leiterin
    geschaeftsleitung zentrale empfang personal ansprechpartner kontakt telefon handy adresse nummer datum zeit
    betreff preis summe menge rueckgabe retoure gutschrift angebot anfrage reklamation ruecksprache rueckruf firma
    gross grosse klein kleine neu neue tag tage straße platz office word excel outlook access sql windows server
    project dynamics sap odoo erp crm api pdf csv world internet incorporated question questions issue problem
    urgent wichtig dringend information info
"""
_FIRMS = """
    gmbh mbh ag kg ohg ug se inc ltd llc llp plc corp corporation co company limited pte sdn bhd bv nv sa sas sarl
    srl spa oy ab as aps kgaa ev eg group gruppe holding holdings industries international services solutions
    systems technologies bank union university universitaet hospital hotel
"""


def _folded(said: str) -> Iterator[tuple[str, ...]]:
    return (tuple(Words(each).folded) for each in said.split("|"))


def _by_first() -> dict[str, tuple[Lead, ...]]:
    found: dict[str, list[Lead]] = {}
    for sort, said in _SAID.items():
        for words in _folded(said):
            found.setdefault(words[0], []).append(Lead(words, sort))
    return {first: tuple(sorted(leads, key=lambda each: -len(each.words))) for first, leads in found.items()}


LEADS = _by_first()
"""By their first word; the longest first."""
LABELS = frozenset(_folded(_LABELS))
"""Leads only where a colon follows them."""
NOBODY = frozenset(Words(f"{_NOBODY} {_FIRMS}").folded)
FIRMS = frozenset(Words(_FIRMS).folded)
PARTICLES = frozenset(
    Words("von vom zu zur van de der den del della di da du la le bin binte al el ter ten dos das af").folded
)
TITLES = frozenset(word for words in _folded(_SAID["title"]) for word in words) | {"dipl", "ing", "med", "phil", "mag"}
GOES_ON = frozenset(Words("from calling speaking here writing at of again von vom aus am apparat").folded)
"""Words that follow a name after "this is"."""
