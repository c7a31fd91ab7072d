"""Inboxes while hundreds of requests are in review, after thousands of revisions."""

from datetime import datetime

import pytest

from governance.rulebook.models import PolicyVersion
from reviews.inbox.domain import LISTED_MAX
from reviews.requests.models import ReviewRequest
from reviews.voting.models import Revision
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter
from tests.masses import analyze, asked, multiply, search_entered_at_the_end

pytestmark = pytest.mark.django_db
IN_REVIEW, REVISIONS = 300, 12_000


@pytest.fixture
def crowd(cast: Cast, policy: PolicyVersion, now: datetime) -> None:
    """Copies of a request in review, each with its revision, and many earlier revisions."""
    request = walks.make_in_review(cast=cast, now=now)
    revision = Revision.objects.get(request=request)
    with search_entered_at_the_end():
        multiply(request, count=IN_REVIEW, ref="'MRR-2015-' || lpad(n::text, 6, '0')", purpose="'purpose ' || n")
    first = ReviewRequest.objects.latest("pk").pk - IN_REVIEW
    multiply(revision, count=IN_REVIEW, request_id=f"{first} + n")
    earlier = {"request_id": f"{first} + 1 + n %% {IN_REVIEW}", "number": f"1000 + n / {IN_REVIEW}"}
    multiply(revision, count=REVISIONS, **earlier)
    analyze()


@pytest.mark.parametrize("who", ["approver", "finance", "reviewer_one", "author"])
def test_no_revision_is_read_but_those_in_review(crowd: None, cast: Cast, who: str) -> None:
    browser = enter(getattr(cast, who))
    browser.get("/")
    with asked() as statements:
        assert browser.get("/").status_code == 200
    assert "voting_revision" not in statements.scanned()
    of_the_listed = LISTED_MAX * (1 + REVISIONS // IN_REVIEW)
    assert max(statements.rows_read().values()) <= max(of_the_listed, 4 * IN_REVIEW)
