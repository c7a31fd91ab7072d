"""Kinds of changes of what binds people: publishing rules, granting a role that judges, spends or administers.

On the server alone an operator does without a second person.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.kinds import ChangeKind, check_confirm, check_refuse, kind_of, register
from governance.people.approvals.models import VALID, Change
from governance.people.approvals.queries import NONE
from governance.people.approvals.rules import may_read_changes
from governance.people.domain.roles import BINDING, Role
from governance.people.models import RoleGrant
from governance.people.queries.people import person_of
from governance.people.rules import check_manage_people
from governance.rulebook import actions as rulebook
from governance.rulebook.models import Document
from governance.rulebook.queries.rulebook import check_draft, version_of
from governance.rulebook.rules import check_propose_publication
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

NOBODY = (
    "Every administrator proposed it or gains by it. An operator grants the role to another person on the server: "
    "manage.py grant USER admin."
)


def propose_publication(*, version: Document, reason: str, by: User, now: datetime) -> Change:
    """Propose to put a draft in force; whoever may publish it, and neither wrote nor proposed it, confirms."""
    kind = Changed(type(version).__name__.removesuffix("Version").lower())
    what, details = f"Publish the {kind.label.lower()} {version}", {"version": str(version)}
    change = Change(kind=kind, subject_id=version.pk, what=what, gains=version.written_by, details=details)
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def propose_grant(*, user: User, role: Role, reason: str, by: User, now: datetime) -> Change:
    """Propose a role that binds people for somebody else; another administrator confirms."""
    what = f"Give {user.get_full_name() or user.username} the role {role.label.lower()}"
    details = {"user": user.username, "role": role.value}
    change = Change(kind=Changed.ROLE, subject_id=user.pk, part=role.value, what=what, gains=user, details=details)
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _check_grant(change: Change) -> None:
    user, role = User.objects.get(pk=change.subject_id), Role(change.part)
    if role not in BINDING:
        raise Invalid(f"The role {role.label.lower()} binds nobody, so one administrator grants it.", field="role")
    if not user.is_active:
        raise Invalid(f"The account {user.username} is closed.", field="user")
    if RoleGrant.objects.filter(user=user, role=role.value).exists():
        raise Invalid(f"{user.username} holds that role already.", field="role")


def _grant(change: Change, by: User, now: datetime) -> None:
    user = User.objects.get(pk=change.subject_id)
    people.grant_role(user=user, role=Role(change.part), change=change, by=by, now=now)


def _publish(change: Change, by: User, now: datetime) -> None:
    version: Any = version_of(change)
    rulebook.publish(version=version, by=by, now=now)


_binding = partial(
    ChangeKind,
    confirmers=(Role.ADMIN,),
    visible=lambda person: Q() if may_read_changes(person) else NONE,
    nobody=NOBODY,
)
for _name in (Changed.POLICY, Changed.CHECKLIST):
    register(
        _binding(
            name=_name,
            may_propose=lambda person, _: check_propose_publication(person),
            check=lambda change: check_draft(version_of(change)),
            apply=_publish,
        )
    )
register(
    _binding(
        name=Changed.ROLE,
        may_propose=lambda person, change: check_manage_people(person, user_id=change.subject_id),
        check=_check_grant,
        apply=_grant,
    )
)

REASON_CHARS_MIN, REASON_CHARS_MAX = 10, 2_000


def propose(*, change: Change, reason: str, by: User, now: datetime) -> Change:
    """Propose a change that is not stored yet; somebody else confirms it within seven days."""
    kind = kind_of(change)
    kind.may_propose(person_of(by), change)
    kind.check(change)
    _check_reason(reason)
    expire(now=now)
    change.reason, change.proposed_by, change.proposed_at, change.expires_at = reason, by, now, now + VALID
    try:
        with transaction.atomic():
            change.save(force_insert=True)
            _record(change, by, now)
    except IntegrityError as error:
        raise WrongState(
            "This is proposed already and waits for a second person; confirm or refuse that one.", code="already_open"
        ) from error
    return change


def confirm(*, change: Change, by: User, now: datetime) -> Change:
    """Put the change in force, all of it or nothing, if its proposer still may propose it."""
    kind = kind_of(change)
    with transaction.atomic():
        kind.lock(change)
        row = _waiting(change)
        check_confirm(person_of(by), row)
        if row.expires_at <= now:
            raise WrongState(f"Nobody confirmed {row} by {row.expires_at:%Y-%m-%d %H:%M} UTC; propose it anew.")
        try:
            kind.may_propose(person_of(row.proposed_by), row)
        except NotAllowed as refusal:
            raise WrongState(
                "Whoever proposed this may not do so any more; refuse it, and propose it anew."
            ) from refusal
        _close(row, ChangeState.CONFIRMED, by, now)
        kind.apply(row, by, now)
        _record(row, by, now)
    return row


def refuse(*, change: Change, reason: str, by: User, now: datetime) -> Change:
    """Close a proposal without effect: refused, or withdrawn by whoever proposed it."""
    _check_reason(reason)
    with transaction.atomic():
        row = _waiting(change)
        check_refuse(person_of(by), row)
        is_own = row.proposed_by_id == by.pk
        _close(row, ChangeState.WITHDRAWN if is_own else ChangeState.REFUSED, by, now, reason)
        _record(row, by, now)
    return row


def expire(*, by: User | None = None, now: datetime) -> list[Change]:
    """Close what nobody confirmed in time; harmless when repeated."""
    with transaction.atomic():
        overdue = Change.objects.filter(state=ChangeState.PENDING, expires_at__lte=now)
        rows = list(overdue.select_for_update(skip_locked=True).order_by("pk"))
        for row in rows:
            _close(row, ChangeState.EXPIRED, None, now)
            _record(row, by, now)
    return rows


def _waiting(change: Change) -> Change:
    row = Change.objects.select_for_update().get(pk=change.pk)
    if row.state != ChangeState.PENDING:
        raise WrongState(f"{row} is {row.state}; propose it anew if it is still wanted.")
    return row


def _close(row: Change, state: ChangeState, by: User | None, now: datetime, reason: str = "") -> None:
    row.state, row.closed_by, row.closed_at, row.closing_reason = state, by, now, reason
    row.save(update_fields=["state", "closed_by", "closed_at", "closing_reason"])


def _record(row: Change, by: User | None, now: datetime) -> None:
    if row.state == ChangeState.PENDING:
        word, reason, details = "proposed", row.reason, {"what": row.what, "expires_at": row.expires_at}
    else:
        word, reason = row.state, row.closing_reason
        details = {"what": row.what, "proposed_by": row.proposed_by.username}
    audit.record(kind=f"change.{word}", by=by, subject=("change", str(row)), details=details, reason=reason, now=now)


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < REASON_CHARS_MIN or len(reason) > REASON_CHARS_MAX:
        raise Invalid(f"Say why in {REASON_CHARS_MIN} to {REASON_CHARS_MAX:,} characters.", field="reason")
