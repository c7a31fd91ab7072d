"""Subjects of nine kinds and tasks, each from filing to gate and packet under its shipped policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from governance.inventory.models import ModelVersion
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.backtests import backtest
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.queries.review_blockers import review_blockers
from reviews.workflow.actions import attestations, evidence, requests, review
from reviews.workflow.actions.requests import Filing
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast

COSTS = {"training_gpu_hours": "20", "training_cost_usd": "900", "inference_cost_1y_usd": "20000"}
TEXT = "Measured on last year's rows; the report is attached and says which rows were left out."
SPEED = {"latency_p95_ms": "40"}
LANGUAGE = {
    "ttft_p95_ms": "700",
    "tpot_p95_ms": "60",
    "goodput_per_s": "4",
    "pass_rate": "0.81",
    "injection_pass_rate": "0.02",
    "refusal_rate": "0.01",
    "cost_per_accepted_usd": "0.004",
}
OF_LANGUAGE = ("unsafe-answers", "fallback")


@dataclass(frozen=True)
class Story:
    """A subject of one kind: how it is registered, what is signed, and how its own items are answered."""

    policy: str
    version: Callable[[User, datetime], ModelVersion]
    signed: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_run_here: bool = False
    stages: tuple[str, ...] = ("technical", "technical", "gpu-budget")


def described(task: str, subject: Mapping[str, Any]) -> Callable[[User, datetime], ModelVersion]:
    slug = f"{task}-{subject['kind']}"
    return lambda by, now: kinds.register(task=task, slug=slug, subject=subject, by=by, now=now)


STORIES = {
    "a classifier in one file": Story("default", lambda by, now: make_version(by=by, now=now), is_run_here=True),
    "a forecast elsewhere": Story(
        "regression",
        described("forecasting", kinds.CONTAINER),
        signed=SPEED | {"mae": "4.2", "rmse": "6.1", "r2": "0.8"},
        answers={"baseline": {"text": TEXT}},
    ),
    "a ranking in a container": Story(
        "ranking",
        described("ranking", kinds.CONTAINER),
        signed=SPEED | {"ndcg@10": "0.52"},
        answers={"online-experiment": {"text": "yes"}, "experiment-plan": {"text": TEXT}},
    ),
    "a detector in a repository": Story(
        "detection",
        described("detection", kinds.MANIFEST),
        signed=SPEED | {"map": "0.41", "map_50": "0.63"},
        answers={"pictures": {"text": TEXT}},
    ),
    "a language model behind an API": Story(
        "language-model-api",
        described("generation", kinds.MANAGED),
        signed=LANGUAGE | {"ttft_p95_ms": "600"},
        answers={
            "personal-data": {"text": "no"},
            "retention": {"text": "not at all"},
            **{name: {"text": TEXT} for name in ("data-leaving", "provider-terms", "region", *OF_LANGUAGE)},
        },
        stages=("technical", "data-protection", "technical", "budget"),
    ),
    "a language model of our own": Story(
        "language-model-self-hosted",
        described("generation", kinds.MANIFEST),
        signed=LANGUAGE | {"output_tokens_per_s": "900"},
        answers={name: {"text": TEXT} for name in ("fit", "license", "logs", *OF_LANGUAGE)},
    ),
    "a language model as it is deployed": Story(
        "language-model-self-hosted",
        described("generation", kinds.DEPLOYMENT),
        signed=LANGUAGE | {"output_tokens_per_s": "900"},
        answers={name: {"text": TEXT} for name in ("fit", "license", "logs", *OF_LANGUAGE)},
    ),
    "a pipeline of two models": Story(
        "ranking",
        described("retrieval", kinds.PIPELINE),
        signed=SPEED | {"ndcg@10": "0.61"},
        answers={"online-experiment": {"text": "no"}},
    ),
    "an embedding in a repository": Story(
        "default",
        described("embedding", kinds.MANIFEST),
        signed=SPEED,
        answers={"quality": {"text": TEXT, "upload": "report.pdf"}},
    ),
}
COMMON = {
    "cheaper-alternatives": {"text": TEXT},
    "owner-and-rollback": {"text": TEXT},
    "rollback-rehearsed": {"is_attested": True},
}


def filed(story: Story, cast: Cast, now: datetime) -> ReviewRequest:
    filing = Filing(
        title="A subject of its kind",
        purpose="To be reviewed as what it is",
        environment="prod",
        business_case="Raises conversion of the search page by 1.5 %.",
        model_version=story.version(cast.author, now),
        dataset=make_dataset(by=cast.author, now=now),
    )
    request = requests.create(filing=filing, by=cast.author, now=now)
    for name, value in {**COSTS, "business_kpi_delta": "0.015"}.items():
        walks.state_metric_value(request=request, name=name, value=value, by=cast.author, now=now)
    return requests.submit(request=request, by=cast.author, now=now)


def supply(story: Story, request: ReviewRequest, cast: Cast, now: datetime) -> None:
    if story.is_run_here:
        walks.take_results(request=request, now=now)
    if story.signed:
        result = kinds.result_for(request, kinds.Signed(story.signed), now=now)
        envelope = kinds.envelope_of(result)
        attestations.record_attested(request=request, envelope=envelope, by=cast.author, now=now)
    for item, answer in {**COMMON, **story.answers}.items():
        given = dict(answer)
        if "upload" in given:
            given["upload"] = ContentFile(b"%PDF-1.7 report", name=given["upload"])
        evidence.answer_item(request=request, item_id=item, by=cast.author, now=now, **given)


def decided(story: Story, request: ReviewRequest, cast: Cast, now: datetime) -> None:
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    review.request_review(request=request, by=cast.author, now=now)
    voters = {
        "technical": iter((cast.reviewer_one, cast.reviewer_two)),
        "gpu-budget": iter((cast.approver,)),
        "budget": iter((cast.approver,)),
        "data-protection": iter((cast.steward,)),
    }
    for stage in story.stages:
        voter = next(voters[stage])
        review.vote(request=request, stage_id=stage, choice=VoteChoice.APPROVE, by=voter, now=now)


@pytest.mark.parametrize("name", STORIES)
def test_a_subject_goes_from_filing_to_gate_and_packet(cast: Cast, now: datetime, name: str) -> None:
    story = STORIES[name]
    kinds.publish_shipped(now=now)
    request = filed(story, cast, now)
    assert (request.policy.name, request.state) == (story.policy, "evidence")
    person = person_of(cast.auditor)
    digest = request.model_version.digest
    assert gate.decide(digest=digest, environment="prod", person=person, now=now).answer == "deny"
    supply(story, request, cast, now)
    assert [blocker.reason for blocker in review_blockers(EvidenceSnapshot(request, now))] == []
    decided(story, request, cast, now)
    request.refresh_from_db()
    assert (request.state, request.decision.outcome) == ("decided", "approved")
    answer = gate.decide(digest=digest, environment="prod", person=person, now=now)
    assert (answer.answer, answer.standing) == ("allow", "authorized")
    packet = request.packets.get()
    shown = {row["name"] for row in packet.document["comparisons"]}
    assert set(story.signed) <= shown
    attested = MetricRecord.objects.filter(request=request, basis="attested").values_list("name", flat=True)
    assert set(attested) == set(story.signed)


def test_every_shipped_policy_is_back_tested_on_nine_kinds(cast: Cast, now: datetime) -> None:
    """A copy changes nothing; a copy that asks for nothing less than a dollar takes in the requests that it judges."""
    shipped = kinds.publish_shipped(now=now)
    judged: dict[str, set[str]] = {name: set() for name in shipped}
    for story in STORIES.values():
        request = filed(story, cast, now)
        judged[story.policy].add(request.ref)
    assert all(refs for name, refs in judged.items() if name != "tabular")
    for name, version in shipped.items():
        given = {"name": name, "against": version.number, "quarters": 1, "now": now}
        same = backtest.run(backtest.question(**given, number=version.number))
        assert (same.request_count, same.changed) == (len(judged[name]), ())
        document = yaml.safe_load(version.source)
        costs = [rule for rule in document["rules"] if rule.get("unit") == "USD"]
        for rule in costs:
            rule |= {"limit": 1, "effect": "deny", "on_indeterminate": "deny"}
        draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
        strict = backtest.run(backtest.question(**given, number=draft.number))
        assert {line.ref for line in strict.changed} == (judged[name] if costs else set())
        assert (strict.stricter.count, strict.looser.count) == (len(strict.changed), 0)
