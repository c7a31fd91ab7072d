"""The split of a difference of language models: the worked case, an own enumeration of orders, and generated years."""

import random
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.bills.domain.variance.shapley import in_order, shapley, whole_cents
from governance.bills.domain.variance.token_split import (
    GROUPS,
    MODELS_MAX,
    ModelUse,
    TokenMonth,
    completed,
    exact_parts,
    split_tokens,
    token_cost,
)
from weighbridge.core.errors import Invalid

F = Fraction


def use(share=1, i=1200, o=250, c="0.5", w=0, prices=("0.25", "0.025", "0.3", "2")):
    named = dict(
        zip(("uncached", "read", "write", "output"), (None if p is None else F(p) for p in prices), strict=True)
    )
    return ModelUse(F(share), F(i), F(o), F(c), F(w), named)


PLAN = TokenMonth(F(100_000), {"m": use()})
ACTUAL = TokenMonth(F(120_000), {"m": use(i=1500, o=300, c="0.3", prices=("0.25", "0.025", "0.3", "1.8"))})


def test_the_worked_case_to_the_cent():
    """66.50 planned, 97.65 billed; in the one order, the parts are others and add up to the same."""
    found = split_tokens(PLAN, ACTUAL)
    assert (found.planned, found.billed, found.total) == (Decimal("66.50"), Decimal("97.65"), Decimal("31.15"))
    assert (found.requests, found.tokens, found.cache, found.price) == tuple(
        map(Decimal, ("14.78", "15.74", "6.70", "-6.07"))
    )
    assert (found.model, found.rounding_or_discount, found.other) == (0, 0, 0)
    parts, _ = exact_parts(PLAN, ACTUAL)
    assert [round(float(parts[name]), 6) for name in GROUPS[1:]] == [14.775833, 15.735833, 6.705, -6.066667]
    one_order = [found.in_order[name] for name in GROUPS]
    assert one_order == [Decimal(text) for text in ("0.00", "13.30", "16.95", "8.10", "-7.20")]
    assert (found.method, found.order) == (
        "Shapley value over all orders",
        "model, requests, tokens, cache, price",
    )


def by_all_orders(groups, cost):
    """The mean over all n! orders, one by one."""
    parts = dict.fromkeys(groups, F(0))
    orders = list(permutations(groups))
    for order in orders:
        for name, added in in_order(order, cost).items():
            parts[name] += added / len(orders)
    return parts


@settings(max_examples=25)
@given(st.permutations("abcd"), st.lists(st.fractions(-9, 9), min_size=16, max_size=16))
def test_shapley_is_the_mean_over_all_orders_whatever_the_order_of_the_groups(groups, values):
    def cost(subset):
        return values[sum(1 << "abcd".index(name) for name in subset)]

    parts = shapley(groups, cost)
    assert parts == by_all_orders(sorted(groups), cost)
    assert sum(parts.values()) == cost(frozenset("abcd")) - cost(frozenset())


@given(st.dictionaries(st.text("abc", max_size=4), st.fractions(-1000, 1000), max_size=6))
def test_rounded_parts_add_up_and_are_less_than_a_cent_off(parts):
    found = whole_cents(parts)
    assert sum(found.values()) * 100 == round(sum(parts.values(), F(0)) * 100)
    assert all(abs(F(found[name]) - parts[name]) < F(1, 100) for name in parts)


def test_of_equal_remainders_the_earlier_part_gets_the_cent():
    assert whole_cents({"a": F(1, 200), "b": F(1, 200), "c": F(-1, 100)}) == {
        "a": Decimal("0.01"),
        "b": Decimal("0.00"),
        "c": Decimal("-0.01"),
    }
    assert whole_cents({}) == {}


def test_another_model_at_another_price_is_a_matter_of_the_model():
    """All requests go to a model at twice the prices, with the same tokens: 66.50 more, and nothing else changed."""
    dear = TokenMonth(F(100_000), {"n": use(prices=("0.5", "0.05", "0.6", "4"))})
    found = split_tokens(PLAN, dear)
    assert (found.model, found.total) == (Decimal("66.50"), Decimal("66.50"))
    assert (found.requests, found.tokens, found.cache, found.price) == (0, 0, 0, 0)


def test_half_of_the_requests_go_to_a_cheaper_model():
    mixed = TokenMonth(F(100_000), {"m": use("0.5"), "n": use("0.5", prices=("0.125", "0.0125", None, "1"))})
    found = split_tokens(PLAN, mixed)
    assert (found.model, found.total, found.price) == (Decimal("-16.62"), Decimal("-16.62"), 0)


def test_no_requests_at_all_are_a_matter_of_requests_and_a_model_without_use_keeps_its_plan():
    found = split_tokens(PLAN, TokenMonth(F(0), {}))
    assert (found.requests, found.total, found.model) == (Decimal("-66.50"), Decimal("-66.50"), 0)
    before, after = completed(PLAN, TokenMonth(F(5), {"n": use(c=0)}))
    assert (before.uses["n"].share, after.uses["m"].share, before.uses["n"].read_share) == (0, 0, F(1, 2))
    assert before.uses["n"].prices == after.uses["n"].prices
    assert completed(TokenMonth(F(1), {"m": use(i=0, c=0)}), ACTUAL)[0].uses["m"].read_share == 0
    assert completed(TokenMonth(F(1), {"m": use(share=0)}), ACTUAL)[1].requests == 120_000


def test_what_the_formula_does_not_hold_is_named_apart():
    billed = TokenMonth(F(100_000), PLAN.uses, remainder=F("-1.005"), other=F(3))
    planned = TokenMonth(F(100_000), PLAN.uses, other=F(1))
    found = split_tokens(planned, billed)
    assert (found.rounding_or_discount, found.other) == (Decimal("-1.00"), Decimal("2.00"))
    assert (found.planned, found.billed, found.total) == (Decimal("67.50"), Decimal("68.50"), Decimal("1.00"))


@pytest.mark.parametrize(
    ("planned", "billed", "field"),
    [
        (TokenMonth(F(0), {"m": use()}), ACTUAL, "planned"),
        (TokenMonth(F(1), {}), ACTUAL, "planned"),
        (TokenMonth(F(1), {"m": use(share="0.5")}), ACTUAL, "planned"),
        (PLAN, TokenMonth(F(-1), {"m": use()}), "billed"),
        (PLAN, TokenMonth(F(1), {"m": use(o=-1)}), "billed.m"),
        (PLAN, TokenMonth(F(1), {"m": use(c="0.7", w="0.4")}), "billed.m"),
        (PLAN, TokenMonth(F(1), {str(n): use(F(1, MODELS_MAX)) for n in range(MODELS_MAX)}), "billed"),
    ],
)
def test_what_cannot_be_split_is_refused(planned, billed, field):
    with pytest.raises(Invalid) as caught:
        split_tokens(planned, billed)
    assert caught.value.field == field


def generated_month(dice, models):
    """A month of five models with whole tokens, so that the truth is known as a fraction."""
    requests = dice.randint(1_000, 900_000)
    cuts = sorted(dice.sample(range(1, requests), len(models) - 1))
    counts = [high - low for low, high in zip([0, *cuts], [*cuts, requests], strict=True)]
    uses = {}
    for model, count in zip(models, counts, strict=True):
        asked, read, written = dice.randint(500, 4000), dice.randint(0, 250), dice.randint(0, 250)
        prices = [F(dice.randint(1, 9000), 1000) for _ in range(4)]
        uses[model] = use(F(count, requests), asked, dice.randint(20, 900), F(read, asked), F(written, asked), prices)
    return TokenMonth(F(requests), uses)


def changed_alone(month, group, other):
    """The month with one group as in another one."""
    if group == "requests":
        return TokenMonth(other.requests, month.uses)
    take = {
        "model": ("share",),
        "tokens": ("input_tokens", "output_tokens"),
        "cache": ("read_share", "write_share"),
        "price": ("prices",),
    }[group]
    uses = {}
    for name, one in month.uses.items():
        values = dict(vars(one)) | {field: getattr(other.uses[name], field) for field in take}
        uses[name] = ModelUse(**values)
    return TokenMonth(month.requests, uses)


@pytest.mark.parametrize(
    "seeds", [range(2), pytest.param(range(2, 200), marks=pytest.mark.nightly)], ids=["few", "all"]
)
def test_years_with_a_known_truth(seeds):
    """200 seeds, 12 months, 5 models: totals are exact, and a change of one group alone is attributed to it in full."""
    models = [f"model-{number}" for number in range(5)]
    for seed in seeds:
        dice = random.Random(seed)
        for month in range(12):
            plan, bill = generated_month(dice, models), generated_month(dice, models)
            parts, ordered = exact_parts(plan, bill)
            truth = token_cost(bill) - token_cost(plan)
            assert sum(parts.values()) == sum(ordered.values()) == truth
            assert sum(whole_cents(parts).values()) * 100 == round(truth * 100)
            group = GROUPS[(seed + month) % len(GROUPS)]
            alone = changed_alone(plan, group, bill)
            parts, ordered = exact_parts(plan, alone)
            moved = token_cost(alone) - token_cost(plan)
            assert parts == ordered == {name: moved if name == group else 0 for name in GROUPS}
