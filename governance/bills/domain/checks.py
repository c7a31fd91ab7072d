"""The rules of FOCUS that a row must keep to be counted: each with a name, a reason, and what would be accepted.

A row that breaks one is refused and said so; nothing is guessed. Checks of figures are made row by row; checks of words
are made once for all rows that share them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.bills.domain.columns import CATEGORIES, CORRECTION, NUMBERS
from governance.bills.domain.reading import decimals

if TYPE_CHECKING:
    import polars as pl

ZONE = r"^(\.\d+)?(Z|z|[+-]00:?00| ?UTC)?$"
DAY_CHARS, TIME_CHARS = 10, 19


@dataclass(frozen=True)
class Check:
    """A rule: its name in the report, why a row is refused, and the columns an example shows."""

    id: str
    reason: str
    columns: tuple[str, ...]


CHECKS = (
    Check("figure_unreadable", "a cost or quantity is no decimal number; write it like 0.0000008 or 1e-7", NUMBERS),
    Check("cost_missing", "BilledCost and EffectiveCost must both be there", ("BilledCost", "EffectiveCost")),
    Check(
        "charge_backwards", "ChargePeriodEnd must be after ChargePeriodStart", ("ChargePeriodStart", "ChargePeriodEnd")
    ),
    Check("provider_missing", "ProviderName (ServiceProviderName from 1.3 on) must be there", ("ProviderName",)),
    Check("account_missing", "BillingAccountId must be there", ("BillingAccountId",)),
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
        "times must be in UTC, as FOCUS asks",
        ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart"),
    ),
)
BY_ID = {check.id: check for check in CHECKS}


def of_figures() -> "pl.Expr":
    """The id of the first check of figures that a row breaks, or null."""
    import polars as pl

    unreadable = pl.any_horizontal([decimals(name).is_null() & pl.col(name).is_not_null() for name in NUMBERS])
    missing = pl.col("BilledCost").is_null() | pl.col("EffectiveCost").is_null()
    backwards = pl.col("ChargePeriodEnd") <= pl.col("ChargePeriodStart")
    return _first({"figure_unreadable": unreadable, "cost_missing": missing, "charge_backwards": backwards})


def of_words() -> "pl.Expr":
    """The id of the first check of words that a row, or all rows of a group, break, or null."""
    import polars as pl

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


def day_of(name: str) -> "pl.Expr":
    """The day a time falls on, or null where it is no time."""
    import polars as pl

    return pl.col(name).str.slice(0, DAY_CHARS).str.to_date("%Y-%m-%d", strict=False)


def zone_of(name: str) -> "pl.Expr":
    """What follows the seconds of a time: a fraction and a zone; empty where there is none, or none is needed."""
    import polars as pl

    return pl.col(name).str.slice(TIME_CHARS).fill_null("")


def _first(broken: "dict[str, pl.Expr]") -> "pl.Expr":
    import polars as pl

    return pl.coalesce(*(pl.when(test).then(pl.lit(name)) for name, test in broken.items()))
