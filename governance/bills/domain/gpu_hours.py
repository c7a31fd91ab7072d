"""GPU hours of a bill's rows: from units that count them, or from the GPUs of a SKU times the hours it ran; and server
hours.

Source: FOCUS, ConsumedQuantity and ConsumedUnit, and the property GpuCount of SkuPriceDetails.
"""

import json
import re
from typing import TYPE_CHECKING

from governance.bills.domain.reading import DIGITS, SCALE

if TYPE_CHECKING:
    import polars as pl

PER_HOUR = {"hours": 1, "hour": 1, "hrs": 1, "hr": 1, "h": 1, "instancehours": 1, "minutes": 60, "seconds": 3600}
GPU_UNITS = ("gpuhours", "gpuhour", "gpuhrs", "gpuh", "acceleratorhours")
SERVERS = ("Compute", "AI and Machine Learning")
COUNTS = ("GpuCount", "x_GpuCount", "gpuCount", "GPUCount")


def gpus_in(details: str | None) -> int:
    """How many GPUs the details of a SKU name (JSON); 0 where they name none or cannot be read."""
    try:
        told = json.loads(details or "{}")
    except ValueError:
        return 0
    count = next((told[name] for name in COUNTS if name in told), 0) if isinstance(told, dict) else 0
    return int(count) if re.fullmatch(r"\d{1,4}(\.0+)?", str(count).strip()) is not None and float(count) else 0


def gpu_hours() -> "pl.Expr":
    """GPU hours of a group with the columns `gpus`, ConsumedQuantity/Unit and PricingQuantity/Unit.

    The consumed quantity counts; the priced one only where none was consumed and the row is usage that was used.
    """
    return _hours(servers=False)


def server_hours() -> "pl.Expr":
    """Hours that servers ran, of the same group and its ServiceCategory, however many GPUs each has.

    A GPU hour counts as an hour of one server where the unit says no more. Source: FOCUS, ServiceCategory.
    """
    import polars as pl

    is_server = pl.col("ServiceCategory").is_in(SERVERS)
    return pl.when(is_server).then(_hours(servers=True)).otherwise(pl.lit(0).cast(pl.Decimal(DIGITS, SCALE)))


def _hours(*, servers: bool) -> "pl.Expr":
    import polars as pl

    was_used = (pl.col("ChargeCategory") == "Usage") & (pl.col("CommitmentDiscountStatus").fill_null("") != "Unused")
    is_told = pl.col("ConsumedUnit").is_not_null()
    unit = pl.when(is_told).then(pl.col("ConsumedUnit")).otherwise(pl.when(was_used).then(pl.col("PricingUnit")))
    amount = pl.when(is_told).then(pl.col("ConsumedQuantity")).otherwise(pl.col("PricingQuantity"))
    folded = unit.str.to_lowercase().str.replace_all(r"[^a-z]", "")
    per_hour = folded.replace_strict(PER_HOUR, default=None, return_dtype=pl.Int64)
    ran = amount / per_hour if servers else amount * pl.col("gpus") / per_hour
    counted = pl.when(folded.is_in(GPU_UNITS)).then(amount).otherwise(ran)
    return counted.fill_null(0).cast(pl.Decimal(DIGITS, SCALE))
