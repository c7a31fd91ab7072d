"""Metrics against scikit-learn, jiwer, sacrebleu and pycocotools, and against second derivations."""

import contextlib
import io
import itertools

import jiwer
import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn import metrics as sk

from tests.unit.toolkit.quality.task_rows import columns_of, drawn_rows, rows_from
from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import Task, find_metric

pytestmark = pytest.mark.slow


def value_of(name, rows, weights=None):
    return find_metric(name).prepare(rows).value(units_of(len(rows), seed=1, weights=weights))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(10, 80), classes=st.sampled_from([2, 3, 5]), seed=st.integers(0, 999), is_weighted=st.booleans())
def test_classes_are_those_of_scikit_learn(n, classes, seed, is_weighted):
    rng = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), rng.integers(0, classes, n - classes))
    scores = rng.dirichlet(np.ones(classes), n)
    scores = np.round(0.9 * scores + 0.1 * np.eye(classes)[truth], 9)
    rows = rows_from({"truth": truth, "scores": scores}, Task.CLASSES)
    weight = rng.integers(1, 4, n).astype(float) if is_weighted else None
    answers, w = scores.argmax(axis=1), {"sample_weight": weight}
    of_curves = scores[:, 1] if classes == 2 else scores
    expected = {
        "accuracy": sk.accuracy_score(truth, answers, **w),
        "precision_macro": sk.precision_score(truth, answers, average="macro", zero_division=0, **w),
        "recall_macro": sk.recall_score(truth, answers, average="macro", **w),
        "f1_macro": sk.f1_score(truth, answers, average="macro", **w),
        "log_loss": sk.log_loss(truth, scores / scores.sum(axis=1, keepdims=True), **w),
        "roc_auc": sk.roc_auc_score(truth, of_curves, multi_class="ovr", **w),
        "pr_auc": sk.average_precision_score(truth, of_curves, **w),
        "brier": sk.brier_score_loss(truth, of_curves, **w),
    }
    if classes == 2:
        expected |= {
            "precision": sk.precision_score(truth, answers, zero_division=0, **w),
            "recall": sk.recall_score(truth, answers, **w),
            "f1": sk.f1_score(truth, answers, **w),
        }
    found = {name: value_of(name, rows, weight) for name in expected}
    assert found == {name: pytest.approx(value, abs=1e-7) for name, value in expected.items()}


def test_calibration_error_of_two_bins_by_hand():
    columns = {"truth": [0, 1, 1, 1], "scores": [0.2, 0.4, 0.6, 0.9]}
    # Below 0.5: stated 0.6 of 2 rows, found 1. Above: stated 1.5, found 2.
    assert value_of("ece@2", rows_from(columns, Task.CLASSES)) == pytest.approx((0.4 + 0.5) / 4)
    three = {"truth": [0, 2], "scores": [[0.8, 0.1, 0.1], [0.3, 0.4, 0.3]]}
    assert value_of("ece@10", rows_from(three, Task.CLASSES)) == pytest.approx((0.2 + 0.4) / 2)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(6, 50), seed=st.integers(0, 999))
def test_labels_are_those_of_scikit_learn(n, seed):
    rows = drawn_rows(Task.LABELS, n, seed)
    truth, answers, scores = rows["truth"], rows["prediction"], rows["scores"]
    expected = {
        "subset_accuracy": sk.accuracy_score(truth, answers),
        "hamming_loss": sk.hamming_loss(truth, answers),
        "labels_f1_micro": sk.f1_score(truth, answers, average="micro", zero_division=0),
        "labels_f1_macro": sk.f1_score(truth, answers, average="macro", zero_division=0),
        "labels_pr_auc": sk.average_precision_score(truth, scores, average="macro"),
    }
    assert {name: value_of(name, rows) for name in expected} == pytest.approx(expected)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(3, 80), seed=st.integers(0, 999), center=st.sampled_from([5.0, 1e6]))
def test_numbers_are_those_of_scikit_learn(n, seed, center):
    rng = np.random.default_rng(seed)
    truth = center + rng.normal(size=n)
    answers, scale = truth + rng.normal(0.1, 0.5, n), rng.uniform(1, 3, n)
    rows = rows_from({"y": truth, "prediction": answers, "scale": scale}, Task.NUMBERS)
    expected = {
        "mae": sk.mean_absolute_error(truth, answers),
        "rmse": sk.root_mean_squared_error(truth, answers),
        "r2": sk.r2_score(truth, answers),
        "mape": sk.mean_absolute_percentage_error(truth, answers),
        "pinball@0.9": sk.mean_pinball_loss(truth, answers, alpha=0.9),
        "mase": np.mean(np.abs(truth - answers) / scale),
    }
    found = {name: value_of(name, rows) for name in expected}
    assert found == {name: pytest.approx(value, rel=1e-6, abs=1e-9) for name, value in expected.items()}


def orders(scores):
    """Every order of rows by falling score; rows with equal scores in any order."""
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order)):
            yield order


@settings(max_examples=30, deadline=None)
@given(
    relevance=st.lists(st.integers(0, 2), min_size=1, max_size=5).filter(any),
    ties=st.lists(st.integers(0, 2), min_size=5, max_size=5),
    k=st.integers(1, 6),
)
def test_rankings_are_the_mean_over_the_orders_of_equal_scores(relevance, ties, k):
    scores = ties[: len(relevance)]
    columns = {"query": ["a"] * len(relevance), "relevance": relevance, "score": scores}
    rows = rows_from(columns, Task.RANKING)
    every = list(orders(scores))
    relevant = sum(each > 0 for each in relevance)

    def dcg(order):
        return sum(relevance[row] / np.log2(place + 2) for place, row in enumerate(order[:k]))

    best = dcg(sorted(range(len(relevance)), key=lambda row: -relevance[row]))
    hits = [sum(relevance[row] > 0 for row in order[:k]) / relevant for order in every]
    firsts = [1 / (1 + [relevance[row] > 0 for row in order].index(True)) for order in every]
    assert value_of(f"ndcg@{k}", rows) == pytest.approx(np.mean(list(map(dcg, every))) / best)
    assert value_of(f"recall@{k}", rows) == pytest.approx(np.mean(hits))
    assert value_of("mrr", rows) == pytest.approx(np.mean(firsts))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_ndcg_of_several_queries_is_that_of_scikit_learn(seed):
    rows = drawn_rows(Task.RANKING, 40, seed)
    table = [rows[name].reshape(10, 4) for name in ("relevance", "scores")]
    assert value_of("ndcg@3", rows) == pytest.approx(sk.ndcg_score(*table, k=3))


TEXTS = st.lists(st.sampled_from(["a", "cat", "The", "dog.", "mat", "x y"]), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(TEXTS, st.one_of(TEXTS, st.just(""))), min_size=1, max_size=8))
def test_texts_are_those_of_jiwer_and_sacrebleu(pairs):
    truth, texts = map(list, zip(*pairs, strict=True))
    rows = rows_from({"truth": truth, "prediction": texts}, Task.TEXT)
    assert value_of("wer", rows) == pytest.approx(jiwer.wer(truth, texts))
    assert value_of("cer", rows) == pytest.approx(jiwer.cer(truth, texts))
    assert 100 * value_of("chrf", rows) == pytest.approx(sacrebleu.corpus_chrf(texts, [truth]).score)


def test_texts_by_hand_with_several_references():
    columns = {"truth": [["The cat!", "a black cat"], ["yes"], ["the"]], "prediction": ["black cat", "no", "a"]}
    rows = rows_from(columns, Task.TEXT)
    assert value_of("exact_match", rows) == 0
    # "cat" of "black cat" is 2/3, "black cat" is all of it; articles are no words, and nothing equals nothing.
    assert value_of("token_f1", rows) == pytest.approx((1 + 0 + 1) / 3)
    # The second reference needs one word more, of three; the other rows have one wrong word of one.
    assert value_of("wer", rows) == pytest.approx(3 / 5)
    streams = [["The cat!", "yes", "the"], ["a black cat", None, None]]
    score = sacrebleu.corpus_chrf(columns["prediction"], streams).score
    assert 100 * value_of("chrf", rows) == pytest.approx(score)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 999))
def test_pictures_are_the_jaccard_score_of_all_pixels(n, seed):
    rows = drawn_rows(Task.SEGMENTATION, n, seed)
    truth, answers = np.concatenate(rows["truth"]), np.concatenate(rows["prediction"])
    assert value_of("miou", rows) == pytest.approx(sk.jaccard_score(truth, answers, average="macro"))
    kept = truth != 2
    expected = sk.jaccard_score(
        truth[kept], answers[kept], average="macro", labels=np.unique([truth[kept], answers[kept]])
    )
    assert value_of("miou@2", rows) == pytest.approx(expected)


def coco(columns, labels, boxes, scores=None):
    index = COCO()
    entries = []
    for picture, (names, places) in enumerate(zip(columns[labels], columns[boxes], strict=True)):
        for number, (name, (left, top, right, bottom)) in enumerate(zip(names, places, strict=True)):
            width, height = right - left, bottom - top
            box = {"bbox": [left, top, width, height], "area": width * height, "iscrowd": 0, "category_id": name + 1}
            box |= {"id": len(entries) + 1, "image_id": picture}
            entries.append(box | ({"score": columns[scores][picture][number]} if scores else {}))
    pictures = [{"id": picture} for picture in range(len(columns[labels]))]
    index.dataset = {"images": pictures, "categories": [{"id": 1}, {"id": 2}], "annotations": entries}
    index.createIndex()
    return index


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 999))
def test_boxes_are_those_of_pycocotools(n, seed):
    columns = columns_of(Task.DETECTION, n, seed)
    rows = rows_from(columns, Task.DETECTION)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(columns, "labels", "boxes")
        found = coco(columns, "predicted_labels", "predicted_boxes", "predicted_scores")
        job = COCOeval(truth, found, "bbox")
        job.evaluate()
        job.accumulate()
        job.summarize()
    assert value_of("map", rows) == pytest.approx(job.stats[0])
    assert value_of("map_50", rows) == pytest.approx(job.stats[1])
    assert value_of("map_75", rows) == pytest.approx(job.stats[2])


@settings(max_examples=25, deadline=None)
@given(n=st.integers(4, 40), seed=st.integers(0, 999))
def test_uplift_is_the_area_under_a_curve_drawn_point_by_point(n, seed):
    rows = drawn_rows(Task.UPLIFT, n, seed)
    scores, treated, outcome = rows["scores"], rows["treatment"] == 1, rows["truth"]
    points = [(0.0, 0.0, 0.0)]
    for limit in sorted(set(scores), reverse=True):
        inside = scores >= limit
        of_treated, of_controls = outcome[inside & treated], outcome[inside & ~treated]
        fair = of_controls.sum() * len(of_treated) / len(of_controls) if len(of_controls) else 0.0
        gain = of_treated.mean() - of_controls.mean() if len(of_treated) and len(of_controls) else 0.0
        share = inside.mean()
        points.append((share, (of_treated.sum() - fair) / treated.sum(), gain * share))
    share, curve, gains = map(list, zip(*points, strict=True))
    assert value_of("qini", rows) == pytest.approx(np.trapezoid(curve, share) - curve[-1] / 2)
    assert value_of("auuc", rows) == pytest.approx(np.trapezoid(gains, share))
    # Both curves end at the average effect.
    assert curve[-1] == pytest.approx(gains[-1]) == pytest.approx(outcome[treated].mean() - outcome[~treated].mean())
