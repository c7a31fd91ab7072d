"""Judges one limit on the metric values of a request: passed, fired, or indeterminate with the reason.

Pure and total: missing, stale, weak or malformed evidence never raises and never passes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from governance.rulebook.domain.evaluation.metric_index import MetricIndex
from governance.rulebook.domain.metric_limits import MetricLimit, Reference, Statistic
from governance.rulebook.domain.scopes import EvaluationSubject
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.units import with_commas, with_unit
from weighbridge.core.metrics.values import MetricValue, best, brief_text, is_current, number_text


class RuleStatus(StrEnum):
    """The result of one rule."""

    PASSED = "passed"
    FIRED = "fired"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


References = Mapping[tuple[Reference, str], Decimal]
"""The values of references, by reference and metric."""
NO_REFERENCES: References = MappingProxyType({})


@dataclass(frozen=True)
class LimitFinding:
    """The result of one limit. `reason` is a function, because many callers do not need the sentence."""

    status: RuleStatus
    reason: Callable[[], str]
    metric_value: MetricValue | None = None
    observed: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluationCase:
    """The inputs of an evaluation."""

    subject: EvaluationSubject
    index: MetricIndex
    now: datetime
    references: References


class WeighedLimit(NamedTuple):
    """A limit beside the values of a case, without a sentence: `compared` is the number that is set beside the limit.

    It is None for an indeterminate limit; without a value that counts, `metric_value` is None too.
    """

    status: RuleStatus
    metric_value: MetricValue | None = None
    observed: Decimal | None = None
    compared: Decimal | None = None


_UNKNOWN = WeighedLimit(RuleStatus.INDETERMINATE)


def judge_limit(limit: MetricLimit, case: EvaluationCase) -> LimitFinding:
    """Compare the value that counts with the limit; what cannot be compared is indeterminate, never passed."""
    weighed = weigh_limit(limit, case)
    return LimitFinding(weighed.status, lambda: _reason(limit, case, weighed), weighed.metric_value, weighed.observed)


def weigh_limit(limit: MetricLimit, case: EvaluationCase) -> WeighedLimit:
    """Like `judge_limit`, without the sentence."""
    index = case.index
    if index.fault_of(limit.metric):
        # The malformed metric value might be the decisive one, so the others cannot replace it.
        return _UNKNOWN
    named = index.metric_values.get(limit.metric, ())
    metric_value = best(named, name=limit.metric, catalog=index.catalog, accept=limit.accept)
    if metric_value is None:
        return _UNKNOWN
    observed = _observed(limit, metric_value)
    if observed is None or _gap(limit, metric_value=metric_value, observed=observed, now=case.now):
        return WeighedLimit(RuleStatus.INDETERMINATE, metric_value, observed)
    compared = _relative(limit, observed, case.references)
    if compared is None:
        return WeighedLimit(RuleStatus.INDETERMINATE, metric_value, observed)
    status = RuleStatus.PASSED if limit.comparator.holds(compared, limit.limit) else RuleStatus.FIRED
    return WeighedLimit(status, metric_value, observed, compared)


def _reason(limit: MetricLimit, case: EvaluationCase, weighed: WeighedLimit) -> str:
    index, metric_value, observed = case.index, weighed.metric_value, weighed.observed
    fault = index.fault_of(limit.metric)
    if fault:
        return f"A value of {limit.metric_title} is malformed: {fault}"
    if metric_value is None:
        return _needed(limit, index.metric_values.get(limit.metric, ()), index.catalog)
    if observed is None or weighed.compared is None:
        gap = _gap(limit, metric_value=metric_value, observed=observed, now=case.now)
        return gap or _no_reference(limit)
    return _comparison(limit, metric_value, observed, weighed.compared)


def _needed(limit: MetricLimit, named: Sequence[MetricValue], catalog: MetricCatalog) -> str:
    bases = " and ".join(sorted({metric_value.basis.value for metric_value in named}))
    available = f"only {bases}" if named else "none at all"
    kind = catalog.get(limit.metric)
    if kind is not None and kind.parts and not named:
        parts = " and ".join(map(metric_words, kind.parts))
        return f"{limit.metric_title} is computed from {parts}; state both, and it can be computed."
    if kind is not None and kind.converts and not named:
        source = metric_words(kind.converts)
        return f"{limit.metric_title} is converted from {source}; state all of these by accelerator."
    return f"The rule needs a {' or '.join(limit.accept)} value of {limit.metric_title}; there is {available}."


def _relative(limit: MetricLimit, observed: Decimal, references: References) -> Decimal | None:
    """The number that is compared with the limit: the observed one, or relative to the reference, if that is known."""
    if limit.versus is None:
        return observed
    reference = references.get((limit.versus.reference, limit.metric))
    return None if reference is None else limit.versus.measure.of(observed, reference)


def _no_reference(limit: MetricLimit) -> str:
    words = limit.versus.reference.words if limit.versus else ""
    return f"The rule compares {limit.metric_title} with {words}; that has no value to compare with."


def _comparison(limit: MetricLimit, metric_value: MetricValue, observed: Decimal, compared: Decimal) -> str:
    origin = metric_value.basis.value + (f", {metric_value.source}" if metric_value.source else "")
    which, title = limit.statistic.words, limit.metric_title
    seen = with_unit(observed_words(observed, limit.limit), metric_value.unit)
    relative = with_unit(observed_words(compared, limit.limit), limit.limit_unit) if limit.versus else ""
    why = (
        f"{which}{title} is {seen} ({origin}){f', which is {relative}' if relative else ''}; "
        f"the policy asks for {limit.comparator.words} {limit.limit_words}."
    )
    return why[0].upper() + why[1:] if which else why


def observed_words(observed: Decimal, limit: Decimal) -> str:
    """The rounded number, or the exact number if rounding would print the limit itself."""
    brief = brief_text(observed)
    return with_commas(number_text(observed) if brief == number_text(limit) else brief)


def _observed(limit: MetricLimit, metric_value: MetricValue) -> Decimal | None:
    match limit.statistic:
        case Statistic.VALUE:
            return metric_value.value
        case Statistic.LOWER:
            return metric_value.lower
        case Statistic.UPPER:
            return metric_value.upper
    billed = metric_value.value if metric_value.basis is Basis.BILLED else None
    return billed if metric_value.p80 is None else metric_value.p80


def _gap(limit: MetricLimit, *, metric_value: MetricValue, observed: Decimal | None, now: datetime) -> str:
    """The reason why the metric value is not sufficient for the limit; empty if it is."""
    if not is_current(metric_value, now=now):
        expired = f"expired on {metric_value.valid_until:%Y-%m-%d}"
        return f"The {metric_value.basis} value of {limit.metric_title} {expired}; provide a new one."
    if limit.min_n and (metric_value.n or 0) < limit.min_n:
        has = f"the {metric_value.basis} value has"
        return f"The rule needs {limit.min_n} samples of {limit.metric_title}; {has} {metric_value.n or 'none'}."
    if observed is None:
        compared = f"{limit.statistic.words}{limit.metric_title}"
        return f"The rule compares {compared}; the {metric_value.basis} value has none."
    return ""
