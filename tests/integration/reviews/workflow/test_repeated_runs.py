"""Measuring again until a limit holds is allowed, and whoever decides is told of the valid runs that missed it."""

from datetime import datetime, timedelta

import pytest

from benchmarking.runs.models import Run
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.leadership import leadership_of
from reviews.packets.queries.packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.repeated_runs import repeated_runs_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import evidence
from reviews.workflow.queries.decision.doubts import doubts_of
from reviews.workflow.queries.view import describe
from tests.factories import requests as walks
from tests.factories.models import make_dataset
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, words

pytestmark = pytest.mark.django_db
P95, HOUR = "latency_p95_ms", timedelta(hours=1)
OTHER = "Find products from a drawing"


def measured(request: ReviewRequest, now: datetime, *, verdict: str = "valid", **values: float) -> Run:
    """Measure the request again; each value gets an interval of 1 percent on both sides."""
    last = Run.objects.filter(asked_for=request.ref).latest("pk")
    evidence.measure_again(request=request, run=last, by=request.requester, now=now)
    given = {name: (value, value * 0.99, value * 1.01, 3000) for name, value in values.items()}
    walks.take_results(request=request, now=now, result=walks.result_of(walks.MEASURED | given, verdict=verdict))
    return Run.objects.filter(asked_for=request.ref).latest("pk")


def doubts(request: ReviewRequest, now: datetime) -> list[tuple[str, str]]:
    snapshot = snapshot_of(request, now=now)
    view = describe(snapshot, person=person_of(request.requester))
    return [(each.sentence, each.part) for each in doubts_of(view, snapshot=snapshot) if "measurement" in each.sentence]


@pytest.fixture
def repeated(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """A request whose fourth valid run meets the limit of 100 ms that the three others missed."""
    p95 = (102.0, 101.0, 103.0, 3000)
    request = walks.make_ready(by=cast.author, now=now, result=walks.result_of({**walks.MEASURED, P95: p95}))
    for hours, value in enumerate((101.0, 100.0, 98.0), 1):
        measured(request, now + hours * HOUR, **{P95: value})
    return request


def sentence_of(request: ReviewRequest) -> str:
    first, second, third, fourth = Run.objects.filter(asked_for=request.ref).order_by("pk")
    return (
        f"Run {fourth.pk} is measurement 4 of SingleStream on cpu for this artifact. It meets a limit that 3 valid "
        f"earlier runs missed: Latency p95 (upper) at most 100 ms. It has 98.98 ms; run {first.pk} had 103 ms, run "
        f"{second.pk} had 102.01 ms, run {third.pk} had 101 ms."
    )


def test_the_doubt_names_the_runs_that_missed_the_limit_and_leads_to_the_worst(
    repeated: ReviewRequest, cast: Cast, now: datetime
) -> None:
    worst = Run.objects.filter(asked_for=repeated.ref).earliest("pk")
    assert doubts(repeated, now + 4 * HOUR) == [(sentence_of(repeated), f"run-{worst.pk}")]
    assert sentence_of(repeated) in words(enter(cast.reviewer_one).get(page_of(repeated)))


def test_api_and_packet_tell_it_too(repeated: ReviewRequest, cast: Cast, now: datetime) -> None:
    (told,) = enter(cast.reviewer_one).get(f"/api/v1/requests/{repeated.ref}/").json()["repeated_runs"]
    runs = [run.pk for run in Run.objects.filter(asked_for=repeated.ref).order_by("pk")]
    assert (told["run_id"], told["number"], told["observed"]) == (runs[3], 4, "98.98 ms")
    assert told["sentence"] == sentence_of(repeated)
    assert told["missed"] == [
        {"run_id": run, "ref": "", "observed": observed}
        for run, observed in zip(runs, ("103 ms", "102.01 ms", "101 ms"), strict=False)
    ]
    packet = packet_of(snapshot_of(repeated, now=now + 4 * HOUR))
    assert packet.repeated_runs == (sentence_of(repeated),)
    (open_doubts,) = [topic.sentences for topic in leadership_of(packet) if topic.title == "Open doubts"]
    assert sentence_of(repeated) in open_doubts


def test_an_ordinary_repetition_is_no_doubt(ready: ReviewRequest, now: datetime) -> None:
    measured(ready, now + HOUR, **{P95: 99.0})
    assert doubts(ready, now + HOUR) == []
    measured(ready, now + 2 * HOUR, **{P95: 103.0})
    assert doubts(ready, now + 2 * HOUR) == []


def test_a_run_that_was_only_indicative_is_no_miss(ready: ReviewRequest, now: datetime) -> None:
    measured(ready, now + HOUR, verdict="indicative", **{P95: 103.0})
    measured(ready, now + 2 * HOUR, **{P95: 98.0})
    assert doubts(ready, now + 2 * HOUR) == []


def test_runs_of_an_earlier_request_for_the_artifact_count(repeated: ReviewRequest, cast: Cast, now: datetime) -> None:
    later = now + 5 * HOUR
    request = walks.make_ready(by=cast.author, now=later, version=repeated.model_version, purpose=OTHER)
    (found,) = repeated_runs_of(EvidenceSnapshot(request, later))
    assert (found.number, {miss.ref for miss in found.missed}) == (5, {repeated.ref})
    worst = Run.objects.filter(asked_for=repeated.ref).earliest("pk")
    ((sentence, part),) = doubts(request, later)
    assert f"run {worst.pk} of {repeated.ref} had 103 ms" in sentence
    assert part == "metric-values"
    # What another plan measures, by other settings or on another machine type, is no repetition.
    for changed in ({"settings": {"threads": 4}}, {"hardware": "gpu"}):
        for run in Run.objects.filter(asked_for=request.ref):
            Run.objects.filter(pk=run.pk).update(plan=run.plan | changed)
            assert repeated_runs_of(EvidenceSnapshot(request, later)) == ()
            Run.objects.filter(pk=run.pk).update(plan=run.plan)


def test_quality_is_compared_on_equal_data_alone(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    low = walks.result_of({**walks.MEASURED, "accuracy": (0.31, 0.30, 0.32, 2000)})
    first = walks.make_ready(by=cast.author, now=now, result=low)
    request = walks.make_ready(by=cast.author, now=now + HOUR, version=first.model_version, purpose=OTHER)
    (found,) = repeated_runs_of(EvidenceSnapshot(request, now + HOUR))
    assert found.condition.startswith("Accuracy")
    other = make_dataset(by=cast.author, now=now, name="other", seed=5)
    Run.objects.filter(asked_for=first.ref).update(dataset=other)
    assert repeated_runs_of(EvidenceSnapshot(request, now + HOUR)) == ()


def test_a_draft_has_no_limits_and_so_no_doubt(repeated: ReviewRequest, cast: Cast, now: datetime) -> None:
    draft = walks.make_draft(by=cast.author, now=now + HOUR, version=repeated.model_version, purpose=OTHER)
    assert repeated_runs_of(EvidenceSnapshot(draft, now + HOUR)) == ()
