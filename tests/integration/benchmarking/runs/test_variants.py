"""Cheaper variants where people look: on the run's page, as pictures, and on the page of the request."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from benchmarking.runs.actions import runs as actions
from benchmarking.runs.models import Run
from governance.inventory.models import ModelVersion
from reviews.packets.queries.packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from tests.factories.alternatives import RESULT
from tests.factories.requests import finish_run
from tests.pages import html_of

As = Callable[[User], Client]


def measured(version: ModelVersion, author: User, now: datetime, asked_for: str = "") -> Run:
    run = actions.queue(
        key="v",
        version=version,
        dataset=None,
        plan={"scenario": "alternatives", "hardware": "cpu"},
        asked_for=asked_for,
        by=author,
        now=now,
    )
    return finish_run(run=run, now=now, result=RESULT)


def test_the_page_of_the_run_shows_each_variant_and_the_pictures(
    as_: As, version: ModelVersion, author: User, now: datetime
) -> None:
    run = measured(version, author, now)
    page = html_of(as_(author).get(reverse("benchmarking:run", args=[run.pk])))
    assert "1.61 (1.60 to 1.63)" in page
    assert "Because of int8." in page
    assert "On the frontier: int8. The model itself is fp32, with a ring." in page
    assert f'<a href="#run-{run.pk}-variant-1" tabindex="-1">' in page
    assert f'<tr id="run-{run.pk}-variant-1">' in page
    assert page.count('<figure class="chart"') == 2


def test_request_and_packet_show_what_a_variant_saves(
    as_: As, submitted: ReviewRequest, author: User, now: datetime
) -> None:
    measured(submitted.model_version, author, now, asked_for=submitted.ref)
    page = html_of(as_(author).get(reverse("reviews:detail", args=[submitted.ref])))
    assert "costs too much" not in page
    assert "1.61 (1.60 to 1.63)" in page
    packet = packet_of(snapshot_of(submitted, now=now))
    assert [row.name for row in packet.variants] == ["fp32", "int8", "graph", "fp16"]
    assert packet.pictures[0].svg == RESULT["charts"][0]["svg"]
