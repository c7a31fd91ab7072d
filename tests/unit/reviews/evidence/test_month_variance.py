"""The parts of a month's difference, and the inputs that are missing for them; requests by month as a file."""

from datetime import date
from decimal import Decimal

import pytest

from reviews.evidence.domain import month_variance
from reviews.evidence.domain.comparison import ComparedMonth, Span
from reviews.evidence.domain.month_variance import Load, load_of, with_parts
from reviews.evidence.domain.traffic_file import MonthTraffic, month_of, read_traffic
from weighbridge.core.errors import Invalid

MONTH = date(2026, 9, 1)
PLANNED = Span(None, Decimal(100), None)
LOAD = Load(Decimal(1000), Decimal(10))


def month(usd="180", hours="15", projected=PLANNED):
    told = (None if value is None else Decimal(value) for value in (usd, hours))
    billed, served = told
    return ComparedMonth(MONTH, projected, None, billed, Decimal(999), is_over=True, server_hours=served)


def document(**serving):
    return {"load": {"requests_per_year": 12_000.0}, "options": [{"id": "own", "parts": {"serving": serving}}]}


def test_the_load_is_a_twelfth_of_the_year():
    assert load_of(document(quantities={"replica_hours": 120.0}), option="own") == LOAD
    assert load_of(document(), option="own") == Load(Decimal(1000))
    assert load_of({}, option="own") == Load()


def test_the_parts_add_up_to_the_difference():
    """1,200 requests for 1,000, 15 hours for 10, 12 dollars an hour for 10: 20, 30 and 30."""
    (found,) = with_parts([month()], load=LOAD, traffic={MONTH: 1200})
    assert (found.requests, found.missing_inputs) == (1200, ())
    assert (found.parts.volume, found.parts.efficiency, found.parts.price) == (20, 30, 30)
    assert found.parts.total == found.difference == 80


@pytest.mark.parametrize(
    ("load", "traffic", "hours", "missing_inputs"),
    [
        (Load(), {}, "0", (month_variance.NO_PROJECTION, month_variance.NO_REQUESTS, month_variance.NO_HOURS)),
        (Load(Decimal(1)), {MONTH: 5}, "1", (month_variance.NO_REPLICAS,)),
        (LOAD, {}, "1", (month_variance.NO_REQUESTS,)),
        (LOAD, {MONTH: 0}, "1", (month_variance.NO_REQUESTS,)),
        (LOAD, {MONTH: 5}, "0", (month_variance.NO_HOURS,)),
    ],
)
def test_the_missing_inputs_are_named_and_the_difference_stays(load, traffic, hours, missing_inputs):
    (found,) = with_parts([month(hours=hours)], load=load, traffic=traffic)
    assert (found.parts, found.missing_inputs, found.difference) == (None, missing_inputs, 80)


def test_without_a_bill_or_a_plan_nothing_is_lacking():
    found = with_parts([month(usd=None), month(projected=None)], load=LOAD, traffic={})
    assert [(each.parts, each.missing_inputs) for each in found] == [(None, ())] * 2


def test_a_file_of_requests():
    assert read_traffic(b"\xef\xbb\xbfMonth,Requests,source\n2026-09,12,gateway\n") == (
        MonthTraffic(MONTH, 12, "gateway", 2),
    )
    assert read_traffic(b"requests,month\n7,2026-09\n") == (MonthTraffic(MONTH, 7, "", 2),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"", "header must be month, requests"),
        (b"month,requests,cost\n", "header must be"),
        (b"month,requests,requests\n", "header must be"),
        (b"month,requests\n", "1 to 120 rows"),
        (b"month,requests\n2026-09\n", "Row 2 has more or fewer"),
        (b"month,requests\n2026-09,1,2\n", "Row 2 has more or fewer"),
        (b"month,requests\n2026-13,1\n", "Row 2: '2026-13' is not a month"),
        (b"month,requests\n2026-09,-1\n", "Row 2: '-1' is not a number"),
        (b"month,requests\n2026-09,1" + b"0" * 15 + b"\n", "Row 2"),
        (b'month,requests\n"2026-09,1\n', "not a CSV file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content, words):
    with pytest.raises(Invalid, match=words) as caught:
        read_traffic(content)
    assert caught.value.field == "file"


def test_a_month_is_written_with_its_year():
    with pytest.raises(Invalid, match="write it like 2026-09"):
        month_of("September")
