"""Selections of bill lines: which lines a breakdown shows, as an address holds them and as an allocation rule says it.

A selection has, for each dimension, the values of which a line must have one. An empty value means that the line has
none. The dimensions are the fields of allocation rules, each tag, the team that a rule allocates the line to, and the
month of consumption, like 2026-09.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from governance.bills.domain.allocation.rules import TAG, FieldPattern
from weighbridge.core.documents import UNSTORABLE, is_storable
from weighbridge.core.errors import Invalid

TEAM, MONTH, TAGS, LINES = "team", "month", "tags", "lines"
NOT_OF_RULES = (TEAM, MONTH)
TITLES = {TEAM: "Team", MONTH: "Month"}
FIELDS = {
    "service": "Service",
    "sku": "SKU",
    "subaccount": "Sub-account",
    "resource": "Resource",
    "region": "Region",
    "provider": "Provider",
    "model": "Model as billed",
    "meter": "Meter",
    "snapshot": "Snapshot as billed",
    "subject": "Subject",
}
VALUES_MAX, CHARS_MAX = 50, 4_000


@dataclass(frozen=True)
class LineSelection:
    """The values of each dimension that a line must have; without any dimension, all lines."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def conditions(self) -> tuple[FieldPattern, ...]:
        """The conditions of an allocation rule with this selection. Raises Invalid if no rule can express it."""
        for name, values in self.values:
            if name not in NOT_OF_RULES and "" in values and len(values) > 1:
                reason = f"A rule cannot take lines without {title_of(name)} together with others. Narrow the lines."
                raise Invalid(reason, field=name)
            if any(value and not value.strip() for value in values):
                reason = f"A rule cannot name a value of blanks alone, as {title_of(name)} has here. Narrow otherwise."
                raise Invalid(reason, field=name)
        chosen = self.of_rule.values
        return tuple(FieldPattern(name, () if values == ("",) else values) for name, values in chosen)

    @property
    def of_rule(self) -> "LineSelection":
        """This selection with what an allocation rule can name alone: a rule has no month and no other rule's team."""
        return LineSelection(tuple(each for each in self.values if each[0] not in NOT_OF_RULES))

    @property
    def fits(self) -> bool:
        """Whether an address may hold it."""
        texts = [text for name, values in self.values for text in (name, *values)]
        return len(texts) <= VALUES_MAX and sum(map(len, texts)) <= CHARS_MAX

    def narrowed(self, name: str, *values: str) -> "LineSelection":
        """This selection with one more dimension, or with other values of it."""
        return LineSelection((*self.without(name).values, (name, values)))

    def without(self, name: str) -> "LineSelection":
        """This selection without a dimension."""
        return LineSelection(tuple(each for each in self.values if each[0] != name))

    def address(self, **more: str) -> str:
        """The query of an address, with further parameters."""
        return urlencode([*dict(self.values).items(), *more.items()], doseq=True)


class Owner(NamedTuple):
    """A team by name, and the cost that rules allocate to it."""

    team: str
    cost: Decimal


@dataclass(frozen=True)
class BreakdownRow:
    """The lines with one value of a dimension: their number, cost, allocated cost, and what each team has of it."""

    value: str
    name: str
    lines: int
    lines_unallocated: int
    cost: Decimal
    allocated: Decimal
    gpu_hours: Decimal
    share: Decimal | None
    owners: tuple[Owner, ...] = ()

    @property
    def unallocated(self) -> Decimal:
        """The cost that no rule allocates."""
        return self.cost - self.allocated


@dataclass(frozen=True)
class CurrencyTotal:
    """The selected lines in one currency."""

    currency: str
    lines: int
    lines_unallocated: int
    cost: Decimal
    allocated: Decimal
    gpu_hours: Decimal

    @property
    def unallocated(self) -> Decimal:
        """The cost that no rule allocates."""
        return self.cost - self.allocated

    def share_of(self, cost: Decimal) -> Decimal | None:
        """The cost as a share of the total; None if credits make the total zero or less."""
        return cost / self.cost if self.cost > 0 else None

    def rest(self, rows: Iterable[BreakdownRow]) -> BreakdownRow | None:
        """What is not in these rows, as a last row, so that all rows add up to the total; None without any line."""
        shown = tuple(rows)
        lines = self.lines - sum(row.lines for row in shown)
        loose = self.lines_unallocated - sum(row.lines_unallocated for row in shown)
        cost = self.cost - sum((row.cost for row in shown), Decimal(0))
        allocated = self.allocated - sum((row.allocated for row in shown), Decimal(0))
        hours = self.gpu_hours - sum((row.gpu_hours for row in shown), Decimal(0))
        return BreakdownRow("", "", lines, loose, cost, allocated, hours, self.share_of(cost)) if lines else None


def is_dimension(name: str) -> bool:
    """Whether lines can be selected by it."""
    return name in TITLES or name in FIELDS or (name.startswith(TAG) and name != TAG)


def title_of(name: str) -> str:
    """A dimension as a person reads it."""
    return TITLES.get(name) or FIELDS.get(name) or f"Tag {name.removeprefix(TAG)}"


def read_selection(parameters: Mapping[str, Sequence[str]]) -> LineSelection:
    """The selection in the parameters of an address; others are ignored. Raises Invalid for too many or wrong texts."""
    chosen = [(name, tuple(dict.fromkeys(values))) for name, values in parameters.items() if is_dimension(name)]
    texts = [text for name, values in chosen for text in (name, *values)]
    selection = LineSelection(tuple(chosen))
    if not selection.fits:
        raise Invalid(f"An address selects by at most {VALUES_MAX} names and values.")
    if not all(map(is_storable, texts)):
        raise Invalid(f"The address {UNSTORABLE}")
    return selection
