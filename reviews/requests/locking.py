"""Locking a request: every write begins with it, so that two people never act on the same state."""

from reviews.requests.models import ReviewRequest


def lock(request: ReviewRequest) -> ReviewRequest:
    """The row as it is now, held until the caller's transaction ends; what hangs on it is read after this."""
    rows = ReviewRequest.objects.select_for_update(of=("self",))
    related = ("team", "policy", "checklist", "dataset", "model_version__asset__team", "requester", "owner")
    return rows.select_related(*related).get(pk=request.pk)
