"""What follows when a vendor retires a model: permissions end with it, findings warn, and a re-review is drafted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from governance.audit.actions import record as audit
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.inventory.actions import retirement
from governance.inventory.domain.retirement import NOTICES_DAYS, Announcement, end_of, notice_days
from governance.inventory.models import ModelVersion
from governance.inventory.queries import descendants, retirement_days, wholes_of
from governance.people.approvals.models import Change
from reviews.authorizations.domain.authorization_states import AUTHORIZATION_TERMINAL
from reviews.authorizations.models import LIVING, Authorization
from reviews.authorizations.models import SHORTENED as HAS_SHORTER_TERM
from reviews.authorizations.queries.retiring import living_authorizations
from reviews.feed.actions import publish
from reviews.requests.audit import record
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import re_reviews

KIND = "model.retires"
SHORTENED = "Its vendor retires the model, or a part of it, on {day}."
RESTORED = "The retirement that had shortened it was moved or withdrawn by two people."
NEAREST_DAYS = NOTICES_DAYS[0]
SHORTEST, AT_ONCE = timedelta(seconds=1), 50


@dataclass(frozen=True)
class _Dependent:
    """What depends on a model that its vendor retires: a version, with its authorization if it has one.

    `how` continues a sentence after its name. It `ends` with the model, or it was made from it and goes on.
    """

    version: ModelVersion
    authorization: Authorization | None
    day: date
    how: str
    ends: bool

    @property
    def name(self) -> str:
        """The name in sentences and keys."""
        return self.authorization.number if self.authorization else f"version {self.version.pk}"

    def key(self, days: int) -> str:
        """The key of the finding so many days before."""
        return f"{KIND}:{self.name}:{self.day}:{days}"


def announce(
    *, version: ModelVersion, announcement: Announcement, reason: str, by: User, now: datetime
) -> Change | None:
    """Announce or move the retirement of a model; a sooner day ends what depends on it at once.

    Returns the change that a second person must confirm if the day is later or withdrawn.
    """
    with transaction.atomic():
        # These locks come before that of the head of the audit chain, which recording the day holds.
        digests = [*retirement_days(), *wholes_of(version.retired_digest)]
        list(_clearances(Q(model_version__digest__in=digests)).select_for_update(of=("self",)))
        _locked(Q(subject_digest__in=digests) | HAS_SHORTER_TERM)
        change = retirement.announce(version=version, announcement=announcement, reason=reason, by=by, now=now)
        if change is None:
            settle_ends(by=by, now=now)
    return change


def settle_ends(*, by: User | None = None, now: datetime) -> list[Authorization]:
    """End clearances and authorizations not later than the retirement of what they are for. Idempotent.

    An authorization that a later day no longer shortens gets back its time, never more than was signed.
    """
    days = retirement_days()
    # Only what is to change is locked, in blocks, because others wait for the head of the trail until a block ends.
    for pks in _in_blocks(_misplaced_clearances(days)):
        with transaction.atomic():
            _publish({(row.model_version.digest, row.environment) for row in _shorten(pks, days, by, now)}, by, now)
    moved = []
    for pks in _in_blocks(_misplaced(days)):
        with transaction.atomic():
            rows = _locked(Q(pk__in=pks))
            settled = [row for row in rows if _settle(row, days.get(row.subject_digest), by, now)]
            _publish({(row.subject_digest, row.environment) for row in settled}, by, now)
        moved += settled
    return moved


def _publish(artifacts: Collection[tuple[str, str]], by: User | None, now: datetime) -> None:
    for digest, environment in sorted(artifacts):
        publish(digest=digest, environment=environment, by=by, now=now)


def _misplaced_clearances(days: Mapping[str, date]) -> list[int]:
    """The clearances that end after the retirement of what they are for."""
    rows = _clearances(Q(model_version__digest__in=list(days)))
    ends = rows.values_list("pk", "model_version__digest", "deadline_at")
    return [pk for pk, digest, at in ends if at is not None and at > end_of(days[digest])]


def _misplaced(days: Mapping[str, date]) -> list[int]:
    """The authorizations that end at another time than they have to."""
    rows = _living(days).defer("envelope").order_by("pk")
    return [row.pk for row in rows if row.expires_at != _end(row, days.get(row.subject_digest))]


def _in_blocks(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    return (pks[start : start + AT_ONCE] for start in range(0, len(pks), AT_ONCE))


def _shorten(pks: Collection[int], days: Mapping[str, date], by: User | None, now: datetime) -> list[ReviewRequest]:
    shortened = []
    for row in _clearances(Q(pk__in=pks)).select_for_update(of=("self",)):
        day = days[row.model_version.digest]
        if row.deadline_at is not None and row.deadline_at > end_of(day):
            details = {"before": row.deadline_at.isoformat(), "after": end_of(day).isoformat()}
            row.deadline_at = row.grace_ends_at = end_of(day)
            row.save(update_fields=["deadline_at", "grace_ends_at"])
            reason = SHORTENED.format(day=day)
            record(kind="request.shortened", request=row, by=by, now=now, details=details, reason=reason)
            shortened.append(row)
    return shortened


def _clearances(which: Q) -> QuerySet[ReviewRequest]:
    rows = ReviewRequest.objects.select_related("model_version").filter(which, state=RequestState.CLEARED)
    return rows.order_by("pk")


def _living(digests: Collection[str]) -> QuerySet[Authorization]:
    """The authorizations that have not ended of these digests, and those that a retirement had shortened."""
    return Authorization.objects.filter(LIVING, Q(subject_digest__in=list(digests)) | HAS_SHORTER_TERM)


def _locked(which: Q) -> list[Authorization]:
    return list(Authorization.objects.filter(LIVING, which).select_for_update(of=("self",)).order_by("pk"))


def _end(row: Authorization, day: date | None) -> datetime:
    """The signed end, or the retirement. It has a positive length, also if the day had passed before its notice."""
    if day is None:
        return row.granted_until
    return min(row.granted_until, max(end_of(day), row.issued_at + SHORTEST))


def _settle(row: Authorization, day: date | None, by: User | None, now: datetime) -> bool:
    end = _end(row, day)
    if row.expires_at == end:
        return False
    is_shortened = end < row.expires_at
    details = {"before": row.expires_at.isoformat(), "after": end.isoformat()}
    row.warn_at += end - row.expires_at
    row.expires_at = end
    row.save(update_fields=["expires_at", "warn_at"])
    kind = "authorization.shortened" if is_shortened else "authorization.restored"
    reason = SHORTENED.format(day=day) if is_shortened else RESTORED
    audit.record(kind=kind, by=by, subject=("authorization", row.number), details=details, reason=reason, now=now)
    return True


def warn(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Raise a finding 90, 30 and 7 days before a retirement for each version that depends on it. Idempotent.

    Of several days that passed since the last call, only the nearest one raises a finding. The first finding about an
    authorization that ends with the model drafts its re-review.
    """
    raised = [_warn(each, by, now) for each in _dependents()]
    return [finding for finding in raised if finding is not None]


def _dependents() -> Iterator[_Dependent]:
    """What ends with a model that is retired, and what was made from it; a version once, by its nearest reason."""
    days = retirement_days()
    seen: set[str] = set()
    for row in living_authorizations(days):
        version, day = row.decision.request.model_version, days[row.subject_digest]
        seen.add(version.digest)
        how = "is retired by its vendor" if version.ends_on == day else "contains a model that its vendor retires"
        yield _Dependent(version, row, day, how, ends=True)
    stated = ModelVersion.objects.filter(ends_on__isnull=False).exclude(digest__in=seen)
    for version in stated.select_related("asset__owner").order_by("pk"):
        yield _Dependent(version, None, days[version.digest], "is retired by its vendor", ends=True)
    made = {digest: day for digest, day in descendants(days).items() if digest not in days}
    for row in living_authorizations(made):
        version = row.decision.request.model_version
        how = "was made from a model that its vendor retires"
        yield _Dependent(version, row, made[row.subject_digest], how, ends=False)


def _warn(dependent: _Dependent, by: User | None, now: datetime) -> Finding | None:
    """Raise the finding that is due. None if there is none, or one as near was raised before."""
    days = notice_days(dependent.day, today=now.date())
    if days is None or _is_raised(dependent, days):
        return None
    sighting = _sighting(dependent, days)
    with transaction.atomic():
        authorization = _still_living(dependent)
        if authorization is None and dependent.authorization is not None:
            return None
        if authorization is not None and dependent.ends and _drafts(authorization, dependent.day):
            return re_reviews.open_re_review(authorization=authorization, sighting=sighting, by=by, now=now).finding
        return findings.raise_once(sighting=sighting, by=by, now=now)


def _is_raised(dependent: _Dependent, days: int) -> bool:
    nearer = [dependent.key(each) for each in NOTICES_DAYS if each <= days]
    return Finding.objects.filter(key__in=nearer).exists()


def _still_living(dependent: _Dependent) -> Authorization | None:
    if dependent.authorization is None:
        return None
    rows = Authorization.objects.select_for_update().exclude(state__in=AUTHORIZATION_TERMINAL)
    return rows.filter(pk=dependent.authorization.pk).first()


def _drafts(row: Authorization, day: date) -> bool:
    """Whether the authorization ends by the retirement and not before, and no finding drafted its re-review."""
    return row.expires_at >= end_of(day) and not row.re_reviews.filter(finding__kind=KIND).exists()


def _sighting(dependent: _Dependent, days: int) -> Sighting:
    version, owner = dependent.version, dependent.version.asset.owner
    named = f"{version} ({dependent.name})" if dependent.authorization else str(version)
    after = "The permission to run it ends on that day" if dependent.ends else "Its own permission does not end by it"
    if dependent.authorization is None:
        after = "It cannot be authorized from that day on"
    return Sighting(
        kind=KIND,
        subject=named[:200],
        text=f"{version} {dependent.how}: {dependent.day}. {after}. File a request for what replaces it.",
        severity=Severity.HIGH if dependent.ends and days == NEAREST_DAYS else Severity.MEDIUM,
        source="the announced day of retirement",
        key=dependent.key(days),
        owner=owner if owner.is_active else None,
        due_on=dependent.day,
    )
