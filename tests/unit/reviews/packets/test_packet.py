"""The packet: its JSON twin, its digest, and the words its parts say."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from reviews.packets.domain.packet import BudgetRow, PacketDocument, read_packet
from reviews.packets.domain.packet_evidence import Claim, ClaimComparison, CostRow, MeasurementPart, RuleLine
from reviews.packets.domain.packet_trail import AUDIT_ROWS_SHOWN
from tests.factories.packets import FILED_AT, sample_audit, sample_cover, sample_packet
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid


def _bare() -> PacketDocument:
    cover = sample_cover(
        outcome="", state="draft", decided_at=None, approvers=(), artifact_size_bytes=None, submitted_at=None
    )
    return PacketDocument(cover=cover, business_case="", generated_at=FILED_AT, generator="Weighbridge 0.2.0")


@pytest.mark.parametrize("packet", [sample_packet(), _bare()], ids=["full", "bare"])
def test_document_and_back_is_the_same_packet(packet: PacketDocument) -> None:
    document = to_document(packet)
    through_database = json.loads(json.dumps(document))
    assert through_database == document
    assert read_packet(through_database) == packet
    assert digest_of(to_document(read_packet(through_database))) == digest_of(to_document(packet))


def test_the_digest_of_a_packet_never_changes() -> None:
    digest = digest_of(to_document(sample_packet()))
    assert digest == "sha256:594843155ad7df75495ef657dac4ff9f778eb637612449e96e227d67a3319f05"


def test_document_spells_values_as_text() -> None:
    document = to_document(sample_packet())
    assert document["schema"] == "weighbridge.packet/1"
    assert document["generated_at"] == "2026-07-09T15:43:00Z"
    assert document["conditions"][0]["due_on"] == "2026-09-30"
    assert document["comparisons"][1]["measured"]["upper"] == "43.9088"
    assert document["runs"][1]["reasons"][1] == "Too few samples: 812 of 3,000."


def test_the_digest_depends_on_what_is_said_and_on_nothing_else() -> None:
    packet = sample_packet()
    elsewhere = replace(packet, generated_at=packet.generated_at.astimezone(timezone(timedelta(hours=2))))
    assert digest_of(to_document(elsewhere)) == digest_of(to_document(packet))
    assert digest_of(to_document(sample_packet(business_case="Another."))) != digest_of(to_document(packet))
    assert digest_of(to_document(sample_packet(cover=sample_cover(revision=3)))) != digest_of(to_document(packet))


@pytest.mark.parametrize(
    "change",
    [
        {"generated_at": "yesterday"},
        {"generated_at": None},
        {"color": "green"},
        {"comparisons": [{"name": "accuracy"}]},
        {"budget": [{"account": "a", "unit": "USD", "before": "much", "this": "1", "after": "0"}]},
        {"cover": {"ref": "MRR-2026-0001"}},
    ],
)
def test_a_damaged_document_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="Create a new packet"):
        read_packet(to_document(sample_packet()) | change)


def test_another_schema_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        read_packet({"schema": "weighbridge.packet/9"})
    assert refused.value.field == "schema"


def test_latency_headlines_contradictions_and_standing_rules() -> None:
    packet = sample_packet()
    assert [row.name for row in packet.latency] == ["latency_p50_ms", "latency_p95_ms", "latency_p99_ms"]
    assert [row.name for row in packet.headlines] == ["latency_p95_ms", "accuracy", "total_cost_1y_usd"]
    assert [row.name for row in packet.contradicted] == ["latency_p95_ms"]
    assert [rule.rule_id for rule in packet.fired] == ["gpu-hours", "error-rate"]
    assert packet.answered_count == 7
    bare = _bare()
    assert (bare.latency, bare.headlines, bare.contradicted, bare.fired, bare.answered_count) == ((), (), (), (), 0)


def test_size_words() -> None:
    assert sample_cover().size_words == "4.2 MB"
    assert sample_cover(artifact_size_bytes=None).size_words == ""


def test_long_trails_print_their_latest_events() -> None:
    part = sample_audit(AUDIT_ROWS_SHOWN + 3)
    assert part.left_out == 3
    assert part.shown == part.rows[3:]
    assert sample_audit(2).left_out == 0


def test_comparison_words() -> None:
    row = ClaimComparison(
        name="throughput_per_s",
        unit="1/s",
        direction="higher is better",
        claimed=Claim(value=Decimal(30), basis="declared"),
        measured=MeasurementPart(
            value=Decimal("33.1482"), lower=Decimal("32.5"), upper=None, confidence=Decimal("0.95"), n=3000
        ),
        limit=Decimal(20),
    )
    assert (row.title, row.unit_words, row.chart) == ("Throughput", "per s", "interval-throughput_per_s.svg")
    assert (row.claimed_words, row.measured_words, row.interval_text) == ("30", "33.15", "at least 32.5")
    assert row.measured is not None
    assert row.measured.sample_words == "95 %, n = 3,000"
    assert row.spoken == "Throughput: claimed 30, measured 33.15 (at least 32.5), limit 20"


def test_comparison_without_metric_values_says_nothing() -> None:
    row = ClaimComparison(name="new_metric", unit="ms", direction="lower is better")
    assert (row.title, row.claimed_words, row.measured_words, row.interval_text) == ("New metric", "", "", "")
    assert row.spoken == "New metric: no value"
    assert MeasurementPart(value=Decimal(1)).sample_words == ""
    point = ClaimComparison(name="x", unit="ms", direction="", measured=MeasurementPart(value=Decimal(4)))
    assert point.spoken == "X: measured 4"


def test_rule_cost_and_budget_words() -> None:
    rule = RuleLine(
        rule_id="r",
        metric="f",
        status="fired",
        level="hard",
        effect="deny",
        condition="c",
        reason="w",
        observed=Decimal("43.91"),
        unit="ms",
    )
    assert rule.observed_words == "43.91 ms"
    assert replace(rule, observed=None).observed_words == ""
    cost = CostRow(label="l", value_usd=Decimal(1840), lower_usd=Decimal("1610.001"), basis="estimated")
    assert (cost.value_words, cost.interval_text) == ("1,840.00", "at least 1,610.00")
    row = BudgetRow(account="a", unit="gpu_h", before=Decimal(1200), this=Decimal(320), after=Decimal(880))
    assert (row.unit_words, row.before_words, row.this_words, row.after_words) == ("GPU h", "1,200", "320", "880")
    assert row.others_words == ""
    assert replace(row, reserved_by_others=Decimal(150)).others_words == "150"
    assert (row.released_words, replace(row, released=Decimal(60)).released_words) == ("", "60")
