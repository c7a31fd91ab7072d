"""Many requests at once get no more attempts than one after another, and no two first factors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import connections
from django.test import Client

from tests.factories.people import PASSWORD, make_person, totp_code

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 10


def at_once(call: Callable[[int], int]) -> list[int]:
    """What `MANY` threads answered that began together."""
    line = Barrier(MANY)

    def run(number: int) -> int:
        line.wait()
        try:
            return call(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(run, range(MANY)))


def test_guesses_at_once_are_five(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    make_person("author", now=now)
    seen: list[str] = []
    monkeypatch.setattr(AbstractBaseUser, "check_password", lambda self, raw: seen.append(raw))
    logins = ("author", "author@example.org")

    def guess(number: int) -> int:
        fields = {"login": logins[number % 2], "password": f"guess {number}"}
        return Client().post("/accounts/login/", fields, REMOTE_ADDR=f"203.0.113.{number}").status_code

    assert at_once(guess) == [200] * MANY
    assert len(set(seen)) <= 5


def test_one_of_many_sessions_adds_the_first_factor(now: datetime) -> None:
    user = make_person("author", now=now)
    clients, secrets = [], []
    for _ in range(MANY):
        client = Client()
        client.force_login(user)
        assert client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/"}).status_code == 302
        clients.append(client)
        secrets.append(str(client.get("/accounts/2fa/totp/activate/").context["form"].secret))
    answers = at_once(
        lambda number: (
            clients[number].post("/accounts/2fa/totp/activate/", {"code": totp_code(secrets[number])}).status_code
        )
    )
    assert set(answers) <= {200, 302}
    assert Authenticator.objects.filter(user=User.objects.get(), type=Authenticator.Type.TOTP).count() == 1
