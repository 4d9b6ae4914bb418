"""One question case: who asks what, and what is expected of the answer. `evals/cases/schema.json` is the file form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

HOLE = re.compile(r"\{(\w+)\}")
"""A place in a turn that a column of `pick` fills."""


class Expect(StrEnum):
    """What a right reaction is."""

    ANSWER = "answer"
    ASK_BACK = "ask_back"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation of which the last turn is judged.

    `pick` is SQL whose one row fills `{column}` in the turns and `%(column)s` in `sql`; the rows of `sql` are what a
    right answer must contain. `listed`: the first column names the rows, and no others may be named. `ordered`: in that
    order. `says`: one of these words has to be in the answer.
    """

    id: str
    family: str
    user: str
    turns: tuple[str, ...]
    expect: Expect = Expect.ANSWER
    pick: str | None = None
    sql: str | None = None
    listed: bool = False
    ordered: bool = False
    sources: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    note: str = ""
    file: str = ""
