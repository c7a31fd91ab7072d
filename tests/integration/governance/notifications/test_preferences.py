"""Everybody sets their own; a link in a mail ends mail, opens an object, and can do nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.notifications.actions.preferences import choose
from governance.notifications.domain.hours import MailHours
from governance.notifications.domain.kinds import CATALOG, NoticePace
from governance.notifications.models import Dispatch, Notification, NotificationChoice, PersonalHours
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.due import DIGEST
from governance.notifications.queries.links import open_url, unsubscribe_url
from governance.notifications.queries.messages import mail_of
from governance.notifications.queries.preferences import choices_of, preferences_of
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import happened
from weighbridge.core.errors import NotAllowed

As = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
BASE = "https://weighbridge.test"
HOURS = {"time_zone": "Europe/Berlin", "digest_hour": 18, "quiet_from": 22, "quiet_to": 7}


def path_of(url: str) -> str:
    return url.removeprefix(BASE)


def test_the_page_stores_paces_and_hours(cast: Cast, as_: As) -> None:
    client = as_(cast.author)
    assert "Daily mail at" in client.get("/notifications/settings/").content.decode()
    paces = dict.fromkeys(CATALOG, "page") | {"decided": "at_once"}
    assert client.post("/notifications/settings/", paces | HOURS).status_code == 302
    own = preferences_of(cast.author.pk)
    assert {one.kind: one.pace.value for one in own.kinds} == paces
    assert own.hours == MailHours(**HOURS)
    assert preferences_of(cast.product.pk).hours == MailHours()
    event = AuditEvent.objects.filter(kind="notification.chosen").get()
    assert (event.subject, event.actor_id) == ("author", str(cast.author.pk))


@pytest.mark.parametrize("wrong", [{"time_zone": "Mars"}, {"digest_hour": "24"}, {"decided": "loud"}])
def test_the_page_refuses_what_it_does_not_offer(cast: Cast, as_: As, wrong: dict[str, str]) -> None:
    paces = dict.fromkeys(CATALOG, "page")
    assert as_(cast.author).post("/notifications/settings/", paces | HOURS | wrong).status_code == 400
    assert not NotificationChoice.objects.exists()
    assert not PersonalHours.objects.exists()


def test_the_api_lists_marks_and_sets(cast: Cast, api: Api, now: datetime) -> None:
    for key in "ab":
        notify(event=happened(key=key), people=[cast.author, cast.product], now=now)
    client = api(cast.author)
    listed = client.get("/api/v1/notifications/").json()
    assert [(one["kind"], one["path"], one["read_at"]) for one in listed["results"]] == [
        ("decided", "/somewhere/", None)
    ] * 2
    ids = [listed["results"][0]["id"], *Notification.objects.filter(person=cast.product).values_list("pk", flat=True)]
    assert client.post("/api/v1/notifications/read/", {"ids": ids}, format="json").json() == {"read": 1}
    assert client.get("/api/v1/notifications/?unread=true").json()["count"] == 1
    assert client.post("/api/v1/notifications/read/", {}, format="json").json() == {"read": 1}
    assert Notification.objects.filter(person=cast.product, read_at=None).count() == 2
    given = HOURS | {"paces": {"decided": "none"}}
    answer = client.post("/api/v1/notifications/settings/", given, format="json").json()
    assert answer == client.get("/api/v1/notifications/settings/").json()
    assert answer["hours"] == HOURS
    assert {one["kind"]: one["pace"] for one in answer["kinds"]}["decided"] == "none"


@pytest.mark.parametrize(
    "wrong",
    [{"paces": {"gone": "page"}}, {"paces": {"decided": "loud"}}, {"time_zone": "Mars"}, {"digest_hour": 24}, {"x": 1}],
)
def test_the_api_refuses_other_settings(cast: Cast, api: Api, wrong: dict[str, object]) -> None:
    assert api(cast.author).post("/api/v1/notifications/settings/", wrong, format="json").status_code == 400
    assert not NotificationChoice.objects.exists()
    assert not PersonalHours.objects.exists()


def test_nobody_without_an_account_reads_or_sets(cast: Cast, api: Api, client: Client) -> None:
    for path in ("/api/v1/notifications/", "/api/v1/notifications/settings/", "/api/v1/webhooks/"):
        assert api(None).get(path).status_code in {401, 403}
    for path in ("/notifications/", "/notifications/settings/", "/webhooks/", "/notifications/open/x/"):
        assert client.get(path)["Location"].startswith("/accounts/login/?next=")


def test_the_link_of_a_mail_ends_one_kind_without_a_session(cast: Cast, client: Client) -> None:
    path = path_of(unsubscribe_url(person_id=cast.author.pk, about="lapses"))
    for _ in range(2):
        page = client.get(path)
        assert (page.status_code, "End this mail?" in page.content.decode()) == (200, True)
        assert choices_of(cast.author.pk) == {}
    anybody = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = anybody.post(path, {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "You get no more of this mail" in answer.content.decode()) == (200, True)
    assert choices_of(cast.author.pk) == {"lapses": "page"}
    assert choices_of(cast.product.pk) == {}
    assert "sessionid" not in anybody.cookies
    event = AuditEvent.objects.get(kind="notification.unsubscribed")  # the second time, nothing changed
    assert (event.subject, event.details) == ("author", {"kinds": ["lapses"]})


def test_the_link_of_a_digest_ends_the_digest_alone(cast: Cast, client: Client, now: datetime) -> None:
    """What is mailed at once is in no digest, so it is mailed on."""
    for kind in ("failed", "lapses", "decided"):
        notify(event=happened(kind=kind, key=kind), people=[cast.author], now=now)
    NotificationChoice.objects.create(person=cast.author, kind="failed", pace="none")
    NotificationChoice.objects.create(person=cast.author, kind="quarter", pace="at_once")
    row = Dispatch.objects.create(key="a", person=cast.author, kind=DIGEST, made_at=now)
    Notification.objects.filter(kind="decided").update(dispatch=row)
    content = mail_of(row, now=now)
    assert content is not None
    path = path_of(content.unsubscribe_url)
    assert "If you confirm, you get no more daily mail with notifications." in client.get(path).content.decode()
    assert client.post(path).status_code == 200
    kept = {"failed": "none", "quarter": "at_once"}
    ended = {kind for kind, one in CATALOG.items() if one.pace is NoticePace.DIGEST} - kept.keys()
    assert choices_of(cast.author.pk) == dict.fromkeys(ended, "page") | kept
    assert {one.kind: one.pace.value for one in preferences_of(cast.author.pk).kinds}["lapses"] == "at_once"
    assert Notification.objects.get(kind="lapses").pace == "at_once"
    assert AuditEvent.objects.get(kind="notification.unsubscribed").details == {"kinds": sorted(ended)}


def test_the_link_to_no_mail_at_all_ends_all_mail_and_keeps_what_is_off(cast: Cast, client: Client) -> None:
    NotificationChoice.objects.create(person=cast.author, kind="failed", pace="none")
    assert client.post(path_of(unsubscribe_url(person_id=cast.author.pk))).status_code == 200
    assert choices_of(cast.author.pk) == dict.fromkeys(CATALOG, "page") | {"failed": "none"}


def test_what_waits_follows_the_new_pace(cast: Cast, client: Client, now: datetime) -> None:
    for kind in ("lapses", "decided"):
        notify(event=happened(kind=kind, key=kind), people=[cast.author, cast.product], now=now)
    client.post(path_of(unsubscribe_url(person_id=cast.author.pk, about="lapses")))
    choose(paces={"decided": NoticePace.AT_ONCE}, hours=MailHours(), by=cast.author, now=now)
    paces = Notification.objects.order_by("kind").values_list("kind", "pace")
    assert list(paces.filter(person=cast.author)) == [("decided", "at_once"), ("lapses", "page")]
    assert list(paces.filter(person=cast.product)) == [("decided", "digest"), ("lapses", "at_once")]


def test_the_api_keeps_what_is_not_named(cast: Cast, api: Api) -> None:
    client = api(cast.author)
    steps: list[dict[str, object]] = [HOURS, {"paces": {"decided": "none"}}, {"digest_hour": 5}, {}]
    for given in steps:
        assert client.post("/api/v1/notifications/settings/", given, format="json").status_code == 200
    own = preferences_of(cast.author.pk)
    assert own.hours == MailHours(**HOURS | {"digest_hour": 5})
    assert choices_of(cast.author.pk) == {"decided": "none"}


@pytest.mark.parametrize("method", ["get", "post", "put", "head"])
def test_no_token_of_a_mail_stands_in_a_log(
    cast: Cast, client: Client, now: datetime, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """Whoever reads the log could end the mail of a person; also of an address that is cut or refused."""
    caplog.set_level("DEBUG")
    notify(event=happened(), people=[cast.author], now=now)
    for url in (unsubscribe_url(person_id=cast.author.pk), open_url(Notification.objects.get().pk)):
        token = url.split("/")[-2]
        for path in (path_of(url), path_of(url).rstrip("/"), path_of(url) + "more/"):
            getattr(client, method)(path)
        assert token not in caplog.text
        assert not any(token in str(vars(record)) for record in caplog.records)
    assert f"{method.upper()} /notifications/unsubscribe/… 200" in caplog.text or method == "put"


def test_a_closed_account_chooses_nothing(cast: Cast, now: datetime) -> None:
    cast.author.is_active = False
    with pytest.raises(NotAllowed):
        choose(paces={}, hours=MailHours(), by=cast.author, now=now)
    assert not PersonalHours.objects.exists()


def test_a_forged_link_does_nothing(cast: Cast, client: Client, as_: As, now: datetime) -> None:
    notify(event=happened(), people=[cast.author], now=now)
    row = Notification.objects.get()
    foreign = path_of(open_url(row.pk)).split("/")[-2]
    for token in ("x", f"{foreign}", path_of(unsubscribe_url(person_id=cast.author.pk)).split("/")[-2] + "x"):
        assert client.post(f"/notifications/unsubscribe/{token}/").status_code == 404
    assert choices_of(cast.author.pk) == {}
    for token in ("x", path_of(unsubscribe_url(person_id=row.pk)).split("/")[-2]):
        assert as_(cast.author).get(f"/notifications/open/{token}/")["Location"] == "/notifications/"
    assert Notification.objects.get().opened_at is None


def test_a_link_opens_once_for_its_person_after_the_log_in(cast: Cast, client: Client, as_: As, now: datetime) -> None:
    notify(event=happened(), people=[cast.author], now=now)
    path = path_of(open_url(Notification.objects.get().pk))
    assert client.get(path)["Location"].startswith("/accounts/login/?next=/notifications/open/")
    assert as_(cast.product).get(path)["Location"] == "/notifications/"
    assert Notification.objects.get().opened_at is None
    assert as_(cast.author).get(path)["Location"] == "/somewhere/"
    row = Notification.objects.get()
    assert row.opened_at is not None
    assert row.read_at is not None
    answer = as_(cast.author).get(path, follow=True)
    assert "This link was used before." in answer.content.decode()


def test_an_old_link_opens_nothing(cast: Cast, as_: As, now: datetime) -> None:
    notify(event=happened(), people=[cast.author], now=now)
    path = path_of(open_url(Notification.objects.get().pk))
    with time_machine.travel(now + timedelta(days=31), tick=False):
        assert as_(cast.author).get(path)["Location"] == "/notifications/"
    assert Notification.objects.get().opened_at is None


def test_the_database_refuses_unknown_paces_and_hours(cast: Cast) -> None:
    with pytest.raises(IntegrityError):
        NotificationChoice.objects.create(person=cast.author, kind="decided", pace="loud")


def test_the_database_refuses_hours_that_no_day_has(cast: Cast) -> None:
    with pytest.raises(IntegrityError):
        PersonalHours.objects.create(person=cast.author, time_zone="UTC", digest_hour=24, quiet_from=0, quiet_to=0)
