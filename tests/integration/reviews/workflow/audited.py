"""How to call the update of a draft; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.workflow.actions.drafting import drafts
from reviews.workflow.actions.requests import Filing
from tests.factories import requests as walks
from tests.factories.people import Cast


def updated(cast: Cast, now: datetime) -> object:
    draft = walks.make_draft(by=cast.author, now=now)
    names = ("purpose", "environment", "business_case", "model_version", "dataset")
    filing = Filing(title="Another title", **{name: getattr(draft, name) for name in names})
    return drafts.update_draft(request=draft, filing=filing, by=cast.author, now=now)


ACTIONS: Mapping[str, Callable[[Cast, datetime], object]] = {
    "reviews.workflow.actions.drafting.drafts.update_draft": updated
}
