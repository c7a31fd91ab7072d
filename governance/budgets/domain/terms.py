"""The terms of an account: what happens to amounts above its budget, and when a finding is raised."""

from dataclasses import dataclass
from typing import Any

from governance.budgets.domain.ledger import BudgetMode
from weighbridge.core.errors import Invalid

STRICTNESS = {BudgetMode.OFF: 0, BudgetMode.OBSERVE: 1, BudgetMode.ENFORCE: 2}


@dataclass(frozen=True, kw_only=True)
class AccountTerms:
    """The mode of an account and its tolerance in percent."""

    mode: BudgetMode
    tolerance_percent: int

    @property
    def as_details(self) -> dict[str, Any]:
        """The terms as JSON."""
        return {"mode": self.mode.value, "tolerance_percent": self.tolerance_percent}

    def loosens(self, before: "AccountTerms") -> bool:
        """Whether these terms let more pass than the terms `before`: a weaker mode, or more tolerance."""
        is_weaker = STRICTNESS[self.mode] < STRICTNESS[before.mode]
        return is_weaker or self.tolerance_percent > before.tolerance_percent


def check_tolerance(percent: int) -> None:
    """Raise Invalid unless the tolerance is a share of the budget."""
    if not 0 <= percent <= 100:
        raise Invalid("The tolerance must be from 0 to 100 percent of the budget.", field="tolerance_percent")
