"""What is in doubt about a request: each sentence with the part of the page that shows it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchmarking.runs.models import Run
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.queries.decision.doubts import doubts_of
from reviews.workflow.queries.view import RequestView, describe
from reviews.workflow.queries.view_authorization import StandingView
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.integration.reviews.workflow.test_imports import PROFILE, imported
from tests.integration.reviews.workflow.test_independence import hand_over
from tests.integration.reviews.workflow.worlds import World

pytestmark = pytest.mark.django_db


def doubted(request: ReviewRequest, now: datetime, **changes: Any) -> list[tuple[str, str]]:
    """The doubts of the request, or of what it would be after the changes of its view."""
    request.refresh_from_db()
    snapshot = snapshot_of(request, now=now)
    view = replace(describe(snapshot, person=person_of(request.requester)), **changes)
    return [(doubt.sentence, doubt.part) for doubt in doubts_of(view, snapshot=snapshot)]


def view_of(request: ReviewRequest, now: datetime) -> RequestView:
    return describe(snapshot_of(request, now=now), person=person_of(request.requester))


def with_metric(view: RequestView, name: str, **changes: Any) -> tuple[Any, ...]:
    return tuple(replace(one, **changes) if one.kind.name == name else one for one in view.metric_values)


def with_run(view: RequestView, **changes: Any) -> tuple[Any, ...]:
    first, *others = view.runs
    return (replace(first, run=replace(first.run, **changes)), *others)


DENIED = StandingView(standing="denied", is_allowed=False, reasons=(), denials=("revoked by MRR-2026-0009",))
CHANGES: dict[str, tuple[Callable[[RequestView], dict[str, Any]], str, str]] = {
    "other data": (
        lambda _: {"dataset_doubt": "The data were given by the requester."},
        "The quality is declared, not measured. The data were given by the requester.",
        "request",
    ),
    "not valid any more": (
        lambda view: {"metric_values": with_metric(view, "latency_p95_ms", is_expired=True)},
        "Latency p95: the value is no longer valid.",
        "metric-values",
    ),
    "indicative": (
        lambda view: {"metric_values": with_metric(view, "latency_p95_ms", verdict="indicative")},
        "1 measurement is only indicative: Latency p95.",
        "metric-values",
    ),
    "invalid run": (
        lambda view: {"runs": with_run(view, verdict="invalid", reasons=("The clock jumped.",))},
        "Run {run} is invalid, so that its values do not count. The clock jumped.",
        "run-{run}",
    ),
    "failed run": (
        lambda view: {"runs": with_run(view, verdict="", state="dead", error="Out of memory.")},
        "Run {run} failed: Out of memory.",
        "run-{run}",
    ),
    "denied elsewhere": (
        lambda _: {"standing": DENIED},
        "The artifact is denied elsewhere: revoked by MRR-2026-0009.",
        "request",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_doubt_is_a_sentence_with_its_part(ready: ReviewRequest, now: datetime, name: str) -> None:
    change, sentence, part = CHANGES[name]
    view = view_of(ready, now)
    expected = (sentence.format(run=view.runs[0].run.id), part.format(run=view.runs[0].run.id))
    before = doubted(ready, now)
    assert expected not in before
    assert [one for one in doubted(ready, now, **change(view)) if one not in before] == [expected]


def test_more_than_three_indicative_measurements_are_counted(ready: ReviewRequest, now: datetime) -> None:
    view = view_of(ready, now)
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s")
    metrics = tuple(replace(one, verdict="indicative" if one.kind.name in names else "") for one in view.metric_values)
    (found,) = [sentence for sentence, _ in doubted(ready, now, metric_values=metrics) if "indicative" in sentence]
    titles = [one.kind.title for one in metrics if one.kind.name in names]
    assert found == f"4 measurements are only indicative: {', '.join(titles[:3])} and 1 more."


def test_an_import_on_other_data_is_in_doubt(draft: ReviewRequest, now: datetime) -> None:
    document = json.loads(PROFILE)
    document["manifest"]["model"]["digest"] = draft.model_version.digest
    row = imported(draft, json.dumps(document).encode(), now)
    (found,) = [doubt for doubt in doubted(draft, now) if "other data" in doubt[0]]
    assert found[0].startswith(f"{row.tool}, {row.file_name}: measured on other data than the evaluation set, so left")
    assert "Accuracy" in found[0]
    assert found[1] == "import"


def test_a_run_that_was_refused_as_evidence_is_in_doubt_until_another_one_is_taken(
    submitted: ReviewRequest, now: datetime
) -> None:
    impossible = walks.result_of({**walks.MEASURED, "accuracy": (1.5, 1.4, 1.6, 2000)})
    assert walks.take_results(request=submitted, now=now, result=impossible) == []
    run = Run.objects.get(asked_for=submitted.ref)
    (found,) = [doubt for doubt in doubted(submitted, now) if "refused" in doubt[0]]
    assert found[0].startswith(
        f"Run {run.pk} was refused as evidence: Run {run.pk} reports an impossible metric value."
    )
    assert found[1] == f"run-{run.pk}"
    newer = replace(view_of(submitted, now).runs[0].run, id=run.pk + 1)
    entry = replace(view_of(submitted, now).runs[0], run=newer)
    again = doubted(submitted, now, runs=(entry, *view_of(submitted, now).runs))
    assert not [doubt for doubt in again if "refused" in doubt[0]]


def test_a_voter_who_got_an_interest_is_in_doubt(world: World) -> None:
    request, two = world.in_review(), world.cast.reviewer_two
    world.vote(request, two)
    assert not [doubt for doubt in doubted(request, world.now) if "interest" in doubt[0]]
    hand_over(world, request, two)
    expected = ("Reviewer Two has had an interest in this request since voting; the vote still counts.", "votes")
    assert expected in doubted(request, world.now)
    assert expected[0] in words(enter(world.cast.reviewer_one).get(page_of(request)))


def test_old_prices_are_in_doubt(rich: ReviewRequest, now: datetime) -> None:
    assert not [doubt for doubt in doubted(rich, now) if "days old" in doubt[0]]
    late = [doubt for doubt in doubted(rich, now + timedelta(days=400)) if "days old" in doubt[0]]
    assert [part for _, part in late] == ["costs"]


def test_a_measurement_better_than_its_claim_is_no_doubt_and_the_page_says_so(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    """The tab of the evidence counts it as contradicted, so the page does not say that nothing contradicts a claim."""
    request = walks.make_ready(by=cast.author, now=now, declared={**walks.DECLARED, "latency_p95_ms": "9"})
    (metric,) = view_of(request, now).contradicted
    assert (metric.kind.name, metric.is_worse) == ("latency_p95_ms", False)
    shown = words(enter(cast.reviewer_one).get(page_of(request)))
    assert doubted(request, now) == []
    assert "Nothing is in doubt: no measurement is worse than its claim, and every value and price is current." in shown
