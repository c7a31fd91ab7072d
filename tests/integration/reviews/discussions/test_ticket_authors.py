"""Who wrote a comment of the ticket: the account of its own site, whoever has the same id on another one."""

from datetime import datetime

import pytest

from reviews.discussions.queries.threads import discussion_of
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import ExternalIdentity, TicketComment
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.integration.reviews.tickets.audited import REMOTE

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_linked_here", [True, False])
@pytest.mark.parametrize("is_other_first", [True, False])
def test_an_account_belongs_to_its_site(
    submitted: ReviewRequest, cast: Cast, now: datetime, is_linked_here: bool, is_other_first: bool
) -> None:
    sites.link(submitted.ticket, remote=REMOTE, now=now)
    other = sites.make_site(now=now, name="Other")
    links = [(other, cast.outsider), *([(submitted.ticket.site, cast.reviewer_two)] if is_linked_here else [])]
    for site, user in links if is_other_first else reversed(links):
        ExternalIdentity.objects.create(site=site, user=user, account_id="JIRAUSER10100")
    TicketComment.objects.create(
        ticket=submitted.ticket,
        remote_id="2",
        author_id="JIRAUSER10100",
        author="Ada L",
        text="Good.",
        created_at=now,
        updated_at=now,
    )
    found = discussion_of(kind="request", ref=submitted.ref, subject=submitted, reader=None, now=now, shown_max=9)
    (shown,) = [thread.comments[0] for thread in found.threads]
    expected = ("Reviewer Two", "reviewer_two") if is_linked_here else ("Ada L", "")
    assert (shown.author, shown.username) == expected
