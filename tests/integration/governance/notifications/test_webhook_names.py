"""A team has one webhook of a name, so that its people can tell them apart."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance.audit.models import AuditEvent
from governance.notifications.actions import webhooks as actions
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.models import TeamWebhook
from governance.people.models import Team
from tests.factories.people import Cast
from tests.threads import together
from weighbridge.core.errors import Invalid

As = Callable[[User], Client]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOURS = {"pace": "at_once", "time_zone": "UTC", "digest_hour": "8", "quiet_from": "0", "quiet_to": "0"}
PUBLIC = "http://localhost:9/hook"


def add(team: Team, by: User, name: str) -> TeamWebhook:
    given = {"flavor": WebhookFlavor.SIGNED, "address": PUBLIC, "kinds": ["decided"], "by": by, "now": NOON}
    return actions.add_webhook(team=team, name=name, **given)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Channel", " channel "])
def test_a_team_has_one_webhook_of_a_name(cast: Cast, team: Team, as_: As, name: str) -> None:
    """So the form sent again, by a refresh of the page with the secret, makes no second one."""
    form = {"team": "search", "flavor": "signed", "name": "Channel", "address": PUBLIC, "kinds": ["decided"]} | HOURS
    assert as_(cast.admin).post("/webhooks/", form).status_code == 200
    assert as_(cast.admin).post("/webhooks/", form | {"name": name}).status_code == 400
    row, other = TeamWebhook.objects.get(), add(team, cast.admin, "Other")
    with pytest.raises(Invalid) as refused:
        actions.change_webhook(webhook=other, name=name, kinds=["failed"], by=cast.admin, now=NOON)
    assert (refused.value.code, refused.value.field) == ("same_name", "name")
    other.refresh_from_db()
    assert (other.name, other.kinds) == ("Other", ["decided"])
    actions.change_webhook(webhook=row, name=name, kinds=["failed"], by=cast.admin, now=NOON)
    add(Team.objects.create(slug="ads2", name="Ads 2"), cast.admin, name)
    actions.remove_webhook(webhook=row, by=cast.admin, now=NOON)
    add(team, cast.admin, name)
    assert TeamWebhook.objects.filter(name=name.strip(), removed_at=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_of_a_name_at_once_one_is_added(cast: Cast, team: Team) -> None:
    adding = partial(add, team, cast.admin)
    found = together([partial(adding, name) for name in ("Channel", "channel", " Channel")])
    kept = TeamWebhook.objects.get()
    assert [one for one in found if not isinstance(one, Invalid)] == [kept]
    assert [one.code for one in found if isinstance(one, Invalid)] == ["same_name"] * 2
    assert AuditEvent.objects.filter(kind="webhook.added").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_new_one_and_one_renamed_at_once_one_gets_the_name(cast: Cast, team: Team) -> None:
    other = add(team, cast.admin, "Other")
    renamed = partial(actions.change_webhook, webhook=other, kinds=["decided"], by=cast.admin, now=NOON)
    found = together([partial(add, team, cast.admin, "Channel"), partial(renamed, name="channel")])
    assert [one.code for one in found if isinstance(one, Invalid)] == ["same_name"]
    assert TeamWebhook.objects.filter(name__iexact="channel").count() == 1
