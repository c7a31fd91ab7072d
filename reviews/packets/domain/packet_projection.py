"""The cost projection in a packet: options for the same load, the origin of the projection, and its pinned prices."""

from dataclasses import dataclass
from decimal import Decimal

from reviews.packets.domain.packet_evidence import CostRow
from reviews.requests.domain import wording
from weighbridge.core.metrics.units import share_text

FIRST_YEAR = "total_cost_1y_usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionValue:
    """One metric value of one option: P50 with P10 and P90; None if the option cannot serve the load."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def words(self) -> str:
        """`40,100.00 (32,000.00 to 51,000.00)`, or "not served"."""
        if self.value is None:
            return "not served"
        amount = _words(self.value)
        return amount if self.low == self.high else f"{amount} ({_words(self.low)} to {_words(self.high)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionPart:
    """One option. `cheapest` is the share of draws (0 to 1) in which it is the cheapest in the first year."""

    title: str
    is_chosen: bool
    cheapest: Decimal
    first_year: OptionValue
    serving: OptionValue
    training: OptionValue
    ownership: OptionValue
    per_1k: OptionValue

    @property
    def cheapest_words(self) -> str:
        """As a percentage."""
        return share_text(self.cheapest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionPart:
    """The current projection. `changes` lists the effects of a measurement, `prices` each price and its date.

    `remarks` say which models end, what is left out, and where the sizing is doubtful.
    """

    number: int
    title: str
    digest: str
    snapshot: str
    origin: str
    requests_per_year: Decimal
    draws: int
    seed: int
    options: tuple[OptionPart, ...]
    changes: tuple[str, ...] = ()
    prices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def requests(self) -> str:
        """The requests of a year, as printed."""
        return wording.number_text(self.requests_per_year, unit="1")

    @property
    def bars(self) -> tuple[CostRow, ...]:
        """The first-year cost of every option with a known cost, for the cost chart."""
        return tuple(
            CostRow(
                label=row.title[:28],
                value_usd=row.first_year.value,
                lower_usd=row.first_year.low,
                upper_usd=row.first_year.high,
                basis="estimated",
                is_total=row.is_chosen,
            )
            for row in self.options
            if row.first_year.value is not None
        )


def _words(amount: Decimal | None) -> str:
    return "no limit" if amount is None else wording.number_text(amount, unit="USD")
