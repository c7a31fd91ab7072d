"""Lock a request. Every write starts with this, so that two people never act on the same state."""

from reviews.requests.models import ReviewRequest


def lock(request: ReviewRequest) -> ReviewRequest:
    """Lock the row until the transaction ends, and return its current state. Read related rows only after this."""
    rows = ReviewRequest.objects.select_for_update(of=("self",))
    related = ("team", "policy", "checklist", "dataset", "model_version__asset__team", "requester", "owner")
    return rows.select_related(*related).get(pk=request.pk)
