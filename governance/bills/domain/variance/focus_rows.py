"""A projection as rows in the FOCUS schema, to compare it with bills. Custom columns begin with `x_`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance.bills.domain.variance.split import Split

Cell = str | int | Decimal | None


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
    median: Decimal | None
    high: Decimal | None
    measured: Decimal | None
    billed: Decimal | None = None
    requests: int | None = None
    parts: Split | None = None
    total: Decimal | None = None


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


_CELLS: dict[str, Callable[[PlannedMonth], Cell]] = {
    "BilledCost": lambda month: month.median,
    "EffectiveCost": lambda month: month.median,
    "BillingCurrency": lambda _: "USD",
    "BillingPeriodStart": lambda month: _midnight(month.month),
    "BillingPeriodEnd": lambda month: _midnight(month.month_end),
    "ChargePeriodStart": lambda month: _midnight(month.month),
    "ChargePeriodEnd": lambda month: _midnight(month.month_end),
    "ChargeCategory": lambda _: "Usage",
    "ChargeDescription": lambda _: "Projected cost",
    "ProviderName": lambda _: "Weighbridge",
    "ServiceCategory": lambda _: "AI and Machine Learning",
    "ServiceName": lambda _: "Projection",
    "ResourceId": lambda month: month.model,
    "Tags": lambda month: f'{{"model":"{month.model}"}}',
    "x_Basis": lambda _: "projected",
    "x_ProjectedP10": lambda month: month.low,
    "x_ProjectedP50": lambda month: month.median,
    "x_ProjectedP90": lambda month: month.high,
    "x_MeasuredCost": lambda month: month.measured,
    "x_Authorization": lambda month: month.authorization,
    "x_Request": lambda month: month.request,
    "x_Model": lambda month: month.model,
    "x_Team": lambda month: month.team,
    "x_BilledEffectiveCost": lambda month: month.billed,
    "x_Requests": lambda month: month.requests,
    "x_VarianceVolume": lambda month: month.parts.volume if month.parts else None,
    "x_VarianceEfficiency": lambda month: month.parts.efficiency if month.parts else None,
    "x_VariancePrice": lambda month: month.parts.price if month.parts else None,
    "x_VarianceTotal": lambda month: month.total,
}
COLUMNS = tuple(_CELLS)


def focus_rows(months: Iterable[PlannedMonth]) -> list[tuple[Cell, ...]]:
    """Rows with the columns `COLUMNS`. The cost columns contain the projected P50."""
    return [tuple(cell(month) for cell in _CELLS.values()) for month in months]
