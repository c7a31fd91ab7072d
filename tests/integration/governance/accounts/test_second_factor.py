"""Second factors: set up by those who approve, proved again before a vote, and not to be walked around."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.people.actions import people
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.voting.models import Vote
from tests.factories.changes import propose
from tests.factories.people import PASSWORD, Cast, totp_code
from tests.factories.snapshots import snapshot
from tests.pages import html_of

As = Callable[[User], Client]
SECRET = "JBSWY3DPEHPK3PXP"
VOTE = {"stage": "technical", "choice": "approve", "rationale": "Measured well."}
APPROVERS = ("reviewer_one", "approver", "finance", "admin")


@pytest.fixture
def required(settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}


def enrol(user: User) -> None:
    totp.TOTP.activate(user, SECRET)


def code() -> str:
    return totp_code(SECRET)


def forget_used_codes() -> None:
    cache.clear()


def log_in(user: User, *, with_code: bool = True) -> Client:
    client = Client()
    response = client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    assert urlsplit(response["Location"]).path == "/accounts/2fa/authenticate/"
    if with_code:
        forget_used_codes()
        assert client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 302
    return client


@pytest.mark.parametrize("person", APPROVERS)
def test_an_approver_without_a_factor_is_sent_to_set_one_up(required: None, as_: As, cast: Cast, person: str) -> None:
    client = as_(getattr(cast, person))
    for path in ("/", "/requests/", "/admin/", "/budgets/"):
        response = client.get(path)
        assert (response.status_code, response["Location"]) == (302, "/accounts/2fa/")
    page = client.get("/accounts/2fa/")
    assert "Your role needs a second factor" in html_of(page)
    problem = client.get("/api/v1/requests/")
    assert (problem.status_code, problem.json()["code"]) == (403, "second_factor")
    assert problem.json()["title"] == "Forbidden"


@pytest.mark.parametrize("person", ["author", "auditor", "outsider"])
def test_whoever_approves_nothing_needs_none(required: None, as_: As, cast: Cast, person: str) -> None:
    assert as_(getattr(cast, person)).get("/requests/").status_code == 200


@pytest.mark.parametrize("person", APPROVERS)
def test_without_the_setting_nobody_needs_one(as_: As, cast: Cast, person: str) -> None:
    assert as_(getattr(cast, person)).get("/requests/").status_code == 200


def test_a_password_alone_opens_nothing_to_whoever_has_a_factor(cast: Cast) -> None:
    enrol(cast.author)
    client = log_in(cast.author, with_code=False)
    assert client.get("/requests/").status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.get("/requests/").status_code == 302
    assert log_in(cast.author).get("/requests/").status_code == 200


def test_a_code_opens_once(cast: Cast) -> None:
    enrol(cast.author)
    used = code()
    first, second = log_in(cast.author, with_code=False), log_in(cast.author, with_code=False)
    assert first.post("/accounts/2fa/authenticate/", {"code": used}).status_code == 302
    assert second.post("/accounts/2fa/authenticate/", {"code": used}).status_code == 200
    assert second.get("/requests/").status_code == 302


def test_a_stale_session_votes_only_after_the_factor_and_loses_no_word(
    required: None, as_: As, cast: Cast, in_review: ReviewRequest
) -> None:
    enrol(cast.reviewer_one)
    client = as_(cast.reviewer_one)
    before = snapshot()
    asked = client.post(f"/requests/{in_review.ref}/votes/", VOTE)
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    assert snapshot() == before
    client.post("/accounts/2fa/reauthenticate/", {"code": "000000", "next": f"/requests/{in_review.ref}/votes/"})
    assert not Vote.objects.exists()
    forget_used_codes()
    done = client.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": f"/requests/{in_review.ref}/votes/"})
    assert done.status_code == 302
    vote = Vote.objects.get()
    assert (vote.person, vote.rationale) == (
        cast.reviewer_one,
        "Measured well.",
    )


def test_the_password_again_is_no_second_factor(required: None, as_: As, cast: Cast, in_review: ReviewRequest) -> None:
    enrol(cast.reviewer_one)
    client = as_(cast.reviewer_one)
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/"}).status_code == 302
    asked = client.post(f"/requests/{in_review.ref}/votes/", VOTE)
    assert urlsplit(asked["Location"]).path == "/accounts/2fa/reauthenticate/"
    assert not Vote.objects.exists()


def test_a_fresh_factor_is_not_asked_for_again_and_an_old_one_is(
    required: None, cast: Cast, in_review: ReviewRequest, settings: Settings
) -> None:
    enrol(cast.reviewer_one)
    client = log_in(cast.reviewer_one)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    assert "2fa" in client.post(f"/requests/{in_review.ref}/votes/", VOTE)["Location"]
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    assert client.post(f"/requests/{in_review.ref}/votes/", VOTE)["Location"].endswith("#votes")
    assert Vote.objects.count() == 1


def test_no_program_votes_where_a_factor_is_required(
    required: None, api: Callable[[User | None], APIClient], cast: Cast, in_review: ReviewRequest
) -> None:
    client = api(cast.reviewer_one)
    url = f"/api/v1/requests/{in_review.ref}/votes/"
    assert client.get(url).status_code == 200
    before = snapshot()
    problem = client.post(url, {"stage": "technical", "choice": "approve"}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert (problem.status_code, problem.json()["code"]) == (403, "second_factor")
    assert snapshot() == before


def test_the_secret_is_kept_sealed_and_the_page_draws_it_itself(as_: As, cast: Cast, now: datetime) -> None:
    enrol(cast.author)
    kept = Authenticator.objects.get()
    assert SECRET not in str(kept.data)
    assert kept.wrap().validate_code(code())
    client = as_(cast.finance)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/"})
    page = html_of(client.get("/accounts/2fa/totp/activate/"))
    assert re.search(r"<svg[^>]*>.*<path", page, re.DOTALL)
    assert "data:" not in page
    assert "<?xml" not in page


def test_the_eleventh_bad_password_of_a_minute_is_refused_whoever_it_claims_to_come_from(cast: Cast) -> None:
    client = Client()

    def attempt(name: str, password: str, ip: str) -> str:
        data = {"login": name, "password": password}
        return html_of(client.post("/accounts/login/", data, HTTP_X_FORWARDED_FOR=ip))

    for number in range(10):
        assert "not correct" in attempt(f"nobody{number}", "wrong", f"203.0.113.{number}")
    assert "Too many failed login attempts" in attempt("nobody", "wrong", "203.0.113.99")
    assert "Too many failed login attempts" in attempt("author", PASSWORD, "203.0.113.98")


def test_one_account_is_guessed_at_five_times(cast: Cast) -> None:
    client = Client()
    for number in range(5):
        data = {"login": "author", "password": "wrong"}
        assert "not correct" in html_of(client.post("/accounts/login/", data, REMOTE_ADDR=f"203.0.113.{number}"))
    last = client.post("/accounts/login/", {"login": "author", "password": PASSWORD}, REMOTE_ADDR="203.0.113.77")
    assert "Too many failed login attempts" in html_of(last)


def test_the_admin_has_no_door_of_its_own(cast: Cast) -> None:
    response = Client().post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert (response.status_code, urlsplit(response["Location"]).path) == (302, "/accounts/login/")


def test_every_step_that_asks_for_a_factor_has_an_address(settings: Settings) -> None:
    """A route that was renamed would ask for nothing."""
    spaces = get_resolver().namespace_dict
    named = {(space, name) for space, (_, resolver) in spaces.items() for name in resolver.reverse_dict}
    assert {tuple(route.split(":")) for route in settings.STEP_UP_ROUTES} - named == set()


def test_the_second_person_of_a_change_proves_a_second_factor(
    required: None, as_: As, cast: Cast, policy: PolicyVersion, now: datetime
) -> None:
    draft = rulebook.draft_policy(source=policy.source, by=cast.approver, now=now)
    change = propose(version=draft, by=cast.approver, now=now)
    enrol(cast.admin)
    before = snapshot()
    asked = as_(cast.admin).post(f"/changes/{change.pk}/confirm/")
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    program = APIClient()
    token = people.create_token(user=cast.admin, valid_days=1, by=None, now=now)
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    refused = program.post(f"/api/v1/changes/{change.pk}/confirm/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor")
    assert snapshot() == before


@pytest.mark.parametrize(("half_minutes", "status"), [(-2, 200), (-1, 302), (1, 302), (2, 200)])
def test_a_code_is_valid_half_a_minute_earlier_and_later(cast: Cast, half_minutes: int, status: int) -> None:
    enrol(cast.author)
    client = log_in(cast.author, with_code=False)
    here = timezone.now()
    with time_machine.travel(here + timedelta(seconds=30 * half_minutes), tick=False):
        shown = code()
    with time_machine.travel(here, tick=False):
        assert client.post("/accounts/2fa/authenticate/", {"code": shown}).status_code == status
