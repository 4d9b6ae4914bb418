"""Slips of the keyboard in ordinary words: "recieved", "custmer", "availble".

Only words that mean nothing as they stand, to the outlines neither, and that no name is like are mended, and only
where one letter within is missing, too many or swapped with the next: that makes no other word of a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from copilot.understanding.compose.tokens import Token
from copilot.understanding.kinds import outline_words
from copilot.understanding.vocabulary import Vocabulary
from copilot.understanding.words import Word, cut

_SHORTEST = 5


def mended(words: Sequence[Word], tokens: Sequence[Token], vocabulary: Vocabulary) -> tuple[Word, ...]:
    """The words with what they were meant for, where that is one word alone."""
    unclear = [t for t in tokens if not (t.meanings or t.reference or t.span or t.amount)]
    if not unclear:
        return tuple(words)
    found = list(words)
    known = {piece for phrase in vocabulary.phrases for piece in phrase if len(piece) >= _SHORTEST} | vocabulary.filler
    heard = outline_words()
    for token in unclear:
        for position in token.positions:
            word = words[position].folded
            if word in heard:
                continue
            meant = [other for other in known if _slipped(word, other)]
            if len(meant) == 1:
                found[position] = cut(meant[0])[0]
    return tuple(found)


def _slipped(word: str, meant: str) -> bool:
    """Whether a word is another one with one letter within left out, added, or swapped with the next."""
    if min(len(word), len(meant)) < _SHORTEST - 1 or len(word) < _SHORTEST or word[0] != meant[0]:
        return False
    if not word.isalpha() or word[-1] != meant[-1]:
        return False
    if len(word) == len(meant):
        unlike = [n for n, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
        return len(unlike) == 2 and unlike[1] == unlike[0] + 1 and word[unlike[0]] == meant[unlike[1]] and (
            word[unlike[1]] == meant[unlike[0]]
        )  # fmt: skip
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    return len(longer) == len(shorter) + 1 and any(
        longer[:n] + longer[n + 1 :] == shorter for n in range(1, len(longer) - 1)
    )
