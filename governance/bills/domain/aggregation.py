"""Aggregates a bill in one streaming pass.

Numbers are checked row by row, texts once for all rows with the same texts. The result has one line for each day,
sub-account, resource, SKU, service, region, category, kind of tokens, currency and set of tags. Memory contains only
the groups, never the whole file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import polars as pl

from governance.bills.domain import checks
from governance.bills.domain.columns import COLUMNS, NUMBERS, QUANTITIES, UNIT_PRICES
from governance.bills.domain.file_kind import bad_file
from governance.bills.domain.quantities.gpu_hours import gpu_hours, gpus_in, server_hours
from governance.bills.domain.quantities.tokens import TOKEN_TEXTS, remainder, token_requests, tokens, with_token_kinds
from governance.bills.domain.reading import DIGITS, PLACES, Source, decimals
from governance.bills.domain.slices import KEY, Slice, slices_of
from governance.bills.domain.tags import canonical

NOT_GROUPED = {*NUMBERS, "ChargePeriodStart", "ChargePeriodEnd", "CommitmentDiscountId"}
WORDS = tuple(column.name for column in COLUMNS if column.name not in NOT_GROUPED)
TEXTS = {
    "subaccount": "SubAccountId",
    "resource": "ResourceId",
    "sku": "SkuId",
    "service": "ServiceName",
    "service_category": "ServiceCategory",
    "region": "RegionId",
    "category": "ChargeCategory",
}
LINE = (
    "provider",
    "billing_account",
    "period",
    "period_end",
    "day",
    *TEXTS,
    *TOKEN_TEXTS,
    "is_correction",
    "currency",
    "tags",
)
SUMS = (
    "rows",
    "billed",
    "effective",
    "listed",
    "gpu_hours",
    "server_hours",
    "tokens",
    "model_requests",
    "remainder",
)
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
    effective cost of purchases of commitments, by currency: not counted, because other rows bill their use.
    """

    lines: pl.DataFrame
    rows_read: int
    refused: tuple[Refusal, ...]
    has_zoneless_times: bool
    rows_with_unreadable_tags: int
    set_aside: dict[str, str]

    @property
    def unmatched_meters(self) -> tuple[str, ...]:
        """The meters with tokens whose model or direction is unknown, sorted; empty text for rows without a meter."""
        is_known = (pl.col("model") != "") & (pl.col("direction") != "")
        return tuple(sorted(self.lines.filter((pl.col("tokens") != 0) & ~is_known)["meter"].unique()))

    @property
    def rows_kept(self) -> int:
        """The number of accepted rows."""
        return int(self.lines["rows"].sum())

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """Its slices. Raises Invalid if a period has two ends."""
        return slices_of(self.lines)

    def numbered(self, numbers: Sequence[int]) -> pl.DataFrame:
        """The lines with `slice_id`, the number of their slice."""
        pairs = zip(self.slices, numbers, strict=True)
        keys = [(each.provider, each.billing_account, each.period, number) for each, number in pairs]
        return self.lines.join(pl.DataFrame(keys, schema=[*KEY, "slice_id"], orient="row"), on=KEY, how="left")


def aggregate(source: Source, *, on_rows: OnRows = lambda _: None) -> AggregatedBill:
    """Read and aggregate the file. Raises Invalid if it cannot be read to its end.

    `on_rows` is called from any thread with the number of rows just read, and may raise to stop.
    """
    try:
        groups = group(source, on_rows=on_rows)
        broken = groups.filter(pl.col("broken").is_not_null())
        refused = _refusals(source, broken) if broken.height else ()
    except pl.exceptions.PolarsError as error:
        raise bad_file("damaged", _error_text(error)) from error
    accepted = _named(groups.filter(pl.col("broken").is_null()))
    purchases = (
        accepted.filter(pl.col("set_aside") != 0).group_by("currency").agg(pl.col("set_aside").sum()).sort("currency")
    )
    stored = pl.col(*SUMS[1:]).sum().round(PLACES).cast(pl.Decimal(DIGITS, PLACES))  # rounded once, half to even
    return AggregatedBill(
        lines=accepted.group_by(*LINE).agg(pl.col("rows").sum(), stored).sort(*LINE),
        rows_read=int(groups["rows"].sum()),
        refused=refused,
        has_zoneless_times=bool((accepted["zone"].str.replace(r"^\.\d+", "") == "").any()),
        rows_with_unreadable_tags=int(accepted.filter("tags_unreadable")["rows"].sum()),
        set_aside={currency: format(amount.normalize(), "f") for currency, amount in purchases.iter_rows()},
    )


def group(source: Source, *, on_rows: OnRows = lambda _: None) -> pl.DataFrame:
    """The single pass: rows grouped by all relevant texts, with `broken`, the ID of the check that fails, or null."""
    day, zone = pl.col("ChargePeriodStart").str.slice(0, checks.DAY_CHARS), checks.zone_of("ChargePeriodStart")
    rows = source.scan().select(
        *WORDS,
        day.alias("day"),
        zone.alias("zone"),
        pl.col("CommitmentDiscountId").is_not_null().alias("committed"),
        checks.first_failed_number_check().alias("broken"),
        *(decimals(name) for name in QUANTITIES),
        *(amount.alias(name) for name, amount in priced().items()),
    )
    keys = (*WORDS, "day", "zone", "committed", "broken")
    grouped = rows.map_batches(partial(report_rows, on_rows), streamable=True).group_by(*keys)
    sums = pl.len().cast(pl.Int64).alias("rows"), pl.col(*QUANTITIES, *priced()).sum()
    groups = grouped.agg(*sums).collect(engine="streaming")
    charged = pl.concat_str(
        pl.col("day"),
        pl.when(pl.col("day").str.len_chars() == checks.DAY_CHARS).then(pl.lit("T00:00:00")).otherwise(pl.lit("")),
        pl.col("zone"),
    )
    return groups.with_columns(charged.alias("ChargePeriodStart")).with_columns(
        pl.coalesce("broken", checks.first_failed_text_check()).alias("broken")
    )


def priced() -> dict[str, pl.Expr]:
    """Two amounts of a row with a unit price: unit price x quantity, and its effective cost; null without one.

    The contracted unit price counts, or else the list unit price. Source: FOCUS, ContractedUnitPrice.
    """
    at_price = pl.coalesce(*(decimals(name) for name in UNIT_PRICES)) * decimals("PricingQuantity")
    return {"at_price": at_price, "priced_cost": pl.when(at_price.is_not_null()).then(decimals("EffectiveCost"))}


def report_rows(on_rows: OnRows, frame: pl.DataFrame) -> pl.DataFrame:
    """Report the number of rows to the callback, in a thread of Polars, and return the rows unchanged."""
    on_rows(frame.height)
    return frame


def _named(groups: pl.DataFrame) -> pl.DataFrame:
    """The groups as lines, with GPU hours, canonical tags, and purchases of commitments set aside."""
    is_bought_ahead = (pl.col("ChargeCategory") == "Purchase") & pl.col("committed")
    zero = pl.lit(0).cast(groups.schema["EffectiveCost"])
    return (
        _understood(groups)
        .with_columns(pl.when(is_bought_ahead).then(pl.col("EffectiveCost")).otherwise(zero).alias("set_aside"))
        .select(
            pl.col("ProviderName").alias("provider"),
            pl.col("BillingAccountId").alias("billing_account"),
            checks.day_of("BillingPeriodStart").alias("period"),
            checks.day_of("BillingPeriodEnd").alias("period_end"),
            pl.col("day").str.to_date("%Y-%m-%d"),
            *(pl.col(own).fill_null("").alias(name) for name, own in TEXTS.items()),
            pl.col("ChargeClass").is_not_null().alias("is_correction"),
            pl.col("BillingCurrency").alias("currency"),
            "tags",
            "tags_unreadable",
            "zone",
            "rows",
            "set_aside",
            pl.col("BilledCost").alias("billed"),
            (pl.col("EffectiveCost") - pl.col("set_aside")).alias("effective"),
            pl.col("ListCost").alias("listed"),
            *TOKEN_TEXTS,
            gpu_hours().alias("gpu_hours"),
            server_hours().alias("server_hours"),
            tokens().alias("tokens"),
            token_requests().alias("model_requests"),
            remainder().alias("remainder"),
        )
    )


def _understood(groups: pl.DataFrame) -> pl.DataFrame:
    """The groups with `gpus`, `tags` and `tags_unreadable`. Each distinct text is parsed only once."""
    details, tags = (groups[name].unique().to_list() for name in ("SkuPriceDetails", "Tags"))
    read = [canonical(text) for text in tags]
    gpus = {"SkuPriceDetails": details, "gpus": [gpus_in(text) for text in details]}
    named = {"Tags": tags, "tags": [text for text, _ in read], "tags_unreadable": [is_none for _, is_none in read]}
    of_sku = pl.DataFrame(gpus, schema={"SkuPriceDetails": pl.String, "gpus": pl.Int64})
    of_tags = pl.DataFrame(named, schema={"Tags": pl.String, "tags": pl.String, "tags_unreadable": pl.Boolean})
    known = with_token_kinds(groups).join(of_sku, on="SkuPriceDetails", how="left", nulls_equal=True)
    return known.join(of_tags, on="Tags", how="left", nulls_equal=True)


def _refusals(source: Source, broken: pl.DataFrame) -> tuple[Refusal, ...]:
    """The number of rows that each check rejected. Reads the file again for examples."""
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
