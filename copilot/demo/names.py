"""Invented names: companies, people, streets. Every e-mail and phone number is one that cannot be reached."""

from __future__ import annotations

import re
from random import Random
from unicodedata import normalize

from copilot.demo.draws import pick, span

# fmt: off  -- word lists, by region
_FIRST = (
    ("Avery", "Marisol", "Calvin", "Dolores", "Everett", "Keisha", "Wendell", "Rosalind", "Tobias", "Imani", "Preston"),
    ("Jürgen", "Käthe", "Matthias", "Özlem", "Björn", "Frauke", "Günther", "Anneliese", "Søren", "Zofia", "Ulrike"),
    ("Wei Ling", "Arun", "Siti", "Kok Leong", "Nurul", "Mei Xuan", "Rajesh", "Farah", "Jun Hao", "Devi", "Hakim"),
)
_LAST = (
    ("Ashgrove", "Delacroix", "Penhallow", "Okonjo", "Brightwater", "Castellano", "Hollenbeck", "Marchetti", "Quill"),
    ("Brüggemann", "Häusler", "Jäckel", "Kößler", "Lüders", "Öztürk", "Pfannenstiel", "Schönfelder", "Wójcik"),
    ("Tan", "Subramaniam", "Binte Rahmat", "Goh", "Koh", "Pereira", "Chandran", "Yeo", "Ibrahim"),
)
_HEADS = (
    (
        "Harborstone",
        "Cedar Fork",
        "Copperline",
        "Prairie Gate",
        "Lantern Hill",
        "Bluestem",
        "Ironwood",
        "Saltmarsh",
        "Kestrel",
        "Juniper Bend",
        "Northfold",
        "Silver Quarry",
        "Tallgrass",
        "Wagon Creek",
        "Foxglove",
        "Granite Pass",
        "Riverbirch",
        "Quarter Mile",
        "Sagebrook",
        "Thornbury",
        "Mesa Verdant",
        "Old Ferry",
        "Palisade",
        "Redhollow",
    ),
    (
        "Brügge",
        "Tannwälder",
        "Kröplin",
        "Möwe",
        "Südtor",
        "Grünhagen",
        "Ahrensbök",
        "Dörpfeld",
        "Eichstädter",
        "Flößer",
        "Hüttenrauch",
        "Isenbütt",
        "Kühlwetter",
        "Lohmühle",
        "Nordkant",
        "Quellental",
        "Rübezahl",
        "Steinfurth",
        "Überlinger",
        "Wiesengrund",
        "Zülpich",
        "Bärwalde",
        "Jägersfeld",
        "Plöner",
    ),
    (
        "Straitsview",
        "Kampong Batu",
        "Merlimau",
        "Orchid Bay",
        "Tembusu",
        "Rajawali",
        "Angsana",
        "Pulau Merah",
        "Lighthouse",
        "Jade Harbour",
        "Sembawang Star",
        "Nusa Indah",
        "Golden Junk",
        "Red Lantern",
        "Banyan Row",
        "Pasir Timur",
        "Sea Almond",
        "Kingfisher",
        "Bukit Emas",
        "Monsoon",
        "Tanah Lot",
        "Coral Gate",
        "Peranakan",
        "Eastwind",
    ),
)
_TRADES = (
    ("Fabrication", "Machine Works", "Electric", "Contractors", "Foods", "Marine", "Plastics", "Millwork", "Controls"),
    ("Maschinenbau", "Elektrotechnik", "Metallbau", "Anlagenbau", "Förderanlagen", "Möbelwerke", "Kältetechnik"),
    ("Marine", "Engineering", "Precision", "Fabricators", "Logistics", "Electronics", "Offshore", "Foodworks"),
)
_FORMS = (("Inc.", "LLC", "Co.", "Corp."), ("GmbH", "GmbH & Co. KG", "KG", "AG"), ("Pte. Ltd.", "Pte. Ltd.", "LLP"))
_STREETS = (
    ("Millrace Rd", "Foundry Ave", "Depot St", "Larkspur Ln", "Switchyard Blvd", "Orchard Spur"),
    ("Gerberweg", "Am Güterbahnhof", "Schlossergasse", "Kärntner Chaussee", "Mühlenstieg", "Weberstraße"),
    ("Jalan Kayu Manis", "Pioneer Crossing Lane", "Lorong Tembaga", "Benoi Rise", "Harbour Quay Link"),
)
_CITIES = (
    (("Fairhaven Falls", "60699"), ("Eastmoor", "75399"), ("Pinyon Flats", "89599"), ("Magnolia Grove", "30399")),
    (("Lüttenbrook", "20099"), ("Neckarhausen", "70599"), ("Altmühlfurt", "50699"), ("Weserbrück", "28199")),
    (("Singapore", "629999"), ("Singapore", "489999"), ("Singapore", "569999")),
)
# fmt: on
_EXCHANGES = ("+1 555 01{:02d}", "+49 30 23125 {:03d}", "+65 5550 01{:02d}")
COUNTRIES = ("US", "DE", "SG")


def person(dice: Random, region: int) -> str:
    """A person's name; one in ten comes from another region's names."""
    draw = dice.random()
    home = region if draw > 0.1 else span(draw * 10, 0, 2)
    return f"{pick(dice.random(), _FIRST[home])} {pick(dice.random(), _LAST[home])}"


def company(dice: Random, region: int, taken: set[str]) -> str:
    """A company's name that none in `taken` has; it is added to them."""
    while True:
        head, trade = pick(dice.random(), _HEADS[region]), pick(dice.random(), _TRADES[region])
        name = f"{head} {trade} {pick(dice.random(), _FORMS[region])}"
        if dice.random() < 0.25:
            owner = pick(dice.random(), _LAST[region])
            name = f"{owner} {trade} {pick(dice.random(), _FORMS[region])}"
        if name not in taken:
            taken.add(name)
            return name


def street(dice: Random, region: int) -> str:
    """A street and house number, in the region's order."""
    number, name = span(dice.random(), 1, 240), pick(dice.random(), _STREETS[region])
    return f"{name} {number}" if region == 1 else f"{number} {name}"


def city(dice: Random, region: int) -> tuple[str, str]:
    """A city and its postal code."""
    return pick(dice.random(), _CITIES[region])


def phone(dice: Random, region: int) -> str:
    """A number from a range kept free for fiction."""
    return _EXCHANGES[region].format(span(dice.random(), 0, 999 if region == 1 else 99))


def email(name: str, organisation: str) -> str:
    """An address under the top-level domain reserved for examples."""
    return f"{_slug(name, '.')}@{_slug(organisation, '-')}.example"


def _slug(text: str, separator: str) -> str:
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "o"), ("ł", "l")):
        text = text.lower().replace(umlaut, plain)
    plain = normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", separator, plain).strip(separator)
