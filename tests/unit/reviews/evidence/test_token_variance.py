"""The plan of tokens in a projection, and the billed rows of a month against it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from reviews.evidence.domain.comparison import ComparedMonth, Span
from reviews.evidence.domain.month_variance import NO_REQUESTS
from reviews.evidence.domain.token_variance import (
    NO_COSTS,
    NO_MODEL,
    NO_PLAN,
    NO_TOKENS,
    compare_tokens,
    token_plan,
)

MONTH = date(2026, 9, 1)
F = Fraction


def line(name, tokens, price, calls=1_200_000.0, **terms):
    quantity = name.removesuffix(" in batches")
    return {"name": name, "terms": {"calls": calls, quantity: tokens, f"{quantity}_usd": price, **terms}}


def document(*lines, requests=1_200_000.0, skus=("openai/gpt-5-mini",)):
    path = "options[1].serving.prices.input_usd"
    prices = [{"path": path, "sku": sku} for sku in skus]
    prices += [{"path": "options[0].serving.prices.input_usd", "sku": "x/y"}, {"path": path}]
    options = [{"id": "own"}, {"id": "api", "parts": {"serving": {"lines": list(lines)}}}]
    return {"load": {"requests_per_year": requests}, "options": options, "prices": prices}


PLAN = document(
    line("input_tokens", 600.0, 0.25, factor=1.0),
    line("cache_read_tokens", 600.0, 0.025),
    line("output_tokens", 250.0, 2.0),
    {"name": "fees", "terms": {"calls": 1_200_000.0}},
)


@dataclass(frozen=True)
class Row:
    direction: str
    cache_action: str
    tokens: Decimal
    effective: Decimal
    model: str = "gpt-5-mini-2025-08-07"
    snapshot: str = "2025-08-07"
    model_requests: Decimal = Decimal(0)
    remainder: Decimal = Decimal(0)

    @property
    def is_matched(self):
        return bool(self.model and self.direction)


def row(direction, action, tokens, usd, **changes):
    return Row(direction, action, Decimal(tokens), Decimal(usd), **changes)


ROWS = (
    row("input", "uncached", 126_000_000, "31.5"),
    row("input", "read", 54_000_000, "1.35"),
    row("output", "uncached", 36_000_000, "64.8"),
)


def month(billed="97.65", requests=120_000, median="66.50"):
    span = None if median is None else Span(None, Decimal(median), None)
    return ComparedMonth(
        MONTH, span, None, None if billed is None else Decimal(billed), None, is_over=True, requests=requests
    )


def test_the_plan_is_a_twelfth_with_tokens_by_request():
    plan = token_plan(PLAN, option="api")
    (use,) = plan.month.uses.values()
    assert (plan.model, plan.month.requests) == ("openai/gpt-5-mini", 100_000)
    assert (use.input_tokens, use.output_tokens, use.read_share, use.write_share) == (1200, 250, F(1, 2), 0)
    assert use.prices == {"uncached": F(1, 4), "read": F(1, 40), "output": 2}


def test_batches_repeats_and_factors_are_in_the_plan():
    half = {"calls": 600_000.0}
    plan = token_plan(
        document(
            line("input_tokens", 100.0, 2.0, **half),
            line("input_tokens in batches", 100.0, 2.0, factor=0.5, **half),
            line("cache_write_1h_tokens", 50.0, 4.0, calls=2_400_000.0),
            line("output_reasoning_tokens", 10.0, 3.0),
            skus=("a/b", "c/d"),
        ),
        option="api",
    )
    (use,) = plan.month.uses.values()
    assert (plan.model, use.input_tokens, use.write_share, use.prices["uncached"]) == ("", 200, F(1, 2), F(3, 2))


@pytest.mark.parametrize(
    ("given", "option"),
    [(PLAN, "own"), (PLAN, "none"), (document(line("input_tokens", 1.0, 1.0), requests=0), "api"), ({}, "api")],
)
def test_without_tokens_or_requests_there_is_no_plan(given, option):
    assert token_plan(given, option=option) is None


def test_the_worked_case():
    found = compare_tokens(month(), ROWS, plan=token_plan(PLAN, option="api"))
    split = found.split
    assert (split.requests, split.tokens, split.cache, split.price, split.other) == tuple(
        map(Decimal, ("14.78", "15.74", "6.70", "-6.07", "0.00"))
    )
    assert (split.total, found.missing_inputs, found.has_estimated_shares) == (Decimal("31.15"), (), False)


def test_fees_in_the_plan_and_unmatched_rows_in_the_bill_are_other_charges():
    unknown = row("", "uncached", 7, "2", model="")
    found = compare_tokens(
        month(billed="99.65", median="67.50"), (*ROWS, unknown), plan=token_plan(PLAN, option="api")
    ).split
    assert (found.other, found.total, found.planned) == (Decimal("1.00"), Decimal("32.15"), Decimal("67.50"))


def test_requests_that_the_bill_states_give_the_shares_of_two_models():
    other = [
        row("input", "", 1_000, "1", model="other/big-1", snapshot="1", model_requests=Decimal(0)),
        row("output", "", 1_000, "9", model="other/big-1", snapshot="1", model_requests=Decimal(30_000)),
    ]
    stated = [*ROWS[:2], row("output", "uncached", 36_000_000, "64.8", model_requests=Decimal(90_000)), *other]
    plan = token_plan(PLAN, option="api")
    found = compare_tokens(month(billed="107.65", requests=None), stated, plan=plan)
    assert (found.split.total, found.has_estimated_shares) == (Decimal("41.15"), False)
    assert found.split.model != 0
    guessed = compare_tokens(month(billed="107.65"), [*ROWS, *other], plan=plan)
    assert (guessed.split.total, guessed.has_estimated_shares) == (Decimal("41.15"), True)


def test_a_plan_without_a_name_is_that_of_the_only_billed_model():
    plan = token_plan(document(*PLAN["options"][1]["parts"]["serving"]["lines"], skus=()), option="api")
    assert compare_tokens(month(), ROWS, plan=plan).split.total == Decimal("31.15")
    two = (*ROWS, row("output", "", 5, "0", model="n"))
    assert compare_tokens(month(), two, plan=plan).missing_inputs == (NO_MODEL,)


@pytest.mark.parametrize(
    ("compared", "rows", "plan", "missing"),
    [
        (month(), ROWS, None, (NO_PLAN,)),
        (month(), (), PLAN, (NO_TOKENS,)),
        (month(), (row("output", "", 5, "0"),), PLAN, (NO_COSTS,)),
        (month(requests=None), ROWS, PLAN, (NO_REQUESTS,)),
        (month(billed=None), ROWS, PLAN, ()),
        (month(median=None), ROWS, PLAN, ()),
    ],
)
def test_what_is_missing_is_named(compared, rows, plan, missing):
    found = compare_tokens(compared, rows, plan=plan and token_plan(plan, option="api"))
    assert (found.split, found.missing_inputs) == (None, missing)


def test_corrections_below_zero_are_named_and_not_split():
    rows = (*ROWS, row("output", "", -90_000_000, "-1"))
    found = compare_tokens(month(), rows, plan=token_plan(PLAN, option="api"))
    assert found.split is None
    assert "must not be below zero" in found.missing_inputs[0]
