"""Waivers: soft rules only, by a lead without a stake, for a while, and the policy is evaluated anew."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import Waiver
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import waivers
from tests.factories import requests as walks
from tests.factories.people import Cast, make_person
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

REASON = "The launch is small and watched by hand."
SOFT_RULE = """
  - id: peak-memory
    metric: peak_memory_mb
    comparator: at_most
    limit: 1
    unit: MB
    accept: [measured]
    effect: deny
    level: soft
    on_indeterminate: deny
    message: The model must fit on a device.
"""


@pytest.fixture
def strict(policy: PolicyVersion, now: datetime) -> PolicyVersion:
    """The default policy with a soft rule more, in force."""
    source = defaults.text_of(defaults.POLICY).replace("\nrules:\n", f"\nrules:{SOFT_RULE}", 1)
    return rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)


@pytest.fixture
def request_(strict: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    return walks.make_submitted(by=cast.author, now=now)


def test_a_waiver_lifts_a_soft_rule_until_it_runs_out(request_: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert EvidenceSnapshot(request_, now).policy_evaluation.outcome == "denied"
    waiver = waivers.grant(
        request=request_, rule_id="peak-memory", reason=REASON, valid_days=30, by=cast.approver, now=now
    )
    assert waiver.expires_at == now + timedelta(days=30)
    assert EvidenceSnapshot(request_, now).policy_evaluation.outcome == "review_required"
    status = {result.rule_id: result.status for result in EvidenceSnapshot(request_, now).policy_evaluation.results}
    assert status["peak-memory"] == "waived"
    assert EvidenceSnapshot(request_, now + timedelta(days=30)).waived == frozenset()
    assert EvidenceSnapshot(request_, now + timedelta(days=30)).policy_evaluation.outcome == "denied"
    assert request_.policy_evaluations.order_by("-pk").values_list("occasion", "outcome").first() == (
        "waiver",
        "review_required",
    )
    event = AuditEvent.objects.get(kind="rule.waived")
    assert (event.subject, event.reason, event.details) == (
        request_.ref,
        REASON,
        {"rule": "peak-memory", "valid_days": 30},
    )


@pytest.mark.parametrize(
    ("rule_id", "reason", "days", "error", "field"),
    [
        ("peak-memory", "short", 30, Invalid, "reason"),
        ("peak-memory", REASON, 0, Invalid, "valid_days"),
        ("peak-memory", REASON, 181, Invalid, "valid_days"),
        ("no-such-rule", REASON, 30, NotFound, "rule"),
        ("training-gpu-hours", REASON, 30, Invalid, "rule"),
    ],
)
def test_a_bad_waiver_is_refused_and_nothing_moves(
    request_: ReviewRequest, cast: Cast, now: datetime, rule_id: str, reason: str, days: int, error: type, field: str
) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(error) as refusal:
        waivers.grant(request=request_, rule_id=rule_id, reason=reason, valid_days=days, by=cast.approver, now=now)
    assert refusal.value.field == field
    assert (Waiver.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_only_a_lead_without_a_stake_waives(request_: ReviewRequest, cast: Cast, now: datetime) -> None:
    for person in (cast.author, cast.reviewer_one, cast.finance, cast.admin, cast.auditor, cast.outsider):
        with pytest.raises(NotAllowed):
            waivers.grant(request=request_, rule_id="peak-memory", reason=REASON, valid_days=5, by=person, now=now)
    inside = make_person("inside.lead", Role.PLATFORM_LEAD, now=now)
    people.grant_role(user=inside, role=Role.REQUESTER, team=request_.team, by=None, now=now)
    with pytest.raises(NotAllowed, match="no interest"):
        waivers.grant(request=request_, rule_id="peak-memory", reason=REASON, valid_days=5, by=inside, now=now)
    assert Waiver.objects.count() == 0


def test_a_frozen_request_takes_no_waiver(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    with pytest.raises(WrongState):
        waivers.grant(request=in_review, rule_id="peak-memory", reason=REASON, valid_days=5, by=cast.approver, now=now)


def test_a_waiver_is_never_changed(request_: ReviewRequest, cast: Cast, now: datetime) -> None:
    waivers.grant(request=request_, rule_id="peak-memory", reason=REASON, valid_days=5, by=cast.approver, now=now)
    for statement in ("UPDATE evidence_waiver SET rule_id = 'x'", "DELETE FROM evidence_waiver"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
