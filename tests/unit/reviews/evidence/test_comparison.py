from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from benchmarking.runs.domain.metrics import Metric
from governance.rulebook.domain.monitoring import BreachKind
from reviews.evidence.domain.comparison import (
    Billed,
    ComparedMonth,
    MonthStatus,
    Span,
    compare,
    month_end,
    monthly_span,
    months_of,
    outlook_of,
    past_months_of,
)
from reviews.evidence.domain.drift import Drift, drifts
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

SEPTEMBER, TODAY = date(2026, 9, 1), date(2026, 11, 20)
SPAN = Span(Decimal(80), Decimal(100), Decimal(150))
CURRENCIES = frozenset({"EUR", "CHF"})


def metric_value(value, lower=None, upper=None):
    bounds = {} if lower is None else {"lower": Decimal(lower), "upper": Decimal(upper), "confidence": Decimal("0.8")}
    return MetricValue(
        name="total_cost_1y_usd",
        value=Decimal(value),
        unit="USD",
        basis=Basis.ESTIMATED,
        source="s",
        n=None,
        observed_at=datetime(2026, 9, 1, tzinfo=UTC),
        **bounds,
    )


def test_a_month_is_a_twelfth_in_cents():
    assert monthly_span(metric_value(1200, 1000, 1801)) == Span(Decimal("83.33"), Decimal("100.00"), Decimal("150.08"))
    assert monthly_span(metric_value(1200)) == Span(None, Decimal("100.00"), None)
    assert monthly_span(None) is None


@pytest.mark.parametrize(
    ("issued", "today", "months"),
    [
        (date(2026, 9, 1), TODAY, ["2026-09-01", "2026-10-01", "2026-11-01"]),
        (date(2026, 9, 2), TODAY, ["2026-10-01", "2026-11-01"]),
        (date(2026, 12, 15), date(2027, 1, 1), ["2027-01-01"]),
        (date(2026, 11, 15), TODAY, []),
    ],
)
def test_whole_months_since_the_issue(issued, today, months):
    assert [month.isoformat() for month in months_of(issued, today=today)] == months


def test_a_year_has_twelve_months():
    assert len(months_of(date(2024, 1, 1), today=TODAY)) == 12
    assert month_end(date(2026, 12, 1)) == date(2027, 1, 1)


def month(billed, projected=SPAN, is_over=True):
    usd = None if billed is None else Decimal(billed)
    return ComparedMonth(SEPTEMBER, projected, None, usd, None, is_over)


@pytest.mark.parametrize(
    ("billed", "projected", "is_over", "status"),
    [
        (None, SPAN, True, "unbilled"),
        (None, SPAN, False, "not_over"),
        (50, None, True, "unplanned"),
        (100, SPAN, True, "within"),
        ("100.01", SPAN, True, "above"),
        (150, SPAN, True, "above"),
        ("150.01", SPAN, True, "breach"),
        ("150.01", SPAN, False, "breach"),
        (10, SPAN, False, "not_over"),
        (112, Span(None, Decimal(100), None), True, "above"),
        ("112.01", Span(None, Decimal(100), None), True, "breach"),
        (112, Span(Decimal(99), Decimal(100), Decimal(101)), True, "above"),
    ],
)
def test_where_a_month_stands(billed, projected, is_over, status):
    assert month(billed, projected, is_over).status is MonthStatus(status)


@pytest.mark.parametrize("today", [TODAY, SEPTEMBER])
def test_a_month_without_an_exchange_rate_is_not_compared(today):
    """Neither its converted part nor zero counts as its bill, and the record of the projection does not get it."""
    of_dollars, of_others = Billed(Decimal(100), Decimal(4)), Billed(Decimal(0), Decimal(0), currencies=CURRENCIES)
    for bill in (of_others, of_dollars + of_others, of_others + of_dollars):
        (found,) = compare((SEPTEMBER,), projected=SPAN, measured=None, billed={SEPTEMBER: bill}, today=today)
        assert (found.billed, found.difference, found.status) == (None, None, "no_rate")
        assert found.missing_inputs == ("an exchange rate for CHF", "an exchange rate for EUR")
        assert past_months_of([found]) == ()
        assert outlook_of([found]) == outlook_of([month(None)])


def test_months_side_by_side():
    found = compare(
        (SEPTEMBER, date(2026, 11, 1)),
        projected=SPAN,
        measured=None,
        billed={SEPTEMBER: Billed(Decimal(100), Decimal(4), Decimal(30)) + Billed(Decimal(20), Decimal(0))},
        today=TODAY,
    )
    assert [(each.billed, each.gpu_hours, each.server_hours, each.difference, each.is_over) for each in found] == [
        (Decimal(120), Decimal(4), Decimal(30), Decimal(20), True),
        (None, None, None, None, False),
    ]


def test_the_year_goes_on_from_months_billed_without_a_gap():
    found = outlook_of([month(150), month(150), month(150), month(None), month(900)])
    assert (found.expected, found.bias) == (Decimal(1620), Decimal("1.3"))
    assert outlook_of([month(None)]).expected == 1200
    assert outlook_of([month(100)]).expected == 1200
    assert outlook_of([]) is None
    assert outlook_of([month(5, None)]) is None
    assert outlook_of([month(5, Span(None, Decimal(0), None))]) is None


def test_only_finished_months_with_a_range_tell_how_good_it_was():
    cases = past_months_of(
        [month(120), month(None), month(120, is_over=False), month(120, None), month(1, Span(None, Decimal(1), None))]
    )
    assert [(case.median, case.p90, case.billed) for case in cases] == [(100, 150, 120)]


def reading(name, value, lower=None, upper=None):
    low, high = (None if bound is None else Decimal(bound) for bound in (lower, upper))
    return Metric(name, Decimal(value), "", low, high, None, None)


@pytest.mark.parametrize(
    ("then", "now", "is_drift"),
    [
        (("latency_p95_ms", 10, 9, 11), ("latency_p95_ms", 12, "11.5", 13), True),
        (("latency_p95_ms", 10, 9, 11), ("latency_p95_ms", 12, "10.5", 13), False),  # the intervals meet
        (("latency_p95_ms", 10), ("latency_p95_ms", "10.9"), False),  # not by a tenth
        (("latency_p95_ms", 10), ("latency_p95_ms", 8), False),
        (("accuracy", "0.9", "0.88", "0.92"), ("accuracy", "0.7", "0.68", "0.72"), True),
        (("accuracy", "0.9", "0.88", "0.92"), ("accuracy", "0.8", "0.7", "0.89"), False),
        (("accuracy", "0.9"), ("accuracy", "0.85"), False),
        (("model_size_mb", 10), ("model_size_mb", 90), False),  # nobody watches it
        (("accuracy", "0.9"), ("f1_macro", "0.1"), False),  # nothing was approved of it
        (("mae", 10, 9, 11), ("mae", 13, 12, 14), True),
        (("ndcg@10", "0.5", "0.48", "0.52"), ("ndcg@10", "0.4", "0.38", "0.42"), True),
        (("r2", "-0.5", "-0.52", "-0.48"), ("r2", "-0.53", "-0.54", "-0.525"), False),  # not by a tenth
        (("r2", "-0.5", "-0.52", "-0.48"), ("r2", "-0.6", "-0.62", "-0.58"), True),
        (("own_metric", 1, 1, 1), ("own_metric", 9, 9, 9), False),  # the catalog does not know it
    ],
)
def test_what_counts_as_drift(then, now, is_drift):
    found = drifts({then[0]: reading(*then)}, [reading(*now)], catalog=STANDARD)
    breach = BreachKind.LATENCY if now[0].startswith("latency") else BreachKind.QUALITY
    assert found == ((Drift(now[0], Decimal(then[1]), Decimal(now[1]), breach),) if is_drift else ())
