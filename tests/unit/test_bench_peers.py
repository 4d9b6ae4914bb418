"""What the comparison with the peers rests on: a judge that finds every lie, and a model that says the same to all."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from typing import Any

import pytest

from evals.bench.peers.judge import misjudged, tells, wrong_figures
from evals.bench.peers.lies import LIES, TRUE, told
from evals.bench.peers.model import Script
from evals.bench.peers.program import only_this_machine
from evals.bench.peers.questions import KINDS, Asked

ORDER = Asked(
    who="rep.us", text="order status SO-11569", sql="select 1",
    columns=("order_number", "status", "promised", "quantity", "arrived"),
    rows=(
        ("SO-11569", "confirmed", "2026-10-21", "1818.5", "2026-10-22 12:46"),
        ("SO-11569", "confirmed", None, "7", ""),
    ),
)  # fmt: skip
OTHER = (("SO-20000", "confirmed", "2026-11-01", "99", "2026-11-02 08:15"),)
COUNT = Asked(
    who="planner", text="how many customers are there", sql="select 2", columns=("customers",), rows=(("640",),)
)


@pytest.mark.parametrize(
    "text",
    [
        "Order **SO-11569** is confirmed, promised for **21 Oct 2026**: 1,818.50 m and 7 m.",
        "It came on 22 Oct 2026, 12:46 CDT, of SO-11569.",
        told(TRUE, ORDER.columns, ORDER.rows, OTHER),
    ],
)
def test_what_is_true_is_found_true_however_it_is_printed(text: str) -> None:
    assert wrong_figures(text, ORDER) == ()
    assert not misjudged([(ORDER, text)])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("SO-11569 has 1,818.4 m.", "1818.4"),
        ("SO-11569 has 1,818,500 m.", "1.8185E+6"),
        ("SO-11568 is late.", "SO-11568"),
        ("SO-11569 is promised for 22 Nov 2026.", "2026-11-22"),
        ("SO-11569 was delivered.", "delivered"),
        ("SO-11569 came at 12:47.", "12:47"),
    ],
)
def test_what_is_wrong_is_found(text: str, wrong: str) -> None:
    assert wrong_figures(text, ORDER) == (wrong,)


def test_an_answer_that_says_nothing_of_it_is_no_answer() -> None:
    assert not tells("I can't answer that about SO-11569.", ORDER)
    assert misjudged([(ORDER, "I can't answer that about SO-11569.")])


@pytest.mark.parametrize("way", LIES)
@pytest.mark.parametrize("asked", [ORDER, COUNT], ids=["record", "count"])
def test_every_lie_is_found(way: str, asked: Asked) -> None:
    other = OTHER if asked is ORDER else (("260",),)
    assert wrong_figures(told(way, asked.columns, asked.rows, other), asked)


def script(way: str = TRUE, said: tuple[tuple[str, str], ...] = ()) -> Script:
    other = {"text": "order status SO-20000", "sql": "select 3", "columns": ORDER.columns, "rows": OTHER, "said": ()}
    return Script(questions=[{**ORDER.to_json(), "said": said}, other], asked=ORDER.text, way=way)


def offered(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name}} for name in names]


def arguments_of(message: Any) -> Any:
    return json.loads(message["tool_calls"][0]["function"]["arguments"])


def test_the_peers_are_given_the_sql_and_then_told_of_the_rows_they_show() -> None:
    user = {"role": "user", "content": ORDER.text}
    called = script().reply({"messages": [user], "tools": offered("run_sql")})
    assert arguments_of(called) == {"sql": "select 1"}
    table = (
        "order_number,status,promised,quantity,arrived\nSO-11569,confirmed,2026-10-21,8,\n\nResults saved to file: x"
    )
    told_of = script().reply({"messages": [user, {"role": "tool", "content": table}], "tools": offered("run_sql")})
    assert told_of == {"content": "order number SO-11569, status confirmed, promised 2026-10-21, quantity 8."}
    assert script().reply({"messages": [user]}) == {"content": "select 1"}
    shown = "Query: q\nSQL: s\nSQL Response: [('SO-11569', 'confirmed', '2026-10-21', '8', None)]\nResponse: "
    assert script().reply({"messages": [{"role": "user", "content": shown}]}) == told_of


DRAFT = json.dumps(
    {"question": "q", "evidence": [{"id": "S1"}, {"id": "S2"}], "claims": [{"claim": "c", "records": {"order": "S1"}}]}
)
TRUE_DRAFT = {"say": [{"claim": "c", "records": {"order": "S1"}}]}


def test_our_model_takes_the_claims_on_offer_where_it_is_honest() -> None:
    message = script().reply({"messages": [{"role": "user", "content": DRAFT}], "tools": offered("say")})
    assert message["content"] is None
    assert arguments_of(message) == TRUE_DRAFT


@pytest.mark.parametrize("way", LIES)
def test_our_model_lies_beside_its_call_and_in_it(way: str) -> None:
    message = script(way).reply({"messages": [{"role": "user", "content": DRAFT}], "tools": offered("say")})
    assert wrong_figures(message["content"], ORDER)
    assert arguments_of(message) != TRUE_DRAFT


@pytest.mark.parametrize("way", LIES)
def test_our_model_lies_about_the_question_too(way: str) -> None:
    said = (("how many", ""), ("orders", "sales_order"), ("on hold", "sales_order.is.on_hold"), ("please", "aside"))
    body = {"messages": [{"role": "user", "content": "{}"}], "tools": offered("ask", "decline")}
    honest = script(said=said).reply(body)
    assert [each["said"] for each in arguments_of(honest)["pieces"]] == [words for words, _ in said]
    assert arguments_of(script(way, said).reply(body)) != arguments_of(honest)


def test_a_question_that_no_pieces_are_known_for_is_declined() -> None:
    message = script().reply({"messages": [{"role": "user", "content": "{}"}], "tools": offered("ask", "decline")})
    assert message["tool_calls"][0]["function"]["name"] == "decline"


def test_each_question_asks_for_a_record_or_for_all() -> None:
    for kind in KINDS:
        assert ("{}" in kind.ask) == ("$" in kind.truth), kind.ask


@pytest.fixture
def connect() -> Generator[None]:
    plain = socket.socket.connect
    yield
    setattr(socket.socket, "connect", plain)  # noqa: B010


@pytest.mark.usefixtures("connect")
def test_the_peers_reach_nothing_but_this_machine() -> None:
    only_this_machine()
    with socket.socket() as outside, pytest.raises(OSError, match="is not this machine"):
        outside.connect(("192.0.2.1", 80))
