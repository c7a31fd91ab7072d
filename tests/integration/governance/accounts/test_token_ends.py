"""Whatever ends a password, an account or a role ends the tokens and sessions made with it, at every door."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import ApiToken, RoleGrant
from tests.factories.people import PASSWORD, Cast
from tests.factories.snapshots import snapshot
from weighbridge.core.errors import NotAllowed, WrongState

NEW = "a longer horse battery"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def root(cast: Cast) -> Client:
    """The administrator, who is a superuser of Django as well."""
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    cast.admin.refresh_from_db()
    return browser(cast.admin)


def changed(cast: Cast, **_: object) -> None:
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert browser(cast.author).post("/accounts/password/change/", fields).status_code == 302


def reset_by_mail(cast: Cast, **_: object) -> None:
    stranger = Client()
    stranger.post("/accounts/password/reset/", {"email": cast.author.email})
    (link,) = [word for word in str(mail.outbox[-1].body).split() if "/password/reset/key/" in word]
    page = stranger.get(urlsplit(link).path, follow=True)
    assert stranger.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW}).status_code == 302


def reset_in_the_admin(cast: Cast, **_: object) -> None:
    url = reverse("admin:auth_user_password_change", args=[cast.author.pk])
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert root(cast).post(url, form).status_code == 302


def reset_by_an_operator(cast: Cast, monkeypatch: pytest.MonkeyPatch, **_: object) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: NEW)
    call_command("changepassword", "author", verbosity=0)


def closed(cast: Cast, now: datetime, **_: object) -> None:
    people.close_account(user=cast.author, by=cast.admin, now=now)


def closed_in_the_admin(cast: Cast, **_: object) -> None:
    chosen = {"action": "close", "_selected_action": [cast.author.pk]}
    assert root(cast).post(reverse("admin:auth_user_changelist"), chosen).status_code == 302


def revoked(cast: Cast, now: datetime, **_: object) -> None:
    grant = RoleGrant.objects.get(user=cast.author)
    people.revoke_role(user=cast.author, role=Role(grant.role), team=grant.team, by=cast.admin, now=now)


def revoked_in_the_admin(cast: Cast, **_: object) -> None:
    grant = RoleGrant.objects.get(user=cast.author)
    url = reverse("admin:people_rolegrant_delete", args=[grant.pk])
    assert root(cast).post(url, {"post": "yes"}).status_code == 302


def ended_by_an_operator(**_: object) -> None:
    call_command("revoke_tokens", "author", verbosity=0)


ENDS: Mapping[str, tuple[Callable[..., None], bool, str, str]] = {
    "changed": (changed, True, "The password changed.", "web"),
    "reset by mail": (reset_by_mail, True, "The password changed.", "web"),
    "reset in the admin": (reset_in_the_admin, True, "The password changed.", "admin"),
    "reset by an operator": (reset_by_an_operator, True, "The password changed.", "command"),
    "closed": (closed, True, "The account was closed.", "job"),
    "closed in the admin": (closed_in_the_admin, True, "The account was closed.", "admin"),
    "revoked": (revoked, False, "The role requester was revoked.", "job"),
    "revoked in the admin": (revoked_in_the_admin, False, "The role requester was revoked.", "admin"),
    "ended by an operator": (ended_by_an_operator, False, people.ALONE, "command"),
}
"""How tokens end; whether the sessions end too; the reason and the source on record."""


def opens(token: str) -> bool:
    return Client().get("/api/v1/requests/", headers={"Authorization": f"Token {token}"}).status_code == 200


@pytest.mark.parametrize("end", ENDS)
def test_tokens_and_sessions_end_with_what_they_were_made_with(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    do, ends_sessions, reason, source = ENDS[end]
    tokens = [people.create_token(user=cast.author, valid_days=9, by=cast.author, now=now) for _ in range(2)]
    other = people.create_token(user=cast.outsider, valid_days=9, by=cast.outsider, now=now)
    session = browser(cast.author)
    assert [opens(token) for token in (*tokens, other)] == [True] * 3
    do(cast=cast, now=now, monkeypatch=monkeypatch)
    assert [opens(token) for token in (*tokens, other)] == [False, False, True]
    assert (session.get("/requests/").status_code == 302) == ends_sessions
    (event,) = AuditEvent.objects.filter(kind="token.revoked")
    prefixes = sorted(token[:9] for token in tokens)
    assert (event.subject, event.details) == ("author", {"prefixes": prefixes})
    assert (event.reason, event.source) == (reason, source)


def test_the_session_that_changes_the_password_goes_on(cast: Cast) -> None:
    client = browser(cast.author)
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert client.get("/requests/").status_code == 200


def test_tokens_that_are_over_are_not_revoked_again(cast: Cast, now: datetime) -> None:
    people.create_token(user=cast.author, valid_days=1, by=None, now=now)
    ApiToken.objects.update(expires_at=now)
    before = snapshot()
    assert people.end_tokens(user=cast.author, reason="It leaked.", by=None, now=now) == []
    assert snapshot() == before


def test_a_closed_account_gets_no_token(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.author, by=cast.admin, now=now)
    before = snapshot()
    with pytest.raises(WrongState, match=r"The account author is closed\."):
        people.create_token(user=cast.author, valid_days=1, by=None, now=now)
    assert snapshot() == before


def test_nobody_is_told_to_have_tokens(cast: Cast) -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("revoke_tokens", "nobody")


# closing and opening


def test_an_account_is_reopened_without_its_tokens(cast: Cast, now: datetime) -> None:
    token = people.create_token(user=cast.author, valid_days=1, by=None, now=now)
    people.close_account(user=cast.author, by=cast.admin, now=now)
    chosen = {"action": "reopen", "_selected_action": [cast.author.pk]}
    assert root(cast).post(reverse("admin:auth_user_changelist"), chosen).status_code == 302
    cast.author.refresh_from_db()
    assert cast.author.is_active
    assert not opens(token)
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject, event.actor_id) == ("account.reopened", "author", str(cast.admin.pk))


def test_what_took_two_people_is_not_reopened_by_one(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.finance, by=cast.admin, now=now)
    before = snapshot()
    with pytest.raises(WrongState, match="granting them again takes two people"):
        people.reopen_account(user=cast.finance, by=cast.admin, now=now)
    with pytest.raises(WrongState, match="The account author is not closed"):
        people.reopen_account(user=cast.author, by=cast.admin, now=now)
    with pytest.raises(NotAllowed):
        people.reopen_account(user=cast.finance, by=cast.approver, now=now)
    assert snapshot() == before
    people.reopen_account(user=cast.finance, by=None, now=now)
    assert AuditEvent.objects.latest("position").reason == people.ALONE


@pytest.mark.parametrize("is_active", ["on", ""])
def test_a_form_of_the_admin_neither_closes_nor_opens(cast: Cast, now: datetime, is_active: str) -> None:
    if is_active:
        people.close_account(user=cast.author, by=cast.admin, now=now)
    fields = {
        "username": "author",
        "email": "author@example.org",
        "is_active": is_active,
        "date_joined_0": "2026-01-01",
    }
    url = reverse("admin:auth_user_change", args=[cast.author.pk])
    assert root(cast).post(url, fields | {"date_joined_1": "00:00:00"}).status_code == 302
    cast.author.refresh_from_db()
    assert cast.author.is_active == (not is_active)


# access to the admin


def given() -> list[tuple[str, str, str, str, str, object]]:
    rows = AuditEvent.objects.filter(kind__startswith="admin_access.").order_by("position")
    return [(row.kind, row.subject, row.actor_id, row.source, row.reason, row.details) for row in rows]


def test_access_to_the_admin_is_on_record_whoever_gives_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    call_command("createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org", verbosity=0)
    both = {"is_staff": True, "is_superuser": True}
    assert given() == [("admin_access.given", "ada", "", "command", people.ALONE, both)]
    ada = User.objects.get(username="ada")
    fields = {"username": "ada", "email": "", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert root(cast).post(reverse("admin:auth_user_change", args=[ada.pk]), fields).status_code == 302
    neither = dict.fromkeys(both, False)
    assert given()[1:] == [("admin_access.removed", "ada", str(cast.admin.pk), "admin", "", neither)]
    ada.refresh_from_db()
    ada.save()
    ada.save(update_fields=["last_login"])
    assert len(given()) == 2
