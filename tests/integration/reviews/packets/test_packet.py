"""A packet says what the database holds, at every stop of a request, and prints."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string

from benchmarking.runs.models import Run
from governance.audit.domain import checkpoint
from governance.audit.models import AuditEvent, Checkpoint
from governance.audit.queries import checkpoints
from governance.audit.queries.keys import public_key
from reviews.authorizations.models import Authorization, Condition
from reviews.packets.domain.packet import Approver, ConditionPart, PacketDocument, StageRow, TicketPart, read_packet
from reviews.packets.domain.packet_evidence import Claim, CostRow, MeasurementPart, RunRow
from reviews.packets.queries.packet import packet_page
from reviews.packets.queries.packet_parts import condition_row
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Revision
from tests.factories.tickets import a_site
from tests.integration.reviews.packets.budget_rows import gpu_row, later_rows, usd_row
from tests.integration.reviews.packets.packet_journey import ARTIFACT, MANIFEST, Journey, packet, result
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.metrics.basis import Basis

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey(tmp_path: Path, settings: Any) -> Journey:
    return Journey(tmp_path, settings)


def row(said: PacketDocument, name: str) -> Any:
    return next(each for each in said.comparisons if each.name == name)


def test_a_draft_has_no_answers_yet(journey: Journey) -> None:
    said = packet(journey, journey.filed())

    assert (said.cover.ref, said.cover.state, said.cover.outcome) == ("MRR-2026-0001", "draft", "")
    assert (said.cover.bundle_digest, said.cover.submitted_at, said.cover.approvers) == ("", None, ())
    assert (said.policy_evaluation, said.ticket, said.authorization) == (None, None, None)
    assert (said.comparisons, said.costs, said.checklist, said.checklist_title) == ((), (), (), "")
    assert (said.stages, said.votes, said.conditions, said.budget, said.runs) == ((), (), (), (), ())
    assert (said.business_case, said.business_metric) == ("Frees one of two people.", "")
    assert said.audit is not None
    assert [each.action for each in said.audit.rows] == ["request.created"]


def test_the_cover_names_model_people_and_decision(journey: Journey) -> None:
    request = journey.approved()
    cover = packet(journey, request).cover

    assert (cover.title, cover.team, cover.requester) == ("Fashion classifier", "Retail vision", "Rita Requester")
    assert cover.owner == "otto", "who gave no full name goes by the user name"
    assert (cover.model_name, cover.model_version, cover.artifact_digest) == ("fashion-classifier", "1.4.0", ARTIFACT)
    assert (cover.artifact_format, cover.artifact_size_bytes) == ("onnx", None)
    assert (cover.purpose, cover.environment, cover.state) == ("Sort returned garments", "prod", "decided")
    assert cover.revision == 1
    assert cover.bundle_digest == Revision.objects.get(request=request).digest
    assert (cover.outcome, cover.decided_at, cover.rationale) == ("approved", journey.now, "Within the quarter.")
    hour = timedelta(hours=1)
    assert cover.approvers == (
        Approver(name="Anne Reviewer", stage="Technical review", approved_at=journey.now - 2 * hour),
        Approver(name="Bert Reviewer", stage="Technical review", approved_at=journey.now - hour),
        Approver(name="Lea Lead", stage="GPU budget", approved_at=journey.now),
    )


def test_a_claim_stands_beside_its_measurement_with_limit_and_answer(journey: Journey) -> None:
    said = packet(journey, journey.in_evidence())
    run = Run.objects.get()

    p95 = row(said, "latency_p95_ms")
    assert p95.claimed == Claim(value=Decimal(35), basis="declared", source="request form")
    assert p95.measured == MeasurementPart(
        value=Decimal("41.8317"),
        lower=Decimal("40.1027"),
        upper=Decimal("43.9088"),
        confidence=Decimal("0.99"),
        n=3000,
        source=f"run {run.pk}, SingleStream",
        verdict="valid",
    )
    assert (p95.limit, p95.is_contradicted, p95.answer) == (Decimal(100), True, "The claim came from a GPU.")
    assert p95.answered_by == "Rita Requester"
    assert "worse than claimed" in p95.contradiction
    assert row(said, "model_size_mb").measured == MeasurementPart(
        value=Decimal("4.213884"), n=1, source=f"run {run.pk}, SingleStream", verdict="valid"
    )
    assert row(said, "training_gpu_hours").measured is None
    assert [each.name for each in said.contradicted] == ["latency_p95_ms"]
    assert said.business_metric == "+2.5 % relative change (declared: request form)"


def test_numbers_are_frozen_without_padding_or_exponent(journey: Journey) -> None:
    rows = {each["name"]: each for each in to_document(packet(journey, journey.in_evidence()))["comparisons"]}
    assert (rows["training_gpu_hours"]["claimed"]["value"], rows["training_gpu_hours"]["limit"]) == ("320", "200")
    assert (rows["total_cost_1y_usd"]["claimed"]["value"], rows["total_cost_1y_usd"]["limit"]) == ("21340", "50000")
    assert (rows["throughput_per_s"]["measured"]["lower"], rows["throughput_per_s"]["limit"]) == ("32.5", None)


def test_the_latest_claim_counts_whatever_its_basis(journey: Journey) -> None:
    request = journey.filed()
    journey.state(request, "training_gpu_hours", "90", Basis.ESTIMATED)
    journey.state(request, "training_gpu_hours", "320", Basis.DECLARED)
    assert row(packet(journey, request), "training_gpu_hours").claimed == Claim(value=Decimal(320), basis="declared")


def test_a_limit_without_a_metric_value_is_shown_and_one_of_another_environment_is_not(journey: Journey) -> None:
    in_prod = journey.submitted(journey.filed(purpose="prod"))
    in_dev = journey.submitted(journey.filed(purpose="dev", environment="dev"))

    shown = row(packet(journey, in_prod), "accuracy")
    assert (shown.limit, shown.claimed, shown.measured) == (Decimal("0.8"), None, None)
    assert [each.name for each in packet(journey, in_dev).comparisons] == [
        "training_gpu_hours",
        "training_cost_usd",
        "total_cost_1y_usd",
    ]


def test_a_loss_is_said_with_its_sign(journey: Journey) -> None:
    request = journey.filed()
    journey.state(request, "business_kpi_delta", "-0.1", Basis.DECLARED)
    assert packet(journey, request).business_metric == "-10 % relative change (declared)"


def test_costs_show_a_range_as_p10_to_p90_only_where_it_is_one(journey: Journey) -> None:
    request = journey.filed()
    bounds = {"lower": Decimal(1610), "upper": Decimal(2290)}
    journey.state(
        request, "training_cost_usd", "1840", Basis.ESTIMATED, confidence=Decimal("0.8"), source="offer", **bounds
    )
    journey.state(request, "inference_cost_1y_usd", "2000", Basis.ESTIMATED, confidence=Decimal("0.95"), **bounds)
    journey.state(request, "total_cost_1y_usd", "3900", Basis.DECLARED, source="sheet")

    assert packet(journey, request).costs == (
        CostRow(
            label="Training, once",
            value_usd=Decimal(1840),
            lower_usd=Decimal(1610),
            upper_usd=Decimal(2290),
            basis="estimated",
            source="offer",
        ),
        CostRow(
            label="Serving, one year",
            value_usd=Decimal(2000),
            basis="estimated",
            source="range 1,610.00 to 2,290.00 at 95 %",
        ),
        CostRow(
            label="Total, one year",
            value_usd=Decimal(3900),
            basis="declared",
            source="sheet",
            is_total=True,
        ),
    )


def test_every_rule_is_answered_and_the_latest_policy_evaluation_counts(journey: Journey) -> None:
    request = journey.approved()
    part = packet(journey, request).policy_evaluation

    assert part is not None
    assert (part.outcome, part.occasion, part.evaluated_at) == ("review_required", "decision", journey.now)
    assert (part.policy_name, part.policy_version) == ("default", 1)
    assert part.policy_digest == request.policy.digest
    assert [(rule.rule_id, rule.status) for rule in part.rules] == [
        ("training-gpu-hours", "fired"),
        ("training-cost", "passed"),
        ("total-cost-1y", "passed"),
        ("latency-p95-prod", "passed"),
        ("latency-p95-prod-elsewhere", "not_applicable"),
        ("accuracy-floor-prod", "passed"),
        ("business-gain-prod", "passed"),
    ]
    p95 = part.rules[3]
    assert (p95.observed, p95.unit, p95.basis, p95.n, p95.effect) == (Decimal("43.9088"), "ms", "measured", 3000, "")
    assert (part.rules[0].effect, part.rules[0].level) == ("require_review", "hard")


def test_a_rule_without_evidence_has_no_number(journey: Journey) -> None:
    part = packet(journey, journey.submitted(journey.filed())).policy_evaluation
    assert part is not None
    p95 = part.rules[3]
    assert (p95.status, p95.observed, p95.unit, p95.basis, p95.n) == ("indeterminate", None, "", "", None)


def test_the_checklist_shows_metric_values_texts_files_and_names(journey: Journey) -> None:
    said = packet(journey, journey.in_evidence())
    rows = {each.item_id: each for each in said.checklist}

    assert said.checklist_title == "Standard model review, version 1"
    assert all(each.is_complete for each in said.checklist)
    assert (
        rows["cost-training"].answer
        == "Training cost 1,840.00 USD (estimated); Training GPU hours 320 GPU h (declared)"
    )
    assert (rows["cost-training"].answered_by, rows["cost-training"].answered_at) == ("", None)
    assert rows["cheaper-alternatives"].answer.startswith("cheaper-alternatives: forty")
    assert rows["cheaper-alternatives"].answered_by == "Rita Requester"
    assert rows["cheaper-alternatives"].answered_at is not None
    assert (rows["rollback-rehearsed"].answer, rows["rollback-rehearsed"].answered_by) == ("Attested.", "otto")
    assert re.fullmatch(r"sheet\.txt \(sha256:[0-9a-f]{64}\)", rows["data-sheet"].answer)
    assert (rows["data-sheet"].kind, rows["data-sheet"].is_required) == ("file", False)


def test_an_open_item_says_why(journey: Journey) -> None:
    rows = {each.item_id: each for each in packet(journey, journey.submitted(journey.filed())).checklist}
    open_item = rows["owner-and-rollback"]
    assert (open_item.is_complete, open_item.answer, open_item.answered_by) == (False, "", "")
    assert open_item.reason == "This item has no answer yet."


def test_votes_of_an_earlier_revision_are_void(journey: Journey) -> None:
    request = journey.in_review()
    request = journey.voted(request, journey.anne, VoteChoice.REQUEST_CHANGES, words="Claim and measurement disagree.")
    request = journey.asked(journey.revised(request))
    request = journey.voted(request, journey.anne)
    said = packet(journey, request)

    assert [(vote.person, vote.choice, vote.revision, vote.is_void) for vote in said.votes] == [
        ("Anne Reviewer", "request_changes", 1, True),
        ("Anne Reviewer", "approve", 2, False),
    ]
    assert said.votes[0].rationale == "Claim and measurement disagree."
    assert said.stages == (
        StageRow(title="Technical review", role="reviewer", quorum=2, approvals=1, is_complete=False),
        StageRow(title="GPU budget", role="platform_lead", quorum=1, approvals=0, is_complete=False),
    )
    assert [each.name for each in said.cover.approvers] == ["Anne Reviewer"]
    assert said.cover.bundle_digest == Revision.objects.get(request=request, number=2).digest


def test_an_approval_brings_its_conditions_and_its_authorization(journey: Journey) -> None:
    request = journey.approved(is_conditional=True)
    said = packet(journey, request)
    held = Authorization.objects.get()

    assert said.cover.outcome == "approved_with_conditions"
    assert said.conditions == (
        ConditionPart(
            text="Measure the student.", owner="otto", due_on=datetime(2026, 9, 30, tzinfo=UTC).date(), ended=""
        ),
    )
    assert said.authorization is not None
    assert (said.authorization.number, said.authorization.state) == (held.number, "active")
    assert (said.authorization.environment, said.authorization.issued_at) == ("prod", journey.now)
    assert said.authorization.expires_at == journey.now + timedelta(days=365)
    assert said.authorization.statement_digest == held.statement_digest


def test_a_condition_says_how_it_ended(journey: Journey) -> None:
    journey.approved(is_conditional=True)
    row = Condition.objects.get()
    assert condition_row(row).is_open
    row.lifted_at = journey.now
    assert (condition_row(row).ended, condition_row(row).is_open) == ("lifted", False)
    row.lifted_at, row.carried_to_id = None, row.pk
    assert condition_row(row).ended == "carried over"


def test_a_rejection_rests_on_nobody_and_spends_nothing(journey: Journey) -> None:
    request = journey.voted(journey.in_review(), journey.anne)
    request = journey.voted(request, journey.bert, VoteChoice.REJECT, words="Too slow for the desk.")
    said = packet(journey, request)

    assert (said.cover.outcome, said.cover.rationale, said.cover.approvers) == (
        "rejected",
        "Too slow for the desk.",
        (),
    )
    assert [vote.choice for vote in said.votes] == ["approve", "reject"]
    assert (said.budget, said.conditions, said.authorization) == ((), (), None)


def test_a_cleared_request_has_neither_stages_nor_budget_nor_ticket(journey: Journey) -> None:
    request = journey.filed(environment="dev")
    for name in ("training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd"):
        journey.state(request, name, "5", Basis.DECLARED)
    said = packet(journey, journey.submitted(request))
    assert (said.cover.state, said.stages, said.budget, said.ticket) == ("cleared", (), (), None)
    assert said.policy_evaluation is not None
    assert said.policy_evaluation.outcome == "cleared"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, TicketPart(key="", url="", state="it waits to be delivered")),
        ({"state": "uncertain"}, TicketPart(key="", url="", state="not confirmed by the tracker")),
        (
            {"state": "linked", "key": "MR-1", "remote_id": "1", "url": "https://jira.test/MR-1"},
            TicketPart(key="MR-1", url="https://jira.test/MR-1", state="linked"),
        ),
        (
            {"state": "linked", "key": "MR-1", "remote_id": "1", "url": "https://jira.test/MR-1", "status": "Done"},
            TicketPart(key="MR-1", url="https://jira.test/MR-1", state="Done"),
        ),
    ],
)
def test_the_ticket_says_where_it_stands(journey: Journey, fields: dict[str, str], expected: TicketPart) -> None:
    request = journey.submitted(journey.filed())
    a_site(journey.now)
    Ticket.objects.filter(request=request).update(**fields)
    assert packet(journey, request).ticket == expected


def test_runs_say_verdict_reasons_and_where_they_ran(journey: Journey) -> None:
    request = journey.submitted(journey.filed())
    good = journey.measured(request, result())
    bad = journey.measured(
        request, result(verdict="invalid", reasons=("The machine was busy.",), manifest={"digest": "d"})
    )
    waiting = journey.queued(request)
    Run.objects.filter(pk=waiting.pk).update(state="failed", error="The model crashed.")
    queued = journey.queued(request)

    assert packet(journey, request).runs == (
        RunRow(
            run_id=str(good.pk),
            scenario="SingleStream",
            verdict="valid",
            manifest_digest=str(MANIFEST["digest"]),
            isolation="child process, 2,048 MB, 600 s",
            machine="2 cores, Xeon 8481C, onnxruntime 1.22.0",
            finished_at=good.finished_at,
        ),
        RunRow(
            run_id=str(bad.pk),
            scenario="SingleStream",
            verdict="invalid",
            reasons=("The machine was busy.",),
            manifest_digest="d",
            isolation="isolation not recorded",
            finished_at=bad.finished_at,
        ),
        RunRow(
            run_id=str(waiting.pk),
            scenario="SingleStream",
            verdict="failed",
            reasons=("The model crashed.",),
            manifest_digest="",
            isolation="nothing recorded",
        ),
        RunRow(
            run_id=str(queued.pk),
            scenario="SingleStream",
            verdict="queued",
            manifest_digest="",
            isolation="nothing recorded",
        ),
    )


def test_a_frozen_packet_carries_the_signed_head_of_the_trail(journey: Journey) -> None:
    request = journey.approved()
    frozen = read_packet(request.packets.get().document).audit
    row = Checkpoint.objects.get()
    assert frozen is not None
    assert frozen.checkpoint is not None
    assert (frozen.checkpoint.count, frozen.checkpoint.head) == (row.count, row.head)
    assert (frozen.chain_length, frozen.chain_head) == (row.count, row.head), "nothing happened in between"
    signed = checkpoint.read(frozen.checkpoint.text)
    checkpoint.verify(signed, public_key_pem=public_key())
    assert AuditEvent.objects.get(position=row.count).kind == "audit.checkpointed"
    assert checkpoints.contradictions(public_keys=[public_key()]) == []


def test_the_trail_holds_everything_about_the_request_and_nothing_else(journey: Journey) -> None:
    journey.filed(purpose="Something else")
    request = journey.approved()
    part = packet(journey, request).audit
    head = AuditEvent.objects.order_by("-position").first()

    assert part is not None
    assert head is not None
    assert (part.chain_head, part.chain_length) == (head.hash, head.position)
    assert [each.number for each in part.rows] == sorted(each.number for each in part.rows)
    actions = [each.action for each in part.rows]
    assert actions.count("request.created") == 1
    assert actions.count("vote.cast") == 3
    assert {"run.done", "evidence.measured", "budget.reserve", "budget.commit", "authorization.issued"} <= set(actions)
    assert not {"budget.allocate", "model.registered", "policy.published"} & set(actions)
    vote = next(each for each in reversed(part.rows) if each.action == "vote.cast")
    assert (vote.actor, vote.note, vote.happened_at) == ("Lea Lead", "Within the quarter.", journey.now)
    silent_vote = next(each for each in part.rows if each.action == "vote.cast")
    assert silent_vote.note == "stage technical; choice approve; revision 1"


def test_a_note_cuts_digests_and_long_texts_short(journey: Journey) -> None:
    request = journey.filed(purpose="p" * 100)
    part = packet(journey, request).audit
    assert part is not None
    assert set(part.rows[0].note.split("; ")) == {
        "title Fashion classifier",
        f"purpose {'p' * 80}…",
        "environment prod",
        "business case Frees one of two people.",
        f"model {ARTIFACT[:19]}…",
        f"dataset {journey.data.digest[:19]}…",
    }


def test_a_note_says_names_numbers_and_times_in_words(journey: Journey) -> None:
    part = packet(journey, journey.approved()).audit
    assert part is not None
    notes = {row.action: row.note for row in part.rows}
    assert notes["request.screening"] == "from draft to screening; revision 1"
    assert "outcome review required" in notes["request.policy_evaluated"]
    assert re.search(r"expires at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", notes["authorization.issued"])
    text = " ".join(notes.values())
    assert re.findall(r"\b[a-z]+_[a-z_]+\b|\d\.\d*0\b|\dT\d|\bTrue\b", text) == []


def test_a_note_leaves_out_what_did_not_happen(journey: Journey) -> None:
    part = packet(journey, journey.in_evidence()).audit
    assert part is not None
    notes = [each.note for each in part.rows if each.action == "checklist.answered"]
    assert ["is attested" in note for note in notes] == [False, False, True, False]
    assert "is attested yes" in notes[2]


def test_without_any_event_there_is_no_trail(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    request = journey.filed()
    monkeypatch.setattr(AuditEvent, "objects", AuditEvent.objects.none())
    assert packet(journey, request).audit is None


def test_the_decision_freezes_a_packet_that_says_approved(journey: Journey) -> None:
    request = journey.approved()
    frozen = request.packets.get()
    said = read_packet(frozen.document)

    assert frozen.document_digest == digest_of(to_document(said))
    assert (said.cover.outcome, said.generated_at, said.generator) == ("approved", journey.now, "Weighbridge 0.2.0")
    assert said.budget == (usd_row(), gpu_row(), *later_rows())
    assert said.authorization is not None


def test_a_frozen_packet_reads_the_same_after_the_database_changed(journey: Journey) -> None:
    frozen = journey.approved().packets.get()
    before = packet_page(frozen)
    ReviewRequest.objects.update(title="Another title")
    after = packet_page(type(frozen).objects.get(pk=frozen.pk))
    assert after == before
    assert after.context["packet"].cover.title == "Fashion classifier"


def test_the_page_has_every_asset_it_names(journey: Journey) -> None:
    frozen = journey.approved(is_conditional=True).packets.get()
    page = packet_page(frozen)
    html = render_to_string("reviews/packets/review.html", page.context)

    assert set(re.findall(r"asset:([^\"]+)", html)) == set(page.assets)
    assert {"tokens.css", "packet.css", "latency.svg", "costs.svg"} <= set(page.assets)
    assert b"--ink-strong" in page.assets["tokens.css"]
    assert b"@page" in page.assets["packet.css"]
    assert frozen.document_digest in html
