"""Generated years: 12 months of 5 models written as a bill, read again and split, against the generator's truth."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from governance.bills.domain.aggregation import aggregate
from governance.bills.domain.file_kind import FileKind
from governance.bills.domain.reading import open_source
from governance.bills.domain.variance.token_split import KINDS, ModelUse, TokenMonth, split_tokens
from reviews.evidence.domain.comparison import ComparedMonth, Span, month_end
from reviews.evidence.domain.token_variance import TokenPlan, compare_tokens
from tests.factories.bills import csv_bytes, row, written

MODELS = [f"model-{number}" for number in range(5)]
MONTHS = [date(2025, number, 1) for number in range(1, 13)]
COLUMNS = {"uncached": ("Input", "Uncached"), "read": ("Input", "Read"), "write": ("Input", "Write")}
COLUMNS |= {"output": ("Output", "Uncached")}


@dataclass(frozen=True)
class Billed:
    model: str
    snapshot: str
    direction: str
    cache_action: str
    tokens: Decimal
    model_requests: Decimal
    effective: Decimal
    remainder: Decimal
    is_matched: bool = True


def generated(dice):
    """Requests, tokens by kind and prices of a month by model, in whole numbers."""
    return {
        model: (
            dice.randint(1_000, 90_000),
            {kind: dice.randint(1, 4_000) * 1_000 for kind in KINDS},
            {kind: Fraction(dice.randint(1, 9_000), 1_000) for kind in KINDS},
        )
        for model in MODELS
    }


def month_of(truth):
    requests = sum(count for count, _, _ in truth.values())
    uses = {}
    for model, (count, tokens, prices) in truth.items():
        asked = sum(tokens[kind] for kind in ("uncached", "read", "write"))
        shares = (Fraction(tokens[kind], asked) for kind in ("read", "write"))
        use = (Fraction(count, requests), Fraction(asked, count), Fraction(tokens["output"], count))
        uses[model] = ModelUse(*use, *shares, prices)
    return TokenMonth(Fraction(requests), uses)


def rows_of(month, truth):
    for model, (count, tokens, prices) in truth.items():
        for kind, (direction, action) in COLUMNS.items():
            cost = Decimal(tokens[kind]) * Decimal(prices[kind].numerator) / prices[kind].denominator / 1_000_000
            named = {"ModelId": model, "TokenDirection": direction, "TokenCacheAction": action}
            yield row(
                BillingPeriodStart=f"{month}T00:00:00Z",
                BillingPeriodEnd=f"{month_end(month)}T00:00:00Z",
                ChargePeriodStart=f"{month}T00:00:00Z",
                ChargePeriodEnd=f"{month}T01:00:00Z",
                EffectiveCost=str(cost),
                SkuPriceDetails=json.dumps(named),
                ConsumedQuantity=str(tokens[kind]),
                ConsumedUnit="Tokens",
                x_ModelRequests=str(count if kind == "output" else 0),
            )


def total(truth):
    return sum(tokens[kind] * prices[kind] / 1_000_000 for _, tokens, prices in truth.values() for kind in KINDS)


@pytest.mark.parametrize(
    "seeds", [range(1), pytest.param(range(1, 200), marks=pytest.mark.nightly)], ids=["few", "all"]
)
def test_what_is_read_from_a_bill_is_attributed_as_the_truth_is(tmp_path, seeds):
    for seed in seeds:
        dice = random.Random(seed)
        plan, bills = generated(dice), {month: generated(dice) for month in MONTHS}
        content = csv_bytes([each for month, truth in bills.items() for each in rows_of(month, truth)])
        lines = aggregate(open_source(written(tmp_path, content), kind=FileKind.CSV)).lines
        by_month = defaultdict(list)
        names = ("model", "snapshot", "direction", "cache_action", "tokens", "model_requests", "effective", "remainder")
        for line in lines.iter_rows(named=True):
            by_month[line["period"]].append(Billed(**{name: line[name] for name in names}))
        median = Decimal(total(plan).numerator) / total(plan).denominator
        for month, truth in bills.items():
            billed = sum((each.effective for each in by_month[month]), Decimal(0))
            assert Fraction(billed) == total(truth)
            compared = ComparedMonth(month, Span(None, median, None), None, billed, None, is_over=True)
            found = compare_tokens(compared, by_month[month], plan=TokenPlan("model-0", month_of(plan))).split
            expected = split_tokens(month_of(plan), month_of(truth))
            assert found == expected, (seed, month)
            assert found.total * 100 == round((total(truth) - total(plan)) * 100)
