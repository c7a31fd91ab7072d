"""Decisions and their words, one situation after the other."""

import dataclasses

import pytest

from tests.refusals import has_code
from tests.unit.toolkit.tradeoff.builders import candidate, candidates, estimate, indicative
from weighbridge.core.errors import Invalid
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Measurement, QualityDrop, SpeedUp, VariantAnswer
from weighbridge.tradeoff.changes import changes
from weighbridge.tradeoff.decision import Situation, decide
from weighbridge.tradeoff.learning.learning_curve import as_document, forecast
from weighbridge.tradeoff.recommendation import recommend
from weighbridge.tradeoff.requirements import LimitReading, Requirement, Requirements, limits_of

DROP = QualityDrop("accuracy", 0.0145, 0.0097, 0.0193, 0.95, 10_000, 0.02, True)
BIG = candidate("big", answer=VariantAnswer.BASELINE, accuracy=(0.90, 0.006), latency_p95_ms=(8, 0.2), model_size_mb=9)
QUICK = candidate(
    "quick",
    accuracy=(0.87, 0.006),
    latency_p95_ms=(1, 0.1),
    model_size_mb=2.5,
    quality_drop=DROP,
    speed_up=SpeedUp(8, 7.5, 8.5, 0.95, 20, False),
    size_saved_ratio=0.7,
)
POOR = candidate("poor", accuracy=(0.70, 0.006), latency_p95_ms=(0.5, 0.1), model_size_mb=1)
LIMITS = limits_of(["latency_p95_ms<=5", "model_size_mb<=4", "accuracy>=0.85"])
MACHINE = {"machine": {"cpu": "a known processor"}}


def test_a_clear_winner_is_named_with_reasons_and_price() -> None:
    found = recommend(candidates(BIG, QUICK, POOR, noise_floor=0.03, manifest=MACHINE), Requirements(LIMITS))
    assert found.decision.situation is Situation.CLEAR
    assert (found.winner, found.headline) == ("quick", "Take quick.")
    assert found.why == (
        (
            "1 of 3 candidates meet the limits (p95 latency at most 5 ms; model size at most 4 MB; accuracy at least "
            "0.85)."
        ),
    )
    assert found.costs == (
        (
            "Against the model it was made from it loses 1.45 points of accuracy (95%: 0.97 to 1.93, same 10,000 "
            "rows), "
            "within the margin of 2 points."
        ),
        "It answers 8.00 times as fast (95%: 7.50 to 8.50).",
        "Its file is 70% smaller.",
        (
            "big has 3.00 points more accuracy, at p95 latency 8 (7.8 to 8.2) ms instead of 1 (0.9 to 1.1) ms and "
            "model "
            "size 9 MB instead of 2.5 MB."
        ),
    )
    assert found.changes == (
        "With p95 latency at most 0.999 ms instead of 5, nobody would be left.",
        "With model size at most 2.499 MB instead of 4, nobody would be left.",
        "With accuracy at least 0.8701 instead of 0.85, nobody would be left.",
    )
    assert found.not_known == (
        "Measured on a known processor; on the device itself speed and order may differ.",
        "What more training data would bring was not estimated.",
    )


def test_looser_limits_are_found_too() -> None:
    found = changes(candidates(BIG, QUICK, POOR), Requirements(limits_of(["latency_p95_ms<=5"])))
    told = {(change.metric, change.after): change.winner for change in found}
    assert told[("latency_p95_ms", 8.0)] == "big"
    assert told[("latency_p95_ms", 0.999)] == "poor"
    assert told[("accuracy", 0.8701)] is None
    assert told[("margin", 0.17)] == "poor"
    assert all(change.before is None for change in found if change.metric == "model_size_mb")


def test_nobody_meets_the_limits_and_the_nearest_is_named() -> None:
    found = recommend(candidates(BIG, QUICK, POOR), Requirements(limits_of(["accuracy>=0.89", "latency_p95_ms<=5"])))
    assert found.decision.situation is Situation.NONE
    assert found.winner is None
    assert found.headline == (
        "No candidate meets the limits. The nearest is quick: accuracy 0.87 (0.864 to 0.876) (accuracy at least 0.89)."
    )
    assert found.why == ("0 of 3 candidates meet the limits (accuracy at least 0.89; p95 latency at most 5 ms).",)
    assert found.costs == ()
    assert "With accuracy at least 0.87 instead of 0.89, quick would be taken." in found.changes


def test_nobody_has_the_estimate_asked_for() -> None:
    found = recommend(candidates(BIG, QUICK), Requirements(limits_of(["peak_memory_mb<=100"])))
    assert found.headline == "No candidate meets the limits. None of them has every estimate that the limits ask for."
    assert "big has no peak memory." in found.not_known


def test_equal_candidates_are_tied_not_ranked() -> None:
    twin = dataclasses.replace(QUICK, name="twin", metrics={**QUICK.metrics, "latency_p95_ms": estimate(1.05, 0.1)})
    found = recommend(candidates(QUICK, twin, POOR, noise_floor=0.02), Requirements())
    assert found.decision.situation is Situation.TIED
    assert found.headline == "Take quick; twin would do as well."
    assert "Not to be told apart from it (intervals overlap or within the noise floor of 2.0%): twin." in found.why[2]


def test_of_the_equally_fast_the_smallest_wins() -> None:
    small = candidate("small", accuracy=0.865, latency_p95_ms=1.01, model_size_mb=1.2)
    exact = candidate("exact", accuracy=0.87, latency_p95_ms=1, model_size_mb=2.5)
    found = recommend(candidates(exact, small, noise_floor=0.02), Requirements())
    assert found.decision.situation is Situation.CLEAR
    assert found.why[1] == "exact is the best of them in accuracy: 0.87. Within the margin of 1 point: small."
    assert found.why[3] == "Of those, small is the smallest: 1.2 MB."
    without = recommend(candidates(exact, small), Requirements())
    assert without.winner == "exact"
    assert (
        "The noise floor of the machine was not measured: small differences in speed may be chance."
        in without.not_known
    )
    assert "No candidate is better in accuracy." in without.costs


def test_an_interval_across_a_limit_makes_the_choice_ambiguous() -> None:
    wide = candidate("wide", accuracy=0.90, latency_p95_ms=(4.9, 0.5), model_size_mb=1)
    found = recommend(candidates(wide, QUICK), Requirements(LIMITS))
    assert found.decision.situation is Situation.AMBIGUOUS
    assert found.headline == "Probably take wide; within the intervals, quick may be the choice instead."
    assert (
        found.why[1]
        == "wide keeps p95 latency at most 5 ms by its value, not with its whole interval: 4.9 (4.4 to 5.4) ms."
    )
    alone = recommend(candidates(wide, POOR), Requirements(LIMITS))
    assert (
        alone.headline
        == "Probably take wide; within the intervals, it may miss a limit, and no other candidate keeps them all."
    )


def test_who_might_win_at_its_better_bound_is_named() -> None:
    late = candidate("late", accuracy=0.95, latency_p95_ms=(5.1, 0.5), model_size_mb=1)
    assert decide(candidates(QUICK, late), Requirements(LIMITS)).contenders == ("late",)


def test_a_single_candidate_is_no_choice() -> None:
    found = recommend(candidates(QUICK), Requirements())
    assert found.headline == "quick meets the limits, but no other candidate could be judged: there was no choice."
    assert found.why == ("1 of 1 candidates meet the limits (none were set).",)


def test_doubts_about_the_estimates_are_passed_on() -> None:
    doubtful = dataclasses.replace(QUICK, measurement=indicative())
    unjudged = dataclasses.replace(QUICK, measurement=None)
    assert recommend(candidates(doubtful, POOR), Requirements()).not_known[0] == (
        "The estimates of quick are indicative. Other work used 1.9 of 2 processors during the run."
    )
    assert recommend(candidates(unjudged, POOR), Requirements()).not_known[0] == (
        "Nobody judged how far the estimates of quick may be believed."
    )


def test_the_failed_and_the_invalid_are_left_out_and_said() -> None:
    failed = candidate("failed", answer=VariantAnswer.FAILED)
    invalid = candidate(
        "invalid", accuracy=0.99, latency_p95_ms=0.1, model_size_mb=0.1, measurement=Measurement(Status.INVALID)
    )
    found = recommend(candidates(QUICK, POOR, failed, invalid, is_partial=True), Requirements())
    assert found.winner == "quick"
    assert found.not_known[:3] == (
        "The measurement was interrupted: some candidates are missing.",
        "Could not be made or measured: failed.",
        "Measured, but not to be believed, and left out: invalid.",
    )


def test_a_slower_larger_variant_and_an_unsure_drop_are_said_as_such() -> None:
    drop = dataclasses.replace(DROP, is_non_inferior=False)
    odd = dataclasses.replace(
        QUICK, quality_drop=drop, speed_up=SpeedUp(1.01, 0.98, 1.04, 0.95, 20, True), size_saved_ratio=-0.1
    )
    costs = recommend(candidates(odd, POOR), Requirements()).costs
    assert "not surely within the margin" in costs[0]
    assert costs[1] == "It answers 1.01 times as fast (95%: 0.98 to 1.04); that is within the noise of this machine."
    assert costs[2] == "Its file is 10% larger."


def test_quality_alone_decides_where_nothing_else_was_measured() -> None:
    found = recommend(candidates(candidate("a", accuracy=0.9), candidate("b", accuracy=0.8)), Requirements())
    assert found.winner == "a"
    assert found.why[1] == "a is the best of them in accuracy: 0.9."
    rough = recommend(candidates(candidate("a", accuracy=0.9), candidate("b", accuracy=0.895)), Requirements())
    assert rough.decision.situation is Situation.TIED
    nothing = recommend(candidates(candidate("a"), candidate("b")), Requirements())
    assert (nothing.winner, nothing.costs) == ("a", ())
    small = recommend(candidates(candidate("a", accuracy=0.9), candidate("b", model_size_mb=1)), Requirements(margin=0))
    assert small.costs == ("No candidate is better in accuracy.",)
    better = recommend(
        candidates(candidate("a", accuracy=0.9), candidate("b", accuracy=0.5)),
        Requirements(limits_of(["accuracy<=0.6"])),
    )
    assert better.costs == ("a has 40.00 points more accuracy.",)


def test_the_learning_curve_is_put_into_words() -> None:
    rows = [1_000, 2_000, 4_000, 8_000]
    document = as_document(forecast(rows, [0.05 + 2 * n**-0.4 for n in rows]), metric="error")
    assert "With 16,000 rows, expect error" in " ".join(
        recommend(candidates(QUICK, learning_curve=document), Requirements()).not_known
    )


def test_the_same_estimates_give_the_same_words() -> None:
    choice = candidates(BIG, QUICK, POOR)
    assert recommend(choice, Requirements(LIMITS)) == recommend(choice, Requirements(LIMITS))


def readings(limit, given):
    """Whether the limit holds at the worst bound, and at the best."""
    return limit.holds(given, LimitReading.WORST), limit.holds(given, LimitReading.BEST)


@pytest.mark.parametrize(
    ("given", "worst", "best"),
    [
        (estimate(4, 0.5), True, True),
        (estimate(4.9, 0.5), False, True),
        (estimate(5.1, 0.5), False, True),
        (estimate(6, 0.5), False, False),
        (estimate(5), True, True),
        (None, False, False),
    ],
)
def test_a_limit_reads_the_interval(given, worst, best) -> None:
    limit = Requirement("latency_p95_ms", 5, AxisDirection.MIN)
    assert readings(limit, given) == (worst, best)
    assert limit.is_unsure(given) is (best and not worst)


def test_a_least_value_reads_the_lower_bound() -> None:
    limit = Requirement("accuracy", 0.85, AxisDirection.MAX)
    found = [readings(limit, estimate(value, 0.01)) for value in (0.87, 0.855, 0.845, 0.8)]
    assert found == [(True, True), (False, True), (False, True), (False, False)]


def test_limits_are_read_from_text() -> None:
    assert limits_of(["peak_memory_mb <= 200", "f1_macro>=1e-1"]) == (
        Requirement("peak_memory_mb", 200, AxisDirection.MIN),
        Requirement("f1_macro", 0.1, AxisDirection.MAX),
    )


@pytest.mark.parametrize("text", ["accuracy", "accuracy=0.8", "accuracy>=high", "<=3", "accuracy>=0.8.5"])
def test_another_form_of_limit_is_refused(text) -> None:
    with pytest.raises(Invalid, check=has_code("limits")):
        limits_of([text])


def test_a_metric_has_one_limit_and_a_margin_is_a_share() -> None:
    with pytest.raises(Invalid, check=has_code("limits")):
        Requirements(limits_of(["accuracy>=0.8", "accuracy>=0.9"]))
    with pytest.raises(Invalid, match="one point"):
        Requirements(margin=1.0)


def test_a_bound_just_admits_or_just_excludes_a_value() -> None:
    """Whatever the estimates, applying a change must give the winner that it names."""
    choice = candidates(BIG, QUICK, POOR, candidate("zero", accuracy=0.0, latency_p95_ms=0.0123456, model_size_mb=0))
    for change in changes(choice, Requirements()):
        if change.metric == "margin":
            asked = Requirements(margin=change.after)
        else:
            asked = Requirements((Requirement(change.metric, change.after, change.direction),))
        winner = decide(choice, asked).winner
        assert (winner.name if winner else None) == change.winner


@pytest.mark.parametrize("text", ["latency_p95_ms<=-1", "model_size_mb<=0", "cost_usd<=-0.5"])
def test_a_limit_that_nothing_can_keep_is_refused(text):
    with pytest.raises(Invalid, match="must be above 0 "):
        limits_of([text])


def test_other_estimates_may_have_limits_below_nothing():
    assert limits_of(["score>=-1"])[0].bound == -1
