"""The pages of a ticket site in a browser: no barrier that axe can find, in both themes and at both widths."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User

from reviews.tickets import actions as effects
from reviews.tickets.ports import CheckStep, TrackerHealth
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.test_pages import COLORS, EVERYTHING, barriers
from tests.integration.conftest import checklist, policy
from tests.standins.jira_cloud import JiraCloud

__all__ = ["checklist", "policy"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def test_every_step_of_setting_up_a_site(
    visit: Callable[[User | None], Visitor], policy: object, cast: Cast, now: datetime
) -> None:
    with JiraCloud() as jira:
        site = sites.site_at(jira, now=now, webhook="a secret", webhook_secret_before=b"another")
        route = site.routes.get()
        walks.make_submitted(by=cast.author, now=now)
        steps = (CheckStep("Server", True, "The server answers."), CheckStep("Account", False, "The token is wrong."))
        health = TrackerHealth(ok=False, sentence="The token is wrong.", steps=steps)
        effects.record_health(site=site, health=health, now=now)
        old = sites.make_site(
            now=now,
            name="Old",
            flavor="data_center",
            version="9.12.2",
            server="Jira Data Center 9.12.2",
            signs_webhooks=False,
            state="setup",
        )
        paths = ["", "new/", *(f"{site.pk}/{part}" for part in ("", "address/", "credential/", "webhook/", "people/"))]
        paths += [f"{site.pk}/routes/new/", f"{old.pk}/", f"{old.pk}/webhook/"]
        paths += [f"routes/{route.pk}/{part}" for part in ("", "fields/", "statuses/", "preview/")]
        visitor, faults = visit(cast.admin), {}
        for path in [f"/settings/tickets/{path}" for path in paths]:
            found = []
            for size in (NARROW, WIDE):
                visitor.page.set_viewport_size(size)
                visitor.go(path)
                wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                found += [f"{size['width']}: too wide"] * (visitor.page.evaluate(wide) > 1)
            found += [
                *visitor.violations(),
                *barriers(visitor, "light", EVERYTHING),
                *barriers(visitor, "dark", COLORS),
            ]
            faults |= {path: found} if found else {}
    assert faults == {}, "\n".join(f"{page}\n  " + "\n  ".join(found) for page, found in faults.items())
