"""A copilot with people who sign, made anew for every case: rows, keys, clock and what the data folder remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import yaml

from copilot.domain.prompts import PromptChange, PromptText, SuiteResult
from copilot.domain.question import Question, SessionSubject
from copilot.policy.signing import make_key, sign
from copilot.wiring import Runtime
from copilot.wiring.prompt_changes import Wish, bring_into_force, draft_change, draft_text, submit
from copilot.wiring.prompts_in_force import ApprovedPrompts
from copilot.wiring.templates_in_force import TemplatesInForce
from evals.company import NOW

MARK = "Trust me"
"""What stands in a template that nobody may run."""
IDS = ("claims/orders", "plan/question", "draft/answer")
UNTIL = "2027-06-30"
_PASSPHRASE = "a passphrase of proofs"  # noqa: S105 -- of keys that end with the run
_PASSED = SuiteResult(cases=1, failed=0, digest="0" * 64)
_PEOPLE = ("admin", "officer", "ended", "stranger")
_PLACES = {"claims/orders": b'"It was cancelled', "plan/question": b"You read questions", "draft/answer": b"You put an"}


@dataclass
class Scene:
    """The opened copilot. `runtime` is the program that runs on, `again` is one that is started now."""

    base: Runtime
    dsn: str
    home: Path
    order: str
    keys: Mapping[str, Path] = field(default_factory=dict[str, Path])
    public: Mapping[str, str] = field(default_factory=dict[str, str])
    now: datetime = NOW
    runtime: Runtime = field(init=False)

    def __post_init__(self) -> None:
        drawer = self.home.parent / f"{self.home.name}-keys"
        drawer.mkdir(exist_ok=True)
        self.keys = {name: drawer / f"{name}.pem" for name in _PEOPLE}
        self.public = {name: make_key(file, _PASSPHRASE) for name, file in self.keys.items()}
        self.reset()

    def reset(self) -> None:
        """Nothing submitted, nothing remembered, the keys as they should be, today."""
        self.now = NOW
        self.as_owner("truncate governance.prompt_text, governance.prompt_change")
        (self.home / "prompts-head.json").unlink(missing_ok=True)
        self.write_signers({})
        self.runtime = self.again()

    def write_signers(self, more: Mapping[str, list[dict[str, Any]]]) -> None:
        """Who may sign; `ended` is a second approver whose last day is over."""
        signers = {
            "admin": [{"key": self.public["admin"], "may": "author"}],
            "officer": [
                {"key": self.public["officer"], "may": "approve"},
                {"key": self.public["ended"], "may": "approve", "until": (NOW - timedelta(days=1)).date()},
            ],
            **more,
        }
        (self.home / "signers.yaml").write_text(yaml.safe_dump({"signers": signers}))

    def again(self) -> Runtime:
        """A program that is started now, over the same database and data folder."""
        prompts = ApprovedPrompts(self.base.prompts.store, self.base.prompts.signers, self.clock, home=self.home)
        sentences = TemplatesInForce(prompts, self.base.language, self.base.asking.model)
        return replace(self.base, prompts=prompts, sentences=sentences, clock=self.clock)

    def clock(self) -> datetime:
        """The moment that both programs take it to be."""
        return self.now

    def as_owner(self, *statements: str, values: Mapping[str, Any] | None = None) -> None:
        """What somebody with the whole database in their hands can do."""
        with psycopg.connect(self.dsn, autocommit=True) as admin:
            for able in ("disable", "enable"):
                for name in ("prompt_text", "prompt_change"):
                    admin.execute(_literal(f"alter table governance.{name} {able} trigger all"))
                for statement in statements if able == "disable" else ():
                    admin.execute(_literal(statement), values)

    def shipped(self, ident: str) -> bytes:
        """The text that came with the program."""
        return self.base.prompts.shipped[ident][0].text

    def evil(self, ident: str, version: int = 2) -> bytes:
        """A text that nobody may run, in a form that could."""
        place = _PLACES[ident]
        marked = place.replace(b'"', b'"' + MARK.encode() + b": ") if b'"' in place else MARK.encode() + b". " + place
        text = self.shipped(ident).replace(place, marked)
        return text.replace(b"\nversion: 1\n", f"\nversion: {version}\n".encode())

    def fine(self, ident: str, version: int = 2) -> bytes:
        """Another text, without the mark."""
        return self.evil(ident, version).replace(MARK.encode(), b"As it is")

    def signature(self, what: PromptText | PromptChange, key: str) -> bytes:
        """Over what is signed, by somebody's key."""
        return sign(what.payload(), self.keys[key], _PASSPHRASE)

    async def submitted(self, ident: str, text: bytes) -> PromptText:
        """A version by its author, as it should be."""
        draft = await draft_text(self.runtime, ident, text, "admin", "words")
        made = replace(draft, signature=self.signature(draft, "admin"))
        await submit(self.runtime, made)
        return made

    async def drafted(self, wish: Wish) -> PromptChange:
        """A change that nobody signed."""
        return await draft_change(self.runtime, wish, "officer", "why", _PASSED if wish.kind == "approve" else None)

    async def changed(self, wish: Wish) -> PromptChange:
        """A change by its approver, as it should be."""
        draft = await self.drafted(wish)
        change = replace(draft, signature=self.signature(draft, "officer"))
        await bring_into_force(self.runtime, change)
        return change

    async def approved(self, ident: str, text: bytes, until: str = UNTIL) -> PromptChange:
        """A version submitted and approved, as it should be."""
        made = await self.submitted(ident, text)
        return await self.changed(Wish(kind="approve", id=ident, version=made.version, until=until))

    async def runs(self, ident: str, words: str = MARK) -> bool:
        """Whether these words are said, by the program that runs on or by one that is started now."""
        return any([await _says(each, ident, words) for each in (self.runtime, self.again())])

    async def answers(self) -> bool:
        """Whether questions are answered at all, if only by declining."""
        question = Question(text=f"where is {self.order}", channel="api")
        return bool((await self.again().ask(question, SessionSubject("rep.us"))).audit_id)


async def _says(runtime: Runtime, ident: str, words: str) -> bool:
    task = ident.partition("/")[0]
    if task == "claims":
        line = await runtime.line()
        said = (words in literal for each in line.templates.values() for literal in each.literals)
        return any(said) or words in str(vars(line.decider))
    for role in ("planner", "customer_service", "finance"):
        for subject in ("anna", "ben", "cora"):
            prompt = await runtime.prompts.for_role(task, role, subject)
            if prompt is not None and words in prompt.render(prompt.examples[0]).system:
                return True
    return False


def _literal(statement: str) -> LiteralString:
    return statement  # pyright: ignore[reportReturnType]
