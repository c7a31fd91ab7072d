"""Join the results of several commands into candidates: speed, quality, load, costs and devices of each model together.

Metrics keep their names. Those that two commands measure differently get a prefix: `load_error_rate` is that of
requests under load, `answer_error_rate` that of answers of a language model, `device_latency_p95_ms` the latency in the
browser of a device.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.same_card import card_difference
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.candidates import (
    Candidate,
    Candidates,
    Estimate,
    Measurement,
    RawLatencies,
    VariantAnswer,
    VariantVerdict,
    VerdictReason,
)
from weighbridge.tradeoff.shapes import read

# P10 and P90 of a projection bound its amounts at this level.
COST_CONFIDENCE = 0.8
DEVICE_ENGINE = "onnxruntime-web"
PROFILE, SCORES, LOAD = "weighbridge.result/1", "weighbridge.scores/1", "weighbridge.load/1"
PROJECTION, EXPERIMENT, ANSWERS = "weighbridge.projection/1", "weighbridge.experiment/1", "weighbridge.answers/1"
KINDS = (PROFILE, SCORES, ANSWERS, LOAD, PROJECTION, EXPERIMENT)
RENAMED = {LOAD: {"error_rate": "load_error_rate"}, ANSWERS: {"error_rate": "answer_error_rate"}}


def joined(named: Sequence[tuple[str, Mapping[str, Any]]]) -> Candidates:
    """Return candidates from pairs of a name and a result; the first name is the baseline.

    A projection has the option of the name, or its only one. Raises Invalid for results of other kinds, for a metric
    that two results of one candidate state, for results of different models under one name, and for a projection
    without the option.
    """
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for name, document in named:
        parts.setdefault(name, []).append(document)
    if not parts:
        raise Invalid("Give at least one result, like int8=profile.json.", code="candidates_names", field="candidates")
    baseline = next(iter(parts))
    return Candidates(
        measured_at=max((str(document.get("measured_at", "")) for _, document in named), default=""),
        baseline=baseline,
        candidates=tuple(_candidate(name, own, baseline=parts[baseline]) for name, own in parts.items()),
        is_partial=any(document.get("is_partial") for _, document in named),
        manifest=next((document["manifest"] for _, document in named if document.get("manifest")), None),
    )


def _candidate(
    name: str, documents: Sequence[Mapping[str, Any]], *, baseline: Sequence[Mapping[str, Any]]
) -> Candidate:
    metrics: dict[str, Estimate] = {}
    _check_one_model(name, documents)
    for document in documents:
        for metric, estimate in _estimates(name, document):
            if metric in metrics:
                text = f"Two results of {name} state {metric}; give only one of them."
                raise Invalid(text, code="candidates_names", field="candidates")
            metrics[metric] = estimate
    profiles = _profiles(documents)
    samples = (profiles[0].get("samples") or {}).get("latency_ns") if profiles else None
    return Candidate(
        name=name,
        family=name,
        made_by="results of several commands",
        metrics=metrics,
        verdict=VariantVerdict(VariantAnswer.BASELINE if documents is baseline else VariantAnswer.UNCOMPARED),
        digest=profiles[0]["manifest"]["model"].get("digest") if profiles else None,
        measurement=_measurement(documents, _other_card(profiles, _profiles(baseline))),
        samples=RawLatencies(tuple(samples), profiles[0]["samples"]["stride"]) if samples else None,
    )


def _check_one_model(name: str, documents: Sequence[Mapping[str, Any]]) -> None:
    """Raise Invalid if the results of one candidate name different model files."""
    models = [(each.get("manifest") or {}).get("model") or {} for each in documents]
    digests = dict.fromkeys(model["digest"] for model in models if model.get("digest"))
    if len(digests) > 1:
        text = (
            f"The results of {name} are of different models: {', '.join(digests)}. Give each model a name of its own."
        )
        raise Invalid(text, code="candidates_names", field="candidates")


def _profiles(documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in documents if each.get("schema") == PROFILE and not _is_of_device(each)]


def _other_card(profiles: Sequence[Mapping[str, Any]], baseline: Sequence[Mapping[str, Any]]) -> str:
    """Return why the times of a candidate are not comparable with those of the baseline, empty if they are."""
    if not profiles or not baseline:
        return ""
    return card_difference(baseline[0].get("manifest"), profiles[0].get("manifest"))


def _measurement(documents: Sequence[Mapping[str, Any]], other_card: str) -> Measurement | None:
    """Return the worst verdict of the results, with all reasons; None if none was judged.

    A candidate that was measured on another card than the baseline is at most indicative.
    """
    verdicts = [each["verdict"] for each in documents if each.get("verdict")]
    if not verdicts:
        return None
    order = (Status.INVALID, Status.INDICATIVE, Status.VALID)
    given = [Status(each["status"]) for each in verdicts] + ([Status.INDICATIVE] if other_card else [])
    status = min(given, key=order.index)
    reasons = [VerdictReason(each["code"], each["message"]) for verdict in verdicts for each in verdict["reasons"]]
    reasons += [VerdictReason("gpu.other_card", other_card)] if other_card else []
    return Measurement(status, tuple(dict.fromkeys(reasons)))


def _estimates(name: str, document: Mapping[str, Any]) -> Iterator[tuple[str, Estimate]]:
    schema = document.get("schema")
    if schema == PROJECTION:
        yield from _costs(name, document)
        return
    if schema not in KINDS:
        text = f"A result of {name} is {schema!r}; only {', '.join(KINDS)} can be joined."
        raise Invalid(text, code="candidates_schema", field="candidates")
    prefix = "device_" if schema == PROFILE and _is_of_device(document) else ""
    renamed = RENAMED.get(schema, {})
    fields = [field.name for field in dataclasses.fields(Estimate)]
    for metric, entry in document["metrics"].items():
        known = {field: entry[field] for field in fields if field in entry}
        yield f"{prefix}{renamed.get(metric, metric)}", read(Estimate, known, metric)


def _costs(name: str, document: Mapping[str, Any]) -> Iterator[tuple[str, Estimate]]:
    options = {option["id"]: option for option in document["options"]}
    option = options.get(name) or (next(iter(options.values())) if len(options) == 1 else None)
    if option is None:
        text = f"The projection has no option {name}; it has {', '.join(options)}. Name the candidate as its option."
        raise Invalid(text, code="candidates_names", field="candidates")
    for metric, levels in option["metrics"].items():
        ends = [levels.get(level) for level in ("p10", "p50", "p90")]
        if None not in ends:
            lower, value, upper = (float(end) for end in ends)
            yield metric, Estimate(value, lower, upper, COST_CONFIDENCE, int(document["draws"]), levels["unit"])


def _is_of_device(document: Mapping[str, Any]) -> bool:
    engine = ((document.get("manifest") or {}).get("engine") or {}).get("engine", "")
    return str(engine).startswith(DEVICE_ENGINE)
