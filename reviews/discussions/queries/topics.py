"""The topics of a request: its metrics and the items of its checklist, with their titles."""

from collections.abc import Mapping
from typing import Any

from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import checklist_in
from reviews.discussions.domain.comments import RequestPart, Topic
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import metric_words


def check_topic(request: Any, *, topic: Topic) -> None:
    """Raise Invalid unless the request has this part. Anything else that is discussed has no parts."""
    if topic.part is RequestPart.WHOLE:
        return
    if not isinstance(request, ReviewRequest):
        raise Invalid("Only a request has parts; leave the topic empty.", field="about")
    if topic.part is RequestPart.METRIC:
        is_known = topic.name in catalog_in_force() or request.metric_records.filter(name=topic.name).exists()
    else:
        is_known = topic.name in _items(request)
    if not is_known:
        raise Invalid(f"{request.ref} has no {topic.part} {topic.name[:80]}.", field="about")


def topic_title(request: ReviewRequest | None, *, topic: Topic) -> str:
    """The metric or the item in words; "" for the whole request."""
    if topic.part is RequestPart.METRIC:
        return metric_words(topic.name)
    if topic.part is RequestPart.ITEM and request is not None:
        return _items(request).get(topic.name, topic.name)
    return topic.name


def _items(request: ReviewRequest) -> Mapping[str, str]:
    """The titles of the items of the checklist, by id."""
    return {item.id: item.title for item in checklist_in(request.checklist).items} if request.checklist else {}
