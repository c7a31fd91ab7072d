"""The evidence in a packet: policy evaluation, claims and measurements, costs, and benchmark runs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cattrs.gen import make_dict_unstructure_fn, override

from reviews.requests.domain import wording
from weighbridge.core.converter import CONVERTER
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.units import unit_words
from weighbridge.readers.imported_result import StudyDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule of the policy with its result: status is passed, fired, indeterminate, not_applicable or waived."""

    rule_id: str
    metric: str
    status: str
    level: str
    effect: str
    condition: str
    observed: Decimal | None = None
    unit: str = ""
    basis: str = ""
    n: int | None = None
    reason: str
    message: str = ""

    @property
    def observed_words(self) -> str:
        """The compared value with unit, or ""."""
        return wording.value_words(self.observed, unit=self.unit) if self.observed is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvaluationPart:
    """The policy evaluation, and the exact policy text."""

    outcome: str
    occasion: str
    evaluated_at: datetime
    policy_name: str
    policy_version: int
    policy_digest: str
    rules: tuple[RuleLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A metric value that was not measured for the request: a claim, a derived value, or a value on record.

    The basis of a total is that of its parts.
    """

    value: Decimal
    basis: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementPart:
    """A measured or billed value with its interval at `confidence` (0 to 1), sample size and the run's verdict."""

    value: Decimal
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None
    n: int | None = None
    basis: str = "measured"
    source: str = ""
    verdict: str = ""

    @property
    def sample_words(self) -> str:
        """Confidence and sample size: `95 %, n = 3,000`; unknown parts are left out."""
        percent = f"{(self.confidence * 100).normalize():f} %" if self.confidence is not None else ""
        count = f"n = {self.n:,}" if self.n is not None else ""
        return ", ".join(part for part in (percent, count) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimComparison:
    """The claim and the measurement of one metric. `limit` is the limit of the policy, if a rule uses this metric.

    `derived` is the value that counts if nobody measured it and it is computed. Packets from before there were derived
    values have a total of claims as a claim. `on_record` is the value on record for the artifact that counts instead of
    a lower claim; packets from before it was shown have none.
    """

    name: str
    unit: str
    direction: str
    claimed: Claim | None = None
    derived: Claim | None = None
    on_record: Claim | None = None
    measured: MeasurementPart | None = None
    limit: Decimal | None = None
    is_contradicted: bool = False
    contradiction: str = ""
    answer: str = ""
    answered_by: str = ""

    @property
    def is_stated(self) -> bool:
        """Whether there is a value that was not measured for the request."""
        return bool(self.claimed or self.derived or self.on_record)

    @property
    def title(self) -> str:
        """The name of the metric for readers, without unit."""
        return metric_words(self.name)

    @property
    def unit_words(self) -> str:
        """The unit for readers."""
        return unit_words(self.unit)

    @property
    def claimed_words(self) -> str:
        """The claimed number without unit, or ""."""
        return wording.number_text(self.claimed.value, unit=self.unit) if self.claimed else ""

    @property
    def derived_words(self) -> str:
        """The derived number without unit, or ""."""
        return wording.number_text(self.derived.value, unit=self.unit) if self.derived else ""

    @property
    def derived_note(self) -> str:
        """How the derived value came to be, or ""."""
        if self.derived is None:
            return ""
        return "derived" if self.derived.basis == Basis.DERIVED else f"derived from {self.derived.basis} parts"

    @property
    def on_record_words(self) -> str:
        """The number on record that counts, without unit, or ""."""
        return wording.number_text(self.on_record.value, unit=self.unit) if self.on_record else ""

    @property
    def measured_words(self) -> str:
        """The measured number without unit, or ""."""
        return wording.number_text(self.measured.value, unit=self.unit) if self.measured else ""

    @property
    def interval_text(self) -> str:
        """The measured interval without unit, bounds rounded outwards, or ""."""
        if self.measured is None:
            return ""
        return wording.interval_text(lower=self.measured.lower, upper=self.measured.upper, unit=self.unit)

    @property
    def spoken(self) -> str:
        """The row as a phrase, for screen readers."""
        parts = [f"claimed {self.claimed_words}"] if self.claimed else []
        parts += [f"derived {self.derived_words}"] if self.derived else []
        parts += [f"on record {self.on_record_words}"] if self.on_record else []
        if self.measured:
            bounds = f" ({self.interval_text})" if self.interval_text else ""
            parts.append(f"measured {self.measured_words}{bounds}")
        if self.limit is not None:
            parts.append(f"limit {wording.number_text(self.limit, unit=self.unit)}")
        return f"{self.title}: {', '.join(parts) or 'no value'}"

    @property
    def chart(self) -> str:
        """The name of the chart asset of this row."""
        return f"interval-{self.name}.svg"


# Packets written before values on record were shown must keep their digests, so a missing one is omitted.
CONVERTER.register_unstructure_hook(
    ClaimComparison, make_dict_unstructure_fn(ClaimComparison, CONVERTER, on_record=override(omit_if_default=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """One line of the cost table in USD; bounds are P10 and P90 if known."""

    label: str
    value_usd: Decimal
    lower_usd: Decimal | None = None
    upper_usd: Decimal | None = None
    basis: str
    source: str = ""
    is_total: bool = False

    @property
    def value_words(self) -> str:
        """The amount, exact to the cent."""
        return wording.number_text(self.value_usd, unit="USD")

    @property
    def interval_text(self) -> str:
        """The range, exact to the cent, or ""."""
        return wording.interval_text(lower=self.lower_usd, upper=self.upper_usd, unit="USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPart:
    """An attached study: what it says, who attached which file, and its chart."""

    number: int
    title: str
    verdict: str
    reasons: tuple[str, ...] = ()
    conclusions: tuple[str, ...] = ()
    details: tuple[StudyDetail, ...] = ()
    tool: str
    file_name: str
    file_digest: str
    attached_by: str
    attached_at: datetime
    chart_alt: str
    chart_svg: str

    @property
    def chart(self) -> str:
        """The name of the chart asset."""
        return f"study-{self.number}.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A benchmark run of the evidence."""

    run_id: str
    scenario: str
    verdict: str
    reasons: tuple[str, ...] = ()
    manifest_digest: str
    isolation: str
    machine: str = ""
    finished_at: datetime | None = None
