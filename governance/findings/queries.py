"""Reads of findings."""

from django.db.models import QuerySet

from governance.exports.domain.tables import ExportTable
from governance.exports.queries import Columns, name_in, table_of
from governance.findings.models import Finding
from governance.findings.rules import may_read_findings
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotFound

OWNERS = ("mine", "none")
COLUMNS: Columns = {
    "Finding": str,
    "Kind": "kind",
    "Subject": "subject",
    "Text": "text",
    "Severity": "severity",
    "State": "state",
    "Responsible": name_in("owner"),
    "Due": "due_on",
    "Opened": "opened_at",
    "Closed": "closed_at",
    "Closed by": name_in("closed_by"),
    "What was done": "closing_note",
}


def listed(*, person: Person, state: str = "", kind: str = "", owner: str = "") -> QuerySet[Finding]:
    """Findings that the person may read, newest first: all, or their own. `owner` selects "mine" or "none"."""
    rows = Finding.objects.select_related("owner", "closed_by").order_by("-pk")
    if not may_read_findings(person):
        rows = rows.filter(owner_id=person.id) if person.is_active else rows.none()
    if state:
        rows = rows.filter(state=state)
    if owner in OWNERS:
        rows = rows.filter(owner_id=person.id if owner == "mine" else None)
    return rows.filter(kind__startswith=kind) if kind else rows


def table(*, person: Person, state: str = "", owner: str = "") -> ExportTable:
    """The findings that the person may read as a table."""
    return table_of("findings", columns=COLUMNS, rows=listed(person=person, state=state, owner=owner))


def find(*, finding_id: int, person: Person) -> Finding:
    """One finding. Raises NotFound if it does not exist or the person may not read it."""
    finding = listed(person=person).filter(pk=finding_id).first()
    if finding is None:
        raise NotFound(f"There is no finding {finding_id}.")
    return finding
