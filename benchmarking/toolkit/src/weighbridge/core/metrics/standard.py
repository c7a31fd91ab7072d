"""The metric catalog of the toolkit: the first version of the catalog of every installation."""

from decimal import Decimal

from weighbridge.core.metrics.accelerators import ACCELERATORS, SLICES, Accelerator, slice_share
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import (
    Direction,
    MetricCatalog,
    MetricDefinition,
    MetricGroup,
    MetricScope,
    Producer,
    WeightedPart,
)
from weighbridge.core.metrics.language import LANGUAGE
from weighbridge.core.metrics.titles import readable

_LOWER, _HIGHER, _ONE = Direction.LOWER, Direction.HIGHER, Decimal(1)
# What people state and bills say: no benchmark measures it, whatever the process of a model writes into its result.
_OF_PEOPLE = (Producer.PERSON, Producer.PROJECTION, Producer.BILL)
_OF_CLUSTERS = (Producer.PERSON, Producer.PROJECTION, Producer.SIGNER, Producer.BILL)


def _cost(
    name: str, unit: str, meaning: str, label: str = "", *, scope: MetricScope, parts: tuple[str, ...] = ()
) -> MetricDefinition:
    return MetricDefinition(
        name,
        unit,
        _LOWER,
        meaning,
        parts=parts,
        group=MetricGroup.COST,
        scope=scope,
        label=label,
        producers=_OF_PEOPLE,
    )


def _speed(
    name: str, unit: str, meaning: str, *, direction: Direction = _LOWER, maximum: Decimal | None = None
) -> MetricDefinition:
    return MetricDefinition(name, unit, direction, meaning, maximum=maximum, group=MetricGroup.SPEED)


def _share(name: str, meaning: str, *, direction: Direction = _HIGHER, has_parameter: bool = False) -> MetricDefinition:
    return MetricDefinition(name, "ratio", direction, meaning, maximum=_ONE, has_parameter=has_parameter)


def _loss(name: str, unit: str, meaning: str, *, has_parameter: bool = False) -> MetricDefinition:
    return MetricDefinition(name, unit, _LOWER, meaning, has_parameter=has_parameter)


def _hours(accelerator: Accelerator) -> list[MetricDefinition]:
    label, name = accelerator.label, f"training_hours_{accelerator.name}"
    article = "an" if label[0] in "AHLM" else "a"
    whole = _resource(
        name, "gpu_h", f"Hours of {article} {label} to train the model once.", f"Training hours on {label}"
    )
    meaning = (
        f"Hours of slices of {article} {label} (MIG) to train the model once: a slice of 3/{SLICES} counts three for "
        "each hour."
    )
    shared = _resource(f"{name}_slices", "slice_h", meaning, f"Training hours on {label} slices")
    return [whole, shared] if accelerator.has_slices else [whole]


def _resource(
    name: str, unit: str, meaning: str, label: str = "", *, bases: tuple[Basis, ...] = tuple(Basis)
) -> MetricDefinition:
    return MetricDefinition(
        name,
        unit,
        _LOWER,
        meaning,
        group=MetricGroup.RESOURCES,
        scope=MetricScope.DEPLOYMENT if name.startswith("serving_") else MetricScope.ARTIFACT,
        label=label,
        producers=_OF_CLUSTERS,
        bases=bases,
    )


def _weights(*, in_h100_hours: bool) -> tuple[WeightedPart, ...]:
    """What an hour of each accelerator, and of a slice, adds to the GPU hours."""
    weights = {}
    for accelerator in ACCELERATORS:
        worth = accelerator.h100_hours if in_h100_hours else _ONE
        weights[f"training_hours_{accelerator.name}"] = worth
        if accelerator.has_slices:
            weights[f"training_hours_{accelerator.name}_slices"] = worth * slice_share()
    return tuple(WeightedPart(name, weight) for name, weight in weights.items())


_ARTIFACT, _DEPLOYMENT, _REQUEST = MetricScope.ARTIFACT, MetricScope.DEPLOYMENT, MetricScope.REQUEST
_COSTS = (
    MetricDefinition(
        "training_gpu_hours",
        "gpu_h",
        _LOWER,
        "GPU hours to train the model once, all devices added up.",
        weighted_parts=_weights(in_h100_hours=False),
        group=MetricGroup.COST,
        producers=_OF_PEOPLE,
    ),
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
    _cost("cost_per_1k_usd", "USD", "What 1,000 inferences cost.", "Cost per 1,000 inferences", scope=_DEPLOYMENT),
    _cost("usd_per_month", "USD", "The most that the model may cost in a calendar month.", scope=_DEPLOYMENT),
    _cost(
        "tokens_per_month",
        "tokens",
        "The most input and output tokens together that the model may use in a calendar month.",
        scope=_DEPLOYMENT,
    ),
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
        producers=(Producer.BENCHMARK, Producer.SIGNER),
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
# Nobody knows energy without a meter or a formula, so a bare declaration of it is no evidence.
_WITH_SOURCE = tuple(basis for basis in Basis if basis is not Basis.DECLARED)
_RESOURCES = (
    *(definition for accelerator in ACCELERATORS for definition in _hours(accelerator)),
    MetricDefinition(
        "training_h100_hours",
        "gpu_h",
        _LOWER,
        "GPU hours to train the model once, each converted to hours of an H100 by the peak of its accelerator.",
        weighted_parts=_weights(in_h100_hours=True),
        converts="training_gpu_hours",
        group=MetricGroup.RESOURCES,
        label="Training hours in H100 hours",
        producers=_OF_CLUSTERS,
    ),
    _resource("training_cpu_hours", "cpu_h", "Hours of processor cores to train the model once.", "Training CPU hours"),
    _resource(
        "training_memory_gb_h", "GB_h", "Memory held to train the model once, times the hours.", "Training memory"
    ),
    _resource("training_storage_gb", "GB", "Storage that training data and checkpoints take.", "Training storage"),
    _resource("training_energy_kwh", "kWh", "Energy to train the model once.", "Training energy", bases=_WITH_SOURCE),
    _resource(
        "training_carbon_kg",
        "kg",
        "Carbon dioxide equivalents of the energy of training, by the factor of the grid.",
        "Training carbon",
        bases=_WITH_SOURCE,
    ),
    _resource(
        "serving_energy_1y_kwh",
        "kWh",
        "Energy to serve the first year at the forecast traffic.",
        "Serving energy 1 year",
        bases=_WITH_SOURCE,
    ),
    _resource(
        "serving_carbon_1y_kg",
        "kg",
        "Carbon dioxide equivalents of the energy of the first year of serving, by the factor of the grid.",
        "Serving carbon 1 year",
        bases=_WITH_SOURCE,
    ),
)
STANDARD = MetricCatalog((*_COSTS, *_SPEEDS, *_QUALITIES, *_OTHERS, *_RESOURCES, *LANGUAGE), title="Standard metrics")


def metric_words(name: str) -> str:
    """Return the label of a standard metric, or the name of another one as words: "TTFT p95"."""
    return STANDARD[name].title if name in STANDARD else readable(name)


def is_quality_metric(name: str) -> bool:
    """Whether a metric is only as good as the labels: one of quality, with or without parameter, or a user's own."""
    return ":" in name or (name in STANDARD and STANDARD[name].group is MetricGroup.QUALITY)
