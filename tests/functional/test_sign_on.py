"""Signing on through a provider, in a browser, under the content policy."""

from collections.abc import Callable, Iterator

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from pytest_django import Settings

from config.settings import sign_on
from governance.people.models import RoleGrant
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.standins.oidc import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CLAIMS = {
    "sub": "u-17",
    "email": "newcomer@example.org",
    "email_verified": True,
    "given_name": "New",
    "family_name": "Comer",
}


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    """A provider this installation is connected to."""
    with Provider(claims=dict(CLAIMS)) as provider:
        settings.SOCIALACCOUNT_PROVIDERS = sign_on.providers(
            server_url=provider.url, client_id=CLIENT_ID, secret=CLIENT_SECRET, name="Example login"
        )
        directives = {
            **settings.CONTENT_SECURITY_POLICY["DIRECTIVES"],
            "form-action": sign_on.form_targets(provider.url),
        }
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives}
        yield provider


def sign_in(visit: Callable[[User | None], Visitor]) -> Visitor:
    visitor = visit(None)
    visitor.page.goto(f"{visitor.url}/accounts/login/")
    with visitor.page.expect_event("load"):
        visitor.page.get_by_role("button", name="Log in with Example login").click()
    visitor.page.wait_for_load_state("networkidle")
    return visitor


def test_the_first_time_makes_an_account_without_a_role(
    visit: Callable[[User | None], Visitor], provider: Provider, cast: Cast
) -> None:
    visitor = sign_in(visit)
    assert visitor.page.url == f"{visitor.url}/"
    assert visitor.record.complaints == []
    user = User.objects.get(email="newcomer@example.org")
    assert (user.get_full_name(), user.is_staff, user.is_superuser) == ("New Comer", False, False)
    assert not RoleGrant.objects.filter(user=user).exists()
    assert SocialAccount.objects.get(user=user).uid == "u-17"
    assert sign_in(visit).page.url == f"{visitor.url}/"
    assert User.objects.filter(email="newcomer@example.org").count() == 1
    assert "/authorize" in provider.asked


@pytest.mark.parametrize("is_verified", [True, False])
def test_an_address_alone_links_nobody_to_an_account_there_is(
    visit: Callable[[User | None], Visitor], provider: Provider, cast: Cast, is_verified: bool
) -> None:
    provider.claims |= {"email": cast.approver.email, "email_verified": is_verified}
    sign_in(visit)
    assert not SocialAccount.objects.filter(user=cast.approver).exists()


def test_strangers_still_make_no_account_of_their_own(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(None)
    visitor.page.goto(f"{visitor.url}/accounts/signup/")
    assert visitor.page.locator("input[name=password1]").count() == 0
