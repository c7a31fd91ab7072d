"""Aggregates a bill in one streaming pass.

Numbers are checked row by row, texts once for all rows with the same texts. The result has one line for each day,
sub-account, resource, SKU, service, region, category, currency and set of tags. Memory contains only the groups, never
the whole file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from governance.bills.domain import checks
from governance.bills.domain.columns import NUMBERS
from governance.bills.domain.gpu_hours import gpu_hours, gpus_in, server_hours
from governance.bills.domain.reading import DIGITS, PLACES, Source, decimals
from governance.bills.domain.tags import canonical
from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    import polars as pl

WORDS = (
    "ProviderName",
    "BillingAccountId",
    "SubAccountId",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "BillingCurrency",
    "ServiceName",
    "ServiceCategory",
    "SkuId",
    "SkuPriceDetails",
    "ResourceId",
    "RegionId",
    "Tags",
    "ConsumedUnit",
    "PricingUnit",
    "CommitmentDiscountStatus",
)
LINE = (
    "provider",
    "billing_account",
    "period",
    "period_end",
    "day",
    "subaccount",
    "resource",
    "sku",
    "service",
    "service_category",
    "region",
    "category",
    "is_correction",
    "currency",
    "tags",
)
SUMS = ("rows", "billed", "effective", "listed", "gpu_hours", "server_hours")
EXAMPLES_MAX, VALUE_CHARS_MAX = 3, 80
OnRows = Callable[[int], None]


@dataclass(frozen=True)
class Refusal:
    """The rows that one check rejected, with a few examples: row numbers and values."""

    check: str
    reason: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class AggregatedBill:
    """An aggregated file: `lines` with the columns `LINE` and `SUMS`, rejected rows and notes. `set_aside` is the
    effective cost of purchases of commitments, by currency. It is not counted, because other rows bill the use of the
    commitments.
    """

    lines: "pl.DataFrame"
    rows_read: int
    refused: tuple[Refusal, ...]
    has_zoneless_times: bool
    rows_with_unreadable_tags: int
    set_aside: dict[str, str]

    @property
    def rows_kept(self) -> int:
        """The number of accepted rows."""
        return int(self.lines["rows"].sum())


def aggregate(source: Source, *, on_rows: OnRows = lambda _: None) -> AggregatedBill:
    """Read and aggregate the file. `on_rows` is called from any thread with the number of rows just read, and may raise
    to stop. Raises Invalid if the file cannot be read to its end.
    """
    import polars as pl

    try:
        groups = group(source, on_rows=on_rows)
        broken = groups.filter(pl.col("broken").is_not_null())
        refused = _refusals(source, broken) if broken.height else ()
    except pl.exceptions.PolarsError as error:
        raise Invalid(_error_text(error), field="file", code="damaged") from error
    accepted = _named(groups.filter(pl.col("broken").is_null()))
    purchases = (
        accepted.filter(pl.col("set_aside") != 0).group_by("currency").agg(pl.col("set_aside").sum()).sort("currency")
    )
    return AggregatedBill(
        lines=accepted.group_by(*LINE).agg(pl.col("rows").sum(), *(kept_places(name) for name in SUMS[1:])).sort(*LINE),
        rows_read=int(groups["rows"].sum()),
        refused=refused,
        has_zoneless_times=bool((accepted["zone"].str.replace(r"^\.\d+", "") == "").any()),
        rows_with_unreadable_tags=int(accepted.filter("tags_unreadable")["rows"].sum()),
        set_aside={currency: format(amount.normalize(), "f") for currency, amount in purchases.iter_rows()},
    )


def group(source: Source, *, on_rows: OnRows = lambda _: None) -> "pl.DataFrame":
    """The single pass: rows grouped by all relevant texts, with `broken`, the ID of the check that fails, or null."""
    import polars as pl

    day, zone = pl.col("ChargePeriodStart").str.slice(0, checks.DAY_CHARS), checks.zone_of("ChargePeriodStart")
    rows = source.scan().select(
        *WORDS,
        day.alias("day"),
        zone.alias("zone"),
        pl.col("CommitmentDiscountId").is_not_null().alias("committed"),
        checks.first_failed_number_check().alias("broken"),
        *(decimals(name) for name in NUMBERS),
    )
    keys = (*WORDS, "day", "zone", "committed", "broken")
    sums = [pl.len().cast(pl.Int64).alias("rows"), *(pl.col(name).sum() for name in NUMBERS)]
    groups = (
        rows.map_batches(partial(report_rows, on_rows), streamable=True)
        .group_by(*keys)
        .agg(*sums)
        .collect(engine="streaming")
    )
    charged = pl.concat_str(
        pl.col("day"),
        pl.when(pl.col("day").str.len_chars() == checks.DAY_CHARS).then(pl.lit("T00:00:00")).otherwise(pl.lit("")),
        pl.col("zone"),
    )
    return groups.with_columns(charged.alias("ChargePeriodStart")).with_columns(
        pl.coalesce("broken", checks.first_failed_text_check()).alias("broken")
    )


def kept_places(name: str) -> "pl.Expr":
    """The sum of a column, rounded once, half to even, to the stored number of decimals."""
    import polars as pl

    return pl.col(name).sum().round(PLACES).cast(pl.Decimal(DIGITS, PLACES))


def report_rows(on_rows: OnRows, frame: "pl.DataFrame") -> "pl.DataFrame":
    """Report the number of rows to the callback, in a thread of Polars, and return the rows unchanged."""
    on_rows(frame.height)
    return frame


def _named(groups: "pl.DataFrame") -> "pl.DataFrame":
    """The groups as lines, with GPU hours, canonical tags, and purchases of commitments set aside."""
    import polars as pl

    is_bought_ahead = (pl.col("ChargeCategory") == "Purchase") & pl.col("committed")
    zero = pl.lit(0).cast(groups.schema["EffectiveCost"])
    return (
        _understood(groups)
        .with_columns(
            pl.when(is_bought_ahead).then(pl.col("EffectiveCost")).otherwise(zero).alias("set_aside"),
        )
        .select(
            pl.col("ProviderName").alias("provider"),
            pl.col("BillingAccountId").alias("billing_account"),
            checks.day_of("BillingPeriodStart").alias("period"),
            checks.day_of("BillingPeriodEnd").alias("period_end"),
            pl.col("day").str.to_date("%Y-%m-%d"),
            *(pl.col(own).fill_null("").alias(name) for name, own in _TEXTS.items()),
            (pl.col("ChargeClass").is_not_null()).alias("is_correction"),
            pl.col("BillingCurrency").alias("currency"),
            "tags",
            "tags_unreadable",
            "zone",
            "rows",
            "set_aside",
            pl.col("BilledCost").alias("billed"),
            (pl.col("EffectiveCost") - pl.col("set_aside")).alias("effective"),
            pl.col("ListCost").alias("listed"),
            gpu_hours().alias("gpu_hours"),
            server_hours().alias("server_hours"),
        )
    )


def _understood(groups: "pl.DataFrame") -> "pl.DataFrame":
    """The groups with `gpus`, `tags` and `tags_unreadable`. Each distinct text is parsed only once."""
    import polars as pl

    details, tags = (groups[name].unique().to_list() for name in ("SkuPriceDetails", "Tags"))
    read = [canonical(text) for text in tags]
    gpus = {"SkuPriceDetails": details, "gpus": [gpus_in(text) for text in details]}
    named = {"Tags": tags, "tags": [text for text, _ in read], "tags_unreadable": [is_none for _, is_none in read]}
    of_sku = pl.DataFrame(gpus, schema={"SkuPriceDetails": pl.String, "gpus": pl.Int64})
    of_tags = pl.DataFrame(named, schema={"Tags": pl.String, "tags": pl.String, "tags_unreadable": pl.Boolean})
    return groups.join(of_sku, on="SkuPriceDetails", how="left", nulls_equal=True).join(
        of_tags, on="Tags", how="left", nulls_equal=True
    )


_TEXTS = {
    "subaccount": "SubAccountId",
    "resource": "ResourceId",
    "sku": "SkuId",
    "service": "ServiceName",
    "service_category": "ServiceCategory",
    "region": "RegionId",
    "category": "ChargeCategory",
}


def _refusals(source: Source, broken: "pl.DataFrame") -> tuple[Refusal, ...]:
    """The number of rows that each check rejected. Reads the file again for examples."""
    import polars as pl

    counts = dict(broken.group_by("broken").agg(pl.col("rows").sum()).iter_rows())
    checked_rows = source.scan().with_columns(
        pl.coalesce(checks.first_failed_number_check(), checks.first_failed_text_check()).alias("broken")
    )
    first = checked_rows.filter(pl.col("broken").is_not_null()).group_by("broken").agg(pl.all().head(EXAMPLES_MAX))
    seen = {row["broken"]: row for row in first.collect(engine="streaming").iter_rows(named=True)}
    return tuple(
        Refusal(check.id, check.reason, counts[check.id], _examples(check, seen[check.id]))
        for check in checks.CHECKS
        if check.id in counts
    )


def _examples(check: checks.Check, row: dict[str, list[object]]) -> tuple[str, ...]:
    def told(place: int) -> str:
        values = ((name, row[name][place]) for name in check.columns)
        shown = ", ".join(f"{name} {_shown(value)}" for name, value in values)
        return f"row {row['row'][place]}: {shown}"

    return tuple(told(place) for place in range(len(row["row"])))


def _shown(value: object) -> str:
    return "is empty" if value is None else f"is {str(value)[:VALUE_CHARS_MAX]!r}"


def _error_text(error: Exception) -> str:
    text = str(error).splitlines()[0]
    if "utf-8" in text.lower():
        return "The file is not UTF-8 text. Export the bill in UTF-8."
    if "more fields" in text:
        return (
            "A row has more fields than the header has columns. A text that contains the delimiter must be in quotes."
        )
    return f"The file cannot be read to its end ({text[:200]}). Send it again."
