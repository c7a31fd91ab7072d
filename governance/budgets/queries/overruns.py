"""Reads of findings: what the system noticed and somebody must look into."""

from collections.abc import Iterable

from governance.budgets.models import BudgetAccount
from governance.findings.models import Finding


def accounts_of(rows: Iterable[Finding]) -> dict[int, BudgetAccount]:
    """The account each finding of a budget is that ran over is about, by the finding's number; its key ends in the
    account's.
    """
    ends = {row.pk: row.key.rpartition(":")[2] for row in rows if row.kind == "budget.overrun"}
    numbers = {pk: int(end) for pk, end in ends.items() if end.isdigit()}
    accounts = BudgetAccount.objects.select_related("center__team").in_bulk(set(numbers.values()))
    return {pk: accounts[number] for pk, number in numbers.items() if number in accounts}
