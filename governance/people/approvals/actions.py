"""Writes of changes that take two people: propose, confirm, refuse or withdraw, and expire."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.actions import record as audit
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.kinds import LISTENERS, check_confirm, check_refuse, kind_of
from governance.people.approvals.models import VALID, Change
from governance.people.approvals.queries import overdue
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from weighbridge.core.errors import NotAllowed, WrongState

AT_ONCE = 50


def propose(*, change: Change, reason: str, by: User, now: datetime) -> Change:
    """Propose an unsaved change. Another person must confirm it within seven days."""
    kind = kind_of(change)
    kind.may_propose(person_of(by), change)
    kind.check(change)
    check_reason(reason)
    expire(now=now)
    change.reason, change.proposed_by, change.proposed_at, change.expires_at = reason, by, now, now + VALID
    try:
        with transaction.atomic():
            change.save(force_insert=True)
            _record(change, by, now)
    except IntegrityError as error:
        already = "This change is already proposed. Confirm or refuse the existing proposal."
        raise WrongState(already, code="already_open") from error
    return change


def confirm(*, change: Change, by: User, now: datetime) -> Change:
    """Apply the change in one transaction, if its proposer may still propose it."""
    kind = kind_of(change)
    with transaction.atomic():
        kind.lock(change)
        row = _locked(change)
        check_confirm(person_of(by), row)
        _check_waiting(row)
        if row.expires_at <= now:
            raise WrongState(f"{row} was not confirmed by {row.expires_at:%Y-%m-%d %H:%M} UTC. Propose it again.")
        try:
            kind.may_propose(person_of(row.proposed_by), row)
        except NotAllowed as refusal:
            wrong = "The person who proposed this may no longer propose it."
            raise WrongState(f"{wrong} Refuse it, and propose it again.") from refusal
        _close(row, ChangeState.CONFIRMED, by, now)
        kind.apply(row, by, now)
        _record(row, by, now)
    return row


def refuse(*, change: Change, reason: str, by: User, now: datetime) -> Change:
    """Close a change without effect: refused, or withdrawn by its proposer."""
    with transaction.atomic():
        row = _locked(change)
        check_refuse(person_of(by), row)
        _check_waiting(row)
        check_reason(reason)
        is_own = row.proposed_by_id == by.pk
        _close(row, ChangeState.WITHDRAWN if is_own else ChangeState.REFUSED, by, now, reason)
        _record(row, by, now)
    return row


def expire(*, by: User | None = None, now: datetime) -> list[Change]:
    """Expire up to 50 changes that were not confirmed in time. Idempotent."""
    with transaction.atomic():
        rows = list(overdue(now=now).select_for_update(skip_locked=True).order_by("pk")[:AT_ONCE])
        for row in rows:
            _close(row, ChangeState.EXPIRED, None, now)
            _record(row, by, now)
    return rows


def _locked(change: Change) -> Change:
    return Change.objects.select_for_update().get(pk=change.pk)


def _check_waiting(row: Change) -> None:
    if row.state != ChangeState.PENDING:
        raise WrongState(f"{row} is {row.state}. Propose it again if it is still needed.")


def _close(row: Change, state: ChangeState, by: User | None, now: datetime, reason: str = "") -> None:
    row.state, row.closed_by, row.closed_at, row.closing_reason = state, by, now, reason
    row.save(update_fields=["state", "closed_by", "closed_at", "closing_reason"])


def _record(row: Change, by: User | None, now: datetime) -> None:
    if row.state == ChangeState.PENDING:
        word, reason, details = "proposed", row.reason, {"description": row.description, "expires_at": row.expires_at}
    else:
        word, reason = row.state, row.closing_reason
        details = {"description": row.description, "proposed_by": row.proposed_by.username}
    audit.record(kind=f"change.{word}", by=by, subject=("change", str(row)), details=details, reason=reason, now=now)
    for listener in LISTENERS:
        listener(row, by, now)
