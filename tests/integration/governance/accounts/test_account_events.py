"""Whatever happens to the ways into an account is on record, whoever did it through whatever door, and no secret is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from tests.factories.people import PASSWORD, Cast, totp_code
from tests.pages import html_of

As = Callable[[User], Client]
NEW = "a longer horse battery"
KINDS = ("second_factor.", "recovery_codes.", "password.", "login.")


def told() -> list[tuple[str, str, str, dict[str, Any]]]:
    """(kind, whose account, who acted, details) of every event about accounts, oldest first."""
    rows = [row for row in AuditEvent.objects.order_by("position") if row.kind.startswith(KINDS)]
    return [(row.kind, row.subject, row.actor_id, row.details) for row in rows]


def prove(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/"}).status_code == 302


def set_up(client: Client) -> str:
    """An authenticator app by the page; its secret."""
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = str(page.context["form"].secret)
    assert client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)}).status_code == 302
    return secret


def test_factors_come_and_go_on_record(as_: As, cast: Cast) -> None:
    client, me = as_(cast.author), str(cast.author.pk)
    secret = set_up(client)
    added = [
        ("second_factor.added", "author", me, {"factor": "totp"}),
        ("recovery_codes.generated", "author", me, {}),
    ]
    assert told() == added
    assert client.post("/accounts/2fa/recovery-codes/generate/").status_code == 302
    renewed = [("recovery_codes.removed", "author", me, {}), ("recovery_codes.generated", "author", me, {})]
    assert told() == [*added, *renewed]
    codes = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    gone = [("second_factor.removed", "author", me, {"factor": "totp"}), ("recovery_codes.removed", "author", me, {})]
    assert told() == [*added, *renewed, *gone]
    kept = str(list(AuditEvent.objects.values()))
    assert [each for each in (secret, *codes) if each in kept] == []
    assert first_broken() is None


def test_a_recovery_code_that_was_spent_is_an_event(cast: Cast) -> None:
    totp.TOTP.activate(cast.author, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(cast.author)
    client = Client()
    client.post("/accounts/login/", {"login": "author", "password": PASSWORD})
    spent = codes.get_unused_codes()[0]
    assert client.post("/accounts/2fa/authenticate/", {"code": spent}).status_code == 302
    assert told()[-1] == ("recovery_codes.used", "author", str(cast.author.pk), {"codes_left": 9})
    assert spent not in str(list(AuditEvent.objects.values()))


def test_a_password_changed_by_its_owner(as_: As, cast: Cast) -> None:
    client = as_(cast.author)
    asked = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", asked | {"oldpassword": "wrong"}).status_code == 200
    assert told() == []
    assert client.post("/accounts/password/change/", asked).status_code == 302
    assert told() == [("password.changed", "author", str(cast.author.pk), {})]
    assert NEW not in str(list(AuditEvent.objects.values()))


def test_a_password_reset_by_mail_by_an_administrator_and_on_the_server(
    as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Client()
    stranger.post("/accounts/password/reset/", {"email": cast.author.email})
    (link,) = [word for word in str(mail.outbox[-1].body).split() if "/password/reset/key/" in word]
    page = stranger.get(link.replace("http://testserver", ""), follow=True)
    assert stranger.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW}).status_code == 302
    assert told() == [("password.reset", "author", "", {})]

    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    admin = as_(cast.admin)
    url = reverse("admin:auth_user_password_change", args=[cast.author.pk])
    form = {"usable_password": "true", "password1": NEW * 2, "password2": NEW * 2}
    assert admin.post(url, form).status_code == 302
    assert told()[1:] == [("password.reset", "author", str(cast.admin.pk), {})]

    monkeypatch.setattr("getpass.getpass", lambda *_, **__: NEW * 3)
    call_command("changepassword", "author", verbosity=0)
    assert told()[2:] == [("password.reset", "author", "", {})]


def test_whoever_logs_in_with_the_provider_gets_no_mail_for_a_password(cast: Cast) -> None:
    cast.author.set_unusable_password()
    cast.author.save()
    asked = Client().post("/accounts/password/reset/", {"email": cast.author.email})
    assert (asked.status_code, mail.outbox) == (302, [])


def test_a_lost_factor_removed_in_the_admin_is_told(as_: As, cast: Cast) -> None:
    totp.TOTP.activate(cast.author, "JBSWY3DPEHPK3PXP")
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    url = reverse("admin:mfa_authenticator_delete", args=[Authenticator.objects.get().pk])
    assert as_(cast.admin).post(url, {"post": "yes"}).status_code == 302
    assert told()[-1] == ("second_factor.removed", "author", str(cast.admin.pk), {"factor": "totp"})
    assert AuditEvent.objects.latest("position").source == "admin"


def test_logging_in_and_a_new_account_are_no_changes(cast: Cast) -> None:
    assert Client().post("/accounts/login/", {"login": "author", "password": PASSWORD}).status_code == 302
    User.objects.create_user("somebody", "", NEW)
    assert told() == []


def test_what_cannot_be_recorded_is_not_done(as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = as_(cast.author)
    client.raise_request_exception = False
    prove(client)
    secret = str(client.get("/accounts/2fa/totp/activate/").context["form"].secret)

    def fail(**_: object) -> None:
        raise RuntimeError("no record")

    monkeypatch.setattr(audit, "record", fail)
    assert client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)}).status_code == 500
    assert not Authenticator.objects.exists()
    asked = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", asked).status_code == 500
    cast.author.refresh_from_db()
    assert cast.author.check_password(PASSWORD)


def test_no_mail_is_sent_inside_a_transaction(cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    depths: list[int] = []
    send = mail.EmailMessage.send
    monkeypatch.setattr(
        mail.EmailMessage, "send", lambda *args, **kwargs: depths.append(len(connection.savepoint_ids)) or send(*args)
    )
    outside = len(connection.savepoint_ids)
    assert Client().post("/accounts/password/reset/", {"email": cast.author.email}).status_code == 302
    assert depths == [outside]


def guess(login: str, password: str, address: str) -> None:
    Client().post("/accounts/login/", {"login": login, "password": password}, REMOTE_ADDR=address)


def test_too_many_tries_at_an_account_are_one_event(cast: Cast) -> None:
    for _ in range(9):
        guess("author", "s3cret-guess", "203.0.113.5")
    assert told() == [("login.refused", "author", "", {"address": "203.0.113.5"})]
    for _ in range(3):
        guess(cast.author.email, "s3cret-guess", "203.0.113.6")
    assert len(told()) == 1
    assert "s3cret-guess" not in str(list(AuditEvent.objects.values()))


def test_a_name_of_nobody_is_not_written_down(cast: Cast) -> None:
    for _ in range(13):
        guess("my-password-by-mistake", "x", "203.0.113.7")
    assert told() == [("login.refused", "an unknown account", "", {"address": "203.0.113.7"})]
    assert "my-password-by-mistake" not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("door", ["authenticate", "reauthenticate"])
def test_too_many_codes_are_an_event(as_: As, cast: Cast, door: str) -> None:
    totp.TOTP.activate(cast.author, "JBSWY3DPEHPK3PXP")
    client = as_(cast.author) if door == "reauthenticate" else Client()
    if door == "authenticate":
        client.post("/accounts/login/", {"login": "author", "password": PASSWORD})
    for _ in range(8):
        client.post(f"/accounts/2fa/{door}/", {"code": "000000"})
    assert told()[-1] == ("login.refused", "author", "", {"address": "127.0.0.1"})
    assert [kind for kind, *_ in told()].count("login.refused") == 1


def test_the_record_tells_a_reader(as_: As, cast: Cast, now: datetime) -> None:
    set_up(as_(cast.author))
    page = html_of(as_(cast.auditor).get("/audit/?kind=second_factor"))
    assert "Second factor added" in page
