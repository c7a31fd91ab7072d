"""Alternatives: which cheaper variants a run makes and measures, as its plan says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What stands as the scenario of such a run, beside MLPerf's names.
ALTERNATIVES = "alternatives"


@dataclass(frozen=True, kw_only=True)
class AlternativesWanted:
    """Variants by the toolkit's names, the quality they may lose (0.01: one point), and rows to calibrate with."""

    variants: tuple[str, ...]
    max_quality_drop: float
    calibration_rows: int


def wanted_from(plan: Mapping[str, Any]) -> AlternativesWanted:
    """Read the plan of a run."""
    return AlternativesWanted(
        variants=tuple(plan["variants"]),
        max_quality_drop=float(plan["max_quality_drop"]),
        calibration_rows=int(plan["calibration_rows"]),
    )
