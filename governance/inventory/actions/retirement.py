"""The retirement of a model by its vendor: announced or moved forward at once, moved back or withdrawn by two people.

All versions of what the vendor retires have one day, whichever team registered them: all versions with one digest, and
of a managed model those with other parameters, too.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.audit.locking import lock_trail
from governance.inventory.domain.retirement import Announcement, check_announcement, day_text, is_near, is_sooner
from governance.inventory.models import ModelVersion
from governance.inventory.queries import find_version, is_retired_with, visible_to
from governance.inventory.rules import check_announce, check_outside_team
from governance.jobs import outbox
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, number_in
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.reasons import check_reason
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import person_of
from governance.people.rules import sees_everything
from weighbridge.core.errors import NotAllowed, WrongState

found_at("versions", find=lambda rest, person: find_version(version_id=number_in(rest), person=person))

FOLLOW = "retirements.follow"
"""The kind of the message after which all that depends on retired models is settled."""
REGISTERED = "The day is in the document of a version that was registered."


@dataclass(frozen=True)
class _Move:
    """A new day for a digest, with the reason and the source that the audit trail gets."""

    retires_on: date | None
    before: date | None
    reason: str
    source: str


def announce(
    *, version: ModelVersion, announcement: Announcement, reason: str, by: User, now: datetime
) -> Change | None:
    """Set the day of retirement of every version with this digest if it is sooner; otherwise propose the change.

    Returns the proposed change, which a platform lead from outside the team must confirm, or None if the day is set.
    """
    person, team = person_of(by), version.asset.team.slug
    check_announce(person, team=team)
    check_reason(reason)
    day = announcement.retires_on
    with transaction.atomic():
        rows = _locked(version.retired_digest)
        before = _day_of(rows)
        check_announcement(announcement, before=before)
        if not is_sooner(day, than=before):
            return _proposed(version, announcement, before, reason, by, now)
        _check_notice(version.retired_digest, team, day, person, now)
        _set_day(rows, _Move(day, before, reason, announcement.source.strip()), by, now)
    return None


def adopt(*, version: ModelVersion, by: User, now: datetime) -> None:
    """Give a version that was just registered the day of its digest, or the digest the sooner day of the version."""
    with transaction.atomic():
        rows, stated = _locked(version.retired_digest), version.ends_on
        before = _day_of([row for row in rows if row.pk != version.pk])
        is_news = is_sooner(stated, than=before)
        if is_news:
            _check_notice(version.retired_digest, version.asset.team.slug, stated, person_of(by), now)
        first = stated if is_news else before
        if any(row.ends_on != first for row in rows):
            _set_day(rows, _Move(first, before, REGISTERED, f"version {version.version}"), by, now)
        version.ends_on = first


def _locked(digest: str) -> list[ModelVersion]:
    """The versions of the digest. The head of the audit trail is locked first, as registering a version does."""
    lock_trail()
    rows = ModelVersion.objects.select_for_update(of=("self",)).select_related("asset__team")
    return list(rows.filter(is_retired_with(digest)).order_by("pk"))


def _day_of(rows: list[ModelVersion]) -> date | None:
    return min((row.ends_on for row in rows if row.ends_on is not None), default=None)


def _check_notice(digest: str, team: str, day: date | None, person: Person, now: datetime) -> None:
    """Raise NotAllowed if the day is near and other teams depend on the model, unless for a platform lead."""
    if day is None or not is_near(day, today=now.date()) or Role.PLATFORM_LEAD in person.roles:
        return
    depending = ModelVersion.objects.filter(Q(digest=digest) | Q(contained__contains=[digest]))
    if depending.exclude(asset__team__slug=team).exists():
        text = "Another team depends on this model, and the day is less than 30 days away"
        raise NotAllowed(f"{text}; ask a platform lead to announce it.", code="short_notice", field="retires_on")


def _set_day(rows: list[ModelVersion], move: _Move, by: User, now: datetime) -> None:
    moved = [(row, row.ends_on) for row in rows if row.ends_on != move.retires_on]
    for row, _ in moved:
        row.ends_on = move.retires_on
        row.save(update_fields=["ends_on"])
    details = {
        "digest": rows[0].digest,
        "before": day_text(move.before),
        "after": day_text(move.retires_on),
        "source": move.source,
    }
    for name in sorted({f"{row.asset.team.slug}/{row.asset.slug}" for row in rows}):
        audit.record(
            kind="model.retirement", by=by, subject=("model", name), details=details, reason=move.reason, now=now
        )
    for row, before in moved:
        _notify_owner(row, before, by, now)
    key = f"{FOLLOW}:{rows[0].pk}:{now.isoformat()}"
    outbox.enqueue(kind=FOLLOW, key=key, lane=key, payload={}, now=now)


def _notify_owner(row: ModelVersion, before: date | None, by: User, now: datetime) -> None:
    event = Occurrence(
        kind="retirement",
        key=f"retirement:{row.pk}:{now.isoformat()}",
        reference=str(row)[:200],
        path=f"/versions/{row.pk}/",
        sentence=f"The retirement of {row} is {day_text(row.ends_on)}; it was {day_text(before)}.",
        team=row.asset.team.slug,
    )
    notify(event=event, people=[row.asset.owner], by=by, now=now)


def _proposed(
    version: ModelVersion, announcement: Announcement, before: date | None, reason: str, by: User, now: datetime
) -> Change:
    days = {"before": day_text(before), "after": day_text(announcement.retires_on)}
    change = Change(
        kind=Changed.RETIREMENT,
        subject_id=version.pk,
        description=f"Move the retirement of {version} from {days['before']} to {days['after']}"[:400],
        details=days | {"source": announcement.source.strip(), "digest": version.digest},
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _version(change: Change) -> ModelVersion:
    return ModelVersion.objects.select_related("asset__team").get(pk=change.subject_id)


def _apply(change: Change, by: User, now: datetime) -> None:
    rows, details = _locked(_version(change).retired_digest), change.details
    before = _day_of(rows)
    if day_text(before) != details["before"]:
        raise WrongState(f"The day is {day_text(before)} by now. Refuse this change, and propose it again.")
    after = None if details["after"] == day_text(None) else date.fromisoformat(details["after"])
    _set_day(rows, _Move(after, before, change.reason, details["source"]), by, now)


def _visible(person: Person) -> Q:
    seen = ModelVersion.objects.filter(asset__in=visible_to(person))
    own = Q(proposed_by_id=person.id) | Q(subject_id__in=seen.values("pk"))
    return Q() if sees_everything(person) else own


register(
    ChangeKind(
        name=Changed.RETIREMENT,
        confirmers=(Role.PLATFORM_LEAD,),
        may_propose=lambda person, change: check_announce(person, team=_version(change).asset.team.slug),
        check_impartial=lambda person, change: check_outside_team(person, team=_version(change).asset.team.slug),
        apply=_apply,
        visible=_visible,
        team=lambda change: _version(change).asset.team.slug,
        noun="a later retirement of a model",
        another="a platform lead from outside the team",
        done="confirmed. Authorizations end by the new day, and never later than was signed.",
        why_none="All platform leads proposed it or belong to the team. An administrator can appoint another.",
    )
)
