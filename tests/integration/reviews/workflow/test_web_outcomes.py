"""Packets, signed statements, conditions, revoking and waiving."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages

from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Condition
from reviews.evidence.models import Waiver
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.packets.tasks import render_packet
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.pages import html_of
from weighbridge.core.canonical import digest_of

pytestmark = pytest.mark.django_db


def post(user: User, request: ReviewRequest, step: str, **data: Any):
    return enter(user).post(f"{page_of(request)}{step}/", data, follow=True)


def drawn(request: ReviewRequest, now: datetime, pdf: bytes | None = b"%PDF-1.7 drawn") -> Packet:
    packet = Packet.claim(pk=request.packets.get().pk, now=now, lease=timedelta(minutes=1))
    assert packet is not None
    if pdf is None:
        assert jobs.fail(row=packet, reason="Pango is missing.", now=now)
    else:
        assert packets.store_pdf(packet=packet, pdf=pdf, pages=3, now=now)
    return packet


def test_a_packet_is_downloaded_once_drawn(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    client, address = enter(cast.auditor), f"{page_of(decided)}packets/1/"
    waiting = client.get(address)
    assert waiting.status_code == 409
    assert "its PDF is not ready yet" in words(waiting)
    drawn(decided, now)
    response = client.get(address)
    assert b"".join(response.streaming_content) == b"%PDF-1.7 drawn"
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'attachment; filename="{decided.ref}-packet-1.pdf"'
    assert response["X-Content-Digest"] == decided.packets.get().pdf_digest
    assert "Packet" in words(client.get(page_of(decided)))
    assert enter(cast.outsider).get(address).status_code == 404


def test_a_lost_file_is_told(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    drawn(decided, now)
    storages["artifacts"].delete(decided.packets.get().stored_as)
    page = enter(cast.auditor).get(f"{page_of(decided)}packets/1/")
    assert page.status_code == 409
    assert "is missing from the artifact storage" in words(page)
    problem = enter(cast.auditor).get(f"/api/v1/requests/{decided.ref}/packets/pdf/")
    assert (problem.status_code, problem.json()["code"]) == (409, "file_damaged")
    assert "is missing from the artifact storage" in problem.json()["detail"]


def test_a_swapped_pdf_is_never_sent(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    drawn(decided, now)
    packet = decided.packets.get()
    path = Path(storages["artifacts"].path(packet.stored_as))
    path.write_bytes(b"%PDF-1.7 another decision".ljust(path.stat().st_size))
    for address in (f"{page_of(decided)}packets/1/", f"/api/v1/requests/{decided.ref}/packets/pdf/"):
        answer = enter(cast.auditor).get(address)
        assert answer.status_code == 409
        assert b"another decision" not in answer.content
    finding = Finding.objects.get(kind="artifact.damaged")
    assert (finding.subject, finding.owner) == (packet.pdf_digest, cast.admin)


def test_a_changed_document_is_neither_sent_nor_printed(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    packet = decided.packets.get()
    Packet.objects.update(document=packet.document | {"forged": True})
    for address in (f"{page_of(decided)}packets/1/document/", f"/api/v1/requests/{decided.ref}/packets/"):
        assert enter(cast.auditor).get(address).status_code == 409
    render_packet(packet.pk)
    packet.refresh_from_db()
    assert (packet.state, packet.stored_as) == ("failed", "")
    assert "was changed after it was frozen" in packet.error
    assert Finding.objects.get(kind="artifact.damaged").subject == str(packet)


def test_the_document_of_a_packet_has_the_digest_it_prints(decided: ReviewRequest, cast: Cast) -> None:
    response = enter(cast.auditor).get(f"{page_of(decided)}packets/1/document/")
    assert (
        digest_of(json.loads(response.content)) == decided.packets.get().document_digest == response["X-Content-Digest"]
    )


def test_a_packet_is_watched_while_it_is_drawn(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    client = enter(cast.author)
    assert 'hx-trigger="every 3s"' in html_of(client.get(f"{page_of(decided)}packets/"))
    drawn(decided, now)
    page = client.get(f"{page_of(decided)}packets/")
    assert "hx-trigger" not in html_of(page)
    assert "3 pages" in words(page)


def test_a_failed_drawing_says_why_and_is_retried(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    drawn(decided, now, pdf=None)
    assert "The packet could not be printed. Pango is missing." in words(
        enter(cast.author).get(page_of(decided, "history"))
    )
    assert post(cast.reviewer_one, decided, "packets/1/retry").status_code == 403
    assert said(post(cast.author, decided, "packets/1/retry")) == ["Packet 1 is being printed again."]
    assert decided.packets.get().state == JobState.QUEUED
    assert post(cast.author, decided, "packets/1/retry").status_code == 409
    assert post(cast.author, decided, "packets/9/retry").status_code == 404


def test_a_new_packet_on_request(submitted: ReviewRequest, cast: Cast) -> None:
    assert said(post(cast.author, submitted, "packets")) == ["Packet 1 is frozen and is being printed."]
    assert submitted.packets.count() == 1
    events = AuditEvent.objects.count()
    page = post(cast.auditor, submitted, "packets")
    assert (page.status_code, submitted.packets.count(), AuditEvent.objects.count()) == (403, 1, events)


def test_drafts_have_no_packet(draft: ReviewRequest, author: User) -> None:
    page = post(author, draft, "packets")
    assert "A packet can be frozen once the request is submitted." in words(page)
    assert draft.packets.count() == 0


def test_the_signed_statement_is_downloaded(decided: ReviewRequest, cast: Cast) -> None:
    response = enter(cast.auditor).get(f"{page_of(decided)}authorization/statement/")
    held = decided.decision.authorization
    assert json.loads(response.content) == held.envelope
    assert response["Content-Disposition"] == f'attachment; filename="{held.number}.dsse.json"'
    assert response["X-Content-Digest"] == held.statement_digest


def test_what_is_not_approved_has_no_statement(draft: ReviewRequest, author: User) -> None:
    page = enter(author).get(f"{page_of(draft)}authorization/statement/")
    assert page.status_code == 404
    assert f"{draft.ref} has no authorization." in words(page)


def test_revoking_is_for_platform_leads_with_a_reason(decided: ReviewRequest, cast: Cast) -> None:
    held = decided.decision.authorization
    assert post(cast.admin, decided, "authorization/revoke", reason="Breach.").status_code == 403
    assert post(cast.approver, decided, "authorization/revoke", reason="").status_code == 400
    held.refresh_from_db()
    assert held.state == "active"
    page = post(cast.approver, decided, "authorization/revoke", reason="Breach.")
    assert said(page) == [f"{held.number} is revoked; the gate denies this artifact from now on."]
    held.refresh_from_db()
    assert held.state == "revoked"
    assert f"{held.number} is revoked; the gate does not let this artifact run in prod with it." in words(page)
    assert "lets this artifact run" not in words(page)


def test_a_condition_is_confirmed_by_somebody_without_a_stake(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    promise = NewCondition(text="Publish the bill.", owner=cast.author, due_on=now.date() + timedelta(days=7))
    review.vote(
        request=request,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=(promise,),
        by=cast.approver,
        now=now,
    )
    condition = Condition.objects.get()
    step = f"conditions/{condition.pk}"
    assert "Confirm that it is met" not in words(enter(cast.author).get(page_of(request)))
    assert post(cast.author, request, step).status_code == 403
    condition.refresh_from_db()
    assert condition.met_at is None
    assert "Confirm that it is met" in words(enter(cast.reviewer_one).get(page_of(request)))
    assert said(post(cast.reviewer_one, request, step)) == ["The condition is met."]
    condition.refresh_from_db()
    assert condition.met_by == cast.reviewer_one
    assert post(cast.reviewer_one, request, step).status_code == 409
    assert post(cast.reviewer_one, request, "conditions/999999").status_code == 404


def test_a_soft_rule_is_waived_by_a_lead(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    declared = {name: value for name, value in walks.DECLARED.items() if name != "business_kpi_delta"}
    request = walks.make_submitted(by=cast.author, now=now, declared=declared)
    leave = {"rule": "business-gain-prod", "reason": "It saves energy, not money.", "valid_days": "30"}
    assert post(cast.author, request, "waivers", **leave).status_code == 403
    hard = post(cast.approver, request, "waivers", **(leave | {"rule": "training-gpu-hours"}))
    assert hard.context["forms"]["waive"].errors == {
        "rule": ["The rule training-gpu-hours is hard: it must be met and cannot be waived."]
    }
    assert Waiver.objects.count() == 0
    page = post(cast.approver, request, "waivers", **leave)
    assert said(page) == ["“Business KPI delta above 0” is waived for 30 days, and the policy was evaluated again."]
    assert Waiver.objects.get().granted_by == cast.approver
    assert (
        post(cast.approver, walks.make_draft(by=cast.author, now=now, purpose="Else"), "waivers", **leave).status_code
        == 409
    )


def test_who_rejected_an_artifact_and_what_changes_it_is_a_click_away(policy, cast: Cast, now: datetime) -> None:
    rejected = walks.make_in_review(cast=cast, now=now)
    post(cast.reviewer_one, rejected, "votes", stage="technical", choice="reject", rationale="It misses its purpose.")
    version = rejected.model_version
    page = html_of(enter(cast.author).get(page_of(rejected)))
    address = f"/requests/new/?version={version.pk}"
    assert f'href="{address}"' in page
    assert f'href="{address}"' not in html_of(enter(cast.reviewer_two).get(page_of(rejected))), "they cannot file"
    assert f'<option value="{version.pk}" selected' in html_of(enter(cast.author).get(address))
    again = walks.make_submitted(by=cast.author, now=now, version=version, purpose="Again")
    page = html_of(enter(cast.reviewer_one).get(page_of(again)))
    assert "An approval of this request ends these denials" in page
    assert f'href="{page_of(rejected)}"' in page
    assert "/requests/new/?version" not in page


def test_a_refused_lift_stands_beside_its_own_condition(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    due_on = now.date() + timedelta(days=7)
    promises = tuple(NewCondition(text=text, owner=cast.author, due_on=due_on) for text in ("Bill it.", "Test it."))
    last = {"stage_id": "gpu-budget", "choice": VoteChoice.APPROVE, "by": cast.approver, "now": now}
    review.vote(request=request, conditions=promises, **last)
    first, second = Condition.objects.order_by("pk")
    page = post(cast.approver, request, f"conditions/{second.pk}/lift", reason="no")
    assert page.status_code == 400
    assert {row.id: bool(form.errors) for row, form in page.context["conditions"]} == {first.pk: False, second.pk: True}
    assert f'id="lift-{first.pk}-reason"' in html_of(page)
    assert Condition.objects.filter(lifted_at=None).count() == 2
    assert post(cast.auditor, request, f"conditions/{second.pk}/lift", reason="").status_code == 403
