"""There is one way in: no address checks a password without a count, and none changes a factor for a password alone."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from governance.accounts.web.adapters import NOT_LINKED, ProviderSignup
from reviews.requests.models import ReviewRequest
from reviews.voting.models import Vote
from tests.factories.people import PASSWORD, Cast
from tests.factories.snapshots import snapshot
from tests.integration.governance.accounts.test_second_factor import SECRET, VOTE, code, enrol
from tests.pages import html_of
from weighbridge.core.errors import NotAllowed

As = Callable[[User], Client]
WRONG = "not the password"
FULLWIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "author")
GUESS = {"login": "author", "username": "author", "email": "author@example.org"}
SECRETS = ("password", "oldpassword", "old_password", "password1", "password2", "new_password1", "new_password2")
ALLOWED = {
    "account_change_password": "the factor first, then the old password",
    "account_inactive": "a sentence",
    "account_login": "log in",
    "account_logout": "log out",
    "account_reauthenticate": "the password again, of whoever has no factor",
    "account_reset_password": "ask for a mail",
    "account_reset_password_done": "a sentence",
    "account_reset_password_from_key": "a new password, with the link of the mail",
    "account_reset_password_from_key_done": "a sentence",
    "account_signup": "says that registration is closed",
    "mfa_activate_totp": "the factor first",
    "mfa_add_webauthn": "the factor first",
    "mfa_authenticate": "the second step of a login",
    "mfa_deactivate_totp": "the factor first",
    "mfa_download_recovery_codes": "the factor first",
    "mfa_edit_webauthn": "the factor first",
    "mfa_generate_recovery_codes": "the factor first",
    "mfa_index": "names one's factors",
    "mfa_list_webauthn": "names one's keys",
    "mfa_login_webauthn": "log in with a passkey",
    "mfa_reauthenticate": "the factor again",
    "mfa_reauthenticate_webauthn": "the factor again",
    "mfa_remove_webauthn": "the factor first",
    "mfa_view_recovery_codes": "the factor first",
    "openid_connect_callback": "log in with the provider",
    "openid_connect_login": "log in with the provider",
    "socialaccount_login_cancelled": "a sentence",
    "socialaccount_login_error": "a sentence",
    "socialaccount_signup": "ends the first login with the provider",
}
"""Every page of accounts, and what it is for. A page that allauth adds must be judged first."""


def addresses(patterns: list[Any] | None = None, before: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Route (without arguments: with the argument 1) and name of every address there is."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, route, f"{space}{each.namespace}:" if each.namespace else space)
        elif isinstance(each, URLPattern):
            yield path_of(route), f"{space}{each.name}"


def path_of(route: str) -> str:
    plain = route.replace("^", "").replace("$", "").replace("\\Z", "").replace("/?", "/")
    while "(?P<" in plain:
        start = plain.index("(?P<")
        depth, end = 0, start
        for end in range(start, len(plain)):
            depth += {"(": 1, ")": -1}.get(plain[end], 0)
            if not depth:
                break
        plain = plain[:start] + "1" + plain[end + 1 :]
    parts = ["1" if part.startswith("<") else part for part in plain.split("/")]
    return "/" + "/".join(parts)


@pytest.fixture
def required(settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    settings.MFA_TOTP_TOLERANCE = 1


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that was compared with one of an account."""
    seen: list[str] = []
    check = AbstractBaseUser.check_password

    def spy(self: AbstractBaseUser, raw: str) -> bool:
        seen.append(raw)
        return check(self, raw)

    monkeypatch.setattr(AbstractBaseUser, "check_password", spy)
    return seen


def by_password(user: User) -> Client:
    """A browser whose session was confirmed a moment ago, with the password alone, whatever made that possible."""
    client = Client()
    client.force_login(user)
    session = client.session
    record = {"method": "password", "at": time.time(), "reauthenticated": True}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [record]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client


def test_every_page_of_accounts_is_known() -> None:
    assert {name for path, name in addresses() if path.startswith("/accounts/")} == set(ALLOWED)


def test_no_address_compares_more_than_five_passwords(cast: Cast, checked: list[str]) -> None:
    """Whatever address is sent a password, by whomever, is either deaf to it or counts."""
    User.objects.filter(pk=cast.author.pk).update(is_staff=True, is_superuser=True)
    listening = set()
    for path, name in addresses():
        for is_in in (False, True):
            cache.clear()
            client = Client(raise_request_exception=False)
            if is_in:
                client.force_login(cast.author)
            told = 0
            for number in range(8):
                before = len(checked)
                fields = GUESS | dict.fromkeys(SECRETS, WRONG)
                client.post(path, fields, REMOTE_ADDR=f"203.0.113.{number}")
                told += len(checked) > before
                if not told:
                    break
            assert told <= 5, (path, is_in)
            if told:
                listening.add((name, is_in))
    assert listening == {
        ("account_login", False),
        ("account_reauthenticate", True),
        ("account_change_password", True),
    }


FORMS = {
    "name": ("/accounts/login/", lambda secret: {"login": "author", "password": secret}),
    "NAME": ("/accounts/login/", lambda secret: {"login": "AUTHOR ", "password": secret}),
    "fullwidth": ("/accounts/login/", lambda secret: {"login": FULLWIDTH, "password": secret}),
    "address": ("/accounts/login/", lambda secret: {"login": "author@example.org", "password": secret}),
    "ADDRESS": ("/accounts/login/", lambda secret: {"login": "Author@Example.ORG", "password": secret}),
    "again": ("/accounts/reauthenticate/", lambda secret: {"password": secret}),
    "change": (
        "/accounts/password/change/",
        lambda secret: {"oldpassword": secret, "password1": WRONG, "password2": WRONG},
    ),
}


@pytest.mark.parametrize("order", [list(FORMS), list(reversed(FORMS))], ids=["forth", "back"])
def test_an_account_is_counted_once_whatever_was_typed_wherever(
    as_: As, cast: Cast, checked: list[str], order: list[str]
) -> None:
    inside, outside, heard = as_(cast.author), Client(), []
    for number, form in enumerate([*order, *order]):
        path, fields = FORMS[form]
        before = len(checked)
        client = outside if path == "/accounts/login/" else inside
        client.post(path, fields(WRONG), REMOTE_ADDR=f"203.0.113.{number}")
        heard += [form] * (len(checked) > before)
    assert len(heard) == 4, "five forms count; the fullwidth one counts too, but no password is compared"
    for form in FORMS:
        path, fields = FORMS[form]
        (outside if path == "/accounts/login/" else inside).post(path, fields(PASSWORD), REMOTE_ADDR="203.0.113.99")
    assert PASSWORD not in checked
    assert outside.get("/requests/").status_code == 302


def test_codes_of_a_log_in_count_with_passwords(cast: Cast) -> None:
    enrol(cast.author)
    for number in range(3):
        client, place = Client(), f"203.0.113.{number}"
        client.post("/accounts/login/", {"login": "author", "password": PASSWORD}, REMOTE_ADDR=place)
        assert "Incorrect code" in html_of(
            client.post("/accounts/2fa/authenticate/", {"code": "000000"}, REMOTE_ADDR=place)
        )
    for number in range(2):
        Client().post("/accounts/login/", {"login": "author", "password": WRONG}, REMOTE_ADDR=f"203.0.113.1{number}")
    refused = client.post("/accounts/2fa/authenticate/", {"code": code()}, REMOTE_ADDR="203.0.113.20")
    assert "Too many failed login attempts" in html_of(refused)
    refused = Client().post("/accounts/login/", {"login": "author", "password": PASSWORD}, REMOTE_ADDR="203.0.113.21")
    assert "Too many failed login attempts" in html_of(refused)


def test_a_stranger_who_guesses_keeps_nobody_from_confirming_a_factor(as_: As, cast: Cast) -> None:
    enrol(cast.author)
    client, asked = as_(cast.author), "/accounts/2fa/reauthenticate/"
    for number in range(6):
        Client().post("/accounts/login/", {"login": "author", "password": WRONG}, REMOTE_ADDR=f"203.0.113.{number}")
    for number in range(4):
        client.post(asked, {"code": "000000"}, REMOTE_ADDR=f"203.0.113.1{number}")
    assert client.post(asked, {"code": code(), "next": "/"}, REMOTE_ADDR="203.0.113.20").status_code == 302
    assert "Incorrect code" in html_of(client.post(asked, {"code": "000000"}, REMOTE_ADDR="203.0.113.21"))
    refused = client.post(asked, {"code": code()}, REMOTE_ADDR="203.0.113.22")
    assert "Too many failed login attempts" in html_of(refused)


def test_a_success_forgives_nobody_else(as_: As, cast: Cast) -> None:
    """A guesser who proves to be themselves between guesses gains no guess."""
    enrol(cast.author)
    own = as_(cast.author)
    for number in range(9):
        Client().post("/accounts/login/", {"login": f"nobody{number}", "password": WRONG})
    assert own.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": "/"}).status_code == 302
    assert "not correct" in html_of(Client().post("/accounts/login/", {"login": "nobody9", "password": WRONG}))
    tenth = Client().post("/accounts/login/", {"login": "nobody10", "password": WRONG})
    assert "Too many failed login attempts" in html_of(tenth)


def test_counters_outlive_a_crowd_of_other_entries(cast: Cast) -> None:
    for number in range(5):
        Client().post("/accounts/login/", {"login": "author", "password": WRONG}, REMOTE_ADDR=f"203.0.113.{number}")
    for number in range(700):
        cache.set(f"zzz:{number}" if number % 2 else f"AAA:{number}", True, 300)
    last = Client().post("/accounts/login/", {"login": "author", "password": PASSWORD}, REMOTE_ADDR="203.0.113.9")
    assert "Too many failed login attempts" in html_of(last)


def failures_of(*places: tuple[str, str]) -> list[bool]:
    """Whether each login, from a peer with a header, was refused for its address; every name is another one."""
    answers = []
    for number, (peer, header) in enumerate(places):
        extra = {"HTTP_X_FORWARDED_FOR": header} if header else {}
        fields = {"login": f"nobody{number}", "password": WRONG}
        answers.append(html_of(Client().post("/accounts/login/", fields, REMOTE_ADDR=peer, **extra)))
    return ["Too many failed login attempts" in answer for answer in answers]


@pytest.mark.parametrize(
    ("proxies", "places", "is_one"),
    [
        (0, [("198.51.100.1", f"203.0.113.{n}") for n in range(11)], True),
        (1, [("10.0.0.1", f"203.0.113.{n}, 198.51.100.1") for n in range(11)], True),
        (1, [("10.0.0.1", f"198.51.100.1, 203.0.113.{n}") for n in range(11)], False),
        (2, [("10.0.0.1", f"203.0.113.{n}, 198.51.100.1, 10.0.0.2") for n in range(11)], True),
        (2, [("198.51.100.1", f"203.0.113.{n}") for n in range(11)], True),
        (1, [("198.51.100.1", f"not an address {n}") for n in range(11)], True),
        (1, [("198.51.100.1", "") for _ in range(11)], True),
        (0, [(f"2001:db8:1:1::{n}", "") for n in range(11)], True),
        (0, [(f"2001:db8:1:{n}::1", "") for n in range(11)], False),
        (0, [(f"::ffff:203.0.113.{n}", "") for n in range(11)], False),
        (0, [(["::ffff:203.0.113.1", "203.0.113.1"][n % 2], "") for n in range(11)], True),
    ],
)
def test_an_address_is_the_one_our_own_proxy_saw(
    db: None, settings: Settings, proxies: int, places: list[tuple[str, str]], is_one: bool
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    assert failures_of(*places) == [False] * 10 + [is_one]


def test_a_client_without_an_address_is_refused(db: None) -> None:
    assert Client().post("/accounts/login/", {"login": "x", "password": "x"}, REMOTE_ADDR="").status_code == 403


# factors


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_password_alone_changes_and_shows_no_factor(cast: Cast, method: str) -> None:
    """At every page of factors there is, with every method that its views take."""
    enrol(cast.author)
    key = Authenticator.objects.create(user=cast.author, type="webauthn", data={"name": "Laptop", "credential": {}})
    codes = RecoveryCodes.activate(cast.author).get_unused_codes()
    client, before = by_password(cast.author), snapshot()
    client.raise_request_exception = False  # the key is none, so that the page that asks for it fails
    found = [path for path, _ in addresses() if path.startswith("/accounts/2fa/")]
    pages = [path.replace("/keys/1/", f"/keys/{key.pk}/") for path in found]
    assert len(pages) == 14
    for path in pages:
        answer = getattr(client, method)(path, {"name": "Mine", "code": "000000", "credential": "{}"})
        assert [each for each in (SECRET, *codes) if each in answer.content.decode()] == [], path
    assert snapshot() == before
    assert list(Authenticator.objects.filter(user=cast.author).order_by("pk").values_list("type", flat=True)) == [
        "totp",
        "webauthn",
        "recovery_codes",
    ]


def test_whoever_has_a_factor_cannot_use_the_password_instead(as_: As, cast: Cast) -> None:
    enrol(cast.author)
    client = as_(cast.author)
    for answer in (
        client.get("/accounts/reauthenticate/"),
        client.post("/accounts/reauthenticate/", {"password": PASSWORD}),
        client.get("/accounts/password/change/"),
        client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": WRONG, "password2": WRONG}),
    ):
        assert urlsplit(answer["Location"]).path == "/accounts/2fa/reauthenticate/"
    assert AUTHENTICATION_METHODS_SESSION_KEY not in client.session
    cast.author.refresh_from_db()
    assert cast.author.check_password(PASSWORD)


def test_with_the_factor_it_is_replaced(cast: Cast, settings: Settings) -> None:
    settings.MFA_TOTP_TOLERANCE = 1
    enrol(cast.author)
    client = by_password(cast.author)
    assert client.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": "/"}).status_code == 302
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.exists()


def test_a_step_that_waits_for_the_factor_is_not_taken_for_a_password(
    required: None, as_: As, cast: Cast, in_review: ReviewRequest
) -> None:
    enrol(cast.reviewer_one)
    client, path = as_(cast.reviewer_one), f"/requests/{in_review.ref}/votes/"
    assert client.post(path, VOTE).status_code == 302
    before = Vote.objects.count()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path})
    client.post(f"/accounts/reauthenticate/?next={path}", {"password": PASSWORD, "next": path})
    assert Vote.objects.count() == before == 0


@pytest.mark.parametrize("person", ["admin", "finance", "outsider"])
def test_a_session_that_never_used_the_factor_sees_nothing(required: None, as_: As, cast: Cast, person: str) -> None:
    user: User = getattr(cast, person)
    enrol(user)
    if person == "outsider":
        User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
        user.refresh_from_db()
    client = as_(user)
    for path in ("/requests/", "/admin/", "/changes/"):
        assert urlsplit(client.get(path)["Location"]).path == "/accounts/2fa/reauthenticate/", path
    refused = client.get("/api/v1/requests/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor")


def test_the_factor_is_asked_for_again_before_a_change_in_the_admin(
    required: None, cast: Cast, settings: Settings
) -> None:
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    enrol(cast.admin)
    client = Client()
    client.post("/accounts/login/", {"login": "admin", "password": PASSWORD})
    assert client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 302
    assert client.get("/admin/").status_code == 200
    before = snapshot()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    chosen = {"action": "close", "_selected_action": [cast.author.pk]}
    asked = client.post("/admin/auth/user/", chosen)
    assert urlsplit(asked["Location"]).path == "/accounts/2fa/reauthenticate/"
    assert snapshot() == before
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    assert client.post("/admin/auth/user/", chosen).status_code == 302
    assert not User.objects.get(pk=cast.author.pk).is_active


def test_without_a_password_and_a_factor_one_logs_in_again_first(as_: As, cast: Cast) -> None:
    cast.author.set_unusable_password()
    cast.author.save()
    client = as_(cast.author)
    refused = client.get("/accounts/password/change/")
    assert (refused.status_code, "identity provider" in html_of(refused)) == (403, True)
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"] == "/accounts/login/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert client.get("/requests/").status_code == 302, "logged out"
    assert by_password(cast.author).get("/accounts/2fa/totp/activate/").status_code == 200


def test_no_identity_is_linked_to_an_account() -> None:
    with pytest.raises(NotAllowed, match=NOT_LINKED):
        ProviderSignup().pre_social_login(None, SimpleNamespace(state={"process": "connect"}))
    ProviderSignup().pre_social_login(None, SimpleNamespace(state={"process": "login"}))


# the admin


@pytest.mark.parametrize("is_staff", [False, True])
def test_the_admin_asks_for_no_password(as_: As, cast: Cast, checked: list[str], is_staff: bool) -> None:
    """Nor does it let whoever is logged in become somebody else."""
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    User.objects.filter(pk=cast.author.pk).update(is_staff=is_staff, is_superuser=is_staff)
    client = as_(cast.author)
    answer = client.post("/admin/login/", {"username": "admin", "password": PASSWORD, "next": "/admin/"})
    assert (answer.status_code, answer.get("Location")) == ((302, "/admin/") if is_staff else (403, None))
    changed = client.post(
        "/admin/password_change/", {"old_password": PASSWORD, "new_password1": WRONG, "new_password2": WRONG}
    )
    left = client.post("/admin/logout/")
    if is_staff:
        assert (changed["Location"], left["Location"]) == ("/accounts/password/change/", "/accounts/logout/")
    assert checked == []
    assert client.session["_auth_user_id"] == str(cast.author.pk)


def test_the_known_password_of_the_demo_opens_nothing_in_production(cast: Cast, settings: Settings) -> None:
    cast.author.set_password("weighbridge-demo")
    cast.author.save()
    fields = {"login": "author", "password": "weighbridge-demo"}
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"ALLOWS_DEMO": False}
    assert "not correct" in html_of(Client().post("/accounts/login/", fields))
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"ALLOWS_DEMO": True}
    assert Client().post("/accounts/login/", fields).status_code == 302


def test_the_admin_help_of_a_lost_factor_takes_its_codes_too(cast: Cast, as_: As) -> None:
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    enrol(cast.author)
    RecoveryCodes.activate(cast.author)
    factor = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert as_(cast.admin).post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()
    assert totp.TOTP.activate(cast.author, SECRET)
