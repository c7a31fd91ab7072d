"""Waivers: time-limited permission, granted by a platform lead, not to meet a soft rule."""

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
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.errors import Invalid, NotFound

VALID_DAYS_MAX = 180


def grant(*, request: ReviewRequest, rule_id: str, reason: str, valid_days: int, by: User, now: datetime) -> Waiver:
    """Waive a soft rule for this request, and evaluate the policy again."""
    with transaction.atomic():
        row = lock(request)
        check_can_waive(snapshot_of(row, now=now), person=person_of(by))
        _check_terms(reason, valid_days)
        _check_soft(row, rule_id)
        expires_at = now + timedelta(days=valid_days)
        waiver = Waiver.objects.create(
            request=row, rule_id=rule_id, reason=reason, granted_by=by, granted_at=now, expires_at=expires_at
        )
        details = {"rule": rule_id, "valid_days": valid_days}
        record(kind="rule.waived", request=row, by=by, now=now, details=details, reason=reason)
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
