"""What came of an import: the prices, the rows that were refused and why, and how many were none of ours."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from weighbridge.core.errors import Invalid, Refused, TooLarge
from weighbridge.costs.prices.price import Key, Price, Retirement, check_amount

PRICES_MAX = 200_000
HOURS_PER_YEAR = 8_760
# An hour's share of an amount paid in advance is rounded here, far below any price list's own digits.
SHARE_DIGITS = Decimal("1e-10")


@dataclasses.dataclass(frozen=True)
class Fault:
    """A row that was refused: where it stands, the field at fault, and the reason."""

    row: str
    field: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Imported:
    """A price list as a source of its own."""

    name: str
    source: str
    as_of: date
    prices: tuple[Price, ...]
    faults: tuple[Fault, ...]
    skipped: int
    retirements: Mapping[str, Retirement]


class Collector:
    """Gathers rows: what `add` is given becomes prices, or a fault with the row's place."""

    def __init__(self) -> None:
        self._prices: dict[Key, Price] = {}
        self._faults: list[Fault] = []
        self.retirements: dict[str, Retirement] = {}
        self.skipped = 0

    def add(self, row: str, read: Callable[[], tuple[Price, ...] | None]) -> None:
        """Read a row; None is a row of another kind, a refusal a fault. The first of two prices of a thing stays."""
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
                text = f"{price.sku} ({price.term}, {price.meter}) was {first.usd} USD before, and is {price.usd} here."
                self._faults.append(Fault(row, "usd", text))
        if len(self._prices) > PRICES_MAX:
            raise TooLarge(f"The list holds more than {PRICES_MAX:,} prices; import it by region.", field="file")

    def replace(self, price: Price) -> None:
        """Put a price in the place of what is there."""
        self._prices[price.key] = price

    def find(self, key: Key) -> Price | None:
        """The price that is there."""
        return self._prices.get(key)

    def imported(self, name: str, source: str, as_of: date) -> Imported:
        """All of it; Invalid where no row was a price."""
        if not self._prices:
            first = f" First fault: {self._faults[0].row}: {self._faults[0].reason}" if self._faults else ""
            raise Invalid(f"No price was found in it ({self.skipped} rows were of another kind).{first}", field="file")
        return Imported(
            name, source, as_of, tuple(self._prices.values()), tuple(self._faults), self.skipped, self.retirements
        )


def amount_of(value: object, *, field: str, is_free_allowed: bool = False) -> Decimal:
    """An amount as a list writes it, exactly. Invalid for what is none, for negative ones, and for 0: a list's 0 means
    that it does not know, unless `is_free_allowed`.
    """
    try:
        amount = Decimal(str(value)) if isinstance(value, str | int | Decimal) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite():
        raise Invalid(f"{field} must be an amount like 1.006, not {value!r}.", field=field)
    if not amount and not is_free_allowed:
        raise Invalid(f"{field} is 0: the list does not know the price.", field=field)
    return check_amount(amount, field=field)


def day_of(value: object, *, field: str) -> date:
    """The day of a date or a time as a list writes it: 2026-07-20, 2026-07-20T00:00:00Z."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise Invalid(f"{field} must be a day like 2026-07-20, not {value!r}.", field=field) from error


def hourly(hour: Decimal, *, upfront: Decimal, years: int) -> Decimal:
    """Dollars an hour of a commitment: the hour's own price and its share of what is paid in advance."""
    return (hour + upfront / (HOURS_PER_YEAR * years)).quantize(SHARE_DIGITS) + 0 if upfront else hour
