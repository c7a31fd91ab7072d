"""Rows of the budget that the packet of the journey's request is expected to show."""

from decimal import Decimal
from typing import Any

from reviews.packets.domain.packet import BudgetRow


def usd_row(**changes: Any) -> BudgetRow:
    metric_values = {
        "before": Decimal(60000),
        "this": Decimal("6434.52"),  # 1,840 of training, and 86 of 365 days of 19,500
        "after": Decimal("53565.48"),
        "reserved_by_others": Decimal(0),
    }
    return BudgetRow(account="Retail vision, 2026Q3", unit="USD", **(metric_values | changes))


def gpu_row(**changes: Any) -> BudgetRow:
    metric_values = {
        "before": Decimal(1200),
        "this": Decimal(320),
        "after": Decimal(880),
        "reserved_by_others": Decimal(0),
    }
    return BudgetRow(account="Retail vision, 2026Q3", unit="gpu_h", **(metric_values | changes))


LATER = {"2026Q4": "4915.06", "2027Q1": "4808.21", "2027Q2": "4861.64", "2027Q3": "320.57"}


def later_rows() -> tuple[BudgetRow, ...]:
    """What is planned in later quarters, to which nobody has allocated anything."""
    return tuple(
        BudgetRow(
            account=f"Retail vision, {quarter}, planned",
            unit="USD",
            before=Decimal(0),
            this=Decimal(share),
            after=-Decimal(share),
            reserved_by_others=Decimal(0),
        )
        for quarter, share in LATER.items()
    )
