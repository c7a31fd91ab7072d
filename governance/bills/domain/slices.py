"""The slices of a bill: one provider, one billing account, one billing period. A slice is replaced as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    import polars as pl

KEY = ("provider", "billing_account", "period")


@dataclass(frozen=True)
class Slice:
    """What a file says of one provider, account and period; `totals` maps a currency to (billed, effective)."""

    provider: str
    billing_account: str
    period: date
    period_end: date
    rows: int
    lines: int
    gpu_hours: Decimal
    totals: dict[str, tuple[Decimal, Decimal]]

    def __str__(self) -> str:
        """As a sentence names it."""
        return f"{self.provider} {self.billing_account}, {self.period:%Y-%m}"


def slices_of(lines: "pl.DataFrame") -> tuple[Slice, ...]:
    """The slices of added-up lines, in order. Raises Invalid where one period has two ends: which rows count is
    unknown.
    """
    import polars as pl

    ends = lines.group_by(*KEY).agg(pl.col("period_end").unique().sort()).filter(pl.col("period_end").list.len() > 1)
    if ends.height:
        provider, account, period, found = ends.sort(*KEY).row(0)
        raise Invalid(
            f"{provider} {account} has the period from {period} twice: once until {found[0]}, once until {found[1]}. "
            "One file holds a period once; export it again.",
            field="file",
            code="duplicate_period",
        )
    sums = lines.group_by(*KEY, "period_end", "currency").agg(
        pl.col("rows", "gpu_hours", "billed", "effective").sum(), pl.len().alias("lines")
    )
    by_slice: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in sums.sort(*KEY, "currency").iter_rows(named=True):
        by_slice.setdefault(tuple(row[name] for name in KEY), []).append(row)
    return tuple(_slice(rows) for rows in by_slice.values())


def numbered(lines: "pl.DataFrame", numbers: Sequence[int], *, slices: Sequence[Slice]) -> "pl.DataFrame":
    """The lines with `slice_id`: the number their slice was given."""
    import polars as pl

    keys = [
        (each.provider, each.billing_account, each.period, number) for each, number in zip(slices, numbers, strict=True)
    ]
    schema = {"provider": pl.String, "billing_account": pl.String, "period": pl.Date, "slice_id": pl.Int64}
    return lines.join(pl.DataFrame(keys, schema=schema, orient="row"), on=list(KEY), how="left")


def _slice(rows: list[dict[str, Any]]) -> Slice:
    first = rows[0]
    return Slice(
        provider=first["provider"],
        billing_account=first["billing_account"],
        period=first["period"],
        period_end=first["period_end"],
        rows=sum(row["rows"] for row in rows),
        lines=sum(row["lines"] for row in rows),
        gpu_hours=sum((row["gpu_hours"] for row in rows), Decimal(0)),
        totals={row["currency"]: (row["billed"], row["effective"]) for row in rows},
    )
