"""Tokens of bill rows: the kind of each group of rows, the number of tokens and requests, and the rest of the cost.

Source: FOCUS, ConsumedQuantity, ConsumedUnit, PricingQuantity, PricingUnit, SkuMeter and SkuPriceDetails.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from governance.bills.domain.quantities.meters import kind_of_meter
from governance.bills.domain.quantities.token_kinds import (
    kind_in,
    properties_in,
    subject_of,
    tokens_per,
    with_snapshot,
)
from governance.bills.domain.reading import DIGITS, SCALE

TOKEN_TEXTS = ("meter", "model", "snapshot", "direction", "cache_action", "subject")
_SOURCES = (
    "ProviderName",
    "RegionId",
    "SkuMeter",
    "SkuId",
    "SkuPriceDetails",
    "x_ModelId",
    "x_ModelVersion",
    "x_TokenDirection",
    "x_TokenCacheAction",
)
_NUMBER = pl.Decimal(DIGITS, SCALE)


def with_token_kinds(groups: pl.DataFrame) -> pl.DataFrame:
    """The groups with the columns `TOKEN_TEXTS` and `consumed_per`, `priced_per`: the tokens in one of their units.

    Each distinct combination of texts is read only once. The meter is that of rows with tokens or a known kind.
    """
    distinct = groups.select(*_SOURCES).unique()
    kinds = [token_texts(row) for row in distinct.iter_rows(named=True)]
    schema = dict.fromkeys(TOKEN_TEXTS, pl.String)
    known = pl.concat([distinct, pl.DataFrame(kinds, schema=schema, orient="row")], how="horizontal")
    joined = groups.join(known, on=_SOURCES, how="left", nulls_equal=True)
    joined = joined.with_columns(
        _scale(joined, "ConsumedUnit").alias("consumed_per"), _scale(joined, "PricingUnit").alias("priced_per")
    )
    is_of_tokens = (pl.col("model") != "") | (pl.col("consumed_per") > 0) | (pl.col("priced_per") > 0)
    return joined.with_columns(pl.when(is_of_tokens).then("meter").otherwise(pl.lit("")).alias("meter"))


def token_texts(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts `TOKEN_TEXTS` of a row of FOCUS columns: meter, model, snapshot, direction, cache action, subject."""
    properties = properties_in(row["SkuPriceDetails"])
    kind = kind_in(properties, is_standard=True).filled_from(kind_in(properties, is_standard=False))
    kind = kind.filled_from(kind_in(row, is_standard=False))
    meter, provider = row["SkuMeter"] or "", row["ProviderName"] or ""
    if not kind.is_complete:
        for name in (meter, row["SkuId"] or ""):
            kind = kind.filled_from(kind_of_meter(provider, name) or kind)
    kind = with_snapshot(kind)
    subject = subject_of(provider=provider, kind=kind, region=row["RegionId"] or "")
    return meter or row["SkuId"] or "", kind.model, kind.snapshot, kind.direction, kind.cache_action, subject


def tokens() -> pl.Expr:
    """The number of tokens of a group: the consumed quantity, or else the priced quantity if the row is used usage."""
    return _of_tokens().fill_null(0).cast(_NUMBER)


def token_requests() -> pl.Expr:
    """The number of requests that a group states (the column `x_ModelRequests`)."""
    return pl.col("x_ModelRequests").fill_null(0).cast(_NUMBER)


def remainder() -> pl.Expr:
    """The effective cost less unit price x quantity, for rows of tokens with a unit price; else 0.

    It is rounding or a discount. No part of it is assigned to anything else.
    """
    rest = pl.when(_of_tokens().is_not_null()).then(pl.col("priced_cost") - pl.col("at_price"))
    return rest.fill_null(0).cast(_NUMBER)


def _of_tokens() -> pl.Expr:
    was_used = (pl.col("ChargeCategory") == "Usage") & (pl.col("CommitmentDiscountStatus").fill_null("") != "Unused")
    return (
        pl.when(pl.col("consumed_per") > 0)
        .then(pl.col("ConsumedQuantity") * pl.col("consumed_per").cast(_NUMBER))
        .when((pl.col("priced_per") > 0) & was_used)
        .then(pl.col("PricingQuantity") * pl.col("priced_per").cast(_NUMBER))
    )


def _scale(groups: pl.DataFrame, column: str) -> pl.Expr:
    units = groups[column].unique().drop_nulls().to_list()
    known = {"": 0} | {unit: tokens_per(unit) for unit in units}
    return pl.col(column).replace_strict(known, default=0, return_dtype=pl.Int64)
