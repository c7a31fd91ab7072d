"""The gate: may this artifact run in this environment?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviews.authorizations.domain import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest


@dataclass(frozen=True)
class GateDecision:
    """The answer (`allow` or `deny`) with its reasons, the authorization that allows it, and its signed statement."""

    answer: str
    reasons: tuple[str, ...]
    authorization: str
    request: str
    expires_at: datetime | None
    statement: dict[str, Any] | None


def decide(*, digest: str, environment: str, now: datetime) -> GateDecision:
    """Allow an artifact with a valid authorization for the environment, or with a valid clearance by the policy."""
    authorization = (
        Authorization.objects.filter(
            subject_digest=digest, environment=environment, state__in=IN_FORCE, expires_at__gt=now
        )
        .select_related("decision__request")
        .order_by("-expires_at")
        .first()
    )
    if authorization is not None:
        number, expires_at = authorization.number, authorization.expires_at
        reason = f"{number} authorizes this artifact for {environment} until {expires_at:%Y-%m-%d}."
        ref = authorization.decision.request.ref
        return GateDecision("allow", (reason,), number, ref, expires_at, authorization.envelope)
    cleared = None if _is_suspended_or_revoked(digest, environment) else _cleared(digest, environment, now)
    if cleared is not None:
        until = f"Valid until {cleared.deadline_at:%Y-%m-%d}."
        reason = f"{cleared.ref} was cleared: no rule of {cleared.policy} fired. {until}"
        return GateDecision("allow", (reason,), "", cleared.ref, cleared.deadline_at, None)
    return GateDecision("deny", _reasons(digest, environment, now), "", "", None, None)


def _is_suspended_or_revoked(digest: str, environment: str) -> bool:
    """Whether a person ended the permission. A clearance by the policy must not restore it."""
    ended = (AuthorizationState.SUSPENDED, AuthorizationState.REVOKED)
    return Authorization.objects.filter(subject_digest=digest, environment=environment, state__in=ended).exists()


def _cleared(digest: str, environment: str, now: datetime) -> ReviewRequest | None:
    """The clearance with the latest end. The deadline of a cleared request is the end of its clearance."""
    rows = ReviewRequest.objects.filter(
        state=RequestState.CLEARED, environment=environment, model_version__digest=digest
    )
    return rows.filter(deadline_at__gt=now).select_related("policy").order_by("-deadline_at").first()


def _reasons(digest: str, environment: str, now: datetime) -> tuple[str, ...]:
    reasons = []
    for past in Authorization.objects.filter(subject_digest=digest).order_by("-issued_at")[:5]:
        state = "expired" if past.expires_at <= now else past.state.replace("_", " ")
        if past.environment != environment:
            reasons.append(f"{past.number} is for {past.environment}, not for {environment}.")
        else:
            reasons.append(f"{past.number} is {state}.")
    requests = ReviewRequest.objects.filter(model_version__digest=digest, environment=environment).order_by("-pk")[:5]
    reasons += [f"{request.ref} is {request.state.replace('_', ' ')}." for request in requests]
    return tuple(reasons) or ("No request was ever filed for an artifact with this digest and environment.",)
