"""The shipped rules for language models: what a stand-in measured satisfies nothing, and every item is shown."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from governance.rulebook.domain.checklists import ItemKind
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence, requests
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.actions.requests import Filing
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.models import make_dataset
from tests.factories.people import Cast
from tests.integration.reviews.workflow.test_kinds import STORIES, decided, filed, supply
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

NAMES = ("a language model behind an API", "a language model of our own")
MEASURED = ("first-token", "goodput", "answers", "injections")
GOVERNED = {
    NAMES[0]: {"data-leaving", "provider-terms", "retention", "region", "personal-data", "fallback"},
    NAMES[1]: {"logs", "license", "fit", "fallback"},
}


def stated(request: ReviewRequest, name: str, value: str, basis: Basis, by: User, now: datetime) -> None:
    statement = StatedValue(
        name=name, value=Decimal(value), unit=STANDARD[name].unit, basis=basis, source="a stand-in of the model"
    )
    evidence.state_metric_value(request=request, statement=statement, by=by, now=now)


def complete(request: ReviewRequest, now: datetime) -> dict[str, bool]:
    return {row.item.id: row.is_complete for row in EvidenceSnapshot(request, now).checklist}


@pytest.mark.parametrize("name", NAMES)
def test_no_stand_in_satisfies_a_measured_item(cast: Cast, now: datetime, name: str) -> None:
    kinds.publish_shipped(now=now)
    story = STORIES[name]
    request = filed(story, cast, now)
    # The catalog takes no estimate of most of them; those that it takes count for nothing.
    for metric in ("ttft_p95_ms", "tpot_p95_ms", "goodput_per_s", "injection_pass_rate", "refusal_rate"):
        with suppress(Invalid):
            stated(request, metric, "0.001", Basis.ESTIMATED, cast.author, now)
    stated(request, "pass_rate", "1", Basis.ESTIMATED, cast.author, now)
    assert not any(complete(request, now)[item] for item in MEASURED)
    results = {row.rule_id: row.status.value for row in EvidenceSnapshot(request, now).policy_evaluation.results}
    assert results["answers-prod"] == results["injections-prod"] == results["goodput-prod"] == "indeterminate"
    supply(story, request, cast, now)
    assert all(complete(request, now).values())


@pytest.mark.parametrize("name", NAMES)
def test_the_items_are_in_the_preview_on_the_page_and_in_the_packet(cast: Cast, now: datetime, as_, name: str) -> None:
    kinds.publish_shipped(now=now)
    story = STORIES[name]
    draft = requests.create(
        filing=Filing(
            title="Answers",
            purpose="To answer",
            environment="prod",
            business_case="Saves time.",
            model_version=story.version(cast.author, now),
            dataset=make_dataset(by=cast.author, now=now),
        ),
        by=cast.author,
        now=now,
    )
    walks.state_metric_value(request=draft, name="business_kpi_delta", value="0.015", by=cast.author, now=now)
    for metric, value in {
        "training_gpu_hours": "20",
        "training_cost_usd": "900",
        "inference_cost_1y_usd": "20",
    }.items():
        walks.state_metric_value(request=draft, name=metric, value=value, by=cast.author, now=now)
    planned = {item.title for item in preview_of_draft(draft, now=now).items}
    request = requests.submit(request=draft, by=cast.author, now=now)
    listed = EvidenceSnapshot(request, now).checklist
    assert {row.item.title for row in listed} == planned
    assert {row.item.id for row in listed} >= GOVERNED[name] | set(MEASURED) | {"cost-per-answer"}
    page = as_(cast.author).get(f"/requests/{request.ref}/checklist/").content.decode()
    supply(story, request, cast, now)
    titles = {row.item.title for row in EvidenceSnapshot(request, now).checklist}
    decided(story, request, cast, now)
    shown = {row["title"] for row in request.packets.get().document["checklist"]}
    assert titles == shown
    for row in listed:
        assert row.item.title.replace("'", "&#x27;") in page, row.item.id
    assert {row.item.kind for row in listed} >= {ItemKind.METRIC, ItemKind.COST, ItemKind.TEXT}
