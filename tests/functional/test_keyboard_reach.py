"""Every page by Tab alone: each place that can be used is reached, in reading order, and seen when it has the focus."""

from collections.abc import Callable, Iterable
from datetime import datetime

import pytest
from django.contrib.auth.models import User

from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.keyboard import Keyboard, keyboard, walk
from tests.functional.test_pages import House, house, pages
from tests.standins.jira_cloud import JiraCloud

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[[User | None], Visitor]


def faults_of(visit: Visit, places: Iterable[tuple[User | None, str]]) -> list[str]:
    """What Tab meets on pages, each as one person sees it."""
    people: dict[int | None, Keyboard] = {}
    faults: list[str] = []
    for user, path in places:
        key = user.pk if user else None
        if key in people:
            people[key].visitor.go(path)
        else:
            people[key] = keyboard(visit(user), path)
        faults += [f"{path} as {user}: {fault}" for fault in walk(people[key])]
    return faults


@pytest.mark.nightly
def test_tab_reaches_every_place_of_every_page(visit: Visit, house: House) -> None:
    faults = faults_of(visit, pages(house))
    assert faults == [], "\n".join(faults)


def test_tab_reaches_every_place_of_the_steps_of_a_ticket_site(visit: Visit, cast: Cast, now: datetime) -> None:
    with JiraCloud() as jira:
        site = sites.site_at(jira, now=now)
        parts = ("", "new/", *(f"{site.pk}/{part}" for part in ("", "credential/", "webhook/", "people/")))
        route = f"routes/{site.routes.get().pk}"
        parts += tuple(f"{route}/{part}" for part in ("", "fields/", "statuses/", "preview/"))
        faults = faults_of(visit, [(cast.admin, f"/settings/tickets/{part}") for part in parts])
    assert faults == [], "\n".join(faults)
