"""Webhooks of teams: add, change, rotate, remove, test, and send a message again."""

from collections.abc import Collection
from dataclasses import asdict, astuple
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from governance import secrets
from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import ChannelTimes, check_times
from governance.notifications.domain.kinds import AT_ONCE_IN_ANY_CASE, OF_TEAMS, TEST, NoticePace
from governance.notifications.domain.signatures import OVERLAP, new_secret
from governance.notifications.models import CALL, WAITS, Dispatch, Notification, TeamWebhook
from governance.notifications.queries.webhooks import allowed_target
from governance.notifications.rules import check_manage_webhooks
from governance.people.models import Team
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, WrongState

NAME_CHARS_MAX, OF_A_TEAM_MAX = 80, 20


def add_webhook(
    *,
    team: Team,
    flavor: WebhookFlavor,
    name: str,
    address: str,
    kinds: Collection[str],
    times: ChannelTimes | None = None,
    by: User,
    now: datetime,
) -> tuple[TeamWebhook, str]:
    """Add a webhook. Returns it with its secret, which nobody sees again; the secret of a chat is empty."""
    check_manage_webhooks(person_of(by))
    _check_name(name)
    _check_kinds(kinds)
    times = times or ChannelTimes()
    check_times(times)
    target = allowed_target(address)
    secret = new_secret() if flavor is WebhookFlavor.SIGNED else ""
    with transaction.atomic():
        others = _others(team)
        _check_free(name, among=others)
        if others.count() >= OF_A_TEAM_MAX:
            raise WrongState(f"{team.name} has {OF_A_TEAM_MAX} webhooks. Remove one first.")
        row = TeamWebhook.objects.create(
            team=team,
            flavor=flavor,
            name=name.strip(),
            host=target.host,
            address=secrets.encrypt(address),
            kinds=sorted(kinds),
            pace=times.pace.value,
            **asdict(times.hours),
            secret=secrets.encrypt(secret) if secret else None,
            created_by=by,
            created_at=now,
        )
        _record("added", row, by, now, **_told(times))
    return row, secret


def change_webhook(
    *,
    webhook: TeamWebhook,
    name: str,
    kinds: Collection[str],
    times: ChannelTimes | None = None,
    by: User,
    now: datetime,
) -> TeamWebhook:
    """Change the name, the kinds, the pace and the hours, which None keeps. For another address, add another webhook.

    The new pace is also that of what waits; what waits of a kind that was taken away is not sent.
    """
    check_manage_webhooks(person_of(by))
    _check_name(name)
    _check_kinds(kinds)
    times = times or webhook.times
    check_times(times)
    with transaction.atomic():
        row = _locked(webhook)
        _check_free(name, among=_others(row.team).exclude(pk=row.pk))
        row.name, row.kinds = name.strip(), sorted(kinds)
        row.pace = times.pace.value
        row.time_zone, row.digest_hour, row.quiet_from, row.quiet_to = astuple(times.hours)
        row.save(update_fields=["name", "kinds", *_told(times)])
        waiting = Notification.objects.filter(WAITS, webhook=row)
        waiting.exclude(kind__in=row.kinds).update(pace=NoticePace.PAGE)
        waiting.exclude(kind__in=AT_ONCE_IN_ANY_CASE).update(pace=row.pace)
        _record("changed", row, by, now, **_told(times))
    return row


def rotate_secret(*, webhook: TeamWebhook, is_leaked: bool = False, by: User, now: datetime) -> str:
    """Replace the secret and return the new one. For seven days, messages are signed with both.

    Raises WrongState within that time, because the recipient may still know the older secret alone. If the secret is
    leaked, this is no reason: all secrets but the new one end now.
    """
    check_manage_webhooks(person_of(by))
    with transaction.atomic():
        row = _locked(webhook)
        if row.flavor != WebhookFlavor.SIGNED:
            raise WrongState("Only a webhook for signed events has a secret.")
        if not is_leaked and row.previous_until is not None and now < row.previous_until:
            until = f"Until {row.previous_until:%Y-%m-%d %H:%M} UTC, messages are signed with the secret before, too"
            raise WrongState(f"{until}. Rotate it then, or say that the secret leaked.", code="rotated")
        secret = new_secret()
        row.previous_secret, row.previous_until = (None, None) if is_leaked else (row.secret, now + OVERLAP)
        row.secret = secrets.encrypt(secret)
        row.save(update_fields=["previous_secret", "previous_until", "secret"])
        _record("rotated", row, by, now, is_leaked=is_leaked)
    return secret


def remove_webhook(*, webhook: TeamWebhook, by: User, now: datetime) -> None:
    """Remove a webhook with its address and secrets. Messages that wait for it are not sent; its log stays."""
    check_manage_webhooks(person_of(by))
    with transaction.atomic():
        row = _locked(webhook)
        row.removed_at, row.address = now, b""
        row.secret = row.previous_secret = row.previous_until = None
        row.save(update_fields=["removed_at", "address", "secret", "previous_secret", "previous_until"])
        _record("removed", row, by, now)


def test_webhook(*, webhook: TeamWebhook, by: User, now: datetime) -> Dispatch:
    """Send a test message now."""
    check_manage_webhooks(person_of(by))
    with transaction.atomic():
        row = _locked(webhook)
        key = f"call:{row.pk}:test:{now.isoformat()}"
        dispatch = Dispatch.objects.create(key=key, webhook=row, kind=TEST, made_at=now)
        _enqueue(dispatch, key, now)
        _record("tested", row, by, now)
    return dispatch


def send_again(*, webhook: TeamWebhook, dispatch: Dispatch, by: User, now: datetime) -> OutboxMessage:
    """Send one message of a webhook again, under the same ID, so that the recipient can tell."""
    check_manage_webhooks(person_of(by))
    with transaction.atomic():
        row = _locked(webhook)
        number = OutboxMessage.objects.filter(kind=CALL, payload__dispatch=dispatch.pk).count()
        message = _enqueue(dispatch, f"{dispatch.key}:again:{number}", now)
        _record("replayed", row, by, now, message=dispatch.key)
    return message


def _enqueue(dispatch: Dispatch, key: str, now: datetime) -> OutboxMessage:
    return outbox.enqueue(kind=CALL, key=key, lane=key, payload={"dispatch": dispatch.pk}, now=now)


def _locked(webhook: TeamWebhook) -> TeamWebhook:
    row = TeamWebhook.objects.select_for_update().get(pk=webhook.pk)
    if row.removed_at is not None:
        raise WrongState("This webhook was removed.")
    return row


def _others(team: Team) -> QuerySet[TeamWebhook]:
    """The webhooks of a team, which is locked, so that none is added or gets another name meanwhile."""
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    return TeamWebhook.objects.filter(team=team, removed_at=None)


def _check_free(name: str, *, among: QuerySet[TeamWebhook]) -> None:
    if among.filter(name__iexact=name.strip()).exists():
        raise Invalid(f"The team has a webhook called {name.strip()} already.", field="name", code="same_name")


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_CHARS_MAX:
        raise Invalid(f"Write a name of 1 to {NAME_CHARS_MAX} characters.", field="name")


def _check_kinds(kinds: Collection[str]) -> None:
    if not kinds or set(kinds).difference(OF_TEAMS):
        raise Invalid(f"Choose one or more of these kinds: {', '.join(OF_TEAMS)}.", field="kinds")


def _told(times: ChannelTimes) -> dict[str, object]:
    return {"pace": times.pace.value, **asdict(times.hours)}


def _record(word: str, row: TeamWebhook, by: User, now: datetime, **more: object) -> None:
    details = {"team": row.team.slug, "flavor": row.flavor, "host": row.host, "kinds": row.kinds, **more}
    audit.record(kind=f"webhook.{word}", by=by, subject=("webhook", str(row)), details=details, now=now)
