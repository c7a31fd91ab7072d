"""Writes of findings: raise, assign and close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from governance.findings.queries import find
from governance.findings.rules import check_assign_finding, check_close_finding, check_read_findings
from governance.notifications.domain.events import Occurrence
from governance.notifications.models import Notification
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, number_in, waits_while
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of, person_of
from governance.people.rules import may
from weighbridge.core.errors import Invalid, WrongState

NOTE_CHARS_MIN, NOTE_CHARS_MAX = 3, 2_000
NOTE_RULE = f"Describe in {NOTE_CHARS_MIN} to {NOTE_CHARS_MAX:,} characters what was done about it."
DUE_WITHIN = timedelta(days=366)

found_at("findings", find=lambda rest, person: find(finding_id=number_in(rest), person=person))


def _is_open(notice: Notification, person: Person, now: datetime) -> bool:
    """Whether the finding is still open."""
    prefix, _, rest = notice.key.partition(":")
    return prefix != "finding" or Finding.objects.filter(pk=rest.partition(":")[0], state=FindingState.OPEN).exists()


waits_while("finding_assigned", waits=_is_open)


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
            _notify_owner(finding, by, now)
    return finding


def assign(*, finding: Finding, owner: User, due_on: date, by: User, now: datetime) -> Finding:
    """Assign a finding to a person, with a due date within a year."""
    check_assign_finding(person_of(by))
    if not owner.is_active:
        raise Invalid(f"The account {owner.username} is closed.", field="owner")
    if due_on < now.date():
        raise Invalid("The due date of a finding must not be in the past.", field="due_on")
    if due_on > now.date() + DUE_WITHIN:
        raise Invalid("The due date of a finding must lie within a year from now.", field="due_on")
    with transaction.atomic():
        row = _open(finding)
        is_news, before = (row.owner_id, row.due_on) != (owner.pk, due_on), row.owner
        row.owner, row.due_on = owner, due_on
        row.save(update_fields=["owner", "due_on"])
        _record("assigned", row, by, now, details={"owner": owner.username, "due_on": due_on.isoformat()})
        if is_news:
            _notify_owner(row, by, now)
        if before is not None and before != owner:
            # Who was responsible may not be able to open the finding any more; everybody can open the inbox.
            path = f"/findings/{row.pk}/" if may(check_read_findings)(person_of(before)) else "/"
            _notify(row, before, f"{name_of(owner)} is responsible for it now.", by, now, path=path)
    return row


def assign_all(
    *,
    findings: Sequence[Finding],
    seen_owners: Mapping[int, int | None],
    owner: User,
    due_on: date,
    by: User,
    now: datetime,
) -> None:
    """Assign one or several findings to one person: all of them, or none if somebody assigned one meanwhile.

    `seen_owners` are the ids of the owners that `by` saw, by finding. All rows are locked, in a fixed order, before the
    first is recorded.
    """
    check_assign_finding(person_of(by))
    with transaction.atomic():
        wanted = [finding.pk for finding in findings]
        for row in Finding.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"):
            if row.owner_id not in {seen_owners[row.pk], owner.pk}:
                person = "nobody" if row.owner is None else name_of(row.owner)
                raise WrongState(f"Meanwhile {person} is responsible for {row}. Load the page again.")
        for finding in findings:
            assign(finding=finding, owner=owner, due_on=due_on, by=by, now=now)


def close(*, finding: Finding, note: str, by: User, now: datetime) -> Finding:
    """Close a finding with a note. It cannot be reopened."""
    check_close_finding(person_of(by), owner_id=finding.owner_id)
    if len(note.strip()) < NOTE_CHARS_MIN or len(note) > NOTE_CHARS_MAX:
        raise Invalid(NOTE_RULE, field="note")
    with transaction.atomic():
        row = _open(finding)
        check_close_finding(person_of(by), owner_id=row.owner_id)  # who may have changed meanwhile
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


def _notify_owner(row: Finding, by: User | None, now: datetime) -> None:
    if row.owner is not None:
        _notify(row, row.owner, f"{row.subject}: {row.text}", by, now)


def _notify(row: Finding, person: User, sentence: str, by: User | None, now: datetime, *, path: str = "") -> None:
    event = Occurrence(
        kind="finding_assigned",
        key=f"finding:{row.pk}:{now.isoformat()}",
        reference=str(row),
        path=path or f"/findings/{row.pk}/",
        sentence=sentence,
    )
    notify(event=event, people=[person], by=by, now=now)


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
