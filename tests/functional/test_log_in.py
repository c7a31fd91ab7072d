"""Log-in and second factors by hand, in a browser, under the content policy."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.factories.people import PASSWORD, Cast, totp_code
from tests.functional.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_approver_logs_in_and_sets_up_a_factor(
    visit: Callable[[User | None], Visitor], cast: Cast, settings: Settings
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    visitor = visit(None)
    page = visitor.page
    page.goto(f"{visitor.url}/requests/")
    page.locator("#id_login").fill("approver")
    page.locator("#id_password").fill(PASSWORD)
    assert page.locator("#passkey_login").is_visible()
    violations = visitor.violations()
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/")
    assert page.get_by_text("Your role needs a second factor").first.is_visible()
    violations += visitor.violations()
    page.goto(f"{visitor.url}/accounts/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/totp/activate/**")
    assert page.locator("svg path").count() > 0
    secret = page.locator("code").inner_text()
    page.locator("#id_code").fill(totp_code(secret))
    violations += visitor.violations()
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/recovery-codes/**")
    violations += visitor.violations()
    page.goto(f"{visitor.url}/requests/")
    assert page.url == f"{visitor.url}/requests/"
    assert Authenticator.objects.filter(user=cast.approver, type="totp").count() == 1
    assert (violations, visitor.record.foreign, visitor.record.complaints) == ([], [], [])
