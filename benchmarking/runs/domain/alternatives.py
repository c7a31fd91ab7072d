"""Alternatives: the cheaper variants that a run creates and measures, and its result for each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.optimization.alternatives import AlternativesWanted, Rival

ANSWERS = {
    "baseline": "the model itself",
    "worth_it": "worth it",
    "no_gain": "no gain",
    "slower": "slower",
    "costs_quality": "costs too much quality",
    "failed": "could not be made",
    "uncompared": "not compared",
    "rival": "another candidate",
}
ANSWERS_OF_LANGUAGE = {
    "worth_it": "equivalent and cheaper",
    "costs_quality": "cheaper but worse",
    "no_gain": "not cheaper",
    "cannot_tell": "cannot tell",
}
NAME = re.compile(r"[a-z][-a-z0-9_]{0,59}")


@dataclass(frozen=True, kw_only=True)
class VariantLine:
    """One variant as a table row: each metric value with its bounds, or "". `status`: relative to the frontier.

    Alternatives to a language model have a pass rate and what an accepted answer costs, instead of accuracy and speed.
    """

    name: str
    made_by: str
    answer: str
    accuracy: str
    quality_drop: str
    p95_ms: str
    speed_up: str
    size_mb: str
    status: str
    reasons: tuple[str, ...]
    pass_rate: str = ""
    usd_per_accepted: str = ""
    usd_saved: str = ""


@dataclass(frozen=True)
class Picture:
    """A chart of a result: its title, text alternative and SVG."""

    name: str
    title: str
    alt: str
    svg: str


def wanted_from(plan: Mapping[str, Any]) -> AlternativesWanted:
    """Read the alternatives from the plan of a run."""
    return AlternativesWanted(
        variants=tuple(plan["variants"]),
        max_quality_drop=float(plan["max_quality_drop"]),
        calibration_rows=int(plan["calibration_rows"]),
        family=str(plan.get("family", "")),
        rivals=tuple(
            Rival(str(rival["family"]), int(rival["version_id"]), str(rival["digest"]))
            for rival in plan.get("rivals", ())
        ),
    )


def families_of(names: Sequence[tuple[str, str]]) -> list[str]:
    """Return short, unique names for models, valid as folder names, from pairs (short name of the model, version)."""
    models = {model for model, _ in names}
    families: list[str] = []
    for model, version in names:
        name = version if len(models) == 1 else f"{model}-{version}"
        base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"
        number = 1 + sum(other == base or other.startswith(f"{base}~") for other in families)
        families.append(base if number == 1 else f"{base}~{number}")
    return families


def variant_lines_of(result: Mapping[str, Any]) -> tuple[VariantLine, ...]:
    """Return one row for each variant of a result; empty for results without variants."""
    standings, first = result.get("standings", {}), result.get("baseline")
    return tuple(
        _line(candidate, str(standings.get(candidate["name"], "")), is_rival=first not in (None, candidate["name"]))
        for candidate in result.get("candidates", ())
    )


def pictures_of(result: Mapping[str, Any]) -> tuple[Picture, ...]:
    """Return the charts of a result; skips invalid names, because the untrusted measuring process wrote them."""
    return tuple(
        Picture(**{key: str(chart[key]) for key in ("name", "title", "alt", "svg")})
        for chart in result.get("charts", ())
        if NAME.fullmatch(str(chart["name"]))
    )


def _line(candidate: Mapping[str, Any], status: str, *, is_rival: bool) -> VariantLine:
    metrics, drop, speed = candidate["metrics"], candidate.get("quality_drop"), candidate.get("speed_up")
    answer = candidate["verdict"]["answer"]
    if answer == "baseline" and is_rival:
        answer = "rival"
    return VariantLine(
        name=candidate["name"],
        made_by=candidate["made_by"],
        answer=(ANSWERS_OF_LANGUAGE if candidate.get("kind") else ANSWERS).get(answer, answer),
        accuracy=_bounded(metrics.get("accuracy"), digits=4),
        quality_drop=_bounded(_points(drop), digits=2) if drop else "",
        p95_ms=_bounded(metrics.get("latency_p95_ms"), digits=3),
        speed_up=_speed(speed) if speed else "",
        size_mb=_bounded(metrics.get("model_size_mb"), digits=2),
        status=status,
        reasons=tuple(reason["message"] for reason in candidate["verdict"]["reasons"]),
        pass_rate=_bounded(metrics.get("pass_rate"), digits=4),
        usd_per_accepted=_bounded(metrics.get("cost_per_accepted_usd"), digits=6),
        usd_saved=_bounded(candidate.get("cost_saving"), digits=6),
    )


def _points(drop: Mapping[str, Any]) -> dict[str, float]:
    return {key: drop[key] * 100 for key in ("value", "lower", "upper")}


def _speed(speed: Mapping[str, Any]) -> str:
    return f"{_bounded(speed, digits=2)}{', tied' if speed['is_tied'] else ''}"


def _bounded(metric_value: Mapping[str, Any] | None, *, digits: int) -> str:
    """Format as `0.8604 (0.8535 to 0.8671)`; only the value if it has no bounds."""
    if metric_value is None:
        return ""
    value = _fixed(metric_value["value"], digits)
    if metric_value.get("lower") is None or metric_value.get("upper") is None:
        return value
    return f"{value} ({_fixed(metric_value['lower'], digits)} to {_fixed(metric_value['upper'], digits)})"


def _fixed(number: float, digits: int) -> str:
    """The number with `digits` decimals; one that would become 0 has its first two digits instead."""
    text = f"{number:,.{digits}f}"
    return text if number == 0 or text.strip("-0.,") else f"{number:.2g}"
