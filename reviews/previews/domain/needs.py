"""The metric values that a policy and its checklist want for a request, and the ways to supply each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.rulebook.domain.checklists import Checklist
from governance.rulebook.domain.evaluation.completeness import ItemStatus
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.policies import RuleResult
from governance.rulebook.domain.metric_limits import MetricLimit
from governance.rulebook.domain.policy import Policy
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition, MetricGroup, Producer
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.optimization.language.checked import METRIC as ALTERNATIVES_METRIC

STATED = frozenset({Basis.DECLARED, Basis.ESTIMATED})


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What is at hand for a request: sentences that are "" where nothing is missing, and the keys that may sign.

    `cannot_measure` says why our workers cannot run the subject, `data_doubt` why quality is not measured on its data.
    """

    cannot_measure: str = ""
    data_doubt: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MetricNeed:
    """A metric that rules or checklist items want on one of the bases of `accept`, with at least `min_n` samples.

    `ways` are the ways to supply it now, each a sentence with who does it; `remedies` are what would open another one.
    """

    metric: str
    title: str
    accept: tuple[str, ...]
    min_n: int
    wanted_by: tuple[str, ...]
    is_given: bool
    ways: tuple[str, ...]
    remedies: tuple[str, ...]

    @property
    def accept_words(self) -> str:
        """The accepted bases as text: `measured or stronger`, `with at least 500 samples` where that is asked."""
        weakest, *stronger = self.accept
        words = f"{weakest} or stronger" if stronger else weakest
        return f"{words}, with at least {self.min_n:,} samples" if self.min_n else words

    @property
    def is_dead_end(self) -> bool:
        """Whether the value is missing, and nobody can supply it as the request stands."""
        return not self.is_given and not self.ways


@dataclass(frozen=True)
class _Want:
    metric: str
    accept: tuple[Basis, ...]
    min_n: int
    wanted_by: str


def needs_of(
    policy: Policy,
    *,
    results: Sequence[RuleResult],
    statuses: Sequence[ItemStatus],
    metric_values: Sequence[MetricValue],
    supply: Supply,
    catalog: MetricCatalog,
) -> tuple[MetricNeed, ...]:
    """One need for each metric and weakest accepted basis, in the order of the catalog.

    Rules that do not apply to the request and items that are optional or not shown want nothing.
    """
    applying = {result.rule_id for result in results if result.status is not RuleStatus.NOT_APPLICABLE}
    wants = [*_wants_of_rules(policy, applying), *_wants_of_items(statuses)]
    grouped: dict[tuple[str, tuple[Basis, ...]], list[_Want]] = {}
    for want in wants:
        grouped.setdefault((want.metric, want.accept), []).append(want)
    order = catalog.in_order(metric for metric, _ in grouped)
    known = sorted((key for key in grouped if key[0] in catalog), key=lambda key: order.index(key[0]))
    return tuple(_need(grouped[key], metric_values, supply, catalog) for key in known)


def _wants_of_rules(policy: Policy, applying: set[str]) -> Iterable[_Want]:
    for rule in policy.rules:
        if rule.id in applying:
            yield from (_want(limit, rule.id) for limit in rule.limits)


def _want(limit: MetricLimit, wanted_by: str) -> _Want:
    return _Want(limit.metric, limit.accept, limit.min_n, f"rule {wanted_by}")


def _wants_of_items(statuses: Sequence[ItemStatus]) -> Iterable[_Want]:
    for status in statuses:
        if status.item.required and not status.is_waived:
            yield from (_Want(name, status.item.accept, 0, status.item.title) for name in status.item.metrics)


def _need(
    wants: Sequence[_Want], metric_values: Sequence[MetricValue], supply: Supply, catalog: MetricCatalog
) -> MetricNeed:
    first, definition = wants[0], catalog[wants[0].metric]
    ways, remedies = _ways(definition, first.accept, supply)
    return MetricNeed(
        metric=first.metric,
        title=definition.title,
        accept=tuple(basis.value for basis in first.accept),
        min_n=max(want.min_n for want in wants),
        wanted_by=tuple(dict.fromkeys(want.wanted_by for want in wants)),
        is_given=best(metric_values, name=first.metric, catalog=catalog, accept=first.accept) is not None,
        ways=ways,
        remedies=remedies,
    )


def _ways(
    definition: MetricDefinition, accept: Sequence[Basis], supply: Supply
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ways that are open now, and what would open the others."""
    usable, producers = set(accept) & set(definition.bases), definition.producers
    ways: list[str] = []
    remedies: list[str] = []
    if definition.parts and usable & STATED:
        ways.append(f"It is computed from {' and '.join(map(metric_words, definition.parts))}, which the team states.")
    elif Producer.PERSON in producers and usable & STATED:
        ways.append("The team states it.")
    if Producer.BENCHMARK in producers and Basis.MEASURED in usable:
        obstacle = supply.cannot_measure or (supply.data_doubt if _needs_data(definition) else "")
        (remedies if obstacle else ways).append(obstacle or "Our workers measure it after submission.")
    if Producer.SIGNER in producers and Basis.ATTESTED in usable:
        signers = ", ".join(supply.keys)
        (ways if signers else remedies).append(
            f"The team files a result that is signed by: {signers}."
            if signers
            else "The policy trusts no key of the team; an administrator can publish a version of it that does."
        )
    return tuple(ways), tuple(remedies)


def _needs_data(definition: MetricDefinition) -> bool:
    return definition.group is MetricGroup.QUALITY or definition.name == ALTERNATIVES_METRIC


def metrics_of(policy: Policy, *, checklist: Checklist) -> tuple[str, ...]:
    """The metrics that a policy and its checklist name, in their order."""
    of_rules = (limit.metric for rule in policy.rules for limit in rule.limits)
    return tuple(dict.fromkeys([*of_rules, *(name for item in checklist.items for name in item.metrics)]))
