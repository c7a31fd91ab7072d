"""The integrations page: what is stuck, why, and who may set it going again."""

from datetime import timedelta

import pytest

from governance.audit.models import AuditEvent
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.tickets.actions import record_health, request_test
from reviews.tickets.ports import CheckStep, TrackerHealth
from tests.factories import tickets as sites
from tests.pages import html_of


@pytest.fixture
def message(db, now):
    """Makes a message of the state."""

    def make(state, key="m", **fields):
        row = outbox.enqueue(kind="ticket.open", key=key, lane=key, payload={}, now=now)
        OutboxMessage.objects.filter(pk=row.pk).update(state=state, **fields)
        row.refresh_from_db()
        return row

    return make


def test_the_outbox_in_figures(as_, message, admin, now):
    message(JobState.QUEUED, "a")
    message(JobState.QUEUED, "b", attempts=2, error="Jira did not answer.", next_attempt_at=now + timedelta(minutes=1))
    message(JobState.CLAIMED, "c", lease_until=now)
    message(JobState.PAUSED, "d", error="No Jira is configured.")
    message(JobState.PAUSED, "e", error="No Jira is configured.")
    message(JobState.PAUSED, "f", error="The token is wrong.")
    message(JobState.DEAD, "g", attempts=12, error="503 twelve times.", finished_at=now)
    message(JobState.DONE, "h", finished_at=now)
    answer = as_(admin).get("/integrations/")
    health = answer.context["health"]
    assert (health.waiting, health.sending, health.paused, health.dead, health.done_last_day) == (2, 1, 3, 1, 1)
    assert health.oldest_waiting_at == now
    assert [(pause.count, pause.reason) for pause in answer.context["pauses"]] == [
        (2, "No Jira is configured."),
        (1, "The token is wrong."),
    ]
    page = html_of(answer)
    for words in ("503 twelve times.", "Jira did not answer.", "12 of 12", "oldest"):
        assert words in page


def test_a_quiet_outbox(as_, admin):
    page = html_of(as_(admin).get("/integrations/"))
    assert "No dead messages" in page
    assert "Resume paused messages" not in page
    assert "/integrations/ticket-sites/" in page


def test_rows_are_shown_to_those_who_see_everything(as_, message, author, reviewer_one, now):
    message(JobState.DEAD, "secret-key", error="Secret.", finished_at=now)
    message(JobState.PAUSED, "paused-key", error="The mail server refuses somebody@example.org.")
    seen = html_of(as_(reviewer_one).get("/integrations/"))
    page = html_of(as_(author).get("/integrations/"))
    for words in ("secret-key", "paused-key", "somebody@example.org"):
        assert words in seen
        assert words not in page
    for words in ("Dead", "1 message: ticket.open"):
        assert words in page


def test_a_dead_message_is_retried(as_, message, admin, now):
    row = message(JobState.DEAD, attempts=12, finished_at=now)
    answer = as_(admin).post(f"/integrations/{row.pk}/retry/", follow=True)
    assert "will be retried now" in html_of(answer)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.is_uncertain) == (JobState.QUEUED, 0, True)


def test_paused_work_is_resumed(as_, message, approver):
    rows = [message(JobState.PAUSED, key) for key in "ab"]
    answer = as_(approver).post("/integrations/resume/", follow=True)
    assert "2 paused messages will be retried now." in html_of(answer)
    assert {OutboxMessage.objects.get(pk=row.pk).state for row in rows} == {JobState.QUEUED}


@pytest.mark.parametrize("path", ["/integrations/check/", "/integrations/resume/", "/integrations/{pk}/retry/"])
def test_whoever_may_not_operate_is_told_why_and_nothing_moves(as_, message, author, path):
    row = message(JobState.PAUSED)
    answer = as_(author).post(path.format(pk=row.pk), follow=True)
    assert "may operate integrations" in html_of(answer)
    assert [each.state for each in OutboxMessage.objects.all()] == [JobState.PAUSED]
    assert not AuditEvent.objects.filter(subject_type__in=["effect", "integration"]).exists()


def test_a_message_that_is_not_stuck_is_not_retried(as_, message, admin):
    row = message(JobState.QUEUED)
    answer = as_(admin).post(f"/integrations/{row.pk}/retry/", follow=True)
    assert "only a dead or paused one can be retried" in html_of(answer)
    assert as_(admin).post("/integrations/0/retry/").status_code == 404


def test_a_connection_test_is_asked_for_and_followed(as_, admin, now):
    site = sites.make_site(now=now, token="very-secret-token", is_ok=None)
    client = as_(admin)
    assert "Not tested" in html_of(client.get("/integrations/ticket-sites/"))
    assert "The connections are being tested." in html_of(client.post("/integrations/check/", follow=True))
    (row,) = OutboxMessage.objects.filter(kind="tracker.check")
    assert (row.state, row.lane, row.payload) == (JobState.QUEUED, "tracker", {"by": admin.pk})
    assert AuditEvent.objects.get(kind="tracker.check_requested").subject == "tickets"
    request_test(site=site, occasion="x", by=admin, now=now)
    page = html_of(client.get("/integrations/ticket-sites/"))
    assert 'hx-get="/integrations/ticket-sites/"' in page
    assert "very-secret-token" not in page


def test_a_second_test_takes_the_place_of_one_that_never_got_through(as_, admin):
    client = as_(admin)
    client.post("/integrations/check/")
    first = OutboxMessage.objects.get()
    OutboxMessage.objects.update(state=JobState.PAUSED)
    client.post("/integrations/check/")
    first.refresh_from_db()
    assert first.state == JobState.CANCELED
    assert OutboxMessage.objects.exclude(pk=first.pk).get().state == JobState.QUEUED


@pytest.mark.parametrize(("ok", "badge"), [(True, "Connected"), (False, "Not working")])
def test_the_answer_of_the_last_test_is_the_health(as_, author, now, ok, badge):
    site = sites.make_site(now=now)
    for sentence, is_ok in (("Earlier.", not ok), ("Jira answered so.", ok)):
        steps = (CheckStep("Account", is_ok, sentence),)
        record_health(site=site, health=TrackerHealth(ok=is_ok, sentence=sentence, steps=steps), now=now)
    page = html_of(as_(author).get("/integrations/ticket-sites/"))
    assert badge in page
    assert "Jira answered so." in page
    assert "Earlier." not in page
    assert "hx-get" not in page
    assert "/settings/tickets/" not in page, "only administrators set up sites"


def test_without_a_site_tickets_wait(as_, author, admin):
    assert "An administrator can set up a site." in html_of(as_(author).get("/integrations/ticket-sites/"))
    assert "/settings/tickets/" in html_of(as_(admin).get("/integrations/ticket-sites/"))


def test_what_a_version_cannot_do_is_said(as_, author, now):
    server = "Jira Data Center 9.12.2"
    sites.make_site(now=now, flavor="data_center", version="9.12.2", server=server, signs_webhooks=False)
    page = html_of(as_(author).get("/integrations/ticket-sites/"))
    assert server in page
    assert "does not sign its webhooks" in page
