"""A part that may not run alone may not run inside another artifact, such as a pipeline or a folder."""

from datetime import datetime
from typing import Any

import pytest

from governance.inventory.models import ModelVersion
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, review
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast

SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}


def pipeline_of(part: ModelVersion) -> dict[str, Any]:
    document = {"kind": "file", "format": part.format, "sha256": part.digest.removeprefix("sha256:")}
    return {"kind": "pipeline", "parts": [{"role": "answer", "subject": document}]}


def folder_of(part: ModelVersion) -> dict[str, Any]:
    entry = {"path": "model.onnx", "sha256": part.digest.removeprefix("sha256:")}
    return {"kind": "manifest", "files": [entry, {"path": "notes.txt", "sha256": "e" * 64}]}


def deployment_of(part: ModelVersion) -> dict[str, Any]:
    server = {"name": "llama.cpp", "version": "b9999"}
    return {"kind": "deployment", "model": {"digest": part.digest}, "server": server, "hardware": "managed"}


def cleared_whole(part: ModelVersion, document: dict[str, Any], cast: Cast, now: datetime) -> ReviewRequest:
    """A small request for an artifact that contains the part."""
    whole = kinds.register(task="other", subject=document, slug="whole", by=cast.author, now=now)
    return walks.make_submitted(
        by=cast.author, version=whole, environment="dev", declared=SMALL, with_data=False, now=now
    )


def answer(request: ReviewRequest, cast: Cast, now: datetime) -> gate.GateDecision:
    digest = request.model_version.digest
    return gate.decide(digest=digest, environment="dev", person=person_of(cast.auditor), now=now)


def rejected(cast: Cast, now: datetime) -> ReviewRequest:
    request = walks.make_in_review(cast=cast, now=now, environment="dev")
    review.vote(
        request=request,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="It leaks training data.",
        by=cast.reviewer_one,
        now=now,
    )
    return request


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("document_of", [pipeline_of, folder_of, deployment_of])
def test_a_rejected_file_passes_no_gate_inside_another_artifact(cast: Cast, now: datetime, document_of: Any) -> None:
    part = rejected(cast, now).model_version
    request = cleared_whole(part, document_of(part), cast, now)
    assert request.state == "evidence"  # a review is mandatory, whatever the policy says of its claims
    said = answer(request, cast, now)
    assert (said.answer, said.standing) == ("deny", "rejected")
    assert "about a part of this artifact" in said.reasons[0]


@pytest.mark.usefixtures("policy")
def test_what_was_cleared_is_denied_from_when_its_part_is(cast: Cast, now: datetime) -> None:
    part = make_version(by=cast.author, now=now)
    request = cleared_whole(part, pipeline_of(part), cast, now)
    assert (request.state, answer(request, cast, now).answer) == ("cleared", "allow")
    rejected(cast, now)
    assert answer(request, cast, now).standing == "rejected"


@pytest.mark.usefixtures("policy")
def test_a_part_under_mandatory_review_denies_and_an_approved_one_does_not(cast: Cast, now: datetime) -> None:
    filed = walks.make_in_review(cast=cast, now=now, environment="dev")
    request = cleared_whole(filed.model_version, pipeline_of(filed.model_version), cast, now)
    assert answer(request, cast, now).standing == "under_review"
    walks.approve(request=filed, cast=cast, now=now)
    requests.withdraw(request=request, reason="Filed again after the part was approved.", by=cast.author, now=now)
    again = walks.make_submitted(
        by=cast.author,
        version=request.model_version,
        environment="dev",
        declared=SMALL,
        with_data=False,
        now=now,
    )
    assert again.state == "evidence"  # its own mandatory review was lost
    assert answer(again, cast, now).standing in {"under_review", "review_lost"}


@pytest.mark.usefixtures("policy")
def test_a_revoked_part_denies_the_whole_and_voters_see_it(cast: Cast, now: datetime) -> None:
    filed = walks.make_decided(cast=cast, now=now, environment="dev")
    request = cleared_whole(filed.model_version, pipeline_of(filed.model_version), cast, now)
    assert answer(request, cast, now).answer == "allow"
    held = Authorization.objects.get()
    authorizations.revoke(authorization=held, reason="Customers complain.", by=cast.approver, now=now)
    said = answer(request, cast, now)
    assert (said.answer, said.standing) == ("deny", "revoked")


@pytest.mark.usefixtures("policy")
def test_who_owns_a_part_does_not_vote_on_the_whole(cast: Cast, now: datetime) -> None:
    part = make_version(by=cast.author, owner=cast.reviewer_one, now=now)
    request = cleared_whole(part, pipeline_of(part), cast, now)
    interests = snapshot_of(request, now=now).electorate.interests
    assert interests.conflict_of(cast.reviewer_one.pk)
    assert not interests.conflict_of(cast.reviewer_two.pk)
