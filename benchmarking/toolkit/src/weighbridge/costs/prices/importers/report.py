"""The result of an import: the prices, the rejected rows with reasons, and the number of skipped rows."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from weighbridge.core.errors import Invalid, Refused, TooLarge
from weighbridge.costs.prices.price import Fault, Key, Price, PriceList, Retirement, check_amount

PRICES_MAX = 200_000
HOURS_PER_YEAR = 8_760
# The hourly share of an upfront payment is rounded to this precision, far below that of any price list.
SHARE_DIGITS = Decimal("1e-10")


class Collector:
    """Collects rows: each becomes a price, or a fault with its position."""

    def __init__(self) -> None:
        self._prices: dict[Key, Price] = {}
        self._faults: list[Fault] = []
        self.retirements: dict[str, Retirement] = {}
        self.skipped = 0

    def add(self, row: str, read: Callable[[], tuple[Price, ...] | None]) -> None:
        """Read a row: None is skipped, an error becomes a fault, and the first of two prices for one thing stays."""
        try:
            found = read()
        except Refused as refused:
            self._faults.append(Fault(row, refused.field or "", refused.reason))
            return
        if found is None:
            self.skipped += 1
            return
        for price in found:
            first = self._prices.setdefault(price.key, price)
            if first.usd != price.usd:
                text = f"{price.sku} ({price.term}, {price.meter}) is {first.usd} USD above and {price.usd} here."
                self._faults.append(Fault(row, "usd", text))
        if len(self._prices) > PRICES_MAX:
            raise TooLarge(f"The list has more than {PRICES_MAX:,} prices; import it by region.", field="file")

    def replace(self, price: Price) -> None:
        """Replace the price with the same key."""
        self._prices[price.key] = price

    def find(self, key: Key) -> Price | None:
        """Return the price with this key."""
        return self._prices.get(key)

    def imported(self, name: str, source: str, as_of: date) -> PriceList:
        """Return the import; raise Invalid if no row was a price."""
        if not self._prices:
            first = f" First error: {self._faults[0].row}: {self._faults[0].reason}" if self._faults else ""
            raise Invalid(f"The list has no prices to import ({self.skipped} rows skipped).{first}", field="file")
        return PriceList(
            name, source, as_of, tuple(self._prices.values()), tuple(self._faults), self.skipped, self.retirements
        )


def amount_of(value: object, *, field: str, is_free_allowed: bool = False) -> Decimal:
    """Return an exact amount; raise Invalid for other values, and for 0 (unknown) unless `is_free_allowed`."""
    try:
        amount = Decimal(str(value)) if isinstance(value, str | int | Decimal) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite():
        raise Invalid(f"{field} must be an amount like 1.006, not {value!r}.", field=field)
    if not amount and not is_free_allowed:
        raise Invalid(f"{field} is 0, which means that the price is unknown.", field=field)
    return check_amount(amount, field=field)


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`; raise Invalid if there is none."""
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{key} is missing.", field=key)
    return value


def day_of(value: object, *, field: str) -> date:
    """Return the date of a date or time of a list: 2026-07-20, 2026-07-20T00:00:00Z."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise Invalid(f"{field} must be a date like 2026-07-20, not {value!r}.", field=field) from error


def hourly(hour: Decimal, *, upfront: Decimal, years: int) -> Decimal:
    """Return the hourly price of a commitment in US dollars: its hourly rate plus its share of the upfront payment."""
    return (hour + upfront / (HOURS_PER_YEAR * years)).quantize(SHARE_DIGITS) + 0 if upfront else hour
