"""Checks that the metrics which policies and checklists name are metrics of the catalog in force."""

from collections.abc import Iterable

from governance.rulebook.domain.checklists import Checklist
from governance.rulebook.domain.metric_limits import MetricLimit, Reference
from governance.rulebook.domain.policy import Policy, PolicyRule
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition

BUDGETED = ("USD", "gpu_h")


def check_policy_metrics(policy: Policy, *, catalog: MetricCatalog) -> None:
    """Raise Invalid, with the path, for a rule whose metric, unit or accepted bases the catalog does not have."""
    for place, rule in enumerate(policy.rules):
        for limit, where in zip(rule.limits, _places(rule, f"rules[{place}]"), strict=True):
            _check_limit(limit, catalog, where)
    for place, stage in enumerate(policy.stages):
        if stage.when is not None:
            _check_limit(stage.when, catalog, f"stages[{place}].when")


def _places(rule: PolicyRule, place: str) -> list[str]:
    """The paths of the limits of a rule."""
    if not rule.also:
        return [place]
    return [f"{place}.{rule.combination}_of[{number}]" for number in range(len(rule.limits))]


def check_checklist_metrics(checklist: Checklist, *, catalog: MetricCatalog) -> None:
    """Raise Invalid, with the path, for an item whose metrics or accepted bases the catalog does not have."""
    for place, item in enumerate(checklist.items):
        for name in item.metrics:
            definition = _found(catalog, name, f"items[{place}].metrics")
            _check_bases(definition, item.accept, f"items[{place}].accept")


def _check_limit(limit: MetricLimit, catalog: MetricCatalog, place: str) -> None:
    definition = _found(catalog, limit.metric, f"{place}.metric")
    if limit.unit != definition.unit:
        text = f"{place}.unit must be {definition.unit}, the unit of {definition.name}."
        raise Invalid(text, field=f"{place}.unit")
    if limit.versus is not None and limit.versus.reference is Reference.BUDGET and limit.unit not in BUDGETED:
        text = f"{place}.versus: a budget is in {' or '.join(BUDGETED)}, and {definition.name} is not."
        raise Invalid(text, field=f"{place}.versus")
    _check_bases(definition, limit.accept, f"{place}.accept")


def _found(catalog: MetricCatalog, name: str, place: str) -> MetricDefinition:
    try:
        definition = catalog.find(name)
    except Invalid as refusal:
        text = f"{place} is not a metric of the catalog. {refusal.reason}"
        raise Invalid(text, field=place) from refusal
    if definition.is_retired:
        raise Invalid(f"{place}: {name} is retired; no new values of it are stated.", field=place)
    return definition


def _check_bases(definition: MetricDefinition, accept: Iterable[Basis], place: str) -> None:
    if not set(accept) & set(definition.bases):
        bases = ", ".join(definition.bases)
        text = f"{place} lists no basis that values of {definition.name} can have; these are {bases}."
        raise Invalid(text, field=place)
