"""Scores of predictions: metrics with intervals, slices, drops against a baseline, and the document."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.quality.task_rows import COLUMNS, METRICS, columns_of, rows_from
from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AnswerSettings
from weighbridge.quality.metrics.prepared import MAX_UNITS, one_by_one, units_of
from weighbridge.quality.metrics.registry import NO_BOUNDS, Metric, Task, find_metric
from weighbridge.quality.paired import accuracy_drop
from weighbridge.quality.predictions.reading import predictions_of
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.predictions.task_rows import ReadingSettings
from weighbridge.quality.scoring.document import scores_document
from weighbridge.quality.scoring.intervals import bootstrap_interval
from weighbridge.quality.scoring.job import Wanted
from weighbridge.quality.scoring.measuring import ScoreSettings, measure
from weighbridge.statistics.order_statistics import wilson_interval

FEW = ScoreSettings(resamples=500)
RNG = np.random.default_rng(20_261_128)
YES = RNG.integers(0, 2, 400)
SCORE = np.round(np.clip(0.5 * YES + 0.6 * RNG.random(400) - 0.05, 0, 1), 3)
COUNTRY = np.where(np.arange(400) < 20, "small", np.where(np.arange(400) % 2, "DE", "FR"))
BINARY = {"y": YES, "score": SCORE, "country": COUNTRY, "id": np.arange(400)}


def scored(columns, mapped=None, baseline=None, score=FEW, **wanted):
    roles = {role: [name] for role, name in (mapped or {}).items()}
    other = None if baseline is None else predictions_of(baseline, {"id": ["id"]} if "id" in roles else {})
    return scores_document(predictions_of(columns, roles), Wanted(baseline=other, score=score, **wanted))


def refused(words, *arguments, **options):
    with pytest.raises(Invalid, match=words) as refusal:
        scored(*arguments, **options)
    return refusal.value.field


def ends(entry):
    return entry["value"], entry["lower"], entry["upper"]


def test_a_document_says_all_that_was_measured():
    found = scored(BINARY)
    assert (found["schema"], found["task"], found["rows"], found["units"]) == (
        "weighbridge.scores/1",
        "classification",
        400,
        400,
    )
    assert found["chosen"] == ("No metric was named; those of classification were chosen, because y has whole numbers.")
    assert list(found["metrics"]) == [
        *("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "pr_auc"),
        *("log_loss", "brier", "ece@15"),
    ]
    hits = int(((SCORE >= 0.5) == YES).sum())
    assert ends(found["metrics"]["accuracy"]) == ends(vars(wilson_interval(hits, 400)))
    methods = {name: metric["method"] for name, metric in found["metrics"].items()}
    assert (methods["accuracy"], methods["roc_auc"], methods["pr_auc"]) == ("Wilson", "DeLong", "bootstrap")
    assert methods["f1_macro"] == "bootstrap and Wilson"
    assert np.trace(found["confusion"]) == hits
    assert found["columns"] == {"truth": ["y"], "scores": ["score"]} | (
        {"id": []} if found["columns"].get("id") else {}
    )
    assert (found["scores"], found["slices"], found["correction"], found["drops"]) == ("probabilities", [], None, [])
    assert sum(each["n"] for each in found["reliability"]) == 400
    assert all(each["lower"] <= each["share"] <= each["upper"] for each in found["reliability"])
    assert scored(BINARY) == found


@pytest.mark.parametrize("task", COLUMNS)
def test_every_metric_of_a_task_has_an_interval(task):
    names = [metric.name for metric in METRICS if metric.task is task]
    found = scored(columns_of(task, 60, seed=3), metrics=names)
    assert list(found["metrics"]) == names
    for name, metric in found["metrics"].items():
        assert metric["lower"] <= metric["value"] <= metric["upper"], name
        assert metric["lower"] < metric["upper"], name
    assert (found["chosen"], found["missing"]) == (None, [])


def test_a_metric_without_a_value_takes_no_other_one_with_it():
    found = scored({"y": [1, 0, 1, 0], "prediction": [0, 0, 0, 0]}, metrics=["precision", "recall"])
    assert found["missing"] == [{"metric": "precision", "message": "No row is answered with the class 1."}]
    assert list(found["metrics"]) == ["recall"]
    assert refused("recall: No row has the class 1", {"y": [0, 0], "prediction": [0, 1]}, metrics=["recall"])
    none = {"y": [0, 0], "prediction": [0, 0]}
    assert refused("f1: No row has, or is answered with, the class 1", none, metrics=["f1"])


def test_metrics_that_a_person_names_must_have_a_value():
    numbers = {"y": [0.0, 1.5, 2.5], "prediction": [0.1, 1.0, 2.0]}
    assert refused("mape: MAPE is not defined, because the truth is 0 in 1 rows", numbers, metrics=["mape"]) == "metric"
    chosen = scored(numbers)
    assert [each["metric"] for each in chosen["missing"]] == ["mape"]
    assert refused("r2: R2 is not defined", {"y": [1.5, 1.5], "prediction": [1, 2]}, metrics=["r2"])
    assert refused("MASE needs a column with the scale", numbers, metrics=["mase"]) == "scale"
    zero = numbers | {"scale": [1, 0, 1]}
    assert refused("scale of MASE must be above 0", zero, metrics=["mase"]) == "scale"
    logits = {"y": [0, 1], "scores": [[3.0, 1.0], [0.2, 0.9]]}
    assert refused("log_loss: It needs probabilities", logits, metrics=["log_loss"]) == "metric"
    three = {"y": [0, 1, 2], "scores": [[3.0, 1, 0]] * 3}
    assert refused("ece@15: The scores of a row do not add up to 1", three, metrics=["ece"]) == "metric"
    classes = {"y": [0, 1, 2], "prediction": [0, 1, 1]}
    assert refused("pr_auc: This metric needs scores of classes", classes, metrics=["pr_auc"])
    assert refused("precision: This metric needs two classes, but there are 3", classes, metrics=["precision"])
    one = {"y": [1, 1], "score": [0.5, 0.7]}
    assert refused("needs rows of at least two classes", one, metrics=["pr_auc"])
    assert refused("needs scores of labels", {"y": [["a"]], "prediction": [["a"]]}, metrics=["labels_pr_auc"])
    all_set = {"y": [[1, 1]], "scores": [[0.9, 0.9]]}
    assert refused("label that some rows have", all_set, metrics=["labels_pr_auc"])
    empty = {"y": ["a", " "], "prediction": ["a", "b"]}
    assert refused(
        "wer: The word error rate is not defined, because the reference is empty in 1 rows", empty, metrics=["wer"]
    )
    none = {"query": [1, 1], "relevance": [0, 0], "score": [1, 2]}
    assert refused("No query has a relevant row", none, metrics=["mrr"])
    ignored = {"y": [[5, 5]], "prediction": [[1, 1]]}
    assert refused("All pixels are ignored", ignored, metrics=["miou@5"])
    boxes = {"boxes": [[]], "labels": [[]], "predicted_boxes": [[]], "predicted_labels": [[]], "predicted_scores": [[]]}
    assert refused("There is no true box", boxes, metrics=["map"])


def test_rows_that_are_left_out_are_counted_and_named():
    queries = np.repeat(np.arange(40), 3)
    relevance = np.where((queries < 7) | (np.arange(120) % 3 > 0), 0, 1)
    found = scored({"query": queries, "relevance": relevance, "score": RNG.random(120)}, metrics=["mrr"])
    words = "7 of 40 queries have no relevant row and are left out: 0, 1, 2, 3, 4 and 2 more."
    assert found["left_out"] == [{"metric": "mrr", "message": words}]
    assert (found["units"], found["metrics"]["mrr"]["n"]) == (40, 33)
    pixels = scored({"y": [[255, 1], [0, 1]], "prediction": [[0, 1], [0, 0]]}, metrics=["miou@255"])
    assert pixels["left_out"][0]["message"] == "1 of 4 pixels have the true class 255 and are left out."


def test_a_single_row_has_no_interval_and_few_have_a_note():
    found = scored({"y": [1.5], "prediction": [2.0]}, metrics=["mae"])
    assert found["metrics"]["mae"] == {
        "value": 0.5,
        "lower": None,
        "upper": None,
        "confidence": None,
        "n": 1,
        "unit": "1",
    }
    assert "only 1 rows" in found["notes"][0]["message"]
    alone = {"y": [1], "score": [0.8]}
    both = scored(alone, metrics=["ece", "brier"], baseline=alone)
    assert ({metric["lower"] for metric in both["metrics"].values()}, both["drops"]) == ({None}, [])
    grouped = scored(BINARY | {"g": np.arange(400) % 5}, {"group": "g"}, metrics=["accuracy"])
    assert (grouped["units"], grouped["metrics"]["accuracy"]["n"]) == (5, 5)
    assert "only 5 groups of rows" in grouped["notes"][0]["message"]


def test_a_probability_of_zero_is_counted():
    found = scored({"y": [0, 1] * 20, "score": [0.0, 0.0] * 20}, metrics=["log_loss"])
    assert found["notes"] == [
        {"message": "20 rows give their true class the probability 0, which counts as 2.2e-16 in log_loss."}
    ]


def test_everything_right_is_not_certain():
    right = {"y": ["a b", "c d"] * 30, "prediction": ["a b", "c d"] * 30}
    found = scored(right, metrics=["exact_match", "token_f1", "wer"])["metrics"]
    assert ends(found["exact_match"]) == ends(found["token_f1"]) == ends(vars(wilson_interval(60, 60)))
    assert (found["token_f1"]["method"], found["token_f1"]["n"]) == ("Wilson", 60)
    assert ends(found["wer"]) == (0, 0, 0)  # more words may be wrong than there are
    notes = scored(right, metrics=["exact_match", "token_f1", "wer"])["notes"]
    assert notes == [
        {"message": "All resamples have the same wer: an interval without a width says nothing about other rows."}
    ]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), times=st.integers(2, 4))
def test_rows_that_repeat_in_groups_make_no_interval_narrower(seed, times):
    columns = columns_of(Task.NUMBERS, 40, seed)
    repeated = {name: np.repeat(values, times) for name, values in columns.items()} | {
        "g": np.repeat(np.arange(40), times)
    }
    once = scored(columns, metrics=["mae", "rmse"])["metrics"]
    grouped = scored(repeated, {"group": "g"}, metrics=["mae", "rmse"])["metrics"]
    alone = scored(repeated, metrics=["mae", "rmse"])["metrics"]
    for name in once:
        assert ends(grouped[name]) == pytest.approx(ends(once[name]))
        assert grouped[name]["upper"] - grouped[name]["lower"] > alone[name]["upper"] - alone[name]["lower"]


def test_weights_stand_for_rows_and_groups_take_the_closed_form_away():
    weights = np.where(YES == 1, 3.0, 1.0)
    found = scored(BINARY | {"w": weights}, {"weight": "w"}, metrics=["accuracy"])["metrics"]["accuracy"]
    assert found["value"] == pytest.approx(np.average((SCORE >= 0.5) == YES, weights=weights))
    assert found["method"] == "bootstrap"
    assert (
        refused("weight is negative in row 1;", BINARY | {"w": -weights * (np.arange(400) == 0)}, {"weight": "w"})
        == "weight"
    )
    assert refused("All weights are 0", BINARY | {"w": 0 * weights}, {"weight": "w"}) == "weight"


def test_many_rows_are_resampled_in_blocks():
    units = units_of(MAX_UNITS + 5, seed=1)
    assert (units.count, units.n, units.are_plain) == (MAX_UNITS, MAX_UNITS + 5, True)
    assert set(np.bincount(units.of_row)) == {1, 2}


def test_ranks_of_many_rows_have_the_standard_error_of_fewer_resamples(monkeypatch):
    monkeypatch.setattr("weighbridge.quality.metrics.prepared.MAX_RANKED", 400 * 250)
    whole = scored(BINARY, metrics=["pr_auc", "brier"], baseline={"score": 1 - SCORE})
    assert whole["metrics"]["pr_auc"]["method"] == "bootstrap standard error"
    assert whole["metrics"]["brier"]["method"] == "bootstrap"
    monkeypatch.undo()
    usual = scored(BINARY, metrics=["pr_auc", "brier"], baseline={"score": 1 - SCORE})
    widths = [each["metrics"]["pr_auc"]["upper"] - each["metrics"]["pr_auc"]["lower"] for each in (whole, usual)]
    assert widths[0] == pytest.approx(widths[1], rel=0.2)
    # In several pieces too, as few as are affordable.
    monkeypatch.setattr("weighbridge.quality.metrics.prepared.CHUNK_CELLS", 400 * 150)
    monkeypatch.setattr("weighbridge.quality.metrics.prepared.MAX_RANKED", 1)
    assert scored(BINARY, metrics=["pr_auc"])["metrics"]["pr_auc"]["method"] == "bootstrap standard error"


def test_numbers_beyond_the_machine_have_no_value():
    huge = {"y": np.array([1e200, -1e200] * 20), "prediction": np.zeros(40)}
    assert [each["metric"] for each in scored(huge)["missing"]] == ["rmse", "r2"]
    assert refused("rmse: It has no value for these rows", huge, metrics=["rmse"]) == "metric"


def test_slices_hold_together_and_small_ones_have_no_metrics():
    found = scored(BINARY, metrics=["accuracy", "brier"], slices=["country"])
    assert found["correction"] == {"method": "Bonferroni", "intervals": 4, "confidence": pytest.approx(1 - 0.05 / 4)}
    by_name = {each["name"]: each for each in found["slices"]}
    assert list(by_name) == ["country DE", "country FR", "country small"]
    small = by_name["country small"]
    assert (small["rows"], small["too_few"], small["metrics"]) == (20, True, {})
    part = COUNTRY == "DE"
    hits = int(((SCORE >= 0.5) == YES)[part].sum())
    expected = wilson_interval(hits, int(part.sum()), 1 - 0.05 / 4)
    assert ends(by_name["country DE"]["metrics"]["accuracy"]) == ends(vars(expected))
    assert by_name["country DE"]["metrics"]["brier"]["method"] == "bootstrap standard error"


def test_slices_are_crossed_and_contain_every_row():
    columns = BINARY | {"device": [None if row % 3 == 0 else "phone" for row in range(400)], "a,b": np.arange(400) % 2}
    found = scored(columns, metrics=["accuracy"], slices=["country, device", "a,b"])
    crossed = [each for each in found["slices"] if "device" in each["slice"]]
    assert {each["slice"]["device"] for each in crossed} == {"phone", "(no value)"}
    assert sum(each["rows"] for each in crossed) == 400
    assert [each["name"] for each in found["slices"] if "a,b" in each["slice"]] == ["a,b 0", "a,b 1"]


def test_slices_that_are_none_are_refused():
    assert refused("no column 'land'", BINARY, slices=["land"]) == "slice"
    assert refused("id have 400 different values, but at most 200", BINARY, slices=["id"]) == "slice"
    listed = BINARY | {"both": np.ones((400, 2))}
    assert refused("has a list in each row", listed, slices=["both"]) == "slice"
    queries = {"query": [1, 1], "relevance": [0, 1], "score": [1, 2], "s": [1, 2]}
    assert refused("s differs within the query 1", queries, slices=["s"]) == "s"
    assert refused("s differs within the query 1", queries, {"group": "s"}) == "s"
    assert refused("s differs within the query 1", queries, {"weight": "s"}) == "s"
    assert scored(queries | {"s": [1, 1]}, {"group": "s"}, metrics=["mrr"], slices=["s"])["slices"][0]["too_few"]


def test_a_metric_that_is_named_twice_is_scored_once():
    columns = columns_of(Task.RANKING, 240, seed=1)
    found = scored(columns | {"all": np.ones(240)}, metrics=["ndcg", "ndcg@10"], slices=["all"])
    assert (list(found["metrics"]), found["correction"]["intervals"]) == (["ndcg@10"], 1)


def test_a_slice_may_lack_what_a_metric_needs():
    found = scored(BINARY | {"y_is": YES}, metrics=["roc_auc", "accuracy"], slices=["y_is"])
    assert [list(each["metrics"]) for each in found["slices"]] == [["accuracy"], ["accuracy"]]
    assert found["slices"][0]["missing"] == [
        {"metric": "roc_auc", "message": "An area under a curve needs rows of at least two classes."}
    ]


def test_equal_predictions_have_no_drop():
    found = scored(BINARY, baseline=BINARY, margin=0.05)
    assert {drop["value"] for drop in found["drops"]} == {0}
    assert all(drop["is_non_inferior"] and drop["lower"] <= 0 <= drop["upper"] for drop in found["drops"])
    assert [drop["metric"] for drop in found["drops"]] == list(found["metrics"])


def test_a_drop_is_paired_by_id_and_judged_by_its_margin():
    worse = np.clip(SCORE + RNG.normal(0, 0.3, 400), 0, 1)
    order = RNG.permutation(400)
    baseline = {name: values[order] for name, values in BINARY.items()}
    variant = BINARY | {"score": worse}
    margin = {"accuracy": 0.5, "brier": 0.0001}
    found = scored(variant, {"id": "id"}, baseline, metrics=["accuracy", "brier", "mae"][:2], margin=margin)
    accuracy, brier = found["drops"]
    answers = [(values >= 0.5).astype(np.int64) for values in (SCORE, worse)]
    expected = accuracy_drop(YES, *answers)
    assert ends(accuracy) == ends(vars(expected))
    assert (accuracy["b"], accuracy["c"], accuracy["p_value"]) == (expected.b, expected.c, expected.p_value)
    assert (accuracy["margin"], accuracy["is_non_inferior"]) == (0.5, True)
    # Less is better: the drop is what the variant has more.
    assert brier["value"] == pytest.approx(np.mean((worse - YES) ** 2) - np.mean((SCORE - YES) ** 2))
    assert (brier["value"] > 0, brier["is_non_inferior"]) == (True, False)
    back = scored(baseline, {"id": "id"}, variant, metrics=["brier"])["drops"][0]
    assert back["value"] == pytest.approx(-brier["value"])
    assert back["is_non_inferior"] is None


def test_the_truth_of_a_baseline_may_be_left_out():
    found = scored(BINARY, baseline={"score": SCORE}, metrics=["brier"])
    assert found["drops"][0]["value"] == 0


def test_a_grouped_drop_has_no_closed_form():
    columns = BINARY | {"g": np.arange(400) // 2}
    found = scored(columns, {"group": "g"}, baseline={"score": 1 - SCORE}, metrics=["accuracy"], slices=["country"])
    assert (found["drops"][0]["n"], found["drops"][0]["p_value"]) == (200, None)
    assert [len(each["drops"]) for each in found["slices"]] == [1, 1, 0]
    assert found["correction"]["intervals"] == 4


def test_baselines_that_do_not_fit_are_refused():
    fewer = {name: values[:399] for name, values in BINARY.items()}
    assert refused("baseline has 399 rows, but the predictions 400", BINARY, baseline=fewer) == "baseline"
    assert refused("1 rows are only in the predictions \\(399\\); a drop", BINARY, {"id": "id"}, fewer) == "id"
    other = BINARY | {"id": np.arange(400) + 8}
    words = "8 rows are only in the predictions .* and 8 rows are only in the baseline \\(400, .* and 3 more"
    assert refused(words, BINARY, {"id": "id"}, other) == "id"
    twice = BINARY | {"id": np.arange(400) // 2}
    assert refused("ids of the predictions repeat", twice, {"id": "id"}, BINARY) == "id"
    assert (
        refused(
            "y differs between the predictions and the baseline, first in row", BINARY, baseline=BINARY | {"y": 1 - YES}
        )
        == "baseline"
    )
    assert refused("A margin is the acceptable loss against a baseline", BINARY, margin=0.1) == "margin"
    for margin in (0.0, -1.0, float("inf"), {"accuracy": 0.0}):
        assert refused("must be above zero", BINARY, baseline=BINARY, margin=margin) == "margin"
    assert refused("margin for f1, which is not scored", BINARY, baseline=BINARY, margin={"f1": 0.1}) == "margin"
    plain = {"y": YES, "score": SCORE}
    with pytest.raises(Invalid, match="baseline have no column for --id"):
        scores_document(predictions_of(BINARY, {"id": ["id"]}), Wanted(baseline=predictions_of(plain, {}), score=FEW))


def test_a_metric_that_one_side_cannot_have_has_no_drop():
    found = scored(BINARY, baseline={"y": YES, "prediction": YES})
    assert "roc_auc" in found["metrics"]
    assert [drop["metric"] for drop in found["drops"]] == ["accuracy", "precision_macro", "recall_macro", "f1_macro"]


def test_settings_out_of_range_are_refused():
    for bad in ({"confidence": 1.0}, {"resamples": 99}, {"seed": -1}, {"min_rows": 1}):
        with pytest.raises(Invalid) as refusal:
            ScoreSettings(**bad)
        assert refusal.value.field == next(iter(bad))


METRIC = Metric(name="m", task=Task.NUMBERS, prepare=lambda rows: None, bounds=NO_BOUNDS)


def test_few_resamples_beyond_a_bound_give_the_standard_error():
    units, drawn = units_of(50, seed=1), np.random.default_rng(1).normal(size=1_000)
    plain = bootstrap_interval(METRIC, 0.0, drawn, units, 0.95)
    wide = bootstrap_interval(METRIC, 0.0, drawn, units, 0.999)
    assert (plain.method, wide.method) == ("bootstrap", "bootstrap standard error")
    # Student's t with 49 degrees of freedom, for 50 units.
    assert (plain.lower, plain.upper) == (pytest.approx(-2.03, abs=0.15), pytest.approx(2.03, abs=0.15))
    assert wide.upper == pytest.approx(3.5 * drawn.std(ddof=1) * np.sqrt(50 / 49), rel=0.01)


def test_bounds_of_an_interval_are_possible_values():
    few = {"y": [0, 1, 1, 0], "score": [0.1, 0.6, 0.3, 0.2]}
    found = scored(few, metrics=["log_loss", "brier", "f1"])["metrics"]
    assert (found["log_loss"]["lower"], found["brier"]["lower"], found["f1"]["upper"]) == (0, 0, 1)
    assert scored({"y": [0.5, 1.5, 3.0], "prediction": [0.6, 1.4, 3.3]}, metrics=["r2"])["metrics"]["r2"]["upper"] <= 1


def test_resamples_without_a_value_do_not_count():
    units, drawn = units_of(50, seed=1), np.random.default_rng(1).normal(size=1_000)
    some = np.where(np.arange(1_000) < 400, np.nan, drawn)
    assert np.isfinite(bootstrap_interval(METRIC, 0.0, some, units, 0.95).lower)
    assert bootstrap_interval(METRIC, 0.0, np.full(1_000, np.nan), units, 0.95) is None


def test_a_metric_without_a_value_is_missing():
    nowhere = Metric(name="nowhere", task=Task.ANY, prepare=lambda _: one_by_one(lambda _: np.nan))
    found = measure([nowhere], Rows({"truth": np.ones(40)}), units_of(40, seed=1), FEW, confidence=0.95)
    assert found.missing == {"nowhere": "It has no value for these rows."}


def test_calibrated_probabilities_may_have_no_error():
    rng = np.random.default_rng(5)
    stated = rng.random(2_000)
    sound = scored({"y": (rng.random(2_000) < stated).astype(int), "score": stated}, metrics=["ece"])
    assert sound["metrics"]["ece@15"]["lower"] == 0
    off = scored({"y": (rng.random(2_000) < stated**2).astype(int), "score": stated}, metrics=["ece"])
    # The mean of |p - p^2| is 1/6.
    assert 0.1 < off["metrics"]["ece@15"]["lower"] < 1 / 6 < off["metrics"]["ece@15"]["upper"]
    grouped = scored(
        {"y": (rng.random(2_000) < stated).astype(int), "score": stated, "g": np.arange(2_000)},
        {"group": "g"},
        metrics=["ece"],
    )
    assert grouped["metrics"]["ece@15"]["lower"] >= 0


def test_scores_of_classes_on_their_own_have_no_reliability():
    reading = ReadingSettings(answers=AnswerSettings(scores="independent"))
    found = scored({"y": [0, 1] * 20, "scores": [[3.0, 1], [2, 5]] * 20}, reading=reading)
    assert (found["reliability"], found["scores"]) == (None, "independent")
    assert scored({"y": [0.5, 1.5], "prediction": [1, 2]})["reliability"] is None


def test_rows_of_the_tests_are_those_of_the_reader():
    assert rows_from(BINARY, Task.CLASSES)["truth"].tolist() == YES.tolist()
    assert find_metric("map").task is Task.DETECTION
