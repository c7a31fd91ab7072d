"""Waivers: a platform lead lets a request not meet a soft rule, or not answer an item, for a limited time."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from governance.rulebook.domain.policy import WaiverLevel
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.models import Waiver
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import fixed_policy_version
from reviews.snapshots.queries.allowed_steps import check_can_waive
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.errors import Invalid, NotFound

VALID_DAYS_MAX = 180


def grant(
    *,
    request: ReviewRequest,
    rule_id: str = "",
    item_id: str = "",
    reason: str,
    valid_days: int,
    by: User,
    now: datetime,
) -> Waiver:
    """Waive a soft rule for this request, or a checklist item that does not apply, and evaluate the policy again."""
    with transaction.atomic():
        row = lock(request)
        snapshot = snapshot_of(row, now=now)
        check_can_waive(snapshot, person=person_of(by))
        _check_terms(reason, valid_days)
        if bool(rule_id) == bool(item_id):
            raise Invalid("Name either a rule of the policy or an item of the checklist.", field="rule")
        if rule_id:
            _check_soft(row, rule_id)
        else:
            _check_item(snapshot, item_id)
        waiver = Waiver.objects.create(
            request=row,
            rule_id=rule_id,
            item_id=item_id,
            reason=reason,
            granted_by=by,
            granted_at=now,
            expires_at=now + timedelta(days=valid_days),
        )
        waived = {"rule": rule_id} if rule_id else {"item": item_id}
        kind = "rule.waived" if rule_id else "item.waived"
        record(kind=kind, request=row, by=by, now=now, details={**waived, "valid_days": valid_days}, reason=reason)
        screening.evaluate_again(request=row, occasion="waiver", now=now)
    return waiver


def _check_terms(reason: str, valid_days: int) -> None:
    check_reason(reason)
    if not 1 <= valid_days <= VALID_DAYS_MAX:
        raise Invalid(f"A waiver lasts 1 to {VALID_DAYS_MAX} days.", field="valid_days")


def _check_soft(request: ReviewRequest, rule_id: str) -> None:
    rule = next((rule for rule in policy_in(fixed_policy_version(request)).rules if rule.id == rule_id), None)
    if rule is None:
        raise NotFound(f"The policy of this request has no rule {rule_id!r}.", field="rule")
    if rule.level is not WaiverLevel.SOFT:
        raise Invalid(
            f"The rule {rule_id} is hard: it must be met and cannot be waived.", code="hard_rule", field="rule"
        )


def _check_item(snapshot: RequestSnapshot, item_id: str) -> None:
    item = next((row.item for row in snapshot.evidence.checklist if row.item.id == item_id), None)
    if item is None:
        raise NotFound(f"The checklist of this request has no item {item_id!r}.", field="item")
    if not item.may_waive:
        text = f"“{item.title}” always applies: the checklist does not let anybody waive it."
        raise Invalid(text, code="item_always_applies", field="item")
