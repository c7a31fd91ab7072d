"""Changes of what binds people: publishing a policy or a checklist, granting a role that judges, spends or administers.

One person proposes, another confirms, who neither proposed nor gains. On the server alone an operator does without.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.actions import record as audit
from governance.people.actions import people
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.models import VALID, RuleChange
from governance.people.approvals.rules import check_confirm_change, check_refuse_change
from governance.people.domain.roles import BINDING, Role
from governance.people.models import RoleGrant
from governance.people.queries.people import person_of
from governance.people.rules import check_manage_people
from governance.rulebook import actions as rulebook
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.rules import check_propose_publication
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

REASON_CHARS_MIN, REASON_CHARS_MAX = 10, 2_000


def propose_publication(
    *, version: PolicyVersion | ChecklistVersion, reason: str, by: User, now: datetime
) -> RuleChange:
    """Propose to put a draft in force; an administrator who neither wrote nor proposed it confirms."""
    check_propose_publication(person_of(by))
    version.refresh_from_db(fields=["state"])
    if version.state != DocumentState.DRAFT:
        raise WrongState(f"{version} is {version.state}; only a draft can be published.")
    subject = {"policy": version} if isinstance(version, PolicyVersion) else {"checklist": version}
    return _propose(RuleChange(**subject), reason, by, now)


def propose_grant(*, user: User, role: Role, reason: str, by: User, now: datetime) -> RuleChange:
    """Propose a role that binds people for somebody else; another administrator confirms."""
    check_manage_people(person_of(by), user_id=user.pk)
    if role not in BINDING:
        raise Invalid(f"The role {role.label.lower()} binds nobody, so one administrator grants it.", field="role")
    if not user.is_active:
        raise Invalid(f"The account {user.username} is closed.", field="user")
    if RoleGrant.objects.filter(user=user, role=role.value).exists():
        raise Invalid(f"{user.username} holds that role already.", field="role")
    return _propose(RuleChange(user=user, role=role.value), reason, by, now)


def confirm(*, change: RuleChange, by: User, now: datetime) -> RuleChange:
    """Put the change in force, all of it or nothing, if its proposer still may propose it."""
    with transaction.atomic():
        row = _waiting(change)
        check_confirm_change(person_of(by), proposed_by_id=row.proposed_by_id, gaining_ids=row.gaining_ids)
        if row.expires_at <= now:
            raise WrongState(f"Nobody confirmed {row} by {row.expires_at:%Y-%m-%d %H:%M} UTC; propose it anew.")
        _check_proposer(row)
        _close(row, ChangeState.CONFIRMED, by, now)
        _apply(row, by, now)
        _record(row, by, now)
    return row


def refuse(*, change: RuleChange, reason: str, by: User, now: datetime) -> RuleChange:
    """Close a proposal without effect: refused by an administrator, or withdrawn by whoever proposed it."""
    _check_reason(reason)
    with transaction.atomic():
        row = _waiting(change)
        check_refuse_change(person_of(by), proposed_by_id=row.proposed_by_id)
        is_own = row.proposed_by_id == by.pk
        _close(row, ChangeState.WITHDRAWN if is_own else ChangeState.REFUSED, by, now, reason)
        _record(row, by, now)
    return row


def expire(*, by: User | None = None, now: datetime) -> list[RuleChange]:
    """Close what nobody confirmed in time; harmless when repeated."""
    with transaction.atomic():
        overdue = RuleChange.objects.filter(state=ChangeState.PENDING, expires_at__lte=now)
        rows = list(overdue.select_for_update(skip_locked=True).order_by("pk"))
        for row in rows:
            _close(row, ChangeState.EXPIRED, None, now)
            _record(row, by, now)
    return rows


def _propose(row: RuleChange, reason: str, by: User, now: datetime) -> RuleChange:
    _check_reason(reason)
    expire(now=now)
    row.reason, row.proposed_by, row.proposed_at, row.expires_at = reason, by, now, now + VALID
    with _one_open(), transaction.atomic():
        row.save(force_insert=True)
        details = {"what": row.what, "expires_at": row.expires_at}
        audit.record(
            kind="change.proposed", by=by, subject=("change", str(row)), details=details, reason=reason, now=now
        )
    return row


@contextmanager
def _one_open() -> Iterator[None]:
    """The database refuses a second open proposal of the same thing; say so in words."""
    try:
        yield
    except IntegrityError as error:
        raise WrongState(
            "This is proposed already and waits for a second person; confirm or refuse that one."
        ) from error


def _waiting(change: RuleChange) -> RuleChange:
    row = RuleChange.objects.select_for_update().get(pk=change.pk)
    if row.state != ChangeState.PENDING:
        raise WrongState(f"{row} is {row.state}; propose it anew if it is still wanted.")
    return row


def _check_proposer(row: RuleChange) -> None:
    person = person_of(row.proposed_by)
    try:
        if row.version is not None:
            check_propose_publication(person)
        else:
            check_manage_people(person, user_id=row.user_id)
    except NotAllowed as refusal:
        raise WrongState("Whoever proposed this may not do so any more; refuse it, and propose it anew.") from refusal


def _apply(row: RuleChange, by: User, now: datetime) -> None:
    if row.policy is not None:
        rulebook.publish(version=row.policy, by=by, now=now)
    elif row.checklist is not None:
        rulebook.publish(version=row.checklist, by=by, now=now)
    else:
        assert row.user is not None  # noqa: S101 -- the database says so
        people.grant_role(user=row.user, role=Role(row.role), change=row, by=by, now=now)


def _close(row: RuleChange, state: ChangeState, by: User | None, now: datetime, reason: str = "") -> None:
    row.state, row.closed_by, row.closed_at, row.closing_reason = state, by, now, reason
    row.save(update_fields=["state", "closed_by", "closed_at", "closing_reason"])


def _record(row: RuleChange, by: User | None, now: datetime) -> None:
    details = {"what": row.what, "proposed_by": row.proposed_by.username}
    subject, reason = ("change", str(row)), row.closing_reason
    audit.record(kind=f"change.{row.state}", by=by, subject=subject, details=details, reason=reason, now=now)


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < REASON_CHARS_MIN:
        raise Invalid(f"Say why in at least {REASON_CHARS_MIN} characters.", field="reason")
    if len(reason) > REASON_CHARS_MAX:
        raise Invalid(
            f"The reason has {len(reason):,} characters; at most {REASON_CHARS_MAX:,} are kept.", field="reason"
        )
