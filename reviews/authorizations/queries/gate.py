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
    """allow or deny, in words; with the authorization that allows it, and its signed statement."""

    answer: str
    reasons: tuple[str, ...]
    authorization: str
    request: str
    expires_at: datetime | None
    statement: dict[str, Any] | None


def ask(*, digest: str, environment: str, now: datetime) -> GateDecision:
    """Allow an artifact that holds a valid authorization for the environment, or that the policy cleared for it."""
    held = (
        Authorization.objects.filter(
            subject_digest=digest, environment=environment, state__in=IN_FORCE, expires_at__gt=now
        )
        .select_related("decision__request")
        .order_by("-expires_at")
        .first()
    )
    if held is not None:
        reason = f"{held.number} authorizes this artifact for {environment} until {held.expires_at:%Y-%m-%d}."
        return GateDecision("allow", (reason,), held.number, held.decision.request.ref, held.expires_at, held.envelope)
    cleared = None if _taken_back(digest, environment) else _cleared(digest, environment, now)
    if cleared is not None:
        until = f"Valid until {cleared.deadline_at:%Y-%m-%d}."
        reason = f"{cleared.ref} was cleared: no rule of {cleared.policy} fired. {until}"
        return GateDecision("allow", (reason,), "", cleared.ref, cleared.deadline_at, None)
    return GateDecision("deny", _reasons(digest, environment, now), "", "", None, None)


def _taken_back(digest: str, environment: str) -> bool:
    """What people suspended or revoked, no clearance by a policy gives back."""
    taken = (AuthorizationState.SUSPENDED, AuthorizationState.REVOKED)
    return Authorization.objects.filter(subject_digest=digest, environment=environment, state__in=taken).exists()


def _cleared(digest: str, environment: str, now: datetime) -> ReviewRequest | None:
    """The clearance that lasts longest; the deadline of a cleared request is the end of its clearance."""
    rows = ReviewRequest.objects.filter(
        state=RequestState.CLEARED, environment=environment, model_version__digest=digest
    )
    return rows.filter(deadline_at__gt=now).select_related("policy").order_by("-deadline_at").first()


def _reasons(digest: str, environment: str, now: datetime) -> tuple[str, ...]:
    found = []
    for past in Authorization.objects.filter(subject_digest=digest).order_by("-issued_at")[:5]:
        state = "expired" if past.expires_at <= now else past.state.replace("_", " ")
        if past.environment != environment:
            found.append(f"{past.number} is for {past.environment}, not for {environment}.")
        else:
            found.append(f"{past.number} is {state}.")
    requests = ReviewRequest.objects.filter(model_version__digest=digest, environment=environment).order_by("-pk")[:5]
    found += [f"{request.ref} is {request.state.replace('_', ' ')}." for request in requests]
    return tuple(found) or ("No request was ever filed for an artifact with this digest and environment.",)
