"""Where a year ends: what was billed so far, and the plan of the months to come corrected by how far the plan was off.

    F = sum of actuals so far + sum over the rest of P_m b,    b = (sum A + k P) / (sum P + k P)

P is the mean planned month and k the weight of the plan in months: with few months the plan is believed, with many the
bills are. The band comes from the months' own ratios A_m / P_m, centered so that their mean is the forecast, drawn
again for the months to come (residual bootstrap). The bar to beat is the seasonal-naive forecast: each month to come
costs what it cost a year before.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from weighbridge.core.errors import Invalid

PLAN_WEIGHT_MONTHS = Decimal(2)
DRAWS, SEED = 2_000, 20260101
MONTHS_FOR_A_BAND = 3
ZERO = Decimal(0)


@dataclass(frozen=True)
class YearEndForecast:
    """The forecast for a year, in dollars. `low` and `high` (P10, P90) are None with too few months; `naive` is None
    without data of the year before.
    """

    expected: Decimal
    low: Decimal | None
    high: Decimal | None
    bias: Decimal
    naive: Decimal | None


def year_end(
    planned: Sequence[Decimal], actual: Sequence[Decimal], *, year_before: Sequence[Decimal] = (), seed: int = SEED
) -> YearEndForecast:
    """Forecast a year of twelve planned months, of which the first `len(actual)` are billed.

    `year_before` contains the twelve months of the year before, or is empty. Raises Invalid for invalid planned months.
    """
    if len(planned) != 12 or not 0 <= len(actual) <= 12 or len(year_before) not in {0, 12}:
        raise Invalid(
            "A forecast needs twelve planned months, at most twelve billed months, and "
            "twelve or no months of the year before.",
            field="planned",
        )
    if any(month < 0 for month in planned) or sum(planned) <= 0:
        raise Invalid("Planned months must be zero or more, and at least one must be above zero.", field="planned")
    done, rest = len(actual), planned[len(actual) :]
    bias = shrunk_bias(planned[:done], actual, mean=sum(planned, ZERO) / 12)
    spent = sum(actual, ZERO)
    low, high = _band(planned[:done], actual, rest, bias, seed)
    naive = spent + sum(year_before[done:], ZERO) if year_before else None
    return YearEndForecast(
        expected=spent + sum(rest, ZERO) * bias,
        low=None if low is None else spent + low,
        high=None if high is None else spent + high,
        bias=bias,
        naive=naive,
    )


def shrunk_bias(
    planned: Sequence[Decimal], actual: Sequence[Decimal], *, mean: Decimal, weight: Decimal = PLAN_WEIGHT_MONTHS
) -> Decimal:
    """The billed dollars for each planned dollar, shrunk toward 1 by `weight` planned months of `mean` dollars."""
    return (sum(actual, ZERO) + weight * mean) / (sum(planned, ZERO) + weight * mean)


def _band(
    planned: Sequence[Decimal], actual: Sequence[Decimal], rest: Sequence[Decimal], bias: Decimal, seed: int
) -> tuple[Decimal | None, Decimal | None]:
    ratios = [a / p for p, a in zip(planned, actual, strict=True) if p > 0]
    if len(ratios) < MONTHS_FOR_A_BAND or sum(ratios) <= 0:
        return None, None
    centered = [ratio * len(ratios) / sum(ratios) for ratio in ratios]
    dice = random.Random(seed)  # noqa: S311 -- a bootstrap, not a secret
    sums = sorted(sum((p * bias * dice.choice(centered) for p in rest), ZERO) for _ in range(DRAWS))
    return sums[DRAWS // 10], sums[DRAWS - 1 - DRAWS // 10]
