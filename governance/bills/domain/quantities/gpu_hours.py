"""GPU hours of bill rows, from units of GPU hours or from the GPUs of a SKU times its hours; and server hours.

Source: FOCUS, ConsumedQuantity and ConsumedUnit, and the property GpuCount of SkuPriceDetails.
"""

import re

import polars as pl

from governance.bills.domain.reading import DIGITS, SCALE
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_json

PER_HOUR = {"hours": 1, "hour": 1, "hrs": 1, "hr": 1, "h": 1, "instancehours": 1, "minutes": 60, "seconds": 3600}
GPU_UNITS = ("gpuhours", "gpuhour", "gpuhrs", "gpuh", "acceleratorhours")
SERVERS = ("Compute", "AI and Machine Learning")
COUNTS = ("GpuCount", "x_GpuCount", "gpuCount", "GPUCount")


def gpus_in(details: str | None) -> int:
    """The number of GPUs in the details of a SKU (JSON); 0 if there is none or the JSON is invalid."""
    try:
        parsed = parse_json(details or "{}")
    except Refused:
        return 0
    count = next((parsed[name] for name in COUNTS if name in parsed), 0) if isinstance(parsed, dict) else 0
    return int(float(count)) if re.fullmatch(r"\d{1,4}(\.0+)?", str(count).strip()) is not None else 0


def gpu_hours() -> pl.Expr:
    """GPU hours of a group with the columns `gpus`, ConsumedQuantity/Unit and PricingQuantity/Unit.

    The consumed quantity counts; the priced quantity counts only if there is no consumed one and the row is used usage.
    """
    return _hours(servers=False)


def server_hours() -> pl.Expr:
    """Server hours of the same group and its ServiceCategory, for any number of GPUs.

    A GPU hour counts as one server hour if the unit gives no other information. Source: FOCUS, ServiceCategory.
    """
    is_server = pl.col("ServiceCategory").is_in(SERVERS)
    return pl.when(is_server).then(_hours(servers=True)).otherwise(pl.lit(0).cast(pl.Decimal(DIGITS, SCALE)))


def _hours(*, servers: bool) -> pl.Expr:
    was_used = (pl.col("ChargeCategory") == "Usage") & (pl.col("CommitmentDiscountStatus").fill_null("") != "Unused")
    is_told = pl.col("ConsumedUnit").is_not_null()
    unit = pl.coalesce("ConsumedUnit", pl.when(was_used).then(pl.col("PricingUnit")))
    amount = pl.when(is_told).then(pl.col("ConsumedQuantity")).otherwise(pl.col("PricingQuantity"))
    folded = unit.str.to_lowercase().str.replace_all(r"[^a-z]", "")
    per_hour = folded.replace_strict(PER_HOUR, default=None, return_dtype=pl.Int64)
    ran = amount / per_hour if servers else amount * pl.col("gpus") / per_hour
    counted = pl.when(folded.is_in(GPU_UNITS)).then(amount).otherwise(ran)
    return counted.fill_null(0).cast(pl.Decimal(DIGITS, SCALE))
