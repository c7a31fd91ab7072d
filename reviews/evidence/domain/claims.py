"""Claims travel with the artifact: what was claimed once is lowered by evidence or by votes, never by another claim.

A claim is a declared or estimated value. The claims on record of an artifact are those of every submitted request for
it, by any team. An approval settles them: its own claims replace what was claimed before it.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricScope
from weighbridge.core.metrics.units import with_unit
from weighbridge.core.metrics.values import Contradiction, MetricValue, best, brief_text, is_current
from weighbridge.costs.totals import with_totals

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})


@dataclass(frozen=True, kw_only=True)
class RecordedValue:
    """A metric value of a submitted request for the artifact. `approved_at` is the approval of that request."""

    value: MetricValue
    request_id: int
    submitted_at: datetime
    approved_at: datetime | None = None


def values_on_record(
    recorded: Sequence[RecordedValue], *, catalog: MetricCatalog, now: datetime
) -> tuple[MetricValue, ...]:
    """The values that a claim must not fall below: current evidence, and the claims that no approval settled.

    A claim does not leave the record by its own end: only evidence expires.
    """
    settled_at = max((row.approved_at for row in recorded if row.approved_at is not None), default=None)
    return tuple(
        row.value
        for row in _without_draft_corrections(recorded)
        if (
            _counts(row, recorded, settled_at, catalog)
            if row.value.basis in CLAIMED
            else is_current(row.value, now=now)
        )
    )


def _without_draft_corrections(recorded: Sequence[RecordedValue]) -> Iterator[RecordedValue]:
    """The values without those that were corrected before their request was submitted."""
    last = {_draft_key(row): row for row in recorded if row.value.observed_at <= row.submitted_at}
    for row in recorded:
        if row.value.observed_at > row.submitted_at or last[_draft_key(row)] is row:
            yield row


def _draft_key(row: RecordedValue) -> tuple[int, str, Basis]:
    return row.request_id, row.value.name, row.value.basis


def _counts(
    row: RecordedValue, recorded: Sequence[RecordedValue], settled_at: datetime | None, catalog: MetricCatalog
) -> bool:
    if settled_at is None or row.value.observed_at > settled_at:
        return True
    if row.approved_at != settled_at:
        return False
    own = [other.value for other in recorded if other.request_id == row.request_id]
    return best(own, name=row.value.name, catalog=catalog, accept=CLAIMED) is row.value


def binding_values(
    own: Sequence[MetricValue],
    *,
    on_record: Iterable[MetricValue],
    catalog: MetricCatalog,
    corrected: Set[str] = frozenset(),
) -> tuple[MetricValue, ...]:
    """The values on record that count instead of own claims, because they are less favorable; one of each metric.

    `corrected` are the ids of the estimates of one projection and of its recalculations. A recalculation with a
    measured service time replaces estimates of the deployment of the same projection, and nothing else: the prices and
    the load are still stated.
    """
    values, record, found = with_totals(own, catalog=catalog), tuple(on_record), []
    for name in catalog.in_order(value.name for value in (*own, *values)):
        # A total with a missing part does not count for the policy, but its amount is still committed.
        kind, claim = catalog[name], best(values, name=name, catalog=catalog) or best(own, name=name, catalog=catalog)
        if kind.scope is MetricScope.REQUEST or claim is None or claim.basis not in CLAIMED:
            continue
        is_replaced = kind.scope is MetricScope.DEPLOYMENT and claim.id in corrected
        replaced = corrected if is_replaced else frozenset[str]()
        others = (value for value in record if value.name == name and value.id not in replaced)
        # The range of a claim excuses nothing: its maker sets it.
        worse = [value for value in others if (value.value - claim.value) * kind.sign > 0]
        if worse:
            found.append(max(worse, key=lambda value: value.value * catalog[value.name].sign))
    return tuple(found)


def bound_values(own: Sequence[MetricValue], *, binding: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    """The own values with binding values instead; totals are as stated."""
    values = tuple(own)
    for value in binding:
        values = (*(one for one in values if one.name != value.name), value)
    return values


def counted_values(
    own: Sequence[MetricValue], *, binding: Iterable[MetricValue], catalog: MetricCatalog
) -> tuple[MetricValue, ...]:
    """The values on which the policy is evaluated: the own ones, with binding values instead, and totals."""
    return with_totals(bound_values(own, binding=binding), catalog=catalog)


def lowered_claims(
    own: Sequence[MetricValue], *, binding: Iterable[MetricValue], catalog: MetricCatalog
) -> tuple[Contradiction, ...]:
    """The own claims that binding values contradict. A computed total is not a claim; its parts are."""
    values, found = with_totals(own, catalog=catalog), []
    for value in binding:
        claim = best(values, name=value.name, catalog=catalog)
        if claim is not None and claim.id:
            message = (
                f"{catalog[claim.name].title} is {claim.basis} as {with_unit(brief_text(claim.value), claim.unit)}, "
                f"but {with_unit(brief_text(value.value), value.unit)} is on record for the same artifact "
                f"({value.basis}). The value on record counts until evidence or votes lower it. Correct the claim or "
                "explain the difference."
            )
            found.append(Contradiction(claim.name, claim, value, is_worse=True, message=message))
    return tuple(found)
