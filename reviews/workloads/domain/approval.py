"""Whether what runs was approved: from the standings of its artifacts alone, never from what its report claims.

The image is what the cluster pulled. The models are a claim of whoever deployed, as for the admission webhook.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reviews.authorizations.domain.standing import Standing
from weighbridge.core.canonical import DIGEST_PREFIX

NO_DIGEST = "No digest is known. A tag can name another image tomorrow, so nobody can have approved it."
SHORT = 12


class Approval(StrEnum):
    """The answer for a workload, the one to look at first first."""

    DENIED = "denied"
    UNKNOWN = "unknown"
    CONDITIONAL = "conditional"
    AUTHORIZED = "authorized"

    @property
    def is_open(self) -> bool:
        """Whether nobody approved the workload."""
        return self in {Approval.DENIED, Approval.UNKNOWN}


@dataclass(frozen=True)
class ArtifactAnswer:
    """The standing of an artifact; `whole` is the digest of the artifact that gives it to a part, if one does."""

    standing: Standing
    whole: str = ""


UNKNOWN = ArtifactAnswer(Standing.UNKNOWN)


@dataclass(frozen=True)
class WorkloadApproval:
    """The answer with its reason; `is_claimed` if it rests on models that the deployment names and nobody observed."""

    approval: Approval
    reason: str
    is_claimed: bool = False


def approval_of(
    *, image_digest: str, model_digests: Sequence[str], answers: Mapping[str, ArtifactAnswer]
) -> WorkloadApproval:
    """The answer for a workload with this image ("" if its digest is unknown) and these models.

    One denied artifact denies the workload. If it names models, all of them must be allowed; otherwise its image must
    be. The strictest permission counts.
    """
    digests = [*model_digests, *([image_digest] if image_digest else [])]
    if not digests:
        return WorkloadApproval(Approval.UNKNOWN, NO_DIGEST)
    found = {digest: answers.get(digest, UNKNOWN) for digest in digests}
    denied = [digest for digest in digests if _denies(found[digest].standing)]
    if denied:
        digest = min(denied, key=lambda one: found[one].standing.rank)
        return WorkloadApproval(Approval.DENIED, _sentence(digest, found[digest], is_image=digest == image_digest))
    deciding = model_digests or [image_digest]
    unknown = next((digest for digest in deciding if not found[digest].standing.is_allowed), None)
    if unknown is not None:
        return WorkloadApproval(Approval.UNKNOWN, _sentence(unknown, found[unknown], is_image=not model_digests))
    allowed = [digest for digest in digests if found[digest].standing.is_allowed]
    strictest = min(allowed, key=lambda one: found[one].standing.rank)
    is_conditional = found[strictest].standing is Standing.CONDITIONAL
    reason = _sentence(strictest, found[strictest], is_image=strictest == image_digest)
    is_claimed = image_digest not in allowed
    if is_claimed:
        reason += " The deployment names this model; its image says nothing about it."
    return WorkloadApproval(Approval.CONDITIONAL if is_conditional else Approval.AUTHORIZED, reason, is_claimed)


def _denies(standing: Standing) -> bool:
    return not standing.is_allowed and standing is not Standing.UNKNOWN


def _sentence(digest: str, answer: ArtifactAnswer, *, is_image: bool) -> str:
    what = f"The {'image' if is_image else 'model'} {_short(digest)}"
    if answer.standing is Standing.UNKNOWN:
        return f"{what} has no standing here: no request for it was submitted."
    if answer.whole:
        return f"{what} is a part of {_short(answer.whole)}, which is {answer.standing.words}."
    return f"{what} is {answer.standing.words}."


def _short(digest: str) -> str:
    return digest.removeprefix(DIGEST_PREFIX)[:SHORT]
