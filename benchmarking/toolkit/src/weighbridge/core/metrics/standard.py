"""The metric catalog of the toolkit: the first version of the catalog of every installation."""

from decimal import Decimal

from weighbridge.core.metrics.catalog import (
    Direction,
    MetricCatalog,
    MetricDefinition,
    MetricGroup,
    MetricScope,
    Producer,
)

_LOWER, _HIGHER, _ONE = Direction.LOWER, Direction.HIGHER, Decimal(1)
# What people state and bills say: no benchmark measures it, whatever the process of a model writes into its result.
_OF_PEOPLE = (Producer.PERSON, Producer.PROJECTION, Producer.BILL)


def _cost(name: str, unit: str, meaning: str, *, scope: MetricScope, parts: tuple[str, ...] = ()) -> MetricDefinition:
    return MetricDefinition(
        name, unit, _LOWER, meaning, parts=parts, group=MetricGroup.COST, scope=scope, producers=_OF_PEOPLE
    )


def _speed(
    name: str, unit: str, meaning: str, *, direction: Direction = _LOWER, maximum: Decimal | None = None
) -> MetricDefinition:
    return MetricDefinition(name, unit, direction, meaning, maximum=maximum, group=MetricGroup.SPEED)


def _share(name: str, meaning: str, *, direction: Direction = _HIGHER, has_parameter: bool = False) -> MetricDefinition:
    return MetricDefinition(name, "ratio", direction, meaning, maximum=_ONE, has_parameter=has_parameter)


def _loss(name: str, unit: str, meaning: str, *, has_parameter: bool = False) -> MetricDefinition:
    return MetricDefinition(name, unit, _LOWER, meaning, has_parameter=has_parameter)


_ARTIFACT, _DEPLOYMENT, _REQUEST = MetricScope.ARTIFACT, MetricScope.DEPLOYMENT, MetricScope.REQUEST
_COSTS = (
    _cost("training_gpu_hours", "gpu_h", "GPU hours to train the model once, all devices added up.", scope=_ARTIFACT),
    _cost("training_cost_usd", "USD", "What training costs once, failed attempts included.", scope=_ARTIFACT),
    _cost(
        "inference_cost_1y_usd",
        "USD",
        "What serving costs in the first year at the forecast traffic.",
        scope=_DEPLOYMENT,
    ),
    _cost(
        "total_cost_1y_usd",
        "USD",
        "Training plus one year of serving and upkeep.",
        scope=_DEPLOYMENT,
        parts=("training_cost_usd", "inference_cost_1y_usd"),
    ),
    _cost("cost_per_1k_usd", "USD", "What 1,000 inferences cost.", scope=_DEPLOYMENT),
)
_SPEEDS = (
    _speed("latency_p50_ms", "ms", "Half of all requests are answered within this time."),
    _speed("latency_p95_ms", "ms", "95 of 100 requests are answered within this time."),
    _speed("latency_p99_ms", "ms", "99 of 100 requests are answered within this time."),
    _speed("throughput_per_s", "1/s", "Inferences answered per second.", direction=_HIGHER),
    MetricDefinition(
        "error_rate",
        "ratio",
        _LOWER,
        "Share of requests that fail or time out.",
        maximum=_ONE,
        group=MetricGroup.SPEED,
        scope=_DEPLOYMENT,
    ),
    _speed("ttft_p95_ms", "ms", "95 of 100 answers of a language model begin within this time."),
    _speed("output_tokens_per_s", "1/s", "Tokens that a language model answers per second.", direction=_HIGHER),
    _speed("model_size_mb", "MB", "Size of the model file, 1 MB = 1,000,000 bytes."),
    _speed("peak_memory_mb", "MB", "Most memory held while serving, in a process of its own."),
)
_QUALITIES = (
    _share("accuracy", "Share of correct answers on the evaluation data."),
    _share("f1_macro", "F1 averaged over classes, each class counting the same."),
    _share("precision_macro", "Precision averaged over the classes that occur as truth or answer."),
    _share("recall_macro", "Recall averaged over the classes that occur as truth or answer."),
    _share("precision", "Share of correct answers among the answers of class 1, of two classes."),
    MetricDefinition(
        "recall",
        "ratio",
        _HIGHER,
        "Share of the rows of class 1 that are answered so, of two classes; with a number k, share of the relevant "
        "rows of a query that are among its first k rows.",
        maximum=_ONE,
        has_parameter=True,
    ),
    _share("f1", "F1 of class 1, of two classes."),
    _share("roc_auc", "Area under the ROC curve, one class against the rest, averaged over classes."),
    _share("pr_auc", "Area under the precision-recall curve, one class against the rest, averaged over classes."),
    _loss("log_loss", "nats", "Mean of -log of the probability of the true class."),
    _loss("brier", "1", "Mean squared error of the probabilities."),
    _share("ece", "Expected calibration error over k bins of equal width.", direction=_LOWER, has_parameter=True),
    _share("subset_accuracy", "Share of rows whose labels are all correct."),
    _share("hamming_loss", "Share of labels that are wrong.", direction=_LOWER),
    _share("labels_f1_micro", "F1 over all labels of all rows together."),
    _share("labels_f1_macro", "F1 averaged over the labels that occur as truth or answer."),
    _share("labels_pr_auc", "Average precision of each label, averaged over the labels that occur."),
    _loss("mae", "1", "Mean absolute error, in the unit of the truth."),
    _loss("rmse", "1", "Root of the mean squared error, in the unit of the truth."),
    MetricDefinition(
        "r2", "1", _HIGHER, "Share of the variance of the truth that is explained.", minimum=None, maximum=_ONE
    ),
    _loss("mape", "ratio", "Mean of |error| / |truth|."),
    _loss("mase", "ratio", "Mean of |error| / the mean error of the naive forecast."),
    _loss("pinball", "1", "Mean pinball loss of forecasts of the quantile that the number names.", has_parameter=True),
    _share("ndcg", "Normalized discounted cumulative gain of the first k rows of a query.", has_parameter=True),
    _share("mrr", "Mean of 1 / the rank of the first relevant row."),
    _share("map", "Average precision of detections, averaged over classes and over the overlaps 0.5, 0.55 … 0.95."),
    _share("map_50", "Average precision of detections at an overlap of 0.5, averaged over classes."),
    _share("map_75", "Average precision of detections at an overlap of 0.75, averaged over classes."),
    _share("miou", "Intersection over union of each class, averaged over the classes that occur.", has_parameter=True),
    _share("exact_match", "Share of texts that equal a reference."),
    _share("token_f1", "Mean F1 of words, in lower case and without punctuation and articles."),
    _loss("wer", "ratio", "Word error rate: edits to the reference over its words."),
    _loss("cer", "ratio", "Character error rate: edits to the reference over its characters."),
    _share("chrf", "chrF2 over all texts: the F-score of character n-grams."),
    MetricDefinition(
        "qini", "1", _HIGHER, "Area between the Qini curve and the line to its end, per treated unit.", minimum=None
    ),
    MetricDefinition("auuc", "1", _HIGHER, "Area under the uplift curve.", minimum=None),
)
_OTHERS = (
    MetricDefinition(
        "alternatives_measured",
        "variants",
        _HIGHER,
        "How many cheaper variants were measured beside the model.",
        group=MetricGroup.BUSINESS,
        scope=_REQUEST,
        producers=(Producer.BENCHMARK,),
    ),
    MetricDefinition(
        "business_kpi_delta",
        "ratio",
        _HIGHER,
        "Relative change of the business metric named in the request; 0.02 is two percent better.",
        minimum=None,
        group=MetricGroup.BUSINESS,
        scope=_REQUEST,
        producers=_OF_PEOPLE,
    ),
)
STANDARD = MetricCatalog((*_COSTS, *_SPEEDS, *_QUALITIES, *_OTHERS), title="Standard metrics")


def is_quality_metric(name: str) -> bool:
    """Whether a metric is only as good as the labels: one of quality, with or without parameter, or a user's own."""
    return ":" in name or (name in STANDARD and STANDARD[name].group is MetricGroup.QUALITY)
