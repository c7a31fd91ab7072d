"""A vendor retires a model: permissions end with it, findings warn at 90, 30 and 7 days, a re-review is drafted."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.inventory.actions import inventory
from governance.inventory.actions.inventory import NewVersion
from governance.inventory.domain.retirement import Announcement
from governance.inventory.models import ModelVersion
from governance.inventory.queries import retirement_day, retirement_days
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization, ReReview
from reviews.feed.models import FeedEntry
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, retirements, review
from reviews.workflow.tasks import follow_retirements
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.models import make_version, onnx_bytes
from tests.factories.people import make_person
from tests.integration.reviews.workflow.test_races import at_once
from tests.integration.reviews.workflow.worlds import SMALL
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

WHY = "The vendor wrote it in its list of deprecations."


def said(day: date | None) -> Announcement:
    return Announcement(retires_on=day, source="https://vendor.test/deprecations")


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def announced(version: ModelVersion, days: int, *, by, now):
    """Announce that it retires so many days from now."""
    day = now.date() + timedelta(days=days)
    change = retirements.announce(version=version, announcement=said(day), reason=WHY, by=by, now=now)
    return day, change


def renewed(request):
    return ReviewRequest.objects.exclude(pk=request.pk)


@pytest.mark.django_db
def test_an_authorization_ends_with_the_model_and_gate_and_feed_follow(decided, cast, now):
    before = Authorization.objects.get()
    day, change = announced(decided.model_version, 100, by=cast.author, now=now)
    assert change is None
    row = Authorization.objects.get()
    assert (row.expires_at, row.state) == (start_of(day), "active")
    assert row.warn_at - before.warn_at == row.expires_at - before.expires_at
    assert row.envelope == before.envelope
    entry = FeedEntry.objects.latest("position")
    assert (entry.digest, entry.standing, entry.allowed_until) == (row.subject_digest, "authorized", start_of(day))
    event = AuditEvent.objects.get(kind="authorization.shortened")
    assert (event.actor, event.subject) == ("Author", row.number)
    assert event.details == {"before": before.expires_at.isoformat(), "after": row.expires_at.isoformat()}
    event = AuditEvent.objects.get(kind="model.retirement")
    assert (event.subject, event.reason) == ("search/visual-search", WHY)
    assert event.details == {
        "digest": row.subject_digest,
        "before": "never",
        "after": day.isoformat(),
        "source": "https://vendor.test/deprecations",
    }
    later = start_of(day) + timedelta(seconds=1)
    assert [one.state for one in authorizations.expire_due(now=later)] == ["expired"]
    answer = gate.decide(digest=row.subject_digest, environment="prod", person=person_of(cast.author), now=later)
    assert (answer.answer, answer.standing) == ("deny", "expired")


@pytest.mark.django_db
def test_an_end_that_another_moved_meanwhile_is_not_moved_twice(decided, cast, now, monkeypatch):
    announced(decided.model_version, 100, by=cast.author, now=now)
    before = everything()
    monkeypatch.setattr(retirements, "_misplaced", lambda days: [Authorization.objects.get().pk])
    assert retirements.settle_ends(now=now) == []
    assert everything() == before


@pytest.mark.django_db
def test_a_clearance_that_another_shortened_meanwhile_is_not_shortened_twice(policy, cast, now, monkeypatch):
    request = walks.make_submitted(by=cast.author, now=now, environment="dev", declared=SMALL, with_data=False)
    announced(request.model_version, 10, by=cast.author, now=now)
    before = everything()
    monkeypatch.setattr(retirements, "_misplaced_clearances", lambda days: [request.pk])
    assert retirements.settle_ends(now=now) == []
    assert everything() == before


@pytest.mark.django_db
def test_a_day_that_has_passed_ends_at_once(decided, cast, now):
    announced(decided.model_version, 0, by=cast.author, now=now)
    row = Authorization.objects.get()
    assert row.expires_at == row.issued_at + timedelta(seconds=1)
    authorizations.expire_due(now=row.expires_at)
    assert Authorization.objects.get().state == "expired"


@pytest.mark.django_db
def test_a_later_day_takes_two_people_and_never_extends_what_was_signed(decided, cast, now):
    signed = Authorization.objects.get()
    day, _ = announced(decided.model_version, 100, by=cast.author, now=now)
    later, change = announced(decided.model_version, 200, by=cast.author, now=now)
    assert isinstance(change, Change)
    follow_retirements(now)
    assert (ModelVersion.objects.get().ends_on, Authorization.objects.get().expires_at) == (day, start_of(day))
    for person in (cast.author, cast.admin):
        with refused(NotAllowed):
            approvals.confirm(change=change, by=person, now=now)
    approvals.confirm(change=change, by=cast.approver, now=now)
    assert ModelVersion.objects.get().ends_on == later
    follow_retirements(now)
    assert Authorization.objects.get().expires_at == start_of(later)
    assert FeedEntry.objects.latest("position").allowed_until == start_of(later)
    assert AuditEvent.objects.filter(kind="authorization.restored", actor="system").count() == 1
    change = retirements.announce(
        version=decided.model_version, announcement=said(None), reason=WHY, by=cast.author, now=now
    )
    assert change.details["after"] == "never"
    approvals.confirm(change=change, by=cast.approver, now=now)
    follow_retirements(now)
    row = Authorization.objects.get()
    assert (row.expires_at, row.warn_at) == (signed.expires_at, signed.warn_at)
    before = everything()
    follow_retirements(now)
    assert everything() == before


@pytest.mark.django_db
def test_an_ended_authorization_gets_no_time_back(decided, cast, now):
    day, _ = announced(decided.model_version, 100, by=cast.author, now=now)
    change = retirements.announce(
        version=decided.model_version, announcement=said(None), reason=WHY, by=cast.author, now=now
    )
    after = start_of(day) + timedelta(hours=1)
    authorizations.expire_due(now=after)
    approvals.confirm(change=change, by=cast.approver, now=now)
    follow_retirements(after)
    row = Authorization.objects.get()
    assert (row.state, row.expires_at) == ("expired", start_of(day))


@pytest.mark.django_db
def test_the_database_keeps_the_signed_end(decided, now):
    with pytest.raises(IntegrityError, match="never_beyond_the_grant"), transaction.atomic():
        Authorization.objects.update(expires_at=now + timedelta(days=4000))


@pytest.mark.django_db
def test_a_lead_of_the_team_is_no_second_person(decided, cast, team, now):
    announced(decided.model_version, 100, by=cast.author, now=now)
    _, change = announced(decided.model_version, 200, by=cast.author, now=now)
    lead = make_person("own_lead", Role.PLATFORM_LEAD, Role.REQUESTER, team=team, now=now)
    with refused(NotAllowed, match="gains by this change"):
        approvals.confirm(change=change, by=lead, now=now)


@pytest.mark.django_db
def test_a_confirmation_of_what_changed_meanwhile_is_refused(decided, cast, now):
    announced(decided.model_version, 100, by=cast.author, now=now)
    _, change = announced(decided.model_version, 200, by=cast.author, now=now)
    sooner, _ = announced(decided.model_version, 50, by=cast.author, now=now)
    with refused(WrongState, match=f"The day is {sooner} by now"):
        approvals.confirm(change=change, by=cast.approver, now=now)


@pytest.mark.django_db
def test_strangers_announce_nothing(decided, cast, now):
    everyone = {user.username: user for user in cast.everybody()}
    allowed = {"author", "approver"}
    for name in sorted(everyone.keys() - allowed):
        with refused(NotAllowed):
            announced(decided.model_version, 40, by=everyone[name], now=now)
    cast.approver.is_active = False
    with refused(NotAllowed):
        announced(decided.model_version, 40, by=cast.approver, now=now)


@pytest.mark.django_db
def test_an_announcement_without_reason_source_or_news_is_refused(decided, cast, now):
    version, day = decided.model_version, now.date() + timedelta(days=40)
    with refused(Invalid, field="reason"):
        retirements.announce(version=version, announcement=said(day), reason="no", by=cast.author, now=now)
    with refused(Invalid, field="source"):
        nowhere = Announcement(retires_on=day, source="")
        retirements.announce(version=version, announcement=nowhere, reason=WHY, by=cast.author, now=now)
    with refused(Invalid, field="retires_on", match="No retirement is announced"):
        retirements.announce(version=version, announcement=said(None), reason=WHY, by=cast.author, now=now)


@pytest.mark.django_db
def test_another_team_cannot_end_a_model_at_short_notice(decided, cast, now):
    """The other team registers the same file, to switch it off."""
    theirs = make_version(by=cast.outsider, team="ads", slug="theirs", now=now)
    with refused(NotAllowed, code="short_notice", field="retires_on"):
        announced(theirs, 29, by=cast.outsider, now=now)
    assert Authorization.objects.get().expires_at > start_of(now.date() + timedelta(days=200))
    announced(theirs, 29, by=cast.approver, now=now)
    assert Authorization.objects.get().expires_at == start_of(now.date() + timedelta(days=29))


@pytest.mark.django_db
def test_another_version_of_the_same_file_has_the_same_day(decided, cast, now):
    day, _ = announced(decided.model_version, 60, by=cast.author, now=now)
    again = make_version(by=cast.author, slug="visual-search", version="1.0.1", now=now)
    theirs = make_version(by=cast.outsider, team="ads", slug="theirs", now=now)
    assert (again.ends_on, theirs.ends_on) == (day, day)
    assert set(ModelVersion.objects.values_list("ends_on", flat=True)) == {day}
    event = AuditEvent.objects.filter(kind="model.retirement").latest("position")
    assert (event.details["source"], event.details["after"]) == ("version 1.0.0", day.isoformat())


@pytest.mark.django_db
def test_a_registered_day_counts_for_every_version_of_the_digest(cast, now):
    first = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    day = now.date() + timedelta(days=60)
    stated = kinds.MANAGED | {"retires_on": day.isoformat()}
    second = kinds.register(task="generation", subject=stated, version="2", by=cast.author, now=now)
    first.refresh_from_db()
    assert (first.digest, first.ends_on, second.ends_on) == (second.digest, day, day)
    near = kinds.MANAGED | {"retires_on": now.date().isoformat()}
    asset = inventory.NewAsset(team="ads", slug="a", name="A", tier="T1", task="generation", owner=cast.outsider)
    with refused(NotAllowed, code="short_notice"):
        inventory.register(entry=NewVersion(asset=asset, version="1", subject=near), by=cast.outsider, now=now)


@pytest.mark.django_db
def test_other_parameters_of_a_managed_model_do_not_outlive_it(cast, now):
    """A colleague registers the model again with another temperature and without the day."""
    first = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    day, _ = announced(first, 60, by=cast.author, now=now)
    warmer = kinds.MANAGED | {"parameters": {"temperature": 1}}
    second = kinds.register(task="generation", subject=warmer, version="2", by=cast.author, now=now)
    assert (second.digest != first.digest, second.ends_on) == (True, day)
    parts = [{"role": "answer", "subject": kinds.MANAGED | {"parameters": {"temperature": 2}}}]
    whole = kinds.register(
        task="retrieval", subject={"kind": "pipeline", "parts": parts}, slug="whole", by=cast.author, now=now
    )
    assert retirement_day(whole) == day
    assert {retirement_days()[each.digest] for each in (first, second, whole)} == {day}
    elsewhere = kinds.MANAGED | {"region": "us"}
    assert kinds.register(task="generation", subject=elsewhere, version="3", by=cast.author, now=now).ends_on is None
    moved, change = announced(second, 80, by=cast.author, now=now)
    approvals.confirm(change=change, by=cast.approver, now=now)
    first.refresh_from_db()
    assert first.ends_on == moved


@pytest.mark.django_db
def test_what_contains_a_retired_model_ends_with_it(decided, cast, now):
    model = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    ModelVersion.objects.filter(pk=decided.model_version_id).update(contained=[model.digest, *model.contained])
    day, _ = announced(model, 90, by=cast.author, now=now)
    assert Authorization.objects.get().expires_at == start_of(day)
    findings = retirements.warn(now=now)
    assert [(row.subject, row.owner) for row in findings] == [
        (f"Visual search 1.0.0 ({decided.decision.authorization.number})", cast.author),
        ("Subject 1", cast.author),
    ]
    assert "contains a model that its vendor retires" in findings[0].text
    # A request that is filed for the whole afterwards ends by the part, too.
    assert renewed(decided).get().title == f"Again: {decided.title}"


@pytest.mark.django_db
def test_findings_are_raised_once_at_90_30_and_7_days(decided, cast, now):
    day, _ = announced(decided.model_version, 91, by=cast.author, now=now)
    number, owner = decided.decision.authorization.number, decided.model_version.asset.owner
    follow_retirements(now)
    assert not Finding.objects.exists()
    raised = []
    for days in range(90, -3, -1):
        moment = start_of(day) - timedelta(days=days)
        for _ in range(2):
            raised += [(days, row.key.rpartition(":")[2], row.severity) for row in retirements.warn(now=moment)]
    assert raised == [(90, "90", "medium"), (30, "30", "medium"), (7, "7", "high")]
    assert set(Finding.objects.values_list("kind", "subject", "owner", "due_on")) == {
        ("model.retires", f"Visual search 1.0.0 ({number})", owner.pk, day)
    }
    assert ReReview.objects.count() == renewed(decided).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("jumped_to", "days"), [(25, "30"), (3, "7"), (-20, "7")])
def test_a_clock_that_jumped_raises_only_the_nearest(decided, cast, now, jumped_to, days):
    day, _ = announced(decided.model_version, 200, by=cast.author, now=now)
    (finding,) = retirements.warn(now=start_of(day) - timedelta(days=jumped_to))
    assert finding.key.endswith(f":{day}:{days}")
    # The clock jumps back: what was warned of is not warned of again from farther away.
    assert retirements.warn(now=start_of(day) - timedelta(days=80)) == []
    assert renewed(decided).count() == 1


@pytest.mark.django_db
def test_a_day_that_moves_is_warned_of_anew_with_one_re_review(decided, cast, now):
    announced(decided.model_version, 80, by=cast.author, now=now)
    assert len(retirements.warn(now=now)) == 1
    announced(decided.model_version, 60, by=cast.author, now=now)
    assert len(retirements.warn(now=now)) == 1
    assert Finding.objects.count() == 2
    assert ReReview.objects.count() == 1


@pytest.mark.django_db
def test_an_authorization_that_ended_meanwhile_is_not_warned_of(decided, cast, now):
    announced(decided.model_version, 20, by=cast.author, now=now)
    (dependent,) = retirements._dependents()
    row = Authorization.objects.get()
    authorizations.revoke(authorization=row, reason="It misbehaves.", by=cast.approver, now=now)
    assert retirements._warn(dependent, None, now) is None
    assert not Finding.objects.exists()


@pytest.mark.django_db
def test_an_authorization_that_ends_before_gets_a_finding_alone(decided, cast, now):
    row = Authorization.objects.get()
    day = row.expires_at.date() + timedelta(days=30)
    retirements.announce(version=decided.model_version, announcement=said(day), reason=WHY, by=cast.author, now=now)
    assert Authorization.objects.get().expires_at == row.expires_at
    (finding,) = retirements.warn(now=row.expires_at - timedelta(days=40))
    assert finding.kind == "model.retires"
    assert (ReReview.objects.count(), renewed(decided).count()) == (0, 0)


@pytest.mark.django_db
def test_what_was_made_from_it_is_warned_and_goes_on(decided, cast, now):
    base = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    entry = [{"relation": "distilled_from", "digest": base.digest}]
    asset = decided.model_version.asset
    upload = ContentFile(onnx_bytes(0), name="model.onnx")
    inventory.register(
        entry=NewVersion(asset=asset, version="1.0.1", upload=upload, lineage=entry), by=cast.author, now=now
    )
    before = Authorization.objects.get().expires_at
    announced(base, 20, by=cast.author, now=now)
    findings = retirements.warn(now=now)
    assert [row.subject for row in findings] == [
        "Subject 1",
        f"Visual search 1.0.0 ({decided.decision.authorization.number})",
    ]
    assert "was made from a model that its vendor retires" in findings[1].text
    assert Authorization.objects.get().expires_at == before
    assert ReReview.objects.count() == 0


@pytest.mark.django_db
def test_an_owner_whose_account_is_closed_owns_no_finding(decided, cast, now):
    announced(decided.model_version, 5, by=cast.author, now=now)
    cast.author.is_active = False
    cast.author.save()
    (finding,) = retirements.warn(now=now)
    assert finding.owner is None


@pytest.mark.django_db
def test_a_clearance_ends_with_the_model(policy, cast, now):
    request = walks.make_submitted(by=cast.author, now=now, environment="dev", declared=SMALL, with_data=False)
    assert request.state == "cleared"
    day, _ = announced(request.model_version, 10, by=cast.author, now=now)
    request.refresh_from_db()
    assert request.deadline_at == start_of(day)
    assert AuditEvent.objects.get(kind="request.shortened").subject == request.ref
    assert FeedEntry.objects.latest("position").allowed_until == start_of(day)
    before = everything()
    follow_retirements(now - timedelta(days=90))
    assert everything() == before
    again = walks.make_submitted(
        by=cast.author,
        now=now,
        environment="dev",
        declared=SMALL,
        with_data=False,
        version=request.model_version,
        purpose="Another purpose",
    )
    assert again.deadline_at == start_of(day)


@pytest.mark.django_db
def test_a_retired_model_is_neither_submitted_nor_approved(in_review, cast, now):
    for voter, stage in ((cast.reviewer_one, "technical"), (cast.reviewer_two, "technical")):
        review.vote(
            request=in_review, stage_id=stage, choice=VoteChoice.APPROVE, rationale="It is fast.", by=voter, now=now
        )
    announced(in_review.model_version, 0, by=cast.author, now=now)
    with refused(WrongState, code="retired"):
        review.vote(
            request=in_review,
            stage_id="gpu-budget",
            choice=VoteChoice.APPROVE,
            rationale="It is fast.",
            by=cast.approver,
            now=now,
        )
    other = walks.make_draft(
        by=cast.author, now=now, version=in_review.model_version, purpose="Another", with_data=False
    )
    with refused(WrongState, code="retired"):
        requests.submit(request=other, by=cast.author, now=now)


@pytest.mark.django_db
def test_a_review_cannot_begin_for_what_was_retired_meanwhile(ready, cast, now):
    walks.allocate_budget(team=ready.team, by=cast.finance, now=now)
    announced(ready.model_version, 0, by=cast.author, now=now)
    with refused(WrongState, code="retired"):
        review.request_review(request=ready, by=cast.author, now=now)


@pytest.mark.django_db(transaction=True)
def test_two_announcements_at_once_leave_the_sooner_day(policy, cast, now):
    version = make_version(by=cast.author, now=now)
    days = iter((50, 60))
    at_once(*[lambda days=days: announced(version, next(days), by=cast.author, now=now)] * 2)
    assert ModelVersion.objects.get().ends_on == now.date() + timedelta(days=50)
