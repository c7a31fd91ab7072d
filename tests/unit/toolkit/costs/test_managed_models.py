"""Managed models: the package's own calculation to the last digit, its dates and conditions, and their retirements."""

import functools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.managed_models import data_day, managed_prices
from weighbridge.costs.prices.price import Meter, PriceUnit, Term, TierRule
from weighbridge.costs.prices.shipped import read_retirements, shipped_book

MILLION = 1_000_000
DAY = date(2026, 10, 20)


@functools.cache
def prices_on(day):
    return {price.key: price for price in managed_prices(day)}


def oracle(provider, model, tokens, *, day=DAY, context=None):
    from genai_prices import Usage, calc_price

    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    usage = Usage(**dict(zip(("input_tokens", "output_tokens", "cache_read_tokens"), tokens, strict=True)))
    found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=moment, price_context=context)
    return found.total_price


def ours(sku, tokens, *, day=DAY, term=Term.ON_DEMAND):
    book = prices_on(day)
    given, answered, cached = tokens
    price = {meter: book.get((sku, term, meter)) for meter in (Meter.INPUT, Meter.OUTPUT, Meter.CACHE_READ)}
    counts = {Meter.INPUT: given - cached, Meter.OUTPUT: answered, Meter.CACHE_READ: cached}

    def usd_at(price):
        """The price of the highest tier that the request exceeds."""
        return next((tier.usd for tier in reversed(price.tiers) if given > tier.above), price.usd)

    return sum((usd_at(price[meter]) * count / MILLION for meter, count in counts.items() if count), Decimal(0))


@given(
    st.sampled_from(("gpt-4o-mini", "gpt-4o", "gpt-4.1", "o3")),
    st.integers(0, 500_000),
    st.integers(0, 20_000),
    st.integers(0, 100),
)
def test_a_call_costs_what_the_package_says(model, given_tokens, answered, cached_percent):
    tokens = (given_tokens, answered, given_tokens * cached_percent // 100)
    assert ours(f"openai/{model}", tokens) == oracle("openai", model, tokens)


@pytest.mark.parametrize("tokens", [(200_000, 1_000, 0), (200_001, 1_000, 0), (300_000, 1_000, 100_000)])
def test_a_tier_holds_for_the_whole_request(tokens):
    book = prices_on(DAY)
    assert book["google/gemini-2.5-pro", Term.ON_DEMAND, Meter.INPUT].tier_rule is TierRule.ALL_UNITS
    assert ours("google/gemini-2.5-pro", tokens) == oracle("google", "gemini-2.5-pro", tokens)


@pytest.mark.parametrize("day", [date(2026, 8, 16), date(2026, 8, 17), DAY])
def test_a_price_that_changed_is_that_of_its_day(day):
    from genai_prices import data_snapshot

    provider = next(each for each in data_snapshot.get_snapshot().providers if each.id == "deepseek")
    model = next(each for each in provider.models if each.id == "deepseek-v4-flash")
    hours = [model.get_prices(datetime(day.year, day.month, day.day, hour, 15, tzinfo=UTC)) for hour in range(24)]
    found = prices_on(day)["deepseek/deepseek-v4-flash", Term.ON_DEMAND, Meter.INPUT]
    assert found.usd == max(prices.input_mtok for prices in hours)  # the dearest hour of the day


def test_batch_costs_half_where_the_vendor_says_so():
    book = prices_on(DAY)
    usual, batch = (book["openai/gpt-4o-mini", term, Meter.INPUT] for term in (Term.ON_DEMAND, Term.BATCH))
    assert (usual.usd, batch.usd) == (Decimal("0.15"), Decimal("0.075"))
    tokens = (1_000, 200, 0)
    expected = oracle("openai", "gpt-4o-mini", tokens, context={"processing": "batch"})
    assert ours("openai/gpt-4o-mini", tokens, term=Term.BATCH) == expected
    earlier = prices_on(date(2026, 10, 13))  # the package knows of batch prices from the day after
    assert ("openai/gpt-4o-mini", Term.BATCH, Meter.INPUT) not in earlier


def test_a_year_of_calls_to_the_cent():
    # 2,000,000,000 calls of 1,000 tokens in and 200 out at 0.15 and 0.60 dollars a million.
    assert 2_000_000_000 * ours("openai/gpt-4o-mini", (1_000, 200, 0)) == Decimal(540_000)


def test_a_fee_by_the_call():
    fee = prices_on(DAY)["perplexity/sonar", Term.ON_DEMAND, Meter.WHOLE]
    assert (fee.unit, fee.usd) == (PriceUnit.REQUEST, Decimal("0.012"))


def test_a_price_is_dated_by_the_day_its_page_was_checked():
    found = prices_on(DAY)["openai/gpt-4o-mini", Term.ON_DEMAND, Meter.INPUT]
    assert found.as_of == date(2026, 10, 14)
    assert found.source.startswith("genai-prices ")
    assert all(price.as_of <= date(2025, 1, 1) for price in prices_on(date(2025, 1, 1)).values())
    assert max(price.as_of for price in prices_on(date(2030, 1, 1)).values()) == data_day()


def test_every_key_is_there_once_and_every_price_of_tokens_is_by_the_million():
    found = managed_prices(DAY)
    assert len({price.key for price in found}) == len(found) > 5_000
    tokens = {Meter.INPUT, Meter.OUTPUT, Meter.CACHE_READ, Meter.CACHE_WRITE, Meter.INPUT_AUDIO}
    assert {price.unit for price in found if price.meter in tokens} == {PriceUnit.MILLION_TOKENS}


def test_of_some_models_the_prices_are_those_of_all():
    wanted = frozenset({"openai/gpt-4o-mini", "groq/whisper-large-v3", "nobody/nothing"})
    of_all = tuple(price for price in managed_prices(DAY) if price.sku in wanted)
    assert managed_prices(DAY, skus=wanted) == of_all
    assert len({price.sku for price in of_all}) == 2
    some, whole = shipped_book(DAY, skus=wanted), shipped_book(DAY)
    kept = tuple(price for price in whole.prices if price in some.prices)
    assert some.prices == kept
    assert (some.as_of, some.discounts, some.retirements) == (whole.as_of, whole.discounts, whole.retirements)
    assert not {price.sku for price in set(whole.prices) - set(some.prices)} & wanted


def test_the_book_knows_when_a_model_is_retired():
    found = shipped_book().find("openai/gpt-4o-mini", meter=Meter.INPUT).retirement
    assert found is not None
    assert (found.on, found.successor) == (date(2027, 1, 14), "gpt-6-luna")
    assert found.source.startswith("litellm 1.110.2")


def test_every_shipped_retirement_is_of_a_model_in_the_book():
    assert set(shipped_book().retirements) <= set(shipped_book().skus)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"sku": "openai/a", "retires_on": "soon"}, "retirements[0].retires_on"),
        ({"retires_on": "2027-01-01"}, "retirements[0].sku"),
    ],
)
def test_retirements_are_refused_with_the_path_of_the_fault(row, field):
    document = {"apiVersion": "weighbridge/v1", "kind": "Retirements", "source": "s", "as_of": "2026-11-01"}
    with pytest.raises(Invalid) as refused:
        read_retirements({**document, "retirements": [row]})
    assert refused.value.field == field


def test_a_model_retires_once():
    row = {"sku": "openai/a", "retires_on": "2027-01-01"}
    document = {"apiVersion": "weighbridge/v1", "kind": "Retirements", "source": "s", "as_of": "2026-11-01"}
    with pytest.raises(Invalid, match="repeats 'openai/a'"):
        read_retirements({**document, "retirements": [row, row]})
