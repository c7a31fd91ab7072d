"""The inbox and the API show what lapses soon."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from reviews.inbox.actions import make_reminders
from reviews.requests.models import ReviewRequest
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_page_and_api(
    in_review: ReviewRequest,
    cast: Cast,
    as_: Callable[[User], Client],
    api: Callable[[User | None], APIClient],
    now: datetime,
) -> None:
    ReviewRequest.objects.filter(pk=in_review.pk).update(
        deadline_at=now + 2 * HOUR, grace_ends_at=now + 2 * HOUR, review_opened_at=now - DAY
    )
    make_reminders(now=now)
    page = as_(cast.reviewer_one).get("/").content.decode()
    assert "Lapses soon" in page
    assert "Vote: Technical review." in page
    assert "Escalated" in as_(cast.approver).get("/").content.decode()
    (said,) = api(cast.reviewer_one).get("/api/v1/reminders/").json()
    assert (said["kind"], said["subject"], said["is_escalation"]) == ("vote", in_review.ref, False)
    assert api(cast.author).get("/api/v1/reminders/").json() == []
