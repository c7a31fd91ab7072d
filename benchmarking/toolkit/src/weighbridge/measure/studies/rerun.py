"""Reruns: repeat a run from its manifest and test whether the times are equivalent.

The intervals cover the noise within each run, not changes between the two. So `different` may be caused by the machine;
the answer lists the conditions that differ.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.same_card import card_difference
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import digest_of_file, model_entry
from weighbridge.measure.results.raw_samples import altered_metrics, percentiles_of
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.statistics.equivalence import EquivalenceAnswer, ratio_equivalence

SCHEMA = "weighbridge.rerun/1"
RESULT_SCHEMA = "weighbridge.result/1"
PERCENTILES = ("_p50_ms", "_p95_ms")
KINDS = ("latency", "response_time")
PARTS = ("libraries", "machine", "engine", "isolation")


def settings_of(result: Mapping[str, Any], *, model: Path, data: Path | None) -> ProfileSettings:
    """Return the settings a result was measured with; raise Invalid unless it is intact and of this model and data."""
    try:
        manifest = result["manifest"]
        is_intact = result["schema"] == RESULT_SCHEMA and seal_manifest(manifest)["digest"] == manifest["digest"]
        model_digest = manifest["model"].get("digest")
        data_digest = (manifest["data"] or {}).get("digest")
        settings = manifest["settings"]
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid("This is not a result of `weighbridge profile`.", code="result_form", field="result") from error
    if not is_intact:
        raise Invalid("The result's manifest was changed after it was sealed.", code="result_form", field="result")
    _check_file("model", model, model_digest)
    if model_entry(model).get("weights") != manifest["model"].get("weights"):
        text = f"The weights beside {model.name} are not those that were measured."
        raise Invalid(text, code="model_other", field="model")
    if (data is None) is not (data_digest is None):
        text = "Give --data: the result was measured on a data set."
        if data is not None:
            text = "Omit --data: the result was measured without a data set."
        raise Invalid(text, code="data_missing", field="data")
    if data is not None:
        _check_file("data", data, data_digest)
    return from_document(ProfileSettings, settings, name="settings")


def settings_in(manifest: Mapping[str, Any]) -> ProfileSettings:
    """Return the settings of a sealed manifest, without checking files; raise Invalid if it is not intact."""
    if "settings" not in manifest or seal_manifest(manifest)["digest"] != manifest.get("digest"):
        raise Invalid("The manifest of the repeated run contains no settings.", code="result_form", field="result")
    return from_document(ProfileSettings, manifest["settings"], name="settings")


def rerun(
    result: Mapping[str, Any], run: Callable[[], dict[str, Any]], *, margin: float, alpha: float = 0.05
) -> dict[str, Any]:
    """Call `run`, which repeats the profile, and return a `weighbridge.rerun/1` mapping with the new result in it.

    Two one-sided tests compare p50 and p95, recomputed from the raw samples of both runs, with `margin` (0.1 is 10 %).
    The answer is `different` if any metric is, `equivalent` if all are, and otherwise `cannot_tell`, also if one of the
    runs is invalid, or ran on another card.
    """
    again = run()
    return {
        **compare_results(result, again, margin=margin, alpha=alpha),
        "is_partial": bool(again.get("is_partial")),
        "result": again,
    }


def compare_results(
    result: Mapping[str, Any], again: Mapping[str, Any], *, margin: float, alpha: float = 0.05
) -> dict[str, Any]:
    """Return answer, metrics, reasons and differences of a `weighbridge.rerun/1` mapping for two results."""
    metrics = list(_metrics(result, again, margin=margin, alpha=alpha))
    reasons = list(_reasons(result, again, metrics))
    answers = {metric["answer"] for metric in metrics}
    answer = EquivalenceAnswer.CANNOT_TELL
    if not reasons and answers == {EquivalenceAnswer.EQUIVALENT.value}:
        answer = EquivalenceAnswer.EQUIVALENT
    elif not reasons and EquivalenceAnswer.DIFFERENT.value in answers:
        answer = EquivalenceAnswer.DIFFERENT
    return {
        "schema": SCHEMA,
        "answer": answer.value,
        "margin": margin,
        "alpha": alpha,
        "metrics": metrics,
        "reasons": reasons,
        "differences": differences(result["manifest"], again["manifest"]),
        "repeats": result["manifest"]["digest"],
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the conditions that differ (libraries, machine, engine, isolation, card) between two manifests."""
    before, after = dict(_conditions(then)), dict(_conditions(now))
    return [
        {"condition": name, "then": before.get(name), "now": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _conditions(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parts = {part: manifest.get(part) for part in PARTS} | {"card": (manifest.get("gpu") or {}).get("card")}
    for part, conditions in parts.items():
        if isinstance(conditions, Mapping):
            yield from ((f"{part}.{name}", value) for name, value in conditions.items())
        else:
            yield part, conditions


def _check_file(what: str, path: Path, digest: str | None) -> None:
    if digest is None:
        raise Invalid("Only results of model files can be repeated.", code="result_form", field=what)
    if not path.is_file():
        raise Invalid(f"There is no {what} file {path.name}.", code=f"{what}_missing", field=what)
    actual = digest_of_file(path)
    if actual != digest:
        text = (
            f"{path.name} is not the {what} that was measured: its digest is {actual}, that of the result is {digest}."
        )
        raise Invalid(text, code=f"{what}_other", field=what)


def _metrics(
    then: Mapping[str, Any], now: Mapping[str, Any], *, margin: float, alpha: float
) -> Iterator[dict[str, Any]]:
    before, after = percentiles_of(then), percentiles_of(now)
    for name in (f"{kind}{percentile}" for kind in KINDS for percentile in PERCENTILES):
        first, second = before.get(name), after.get(name)
        if first is not None and second is not None:
            equivalence = ratio_equivalence(first, second, margin=margin, alpha=alpha)
            yield {
                "metric": name,
                "then": first.value,
                "now": second.value,
                "ratio": equivalence.ratio,
                "lower": equivalence.lower,
                "upper": equivalence.upper,
                "confidence": equivalence.confidence,
                "p_value": equivalence.p_value,
                "answer": equivalence.answer.value,
            }


def _reasons(then: Mapping[str, Any], now: Mapping[str, Any], metrics: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the reasons why the runs cannot be compared."""
    for which, result in (("The first", then), ("This", now)):
        if result["verdict"]["status"] == "invalid":
            yield f"{which} run is not a valid measurement, so it cannot be compared."
        for change in altered_metrics(result):
            yield f"{which} result was changed after it was measured: {change}."
    other_card = card_difference(then["manifest"], now["manifest"])
    if other_card:
        yield other_card
    if not metrics:
        yield "The two results have no common percentile with raw samples."
