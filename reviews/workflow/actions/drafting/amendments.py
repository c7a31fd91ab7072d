"""Changes of a submitted request: texts and data as its next revision, and another file as a new request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.models import Dataset
from benchmarking.runs.queries import runs
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs.enums import UNFINISHED
from governance.people.queries.people import person_of
from reviews.evidence.locking import lock_all
from reviews.requests.audit import record
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import check_seen
from reviews.requests.locking import lock_version_and_purpose
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import Filing, check_filing
from reviews.snapshots.queries.allowed_steps import check_can_amend, check_can_exchange
from reviews.snapshots.queries.evidence_bundle import bundle_of
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.voting.models import Revision
from reviews.workflow.actions import requests, screening
from reviews.workflow.actions.requests import REASON_CHARS_MIN
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid

ENTER_AGAIN = "Nothing was changed. Open the page again, and enter your changes there."


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """What changes: None and "" keep what there is. Model, purpose and environment stay; they make another request."""

    title: str = ""
    business_case: str = ""
    dataset: Dataset | None = None


def amend(
    *,
    request: ReviewRequest,
    amendment: Amendment,
    reason: str,
    revision: int | None = None,
    by: User,
    now: datetime,
) -> ReviewRequest:
    """Change texts or data of a submitted request, as its next revision. All votes on the previous one become void.

    The previous revision is frozen as it was, so that reviewers see the difference. Other data are measured again from
    the start: quality that was measured on the data before counts no longer. Raises WrongState if the person saw
    another `revision` than the present one: their texts would replace those of a colleague.
    """
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        snapshot = snapshot_of(row, now=now)
        check_can_amend(snapshot, person=person_of(by))
        check_seen(revision, revision=row.revision, advice=ENTER_AGAIN)
        changes = _changes(row, amendment)
        _check_reason(reason)
        check_filing(copy_of(row, Filing, rivals=snapshot.rivals, **changes))
        _freeze(snapshot)
        screening.reopen(request=row, reason=reason, by=by, now=now)
        before = {name: str(getattr(row, name) or "") for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        details = {"before": before, "after": {name: str(value) for name, value in changes.items()}}
        if "dataset" in changes:
            row.data_since = now
            _measure_from_the_start(row, by, now)
        row.save()
        record(kind="request.amended", request=row, by=by, now=now, details=details, reason=reason)
        screening.evaluate_again(request=row, occasion="amended", now=now)
    return row


def exchange(*, request: ReviewRequest, version: ModelVersion, reason: str, by: User, now: datetime) -> ReviewRequest:
    """Withdraw the request, and draft a new one for another version of the same model in its place, or do neither.

    Nothing that was said of the file before counts for the other one: no metric value, answer, waiver or vote.
    """
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        check_can_exchange(snapshot_of(row, now=now), person=person_of(by))
        if version.digest == row.model_version.digest:
            raise Invalid("This request is about that file already; choose another version.", field="version")
        _check_reason(reason)
        # Before the head of the audit trail, which recording the withdrawal holds.
        lock_version_and_purpose(version_id=version.pk, purpose=row.purpose)
        why = f"Another file is filed in its place: {version}. {reason}"
        withdrawn = requests.withdraw(request=row, reason=why, by=by, now=now)
        draft = requests.file_again(request=withdrawn, version=version, by=by, now=now)
        draft.replaces = withdrawn
        draft.save(update_fields=["replaces"])
        details = {"replaces": withdrawn.ref, "before": row.model_version.digest, "after": version.digest}
        record(kind="request.exchanged", request=draft, by=by, now=now, details=details, reason=reason)
    return draft


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < REASON_CHARS_MIN:
        raise Invalid(f"Enter the reason, in at least {REASON_CHARS_MIN} characters.", field="reason")


def _changes(row: ReviewRequest, amendment: Amendment) -> dict[str, Any]:
    """The fields that get another value. Raises Invalid if none does."""
    given = {name: value for name, value in vars(amendment).items() if value not in {None, ""}}
    changes = {name: value for name, value in given.items() if _normal(value) != _normal(getattr(row, name))}
    if not changes:
        raise Invalid("Nothing would change; enter another title, business case or evaluation set.", field="title")
    return changes


def _normal(value: Any) -> Any:
    """The value, with line breaks of one character if it is a text: programs may send others than browsers."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _freeze(snapshot: RequestSnapshot) -> None:
    """Keep the revision as it is, if it was not frozen for a vote before."""
    row, bundle = snapshot.request, bundle_of(snapshot)
    Revision.objects.get_or_create(
        request=row,
        number=row.revision,
        defaults={"bundle": bundle, "digest": digest_of(bundle), "frozen_at": snapshot.now},
    )


def _measure_from_the_start(row: ReviewRequest, by: User, now: datetime) -> None:
    for run in runs.of_request(row.ref):
        if run.state in UNFINISHED:
            jobs.abandon(row=run, by=by, now=now)
    screening.start_benchmarks(request=row, by=by, now=now)
