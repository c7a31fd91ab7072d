from decimal import Decimal

import polars as pl
import pytest

from governance.bills.domain.quantities.gpu_hours import gpu_hours, gpus_in, server_hours
from governance.bills.domain.tags import canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ("{}", False)),
        ("{}", ("{}", False)),
        ('{"b": "2", "a": 1, "c": null, "d": {"x": true}}', ('{"a":"1","b":"2","d":"{\\"x\\": true}"}', False)),
        ('[{"key": "a", "value": "1"}, {"key": "b"}]', ('{"a":"1"}', False)),
        ("team=x", ("{}", True)),
        ("[1]", ("{}", True)),
        ('"text"', ("{}", True)),
        ('{"a\\u0000": "b\\u0000"}', ('{"a�":"b�"}', False)),
        ('{"a": "\\ud800"}', ('{"a":"�"}', False)),
    ],
)
def test_tags_in_one_spelling(text, expected):
    assert canonical(text) == expected


@pytest.mark.parametrize(
    ("details", "gpus"),
    [
        (None, 0),
        ('{"GpuCount": 8}', 8),
        ('{"GpuCount": "4"}', 4),
        ('{"GpuCount": "8.0"}', 8),
        ('{"x_GpuCount": 2.0}', 2),
        ('{"CoreCount": 8}', 0),
        ("not JSON", 0),
        ("[8]", 0),
        ('{"GpuCount": "many"}', 0),
        ('{"GpuCount": -1}', 0),
        ('{"GpuCount": null}', 0),
        ('{"GpuCount": 12345}', 0),
        ('{"GpuCount": 0}', 0),
    ],
)
def test_gpus_of_a_sku(details, gpus):
    assert gpus_in(details) == gpus


@pytest.mark.parametrize(
    ("gpus", "consumed", "priced", "category", "status", "hours"),
    [
        (8, ("2.5", "Hours"), ("9", "Hours"), "Usage", None, "20"),
        (1, ("90", "minutes"), (None, None), "Usage", None, "1.5"),
        (2, ("1800", "Seconds"), (None, None), "Usage", None, "1"),
        (0, ("3.25", "GPU-Hours"), (None, None), "Usage", None, "3.25"),
        (4, ("3.25", "GPU Hours"), (None, None), "Usage", None, "3.25"),
        (4, (None, None), ("2", "Hours"), "Usage", "Used", "8"),
        (4, (None, None), ("2", "Hours"), "Usage", "Unused", "0"),
        (4, (None, None), ("2", "Hours"), "Purchase", None, "0"),
        (4, ("7", "Requests"), ("2", "Hours"), "Usage", None, "0"),
        (0, ("7", "Hours"), (None, None), "Usage", None, "0"),
        (4, ("-2", "Hours"), (None, None), "Usage", None, "-8"),
    ],
)
def test_gpu_hours_of_a_group(gpus, consumed, priced, category, status, hours):
    exact = pl.Decimal(38, 12)
    frame = pl.DataFrame(
        {
            "gpus": [gpus],
            "ConsumedQuantity": [consumed[0]],
            "ConsumedUnit": [consumed[1]],
            "ChargeCategory": [category],
            "PricingQuantity": [priced[0]],
            "PricingUnit": [priced[1]],
            "CommitmentDiscountStatus": [status],
        },
        schema_overrides=dict.fromkeys(("ConsumedUnit", "PricingUnit", "CommitmentDiscountStatus"), pl.String),
    ).with_columns(pl.col("ConsumedQuantity", "PricingQuantity").cast(exact))
    assert frame.select(gpu_hours()).item() == Decimal(hours)


@pytest.mark.parametrize(
    ("category", "quantity", "unit", "hours"),
    [
        ("Compute", "2.5", "Hours", "2.5"),
        ("AI and Machine Learning", "90", "Minutes", "1.5"),
        ("Compute", "3.25", "GPU-Hours", "3.25"),
        ("Compute", "7", "Requests", "0"),
        ("Networking", "720", "Hours", "0"),
        (None, "720", "Hours", "0"),
    ],
)
def test_server_hours_are_those_of_servers_however_many_gpus_they_have(category, quantity, unit, hours):
    frame = pl.DataFrame(
        {
            "gpus": [8],
            "ConsumedQuantity": [quantity],
            "ConsumedUnit": [unit],
            "ChargeCategory": ["Usage"],
            "PricingQuantity": [None],
            "PricingUnit": [None],
            "CommitmentDiscountStatus": [None],
            "ServiceCategory": [category],
        },
        schema_overrides=dict.fromkeys(("PricingUnit", "CommitmentDiscountStatus", "ServiceCategory"), pl.String),
    ).with_columns(pl.col("ConsumedQuantity", "PricingQuantity").cast(pl.Decimal(38, 12)))
    assert frame.select(server_hours()).item() == Decimal(hours)
