"""Claims travel with the artifact: what was claimed once is lowered by evidence or by votes, never by another claim.

A claim is a declared or estimated value. The claims on record of an artifact are those of every submitted request for
it, by any team. An approval settles them: its own claims replace what was claimed before it.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from weighbridge.core.metric_catalog import CATALOG, Direction
from weighbridge.core.metrics import Basis, Contradiction, MetricValue, best, brief_text, is_current
from weighbridge.costs.totals import with_totals

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
OF_DEPLOYMENT = frozenset({"inference_cost_1y_usd", "total_cost_1y_usd", "cost_per_1k_usd", "error_rate"})
"""Metrics that depend on where the artifact runs; they are compared within one environment."""
OF_PURPOSE = frozenset({"business_kpi_delta", "alternatives_measured"})
"""Metrics that are about one request; they do not travel."""
TRAVELING = tuple(name for name in CATALOG if name not in OF_PURPOSE)


@dataclass(frozen=True, kw_only=True)
class RecordedValue:
    """A metric value of a submitted request for the artifact. `approved_at` is the approval of that request."""

    value: MetricValue
    request_id: int
    submitted_at: datetime
    approved_at: datetime | None = None


def values_on_record(recorded: Sequence[RecordedValue], *, now: datetime) -> tuple[MetricValue, ...]:
    """The values that a claim must not fall below: current evidence, and the claims that no approval settled.

    A claim does not leave the record by its own end: only evidence expires.
    """
    settled_at = max((row.approved_at for row in recorded if row.approved_at is not None), default=None)
    return tuple(
        row.value
        for row in _without_draft_corrections(recorded)
        if (_counts(row, recorded, settled_at) if row.value.basis in CLAIMED else is_current(row.value, now=now))
    )


def _without_draft_corrections(recorded: Sequence[RecordedValue]) -> Iterator[RecordedValue]:
    """The values without those that were corrected before their request was submitted."""
    last = {_draft_key(row): row for row in recorded if row.value.observed_at <= row.submitted_at}
    for row in recorded:
        if row.value.observed_at > row.submitted_at or last[_draft_key(row)] is row:
            yield row


def _draft_key(row: RecordedValue) -> tuple[int, str, Basis]:
    return row.request_id, row.value.name, row.value.basis


def _counts(row: RecordedValue, recorded: Sequence[RecordedValue], settled_at: datetime | None) -> bool:
    if settled_at is None or row.value.observed_at > settled_at:
        return True
    if row.approved_at != settled_at:
        return False
    own = [other.value for other in recorded if other.request_id == row.request_id]
    return best(own, name=row.value.name, accept=CLAIMED) is row.value


def binding_values(
    own: Sequence[MetricValue], *, on_record: Iterable[MetricValue], corrected: Set[str] = frozenset()
) -> tuple[MetricValue, ...]:
    """The values on record that count instead of own claims, because they are less favorable; one of each metric.

    `corrected` are the ids of the estimates of one projection and of its recalculations. A recalculation with a
    measured service time replaces estimates of the deployment of the same projection, and nothing else: the prices and
    the load are still stated.
    """
    values, record, found = with_totals(own), tuple(on_record), []
    for name in TRAVELING:
        claim = best(values, name=name)
        if claim is None or claim.basis not in CLAIMED:
            continue
        replaced = corrected if name in OF_DEPLOYMENT and claim.id in corrected else frozenset[str]()
        others = (value for value in record if value.name == name and value.id not in replaced)
        worse = [value for value in others if _is_worse(value, claim)]
        if worse:
            found.append(max(worse, key=lambda value: value.value * _sign(value)))
    return tuple(found)


def counted_values(own: Sequence[MetricValue], *, binding: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    """The values on which the policy is evaluated: the own ones, with binding values instead, and totals."""
    values = tuple(own)
    for value in binding:
        values = (*(one for one in values if one.name != value.name), value)
    return with_totals(values)


def lowered_claims(own: Sequence[MetricValue], *, binding: Iterable[MetricValue]) -> tuple[Contradiction, ...]:
    """The own claims that binding values contradict. A computed total is not a claim; its parts are."""
    values, found = with_totals(own), []
    for value in binding:
        claim = best(values, name=value.name)
        if claim is not None and claim.id:
            message = (
                f"{claim.name} is {claim.basis} as {brief_text(claim.value)} {claim.unit}, but "
                f"{brief_text(value.value)} {value.unit} is on record for the same artifact ({value.basis}). The value "
                "on record counts until evidence or votes lower it. Correct the claim or explain the difference."
            )
            found.append(Contradiction(claim.name, claim, value, is_worse=True, message=message))
    return tuple(found)


def _is_worse(value: MetricValue, claim: MetricValue) -> bool:
    """Whether the value is less favorable than the claim. The range of a claim excuses nothing: its maker sets it."""
    return (value.value - claim.value) * _sign(claim) > 0


def _sign(value: MetricValue) -> int:
    return 1 if CATALOG[value.name].direction is Direction.LOWER else -1
