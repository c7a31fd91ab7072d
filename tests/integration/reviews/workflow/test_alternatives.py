"""Cheaper variants: made beside the model when a review becomes mandatory, and measured or waived before
anybody votes.
"""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import ChecklistVersion
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.evidence_bundle import bundle_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.queries.review_blockers import review_blockers
from reviews.workflow.actions import measurements, requests, review, screening, waivers
from reviews.workflow.actions.requests import Filing
from reviews.workflow.queries.view import describe
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import OTHER_TEAM, Cast
from tests.factories.policies import FULL
from tests.factories.snapshots import snapshot
from tests.unit.toolkit.core.model_files.samples import lightgbm_bytes
from weighbridge.core.errors import Invalid, WrongState

RULE = "cheaper-alternatives-prod"
VARIANTS = {"alternatives_measured": (3.0, None, None, 1)}


@pytest.fixture
def full_policy(checklist: ChecklistVersion, now: datetime) -> None:
    """The default policy as it ships, in force."""
    rulebook.publish(version=rulebook.draft_policy(source=FULL, by=None, now=now), by=None, now=now)


@pytest.fixture
def filed(full_policy: None, cast: Cast, author: User, now: datetime) -> ReviewRequest:
    """Submitted, its model measured by itself, every other question answered, with a budget."""
    request = requests.submit(request=walks.make_draft(by=author, now=now), by=author, now=now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    take(request, "SingleStream", walks.result_of(), now)
    walks.answer_everything(request=request, by=author, now=now)
    return request


def take(request: ReviewRequest, scenario: str, result: dict, now: datetime) -> None:
    run = next(each for each in runs.of_request(request.ref) if each.scenario == scenario)
    measurements.record_measurements(request=request, run=walks.finish_run(run=run, now=now, result=result), now=now)


NEEDED = "The rule needs a measured or billed value of Alternatives measured; there is none at all."


def codes(request: ReviewRequest, now: datetime) -> list[tuple[str, str]]:
    return [(each.code, each.reason.partition(":")[0]) for each in review_blockers(EvidenceSnapshot(request, now))]


def test_a_mandatory_review_queues_them_with_the_plan_of_the_policy(filed: ReviewRequest) -> None:
    run = Run.objects.get(scenario="alternatives")
    assert (run.key, run.asked_for, run.dataset) == (f"{filed.ref}/alternatives", filed.ref, filed.dataset)
    assert run.plan == {
        "scenario": "alternatives",
        "variants": ["graph-optimized", "int8-static-per-channel", "int8-dynamic"],
        "max_quality_drop": 0.01,
        "calibration_rows": 512,
        "hardware": "cpu",
    }
    assert Run.objects.get(scenario="SingleStream").plan["hardware"] == "cpu"


def test_no_variants_are_made_of_a_file_of_another_format(
    full_policy: None, cast: Cast, author: User, now: datetime
) -> None:
    asset = make_version(by=author, now=now).asset
    upload = ContentFile(lightgbm_bytes(), name="model.txt")
    version = inventory.register(
        entry=inventory.NewVersion(asset=asset, version="2.0.0", upload=upload), by=author, now=now
    )
    request = requests.submit(request=walks.make_draft(by=author, version=version, now=now), by=author, now=now)
    assert [run.scenario for run in runs.of_request(request.ref)] == ["SingleStream"]
    assert AuditEvent.objects.get(kind="benchmark.not_possible").reason == screening.NO_VARIANTS


def test_until_they_are_measured_nobody_is_asked_to_vote(filed: ReviewRequest, author: User, now: datetime) -> None:
    assert codes(filed, now) == [
        ("run_unfinished", "A benchmark is still running; wait for it, or cancel it."),
        ("indeterminate", NEEDED),
    ]
    with pytest.raises(WrongState):
        review.request_review(request=filed, by=author, now=now)
    take(filed, "alternatives", walks.result_of(VARIANTS), now)
    assert codes(filed, now) == []
    assert review.request_review(request=filed, by=author, now=now).state == RequestState.IN_REVIEW
    metric = filed.metric_records.get(name="alternatives_measured")
    assert (metric.value, metric.unit, metric.basis) == (3, "variants", "measured")


def test_variants_that_could_not_be_measured_need_a_waiver(
    filed: ReviewRequest, author: User, cast: Cast, now: datetime
) -> None:
    take(filed, "alternatives", walks.result_of({}, verdict="invalid", reasons=("int8: it crashed.",)), now)
    (failed, why), *others = codes(filed, now)
    assert (failed, why.partition(" (")[2]) == ("run_failed", "alternatives) gave no evidence")
    assert others == [("indeterminate", NEEDED)]
    waivers.grant(
        request=filed,
        rule_id=RULE,
        reason="Weights of this layer cannot be quantized.",
        valid_days=30,
        by=cast.approver,
        now=now,
    )
    assert codes(filed, now) == []
    assert review.request_review(request=filed, by=author, now=now).state == RequestState.IN_REVIEW


def test_without_labeled_data_the_reason_is_on_record(full_policy: None, author: User, now: datetime) -> None:
    request = requests.submit(request=walks.make_draft(by=author, now=now, with_data=False), by=author, now=now)
    assert [run.scenario for run in runs.of_request(request.ref)] == ["SingleStream"]
    assert "choose a data set, or have the rule waived" in AuditEvent.objects.get(kind="benchmark.not_possible").reason


def test_outside_production_nobody_needs_them(full_policy: None, author: User, now: datetime) -> None:
    draft = walks.make_draft(by=author, now=now, environment="dev")
    request = requests.submit(request=draft, by=author, now=now)
    assert ("indeterminate", RULE) not in codes(request, now)


def test_other_candidates_go_into_the_plan_and_the_frozen_revision(
    full_policy: None, author: User, now: datetime
) -> None:
    draft = walks.make_draft(by=author, now=now)
    rivals = [make_version(by=author, now=now, version=name, seed=seed) for name, seed in (("ResNet", 5), ("ViT", 6))]
    filing = Filing(
        title=draft.title,
        purpose=draft.purpose,
        environment="prod",
        business_case=draft.business_case,
        model_version=draft.model_version,
        dataset=draft.dataset,
        rivals=tuple(rivals),
    )
    requests.edit(request=draft, filing=filing, by=author, now=now)
    assert AuditEvent.objects.get(kind="request.edited").details["rivals"] == [row.digest for row in rivals]
    row = requests.submit(request=draft, by=author, now=now)
    plan = Run.objects.get(scenario="alternatives").plan
    assert (plan["family"], plan["variants"][0]) == ("1-0-0", "graph-optimized")
    assert plan["rivals"] == [
        {"family": name, "version_id": rival.pk, "digest": rival.digest}
        for name, rival in zip(("resnet", "vit"), rivals, strict=True)
    ]
    assert bundle_of(snapshot_of(row, now=now))["rivals"] == sorted(rival.digest for rival in rivals)
    assert [each.digest for each in describe(snapshot_of(row, now=now), person=person_of(author)).rivals] == [
        rival.digest for rival in rivals
    ]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ("itself", "rivals", "choose none twice, and not the model itself"),
        ("twice", "rivals", "choose none twice"),
        ("many", "rivals", "at most 5 other candidates"),
        ("elsewhere", "rivals", "cannot be measured here: upload it as an ONNX file"),
        ("other team", "rivals", "belongs to another team"),
        ("no data", "dataset", "choose a data set"),
    ],
)
def test_candidates_that_cannot_be_compared_are_refused(
    change: str, field: str, words: str, cast: Cast, author: User, now: datetime
) -> None:
    draft = walks.make_draft(by=author, now=now)
    good = make_version(by=author, now=now, version="2.0.0", seed=5)
    if change == "elsewhere":
        entry = inventory.NewVersion(asset=good.asset, version="3", uri="s3://b/m.onnx", digest="sha256:" + "e" * 64)
        good = inventory.register(entry=entry, by=author, now=now)
    if change == "other team":
        good = make_version(by=cast.outsider, now=now, team=OTHER_TEAM, seed=7)
    rivals = {"itself": [draft.model_version], "twice": [good, good], "many": [good] * 6}.get(change, [good])
    filing = Filing(
        title=draft.title,
        purpose=draft.purpose,
        environment="prod",
        business_case=draft.business_case,
        model_version=draft.model_version,
        dataset=None if change == "no data" else draft.dataset,
        rivals=tuple(rivals),
    )
    before = snapshot()
    with pytest.raises(Invalid, match=words) as refusal:
        requests.edit(request=draft, filing=filing, by=author, now=now)
    assert refusal.value.field == field
    assert snapshot() == before
