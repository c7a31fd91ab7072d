"""The cost of one request: every model of the package genai-prices to the last digit, and what is refused."""

import functools
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import weighbridge
from tests.unit.toolkit.costs.test_every_model import moments, totals
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.managed_models import CONTEXTS
from weighbridge.costs.prices.price import Meter, Price, PriceKind, PriceUnit, Term
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.value.request_cost import TIERS, counts_apart, request_cost

DAY = date(2026, 11, 1)
CLAUDE, MINI = "anthropic/claude-sonnet-4-5", "openai/gpt-5-mini"
TOKENS = [each for each in COMPONENTS if each.unit is PriceUnit.MILLION_TOKENS and each.general]
# Input tokens beside the tiers of the package.
EDGES = (0, 1, 32_000, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 524_289)


def usd(sku, usage, tier="standard"):
    return request_cost(shipped_book(DAY), sku, usage, tier=tier).total_usd


@pytest.mark.parametrize(
    ("sku", "tier", "usage", "expected"),
    [
        (CLAUDE, "standard", (10_000, 6_000, 2_000, 0, 500), "0.0228"),
        (CLAUDE, "standard", (10_000, 6_000, 0, 2_000, 500), "0.0273"),
        (CLAUDE, "standard", (200_000, 0, 0, 0, 1_000), "0.615"),
        (CLAUDE, "standard", (200_001, 0, 0, 0, 1_000), "1.222506"),
        (CLAUDE, "batch", (10_000, 0, 0, 0, 500), "0.01875"),
        (MINI, "standard", (1_200, 800, 0, 0, 250), "0.00062"),
        (MINI, "batch", (1_200, 800, 0, 0, 250), "0.00031"),
        (MINI, "flex", (1_200, 800, 0, 0, 250), "0.00031"),
        (MINI, "priority", (1_200, 800, 0, 0, 250), "0.001116"),
        (MINI, "standard", (600, 0, 0, 0, 200), "0.00055"),
    ],
)
def test_the_worked_requests_to_the_last_digit(sku, tier, usage, expected):
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
    assert usd(sku, dict(zip(names, usage, strict=True)), tier) == Decimal(expected)


def test_searches_are_paid_beside_the_tokens():
    found = request_cost(shipped_book(DAY), CLAUDE, {"input_tokens": 1_000, "output_tokens": 500, "web_searches": 3})
    assert found.total_usd == Decimal("0.0405")
    assert [(line.charge.component.quantity, line.charge.usd) for line in found.lines] == [
        ("input_tokens", Decimal("0.003")),
        ("output_tokens", Decimal("0.0075")),
        ("web_searches", Decimal("0.03")),
    ]


@functools.cache
def models():
    from genai_prices import data_snapshot

    return [(provider, model) for provider in data_snapshot.get_snapshot().providers for model in provider.models]


def theirs(provider, model, usage, term):
    """The highest price of the day; the package counts tokens as the usage does: the whole includes its parts."""
    reported = totals(counts_apart(usage))
    assert all(getattr(reported, name) == usage.get(name, 0) for name in ("input_tokens", "output_tokens"))
    return max(
        model.calc_price(
            reported, provider, genai_request_timestamp=moment, price_context=CONTEXTS.get(term)
        ).total_price
        for moment in moments(model, datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC))
    )


def offered(sku, tier):
    """The meters that a model has at a tier."""
    return {each.meter for each in COMPONENTS if shipped_book(DAY).opinions(sku, term=TIERS[tier], meter=each.meter)}


def usage_within(meters, amounts):
    """A usage that the meters cover: `amounts` of each special kind, inside the whole input and output."""
    found = {}
    for component, amount in zip(COMPONENTS, amounts, strict=True):
        covered = {component.meter, *component.general} & meters
        if covered and component.meter not in (Meter.INPUT, Meter.OUTPUT, Meter.WHOLE, Meter.AUDIO_TIME):
            found[component.quantity] = int(amount)
    for whole, meter, own in (("input_tokens", Meter.INPUT, amounts[0]), ("output_tokens", Meter.OUTPUT, amounts[1])):
        inside = sum(found.get(each.quantity, 0) for each in TOKENS if meter in each.general)
        if meter in meters or inside:
            found[whole] = inside + (int(own) if meter in meters else 0)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_random_requests_to_every_model_cost_what_the_package_says(tier):
    rng = np.random.default_rng(len(tier))
    compared = 0
    for provider, model in models():
        meters = offered(f"{provider.id}/{model.id}", tier)
        if meters:
            amounts = [*rng.choice(EDGES, 2), *rng.integers(0, 5_000, len(COMPONENTS) - 2)]
            usage = usage_within(meters, [each if rng.random() < 0.5 else 0 for each in amounts])
            assert usd(f"{provider.id}/{model.id}", usage, tier) == theirs(provider, model, usage, TIERS[tier])
            compared += 1
    assert compared > {"standard": 2_100, "batch": 100}.get(tier, 20)


@functools.cache
def priced_models():
    return [(provider, model) for provider, model in models() if offered(f"{provider.id}/{model.id}", "standard")]


@pytest.mark.slow
@given(st.data())
def test_any_request_to_any_model_costs_what_the_package_says(data):
    provider, model = data.draw(st.sampled_from(priced_models()))
    sku = f"{provider.id}/{model.id}"
    tier = data.draw(st.sampled_from([each for each in TIERS if offered(sku, each)]))
    amounts = [data.draw(st.one_of(st.integers(0, 10**6), st.sampled_from(EDGES))) for _ in COMPONENTS]
    usage = usage_within(offered(sku, tier), amounts)
    found = request_cost(shipped_book(DAY), sku, usage, tier=tier)
    assert found.total_usd == theirs(provider, model, usage, TIERS[tier])
    assert sum((Decimal(line["usd"]) for line in found.as_document()["lines"]), Decimal(0)) == found.total_usd


def test_a_kind_without_a_price_is_charged_as_the_more_general_one_and_says_so():
    found = weighbridge.price_request(MINI, {"output_tokens": 250, "output_reasoning_tokens": 100}, on=DAY)
    assert [(line["component"], line["count"], line["charged_as"]) for line in found["lines"]] == [
        ("output_tokens", 150, "output"),
        ("output_reasoning_tokens", 100, "output"),
    ]
    assert found["total_usd"] == "0.0005"
    assert found.rows[1]["usd"] == Decimal("0.0002")


def test_the_document_has_formula_price_source_and_day():
    found = request_cost(shipped_book(DAY), CLAUDE, {"input_tokens": 200_001}).as_document()
    assert {key: found[key] for key in ("schema", "sku", "tier", "as_of", "usage", "total_usd")} == {
        "schema": "weighbridge.request-cost/1",
        "sku": CLAUDE,
        "tier": "standard",
        "as_of": "2026-11-01",
        "usage": {"input_tokens": 200_001},
        "total_usd": "1.200006",
    }
    (line,) = found["lines"]
    assert (line["formula"], line["unit"]) == ("200001 x 6 / 1,000,000", "million_tokens")
    assert line["price"]["source"] == "genai-prices 0.2.3"
    assert found["left_out"] == [
        *("output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "web_searches"),
    ]


@pytest.mark.parametrize(
    ("sku", "tier", "usage", "field", "words"),
    [
        ("openai/gpt5-mini", "standard", {}, "sku", "Nearest: openai/gpt-5-mini"),
        (MINI, "Flex", {}, "tier", "There is no tier 'Flex'; write one of standard, batch, flex, priority, fast"),
        (MINI, "nonsense", {}, "tier", "There is no tier 'nonsense'"),
        (CLAUDE, "flex", {}, "term", "has no price for the term flex; it has batch, on_demand"),
        ("aws/us-east-1/g5.xlarge", "standard", {}, "sku", "is no managed model"),
        (MINI, "standard", {"cache_read_tokens": 2, "input_tokens": 1}, "input_tokens", "is more than the 1 input_tok"),
        (
            MINI,
            "standard",
            {"cache_read_tokens": 3, "cache_write_tokens": 4, "input_tokens": 6},
            "input_tokens",
            "cache_read_tokens 3 \\+ cache_write_tokens 4 is more than the 6",
        ),
        (MINI, "standard", {"output_reasoning_tokens": 1}, "output_tokens", "more than the 0 output_tokens"),
        (MINI, "standard", {"tokens": 1}, "tokens", "is no quantity of a request; these are input_tokens"),
        (MINI, "standard", {"requests": 1}, "requests", "is no quantity"),
        (MINI, "standard", {"input_tokens": -1}, "input_tokens", "zero or more"),
        (MINI, "standard", {"input_tokens": 1.5}, "input_tokens", "whole number"),
        (MINI, "standard", {"input_tokens": True}, "input_tokens", "whole number"),
        (MINI, "standard", {"input_tokens": 10**12 + 1}, "input_tokens", "whole number"),
        (MINI, "standard", {"input_characters": 5}, "input_characters", "no price that covers input_characters"),
    ],
)
def test_what_cannot_be_priced_is_refused(sku, tier, usage, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        request_cost(shipped_book(DAY), sku, usage, tier=tier)
    assert refused.value.field == field


def test_the_whole_includes_its_parts():
    usage = {"input_tokens": 10, "cache_read_tokens": 4, "input_audio_tokens": 3, "output_tokens": 7}
    found = counts_apart(usage)
    assert {name: count for name, count in found.items() if count} == {
        "input_tokens": 3,
        "cache_read_tokens": 4,
        "input_audio_tokens": 3,
        "output_tokens": 7,
    }


def test_a_fee_is_charged_once_where_the_vendor_has_one():
    fee = Price(
        sku="acme/fee",
        provider="acme",
        usd=Decimal("0.005"),
        unit=PriceUnit.REQUEST,
        kind=PriceKind.MODEL,
        meter=Meter.WHOLE,
        term=Term.ON_DEMAND,
        as_of=DAY,
        source="a page",
    )
    found = request_cost(PriceBook((fee,), DAY), "acme/fee", {})
    assert (found.total_usd, found.left_out) == (Decimal("0.005"), ())
    assert found.lines[0].formula == "1 x 0.005"
