"""Reads of findings."""

from django.db.models import QuerySet

from governance.findings.models import Finding
from governance.findings.rules import may_read_findings
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotFound


def listed(*, person: Person, state: str = "", kind: str = "") -> QuerySet[Finding]:
    """Findings that the person may read, newest first: all, or their own."""
    rows = Finding.objects.select_related("owner", "closed_by").order_by("-pk")
    if not may_read_findings(person):
        rows = rows.filter(owner_id=person.id) if person.is_active else rows.none()
    if state:
        rows = rows.filter(state=state)
    return rows.filter(kind__startswith=kind) if kind else rows


def find(*, finding_id: int, person: Person) -> Finding:
    """One finding. Raises NotFound if it does not exist or the person may not read it."""
    finding = listed(person=person).filter(pk=finding_id).first()
    if finding is None:
        raise NotFound(f"There is no finding {finding_id}.")
    return finding
