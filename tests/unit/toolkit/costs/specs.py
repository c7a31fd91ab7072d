"""Specs for tests: the shipped template, small ones, and a price book of two machines whose metrics fit on a hand."""

import copy
from datetime import date
from decimal import Decimal
from importlib.resources import files

import yaml

from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import Hardware, Price, PriceUnit, Retirement

TODAY = date(2026, 11, 25)


def price(sku, usd, unit=PriceUnit.INSTANCE_H, **more):
    provider, region, _ = sku.split("/")
    return Price(
        sku=sku,
        provider=provider,
        region=region,
        usd=Decimal(usd),
        unit=unit,
        as_of=date(2026, 7, 20),
        source="a list",
        **more,
    )


BOOK = PriceBook(
    (
        price("aws/us-east-1/g5.xlarge", "1.006", hardware=Hardware(gpu="A10G", gpus=1)),
        price("aws/us-east-1/p4d.24xlarge", "21.957642", hardware=Hardware(gpu="A100", gpus=8)),
        price("aws/us-east-1/m5.large", "0.096"),
        price("aws/us-east-1/old", "1", note="", hardware=None),
    ),
    TODAY,
    retirements={"aws/us-east-1/m5.large": Retirement(date(2027, 10, 1), "a page")},
)


def template():
    return yaml.safe_load(files("weighbridge.costs.spec").joinpath("template.yaml").read_text())


def small(**changes):
    """Two options at a million requests: an API at a tenth of a cent a call, and one replica paid by the hour."""
    fee = {"usd": 0.001, "unit": "request", "as_of": "2026-09-01", "source": "a page"}
    spec = {
        "apiVersion": "weighbridge/v1",
        "kind": "CostSpec",
        "name": "small",
        "draws": 200,
        "load": {"requests_per_year": 1_000_000},
        "options": [
            {"id": "api", "serving": {"kind": "managed-api", "fee_usd": fee}, "ownership": {"development_usd": 0}},
            {
                "id": "own",
                "serving": {
                    "kind": "self-hosted",
                    "service_s": 0.01,
                    "limit_s": 0.2,
                    "min_replicas": 1,
                    "usd_per_replica_h": {"sku": "aws/us-east-1/m5.large"},
                },
                "ownership": {"development_usd": 100},
            },
        ],
    }
    return {**spec, **copy.deepcopy(changes)}


def at_path(document, path, value):
    """Return a copy with `value` at a path like ("options", 0, "serving", "kind"); None takes the key away."""
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed
