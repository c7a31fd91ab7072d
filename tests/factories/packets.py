"""Plain builders of packets: one decided request with every part filled, and changes by keyword."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from governance.audit.domain import checkpoint
from reviews.packets.domain.packet import (
    Approver,
    AuthorizationPart,
    BudgetRow,
    ChecklistRow,
    ConditionPart,
    Cover,
    PacketDocument,
    StageRow,
    TicketPart,
    VoteRow,
)
from reviews.packets.domain.packet_evidence import (
    Claim,
    ClaimComparison,
    CostRow,
    MeasurementPart,
    PolicyEvaluationPart,
    RuleLine,
    RunRow,
)
from reviews.packets.domain.packet_trail import AuditPart, AuditRow, CheckpointPart
from tests.factories.packet_discussions import sample_discussion
from tests.factories.studies import sample_studies

FILED_AT = datetime(2026, 7, 6, 9, 30, tzinfo=UTC)
DECIDED_AT = datetime(2026, 7, 9, 15, 42, tzinfo=UTC)


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def sample_cover(**changes: Any) -> Cover:
    metric_values: dict[str, Any] = {
        "ref": "MRR-2026-0042",
        "title": "Fashion classifier for the returns desk",
        "team": "Retail vision",
        "requester": "Rita Requester",
        "owner": "Otto Owner",
        "model_name": "fashion-classifier",
        "model_version": "1.4.0",
        "artifact_digest": digest("a"),
        "artifact_format": "onnx",
        "artifact_size_bytes": 4_213_884,
        "purpose": "Sort returned garments into ten classes at the returns desk",
        "environment": "prod",
        "state": "decided",
        "revision": 2,
        "bundle_digest": digest("b"),
        "submitted_at": FILED_AT,
        "outcome": "approved_with_conditions",
        "decided_at": DECIDED_AT,
        "rationale": "Fast enough with room to spare; the cost claim was corrected after measuring.",
        "approvers": (
            Approver(name="Anne Reviewer", stage="Technical review", approved_at=DECIDED_AT - timedelta(hours=5)),
            Approver(name="Bert Reviewer", stage="Technical review", approved_at=DECIDED_AT - timedelta(hours=2)),
            Approver(name="Lea Lead", stage="GPU budget", approved_at=DECIDED_AT),
        ),
    }
    return Cover(**(metric_values | changes))


def sample_rules() -> tuple[RuleLine, ...]:
    return (
        RuleLine(
            rule_id="gpu-hours",
            metric="training_gpu_hours",
            status="fired",
            level="hard",
            effect="require_review",
            condition="Training GPU hours (value) at most 200 GPU h",
            observed=Decimal(320),
            unit="gpu_h",
            basis="declared",
            reason="320 gpu_h declared is above the limit of 200 gpu_h.",
            message="Trainings above 200 GPU hours are reviewed.",
        ),
        RuleLine(
            rule_id="training-cost",
            metric="training_cost_usd",
            status="passed",
            level="hard",
            effect="",
            condition="training_cost_usd (value) at most 10000 USD",
            observed=Decimal("1840.00"),
            unit="USD",
            basis="estimated",
            reason="1840 USD estimated is within the limit of 10000 USD.",
        ),
        RuleLine(
            rule_id="p95-prod",
            metric="latency_p95_ms",
            status="passed",
            level="hard",
            effect="",
            condition="Latency p95 (upper) at most 100 ms, measured, n at least 2000",
            observed=Decimal("43.91"),
            unit="ms",
            basis="measured",
            n=3000,
            reason="The upper bound of 43.91 ms, measured on 3,000 samples, is within the limit of 100 ms.",
        ),
        RuleLine(
            rule_id="error-rate",
            metric="error_rate",
            status="indeterminate",
            level="soft",
            effect="require_review",
            condition="Error rate (upper) at most 0.01, measured",
            reason="No metric value of an accepted basis (measured, billed) exists, and what is unknown never passes.",
            message="Measure the error rate under load before production.",
        ),
        RuleLine(
            rule_id="staging-only",
            metric="peak_memory_mb",
            status="not_applicable",
            level="soft",
            effect="",
            condition="peak_memory_mb (value) at most 2000 MB, in staging",
            reason="The rule is for staging; this request is for prod.",
        ),
        RuleLine(
            rule_id="f1-floor",
            metric="f1_macro",
            status="waived",
            level="soft",
            effect="",
            condition="F1 macro (lower) at least 0.90, measured",
            observed=Decimal("0.8912"),
            unit="ratio",
            basis="measured",
            n=10000,
            reason="Waived until 2026-09-30: two classes are merged at the desk anyway.",
        ),
    )


def _measured(value: str, lower: str | None, upper: str | None, n: int | None) -> MeasurementPart:
    return MeasurementPart(
        value=Decimal(value),
        lower=Decimal(lower) if lower else None,
        upper=Decimal(upper) if upper else None,
        confidence=Decimal("0.95") if lower or upper else None,
        n=n,
        source="run 17",
        verdict="valid",
    )


def sample_comparisons() -> tuple[ClaimComparison, ...]:
    lower, higher = "lower is better", "higher is better"
    return (
        ClaimComparison(
            name="latency_p50_ms",
            unit="ms",
            direction=lower,
            claimed=Claim(value=Decimal(30), basis="declared", source="request form"),
            measured=_measured("28.4112", "28.1003", "28.7321", 3000),
        ),
        ClaimComparison(
            name="latency_p95_ms",
            unit="ms",
            direction=lower,
            claimed=Claim(value=Decimal(35), basis="declared", source="request form"),
            measured=_measured("41.8317", "40.1027", "43.9088", 3000),
            limit=Decimal(100),
            is_contradicted=True,
            contradiction=(
                "Latency p95 was declared as 35 ms, but is measured as 41.8317 ms (40.1027 to 43.9088): "
                "worse than claimed. Correct the claim or explain the difference."
            ),
            answer="The claim came from a GPU; the returns desk runs on CPU. 42 ms is well inside what the desk needs.",
            answered_by="Rita Requester",
        ),
        ClaimComparison(
            name="latency_p99_ms",
            unit="ms",
            direction=lower,
            measured=_measured("58.9034", "52.2001", "71.4405", 3000),
        ),
        ClaimComparison(
            name="throughput_per_s",
            unit="1/s",
            direction=higher,
            claimed=Claim(value=Decimal(30), basis="declared", source="request form"),
            measured=_measured("33.1482", "32.5", "33.8", 3000),
        ),
        ClaimComparison(
            name="accuracy",
            unit="ratio",
            direction=higher,
            claimed=Claim(value=Decimal("0.90"), basis="declared", source="training log"),
            measured=_measured("0.9041", "0.8982", "0.9097", 10000),
            limit=Decimal("0.80"),
        ),
        ClaimComparison(
            name="f1_macro", unit="ratio", direction=higher, measured=_measured("0.8998", "0.8912", "0.9061", 10000)
        ),
        ClaimComparison(
            name="model_size_mb", unit="MB", direction=lower, measured=_measured("4.213884", None, None, None)
        ),
        ClaimComparison(
            name="peak_memory_mb", unit="MB", direction=lower, measured=_measured("183.4", None, "190.2", 3)
        ),
        ClaimComparison(
            name="training_gpu_hours",
            unit="gpu_h",
            direction=lower,
            claimed=Claim(value=Decimal(320), basis="declared", source="request form"),
            limit=Decimal(200),
        ),
        ClaimComparison(
            name="total_cost_1y_usd",
            unit="USD",
            direction=lower,
            claimed=Claim(value=Decimal(21340), basis="estimated", source="price book 2026-06"),
            limit=Decimal(50000),
        ),
        ClaimComparison(name="business_kpi_delta", unit="ratio", direction=higher),
    )


def sample_costs() -> tuple[CostRow, ...]:
    return (
        CostRow(
            label="Training, once",
            value_usd=Decimal("1840.00"),
            lower_usd=Decimal("1610.00"),
            upper_usd=Decimal("2290.00"),
            basis="estimated",
            source="320 GPU h at 5.75 USD, failed attempts included",
        ),
        CostRow(
            label="Serving, one year",
            value_usd=Decimal("19500.00"),
            lower_usd=Decimal("15120.00"),
            upper_usd=Decimal("26400.00"),
            basis="estimated",
            source="4 million inferences a month, price book 2026-06",
        ),
        CostRow(
            label="Total, one year",
            value_usd=Decimal("21340.00"),
            lower_usd=Decimal("16900.00"),
            upper_usd=Decimal("28400.00"),
            basis="estimated",
            source="sum of the above",
            is_total=True,
        ),
    )


def sample_checklist() -> tuple[ChecklistRow, ...]:
    titles = (
        (
            "business-metric",
            "The business metric it must move",
            "text",
            "Share of returns sorted without a second look.",
        ),
        ("latency", "Latency measured", "metric", "latency_p95_ms 41.83 ms measured"),
        ("throughput", "Throughput measured", "metric", "throughput_per_s 33.15 per s measured"),
        ("training-cost", "Training cost", "cost", "training_cost_usd 1,840.00 USD estimated"),
        ("serving-cost", "Cost of one year of inference", "cost", "inference_cost_1y_usd 19,500.00 USD estimated"),
        (
            "alternatives",
            "Cheaper alternatives considered",
            "text",
            (
                "INT8 quantized: 1.1 MB, p95 19 ms, accuracy 0.889. Rejected: loses one point where shirts meet coats, "
                "which is where the desk loses money. Distilled student: to be measured by September (condition 1)."
            ),
        ),
        ("rollback", "Owner and rollback", "attestation", "Attested: version 1.3.2 stays deployed behind a switch."),
    )
    rows = [
        ChecklistRow(
            item_id=item_id,
            title=title,
            kind=kind,
            is_required=True,
            is_complete=True,
            reason="Answered.",
            answer=answer,
            answered_by="Rita Requester",
            answered_at=FILED_AT + timedelta(hours=4),
        )
        for item_id, title, kind, answer in titles
    ]
    data_sheet = ChecklistRow(
        item_id="data-sheet",
        title="Data sheet",
        kind="file",
        is_required=False,
        is_complete=False,
        reason="No file was given; the item is optional.",
    )
    return (*rows, data_sheet)


def sample_votes() -> tuple[VoteRow, ...]:
    return (
        VoteRow(
            stage="Technical review",
            person="Anne Reviewer",
            choice="request_changes",
            revision=1,
            rationale="The p95 claim and the measurement disagree; say which holds.",
            cast_at=DECIDED_AT - timedelta(days=1),
            is_void=True,
        ),
        VoteRow(
            stage="Technical review",
            person="Anne Reviewer",
            choice="approve",
            revision=2,
            rationale="Answered. The interval is narrow and far from the limit.",
            cast_at=DECIDED_AT - timedelta(hours=5),
        ),
        VoteRow(
            stage="Technical review",
            person="Bert Reviewer",
            choice="approve",
            revision=2,
            rationale="",
            cast_at=DECIDED_AT - timedelta(hours=2),
        ),
        VoteRow(
            stage="GPU budget",
            person="Lea Lead",
            choice="approve",
            revision=2,
            rationale="Within the quarter, if the student is measured.",
            cast_at=DECIDED_AT,
        ),
    )


def sample_audit(count: int = 9) -> AuditPart:
    actions = (
        ("Rita Requester", "request.created", "draft"),
        ("Rita Requester", "request.submitted", "revision 1, policy default-compute 3"),
        ("system", "request.screened", "review required: 2 rules"),
        ("system", "ticket.opened", "RISK-118"),
        ("system", "run.finished", "run 17, valid"),
        ("Anne Reviewer", "vote.cast", "request changes, revision 1"),
        ("Rita Requester", "request.revised", "revision 2"),
        ("Anne Reviewer", "vote.cast", "approve, revision 2"),
        ("Lea Lead", "request.decided", "approved with conditions"),
    )
    rows = tuple(
        AuditRow(
            number=210 + index,
            happened_at=FILED_AT + timedelta(hours=3 * index),
            actor=actions[index % len(actions)][0],
            action=actions[index % len(actions)][1],
            note=actions[index % len(actions)][2],
        )
        for index in range(count)
    )
    return AuditPart(
        rows=rows, chain_head=digest("c"), chain_length=210 + count, checkpoint=sample_checkpoint(210 + count)
    )


def checkpoint_key() -> Ed25519PrivateKey:
    """The same for every sample, so that a packet prints the same."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def checkpoint_pem() -> str:
    """That key as an installation keeps it."""
    return checkpoint_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def sample_checkpoint(count: int) -> CheckpointPart:
    """Signed, as a reader with the key can verify."""
    signed = checkpoint.sign(
        checkpoint.CheckpointStatement(count, digest("c"), DECIDED_AT), private_key_pem=checkpoint_pem()
    )
    return CheckpointPart(
        count=count, head=digest("c"), at=DECIDED_AT, key_id=signed.key_id, signature=signed.signature
    )


def sample_packet(**changes: Any) -> PacketDocument:
    metric_values: dict[str, Any] = {
        "cover": sample_cover(),
        "business_case": (
            "Two people at each of 14 returns desks sort garments by hand. The classifier sorts 93 of 100 without a "
            "second look and frees one of them for the counter.\n\nA wrong class costs a second handling of 1.10 USD."
        ),
        "business_metric": "Share of returns sorted without a second look, from 71 % to 90 %",
        "policy_evaluation": PolicyEvaluationPart(
            outcome="review_required",
            occasion="decision",
            evaluated_at=DECIDED_AT,
            policy_name="default-compute",
            policy_version=3,
            policy_digest=digest("d"),
            rules=sample_rules(),
        ),
        "comparisons": sample_comparisons(),
        "costs": sample_costs(),
        "checklist_title": "Standard checklist, version 2",
        "checklist": sample_checklist(),
        "stages": (
            StageRow(title="Technical review", role="reviewer", quorum=2, approvals=2, is_complete=True),
            StageRow(title="GPU budget", role="platform_lead", quorum=1, approvals=1, is_complete=True),
        ),
        "votes": sample_votes(),
        "conditions": (
            ConditionPart(
                text="Measure the distilled student on the same data and report the difference in accuracy and cost.",
                owner="Otto Owner",
                due_on=date(2026, 9, 30),
                ended="",
            ),
        ),
        "budget": (
            BudgetRow(
                account="Retail vision, 2026Q3",
                unit="gpu_h",
                before=Decimal(1200),
                this=Decimal(320),
                after=Decimal(880),
                reserved_by_others=Decimal(150),
            ),
            BudgetRow(
                account="Retail vision, 2026Q3",
                unit="USD",
                before=Decimal("60000.00"),
                this=Decimal("21340.00"),
                after=Decimal("38660.00"),
                reserved_by_others=Decimal("4100.00"),
            ),
        ),
        "studies": sample_studies(),
        "discussion": sample_discussion(),
        "ticket": TicketPart(key="RISK-118", url="https://jira.example.test/browse/RISK-118", state="Done"),
        "runs": (
            RunRow(
                run_id="17",
                scenario="SingleStream",
                verdict="valid",
                manifest_digest=digest("e"),
                isolation="child process, memory and time limited",
                machine="2 cores, Xeon 8481C, onnxruntime 1.22",
                finished_at=FILED_AT + timedelta(hours=1),
            ),
            RunRow(
                run_id="16",
                scenario="SingleStream",
                verdict="invalid",
                reasons=(
                    "The machine was busy: 31 % of the processor time was stolen.",
                    "Too few samples: 812 of 3,000.",
                ),
                manifest_digest=digest("f"),
                isolation="child process, memory and time limited",
                machine="2 cores, Xeon 8481C, onnxruntime 1.22",
                finished_at=FILED_AT + timedelta(minutes=20),
            ),
        ),
        "audit": sample_audit(),
        "authorization": AuthorizationPart(
            number="AUT-2026-0031",
            state="active",
            environment="prod",
            issued_at=DECIDED_AT,
            expires_at=DECIDED_AT + timedelta(days=365),
            statement_digest=digest("9"),
        ),
        "generated_at": DECIDED_AT + timedelta(minutes=1),
        "generator": "Weighbridge 0.2.0",
    }
    return PacketDocument(**(metric_values | changes))
