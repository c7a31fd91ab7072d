"""A model's quarter: its months' parts added up to the cent, and in words what could not be told apart."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.variance.split import Split
from reviews.evidence.domain.comparison import ComparedMonth, Span
from reviews.evidence.domain.month_variance import Load, with_parts
from reviews.quarterly.domain.packet import Variance
from reviews.quarterly.domain.variance import variance_of, without_rate

MONTHS = tuple(date(2026, number, 1) for number in (4, 5, 6))


def make_month(
    month: date,
    *,
    projected: str | None = "100",
    billed: str | None = "160",
    parts: Split | None = None,
    missing_inputs: tuple[str, ...] = (),
) -> ComparedMonth:
    span = None if projected is None else Span(None, Decimal(projected), None)
    usd = None if billed is None else Decimal(billed)
    return ComparedMonth(
        month,
        span,
        None,
        usd,
        Decimal(2),
        is_over=True,
        parts=parts,
        missing_inputs=missing_inputs,
        server_hours=Decimal(2),
    )


TOLD = Split(Decimal(50), Decimal(50), Decimal(-40))


def test_months_add_up_and_what_lacks_is_named_with_its_months() -> None:
    months = [
        make_month(MONTHS[0], parts=TOLD),
        make_month(MONTHS[1], billed="90.006", missing_inputs=("requests", "hours")),
        make_month(MONTHS[2], billed="100", missing_inputs=("requests",)),
    ]
    found = variance_of("a/b", months)
    assert found == Variance(
        model="a/b",
        projected_usd=Decimal(300),
        billed_usd=Decimal("350.01"),
        volume_usd=Decimal(50),
        efficiency_usd=Decimal(50),
        price_usd=Decimal(-40),
        missing_inputs=("requests (May 2026, June 2026)", "hours (May 2026)"),
    )
    assert (found.difference_usd, found.unexplained_usd) == (Decimal("50.01"), Decimal("-9.99"))
    assert found.parts == (("volume", 50), ("efficiency", 50), ("price", -40))


def test_a_month_without_an_exchange_rate_is_named_and_not_added() -> None:
    rate = "an exchange rate for EUR"
    months = [
        make_month(MONTHS[0], billed=None, missing_inputs=(rate,)),
        make_month(MONTHS[1], billed="100"),
        make_month(MONTHS[2], billed=None, missing_inputs=(rate, "an exchange rate for CHF")),
    ]
    assert variance_of("a/b", months) == variance_of("a/b", months[1:2])
    assert without_rate("a/b", months) == (
        f"a/b: {rate} (April 2026, June 2026)",
        "a/b: an exchange rate for CHF (June 2026)",
    )
    assert (variance_of("a/b", months[:1]), without_rate("a/b", months[1:2])) == (None, ())


def test_without_requests_nothing_is_told_apart() -> None:
    found = variance_of("a/b", [make_month(MONTHS[0], missing_inputs=("requests",))])
    assert found is not None
    assert (found.parts, found.unexplained_usd, found.missing_inputs) == ((), Decimal(60), ("requests (April 2026)",))


def test_months_without_a_plan_or_a_bill_do_not_count() -> None:
    assert variance_of("a/b", [make_month(MONTHS[0], projected=None), make_month(MONTHS[1], billed=None)]) is None
    assert variance_of("a/b", []) is None


@given(st.lists(st.tuples(st.decimals(0, 10_000, places=9), st.integers(1, 10**6)), min_size=1, max_size=3))
def test_the_parts_of_all_months_leave_nothing_over(told: list[tuple[Decimal, int]]) -> None:
    months = [make_month(day, billed=str(usd)) for day, (usd, _) in zip(MONTHS, told, strict=False)]
    traffic = {day: requests for day, (_, requests) in zip(MONTHS, told, strict=False)}
    load = Load(Decimal(1000), Decimal(1))
    found = variance_of("a/b", with_parts(months, load=load, traffic=traffic))
    assert found is not None
    assert (found.unexplained_usd, found.missing_inputs) == (0, ())
    assert abs(found.billed_usd - sum(usd for usd, _ in told)) <= Decimal("0.005") * len(told)
