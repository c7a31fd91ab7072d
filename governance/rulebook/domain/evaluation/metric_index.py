"""The metric values of one request by name, with their defects, for policy evaluations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, check_metric_value


@dataclass(frozen=True)
class MetricIndex:
    """The metric values of one request by name, with their defects. Built once for any number of policies."""

    metric_values: Mapping[str, tuple[MetricValue, ...]]
    catalog: MetricCatalog
    faults: dict[str, str]

    def fault_of(self, name: str) -> str:
        """The reason why a metric value of that name is malformed; empty if none is."""
        if name not in self.faults:
            self.faults[name] = max(map(self._malformation, self.metric_values.get(name, ())), default="")
        return self.faults[name]

    def _malformation(self, metric_value: MetricValue) -> str:
        try:
            check_metric_value(metric_value, catalog=self.catalog)
        except Invalid as refusal:
            return refusal.reason
        return ""


def index_values(metric_values: Iterable[MetricValue], *, catalog: MetricCatalog) -> MetricIndex:
    """Group the metric values by name, in their original order."""
    named: dict[str, list[MetricValue]] = defaultdict(list)
    for metric_value in metric_values:
        named[metric_value.name].append(metric_value)
    return MetricIndex({name: tuple(those) for name, those in named.items()}, catalog, {})
