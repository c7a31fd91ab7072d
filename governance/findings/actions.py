"""Writes of findings: raise, assign and close."""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.findings.rules import check_assign_finding, check_close_finding
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, WrongState

NOTE_CHARS_MIN, NOTE_CHARS_MAX = 3, 2_000


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A detected problem. `key` identifies the finding; a recurrence has a new key."""

    kind: str
    subject: str
    text: str
    severity: Severity
    key: str
    source: str = ""
    owner: User | None = None
    due_on: date | None = None


def raise_once(*, sighting: Sighting, by: User | None, now: datetime) -> Finding:
    """Raise a finding, or return the existing one with the same key, open or closed."""
    with transaction.atomic():
        finding, is_new = Finding.objects.get_or_create(key=sighting.key, defaults={**vars(sighting), "opened_at": now})
        if is_new:
            details = {"subject": sighting.subject, "severity": sighting.severity.value}
            _record("raised", finding, by, now, details=details, reason=sighting.text)
    return finding


def assign(*, finding: Finding, owner: User, due_on: date, by: User, now: datetime) -> Finding:
    """Assign a finding to a person, with a due date."""
    check_assign_finding(person_of(by))
    if not owner.is_active:
        raise Invalid(f"The account {owner.username} is closed.", field="owner")
    if due_on < now.date():
        raise Invalid("The due date of a finding must not be in the past.", field="due_on")
    with transaction.atomic():
        row = _open(finding)
        row.owner, row.due_on = owner, due_on
        row.save(update_fields=["owner", "due_on"])
        _record("assigned", row, by, now, details={"owner": owner.username, "due_on": due_on.isoformat()})
    return row


def close(*, finding: Finding, note: str, by: User, now: datetime) -> Finding:
    """Close a finding with a note. It cannot be reopened."""
    check_close_finding(person_of(by), owner_id=finding.owner_id)
    if len(note.strip()) < NOTE_CHARS_MIN or len(note) > NOTE_CHARS_MAX:
        length = f"{NOTE_CHARS_MIN} to {NOTE_CHARS_MAX:,} characters"
        raise Invalid(f"Describe in {length} what was done about it.", field="note")
    with transaction.atomic():
        row = _open(finding)
        _close(row, note, by, now)
    return row


def resolve(*, finding: Finding, note: str, by: User | None = None, now: datetime) -> bool:
    """Close a finding that no longer applies, as the system (`by` None). Returns False if it was already closed."""
    with transaction.atomic():
        row = Finding.objects.select_for_update().get(pk=finding.pk)
        is_open = row.state == FindingState.OPEN
        if is_open:
            _close(row, note, by, now)
    return is_open


def _close(row: Finding, note: str, by: User | None, now: datetime) -> None:
    row.state, row.closed_at, row.closed_by, row.closing_note = FindingState.CLOSED, now, by, note
    row.save(update_fields=["state", "closed_at", "closed_by", "closing_note"])
    _record("closed", row, by, now, reason=note)


def _open(finding: Finding) -> Finding:
    row = Finding.objects.select_for_update().get(pk=finding.pk)
    if row.state != FindingState.OPEN:
        raise WrongState(f"{row} is closed. A finding cannot be reopened.")
    return row


def _record(
    word: str, row: Finding, by: User | None, now: datetime, *, details: dict[str, str] | None = None, reason: str = ""
) -> None:
    audit.record(kind=f"finding.{word}", by=by, subject=("finding", str(row)), details=details, reason=reason, now=now)
