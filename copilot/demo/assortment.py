"""What the demo company trades in: the categories that items are made up from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Category:
    """A product category: name parts, list price range in US cents, the usual quantity of an order line."""

    code: str
    name: str
    unit: str
    nouns: tuple[str, ...]
    variants: tuple[str, ...]
    sizes: tuple[str, ...]
    prices: tuple[int, int]
    usual: int
    box: int = 0
    lots: bool = False


_MM = ("4 mm", "6 mm", "8 mm", "10 mm", "12 mm", "16 mm", "20 mm", "24 mm")
_METRIC = ("M4x20", "M5x25", "M6x30", "M8x40", "M10x50", "M12x60", "M16x80", "M20x100")
_WATT = ("12 W", "24 W", "36 W", "48 W", "60 W", "100 W")
_LITRE = ("100 ml", "250 ml", "1 l", "5 l", "20 l")

# fmt: off  -- a table: one category, three lines
CATEGORIES = (
    Category(
        "FA",
        "Fasteners",
        "each",
        ("Hex bolt", "Cap screw", "Flange nut", "Threaded rod", "Set screw", "Carriage bolt"),
        ("zinc plated", "stainless A2", "stainless A4", "black oxide", "grade 10.9"),
        _METRIC,
        (15, 420),
        200,
        100,
    ),
    Category(
        "BE",
        "Bearings",
        "each",
        ("Deep groove ball bearing", "Tapered roller bearing", "Needle bearing", "Pillow block", "Thrust bearing"),
        ("sealed", "shielded", "open", "high temperature"),
        ("6201", "6204", "6206", "6208", "6305", "6310"),
        (450, 9_800),
        12,
        10,
    ),
    Category(
        "PT",
        "Power tools",
        "each",
        ("Cordless drill", "Angle grinder", "Rotary hammer", "Jigsaw", "Impact driver", "Heat gun"),
        ("compact", "heavy duty", "brushless", "kit"),
        ("12 V", "18 V", "36 V", "230 V"),
        (5_900, 48_000),
        3,
    ),
    Category(
        "HT",
        "Hand tools",
        "each",
        ("Combination wrench", "Torque wrench", "Pliers", "Screwdriver set", "Ball-peen hammer", "Hex key set"),
        ("insulated", "long reach", "standard", "stubby"),
        ("small", "medium", "large", "9-piece", "13-piece"),
        (600, 14_500),
        8,
        6,
    ),
    Category(
        "SA",
        "Safety",
        "each",
        ("Work gloves", "Safety glasses", "Hard hat", "Ear defenders", "Hi-vis vest", "Respirator"),
        ("cut resistant", "clear", "vented", "orange", "lined"),
        ("S", "M", "L", "XL"),
        (250, 6_500),
        40,
        12,
    ),
    Category(
        "EL",
        "Electrical",
        "each",
        ("Circuit breaker", "Contactor", "Terminal block", "Relay", "Motor starter", "Push button"),
        ("1-pole", "3-pole", "DIN rail", "panel mount"),
        ("6 A", "10 A", "16 A", "25 A", "40 A", "63 A"),
        (380, 18_500),
        15,
        10,
    ),
    Category(
        "CA",
        "Cable and hose",
        "m",
        ("Control cable", "Power cable", "Pneumatic hose", "Hydraulic hose", "Data cable"),
        ("shielded", "halogen free", "oil resistant", "flexible"),
        _MM,
        (60, 1_900),
        150,
    ),
    Category(
        "HY",
        "Hydraulics",
        "each",
        ("Hydraulic cylinder", "Gear pump", "Directional valve", "Pressure gauge", "Quick coupling"),
        ("double acting", "compact", "high flow", "stainless"),
        ("1/4 in", "3/8 in", "1/2 in", "3/4 in", "1 in"),
        (1_900, 62_000),
        4,
    ),
    Category(
        "PN",
        "Pneumatics",
        "each",
        ("Push-in fitting", "Air cylinder", "Filter regulator", "Solenoid valve", "Silencer"),
        ("straight", "elbow", "tee", "with gauge"),
        _MM,
        (180, 15_500),
        25,
        20,
    ),
    Category(
        "AD",
        "Adhesives and sealants",
        "each",
        ("Threadlocker", "Epoxy adhesive", "Silicone sealant", "Contact cement", "Instant adhesive"),
        ("medium strength", "high strength", "clear", "heat resistant"),
        _LITRE,
        (420, 9_900),
        12,
        12,
        lots=True,
    ),
    Category(
        "CH",
        "Process chemicals",
        "kg",
        ("Citric acid", "Descaler", "Absorbent granulate", "Degreaser powder", "Soda ash"),
        ("technical", "food grade", "fine", "coarse"),
        ("5 kg bag", "10 kg bag", "25 kg bag", "bulk"),
        (90, 1_400),
        120,
        lots=True,
    ),
    Category(
        "PK",
        "Packaging",
        "each",
        ("Carton", "Stretch film", "Packing tape", "Edge protector", "Pallet cover"),
        ("single wall", "double wall", "printed", "recycled"),
        ("small", "medium", "large", "extra large"),
        (40, 2_600),
        120,
        50,
    ),
    Category(
        "LI",
        "Lighting",
        "each",
        ("High-bay light", "Panel light", "Emergency light", "Work light", "Light strip"),
        ("warm white", "neutral white", "dimmable", "IP65"),
        _WATT,
        (1_500, 29_000),
        8,
    ),
    Category(
        "WP",
        "Workplace",
        "each",
        ("Workbench", "Desk", "Storage cabinet", "Shelf unit", "Tool trolley", "Swivel stool"),
        ("height adjustable", "steel", "beech top", "mobile"),
        ("small", "medium", "large", "corner"),
        (8_900, 95_000),
        2,
    ),
)
# fmt: on
"""The categories; an item's name is noun, variant and size."""
