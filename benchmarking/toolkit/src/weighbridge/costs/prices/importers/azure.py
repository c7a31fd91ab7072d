"""Azure's retail prices: pages of `prices.azure.com` as JSON, one object with `Items` or a list of such rows.

Imports virtual machines without Windows: on demand, spot, and reservations, whose price is for the whole term.
"""

import functools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import IO, Any

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.currency import FxTable, one_currency
from weighbridge.costs.prices.files.sheet import USD
from weighbridge.costs.prices.importers.json_stream import members
from weighbridge.costs.prices.importers.report import Collector, amount_of, day_of, hourly, text_of
from weighbridge.costs.prices.price import Conversion, Price, PriceList, PriceUnit, Term

SOURCE = "Azure Retail Prices"
HOUR = "1 Hour"
OPENED = {(), ("Items",)}
RESERVED = {"1 Year": (1, Term.COMMIT_1Y_ALL_UPFRONT), "3 Years": (3, Term.COMMIT_3Y_ALL_UPFRONT)}


def read_azure(stream: IO[str], *, as_of: date, fx: FxTable | None = None) -> PriceList:
    """Return the prices of a file fetched on the day `as_of`; raise Invalid if it mixes currencies."""
    found, currencies = Collector(), set()
    for path, row in members(stream, is_opened=lambda path: path in OPENED):
        if not isinstance(row, Mapping):
            continue  # BillingCurrency, NextPageLink, Count
        currencies.add(str(row.get("currencyCode", USD)))
        one_currency(currencies)
        place = "/".join(str(part) for part in path)
        found.add(place, functools.partial(_prices, row, as_of, fx))
    return found.imported(f"azure-{as_of}", SOURCE, as_of)


def _prices(row: Mapping[str, Any], as_of: date, fx: FxTable | None) -> tuple[Price, ...] | None:
    if not _is_wanted(row) or not _is_in_force(row, as_of):
        return None
    term, amount = _term(row)
    if term is None:
        return None
    conversion = _conversion(amount, str(row.get("currencyCode", USD)), as_of, fx)
    region, name = text_of(row, "armRegionName"), text_of(row, "armSkuName")
    price = Price(
        sku=f"azure/{region}/{name}",
        provider="azure",
        region=region,
        usd=amount if conversion is None else conversion.listed * conversion.usd_per_unit,
        unit=PriceUnit.INSTANCE_H,
        as_of=as_of,
        source=SOURCE,
        term=term,
        conversion=conversion,
        note=f"in force since {row['effectiveStartDate'][:10]}",
    )
    return (price,)


def _is_wanted(row: Mapping[str, Any]) -> bool:
    others = ("Windows" in str(row.get("productName")), "Low Priority" in str(row.get("skuName")))
    return row.get("serviceName") == "Virtual Machines" and not any(others) and row.get("unitOfMeasure") == HOUR


def _is_in_force(row: Mapping[str, Any], as_of: date) -> bool:
    start = day_of(text_of(row, "effectiveStartDate"), field="effectiveStartDate")
    end = row.get("effectiveEndDate")
    return start <= as_of and (not end or as_of <= day_of(end, field="effectiveEndDate"))


def _term(row: Mapping[str, Any]) -> tuple[Term | None, Decimal]:
    amount = amount_of(row.get("retailPrice"), field="retailPrice")
    kind = row.get("type")
    if kind == "Reservation":
        years, term = RESERVED.get(str(row.get("reservationTerm")), (0, None))
        return term, hourly(Decimal(0), upfront=amount, years=years) if years else amount
    if kind == "Consumption":
        return (Term.SPOT if "Spot" in str(row.get("skuName")) else Term.ON_DEMAND), amount
    return None, amount


def _conversion(amount: Decimal, currency: str, as_of: date, fx: FxTable | None) -> Conversion | None:
    if currency == USD:
        return None
    if fx is None:
        raise Invalid(f"The price is in {currency}; add a dated exchange rate to USD.", field="currencyCode")
    return fx.conversion(amount, currency, on=as_of)
