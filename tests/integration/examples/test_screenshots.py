"""Each page of `make screenshots` opens for its person on the recording."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from examples.company import __main__ as demo
from examples.recorded.clock import RecordedClock
from examples.recorded.screenshots import document
from examples.recorded.screenshots.staging import stage
from reviews.quarterly.models import ReviewCycle
from tests.integration.examples.test_recording import as_person
from tests.standins.jira_cloud import JiraCloud


@pytest.mark.slow
def test_each_page_opens_for_its_person(loaded: RecordedClock, tmp_path: Path) -> None:
    with JiraCloud(project="MR", token=demo.STANDIN_TOKEN) as jira:
        demo.connect_jira(jira.url, tmp_path)
        stage()
        clients: dict[str, Client] = {}
        answers = {}
        for stop in document.stops(set()):
            name = stop.page.person
            client = clients.setdefault(name, clients.get(name) or (as_person(name) if name else Client()))
            answer = client.get(stop.address.partition("#")[0])
            place = stop.address.partition("#")[2]
            is_there = f'id="{place}"' in answer.content.decode() if place else True
            answers[stop.address, name] = (answer.status_code, is_there)
    assert {page: found for page, found in answers.items() if found != (200, True)} == {}
    assert len(answers) >= 25
    assert ReviewCycle.objects.get(state="held").attendances.count() == 2


def test_a_clock_that_stands_still_does_not_run_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", timezone.now)  # is put back afterwards
    loaded_at = timezone.now()
    recorded_at = loaded_at - timedelta(days=300)
    RecordedClock(recorded_at, loaded_at, stands_still=True).write(tmp_path)
    kept = RecordedClock.of(tmp_path)
    assert kept == RecordedClock(recorded_at, loaded_at, stands_still=True)
    kept.put_in_place()
    assert timezone.now() == timezone.now() == recorded_at
