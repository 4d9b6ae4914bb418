"""What signed changes of templates come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copilot.domain.prompts import PromptChange, PromptText
from copilot.errors import PromptNotInForceError
from copilot.policy.prompt_chain import Staged, Standing, is_among, late, shipped_standing, standings
from copilot.policy.signing import Signers, public_text

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = NOW.date()
ID = "plan/question"


def text(version: int, words: bytes, *, shipped: bool = False) -> PromptText:
    return PromptText(
        id=ID, version=version, sha256=hashlib.sha256(words).hexdigest(), author="ann", why="w", text=words,
        submitted_at="" if shipped else NOW.isoformat(), shipped=shipped,
    )  # fmt: skip


class Company:
    """An author, an approver, and one whose key has ended, with all they signed."""

    def __init__(self, place: Path) -> None:
        self.keys = {name: Ed25519PrivateKey.generate() for name in ("ann", "bea", "old")}
        public = {name: public_text(key) for name, key in self.keys.items()}
        ended = {"key": public["old"], "may": "approve", "until": TODAY - timedelta(days=1)}
        body = {"ann": [{"key": public["ann"], "may": "author"}], "bea": [{"key": public["bea"], "may": "approve"}],
                "old": [ended]}  # fmt: skip
        (place / "signers.yaml").write_text(yaml.safe_dump({"signers": body}))
        self.signers = Signers(place / "signers.yaml")
        self.shipped = text(1, b"one", shipped=True)
        self.texts = [self.shipped]
        self.changes: list[PromptChange] = []

    def submit(self, version: int, words: bytes) -> PromptText:
        made = text(version, words)
        made = replace(made, signature=self.keys["ann"].sign(made.payload()))
        self.texts.append(made)
        return made

    def change(self, kind: str, of: PromptText, by: str = "bea", **more: object) -> PromptChange:
        values: dict[str, object] = {
            "sequence": len(self.changes) + 1, "kind": kind, "id": ID, "version": of.version, "sha256": of.sha256,
            "author": of.author, "approver": by, "why": "w", "signed_at": NOW.isoformat(),
            "previous": self.changes[-1].hash() if self.changes else "",
        }  # fmt: skip
        if kind == "approve":
            values |= {"until": "2027-01-31", "label": "production", "suite": '{"cases":1,"failed":0}'}
        draft = PromptChange(**(values | more))  # pyright: ignore[reportArgumentType]
        self.changes.append(replace(draft, signature=self.keys[by].sign(draft.payload())))
        return self.changes[-1]

    def standing(self, **more: frozenset[int]) -> Standing:
        shipped: Mapping[str, Standing] = {ID: shipped_standing(self.shipped, "maintainers")}
        texts = {(each.id, each.version, each.sha256): each for each in self.texts}
        return standings(shipped, self.changes, texts, self.signers, **more)[ID]

    def words(self, today: date = TODAY) -> bytes:
        found = self.standing().produced(today)
        return found.text.text if found else b""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_what_is_shipped_holds_until_something_else_is_approved(company: Company) -> None:
    assert company.words() == b"one"
    second = company.submit(2, b"two")
    assert company.words() == b"one"
    company.change("approve", second)
    assert company.words() == b"two"
    assert company.words(date(2027, 1, 31)) == b"two"
    assert company.words(date(2027, 2, 1)) == b""


def test_a_revoked_version_falls_back_to_nothing_and_a_rollback_to_an_earlier_one(company: Company) -> None:
    second = company.submit(2, b"two")
    company.change("approve", second)
    company.change("revoke", second)
    assert company.words() == b""
    company.change("rollback", second)
    assert company.words() == b"", "what was revoked is not brought back by one person"
    company.change("rollback", company.shipped)
    assert company.words() == b"one"


def test_a_shipped_version_that_was_revoked_is_not_followed_by_the_next_release(company: Company) -> None:
    company.change("revoke", company.shipped)
    assert company.words() == b""
    company.shipped = text(2, b"next release", shipped=True)
    company.texts.append(company.shipped)
    assert company.words() == b""


def test_a_signature_by_nobody_ends_the_template_until_it_is_approved_again(company: Company) -> None:
    second = company.submit(2, b"two")
    company.change("approve", second)
    company.changes[-1] = replace(company.changes[-1], signature=b"x" * 64)
    assert company.words() == b""
    company.change("rollback", company.shipped)
    assert company.words() == b""
    company.change("approve", second)
    assert company.words() == b"two"


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, {"why": "another"}), (0, {"until": "2099-01-01"}), (0, {"sequence": 2}), (1, {"sequence": 3}),
        (1, {"previous": ""}), (0, {"signature": b"x" * 64}), (0, {"share": 5}),
        (1, {"signed_at": (NOW - timedelta(days=1)).isoformat()}), (1, {"signed_at": "never"}),
    ],
)  # fmt: skip
def test_an_order_that_is_broken_is_not_believed(company: Company, place: int, change: dict[str, object]) -> None:
    for number in (2, 3):
        company.change("approve", company.submit(number, b"words %d" % number))
    company.changes[place] = replace(company.changes[place], **change)  # pyright: ignore[reportArgumentType]
    with pytest.raises(PromptNotInForceError, match="change"):
        company.standing()


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"suite": ""}, "passed its suite"), ({"suite": '{"cases":0,"failed":0}'}, "passed its suite"),
        ({"suite": '{"cases":4,"failed":1}'}, "passed its suite"), ({"until": ""}, "no day"),
        ({"sha256": "0" * 64}, "not the text"), ({"author": "cem"}, "not by 'cem'"), ({"version": 3}, "not the text"),
    ],
)  # fmt: skip
def test_an_approval_of_something_else_or_untried_is_none(
    company: Company, more: dict[str, object], fault: str
) -> None:
    company.change("approve", company.submit(2, b"two"), **more)
    found = company.standing()
    assert found.produced(TODAY) is None
    assert fault in "".join(found.faults.values())


def test_a_text_that_nobody_signed_is_none_though_it_was_approved(company: Company) -> None:
    company.texts.append(replace(text(2, b"two"), submitted_at=""))
    company.change("approve", company.texts[-1])
    assert company.words() == b""


def test_an_author_in_other_letters_is_no_second_person(company: Company) -> None:
    company.keys["ann "] = company.keys["bea"]
    second = company.submit(2, b"two")
    company.change("approve", second, by="ann ")
    assert company.words() == b""


def test_a_key_that_has_ended_signs_no_more_whatever_date_it_says(company: Company) -> None:
    second = company.submit(2, b"two")
    company.change("approve", second, by="old", signed_at=(NOW - timedelta(days=3)).isoformat())
    assert company.words() == b"two", "what it signed up to then stays"
    refused = late(company.changes, company.signers, TODAY)
    assert refused == (1,)
    assert company.standing(refused=frozenset(refused)).produced(TODAY) is None
    company.changes.clear()
    company.change("approve", second, by="old")
    assert company.words() == b""


def test_what_is_signed_names_every_field_and_no_float(company: Company) -> None:
    change = company.change("approve", company.submit(2, b"two"), roles=("planner",), share=10, label="staging")
    body = json.loads(change.payload())
    assert set(body) == {*PromptChange.__dataclass_fields__, "what"} - {"signature"}
    assert not any(isinstance(value, float) for value in body.values())
    for name, value in (("share", 11), ("roles", ()), ("label", "production"), ("until", ""), ("suite", "")):
        assert replace(change, **{name: value}).payload() != change.payload()  # pyright: ignore[reportArgumentType]


def test_a_share_is_always_of_the_same_people_and_of_so_many() -> None:
    people = [f"person {n}" for n in range(2_000)]
    tenth, half = Staged(version=2, roles=(), share=10), Staged(version=2, roles=(), share=50)
    first = {each for each in people if is_among(ID, tenth, "planner", each)}
    assert 140 < len(first) < 260
    assert first == {each for each in people if is_among(ID, tenth, "planner", each)}
    assert first < {each for each in people if is_among(ID, half, "planner", each)}
    assert not any(is_among(ID, replace(tenth, share=0), "planner", each) for each in people)
    assert all(is_among(ID, replace(tenth, share=100), "planner", each) for each in people)
    assert not any(is_among(ID, replace(half, roles=("buyer",)), "planner", each) for each in people)
