"""Compare the planned and the billed tokens of a month: by model and kind, and split by cause."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from governance.bills.domain.quantities.token_kinds import bare_name, is_same_model
from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.domain.variance.token_split import (
    MILLION,
    ModelUse,
    TokenMonth,
    TokenSplit,
    split_tokens,
    token_cost,
)
from reviews.evidence.domain.comparison import MONTHS, ComparedMonth
from reviews.evidence.domain.month_variance import NO_REQUESTS
from weighbridge.core.errors import Invalid

NO_PLAN = "a projection of a managed model with its tokens per request"
NO_TOKENS = "tokens with a known model and direction in the bill"
NO_COSTS = "costs of tokens in the bill"
NO_MODEL = "the name of the model in the prices of the projection"
IN_BATCHES = " in batches"
PLANNED_KINDS = {
    "input_tokens": "uncached",
    "cache_read_tokens": "read",
    "cache_write_tokens": "write",
    "cache_write_1h_tokens": "write",
    "output_tokens": "output",
    "output_reasoning_tokens": "output",
}


@dataclass(frozen=True)
class TokenPlan:
    """The plan of a month: the model's name in the prices, empty if they name none, and its tokens."""

    model: str
    month: TokenMonth


@dataclass(frozen=True)
class TokenMonthComparison:
    """A month with its split, or with the inputs missing for it.

    `has_estimated_shares` says that the bill does not state the requests of each model: they are then taken in
    proportion to its tokens.
    """

    month: date
    split: TokenSplit | None = None
    missing_inputs: tuple[str, ...] = ()
    has_estimated_shares: bool = False


def token_plan(document: Mapping[str, Any], *, option: str) -> TokenPlan | None:
    """One twelfth of the yearly requests of a projection, and its tokens by request; None without any tokens.

    A request has the tokens of its repeated calls, too. Amounts are those at the medians of all inputs.
    """
    options = list(document.get("options", ()))
    place, chosen = next(((n, row) for n, row in enumerate(options) if row["id"] == option), (0, dict[str, Any]()))
    requests = _fraction(document.get("load", {}).get("requests_per_year") or 0)
    tokens: dict[str, Fraction] = defaultdict(Fraction)
    usd: dict[str, Fraction] = defaultdict(Fraction)
    for line in chosen.get("parts", {}).get("serving", {}).get("lines", ()):
        quantity = line["name"].removesuffix(IN_BATCHES)
        terms = line.get("terms", {})
        if quantity not in PLANNED_KINDS or quantity not in terms:
            continue
        price = next((_fraction(value) for name, value in terms.items() if name.endswith("_usd")), Fraction(0))
        count = _fraction(terms["calls"]) * _fraction(terms[quantity])
        tokens[PLANNED_KINDS[quantity]] += count
        usd[PLANNED_KINDS[quantity]] += count * price * _fraction(terms.get("factor", 1))
    if requests <= 0 or not any(tokens.values()):
        return None
    path = f"options[{place}].serving."
    skus = {price["sku"] for price in document.get("prices", ()) if price["path"].startswith(path) and "sku" in price}
    model = skus.pop() if len(skus) == 1 else ""
    use = _use(Fraction(1), requests, tokens, {kind: usd[kind] / count for kind, count in tokens.items() if count})
    return TokenPlan(model, TokenMonth(requests / MONTHS, {model: use}))


def compare_tokens(month: ComparedMonth, rows: Sequence[TokenRow], *, plan: TokenPlan | None) -> TokenMonthComparison:
    """The split of a month's difference over its rows, or what is missing for it; neither without bill and plan."""
    if month.billed is None or month.projected is None:
        return TokenMonthComparison(month.month)
    counted = [row for row in rows if row.is_matched and row.tokens]
    requests = Fraction(month.requests or sum((row.model_requests for row in counted), Decimal(0)))
    missing = {
        NO_PLAN: plan is None,
        NO_TOKENS: not counted,
        NO_COSTS: bool(counted) and not any(row.effective for row in counted),
        NO_REQUESTS: requests <= 0,
        NO_MODEL: plan is not None and not plan.model and len({row.model for row in counted}) > 1,
    }
    if plan is None or any(missing.values()):
        return TokenMonthComparison(month.month, missing_inputs=tuple(text for text, lacks in missing.items() if lacks))
    by_model: dict[str, list[TokenRow]] = defaultdict(list)
    for row in counted:
        by_model[_name(row, plan.model)].append(row)
    shares, has_estimated_shares = _shares(by_model)
    uses = {name: _billed_use(shares[name], requests, each) for name, each in by_model.items()}
    paid = sum((Fraction(row.effective) for row in counted), Fraction(0))
    remainder = sum((Fraction(row.remainder) for row in counted), Fraction(0))
    billed = TokenMonth(requests, uses, remainder, Fraction(month.billed) - paid)
    planned = _with_others(plan.month, Fraction(month.projected.median))
    try:
        return TokenMonthComparison(
            month.month, split_tokens(planned, billed), has_estimated_shares=has_estimated_shares
        )
    except Invalid as refused:
        return TokenMonthComparison(month.month, missing_inputs=(refused.reason,))


def _with_others(plan: TokenMonth, median: Fraction) -> TokenMonth:
    """The plan with what its median holds besides tokens."""
    return replace(plan, other=median - token_cost(plan))


def _name(row: TokenRow, planned: str) -> str:
    """The name under which a billed model is compared: that of the plan if it is the same model."""
    if not planned or is_same_model(planned, billed=row.model, snapshot=row.snapshot):
        return planned
    return bare_name(row.model, row.snapshot)


def _shares(by_model: Mapping[str, Sequence[TokenRow]]) -> tuple[dict[str, Fraction], bool]:
    """The share of each model in the requests, and whether it is estimated by its share in the tokens."""
    asked = {name: sum((row.model_requests for row in rows), Decimal(0)) for name, rows in by_model.items()}
    is_estimated = len(by_model) > 1 and not all(count > 0 for count in asked.values())
    if is_estimated or not any(asked.values()):
        asked = {name: sum((row.tokens for row in rows), Decimal(0)) for name, rows in by_model.items()}
    total = Fraction(sum(asked.values(), Decimal(0)))
    return {name: Fraction(count) / total for name, count in asked.items()}, is_estimated


def _billed_use(share: Fraction, requests: Fraction, rows: Sequence[TokenRow]) -> ModelUse:
    tokens: dict[str, Fraction] = defaultdict(Fraction)
    usd: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        cached = row.cache_action if row.cache_action in {"read", "write"} else "uncached"
        kind = "output" if row.direction == "output" else cached
        tokens[kind] += Fraction(row.tokens)
        usd[kind] += Fraction(row.effective - row.remainder)
    prices = {kind: usd[kind] * MILLION / count for kind, count in tokens.items() if count}
    return _use(share, requests * share, tokens, prices)


def _use(
    share: Fraction, requests: Fraction, tokens: Mapping[str, Fraction], prices: Mapping[str, Fraction]
) -> ModelUse:
    asked = sum((tokens.get(kind, Fraction(0)) for kind in ("uncached", "read", "write")), Fraction(0))
    return ModelUse(
        share,
        asked / requests,
        tokens.get("output", Fraction(0)) / requests,
        tokens.get("read", Fraction(0)) / asked if asked else Fraction(0),
        tokens.get("write", Fraction(0)) / asked if asked else Fraction(0),
        prices,
    )


def _fraction(value: object) -> Fraction:
    return Fraction(str(value))
