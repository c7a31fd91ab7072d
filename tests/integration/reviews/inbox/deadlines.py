"""Every date and time of the tables: the deadlines, each with an object that has it, and why the others are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance.findings.actions import Sighting, assign, raise_once
from governance.findings.enums import Severity
from governance.inventory.domain.retirement import Announcement
from governance.people.actions import people
from governance.people.models import ApiToken
from reviews.authorizations.models import Condition
from reviews.evidence.models import MetricRecord
from reviews.inbox.domain import InboxKind, end_of
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import retirements, waivers
from tests.factories import requests as walks
from tests.factories.cycles import make_action, make_collecting
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.governance.budgets.audited import changed

DAY = timedelta(days=1)
Make = Callable[[Cast, datetime], datetime]


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A deadline: `make` makes an object with it and returns its clock.

    `owners` have it in their inbox, as an entry of `kind`; `stand_in` has it also when all of them are away. After the
    deadline the object `stays` until somebody acts, or it has ended by itself. Some end with the account of the owner.
    """

    kind: InboxKind
    make: Make
    owners: tuple[str, ...]
    stand_in: str
    stays: bool = False
    ends_with_account: bool = False


def _token(cast: Cast, now: datetime) -> datetime:
    people.create_token(user=cast.author, valid_days=90, by=None, now=now)
    row = ApiToken.objects.get()
    assert row.expires_at is not None
    return row.expires_at


def _finding(cast: Cast, now: datetime) -> datetime:
    due_on = now.date() + 9 * DAY
    sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key="over")
    finding = raise_once(sighting=sighting, by=None, now=now)
    assign(finding=finding, owner=cast.author, due_on=due_on, by=cast.finance, now=now)
    return end_of(due_on)


def _retirement(cast: Cast, now: datetime) -> datetime:
    day = now.date() + 7 * DAY
    announcement = Announcement(retires_on=day, source="The vendor's page of retirements.")
    version = make_version(by=cast.author, now=now)
    retirements.announce(version=version, announcement=announcement, reason="It says so.", by=cast.author, now=now)
    retirements.warn(now=now)
    return end_of(day)


def _answer(cast: Cast, now: datetime) -> datetime:
    request = walks.make_submitted(by=cast.author, now=now)
    assert request.deadline_at is not None
    return request.deadline_at


def _grace(cast: Cast, now: datetime) -> datetime:
    request = walks.make_in_review(cast=cast, now=now)
    assert request.grace_ends_at is not None
    return request.grace_ends_at


def _clearance(cast: Cast, now: datetime) -> datetime:
    """A clearance has no grace."""
    request, end = walks.make_submitted(by=cast.author, now=now, environment="dev"), now + 60 * DAY
    times = {"deadline_at": end, "grace_ends_at": end}
    ReviewRequest.objects.filter(pk=request.pk).update(state="cleared", **times)
    return end


def _authorization(cast: Cast, now: datetime) -> datetime:
    expires_at: datetime = walks.make_decided(cast=cast, now=now).decision.authorization.expires_at
    return expires_at


def _condition(cast: Cast, now: datetime) -> datetime:
    authorization, due_on = walks.make_decided(cast=cast, now=now).decision.authorization, now.date() + 9 * DAY
    promise = {"owner": cast.author, "due_on": due_on, "set_by": cast.approver}
    Condition.objects.create(authorization=authorization, text="Publish the bill.", **promise)
    return end_of(due_on)


def _waiver(cast: Cast, now: datetime) -> datetime:
    request = walks.make_submitted(by=cast.author, now=now)
    terms = {"rule_id": "business-gain-prod", "reason": "It saves energy, not money.", "valid_days": 9}
    return waivers.grant(request=request, **terms, by=cast.approver, now=now).expires_at


def _value(cast: Cast, now: datetime) -> datetime:
    request = walks.make_submitted(by=cast.author, now=now)
    value = MetricRecord.objects.get(request=request, name="total_cost_1y_usd")
    value.pk, value.valid_until = None, now + 9 * DAY
    value.save(force_insert=True)
    return now + 9 * DAY


def _cut_off(cast: Cast, now: datetime) -> datetime:
    return make_collecting(now=now).cut_off_at


def _action(cast: Cast, now: datetime) -> datetime:
    due_on: date = make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now).asset).due_on
    return end_of(due_on)


AUTHOR, LEADS = ("author",), ("approver", "product")
REQUEST, EVIDENCE = InboxKind.REQUEST, InboxKind.EVIDENCE
DEADLINES: Mapping[str, Deadline] = {
    "people.ApiToken.expires_at": Deadline(
        kind=InboxKind.TOKEN, make=_token, owners=AUTHOR, stand_in="admin", ends_with_account=True
    ),
    "approvals.Change.expires_at": Deadline(
        kind=InboxKind.CHANGE,
        make=lambda cast, now: changed(cast, now).expires_at,
        owners=("finance",),
        stand_in="approver",
    ),
    "findings.Finding.due_on": Deadline(
        kind=InboxKind.FINDING, make=_finding, owners=AUTHOR, stand_in="finance", stays=True
    ),
    "inventory.ModelVersion.ends_on": Deadline(
        kind=InboxKind.FINDING, make=_retirement, owners=AUTHOR, stand_in="finance", stays=True
    ),
    "requests.ReviewRequest.deadline_at": Deadline(kind=REQUEST, make=_answer, owners=AUTHOR, stand_in="approver"),
    "requests.ReviewRequest.grace_ends_at": Deadline(
        kind=InboxKind.VOTE,
        make=_grace,
        owners=("reviewer_one", "reviewer_two"),
        stand_in="approver",
    ),
    "requests.ReviewRequest.deadline_at of a clearance": Deadline(
        kind=REQUEST, make=_clearance, owners=AUTHOR, stand_in="approver"
    ),
    "authorizations.Authorization.expires_at": Deadline(
        kind=InboxKind.AUTHORIZATION, make=_authorization, owners=AUTHOR, stand_in="approver"
    ),
    "authorizations.Condition.due_on": Deadline(
        kind=InboxKind.CONDITION, make=_condition, owners=AUTHOR, stand_in="reviewer_one", stays=True
    ),
    "evidence.Waiver.expires_at": Deadline(kind=EVIDENCE, make=_waiver, owners=AUTHOR, stand_in="approver"),
    "evidence.MetricRecord.valid_until": Deadline(kind=EVIDENCE, make=_value, owners=AUTHOR, stand_in="approver"),
    "quarterly.ReviewCycle.cut_off_at": Deadline(
        kind=InboxKind.REVIEW, make=_cut_off, owners=("approver",), stand_in="product"
    ),
    "quarterly.ActionItem.due_on": Deadline(
        kind=InboxKind.ACTION_ITEM, make=_action, owners=AUTHOR, stand_in="approver", stays=True
    ),
}
PAST = "It says when something happened, or what a figure is for."
JOB = "A worker or the tick acts then; a job that fails stands in the inbox of operators or of whoever started it."
COPY = "It repeats the deadline of another row, which stands in an inbox."
LOGIN = "A browser or a library renews it at the next log-in."
NONE: Mapping[str, str] = {
    "sessions.Session.expire_date": LOGIN,
    "socialaccount.SocialToken.expires_at": LOGIN,
    "absences.Absence.starts_on": "Nobody has to do anything on that day.",
    "absences.Absence.ends_on": "The person is back on the day after it, and nobody has to do anything.",
    "notifications.TeamWebhook.previous_until": "Whoever replaces the secret is told the day at once. A receiver that "
    "still has the old secret refuses calls, and messages that fail stand in the inbox of operators.",
    "notifications.Notification.until": COPY,
    "notifications.Notification.meets_at": "The appointment of a meeting, which the quarterly review lists.",
    "inbox.Reminder.due_at": COPY,
    "feed.FeedEntry.allowed_until": COPY,
    "authorizations.Authorization.granted_until": "It is signed; `expires_at`, which is never later, is what counts.",
    "authorizations.Authorization.suspends_on": "It is the first due date of its open conditions.",
    "authorizations.Authorization.warn_at": "From then on `expires_at` stands in an inbox.",
    "authorizations.Authorization.denied_until": "The gate allows the artifact again by itself, with the next month.",
    "quarterly.MeetingDecision.due_on": "It is that of its action item.",
    "quarterly.ReviewCycle.planned_at": PAST,
    "quarterly.ReviewCycle.collecting_at": JOB,
    "tickets.OAuthGrant.expires_at": "The tick renews the access; a site that refuses it stops the outbox, which "
    "stands in the inbox of operators.",
    "load_tests.LoadTest.starts_at": JOB,
    "bills.BillSlice.period": PAST,
    "bills.BillSlice.period_end": PAST,
    "bills.SpendLine.period": PAST,
    "bills.SpendLine.day": PAST,
    "bills.MonthSum.month": PAST,
    "bills.ExchangeRate.on": PAST,
    "evidence.Traffic.month": PAST,
    "workloads.UsageRecord.day": PAST,
}
"""The fields that are no deadlines, and why."""
PASTS = (
    *("action_time", "added_at", "answered_at", "at", "before_at", "booked_at", "cast_at", "chosen_at"),
    *("claimed_at", "closed_at", "created", "created_at", "data_since", "date_joined", "decided_at", "drawn_at"),
    *("ended_at", "evaluated_at", "extended_at", "finished_at", "first_seen_at", "frozen_at", "gathered_at"),
    *("gone_at", "governed_at", "granted_at", "held_at", "imported_at", "issued_at", "judged_at", "kept_at"),
    *("last_login", "last_seen_at", "last_used_at", "lifted_at", "linked_at", "looked_at", "made_at"),
    *("mentioned_at", "met_at", "moved_at", "noted_at", "observed_at", "opened_at", "proposed_at"),
    *("published_at", "read_at", "received_at", "registered_at", "remote_updated_at", "removed_at", "retired_at"),
    *("review_opened_at", "revoked_at", "saved_at", "sent", "sent_at", "set_at", "since", "started_at"),
    *("stated_at", "submitted_at", "supplied_at", "taken_at", "taken_back_at", "tested_at", "updated_at"),
    *("used_at", "viewed_at", "webhook_at", "withdrawn_at", "written_at"),
)
"""Names that say, in every table, when something happened."""
MACHINES = ("lease_until", "next_attempt_at")
"""Names that are, in every table, times at which a machine acts."""
