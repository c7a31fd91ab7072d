"""Prices for tests: one machine, and what a test changes about it; and draws of inputs."""

import dataclasses
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from weighbridge.costs.prices.price import Hardware, Price, PriceUnit
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import SEED

DAY = date(2026, 9, 1)
MACHINE = Price(
    sku="aws/us-east-1/g5.xlarge",
    provider="aws",
    region="us-east-1",
    usd=Decimal("1.006"),
    unit=PriceUnit.INSTANCE_H,
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


def lab_file(path: Path) -> None:
    """The sheet of a lab with two L4, as the page on the price book shows it."""
    path.write_text(
        "{apiVersion: weighbridge/v1, kind: PriceSheet, name: our-lab, source: quotation 4711, as_of: 2026-09-01,"
        " provider: lab, region: basement, prices: [{name: rack-a, on_demand: 1.25, gpu: L4, gpus: 2, gpu_gib: 24}]}"
    )


def rates_file(path: Path) -> None:
    """A contract: 22 % off one family of machines in 2026, and a model at a price of its own."""
    path.write_text(
        "{apiVersion: weighbridge/v1, kind: NegotiatedRates, organization: example, rates: ["
        "{sku: openai/gpt-4o-mini, meter: input, usd: 0.12, from: 2026-06-01, source: order form 7},"
        " {sku: aws/*/g5.*, discount: 0.22, from: 2026-01-01, until: 2026-12-31, source: agreement 12}]}"
    )


def models_file(path: Path) -> None:
    """An imported list that asks twice for a model what the book says."""
    from weighbridge.costs.prices.files.lists import list_document
    from weighbridge.costs.prices.importers.litellm import read_litellm

    source = path.with_suffix(".source")
    model = {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 3e-07,
        "deprecation_date": "2027-01-01",
    }
    source.write_text(json.dumps({"gpt-4o-mini": model, "nobody": {}}))
    with source.open() as stream:
        path.write_text(json.dumps(list_document(read_litellm(stream, as_of=date(2026, 11, 1)))))


def drawn(spec: Any, *, n: int, seed: int = SEED) -> Any:
    """The same inputs with `n` draws of each range."""
    return replaced(spec, draw_all(ranges_in(spec), seed=seed, n=n))
