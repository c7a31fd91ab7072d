"""The audit trail's page: who reads it, filters, and whether the chain holds."""

import pytest
from django.db import connection

from governance.audit.models import AuditEvent, Checkpoint
from tests.pages import html_of


@pytest.mark.parametrize("path", ["/audit/", "/audit/chain/"])
def test_only_administrators_and_auditors_read_the_trail(as_, cast, path):
    answers = {user.username: as_(user).get(path).status_code for user in cast.everybody()}
    assert {name for name, status in answers.items() if status == 200} == {"admin", "auditor"}
    assert {status for name, status in answers.items() if name not in {"admin", "auditor"}} == {403}


def test_only_readers_are_shown_the_way(as_, author, auditor):
    assert 'href="/audit/"' not in html_of(as_(author).get("/models/"))
    assert 'href="/audit/"' in html_of(as_(auditor).get("/models/"))


def test_events_stand_newest_first_in_pages(as_, decided, auditor):
    answer = as_(auditor).get("/audit/")
    positions = [event.position for event in answer.context["page"]]
    assert positions == sorted(positions, reverse=True)
    assert len(positions) == 50
    assert f"/requests/{decided.ref}/" in html_of(answer)
    assert as_(auditor).get("/audit/?page=2").context["page"].number == 2


def test_filters(as_, decided, auditor, author):
    client = as_(auditor)

    def events(**query):
        return list(client.get("/audit/", query).context["page"].paginator.object_list)

    assert {event.subject_type for event in events(subject_type="budget")} == {"budget"}
    assert {event.subject for event in events(q=decided.ref) if event.subject_type == "request"} == {decided.ref}
    assert {event.kind for event in events(kind="model.")} == {"model.registered", "model.version_registered"}
    assert events(q="nothing like it") == []
    assert "No event fits these filters" in html_of(client.get("/audit/?q=nothing+like+it"))


def test_the_chain_is_whole(as_, decided, auditor):
    page = html_of(as_(auditor).get("/audit/chain/"))
    assert "Whole" in page
    assert AuditEvent.objects.order_by("position").last().hash in page
    assert "<html" in page


def test_a_changed_event_is_found(as_, decided, auditor):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_auditevent SET actor = 'nobody' WHERE position = 3")
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
    part = html_of(as_(auditor).get("/audit/chain/", headers={"HX-Request": "true"}))
    assert "Event 3 does not match its own hash: its content was changed." in part
    assert "<html" not in part


def test_a_trail_cut_at_its_end_is_found(as_, decided, auditor):
    count = Checkpoint.objects.get().count
    assert f"after event {count:,}" in html_of(as_(auditor).get("/audit/"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_auditevent WHERE position >= %s", [count])
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
    page = html_of(as_(auditor).get("/audit/chain/"))
    assert "names more events than the trail has: the last events were removed." in page
