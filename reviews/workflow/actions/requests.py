"""Create and edit requests, and the steps of the requester: submit, revise, withdraw."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.models import Dataset
from benchmarking.runs.queries import runs
from governance.budgets.actions import budgets
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from reviews.evidence.locking import lock_all
from reviews.evidence.queries.evidence import subject_of
from reviews.feed.actions import publish
from reviews.requests import actions as states
from reviews.requests.audit import record
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import next_ref
from reviews.requests.queries.rulebook import rulebook_for
from reviews.requests.rules import check_file
from reviews.snapshots.queries.allowed_steps import (
    check_can_edit,
    check_can_extend,
    check_can_revise,
    check_can_submit,
    check_can_withdraw,
)
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.tickets import actions as ticket_actions
from reviews.workflow.actions import screening
from weighbridge.core.errors import Invalid, WrongState

REF_LOCK = 0x4D5252  # an arbitrary number that no other code locks
REASON_CHARS_MIN, RIVALS_MAX = 3, 5
AGAIN = "Again: "
TEXTS = {"title": 160, "purpose": 200, "business_case": 20_000}


@dataclass(frozen=True, kw_only=True)
class Filing:
    """The fields of a request that a requester fills in."""

    title: str
    purpose: str
    environment: str
    business_case: str
    model_version: ModelVersion
    dataset: Dataset | None = None
    rivals: tuple[ModelVersion, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """The fields stored in the row of the request itself."""
        return {name: value for name, value in vars(self).items() if name != "rivals"}


def create(*, filing: Filing, by: User, now: datetime) -> ReviewRequest:
    """File a request as a draft."""
    check_file(person_of(by), team=filing.model_version.asset.team.slug)
    _check_filing(filing)
    return _insert(filing, requester=by, by=by, now=now)


def file_again(*, request: ReviewRequest, by: User | None = None, now: datetime) -> ReviewRequest:
    """Copy a decided request into a new draft for the owner of the model; `by` None is the system.

    Metric values are not copied: they are in doubt and must be stated again.
    """
    if by is not None:
        check_file(person_of(by), team=request.team.slug)
    title = f"{AGAIN}{request.title.removeprefix(AGAIN)}"[: TEXTS["title"]]
    filing = copy_of(request, Filing, title=title, rivals=tuple(request.rivals.order_by("pk")))
    return _insert(filing, requester=request.model_version.asset.owner, by=by, now=now)


def _insert(filing: Filing, *, requester: User, by: User | None, now: datetime) -> ReviewRequest:
    asset = filing.model_version.asset
    with _reject_second_open(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REF_LOCK])
        request = ReviewRequest.objects.create(
            ref=next_ref(now), team=asset.team, requester=requester, owner=asset.owner, created_at=now, **filing.columns
        )
        request.rivals.set(filing.rivals)
        record(kind="request.created", request=request, by=by, now=now, details=_details(filing))
    return request


def edit(*, request: ReviewRequest, filing: Filing, by: User, now: datetime) -> ReviewRequest:
    """Change the fields of a draft."""
    with _reject_second_open(), transaction.atomic():
        row = lock(request)
        check_can_edit(snapshot_of(row, now=now), person=person_of(by))
        _check_filing(filing)
        if filing.model_version.asset.team_id != row.team_id:
            raise Invalid("The model belongs to another team.", field="model_version")
        for field, value in filing.columns.items():
            setattr(row, field, value)
        row.owner = filing.model_version.asset.owner
        row.save()
        row.rivals.set(filing.rivals)
        record(kind="request.edited", request=row, by=by, now=now, details=_details(filing))
    return row


def submit(*, request: ReviewRequest, by: User, now: datetime) -> ReviewRequest:
    """Fix policy, checklist and tier, evaluate the policy, and clear the request or open its review, or do nothing."""
    with transaction.atomic():
        row = lock(request)
        check_can_submit(snapshot_of(row, now=now), person=person_of(by))
        row.policy, row.checklist = rulebook_for(subject_of(row))
        asset = row.model_version.asset
        row.tier, row.task, row.submitted_at = asset.tier, asset.task, now
        row.save(update_fields=["policy", "checklist", "tier", "task", "submitted_at"])
        states.move(request=row, target=RequestState.SCREENING, by=by, now=now)
        screening.screen(request=row, by=by, now=now)
        publish(digest=row.model_version.digest, environment=row.environment, by=by, now=now)
    return row


def revise(*, request: ReviewRequest, reason: str, by: User, now: datetime) -> ReviewRequest:
    """Open the next revision for editing. All votes on the previous revision become void."""
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        check_can_revise(snapshot_of(row, now=now), person=person_of(by))
        screening.reopen(request=row, reason=reason, by=by, now=now)
    return row


def withdraw(*, request: ReviewRequest, reason: str, by: User, now: datetime) -> ReviewRequest:
    """Withdraw the request: cancel its runs, release its reservation, and update the ticket."""
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        check_can_withdraw(snapshot_of(row, now=now), person=person_of(by))
        if len(reason.strip()) < REASON_CHARS_MIN:
            raise Invalid("Enter why you withdraw the request.", field="reason")
        _end(row, RequestState.WITHDRAWN, by, now, reason)
    return row


def expire(*, request: ReviewRequest, by: User | None = None, now: datetime) -> ReviewRequest:
    """Expire a request whose deadline and grace have passed. This never approves a request."""
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        ends_at = row.lapses_at or row.deadline_at
        if ends_at is None or ends_at > now:
            raise WrongState("The deadline of this request has not passed.")
        cause = "The clearance ended on" if row.state == RequestState.CLEARED else "Nobody acted before"
        _end(row, RequestState.EXPIRED, by, now, f"{cause} {ends_at:%Y-%m-%d}.")
    return row


def extend(*, request: ReviewRequest, days: int, reason: str, by: User, now: datetime) -> ReviewRequest:
    """Extend the deadline of an open request, once, by a platform lead who has no interest in it."""
    with transaction.atomic():
        row = lock(request)
        deadline = check_can_extend(snapshot_of(row, now=now), person=person_of(by))
        check_reason(reason)
        after = deadline.extended(days=days, now=now)
        row.deadline_at, row.grace_ends_at, row.extended_at = after.at, after.grace_ends_at, now
        row.save(update_fields=["deadline_at", "grace_ends_at", "extended_at"])
        details = {"days": days, "deadline_at": row.deadline_at, "lapses_at": row.lapses_at}
        record(kind="request.extended", request=row, by=by, now=now, details=details, reason=reason)
        ticket_actions.notify_request_ticket(request=row, occasion="extended", reason=reason, by=by, now=now)
    return row


def _end(row: ReviewRequest, target: RequestState, by: User | None, now: datetime, reason: str) -> None:
    budgets.release(ref=row.ref, key=f"{row.ref}:{row.revision}:{target.value}", by=by, now=now)
    states.move(request=row, target=target, by=by, now=now, reason=reason)
    for run in runs.of_request(row.ref):
        jobs.abandon(row=run, by=by, now=now)
    ticket_actions.notify_request_ticket(request=row, occasion=target.value, reason=reason, by=by, now=now)
    publish(digest=row.model_version.digest, environment=row.environment, by=by, now=now)


@contextmanager
def _reject_second_open() -> Iterator[None]:
    """Turn the database's refusal of a second open request for a version and purpose into a readable error."""
    try:
        yield
    except IntegrityError as error:
        raise WrongState(
            "There is already an open request for this model version and purpose; continue that one, or withdraw it.",
            code="already_open",
            field="model_version",
        ) from error


def _check_filing(filing: Filing) -> None:
    for field, chars_max in TEXTS.items():
        text, label = getattr(filing, field), field.replace("_", " ")
        if not text.strip():
            raise Invalid(f"The {label} is missing.", field=field)
        if len(text) > chars_max:
            raise Invalid(f"The {label} has {len(text):,} characters; the limit is {chars_max:,}.", field=field)
    if filing.environment not in ENVIRONMENT_NAMES:
        raise Invalid(f"The environment must be one of {', '.join(ENVIRONMENT_NAMES)}.", field="environment")
    _check_dataset(filing)
    _check_rivals(filing)


def _check_dataset(filing: Filing) -> None:
    """Raise Invalid for another team's set that is not governed, as if it did not exist, and for a retired one."""
    data = filing.dataset
    if data is None:
        return
    if data.status != DatasetStatus.GOVERNED and data.team_id != filing.model_version.asset.team_id:
        raise Invalid("This evaluation set cannot be used: choose a governed one, or one of the team.", field="dataset")
    if data.status == DatasetStatus.RETIRED:
        raise Invalid(f"The evaluation set {data} is retired; choose another one.", field="dataset")


def _check_rivals(filing: Filing) -> None:
    rivals, subject = filing.rivals, filing.model_version
    if len(rivals) > RIVALS_MAX:
        raise Invalid(f"A request can have at most {RIVALS_MAX} other candidates.", field="rivals")
    digests = [subject.digest, *(rival.digest for rival in rivals)]
    if len(set(digests)) < len(digests):
        raise Invalid(
            "Each candidate must be a different file: choose none twice, and not the model itself.", field="rivals"
        )
    for rival in rivals:
        if rival.asset.team_id != subject.asset.team_id:
            raise Invalid(f"{rival} belongs to another team; candidates must be models of your team.", field="rivals")
        if not rival.stored_as or rival.format != "onnx":
            raise Invalid(f"{rival} cannot be measured here: upload it as an ONNX file.", field="rivals")
    if rivals and filing.dataset is None:
        raise Invalid("Other candidates are compared on evaluation data: choose a data set.", field="dataset")


def _details(filing: Filing) -> dict[str, Any]:
    rivals = {"rivals": [rival.digest for rival in filing.rivals]} if filing.rivals else {}
    return rivals | {
        **{name: getattr(filing, name) for name in (*TEXTS, "environment")},
        "model": filing.model_version.digest,
        "dataset": filing.dataset.digest if filing.dataset else "",
    }
