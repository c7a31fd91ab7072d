"""Which metrics of a request decide, and therefore stand on its decision screen."""

from collections.abc import Iterable
from dataclasses import dataclass

MOST = 7


@dataclass(frozen=True, kw_only=True)
class RankedMetric:
    """What is known about one metric of a request, as far as it makes the metric important for the decision."""

    name: str
    is_contradicted: bool = False
    breaks_limit: bool = False
    has_limit: bool = False
    is_measured: bool = False
    is_claimed: bool = False

    @property
    def weight(self) -> int:
        """How much the metric matters: a contradicted claim most, a value without claim or limit least."""
        bits = (self.is_contradicted, self.breaks_limit, self.has_limit, self.is_measured and self.is_claimed)
        return sum(bit << place for place, bit in enumerate(reversed(bits)))


def headline_metrics(metrics: Iterable[RankedMetric], *, groups: dict[str, str], most: int = MOST) -> tuple[str, ...]:
    """The names of at most `most` metrics, in the order given.

    Each group in `groups` (metric to group) gives its most important metric first; then the most important of the
    rest follow. Of equally important metrics, the earlier one is taken.
    """
    given = list(metrics)
    ranked = sorted(given, key=lambda metric: -metric.weight)
    first = {groups[metric.name]: metric.name for metric in reversed(ranked)}
    leading = [metric.name for metric in ranked if first[groups[metric.name]] == metric.name]
    urgent = [metric.name for metric in ranked if metric.is_contradicted or metric.breaks_limit]
    chosen = set([*dict.fromkeys([*urgent, *leading, *(metric.name for metric in ranked)])][:most])
    return tuple(metric.name for metric in given if metric.name in chosen)
