"""Collects one result: each value is checked, and what is missing gets a reason."""

import dataclasses
from datetime import datetime
from decimal import Decimal

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import is_plausible
from weighbridge.readers.fields import printable, shown
from weighbridge.readers.imported_result import (
    Absent,
    Doubt,
    ImportedMetric,
    ImportedResult,
    ImportStatus,
    ImportVerdict,
    ReadFile,
    StudySummary,
    SubjectHint,
)
from weighbridge.statistics.order_statistics import minimum_samples

METRICS_MAX, ABSENT_MAX = 2_000, 2_000
CONDITIONS_MAX = 300
DOUBTS_MAX = 100
FAILED_SHARE_MAX = Decimal("0.01")
"""The share of failed requests above which our own measurements are invalid, too."""
UNKNOWN_COUNT = "The files do not state how many requests there were, so it cannot be told how sure percentiles are."
FROM_SENDING = (
    "Latency is measured from sending, not from the moment a request was due, so waits before sending are not in it."
)
UNSTATED = "The files do not state it."
PERCENTILES = {"p50": Decimal("0.5"), "p95": Decimal("0.95"), "p99": Decimal("0.99")}
"""The percentiles of latency that have a name of ours."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a file says about the sample behind a value."""

    n: int | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None
    observed: tuple[tuple[Decimal, Decimal], ...] = ()


NO_SAMPLE, UNKNOWN = Sample(), SubjectHint()


@dataclasses.dataclass(kw_only=True)
class Findings:
    """What a reader finds in the files of one result."""

    reader: str
    tool: str
    files: tuple[ReadFile, ...]
    part: str = ""
    tool_version: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    model: SubjectHint = UNKNOWN
    data: SubjectHint = UNKNOWN
    _conditions: dict[str, str] = dataclasses.field(default_factory=dict)
    _metrics: dict[str, ImportedMetric] = dataclasses.field(default_factory=dict)
    _absent: dict[str, str] = dataclasses.field(default_factory=dict)
    _doubts: list[Doubt] = dataclasses.field(default_factory=list)

    def metric(
        self, name: str, value: Decimal | None, unit: str, sample: Sample = NO_SAMPLE, *, reason: str = UNSTATED
    ) -> None:
        """Take a value; without one, or with an impossible one, the metric is absent for a reason.

        Raises Invalid for a name that was taken before, and for too many metrics.
        """
        name = printable(name, 200)
        if name in self._metrics:
            raise Invalid(f"{self.files[0].name} states {name} twice; remove one of them.", field=name)
        if len(self._metrics) >= METRICS_MAX:
            raise Invalid(f"{self.files[0].name} has more than {METRICS_MAX:,} metrics; import a part.", field="file")
        fault = reason if value is None else _fault(name, value)
        if fault or value is None:
            self.absent(name, fault)
            return
        lower, upper = self._bounds(name, value, sample)
        confidence = sample.confidence if lower is not None or upper is not None else None
        self._metrics[name] = ImportedMetric(name, value, unit, sample.n, lower, upper, confidence, sample.observed)

    def absent(self, name: str, reason: str) -> None:
        """Say why a value is not there."""
        if len(self._absent) >= ABSENT_MAX:
            name, reason = "others", f"More than {ABSENT_MAX:,} values are absent."
        self._absent[printable(name, 200)] = printable(reason)

    def doubt(self, status: ImportStatus, message: str) -> None:
        """Add a reason why the result is indicative or invalid."""
        found = Doubt(status, printable(message))
        if len(self._doubts) < DOUBTS_MAX and found not in self._doubts:
            self._doubts.append(found)

    def condition(self, name: str, value: object) -> None:
        """Take a setting of the run, as text; a missing or empty one is left out."""
        text = shown(value)
        if not text:
            return
        if len(self._conditions) >= CONDITIONS_MAX:
            self.absent("conditions", f"The files have more than {CONDITIONS_MAX} settings; the others were left out.")
            return
        self._conditions[printable(name, 200)] = text

    def requests(self, *, n: int | None, failed: int | None = None) -> None:
        """Judge the number of requests: failed ones, and too few for percentiles (the minimum of MLPerf).

        `n` counts the answered requests; `error_rate` is the share of failed ones if both are known.
        """
        if failed is not None and n is not None and n + failed:
            total = n + failed
            self.metric("error_rate", Decimal(failed) / total, "ratio", Sample(n=total))
            if failed:
                is_invalid = Decimal(failed) / total > FAILED_SHARE_MAX
                text = f"{failed:,} of {total:,} requests failed; latencies are of the answered ones only."
                self.doubt(ImportStatus.INVALID if is_invalid else ImportStatus.INDICATIVE, text)
        names = [f"latency_{percentile}_ms" for percentile in PERCENTILES]
        if n is None and any(name in self._metrics for name in names):
            self.doubt(ImportStatus.INDICATIVE, UNKNOWN_COUNT)
        for name, share in zip(names, PERCENTILES.values(), strict=True):
            needed = minimum_samples(float(share))
            if n is not None and n < needed and name in self._metrics:
                text = f"{name} is of {n:,} requests; a bound for it needs {needed:,} or more."
                self.doubt(ImportStatus.INDICATIVE, text)

    def result(self, *, study: StudySummary | None = None) -> ImportedResult:
        """Return what was found; raise Invalid if it has no metric at all, and is no study."""
        if not self._metrics and study is None:
            reasons = " ".join(f"{name}: {reason}" for name, reason in list(self._absent.items())[:3])
            text = f"{self.files[0].name} has no metric that can be taken. {reasons}".strip()
            raise Invalid(text, code="no_metrics", field="file")
        statuses = {doubt.status for doubt in self._doubts}
        worst = next((each for each in (ImportStatus.INVALID, ImportStatus.INDICATIVE) if each in statuses), None)
        return ImportedResult(
            reader=self.reader,
            tool=self.tool,
            tool_version=self.tool_version,
            part=printable(self.part, 200),
            started_at=self.started_at,
            ended_at=self.ended_at,
            model=self.model,
            data=self.data,
            conditions=dict(self._conditions),
            metrics=tuple(self._metrics.values()),
            absent=tuple(Absent(name, reason) for name, reason in self._absent.items()),
            verdict=ImportVerdict(worst or ImportStatus.VALID, tuple(self._doubts)),
            files=self.files,
            study=study,
        )

    def _bounds(self, name: str, value: Decimal, sample: Sample) -> tuple[Decimal | None, Decimal | None]:
        """Return the bounds, both None with a reason if they cannot be those of the value."""
        lower, upper, confidence = sample.lower, sample.upper, sample.confidence
        if lower is None and upper is None:
            return None, None
        faults = [_fault(name, bound) for bound in (lower, upper) if bound is not None]
        is_around = (lower is None or lower <= value) and (upper is None or value <= upper)
        if any(faults) or not is_around or confidence is None or not 0 < confidence < 1:
            self.absent(
                f"{name} interval", "The stated bounds have no confidence level, or cannot be those of the value."
            )
            return None, None
        return lower, upper


def _fault(name: str, value: Decimal) -> str:
    """Return why a number cannot be a value of the metric; empty if it can."""
    kind = STANDARD.get(name)
    if not is_plausible(value):
        return "The stated number is outside the range that is stored, 1e-30 to 1e16."
    if kind is not None and kind.minimum is not None and value < kind.minimum:
        return f"The stated number is below {kind.minimum}, the least that is possible."
    if kind is not None and kind.maximum is not None and value > kind.maximum:
        return f"The stated number is above {kind.maximum}, the most that is possible."
    return ""
