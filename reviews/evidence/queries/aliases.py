"""Whether the policy in force takes a request about a model that its provider may change under the same name."""

from governance.inventory.domain.aliases import aliases_of
from governance.inventory.queries import managed_within
from governance.rulebook.domain.scopes import chosen
from governance.rulebook.queries.rulebook import policies_in_force
from reviews.evidence.queries.evidence import subject_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid


def check_alias(request: ReviewRequest) -> None:
    """Raise Invalid for a managed model without a snapshot, or a pipeline with one, unless its policy allows it.

    Without a policy in force nothing is refused here; such a request is not submitted.
    """
    aliases = aliases_of(managed_within(request.model_version))
    policy = chosen(policies_in_force(), subject=subject_of(request)) if aliases else None
    if policy is not None and not policy.authorization.alias_days:
        text = f"{aliases[0]} has no snapshot, so its provider may change what it runs, and nobody would review that."
        advice = f"Register the model with its snapshot. The policy {policy.name} allows no model without one"
        raise Invalid(f"{text} {advice} (authorization.alias_days).", code="alias", field="model_version")
