"""Slips of the keyboard, one in a message. None for a message in which there is no place for one.

A slip that makes another word of a word is none that anybody could notice, so such are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from random import Random

from evals.proofs.variations.typed import Lexicon, Span, Typed, data

Draw = Callable[[Typed, Lexicon, Random], str | None]
_SHORTEST, _SHORTEST_NAME = 4, 6
_STEP = 4
"""Quarters of a key from one key to the next."""


def neighbour(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """A key beside the right one."""
    return _in_a_word(message, lexicon, random, message.ordinary(lexicon), _neighbours)


def swapped(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """Two letters in the wrong order."""
    return _in_a_word(message, lexicon, random, message.ordinary(lexicon), _swaps)


def dropped(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """A letter left out; in words that are long enough not to become others by that."""
    return _in_a_word(message, lexicon, random, message.ordinary(lexicon), _drops, _SHORTEST + 1)


def doubled(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """A letter typed twice."""
    return _in_a_word(message, lexicon, random, message.ordinary(lexicon), _doubles)


def in_a_name(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """Any of these in a word of a name."""
    make = random.choice((_neighbours, _swaps, _drops, _doubles))
    return _in_a_word(message, lexicon, random, message.names(lexicon), make, _SHORTEST_NAME)


def misspelt(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """A word as it is often misspelt."""
    known = data("slips")["misspelt"]
    places = [span for span in message.ordinary(lexicon) if _said(message, span) in known]
    if not places:
        return None
    span = random.choice(places)
    return message.replaced(span, random.choice(known[_said(message, span)]))


def no_blank(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """Two words without the blank between them."""
    words = message.ordinary(lexicon)
    pairs = [(a, b) for a, b in pairwise(words) if message.text[a[1] : b[0]] == " "]
    pairs = [(a, b) for a, b in pairs if b[1] - a[0] > _SHORTEST and b[1] - b[0] > 1 and a[1] - a[0] > 1]
    if not pairs:
        return None
    one, other = random.choice(pairs)
    return message.replaced((one[1], other[0]), "")


def capitals(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """All in capitals, all small, or each word with a capital."""
    del lexicon
    lower = re.sub(r"\bUS\b", "\0", message.text).lower().replace("\0", "US")
    forms = [form for form in (message.text.upper(), lower, message.text.title()) if form != message.text]
    return random.choice(forms) if forms else None


def apostrophe(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """An apostrophe left out, or two words drawn together without one."""
    del lexicon
    if "'" in message.text:
        return message.text.replace("'", "")
    found = [(m.span(), short) for long, short in data("slips")["contracted"].items()
             for m in re.finditer(rf"\b{long}\b", message.text, re.IGNORECASE)]  # fmt: skip
    return message.replaced(*random.choice(found)) if found else None


def umlaut(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """A name as a keyboard without umlauts has it."""
    del lexicon
    forms = {letter: random.choice(spelled) for letter, spelled in data("slips")["umlauts"].items()}
    found = "".join(forms.get(letter, letter) for letter in message.text)
    return found if found != message.text else None


def ending(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """Another mark at the end, or none."""
    del lexicon
    bare = message.text.rstrip(" ?!.")
    forms = (bare, *(bare + mark for mark in data("slips")["endings"]))
    return random.choice([form for form in forms if form != message.text])


def _in_a_word(
    message: Typed,
    lexicon: Lexicon,
    random: Random,
    places: list[Span],
    make: Callable[[str], Iterable[str]],
    shortest: int = _SHORTEST,
) -> str | None:
    long = [span for span in places if span[1] - span[0] >= shortest]
    random.shuffle(long)
    for span in long:
        word = message.text[slice(*span)]
        forms = [form for form in dict.fromkeys(make(word)) if form != word and not lexicon.knows(form)]
        if forms:
            return message.replaced(span, random.choice(forms))
    return None


def _neighbours(word: str) -> Iterable[str]:
    beside = _beside()
    return (word[:n] + key + word[n + 1 :] for n in range(len(word)) for key in beside.get(word[n].lower(), ()))


def _swaps(word: str) -> Iterable[str]:
    return (word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1))


def _drops(word: str) -> Iterable[str]:
    return (word[:n] + word[n + 1 :] for n in range(len(word)))


def _doubles(word: str) -> Iterable[str]:
    return (word[: n + 1] + word[n:] for n in range(len(word)))


@cache
def _beside() -> dict[str, str]:
    """Letter -> the letters whose keys touch its own."""
    rows: dict[str, int] = data("slips")["rows"]
    numbered = enumerate(rows.items())
    keys = {letter: (y, _STEP * x + shift) for y, (row, shift) in numbered for x, letter in enumerate(row)}
    return {
        one: "".join(b for b, (y2, x2) in keys.items() if b != one and abs(y - y2) <= 1 and abs(x - x2) <= _STEP)
        for one, (y, x) in keys.items()
    }


def _said(message: Typed, span: Span) -> str:
    return message.text[slice(*span)].casefold()
