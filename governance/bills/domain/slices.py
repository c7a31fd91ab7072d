"""The slices of a bill: one provider, one billing account, one billing period. A slice is replaced as a whole."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from governance.bills.domain.file_kind import bad_file

KEY = ("provider", "billing_account", "period")


@dataclass(frozen=True)
class Slice:
    """The data of a file for one provider, account and period; `totals` maps a currency to (billed, effective)."""

    provider: str
    billing_account: str
    period: date
    period_end: date
    rows: int
    lines_count: int
    gpu_hours: Decimal
    totals: dict[str, tuple[Decimal, Decimal]]

    def __str__(self) -> str:
        """The slice as text for sentences."""
        return f"{self.provider} {self.billing_account}, {self.period:%Y-%m}"


def slices_of(lines: pl.DataFrame) -> tuple[Slice, ...]:
    """The slices of aggregated lines, in order. Raises Invalid if a period has two ends: unknown which rows count."""
    ends = lines.group_by(*KEY).agg(pl.col("period_end").unique().sort()).filter(pl.col("period_end").list.len() > 1)
    if ends.height:
        provider, account, period, end_days = ends.sort(*KEY).row(0)
        raise bad_file(
            "duplicate_period",
            f"{provider} {account} has two billing periods that start on {period}: one ends on {end_days[0]}, the "
            f"other on {end_days[1]}. A file must contain each period only once. Export it again.",
        )
    sums = lines.group_by(*KEY, "period_end", "currency").agg(
        pl.col("rows", "gpu_hours", "billed", "effective").sum(), pl.len().alias("lines")
    )
    by_slice: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in sums.sort(*KEY, "currency").iter_rows(named=True):
        by_slice.setdefault(tuple(row[name] for name in KEY), []).append(row)
    return tuple(_slice(rows) for rows in by_slice.values())


def _slice(rows: list[dict[str, Any]]) -> Slice:
    first = rows[0]
    return Slice(
        **{name: first[name] for name in (*KEY, "period_end")},
        rows=sum(row["rows"] for row in rows),
        lines_count=sum(row["lines"] for row in rows),
        gpu_hours=sum((row["gpu_hours"] for row in rows), Decimal(0)),
        totals={row["currency"]: (row["billed"], row["effective"]) for row in rows},
    )
