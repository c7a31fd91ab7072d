"""The main navigation on a phone: the entry of the page is in view when the page opens."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.factories.people import Cast
from tests.functional.conftest import Visitor

Visit = Callable[[User | None], Visitor]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize(("path", "label"), [("/", "Inbox"), ("/cycles/", "Quarterly"), ("/rulebook/", "Policy")])
def test_the_current_entry_is_in_view(visit: Visit, cast: Cast, path: str, label: str) -> None:
    visitor = visit(cast.approver)
    visitor.page.set_viewport_size(PHONE)
    visitor.go(path)
    entry = visitor.page.locator(".nav [aria-current]")
    expect(entry).to_have_text(label)
    expect(entry).to_be_in_viewport(ratio=1)
    assert visitor.page.evaluate("scrollY") == 0
