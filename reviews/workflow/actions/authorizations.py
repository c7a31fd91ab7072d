"""Authorizations: issue and sign them on approval; end them by time, breach or revocation; manage conditions."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.audit.queries.keys import signing_key
from governance.budgets.actions import budgets
from governance.budgets.domain.ledger import EntryKind
from governance.budgets.queries.budgets import lock_accounts
from governance.jobs.ticks import each_alone
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from governance.rulebook.queries.rulebook import policy_in
from reviews.authorizations.domain.authorization_states import (
    AUTHORIZATION_TERMINAL,
    IN_FORCE,
    AuthorizationState,
    check_authorization_transition,
)
from reviews.authorizations.domain.due_dates import check_due
from reviews.authorizations.domain.numbers import number_of
from reviews.authorizations.models import LIVING, Authorization, Condition, Decision
from reviews.authorizations.queries.due import due_authorizations, due_transition, has_overdue
from reviews.authorizations.queries.ends import end_by, terms_for
from reviews.authorizations.queries.standing import artifact_records
from reviews.authorizations.queries.superseded import superseded_by
from reviews.authorizations.rules import check_revoke
from reviews.feed.actions import publish
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import check_can_owe
from reviews.requests.queries.rulebook import fixed_policy_version
from reviews.snapshots.outbox import notify_parties
from reviews.snapshots.queries.allowed_steps import check_can_confirm, check_can_lift, check_can_revoke
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets import actions as ticket_actions
from reviews.workflow.queries.usage_limits import usage_limits
from weighbridge.core import attestation
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState

AT_ONCE = 50
ENDS = {
    AuthorizationState.EXPIRED: EntryKind.EXPIRE,
    AuthorizationState.REVOKED: EntryKind.RELEASE,
    AuthorizationState.SUPERSEDED: EntryKind.RELEASE,
}
"""The kind of ledger entry for the rest of the commitment when an authorization ends."""
TOLD = frozenset(AuthorizationState) - {AuthorizationState.ACTIVE, AuthorizationState.SUPERSEDED}
"""The states of which the requester, the owner of the model and the owners of conditions are told."""
LIFTED = "A later approval of the artifact lifted it."
REJECTED_LATER = "A later review of the artifact rejected it."
"""Without references: the requests may be of other teams."""


def issue(
    *,
    decision: Decision,
    conditions: Sequence[dict[str, Any]],
    lifted_ids: Collection[int] = (),
    approver_ids: Collection[int],
    by: User,
    now: datetime,
) -> Authorization:
    """Sign the permission to run the artifact. The caller has superseded the older ones.

    Open conditions of earlier authorizations of the artifact, by whichever team, apply to the new one too, except those
    that the approval lifts (`lifted_ids`).
    """
    request = decision.request
    digest, environment = request.model_version.digest, request.environment
    earlier = artifact_records(digest=digest, environment=environment, now=now).open_conditions
    carried = [condition for condition in earlier if condition.pk not in lifted_ids]
    terms_of_use = [*(_carried(condition) for condition in carried), *({**one, "set_by": by} for one in conditions)]
    with transaction.atomic():
        row = _signed(decision, terms_of_use, approver_ids, now)
        rows = [Condition.objects.create(authorization=row, **one) for one in terms_of_use]
        for condition, newer in zip(carried, rows, strict=False):
            condition.carried_to = newer
            condition.save(update_fields=["carried_to"])
        for condition in earlier:
            if condition.pk in lifted_ids:
                _lift(condition, LIFTED, by, now)
        details = {"statement": row.statement_digest, "expires_at": row.expires_at.isoformat()}
        _record("issued", row, by, now, details=details)
    return row


def _signed(
    decision: Decision, conditions: Sequence[dict[str, Any]], approver_ids: Collection[int], now: datetime
) -> Authorization:
    """Sign the statement of the decision, and store the authorization with it."""
    request, policy = decision.request, fixed_policy_version(decision.request)
    terms = terms_for(request.model_version, policy=policy_in(policy))
    number, limits = number_of(request.ref), usage_limits(request)
    expires_at = end_by(request.model_version, days=terms.valid_days, now=now)
    approvers = User.objects.filter(pk__in=approver_ids).order_by("username")
    grant = attestation.Grant(
        authorization=number,
        request=request.ref,
        decision=decision.outcome,
        environment=request.environment,
        issued_at=now,
        expires_at=expires_at,
        policy_name=policy.name,
        policy_version=policy.number,
        policy_digest=policy.digest,
        evidence_digest=decision.bundle_digest,
        conditions=[*(f"{one['text']} (by {one['due_on']:%Y-%m-%d})" for one in conditions), *limits.sentences],
        approvers=[person.username for person in approvers],
    )
    version = request.model_version
    statement = attestation.statement(subject_name=str(version), subject_digest=version.digest, grant=grant)
    return Authorization.objects.create(
        number=number,
        decision=decision,
        subject_digest=version.digest,
        environment=request.environment,
        issued_at=now,
        granted_until=expires_at,
        expires_at=expires_at,
        warn_at=expires_at - timedelta(days=terms.warn_days),
        tokens_per_month=limits.tokens,
        usd_per_month=limits.usd,
        envelope=attestation.sign(statement, private_key_pem=signing_key()),
        statement_digest=digest_of(statement),
    )


def revoke(*, authorization: Authorization, reason: str, by: User, now: datetime) -> Authorization:
    """Revoke an authorization: the gate denies from now on, and the rest of the commitment is released."""
    with transaction.atomic():
        lock_accounts(Q(entries__request_ref=authorization.decision.request.ref))
        row = _locked(authorization)
        check_can_revoke(row, person=person_of(by))
        if not reason.strip():
            raise Invalid("Enter why the authorization is revoked.", field="reason")
        _end(row, AuthorizationState.REVOKED, by, now, reason)
        _publish(row, by, now)
    return row


def supersede(*, request: ReviewRequest, by: User, now: datetime) -> None:
    """End the authorizations that the approval of the request replaces. The caller has locked them and the accounts."""
    with transaction.atomic():
        for row in superseded_by(request).select_for_update():
            _end(row, AuthorizationState.SUPERSEDED, by, now, "A newer authorization covers the same artifact.")


def revoke_rejected(*, request: ReviewRequest, by: User, now: datetime) -> None:
    """Revoke every authorization of the artifact of a rejected request. The caller has locked them and the accounts."""
    living = Authorization.objects.exclude(state__in=AUTHORIZATION_TERMINAL)
    with transaction.atomic():
        rows = living.filter(subject_digest=request.model_version.digest, environment=request.environment)
        for row in rows.order_by("pk"):
            _end(row, AuthorizationState.REVOKED, by, now, REJECTED_LATER)


def add_condition(
    *, authorization: Authorization, text: str, owner: User, due_on: date, by: User, now: datetime
) -> Condition:
    """Add a condition to an authorization in force, which is suspended if it is not met when due.

    Raises Invalid if the owner may not see the request.
    """
    check_revoke(person_of(by))
    check_due(due_on, today=now.date(), field="due_on")
    with transaction.atomic():
        row = _locked(authorization)
        if row.state not in IN_FORCE:
            raise WrongState(f"{row.number} is {row.state}; conditions can only be added to an authorization in force.")
        check_can_owe(owner, request=row.decision.request, field="owner")
        condition = Condition.objects.create(authorization=row, text=text[:400], owner=owner, due_on=due_on, set_by=by)
        details = {"owner": owner.username, "due_on": due_on.isoformat()}
        _record("obliged", row, by, now, details=details, reason=text)
        _publish(row, by, now)
    return condition


def confirm_condition(*, condition: Condition, by: User, now: datetime) -> Condition:
    """Confirm that a condition is met. When no condition is overdue any more, a suspension ends."""
    with transaction.atomic():
        row = _locked(condition.authorization)
        condition = Condition.objects.get(pk=condition.pk)
        snapshot = snapshot_of(row.decision.request, now=now)
        check_can_confirm(snapshot, person=person_of(by), condition=condition)
        condition.met_at, condition.met_by = now, by
        condition.save(update_fields=["met_at", "met_by"])
        _record("condition_met", row, by, now, reason=condition.text)
        _end_suspension(row, by, now)
        _publish(row, by, now)
    return condition


def lift_condition(*, condition: Condition, reason: str, by: User, now: datetime) -> Condition:
    """Lift a condition that is not met. Only the person who set it may, with a reason."""
    with transaction.atomic():
        row = _locked(condition.authorization)
        condition = Condition.objects.select_related("set_by").get(pk=condition.pk)
        snapshot = snapshot_of(row.decision.request, now=now)
        check_can_lift(snapshot, person=person_of(by), condition=condition)
        check_reason(reason, why="Explain why the condition is lifted.")
        _lift(condition, reason, by, now)
        _end_suspension(row, by, now)
        _publish(row, by, now)
    return condition


def expire_due(*, by: User | None = None, now: datetime) -> list[Authorization]:
    """Expire authorizations past their end, warn before their end, suspend those with an overdue condition.

    At most 50 of each, due longest first, each in a transaction of its own; one that fails stops no other. An expired
    authorization releases the rest of its commitment. Calling this again changes nothing.
    """
    due = [pk for rows in due_authorizations(now=now) for pk in rows.values_list("pk", flat=True)[:AT_ONCE]]
    return each_alone(lambda pk: _follow_time(pk, by, now), dict.fromkeys(due))


def _follow_time(pk: int, by: User | None, now: datetime) -> Authorization | None:
    """Make the transition that is due. None if there is none any more, or another process has locked the row."""
    living = Authorization.objects.filter(LIVING, pk=pk)
    with transaction.atomic():
        ref = living.filter(expires_at__lte=now).values_list("decision__request__ref", flat=True).first()
        if ref is not None:
            lock_accounts(Q(entries__request_ref=ref))
        row = living.select_for_update(skip_locked=True).first()
        target, reason = due_transition(row, now=now) if row is not None else (None, "")
        if row is None or target is None or (target in ENDS) != (ref is not None):
            return None  # or its end was moved before the row was locked: the next tick sees the new one
        move = _end if ref is not None else _move
        move(row, target, by, now, reason)
        _publish(row, by, now)
    return row


def _end_suspension(row: Authorization, by: User, now: datetime) -> None:
    if row.state == AuthorizationState.SUSPENDED and not has_overdue(row, now=now):
        _move(row, AuthorizationState.ACTIVE, by, now, "No condition is overdue any more.")


def _carried(condition: Condition) -> dict[str, Any]:
    return {name: getattr(condition, name) for name in ("text", "owner", "due_on", "set_by")}


def _lift(condition: Condition, reason: str, by: User, now: datetime) -> None:
    condition.lifted_at, condition.lifted_by = now, by
    condition.save(update_fields=["lifted_at", "lifted_by"])
    details = {"condition": condition.text, "set_by": condition.set_by.username}
    _record("condition_lifted", condition.authorization, by, now, details=details, reason=reason)


def _end(row: Authorization, target: AuthorizationState, by: User | None, now: datetime, reason: str) -> None:
    """End the authorization and release the rest of its commitment. The caller has locked the accounts."""
    _move(row, target, by, now, reason)
    ref, key = row.decision.request.ref, f"{row.number}:{target.value}"
    budgets.release_commitment(ref=ref, key=key, kind=ENDS[target], by=by, now=now)


def _locked(authorization: Authorization) -> Authorization:
    return Authorization.objects.select_for_update().get(pk=authorization.pk)


def _move(row: Authorization, target: AuthorizationState, by: User | None, now: datetime, reason: str) -> None:
    source = AuthorizationState(row.state)
    check_authorization_transition(source=source, target=target)
    row.state = target
    row.save(update_fields=["state"])
    _record(target.value, row, by, now, details={"before": source.value, "after": target.value}, reason=reason)
    request, sentence = row.decision.request, f"{row.number}: {target.words}. {reason}"
    if target != AuthorizationState.PENDING_EXPIRATION:
        ticket_actions.notify_request_ticket(request=request, occasion="authorization", reason=sentence, by=by, now=now)
    if target in TOLD:
        notify_parties(
            request=request,
            kind="authorization_ends",
            key=f"authorization:{row.number}:{target.value}:{now.isoformat()}",
            sentence=sentence,
            more=[one.owner for one in row.conditions.select_related("owner")],
            by=by,
            now=now,
        )


def _publish(row: Authorization, by: User | None, now: datetime) -> None:
    publish(digest=row.subject_digest, environment=row.environment, by=by, now=now)


def _record(event: str, row: Authorization, by: User | None, now: datetime, **more: Any) -> None:
    audit.record(kind=f"authorization.{event}", by=by, subject=("authorization", row.number), now=now, **more)
