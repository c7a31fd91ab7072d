"""How to call the write of the feed; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.feed import actions as feed
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast


def published(cast: Cast, now: datetime) -> object:
    request = walks.make_submitted(by=cast.author, now=now)
    ReviewRequest.objects.filter(pk=request.pk).update(state="withdrawn")  # past every action: something to publish
    return feed.publish(digest=request.model_version.digest, environment=request.environment, by=cast.author, now=now)


ACTIONS: Mapping[str, Callable[[Cast, datetime], object]] = {"reviews.feed.actions.publish": published}
