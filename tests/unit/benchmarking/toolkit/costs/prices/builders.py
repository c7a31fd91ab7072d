"""Prices for tests: one machine, and what a test changes about it."""

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

from benchmarking.toolkit.costs.prices.price import Hardware, Price, Unit

DAY = date(2026, 9, 1)
MACHINE = Price(
    sku="aws/us-east-1/g5.xlarge",
    provider="aws",
    region="us-east-1",
    usd=Decimal("1.006"),
    unit=Unit.INSTANCE_H,
    as_of=DAY,
    source="a list",
    hardware=Hardware(gpu="A10G", gpus=1, gpu_gib=Decimal(24)),
)


def machine(usd: str = "1.006", **changes: Any) -> Price:
    """The machine at another price, or otherwise changed."""
    return dataclasses.replace(MACHINE, usd=Decimal(usd), **changes)


def sheet(**changes: Any) -> dict[str, Any]:
    """A price sheet with one row."""
    return {
        "apiVersion": "weighbridge/v1",
        "kind": "PriceSheet",
        "name": "lab",
        "source": "quotation 4711",
        "as_of": "2026-09-01",
        "provider": "lab",
        "region": "basement",
        "prices": [{"name": "rack-a", "on_demand": Decimal("1.25")}],
        **changes,
    }
