"""Reads of findings about budgets."""

from collections.abc import Iterable

from governance.budgets.models import BudgetAccount
from governance.findings.models import Finding


def accounts_of(rows: Iterable[Finding]) -> dict[int, BudgetAccount]:
    """The account of each overrun finding, by the finding's ID. The key of the finding ends with the ID of the
    account.
    """
    ends = {row.pk: row.key.rpartition(":")[2] for row in rows if row.kind == "budget.overrun"}
    numbers = {pk: int(end) for pk, end in ends.items() if end.isdigit()}
    accounts = BudgetAccount.objects.select_related("center__team").in_bulk(set(numbers.values()))
    return {pk: accounts[number] for pk, number in numbers.items() if number in accounts}
