"""The FOCUS rules that a row must satisfy to be counted, each with a name and a reason.

A row that fails a check is rejected and reported; no value is guessed. Numbers are checked row by row, texts once for
all rows with the same texts.
"""

from dataclasses import dataclass

import polars as pl

from governance.bills.domain.columns import CATEGORIES, CORRECTION, NUMBERS
from governance.bills.domain.reading import decimals

ZONE = r"^(\.\d+)?(Z|z|[+-]00:?00| ?UTC)?$"
DAY_CHARS, TIME_CHARS = 10, 19


@dataclass(frozen=True)
class Check:
    """A check: its name in the report, the reason for a rejection, and the columns that examples show."""

    id: str
    reason: str
    columns: tuple[str, ...]


CHECKS = (
    Check("figure_unreadable", "a cost or quantity is not a decimal number; write it like 0.0000008 or 1e-7", NUMBERS),
    Check("cost_missing", "BilledCost and EffectiveCost are required", ("BilledCost", "EffectiveCost")),
    Check(
        "charge_backwards", "ChargePeriodEnd must be after ChargePeriodStart", ("ChargePeriodStart", "ChargePeriodEnd")
    ),
    Check("provider_missing", "ProviderName (ServiceProviderName from 1.3 on) is required", ("ProviderName",)),
    Check("account_missing", "BillingAccountId is required", ("BillingAccountId",)),
    Check("currency_unknown", "BillingCurrency must be three letters of ISO 4217, like USD", ("BillingCurrency",)),
    Check("category_unknown", f"ChargeCategory must be one of {', '.join(CATEGORIES)}", ("ChargeCategory",)),
    Check("class_unknown", f"ChargeClass must be empty or {CORRECTION}", ("ChargeClass",)),
    Check(
        "period_unreadable",
        "BillingPeriodStart and BillingPeriodEnd must be times like 2026-09-01T00:00:00Z, the end after the start",
        ("BillingPeriodStart", "BillingPeriodEnd"),
    ),
    Check("charge_unreadable", "ChargePeriodStart must be a time like 2026-09-01T00:00:00Z", ("ChargePeriodStart",)),
    Check(
        "not_utc",
        "times must be in UTC, as FOCUS requires",
        ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart"),
    ),
)


def first_failed_number_check() -> pl.Expr:
    """The ID of the first numeric check that a row fails, or null."""
    unreadable = pl.any_horizontal([decimals(name).is_null() & pl.col(name).is_not_null() for name in NUMBERS])
    missing = pl.col("BilledCost").is_null() | pl.col("EffectiveCost").is_null()
    backwards = pl.col("ChargePeriodEnd") <= pl.col("ChargePeriodStart")
    return _first({"figure_unreadable": unreadable, "cost_missing": missing, "charge_backwards": backwards})


def first_failed_text_check() -> pl.Expr:
    """The ID of the first text check that a row, or a group of rows, fails, or null."""
    times = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart")
    start, end, charged = (day_of(name) for name in times)
    return _first(
        {
            "provider_missing": pl.col("ProviderName").is_null(),
            "account_missing": pl.col("BillingAccountId").is_null(),
            "currency_unknown": ~pl.col("BillingCurrency").fill_null("").str.contains("^[A-Z]{3}$"),
            "category_unknown": ~pl.col("ChargeCategory").fill_null("").is_in(CATEGORIES),
            "class_unknown": ~pl.col("ChargeClass").fill_null(CORRECTION).is_in([CORRECTION]),
            "period_unreadable": start.is_null() | end.is_null() | (end <= start),
            "charge_unreadable": charged.is_null(),
            "not_utc": pl.any_horizontal([~zone_of(name).str.contains(ZONE) for name in times]),
        }
    )


def day_of(name: str) -> pl.Expr:
    """The day of a time, or null if the text is not a time."""
    return pl.col(name).str.slice(0, DAY_CHARS).str.to_date("%Y-%m-%d", strict=False)


def zone_of(name: str) -> pl.Expr:
    """The part of a time after the seconds: a fraction and a time zone; empty if there is none, or none is needed."""
    return pl.col(name).str.slice(TIME_CHARS).fill_null("")


def _first(broken: dict[str, pl.Expr]) -> pl.Expr:
    return pl.coalesce(*(pl.when(test).then(pl.lit(name)) for name, test in broken.items()))
