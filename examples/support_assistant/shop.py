"""The shop: 60 rules, five for each of 12 categories of goods, drawn from a seed."""

import dataclasses
import functools
import random

CATEGORIES = (
    "shoes",
    "phones",
    "books",
    "chairs",
    "headphones",
    "toys",
    "cosmetics",
    "garden tools",
    "bicycles",
    "watches",
    "kitchen knives",
    "lamps",
)
DEPARTMENTS = ("Returns", "Repairs", "Billing", "Delivery", "Sales")
DAYS = (7, 10, 14, 21, 28, 30, 45, 60, 90)
PRIORITIES = (1, 2, 3)
SHOP_SEED = 7
SEALED, OPENED, DAMAGED, LATE, BILLED = "sealed", "opened", "damaged", "late", "billed"
# Cases that a rule gives a department.
ROUTED = (DAMAGED, LATE, BILLED)


@dataclasses.dataclass(frozen=True)
class GoodsRules:
    """The rules of one category: days to return by case, department and priority by case."""

    category: str
    days: dict[str, int]
    departments: dict[str, str]
    priorities: dict[str, int]

    def rule(self, case: str) -> str:
        """Return the rule of a case as a sentence."""
        name = self.category
        sentences = {
            SEALED: f"Sealed {name}: return within {self.days.get(SEALED)} days.",
            OPENED: f"Opened {name}: return within {self.days.get(OPENED)} days.",
            DAMAGED: f"Damaged {name}: {self._route(DAMAGED)}.",
            LATE: f"Late {name}: {self._route(LATE)}.",
            BILLED: f"Wrong bill for {name}: {self._route(BILLED)}.",
        }
        return sentences[case]

    def _route(self, case: str) -> str:
        return f"{self.departments[case]}, priority {self.priorities[case]}"


@functools.cache
def policies(seed: int = SHOP_SEED) -> tuple[GoodsRules, ...]:
    """Return the policy of each category; within one, days and departments differ from case to case."""
    chance = random.Random(f"rules {seed}")  # noqa: S311 -- a generated shop, no secret
    found = []
    for category in CATEGORIES:
        longer, shorter = sorted(chance.sample(DAYS, 2), reverse=True)
        departments = dict(zip(ROUTED, chance.sample(DEPARTMENTS, len(ROUTED)), strict=True))
        priorities = dict(zip(ROUTED, chance.sample(PRIORITIES, len(ROUTED)), strict=True))
        found.append(GoodsRules(category, {SEALED: longer, OPENED: shorter}, departments, priorities))
    return tuple(found)


def rules(seed: int = SHOP_SEED) -> tuple[str, ...]:
    """Return all rules as sentences."""
    cases = (SEALED, OPENED, *ROUTED)
    return tuple(policy.rule(case) for policy in policies(seed) for case in cases)
