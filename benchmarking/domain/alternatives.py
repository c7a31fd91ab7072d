"""Alternatives: which cheaper variants a run makes and measures, and what its result says of each, in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What stands as the scenario of such a run, beside MLPerf's names.
ALTERNATIVES = "alternatives"
ANSWERS = {
    "baseline": "the model itself",
    "worth_it": "worth it",
    "no_gain": "no gain",
    "slower": "slower",
    "costs_quality": "costs too much quality",
    "failed": "could not be made",
    "uncompared": "not compared",
}
NAME = re.compile(r"[a-z][-a-z0-9_]{0,59}")


@dataclass(frozen=True, kw_only=True)
class AlternativesWanted:
    """Variants by the toolkit's names, the quality they may lose (0.01: one point), and rows to calibrate with."""

    variants: tuple[str, ...]
    max_quality_drop: float
    calibration_rows: int


@dataclass(frozen=True, kw_only=True)
class VariantLine:
    """One variant as a row of a table; every figure with its bounds, "" where there is none. `standing`: on two axes."""

    name: str
    made_by: str
    answer: str
    accuracy: str
    drop: str
    p95_ms: str
    speed_up: str
    size_mb: str
    standing: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A chart of a result: its title, the same in words, and its SVG."""

    name: str
    title: str
    alt: str
    svg: str


def wanted_from(plan: Mapping[str, Any]) -> AlternativesWanted:
    """Read the plan of a run."""
    return AlternativesWanted(
        variants=tuple(plan["variants"]),
        max_quality_drop=float(plan["max_quality_drop"]),
        calibration_rows=int(plan["calibration_rows"]),
    )


def lines_of(result: Mapping[str, Any]) -> tuple[VariantLine, ...]:
    """What a result says of each variant; nothing where it is of another kind."""
    standings = result.get("standings", {})
    return tuple(
        _line(candidate, str(standings.get(candidate["name"], ""))) for candidate in result.get("candidates", ())
    )


def pictures_of(result: Mapping[str, Any]) -> tuple[Picture, ...]:
    """The charts that were drawn with a result; its process wrote their names, so none that is no name is taken."""
    return tuple(
        Picture(**{key: str(each[key]) for key in ("name", "title", "alt", "svg")})
        for each in result.get("charts", ())
        if NAME.fullmatch(str(each["name"]))
    )


def _line(candidate: Mapping[str, Any], standing: str) -> VariantLine:
    metrics, drop, speed = candidate["metrics"], candidate.get("quality_drop"), candidate.get("speed_up")
    answer = candidate["verdict"]["answer"]
    return VariantLine(
        name=candidate["name"],
        made_by=candidate["made_by"],
        answer=ANSWERS.get(answer, answer),
        accuracy=_bounded(metrics.get("accuracy"), digits=4),
        drop=_bounded(_points(drop), digits=2) if drop else "",
        p95_ms=_bounded(metrics.get("latency_p95_ms"), digits=3),
        speed_up=_speed(speed) if speed else "",
        size_mb=_bounded(metrics.get("model_size_mb"), digits=2),
        standing=standing,
        reasons=tuple(reason["message"] for reason in candidate["verdict"]["reasons"]),
    )


def _points(drop: Mapping[str, Any]) -> dict[str, float]:
    return {key: drop[key] * 100 for key in ("value", "lower", "upper")}


def _speed(speed: Mapping[str, Any]) -> str:
    return f"{_bounded(speed, digits=2)}{', tied' if speed['is_tied'] else ''}"


def _bounded(figure: Mapping[str, Any] | None, *, digits: int) -> str:
    """`0.8604 (0.8535 to 0.8671)`; the value alone where it has no bounds."""
    if figure is None:
        return ""
    value = f"{figure['value']:,.{digits}f}"
    if figure.get("lower") is None or figure.get("upper") is None:
        return value
    return f"{value} ({figure['lower']:,.{digits}f} to {figure['upper']:,.{digits}f})"
