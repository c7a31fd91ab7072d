from datetime import date
from decimal import Decimal

import pytest

from governance.bills.domain.currencies import Amount, CurrencyRate, check_rate, convert, rate_for
from weighbridge.core.errors import Invalid

SEPTEMBER = date(2026, 9, 30)


def rate(usd="1.10", on=SEPTEMBER, currency="EUR", source="ECB"):
    return CurrencyRate(currency, on, Decimal(usd), source)


def test_the_latest_rate_of_the_time_counts():
    rates = [
        rate("1.10", date(2026, 9, 1)),
        rate("1.20", date(2026, 9, 29)),
        rate("1.30", date(2026, 10, 1)),
        rate("9", currency="GBP"),
    ]
    assert rate_for(rates, currency="EUR", on=SEPTEMBER) == rates[1]
    assert rate_for([*rates, rate("1.25", date(2026, 9, 29))], currency="EUR", on=SEPTEMBER).usd == Decimal("1.25")


def test_an_old_rate_is_none():
    assert rate_for([rate(on=date(2026, 8, 26))], currency="EUR", on=SEPTEMBER) is not None
    assert rate_for([rate(on=date(2026, 8, 25))], currency="EUR", on=SEPTEMBER) is None


def test_what_has_no_rate_stays_apart():
    amounts = [
        Amount(currency, SEPTEMBER, Decimal(value))
        for currency, value in [("USD", 5), ("EUR", 10), ("JPY", 7), ("JPY", 1)]
    ]
    found = convert(amounts, [rate()])
    assert (found.usd, found.apart, found.rates) == (Decimal("16.00"), {"JPY": Decimal(8)}, (rate(),))


@pytest.mark.parametrize(
    ("faulty", "field"),
    [
        (rate(currency="eur"), "currency"),
        (rate(currency="EURO"), "currency"),
        (rate(currency="USD"), "currency"),
        (rate("0"), "usd"),
        (rate("-1"), "usd"),
        (rate("NaN"), "usd"),
        (rate("1000000"), "usd"),
        (rate(source=" "), "source"),
    ],
)
def test_a_faulty_rate_is_refused(faulty, field):
    with pytest.raises(Invalid) as caught:
        check_rate(faulty)
    assert caught.value.field == field


def test_a_good_rate_passes():
    assert check_rate(rate()) is None
