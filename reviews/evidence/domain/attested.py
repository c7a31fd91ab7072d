"""Attested results: what a signed result must fulfill to be evidence for a request, and which are measured again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from weighbridge.core.attested_results import AttestedMetric, AttestedResult, plan_digest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricGroup, Producer
from weighbridge.core.metrics.values import MetricValue, check_metric_value
from weighbridge.optimization.language.checked import METRIC as ALTERNATIVES_METRIC
from weighbridge.optimization.language.checked import checked_alternatives

CLOCK_TOLERANCE = timedelta(minutes=5)
OLDEST = timedelta(days=180)
ALTERNATIVES_KEY = "alternatives"
"""The key of the manifest with the document of measured alternatives."""
USABLE = frozenset({"valid", "indicative"})


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What a result must be about: the request, its subject, policy and data ("" for none), since its submission."""

    request: str
    subject: str
    policy: str
    data: str
    issued_at: datetime
    benchmarks: tuple[Mapping[str, Any], ...]

    @property
    def document(self) -> dict[str, Any]:
        """The plan as JSON types; its digest stands in every result that follows it."""
        return {**vars(self), "benchmarks": list(self.benchmarks), "issued_at": self.issued_at.isoformat()}

    @property
    def digest(self) -> str:
        """The digest of the document."""
        return plan_digest(self.document)


def check_result(result: AttestedResult, *, plan: EvaluationPlan, catalog: MetricCatalog, now: datetime) -> None:
    """Raise Invalid unless the result is about the subject and plan of the request, and its values are possible."""
    if result.subject != plan.subject:
        raise _fault("subject", f"The result is about {result.subject}, and the request about {plan.subject}.")
    if result.plan != plan.digest:
        text = f"The result follows another plan ({result.plan}); that of {plan.request} is {plan.digest}."
        raise _fault("plan", f"{text} Fetch the plan of the request before the run.")
    _check_times(result, plan, now)
    if result.verdict not in USABLE:
        raise _fault("verdict", "The run was invalid by its own verdict, so that it is no evidence. Measure again.")
    for metric in result.metrics:
        check_metric(metric, result=result, plan=plan, catalog=catalog)


def _check_times(result: AttestedResult, plan: EvaluationPlan, now: datetime) -> None:
    if result.started_at < plan.issued_at - CLOCK_TOLERANCE:
        raise _fault(
            "started_at", "The run began before the request was submitted, so its criteria were not fixed yet."
        )
    if result.finished_at < result.started_at:
        raise _fault("finished_at", "The run ended before it began.")
    if result.finished_at > now + CLOCK_TOLERANCE:
        raise _fault("finished_at", "The run ended in the future; set the clock of the machine that measures.")
    if result.finished_at < now - OLDEST:
        raise _fault("finished_at", f"The run ended more than {OLDEST.days} days ago; measure again.")


def check_metric(
    metric: AttestedMetric, *, result: AttestedResult, plan: EvaluationPlan, catalog: MetricCatalog
) -> None:
    """Raise Invalid unless a signed value of this metric can be evidence."""
    definition = catalog.find(metric.name, field="metrics")
    if definition.is_retired or Producer.SIGNER not in definition.producers or Basis.ATTESTED not in definition.bases:
        speakers = ", ".join(definition.producers)
        raise _fault("metrics", f"{metric.name} is not measured elsewhere; its values come from: {speakers}.")
    is_of_alternatives = metric.name == ALTERNATIVES_METRIC
    if is_of_alternatives:
        _check_alternatives(metric, result)
    is_of_data = is_of_alternatives or definition.group is MetricGroup.QUALITY
    if is_of_data and (not result.data or result.data != plan.data):
        named = f"the data {result.data}" if result.data else "no data"
        wanted = f"the evaluation set of the request is {plan.data}" if plan.data else "the request names no data"
        raise _fault("data", f"{metric.name} was measured on {named}; {wanted}.")
    check_metric_value(value_of(metric, result), catalog=catalog)


def _check_alternatives(metric: AttestedMetric, result: AttestedResult) -> None:
    """Raise Invalid unless the alternatives that are counted stand in the manifest, with verdicts that follow."""
    document = result.manifest.get(ALTERNATIVES_KEY)
    if document is None:
        text = (
            f"{metric.name} counts alternatives that the manifest does not have; sign the result of their comparison."
        )
        raise _fault("metrics", text)
    if metric.value != int(metric.value):
        raise _fault("metrics", f"{metric.name} must be a whole number, not {metric.value}.")
    try:
        checked_alternatives(document, count=int(metric.value))
    except Invalid as error:
        raise _fault("metrics", error.reason) from error


def value_of(metric: AttestedMetric, result: AttestedResult) -> MetricValue:
    """The value as the domain type."""
    return MetricValue(
        **vars(metric),
        basis=Basis.ATTESTED,
        observed_at=result.finished_at,
        valid_until=result.finished_at + OLDEST,
    )


def is_drawn(*, share: Decimal, draw: Decimal) -> bool:
    """Whether a result is measured again; `draw` is uniform from 0 to below 1, unknown before the result arrives."""
    return draw < share


def chance_words(*, share: Decimal, results: int) -> str:
    """The chance that inflated results are found, as a sentence for the page; "" without any."""
    if not results or not share:
        return ""
    percent = ((Decimal(1) - (Decimal(1) - share) ** results) * 100).quantize(Decimal("0.1"))
    many = "result" if results == 1 else f"{results} results"
    return f"If the {many} were inflated, the chance that one is measured again is {percent} %."


def inflated(
    attested: Iterable[MetricValue], *, measured: Mapping[str, MetricValue], catalog: MetricCatalog
) -> list[str]:
    """A sentence for each attested value that is more favorable than the interval of its measurement allows."""
    found = []
    for value in attested:
        own = measured.get(value.name)
        if own is None or own.lower is None or own.upper is None or value.name not in catalog:
            continue
        worst_allowed = own.lower if catalog[value.name].sign > 0 else own.upper
        if (worst_allowed - value.value) * catalog[value.name].sign > 0:
            claimed = f"{catalog[value.name].title} was attested as {value.value.normalize():f} {value.unit}"
            found.append(
                f"{claimed}, and measured as {own.lower.normalize():f} to {own.upper.normalize():f} {own.unit}."
            )
    return found


def _fault(field: str, reason: str) -> Invalid:
    return Invalid(reason, code=f"attested_{field}", field=field)
