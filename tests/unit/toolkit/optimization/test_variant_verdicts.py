"""What a variant is worth: the answer in every situation, and its reasons in words."""

import pytest

from weighbridge.optimization.comparison import VariantComparison
from weighbridge.optimization.operators import Culprit, culprit
from weighbridge.optimization.variant_verdicts import judge, saved_share
from weighbridge.tradeoff.candidates import QualityDrop, SpeedUp

KEPT = QualityDrop("accuracy", 0.001, -0.002, 0.004, 0.95, 5_000, 0.01, is_non_inferior=True)
LOST = QualityDrop("accuracy", 0.058, 0.05, 0.066, 0.95, 5_000, 0.01, is_non_inferior=False)
UNSHOWN = QualityDrop("accuracy", -0.002, -0.03, 0.026, 0.95, 200, 0.01, is_non_inferior=False)
FAST, SLOW = SpeedUp(2.0, 1.9, 2.1, 0.95, 16, is_tied=False), SpeedUp(0.25, 0.24, 0.26, 0.95, 16, is_tied=False)
TIED = SpeedUp(1.02, 0.98, 1.05, 0.95, 16, is_tied=True)
SAME, SMALLER = 0.0, 0.74
# Milliseconds by type of operator, as they were recorded of the small product-image network.
FP32 = {"Conv": 0.049, "ReorderOutput": 0.0036, "MaxPool": 0.0045, "FusedGemm": 0.0159}
DYNAMIC = {"DynamicQuantizeLinear": 0.0039, "ConvInteger": 0.2491, "Mul": 0.0102, "MaxPool": 0.0056}
BLAME = Culprit("ConvInteger", 0.2491, 0.2688, 0.0)


@pytest.mark.parametrize(
    ("speed", "drop", "savings", "answer", "codes"),
    [
        (FAST, KEPT, SMALLER, "worth_it", ["speed.faster", "quality.kept", "size.smaller"]),
        (FAST, KEPT, SAME, "worth_it", ["speed.faster", "quality.kept"]),
        (TIED, KEPT, SMALLER, "worth_it", ["speed.tied", "quality.kept", "size.smaller"]),
        (None, KEPT, SMALLER, "worth_it", ["speed.unknown", "quality.kept", "size.smaller"]),
        (TIED, KEPT, SAME, "no_gain", ["speed.tied", "quality.kept"]),
        (TIED, KEPT, None, "no_gain", ["speed.tied", "quality.kept"]),
        (
            TIED,
            KEPT,
            0.09,
            "no_gain",
            ["speed.tied", "quality.kept", "size.smaller"],
        ),
        (
            TIED,
            KEPT,
            -0.2,
            "no_gain",
            ["speed.tied", "quality.kept", "size.larger"],
        ),
        (FAST, LOST, SMALLER, "costs_quality", ["speed.faster", "quality.lost", "size.smaller"]),
        (FAST, UNSHOWN, SMALLER, "costs_quality", ["speed.faster", "quality.not_shown", "size.smaller"]),
        (SLOW, KEPT, SMALLER, "slower", ["speed.slower", "speed.operator", "quality.kept", "size.smaller"]),
        (SLOW, LOST, SMALLER, "slower", ["speed.slower", "speed.operator", "quality.lost", "size.smaller"]),
    ],
)
def test_each_situation_has_one_answer(speed, drop, savings, answer, codes):
    verdict = judge(VariantComparison(drop, speed, 0.03 if speed else None), size_saved=savings, culprit=BLAME)
    assert (verdict.answer.value, [reason.code for reason in verdict.reasons]) == (answer, codes)
    assert verdict.operator == ("ConvInteger" if answer == "slower" else None)


def test_slower_without_a_known_operator_is_slower_all_the_same():
    verdict = judge(VariantComparison(KEPT, SLOW, 0.03), size_saved=SAME, culprit=None)
    assert (verdict.answer.value, verdict.operator, len(verdict.reasons)) == ("slower", None, 2)


def messages(speed, drop, savings=SMALLER):
    verdict = judge(VariantComparison(drop, speed, 0.031), size_saved=savings, culprit=BLAME)
    return [reason.message for reason in verdict.reasons]


def test_the_reasons_are_sentences():
    assert messages(FAST, KEPT) == [
        "2.00 times as fast as the baseline, 95% interval 1.90 to 2.10.",
        (
            "Loses 0.10 points of accuracy (95% interval of the loss -0.20 to 0.40, 5,000 rows): within the margin of "
            "1.00 points."
        ),
        "The file is 74% smaller.",
    ]
    assert messages(SLOW, LOST)[:3] == [
        "4.0 times as slow as the baseline: it runs at 0.25 of its speed, 95% interval 0.24 to 0.26.",
        "ConvInteger costs 0.249 of 0.269 ms per inference; the baseline has none.",
        (
            "Loses 5.80 points of accuracy (95% interval of the loss 5.00 to 6.60, 5,000 rows): beyond the margin of "
            "1.00 "
            "points."
        ),
    ]
    assert messages(TIED, UNSHOWN, -0.2) == [
        (
            "The speed does not differ measurably from the baseline's: 1.02 times, 95% interval 0.98 to 1.05; "
            "the noise floor is 3.1%."
        ),
        (
            "Gains 0.20 points of accuracy (95% interval of the loss -3.00 to 2.60, 200 rows): a loss beyond the "
            "margin of 1.00 "
            "points is not ruled out. More test rows would clarify."
        ),
        "The file is 20% larger.",
    ]
    assert messages(None, KEPT)[0] == "Too few rounds were measured to compare the speed."


def test_the_operator_whose_time_grew_the_most_is_blamed():
    assert culprit(FP32, DYNAMIC) == Culprit("ConvInteger", 0.2491, pytest.approx(0.2688), 0.0)
    assert culprit({"Conv": 0.2, "Relu": 0.1}, {"Conv": 0.5, "Relu": 0.3}).words() == (
        "Conv costs 0.5 of 0.8 ms per inference; the baseline spends 0.2 ms in it."
    )


@pytest.mark.parametrize("variant", [{}, FP32, {"Conv": 0.01}])
def test_where_nothing_grew_nobody_is_blamed(variant):
    assert culprit(FP32, variant) is None


def test_what_is_saved_is_a_share_of_the_baseline():
    def saved(before, after):
        baseline, variant = ({"model_size_mb": {"value": value}} for value in (before, after))
        return saved_share("model_size_mb", baseline, variant)

    shares = [saved(4.0, 1.0), saved(4.0, 5.0), saved(None, 1.0), saved(4.0, None), saved(0.0, 1.0)]
    assert shares == [0.75, -0.25, None, None, None]
    assert saved_share("peak_memory_mb", {}, {}) is None
