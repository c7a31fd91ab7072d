"""A name like `latency_p95_ms` as words for people."""

_UNITS = ("_ms", "_mb", "_usd", "_per_s")
_SPELLED = {
    "auc": "AUC",
    "auuc": "AUUC",
    "cer": "CER",
    "chrf": "chrF",
    "ece": "ECE",
    "f1": "F1",
    "gpu": "GPU",
    "icl": "ICL",
    "kpi": "KPI",
    "mae": "MAE",
    "map": "mAP",
    "mape": "MAPE",
    "mase": "MASE",
    "miou": "mIoU",
    "mrr": "MRR",
    "ndcg": "NDCG",
    "pr": "PR",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "rmse": "RMSE",
    "roc": "ROC",
    "tpot": "TPOT",
    "ttft": "TTFT",
    "usd": "USD",
    "wer": "WER",
    "1y": "1 year",
}
"""Words that are not written in small letters."""


def readable(name: str) -> str:
    """The name as words, without its unit: "latency_p95_ms" is "Latency p95", "roc_auc" is "ROC AUC"."""
    for unit in _UNITS:
        name = name.removesuffix(unit)
    base, sign, number = name.partition("@")
    first, *rest = base.split("_")
    words = [_SPELLED.get(first, first.capitalize()), *(_SPELLED.get(word, word) for word in rest)]
    return " ".join([*words, *([sign, number] if sign else [])])
