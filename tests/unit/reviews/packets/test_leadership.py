"""The leadership page of a packet: every sentence with its values, and none without."""

from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarking.runs.domain.alternatives import VariantLine
from reviews.packets.domain.leadership import counted, leadership_of, named, sentence
from reviews.packets.domain.packet import BudgetRow, PacketDocument, StageRow, read_packet
from reviews.packets.domain.packet_discussion import DiscussionPart
from reviews.packets.domain.packet_evidence import Claim, ClaimComparison, CostRow
from reviews.packets.domain.packet_projection import OptionPart, OptionValue, ProjectionPart
from tests.factories.packets import FILED_AT, sample_comparisons, sample_cover, sample_packet
from weighbridge.core.converter import to_document


def told(packet: PacketDocument, title: str) -> tuple[str, ...]:
    return next((topic.sentences for topic in leadership_of(packet) if topic.title == title), ())


def bare(**changes: object) -> PacketDocument:
    cover = sample_cover(outcome="", state="in_review", decided_at=None, approvers=())
    return PacketDocument(cover=cover, business_case="", generated_at=FILED_AT, generator="W", **changes)  # type: ignore[arg-type]


def budget(account: str, after: int, *, unit: str = "USD") -> BudgetRow:
    return BudgetRow(account=account, unit=unit, before=Decimal(0), this=Decimal(1), after=Decimal(after))


def variant(name: str, answer: str, **changes: str) -> VariantLine:
    fields = dict.fromkeys(("made_by", "accuracy", "quality_drop", "p95_ms", "speed_up", "size_mb", "status"), "")
    return VariantLine(name=name, answer=answer, reasons=(), **fields | changes)


def option(title: str, usd: int | None, *, is_chosen: bool = False) -> OptionPart:
    amount = None if usd is None else Decimal(usd)
    value = OptionValue(value=amount, low=amount, high=amount)
    money = dict.fromkeys(("first_year", "serving", "training", "ownership", "per_1k"), value)
    return OptionPart(title=title, is_chosen=is_chosen, cheapest=Decimal("0.6"), **money)


def projection(*options: OptionPart) -> ProjectionPart:
    return ProjectionPart(
        number=1,
        title="P",
        digest="d",
        snapshot="s",
        origin="o",
        requests_per_year=Decimal(1),
        draws=1,
        seed=1,
        options=options,
    )


def test_a_decided_request_in_sentences() -> None:
    page = {topic.title: topic.sentences for topic in leadership_of(sample_packet())}
    assert page == {
        "What is asked": (
            (
                "Retail vision asks to use fashion-classifier 1.4.0 in prod: Sort returned garments into ten classes "
                "at the returns desk."
            ),
            "Expected change of the business metric: Share of returns sorted without a second look, from 71 % to 90 %.",
        ),
        "What it costs": (
            "Training costs 1,840.00 USD once (estimated; with 80 % probability 1,610.00 to 2,290.00 USD).",
            "Serving costs 19,500.00 USD in one year (estimated; with 80 % probability 15,120.00 to 26,400.00 USD).",
            (
                "The first year costs 21,340.00 USD in total (estimated; with 80 % probability 16,900.00 to 28,400.00 "
                "USD)."
            ),
            "After it, Retail vision 2026Q3 has 880 GPU h and 38,660.00 USD available.",
        ),
        "Measured against claimed": (
            (
                "Latency p95 was claimed as 35 ms and measured as 41.83 ms (40.1 to 43.91), which contradicts the "
                "claim; the limit is 100 ms."
            ),
            "Latency p50 was claimed as 30 ms and measured as 28.41 ms (28.1 to 28.74).",
            "Throughput was claimed as 30 per s and measured as 33.15 per s (32.5 to 33.8).",
            "1 more claim was measured.",
            "2 claims were not measured: Training GPU hours and Total cost 1 year.",
        ),
        "Cheaper alternatives": (
            "A/B test: With any number of looks, a difference is shown: +1.50% (95%: +0.90% to +2.10%).",
            "Decision matrix: which classifier: Take the distilled student.",
        ),
        "Open doubts": (
            "The rule on Error rate cannot be evaluated.",
            "The rule on F1 macro is waived.",
            "1 benchmark run is invalid: run 16.",
            "1 thread of the discussion is open.",
        ),
        "What was decided": (
            "The request was approved with conditions on 9 July 2026 by Anne Reviewer, Bert Reviewer and Lea Lead.",
            (
                "Condition: Measure the distilled student on the same data and report the difference in accuracy and "
                "cost. Otto Owner must meet it by 30 September 2026."
            ),
        ),
    }


def test_a_request_without_values_says_what_is_asked_and_what_is_to_be_decided() -> None:
    asked = "Retail vision asks to use fashion-classifier 1.4.0 in prod: Sort returned garments into ten classes at"
    assert [(topic.title, topic.sentences) for topic in leadership_of(bare())] == [
        ("What is asked", (f"{asked} the returns desk.",)),
        (
            "What is to be decided",
            ("Whether fashion-classifier may be used in prod; the request is in review.",),
        ),
    ]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("draft", "Whether fashion-classifier may be used in prod; the request is a draft."),
        ("evidence", "Whether fashion-classifier may be used in prod; the request is gathering evidence."),
        ("changes_requested", "Whether fashion-classifier may be used in prod; the request is sent back for changes."),
        ("withdrawn", "Nothing: the request is withdrawn."),
        ("expired", "Nothing: the request is expired."),
        ("cleared", "Nothing: the request is cleared."),
    ],
)
def test_what_is_to_be_decided_in_each_state(state: str, words: str) -> None:
    stage = StageRow(title="Legal", role="reviewer", quorum=1, approvals=0, is_complete=False)
    packet = bare(stages=(stage,))
    sentences = told(replace(packet, cover=replace(packet.cover, state=state)), "What is to be decided")
    assert sentences == ((words,) if words.startswith("Nothing") else (words, "Legal needs 1 more approval (0 of 1)."))


@pytest.mark.parametrize(("state", "is_said"), [("active", False), ("pending_expiration", False), ("revoked", True)])
def test_an_authorization_that_ended_is_said(state: str, *, is_said: bool) -> None:
    held = sample_packet().authorization
    assert held is not None
    sentences = told(sample_packet(authorization=replace(held, state=state)), "What was decided")
    assert ("Its authorization AUT-2026-0031 is revoked." in sentences) is is_said


def test_what_the_stages_still_need() -> None:
    stages = (
        StageRow(title="Technical review", role="reviewer", quorum=2, approvals=2, is_complete=True),
        StageRow(title="GPU budget", role="platform_lead", quorum=3, approvals=1, is_complete=False),
        StageRow(title="Legal", role="reviewer", quorum=1, approvals=0, is_complete=False),
    )
    assert told(bare(stages=stages), "What is to be decided")[1:] == (
        "GPU budget needs 2 more approvals (1 of 3).",
        "Legal needs 1 more approval (0 of 1).",
    )
    cover = sample_cover(outcome="rejected", approvers=(), decided_at=None)
    assert told(replace(bare(), cover=cover), "What was decided") == ("The request was rejected.",)


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        ((budget("A", -5), budget("B", 5)), ("1 budget is too small for it: A by 5.00 USD.",)),
        (
            (budget("A", 7), budget("A, planned", -2), budget("B, planned", -3), budget("B", -9, unit="gpu_h")),
            (
                "After it, A has 7.00 USD available.",
                "3 budgets are too small for it: A (planned) by 2.00 USD, B (planned) by 3.00 USD and B by 9 GPU h.",
            ),
        ),
    ],
    ids=["short", "short later"],
)
def test_a_budget_that_does_not_suffice(rows: tuple[BudgetRow, ...], sentences: tuple[str, ...]) -> None:
    assert told(bare(budget=rows), "What it costs") == sentences


def test_a_cost_without_an_interval_and_with_a_name_of_its_own() -> None:
    cost = CostRow(label="Licenses", value_usd=Decimal("0.004"), basis="declared")
    certain = CostRow(
        label="Training, once",
        value_usd=Decimal(5),
        lower_usd=Decimal(5),
        upper_usd=Decimal(5),
        basis="billed",
    )
    assert told(bare(costs=(cost, certain)), "What it costs") == (
        "Licenses: 0.004 USD (declared).",
        "Training costs 5.00 USD once (billed).",
    )


def test_variants_that_are_worth_using_and_what_the_others_cost() -> None:
    worth = variant("int8", "worth it", speed_up="1.90 (1.80 to 2.00)", quality_drop="0.30 (0.10 to 0.50)")
    tied = variant("int4", "worth it", speed_up="0.98 (0.91 to 1.01), tied", size_mb="0.21")
    plain = variant("small", "worth it")
    own = variant("fp32", "the model itself")
    assert told(bare(variants=(own, worth, tied, plain)), "Cheaper alternatives") == (
        (
            "int8 is worth it: it is 1.90 (1.80 to 2.00) times as fast, its loss of accuracy is 0.30 (0.10 to 0.50) "
            "points."
        ),
        "int4 is worth it: it is 0.98 (0.91 to 1.01) times as fast, so no difference is shown, its size is 0.21 MB.",
        "small is worth it.",
    )
    assert told(bare(variants=(own,)), "Cheaper alternatives") == ()
    assert told(bare(variants=(own, variant("a", "no gain"))), "Cheaper alternatives") == (
        "1 variant was measured; none is worth using.",
    )


def test_only_variants_that_were_compared_count_as_measured() -> None:
    lost = {"usd_saved": "0.0030", "quality_drop": "1.50"}
    failed = (variant("int8", "could not be made"), variant("pruned", "could not be made"))
    open_ones = (variant("int4", "not compared"), variant("mini", "cannot tell", **lost))
    assert told(bare(variants=failed), "Cheaper alternatives") == ("2 variants could not be made: int8 and pruned.",)
    compared = (variant("nano", "not cheaper"), variant("fp16", "slower"))
    assert told(bare(variants=(*failed[:1], *open_ones, *compared)), "Cheaper alternatives") == (
        "2 variants were measured; none is worth using.",
        "1 variant could not be made: int8.",
        "1 variant could not be compared: int4.",
        "1 variant gave no clear answer: mini.",
    )
    assert told(bare(variants=(variant("s", "worth it"), *failed[:1])), "Cheaper alternatives") == (
        "s is worth it.",
        "1 variant could not be made: int8.",
    )


def test_what_a_point_of_quality_costs() -> None:
    lost = variant(
        "mini", "cheaper but worse", pass_rate="0.91", usd_saved="0.0030 (0.0028 to 0.0032)", quality_drop="1.50"
    )
    good = variant("nano", "equivalent and cheaper", pass_rate="0.92", usd_saved="0.002000", quality_drop="0.10")
    assert told(bare(variants=(lost, good)), "Cheaper alternatives") == (
        (
            "nano is equivalent and cheaper: it saves 0.002000 USD for each accepted answer, its loss of pass "
            "rate is 0.10 points."
        ),
        "To keep the pass rate that mini loses costs 0.002 USD for each point and accepted answer.",
    )


def test_options_for_the_same_load() -> None:
    own = option("Own", 100, is_chosen=True)
    cases = {
        (own, option("API", 80), option("Batch", 90), option("Slow", None)): (
            (
                "API serves the same load for 80.00 USD in the first year, 20.00 USD less than requested; it is the "
                "cheapest in 60% of the draws."
            ),
            (
                "Batch serves the same load for 90.00 USD in the first year, 10.00 USD less than requested; it is the "
                "cheapest in 60% of the draws."
            ),
        ),
        (own, option("API", 120)): (
            "Of 2 options for the same load, the requested one costs least in the first year.",
        ),
        (own, option("Slow", None)): (),
        (option("API", 80), option("Batch", 90)): (),
    }
    for options, sentences in cases.items():
        assert told(bare(projection=projection(*options)), "Cheaper alternatives") == sentences


def test_what_is_open_is_a_doubt() -> None:
    rows = tuple(replace(row, answer="", measured=None) for row in sample_comparisons() if row.is_contradicted)
    packet = sample_packet(
        comparisons=rows,
        policy_evaluation=None,
        runs=(),
        discussion=DiscussionPart(threads=(), open_count=2),
        checklist=tuple(replace(row, is_complete=False) for row in sample_packet().checklist),
    )
    assert told(packet, "Open doubts") == (
        "Nobody has explained the contradicted claim about Latency p95 yet.",
        "No value was measured or attested.",
        (
            "7 required items of the checklist are open: The business metric it must move, Latency measured, "
            "Throughput measured, Training cost and 3 more."
        ),
        "2 threads of the discussion are open.",
    )
    assert told(replace(packet, business_metric=""), "What is asked")[1:] == ()


def test_words_of_counts_and_names() -> None:
    assert [counted(number, "rule") for number in (0, 1, 1200)] == ["0 rules", "1 rule", "1,200 rules"]
    assert named(["A"]) == "A"
    assert named(["A", "B"]) == "A and B"
    assert named(["A", "B", "C", "D", "E"]) == "A, B, C, D and 1 more"
    assert (sentence("Yes"), sentence("Yes.")) == ("Yes.", "Yes.")


def test_a_study_without_a_conclusion_and_a_condition_that_is_met_say_nothing() -> None:
    packet = sample_packet()
    studies = tuple(replace(study, conclusions=()) for study in packet.studies)
    conditions = tuple(replace(row, met_at=FILED_AT) for row in packet.conditions)
    packet = replace(packet, studies=studies, conditions=conditions)
    assert told(packet, "Cheaper alternatives") == ()
    assert len(told(packet, "What was decided")) == 1
    lifted = tuple(replace(row, met_at=None, ended="lifted") for row in conditions)
    assert len(told(replace(packet, conditions=lifted), "What was decided")) == 1


def test_a_packet_from_before_ends_were_recorded_says_what_it_does_not_know() -> None:
    document = to_document(sample_packet())
    for row in document["conditions"]:
        del row["ended"]
    packet = read_packet(document)
    assert [row.is_open for row in packet.conditions] == [False]
    assert told(packet, "What was decided")[1:] == (
        (
            "Condition: Measure the distilled student on the same data and report the difference in accuracy and "
            "cost. Otto Owner had not met it (due 30 September 2026); whether it was lifted or carried over is not "
            "recorded."
        ),
    )


def test_a_value_on_record_is_named_with_the_claim_that_it_replaces() -> None:
    on_record = Claim(value=Decimal(100_000), basis="declared")
    claimed = replace(row_named("total_cost_1y_usd"), claimed=Claim(value=Decimal(10), basis="declared"))
    rows = (replace(claimed, on_record=on_record), replace(claimed, claimed=None, on_record=on_record))
    words = "100,000.00 USD is on record for the same artifact and counts."
    sentences = (f"Total cost 1 year was claimed as 10.00 USD; {words}", f"Total cost 1 year was not claimed; {words}")
    assert told(bare(comparisons=rows), "Measured against claimed")[1:] == sentences
    more = told(bare(comparisons=(*rows, *rows)), "Measured against claimed")
    assert more[1:] == (*sentences, sentences[0], "1 more value on record counts.")
    more = told(bare(comparisons=(*rows, *rows, rows[0])), "Measured against claimed")
    assert more[-1] == "2 more values on record count."
    assert rows[1].spoken.startswith("Total cost 1 year: on record 100,000.00, limit ")


def test_derived_values_are_no_claims() -> None:
    total = replace(row_named("total_cost_1y_usd"), claimed=None, derived=Claim(value=Decimal(7), basis="declared"))
    memory = ClaimComparison(
        name="peak_memory_mb", unit="MB", direction="lower is better", derived=Claim(value=Decimal(9), basis="derived")
    )
    assert told(bare(comparisons=(total, memory)), "Measured against claimed") == (
        "2 values are derived, not claimed: Total cost 1 year and Peak memory.",
    )
    assert (total.derived_note, memory.derived_note, row_named("accuracy").derived_note) == (
        "derived from declared parts",
        "derived",
        "",
    )
    assert (memory.spoken, memory.derived_words) == ("Peak memory: derived 9", "9")
    assert row_named("accuracy").derived_words == ""


def row_named(name: str) -> ClaimComparison:
    return next(row for row in sample_packet().comparisons if row.name == name)
