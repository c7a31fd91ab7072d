"""Pages of errors: whoever is logged in keeps the navigation and the search, and nobody else gets them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from tests.factories.people import Cast
from tests.pages import html_of

pytestmark = pytest.mark.django_db
Browser = Callable[[User | None], Client]


def kept(html: str) -> bool:
    return 'class="search"' in html and 'href="/requests/"' in html and 'id="palette"' in html


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/no/such/page/", 404),  # an address that leads nowhere
        ("/requests/MRR-1999-0001/", 404),  # a refusal of ours
        ("/audit/", 403),
        ("/undo/", 405),
    ],
)
def test_whoever_is_logged_in_keeps_the_navigation(cast: Cast, as_: Browser, path: str, status: int) -> None:
    answer = as_(cast.author).get(path)
    assert answer.status_code == status
    assert kept(html_of(answer))
    assert html_of(answer).count("<h1") == 1


def test_an_expired_form_keeps_it_too_and_a_stranger_gets_none(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert not kept(html_of(browser.post("/accounts/login/", {})))
    browser.force_login(cast.author)
    answer = browser.post("/saved-views/", {})
    assert (answer.status_code, kept(html_of(answer))) == (403, True)


def test_an_error_of_ours_reads_no_person(cast: Cast, as_: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_(cast.author)
    browser.raise_request_exception = False
    for error, status in ((ZeroDivisionError(), 500), (OperationalError(), 503)):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("governance.saved_views.web.visible_to", fail)
        answer = browser.get("/saved-views/")
        assert (answer.status_code, kept(html_of(answer))) == (status, False)
