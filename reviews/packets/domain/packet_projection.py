"""The cost projection in a packet: options side by side on one load, where it comes from, and the prices it pins."""

from dataclasses import dataclass
from decimal import Decimal

from reviews.packets.domain.packet_evidence import CostRow
from reviews.requests.domain import wording

FIRST_YEAR = "total_cost_1y_usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionValue:
    """One metric value of one option: P50 with P10 and P90; None where the load is not served."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def words(self) -> str:
        """`40,100.00 (32,000.00 to 51,000.00)`, or that there is no end to it."""
        if self.value is None:
            return "not served"
        amount = _words(self.value)
        return amount if self.low == self.high else f"{amount} ({_words(self.low)} to {_words(self.high)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionPart:
    """One option; `cheapest` is how often the draws find it the cheapest in the first year, a share of one."""

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
        return f"{self.cheapest:.0%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionPart:
    """The projection that counts. `changes` says what a measurement moved, `prices` what each price was and
    since when.
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

    @property
    def bars(self) -> tuple[CostRow, ...]:
        """The first year's cost of every option that has an end, as the chart of costs draws it."""
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
    return "no end" if amount is None else wording.number_words(amount, unit="USD")
