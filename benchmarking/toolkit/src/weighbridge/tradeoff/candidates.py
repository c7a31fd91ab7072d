"""Candidates: the models that compete for one job, each with its measured estimates; `weighbridge.candidates/1`.

In scope: the shape of the file, reading it with refusals that name the key at fault, writing it. Not in scope: how a
estimate was measured (`measure`), what follows from it (`pareto`, `recommendation`).

Every estimate is lower-is-better or higher-is-better by its name alone, which is `axes`'s business. A megabyte is
1,000,000 bytes; `latency_ns` are nanoseconds in order of time, every `stride`-th kept.
"""

import dataclasses
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.shapes import read

SCHEMA = "weighbridge.candidates/1"


class VariantAnswer(StrEnum):
    """What a variant is worth against the baseline."""

    BASELINE = "baseline"
    WORTH_IT = "worth_it"
    NO_GAIN = "no_gain"
    SLOWER = "slower"
    COSTS_QUALITY = "costs_quality"
    FAILED = "failed"
    UNCOMPARED = "uncompared"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """One measured number in `unit`, between its bounds at `confidence`; without bounds it was counted or read once."""

    value: float
    lower: float | None
    upper: float | None
    confidence: float | None
    n: int
    unit: str

    def __post_init__(self) -> None:
        """Refuse bounds that do not hold the value, or stand alone."""
        bounds = (self.lower, self.upper, self.confidence)
        if bounds == (None, None, None):
            return
        if self.lower is None or self.upper is None or self.confidence is None:
            raise Invalid(
                "An estimate has lower, upper and confidence together, or none of them.", code="estimate_bounds"
            )
        if not self.lower <= self.value <= self.upper or not 0 < self.confidence < 1:
            text = (
                f"A value lies between its bounds at a level between 0 and 1, not {self.value:g} in [{self.lower:g}, "
                f"{self.upper:g}]."
            )
            raise Invalid(text, code="estimate_bounds")


@dataclasses.dataclass(frozen=True)
class QualityDrop:
    """How much of `metric` a variant loses against the baseline on the same rows (+ is worse), and the margin allowed.

    `b` counts rows that only the baseline had right, `c` rows that only the variant had right; McNemar's `p_value`.
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
    """Median latency of the baseline over the variant's, from `blocks` interleaved blocks; tied within the
    noise floor.
    """

    value: float
    lower: float
    upper: float
    confidence: float
    blocks: int
    is_tied: bool


@dataclasses.dataclass(frozen=True)
class VerdictReason:
    """Why a verdict is what it is: a stable code and a sentence."""

    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class VariantVerdict:
    """What a variant is worth, why, and the operator that makes it slow where one does."""

    answer: VariantAnswer
    reasons: tuple[VerdictReason, ...] = ()
    operator: str | None = None


@dataclasses.dataclass(frozen=True)
class Measurement:
    """How far the candidate's estimates may be believed: `valid`, `indicative` or `invalid`, from its own result."""

    status: Status
    reasons: tuple[VerdictReason, ...] = ()


@dataclasses.dataclass(frozen=True)
class RawLatencies:
    """Raw latencies in nanoseconds, in order of time, every `stride`-th."""

    latency_ns: tuple[int, ...]
    stride: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """One model: how it was made, its file and estimates, and what it is worth against the baseline.

    `measurement` is None where nobody judged the values; `size_saved_ratio` 0.75 means a quarter of the size is left.
    `isolation` says what fenced it in while it was measured, None where nobody noted that.
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidates:
    """Everything that was measured for one choice. `measured_at` is ISO 8601; `noise_floor` is |ratio - 1| of A/A."""

    measured_at: str
    baseline: str
    candidates: tuple[Candidate, ...]
    noise_floor: float | None = None
    is_partial: bool = False
    learning_curve: Mapping[str, Any] | None = None
    manifest: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse two candidates of one name, none at all, and a baseline that is not among them."""
        names = [candidate.name for candidate in self.candidates]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            text = f"Two candidates are called {twice[0]!r}; give each a name of its own."
            raise Invalid(text, code="candidates_names", field="candidates")
        if self.baseline not in names:
            text = (
                f"The baseline {self.baseline!r} is not among the candidates ({', '.join(names) or 'there are none'})."
            )
            raise Invalid(text, code="candidates_baseline", field="baseline")

    def isolation(self) -> str | None:
        """Return what fenced the candidates in, each way of it once; None where nobody noted that."""
        return "; ".join(dict.fromkeys(each.isolation for each in self.candidates if each.isolation)) or None

    def named(self, name: str) -> Candidate:
        """Return the candidate of that name; raise Invalid where there is none."""
        found = next((candidate for candidate in self.candidates if candidate.name == name), None)
        if found is None:
            raise Invalid(f"There is no candidate {name!r}.", code="candidates_names", field="candidates")
        return found

    def as_document(self) -> dict[str, Any]:
        """Return the candidates in the form of `weighbridge.candidates/1`, ready for JSON."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}


def candidates_from(document: object) -> Candidates:
    """Read what `as_document` returned; raise Invalid for another schema, or with the path of the key at fault."""
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if schema != SCHEMA:
        text = f"This is no {SCHEMA} document: its schema is {schema!r}. `weighbridge optimize --json FILE` writes one."
        raise Invalid(text, code="candidates_schema", field="schema")
    return read(Candidates, document)


def read_candidates(path: Path) -> Candidates:
    """Read a candidates file; raise Invalid where it is missing, no JSON, or of another form."""
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="candidates_missing", field="file") from error
    except ValueError as error:
        raise Invalid(f"{path.name} is no JSON: {error}.", code="candidates_unreadable", field="file") from error
    return candidates_from(document)
