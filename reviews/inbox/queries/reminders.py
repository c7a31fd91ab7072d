"""What lapses soon and who could act, and the reminders of one person."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.conf import settings
from django.db.models import F, Q, QuerySet

from governance.absences.queries import absent_ids, deputies
from governance.notifications.domain.events import Addressee
from governance.notifications.models import Notification
from governance.notifications.queries.relevance import waits_while
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.kinds import check_confirm
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmers
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of, people_with
from governance.people.rules import may
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import Authorization
from reviews.inbox.domain import (
    LISTED_MAX,
    Occasion,
    ReminderKind,
    ReminderTerms,
    horizon,
    is_escalated,
    recipients,
    reminder_due,
)
from reviews.inbox.models import Reminder
from reviews.requests.domain.deadlines import WITH_DEADLINE
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import may_see
from reviews.snapshots.queries.snapshot import snapshot_of, snapshots_in_review
from reviews.snapshots.queries.voters import Away, voters_of, who_see
from reviews.snapshots.queries.voting_rights import voting_rights_of

PREFIX = "reminder:"
OF_REQUEST = ("decision__authorization", "team", "model_version__asset")
RELATED = (*(f"request__{name}" for name in OF_REQUEST), "change", "in_place_of")
APART = ("request__policy", "request__dataset")
"""What is read in queries of its own, where there are reminders: planning the join of all takes longer."""
READ_MAX = 4 * LISTED_MAX
"""At most so many reminders are read: of the same end there are one for each day of the terms, and an escalation."""
WITH_REQUESTER = (RequestState.EVIDENCE, RequestState.CHANGES_REQUESTED)
ENDS = {
    ReminderKind.VOTE: "The request expires without your vote.",
    ReminderKind.ANSWER: "The request expires unless its evidence is completed.",
    ReminderKind.CLEARANCE: "The clearance ends. File the request again to keep it.",
    ReminderKind.AUTHORIZATION: "The authorization ends. File the request again to renew it.",
    ReminderKind.CHANGE: "The proposed change expires unless a second person confirms it.",
}
ESCALATED = "The request has waited for too long. Ask the people whose step it is, or extend the deadline."


@dataclass(frozen=True, kw_only=True)
class DueReminder:
    """A reminder that is due now, with its recipients."""

    kind: ReminderKind
    due_at: datetime
    occasion: Occasion
    recipients: tuple[Addressee, ...]
    request: ReviewRequest | None = None
    change: Change | None = None


@dataclass(frozen=True, kw_only=True)
class ReminderLine:
    """A reminder as its person reads it: what lapses, when, and what to do."""

    kind: str
    subject: str
    title: str
    text: str
    due_at: datetime
    made_at: datetime
    in_place_of: str
    is_escalation: bool
    change_id: int | None


def reminder_terms() -> ReminderTerms:
    """When this installation reminds and escalates."""
    own = settings.WEIGHBRIDGE
    return ReminderTerms(tuple(own["REMIND_DAYS"]), own["ESCALATE_PERCENT"])


def due_reminders(*, now: datetime) -> Iterator[DueReminder]:
    """Every reminder and escalation that is due now. The people are looked up for those alone."""
    terms, away = reminder_terms(), deputies(now=now)
    yield from _of_requests(terms, away, now)
    yield from _of_changes(terms, away, now)
    yield from _of_permissions(terms, away, now)


def _of_changes(terms: ReminderTerms, away: Away, now: datetime) -> Iterator[DueReminder]:
    """Changes by two people. A deputy confirms nothing in the place of another, so the absent are left out."""
    rows = Change.objects.filter(state=ChangeState.PENDING, **_soon("expires_at", terms, now))
    for row in rows.order_by("pk"):
        for occasion in _occasions(now, row.expires_at, terms):
            told = recipients((user.pk for user in confirmers(row)), deputies=dict.fromkeys(away))
            kind, due_at = ReminderKind.CHANGE, row.expires_at
            yield DueReminder(kind=kind, due_at=due_at, occasion=occasion, recipients=told, change=row)


def _of_permissions(terms: ReminderTerms, away: Away, now: datetime) -> Iterator[DueReminder]:
    """Clearances and authorizations that end."""
    cleared = ReviewRequest.objects.filter(state=RequestState.CLEARED, **_soon("deadline_at", terms, now))
    ending = Authorization.objects.filter(state__in=IN_FORCE, **_soon("expires_at", terms, now))
    ends_at: dict[ReminderKind, dict[int, datetime]] = {
        ReminderKind.CLEARANCE: dict(cast("Iterable[tuple[int, datetime]]", cleared.values_list("pk", "deadline_at"))),
        ReminderKind.AUTHORIZATION: dict(ending.values_list("decision__request", "expires_at")),
    }
    for kind, ends in ends_at.items():
        for row in _with_people(ReviewRequest.objects.filter(pk__in=ends)):
            for occasion in _occasions(now, ends[row.pk], terms):
                told, due_at = _owners(row, away), ends[row.pk]
                yield DueReminder(kind=kind, due_at=due_at, occasion=occasion, recipients=told, request=row)


def _of_requests(terms: ReminderTerms, away: Away, now: datetime) -> Iterator[DueReminder]:
    """Requests that expire, and those on which nobody has acted for too long."""
    rows = ReviewRequest.objects.filter(
        state__in=WITH_DEADLINE, review_opened_at__isnull=False, deadline_at__isnull=False, grace_ends_at__gt=now
    )
    for row in _with_people(rows):
        end = cast("datetime", row.lapses_at if row.is_in_grace(now) else row.deadline_at)
        kind = ReminderKind.VOTE if row.state == RequestState.IN_REVIEW else ReminderKind.ANSWER
        for occasion in _occasions(now, end, terms):
            told = _voters(row, away, now) if kind is ReminderKind.VOTE else _owners(row, away)
            yield DueReminder(kind=kind, due_at=end, occasion=occasion, recipients=told, request=row)
        if _is_escalated(row, end, terms, now):
            leads = recipients((user.pk for user in people_with(Role.PLATFORM_LEAD)), deputies=_present(away))
            told = who_see(row, people=leads)
            yield DueReminder(kind=kind, due_at=end, occasion=Occasion(), recipients=told, request=row)


def _is_escalated(row: ReviewRequest, end: datetime, terms: ReminderTerms, now: datetime) -> bool:
    """Whether the request is in grace, or nobody has acted on it for the stated share of its time."""
    begun = cast("datetime", row.review_opened_at)
    is_late = is_escalated(now=now, begun_at=begun, due_at=end, terms=terms)
    return row.is_in_grace(now) or (is_late and not _has_acted(row))


def _has_acted(row: ReviewRequest) -> bool:
    """Whether a reviewer has voted on the present revision."""
    return row.state == RequestState.IN_REVIEW and row.votes.filter(revision=row.revision, withdrawal=None).exists()


def _soon(name: str, terms: ReminderTerms, now: datetime) -> dict[str, datetime]:
    """Select what ends so soon that a reminder can be due."""
    return {f"{name}__gt": now, f"{name}__lte": now + horizon(terms)}


def _occasions(now: datetime, due_at: datetime, terms: ReminderTerms) -> Iterable[Occasion]:
    occasion = reminder_due(now=now, due_at=due_at, terms=terms)
    return () if occasion is None else (occasion,)


def _with_people(rows: QuerySet[ReviewRequest]) -> QuerySet[ReviewRequest]:
    related = ("team", "policy", "checklist", "dataset", "model_version__asset__team", "requester", "owner")
    return rows.select_related(*related).order_by("pk")


def _present(away: Away) -> dict[int, int | None]:
    """For each absent person the deputy who is there, if there is one."""
    return {absent: one.deputy.id if one and not one.is_deputy_absent else None for absent, one in away.items()}


def _owners(row: ReviewRequest, away: Away) -> tuple[Addressee, ...]:
    """The requester and the owner of the model, or deputies who may see the request."""
    parties = parties_of(row)
    return who_see(row, people=recipients({parties.requester_id, parties.owner_id}, deputies=_present(away)))


def _voters(row: ReviewRequest, away: Away, now: datetime) -> tuple[Addressee, ...]:
    """Who may vote now, and deputies who may vote in the place of an absent person."""
    snapshot = snapshot_of(row, now=now)
    return voters_of(snapshot, stages=snapshot.electorate.progress.open_stages, away=away)


def reminders_of(person: Person, *, now: datetime) -> tuple[ReminderLine, ...]:
    """The reminders of this person about what has not lapsed and still waits for them, the first to lapse first."""
    return () if person.id in absent_ids(now=now) else reminders_of_present(person, now=now)


def reminders_of_present(person: Person, *, now: datetime) -> tuple[ReminderLine, ...]:
    """`reminders_of` for a person who is known not to be absent."""
    rows = (
        Reminder.objects.filter(_still_open(), person=person.id, due_at__gt=now)
        .select_related(*RELATED)
        .prefetch_related(*APART)
    )
    latest: dict[tuple[str, int | None, int | None], Reminder] = {}
    for row in rows.order_by("due_at", "made_at", "pk")[:READ_MAX]:
        latest[row.kind, row.request_id, row.change_id] = row
    votable = _votable(latest.values(), person, now)
    lines = (line_of(row) for row in latest.values() if _still_mine(row, person, now, votable))
    return tuple(sorted(lines, key=lambda line: (line.due_at, line.subject)))[:LISTED_MAX]


def _votable(rows: Iterable[Reminder], person: Person, now: datetime) -> frozenset[int]:
    """The ids of the requests on which the person can still vote, of those that the reminders are about."""
    asked = [row.request for row in rows if row.request is not None and row.kind == ReminderKind.VOTE]
    snapshots = snapshots_in_review(asked, now=now) if asked else []
    return frozenset(one.request.pk for one in snapshots if voting_rights_of(one, person=person))


def key_of(row: Reminder) -> str:
    """The key of the notification that a reminder is."""
    return f"{PREFIX}{row.kind}:{row.subject[1]}:{row.due_at.isoformat()}:{row.days_before}"


def _still_asks(notice: Notification, person: Person, now: datetime) -> bool:
    """Whether what the reminder is about is still open, and the person can still act."""
    if not notice.key.startswith(PREFIX):
        return True
    rows = Reminder.objects.filter(_still_open(), person=person.id, due_at=notice.until or now)
    own = [row for row in rows.select_related(*RELATED).prefetch_related(*APART) if key_of(row) == notice.key]
    votable = _votable(own, person, now)
    return any(_still_mine(row, person, now, votable) for row in own)


for _kind in ("lapses", "authorization_ends"):
    waits_while(_kind, waits=_still_asks)


def _still_open() -> Q:
    """Select the reminders whose subject is in the state, and has the end, that they are about."""
    request_end = Q(due_at=F("request__deadline_at")) | Q(due_at=F("request__grace_ends_at"))
    authorization = "request__decision__authorization"
    return (
        (Q(kind=ReminderKind.VOTE, request__state=RequestState.IN_REVIEW) & request_end)
        | (Q(kind=ReminderKind.ANSWER, request__state__in=WITH_REQUESTER) & request_end)
        | Q(kind=ReminderKind.CLEARANCE, request__state=RequestState.CLEARED, due_at=F("request__deadline_at"))
        | Q(kind=ReminderKind.AUTHORIZATION, **{f"{authorization}__state__in": IN_FORCE})
        & Q(due_at=F(f"{authorization}__expires_at"))
        | Q(kind=ReminderKind.CHANGE, change__state=ChangeState.PENDING)
    )


def _still_mine(row: Reminder, person: Person, now: datetime, votable: Set[int]) -> bool:
    """Whether the person can still act: a voter who has voted, and a deputy whose right has ended, cannot.

    `votable` are the requests on which the person can vote.
    """
    if row.change is not None:
        return may(check_confirm)(person, row.change)
    request = cast("ReviewRequest", row.request)
    if row.in_place_of_id is not None and not _is_deputy(person, row.in_place_of_id, now):
        return False
    if row.days_before is None and not request.is_in_grace(now) and _has_acted(request):
        return False
    if row.days_before is not None and row.kind == ReminderKind.VOTE:
        return request.pk in votable
    return may_see(person, parties_of(request))


def _is_deputy(person: Person, absent_id: int, now: datetime) -> bool:
    """Whether the person acts for the absent one now."""
    deputyship = deputies(now=now).get(absent_id)
    return deputyship is not None and deputyship.deputy.id == person.id


def line_of(row: Reminder) -> ReminderLine:
    """The reminder as its person reads it."""
    is_escalation, kind = row.days_before is None, ReminderKind(row.kind)
    title = row.change.description if row.change else row.request.title if row.request else ""
    return ReminderLine(
        kind=kind.value,
        subject=row.subject[1],
        title=title,
        text=ESCALATED if is_escalation else ENDS[kind],
        due_at=row.due_at,
        made_at=row.made_at,
        in_place_of=name_of(row.in_place_of) if row.in_place_of else "",
        is_escalation=is_escalation,
        change_id=row.change_id,
    )
