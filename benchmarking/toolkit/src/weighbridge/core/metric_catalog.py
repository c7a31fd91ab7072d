"""The metric catalog: the metrics that requests, policies and checklists may name."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Direction(StrEnum):
    """The better direction."""

    LOWER = "lower is better"
    HIGHER = "higher is better"


@dataclass(frozen=True)
class MetricDefinition:
    """One entry of the catalog: a name with its unit, its better direction, its meaning and its possible range.

    `parts` are the metrics that a total must at least add up to.
    """

    name: str
    unit: str
    direction: Direction
    meaning: str
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = None
    parts: tuple[str, ...] = ()


_LOWER, _HIGHER, _ONE = Direction.LOWER, Direction.HIGHER, Decimal(1)
_KINDS = (
    MetricDefinition("training_gpu_hours", "gpu_h", _LOWER, "GPU hours to train the model once, all devices added up."),
    MetricDefinition("training_cost_usd", "USD", _LOWER, "What training costs once, failed attempts included."),
    MetricDefinition(
        "inference_cost_1y_usd", "USD", _LOWER, "What serving costs in the first year at the forecast traffic."
    ),
    MetricDefinition(
        "total_cost_1y_usd",
        "USD",
        _LOWER,
        "Training plus one year of serving and upkeep.",
        parts=("training_cost_usd", "inference_cost_1y_usd"),
    ),
    MetricDefinition("latency_p50_ms", "ms", _LOWER, "Half of all requests are answered within this time."),
    MetricDefinition("latency_p95_ms", "ms", _LOWER, "95 of 100 requests are answered within this time."),
    MetricDefinition("latency_p99_ms", "ms", _LOWER, "99 of 100 requests are answered within this time."),
    MetricDefinition("throughput_per_s", "1/s", _HIGHER, "Inferences answered per second."),
    MetricDefinition("error_rate", "ratio", _LOWER, "Share of requests that fail or time out.", maximum=_ONE),
    MetricDefinition("model_size_mb", "MB", _LOWER, "Size of the model file, 1 MB = 1,000,000 bytes."),
    MetricDefinition("peak_memory_mb", "MB", _LOWER, "Most memory held while serving, in a process of its own."),
    MetricDefinition("accuracy", "ratio", _HIGHER, "Share of correct answers on the evaluation data.", maximum=_ONE),
    MetricDefinition(
        "f1_macro", "ratio", _HIGHER, "F1 averaged over classes, each class counting the same.", maximum=_ONE
    ),
    MetricDefinition("cost_per_1k_usd", "USD", _LOWER, "What 1,000 inferences cost."),
    MetricDefinition(
        "alternatives_measured", "variants", _HIGHER, "How many cheaper variants were measured beside the model."
    ),
    MetricDefinition(
        "business_kpi_delta",
        "ratio",
        _HIGHER,
        "Relative change of the business metric named in the request; 0.02 is two percent better.",
        minimum=None,
    ),
)
CATALOG: dict[str, MetricDefinition] = {kind.name: kind for kind in _KINDS}

# The metrics that are only as good as the labels of the evaluation data; most are not in the catalog.
QUALITY_METRICS = (
    *("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "precision", "recall", "f1", "pr_auc"),
    *("log_loss", "brier", "ece", "subset_accuracy", "hamming_loss", "labels_f1_micro", "labels_f1_macro"),
    *("labels_pr_auc", "mae", "rmse", "r2", "mape", "mase", "pinball", "ndcg", "mrr", "map", "map_50", "map_75"),
    *("miou", "exact_match", "token_f1", "wer", "cer", "chrf", "qini", "auuc"),
)


def is_quality_metric(name: str) -> bool:
    """Whether a metric is only as good as the labels: one of quality, with or without parameter, or a user's own."""
    return name.partition("@")[0] in QUALITY_METRICS or ":" in name


# What people state and bills say: no benchmark measures it, whatever the process of a model writes into its result.
NEVER_BENCHMARKED = frozenset(
    {
        *("training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd"),
        *("cost_per_1k_usd", "business_kpi_delta"),
    }
)
