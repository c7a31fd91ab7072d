"""The recording of `make try`: it loads, its pages open, its meeting can be held, and the tour can be taken."""

import os
import sys

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from examples.recorded import __main__ as program
from examples.recorded import recording
from examples.recorded.clock import RecordedClock
from examples.recorded.tour import STEPS, TITLE
from governance.accounts.domain import DEMO_PASSWORD
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.queries import is_delayed
from reviews.quarterly.models import ReviewCycle
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import review
from tests.integration.examples.page_queries import counted, risen
from tests.promises.test_06_links import BYTES_MAX, PAGES_OF_ANYBODY, reached


def as_person(name: str) -> Client:
    """Logged in as the list of people does it."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": name, "password": DEMO_PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    return client


def opened(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.slow
def test_the_recording_opens_for_each_role_and_its_meeting_can_be_held(loaded: RecordedClock) -> None:
    people = opened(Client(), "/accounts/login/")
    assert people.index("Lee Lead") < people.index("Robin Requester")
    lead = as_person("lead")
    inbox = opened(lead, "/")
    assert TITLE in inbox
    assert "Start the tour" in inbox
    assert "Work is delayed" not in inbox
    assert f"{loaded.recorded_at:%B %Y}" in inbox
    for name in ("reviewer1", "finance", "requester", "admin", "auditor"):
        assert "Start the tour" not in opened(as_person(name), "/")
    queries: dict[str, int] = {}
    for name in ("lead", "requester"):
        _every_link_opens(name, queries)
    assert risen(queries) == {}
    assert not Ticket.objects.exclude(url="").exists()
    _tour(lead)
    _hold_the_meeting(lead)
    _vote()


def _every_link_opens(name: str, queries: dict[str, int]) -> None:
    found = list(counted(reached(User.objects.get(username=name)), queries))
    assert [page for page in found if page[2] >= 400] == []
    assert [page for page in found if page[3] > BYTES_MAX] == []
    assert len(found) > PAGES_OF_ANYBODY


def _tour(client: Client) -> None:
    assert all(step.title in opened(client, "/tour/") for step in STEPS)
    for number, step in enumerate(STEPS, start=1):
        answer = client.post("/tour/", {"step": str(number)})
        assert answer["Location"] == step.address()
        shown = opened(client, answer["Location"])
        assert f"Tour, step {number} of {len(STEPS)}" in shown
        assert step.title in shown
    assert "Go there" in opened(client, "/costs/")
    assert client.post("/tour/", {"step": "99"})["Location"] == "/"
    assert 'class="tour"' not in opened(client, "/")


def _hold_the_meeting(client: Client) -> None:
    cycle = ReviewCycle.objects.get(state="frozen")
    assert client.post(f"/cycles/{cycle.quarter}/start/").status_code == 302
    cycle.refresh_from_db()
    assert (cycle.state, cycle.chair) == ("held", User.objects.get(username="lead"))
    opened(client, f"/cycles/{cycle.quarter}/")
    item = cycle.items.filter(removed_at=None).first()
    assert item is not None
    opened(client, f"/cycles/{cycle.quarter}/meeting/{item.pk}/")


def _vote() -> None:
    request, voter = ReviewRequest.objects.get(title=TITLE), User.objects.get(username="lead")
    now = timezone.now()
    review.vote(request=request, stage_id="gpu-budget", choice=VoteChoice.APPROVE, rationale="", by=voter, now=now)
    request.refresh_from_db()
    assert request.state == "decided"


@pytest.mark.slow
def test_each_table_of_the_recording_has_the_columns_of_the_code(loaded: RecordedClock) -> None:
    """A migration that was changed in place keeps its name, so only the columns show that the recording is older."""
    for model in apps.get_models():
        model._default_manager.first()


def test_a_recording_with_a_migration_that_the_code_has_not_is_refused() -> None:
    recording.check({"migrations": ["requests.0001_initial"]})
    with pytest.raises(SystemExit, match=r"has not: requests.9999_lost. Record it anew: .* record$"):
        recording.check({"migrations": ["requests.0001_initial", "requests.9999_lost"]})


def test_nothing_of_the_recording_waits_to_be_delivered(loaded: RecordedClock) -> None:
    assert not OutboxMessage.objects.exclude(state=JobState.DONE).exists()
    assert not is_delayed(now=timezone.now())


def test_the_recording_fits_the_code_and_stays_small() -> None:
    recording.check(recording.read_list())
    assert recording.FILE.stat().st_size < 5_500_000


@pytest.mark.parametrize(("command", "first"), [("record", "_record"), ("load", "load")])
def test_no_database_broker_or_storage_of_another_installation_is_used(
    monkeypatch: pytest.MonkeyPatch, command: str, first: str
) -> None:
    seen: list[set[str]] = []
    for name in program.OF_OTHERS:
        monkeypatch.setenv(name, "redis://127.0.0.1:9/0")
    assert len(program.OF_OTHERS) == 3
    monkeypatch.setattr(program, first, lambda **options: seen.append({*program.OF_OTHERS} & set(os.environ)))
    monkeypatch.setattr(sys, "argv", ["recorded", command])
    program.main()
    assert seen == [set()]


@pytest.mark.django_db
def test_no_other_installation_lists_people_at_log_in() -> None:
    page = Client().get("/accounts/login/").content.decode()
    assert "Lee Lead" not in page
    assert DEMO_PASSWORD not in page
    assert Client().get("/tour/").status_code == 302  # to the log-in, as every address that does not exist
