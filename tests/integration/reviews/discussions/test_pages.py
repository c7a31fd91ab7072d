"""The discussion on the page of a request, the page of a discussion, and its steps."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.people.actions import people
from governance.people.domain.roles import Role
from reviews.discussions.actions import comments, threads
from reviews.discussions.models import Comment, Thread
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import ExternalIdentity, TicketComment
from reviews.workflow.domain.tabs import Tab
from tests.factories import tickets as sites
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.integration.reviews.tickets.audited import REMOTE
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def address(request: ReviewRequest, about: str = "") -> str:
    return f"/discussions/request/{request.ref}/{f'?about={about}' if about else ''}"


def test_an_empty_discussion_asks_for_the_first_comment(draft: ReviewRequest, author: User) -> None:
    page = words(enter(author).get(page_of(draft)))
    assert "Nobody has commented yet." in page
    assert "@reviewer_one Reviewer One" in page
    assert "@outsider" not in page


def test_a_comment_is_written_on_the_page_of_the_request(draft: ReviewRequest, author: User) -> None:
    answer = enter(author).post(f"{address(draft)}threads/", {"text": "First\n\n<b>@reviewer_one</b>", "page": "1"})
    comment = Comment.objects.get()
    assert answer.url == f"/requests/{draft.ref}/#comment-{comment.pk}"
    html = html_of(enter(author).get(page_of(draft)))
    assert f'id="comment-{comment.pk}"' in html
    assert 'First &lt;b&gt;<strong class="mention">@reviewer_one</strong>&lt;/b&gt;' in html
    assert "1 thread is open." in html


def test_a_word_that_is_nobody_stays_text_and_the_page_says_so(draft: ReviewRequest, author: User) -> None:
    text = "@import a, @media b, @reviewer_on, @b @reviewer_one @author"
    client = enter(author)
    client.post(f"{address(draft)}threads/", {"text": text})
    comment = Comment.objects.get()
    html = html_of(client.get(address(draft)))
    assert '@import a, @media b, @reviewer_on, @b <strong class="mention">@reviewer_one</strong> @author' in html
    assert "Your comment is written. @import, @media, @reviewer_on and others mention nobody who can see this." in html
    client.post(f"/comments/{comment.pk}/edit/", {"text": "@reviewer_two: @nobody"})
    html = html_of(client.get(address(draft)))
    assert "Your comment is changed. @nobody mentions nobody who can see this." in html
    assert '<strong class="mention">@reviewer_two</strong>: @nobody' in html
    assert '@b <strong class="mention">@reviewer_one</strong> @author' in html


def test_links_are_safe(draft: ReviewRequest, author: User, now: datetime) -> None:
    make_comment(draft, 'https://a.test/?x="><script>alert(1)</script> javascript:alert(1)', by=author, now=now)
    html = html_of(enter(author).get(address(draft)))
    assert '<a href="https://a.test/?x=" rel="noopener nofollow">https://a.test/?x=</a>' in html.replace("&quot;", '"')
    assert "<script>alert" not in html
    assert 'href="javascript' not in html


def test_metrics_and_items_lead_to_their_threads(ready: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_comment(ready, by=cast.author, now=now, about="metric:latency_p95_ms")
    make_comment(ready, by=cast.author, now=now, about="item:owner-and-rollback")
    for tab, about in (("evidence", "metric:latency_p95_ms"), ("checklist", "item:owner-and-rollback")):
        html = html_of(enter(cast.reviewer_one).get(page_of(ready, tab)))
        assert f'href="{address(ready, about)}"' in html
        assert html.count("Discuss (1)") == 1
    page = words(enter(cast.reviewer_one).get(address(ready, "metric:latency_p95_ms")))
    assert f"Discussion of {ready.ref}: Latency p95" in page
    assert page.count("Which traffic is this?") == 1
    answer = enter(cast.reviewer_one).post(
        f"/discussions/request/{ready.ref}/threads/", {"text": "Again.", "about": "metric:latency_p95_ms"}
    )
    assert (
        answer.url
        == f"{address(ready, 'metric:latency_p95_ms')}&page=1#comment-{Comment.objects.last().pk}".replace(
            "metric:", "metric%3A"
        )
    )
    assert Thread.objects.last().topic.text == "metric:latency_p95_ms"


def test_a_comment_has_an_address(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    rows = [make_comment(draft, f"No. {n}", by=cast.author, now=now + timedelta(seconds=n)) for n in range(26)]
    client = enter(cast.reviewer_one)
    assert client.get(f"/comments/{rows[0].pk}/").url == f"{address(draft)}?page=1#comment-{rows[0].pk}"
    assert client.get(f"/comments/{rows[-1].pk}/").url == f"{address(draft)}?page=2#comment-{rows[-1].pk}"
    assert enter(cast.outsider).get(f"/comments/{rows[0].pk}/").status_code == 404
    assert "16 earlier threads" in words(client.get(page_of(draft)))
    assert "No. 25" in words(client.get(address(draft)))
    first = words(client.get(f"{address(draft)}?page=1"))
    assert "No. 0 " in first
    assert "No. 25" not in first


def test_one_answers_changes_resolves_and_withdraws(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    mine, theirs = enter(cast.author), enter(cast.reviewer_one)
    mine.post(f"{address(draft)}threads/", {"text": "Frist."})
    one = Comment.objects.get()
    assert mine.post(f"/comments/{one.pk}/edit/", {"text": "First."}).url == f"{address(draft)}?page=1#comment-{one.pk}"
    assert theirs.post(f"/threads/{one.thread_id}/replies/", {"text": "Second."}).status_code == 302
    assert theirs.post(f"/threads/{one.thread_id}/resolve/").url == f"{address(draft)}?page=1#thread-{one.thread_id}"
    page = words(mine.get(address(draft)))
    assert "First." in page
    assert "Earlier text Frist." in page
    assert "Resolved by Reviewer One" in page
    answer = mine.post(f"/threads/{one.thread_id}/reopen/", {"page": "1"})
    assert answer.url == f"/requests/{draft.ref}/#thread-{one.thread_id}"
    assert mine.post(f"/comments/{one.pk}/withdraw/").url == f"{address(draft)}?page=1#comment-{one.pk}"
    page = words(mine.get(address(draft)))
    assert "Author withdrew this comment" in page
    assert "First." not in page
    assert "Frist." not in page


def test_a_refused_comment_stays_in_its_form(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    client = enter(cast.author)
    before = snapshot()
    for path, given, reason in (
        (f"{address(draft)}threads/", {"text": "x" * 4001}, "at most 4000 characters"),
        (f"{address(draft)}threads/", {"text": " "}, "This field is required"),
        (f"/threads/{one.thread_id}/replies/", {"text": "x" * 4001}, "at most 4000 characters"),
        (f"/comments/{one.pk}/edit/", {"text": "x" * 4001}, "at most 4000 characters"),
    ):
        answer = client.post(path, given)
        assert answer.status_code == 400
        assert reason in words(answer)
        assert given["text"].strip() in words(answer)
    assert client.post(f"/threads/{one.thread_id}/reopen/", follow=True).status_code == 200
    assert enter(cast.reviewer_one).post(f"/comments/{one.pk}/withdraw/").status_code == 302
    assert snapshot() == before


def test_a_refused_text_is_shown_on_the_page_of_its_thread(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    """The first thread of many is on the first page, and no form of it is shown on the last one."""
    one = make_comment(draft, by=cast.author, now=now)
    for second in range(1, 27):
        make_comment(draft, f"No. {second}", by=cast.author, now=now + timedelta(seconds=second))
    client, text = enter(cast.author), "Ask about the traffic. " * 200
    for path in (f"/threads/{one.thread_id}/replies/", f"/comments/{one.pk}/edit/"):
        for page in ("", "1"):
            answer = client.post(path, {"text": text, "page": page})
            assert (answer.status_code, answer.context["page"].number, text.strip() in words(answer)) == (400, 1, True)
            assert f'name="page" value="{page}"' in answer.content.decode()
    for path in (f"/threads/{one.thread_id}/resolve/", f"/threads/{one.thread_id}/reopen/"):
        for page in ("", "1"):
            assert client.post(path, {"page": page}).url == f"{address(draft)}?page=1#thread-{one.thread_id}"


@pytest.mark.parametrize("about", ["", "metric:latency_p95_ms"])
def test_one_returns_to_the_discussion_one_came_from(
    ready: ReviewRequest, cast: Cast, now: datetime, about: str
) -> None:
    one = make_comment(ready, by=cast.author, now=now, about="metric:latency_p95_ms")
    client, page = enter(cast.author), address(ready, about)
    assert html_of(client.get(page)).count(f'name="about" value="{about}"') == 5
    came_from = f"{page.replace('metric:', 'metric%3A')}{'&' if about else '?'}page=1"
    edited = client.post(f"/comments/{one.pk}/edit/", {"text": "Which?", "about": about})
    assert edited.url == f"{came_from}#comment-{one.pk}"
    answer = client.post(f"/threads/{one.thread_id}/replies/", {"text": "That one.", "about": about})
    assert answer.url == f"{came_from}#comment-{Comment.objects.last().pk}"
    refused = client.post(f"/threads/{one.thread_id}/replies/", {"text": " ", "about": about})
    assert refused.context["discussed"]["about"] == about


def test_those_who_only_read_get_no_forms(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    threads.resolve(thread=make_comment(draft, "Done?", by=cast.author, now=now).thread, by=cast.author, now=now)
    for path in (page_of(draft), address(draft)):
        page = enter(cast.auditor).get(path)
        assert "Which traffic is this?" in words(page)
        assert "Resolved by Author" in words(page)
        html = page.content.decode()
        assert [part for part in ("/threads/", "/replies/", "/edit/", "/withdraw/") if f'{part}"' in html] == []
        assert f"/threads/{one.thread_id}/" not in html
    before = snapshot()
    answer = enter(cast.auditor).post(f"{address(draft)}threads/", {"text": "I only read."})
    assert (answer.status_code, "they do not comment" in words(answer)) == (403, True)
    assert snapshot() == before


def test_an_author_who_became_an_auditor_is_offered_no_change(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.reviewer_one, now=now)
    people.grant_role(user=cast.reviewer_one, role=Role.AUDITOR, by=None, now=now)
    people.revoke_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    view = enter(cast.reviewer_one).get(address(draft)).context["threads"][0].comments[0]
    assert (view.id, view.may_edit, view.may_withdraw) == (one.pk, False, False)


def test_only_the_tab_that_shows_threads_loads_them(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_comment(in_review, by=cast.author, now=now, about="metric:latency_p95_ms")
    client = enter(cast.reviewer_one)
    for tab in Tab:
        address_of_tab = f"{page_of(in_review)}{tab.segment}"
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address_of_tab).status_code == 200
        loads = any("discussions_commenttext" in each["sql"] for each in queries)
        counts = any('FROM "discussions_thread"' in each["sql"] for each in queries)
        assert (loads, counts) == (tab is Tab.DECISION, tab in {Tab.DECISION, Tab.EVIDENCE, Tab.CHECKLIST}), tab


def test_a_change_of_the_discussion_leads_to_it(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    """Also where the page of the request shows later threads alone."""
    client = enter(cast.reviewer_one)
    client.post(f"{page_of(in_review)}looks/", {"position": "0", "is_read": "on"})
    rows = [make_comment(in_review, f"No. {n}", by=cast.author, now=now + timedelta(seconds=n)) for n in range(11)]
    threads.resolve(thread=rows[0].thread, by=cast.author, now=now)
    html = client.get(page_of(in_review)).content.decode()
    for path, anchor in (
        (f"/comments/{rows[0].pk}/", f"comment-{rows[0].pk}"),
        (f"/threads/{rows[0].thread_id}/", f"thread-{rows[0].thread_id}"),
    ):
        assert f'href="{path}"' in html
        answer = client.get(path)
        assert answer.url == f"{address(in_review)}?page=1#{anchor}"
        assert f'id="{anchor}"' in client.get(answer.url).content.decode()
        assert enter(cast.outsider).get(path).status_code == 404


def test_a_late_edit_is_shown_with_its_reason(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now - timedelta(minutes=20))
    answer = enter(cast.author).post(f"/comments/{one.pk}/edit/", {"text": "Late."})
    assert answer.status_code == 409
    assert "that time is over" in words(answer)


@pytest.mark.parametrize(
    "path", ["/discussions/vote/1/", "/discussions/request/MRR-1999-0001/", "/comments/1/", "/threads/1/replies/"]
)
def test_nothing_is_said_of_what_is_not_there(cast: Cast, path: str) -> None:
    client = enter(cast.admin)
    answer = client.post(path, {"text": "x"}) if "replies" in path else client.get(path)
    assert answer.status_code == 404


def test_an_unknown_topic_is_refused(draft: ReviewRequest, cast: Cast) -> None:
    assert enter(cast.author).get(address(draft, "vote:1")).status_code == 400
    assert enter(cast.author).get(address(draft, "metric:nothing")).status_code == 400


def test_comments_of_the_ticket_stand_among_ours(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    sites.link(submitted.ticket, remote=REMOTE, now=now)
    site = submitted.ticket.site
    ExternalIdentity.objects.create(site=site, user=cast.reviewer_two, account_id="a-2")
    make_comment(submitted, "One.", by=cast.author, now=now)
    for number, author_id in ((2, "a-2"), (4, "a-9")):
        at = now + timedelta(minutes=number)
        TicketComment.objects.create(
            ticket=submitted.ticket,
            remote_id=str(number),
            author_id=author_id,
            author="Ada L",
            text=f"No. {number} @outsider",
            created_at=at,
            updated_at=at,
        )
    ours = {"is_ours": True, "created_at": now, "updated_at": now}
    TicketComment.objects.create(ticket=submitted.ticket, remote_id="9", text="", **ours)
    make_comment(submitted, "Three.", by=cast.author, now=now + timedelta(minutes=3))
    page = enter(cast.reviewer_one).get(address(submitted))
    views = page.context["threads"]
    assert [(each.source, each.comments[0].text, each.comments[0].author) for each in views] == [
        ("weighbridge", "One.", "Author"),
        ("ticket", "No. 2 @outsider", "Reviewer Two"),
        ("weighbridge", "Three.", "Author"),
        ("ticket", "No. 4 @outsider", "Ada L"),
    ]
    assert "in the ticket, not linked to a Weighbridge account" in words(page)
    assert len(enter(cast.reviewer_one).get(address(submitted, "metric:accuracy")).context["threads"]) == 0


def test_voters_see_open_threads_and_may_vote(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    for _ in range(2):
        make_comment(in_review, by=cast.author, now=now)
    page = enter(cast.reviewer_one).get(page_of(in_review))
    assert "2 threads are open in the discussion. You can vote all the same." in words(page)
    assert page.context["view"].allowed_steps["vote"].is_allowed


def test_comments_are_possible_after_the_decision(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    digest = decided.decision.bundle_digest
    comments.reply(
        thread=make_comment(decided, by=cast.author, now=now).thread, text="Later.", by=cast.reviewer_one, now=now
    )
    decided.refresh_from_db()
    assert decided.revisions.get().digest == digest == decided.decision.bundle_digest
