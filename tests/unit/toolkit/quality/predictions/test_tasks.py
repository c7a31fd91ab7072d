"""Tasks: recognized by the columns, read into rows, and refused with the sentence that helps."""

import numpy as np
import pytest
from scipy.special import expit, softmax  # noqa: TID253 -- an independent oracle

from tests.unit.toolkit.quality.task_rows import COLUMNS, columns_of, drawn_rows, rows_from
from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AnswerSettings
from weighbridge.quality.metrics.registry import Task
from weighbridge.quality.predictions.columns import ROLES, Predictions
from weighbridge.quality.predictions.reading import column_of, predictions_of
from weighbridge.quality.predictions.task_rows import READ, ReadingSettings, rows_of
from weighbridge.quality.predictions.tasks import default_names, task_by_columns

YES_NO = {"y": ["no", "yes", "yes"], "score": [0.1, 0.4, 0.9]}


def refused(words, task, columns, **settings):
    with pytest.raises(Invalid, match=words) as refusal:
        rows_from(columns, task, **settings)
    return refusal.value.field


def answers(**settings):
    return {"answers": AnswerSettings(**settings)}


@pytest.mark.parametrize("task", [task for task in COLUMNS if task is not Task.SEGMENTATION])
def test_columns_show_their_task_and_its_metrics(task):
    columns = columns_of(task, 12, seed=1)
    if task is Task.TEXT:
        columns["truth"] = [f"{text} {row}" for row, text in enumerate(columns["truth"])]
    assert task_by_columns(predictions_of(columns, {}))[0] is task
    assert len(default_names(task, drawn_rows(task, 12, seed=1))) >= 2


def test_other_columns_show_their_task():
    def seen(**columns):
        return task_by_columns(predictions_of(columns, {}))

    assert seen(y=[["a"], []]) == (Task.LABELS, "y has a list of labels in each row")
    assert seen(y=["a b", "c d"], score=[0.1, 0.2])[0] is Task.CLASSES
    assert seen(y=["new york", "new york", "rome", "rome"])[0] is Task.CLASSES
    assert seen(y=[True, False])[0] is Task.CLASSES
    # A table with an empty cell somewhere stores whole numbers as decimal ones.
    assert seen(y=[0.0, 1.0], score=[0.2, 0.9]) == (Task.CLASSES, "y has whole numbers")
    assert seen(y=[0.0, 2.0], prediction=[0.0, 2.0]) == (Task.NUMBERS, "y has decimal numbers")
    assert seen(y=[3, 4], prediction=[3.5, 4.0]) == (
        Task.NUMBERS,
        "prediction has decimal numbers that are no probabilities",
    )
    assert seen(y=[3, 4], prediction=[3.0, 4.0])[0] is Task.CLASSES
    assert seen(y=[0, 1], prediction=[0.3, 1.0])[0] is Task.CLASSES
    assert seen(y=[3, 4], prediction=[3.5, 4.0], score=[0.1, 0.2])[0] is Task.CLASSES
    for truth in ([{"a": 1}, {"a": 2}], [[0, 3], [1, 2]], [[[0, 1]], [[1, 1]]], ["a", 1], [[1], [0, 1]]):
        with pytest.raises(Invalid, match="do not show what y is; name a metric with --metric"):
            seen(y=truth)


def test_metrics_of_scores_are_chosen_only_with_scores():
    plain = rows_from({"y": [0, 1], "prediction": [0, 1]}, Task.CLASSES)
    assert default_names(Task.CLASSES, plain) == ("accuracy", "precision_macro", "recall_macro", "f1_macro")
    own = rows_from({"y": [0, 1], "scores": [[3.0, 0], [0, 5]]}, Task.CLASSES, **answers(scores="independent"))
    assert default_names(Task.CLASSES, own)[-2:] == ("roc_auc", "pr_auc")
    many = rows_from({"y": np.arange(21), "scores": np.eye(21)}, Task.CLASSES)
    assert [name for name in default_names(Task.CLASSES, many) if "auc" in name] == ["roc_auc"]
    labels = rows_from({"y": [["a"], []], "prediction": [["a"], []]}, Task.LABELS)
    assert default_names(Task.LABELS, labels)[-1] == "labels_f1_macro"


def test_a_single_score_is_that_of_the_positive_class():
    rows = rows_from(YES_NO, Task.CLASSES, positive="yes")
    assert (rows.classes, rows["truth"].tolist(), rows["prediction"].tolist()) == (("no", "yes"), [0, 1, 1], [0, 0, 1])
    assert rows["scores"][:, 1].tolist() == [0.1, 0.4, 0.9]
    other = rows_from(YES_NO, Task.CLASSES, positive="no", **answers(threshold=0.3))
    assert (other.classes, other["prediction"].tolist()) == (("yes", "no"), [0, 1, 1])
    assert refused("name it with --positive, one of two classes", Task.CLASSES, YES_NO) == "positive"
    assert refused("--positive", Task.CLASSES, YES_NO, positive="maybe") == "positive"
    many = {"y": ["a", "b", "c"], "score": [0.1, 0.2, 0.3]}
    assert refused("--positive", Task.CLASSES, many, positive="a") == "positive"


def test_columns_of_scores_are_classes_by_their_names():
    columns = {"y": ["cat", "dog"], "score_dog": [0.4, 0.9], "p_cat": [0.6, 0.1], "owl": [0.0, 0.0]}
    found = predictions_of(columns, {"scores": ["score_dog", "p_cat", "owl"]})
    rows = rows_of(Task.CLASSES, found, ReadingSettings())
    assert (rows.classes, rows["truth"].tolist()) == (("dog", "cat", "owl"), [1, 0])
    short = predictions_of(columns, {"scores": ["p_cat", "owl"]})
    with pytest.raises(Invalid, match="truth has classes without scores: dog; the classes are cat, owl"):
        rows_of(Task.CLASSES, short, ReadingSettings())
    other = predictions_of({**columns, "prediction": ["cat", "emu"]}, {"scores": ["score_dog", "p_cat", "owl"]})
    with pytest.raises(Invalid, match="prediction has classes without scores: emu"):
        rows_of(Task.CLASSES, other, ReadingSettings())


def test_answers_and_scores_are_read_beside_each_other():
    columns = {"y": [0, 1, 1], "prediction": [1, 1, 0], "scores": [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]}
    rows = rows_from(columns, Task.CLASSES)
    assert (rows["prediction"].tolist(), rows["scores"].shape) == ([1, 1, 0], (3, 2))
    named = {"y": ["a", "b"], "prediction": ["b", "b"], "scores": [[0.9, 0.1], [0.2, 0.8]]}
    assert rows_from(named, Task.CLASSES)["prediction"].tolist() == [1, 1]


def test_a_threshold_decides_between_two_columns_of_scores_too():
    columns = {"y": [0, 1], "scores": [[0.6, 0.4], [0.2, 0.8]]}
    assert rows_from(columns, Task.CLASSES, **answers(threshold=0.3))["prediction"].tolist() == [1, 1]
    assert rows_from(columns, Task.CLASSES)["prediction"].tolist() == [0, 1]
    odd = {"y": [0, 1], "scores": [[3.0, 1.0], [0.2, 0.8]]}
    assert refused("there is none here", Task.CLASSES, odd, **answers(threshold=0.3)) == "threshold"
    three = {"y": [0, 1], "scores": np.eye(3)[:2]}
    assert refused("decides between two classes", Task.CLASSES, three, **answers(threshold=0.3)) == "threshold"


@pytest.mark.parametrize(
    ("task", "columns", "settings", "field"),
    [
        (Task.CLASSES, {"prediction": [0, 1], "score": [0.2, 0.9]}, {"threshold": 0.3}, "threshold"),
        (Task.CLASSES, {"prediction": [0, 1]}, {"scores": "logits"}, "scores_are"),
        (Task.LABELS, {"prediction": [[0, 1], [1, 0]]}, {"threshold": 0.3}, "threshold"),
        (Task.LABELS, {"prediction": [[0, 1], [1, 0]]}, {"scores": "logits"}, "scores_are"),
        (Task.NUMBERS, {"prediction": [0, 1]}, {"threshold": 0.3}, "threshold"),
        (Task.TEXT, {"prediction": ["a", "b"]}, {"scores": "logits"}, "scores_are"),
    ],
)
def test_a_setting_of_scores_that_decides_nothing_is_refused(task, columns, settings, field):
    assert (
        refused(f"--{field.replace('_', '-')} decides nothing", task, {"y": [0, 1], **columns}, **answers(**settings))
        == field
    )


def test_columns_and_forms_that_a_task_does_not_read_are_refused():
    columns = {name: column_of(values) for name, values in {"y": [0, 1], "prediction": [0, 1], "other": [1, 2]}.items()}
    for role in set(ROLES) - READ[Task.CLASSES]:
        with pytest.raises(Invalid, match=f"--{role.replace('_', '-')} decides nothing") as refusal:
            rows_of(Task.CLASSES, Predictions(columns, {role: ["other"]}), ReadingSettings())
        assert refusal.value.field == role
    assert refused("--box-format decides nothing", Task.CLASSES, columns, box_format="xywh") == "box_format"
    assert refused("--positive decides nothing", Task.NUMBERS, columns, positive="a") == "positive"


@pytest.mark.parametrize("task", COLUMNS)
def test_every_task_reads_the_columns_that_it_says(task):
    columns = {name: column_of(values) for name, values in columns_of(task, 12, seed=3).items()}
    seen = set()

    class Watched(Predictions):
        def names(self, role):
            seen.add(role)
            return super().names(role)

    rows_of(task, Watched(columns), ReadingSettings())
    assert seen - {"scores"} <= READ[task]


def test_numbers_of_classes_may_be_written_as_decimals():
    rows = rows_from({"y": [0.0, 1.0], "prediction": [1.0, 1.0]}, Task.CLASSES)
    assert (rows["truth"].dtype, rows["prediction"].tolist(), rows.reading) == (np.int64, [1, 1], "")
    assert rows_from({"y": [0, 1], "prediction": [0.2, 0.8]}, Task.CLASSES).reading == "probabilities"


def test_classes_that_do_not_fit_are_refused():
    assert refused("number or the name of a class", Task.CLASSES, {"y": [0.5, 1], "prediction": [0, 1]}) == "truth"
    assert refused("both be names", Task.CLASSES, {"y": ["a"], "prediction": [1]}) == "prediction"
    assert refused("both be names", Task.CLASSES, {"y": [1], "prediction": ["a"]}) == "prediction"
    assert refused("scores must have a number", Task.CLASSES, {"y": [1], "scores": ["a"]}) == "scores"
    assert refused("2 scores in each row, but 3 classes", Task.CLASSES, {"y": list("abc"), "scores": np.ones((3, 2))})
    assert refused("no probability of class 1; state --scores logits", Task.CLASSES, {"y": [0, 1], "score": [0, 7.5]})
    assert refused("no value in row 2", Task.CLASSES, {"y": [0, None], "prediction": [0, 1]}) == "truth"
    assert refused("no prediction in the columns", Task.CLASSES, {"y": [0, 1]}) == "prediction"
    assert refused("prediction contains class 7", Task.CLASSES, {"y": [0], "prediction": [7], "scores": [[1.0, 0]]})
    assert refused("between 0 and 4095", Task.CLASSES, {"y": [-1], "prediction": [1]}) == "data"


def test_labels_are_numbers_or_names():
    named = rows_from({"y": [["a"], ["b", "a"], []], "prediction": [["a", "z"], ["b"], []]}, Task.LABELS)
    assert (named.classes, named["truth"].tolist()) == (("a", "b", "z"), [[1, 0, 0], [1, 1, 0], [0, 0, 0]])
    assert named["prediction"].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    single = rows_from({"y": ["a", "b"], "prediction": ["a", "a"]}, Task.LABELS)
    assert single["truth"].tolist() == [[1, 0], [0, 1]]
    logits = {"y": [[0, 1]], "scores": [[-1.0, 2.0]]}
    stated = rows_from(logits, Task.LABELS, **answers(scores="logits"))
    assert stated["scores"] == pytest.approx(expit([[-1.0, 2.0]]))
    own = rows_from({**logits, "prediction": [[1, 1]]}, Task.LABELS)
    assert (own["prediction"].tolist(), own["scores"].tolist()) == ([[1, 1]], [[-1.0, 2.0]])
    cut = rows_from({"y": [[0, 1]], "scores": [[0.4, 0.2]]}, Task.LABELS, **answers(threshold=0.3))
    assert cut["prediction"].tolist() == [[1, 0]]


def test_labels_that_do_not_fit_are_refused():
    y = [[0, 1], [1, 1]]
    assert refused("0 or 1 for each label, but it has not in row 2", Task.LABELS, {"y": [[0, 1], [2, 1]]}) == "truth"
    assert refused("list of names", Task.LABELS, {"y": [[1], [0, 1]]}) == "truth"
    assert refused("prediction has 3 labels", Task.LABELS, {"y": y, "prediction": np.ones((2, 3))}) == "prediction"
    assert refused("scores have the shape", Task.LABELS, {"y": y, "scores": np.ones((2, 3))}) == "scores"
    assert refused("finite number for each label", Task.LABELS, {"y": y, "scores": [0.1, 0.2]}) == "scores"
    assert refused("state --scores-are logits", Task.LABELS, {"y": y, "scores": [[5.0, 1], [0, 1]]}) == "scores"
    assert refused("no prediction in the columns", Task.LABELS, {"y": y}) == "prediction"
    assert refused("at least one label", Task.LABELS, {"y": [[], []], "prediction": [[], []]}) == "truth"


def test_stated_logits_are_read_as_in_a_profile():
    logits = np.array([[1.0, 2.0], [0.5, -1.0]])
    rows = rows_from({"y": [0, 1], "scores": logits}, Task.CLASSES, **answers(scores="logits"))
    assert rows["scores"] == pytest.approx(softmax(logits, axis=1))


def test_rankings_uplift_and_numbers_that_do_not_fit_are_refused():
    query = {"query": ["a", "a"], "score": [1, 2]}
    assert refused("relevance is negative in row 2", Task.RANKING, {**query, "relevance": [0, -1]}) == "relevance"
    assert refused("no truth in the columns", Task.RANKING, query) == "truth"
    units = {"y": [0, 1], "score": [1, 2]}
    assert refused("1 for treated units", Task.UPLIFT, {**units, "treatment": [1, 1]}) == "treatment"
    assert refused("1 for treated units", Task.UPLIFT, {**units, "treatment": [0, 2]}) == "treatment"
    wide = predictions_of({"y": [0.5], "a": [1], "b": [2]}, {"prediction": ["a", "b"]})
    with pytest.raises(Invalid, match="Several columns cannot be the prediction"):
        rows_of(Task.NUMBERS, wide, ReadingSettings())
    assert rows_from({"query": [1, 1], "y": [0, 1], "prediction": [1, 2]}, Task.RANKING)["scores"].tolist() == [1, 2]
    assert rows_from({"treatment": [1, 0], "y": [0, 1], "prediction": [1, 2]}, Task.UPLIFT)["scores"].tolist() == [1, 2]
    assert rows_from({"query": [1.5, 2], "y": [0, 1], "score": [1, 2]}, Task.RANKING)["query"].tolist() == [
        1.5,
        2.0,
    ]


def test_texts_that_do_not_fit_are_refused():
    assert (
        refused("list of texts, but it is not in row 2", Task.TEXT, {"y": [["a"], []], "prediction": ["a", "b"]})
        == "truth"
    )
    assert refused("but it is not in rows 1, 2", Task.TEXT, {"y": [[1], [2]], "prediction": ["a", "b"]}) == "truth"
    assert refused("one text in each row", Task.TEXT, {"y": ["a"], "prediction": [1]}) == "prediction"


def boxes(**changed):
    columns = columns_of(Task.DETECTION, 2, seed=1)
    one = {"boxes": [[[0, 0, 5, 5]]], "labels": [["a"]]}
    one |= {"predicted_boxes": [[[0, 0, 5, 5]]], "predicted_labels": [["a"]], "predicted_scores": [[0.5]]}
    assert set(one) == set(columns)
    return {**one, **changed}


def test_boxes_are_corners_or_sizes():
    sizes = rows_from(boxes(boxes=[[[10, 20, 5, 6]]]), Task.DETECTION, box_format="xywh")
    assert sizes["boxes"][0].tolist() == [[10, 20, 15, 26]]
    none = rows_from(boxes(boxes=[[]], labels=[[]]), Task.DETECTION)
    assert (none["boxes"][0].shape, none["labels"][0].shape) == ((0, 4), (0,))


@pytest.mark.parametrize(
    ("changed", "words", "field"),
    [
        ({"boxes": [[[0, 0, 5]]]}, "boxes of row 1 are no list of boxes", "boxes"),
        ({"boxes": [[[5, 0, 0, 5]]]}, "see --box-format", "boxes"),
        ({"boxes": [[[0, 0, np.inf, 5]]]}, "four finite numbers", "boxes"),
        ({"predicted_boxes": [7]}, "predicted boxes of row 1 are no list", "predicted_boxes"),
        ({"labels": [[0.5]]}, "labels of row 1 are no list of class numbers", "labels"),
        ({"labels": [[1]]}, "all be numbers, or all be names", "labels"),
        ({"predicted_scores": [[np.inf]]}, "predicted scores of row 1 are no list of finite", "predicted_scores"),
        ({"predicted_scores": [["a"]]}, "predicted scores of row 1 are no list of finite", "predicted_scores"),
        ({"predicted_scores": [[0.5, 0.4]]}, "1 predicted boxes, but 2 predicted scores", "predicted_scores"),
        ({"labels": [["a", "b"]]}, "1 boxes, but 2 labels", "labels"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(changed, words, field):
    assert refused(words, Task.DETECTION, boxes(**changed)) == field


def test_other_forms_of_boxes_are_refused():
    assert refused("Boxes are xyxy or xywh, not 'cxcywh'", Task.DETECTION, boxes(), box_format="cxcywh") == "box_format"


def test_pixels_that_do_not_fit_are_refused():
    assert refused("truth of row 1 are no class numbers", Task.SEGMENTATION, {"y": [[0.5]], "prediction": [[1]]})
    assert refused("Row 1 has 2 truth, but 1 prediction", Task.SEGMENTATION, {"y": [[0, 1]], "prediction": [[1]]})
    assert refused("no class numbers", Task.SEGMENTATION, {"y": [[-1]], "prediction": [[1]]}) == "truth"
    assert refused("no class numbers", Task.SEGMENTATION, {"y": [[[1, 2], [1]]], "prediction": [[1]]}) == "truth"


def test_a_function_of_the_user_needs_any_answers():
    assert refused("no prediction in the columns y", Task.ANY, {"y": [1]}) == "prediction"
    rows = rows_from({"y": ["a", "b"], "scores": [[1, 2], [3, 4]]}, Task.ANY)
    assert rows["given_answers"].tolist() == [[1, 2], [3, 4]]
