"""How questions are read as compositions: words to parts, without a database. Names are given, not looked up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from copilot.domain.composition import Composition, Part, Split
from copilot.domain.query import Bucket, Compare, Is
from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.amounts import find_amounts
from copilot.understanding.candidates import Candidate
from copilot.understanding.compose.asker import Asker
from copilot.understanding.compose.mending import mended
from copilot.understanding.compose.periods import bounds_of, told_apart
from copilot.understanding.compose.planner import read
from copilot.understanding.compose.reader import Misread
from copilot.understanding.compose.tokens import Heard, Token, tokens_of
from copilot.understanding.references import Reference
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import find_spans
from copilot.understanding.vocabulary import load_vocabulary
from copilot.understanding.words import cut

TODAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
NAMES: Mapping[str, tuple[str, int, bool]] = {
    "acme": ("customer", 7, False),
    "bolt": ("supplier", 9, False),
    "nord": ("supplier", 10, False),
    "dallas": ("site", 3, False),
    "reno": ("site", 4, False),
    "germany": ("region", 1, False),
    "ax-100": ("item", 5, True),
    "so-77": ("sales_order", 77, True),
}


def asker(*currencies: str) -> Asker:
    """Somebody of regions with these currencies."""
    return Asker(
        now=TODAY,
        regions={n: f"R{n}" for n, _ in enumerate(currencies)},
        currencies=dict(enumerate(currencies)),
        fiscal_starts={0: 1},
        countries=("US",),
        zones=("America/Chicago",),
    )


def reading(text: str, *currencies: str) -> Composition | Misread:
    """What becomes of a question."""
    words = cut(text)
    vocabulary = load_vocabulary()
    who = asker(*(currencies or ("USD",)))
    references = tuple(
        Reference(
            positions=frozenset({place}),
            candidates=(
                Candidate(
                    entity=entity, id=ident, positions=frozenset({place}), strength=30, by_number=number, full=True,
                    number="DE" if entity == "region" else word.typed, name=word.typed, label=word.typed,
                ),
            ),
        )
        for place, word in enumerate(words)
        if word.typed.casefold() in NAMES
        for entity, ident, number in [NAMES[word.typed.casefold()]]
    )  # fmt: skip
    heard = Heard(
        words=words,
        matches=vocabulary.matches(words),
        references=references,
        spans=find_spans(words, load_time_words()),
        amounts=find_amounts(words, load_amount_words(), who.convention),
    )
    return read(tokens_of(heard, vocabulary), who, vocabulary)


def understood(text: str) -> Composition:
    """A question that has to be understood."""
    found = reading(text)
    assert isinstance(found, Composition), f"{text!r} left {[token.text for token in found.left]}"
    return found


def part(found: Composition, role: str) -> Part:
    """The one part of a role."""
    (only,) = [each for each in found.parts if each.role == role]
    return only


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("orders placed last week", date(2026, 11, 9), date(2026, 11, 16)),
        ("orders for Acme entered in October", date(2026, 10, 1), date(2026, 11, 1)),
        ("which orders did Acme place in October", date(2026, 10, 1), date(2026, 11, 1)),
        ("late orders promised before 15 Nov", None, date(2026, 11, 15)),
        ("invoices that fell due in September", date(2026, 9, 1), date(2026, 10, 1)),
        ("orders promised in January", date(2027, 1, 1), date(2027, 2, 1)),
        ("transfers due on Monday", date(2026, 11, 23), date(2026, 11, 24)),
    ],
)
def test_the_direction_of_a_time_follows_from_what_it_is_of(text: str, since: date | None, until: date) -> None:
    """Past for what has happened and for what is late, else the nearer one."""
    conditions = part(understood(text), "time").conditions
    said = {c.how: c.value for c in conditions if isinstance(c, Compare)}
    assert said == ({Is.AT_LEAST: since} if since else {}) | {Is.LESS: until}


def test_what_has_happened_is_not_asked_of_days_to_come() -> None:
    assert isinstance(reading("which orders will Acme place in February 2028"), Misread)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("how many order lines shipped late last week", "shipped_date"),
        ("purchase lines received late last week", "received_date"),
        ("planned shipments for Tuesday", "planned_date"),
        ("how many orders were cancelled in October by order date", "order_date"),
    ],
)
def test_the_date_of_a_time_is_the_one_its_words_name(text: str, path: str) -> None:
    assert part(understood(text), "time").about == path


def test_a_word_for_a_date_keeps_the_state_that_it_also_says() -> None:
    found = understood("planned shipments for Tuesday")
    assert [(each.role, each.text) for each in found.parts if each.role == "code"] == [("code", "planned")]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("orders of Acme, cancelled ones excluded", Is.NOT_EQUAL),
        ("orders of Acme, leave out cancelled ones", Is.NOT_EQUAL),
        ("orders of Acme, quotations not counted", Is.NOT_EQUAL),
        ("cancelled orders of Acme", Is.EQUAL),
    ],
)
def test_what_is_left_out_is_denied(text: str, how: Is) -> None:
    found = understood(text)
    (condition,) = part(found, "segment").conditions
    assert isinstance(condition, Compare)
    assert condition.how is how


def test_alternatives_are_united_and_contradictions_are_no_question() -> None:
    """ "Confirmed and partly shipped" is one or the other; "shipped cancelled" is neither."""
    (state,) = [each for each in understood("confirmed and partly shipped orders").parts if each.role != "record"]
    (condition,) = state.conditions
    assert isinstance(condition, Compare)
    assert condition.value == ("confirmed", "partly_shipped")
    assert isinstance(reading("shipped cancelled orders"), Misread)


@pytest.mark.parametrize(
    ("text", "measure", "split", "limit"),
    [
        ("which supplier has the best on time rate", "supplier_performance", "supplier", 1),
        ("top 3 customers by order value in October", "order_value", "customer", 3),
        ("3 biggest open orders by value", "order_value", "sales_order", 3),
        ("which 4 customers owe us the most", "open_receivables", "customer", 4),
        ("which customer placed the most orders last month", "", "customer", 1),
        ("customers with the most orders", "", "customer", 5),
    ],
)
def test_rankings(text: str, measure: str, split: str, limit: int) -> None:
    """One where one is asked for, else so many as are said, else five."""
    found = understood(text)
    assert (found.measure, found.splits[0].entity, found.limit) == (measure, split, limit)
    assert len(found.splits) == 1


def test_two_months_compared_are_told_apart() -> None:
    found = understood("did Acme order more in September or October? number of orders")
    assert found.splits[0].bucket is Bucket.MONTH
    days = [c.value for c in part(found, "time").conditions if isinstance(c, Compare)]
    assert days == [date(2026, 9, 1), date(2026, 11, 1)]


def test_rates_of_several_records_are_told_apart() -> None:
    found = understood("on time rate of Bolt and Nord")
    assert [split.entity for split in found.splits] == ["supplier"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("invoices more than a month overdue", 31),
        ("invoices overdue more than 2 weeks", 14),
        ("invoices overdue more than 30 days", 30),
    ],
)
def test_lengths_of_time_are_counted_in_the_days_of_the_field(text: str, limit: int) -> None:
    found = understood(text)
    (condition,) = part(found, "limit").conditions
    assert condition == Compare(("overdue_days",), Is.MORE, limit)
    assert [each.about for each in found.parts if each.role == "segment"] == ["overdue"], "of open invoices alone"


@pytest.mark.parametrize(
    "text", ["orders more than 3 kg late", "invoices overdue more than 5 EUR", "orders over 30 days"]
)
def test_an_amount_of_something_else_is_not_compared(text: str) -> None:
    assert isinstance(reading(text), Misread)


def test_bare_money_of_somebody_with_several_currencies_is_asked_back() -> None:
    found = reading("orders over 10k", "EUR", "USD")
    assert isinstance(found, Misread)
    assert found.money
    assert isinstance(reading("orders over 10k EUR", "EUR", "USD"), Composition)


def test_a_single_letter_is_no_code() -> None:
    assert not [each for each in understood("orders with a value over 500").parts if each.role == "code"]
    assert [each.text for each in understood("tier A customers").parts if each.role == "code"] == ["a"]


def test_available_names_a_part_of_items_and_alone_the_measure() -> None:
    assert understood("available items").entity == "item"
    assert understood("how many units of AX-100 are available outside Dallas").measure == "stock_available"


def test_a_number_after_order_no_is_not_denied() -> None:
    found = understood("order no SO-77")
    assert not part(found, "record").negated


@pytest.mark.parametrize(
    "text", ["velocity of orders", "haunted orders of Acme", "orders of Acme that are gift wrapped"]
)
def test_a_word_without_a_place_is_no_question(text: str) -> None:
    found = reading(text)
    assert isinstance(found, Misread)
    assert found.left


def test_when_takes_for_granted_that_there_is_something() -> None:
    assert understood("when was the hold on SO-77 released").supposed
    assert not understood("released holds of SO-77").supposed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("recieved", "received"),
        ("custmer", "customer"),
        ("availble", "available"),
        ("suppllier", "supplier"),
        ("later", "later"),
        ("haunted", "haunted"),
        ("carried", "carried"),
    ],
)
def test_slips_in_ordinary_words_are_mended_and_other_words_left(typed: str, meant: str) -> None:
    vocabulary = load_vocabulary()
    words = cut(f"{typed} of")
    token = Token(positions=(0,), text=typed)
    assert mended(words, (token,), vocabulary).words[0].folded == meant


@pytest.mark.parametrize(
    ("text", "bucket", "spans"),
    [
        ("fill rate this quarter and last quarter", Bucket.QUARTER, [(7, 10), (10, 13)]),
        ("revenue october vs july", Bucket.MONTH, [(7, 8), (10, 11)]),
        ("how many orders in august, september and october", Bucket.MONTH, [(8, 11)]),
        ("did we get more orders in Q1 2026 or Q3 2026", Bucket.QUARTER, [(1, 4), (7, 10)]),
        ("compare orders in July with orders in September", Bucket.MONTH, [(7, 8), (9, 10)]),
        ("is our fill rate better than last quarter", Bucket.QUARTER, [(7, 10), (10, 13)]),
        ("returns in Q3 vs Q2 by reason", Bucket.QUARTER, [(4, 7), (7, 10)]),
    ],
)
def test_spans_of_one_unit_are_compared(text: str, bucket: Bucket, spans: list[tuple[int, int]]) -> None:
    """The months that each begins with and ends before, of 2026: two that meet are told apart, three are one run."""
    found = understood(text)
    assert [split.bucket for split in found.splits if split.bucket] == [bucket]
    starts = [(date(2026, a, 1), date(2026 + b // 13, b % 13 or 1, 1)) for a, b in spans]
    assert list(told_apart(part(found, "time").conditions, bucket)) == starts


def test_a_year_said_once_holds_for_both_months() -> None:
    conditions = part(understood("how many orders in september and october 2025"), "time").conditions
    assert bounds_of(conditions) == (date(2025, 9, 1), date(2025, 11, 1))


@pytest.mark.parametrize(
    "text",
    [
        "fill rate last week vs this month",
        "stock this month vs last month",
        "orders in september for Acme vs october for Bolt",
        "fill rate november vs october last year",
        "how many orders were placed in september and placed on monday",
        "did we ship more orders last week",
    ],
)
def test_times_that_can_not_be_compared_are_no_question(text: str) -> None:
    """Of different units, of the present, of different records, of a year that may be meant of one or both."""
    assert isinstance(reading(text), Misread)


def test_spans_of_the_calendar_are_of_the_date_that_was_asked_about() -> None:
    """Orders that shipped in a month, not orders placed in a month of those that shipped this year."""
    assert understood("how many orders shipped this year by month").splits == (
        Split(path=("shipped_date",), bucket=Bucket.MONTH),
    )


def test_records_and_times_compared_are_both_told_apart() -> None:
    found = understood("compare orders of Dallas and Reno this month vs last month")
    assert found.splits == (Split(entity="site"), Split(bucket=Bucket.MONTH))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("late purchase orders with supplier and promised date", ["supplier", "promised_date"]),
        ("open orders of Acme and their order dates", ["order_date"]),
        ("open invoices with invoice date and due date", ["invoice_date", "due_date"]),
        ("customers on credit hold with payment terms", ["payment_terms"]),
        ("late orders with promised date before yesterday", []),
        ("returns last week with reason and customer", ["reason", "order.customer"]),
    ],
)
def test_fields_that_end_a_question_for_a_list_are_its_columns(text: str, columns: list[str]) -> None:
    """A field that something is said of restricts the list."""
    assert [".".join(column.path) for column in understood(text).columns] == columns


@pytest.mark.parametrize("text", ["late orders and customers on hold", "open orders with velocity and promised date"])
def test_what_follows_a_field_may_be_of_it(text: str) -> None:
    assert isinstance(reading(text), Misread)


def test_a_field_of_what_is_ranked_is_told_with_it() -> None:
    """The largest by its worth, never the one with the most orders."""
    found = understood("largest purchase order, and with whom")
    assert (found.measure, found.splits[1].path) == ("purchase_value", ("purchase_order", "supplier"))


def test_lines_per_order_are_a_measure() -> None:
    assert understood("how many lines does an average order have").measure == "lines_per_order"
    assert understood("average items per purchase order in 2025").measure == "items_per_purchase_order"


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("how many lines has an order of Acme on average", "lines_per_order"),
        ("on average, how many lines are on each 2026 order of Acme", "lines_per_order"),
        ("average line count per order", "lines_per_order"),
        ("how many items do orders of Acme have on average", "items_per_order"),
        ("average number of lines per purchase order", "lines_per_purchase_order"),
        ("average number of units of AX-100 per sales order line", "average_line_quantity"),
        ("how much is the average net value of orders of Acme", "average_order_value"),
        ("average quoted lead time over all suppliers that have AX-100", "quoted_lead_time"),
        ("how long is the lead time of AX-100", "lead_time"),
    ],
)
def test_means_are_of_what_is_said_to_be_counted(text: str, measure: str) -> None:
    found = understood(text)
    assert (found.measure, found.splits) == (measure, ())


def test_a_mean_of_records_that_none_is_defined_for_is_none() -> None:
    assert isinstance(reading("average number of orders per customer"), Misread)


@pytest.mark.parametrize(
    "text", ["customers with more than 3 late orders", "which customers have more than 3 late orders"]
)
def test_a_number_beside_a_state_counts_records_and_is_no_worth(text: str) -> None:
    found = understood(text)
    limit = next(part for part in found.parts if part.role == "limit")
    assert limit.about == "value"
    assert "late" in {part.about for part in found.parts}
    assert found.splits[0].entity == "customer"


@pytest.mark.parametrize("text", ["orders with lines over 500", "orders with more than 2 backordered lines"])
def test_a_number_said_of_other_records_is_not_what_those_asked_for_are_worth(text: str) -> None:
    assert isinstance(reading(text), Misread)


@pytest.mark.parametrize(
    "text",
    [
        "top 3 items in Dallas by number of open order lines on orders that are confirmed or partly shipped",
        "which 3 items in Dallas have most open order lines, orders confirmed and partly shipped only",
        "items with the highest count of open order lines, orders in status confirmed or partly shipped",
    ],
)
def test_states_joined_to_one_of_the_orders_are_of_the_orders(text: str) -> None:
    found = understood(text)
    (state,) = [part for part in found.parts if part.about == "partly_shipped"]
    (condition,) = state.conditions
    assert isinstance(condition, Compare)
    assert (condition.path, condition.value) == (("order", "status"), ("confirmed", "partly_shipped"))
    assert [split.entity for split in found.splits] == ["item"]


def test_a_date_behind_the_years_compared_is_of_all_of_them() -> None:
    found = understood("refused shipments 2025 vs 2026, ship date")
    assert found.splits[0].bucket is Bucket.YEAR
    quarters = understood("shipments in Q1 vs Q2 by delivery date")
    (time,) = [part for part in quarters.parts if part.role == "time"]
    assert (time.about, quarters.order) == ("delivered_on", ())


@pytest.mark.parametrize(
    "text", ["fill rate in Dallas and Reno side by side", "how does the fill rate compare between Dallas and Reno"]
)
def test_places_compared_are_told_apart(text: str) -> None:
    assert [split.entity for split in understood(text).splits] == ["site"]


def test_the_most_stock_is_no_number_of_stock_records() -> None:
    for text in ("items with the most stock in Dallas", "top 5 items by stock", "which site has the lowest stock"):
        assert understood(text).measure == "stock_available"


def test_which_has_the_most_late_orders_counts_late_orders() -> None:
    found = understood("which site has the most late orders")
    assert (found.counted, found.order, found.descending) == (True, (), True)
    assert any(part.about == "late" for part in found.parts)


def test_who_is_best_on_time_of_an_item_is_left_to_the_outline() -> None:
    assert isinstance(reading("which supplier of AX-100 has the best on time rate"), Misread)
    assert understood("which supplier has the best on time rate").measure == "supplier_performance"


def test_an_on_time_rate_is_the_published_one_unless_something_narrows_it() -> None:
    assert understood("on time rate of bolt").measure == "supplier_performance"
    assert understood("on time rate in march").measure == "supplier_on_time"
    assert understood("on time rate by site").measure == "supplier_on_time"
    assert understood("suppliers by on time rate").measure == "supplier_performance"


def test_what_others_are_asked_is_ranked_and_not_what_is_left_out() -> None:
    found = understood("leaving out cancelled orders, which 3 customers ordered the most by value")
    assert [split.entity for split in found.splits] == ["customer"]


def test_figures_of_many_records_are_told_in_no_other_unit() -> None:
    assert isinstance(reading("units sold in march, in pieces"), Misread)


def test_records_named_again_are_the_same_records() -> None:
    found = understood("how many business accounts are among our tier A customers")
    assert (found.entity, found.counted) == ("customer", True)
    assert {part.about for part in found.parts} == {"business", "tier"}
