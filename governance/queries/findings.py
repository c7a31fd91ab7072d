"""Reads of findings: what the system noticed and somebody must look into."""

from collections.abc import Iterable

from django.db.models import QuerySet

from governance.domain.refusals import NotFound
from governance.domain.roles import Person
from governance.enums import FindingState
from governance.models import BudgetAccount, Finding
from governance.rules import may_read_findings


def listed(*, person: Person, state: str = "", kind: str = "") -> QuerySet[Finding]:
    """What the person may read, the newest first: everything, or what they own."""
    rows = Finding.objects.select_related("owner", "closed_by").order_by("-pk")
    if not may_read_findings(person):
        rows = rows.filter(owner_id=person.id) if person.is_active else rows.none()
    if state:
        rows = rows.filter(state=state)
    return rows.filter(kind__startswith=kind) if kind else rows


def find(*, finding_id: int, person: Person) -> Finding:
    """One finding, or NotFound, which is also the answer to whoever may not read it."""
    finding = listed(person=person).filter(pk=finding_id).first()
    if finding is None:
        raise NotFound(f"There is no finding {finding_id}.")
    return finding


def accounts_of(rows: Iterable[Finding]) -> dict[int, BudgetAccount]:
    """The account each finding of a budget is that ran over is about, by the finding's number; its key ends in the
    account's.
    """
    ends = {row.pk: row.key.rpartition(":")[2] for row in rows if row.kind == "budget.overrun"}
    numbers = {pk: int(end) for pk, end in ends.items() if end.isdigit()}
    accounts = BudgetAccount.objects.select_related("centre__team").in_bulk(set(numbers.values()))
    return {pk: accounts[number] for pk, number in numbers.items() if number in accounts}


def open_count(person: Person) -> int:
    """How many open findings the person may read."""
    return listed(person=person, state=FindingState.OPEN).count()
