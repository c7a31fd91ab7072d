"""Filing, editing, submitting, revising, withdrawing, expiring."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from governance.audit.models import AuditEvent
from governance.budgets.models import LedgerEntry
from governance.inventory.models import ModelVersion
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import ChecklistVersion
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import next_ref
from reviews.workflow.actions import requests
from reviews.workflow.actions.requests import Filing
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState


def filing_for(version: ModelVersion, **changes: object) -> Filing:
    filing = Filing(
        title="Visual search",
        purpose=walks.PURPOSE,
        environment="prod",
        business_case="More is found.",
        model_version=version,
    )
    return replace(filing, **changes)


def test_a_filed_request_is_a_draft_of_its_team_and_names_the_owner(cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, owner=cast.finance, now=now)
    data = make_dataset(by=cast.author, now=now)
    request = requests.create(filing=filing_for(version, dataset=data), by=cast.author, now=now)
    assert (request.ref, request.state, request.revision) == (f"MRR-{now.year}-0001", "draft", 1)
    assert (request.team.slug, request.requester, request.owner) == ("search", cast.author, cast.finance)
    assert (request.policy, request.submitted_at, request.deadline_at) == (None, None, None)
    event = AuditEvent.objects.get(kind="request.created")
    assert (event.subject, event.actor_id) == (request.ref, str(cast.author.pk))
    assert event.details == {
        "title": "Visual search",
        "purpose": walks.PURPOSE,
        "environment": "prod",
        "business_case": "More is found.",
        "model": version.digest,
        "dataset": data.digest,
    }


def test_only_the_team_of_the_model_files_for_it(version: ModelVersion, cast: Cast, now: datetime) -> None:
    for by in (person for person in cast.everybody() if person != cast.author):
        with refused(NotAllowed):
            requests.create(filing=filing_for(version), by=by, now=now)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "  ", "The title is missing."),
        ("purpose", "", "The purpose is missing."),
        ("business_case", "\n", "The business case is missing."),
        ("title", "x" * 161, "The title has 161 characters; the limit is 160."),
        ("purpose", "x" * 201, "The purpose has 201 characters; the limit is 200."),
        ("business_case", "x" * 20_001, "The business case has 20,001 characters; the limit is 20,000."),
        ("environment", "moon", "The environment must be one of prod, staging, dev."),
    ],
)
def test_what_is_filed_must_be_whole_and_fit(
    version: ModelVersion, author: User, now: datetime, field: str, value: str, words: str
) -> None:
    with refused(Invalid, match=words, field=field):
        requests.create(filing=filing_for(version, **{field: value}), by=author, now=now)


def test_references_count_within_the_year(version: ModelVersion, author: User) -> None:
    late, new = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    refs = [
        requests.create(filing=filing_for(version, purpose=f"Purpose {number}"), by=author, now=now).ref
        for number, now in enumerate([late, late, new])
    ]
    assert refs == ["MRR-2026-0001", "MRR-2026-0002", "MRR-2027-0001"]


def test_the_ten_thousandth_reference_is_followed_by_the_next(draft: ReviewRequest, now: datetime) -> None:
    ReviewRequest.objects.filter(pk=draft.pk).update(ref=f"MRR-{now.year}-9999")
    assert next_ref(now) == f"MRR-{now.year}-10000"
    ReviewRequest.objects.filter(pk=draft.pk).update(ref=f"MRR-{now.year}-10000")
    assert next_ref(now) == f"MRR-{now.year}-10001"


def test_one_open_request_per_version_and_purpose(draft: ReviewRequest, author: User, now: datetime) -> None:
    with refused(WrongState, code="already_open", field="model_version"):
        requests.create(filing=filing_for(draft.model_version), by=author, now=now)
    other = requests.create(filing=filing_for(draft.model_version, purpose="Something else"), by=author, now=now)
    requests.withdraw(request=draft, reason="Wrong model.", by=author, now=now)
    again = requests.create(filing=filing_for(draft.model_version), by=author, now=now)
    assert len({draft.ref, other.ref, again.ref}) == 3


def test_an_edit_cannot_make_a_second_one_either(draft: ReviewRequest, author: User, now: datetime) -> None:
    other = requests.create(filing=filing_for(draft.model_version, purpose="Something else"), by=author, now=now)
    with refused(WrongState, code="already_open", field="model_version"):
        requests.edit(request=other, filing=filing_for(draft.model_version), by=author, now=now)


def test_the_database_holds_it_against_any_program(draft: ReviewRequest) -> None:
    columns = [field.column for field in ReviewRequest._meta.concrete_fields if field.name != "id"]
    values = ["'MRR-1999-0001'" if column == "ref" else column for column in columns]
    copy = (
        f"INSERT INTO requests_reviewrequest ({', '.join(columns)}) SELECT {', '.join(values)} FROM "
        "requests_reviewrequest"
    )
    with (
        pytest.raises(IntegrityError, match="one_open_request_per_version_and_purpose"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(copy)
    ReviewRequest.objects.update(state="withdrawn")
    with connection.cursor() as cursor:
        cursor.execute(copy)
    assert ReviewRequest.objects.count() == 2


def test_a_submitted_request_without_a_policy_is_no_row(draft: ReviewRequest, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="submitted_fixes_policy"), transaction.atomic():
        ReviewRequest.objects.update(submitted_at=now)
    with pytest.raises(IntegrityError, match="request_state_known"), transaction.atomic():
        ReviewRequest.objects.update(state="approved")


def test_a_draft_can_be_rewritten(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, owner=cast.finance, version="1.1.0", seed=1, now=now)
    edited = requests.edit(
        request=draft, filing=filing_for(version, title="Better", environment="dev"), by=cast.author, now=now
    )
    edited.refresh_from_db()
    assert (edited.title, edited.environment, edited.model_version) == ("Better", "dev", version)
    assert (edited.owner, edited.dataset, edited.ref) == (cast.finance, None, draft.ref)
    assert AuditEvent.objects.get(kind="request.edited").details["model"] == version.digest


def test_a_draft_stays_with_its_team(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    foreign = make_version(by=cast.outsider, team="ads", now=now)
    with refused(Invalid, match="belongs to another team", field="model_version"):
        requests.edit(request=draft, filing=filing_for(foreign), by=cast.author, now=now)
    with refused(Invalid, field="title"):
        requests.edit(request=draft, filing=filing_for(draft.model_version, title=""), by=cast.author, now=now)


def test_without_a_published_policy_nothing_is_submitted(draft: ReviewRequest, author: User, now: datetime) -> None:
    with refused(WrongState, match="No policy is published yet; an administrator must publish one"):
        requests.submit(request=draft, by=author, now=now)


def test_without_its_checklist_nothing_is_submitted(draft: ReviewRequest, author: User, now: datetime) -> None:
    source = defaults.text_of(defaults.POLICY)
    rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
    with refused(WrongState, match="names the checklist 'standard', which is not published"):
        requests.submit(request=draft, by=author, now=now)


def test_the_policy_of_the_day_is_kept(submitted: ReviewRequest, author: User, now: datetime) -> None:
    source = defaults.text_of(defaults.POLICY).replace("limit: 200\n", "limit: 100000\n", 1)
    rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
    walks.state_metric_value(request=submitted, name="training_gpu_hours", value="500", by=author, now=now)
    submitted.refresh_from_db()
    said = {each["rule_id"]: each for each in submitted.policy_evaluations.order_by("-pk")[0].document["results"]}
    assert submitted.policy.number == 1
    assert (said["training-gpu-hours"]["status"], said["training-gpu-hours"]["observed"]) == ("fired", "500")


def test_a_revision_voids_votes_and_frees_the_money(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    revised = requests.revise(request=request, reason="Better weights.", by=world.cast.author, now=world.now)
    assert (revised.state, revised.revision, revised.votes.filter(revision=2).count()) == ("evidence", 2, 0)
    first = walks.usd_shares(now=world.now)[0]
    assert sorted(LedgerEntry.objects.values_list("kind", "amount")) == sorted(
        [
            ("allocate", 100_000),
            ("allocate", 1000),
            ("reserve", first),
            ("reserve", 320),
            ("release", first),
            ("release", 320),
        ]
    )
    event = AuditEvent.objects.get(kind="request.revised")
    assert (event.details, event.reason) == ({"revision": 2}, "Better weights.")


def test_withdrawing_says_why_and_ends_everything(world: World) -> None:
    request = world.submitted()
    with refused(Invalid, match="Enter why", field="reason"):
        requests.withdraw(request=request, reason=" x ", by=world.cast.author, now=world.now)
    requests.withdraw(request=request, reason="Superseded.", by=world.owner, now=world.now)
    request.refresh_from_db()
    (run,) = request.model_version.runs.all()
    assert (request.state, run.state) == ("withdrawn", JobState.CANCELED)
    told = OutboxMessage.objects.get(kind="ticket.tell")
    assert (told.payload["occasion"], told.payload["text"], told.payload["by"]) == (
        "withdrawn",
        "Superseded.",
        "Owner Anne",
    )


def test_withdrawing_a_draft_has_no_ticket_to_tell(draft: ReviewRequest, author: User, now: datetime) -> None:
    requests.withdraw(request=draft, reason="A mistake.", by=author, now=now)
    assert OutboxMessage.objects.count() == 0
    assert AuditEvent.objects.get(kind="ticket.not_wanted").details == {"occasion": "withdrawn"}


def test_nothing_expires_before_its_deadline(world: World) -> None:
    request = world.in_review()
    assert request.deadline_at == world.now + timedelta(days=30)
    with refused(WrongState, match="deadline of this request has not passed"):
        requests.expire(request=request, now=request.deadline_at - timedelta(seconds=1))
    draft = world.draft(purpose="No deadline yet")
    with refused(WrongState, match="deadline"):
        requests.expire(request=draft, now=request.deadline_at)


def test_a_expired_request_is_never_an_approval(world: World) -> None:
    request = world.before_the_last_vote()
    expired = requests.expire(request=request, now=request.deadline_at)
    assert (expired.state, hasattr(expired, "decision")) == ("expired", False)
    assert LedgerEntry.objects.filter(kind="release").count() == 2
    event = AuditEvent.objects.get(kind="request.expired")
    assert (event.actor, event.reason) == ("system", f"Nobody acted before {request.deadline_at:%Y-%m-%d}.")


def test_a_clearance_ends_and_makes_room(world: World) -> None:
    request = world.cleared()
    assert request.deadline_at == world.now + timedelta(days=365)
    with refused(WrongState, code="already_open"):
        requests.create(filing=filing_for(request.model_version), by=world.cast.author, now=world.now)
    expired = requests.expire(request=request, now=request.deadline_at)
    assert expired.state == "expired"
    assert AuditEvent.objects.get(kind="request.expired").reason.startswith("The clearance ended on ")
    requests.create(filing=filing_for(request.model_version), by=world.cast.author, now=request.deadline_at)


def test_checklist_and_policy_are_those_in_force(submitted: ReviewRequest, checklist: ChecklistVersion) -> None:
    assert (submitted.checklist, submitted.policy.state) == (checklist, "published")
