"""Marks of drafts, by which a page or a program can tell that what it shows is outdated."""

from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import RulebookChoice
from weighbridge.core.canonical import digest_of

ENTERED = ("ref", "title", "purpose", "environment", "business_case", "model_version_id", "dataset_id", "state")
MARK_CHARS_MAX = 100


def draft_mark(request: ReviewRequest) -> str:
    """The mark of a draft as it is: a digest of its fields, a point, and the number of its latest metric value."""
    return f"{_fields_digest(request)}.{_latest_value(request)}"


def has_other_fields(request: ReviewRequest, *, seen: str) -> bool:
    """Whether the fields of the draft changed since it had the mark `seen`; "" says nothing about it."""
    return seen != "" and seen.partition(".")[0] != _fields_digest(request)


def has_other_values(request: ReviewRequest, *, seen: str) -> bool:
    """Whether metric values were stated since the draft had the mark `seen`; "" says nothing about it."""
    return seen != "" and seen.partition(".")[2] != str(_latest_value(request))


def submission_digest(request: ReviewRequest, *, choice: RulebookChoice) -> str:
    """The digest of a draft together with the policy and the checklist that would judge it."""
    documents = {"policy": choice.policy.digest, "checklist": choice.checklist.digest}
    return digest_of(documents | {"draft": draft_mark(request)})


def _fields_digest(request: ReviewRequest) -> str:
    rivals = sorted(request.rivals.values_list("pk", flat=True))
    return digest_of({name: getattr(request, name) for name in ENTERED} | {"rivals": rivals})


def _latest_value(request: ReviewRequest) -> int:
    return request.metric_records.order_by("-pk").values_list("pk", flat=True).first() or 0
