"""`findings/`."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity

Api = Callable[[User | None], APIClient]


def test_findings_are_read_and_closed(api: Api, finance: User, author: User, now: datetime) -> None:
    sighting = Sighting(kind="budget.overrun", subject="S", text="Over.", severity=Severity.HIGH, key="k")
    found = findings.raise_once(sighting=sighting, by=None, now=now)
    client = api(finance)
    assert [each["ref"] for each in client.get("/api/v1/findings/", {"kind": "budget"}).json()["results"]] == [
        str(found)
    ]
    assert client.get("/api/v1/findings/", {"state": "closed"}).json()["results"] == []
    assert api(author).get("/api/v1/findings/").json()["results"] == []
    closed = client.post(f"/api/v1/findings/{found.pk}/close/", {"note": "Paid."}, format="json").json()
    assert (closed["state"], closed["closed_by"], closed["closing_note"]) == ("closed", "finance", "Paid.")
    assert api(author).post(f"/api/v1/findings/{found.pk}/close/", {"note": "Paid."}, format="json").status_code == 404
