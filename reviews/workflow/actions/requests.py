"""Create and edit requests, and the steps of the requester: submit, revise, withdraw."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.queries import runs
from governance.budgets.actions import budgets
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from reviews.evidence.locking import lock_all
from reviews.evidence.queries.aliases import check_alias
from reviews.evidence.queries.evidence import subject_of
from reviews.feed.actions import publish
from reviews.previews.queries.drafts import has_other_fields, submission_digest
from reviews.requests import actions as states
from reviews.requests.audit import record
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState, check_seen
from reviews.requests.locking import lock, lock_version_and_purpose, take_ref
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import TEXTS, Filing, check_filing
from reviews.requests.queries.rulebook import fix_rulebook, rulebook_for
from reviews.requests.rules import check_file
from reviews.snapshots import outbox as notices
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

REASON_CHARS_MIN = 3
AGAIN = "Again: "
CHANGED_MEANWHILE = (
    "The draft was changed since you opened this page, in another window or by a colleague. Nothing was overwritten: "
    "open the draft again, and enter your changes there."
)
OTHER_PREVIEW = "The draft, the policy or the checklist changed since you looked. Look again, then submit."


def create(*, filing: Filing, by: User, now: datetime) -> ReviewRequest:
    """File a request as a draft."""
    check_file(person_of(by), team=filing.model_version.asset.team.slug)
    check_filing(filing)
    with transaction.atomic():
        row = _insert(filing, requester=by, by=by, now=now)
        check_alias(row)
    return row


def file_again(
    *, request: ReviewRequest, version: ModelVersion | None = None, by: User | None = None, now: datetime
) -> ReviewRequest:
    """Copy a request into a new draft, of the same version or of another `version` of its model.

    The draft is of the person who files it; `by` None is the system, which files for the owner of the model. Metric
    values are not copied: they are in doubt and must be stated again. Data that are retired are left out.
    """
    if by is not None:
        check_file(person_of(by), team=request.team.slug)
    own = version or request.model_version
    if own.asset_id != request.model_version.asset_id:
        raise Invalid(f"{own} is another model; choose a version of {request.model_version.asset}.", field="version")
    title = f"{AGAIN}{request.title.removeprefix(AGAIN)}"[: TEXTS["title"]] if version is None else request.title
    is_usable = request.dataset is not None and request.dataset.status != DatasetStatus.RETIRED
    rivals = request.rivals.exclude(digest=own.digest).order_by("pk") if is_usable else ()
    filing = copy_of(
        request,
        Filing,
        title=title,
        model_version=own,
        dataset=request.dataset if is_usable else None,
        rivals=tuple(rivals),
    )
    return _insert(filing, requester=by or own.asset.owner, by=by, now=now)


def _insert(filing: Filing, *, requester: User, by: User | None, now: datetime) -> ReviewRequest:
    asset = filing.model_version.asset
    with _reject_second_open(), transaction.atomic():
        lock_version_and_purpose(version_id=filing.model_version.pk, purpose=filing.purpose)
        request = ReviewRequest.objects.create(
            ref=take_ref(now), team=asset.team, requester=requester, owner=asset.owner, created_at=now, **filing.columns
        )
        request.rivals.set(filing.rivals)
        record(kind="request.created", request=request, by=by, now=now, details=_details(filing))
    return request


def edit(*, request: ReviewRequest, filing: Filing, seen: str = "", by: User, now: datetime) -> ReviewRequest:
    """Change the fields of a draft. Raises WrongState if another person changed them since its mark was `seen`."""
    with _reject_second_open(), transaction.atomic():
        row = lock(request)
        check_can_edit(snapshot_of(row, now=now), person=person_of(by))
        is_change = _is_change(row, filing)
        if has_other_fields(row, seen=seen) and is_change:
            raise WrongState(CHANGED_MEANWHILE, code="outdated")
        check_filing(filing)
        if filing.model_version.asset.team_id != row.team_id:
            raise Invalid("The model belongs to another team.", field="model_version")
        for field, value in filing.columns.items():
            setattr(row, field, value)
        row.owner = filing.model_version.asset.owner
        check_alias(row)
        lock_version_and_purpose(version_id=filing.model_version.pk, purpose=filing.purpose)
        row.save()
        row.rivals.set(filing.rivals)
        if is_change:
            record(kind="request.edited", request=row, by=by, now=now, details=_details(filing))
    return row


def _is_change(row: ReviewRequest, filing: Filing) -> bool:
    """Whether the filing would change the draft: a form that saved itself just now may be sent once more."""
    is_same = all(getattr(row, name) == value for name, value in filing.columns.items())
    return not is_same or set(row.rivals.all()) != set(filing.rivals)


def submit(*, request: ReviewRequest, seen: str = "", by: User, now: datetime) -> ReviewRequest:
    """Fix policy, checklist and tier, evaluate the policy, and clear the request or open its review, or do nothing.

    `seen` is the digest of the preview that the person saw; "" says nothing about it.
    """
    with transaction.atomic():
        row = lock(request)
        check_can_submit(snapshot_of(row, now=now), person=person_of(by))
        choice = rulebook_for(subject_of(row))
        if seen not in {"", submission_digest(row, choice=choice)}:
            raise WrongState(OTHER_PREVIEW, code="outdated")
        fix_rulebook(row, choice=choice, now=now)
        row.save(update_fields=["policy", "checklist", "tier", "task", "submitted_at"])
        states.move(request=row, target=RequestState.SCREENING, by=by, now=now)
        screening.screen(request=row, by=by, now=now)
        publish(digest=row.model_version.digest, environment=row.environment, by=by, now=now)
    return row


def revise(
    *, request: ReviewRequest, reason: str, revision: int | None = None, by: User, now: datetime
) -> ReviewRequest:
    """Open the next revision for editing. All votes on the previous revision become void.

    Raises WrongState if the person saw another revision than the present one.
    """
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        check_can_revise(snapshot_of(row, now=now), person=person_of(by))
        check_seen(revision, revision=row.revision, advice="Read it before you open the next one.")
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
    sentence = f"{row.title}: {target.value}. {reason}"
    notices.notify_parties(request=row, kind="decided", key=f"ended:{row.ref}", sentence=sentence, by=by, now=now)
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


def _details(filing: Filing) -> dict[str, Any]:
    rivals = {"rivals": [rival.digest for rival in filing.rivals]} if filing.rivals else {}
    return rivals | {
        **{name: getattr(filing, name) for name in (*TEXTS, "environment")},
        "model": filing.model_version.digest,
        "dataset": filing.dataset.digest if filing.dataset else "",
    }
