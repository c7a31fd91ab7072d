"""Candidates: models that compete for one job, each with its measured estimates; `weighbridge.candidates/1`.

A megabyte is 1,000,000 bytes. `axes` knows the better direction of each estimate by its name.
"""

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.shapes import read

SCHEMA = "weighbridge.candidates/1"


class VariantAnswer(StrEnum):
    """The verdict on a variant relative to the baseline."""

    BASELINE = "baseline"
    WORTH_IT = "worth_it"
    NO_GAIN = "no_gain"
    SLOWER = "slower"
    COSTS_QUALITY = "costs_quality"
    CANNOT_TELL = "cannot_tell"
    FAILED = "failed"
    UNCOMPARED = "uncompared"


class AlternativeKind(StrEnum):
    """How an alternative to a language model is cheaper."""

    SMALLER_MODEL = "smaller_model"
    QUANTIZED = "quantized"
    SHORTER_PROMPT = "shorter_prompt"
    PROMPT_CACHE = "prompt_cache"
    BATCH_TIER = "batch_tier"
    CASCADE = "cascade"
    FINE_TUNED = "fine_tuned"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """One measured number in `unit`, with bounds at `confidence`; without bounds it was counted or read once."""

    value: float
    lower: float | None
    upper: float | None
    confidence: float | None
    n: int
    unit: str

    def __post_init__(self) -> None:
        """Refuse incomplete bounds, and bounds that do not contain the value."""
        bounds = (self.lower, self.upper, self.confidence)
        if bounds == (None, None, None):
            return
        if self.lower is None or self.upper is None or self.confidence is None:
            raise Invalid(
                "An estimate needs lower, upper and confidence together, or none of them.", code="estimate_bounds"
            )
        if not self.lower <= self.value <= self.upper or not 0 < self.confidence < 1:
            text = "A value must be within its bounds, at a confidence between 0 and 1"
            found = f"{self.value:g} in [{self.lower:g}, {self.upper:g}]"
            raise Invalid(f"{text}, not {found}.", code="estimate_bounds")

    @property
    def ends(self) -> tuple[float, float]:
        """Return the bounds; the value itself if there are none."""
        lower = self.value if self.lower is None else self.lower
        return lower, self.value if self.upper is None else self.upper


@dataclasses.dataclass(frozen=True)
class QualityDrop:
    """The loss of `metric` of a variant relative to the baseline on the same rows (+ is worse), and the allowed margin.

    `b` counts rows that only the baseline had right, `c` rows that only the variant had right; `p_value` is McNemar's.
    """

    metric: str
    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    margin: float
    is_non_inferior: bool
    b: int | None = None
    c: int | None = None
    p_value: float | None = None


@dataclasses.dataclass(frozen=True)
class SpeedUp:
    """Median latency of the baseline by the variant's, from `blocks` interleaved blocks; tied within the noise."""

    value: float
    lower: float
    upper: float
    confidence: float
    blocks: int
    is_tied: bool


@dataclasses.dataclass(frozen=True)
class CostSaving:
    """What an accepted answer of the baseline costs more, in US dollars (+ is cheaper), with bounds; from `draws`."""

    value: float
    lower: float
    upper: float
    confidence: float
    draws: int


@dataclasses.dataclass(frozen=True)
class VerdictReason:
    """A reason for a verdict: a stable code and a sentence."""

    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class VariantVerdict:
    """The verdict on a variant, its reasons, and the operator that makes it slow, if there is one."""

    answer: VariantAnswer
    reasons: tuple[VerdictReason, ...] = ()
    operator: str | None = None


@dataclasses.dataclass(frozen=True)
class Measurement:
    """The verdict on the candidate's measurement, from its own result: `valid`, `indicative` or `invalid`."""

    status: Status
    reasons: tuple[VerdictReason, ...] = ()


@dataclasses.dataclass(frozen=True)
class RawLatencies:
    """Raw latencies in nanoseconds, in chronological order, every `stride`-th."""

    latency_ns: tuple[int, ...]
    stride: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """One model: its origin, file, estimates, and verdict relative to the baseline.

    `measurement` is None if the values have no verdict; a `size_saved_ratio` of 0.75 means that a quarter of the size
    is left. `isolation` is the sandbox used for the measurement, None if unknown. Alternatives to a language model have
    a `kind` and a `cost_saving`.
    """

    name: str
    family: str
    made_by: str
    metrics: Mapping[str, Estimate]
    verdict: VariantVerdict
    file: str | None = None
    digest: str | None = None
    quality_drop: QualityDrop | None = None
    speed_up: SpeedUp | None = None
    size_saved_ratio: float | None = None
    memory_saved_ratio: float | None = None
    measurement: Measurement | None = None
    samples: RawLatencies | None = None
    result_file: str | None = None
    isolation: str | None = None
    kind: AlternativeKind | None = None
    cost_saving: CostSaving | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidates:
    """All measurements for one choice. `measured_at` is ISO 8601; `noise_floor` is |ratio - 1| of an A/A comparison."""

    measured_at: str
    baseline: str
    candidates: tuple[Candidate, ...]
    noise_floor: float | None = None
    is_partial: bool = False
    learning_curve: Mapping[str, Any] | None = None
    manifest: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse duplicate names, an empty list, and a baseline that is not among the candidates."""
        names = [candidate.name for candidate in self.candidates]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            text = f"Two candidates have the name {twice[0]!r}; names must be unique."
            raise Invalid(text, code="candidates_names", field="candidates")
        if self.baseline not in names:
            text = (
                f"The baseline {self.baseline!r} is not among the candidates ({', '.join(names) or 'there are none'})."
            )
            raise Invalid(text, code="candidates_baseline", field="baseline")

    def isolation(self) -> str | None:
        """Return the distinct isolation of the candidates; None if unknown."""
        return "; ".join(dict.fromkeys(each.isolation for each in self.candidates if each.isolation)) or None

    def named(self, name: str) -> Candidate:
        """Return the candidate with this name; raise Invalid if there is none."""
        found = next((candidate for candidate in self.candidates if candidate.name == name), None)
        if found is None:
            raise Invalid(f"There is no candidate {name!r}.", code="candidates_names", field="candidates")
        return found

    def as_document(self) -> dict[str, Any]:
        """Return the candidates as `weighbridge.candidates/1`, ready for JSON."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}


def candidates_from(document: object) -> Candidates:
    """Read the document of `as_document`; raise Invalid for another schema, or with the path of an invalid key."""
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if schema != SCHEMA:
        text = f"The document must be {SCHEMA}, not {schema!r}. `weighbridge optimize --json FILE` writes one."
        raise Invalid(text, code="candidates_schema", field="schema")
    return read(Candidates, document)


def read_candidates(path: Path) -> Candidates:
    """Read a candidates file; raise Invalid if it is missing, not JSON, or malformed."""
    document = read_json(path, missing="candidates_missing", code="candidates_unreadable", limits=MEASUREMENT)
    return candidates_from(document)
