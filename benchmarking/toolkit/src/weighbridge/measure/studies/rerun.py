"""Rerun: a result's run repeated from its manifest, and whether its times come out equivalent.

The intervals know the noise within each run, not what changed between the two. So `different` may mean the machine, and
the conditions that differ are listed beside the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.raw import altered, percentiles_of
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.statistics.equivalence import EquivalenceAnswer, ratio_equivalence

SCHEMA = "weighbridge.rerun/1"
RESULT_SCHEMA = "weighbridge.result/1"
PERCENTILES = ("_p50_ms", "_p95_ms")
KINDS = ("latency", "response_time")
PARTS = ("libraries", "machine", "engine", "isolation")


def settings_of(result: Mapping[str, Any], *, model: Path, data: Path | None) -> ProfileSettings:
    """Return the settings a result was measured with; raise Invalid unless it is whole and of this model and data."""
    try:
        manifest = result["manifest"]
        is_whole = result["schema"] == RESULT_SCHEMA and sealed(manifest)["digest"] == manifest["digest"]
        model_digest = manifest["model"].get("digest")
        data_digest = (manifest["data"] or {}).get("digest")
        settings = manifest["settings"]
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid("That is no result of `weighbridge profile`.", code="result_form", field="result") from error
    if not is_whole:
        raise Invalid("The result's manifest was changed after it was sealed.", code="result_form", field="result")
    _check_file("model", model, model_digest)
    if (data is None) is not (data_digest is None):
        text = (
            "Give --data: the result was measured on a data set."
            if data is None
            else "Leave --data out: the result had none."
        )
        raise Invalid(text, code="data_missing", field="data")
    if data is not None:
        _check_file("data", data, data_digest)
    return from_document(ProfileSettings, settings, name="settings")


def settings_in(manifest: Mapping[str, Any]) -> ProfileSettings:
    """Return the settings that a manifest was sealed with, the files at hand being the same for sure; raise Invalid."""
    if "settings" not in manifest or sealed(manifest)["digest"] != manifest.get("digest"):
        raise Invalid("The repeated run's manifest holds no settings.", code="result_form", field="result")
    return from_document(ProfileSettings, manifest["settings"], name="settings")


def rerun(
    result: Mapping[str, Any], run: Callable[[], dict[str, Any]], *, margin: float, alpha: float = 0.05
) -> dict[str, Any]:
    """Call `run`, which repeats the profile, and return a `weighbridge.rerun/1` mapping with the new result in it.

    p50 and p95, found anew from the raw samples of both, are held against `margin` (0.1 is 10 %) by two one-sided
    tests. The answer is `different` if any metric is, `equivalent` if all are, else `cannot_tell`, as when one of the
    runs is no valid measurement.
    """
    again = run()
    return {
        **compared(result, again, margin=margin, alpha=alpha),
        "is_partial": bool(again.get("is_partial")),
        "result": again,
    }


def compared(
    result: Mapping[str, Any], again: Mapping[str, Any], *, margin: float, alpha: float = 0.05
) -> dict[str, Any]:
    """Return the answer, metrics, reasons and differences of a `weighbridge.rerun/1` mapping for two
    results at hand.
    """
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
    """Return the conditions that differ (libraries, machine, engine, isolation) between two manifests."""
    before, after = dict(_conditions(then)), dict(_conditions(now))
    return [
        {"condition": name, "then": before.get(name), "now": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _conditions(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part in PARTS:
        held = manifest.get(part)
        if isinstance(held, Mapping):
            yield from ((f"{part}.{name}", value) for name, value in held.items())
        else:
            yield part, held


def _check_file(what: str, path: Path, digest: str | None) -> None:
    if digest is None:
        raise Invalid("Only results of model files can be repeated.", code="result_form", field=what)
    if not path.is_file():
        raise Invalid(f"There is no {what} file {path.name}.", code=f"{what}_missing", field=what)
    found = digest_of_file(path)
    if found != digest:
        text = f"{path.name} is not the {what} that was measured: its digest is {found}, the result's {digest}."
        raise Invalid(text, code=f"{what}_other", field=what)


def _metrics(
    then: Mapping[str, Any], now: Mapping[str, Any], *, margin: float, alpha: float
) -> Iterator[dict[str, Any]]:
    before, after = percentiles_of(then), percentiles_of(now)
    for name in (f"{kind}{percentile}" for kind in KINDS for percentile in PERCENTILES):
        first, second = before.get(name), after.get(name)
        if first is not None and second is not None:
            found = ratio_equivalence(first, second, margin=margin, alpha=alpha)
            yield {
                "metric": name,
                "then": first.value,
                "now": second.value,
                "ratio": found.ratio,
                "lower": found.lower,
                "upper": found.upper,
                "confidence": found.confidence,
                "p_value": found.p_value,
                "answer": found.answer.value,
            }


def _reasons(then: Mapping[str, Any], now: Mapping[str, Any], metrics: list[dict[str, Any]]) -> Iterator[str]:
    """Say why nothing can be told, where that is so."""
    for word, result in (("The first", then), ("This", now)):
        if result["verdict"]["status"] == "invalid":
            yield f"{word} run is no valid measurement, so nothing can be told from it."
        for what in altered(result):
            yield f"{word} result was changed after it was measured: {what}."
    if not metrics:
        yield "The two results have no percentile in common of which both keep raw samples."
