"""The answer for a workload: from the standings of its artifacts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.authorizations.domain.standing import Standing
from reviews.workloads.domain.approval import Approval, ArtifactAnswer, WorkloadApproval, approval_of

IMAGE, MODEL, OTHER, WHOLE = ("sha256:" + letter * 64 for letter in "abcd")
S = Standing


def answer(own: str = "", models: tuple[str, ...] = (), **standings: Standing) -> WorkloadApproval:
    digests = {"image": IMAGE, "model": MODEL, "other": OTHER}
    answers = {digests[name]: ArtifactAnswer(standing) for name, standing in standings.items()}
    return approval_of(image_digest=own, model_digests=models, answers=answers)


def test_a_tag_alone_is_unknown_and_says_so() -> None:
    text = "No digest is known. A tag can name another image tomorrow, so nobody can have approved it."
    assert answer() == WorkloadApproval(Approval.UNKNOWN, text)


@pytest.mark.parametrize("standing", list(Standing))
def test_an_image_has_the_answer_of_its_standing(standing: Standing) -> None:
    wanted = {
        S.UNKNOWN: Approval.UNKNOWN,
        S.CONDITIONAL: Approval.CONDITIONAL,
        S.AUTHORIZED: Approval.AUTHORIZED,
        S.CLEARED: Approval.AUTHORIZED,
    }.get(standing, Approval.DENIED)
    found = answer(IMAGE, image=standing)
    assert (found.approval, found.is_claimed) == (wanted, False)
    assert found.approval.is_open is not standing.is_allowed
    if standing is not S.UNKNOWN:
        assert found.reason == f"The image aaaaaaaaaaaa is {standing.words}."


def test_an_image_that_nobody_filed() -> None:
    assert answer(IMAGE).reason == "The image aaaaaaaaaaaa has no standing here: no request for it was submitted."


@pytest.mark.parametrize(
    ("standings", "approval", "is_claimed"),
    [
        ({"model": S.AUTHORIZED}, Approval.AUTHORIZED, True),
        ({"model": S.CONDITIONAL}, Approval.CONDITIONAL, True),
        ({"model": S.AUTHORIZED, "image": S.AUTHORIZED}, Approval.AUTHORIZED, False),
        ({"model": S.AUTHORIZED, "image": S.CONDITIONAL}, Approval.CONDITIONAL, False),
        ({"model": S.AUTHORIZED, "image": S.REVOKED}, Approval.DENIED, False),
        ({"model": S.REJECTED, "image": S.AUTHORIZED}, Approval.DENIED, False),
        ({"image": S.AUTHORIZED}, Approval.UNKNOWN, False),
        ({}, Approval.UNKNOWN, False),
    ],
)
def test_models_that_the_deployment_names(standings: dict[str, Standing], approval: Approval, is_claimed: bool) -> None:
    found = answer(IMAGE, (MODEL,), **standings)
    assert (found.approval, found.is_claimed) == (approval, is_claimed)


def test_a_claim_is_named_as_one() -> None:
    assert answer(IMAGE, (MODEL,), model=S.AUTHORIZED).reason == (
        "The model bbbbbbbbbbbb is authorized. The deployment names this model; its image says nothing about it."
    )


def test_the_strictest_denial_is_the_reason() -> None:
    found = answer(IMAGE, (MODEL, OTHER), image=S.EXPIRED, model=S.AUTHORIZED, other=S.REJECTED)
    assert found.reason == "The model cccccccccccc is rejected."


def test_one_of_several_models_is_unknown() -> None:
    found = answer("", (MODEL, OTHER), model=S.AUTHORIZED)
    assert found == WorkloadApproval(
        Approval.UNKNOWN, "The model cccccccccccc has no standing here: no request for it was submitted."
    )


def test_a_part_has_the_standing_of_its_whole() -> None:
    found = approval_of(
        image_digest=IMAGE, model_digests=(), answers={IMAGE: ArtifactAnswer(Standing.AUTHORIZED, WHOLE)}
    )
    assert found == WorkloadApproval(
        Approval.AUTHORIZED, "The image aaaaaaaaaaaa is a part of dddddddddddd, which is authorized."
    )


@given(
    image=st.sampled_from(["", IMAGE]),
    models=st.lists(st.sampled_from([MODEL, OTHER]), unique=True),
    standings=st.dictionaries(st.sampled_from([IMAGE, MODEL, OTHER]), st.sampled_from(list(Standing))),
)
def test_naming_one_more_artifact_never_hides_a_denial(
    image: str, models: list[str], standings: dict[str, Standing]
) -> None:
    answers = {digest: ArtifactAnswer(standing) for digest, standing in standings.items()}
    found = approval_of(image_digest=image, model_digests=models, answers=answers)
    named = [digest for digest in (image, *models) if digest]
    kinds = [standings.get(digest, Standing.UNKNOWN) for digest in named]
    if any(not kind.is_allowed and kind is not Standing.UNKNOWN for kind in kinds):
        assert found.approval is Approval.DENIED
    if not found.approval.is_open:
        assert any(kind.is_allowed for kind in kinds)
        assert all(standings.get(digest, Standing.UNKNOWN).is_allowed for digest in models)
        more = approval_of(image_digest=image, model_digests=[*models, WHOLE], answers=answers)
        assert more.approval is Approval.UNKNOWN
