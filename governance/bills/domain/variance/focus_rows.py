"""A projection as rows in the FOCUS schema, so that projections and bills can be compared. Custom columns begin with
`x_`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance.bills.domain.variance.split import Split

COLUMNS = (
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ChargeDescription",
    "ProviderName",
    "ServiceCategory",
    "ServiceName",
    "ResourceId",
    "Tags",
    "x_Basis",
    "x_ProjectedP10",
    "x_ProjectedP50",
    "x_ProjectedP90",
    "x_MeasuredCost",
    "x_Authorization",
    "x_Request",
    "x_Model",
    "x_Team",
    "x_BilledEffectiveCost",
    "x_Requests",
    "x_VarianceVolume",
    "x_VarianceEfficiency",
    "x_VariancePrice",
    "x_VarianceTotal",
)


@dataclass(frozen=True)
class PlannedMonth:
    """One month of one authorization. Unknown values are None."""

    month: date
    month_end: date
    authorization: str
    request: str
    team: str
    model: str
    low: Decimal | None
    middle: Decimal | None
    high: Decimal | None
    measured: Decimal | None
    billed: Decimal | None = None
    requests: int | None = None
    parts: Split | None = None
    total: Decimal | None = None


def focus_rows(months: Iterable[PlannedMonth]) -> list[tuple[str | int | Decimal | None, ...]]:
    """Rows with the columns `COLUMNS`. The cost columns contain the projected P50."""
    return [_row(each) for each in months]


def _row(each: PlannedMonth) -> tuple[str | int | Decimal | None, ...]:
    parts = (None,) * 3 if each.parts is None else (each.parts.volume, each.parts.efficiency, each.parts.price)
    start, end = (f"{day.isoformat()}T00:00:00Z" for day in (each.month, each.month_end))
    return (
        each.middle,
        each.middle,
        "USD",
        start,
        end,
        start,
        end,
        "Usage",
        "Projected cost",
        "Weighbridge",
        "AI and Machine Learning",
        "Projection",
        each.model,
        f'{{"model":"{each.model}"}}',
        "projected",
        each.low,
        each.middle,
        each.high,
        each.measured,
        each.authorization,
        each.request,
        each.model,
        each.team,
        each.billed,
        each.requests,
        *parts,
        each.total,
    )
